using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>The moves of a request's steps that several use cases make, each inside the caller's transaction, with their facts and wakes.</summary>
internal sealed partial class ApprovalSteps(CurrentCatalog catalog, GrantSteps grants)
{
    /// <summary>How a request stands now.</summary>
    public async ValueTask<Stand> StandAsync(Reads reads, Request request)
    {
        var current = catalog.Now;
        var added = await reads.AdditionsAsync(request.Id);
        return new Stand(current, request, CurrentSteps.Of(current, request, added), await reads.StepsAsync(request.Id), added, await reads.ApprovalsAsync(request.Id));
    }

    /// <summary>Whether somebody may see a request: by their place in the catalog, or because they are asked for an answer to it.</summary>
    public async ValueTask<bool> MaySeeAsync(Reads reads, SubjectId who, Request request, DateTimeOffset now)
    {
        var current = catalog.Now;
        return current.MaySee(who, request) || (current.IsActive(who) && await IsAskedAsync(reads, who, request, now));
    }

    /// <summary>Whether somebody is asked for an answer to a request, was, or gave one.</summary>
    public async ValueTask<bool> IsAskedAsync(Reads reads, SubjectId who, Request request, DateTimeOffset now)
    {
        // Whoever is on call this moment is asked, whether the keeper has put it before them or not.
        var current = catalog.Now;
        return Rights.Steps(request).Any(step => step.Approvers.Contains(who)) || await reads.IsAskedAsync(request.Id, who, now)
            || (request.BreakGlass && await reads.IsConcernedAsync(request.Id, who))
            || (request.State == RequestState.Pending && await StandAsync(reads, request) is var stand
                && stand.Open.Any(open => CurrentSteps.ComingOnCall(current, request, open.Step, IsEscalated(stand, open.Index), now).Contains(who)));
    }

    /// <summary>A request begins to wait: its first step is asked, or all of them.</summary>
    public async ValueTask OpenAsync(Work work, Request request, DateTimeOffset now)
    {
        var stand = await StandAsync(work, request);
        for (var step = 0; step < stand.Steps.Count; step++)
        {
            var isAsked = stand.Open.Any(open => open.Index == step);
            await work.SaveAsync(request.Id, isAsked ? Opened(stand, step, now) : new StepProgress { Step = step });
        }
    }

    /// <summary>Whoever has come on call for a step that is asked may answer it from now on.</summary>
    public static async ValueTask<Stand> JoinOnCallAsync(Work work, Stand stand, DateTimeOffset now)
    {
        if (stand.Request.State != RequestState.Pending)
        {
            return stand;
        }

        var added = stand.Added.ToList();
        foreach (var open in stand.Open)
        {
            await AddAsync(work, stand, open.Index, CurrentSteps.ComingOnCall(stand.Catalog, stand.Request, open.Step, IsEscalated(stand, open.Index), now), AdditionCause.OnCall, added, now);
        }

        if (added.Count == stand.Added.Count)
        {
            return stand;
        }

        var wider = stand.With(added);
        await work.AskAsync(wider.Request.Id, wider.Asked);
        return wider;
    }

    /// <summary>How those stand that wait for the same answer, whoever has come on call put among those who may give it.</summary>
    public async ValueTask<List<Stand>> StandTogetherAsync(Work work, IReadOnlyList<Request> together, DateTimeOffset now)
    {
        var stands = new List<Stand>();
        foreach (var request in together)
        {
            stands.Add(await JoinOnCallAsync(work, await StandAsync(work, request), now));
        }

        return stands;
    }

    /// <summary>Gives one answer to all that wait for it together: one request, or what is pending of a bundle.</summary>
    /// <param name="work">The write in which they are held.</param>
    /// <param name="stands">How they stand; all alike in their steps and answers.</param>
    /// <param name="asked">Which of them the answer was given to; it is among them.</param>
    /// <param name="approval">The answer; what it shortens is cut for those that are shorter already.</param>
    /// <param name="now">When.</param>
    /// <returns>That request as it stands now; null when the person has answered already, or their place is filled.</returns>
    public async ValueTask<Request?> GiveAsync(Work work, IReadOnlyList<Stand> stands, RequestId asked, Approval approval, DateTimeOffset now)
    {
        var moved = new List<Request>();
        foreach (var stand in stands.Where(stand => stand.Request.State == RequestState.Pending))
        {
            var own = approval with { Request = stand.Request.Id, Shortened = approval.Shortened < stand.Request.For ? approval.Shortened : null };
            if (await GiveAsync(work, stand, own, now) is not { } one)
            {
                // NB. They are alike, so that the first says it for all: a part must not go on without the rest.
                return moved.Count == 0 ? null : throw new InvalidOperationException($"The request {stand.Request.Id} was answered apart from its bundle.");
            }

            moved.Add(one);
        }

        if (moved.Select(one => one.State).Distinct().Count() > 1)
        {
            throw new InvalidOperationException($"The requests of {moved[0].Bundle} came apart.");
        }

        return moved.Find(one => one.Id == asked);
    }

    /// <summary>Keeps an answer that was found to be allowed, and does what follows from it.</summary>
    /// <returns>The request as it stands now; null when the person has answered already, or their place is filled.</returns>
    public async ValueTask<Request?> GiveAsync(Work work, Stand stand, Approval approval, DateTimeOffset now)
    {
        if (await work.InsertAsync(approval) is not { } kept)
        {
            return null;
        }

        var seen = stand.Request;
        var by = Actor.Person(kept.By.Value);
        var next = stand.With(kept);
        var complete = next.Tally is Tally.Complete;
        var state = !kept.Yes ? RequestState.Denied : complete ? RequestState.Approved : RequestState.Pending;

        // NB. Every answer moves the request's version, complete or not: two last approvers at once can then not both
        // read "one is missing" and both leave it so.
        var moved = await work.MoveAsync(seen, seen with
        {
            For = kept.Shortened is { } shorter && shorter < seen.For ? shorter : seen.For,
            State = state,
            DecidedAt = state == RequestState.Pending ? null : now,
            Why = kept.Yes ? null : kept.Comment,
        }) ?? throw new InvalidOperationException($"The request {seen.Id} moved inside its own lock.");
        work.Append(Facts.ApprovalGiven(moved, kept));
        if (state == RequestState.Denied)
        {
            work.Append(Facts.RequestDenied(moved, now, by));
        }
        else if (state == RequestState.Approved)
        {
            await MakeReadyAsync(work, moved, now, by);
        }
        else if (await AdvanceAsync(work, next with { Request = moved }, now) is { Tally: Tally.Complete })
        {
            moved = await ApproveAsync(work, moved, now, by);
        }

        return moved;
    }

    /// <summary>Does what time made due at the steps of a pending request that the caller holds.</summary>
    public async ValueTask DueAsync(Work work, Request request, DateTimeOffset now)
    {
        var stand = await StandAsync(work, request);
        var before = stand.Added.Count;

        // NB. Looked at again under the request's own lock: another node may have been here in between.
        foreach (var due in stand.Progress.Where(step => step.DueAt <= now))
        {
            var step = due;
            if (!stand.Open.Any(open => open.Index == step.Step))
            {
                // Met, or (when somebody left who had said yes to an earlier step) not asked any more for now.
                step = stand.Later.Any(later => later.Index == step.Step) ? Postponed(stand, step, now) : Quiet(step);
                await work.SaveAsync(request.Id, step);
                stand = stand.With(step);
                continue;
            }

            var added = stand.Added.ToList();
            if (step.HandoverAt <= now)
            {
                await AddAsync(work, stand, step.Step, CurrentSteps.ComingOnCall(stand.Catalog, request, stand.Steps[step.Step], step.EscalatedAt is not null, now), AdditionCause.OnCall, added, now);
                step = step with { HandoverAt = CurrentSteps.NextHandover(stand.Catalog, stand.Steps[step.Step], step.EscalatedAt is not null, now) };
            }

            if (step.EscalateAt <= now)
            {
                (step, request) = await EscalateAsync(work, stand with { Request = request }, step, added, now);
            }

            stand = added.Count == stand.Added.Count ? stand with { Request = request } : (stand with { Request = request }).With(added);
            if (step.RemindAt <= now)
            {
                step = Remind(work, stand, step, now);
            }

            await work.SaveAsync(request.Id, step);
            stand = stand.With(step);
        }

        // NB. Somebody who was added may have said yes to another step already: where a person may count in two, that
        // counts here as well, and may be what was missing.
        if (stand.Added.Count > before && await AdvanceAsync(work, stand, now) is { Tally: Tally.Complete } met)
        {
            await ApproveAsync(work, met.Request, now, Actor.Keeper);
        }
    }

    /// <summary>Nothing is missing any more.</summary>
    private async ValueTask<Request> ApproveAsync(Work work, Request pending, DateTimeOffset now, Actor by)
    {
        var approved = await work.MoveAsync(pending, pending with { State = RequestState.Approved, DecidedAt = now })
            ?? throw new InvalidOperationException($"The request {pending.Id} moved inside its own lock.");
        await MakeReadyAsync(work, approved, now, by);
        return approved;
    }

    private async ValueTask MakeReadyAsync(Work work, Request approved, DateTimeOffset now, Actor by)
    {
        work.Append(Facts.RequestApproved(approved, now, by));
        await grants.MakeReadyAsync(work, approved, now, by);
    }

    /// <summary>What a step starts with when its turn comes.</summary>
    private static StepProgress Opened(Stand stand, int step, DateTimeOffset now)
    {
        var pinned = stand.Steps[step];
        return new StepProgress
        {
            Step = step,
            OpenedAt = now,
            RemindAt = NextReminder(stand.Request, pinned, now, now),
            EscalateAt = pinned.Escalate is { } escalate && now + escalate.After < stand.Request.LapsesAt ? now + escalate.After : null,
            HandoverAt = CurrentSteps.NextHandover(stand.Catalog, pinned, false, now),
        };
    }

    /// <summary>Others are missing still: steps that are met fall silent, and the turn of the next may have come.</summary>
    /// <returns>How it stands then; complete when those who came on call with the next step's turn had said yes already.</returns>
    private static async ValueTask<Stand> AdvanceAsync(Work work, Stand stand, DateTimeOffset now)
    {
        while (stand.Progress.FirstOrDefault(step => step.OpenedAt is null && stand.Open.Any(open => open.Index == step.Step)) is { Step: var index })
        {
            var opened = Opened(stand, index, now);
            await work.SaveAsync(stand.Request.Id, opened);
            var added = stand.Added.ToList();
            foreach (var person in CurrentSteps.ComingOnCall(stand.Catalog, stand.Request, stand.Steps[index], false, now))
            {
                added.Add(await KeepAsync(work, stand.Request, new StepAddition(index, person, AdditionCause.OnCall, now)));
            }

            stand = stand.With(added).With(opened);
            work.Append(Facts.ApproversAsked(stand.Request, index, stand.Steps[index], stand.Steps[index].Approvers, "opened", now));
        }

        foreach (var met in stand.Progress.Where(step => step.DueAt is not null && !stand.Open.Concat(stand.Later).Any(open => open.Index == step.Step)))
        {
            await work.SaveAsync(stand.Request.Id, Quiet(met));
        }

        await work.AskAsync(stand.Request.Id, stand.Asked);
        return stand;
    }

    private static async ValueTask<(StepProgress Step, Request Request)> EscalateAsync(Work work, Stand stand, StepProgress step, List<StepAddition> added, DateTimeOffset now)
    {
        var pinned = stand.Steps[step.Step];
        var people = CurrentSteps.Escalated(stand.Catalog, stand.Request, pinned, now);
        foreach (var person in people)
        {
            added.Add(await KeepAsync(work, stand.Request, new StepAddition(step.Step, person, AdditionCause.Escalated, now)));
        }

        // NB. Who may answer is seen by those who look: the version grows, and the digest stays, since what is asked and
        // who could come to answer it stood in what everybody saw.
        var moved = await work.MoveAsync(stand.Request, stand.Request)
            ?? throw new InvalidOperationException($"The request {stand.Request.Id} moved inside its own lock.");
        work.Append(Facts.RequestEscalated(moved, step.Step, pinned, people, now));
        return (step with { EscalateAt = null, EscalatedAt = now, HandoverAt = CurrentSteps.NextHandover(stand.Catalog, pinned, true, now) }, moved);
    }

    private static StepProgress Remind(Work work, Stand stand, StepProgress step, DateTimeOffset now)
    {
        var pinned = stand.Steps[step.Step];
        if (stand.Open.FirstOrDefault(open => open.Index == step.Step) is not { Could: var waitsFor })
        {
            return step with { RemindAt = null };
        }

        work.Append(Facts.ApproversReminded(stand.Request, step.Step, pinned, waitsFor, step.Reminded + 1, now));
        work.Wake(Wakes.Of(stand.Request.Id));
        return step with { Reminded = step.Reminded + 1, RemindAt = NextReminder(stand.Request, pinned, step.OpenedAt ?? now, now) };
    }

    /// <summary>After the time that the step says, and again each time the wait has doubled; none once the request has lapsed.</summary>
    private static DateTimeOffset? NextReminder(Request request, PinnedStep step, DateTimeOffset opened, DateTimeOffset now)
    {
        if (step.Remind is not { } wait)
        {
            return null;
        }

        while (opened + wait <= now)
        {
            wait *= 2;
        }

        return opened + wait < request.LapsesAt ? opened + wait : null;
    }

    private static async ValueTask AddAsync(
        Work work, Stand stand, int step, IReadOnlyList<SubjectId> people, AdditionCause cause, List<StepAddition> added, DateTimeOffset now)
    {
        foreach (var person in people)
        {
            added.Add(await KeepAsync(work, stand.Request, new StepAddition(step, person, cause, now)));
        }

        if (people.Count > 0)
        {
            work.Append(Facts.ApproversAsked(stand.Request, step, stand.Steps[step], people, "on_call", now));
        }
    }

    private static async ValueTask<StepAddition> KeepAsync(Work work, Request request, StepAddition addition)
    {
        await work.AddAsync(request.Id, addition);
        return addition;
    }

    private static bool IsEscalated(Stand stand, int step) => stand.ProgressOf(step)?.EscalatedAt is not null;

    /// <summary>Its people are not asked just now: its clock goes on from here.</summary>
    private static StepProgress Postponed(Stand stand, StepProgress step, DateTimeOffset now) => step with
    {
        RemindAt = step.RemindAt is null ? null : NextReminder(stand.Request, stand.Steps[step.Step], step.OpenedAt ?? now, now),
        EscalateAt = step.EscalateAt is not null && stand.Steps[step.Step].Escalate is { } escalate && now + escalate.After < stand.Request.LapsesAt ? now + escalate.After : null,
        HandoverAt = CurrentSteps.NextHandover(stand.Catalog, stand.Steps[step.Step], step.EscalatedAt is not null, now),
    };

    private static StepProgress Quiet(StepProgress step) => step with { RemindAt = null, EscalateAt = null, HandoverAt = null };
}
