using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Providers;

/// <summary>Takes a provider's word, at a sign-in, on which of its groups somebody is in and what else is known of them: for a while, for what the catalog and its table name alone, and only of those whom no directory knows.</summary>
internal sealed class TakeWord(StintStore store, CurrentCatalog catalog, FollowDirectory follow, TimeProvider clock)
{
    /// <param name="provider">Who says so.</param>
    /// <param name="person">Of whom.</param>
    /// <param name="groups">What it calls them; what it does not say any longer is over.</param>
    /// <param name="attributes">What its table names and it told; the same holds.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task TakeAsync(Provider provider, SubjectId person, IReadOnlyList<string> groups, IReadOnlyDictionary<string, string> attributes, CancellationToken cancellation)
    {
        var named = catalog.Now.Text.FromDirectory.Values.Select(DirectoryPeople.Key).ToHashSet(StringComparer.Ordinal);
        List<string> counting = provider.Groups is null ? [] : [.. groups.Select(provider.KeyOf).Where(named.Contains).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var name = DirectoryPeople.Key(person.Value);
        await store.WriteAsync(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                var until = Stored.Round(now + provider.GroupsLast);

                // NB. Whom the directory knows, it knows better, and at once.
                var known = await work.IsInDirectoryAsync(name);
                var (added, removed) = await work.TellGroupsAsync(name, provider.Name, known ? [] : counting, until);
                if (added.Count > 0 || removed.Count > 0)
                {
                    work.Append(Facts.ProviderGroupsTold(person.Value, provider.By, added, removed, until, now));
                }

                var (come, gone) = await work.TellAttributesAsync(name, provider.Name, known ? new Dictionary<string, string>() : attributes, until);
                if (come.Count > 0 || gone.Count > 0)
                {
                    work.Append(Facts.ProviderAttributesTold(person.Value, provider.By, come, gone, until, now));
                }
            },
            cancellation);
        await follow.ChangedAsync(cancellation);
    }

    /// <summary>Ends inside a write what providers said too long ago.</summary>
    public static async Task LapseAsync(Work work, DateTimeOffset now)
    {
        foreach (var over in (await work.LapseGroupsAsync(Stored.Round(now))).GroupBy(one => (one.Name, one.Provider)))
        {
            work.Append(Facts.ProviderGroupsTold(over.Key.Name, $"oidc:{over.Key.Provider}", [], [.. over.Select(one => one.Group)], null, now));
        }

        foreach (var over in (await work.LapseAttributesAsync(Stored.Round(now))).GroupBy(one => (one.Name, one.Provider)))
        {
            work.Append(Facts.ProviderAttributesTold(over.Key.Name, $"oidc:{over.Key.Provider}", [], [.. over.Select(one => one.ToString())], null, now));
        }
    }
}
