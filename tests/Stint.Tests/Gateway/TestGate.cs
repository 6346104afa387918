using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A control plane of one login, that remembers what it was told.</summary>
internal sealed class TestGate(TimeProvider time) : ISessionGate
{
    public const string Login = "ann-7xk2m9qa";
    public const string Secret = "canary-gateway-secret-4b1c";

    private int _sessions;

    public required Upstream Upstream { get; set; }

    public TimeSpan For { get; set; } = TimeSpan.FromHours(1);

    public TimeSpan? Idle { get; set; }

    public RecordMode Record { get; set; } = RecordMode.Default;

    public ExactStatements? Statements { get; set; }

    public ConcurrentDictionary<int, int> Counted { get; } = new();

    public Exception? CountFails { get; set; }

    public TaskCompletionSource? Counting { get; set; }

    public TaskCompletionSource BegunCounting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<(StatementRefusal Why, long Count)> Held { get; } = new();

    public GateAnswer.Refused? Refusal { get; set; }

    public Func<SessionId, string?, Task>? OnCut { get; set; }

    public Exception? AnchorFails { get; set; }

    public ConcurrentQueue<Knock> Knocks { get; } = new();

    public ConcurrentQueue<AuthorizedSession> Sessions { get; } = new();

    public ConcurrentQueue<(SessionId Session, RecordingHead Head)> Anchors { get; } = new();

    public ConcurrentQueue<(SessionId Session, string? Backend)> Cuts { get; } = new();

    public ConcurrentDictionary<SessionId, SessionEnd> Ends { get; } = new();

    public ValueTask<LoginVerifier?> FindLoginAsync(string login, CancellationToken cancellation) =>
        ValueTask.FromResult(login == Login ? Verifier(Secret) : null);

    public ValueTask<GateAnswer> AdmitAsync(Knock knock, CancellationToken cancellation)
    {
        Knocks.Enqueue(knock);
        if (Refusal is not null)
        {
            return ValueTask.FromResult<GateAnswer>(Refusal);
        }

        var now = time.GetUtcNow();
        var grant = new Grant
        {
            Id = new GrantId("gr-000000000001"),
            Request = new RequestId("req-000000000001"),
            Subject = new SubjectId("ann"),
            Role = new RoleRef("orders-db", "read-only"),
            State = GrantState.Open,
            Version = 1,
            ReadyAt = now,
            For = For,
            LapsesAt = now.AddHours(1),
            NotBefore = now.AddSeconds(-1),
            NotAfter = now + For,
            Record = Record,
            Statements = Statements,
        };
        var id = new SessionId($"ses-{Interlocked.Increment(ref _sessions):000000000000}");
        var session = Admission.Decide(id, [grant], now, Upstream, new SessionLimits(Idle, 100))!;
        Sessions.Enqueue(session);
        return ValueTask.FromResult<GateAnswer>(new GateAnswer.Admitted(session));
    }

    public ValueTask AnchorAsync(SessionId session, RecordingHead head, CancellationToken cancellation)
    {
        if (AnchorFails is not null)
        {
            throw AnchorFails;
        }

        Anchors.Enqueue((session, head));
        return ValueTask.CompletedTask;
    }

    public async ValueTask<bool> CountAsync(SessionId session, int statement, CancellationToken cancellation)
    {
        BegunCounting.TrySetResult();
        if (Counting is not null)
        {
            await Counting.Task;
        }

        return CountFails is null ? Counted.AddOrUpdate(statement, 1, (_, count) => count + 1) <= Statements!.List[statement].Times : throw CountFails;
    }

    public ValueTask HeldToAsync(SessionId session, StatementRefusal why, long count, CancellationToken cancellation)
    {
        Held.Enqueue((why, count));
        return ValueTask.CompletedTask;
    }

    public async ValueTask CutAtTargetAsync(SessionId session, string? backend, CancellationToken cancellation)
    {
        Cuts.Enqueue((session, backend));
        if (OnCut is not null)
        {
            await OnCut(session, backend);
        }
    }

    public ValueTask EndedAsync(SessionId session, SessionEnd end, CancellationToken cancellation)
    {
        Assert.True(Ends.TryAdd(session, end), "A session ended twice.");
        return ValueTask.CompletedTask;
    }

    public static LoginVerifier Verifier(string secret)
    {
        byte[] salt = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), salt, 4096, HashAlgorithmName.SHA256, 32);
        return new LoginVerifier(4096, salt, SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8)), HMACSHA256.HashData(salted, "Server Key"u8));
    }
}
