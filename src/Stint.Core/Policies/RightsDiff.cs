using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Whether a new catalog changes who has a right in Stint itself, or how one comes to it.</summary>
/// <remarks>Whoever may change catalogs and nothing else must not come to everything else by a catalog. What might matter counts as if it did.</remarks>
public static class RightsDiff
{
    /// <param name="before">What decides.</param>
    /// <param name="after">What shall decide; both with the directory's people.</param>
    /// <param name="now">The moment, for those on call.</param>
    /// <returns>The first thing that it changes, in words; null for nothing of the kind.</returns>
    public static string? Between(LoadedCatalog before, LoadedCatalog after, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var items = ItemDiff.Between(before, after);
        List<Policy> policies = [.. before.Policies.Where(policy => policy.Roles.Any(before.IsOfStint)), .. after.Policies.Where(policy => policy.Roles.Any(after.IsOfStint))];
        return items.FirstOrDefault(item => IsOfItself(item, before, after, policies)) is { } changed ? Named(changed)
            : Grown(before, after) is { } group ? $"which group of the directory '{group}' is"
            : Person(before, after, policies, now) is { } person ? $"how {person} comes to one"
            : null;
    }

    private static bool IsOfItself(ItemChange item, LoadedCatalog before, LoadedCatalog after, List<Policy> policies) => item.Kind switch
    {
        "admins" or "auditors" or "changes" => true,
        "resource" => Is(before, item.Name) || Is(after, item.Name),
        "role" => RoleRef.Parse(item.Name) is { } role && (before.IsOfStint(role) || after.IsOfStint(role)),
        "policy" => policies.Exists(policy => policy.Name == item.Name),
        "separation" => before.Separations.Concat(after.Separations).Any(one => one.Name == item.Name && one.One.Concat(one.Other).Any(role => before.IsOfStint(role) || after.IsOfStint(role))),
        "never" => before.Nevers.Any(never => never.Name == item.Name && never.Roles.Any(before.IsOfStint)),
        "on-call" => policies.Count > 0,

        // NB. Whoever may put a token beside another's name is that person.
        "person" => before.People.TryGetValue(item.Name, out var old) && after.People.TryGetValue(item.Name, out var young) && !SameTokens(old, young),
        _ => false,
    };

    private static bool Is(LoadedCatalog catalog, string resource) => catalog.Resources.TryGetValue(resource, out var found) && found.Kind == StintRights.Kind;

    private static bool SameTokens(Person one, Person other) =>
        one.TokenHashes.Select(Convert.ToHexString).ToHashSet(StringComparer.Ordinal).SetEquals(other.TokenHashes.Select(Convert.ToHexString));

    private static string Named(ItemChange item) => item.Name.Length == 0 ? $"'{item.Kind}'" : item.Kind == "person" ? $"the token of {item.Name}" : $"{item.Kind} '{item.Name}'";

    private static string? Grown(LoadedCatalog before, LoadedCatalog after) => before.Groups.Keys.Where(after.Groups.ContainsKey)
        .FirstOrDefault(group => before.FromDirectory.GetValueOrDefault(group) != after.FromDirectory.GetValueOrDefault(group)
            || !before.GroupsIn.GetValueOrDefault(group, []).SetEquals(after.GroupsIn.GetValueOrDefault(group, [])));

    /// <summary>Somebody who comes to a right otherwise than before: by other people's yes, or as somebody of whom other things are said.</summary>
    private static SubjectId? Person(LoadedCatalog before, LoadedCatalog after, List<Policy> policies, DateTimeOffset now)
    {
        var conditions = policies.Exists(policy => policy.Where is not null || policy.When is not null || policy.Auto is not null);
        var roles = before.Resources.Values.Concat(after.Resources.Values).Where(resource => resource.Kind == StintRights.Kind).SelectMany(resource => resource.Roles.Values).Select(role => role.Ref).Distinct().ToList();
        var (old, young) = (new Standings(before, now), new Standings(after, now));
        foreach (var who in policies.SelectMany(policy => policy.Who).Distinct())
        {
            if (before.Find(who) is not Person was || after.Find(who) is not Person @is)
            {
                return who;
            }

            if (was.Disabled != @is.Disabled || was.Manager != @is.Manager
                || (conditions && (!before.GroupsOf(who).SequenceEqual(after.GroupsOf(who)) || was.Attributes.Count != @is.Attributes.Count || was.Attributes.Any(pair => @is.Attributes.GetValueOrDefault(pair.Key) != pair.Value)))
                || roles.Exists(role => old.Of(who, role).ToNode().ToJsonString() != young.Of(who, role).ToNode().ToJsonString()))
            {
                return who;
            }
        }

        return null;
    }
}
