using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Weighs separations: whether what somebody asks for stands against what they hold, held or were promised.</summary>
internal static class Separating
{
    /// <summary>The lines of the separations that say no; null when none does.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="question">Null in <see cref="Question.Held"/> when nobody looked: what cannot be weighed says no.</param>
    /// <param name="longest">The longest that access could last.</param>
    public static List<RuleTrace>? Weigh(LoadedCatalog catalog, Question question, TimeSpan longest)
    {
        if (question.ConditionsMet)
        {
            return null;
        }

        List<RuleTrace>? lines = null;
        foreach (var separation in catalog.Separations)
        {
            if (separation.Against(question.Role) is { Count: > 0 } against && Line(separation, question, against.Contains, longest) is { } line)
            {
                (lines ??= []).Add(line);
            }
        }

        return lines;
    }

    private static RuleTrace? Line(Separation separation, Question question, Func<RoleRef, bool> against, TimeSpan longest)
    {
        if (question.Held is not { } all)
        {
            return new RuleTrace(separation.Name, RuleOutcome.Failed, $"what {question.Subject} holds is not known, and a separation that cannot be weighed says no");
        }

        var opens = question.StartAt ?? question.Now;
        var closes = opens + (question.For ?? longest);
        Held? worst = null;
        foreach (var one in all)
        {
            // A promise stands in the way only where the two would meet: one may be asked for long before the other.
            if (against(one.Role)
                && (one.Until is not { } until || opens < until + separation.Within)
                && (!one.Promised || one.From < closes + separation.Within)
                && (worst is null || (worst.Until is { } known && (one.Until is not { } later || later > known))))
            {
                worst = one;
            }
        }

        if (worst is null)
        {
            return null;
        }

        var held = worst switch
        {
            { Promised: true } => $"was promised from {Moments.Say(worst.From)} on",
            { Until: null } => "has: it is being opened or taken away",
            { Until: { } end } when end <= question.Now => $"held until {Moments.Say(end)}",
            { Until: { } end } => $"holds until {Moments.Say(end)}",
        };
        var free = worst.Until + separation.Within;
        var within = separation.Within > TimeSpan.Zero ? $", and for {Words.Say(separation.Within)} after it{(free is { } moment ? $", until {Moments.Say(moment)}" : "")}" : "";
        return new RuleTrace(
            separation.Name,
            RuleOutcome.Decided,
            $"it keeps {question.Role} apart from {worst.Role}, which {question.Subject} {held}{within}",
            free is { } from ? $"ask for a start from {Moments.Say(from)} on" : "ask again once it is taken away");
    }
}
