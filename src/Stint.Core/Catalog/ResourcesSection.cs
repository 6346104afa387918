using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>resources</c> with their roles.</summary>
internal sealed class ResourcesSection(Draft draft, Subjects names)
{
    private static readonly string[] Keys = ["kind", "description", "labels", "owners", "settings", "roles"];
    private static readonly string[] Risks = ["low", "medium", "high"];

    private readonly Reading _reading = draft.Reading;

    public Dictionary<string, Resource> Read()
    {
        var resources = new Dictionary<string, Resource>(StringComparer.Ordinal);
        foreach (var entry in draft.Section("resources").Values)
        {
            if (_reading.Map(entry.Value, "a resource") is { } map)
            {
                var resource = resources[entry.Key] = One(entry, map);
                if (draft.Kinds.TryGetValue(resource.Kind, out var shape) && shape.OnlyOne
                    && resources.Values.FirstOrDefault(other => other.Kind == resource.Kind && other != resource) is { } other)
                {
                    _reading.Problems.Error(map.Find("kind")!.Value.Place, $"'{entry.Key}' is a second resource of the kind '{resource.Kind}', beside '{other.Name}'", "there is one at the most: name its roles under one of the two");
                }
            }
        }

        return resources;
    }

    private Resource One(Entry entry, MapNode map)
    {
        _reading.Keys(map, "a resource", Keys);
        var shape = Shape(entry, map);
        var settings = Settings.Empty;
        if (map.Find("settings") is { } given)
        {
            if (_reading.Map(given.Value, "'settings'", orNothing: true) is { } values && shape is not null)
            {
                settings = SettingsReading.Read(_reading, values, $"the settings of a {shape.Kind}", shape.Resource);
            }
        }
        else if (shape is not null)
        {
            settings = SettingsReading.Read(_reading, new MapNode(entry.Place, []), $"the settings of a {shape.Kind}", shape.Resource);
        }

        return new Resource
        {
            Name = entry.Key,
            Kind = shape?.Kind ?? "",
            Description = _reading.Text(map, "description", "'description'") ?? "",
            Labels = _reading.TextMap(map, "labels", "a label"),
            Owners = map.Find("owners") is { } owners ? names.Read(owners.Value, "owners").ToFrozenSet() : FrozenSet<SubjectId>.Empty,
            OwnerNames = map.Find("owners") is { } named ? Subjects.Names(named.Value) : [],
            Settings = settings,
            Roles = Roles(entry, map, shape),
        };
    }

    private KindShape? Shape(Entry entry, MapNode map)
    {
        if (map.Find("kind") is not { } kind)
        {
            _reading.Problems.Error(entry.Place, $"resource '{entry.Key}' lacks 'kind'", Words.Meant("", [.. draft.Kinds.Keys], "no kind is known"));
            return null;
        }

        if (_reading.Text(kind.Value, "'kind'", 60) is not { } name)
        {
            return null;
        }

        if (!draft.Kinds.TryGetValue(name, out var shape))
        {
            _reading.Problems.Error(kind.Value.Place, $"no kind of resource is called '{Words.Short(name)}'", Words.Meant(name, [.. draft.Kinds.Keys], "no kind is known"));
        }

        return shape;
    }

    private FrozenDictionary<string, Role> Roles(Entry resource, MapNode map, KindShape? shape)
    {
        var roles = new Dictionary<string, Role>(StringComparer.Ordinal);
        if (map.Find("roles") is not { } given || given.Value is TextNode { IsNull: true } or MapNode { Entries.Count: 0 })
        {
            _reading.Problems.Error(map.Find("roles")?.Place ?? resource.Place, $"resource '{resource.Key}' has no roles", "a resource without one cannot be asked for: add it under 'roles'");
            return FrozenDictionary<string, Role>.Empty;
        }

        foreach (var entry in _reading.Map(given.Value, "'roles'")?.Entries ?? [])
        {
            if (!_reading.Name(entry, "a role") || _reading.Map(entry.Value, "a role", orNothing: true) is not { } role)
            {
                continue;
            }

            if (roles.Keys.FirstOrDefault(name => name.Equals(entry.Key, StringComparison.OrdinalIgnoreCase)) is { } other)
            {
                _reading.Problems.Error(entry.Place, $"'{entry.Key}' differs from '{other}' in capitals only", "keep one of the two");
            }

            if (shape?.RoleNames is { } allowed && !allowed.Contains(entry.Key, StringComparer.Ordinal))
            {
                _reading.Problems.Error(entry.Place, $"a {shape.Kind} has no role '{Words.Short(entry.Key)}'", Words.Meant(entry.Key, [.. allowed], "it has none"));
            }

            var reference = new RoleRef(resource.Key, entry.Key);
            draft.RolePlaces[reference] = entry.Place;
            var own = role.Entries.Where(item => item.Key is not ("description" or "risk")).ToList();
            roles[entry.Key] = new Role
            {
                Ref = reference,
                Description = _reading.Text(role, "description", "'description'") ?? "",
                Risk = Risk(role),
                Settings = shape is null
                    ? Settings.Empty
                    : SettingsReading.Read(_reading, new MapNode(entry.Place, own), $"a role of a {shape.Kind}", shape.Role),
            };
        }

        return roles.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private string Risk(MapNode role)
    {
        if (_reading.Text(role, "risk", "'risk'", 20) is not { } risk)
        {
            return "low";
        }

        if (!Risks.Contains(risk))
        {
            _reading.Problems.Error(role.Find("risk")!.Value.Place, "'risk' is none of low, medium, high");
        }

        return risk;
    }
}
