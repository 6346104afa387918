using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Providers;

/// <summary>Takes a provider's word, at a sign-in, on which of its groups somebody is in: for a while, for those groups alone that the catalog names, and only of those whom no directory knows.</summary>
internal sealed class TellGroups(StintStore store, CurrentCatalog catalog, FollowDirectory follow, TimeProvider clock)
{
    /// <param name="provider">Who says so.</param>
    /// <param name="person">Of whom.</param>
    /// <param name="groups">What it calls them; what it does not say any longer is over.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task TellAsync(Provider provider, SubjectId person, IReadOnlyList<string> groups, CancellationToken cancellation)
    {
        var named = catalog.Now.Text.FromDirectory.Values.Select(DirectoryPeople.Key).ToHashSet(StringComparer.Ordinal);
        List<string> counting = provider.Groups is null ? [] : [.. groups.Select(provider.KeyOf).Where(named.Contains).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var name = DirectoryPeople.Key(person.Value);
        await store.WriteAsync(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                var until = now + provider.GroupsLast;

                // NB. Whom the directory knows, it knows better, and at once.
                var (added, removed) = await work.TellGroupsAsync(name, provider.Name, await work.IsInDirectoryAsync(name) ? [] : counting, until);
                if (added.Count > 0 || removed.Count > 0)
                {
                    work.Append(Facts.ProviderGroupsTold(person.Value, provider.By, added, removed, until, now));
                }
            },
            cancellation);
        await follow.ChangedAsync(cancellation);
    }
}
