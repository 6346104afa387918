using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Resolves <c>group:NAME</c>, <c>person:NAME</c>, <c>workload:NAME</c> and bare names of persons.</summary>
internal sealed class Subjects(
    Reading reading,
    IReadOnlyDictionary<string, Person> people,
    IReadOnlyDictionary<string, FrozenSet<SubjectId>> groups,
    IReadOnlyCollection<string> personNames,
    IReadOnlyCollection<string> groupNames,
    IReadOnlyCollection<string> workloadNames)
{
    /// <summary>Every person that a text or a list of texts names.</summary>
    /// <remarks>NB. A workload in a group that owns or administers owns and administers nothing: machines ask, and nothing else.</remarks>
    public IReadOnlyCollection<SubjectId> Read(Node node, string what)
    {
        foreach (var (text, place) in (node as ListNode)?.Items.OfType<TextNode>().Select(item => (item.Value, item.Place)) ?? (node is TextNode { IsNull: false } one ? [(one.Value, one.Place)] : []))
        {
            if (text.StartsWith("workload:", StringComparison.Ordinal))
            {
                reading.Problems.Error(place, $"'{what}' names a workload", "machines ask, and never approve, own or administer; name persons and groups");
                return [];
            }
        }

        return [.. Askers(node, what).Where(subject => !subject.IsWorkload)];
    }

    /// <summary>Everybody that a text or a list of texts names, workloads as well: whoever may ask.</summary>
    public IReadOnlyCollection<SubjectId> Askers(Node node, string what)
    {
        var found = new HashSet<SubjectId>();
        if (node is TextNode { IsNull: true } or ListNode { Items.Count: 0 })
        {
            reading.Problems.Error(node.Place, $"'{what}' names nobody", "name group:NAME or person:NAME, or leave the key out");
            return found;
        }

        foreach (var (text, place) in reading.Texts(node, $"'{what}'", 80))
        {
            if (text.StartsWith("group:", StringComparison.Ordinal))
            {
                found.UnionWith(Group(text["group:".Length..], place) ?? []);
            }
            else if (text.StartsWith("workload:", StringComparison.Ordinal))
            {
                if (Workload(reading, text, place, workloadNames) is { } machine)
                {
                    found.Add(machine);
                }
            }
            else if (Person(text, place) is { } person)
            {
                found.Add(person);
            }
        }

        return found;
    }

    /// <summary>A workload that the catalog has; null with a problem.</summary>
    public static SubjectId? Workload(Reading reading, string text, CatalogPlace place, IReadOnlyCollection<string> names)
    {
        var name = text["workload:".Length..];
        if (names.Contains(name, StringComparer.Ordinal))
        {
            return SubjectId.Workload(name);
        }

        reading.Problems.Error(place, $"no workload is called '{Words.Short(name)}'", Words.Meant(name, names, "add it under 'workloads'"));
        return null;
    }

    /// <summary>The same for each of the names in a text or a list of texts.</summary>
    public static List<string> Names(Node node) => Written(node).ConvertAll(Full);

    /// <summary>The names in a text or a list of texts, as they are written.</summary>
    public static List<string> Written(Node node) => [.. ((node as ListNode)?.Items ?? [node]).OfType<TextNode>().Select(text => text.Value)];

    /// <summary>A name with its kind before it: <c>ann</c> becomes <c>person:ann</c>.</summary>
    public static string Full(string text) => ((string[])["group:", "person:", "workload:"]).Any(kind => text.StartsWith(kind, StringComparison.Ordinal)) ? text : "person:" + text;

    public FrozenSet<SubjectId>? Group(string name, CatalogPlace place)
    {
        if (groups.TryGetValue(name, out var members))
        {
            return members;
        }

        reading.Problems.Error(place, $"no group is called '{Words.Short(name)}'", Words.Meant(name, groupNames, "add it under 'groups'"));
        return null;
    }

    public SubjectId? Person(string text, CatalogPlace place)
    {
        var name = text.StartsWith("person:", StringComparison.Ordinal) ? text["person:".Length..] : text;
        if (people.ContainsKey(name))
        {
            return new SubjectId(name);
        }

        reading.Problems.Error(
            place,
            $"no person is called '{Words.Short(name)}'",
            groups.ContainsKey(name) ? $"for the group write group:{name}" : Words.Meant(name, personNames, "add them under 'people'"));
        return null;
    }
}
