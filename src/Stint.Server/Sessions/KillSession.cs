using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Sessions;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Ends one session; the grant stays. The node that carries it hears of it from the log.</summary>
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

                work.Append(Facts.SessionKilled(id, seen.Grant, seen.Request, Actor.Person(who.Value), comment?.Trim() ?? "", clock.Now()));
                work.Wake(KilledWake(id));
                return new Outcome<Session>.Done(seen);
            },
            cancellation);
        if (outcome is Outcome<Session>.Done)
        {
            Cut(live, id, who, comment);
        }

        return outcome;
    }

    /// <summary>The wake that a kill sends: it is an order by itself, and the one wake that is not only a hint.</summary>
    internal const string KilledPrefix = "killed:";

    internal static void Cut(LiveSessions live, SessionId id, SubjectId? by, string? comment)
    {
        var who = by is { } person ? $" by {person}" : "";
        var why = string.IsNullOrWhiteSpace(comment) ? "" : $": {comment.Trim()}";
        live.Give(id, new SessionOrder.Cut(SessionEndReason.Killed, $"This session was ended{who}{why}.", null));
    }

    private static string KilledWake(SessionId id) => KilledPrefix + id.Value;
}
