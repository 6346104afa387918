using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>separate</c>: roles that one person may not hold together.</summary>
internal static class SeparateSection
{
    private const string WayOut = "write one: [pay-db/prepare], other: [pay-db/release]";

    /// <param name="draft">The gathered entries.</param>
    /// <param name="policies">Has read the policies: it knows the roles.</param>
    public static IReadOnlyList<Separation> Read(Draft draft, PoliciesSection policies)
    {
        var reading = draft.Reading;
        var separations = new List<Separation>();
        foreach (var entry in draft.Section("separate").Values.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (reading.Map(entry.Value, "a separation") is not { } map)
            {
                continue;
            }

            // NB. A verdict names rules of both sorts side by side: one name must not mean two of them.
            if (draft.Section("policies").TryGetValue(entry.Key, out var policy))
            {
                reading.Problems.Error(entry.Place, $"a policy is called '{entry.Key}' already; in {policy.Place}", "give the separation another name");
            }

            reading.Keys(map, "a separation", ["one", "other", "within"]);
            var (one, oneText) = Side(entry, map, "one", reading, policies);
            var (other, otherText) = Side(entry, map, "other", reading, policies);
            foreach (var role in one.Where(other.Contains).OrderBy(role => role.ToString(), StringComparer.Ordinal).Take(3))
            {
                reading.Problems.Error(map.Find("other")!.Value.Place, $"'{role}' stands on both sides of '{entry.Key}': nobody could ever hold it", "keep it on one side");
            }

            separations.Add(new Separation
            {
                Name = entry.Key,
                Place = entry.Place,
                Text = entry.Source,
                One = one,
                OneText = oneText,
                Other = other,
                OtherText = otherText,
                Within = reading.Duration(map, "within", "'within'", TimeSpan.FromSeconds(1), Words.LongestDuration) ?? TimeSpan.Zero,
            });
        }

        return separations;
    }

    /// <summary>Says of which separations nobody could ever be kept apart.</summary>
    public static void Check(LoadedCatalog catalog, Problems problems)
    {
        foreach (var separation in catalog.Separations)
        {
            var one = Reaching(catalog, separation.One);
            if (!Reaching(catalog, separation.Other).Overlaps(one))
            {
                problems.Warn(separation.Place, $"'{separation.Name}' keeps apart what nobody could have both of: no person can ask for a role of each side");
            }
        }
    }

    private static HashSet<SubjectId> Reaching(LoadedCatalog catalog, FrozenSet<RoleRef> roles) =>
        [.. catalog.Policies.Where(policy => !policy.Deny && policy.Roles.Overlaps(roles)).SelectMany(policy => policy.Who)];

    private static (FrozenSet<RoleRef> Roles, string Text) Side(Entry separation, MapNode map, string key, Reading reading, PoliciesSection policies)
    {
        if (map.Find(key) is not { } side)
        {
            reading.Problems.Error(separation.Place, $"separation '{separation.Key}' lacks '{key}'", WayOut);
            return (FrozenSet<RoleRef>.Empty, "");
        }

        var named = ((side.Value as ListNode)?.Items ?? [side.Value]).OfType<TextNode>().Select(text => text.Value);
        return (policies.Roles(side), string.Join(" or ", named));
    }
}
