using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Tells this node's sessions what their grants have become: a new deadline, or the end and why.</summary>
internal sealed class SessionOrders(StintStore store, LiveSessions live, TimeProvider clock)
{
    /// <summary>How long other nodes get to hear of an end before the target shuts the door.</summary>
    private static readonly TimeSpan ForOthers = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads an assignment's grants and tells its sessions here. Costs nothing when there are none.</summary>
    public async Task ReconcileAsync(AssignmentId assignment, CancellationToken cancellation)
    {
        if (!live.Has(assignment))
        {
            return;
        }

        var (grants, last) = await store.ReadAsync(
            async reads =>
            {
                var grants = await reads.GrantsOfAsync(assignment);
                var closed = grants.Exists(grant => grant.End is not null)
                    ? null
                    : (await reads.GrantsAsync(new GrantFilter { Assignment = assignment, State = GrantState.Closed }, new Page(1))).Items;
                return (grants, closed is [var one, ..] ? one : null);
            },
            cancellation);
        Tell(assignment, last is null ? grants : [.. grants, last]);
    }

    /// <summary>Tells an assignment's sessions here what these grants mean for them.</summary>
    public void Tell(AssignmentId assignment, IReadOnlyList<Grant> grants) => live.Give(assignment, session => OrderFor(Admission.Alike(grants, session.Statements), clock.Now()));

    /// <summary>What grants that allow the same mean for the sessions under them: the last deadline of those that are open, or the end and why.</summary>
    public static SessionOrder OrderFor(IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        var usable = grants.Where(grant => grant.IsUsableAt(now)).ToList();
        if (usable.Count > 0)
        {
            return new SessionOrder.Extend(usable.Max(grant => grant.NotAfter)!.Value);
        }

        var ended = grants.Where(grant => grant.End is not null).OrderByDescending(grant => grant.EndedAt).FirstOrDefault()
            ?? grants.Where(grant => grant.NotAfter is not null).OrderByDescending(grant => grant.NotAfter).FirstOrDefault();
        return ended is null
            ? new SessionOrder.Cut(SessionEndReason.Revoked, "Access ended: no grant is open.", null)
            : new SessionOrder.Cut(ReasonOf(ended.End), Sentences.Ended(ended), Sentences.AskAgain(ended.Role));
    }

    /// <summary>Cuts an assignment's sessions and waits until they are gone from here, and for a moment when others carry some.</summary>
    public async Task CutAndWaitAsync(AssignmentId assignment, IReadOnlyList<Grant> grants, TimeSpan bound, CancellationToken cancellation)
    {
        Tell(assignment, grants);
        var gone = live.WhenNone(assignment);
        if (!gone.IsCompleted)
        {
            await Task.WhenAny(gone, Task.Delay(bound, clock, cancellation));
        }

        if (await store.ReadAsync(async reads => await reads.CountLiveSessionsAsync(assignment), cancellation) > 0)
        {
            await Task.Delay(ForOthers, clock, cancellation);
        }
    }

    private static SessionEndReason ReasonOf(EndReason? end) => end switch
    {
        null or EndReason.Expired => SessionEndReason.Expired,
        EndReason.Returned => SessionEndReason.Returned,
        EndReason.Revoked or EndReason.Offboarded or EndReason.Lapsed or EndReason.Failed or EndReason.TargetGone => SessionEndReason.Revoked,
        _ => throw new InvalidOperationException($"{end} is not a reason."),
    };
}
