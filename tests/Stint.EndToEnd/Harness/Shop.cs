using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stint.EndToEnd.Harness;

/// <summary>A shop's database on a real server, a catalog that names it, and its people's tokens.</summary>
/// <remarks>
/// Each shop has a database, an owner role and a login for Stint of its own, so that many of them share a server
/// and none sees what another left there.
/// </remarks>
public sealed class Shop
{
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);

    private Shop(PostgresServer server, string name)
    {
        Server = server;
        Database = name;
        foreach (var person in (string[])["ann", "bob", "carol", "eve"])
        {
            _tokens[person] = "stp_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }
    }

    public PostgresServer Server { get; }

    public string Database { get; }

    /// <summary>Stint's own login at the server.</summary>
    public string StintLogin => $"{Database}_stint";

    /// <summary>Role that owns the tables.</summary>
    public string Owner => $"{Database}_owner";

    /// <summary>Variables that <c>stint serve</c> needs for the catalog.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?> { ["ORDERS_DB_PASSWORD"] = Password };

    /// <summary>Of <see cref="StintLogin"/>.</summary>
    public string Password { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>
    /// By rule: <c>read-only</c>, <c>writer</c> (a member of the owner), <c>strict</c> (the same, recorded strictly).
    /// By Bob's yes: <c>owner</c>. Carol is admin and auditor; Eve is a contractor, who is denied the owner role.
    /// </summary>
    public string Catalog => $$"""
        people:
          ann: { name: Ann, token: '{{Hash("ann")}}', manager: bob }
          bob: { name: Bob, token: '{{Hash("bob")}}' }
          carol: { name: Carol, token: '{{Hash("carol")}}' }
          eve: { name: Eve, token: '{{Hash("eve")}}' }
        groups:
          developers: [ann, bob, eve]
          contractors: [eve]
        admins: [carol]
        auditors: [carol]
        resources:
          orders-db:
            kind: postgres
            description: Orders of the shop
            owners: [person:bob]
            settings:
              host: 127.0.0.1
              port: {{Server.Port}}
              database: {{Database}}
              username: {{StintLogin}}
              password: { env: ORDERS_DB_PASSWORD }
              tls: require
            roles:
              read-only: { member_of: [pg_read_all_data] }
              writer: { member_of: [{{Owner}}] }
              strict: { member_of: [{{Owner}}] }
              owner: { member_of: [{{Owner}}], risk: high }
        bundles:
          first-week: { description: First week in the shop, roles: [orders-db/read-only, orders-db/owner], for: 2h }
        policies:
          developers-work:
            who: group:developers
            roles: [orders-db/read-only, orders-db/writer]
            for: { default: 30m, max: 4h }
            approve: { auto: true }
          developers-strict:
            who: group:developers
            roles: [orders-db/strict]
            for: { default: 30m, max: 4h }
            approve: { auto: true }
            record: strict
          developers-own:
            who: group:developers
            roles: [orders-db/owner]
            for: { default: 30m, max: 1h }
            reason: { required: true }
            approve: { steps: [{ from: owners }] }
          contractors-never-own:
            deny: group:contractors
            roles: [orders-db/owner]
        """;

    /// <summary>Sets up a shop on a server.</summary>
    public static async Task<Shop> OpenAsync(PostgresServer server)
    {
        var shop = new Shop(server, string.Create(CultureInfo.InvariantCulture, $"shop{RunFolder.Next()}"));
        await server.RunAsync($"create database {shop.Database}");
        var psql = await Tool.RunAsync(
            "psql",
            [
                "-X", "-q", "-v", "ON_ERROR_STOP=1",
                "-v", $"login={shop.StintLogin}", "-v", $"owner={shop.Owner}", "-v", $"password={shop.Password}",
                "-f", Checkout.Eng("shop.sql"),
            ],
            shop.AsSuperuser);
        psql.Good();
        return shop;
    }

    /// <summary>Variables under which psql and its kin come in directly, as the superuser.</summary>
    public IReadOnlyDictionary<string, string?> AsSuperuser => new Dictionary<string, string?>
    {
        ["PGHOST"] = Server.Folder,
        ["PGPORT"] = Server.Port.ToString(CultureInfo.InvariantCulture),
        ["PGUSER"] = "postgres",
        ["PGPASSWORD"] = Server.Password,
        ["PGDATABASE"] = Database,
        ["PSQLRC"] = "/dev/null",
    };

    /// <summary>A Stint in front of it, not yet started.</summary>
    /// <param name="config">Settings; null for none.</param>
    /// <param name="binary">Which program; null for the built one.</param>
    /// <param name="authority">What its clients trust; null for nothing in particular.</param>
    /// <param name="policies">More policies.</param>
    /// <param name="environment">More variables.</param>
    public StintServer Behind(
        IReadOnlyDictionary<string, object>? config = null, string? binary = null, string? authority = null, string policies = "", IReadOnlyDictionary<string, string?>? environment = null) =>
        new(Catalog + policies, environment is null ? Environment : Environment.Concat(environment).ToDictionary(), config, binary, authority);

    /// <summary>A person's seat at a Stint.</summary>
    public Seat Seat(StintServer stint, string person) => stint.Seat(_tokens[person]);

    /// <summary>How many accounts stand at the server that this shop's Stint gave a role to.</summary>
    public Task<long> AccountsAsync() => Server.AskAsync<long>(
        $"select count(distinct member) from pg_auth_members where grantor = '{StintLogin}'::regrole and member <> grantor",
        Database);

    private string Hash(string person) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_tokens[person])));
}
