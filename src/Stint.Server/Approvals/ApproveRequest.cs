using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>An approver's yes.</summary>
/// <param name="For">A shorter duration than asked for; null to take it as it is.</param>
/// <param name="Comment">May be null or empty.</param>
/// <param name="SawDigest">The digest of what they were shown.</param>
/// <param name="Via">Where they answered: <c>api</c>, <c>cli</c>, <c>web</c>.</param>
/// <param name="InPlaceOf">Who is away and in whose place they answer; null for their own, or the first that they can.</param>
/// <param name="Proof">How they proved themselves anew; null for a token of the catalog, which proves nothing anew.</param>
internal sealed record Yes(TimeSpan? For, string? Comment, string SawDigest, string Via, SubjectId? InPlaceOf = null, ApprovalProof? Proof = null)
{
    /// <summary>Notes the use of the passkey that signed it, in the same write; false when it counts no longer. Null where none signed.</summary>
    public Func<Work, ValueTask<bool>>? NoteUse { get; init; }
}

/// <summary>One person says yes; the last yes that was missing makes the grant. A yes to a part of a bundle is one to all of it that waits.</summary>
/// <remarks>
/// NB. The digest is that of the asking, and shortening does not change it: who said yes to an hour said yes to half of
/// it, so earlier yeses keep counting, and nobody can void another's yes by shortening.
/// </remarks>
internal sealed class ApproveRequest(StintStore store, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    public async Task<Outcome<RequestView>> ApproveAsync(SubjectId who, RequestId id, Yes yes, CancellationToken cancellation)
    {
        var problems = Answers.Check(yes.Comment, yes.For);
        var outcome = await store.WriteAsync<Outcome<RequestView>>(
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
                var seat = Answers.SeatOf(stand, who, await work.DelegationsToAsync(who, now), yes: true, yes.InPlaceOf);
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

                if (seat is Seat.Answered answered)
                {
                    return new Outcome<RequestView>.LostRace(answered.Why, await views.OfAsync(work, seen, who));
                }

                if (yes.SawDigest != seen.Digest)
                {
                    return new Outcome<RequestView>.LostRace("what you saw is not what is asked; look again", await views.OfAsync(work, seen, who));
                }

                if (seen.LapsesAt <= now)
                {
                    return new Outcome<RequestView>.LostRace("it lapsed: nobody decided in time", await views.OfAsync(work, seen, who));
                }

                var longest = together.Where(one => one.State == RequestState.Pending).Max(one => one.For);
                if (yes.For > longest)
                {
                    return new Outcome<RequestView>.Invalid([new Problem("for_seconds", $"an approver can shorten, not lengthen: it is asked for {Sentences.Span(longest)}")]);
                }

                var delegation = ((Seat.Theirs)seat).For;
                var demanded = StepUps.Of(stand.Steps, delegation?.Person ?? who);
                var proof = demanded == StepUp.None ? null : StepUps.Counting(yes.Proof, seen.Digest, now);
                if (!StepUps.IsMet(demanded, proof) || (proof is ApprovalProof.Passkey && (yes.NoteUse is null || !await yes.NoteUse(work))))
                {
                    return new Outcome<RequestView>.Refused($"the policy demands {StepUps.Say(demanded)}", $"{StepUpPage.Advice} {StepUpPage.Of(id)}{(demanded == StepUp.Fresh ? StepUpPage.OrCommandLine : "")}");
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
                        Yes = true,
                        At = now,
                        Comment = yes.Comment?.Trim() ?? "",
                        Shortened = yes.For,
                        SawDigest = yes.SawDigest,
                        Via = yes.Via,
                        Proof = proof,
                    },
                    now);
                return moved is null
                    ? new Outcome<RequestView>.LostRace("you have answered already, and a person counts once", await views.OfAsync(work, seen, who))
                    : new Outcome<RequestView>.Done(await views.OfAsync(work, moved, who));
            },
            cancellation);
        if (outcome is Outcome<RequestView>.Done { Value.Request: { State: RequestState.Approved } approved })
        {
            Measures.TimeToYes.Record((approved.DecidedAt!.Value - approved.AskedAt).TotalSeconds);
        }

        return outcome;
    }
}

/// <summary>The page on which a yes with a proof is given.</summary>
internal static class StepUpPage
{
    /// <summary>What leads there.</summary>
    public const string Advice = "Approve it in a browser, at this server's page";

    /// <summary>The other way where a fresh proof is enough.</summary>
    public const string OrCommandLine = ", or log in your command line anew (stint login) and approve it right after: how you proved yourself in the browser counts there for as long";

    public static string Of(RequestId id) => $"/approve/{id}";

    public static string Of(ChangeId id) => $"/catalog/changes/{id}";
}
