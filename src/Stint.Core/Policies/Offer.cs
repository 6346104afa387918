namespace Stint.Core.Policies;

/// <summary>A role that a person may ask for.</summary>
/// <param name="Role">The role.</param>
/// <param name="Default">How long it lasts when the asking does not say.</param>
/// <param name="Max">The longest that can be asked for.</param>
/// <param name="NeedsApproval">Whether somebody has to say yes.</param>
/// <param name="ReasonRequired">Whether a reason has to be given.</param>
/// <param name="TicketPatterns">Every one of them has to match the ticket; empty when no ticket is demanded.</param>
public sealed record Offer(RoleRef Role, TimeSpan Default, TimeSpan Max, bool NeedsApproval, bool ReasonRequired, IReadOnlyList<string> TicketPatterns)
{
    /// <summary>Conditions that have to hold when it is asked for, as the catalog writes them.</summary>
    public IReadOnlyList<string> Conditions { get; init; } = [];

    /// <summary>Whether the exact statements have to be named.</summary>
    public bool StatementsRequired { get; init; }

    /// <summary>Whether it opens at once in an emergency.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>Whether that is the only way; the terms are those of the emergency then.</summary>
    public bool OnlyBreakGlass { get; init; }
}
