using Microsoft.Extensions.Logging;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>Lets this node decide by what took effect on another.</summary>
internal sealed class FollowCatalog(StintStore store, CurrentCatalog current, CatalogVersions versions, ApplyCatalog apply, CatalogChanges changes, ILogger<FollowCatalog> log)
{
    private static readonly TimeSpan AtLeastEvery = TimeSpan.FromSeconds(15);

    /// <summary>Why the catalog that counts is not used here; null when it is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Looks at every wake, and from time to time in case one was missed.</summary>
    public async Task RunAsync(TimeProvider time, CancellationToken stop)
    {
        using var waiter = store.Wakes.Listen(Wakes.Catalog);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stop);
                await changes.LapseAsync(stop);
            }
            catch (StoreUnavailableException)
            {
                // Looked at again at the next round; the catalog in use stays.
            }

            using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
            using var bound = new CancellationTokenSource(AtLeastEvery, time);
            using var ends = bound.Token.Register(round.Cancel);
            try
            {
                await waiter.WaitAsync(round.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Time to look.
            }
        }
    }

    /// <summary>Takes what counts, when it is another than what is used here.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var last = await store.ReadAsync(async reads => await reads.LastEntryAsync(), cancellation);
        if (last is null || last.Version == current.Now.Version)
        {
            Problem = null;
            return;
        }

        if (await versions.FindAsync(last.Version, cancellation) is not { } next)
        {
            if (Problem is null)
            {
                Problem = $"The catalog {last.Version} counts, and does not load with this program; the one before decides here. Run the same program on every node.";
                log.CatalogNotLoaded(last.Version);
            }

            return;
        }

        Problem = null;
        await apply.FinishAsync(next, new CatalogTaking.Already(last), Actor.Server, cancellation);
        log.CatalogFollowed(last.Version);
    }
}
