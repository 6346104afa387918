using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Stint.Core.Approvals;
using Stint.Core.Catalog.Calendars;
using Stint.Core.Catalog.Yaml;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>workflows</c> and <c>policies</c>.</summary>
internal sealed partial class PoliciesSection(Draft draft, Subjects names, Dictionary<string, Calendar> calendars)
{
    private static readonly string[] PolicyKeys = ["who", "deny", "roles", "template", "for", "reason", "approve", "record", "begin_within", "where", "when", "during", "not_during", "break_glass"];
    private static readonly string[] DenyKeys = ["deny", "roles", "where", "when", "during"];
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private readonly Reading _reading = draft.Reading;
    private readonly WorkflowsSection _workflows = new(draft, names);
    private Dictionary<string, RoleRef[]> _rolesOf = [];
    private readonly Dictionary<string, FrozenSet<RoleRef>> _roleSets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FrozenSet<SubjectId>> _whoSets = new(StringComparer.Ordinal);
    private RoleRef[] _allRoles = [];
    private FrozenSet<RoleRef> _every = FrozenSet<RoleRef>.Empty;

    public Dictionary<string, Workflow> Workflows() => _workflows.Read();

    public IReadOnlyList<Policy> Read(Dictionary<string, Resource> resources, Dictionary<string, Workflow> workflows)
    {
        _rolesOf = resources.ToDictionary(pair => pair.Key, pair => pair.Value.Roles.Values.Select(role => role.Ref).ToArray(), StringComparer.Ordinal);
        _allRoles = [.. _rolesOf.Values.SelectMany(roles => roles)];
        _every = _allRoles.ToFrozenSet();
        _itself = resources.Values.FirstOrDefault(resource => resource.Kind == StintRights.Kind)?.Name;
        var policies = new List<Policy>();
        foreach (var entry in draft.Section("policies").Values.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (_reading.Map(entry.Value, "a policy") is { } map)
            {
                policies.Add(map.Find("deny") is { } deny ? Denial(entry, map, deny) : Permission(entry, map, workflows));
            }
        }

        return policies;
    }

    /// <summary>What must never happen; after the policies were read.</summary>
    public IReadOnlyList<Never> Nevers()
    {
        var nevers = new List<Never>();
        foreach (var entry in draft.Section("never").Values.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (_reading.Map(entry.Value, "what must never happen") is { } map)
            {
                nevers.Add(Never(entry, map));
            }
        }

        return nevers;
    }

    private Never Never(Entry entry, MapNode map)
    {
        _reading.Keys(map, "what must never happen", ["who", "roles", "where", "without", "longer_than"]);
        var who = map.Find("who");
        if (who is not null)
        {
            _ = Who(who, string.Join('\n', Named(who)));
        }

        var where = Condition(map, "where");
        if (where is { IsOfResource: false })
        {
            _reading.Problems.Error(map.Find("where")!.Value.Place, "'where' of what must never happen looks at more than the resource and the role", "say which roles it is about; who is said by 'who'");
        }

        var without = map.Find("without") is { } from ? _reading.Text(from.Value, "'without'", 80) : null;
        if (without is not (null or "any" or "owners" or "manager") && !without.StartsWith("group:", StringComparison.Ordinal) && !without.StartsWith("person:", StringComparison.Ordinal))
        {
            _reading.Problems.Error(map.Find("without")!.Value.Place, $"'{Words.Short(without)}' is nobody whose yes could be missing", "write without: owners, manager, group:NAME, person:NAME, or any");
        }

        return new Never
        {
            Name = entry.Key,
            Place = entry.Place,
            Who = who is null ? [] : Named(who).ConvertAll(Subjects.Full),
            Roles = map.Find("roles") is { } roles ? Roles(roles) : _every,
            Where = where,
            Without = without,
            LongerThan = _reading.Duration(map, "longer_than", "'longer_than'", Second, Words.LongestDuration),
        };
    }

    private static List<string> Named(Entry who) => Subjects.Written(who.Value);

    private Policy Denial(Entry entry, MapNode map, Entry deny)
    {
        foreach (var key in map.Entries.Where(key => PolicyKeys.Contains(key.Key) && !DenyKeys.Contains(key.Key)))
        {
            _reading.Problems.Error(key.Place, $"'{key.Key}' has no meaning beside 'deny'", "a deny rule takes 'deny', 'roles', 'where', 'when' and 'during' only");
        }

        _reading.Keys(map, "a policy", PolicyKeys);
        return Common(entry, map, deny) with { Deny = true };
    }

    private Policy Permission(Entry entry, MapNode written, Dictionary<string, Workflow> workflows)
    {
        _reading.Keys(written, "a policy", PolicyKeys);
        var (map, template) = Templated(written);
        if (map.Find("who") is null)
        {
            _reading.Problems.Error(entry.Place, $"policy '{entry.Key}' lacks 'who'", "write who: group:NAME (or deny: group:NAME for a rule that says no)");
        }

        if (map.Find("roles") is null)
        {
            _reading.Problems.Error(entry.Place, $"policy '{entry.Key}' lacks 'roles'", "write roles: ['RESOURCE/ROLE'], with * for any");
        }

        var (usual, most) = For(map);
        var (required, ticket, statements) = Reason(map);
        var glass = new BreakGlassSection(_reading, _workflows).Read(entry, map);
        var (approve, auto) = map.Find("break_glass") is null ? Approve(entry, map, workflows) : default;
        return Common(entry, map, map.Find("who")) with
        {
            Template = template,
            DefaultFor = usual,
            MaxFor = most,
            ReasonRequired = required || glass is not null,
            TicketPattern = ticket,
            StatementsRequired = statements,
            Approve = approve,
            Auto = auto,
            BreakGlass = glass,
            Record = glass is null ? Record(map) : RecordMode.Strict,
            BeginWithin = BeginWithin(map),
        };
    }

    private TimeSpan BeginWithin(MapNode map) => _reading.Duration(map, "begin_within", "'begin_within'", Minute, Month) ?? TimeSpan.FromHours(8);

    private Policy Common(Entry entry, MapNode map, Entry? who)
    {
        var roles = map.Find("roles");
        List<string> named = who is null ? [] : Named(who);
        return new Policy
        {
            Name = entry.Key,
            Place = entry.Place,
            Text = entry.Source,
            Who = who is null ? FrozenSet<SubjectId>.Empty : Who(who, string.Join('\n', named)),
            WhoText = string.Join(", ", named),
            WhoNames = named.ConvertAll(Subjects.Full),
            Where = Condition(map, "where"),
            When = Condition(map, "when"),
            During = Calendars(map, "during"),
            NotDuring = Calendars(map, "not_during"),
            Roles = roles is null ? (who?.Key == "deny" ? _every : FrozenSet<RoleRef>.Empty) : who?.Key == "deny" ? Roles(roles) : WithoutStint(roles, Roles(roles)),
        };
    }

    private List<Calendar> Calendars(MapNode map, string key)
    {
        var found = new List<Calendar>();
        if (map.Find(key) is not { } entry)
        {
            return found;
        }

        var named = _reading.Texts(entry.Value, $"'{key}'", 80);
        foreach (var (name, place) in named)
        {
            if (calendars.TryGetValue(name, out var calendar))
            {
                found.Add(calendar);
            }
            else if (!draft.Section("calendars").ContainsKey(name))
            {
                _reading.Problems.Error(place, $"no calendar is called '{Words.Short(name)}'", Words.Meant(name, draft.Section("calendars").Keys, "add it under 'calendars'"));
            }
        }

        // NB. A list of none would be a rule that never lets in, or one without the limit that was meant.
        if (entry.Value is ListNode { Items.Count: 0 })
        {
            _reading.Problems.Error(entry.Value.Place, $"'{key}' names none", $"write {key}: NAME, see 'calendars'");
        }

        return found;
    }

    private FrozenSet<SubjectId> Who(Entry who, string written)
    {
        if (_whoSets.TryGetValue(written, out var made))
        {
            return made;
        }

        var before = _reading.Problems.Count;
        var people = names.Askers(who.Value, who.Key).ToFrozenSet();
        if (_reading.Problems.Count == before)
        {
            _whoSets.Add(written, people);
        }

        return people;
    }

    private Condition? Condition(MapNode map, string key) => map.Find(key) is { } entry ? Condition(entry.Value, $"'{key}'") : null;

    private Condition? Condition(Node node, string what)
    {
        if (_reading.Text(node, what, ConditionShape.MaxLength, newLines: true) is not { } text)
        {
            return null;
        }

        var (condition, problems) = Policies.Condition.Compile(text, node.Place);
        foreach (var problem in problems)
        {
            // Inside of one line the place can be told to the letter; YAML folds the others.
            var exact = problem.Line == 1 && node is TextNode one && !one.Value.Contains('\n', StringComparison.Ordinal);
            var place = exact ? node.Place with { Column = node.Place.Column + problem.Column - 1 + (((TextNode)node).Plain ? 0 : 1) } : node.Place;
            _reading.Problems.Error(place, exact ? $"{what}: {problem.Message}" : $"{what}, line {problem.Line}, column {problem.Column}: {problem.Message}");
        }

        return condition;
    }

    /// <summary>The roles that a key names, patterns resolved; after the policies were read.</summary>
    internal FrozenSet<RoleRef> Roles(Entry entry)
    {
        // A thousand policies that name the same roles share one set: making it costs far more than asking it.
        var written = string.Join('\n', ((entry.Value as ListNode)?.Items ?? [entry.Value]).Select(item => (item as TextNode)?.Value));
        if (_roleSets.TryGetValue(written, out var made))
        {
            return made;
        }

        var before = _reading.Problems.Count;
        var roles = NewRoles(entry);
        if (_reading.Problems.Count == before)
        {
            _roleSets.Add(written, roles);
        }

        return roles;
    }

    private FrozenSet<RoleRef> NewRoles(Entry entry)
    {
        var found = new HashSet<RoleRef>();
        if (entry.Value is TextNode { IsNull: true } or ListNode { Items.Count: 0 })
        {
            _reading.Problems.Error(entry.Value.Place, $"'{entry.Key}' names none", $"write {entry.Key}: ['RESOURCE/ROLE'], with * for any");
            return FrozenSet<RoleRef>.Empty;
        }

        foreach (var (text, place) in _reading.Texts(entry.Value, $"'{entry.Key}'", 130))
        {
            if (RoleRef.Parse(text) is not { } pattern || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '*' or '/'))
            {
                _reading.Problems.Error(place, $"'{Words.Short(text)}' is not a role", "write RESOURCE/ROLE, with * for any part of a name: '*/read-only', 'orders-db/*'");
                continue;
            }

            var resources = pattern.Resource.Contains('*')
                ? _rolesOf.Where(pair => Words.Glob(pattern.Resource, pair.Key)).SelectMany(pair => pair.Value)
                : _rolesOf.GetValueOrDefault(pattern.Resource, []);
            var matched = false;
            foreach (var role in resources.Where(role => Words.Glob(pattern.Role, role.Role)))
            {
                matched = true;
                found.Add(role);
            }

            if (!matched)
            {
                var exact = !text.Contains('*', StringComparison.Ordinal);
                _reading.Problems.Error(
                    place,
                    exact ? $"no role is called '{Words.Short(text)}'" : $"no role matches '{Words.Short(text)}'",
                    exact ? Words.Meant(text, [.. _allRoles.Select(role => role.ToString())], "see 'resources'") : "see 'resources'");
            }
        }

        return found.ToFrozenSet();
    }

    private (TimeSpan Usual, TimeSpan Most) For(MapNode policy)
    {
        var hour = TimeSpan.FromHours(1);
        if (policy.Find("for") is not { } given)
        {
            return (hour, hour);
        }

        if (given.Value is TextNode)
        {
            var length = _reading.Duration(given.Value, "'for'", Second, Words.LongestDuration) ?? hour;
            return (length, length);
        }

        if (_reading.Map(given.Value, "'for'") is not { } map)
        {
            return (hour, hour);
        }

        _reading.Keys(map, "'for'", ["default", "max"]);
        var usual = _reading.Duration(map, "default", "'default'", Second, Words.LongestDuration);
        var most = _reading.Duration(map, "max", "'max'", Second, Words.LongestDuration);
        if (usual is { } u && most is { } m && m < u)
        {
            _reading.Problems.Error(map.Find("default")!.Place, $"'default' ({Words.Say(u)}) is longer than 'max' ({Words.Say(m)})", "raise max or lower default");
        }

        if (map.Entries.Count == 0)
        {
            _reading.Problems.Error(map.Place, "'for' is empty", "write for: { default: 30m, max: 4h }");
        }

        var longest = most ?? usual ?? hour;
        return (usual ?? (longest < hour ? longest : hour), longest);
    }

    private (bool Required, string? Ticket, bool Statements) Reason(MapNode policy)
    {
        if (policy.Find("reason") is not { } given || _reading.Map(given.Value, "'reason'") is not { } map)
        {
            return (false, null, false);
        }

        _reading.Keys(map, "'reason'", ["required", "ticket", "statements"]);
        if (map.Entries.Count == 0)
        {
            _reading.Problems.Error(map.Place, "'reason' is empty", "write reason: { required: true }, or reason: { ticket: '^INC-[0-9]+$' }");
        }

        var required = _reading.Flag(map, "required", "'required'");
        var statements = _reading.Flag(map, "statements", "'statements'");
        if (map.Find("ticket") is not { } ticket || _reading.Text(ticket.Value, "'ticket'", 300) is not { } pattern)
        {
            return (required, null, statements);
        }

        try
        {
            _ = Patterns.Ticket(pattern);
        }
        catch (Exception trouble) when (trouble is ArgumentException or NotSupportedException)
        {
            _reading.Problems.Error(ticket.Value.Place, "'ticket' is not a pattern that can be matched in bounded time", "take a regular expression without look-around and back references: '^INC-[0-9]+$'");
            return (required, null, statements);
        }

        if (!pattern.StartsWith('^') || !pattern.EndsWith('$'))
        {
            _reading.Problems.Warn(ticket.Value.Place, "'ticket' matches anywhere in the text", "write ^ before it and $ behind it");
        }

        return (required, pattern, statements);
    }

    private RecordMode Record(MapNode policy)
    {
        var mode = _reading.Text(policy, "record", "'record'", 20);
        if (mode is not (null or "default" or "strict"))
        {
            _reading.Problems.Error(policy.Find("record")!.Value.Place, "'record' is neither default nor strict");
        }

        return mode == "strict" ? RecordMode.Strict : RecordMode.Default;
    }

    /// <summary>Reads the <c>approve</c> of a policy, or of what <paramref name="of"/> names.</summary>
    internal (Workflow? Workflow, Condition? Auto) Approve(Entry policy, MapNode map, Dictionary<string, Workflow> workflows, string? of = null)
    {
        const string wayOut = "write approve: { auto: true }, approve: { workflow: NAME } or approve: { steps: [ { from: owners } ] }; auto: CONDITION goes beside one of the last two";
        if (map.Find("approve") is not { } given)
        {
            // NB. Silence is not consent: who wants a rule to say yes has to write it.
            _reading.Problems.Error(policy.Place, $"{of ?? $"policy '{policy.Key}'"} lacks 'approve'", wayOut);
            return default;
        }

        if (_reading.Map(given.Value, "'approve'") is not { } approve)
        {
            return default;
        }

        _reading.Keys(approve, "'approve'", ["auto", "workflow", "step_up", .. WorkflowsSection.Keys]);
        var (always, condition) = Auto(approve);
        var workflow = approve.Find("workflow");
        var steps = approve.Find("steps");
        if ((always ? 1 : 0) + (workflow is null ? 0 : 1) + (steps is null ? 0 : 1) != 1)
        {
            _reading.Problems.Error(approve.Place, condition is null ? "'approve' says not one of auto: true, workflow and steps" : "'approve' does not say whose yes it needs when 'auto' does not hold", wayOut);
            return default;
        }

        var stepUp = _workflows.StepUp(approve);
        if (always && approve.Find("step_up") is { } vain)
        {
            _reading.Problems.Error(vain.Place, "'step_up' is about who says yes, and 'auto: true' asks nobody", "take one of the two out");
        }

        foreach (var key in approve.Entries.Where(key => steps is null && key.Key != "steps" && WorkflowsSection.Keys.Contains(key.Key)))
        {
            _reading.Problems.Error(key.Place, $"'{key.Key}' belongs to 'steps'", "write it in the workflow itself");
        }

        if (steps is not null)
        {
            return (With(_workflows.Workflow(policy.Key, approve, approve.Place), stepUp), condition);
        }

        if (workflow is null || _reading.Text(workflow.Value, "'workflow'", 80) is not { } name)
        {
            return default;
        }

        if (!workflows.TryGetValue(name, out var found) && !draft.Section("workflows").ContainsKey(name))
        {
            _reading.Problems.Error(workflow.Value.Place, $"no workflow is called '{Words.Short(name)}'", Words.Meant(name, draft.Section("workflows").Keys, "add it under 'workflows'"));
        }

        return (With(found, stepUp), condition);
    }

    /// <summary>The workflow as a rule asks it that wants another proof: in each step the stricter of the two.</summary>
    private static Workflow? With(Workflow? workflow, StepUp stepUp) => workflow is null || stepUp == StepUp.None ? workflow
        : workflow with { Steps = [.. workflow.Steps.Select(step => step.StepUp >= stepUp ? step : step with { StepUp = stepUp })] };

    /// <returns>Whether it is written that a rule decides, and the condition under which one does.</returns>
    private (bool Always, Condition? Condition) Auto(MapNode approve) => approve.Find("auto") switch
    {
        null => (false, null),
        { Value: TextNode { Plain: true, Value: "true" or "false" } text } => (text.Value == "true", null),
        var auto => (false, Condition(auto.Value, "'auto'")),
    };
}

/// <summary>Patterns of tickets.</summary>
internal static class Patterns
{
    /// <summary>Matched in time linear in the text; whatever the pattern is, a decision cannot be made to hang.</summary>
    /// <exception cref="ArgumentException">It is no pattern.</exception>
    /// <exception cref="NotSupportedException">It cannot be matched in linear time.</exception>
    public static Regex Ticket(string pattern) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100));
}
