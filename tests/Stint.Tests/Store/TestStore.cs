using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;
using Xunit;
using Fact = Stint.Core.Audit.Fact;

namespace Stint.Tests.Store;

/// <summary>An empty store of either kind, and rows to put into it.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 22, 13, 0, 0, TimeSpan.Zero);
    public static readonly RoleRef Owner = new("orders-db", "owner");
    public static readonly Sealer Sealer = new(MasterKey.Random());

    private static int _count;
    private readonly string _folder = "";
    private int _ids;

    private TestStore(StintStore store, string folder) => (Store, _folder) = (store, folder);

    public static TheoryData<string> Kinds => ["sqlite", "postgres"];

    public StintStore Store { get; }

    /// <summary>Where another process, or another node, would look for it.</summary>
    public string Place { get; private init; } = "";

    public static async Task<TestStore> OpenAsync(string kind, StoreFaults? faults = null, long? maxPages = null)
    {
        var number = Interlocked.Increment(ref _count);
        if (kind == "sqlite")
        {
            var folder = Directory.CreateTempSubdirectory("stint-store-").FullName;
            var path = Path.Combine(folder, "stint.db");
            await EmptyStore.CopySqliteAsync(path);
            var sqlite = new SqliteStore(new SqliteOptions(path) { Durable = false, MaxPages = maxPages }, faults);
            await sqlite.OpenAsync(CancellationToken.None);
            return new TestStore(sqlite, folder) { Place = path };
        }

        var database = $"t{Environment.ProcessId}_{number}";
        await EmptyStore.CopyPostgresAsync(database);
        var store = await NodeAsync(database, faults);
        return new TestStore(store, "") { Place = database };
    }

    /// <summary>Rows for a store that somebody else opened, and closes.</summary>
    public static TestStore Over(StintStore store) => new(store, "");

    /// <summary>One more node on the same PostgreSQL store.</summary>
    public static async Task<PostgresStore> NodeAsync(string place, StoreFaults? faults = null)
    {
        var store = new PostgresStore(new PostgresOptions(await EmptyStore.UrlAsync(place)), faults);
        await store.OpenAsync(CancellationToken.None);
        return store;
    }

    public Task<T> WriteAsync<T>(Func<Work, Task<T>> act) => Store.WriteAsync(act, CancellationToken.None);

    public Task WriteAsync(Func<Work, Task> act) => Store.WriteAsync(act, CancellationToken.None);

    public Task<T> ReadAsync<T>(Func<Reads, Task<T>> act) => Store.ReadAsync(act, CancellationToken.None);

    /// <summary>Runs a statement that no code of the store would.</summary>
    public Task<int> AttackAsync(string sql) => WriteAsync(async work => await work.Db.RunAsync(sql));

    public string NextId(string prefix) => $"{prefix}-{Interlocked.Increment(ref _ids):x12}";

    public Request Asking(string subject = "ann", RequestState state = RequestState.Pending, params string[] approvers) => new()
    {
        Id = new RequestId(NextId("req")),
        Subject = new SubjectId(subject),
        Role = Owner,
        State = state,
        Version = 1,
        AskedAt = Now,
        For = TimeSpan.FromMinutes(30),
        Opening = Opening.ByHolder,
        Reason = "the nightly job hangs",
        CatalogVersion = "c1",
        Verdict = approvers.Length == 0
            ? new Verdict.Allow(Terms) { Trace = [new RuleTrace("readers", RuleOutcome.Decided, "ann is a developer")] }
            : new Verdict.NeedsApproval(Terms, [new PinnedStep("owners", "owners", [.. approvers.Select(name => new SubjectId(name))], 1)])
            {
                Trace = [new RuleTrace("owners", RuleOutcome.Decided, "it needs a yes", null)],
                Distinct = true,
            },
        LapsesAt = Now.AddHours(24),
        BeginWithin = TimeSpan.FromHours(8),
        DecidedAt = state == RequestState.Pending ? null : Now,
        Digest = "d1",
    };

    public Grant Right(Request request) => new()
    {
        Id = new GrantId(NextId("gr")),
        Request = request.Id,
        Subject = request.Subject,
        Role = request.Role,
        State = GrantState.Ready,
        Version = 1,
        ReadyAt = Now,
        For = request.For,
        LapsesAt = Now.AddHours(8),
        Record = RecordMode.Strict,
    };

    public Assignment Account(Grant grant) => new()
    {
        Id = new AssignmentId(NextId("as")),
        Subject = grant.Subject,
        Role = grant.Role,
        State = AssignmentState.Adding,
        Version = 1,
        CatalogVersion = "c1",
        Account = "stint_" + NextId("x").Replace('-', '_'),
        DueAt = Now,
    };

    public Session Connection(Grant grant) => new()
    {
        Id = new SessionId(NextId("ses")),
        State = SessionState.Live,
        Version = 1,
        Grant = grant.Id,
        Request = grant.Request,
        Assignment = grant.Assignment!.Value,
        Subject = grant.Subject,
        Role = grant.Role,
        Kind = "postgres",
        From = "192.0.2.7",
        Tls = true,
        Node = "node-1",
        StartedAt = Now,
    };

    public static Fact Said(Request request, string kind = FactKinds.RequestAsked) =>
        new(kind, Now, Actor.Person(request.Subject.Value)) { ["request"] = request.Id.Value, ["subject"] = request.Subject.Value };

    /// <summary>A grant that waits to be begun, its request approved by rule.</summary>
    public Task<Grant> ReadyAsync(string subject = "ann") => WriteAsync(async work =>
    {
        var request = await work.InsertAsync(Asking(subject, RequestState.Approved));
        return await work.InsertAsync(Right(request));
    });

    /// <summary>A grant that is open for half an hour, and its assignment.</summary>
    public async Task<Grant> OpenedAsync(string subject = "ann", DateTimeOffset? until = null)
    {
        var ready = await ReadyAsync(subject);
        return await WriteAsync(async work =>
        {
            var account = await work.FindLiveAssignmentAsync(ready.Subject, ready.Role)
                ?? await work.InsertAsync(Account(ready), Sealer.Seal("pw", "test"));
            var opening = await work.MoveAsync(ready, ready with
            {
                State = GrantState.Opening,
                Assignment = account!.Id,
                BegunAt = Now,
                NotBefore = Now,
                NotAfter = until ?? Now.AddMinutes(30),
            });
            return (await work.MoveAsync(opening!, opening! with { State = GrantState.Open }))!;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        if (_folder.Length > 0)
        {
            Directory.Delete(_folder, recursive: true);
            return;
        }

        await EmptyStore.DropPostgresAsync(Place);
    }

    private static Terms Terms => new(TimeSpan.FromMinutes(30), TimeSpan.FromHours(4), RecordMode.Strict, TimeSpan.FromHours(24), TimeSpan.FromHours(8));
}
