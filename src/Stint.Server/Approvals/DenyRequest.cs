using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>One person says no, and why. That ends it: nobody outvotes a no, and nobody has to wait for their turn to say it. A no to a part of a bundle ends all of it that waits.</summary>
internal sealed class DenyRequest(StintStore store, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    /// <param name="who">Who says no.</param>
    /// <param name="id">To which request.</param>
    /// <param name="comment">Why; must not be empty.</param>
    /// <param name="sawDigest">What they were shown; null when they were shown nothing in particular, which is enough for a no.</param>
    /// <param name="via">Where they answered.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="inPlaceOf">Who is away and in whose place they answer; null for their own, or the first that they can.</param>
    public async Task<Outcome<RequestView>> DenyAsync(
        SubjectId who, RequestId id, string? comment, string? sawDigest, string via, CancellationToken cancellation, SubjectId? inPlaceOf = null)
    {
        var problems = Answers.Check(comment, null);
        if (string.IsNullOrWhiteSpace(comment))
        {
            problems.Add(new Problem("comment", "a no needs its reason: the requester reads it"));
        }

        return await store.WriteAsync<Outcome<RequestView>>(
            async work =>
            {
                var now = clock.Now();
                var together = await work.TogetherAsync(id);
                if (together.Find(one => one.Id == id) is not { } seen || !await steps.MaySeeAsync(work, who, seen, now))
                {
                    return new Outcome<RequestView>.NotFound();
                }

                var stands = await steps.StandTogetherAsync(work, together, now);
                var stand = stands.Find(one => one.Request.Id == id)!;
                var seat = Answers.SeatOf(stand, who, await work.DelegationsToAsync(who, now), yes: false, inPlaceOf);
                if (seat is Seat.None no)
                {
                    return new Outcome<RequestView>.NotYours(no.Why, no.WhoCould);
                }

                if (seen.State != RequestState.Pending)
                {
                    return await views.LostAsync(work, seen, who);
                }

                if (problems.Count > 0)
                {
                    return new Outcome<RequestView>.Invalid(problems);
                }

                if (seat is not Seat.Theirs { For: var delegation })
                {
                    return new Outcome<RequestView>.LostRace(((Seat.Answered)seat).Why, await views.OfAsync(work, seen, who));
                }

                var moved = await steps.GiveAsync(
                    work,
                    stands,
                    id,
                    new Approval
                    {
                        Request = id,
                        By = who,
                        For = delegation?.Person,
                        Delegation = delegation?.Id,
                        Yes = false,
                        At = now,
                        Comment = comment!.Trim(),
                        SawDigest = sawDigest ?? seen.Digest,
                        Via = via,
                    },
                    now);
                return moved is null
                    ? new Outcome<RequestView>.LostRace("you have answered already, and a person counts once", await views.OfAsync(work, seen, who))
                    : new Outcome<RequestView>.Done(await views.OfAsync(work, moved, who));
            },
            cancellation);
    }
}
