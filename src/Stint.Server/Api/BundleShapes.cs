namespace Stint.Server.Api;

/// <summary>A bundle of which the caller may ask for at least one role.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for; may be empty.</param>
/// <param name="Roles">Those of its roles that the caller may ask for, in the order in which they are decided.</param>
/// <param name="LeftOut">How many more it has that the caller may not know of.</param>
/// <param name="ForSeconds">How long without saying so; null for what the policies of each role give.</param>
/// <param name="Needs"><c>rule</c> when rules decide every one of those roles, else <c>approval</c>.</param>
/// <param name="ReasonRequired">Whether a justification must be given for one of them.</param>
/// <param name="TicketPattern">What the ticket must match, several patterns joined by ` and `; null when none is demanded.</param>
internal sealed record BundleShape(string Name, string Description, IReadOnlyList<string> Roles, int LeftOut, long? ForSeconds, string Needs, bool ReasonRequired, string? TicketPattern);

/// <summary>An asking for a bundle.</summary>
internal sealed record AskBundleBody
{
    /// <summary>Name of the bundle.</summary>
    public required string Bundle { get; init; }

    /// <summary>How long, from the opening, each role for at most as long as its policies allow; absent for what the bundle says, or the policies.</summary>
    public long? ForSeconds { get; init; }

    /// <summary>The justification, for all of it.</summary>
    public string? Reason { get; init; }

    /// <summary>The tracker's ticket, for all of it.</summary>
    public string? Ticket { get; init; }

    /// <summary>A start in the future; absent for as soon as approved.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Whether access opens as soon as it is approved, without waiting for its holder to begin.</summary>
    public bool? Wait { get; init; }
}

/// <summary>One role of an asking for a bundle, and what became of it.</summary>
/// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
/// <param name="Request">The request that was made of it.</param>
/// <param name="State">The request's: <c>pending</c>, <c>approved</c>, <c>denied</c>, <c>cancelled</c>, <c>lapsed</c>.</param>
/// <param name="ForSeconds">How long; less than was asked for where its policies allow no more, or an approver shortened it.</param>
/// <param name="Why">The sentence that goes with a no, a cancel or a lapse.</param>
/// <param name="Verdict">What the policies said to it.</param>
/// <param name="Grant">What came of it; null while there is none.</param>
internal sealed record BundleRoleShape(string Role, string Request, string State, long ForSeconds, string? Why, VerdictShape Verdict, GrantShape? Grant);

/// <summary>One asking for a bundle and what became of each role.</summary>
internal sealed record BundleAskingShape
{
    public required string Id { get; init; }

    /// <summary>Name of the bundle.</summary>
    public required string Bundle { get; init; }

    /// <summary><c>pending</c> while some of it waits for a yes; then <c>approved</c>, <c>partial</c> when some of it is approved and some is not, or <c>denied</c>, <c>cancelled</c>, <c>lapsed</c> when nothing is.</summary>
    public required string State { get; init; }

    /// <summary>Grows with every change; give it as <c>seen_version</c> to wait for the next.</summary>
    public required long Version { get; init; }

    public required string Subject { get; init; }

    /// <summary>How long was asked for, or the bundle says; null for what the policies of each role give.</summary>
    public long? ForSeconds { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public required string Reason { get; init; }

    public string? Ticket { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>When what waits lapses; null when nothing waits.</summary>
    public DateTimeOffset? LapsesAt { get; init; }

    /// <summary>SHA-256 of what an approver says yes to: all of it.</summary>
    public required string Digest { get; init; }

    public required string CatalogVersion { get; init; }

    /// <summary>In the order in which they were decided.</summary>
    public required IReadOnlyList<BundleRoleShape> Roles { get; init; }

    /// <summary>How many roles of the bundle are not told: whoever asked, or whoever looks, may not know of them.</summary>
    public required int LeftOut { get; init; }

    /// <summary>The steps that those roles share which need a yes; empty when none does.</summary>
    public required IReadOnlyList<StepShape> Steps { get; init; }

    /// <summary>Whether steps are asked one after the other.</summary>
    public required bool Sequential { get; init; }

    /// <summary>Answers to all of it.</summary>
    public required IReadOnlyList<ApprovalShape> Approvals { get; init; }

    /// <summary>Whether the caller may say yes now, and else why not; null once it is decided.</summary>
    public StandingShape? You { get; init; }
}

/// <summary>What an asking for a bundle would come to now, role by role.</summary>
/// <param name="Bundle">Name of the bundle.</param>
/// <param name="ForSeconds">How long is asked for; null for what the policies give.</param>
/// <param name="CatalogVersion">The catalog that decides.</param>
/// <param name="Roles">What each role would come to; without steps of their own.</param>
/// <param name="LeftOut">How many roles of the bundle the caller may not know of.</param>
/// <param name="Steps">The steps that those roles would share which need a yes.</param>
internal sealed record BundlePreviewShape(string Bundle, long? ForSeconds, string CatalogVersion, IReadOnlyList<PreviewShape> Roles, int LeftOut, IReadOnlyList<StepShape> Steps);
