using System.Collections.Frozen;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>Looks for a way in which something happens that must never happen.</summary>
/// <remarks>
/// For each role, over everybody the catalog can tell apart: the people it names, as it says of them, and anybody else who
/// may be put into any of its groups. What a condition says of the resource and the role is known; what it says of groups
/// follows from the groups; every other part of a condition may be so or not, together with all others, but for one field
/// that cannot equal two constants. So what is proved holds; a way that is found may in rare cases be one that no asking
/// can take, and then the rules are better written so that one can see it.
/// </remarks>
internal sealed class Prover
{
    /// <summary>Most parts of rules that one search looks at: a second's worth.</summary>
    private const int MostWork = 10_000_000;

    private readonly LoadedCatalog _catalog;
    private readonly Never _never;
    private readonly RoleRef _role;
    private readonly Subject? _person;
    private readonly Situation _situation;
    private readonly List<(Policy Policy, Formula Matches, Formula Auto)> _rules = [];
    private readonly Dictionary<string, string> _fieldOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _decided = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Condition?> _compiled;
    private readonly bool _glass;
    private readonly int _size;
    private int _work;

    private Prover(LoadedCatalog catalog, Never never, RoleRef role, Subject? person, bool glass, Dictionary<string, Condition?> compiled)
    {
        (_catalog, _never, _role, _person, _glass, _compiled) = (catalog, never, role, person, glass, compiled);
        var resource = catalog.Resources[role.Resource];
        var anybody = person ?? new Person { Id = new SubjectId(""), TokenHashes = [] };
        _situation = new Situation(catalog, anybody, resource, resource.Roles[role.Role], new Question(anybody.Id, role, null, null, null, null, DateTimeOffset.UnixEpoch));

        // NB. In an emergency only the rules for it count, and nobody's yes is asked for.
        foreach (var policy in catalog.Policies.Where(policy => policy.Roles.Contains(role) && (policy.Deny || policy.BreakGlass is not null == glass)))
        {
            // NB. A deny rule with a calendar denies at times: a proof must not lean on it.
            var times = policy.Deny && policy.During.Count > 0 ? new Formula.Thing($"during {Together.Say(policy.During)}") : Formula.True;
            var matches = Formula.All([Who(policy.WhoNames), Of(policy.Where), Of(policy.When), times]);
            _rules.Add((policy, matches, policy.Approve is null ? Formula.True : policy.Auto is null ? Formula.False : Of(policy.Auto)));
        }

        _size = 1 + _rules.Sum(rule => rule.Matches.Size + rule.Auto.Size);
    }

    /// <summary>Every way that is found, at most one for each role.</summary>
    public static IReadOnlyList<Breach> Prove(LoadedCatalog catalog)
    {
        var found = new List<Breach>();
        var compiled = new Dictionary<string, Condition?>(StringComparer.Ordinal);
        foreach (var never in catalog.Nevers)
        {
            var people = People(catalog, never);
            foreach (var role in never.Roles.OrderBy(role => role.Resource, StringComparer.Ordinal).ThenBy(role => role.Role, StringComparer.Ordinal))
            {
                var breach = ((bool[])[false, true]).Where(glass => !glass || catalog.Policies.Any(policy => policy.BreakGlass is not null && policy.Roles.Contains(role)))
                    .Select(glass => Anybody(catalog, never, role, glass, compiled) ?? people.Where(person => !glass || person is not Workload).Select(person => new Prover(catalog, never, role, person, glass, compiled).Search(Formula.True)).FirstOrDefault(way => way is not null))
                    .FirstOrDefault(way => way is not null);
                if (breach is not null)
                {
                    found.Add(breach);
                }
            }
        }

        return found;
    }

    // Somebody whom the catalog does not name, in whatever groups.
    private static Breach? Anybody(LoadedCatalog catalog, Never never, RoleRef role, bool glass, Dictionary<string, Condition?> compiled)
    {
        var prover = new Prover(catalog, never, role, null, glass, compiled);
        return prover.Search(never.Who.Count == 0 ? Formula.True : prover.Who(never.Who));
    }

    // Of those whom rules cannot tell apart, one stands for all.
    private static IReadOnlyList<Subject> People(LoadedCatalog catalog, Never never)
    {
        var named = catalog.Policies.SelectMany(policy => policy.WhoNames).Where(name => !name.StartsWith("group:", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        var conditions = catalog.Policies.SelectMany(policy => new[] { policy.Where, policy.When, policy.Auto }).OfType<Condition>().ToList();
        var isRead = conditions.Exists(condition => condition.Reads(ConditionShape.IsOfOnePerson));
        return
        [
            .. catalog.People.Values.Concat<Subject>(catalog.Workloads.Values)
                .Where(person => !person.Disabled && (never.Who.Count == 0 || never.Who.Any(name => Is(catalog, person.Id, name))))
                .OrderBy(person => person.Id.Value, StringComparer.Ordinal)
                .DistinctBy(person => isRead || named.Contains(person.Id.Full) ? person.Id.Value : Alike(catalog, person)),
        ];

        static string Alike(LoadedCatalog catalog, Subject person) =>
            $"{(person is Workload ? "workload" : "")}/{string.Join('/', catalog.GroupsOf(person.Id))}\n{string.Join('\n', ((person as Person)?.Attributes ?? FrozenDictionary<string, string>.Empty).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"))}";
    }

    private static bool Is(LoadedCatalog catalog, SubjectId subject, string name) => name.StartsWith("group:", StringComparison.Ordinal)
        ? catalog.Groups.TryGetValue(name["group:".Length..], out var members) && members.Contains(subject)
        : name == subject.Full;

    private Breach? Search(Formula who)
    {
        if (_never.Where is { } where && !where.Evaluate(_situation).Yes)
        {
            return null;
        }

        try
        {
            return Decide(who) ? new Breach(_never, _role, Way()) : null;
        }
        catch (TimeoutException)
        {
            return new Breach(_never, null, $"it could not be proved for {_role}: too many conditions depend on each other");
        }
    }

    /// <summary>Whether what is decided so far can be completed to a way.</summary>
    private bool Decide(Formula who)
    {
        _work += _size;
        if (_work > MostWork)
        {
            throw new TimeoutException();
        }

        var reached = Reached(who);
        if (reached is { } known)
        {
            return known;
        }

        var next = who.Undecided(_decided) ?? _rules.Select(rule => rule.Matches.Undecided(_decided) ?? rule.Auto.Undecided(_decided)).First(name => name is not null)!;
        foreach (var value in (bool[])[false, true])
        {
            var added = new List<string> { next };
            _decided[next] = value;
            if (value && _fieldOf.TryGetValue(next, out var field))
            {
                // A field cannot equal two constants.
                foreach (var other in _fieldOf.Where(pair => pair.Value == field && !_decided.ContainsKey(pair.Key)).Select(pair => pair.Key).ToList())
                {
                    _decided[other] = false;
                    added.Add(other);
                }
            }

            if (Decide(who))
            {
                return true;
            }

            added.ForEach(name => _decided.Remove(name));
        }

        return false;
    }

    /// <summary>Whether what must never happen happens; null when that is not decided.</summary>
    private bool? Reached(Formula who)
    {
        var open = who.Under(_decided) is null;
        if (who.Under(_decided) == false || _rules.Exists(rule => rule.Policy.Deny && rule.Matches.Under(_decided) == true))
        {
            return false;
        }

        var allow = _rules.FindAll(rule => !rule.Policy.Deny && rule.Matches.Under(_decided) != false);
        if (allow.Count == 0 || allow.Exists(rule => rule.Matches.Under(_decided) == true && IsHeldBack(rule.Policy, rule.Auto.Under(_decided))))
        {
            return false;
        }

        open |= _rules.Exists(rule => rule.Matches.Under(_decided) is null) || allow.Exists(rule => rule.Policy.Approve is not null && rule.Auto.Under(_decided) is null);
        return open ? null : true;
    }

    /// <summary>Whether a rule that counts asks for the yes that is demanded, or is short enough: each only takes away.</summary>
    private bool IsHeldBack(Policy policy, bool? auto)
    {
        if (_never.LongerThan is { } longest && policy.MaxFor <= longest)
        {
            return true;
        }

        return _never.Without is { } from && policy.Approve is { } workflow && auto == false && (from == "any" || workflow.Steps.Any(step => step.IsOnlyFrom(from)));
    }

    private string Way()
    {
        var groups = _decided.Where(pair => pair.Value && pair.Key.StartsWith("group:", StringComparison.Ordinal)).Select(pair => pair.Key["group:".Length..]).Order(StringComparer.Ordinal).ToList();
        var who = _person is { } person ? person.Id.Value : groups.Count == 0 ? "somebody" : $"somebody in {string.Join(" and ", groups)}";
        var conditions = _decided.Where(pair => !pair.Key.StartsWith("group:", StringComparison.Ordinal)).OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => pair.Value ? $"{pair.Key} holds" : $"{pair.Key} does not").ToList();
        var rules = _rules.FindAll(rule => !rule.Policy.Deny && rule.Matches.Under(_decided) == true);
        var longest = rules.Min(rule => rule.Policy.MaxFor);
        var steps = rules.Where(rule => rule.Auto.Under(_decided) == false).SelectMany(rule => rule.Policy.Approve!.Steps).Select(step => step.From).Distinct().ToList();
        var yes = _glass ? "as break-glass, without anybody's yes" : steps.Count == 0 ? "without anybody's yes" : $"with a yes of {string.Join(" and ", steps)}";
        var when = conditions.Count == 0 ? "" : $", where {string.Join(", ", conditions)},";
        return $"{who}{when} gets {_role} by {string.Join(" and ", rules.Select(rule => rule.Policy.Name))}, {yes}, for up to {Words.Say(longest)}";
    }

    private Formula Who(IReadOnlyList<string> names) => Formula.Any(names.Select(name => _person is { } person
        ? Is(_catalog, person.Id, name) ? Formula.True : Formula.False
        : name.StartsWith("group:", StringComparison.Ordinal) ? Member(name["group:".Length..]) : Formula.False));

    // Whoever is put into a group is in every group that holds it.
    private Formula Member(string group) => _person is { } person
        ? Is(_catalog, person.Id, "group:" + group) ? Formula.True : Formula.False
        : Formula.Any(((string[])[group, .. _catalog.GroupsIn.GetValueOrDefault(group, [])]).Select(name => new Formula.Thing("group:" + name)));

    private Formula Of(Condition? condition) => condition is null ? Formula.True : Of(condition, condition.Skeleton);

    private Formula Of(Condition condition, CelSkeleton skeleton) => skeleton switch
    {
        CelSkeleton.Constant constant => constant.Value ? Formula.True : Formula.False,
        CelSkeleton.Not not => new Formula.Not(Of(condition, not.Inner)),
        CelSkeleton.Logic logic => logic.IsAnd ? Formula.All(logic.Terms.Select(term => Of(condition, term))) : Formula.Any(logic.Terms.Select(term => Of(condition, term))),
        CelSkeleton.Choice choice => new Formula.Choice(Of(condition, choice.Condition), Of(condition, choice.Then), Of(condition, choice.Else)),
        CelSkeleton.Atom atom => Atom(condition.Atoms[atom.Index], atom),
        _ => throw new InvalidOperationException("A condition is made of what is listed above."),
    };

    private Condition? Compiled(string text)
    {
        if (!_compiled.TryGetValue(text, out var condition))
        {
            _compiled[text] = condition = Condition.Compile(text, default).Condition;
        }

        return condition;
    }

    private Formula Atom(string text, CelSkeleton.Atom atom)
    {
        if (atom.IsClosed && atom.Slots.All(slot => ConditionShape.IsOfResource(slot) || (_person is not null && ConditionShape.IsOfPerson(slot)))
            && Compiled(text) is { } known)
        {
            // NB. One that fails is left open: what it would have come to is nobody's guess.
            var holds = known.Evaluate(_situation);
            if (holds.Failed is null)
            {
                return holds.Yes ? Formula.True : Formula.False;
            }
        }

        if (atom.Comparison is { Slot: var slot, Constant.Kind: CelKind.Text } comparison)
        {
            var constant = comparison.Constant.AsString();
            if (slot == ConditionShape.SubjectGroups && comparison.Operator == "has" && _person is null)
            {
                return Member(constant);
            }

            if (comparison.Operator is "==" or "!=")
            {
                var name = $"{comparison.Path} == \"{constant}\"";
                _fieldOf[name] = comparison.Path;
                return comparison.Operator == "==" ? new Formula.Thing(name) : new Formula.Not(new Formula.Thing(name));
            }
        }

        return new Formula.Thing(text);
    }
}
