using Stint.Core;
using Stint.Core.Policies;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Which bundles somebody may ask for; and an asking for one, looked up and waited for.</summary>
internal sealed class FindBundles(StintStore store, CurrentCatalog catalog, TimeProvider clock, BundleViews views)
{
    /// <summary>The bundles of which somebody may ask for at least one role, in the order of their names.</summary>
    public IReadOnlyList<BundleOffer> List(SubjectId who)
    {
        var current = catalog.Now;
        if (current.Bundles.Count == 0)
        {
            return [];
        }

        var offers = Decider.Offers(current, who, clock.Now()).ToDictionary(offer => offer.Role);
        return
        [
            .. current.Bundles.Values
                .OrderBy(bundle => bundle.Name, StringComparer.Ordinal)
                .Select(bundle => new BundleOffer(bundle, [.. bundle.Roles.Where(offers.ContainsKey).Select(role => offers[role])]))
                .Where(offer => offer.Roles.Count > 0),
        ];
    }

    public Task<Outcome<BundleView>> GetAsync(SubjectId who, BundleId id, CancellationToken cancellation) => store.ReadAsync<Outcome<BundleView>>(
        async reads => await views.FindAsync(reads, id, who, clock.Now()) is { } found ? new Outcome<BundleView>.Done(found) : new Outcome<BundleView>.NotFound(),
        cancellation);

    /// <summary>Waits until one of its requests has moved on from what the caller has seen, or the time is over.</summary>
    /// <param name="who">Who waits.</param>
    /// <param name="id">For which asking.</param>
    /// <param name="seen">The version that the caller has; the answer comes at once when it is newer.</param>
    /// <param name="wait">How long at most.</param>
    /// <param name="cancellation">The caller left.</param>
    public Task<Outcome<BundleView>> WaitAsync(SubjectId who, BundleId id, long seen, TimeSpan wait, CancellationToken cancellation) => Waiting.ForAsync(
        store,
        Wakes.Of(id),
        token => GetAsync(who, id, token),
        outcome => outcome is not Outcome<BundleView>.Done { Value.Version: var version } || version > seen,
        wait,
        clock,
        cancellation);
}
