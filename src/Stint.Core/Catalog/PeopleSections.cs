using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>people</c> and <c>groups</c>.</summary>
internal static class PeopleSections
{
    private static readonly string[] PersonKeys = ["name", "mail", "manager", "token", "tokens", "disabled", "attributes"];
    private static readonly string[] GroupKeys = ["description", "members", "directory"];

    /// <summary>Longest name of a group of the directory.</summary>
    private const int LongestDirectoryName = 256;

    public static Dictionary<string, Person> People(Reading reading, Dictionary<string, Entry> section)
    {
        var people = new Dictionary<string, Person>(StringComparer.Ordinal);
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            if (reading.Map(entry.Value, "a person", orNothing: true) is not { } map)
            {
                people[entry.Key] = new Person { Id = new SubjectId(entry.Key), TokenHashes = [], Disabled = true };
                continue;
            }

            reading.Keys(map, "a person", PersonKeys, ("groups", "a group lists its members, not the other way round", "name the person under 'groups'"));
            var mail = reading.Text(map, "mail", "'mail'", 254);
            if (mail is not null && (mail.Count(c => c == '@') != 1 || mail.Any(char.IsWhiteSpace) || mail.StartsWith('@') || mail.EndsWith('@')))
            {
                reading.Problems.Error(map.Find("mail")!.Value.Place, "'mail' is not an address");
            }

            var manager = reading.Text(map, "manager", "'manager'", 80);
            people[entry.Key] = new Person
            {
                Id = new SubjectId(entry.Key),
                Name = reading.Text(map, "name", "'name'", 120) ?? "",
                Mail = mail,
                Manager = manager is null ? null : new SubjectId(manager.StartsWith("person:", StringComparison.Ordinal) ? manager["person:".Length..] : manager),
                Attributes = reading.TextMap(map, "attributes", "an attribute"),
                TokenHashes = Tokens(reading, map, entry.Key, seen),
                Disabled = reading.Flag(map, "disabled", "'disabled'"),
            };
        }

        return people;
    }

    public static void CheckManagers(Reading reading, Dictionary<string, Entry> section, Subjects names)
    {
        foreach (var entry in section.Values)
        {
            if (entry.Value is MapNode map && map.Find("manager")?.Value is TextNode { IsNull: false } manager)
            {
                var to = names.Person(manager.Value, manager.Place);
                if (to?.Value == entry.Key)
                {
                    reading.Problems.Error(manager.Place, $"'{entry.Key}' is their own manager", "name another person, or leave the key out");
                }
            }
        }
    }

    /// <returns>The members of each group, and the groups in it, both groups in groups counted.</returns>
    public static (Dictionary<string, FrozenSet<SubjectId>> Members, Dictionary<string, FrozenSet<string>> Inner) Groups(Reading reading, Dictionary<string, Entry> section, Dictionary<string, Person> people, IReadOnlyCollection<string> workloads)
    {
        var direct = new Dictionary<string, List<SubjectId>>(StringComparer.Ordinal);
        var inner = new Dictionary<string, List<(string Group, CatalogPlace Place)>>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            var persons = direct[entry.Key] = [];
            var groups = inner[entry.Key] = [];
            foreach (var (text, place) in Members(reading, entry))
            {
                if (text.StartsWith("group:", StringComparison.Ordinal))
                {
                    var name = text["group:".Length..];
                    if (section.TryGetValue(name, out var found) && found.Key == name)
                    {
                        groups.Add((name, place));
                    }
                    else
                    {
                        reading.Problems.Error(place, $"no group is called '{Words.Short(name)}'", Words.Meant(name, section.Keys, "add it under 'groups'"));
                    }
                }
                else if (text.StartsWith("workload:", StringComparison.Ordinal))
                {
                    if (Subjects.Workload(reading, text, place, workloads) is { } machine)
                    {
                        persons.Add(machine);
                    }
                }
                else
                {
                    var name = text.StartsWith("person:", StringComparison.Ordinal) ? text["person:".Length..] : text;
                    if (people.ContainsKey(name))
                    {
                        persons.Add(new SubjectId(name));
                    }
                    else
                    {
                        var wayOut = section.ContainsKey(name) ? $"for the group write group:{name}" : Words.Meant(name, people.Keys, "add them under 'people'");
                        reading.Problems.Error(place, $"no person is called '{Words.Short(name)}'", wayOut);
                    }
                }
            }
        }

        ReportCycles(reading, section, inner);
        var members = new Dictionary<string, FrozenSet<SubjectId>>(StringComparer.Ordinal);
        var held = new Dictionary<string, FrozenSet<string>>(StringComparer.Ordinal);
        foreach (var name in section.Values.Select(entry => entry.Key))
        {
            (members[name], held[name]) = Flatten(name, direct, inner);
        }

        return (members, held);
    }

    private static IReadOnlyList<(string Text, CatalogPlace Place)> Members(Reading reading, Entry entry)
    {
        var node = entry.Value;
        if (node is MapNode map)
        {
            reading.Keys(map, "a group", GroupKeys);
            _ = reading.Text(map, "description", "'description'");
            if (map.Find("members") is not { } members)
            {
                if (map.Find("directory") is null)
                {
                    reading.Problems.Error(map.Place, $"group '{entry.Key}' lacks 'members'", "write members: [] for nobody, or directory: NAME for those of a group of the directory");
                }

                return [];
            }

            node = members.Value;
        }

        if (node is not ListNode)
        {
            reading.Problems.Error(node.Place, $"the members of group '{entry.Key}' are a list, and this is {node.Kind}", "write [ann, bob, group:others]");
            return [];
        }

        return reading.Texts(node, "the members", 80);
    }

    /// <summary>The groups that have their members from the directory, with that group's name there.</summary>
    public static Dictionary<string, string> FromDirectory(Reading reading, Dictionary<string, Entry> section)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            if (entry.Value is MapNode map && map.Find("directory") is not null && reading.Text(map, "directory", "'directory'", LongestDirectoryName) is { } name)
            {
                found[entry.Key] = name.Trim();
            }
        }

        return found;
    }

    private static (FrozenSet<SubjectId> Members, FrozenSet<string> Inner) Flatten(string group, Dictionary<string, List<SubjectId>> direct, Dictionary<string, List<(string Group, CatalogPlace Place)>> inner)
    {
        var found = new HashSet<SubjectId>();
        var seen = new HashSet<string>(StringComparer.Ordinal) { group };
        var open = new Stack<string>([group]);
        while (open.TryPop(out var next))
        {
            found.UnionWith(direct[next]);
            foreach (var (name, _) in inner[next].Where(other => seen.Add(other.Group)))
            {
                open.Push(name);
            }
        }

        seen.Remove(group);
        return (found.ToFrozenSet(), seen.ToFrozenSet(StringComparer.Ordinal));
    }

    private static void ReportCycles(Reading reading, Dictionary<string, Entry> section, Dictionary<string, List<(string Group, CatalogPlace Place)>> inner)
    {
        // Takes away, again and again, the groups that hold no others: what stays holds a cycle. No recursion, so that depth costs no stack.
        var left = inner.ToDictionary(pair => pair.Key, pair => pair.Value.Select(item => item.Group).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        var free = new Queue<string>(left.Where(pair => pair.Value.Count == 0).Select(pair => pair.Key));
        var heldBy = inner.SelectMany(pair => pair.Value.Select(item => (item.Group, By: pair.Key))).ToLookup(pair => pair.Group, pair => pair.By, StringComparer.Ordinal);
        while (free.TryDequeue(out var group))
        {
            left.Remove(group);
            foreach (var by in heldBy[group])
            {
                if (left.TryGetValue(by, out var holds) && holds.Remove(group) && holds.Count == 0)
                {
                    free.Enqueue(by);
                }
            }
        }

        // Of those that stay, some only hold a cycle. One sentence for each cycle, at its first group.
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var start in left.Keys.Order(StringComparer.Ordinal))
        {
            var path = new List<string>();
            var at = start;
            while (!path.Contains(at) && !told.Contains(at))
            {
                path.Add(at);
                at = left[at].Order(StringComparer.Ordinal).First();
            }

            if (!told.Contains(at))
            {
                var cycle = path[path.IndexOf(at)..];
                var place = inner[cycle[0]].First(item => item.Group == (cycle.Count > 1 ? cycle[1] : cycle[0])).Place;
                reading.Problems.Error(place, $"groups hold each other in a circle: {string.Join(" → ", cycle)} → {cycle[0]}", "take one of them out");
            }

            told.UnionWith(path);
        }
    }

    private static List<byte[]> Tokens(Reading reading, MapNode map, string person, Dictionary<string, string> seen)
    {
        var hashes = new List<byte[]>();
        if (map.Find("token") is not null && map.Find("tokens") is { } both)
        {
            reading.Problems.Error(both.Place, "'token' and 'tokens' stand side by side", "put all of them into 'tokens'");
        }

        foreach (var entry in map.Entries.Where(entry => entry.Key is "token" or "tokens"))
        {
            foreach (var item in entry.Value is ListNode list ? list.Items : [entry.Value])
            {
                if (Hash(reading, item) is not { } hash)
                {
                    continue;
                }

                // NB. Two people with one token could not be told apart. The hash itself is never repeated.
                if (!seen.TryAdd(hash, person))
                {
                    reading.Problems.Error(item.Place, $"this token is also that of '{seen[hash]}'", "make one for each with stint token");
                    continue;
                }

                hashes.Add(Convert.FromHexString(hash));
            }
        }

        return hashes;
    }

    private static string? Hash(Reading reading, Node node)
    {
        const string prefix = "sha256:";
        if (node is TextNode { IsNull: false } text)
        {
            if (text.Value.StartsWith(prefix, StringComparison.Ordinal) && text.Value.Length == prefix.Length + 64 && text.Value.Skip(prefix.Length).All(char.IsAsciiHexDigit))
            {
                return text.Value[prefix.Length..].ToLowerInvariant();
            }

            if (text.Value.StartsWith("stp_", StringComparison.Ordinal))
            {
                reading.Problems.Error(node.Place, "a token itself stands here, and secrets never stand in the catalog", "make a new one with stint token, and put the sha256:… that it prints here");
                return null;
            }
        }

        reading.Problems.Error(node.Place, "this is not the hash of a token", "write sha256: and 64 hexadecimal digits, as stint token prints it");
        return null;
    }
}
