using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>A catalog version takes effect: kept, put on record, and what its leavers hold ends.</summary>
internal sealed class ApplyCatalog(StintStore store, CurrentCatalog current, TimeProvider clock)
{
    /// <summary>Applies a loaded catalog. The same version again changes nothing but finishes what an earlier try left.</summary>
    /// <returns>How many grants and requests of leavers ended.</returns>
    public async Task<int> ApplyAsync(LoadedCatalog next, Actor by, CancellationToken cancellation)
    {
        await store.WriteAsync(
            async work =>
            {
                var now = clock.Now();
                var previous = await work.LastCatalogAsync();
                if (await work.ApplyCatalogAsync(next.Version, next.Source, now))
                {
                    work.Append(Facts.CatalogApplied(next, previous, by, now));
                }
            },
            cancellation);

        // NB. In force before the leavers' grants are looked for: nobody who left can ask for a new one in between.
        current.Replace(next);
        return await OffboardAsync(by, cancellation);
    }

    /// <summary>Ends what people hold who are disabled or gone, however long ago they left.</summary>
    private async Task<int> OffboardAsync(Actor by, CancellationToken cancellation)
    {
        var catalog = current.Now;
        var ended = 0;
        foreach (var subject in await store.ReadAsync(async reads => await reads.HoldersAsync(), cancellation))
        {
            if (!catalog.IsActive(subject))
            {
                ended += await store.WriteAsync(work => OffboardAsync(work, subject, by), cancellation);
            }
        }

        return ended;
    }

    private async Task<int> OffboardAsync(Work work, SubjectId subject, Actor by)
    {
        var now = clock.Now();
        var ended = 0;
        foreach (var request in await work.PendingRequestsAsync(subject))
        {
            var next = request with { State = RequestState.Cancelled, DecidedAt = now, Why = $"{subject} left" };
            if (await work.MoveAsync(request, next) is { } cancelled)
            {
                work.Append(Facts.RequestCancelled(cancelled, now, by));
                ended++;
            }
        }

        foreach (var grant in await work.LiveGrantsAsync(subject))
        {
            ended += await GrantSteps.EndAsync(work, grant, EndReason.Offboarded, $"{subject} left", now, by) is null ? 0 : 1;
        }

        return ended;
    }
}
