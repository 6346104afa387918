using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>An approver's yes.</summary>
/// <param name="For">A shorter duration than asked for; null to take it as it is.</param>
/// <param name="Comment">May be null or empty.</param>
/// <param name="SawDigest">The digest of what they were shown.</param>
/// <param name="Via">Where they answered: <c>api</c>, <c>cli</c>, <c>web</c>.</param>
internal sealed record Yes(TimeSpan? For, string? Comment, string SawDigest, string Via);

/// <summary>One person says yes; the last yes that was missing makes the grant.</summary>
/// <remarks>
/// NB. The digest is that of the asking, and shortening does not change it: who said yes to an hour said yes to half of
/// it, so earlier yeses keep counting, and nobody can void another's yes by shortening.
/// </remarks>
internal sealed class ApproveRequest(StintStore store, CurrentCatalog catalog, TimeProvider clock, RequestViews views, GrantSteps steps)
{
    public async Task<Outcome<RequestView>> ApproveAsync(SubjectId who, RequestId id, Yes yes, CancellationToken cancellation)
    {
        var problems = Answers.Check(yes.Comment, yes.For);
        var outcome = await store.WriteAsync<Outcome<RequestView>>(
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

                if (Answers.AnsweredBy(who, approvals))
                {
                    return new Outcome<RequestView>.LostRace("you have answered already, and a person counts once", await views.OfAsync(work, seen));
                }

                if (yes.SawDigest != seen.Digest)
                {
                    return new Outcome<RequestView>.LostRace("what you saw is not what is asked; look again", await views.OfAsync(work, seen));
                }

                if (seen.LapsesAt <= now)
                {
                    return new Outcome<RequestView>.LostRace("it lapsed: nobody decided in time", await views.OfAsync(work, seen));
                }

                if (yes.For > seen.For)
                {
                    return new Outcome<RequestView>.Invalid([new Problem("for_seconds", $"an approver can shorten, not lengthen: it is asked for {Sentences.Span(seen.For)}")]);
                }

                var shortened = yes.For < seen.For ? yes.For : null;
                var approval = new Approval
                {
                    Request = id,
                    By = who,
                    Yes = true,
                    At = now,
                    Comment = yes.Comment?.Trim() ?? "",
                    Shortened = shortened,
                    SawDigest = yes.SawDigest,
                    Via = yes.Via,
                };
                if (await work.InsertAsync(approval) is not { } kept)
                {
                    return new Outcome<RequestView>.LostRace("you have answered already, and a person counts once", await views.OfAsync(work, seen));
                }

                var needs = (Verdict.NeedsApproval)seen.Verdict;
                var complete = Quorum.Count(needs.Steps, needs.Distinct, seen.Subject, seen.Digest, [.. approvals, kept]) is Tally.Complete;
                var next = seen with
                {
                    For = shortened ?? seen.For,
                    State = complete ? RequestState.Approved : RequestState.Pending,
                    DecidedAt = complete ? now : null,
                };

                // NB. Every answer moves the request's version, complete or not: two last approvers at once can then
                // not both read "one is missing" and both leave it so.
                if (await work.MoveAsync(seen, next) is not { } moved)
                {
                    throw new InvalidOperationException($"The request {id} moved inside its own lock.");
                }

                work.Append(Facts.ApprovalGiven(moved, kept));
                if (complete)
                {
                    work.Append(Facts.RequestApproved(moved, now, Actor.Person(who.Value)));
                    await steps.MakeReadyAsync(work, moved, now, Actor.Person(who.Value));
                }

                return new Outcome<RequestView>.Done(await views.OfAsync(work, moved));
            },
            cancellation);
        if (outcome is Outcome<RequestView>.Done { Value.Request: { State: RequestState.Approved } approved })
        {
            Measures.TimeToYes.Record((approved.DecidedAt!.Value - approved.AskedAt).TotalSeconds);
        }

        return outcome;
    }
}
