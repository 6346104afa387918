using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stint.Connectors;
using Stint.Connectors.Stint;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Nodes;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests;

/// <summary>The server's use cases on a real SQLite store, with a fake target and a clock in hand.</summary>
internal sealed class World : IAsyncDisposable
{
    public const string Catalog = """
        people:
          ann: {}
          bob: {}
          carol: {}
          dave: {}
          eve: {}
          root: {}
        groups:
          developers: [ann, eve]
          leads: [bob, carol]
        admins: [root]
        auditors: [dave]
        resources:
          orders-db:
            kind: postgres
            owners: [group:leads]
            settings: { host: db.internal, database: orders, username: stint, password: { env: ORDERS_DB_PASSWORD } }
            roles:
              read-only: { member_of: [pg_read_all_data] }
              owner: { member_of: [orders_owner], risk: high }
              two: { member_of: [orders_two], risk: high }
        policies:
          read:
            who: group:developers
            roles: [orders-db/read-only]
            for: { default: 30m, max: 4h }
            approve: { auto: true }
          own:
            who: group:developers
            roles: [orders-db/owner]
            for: { default: 30m, max: 1h }
            approve: { steps: [ { from: owners } ] }
          both:
            who: group:developers
            roles: [orders-db/two]
            for: { default: 30m, max: 1h }
            approve: { steps: [ { from: group:leads, need: 2 } ] }
        """;

    public static readonly SubjectId Ann = new("ann");
    public static readonly SubjectId Bob = new("bob");
    public static readonly SubjectId Carol = new("carol");
    public static readonly SubjectId Dave = new("dave");
    public static readonly SubjectId Eve = new("eve");
    public static readonly SubjectId Root = new("root");

    private readonly ServiceProvider _provider;
    private readonly string _catalog;
    private readonly string _folder;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private World(string folder, StintStore store, ManualTime time, string catalog, FakeTarget target, MasterKey master, string node, KeeperOptions? keeper)
    {
        _folder = folder;
        _catalog = catalog;
        (Store, Time, Target, Master) = (store, time, target, master);
        var connectors = new ConnectorList([target, ConnectorList.All.Find("stint")!, ConnectorList.All.Find("ssh")!]);
        _provider = new ServiceCollection()
            .AddSingleton(store)
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(connectors)
            .AddSingleton(new CurrentCatalog(Load(catalog), time))
            .AddSingleton(new CatalogTruth(null))
            .AddSingleton(new Installation("test", node, "control,gateway", "0", folder, Path.Combine(folder, "recordings")))
            .AddSingleton<ISecrets>(new KnownSecrets(Secrets))
            .AddSingleton(new Sealer(master))
            .AddSingleton(new IdSource(RandomNumberGenerator.Fill))
            .AddSingleton(keeper ?? new KeeperOptions())
            .AddSingleton(new GateOptions(3, TimeSpan.FromHours(8)))
            .AddSingleton(new CliLimits(TimeSpan.FromDays(7), TimeSpan.FromDays(30)))
            .AddSingleton(new NodeTokens(new Dictionary<string, byte[]>(), 60, time))
            .AddSingleton(CheckpointSigner.Of("stint.test/log", _key))
            .AddSingleton(typeof(ILogger<>), typeof(Microsoft.Extensions.Logging.Abstractions.NullLogger<>))
            .AddSingleton(new WebSessionLimits(TimeSpan.FromHours(12), TimeSpan.FromDays(7)))
            .AddSingleton(new SignInWays([]))
            .AddSingleton(new RelyingParty(null))
            .AddUseCases()
            .AddSingleton(new Passwords(1_000))
            .BuildServiceProvider();
        _provider.GetRequiredService<FollowRights>();
    }

    public IServiceProvider Services => _provider;

    public StintStore Store { get; }

    public ManualTime Time { get; }

    public FakeTarget Target { get; }

    public MasterKey Master { get; }

    /// <summary>What the catalog's secrets are, by the names of their variables.</summary>
    public Dictionary<string, string> Secrets { get; } = new(StringComparer.Ordinal);

    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>A new world at 2026-11-22 09:00 UTC.</summary>
    public static async Task<World> NewAsync(string? catalog = null, StoreFaults? faults = null, KeeperOptions? keeper = null, StintStore? store = null)
    {
        var folder = Directory.CreateTempSubdirectory("stint-world-").FullName;
        if (store is null)
        {
            var path = Path.Combine(folder, "stint.db");
            await EmptyStore.CopySqliteAsync(path);
            store = new SqliteStore(new SqliteOptions(path) { Durable = false }, faults);
            await store.OpenAsync(CancellationToken.None);
        }

        var world = new World(folder, store, new ManualTime(new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero)), catalog ?? Catalog, new FakeTarget(), MasterKey.Random(), "one", keeper);
        await world.Get<ApplyCatalog>().ApplyAsync(world.Get<CurrentCatalog>().Now, Actor.Server, CancellationToken.None);
        world.Get<SessionWatch>().Listen();
        return world;
    }

    /// <summary>A second node on the same store, with its own use cases.</summary>
    /// <param name="keeper">Its bounds; null for the usual ones.</param>
    /// <param name="store">Its own connection to the store; null to share this one's.</param>
    /// <param name="catalog">Its catalog; null for the usual one.</param>
    public World Second(KeeperOptions? keeper = null, StintStore? store = null, string? catalog = null) => new(_folder, store ?? Store, Time, catalog ?? _catalog, Target, Master, "two", keeper);

    public static LoadedCatalog Load(string text)
    {
        var shapes = new Dictionary<string, KindShape> { ["postgres"] = Stint.Connectors.Postgres.PostgresSettings.Shape, ["stint"] = StintSettings.Shape, ["ssh"] = Stint.Connectors.Ssh.SshSettings.Shape };
        var load = CatalogLoader.Load(new CatalogSource([new CatalogFile("all.yaml", text)]), shapes);
        Assert.Empty(load.Errors.Select(error => error.ToString()));
        return load.Catalog!;
    }

    public T Get<T>()
        where T : notnull => _provider.GetRequiredService<T>();

    public async Task<Outcome<RequestView>> AskAsync(string role = "orders-db/read-only", SubjectId? who = null, int? seconds = null, bool wait = false, DateTimeOffset? at = null, GrantId? extends = null) =>
        await Get<AskForRole>().AskAsync(who ?? Ann, new Asking(role, seconds, "work", null, at, wait, extends?.Value), CancellationToken.None);

    public async Task<RequestView> AskedAsync(string role = "orders-db/read-only", SubjectId? who = null, int? seconds = null, bool wait = false, DateTimeOffset? at = null, GrantId? extends = null) =>
        Assert.IsType<Outcome<RequestView>.Done>(await AskAsync(role, who, seconds, wait, at, extends)).Value;

    public Task<Outcome<RequestView>> ApproveAsync(SubjectId who, Request request, TimeSpan? shorter = null, string? digest = null) =>
        Get<ApproveRequest>().ApproveAsync(who, request.Id, new Yes(shorter, null, digest ?? request.Digest, "test"), CancellationToken.None);

    public Task<Outcome<RequestView>> DenyAsync(SubjectId who, Request request, string? comment = "not now") =>
        Get<DenyRequest>().DenyAsync(who, request.Id, comment, null, "test", CancellationToken.None);

    public Task<DateTimeOffset?> TickAsync() => Get<Keeper>().TickAsync(CancellationToken.None);

    /// <summary>A grant that is open now.</summary>
    public async Task<Grant> OpenAsync(int seconds = 1800, SubjectId? who = null)
    {
        var asked = await AskedAsync(seconds: seconds, wait: true, who: who);
        await TickAsync();
        var grant = await GrantAsync(asked.Grant!.Grant.Id);
        Assert.Equal(GrantState.Open, grant.State);
        return grant;
    }

    public async Task<Grant> GrantAsync(GrantId id) => (await Store.ReadAsync(async reads => await reads.FindGrantAsync(id), CancellationToken.None))!;

    public async Task<Assignment> AssignmentAsync(AssignmentId id) => (await Store.ReadAsync(async reads => await reads.FindAssignmentAsync(id), CancellationToken.None))!;

    public async Task<List<string>> FactsAsync() =>
        [.. (await Store.ReadAsync(async reads => await reads.FactsAsync(0, 100_000), CancellationToken.None)).Select(fact => fact.Kind)];

    /// <summary>What somebody with the database in hand could do: edits past every guard.</summary>
    public void Edit(string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder, "stint.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_master WHERE type = 'trigger'";
        var guards = command.ExecuteScalar() as string;
        command.CommandText = $"PRAGMA ignore_check_constraints = ON; {guards}; {sql}";
        command.ExecuteNonQuery();
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await Store.DisposeAsync();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class KnownSecrets(Dictionary<string, string> known) : ISecrets
    {
        public string Reveal(SecretRef reference) => known.GetValueOrDefault(reference.Name, "not used by a fake target");
    }
}
