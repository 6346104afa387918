using Microsoft.Extensions.Logging;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Grants;

/// <summary>One assignment, from what is known of its target to what its grants want: commit the intent, call the connector, commit the outcome.</summary>
/// <remarks>
/// It may be cut short at any point. What was intended and not finished is due again when the lease is over, and every
/// verb can be repeated. A worker whose lease was taken by another finds a newer fence and changes nothing.
/// </remarks>
internal sealed class AssignmentWork(
    StintStore store,
    Targets targets,
    SessionOrders orders,
    GrantSteps steps,
    Sealer sealer,
    IdSource ids,
    TimeProvider clock,
    KeeperOptions options,
    ILogger<AssignmentWork> log)
{
    public async Task RunAsync(Assignment leased, CancellationToken cancellation)
    {
        if (await IntendAsync(leased, cancellation) is not { } intent)
        {
            return;
        }

        var (reach, why) = await targets.OfAsync(intent.Assignment, cancellation);
        VerbOutcome outcome;
        if (reach is null)
        {
            outcome = new VerbOutcome.Refused(why!, "an admin can close the grant and say that its target is gone");
        }
        else if (intent.Plan is Plan.Stand stand)
        {
            outcome = await CallAsync("open", token => reach.Connector.OpenAsync(reach.Target, Account(intent, reach, stand.Until), token), cancellation);
        }
        else
        {
            // NB. Sessions first: a holder is told why before the target shuts the door on them.
            await orders.CutAndWaitAsync(intent.Assignment.Id, intent.Grants, options.Goodbye, cancellation);
            outcome = await CallAsync("close", token => reach.Connector.CloseAsync(reach.Target, Account(intent, reach, clock.Now()), token), cancellation);
        }

        await ConcludeAsync(intent, outcome, cancellation);
    }

    /// <summary>Commits what is going to be done. Null when there is nothing to do at the target, or the lease is lost.</summary>
    private Task<Intent?> IntendAsync(Assignment leased, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            var now = clock.Now();
            if (await work.FindAssignmentAsync(leased.Id) is not { } seen || seen.Fence != leased.Fence)
            {
                return null;
            }

            // NB. A window that closed before the target answered lets nothing open any more.
            foreach (var late in (await work.GrantsOfAsync(seen.Id)).Where(grant => grant.State == GrantState.Opening && grant.EndsBy <= now))
            {
                await GrantSteps.EndAsync(work, late, EndReason.Expired, "its window closed before it was open", now, Actor.Keeper);
                seen = (await work.FindAssignmentAsync(leased.Id))!;
            }

            var grants = await work.GrantsOfAsync(seen.Id);
            var plan = Plan.For(seen, grants, now);
            if (plan is Plan.Settled)
            {
                await work.MoveAsync(seen, seen with { DueAt = null }, release: true);
                await GrantSteps.CloseAsync(work, grants, now, Actor.Keeper);
                return null;
            }

            var intended = plan is Plan.Stand stand
                ? await StandAsync(work, seen, grants, stand, now)
                : await RemoveAsync(work, seen, grants, now);
            var secret = plan is Plan.Stand ? await work.FindSealedSecretAsync(seen.Id) : null;
            return new Intent(intended, plan, await work.GrantsOfAsync(seen.Id), secret);
        },
        cancellation);

    private static async Task<Assignment> StandAsync(Work work, Assignment seen, IReadOnlyList<Grant> grants, Plan.Stand plan, DateTimeOffset now)
    {
        foreach (var opening in plan.Opening)
        {
            var before = grants.First(grant => grant.Id == opening.Id);
            _ = await work.MoveAsync(before, opening) ?? throw new InvalidOperationException($"The grant {opening.Id} moved inside its own lock.");
        }

        var changed = seen.State != AssignmentState.Adding || seen.Until != plan.Until;
        var next = seen with { State = AssignmentState.Adding, Until = plan.Until, Attempts = seen.State == AssignmentState.Adding ? seen.Attempts : 0 };
        var intended = await work.MoveAsync(seen, next, release: false) ?? throw new InvalidOperationException($"The assignment {seen.Id} moved inside its own lock.");
        if (changed)
        {
            work.Append(Facts.AssignmentAdding(intended, await work.GrantsOfAsync(seen.Id), now));
        }

        return intended;
    }

    private static async Task<Assignment> RemoveAsync(Work work, Assignment seen, IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        if (seen.State == AssignmentState.Removing)
        {
            return seen;
        }

        var next = seen with { State = AssignmentState.Removing, Attempts = 0, Trouble = null };
        var intended = await work.MoveAsync(seen, next, release: false) ?? throw new InvalidOperationException($"The assignment {seen.Id} moved inside its own lock.");
        work.Append(Facts.AssignmentRemoving(intended, grants, now));
        return intended;
    }

    private Task<bool> ConcludeAsync(Intent intent, VerbOutcome outcome, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            var now = clock.Now();
            if (await work.FindAssignmentAsync(intent.Assignment.Id) is not { } seen || seen.Fence != intent.Assignment.Fence)
            {
                return false;
            }

            var grants = await work.GrantsOfAsync(seen.Id);
            switch (outcome, intent.Plan)
            {
                case (VerbOutcome.Done, Plan.Stand stand):
                    await StoodAsync(work, seen, grants, stand, now);
                    break;
                case (VerbOutcome.Done, _):
                    await RemovedAsync(work, seen, grants, now);
                    break;
                case (VerbOutcome.Unreachable away, _):
                    await FailedAsync(work, intent, seen, grants, away.Why, final: false, now);
                    break;
                case (VerbOutcome.Refused refused, _):
                    await FailedAsync(work, intent, seen, grants, $"{refused.Why}. {refused.Remedy}", final: true, now);
                    break;
                case (VerbOutcome.Fenced, _):
                    await FailedAsync(work, intent, seen, grants, "the target has seen a newer lease than this one", final: false, now);
                    break;
                default:
                    throw new InvalidOperationException($"A verb cannot come to {outcome.GetType().Name}.");
            }

            return true;
        },
        cancellation);

    /// <summary>It stands as intended. Grants that were intended with it and are still opening are open, in exactly the window that the target was told.</summary>
    private async Task StoodAsync(Work work, Assignment seen, IReadOnlyList<Grant> grants, Plan.Stand told, DateTimeOffset now)
    {
        foreach (var grant in grants.Where(grant => grant.State == GrantState.Opening && told.Opening.Any(one => one.Id == grant.Id && one.NotAfter == grant.NotAfter)))
        {
            if (await work.MoveAsync(grant, grant with { State = GrantState.Open }) is { } opened)
            {
                steps.Opened(work, opened, now);
            }
        }

        var standing = seen with { State = AssignmentState.Standing, Attempts = 0, Trouble = null };
        var current = await work.GrantsOfAsync(seen.Id);

        // NB. What was wished meanwhile is looked at again at once; only a target that is as wanted lets a grant close.
        var settled = Plan.For(standing, current, now) is Plan.Settled;
        var kept = await work.MoveAsync(seen, standing with { DueAt = settled ? null : now }, release: true)
            ?? throw new InvalidOperationException($"The assignment {seen.Id} moved inside its own lock.");
        work.Append(Facts.AssignmentAdded(kept, current, now));
        if (settled)
        {
            await GrantSteps.CloseAsync(work, current, now, Actor.Keeper);
        }

        work.Wake(Wakes.Sessions(seen.Id));
    }

    private async Task RemovedAsync(Work work, Assignment seen, IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        var removed = await work.MoveAsync(
            seen,
            seen with { State = AssignmentState.Removed, DueAt = null, Trouble = null, StuckSince = null },
            release: true) ?? throw new InvalidOperationException($"The assignment {seen.Id} moved inside its own lock.");
        work.Append(Facts.AssignmentRemoved(removed, grants, now, Actor.Keeper));
        await GrantSteps.CloseAsync(work, grants, now, Actor.Keeper);
        foreach (var grant in grants.Where(grant => grant.State == GrantState.Closing))
        {
            await work.EndLoginsAsync(grant.Id, now);
        }

        await steps.OpenAgainAsync(work, removed, now);
    }

    private async Task FailedAsync(Work work, Intent intent, Assignment seen, IReadOnlyList<Grant> grants, string trouble, bool final, DateTimeOffset now)
    {
        var attempts = seen.Attempts + 1;
        if (intent.Plan is Plan.Gone)
        {
            await RemovalFailedAsync(work, seen with { Attempts = attempts, Trouble = trouble }, seen, grants, now);
            return;
        }

        var gaveUp = false;
        foreach (var grant in grants.Where(grant => grant.State == GrantState.Opening && (final || now - grant.BegunAt >= options.OpeningTime)))
        {
            gaveUp |= await GrantSteps.EndAsync(work, grant, EndReason.Failed, trouble, now, Actor.Keeper) is not null;
        }

        seen = (await work.FindAssignmentAsync(seen.Id))!;
        var wait = gaveUp ? TimeSpan.Zero : Backoff.After(attempts, Backoff.LongestOpening, ids.NextFraction());
        await work.MoveAsync(seen, seen with { Attempts = attempts, Trouble = trouble, DueAt = now + wait }, release: true);
    }

    /// <summary>Tried again for ever. When it has been due for a minute, somebody hears about it.</summary>
    private async Task RemovalFailedAsync(Work work, Assignment failed, Assignment seen, IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        var since = grants.Where(grant => grant.State == GrantState.Closing).Max(grant => grant.EndedAt) ?? now;
        foreach (var waiting in await work.LiveGrantsAsync(seen.Subject, seen.Role))
        {
            if (waiting is { State: GrantState.Opening, Assignment: null } && now - waiting.BegunAt >= options.OpeningTime)
            {
                await GrantSteps.EndAsync(work, waiting, EndReason.Failed, $"what stands there for an earlier grant cannot be taken away: {failed.Trouble}", now, Actor.Keeper);
            }
        }

        var stuck = failed.StuckSince is null && now - since >= options.StuckAfter;
        var next = failed with
        {
            DueAt = now + Backoff.After(failed.Attempts, Backoff.Longest, ids.NextFraction()),
            StuckSince = failed.StuckSince ?? (stuck ? since : null),
        };
        var kept = await work.MoveAsync(seen, next, release: true) ?? throw new InvalidOperationException($"The assignment {seen.Id} moved inside its own lock.");
        if (stuck)
        {
            work.Append(Facts.RemovalStuck(kept, grants, now));
            Measures.RemovalsStuck.Add(1, new KeyValuePair<string, object?>("resource", kept.Role.Resource));
        }
    }

    private async Task<VerbOutcome> CallAsync(string verb, Func<CancellationToken, Task<VerbOutcome>> call, CancellationToken cancellation)
    {
        // NB. Not a timer that cancels: one that fires while the other end is disposed of throws where nobody catches.
        using var late = new CancellationTokenSource(options.VerbTime, clock);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        var began = clock.GetTimestamp();
        VerbOutcome outcome;
        try
        {
            outcome = await call(bound.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            outcome = new VerbOutcome.Unreachable($"it did not answer within {Sentences.Span(options.VerbTime)}");
        }
        catch (Exception problem) when (problem is not (OperationCanceledException or SecretUnavailableException))
        {
            // NB. A bug in a connector must not end the trying: it is one more failure, told and tried again.
            Log.VerbFailed(log, problem, verb);
            outcome = new VerbOutcome.Unreachable($"the connector failed unexpectedly ({problem.GetType().Name})");
        }
        catch (SecretUnavailableException problem)
        {
            outcome = new VerbOutcome.Refused(problem.Message, "put the secret where the catalog says it is");
        }

        Measures.Verbs.Record(
            clock.GetElapsedTime(began).TotalMilliseconds,
            new KeyValuePair<string, object?>("verb", verb),
            new KeyValuePair<string, object?>("outcome", outcome.GetType().Name));
        return outcome;
    }

    private Account Account(Intent intent, Reach reach, DateTimeOffset until) => new(
        intent.Assignment.Id,
        intent.Assignment.Account,
        intent.Assignment.Subject,
        reach.Role,
        until,
        intent.SealedSecret is { } secret ? sealer.Open(secret, GrantSteps.Purpose(intent.Assignment.Id)) : null,
        options.ConnectionsPerGrant,
        intent.Assignment.Fence);

    private sealed record Intent(Assignment Assignment, Plan Plan, IReadOnlyList<Grant> Grants, string? SealedSecret);
}
