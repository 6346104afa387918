using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Roles that are asked for together: joining a team, going on call. It lets nobody have anything: each role is decided by its own policies.</summary>
public sealed record Bundle
{
    public required string Name { get; init; }

    /// <summary>Where it stands in the catalog.</summary>
    public CatalogPlace Place { get; init; }

    public string Description { get; init; } = "";

    /// <summary>At least one, each once, in the order of writing: that in which they are decided.</summary>
    public required IReadOnlyList<RoleRef> Roles { get; init; }

    /// <summary>How long when the asking does not say; null for what the policies of each role give.</summary>
    public TimeSpan? For { get; init; }
}

/// <summary>Reads <c>bundles</c>.</summary>
internal sealed class BundlesSection(Reading reading, Dictionary<string, Resource> resources)
{
    /// <summary>Most roles of one bundle.</summary>
    public const int MostRoles = 20;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public Dictionary<string, Bundle> Read(Dictionary<string, Entry> section)
    {
        var bundles = new Dictionary<string, Bundle>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            if (reading.Map(entry.Value, "a bundle") is not { } map)
            {
                continue;
            }

            reading.Keys(map, "a bundle", ["description", "roles", "for"]);
            bundles[entry.Key] = new Bundle
            {
                Name = entry.Key,
                Place = entry.Place,
                Description = reading.Text(map, "description", "'description'") ?? "",
                Roles = Roles(entry, map),
                For = reading.Duration(map, "for", "'for'", Second, Words.LongestDuration),
            };
        }

        return bundles;
    }

    /// <summary>What can only be said once the policies are known.</summary>
    public static void Check(LoadedCatalog catalog, Problems problems)
    {
        foreach (var bundle in catalog.Bundles.Values.OrderBy(bundle => bundle.Name, StringComparer.Ordinal))
        {
            if (bundle.Roles.Any(role => catalog.Policies.Any(policy => !policy.Deny && policy.Roles.Contains(role) && policy.WhoNames.Any(catalog.GrowsByName))))
            {
                continue;
            }

            var askers = bundle.Roles.Select(role => Askers(catalog, role)).ToList();
            if (askers.TrueForAll(people => people.Count == 0))
            {
                problems.Error(bundle.Place, $"nobody may ask for any role of bundle '{bundle.Name}'", "let a policy reach one of them, or take the bundle out");
            }
            else if (!askers[0].Any(person => askers.TrueForAll(people => people.Contains(person))))
            {
                problems.Warn(bundle.Place, $"nobody may ask for every role of bundle '{bundle.Name}': whoever asks for it gets a part of it");
            }
        }
    }

    private static HashSet<SubjectId> Askers(LoadedCatalog catalog, RoleRef role) =>
    [
        .. catalog.Policies.Where(policy => !policy.Deny && policy.Roles.Contains(role)).Select(policy => policy.Who).Distinct().SelectMany(who => who)
            .Where(subject => !subject.IsWorkload && catalog.MayAsk(subject)),
    ];

    private List<RoleRef> Roles(Entry entry, MapNode map)
    {
        const string wayOut = "write roles: [RESOURCE/ROLE, RESOURCE/ROLE]";
        if (map.Find("roles") is not { } roles)
        {
            reading.Problems.Error(entry.Place, $"bundle '{entry.Key}' lacks 'roles'", wayOut);
            return [];
        }

        if (roles.Value is not ListNode { Items: var items })
        {
            reading.Problems.Error(roles.Value.Place, $"the roles of a bundle are a list, and this is {roles.Value.Kind}", wayOut);
            return [];
        }

        if (items.Count is 0 or > MostRoles)
        {
            reading.Problems.Error(roles.Value.Place, items.Count == 0 ? "'roles' names none" : $"a bundle takes at most {MostRoles} roles", items.Count == 0 ? wayOut : "make several bundles of it");
        }

        var found = new List<RoleRef>();
        foreach (var (text, place) in reading.Texts(roles.Value, "'roles'", 130))
        {
            if (RoleRef.Parse(text) is not { } role || !resources.TryGetValue(role.Resource, out var resource) || !resource.Roles.ContainsKey(role.Role))
            {
                var way = text.Contains('*', StringComparison.Ordinal)
                    ? "a bundle names each of its roles, so that whoever asks knows what for"
                    : Words.Meant(text, [.. resources.Values.SelectMany(one => one.Roles.Values).Select(one => one.Ref.ToString())], "write RESOURCE/ROLE, see 'resources'");
                reading.Problems.Error(place, $"no role is called '{Words.Short(text)}'", way);
            }
            else if (found.Contains(role))
            {
                reading.Problems.Error(place, $"'{text}' stands in this bundle already", "keep one of the two");
            }
            else
            {
                found.Add(role);
            }
        }

        return found;
    }
}
