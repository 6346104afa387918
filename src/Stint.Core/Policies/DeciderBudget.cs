using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What a workload had, holds and was promised within one day.</summary>
/// <param name="Grants">How many grants were asked for in it and not refused.</param>
/// <param name="Time">How long access was or may still be open in it.</param>
public sealed record BudgetUse(int Grants, TimeSpan Time);

/// <summary>A workload's budget for the day.</summary>
public static partial class Decider
{
    private const string OverBudgetBegins = "the budget of ";

    /// <summary>Whether a no was said for no rule's sake, but because a budget was used up.</summary>
    internal static bool WasOverBudget(Verdict verdict) => verdict is Verdict.Deny deny && deny.Because.StartsWith(OverBudgetBegins, StringComparison.Ordinal);

    /// <summary>What becomes of a yes, by rule or by people, that the budget does not hold: a no that says the budget and when it is free again.</summary>
    /// <param name="verdict">What the rules say.</param>
    /// <param name="workload">Who asks.</param>
    /// <param name="used">What it had already in the day of <paramref name="now"/>.</param>
    /// <param name="now">The moment of the asking.</param>
    /// <returns>The same verdict where the budget holds it, where there is none, and where it is a no already.</returns>
    public static Verdict WithinBudget(Verdict verdict, Workload workload, BudgetUse used, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(used);
        var length = verdict switch
        {
            Verdict.Allow allow => allow.Terms.For,
            Verdict.NeedsApproval needs => needs.Terms.For,
            _ => TimeSpan.Zero,
        };
        if (workload.Budget is not { } budget || verdict is Verdict.Deny)
        {
            return verdict;
        }

        var free = Moments.Say(budget.Day(now).Until);
        var said = $"{OverBudgetBegins}{workload.Id} is {budget.Say()}";
        if (budget.Grants is { } most && used.Grants >= most)
        {
            return Spent(verdict, $"{said}, and it had {used.Grants} {(used.Grants == 1 ? "grant" : "grants")} today; it is free again on {free}", $"ask again on {free}, or end the day's work with fewer askings");
        }

        if (budget.Time is not { } time || used.Time + length <= time)
        {
            return verdict;
        }

        var left = time - used.Time;
        var whole = TimeSpan.FromSeconds(Math.Floor(Math.Max(0, left.TotalSeconds)));
        var remedy = whole > TimeSpan.Zero
            ? $"ask for {Words.Say(whole)} or less{(length > time ? "" : $", or again on {free}")}"
            : $"ask again on {free}";
        return Spent(verdict, $"{said}, {Words.Say(whole)} of it {(whole == TimeSpan.FromSeconds(1) ? "is" : "are")} left today, and this is {Words.Say(length)}; it is free again on {free}", remedy);
    }

    private static Verdict.Deny Spent(Verdict verdict, string because, string remedy)
    {
        var about = verdict.TraceForAsker;
        return new Verdict.Deny(because, Known: true)
        {
            Trace = [.. about.Select(line => line.Outcome == RuleOutcome.Decided ? line with { Outcome = RuleOutcome.NotMet, Because = because, Remedy = remedy } : line)],
            LeftOut = verdict.Trace.Count - about.Count,
        };
    }
}
