namespace Stint.Core.Catalog;

/// <summary>What an emergency costs: a policy with this opens at once, tells people loudly, and is reviewed afterwards.</summary>
/// <param name="Tell">Who is told, as <see cref="WorkflowStep.From"/>.</param>
/// <param name="ReviewFrom">Who reviews it, as <see cref="WorkflowStep.From"/>.</param>
/// <param name="ReviewWithin">By when, counted from the asking.</param>
/// <param name="ReasonAtLeast">Fewest characters of the justification, white space not counted.</param>
public sealed record BreakGlass(string Tell, string ReviewFrom, TimeSpan ReviewWithin, int ReasonAtLeast)
{
    /// <summary>What the catalog takes for <see cref="ReasonAtLeast"/> when it does not say.</summary>
    public const int UsualReason = 40;

    /// <summary>How many characters of a justification count.</summary>
    public static int LengthOf(string? reason) => reason?.Count(c => !char.IsWhiteSpace(c)) ?? 0;
}
