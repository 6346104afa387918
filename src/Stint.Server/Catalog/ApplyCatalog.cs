using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>A catalog version takes effect: kept, put on record, and what its leavers hold ends.</summary>
internal sealed class ApplyCatalog(StintStore store, CurrentCatalog current, EndLeavers leavers, TimeProvider clock)
{
    /// <summary>Applies a loaded catalog, whatever counts now. The same version again changes nothing but finishes what an earlier try left.</summary>
    /// <returns>How many grants and requests of leavers ended.</returns>
    public async Task<int> ApplyAsync(LoadedCatalog next, Actor by, CancellationToken cancellation, CatalogOrigin? origin = null)
    {
        var taking = await store.WriteAsync(work => TakeAsync(work, next, by, origin, null, null), cancellation);
        return await FinishAsync(next, taking, by, cancellation);
    }

    /// <summary>Lets a catalog take effect within a write, with its fact, and ends the changes that waited for another one.</summary>
    /// <param name="work">The write.</param>
    /// <param name="next">The catalog.</param>
    /// <param name="by">Who.</param>
    /// <param name="origin">Where its files came from.</param>
    /// <param name="change">The approved change that it comes of; null for none.</param>
    /// <param name="onlyOn">The version that has to count now; null for any.</param>
    public async Task<CatalogTaking> TakeAsync(Work work, LoadedCatalog next, Actor by, CatalogOrigin? origin, ChangeId? change, string? onlyOn)
    {
        var now = clock.Now();
        var taking = await work.ApplyCatalogAsync(next.Version, next.Source, now, by, origin, change, onlyOn);
        if (taking is CatalogTaking.Took { Entry: var entry })
        {
            work.Append(Facts.CatalogApplied(entry, next.Source, by));
            foreach (var waiting in await work.PendingChangesAsync())
            {
                if (waiting.Id != change
                    && await work.MoveAsync(waiting, waiting with { State = ChangeState.Stale, DecidedAt = now, Why = $"another catalog took effect ({entry.Version[..Math.Min(12, entry.Version.Length)]})" }) is { } stale)
                {
                    work.Append(Facts.ChangeEnded(stale, now, by));
                }
            }
        }

        return taking;
    }

    /// <summary>After the commit: the catalog decides, and what its leavers hold ends.</summary>
    public async Task<int> FinishAsync(LoadedCatalog next, CatalogTaking taking, Actor by, CancellationToken cancellation)
    {
        // NB. In force before the leavers' grants are looked for: nobody who left can ask for a new one in between.
        switch (taking)
        {
            case CatalogTaking.Took took:
                current.Replace(next, took.Entry.Number);
                break;
            case CatalogTaking.Already already:
                current.Replace(next, already.Entry.Number);
                break;
            default:
                return 0;
        }

        return await leavers.EndAsync(by, cancellation);
    }
}
