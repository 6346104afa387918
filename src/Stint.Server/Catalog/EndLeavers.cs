using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>Ends what people hold who left, or whom the directory took out of what let them have it.</summary>
internal sealed class EndLeavers(StintStore store, CurrentCatalog current, TimeProvider clock)
{
    /// <summary>Ends what people hold who are disabled or gone, however long ago they left.</summary>
    /// <returns>How many grants, series and requests ended.</returns>
    public async Task<int> EndAsync(Actor by, CancellationToken cancellation)
    {
        var catalog = current.Now;
        var ended = 0;
        foreach (var subject in await HoldersAsync(cancellation))
        {
            if (!catalog.MayAsk(subject))
            {
                ended += await store.WriteAsync(work => EndAsync(work, subject, by), cancellation);
            }
        }

        return ended;
    }

    /// <summary>Ends what no rule lets somebody have any longer, and did before.</summary>
    /// <param name="about">Whose; null for everybody's.</param>
    /// <param name="before">What decided before; null when that is not known: then only what no rule is about at all ends.</param>
    /// <param name="by">Who took them out.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <returns>How many grants, series and requests ended.</returns>
    public async Task<int> EndFallenAsync(IReadOnlySet<SubjectId>? about, LoadedCatalog? before, Actor by, CancellationToken cancellation)
    {
        var ended = 0;
        foreach (var subject in about is { Count: 0 } ? [] : await HoldersAsync(cancellation))
        {
            // NB. The directory's names are in small letters, and the catalog's may not be.
            if ((about is null || about.Contains(subject) || about.Contains(new SubjectId(DirectoryPeople.Key(subject.Value)))) && current.Now.MayAsk(subject))
            {
                ended += await store.WriteAsync(work => EndFallenAsync(work, subject, before, by), cancellation);
            }
        }

        return ended;
    }

    /// <summary>Everybody who holds something or waits for it.</summary>
    /// <remarks>NB. Asked as a write: what was let in under the catalog before is committed by then, and seen.</remarks>
    private Task<List<SubjectId>> HoldersAsync(CancellationToken cancellation) => store.WriteAsync(async work => await work.HoldersAsync(), cancellation);

    private async Task<int> EndAsync(Work work, SubjectId subject, Actor by)
    {
        var now = clock.Now();
        var ended = 0;

        // NB. Whoever is let in again later signs in again: what they left open does not come back with them.
        await WebSessions.EndAllAsync(work, subject, "left", except: null, now);
        foreach (var request in await work.PendingRequestsAsync(subject))
        {
            ended += await CancelAsync(work, request, $"{subject} left", now, by);
        }

        foreach (var series in await work.RunningSeriesAsync(subject))
        {
            ended += await SeriesSteps.EndAsync(work, series, SeriesEnd.Offboarded, $"{subject} left", now, by) is null ? 0 : 1;
        }

        foreach (var grant in await work.LiveGrantsAsync(subject))
        {
            ended += await GrantSteps.EndAsync(work, grant, EndReason.Offboarded, $"{subject} left", now, by) is null ? 0 : 1;
        }

        return ended;
    }

    /// <summary>Ends, within a write, what somebody holds, waits for and could begin, because whoever acted as them may not have been them. What comes again by itself goes on: nobody gets in by it without showing who they are.</summary>
    /// <returns>How many requests ended, and the grants that did.</returns>
    public async Task<(int Requests, IReadOnlyList<Grant> Grants)> EndHeldAsync(Work work, SubjectId subject, string why, Actor by)
    {
        var now = clock.Now();
        var requests = 0;
        foreach (var request in await work.PendingRequestsAsync(subject))
        {
            requests += await CancelAsync(work, request, why, now, by);
        }

        var grants = new List<Grant>();
        foreach (var grant in await work.LiveGrantsAsync(subject))
        {
            if (await GrantSteps.EndAsync(work, grant, EndReason.Revoked, why, now, by) is { } ended)
            {
                grants.Add(ended);
            }
        }

        return (requests, grants);
    }

    private async Task<int> EndFallenAsync(Work work, SubjectId subject, LoadedCatalog? before, Actor by)
    {
        var now = clock.Now();
        var after = current.Now;
        var ended = 0;
        foreach (var request in await work.PendingRequestsAsync(subject))
        {
            ended += Fallen(before, after, request, now) is { } why ? await CancelAsync(work, request, why, now, by) : 0;
        }

        foreach (var series in await work.RunningSeriesAsync(subject))
        {
            if (await work.FindRequestAsync(series.Request) is { } request && Fallen(before, after, request, now) is { } why)
            {
                ended += await SeriesSteps.EndAsync(work, series, SeriesEnd.Revoked, why, now, by) is null ? 0 : 1;
            }
        }

        foreach (var grant in await work.LiveGrantsAsync(subject))
        {
            if (await work.FindRequestAsync(grant.Request) is { } request && Fallen(before, after, request, now) is { } why)
            {
                ended += await GrantSteps.EndAsync(work, grant, EndReason.Revoked, why, now, by) is null ? 0 : 1;
            }
        }

        return ended;
    }

    /// <summary>Why nothing lets somebody have what they asked for any longer; null when something does, or when it did not before either.</summary>
    private static string? Fallen(LoadedCatalog? before, LoadedCatalog after, Request request, DateTimeOffset now)
    {
        // NB. Only what the directory changed counts: a rule that lets in by day does not end by night what it let in.
        var question = new Question(request.Subject, request.Role, null, request.Reason, request.Ticket, null, now) { Held = [], BreakGlass = request.BreakGlass, Task = request.Task, Claims = request.Claims, Statements = request.Statements };
        var fell = Decider.Decide(after, question) is Verdict.Deny
            && (before is null
                ? !after.Policies.Any(policy => !policy.Deny && policy.Who.Contains(request.Subject) && policy.Roles.Contains(request.Role))
                : Decider.Decide(before, question) is not Verdict.Deny);
        return fell ? $"the directory changed, and no rule lets {request.Subject} have {request.Role} any longer" : null;
    }

    private static async Task<int> CancelAsync(Work work, Request request, string why, DateTimeOffset now, Actor by)
    {
        if (await work.MoveAsync(request, request with { State = RequestState.Cancelled, DecidedAt = now, Why = why }) is not { } cancelled)
        {
            return 0;
        }

        work.Append(Facts.RequestCancelled(cancelled, now, by));
        return 1;
    }
}
