using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Sessions;

/// <summary>Bounds of sessions.</summary>
/// <param name="Connections">Most sessions at once under one assignment.</param>
/// <param name="Idle">Longest silence of a client; null for no bound.</param>
internal sealed record GateOptions(int Connections, TimeSpan? Idle);

/// <summary>The control plane's side of the gate. Whatever cannot be said for certain is a no.</summary>
internal sealed class SessionGate(
    StintStore store,
    LiveSessions live,
    Upstreams upstreams,
    Targets targets,
    IdSource ids,
    Installation installation,
    GateOptions options,
    TimeProvider clock,
    ILogger<SessionGate> log) : ISessionGate
{
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private volatile bool _draining;

    /// <summary>From now on nobody new is let in here. Those who are in go on until the gateway ends them.</summary>
    public void BeginDrain() => _draining = true;

    public async ValueTask<LoginVerifier?> FindLoginAsync(string login, CancellationToken cancellation)
    {
        var now = clock.Now();
        return await store.ReadAsync(
            async reads => await reads.FindLoginAsync(login) is { EndedAt: null } found && (await GrantsAsync(reads, found)).Exists(grant => grant.IsUsableAt(now))
                ? found.Verifier
                : null,
            cancellation);
    }

    public ValueTask<GateAnswer> AdmitAsync(Knock knock, CancellationToken cancellation) => AdmitAsync(knock, installation.Node, cancellation);

    /// <summary>Lets somebody in who knocks at a node; this one, or a gateway node that is linked to it.</summary>
    public async ValueTask<GateAnswer> AdmitAsync(Knock knock, string node, CancellationToken cancellation)
    {
        if (_draining)
        {
            return new GateAnswer.Refused(GateRefusal.Draining, "This gateway is shutting down.", "Connect again in a moment.");
        }

        try
        {
            return await TryAdmitAsync(knock, node, cancellation);
        }
        catch (Exception problem) when (problem is StoreUnavailableException or SecretUnavailableException or SealException or IOException)
        {
            Log.GateUnavailable(log, problem);
            return new GateAnswer.Refused(GateRefusal.Unavailable, "Stint cannot check this access right now, so it lets nobody in.", "Try again in a moment.");
        }
    }

    public async ValueTask AnchorAsync(SessionId session, RecordingHead head, CancellationToken cancellation) => await store.WriteAsync(
        async work =>
        {
            if (await work.FindSessionAsync(session) is not { State: SessionState.Live } seen || (seen.Recording is { } before && before.Records >= head.Records))
            {
                return;
            }

            if (await work.MoveAsync(seen, seen with { Recording = head }) is { } kept)
            {
                work.Append(Facts.SessionAnchored(session, kept.Grant, kept.Request, head, clock.Now()));
            }
        },
        cancellation);

    public async ValueTask<bool> CountAsync(SessionId session, int statement, CancellationToken cancellation) => await store.WriteAsync(
        async work =>
        {
            if (await work.FindSessionAsync(session) is not { State: SessionState.Live, KillBy: null } seen || await work.FindGrantAsync(seen.Grant) is not { Statements: { } statements } own
                || statements.List.ElementAtOrDefault(statement) is not { } one)
            {
                return false;
            }

            var now = clock.Now();
            var grants = Admission.Alike(await work.GrantsOfAsync(seen.Assignment), own.Statements).Where(grant => grant.IsUsableAt(now)).OrderBy(grant => grant.NotAfter).ToList();
            if (one.Times is not { } most)
            {
                return grants.Count > 0;
            }

            // NB. Whichever of two sessions counts first has the last time, wherever they run; more time by an extension is more times, too, for it was approved like the first.
            foreach (var grant in grants)
            {
                if (await work.CountStatementAsync(grant.Id, statement, most) is { } count)
                {
                    work.Append(Facts.StatementCounted(session, grant, statement, count, now));
                    return true;
                }
            }

            return false;
        },
        cancellation);

    public async ValueTask HeldToAsync(SessionId session, StatementRefusal why, long count, CancellationToken cancellation) => await store.WriteAsync(
        async work =>
        {
            if (await work.FindSessionAsync(session) is { State: SessionState.Live } seen)
            {
                work.Append(Facts.StatementRefused(seen, why, count, clock.Now()));
            }
        },
        cancellation);

    public ValueTask CutAtTargetAsync(SessionId session, string? backend, CancellationToken cancellation) =>
        live.AssignmentOf(session) is { } id ? CutAtTargetAsync(session, id, backend, cancellation) : ValueTask.CompletedTask;

    /// <summary>Ends a connection of an assignment's account at the target.</summary>
    public async ValueTask CutAtTargetAsync(SessionId session, AssignmentId id, string? backend, CancellationToken cancellation)
    {
        if (await store.ReadAsync(async reads => await reads.FindAssignmentAsync(id), cancellation) is not { State: not AssignmentState.Removed } assignment)
        {
            return;
        }

        var (reach, why) = await targets.OfAsync(assignment, cancellation);
        if (reach is null)
        {
            Log.CutFailed(log, session, why!);
            return;
        }

        var account = new Account(assignment.Id, assignment.Account, assignment.Subject, reach.Role, clock.Now(), null, options.Connections, assignment.Fence);
        switch (await reach.Connector.CutAsync(reach.Target, account, backend, cancellation))
        {
            case VerbOutcome.Unreachable away:
                Log.CutFailed(log, session, away.Why);
                break;
            case VerbOutcome.Refused refused:
                Log.CutFailed(log, session, refused.Why);
                break;
            default:
                break;
        }
    }

    /// <remarks>NB. Goes on until it is on record, whatever the store's trouble; only the end of the process stops it, and then the next start finds the session and says that its node was lost.</remarks>
    public async ValueTask EndedAsync(SessionId session, SessionEnd end, CancellationToken cancellation)
    {
        live.Remove(session);
        Measures.LiveSessions.Add(-1);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await EndAsync(store, session, end, clock.Now(), cancellation);
                Measures.Statements.Add(end.Recording?.Statements ?? 0);
                return;
            }
            catch (StoreUnavailableException problem)
            {
                Log.EndPostponed(log, problem, session);
                await Task.Delay(Backoff.After(attempt, LongestRetry, ids.NextFraction()), clock, cancellation);
            }
        }
    }

    /// <summary>Puts the end of a session on record; nothing happens when it is there already.</summary>
    internal static Task EndAsync(StintStore store, SessionId session, SessionEnd end, DateTimeOffset now, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            if (await work.FindSessionAsync(session) is not { State: SessionState.Live } seen)
            {
                return;
            }

            var next = seen with
            {
                State = SessionState.Ended,
                EndedAt = end.At,
                End = end.Reason,
                EndNote = end.Note,
                BytesFromClient = end.BytesFromClient,
                BytesToClient = end.BytesToClient,
                Recording = end.Recording ?? seen.Recording,
            };
            if (await work.MoveAsync(seen, next) is { } kept)
            {
                work.Append(Facts.SessionEnded(session, kept.Grant, kept.Request, end with { Recording = kept.Recording }, now));
            }
        },
        cancellation);

    private async Task<GateAnswer> TryAdmitAsync(Knock knock, string node, CancellationToken cancellation)
    {
        var found = await store.ReadAsync(
            async reads =>
            {
                var login = await reads.FindLoginAsync(knock.Login);
                var grants = login is null or { EndedAt: not null } ? [] : await GrantsAsync(reads, login);
                var assignment = grants.Select(grant => grant.Assignment).FirstOrDefault() is { } id ? await reads.FindAssignmentAsync(id) : null;
                var secret = assignment is null ? null : await reads.FindSealedSecretAsync(assignment.Id);
                return (login, grants, assignment, secret);
            },
            cancellation);
        if (found is not { login: { } login, assignment: { } assignment, secret: { } secret })
        {
            return NoGrant(null);
        }

        var (reach, why) = await targets.OfAsync(assignment, cancellation);
        if (reach is null)
        {
            return new GateAnswer.Refused(GateRefusal.Unavailable, $"Stint cannot reach {login.Role}: {why}.", null);
        }

        if (reach.Connector.Kind != knock.Kind)
        {
            return NoGrant(login.Role);
        }

        var upstream = upstreams.Of(reach, assignment, secret);
        if (knock.Database is { } wished && upstream.Database is { } own && wished != own)
        {
            return new GateAnswer.Refused(GateRefusal.WrongDatabase, $"Access to {login.Role} opens the database \"{own}\", not \"{wished}\".", $"Connect with dbname={own}.");
        }

        var id = ids.NextSession();
        try
        {
            var answer = await store.WriteAsync(work => AdmitAsync(work, knock, node, login, assignment.Id, id, upstream, found.grants[0].Statements), cancellation);
            if (answer is GateAnswer.Admitted)
            {
                Measures.LiveSessions.Add(1);
            }
            else
            {
                live.Remove(id);
            }

            return answer;
        }
        catch
        {
            live.Remove(id);
            throw;
        }
    }

    /// <summary>In one transaction: the grant is usable, there is room, and the session is on record.</summary>
    private async Task<GateAnswer> AdmitAsync(Work work, Knock knock, string node, Login login, AssignmentId assignment, SessionId id, Upstream upstream, ExactStatements? statements)
    {
        var now = clock.Now();

        // The write may run again from its start; what an earlier run left must not stand in the way.
        live.Remove(id);

        // NB. Found inside the write, the assignment stays as it is until the commit: two knocks at once cannot both take the last place.
        if (await work.FindAssignmentAsync(assignment) is not { State: not (AssignmentState.Removing or AssignmentState.Removed) })
        {
            return NoGrant(login.Role);
        }

        var grants = Admission.Alike(await work.GrantsOfAsync(assignment), statements);
        if (Admission.Decide(id, grants, now, upstream, new SessionLimits(options.Idle, options.Connections)) is not { } session)
        {
            return NoGrant(login.Role);
        }

        if (await work.CountLiveSessionsAsync(assignment) >= options.Connections)
        {
            return new GateAnswer.Refused(GateRefusal.TooManySessions, $"Access to {login.Role} has its {options.Connections} connections already.", "End one of them first: stint sessions");
        }

        await work.InsertAsync(new Session
        {
            Id = id,
            State = SessionState.Live,
            Version = 1,
            Grant = session.Grant,
            Request = session.Request,
            Assignment = assignment,
            Subject = session.Subject,
            Role = session.Role,
            Kind = knock.Kind,
            Database = upstream.Database,
            Application = knock.Application,
            From = knock.From,
            Tls = knock.Tls,
            Node = node,
            StartedAt = now,
        });
        var grant = grants.First(one => one.Id == session.Grant) with { Record = session.Record };
        work.Append(Facts.SessionStarted(id, grant, assignment, knock, upstream.Database, node, now));
        live.Add(assignment, session);
        return new GateAnswer.Admitted(session);
    }

    private static GateAnswer.Refused NoGrant(RoleRef? role) => new(
        GateRefusal.NoOpenGrant,
        role is { } named ? $"No access to {named} is open." : "No access is open for this login.",
        role is { } again ? Sentences.AskAgain(again) : "Ask for access: stint request RESOURCE/ROLE");

    /// <summary>The grants of a login's assignment that allow the same: its own, and those that joined it.</summary>
    private static async Task<List<Grant>> GrantsAsync(Reads reads, Login login) =>
        await reads.FindGrantAsync(login.Grant) is { Assignment: { } assignment } own ? Admission.Alike(await reads.GrantsOfAsync(assignment), own.Statements) : [];
}
