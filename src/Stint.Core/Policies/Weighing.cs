using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Policies;

/// <summary>The rules about a subject and a role, told apart by their conditions.</summary>
/// <remarks>
/// A rule whose <c>where</c> does not hold says nothing, as if it were about another role. One whose <c>when</c> does not
/// hold says nothing either, and the asker is told. What cannot be evaluated never lets in: a deny rule denies then, and
/// any other rule ends the asking, since nobody can know what it would have demanded.
/// </remarks>
internal sealed class Weighing
{
    private Weighing(List<int> about) => About = about;

    /// <summary>Places of the rules that count, in rising order.</summary>
    public List<int> About { get; }

    /// <summary>Rules that are about the asking and do not hold now.</summary>
    public List<RuleTrace>? Aside { get; private set; }

    /// <summary>Rules that would let in and cannot be evaluated.</summary>
    public List<RuleTrace>? Failed { get; private set; }

    /// <summary>Deny rules that cannot be evaluated, by place; they count as rules that deny.</summary>
    public Dictionary<int, string>? FailedDenials { get; private set; }

    /// <summary>Deny rules, by place, that hold at other times: they end what opens before.</summary>
    public List<int>? Coming { get; private set; }

    /// <summary>Whether any rule but a deny rule is about the asking.</summary>
    public bool Reaches { get; private set; }

    public static Weighing Of(LoadedCatalog catalog, Situation situation, List<int> candidates)
    {
        Weighing? weighing = null;
        for (var at = 0; at < candidates.Count; at++)
        {
            var policy = catalog.Policies[candidates[at]];
            if (policy.Where is null && policy.When is null && policy.BreakGlass is null && !(policy.Deny && policy.During.Count > 0))
            {
                if (weighing is not null)
                {
                    weighing.About.Add(candidates[at]);
                    weighing.Reaches |= !policy.Deny;
                }

                continue;
            }

            if (weighing is null)
            {
                weighing = new Weighing(candidates.GetRange(0, at));
                weighing.Reaches = weighing.About.Exists(i => !catalog.Policies[i].Deny);
            }

            weighing.Weigh(candidates[at], policy, situation);
        }

        return weighing ?? new Weighing(candidates) { Reaches = candidates.Exists(i => !catalog.Policies[i].Deny) };
    }

    /// <summary>Whether it is left open until somebody asks.</summary>
    private static bool IsOpen(Condition? condition, Situation situation) => situation.Question.ConditionsMet && condition is { IsOfAsking: true };

    private static Holds Evaluate(Condition? condition, Situation situation) =>
        condition is null || IsOpen(condition, situation) ? new Holds(true, null) : condition.Evaluate(situation);

    private void Weigh(int place, Policy policy, Situation situation)
    {
        if (policy.Deny && (IsOpen(policy.Where, situation) || IsOpen(policy.When, situation) || (situation.Question.ConditionsMet && policy.During.Count > 0)))
        {
            return;
        }

        var where = Evaluate(policy.Where, situation);
        if (where is { Yes: false, Failed: null })
        {
            return;
        }

        if (policy.BreakGlass is not null && !situation.Question.BreakGlass)
        {
            // NB. An asking of every day neither rests on such a rule nor fails with it.
            if (where.Yes)
            {
                Reaches = true;
                (Aside ??= []).Add(new RuleTrace(policy.Name, RuleOutcome.NotMet, "it counts in an emergency only, and this was not asked as break-glass", $"in an emergency: stint break-glass {situation.Question.Role}"));
            }

            return;
        }

        var when = where.Failed is null ? Evaluate(policy.When, situation) : where;
        Reaches |= !policy.Deny;
        if (policy.Deny && policy.During.Count > 0 && !Together.Hold(policy.During, situation.Opens))
        {
            if (when.Yes || when.Failed is not null)
            {
                (Coming ??= []).Add(place);
            }

            return;
        }

        if (when.Failed is { } failed)
        {
            var because = $"its condition '{(where.Failed is null ? "when" : "where")}' cannot be evaluated: {failed}";
            if (policy.Deny)
            {
                // NB. A deny rule that cannot be evaluated denies.
                (FailedDenials ??= [])[place] = because;
                About.Add(place);
            }
            else
            {
                (Failed ??= []).Add(new RuleTrace(policy.Name, RuleOutcome.Failed, $"{because}, and a rule that fails never allows"));
            }
        }
        else if (when.Yes)
        {
            About.Add(place);
        }
        else if (!policy.Deny)
        {
            (Aside ??= []).Add(new RuleTrace(policy.Name, RuleOutcome.NotMet, $"it does not hold now: {policy.When!.Text}", "ask when it holds"));
        }
    }
}
