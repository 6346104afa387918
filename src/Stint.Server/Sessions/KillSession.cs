using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Sessions;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Ends one session; the grant stays. The node that carries it reads the mark on its row.</summary>
internal sealed class KillSession(StintStore store, CurrentCatalog catalog, LiveSessions live, TimeProvider clock)
{
    public async Task<Outcome<Session>> KillAsync(SubjectId who, SessionId id, string? comment, CancellationToken cancellation)
    {
        var outcome = await store.WriteAsync<Outcome<Session>>(
            async work =>
            {
                if (await work.FindSessionAsync(id) is not { } seen || !catalog.Now.MaySee(who, seen.Subject, seen.Role.Resource))
                {
                    return new Outcome<Session>.NotFound();
                }

                if (seen.Subject != who && !catalog.Now.MayTakeAway(who, seen.Role.Resource))
                {
                    return new Outcome<Session>.NotYours("only its holder, owners of the resource and admins end a session", catalog.Now.WhoMayTakeAway(seen.Role.Resource));
                }

                if (seen.Subject != who && string.IsNullOrWhiteSpace(comment))
                {
                    return new Outcome<Session>.Invalid([new Problem("comment", "say why: the holder reads it")]);
                }

                if (comment?.Length > Approvals.Answers.MaxComment)
                {
                    return new Outcome<Session>.Invalid([new Problem("comment", $"a comment has at most {Approvals.Answers.MaxComment} characters")]);
                }

                if (seen.State == SessionState.Ended)
                {
                    return new Outcome<Session>.LostRace("it has ended already", seen);
                }

                work.Wake(KilledWake(id));
                if (seen.KillBy is not null)
                {
                    // It was wanted before, and its node is only told again.
                    return new Outcome<Session>.Done(seen);
                }

                var marked = await work.MoveAsync(seen, seen with { KillBy = who, KillNote = comment?.Trim() ?? "" })
                    ?? throw new InvalidOperationException($"The session {id} moved inside its own lock.");
                work.Append(Facts.SessionKilled(id, seen.Grant, seen.Request, Actor.Person(who.Value), marked.KillNote!, clock.Now()));
                return new Outcome<Session>.Done(marked);
            },
            cancellation);
        if (outcome is Outcome<Session>.Done { Value: var killed })
        {
            Cut(live, killed);
        }

        return outcome;
    }

    /// <summary>The wake that a kill sends to the node that carries the session. A hint like every wake: the mark on the session's row is the order.</summary>
    internal const string KilledPrefix = "killed:";

    /// <summary>Cuts a session that bears the mark, when it is here.</summary>
    internal static void Cut(LiveSessions live, Session killed) => live.Give(killed.Id, OrderFor(killed));

    /// <summary>What a session that bears the mark is told.</summary>
    internal static SessionOrder.Cut OrderFor(Session killed)
    {
        var why = string.IsNullOrWhiteSpace(killed.KillNote) ? "" : $": {killed.KillNote}";
        return new SessionOrder.Cut(SessionEndReason.Killed, $"This session was ended by {killed.KillBy}{why}.", null);
    }

    private static string KilledWake(SessionId id) => KilledPrefix + id.Value;
}
