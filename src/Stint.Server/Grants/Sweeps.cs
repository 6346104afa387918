using Microsoft.Extensions.Logging;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Does what time alone makes due: ends, lapses, scheduled starts, and what waits too long for an answer. Found by index, in batches, each one transaction.</summary>
internal sealed class Sweeps(StintStore store, GrantSteps steps, ApprovalSteps approvals, SeriesSweep series, TimeProvider clock, KeeperOptions options, ILogger<Sweeps> log)
{
    private const int StartBatch = 100;

    /// <summary>Does all that is due now. Ends come first: they take access away.</summary>
    /// <returns>How many rows moved.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var moved = 0;
        moved += await AllAsync(options.SweepBatch, ExpireAsync, cancellation);
        moved += await AllAsync(options.SweepBatch, LapseGrantsAsync, cancellation);
        moved += await AllAsync(options.SweepBatch, LapseRequestsAsync, cancellation);
        moved += await AllAsync(StartBatch, StepsAsync, cancellation);
        moved += await AllAsync(StartBatch, BundleStepsAsync, cancellation);
        moved += await AllAsync(StartBatch, series.RunAsync, cancellation);
        moved += await OverdueAsync(cancellation);
        moved += await AllAsync(StartBatch, StartAsync, cancellation);
        return moved;
    }

    private async Task<int> AllAsync(int batch, Func<Work, DateTimeOffset, int, Task<int>> sweep, CancellationToken cancellation)
    {
        var all = 0;
        for (; ; )
        {
            var now = clock.Now();
            var moved = await store.WriteAsync(work => sweep(work, now, batch), cancellation);
            all += moved;
            if (moved < batch)
            {
                return all;
            }
        }
    }

    private static async Task<int> ExpireAsync(Work work, DateTimeOffset now, int batch)
    {
        var ended = await work.ExpireAsync(now, batch);
        foreach (var grant in ended)
        {
            work.Append(Facts.GrantClosing(grant, now, Actor.Keeper));
            work.Wake(Wakes.Sessions(grant.Assignment!.Value));
            Measures.EndLateness.Record((now - grant.NotAfter!.Value).TotalMilliseconds);
        }

        return ended.Count;
    }

    private static async Task<int> LapseRequestsAsync(Work work, DateTimeOffset now, int batch)
    {
        var due = await work.LapsedRequestsAsync(now, batch);
        foreach (var request in due)
        {
            var next = request with { State = RequestState.Lapsed, DecidedAt = now, Why = "nobody decided in time" };
            if (await work.MoveAsync(request, next) is { } lapsed)
            {
                work.Append(Facts.RequestLapsed(lapsed, now));
            }
        }

        return due.Count;
    }

    private async Task<int> LapseGrantsAsync(Work work, DateTimeOffset now, int batch)
    {
        var due = await work.LapsedGrantsAsync(now, batch);
        foreach (var grant in due)
        {
            await GrantSteps.EndAsync(work, grant, EndReason.Lapsed, "it was not begun in time", now, Actor.Keeper);
        }

        return due.Count;
    }

    /// <summary>Reminders, escalations and handovers of those on call. Lapses come before: what is over waits for nobody.</summary>
    private async Task<int> StepsAsync(Work work, DateTimeOffset now, int batch)
    {
        var due = await work.DueRequestsAsync(now, batch);
        foreach (var request in due)
        {
            await approvals.DueAsync(work, request, now);
        }

        return due.Count;
    }

    /// <summary>The same for what waits together: at the same moment, so that one answer goes on being one for all of it.</summary>
    private async Task<int> BundleStepsAsync(Work work, DateTimeOffset now, int batch)
    {
        var due = await work.DueBundlesAsync(now, batch);
        foreach (var request in due.SelectMany(together => together))
        {
            await approvals.DueAsync(work, request, now);
        }

        return due.Count;
    }

    /// <summary>Reviews of break-glass whose time is over. They stay open; it is said once.</summary>
    private async Task<int> OverdueAsync(CancellationToken cancellation)
    {
        var now = clock.Now();
        var overdue = await store.WriteAsync(
            async work =>
            {
                var due = await work.OverdueReviewsAsync(now, StartBatch);
                foreach (var review in due)
                {
                    if (await work.MoveAsync(review, review with { OverdueAt = now }) is { } moved)
                    {
                        work.Append(Facts.ReviewOverdue(moved, now));
                    }
                }

                return due;
            },
            cancellation);
        foreach (var review in overdue)
        {
            Measures.ReviewsOverdue.Add(1);
            Log.ReviewOverdue(log, review.Id, review.Person, review.Request, string.Join(", ", review.Reviewers));
        }

        return overdue.Count;
    }

    private async Task<int> StartAsync(Work work, DateTimeOffset now, int batch)
    {
        var due = await work.StartingGrantsAsync(now, batch);
        foreach (var grant in due)
        {
            await steps.BeginAsync(work, grant, now, Actor.Keeper);
        }

        return due.Count;
    }
}
