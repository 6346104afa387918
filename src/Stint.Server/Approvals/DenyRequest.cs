using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>One person says no, and why. That ends it: nobody outvotes a no.</summary>
internal sealed class DenyRequest(StintStore store, CurrentCatalog catalog, TimeProvider clock, RequestViews views)
{
    /// <param name="who">Who says no.</param>
    /// <param name="id">To which request.</param>
    /// <param name="comment">Why; must not be empty.</param>
    /// <param name="sawDigest">What they were shown; null when they were shown nothing in particular, which is enough for a no.</param>
    /// <param name="via">Where they answered.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<RequestView>> DenyAsync(SubjectId who, RequestId id, string? comment, string? sawDigest, string via, CancellationToken cancellation)
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
                if (await work.FindRequestAsync(id) is not { } seen || !catalog.Now.MaySee(who, seen))
                {
                    return new Outcome<RequestView>.NotFound();
                }

                var approvals = await work.ApprovalsAsync(id);
                if (Answers.NotAllowed(catalog.Now, who, seen, approvals) is { } no)
                {
                    return no;
                }

                if (seen.State != RequestState.Pending)
                {
                    return await views.LostAsync(work, seen);
                }

                if (problems.Count > 0)
                {
                    return new Outcome<RequestView>.Invalid(problems);
                }

                var approval = new Approval
                {
                    Request = id,
                    By = who,
                    Yes = false,
                    At = now,
                    Comment = comment!.Trim(),
                    SawDigest = sawDigest ?? seen.Digest,
                    Via = via,
                };
                if (Answers.AnsweredBy(who, approvals) || await work.InsertAsync(approval) is not { } kept)
                {
                    return new Outcome<RequestView>.LostRace("you have answered already, and a person counts once", await views.OfAsync(work, seen));
                }

                var next = seen with { State = RequestState.Denied, DecidedAt = now, Why = kept.Comment };
                if (await work.MoveAsync(seen, next) is not { } moved)
                {
                    throw new InvalidOperationException($"The request {id} moved inside its own lock.");
                }

                work.Append(Facts.ApprovalGiven(moved, kept));
                work.Append(Facts.RequestDenied(moved, now, Actor.Person(who.Value)));
                return new Outcome<RequestView>.Done(await views.OfAsync(work, moved));
            },
            cancellation);
    }
}
