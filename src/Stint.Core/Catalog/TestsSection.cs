using System.Globalization;
using Stint.Core.Catalog.Yaml;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>tests</c>.</summary>
internal sealed class TestsSection(Reading reading, IReadOnlyCollection<string> groups, IReadOnlyCollection<string> policies, Dictionary<string, Resource> resources, Dictionary<string, Bundle> bundles)
{
    /// <summary>When a test is asked that does not say: a Monday, noon in UTC.</summary>
    public static readonly DateTimeOffset Usual = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public IReadOnlyList<CatalogTest> Read(IReadOnlyList<Node> sections)
    {
        var tests = new List<CatalogTest>();
        var names = new Dictionary<string, CatalogPlace>(StringComparer.Ordinal);
        foreach (var section in sections.Where(section => section is not TextNode { IsNull: true }))
        {
            if (section is not ListNode list)
            {
                reading.Problems.Error(section.Place, $"'tests' is a list, and this is {section.Kind}", "write tests: [ { name: …, given: { subject: ann, ask: orders-db/read-only }, expect: { verdict: allow } } ]");
                continue;
            }

            foreach (var item in list.Items)
            {
                if (reading.Map(item, "a test") is { } map && Test(map) is { } test)
                {
                    if (!names.TryAdd(test.Name, test.Place))
                    {
                        reading.Problems.Error(test.Place, $"a test is called '{Words.Short(test.Name)}' already; first in {names[test.Name]}", "give each its own name");
                    }

                    tests.Add(test);
                }
            }
        }

        return tests;
    }

    private CatalogTest? Test(MapNode map)
    {
        reading.Keys(map, "a test", ["name", "given", "expect"]);
        var name = Needed(map, "name", "a test") is { } named ? reading.Text(named, "'name'", 200) : null;
        var given = Needed(map, "given", "a test") is { } asked ? reading.Map(asked, "'given'") : null;
        var expected = Needed(map, "expect", "a test");
        if (given is null)
        {
            _ = expected is null ? null : Expect(expected, null);
            return null;
        }

        reading.Keys(given, "'given'", ["subject", "ask", "for", "reason", "ticket", "start", "at", "held", "break_glass", "task", "statements"]);
        var subject = Needed(given, "subject", "'given'");
        var wanted = Needed(given, "ask", "'given'");
        var bundle = wanted is TextNode { Value: var word } ? bundles.GetValueOrDefault(word) : null;
        var ask = bundle is not null ? bundle.Roles is [var first, ..] ? first : default : wanted is null ? null : Role(wanted);
        var expect = expected is null ? null : Expect(expected, bundle);
        var at = Moment(given, "at") ?? Usual;
        if (name is null || expect is null || subject is null || ask is not { } role || Subject(subject) is not { } test)
        {
            return null;
        }

        return test with
        {
            Name = name,
            Place = map.Place,
            Ask = role,
            Bundle = bundle?.Name,
            For = reading.Duration(given, "for", "'for'", Second, Words.LongestDuration),
            Reason = reading.Text(given, "reason", "'reason'", 2_000, newLines: true),
            Ticket = reading.Text(given, "ticket", "'ticket'", 200),
            Start = Moment(given, "start"),
            At = at,
            Held = given.Find("held") is { } held ? Held(held.Value, at) : [],
            Task = Task(given),
            Statements = Statements(given),
            BreakGlass = reading.Flag(given, "break_glass", "'break_glass'"),
            Expect = expect,
        };
    }

    private string? Task(MapNode given)
    {
        var text = reading.Text(given, "task", "'task'", Requests.TaskName.Longest);
        var task = Requests.TaskName.Normal(text);
        if (task is null && text is not null)
        {
            reading.Problems.Error(given.Find("task")!.Value.Place, "'task' is not the name of a task", "write SYSTEM:NAME: github:org/repo#12, jira:OPS-7");
        }

        return task;
    }

    private Requests.ExactStatements? Statements(MapNode given)
    {
        if (given.Find("statements") is not { } entry)
        {
            return null;
        }

        var texts = reading.Texts(entry.Value, "'statements'", 20_000, newLines: true);
        return Requests.ExactStatements.Check(
            [new(Requests.ExactStatements.Type, [.. texts.Select(item => new Requests.AskedStatement(item.Text, null, false, null))])],
            (_, what, wayOut) => reading.Problems.Error(entry.Value.Place, $"'statements': {what}", wayOut ?? "write SQL texts"));
    }

    private CatalogTest? Subject(Node node)
    {
        var blank = new CatalogTest { Name = "", Place = node.Place, Subject = default, Ask = default, At = Usual, Expect = new Expectation() };
        if (node is not MapNode map)
        {
            return reading.Text(node, "'subject'", 80) is { } bare ? blank with { Subject = Person(bare) } : null;
        }

        reading.Keys(map, "'subject'", ["id", "groups", "attributes", "on_call", "manager", "claims"]);
        if (Needed(map, "id", "'subject'") is not { } id || reading.Text(id, "'id'", 80) is not { } name)
        {
            return null;
        }

        var subject = Person(name);
        foreach (var entry in map.Entries.Where(entry => subject.IsWorkload ? entry.Key is "attributes" or "on_call" or "manager" : entry.Key == "claims"))
        {
            reading.Problems.Error(entry.Place, $"{(subject.IsWorkload ? "a workload" : "a person")} has no '{entry.Key}'", subject.IsWorkload ? "a workload has groups and claims" : "claims are what a workload's token says; write id: workload:NAME, or take the key out");
        }

        return blank with
        {
            Subject = subject,
            Claims = map.Find("claims") is null ? null : reading.TextMap(map, "claims", "a claim"),
            Groups = map.Find("groups") is { } given ? Groups(given.Value) : null,
            Attributes = map.Find("attributes") is null ? null : reading.TextMap(map, "attributes", "an attribute"),
            OnCall = map.Find("on_call") is { } call ? reading.Flag(call.Value, "'on_call'") : null,
            Manager = reading.Text(map, "manager", "'manager'", 80) is { } manager ? Person(manager) : null,
        };
    }

    /// <summary>What they hold or held, for separations.</summary>
    private List<Held> Held(Node node, DateTimeOffset at)
    {
        var found = new List<Held>();
        foreach (var item in node is ListNode list ? list.Items : [node])
        {
            if (reading.Map(item, "what is held") is not { } map)
            {
                continue;
            }

            reading.Keys(map, "what is held", ["role", "from", "until"]);
            var role = Needed(map, "role", "what is held") is { } named ? Role(named, "'role'") : null;
            var until = Moment(map, "until");
            var from = Moment(map, "from") ?? (until < at ? until.Value : at);
            if (from > until)
            {
                reading.Problems.Error(map.Find("until")!.Value.Place, "'until' is before 'from'");
            }

            if (role is { } held)
            {
                // What begins later is a promise at the moment of asking.
                found.Add(new Held(held, from, until, Promised: from > at));
            }
        }

        return found;
    }

    private List<string> Groups(Node node)
    {
        var found = new List<string>();
        foreach (var (text, place) in reading.Texts(node, "'groups'", 80))
        {
            var name = Bare(text, "group:");
            if (groups.Contains(name))
            {
                found.Add(name);
            }
            else
            {
                reading.Problems.Error(place, $"no group is called '{Words.Short(name)}'", Words.Meant(name, groups, "add it under 'groups'"));
            }
        }

        return found;
    }

    private Expectation? Expect(Node node, Bundle? bundle)
    {
        if (reading.Map(node, "'expect'") is not { } map)
        {
            return null;
        }

        reading.Keys(map, "'expect'", ["verdict", "because", "for", "max", "steps", "step_up", "record", "known", "opens", "ends_by", "break_glass", "roles"]);
        foreach (var entry in map.Entries.Where(entry => bundle is null ? entry.Key == "roles" : entry.Key is "because" or "step_up" or "for" or "max" or "record" or "known" or "opens" or "ends_by" or "break_glass"))
        {
            reading.Problems.Error(
                entry.Place,
                bundle is null ? "'roles' belongs to a test that asks for a bundle" : $"'{entry.Key}' is said of one role, and this asks for a bundle",
                bundle is null ? "ask for a bundle by its name, or take the key out" : "expect verdict, roles and steps, or ask for the role");
        }

        if (map.Entries.Count == 0)
        {
            // NB. A test that expects nothing would always pass.
            reading.Problems.Error(map.Place, "'expect' is empty", "write expect: { verdict: allow }");
        }

        var verdict = Choice(map, "verdict", ["allow", "needs_approval", "deny"]);
        var record = Choice(map, "record", ["default", "strict"]);
        var because = map.Find("because") is { } rules ? reading.Texts(rules.Value, "'because'", 80) : null;
        foreach (var (rule, place) in because ?? [])
        {
            if (!policies.Contains(rule))
            {
                reading.Problems.Error(place, $"no policy is called '{Words.Short(rule)}'", Words.Meant(rule, policies, "see 'policies'"));
            }
        }

        return new Expectation
        {
            Verdict = verdict,
            Because = because is null ? null : [.. because.Select(rule => rule.Text)],
            For = reading.Duration(map, "for", "'for'", Second, Words.LongestDuration),
            Max = reading.Duration(map, "max", "'max'", Second, Words.LongestDuration),
            Steps = map.Find("steps") is { } steps ? [.. reading.Texts(steps.Value, "'steps'", 80).Select(step => step.Text)] : null,
            StepUp = Choice(map, "step_up", ["passkey", "fresh", "none"]),
            Record = record switch { "strict" => RecordMode.Strict, "default" => RecordMode.Default, _ => null },
            Roles = bundle is not null && map.Find("roles") is { } roles ? Roles(roles.Value, bundle) : null,
            Opens = Moment(map, "opens"),
            EndsBy = Moment(map, "ends_by"),
            BreakGlass = map.Find("break_glass") is { } glass ? reading.Flag(glass.Value, "'break_glass'") : null,
            Known = map.Find("known") is { } known ? reading.Flag(known.Value, "'known'") : null,
        };
    }

    /// <summary>What is expected of each role of a bundle that it names.</summary>
    private Dictionary<RoleRef, string> Roles(Node node, Bundle bundle)
    {
        var expected = new Dictionary<RoleRef, string>();
        foreach (var entry in reading.Map(node, "'roles'")?.Entries ?? [])
        {
            if (RoleRef.Parse(entry.Key) is not { } role || !bundle.Roles.Contains(role))
            {
                reading.Problems.Error(entry.Place, $"'{Words.Short(entry.Key)}' is no role of bundle '{bundle.Name}'", Words.Meant(entry.Key, [.. bundle.Roles.Select(one => one.ToString())], "see 'bundles'"));
            }
            else if (reading.Text(entry.Value, $"what is expected of '{role}'", 40) is { } verdict)
            {
                if (verdict is not ("allow" or "needs_approval" or "deny"))
                {
                    reading.Problems.Error(entry.Value.Place, $"'{Words.Short(verdict)}' is no verdict", "write allow, needs_approval or deny");
                }

                expected[role] = verdict;
            }
        }

        return expected;
    }

    private string? Choice(MapNode map, string key, string[] choices)
    {
        var chosen = reading.Text(map, key, $"'{key}'", 40);
        if (chosen is null || choices.Contains(chosen))
        {
            return chosen;
        }

        reading.Problems.Error(map.Find(key)!.Value.Place, $"'{key}' is none of {string.Join(", ", choices)}", Words.Meant(chosen, choices, "write one of them"));
        return null;
    }

    private RoleRef? Role(Node node, string what = "'ask'")
    {
        if (reading.Text(node, what, 130) is not { } text)
        {
            return null;
        }

        if (RoleRef.Parse(text) is { } role && resources.TryGetValue(role.Resource, out var resource) && resource.Roles.ContainsKey(role.Role))
        {
            return role;
        }

        reading.Problems.Error(node.Place, $"no role is called '{Words.Short(text)}'", Words.Meant(text, [.. resources.Values.SelectMany(known => known.Roles.Values).Select(known => known.Ref.ToString())], bundles.Count == 0 ? "write RESOURCE/ROLE, see 'resources'" : "write RESOURCE/ROLE, or the name of a bundle"));
        return null;
    }

    private DateTimeOffset? Moment(MapNode map, string key)
    {
        if (map.Find(key) is not { } entry)
        {
            return null;
        }

        // With its offset: a test must not mean something else on a machine in another zone.
        if (entry.Value is TextNode text
            && DateTimeOffset.TryParseExact(text.Value, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment)
            && (text.Value.EndsWith('Z') || text.Value.AsSpan(11).IndexOfAny('+', '-') >= 0))
        {
            return moment;
        }

        reading.Problems.Error(entry.Value.Place, $"'{key}' is not a moment", "write 2026-03-02T10:00:00Z, or with an offset: 2026-03-02T10:00:00+01:00");
        return null;
    }

    private Node? Needed(MapNode map, string key, string of)
    {
        if (map.Find(key) is { } entry)
        {
            return entry.Value;
        }

        reading.Problems.Error(map.Place, $"{of} lacks '{key}'");
        return null;
    }

    private static SubjectId Person(string text) => new(Bare(text, "person:"));

    private static string Bare(string text, string kind) => text.StartsWith(kind, StringComparison.Ordinal) ? text[kind.Length..] : text;
}
