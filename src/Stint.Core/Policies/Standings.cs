using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Policies;

/// <summary>How everybody stands to every role at one moment, asked of the policies once for all who are alike.</summary>
/// <remarks>
/// People are alike for a role when the same rules are about them, unless a rule looks at the person (their manager), or
/// a step is so narrow that it matters whether the asker is one of its approvers. A company of thousands asks a few
/// hundred questions that way.
/// </remarks>
internal sealed class Standings(LoadedCatalog catalog, DateTimeOffset now)
{
    private readonly Dictionary<string, int> _sets = new(StringComparer.Ordinal);
    private readonly Dictionary<SubjectId, int> _setOf = [];
    private readonly Dictionary<(int Set, RoleRef Role), Alike> _alike = [];
    private readonly Dictionary<string, Policy> _policies = catalog.Policies.ToDictionary(policy => policy.Name, StringComparer.Ordinal);

    public LoadedCatalog Catalog { get; } = catalog;

    /// <summary>A number for the rules about somebody: the same for all whom the same rules are about.</summary>
    public int SetOf(SubjectId subject)
    {
        if (!_setOf.TryGetValue(subject, out var set))
        {
            var key = string.Join(',', Catalog.Index.About(subject));
            if (!_sets.TryGetValue(key, out set))
            {
                _sets[key] = set = _sets.Count;
            }

            _setOf[subject] = set;
        }

        return set;
    }

    /// <summary>Those of several people, whom the same rules are about, who may differ from the others.</summary>
    public IEnumerable<SubjectId> Apart(List<SubjectId> people, RoleRef role)
    {
        var alike = Of(SetOf(people[0]), people[0], role);
        return alike.ByPerson ? people : alike.Narrow.Count == 0 ? [] : people.Where(alike.Narrow.Contains);
    }

    /// <summary>How somebody stands to a role.</summary>
    public Standing Of(SubjectId subject, RoleRef role)
    {
        if (!Catalog.MayAsk(subject))
        {
            return Decide(subject, role);
        }

        var alike = Of(SetOf(subject), subject, role);
        if (alike.ByPerson || alike.Narrow.Contains(subject))
        {
            return Decide(subject, role);
        }

        return (alike.Standing ??= Shared(Decide(subject, role), alike.Steps, subject))?.Without(subject) ?? Decide(subject, role);
    }

    /// <summary>What the policies say to somebody who asks as the rules demand.</summary>
    public static Verdict AtBest(LoadedCatalog catalog, SubjectId subject, RoleRef role, DateTimeOffset now) =>
        Decider.Decide(catalog, new Question(subject, role, null, null, null, null, now) { DemandsMet = true, ConditionsMet = true });

    private Standing Decide(SubjectId subject, RoleRef role)
    {
        var standing = Daily(subject, role);
        if (!Catalog.Index.About(subject, role).Exists(i => Catalog.Policies[i].BreakGlass is not null)
            || Decider.Decide(Catalog, new Question(subject, role, null, null, null, null, now) { BreakGlass = true, DemandsMet = true, ConditionsMet = true }) is not Verdict.Allow { Glass: { } glass } broken)
        {
            return standing;
        }

        List<string> rules = [.. broken.DecidedBy];
        var emergency = new GlassStanding(
            broken.Terms,
            rules,
            glass.From,
            glass.Within,
            rules.Max(rule => _policies[rule].BreakGlass!.ReasonAtLeast),
            [.. rules.Select(rule => _policies[rule].TicketPattern).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Texts(rules, policy => [policy.Where, policy.When]));
        return standing.Could
            ? standing with { Glass = emergency }
            : new Standing { Way = Way.BreakGlass, Rules = rules, StatementsRequired = rules.Exists(rule => _policies[rule].StatementsRequired), Terms = emergency.Terms, Tickets = emergency.Tickets, Conditions = emergency.Conditions, Glass = emergency };
    }

    private Standing Daily(SubjectId subject, RoleRef role)
    {
        var verdict = AtBest(Catalog, subject, role, now);
        var about = (verdict.Trace is Traced traced ? traced.About : verdict.Trace).Where(line => line.Outcome is RuleOutcome.Decided or RuleOutcome.Matched).Select(line => line.Rule);
        List<string> rules = [.. verdict.DecidedBy.Concat(about).Distinct(StringComparer.Ordinal)];
        switch (verdict)
        {
            case Verdict.Deny deny:
                var denied = rules.Exists(rule => _policies[rule].Deny);
                return new Standing
                {
                    Way = denied ? Way.Denied : deny.Known ? Way.Unmet : Way.None,
                    Because = deny.Because,
                    Rules = rules,
                };
            case Verdict.Allow allow:
                return Demanding(subject, role, rules, new Standing { Way = Way.Rule, Rules = rules, Terms = allow.Terms });
            case Verdict.NeedsApproval needs:
                return Demanding(subject, role, rules, new Standing { Way = Way.Approval, Rules = rules, Terms = needs.Terms, Steps = needs.Steps, Distinct = needs.Distinct });
            default:
                throw new InvalidOperationException("A verdict is one of three.");
        }
    }

    /// <summary>The standing of one as that of all who are alike: who was left out of the steps because they asked is an approver for the others. Null when it is the asker's own.</summary>
    private static Standing? Shared(Standing standing, IReadOnlyList<PinnedStep> all, SubjectId asker)
    {
        if (standing.Steps.Select(step => (step.From, step.Need)).SequenceEqual(all.Select(step => (step.From, step.Need))))
        {
            return standing with { Steps = all };
        }

        return all.Any(step => step.Approvers.Contains(asker)) ? null : standing;
    }

    private Standing Demanding(SubjectId subject, RoleRef role, List<string> rules, Standing standing) => standing with
    {
        Times = Catalog.Calendars.Count == 0 ? [] : Times(subject, role, rules),
        Apart = [.. Catalog.Separations.Select(separation => separation.Said(role) is { } said ? $"{said} ({separation.Name})" : null).OfType<string>()],
        ReasonRequired = rules.Exists(rule => _policies[rule].ReasonRequired),
        StatementsRequired = rules.Exists(rule => _policies[rule].StatementsRequired),
        Conditions = Texts(rules, policy => [policy.Where, policy.When]),
        Sparing = Texts(rules, policy => [policy.Auto]),
        Tickets = [.. rules.Select(rule => _policies[rule].TicketPattern).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
    };

    /// <summary>What the calendars say, those of deny rules that hold at times included.</summary>
    private List<string> Times(SubjectId subject, RoleRef role, List<string> rules)
    {
        var about = Catalog.Index.About(subject, role).ConvertAll(i => Catalog.Policies[i]).FindAll(policy => policy.Deny ? policy.During.Count > 0 : rules.Contains(policy.Name));
        return
        [
            .. about.SelectMany(policy => new[]
            {
                policy.During.Count == 0 ? null : $"{(policy.Deny ? "not during" : "during")} {Together.Say(policy.During)}",
                policy.NotDuring.Count == 0 ? null : $"not during {Together.Say(policy.NotDuring)}",
            }).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>Conditions that are left open until somebody asks.</summary>
    private List<string> Texts(List<string> rules, Func<Policy, Condition?[]> conditions) =>
        [.. rules.SelectMany(rule => conditions(_policies[rule])).OfType<Condition>().Where(condition => condition.IsOfAsking).Select(condition => condition.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private Alike Of(int set, SubjectId subject, RoleRef role)
    {
        if (_alike.TryGetValue((set, role), out var found))
        {
            return found;
        }

        var policies = Catalog.Index.About(subject, role).ConvertAll(i => Catalog.Policies[i]);
        List<Workflow> workflows = [.. policies.Select(policy => policy.Approve).OfType<Workflow>()];
        var byPerson = workflows.Exists(workflow => workflow.Steps.Any(step => step.NotForReports || step.From.Contains("manager", StringComparison.Ordinal) || step.Escalate?.To.Contains("manager", StringComparison.Ordinal) == true))
            || policies.Exists(policy => policy.BreakGlass is not null)
            || policies.Exists(policy => new[] { policy.Where, policy.When, policy.Auto }.Any(condition => condition is { IsOfResource: false }));
        HashSet<SubjectId> narrow = [];
        IReadOnlyList<PinnedStep> steps = [];
        if (!byPerson && workflows.Count > 0 && Catalog.Resources.TryGetValue(role.Resource, out var resource))
        {
            steps = Steps.Pin(Catalog, Steps.Union(workflows), resource, null, null);
            var all = steps.Sum(step => step.Need);

            // NB. With one more person in each step than all steps together need, one person less never matters.
            narrow = [.. steps.Where(step => step.Approvers.Count <= all).SelectMany(step => step.Approvers)];
        }

        return _alike[(set, role)] = new Alike(byPerson, narrow, steps);
    }

    /// <summary>What holds for all whom the same rules about one role are about.</summary>
    private sealed record Alike(bool ByPerson, HashSet<SubjectId> Narrow, IReadOnlyList<PinnedStep> Steps)
    {
        public Standing? Standing { get; set; }
    }
}
