using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What the policies say to one role of a bundle.</summary>
/// <param name="Role">The role.</param>
/// <param name="Verdict">What they say. A yes that is needed is needed of the steps that all roles of the bundle share.</param>
public sealed record BundleRole(RoleRef Role, Verdict Verdict);

/// <summary>What the policies say to a bundle.</summary>
/// <param name="Roles">The roles that whoever asks may know of, in the bundle's order; empty when there is none, and then there is no such bundle for them.</param>
/// <param name="Hidden">Those that they may not know of, and why. For the log alone.</param>
/// <param name="Needs">The steps that those share which need a yes; null when none does.</param>
public sealed record BundleVerdict(IReadOnlyList<BundleRole> Roles, IReadOnlyList<(RoleRef Role, string Because)> Hidden, Verdict.NeedsApproval? Needs);

/// <summary>Asks the policies for each role of a bundle, and makes one conversation of all the yeses that they ask for.</summary>
/// <remarks>
/// NB. A bundle adds nothing to what its roles' policies say and takes nothing away: every step of every role stands in the
/// shared steps, so that whoever meets those has met each role's own, and before access opens each role's own are counted again.
/// </remarks>
public static class BundleDecider
{
    /// <summary>Decides.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="bundle">The bundle.</param>
    /// <param name="wish">How long at most; null for what the policies give.</param>
    /// <param name="ask">The question for a role and a length, given the roles before it that were not refused.</param>
    public static BundleVerdict Decide(LoadedCatalog catalog, Bundle bundle, TimeSpan? wish, Func<RoleRef, TimeSpan?, IReadOnlyList<RoleRef>, Question> ask)
    {
        var roles = new List<BundleRole>();
        var hidden = new List<(RoleRef, string)>();
        var before = new List<RoleRef>();
        foreach (var role in bundle.Roles)
        {
            var verdict = Longest(catalog, wish, length => ask(role, length, before));
            if (verdict is Verdict.Deny { Known: false } unknown)
            {
                hidden.Add((role, unknown.Because));
                continue;
            }

            roles.Add(new BundleRole(role, verdict));
            if (verdict is not Verdict.Deny)
            {
                before.Add(role);
            }
        }

        return roles.Find(role => role.Verdict is Verdict.NeedsApproval) is null
            ? new BundleVerdict(roles, hidden, null)
            : Together(catalog, roles, hidden, ask(bundle.Roles[0], null, []));
    }

    /// <summary>The answer for as long as was wished, or else for the longest that the role's policies allow.</summary>
    private static Verdict Longest(LoadedCatalog catalog, TimeSpan? wish, Func<TimeSpan?, Question> ask)
    {
        var verdict = Decider.Decide(catalog, ask(wish));
        if (wish is not { } wished || verdict is not Verdict.Deny { Known: true })
        {
            return verdict;
        }

        // NB. Asked again with the shorter length and never only cut: a condition may look at it.
        var most = Decider.Decide(catalog, ask(null) with { DemandsMet = true }) switch
        {
            Verdict.Allow allow => allow.Terms.Max,
            Verdict.NeedsApproval needs => needs.Terms.Max,
            _ => wished,
        };
        return most < wished ? Decider.Decide(catalog, ask(most)) : verdict;
    }

    private static BundleVerdict Together(LoadedCatalog catalog, List<BundleRole> roles, IReadOnlyList<(RoleRef, string)> hidden, Question question)
    {
        var asking = roles.FindAll(role => role.Verdict is Verdict.NeedsApproval).ConvertAll(role => (role.Role, Needs: (Verdict.NeedsApproval)role.Verdict));
        var workflows = asking.ConvertAll(one => new Workflow
        {
            Name = one.Role.ToString(),
            Steps = [.. one.Needs.Steps.Select(step => Bound(step, one.Role.Resource))],
            Sequential = one.Needs.Sequential,
            Distinct = one.Needs.Distinct,
        });
        var distinct = workflows.Exists(workflow => workflow.Distinct);
        var sequential = workflows.Exists(workflow => workflow.Sequential);

        // Every step says itself whose owners it means: the resource is nobody's in particular.
        var steps = Steps.Pin(catalog, Steps.Union(workflows), catalog.Resources[asking[0].Role.Resource], question.Subject, question.Now);
        var lapses = asking.Min(one => one.Needs.Terms.LapsesAfter);
        var met = Quorum.CanBeMet(steps, distinct, question.Subject);
        var lacking = met ? "" : Steps.Lacking(steps, distinct);
        List<BundleRole> decided =
        [
            .. roles.Select(role => role.Verdict is not Verdict.NeedsApproval needs ? role
                : role with { Verdict = met ? needs with { Steps = steps, Distinct = distinct, Sequential = sequential, Terms = needs.Terms with { LapsesAfter = lapses } } : Unmet(needs, lacking) }),
        ];
        return new BundleVerdict(decided, hidden, decided.Select(role => role.Verdict).OfType<Verdict.NeedsApproval>().FirstOrDefault());
    }

    private static WorkflowStep Bound(PinnedStep step, string resource) => new(Sources.Bound(step.From, resource), step.Need)
    {
        Remind = step.Remind,
        Escalate = step.Escalate is { } escalate ? new Escalation(escalate.After, Sources.Bound(escalate.To, resource)) : null,
        NotForReports = step.NotForReports,
        StepUp = step.StepUp,
    };

    private static Verdict.Deny Unmet(Verdict.NeedsApproval needs, string lacking) =>
        new($"nobody could approve it together with the rest of the bundle: {lacking}", Known: true)
        {
            Trace =
            [
                .. needs.DecidedBy.Select(rule => new RuleTrace(rule, RuleOutcome.NotMet, $"its approval cannot be met together with those of the other roles ({lacking})", "ask for the role by itself")),
                .. needs.TraceForAsker.Where(line => !needs.DecidedBy.Contains(line.Rule)),
            ],
        };
}
