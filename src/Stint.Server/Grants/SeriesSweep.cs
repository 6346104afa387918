using Stint.Core.Audit;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Makes the occurrences of series whose time has come.</summary>
internal sealed class SeriesSweep(GrantSteps steps, IdSource ids)
{
    /// <summary>One batch; the grants that it makes are begun by the sweep of starts.</summary>
    /// <returns>How many series moved.</returns>
    public async Task<int> RunAsync(Work work, DateTimeOffset now, int batch)
    {
        var due = await work.DueSeriesAsync(now, batch);
        foreach (var series in due)
        {
            await OneAsync(work, series, now);
        }

        return due.Count;
    }

    private async Task OneAsync(Work work, RunningSeries series, DateTimeOffset now)
    {
        var request = await work.FindRequestAsync(series.Request)
            ?? throw new InvalidOperationException($"The series {series.Request} has no request.");
        var begins = series.NextAt!.Value;
        var missed = begins + request.For <= now;
        if (missed)
        {
            work.Append(Facts.OccurrenceMissed(request, begins, now));
        }
        else
        {
            var occurrence = await work.InsertAsync(SeriesSteps.Occurrence(request, ids.NextRequest(), begins, now));
            work.Append(Facts.RequestAsked(occurrence));
            work.Append(Facts.RequestApproved(occurrence, now, Actor.Keeper));
            await steps.MakeReadyAsync(work, occurrence, now, Actor.Keeper);
        }

        // A microsecond on: the store keeps no less, and the same occurrence must not come again.
        var moved = series with { Made = series.Made + (missed ? 0 : 1), NextAt = SeriesSteps.Next(request, begins.AddMicroseconds(1)) };
        if (moved.NextAt is null)
        {
            await SeriesSteps.EndAsync(work, series with { Made = moved.Made }, SeriesEnd.Finished, null, now, Actor.Keeper);
        }
        else if (await work.MoveAsync(series, moved) is null)
        {
            throw new InvalidOperationException($"The series {series.Request} moved inside its own lock.");
        }
    }
}
