using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Terms with a name that policies share.</summary>
public sealed record Template
{
    public required string Name { get; init; }

    /// <summary>Where it stands in the catalog.</summary>
    public CatalogPlace Place { get; init; }

    /// <summary>Each key that it gives, as it is written.</summary>
    public required IReadOnlyDictionary<string, string> Keys { get; init; }
}

/// <summary>Reads <c>templates</c>, and gives policies what they take from them.</summary>
internal sealed partial class PoliciesSection
{
    private static readonly string[] TemplateKeys = ["for", "reason", "approve", "record", "begin_within"];

    private readonly Dictionary<string, MapNode> _templates = new(StringComparer.Ordinal);
    private readonly HashSet<string> _templatesUsed = new(StringComparer.Ordinal);

    /// <summary>The templates; before the policies are read.</summary>
    public Dictionary<string, Template> Templates(Dictionary<string, Workflow> workflows)
    {
        var templates = new Dictionary<string, Template>(StringComparer.Ordinal);
        foreach (var entry in draft.Section("templates").Values)
        {
            if (_reading.Map(entry.Value, "a template") is not { } map)
            {
                continue;
            }

            _reading.Keys(map, "a template", TemplateKeys);
            if (map.Entries.Count == 0)
            {
                _reading.Problems.Error(map.Place, $"template '{entry.Key}' is empty", $"give it some of {string.Join(", ", TemplateKeys)}");
            }

            // Looked at here as well, so that what is wrong with one that no policy takes is said too.
            _ = For(map);
            _ = Reason(map);
            _ = Record(map);
            _ = BeginWithin(map);
            if (map.Find("approve") is not null)
            {
                _ = Approve(entry, map, workflows, $"template '{entry.Key}'");
            }

            _templates[entry.Key] = map;
            templates[entry.Key] = new Template { Name = entry.Key, Place = entry.Place, Keys = map.Entries.ToDictionary(key => key.Key, key => key.Source, StringComparer.Ordinal) };
        }

        return templates;
    }

    /// <summary>Says which templates no policy takes; after the policies were read.</summary>
    public void Unused(Dictionary<string, Template> templates)
    {
        foreach (var template in templates.Values.Where(template => !_templatesUsed.Contains(template.Name)))
        {
            _reading.Problems.Warn(template.Place, $"no policy takes template '{template.Name}'", $"write template: {template.Name} in a policy, or take it out");
        }
    }

    /// <summary>The policy with what its template gives and it does not say itself, and the template's name.</summary>
    private (MapNode Policy, string? Template) Templated(MapNode policy)
    {
        if (policy.Find("template") is not { } given || _reading.Text(given.Value, "'template'", 80) is not { } name)
        {
            return (policy, null);
        }

        _templatesUsed.Add(name);
        if (_templates.TryGetValue(name, out var template))
        {
            return (new MapNode(policy.Place, [.. policy.Entries, .. template.Entries.Where(entry => policy.Find(entry.Key) is null)]), name);
        }

        if (!draft.Section("templates").ContainsKey(name))
        {
            _reading.Problems.Error(given.Value.Place, $"no template is called '{Words.Short(name)}'", Words.Meant(name, draft.Section("templates").Keys, "add it under 'templates'"));
        }

        return (policy, name);
    }
}
