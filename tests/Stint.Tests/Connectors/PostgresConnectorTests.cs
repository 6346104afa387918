using Npgsql;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

public sealed class Postgres14CreateRoleTests(PostgresServers servers) : PostgresConnectorTests(servers, 14, superuser: false);

public sealed class Postgres15SuperuserTests(PostgresServers servers) : PostgresConnectorTests(servers, 15, superuser: true);

public sealed class Postgres15CreateRoleTests(PostgresServers servers) : PostgresConnectorTests(servers, 15, superuser: false);

public sealed class Postgres16CreateRoleTests(PostgresServers servers) : PostgresConnectorTests(servers, 16, superuser: false);

public sealed class Postgres17CreateRoleTests(PostgresServers servers) : PostgresConnectorTests(servers, 17, superuser: false);

public sealed class Postgres18SuperuserTests(PostgresServers servers) : PostgresConnectorTests(servers, 18, superuser: true);

public sealed class Postgres18CreateRoleTests(PostgresServers servers) : PostgresConnectorTests(servers, 18, superuser: false);

/// <summary>The contract and what is PostgreSQL's own, at a real server, as a superuser or with CREATEROLE and no more.</summary>
public abstract partial class PostgresConnectorTests(PostgresServers servers, int version, bool superuser) : ConnectorContract, IAsyncLifetime
{
    private const string AdminSecret = "canary-of-the-admin-login";
    private const string Hostile = "we\"ird; DROP ROLE postgres --'ü";

    private readonly string _tag = $"{(superuser ? "su" : "cr")}_{Interlocked.Increment(ref _tests)}";
    private static int _tests;
    private PostgresServer _server = null!;

    protected override IConnector Connector { get; } = ConnectorList.All.Find("postgres")!;

    private string Admin => $"admin_{_tag}";

    private string Shop => superuser ? "shop_su" : "shop_cr";

    private string Other => superuser ? "other_su" : "other_cr";

    private string Owner => $"owner_{_tag}";

    private string Odd => $"{_tag} {Hostile}";

    public async ValueTask InitializeAsync()
    {
        _server = await servers.GetAsync(version);
        var giving = version >= 16 ? " WITH ADMIN OPTION" : "";
        List<string> statements = [
            $"CREATE ROLE {Admin} LOGIN PASSWORD '{AdminSecret}' {(superuser ? "SUPERUSER" : "CREATEROLE")}",
            $"CREATE ROLE {Owner}",
            $"CREATE ROLE {Quote(Odd)}",
        ];
        if (!superuser && version >= 16)
        {
            statements.AddRange([$"GRANT {Owner} TO {Admin} WITH ADMIN OPTION", $"GRANT {Quote(Odd)} TO {Admin}{giving}"]);
        }

        await _server.RunAsync("postgres", [.. statements]);
        foreach (var database in new[] { Shop, Other })
        {
            await _server.HaveDatabaseAsync(database);
            await _server.RunAsync(
                database,
                "SET client_min_messages = error",
                "DROP SCHEMA IF EXISTS app CASCADE",
                "DROP TABLE IF EXISTS public.secrets, public.parts CASCADE",
                $"CREATE SCHEMA app AUTHORIZATION {Owner}",
                $"CREATE TABLE app.orders (id int)",
                $"ALTER TABLE app.orders OWNER TO {Owner}",
                $"INSERT INTO app.orders SELECT generate_series(1, 100)",
                "CREATE TABLE public.secrets (id int)",
                $"CREATE TABLE public.parts (id int)",
                $"GRANT SELECT ON public.parts TO {Admin} WITH GRANT OPTION");
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _server.RunAsync("postgres", $"ALTER DATABASE {Other} ALLOW_CONNECTIONS true");
    }

    protected override Task<Target> TargetAsync() => Task.FromResult(TargetOf());

    protected override Task<bool> StandsAsync(string account) =>
        _server.AskAsync<bool>("postgres", $"SELECT EXISTS (SELECT FROM pg_authid WHERE rolname = '{account}')");

    protected override async Task<bool> LetsInAsync(Account account, string secret)
    {
        try
        {
            await using var connection = await _server.ConnectAsync(Shop, account.Name, secret);
            return true;
        }
        catch (PostgresException no) when (no.SqlState.StartsWith("28", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private Target TargetOf(Settings? settings = null, params (string Name, Settings Settings)[] roles)
    {
        (string, Settings)[] usual = [
            ("plain", Short.Settings()),
            ("reader", Short.Settings(("sql", new[] { "GRANT SELECT ON public.parts TO {role}" }))),
            ("owner", Short.Settings(("member_of", new[] { Owner }))),
            ("odd", Short.Settings(("member_of", new[] { Odd, Owner }))),
            ("heir", Short.Settings(("member_of", new[] { Owner }), ("reassign_to", Owner))),
            ("drop", Short.Settings(("member_of", new[] { Owner }), ("on_end", "drop"))),
            ("both", Short.Settings(("sql", new[] { "GRANT SELECT ON public.parts TO {role}" }), ("databases", new[] { Shop, Other }))),
        ];
        return new Target(
            Short.Resource("orders-db", settings ?? Base(), roles.Length > 0 ? roles : usual),
            "inst'all=ation 1",
            new NamedSecrets(new Dictionary<string, string> { ["ADMIN"] = AdminSecret, ["WRONG"] = "canary-of-a-wrong-password" }));
    }

    private Target OneRole(Settings settings) => TargetOf(settings, ("plain", Short.Settings()));

    private Settings Base(params (string Name, object Value)[] more)
    {
        var values = new Dictionary<string, object>
        {
            ["host"] = "127.0.0.1",
            ["port"] = (long)_server.Port,
            ["database"] = Shop,
            ["username"] = Admin,
            ["tls"] = "disable",
            ["password"] = new SecretRef(SecretSource.Env, "ADMIN"),
        };
        foreach (var (name, value) in more)
        {
            values[name] = value;
        }

        return Short.Settings([.. values.Select(one => (one.Key, one.Value))]);
    }

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private async Task<(Target Target, Account Account)> OpenAsync(string role)
    {
        var target = TargetOf();
        var account = NewAccount(target, role);
        IsDone(await Connector.OpenAsync(target, account, default));
        return (target, account);
    }

    private Task<NpgsqlConnection> LogInAsync(Account account, string? database = null) =>
        _server.ConnectAsync(database ?? Shop, account.Name, account.Secret);

    private async Task ClosesAsync(Target target, Account account)
    {
        IsDone(await Connector.CloseAsync(target, account with { Fence = account.Fence + 1 }, default));
        Assert.False(await StandsAsync(account.Name));
    }
}
