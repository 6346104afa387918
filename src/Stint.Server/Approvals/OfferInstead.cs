using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>What an approver would say yes to.</summary>
/// <param name="For">Shorter; null to leave the length.</param>
/// <param name="StartAt">Later; null to leave the start.</param>
/// <param name="Role">Another role of the same resource; null to leave the role.</param>
/// <param name="Comment">May be null or empty.</param>
/// <param name="SawDigest">The digest of what they were shown.</param>
/// <param name="Via">Where they offered.</param>
internal sealed record Instead(TimeSpan? For, DateTimeOffset? StartAt, string? Role, string? Comment, string SawDigest, string Via);

/// <summary>An approver offers less than was asked; the requester takes it, or waits for others, or takes the request back.</summary>
internal sealed class OfferInstead(StintStore store, IdSource ids, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    public async Task<Outcome<RequestView>> OfferAsync(SubjectId who, RequestId id, Instead instead, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<RequestView>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindRequestAsync(id) is not { } seen || !await steps.MaySeeAsync(work, who, seen, now))
                {
                    return new Outcome<RequestView>.NotFound();
                }

                var stand = await ApprovalSteps.JoinOnCallAsync(work, await steps.StandAsync(work, seen), now);
                var seat = Answers.SeatOf(stand, who, await work.DelegationsToAsync(who, now), yes: true);
                if (seat is Seat.None no)
                {
                    return new Outcome<RequestView>.NotYours(no.Why, no.WhoCould);
                }

                if (seen.State != RequestState.Pending)
                {
                    return await views.LostAsync(work, seen, who);
                }

                if (seat is not Seat.Theirs { For: var delegation })
                {
                    return new Outcome<RequestView>.LostRace(((Seat.Answered)seat).Why, await views.OfAsync(work, seen, who));
                }

                if (StepUps.Of(stand.Steps, delegation?.Person ?? who) is var demanded and not StepUp.None)
                {
                    return new Outcome<RequestView>.Refused($"the policy demands {StepUps.Say(demanded)}, and an offer is a yes without it", $"Say yes for a shorter time at {StepUpPage.Of(id)}, or say no and why.");
                }

                if (seen.Bundle is { } bundle)
                {
                    return new Outcome<RequestView>.Refused($"it is a part of {bundle}, which is answered as a whole", "say yes for a shorter time, or say no and why: whoever asks can then ask for the roles one by one");
                }

                if (instead.SawDigest != seen.Digest)
                {
                    return new Outcome<RequestView>.LostRace("what you saw is not what is asked; look again", await views.OfAsync(work, seen, who));
                }

                if (seen.LapsesAt <= now)
                {
                    return new Outcome<RequestView>.LostRace("it lapsed: nobody decided in time", await views.OfAsync(work, seen, who));
                }

                var (offer, problems) = await OfferOfAsync(work, stand.Catalog, seen, instead, now);
                if (offer is null)
                {
                    return new Outcome<RequestView>.Invalid(problems);
                }

                var kept = await work.InsertAsync(offer with { By = who, Seat = delegation?.Person, Delegation = delegation?.Id });
                var moved = await work.MoveAsync(seen, seen) ?? throw new InvalidOperationException($"The request {id} moved inside its own lock.");
                work.Append(Facts.OfferMade(kept, moved));
                return new Outcome<RequestView>.Done(await views.OfAsync(work, moved, who));
            },
            cancellation);

    /// <remarks>NB. An approver does not learn by an offer what the requester holds elsewhere.</remarks>
    private static string Because(LoadedCatalog catalog, Verdict.Deny deny) =>
        catalog.Separations.FirstOrDefault(separation => deny.DecidedBy.Contains(separation.Name)) is { } apart ? $"{apart.Name} keeps it apart from what they have" : deny.Because;

    private async Task<(CounterOffer? Offer, IReadOnlyList<Problem> Problems)> OfferOfAsync(Work work, LoadedCatalog catalog, Request seen, Instead instead, DateTimeOffset now)
    {
        var problems = Answers.Check(instead.Comment, instead.For);
        var role = RoleOf(catalog, seen, instead.Role, problems);
        if (instead is { For: null, StartAt: null, Role: null })
        {
            problems.Add(new Problem("", "offer something: shorter, later, or another role of the same resource"));
        }

        if (instead.For > seen.For || (instead.For == seen.For && instead is { StartAt: null, Role: null }))
        {
            problems.Add(new Problem("for_seconds", $"an offer is shorter than the {Sentences.Span(seen.For)} that are asked for"));
        }

        if (instead.StartAt is { } start)
        {
            if (start <= now || start <= seen.StartAt)
            {
                problems.Add(new Problem("start_at", "an offer begins later than now, and later than was asked"));
            }
            else if (seen.Recurrence is not null)
            {
                problems.Add(new Problem("start_at", "a series keeps its times; offer it shorter, or say no and why"));
            }
            else if (seen.Extends is not null)
            {
                problems.Add(new Problem("start_at", "an extension begins where the grant that it joins ends"));
            }
        }

        if (problems.Count > 0 || role is not { } offered)
        {
            return (null, problems);
        }

        // NB. What the policies would not let the requester have cannot be offered either; asked in full, as if they asked.
        var length = instead.For ?? (offered == seen.Role ? seen.For : null);
        var startAt = instead.StartAt is { } later ? Core.Audit.CanonicalTime.Cut(later) : seen.StartAt;
        var verdict = Decider.Decide(catalog, new Question(seen.Subject, offered, length, seen.Reason, seen.Ticket, startAt, now) { Held = await work.HeldAsync(catalog, seen.Subject, offered, now), Task = seen.Task, Claims = seen.Claims, Statements = seen.Statements });
        if (verdict is Verdict.Deny deny)
        {
            var field = offered == seen.Role ? instead.StartAt is null ? "for_seconds" : "start_at" : "role";
            return (null, [new Problem(field, deny.Known ? $"the policies would not give that to {seen.Subject}: {Because(catalog, deny)}" : $"{seen.Subject} cannot ask for {offered}")]);
        }

        var terms = verdict is Verdict.Allow allow ? allow.Terms : ((Verdict.NeedsApproval)verdict).Terms;
        return (
            new CounterOffer
            {
                Id = ids.NextOffer(),
                Request = seen.Id,
                By = seen.Subject,
                At = now,
                Role = offered,
                For = terms.For < seen.For ? terms.For : seen.For,
                StartAt = instead.StartAt is null ? null : startAt,
                Comment = instead.Comment?.Trim() ?? "",
                SawDigest = instead.SawDigest,
                Via = instead.Via,
                State = OfferState.Open,
            },
            []);
    }

    /// <summary>The role that is offered; null with a problem when it is not one, or not a narrower one.</summary>
    private static RoleRef? RoleOf(LoadedCatalog catalog, Request seen, string? text, List<Problem> problems)
    {
        if (text is null)
        {
            return seen.Role;
        }

        var offered = RoleRef.Parse(text) ?? new RoleRef(seen.Role.Resource, text);
        if (offered.Resource != seen.Role.Resource || offered == seen.Role)
        {
            problems.Add(new Problem("role", $"offer another role of {seen.Role.Resource}"));
            return null;
        }

        var roles = catalog.Resources.GetValueOrDefault(offered.Resource)?.Roles;
        if (roles?.GetValueOrDefault(offered.Role) is { } known && roles.GetValueOrDefault(seen.Role.Role) is { } asked && Risk(known) > Risk(asked))
        {
            problems.Add(new Problem("role", $"{offered} carries a higher risk than what is asked for; an offer is less"));
            return null;
        }

        return offered;
    }

    private static int Risk(Role role) => role.Risk switch { "low" => 0, "medium" => 1, _ => 2 };
}
