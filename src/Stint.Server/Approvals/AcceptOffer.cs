using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>The requester takes a counter-offer: the policies are asked for it as for any asking, and the offer counts as its approver's yes.</summary>
/// <remarks>The old request is taken back in the same transaction, so that never both can be approved.</remarks>
internal sealed class AcceptOffer(StintStore store, TimeProvider clock, AskForRole ask, RequestViews views, ApprovalSteps steps)
{
    /// <param name="who">Who asked.</param>
    /// <param name="id">The request that the offer was made to.</param>
    /// <param name="which">Which offer; null for the only one.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <returns>The new request.</returns>
    public async Task<Outcome<RequestView>> AcceptAsync(SubjectId who, RequestId id, OfferId? which, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<RequestView>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindRequestAsync(id) is not { } seen || !await steps.MaySeeAsync(work, who, seen, now))
                {
                    return new Outcome<RequestView>.NotFound();
                }

                if (seen.Subject != who)
                {
                    return new Outcome<RequestView>.NotYours("only whoever asked can take an offer", [seen.Subject]);
                }

                if (seen.State != RequestState.Pending)
                {
                    return await views.LostAsync(work, seen, who);
                }

                if (seen.LapsesAt <= now)
                {
                    return new Outcome<RequestView>.LostRace("it lapsed: nobody decided in time", await views.OfAsync(work, seen, who));
                }

                var (offer, refused) = Choose(await work.OffersAsync(id), which);
                return offer is null ? refused! : await AcceptAsync(work, seen, offer, now);
            },
            cancellation);

    private static (CounterOffer? Offer, Outcome<RequestView>? Refused) Choose(List<CounterOffer> all, OfferId? which)
    {
        var open = all.FindAll(offer => offer.State == OfferState.Open && (which is null || offer.Id == which));
        return open switch
        {
            [var one] => (one, null),
            [] when which is not null => (null, new Outcome<RequestView>.Invalid([new Problem("offer", "there is no such offer, or it stands no longer")])),
            [] => (null, new Outcome<RequestView>.Refused("there is no counter-offer to take", "wait for an answer, or take the request back with stint cancel")),
            _ => (null, new Outcome<RequestView>.Invalid([new Problem("offer", $"there are several; say which: {string.Join(", ", open.Select(offer => $"{offer.Id} of {offer.By}"))}")])),
        };
    }

    private async Task<Outcome<RequestView>> AcceptAsync(Work work, Request seen, CounterOffer offer, DateTimeOffset now)
    {
        var start = seen.Recurrence is null ? offer.StartAt ?? seen.StartAt : SeriesSteps.Next(seen, now);
        if (start <= now || (start is null && seen.Recurrence is not null))
        {
            return new Outcome<RequestView>.Refused("its start has passed meanwhile", Sentences.AskAgain(offer.Role));
        }

        // NB. Asked first without keeping anything: a no must leave the old request as it is.
        var stand = await steps.StandAsync(work, seen);
        var held = await work.HeldAsync(stand.Catalog, seen.Subject, offer.Role, now);
        if (Decider.Decide(stand.Catalog, new Question(seen.Subject, offer.Role, offer.For, seen.Reason, seen.Ticket, start, now) { Held = held, Task = seen.Task, Claims = seen.Claims, Statements = seen.Statements }) is Verdict.Deny deny)
        {
            return new Outcome<RequestView>.Refused(deny.Known ? $"the policies no longer allow it: {deny.Because}" : $"nobody may ask for {offer.Role} any longer", "wait for an answer to what you asked, or take it back");
        }

        var opening = start is not null ? Opening.Scheduled : seen.Opening;
        var extends = offer.Role == seen.Role ? seen.Extends : null;
        var asked = await ask.AskAsync(work, seen.Subject, new AskingCheck.Sound(offer.Role, offer.For, seen.Reason, seen.Ticket, start, opening, extends) { Recurrence = seen.Recurrence, Task = seen.Task, Claims = seen.Claims, Statements = seen.Statements });
        if (asked is not Outcome<RequestView>.Done { Value.Request: { State: not RequestState.Denied } made })
        {
            return asked;
        }

        var by = Actor.Of(seen.Subject);
        var cancelled = await work.MoveAsync(seen, seen with { State = RequestState.Cancelled, DecidedAt = now, Why = $"a counter-offer was taken in its place: {made.Id}" })
            ?? throw new InvalidOperationException($"The request {seen.Id} moved inside its own lock.");
        var taken = await work.AcceptAsync(offer, made.Id) ?? throw new InvalidOperationException($"The offer {offer.Id} moved inside its request's lock.");
        work.Append(Facts.RequestCancelled(cancelled, now, by));
        work.Append(Facts.OfferAccepted(taken, made.Id, now, by));
        return new Outcome<RequestView>.Done(await views.OfAsync(work, await CountOfferAsync(work, made, taken, now) ?? made, seen.Subject));
    }

    /// <summary>The offer is its approver's yes, where the new request asks for theirs. Whoever left meanwhile, or is no longer asked, says nothing with it.</summary>
    private async Task<Request?> CountOfferAsync(Work work, Request made, CounterOffer offer, DateTimeOffset now)
    {
        if (made.State != RequestState.Pending)
        {
            return null;
        }

        var stand = await ApprovalSteps.JoinOnCallAsync(work, await steps.StandAsync(work, made), now);
        var delegations = await work.DelegationsToAsync(offer.By, now);
        if (Answers.SeatOf(stand, offer.By, delegations, yes: true, offer.Seat ?? offer.By) is not Seat.Theirs { For: var delegation }
            || StepUps.Of(stand.Steps, delegation?.Person ?? offer.By) != StepUp.None)
        {
            // NB. A yes that would count nowhere must not take the place of one that does.
            return null;
        }

        return await steps.GiveAsync(
            work,
            stand,
            new Approval
            {
                Request = made.Id,
                By = offer.By,
                For = delegation?.Person,
                Delegation = delegation?.Id,
                Offer = offer.Id,
                Yes = true,
                At = now,
                Comment = offer.Comment,
                SawDigest = made.Digest,
                Via = offer.Via,
            },
            now);
    }
}
