namespace Stint.Server.Api;

/// <summary>A yes.</summary>
internal sealed record ApproveBody
{
    /// <summary>A shorter duration than asked for; absent to take it as it is.</summary>
    public long? ForSeconds { get; init; }

    public string? Comment { get; init; }

    /// <summary>The request's <c>digest</c> as the approver saw it.</summary>
    public required string SawDigest { get; init; }

    /// <summary>The approver who is away and in whose place they answer; absent for their own place, or the first that they can take.</summary>
    public string? InPlaceOf { get; init; }
}

/// <summary>Less than was asked: at least one of length, start and role.</summary>
internal sealed record OfferBody
{
    /// <summary>Shorter than asked for; absent to leave it, or for the default of another role.</summary>
    public long? ForSeconds { get; init; }

    /// <summary>Later than now, and than asked for; absent to leave it.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Another role of the same resource, of no higher risk; absent to leave it.</summary>
    public string? Role { get; init; }

    public string? Comment { get; init; }

    /// <summary>The request's <c>digest</c> as the approver saw it.</summary>
    public required string SawDigest { get; init; }
}

/// <summary>Taking a counter-offer.</summary>
internal sealed record AcceptBody
{
    /// <summary>Which; absent for the only one.</summary>
    public string? Offer { get; init; }
}

/// <summary>Who answers for the caller while they are away.</summary>
internal sealed record DelegateBody
{
    /// <summary>Who answers.</summary>
    public required string Delegate { get; init; }

    /// <summary>From when; absent for now.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Until when; at most 90 days after it begins.</summary>
    public required DateTimeOffset Until { get; init; }
}

/// <summary>A delegation.</summary>
/// <param name="Person">Who is away.</param>
/// <param name="Delegate">Who answers for them.</param>
/// <param name="From">From when.</param>
/// <param name="Until">Until before when.</param>
/// <param name="State"><c>coming</c>, <c>active</c>, <c>over</c>, or <c>ended</c> early.</param>
/// <param name="MadeAt">When it was made.</param>
internal sealed record DelegationShape(string Id, string Person, string Delegate, DateTimeOffset From, DateTimeOffset Until, string State, DateTimeOffset MadeAt, DateTimeOffset? EndedAt);

/// <summary>A no.</summary>
internal sealed record DenyBody
{
    /// <summary>Why; must not be empty, for the requester reads it.</summary>
    public required string Comment { get; init; }

    /// <summary>The request's <c>digest</c> as it was shown; may be absent.</summary>
    public string? SawDigest { get; init; }

    /// <summary>The approver who is away and in whose place they answer; absent for their own place, or the first that they can take.</summary>
    public string? InPlaceOf { get; init; }
}

/// <summary>An approval step.</summary>
/// <param name="Name">For people.</param>
/// <param name="From">As the catalog says it.</param>
/// <param name="Need">How many different persons' yes it takes.</param>
/// <param name="Approvers">Who may answer: while it is pending those who still are what they were asked as, afterwards those who were asked.</param>
/// <param name="Missing">How many more yeses it takes now; 0 once decided.</param>
internal sealed record StepShape(string Name, string From, int Need, IReadOnlyList<string> Approvers, int Missing)
{
    /// <summary>How whoever says yes proves themselves anew: <c>passkey</c> or <c>fresh</c>; null for not at all.</summary>
    public string? StepUp { get; init; }

    /// <summary><c>open</c>: it is asked. <c>later</c>: those before it are not met yet. <c>met</c>: it has its yeses. <c>over</c>: it was decided without it.</summary>
    public required string State { get; init; }

    /// <summary>Who could say yes still; empty once it is met or over.</summary>
    public required IReadOnlyList<string> Could { get; init; }

    /// <summary>Who answers for some of them now.</summary>
    public required IReadOnlyList<DelegateShape> Delegates { get; init; }

    /// <summary>When they are reminded next; null for never.</summary>
    public DateTimeOffset? RemindAt { get; init; }

    /// <summary>How often they were reminded.</summary>
    public int Reminded { get; init; }

    /// <summary>When it escalates; null for never, or once it has.</summary>
    public DateTimeOffset? EscalateAt { get; init; }

    /// <summary>When it escalated; null when it has not.</summary>
    public DateTimeOffset? EscalatedAt { get; init; }

    /// <summary>To whom it escalates, as the catalog says it; null for nobody.</summary>
    public string? EscalateTo { get; init; }

    /// <summary>Why nobody could fulfil it any more, in words; null while somebody could.</summary>
    public string? Lacking { get; init; }
}

/// <summary>Who answers for an approver who is away.</summary>
/// <param name="Approver">Who is away.</param>
/// <param name="Delegate">Who answers for them.</param>
/// <param name="Until">Until when.</param>
internal sealed record DelegateShape(string Approver, string Delegate, DateTimeOffset Until);

/// <summary>Whether the caller may say yes to a request now.</summary>
/// <param name="MayAnswer">Whether.</param>
/// <param name="InPlaceOf">Who is away and in whose place they would answer; null for their own.</param>
/// <param name="WhyNot">Why not; null when they may.</param>
internal sealed record StandingShape(bool MayAnswer, string? InPlaceOf, string? WhyNot);

/// <summary>One person's answer.</summary>
/// <param name="InPlaceOf">The approver who was away and in whose place they answered; null for their own.</param>
/// <param name="Offer">The counter-offer that this yes was given with; null for none.</param>
/// <param name="Proof">How they proved themselves anew: <c>passkey</c> or <c>fresh</c>; null for not at all.</param>
internal sealed record ApprovalShape(string By, bool Yes, DateTimeOffset At, string Comment, long? ShortenedSeconds, string Via, string? InPlaceOf, string? Offer, string? Proof = null);

/// <summary>What an approver offered in place of what was asked.</summary>
/// <param name="Request">The request that it answers.</param>
/// <param name="By">Who offered it.</param>
/// <param name="InPlaceOf">The approver who was away and in whose place they did; null for their own.</param>
/// <param name="Role">The role that is offered.</param>
/// <param name="StartAt">When it would open; null for as the request says.</param>
/// <param name="State"><c>open</c>, <c>replaced</c> by a later one, or <c>accepted</c>.</param>
/// <param name="Made">The request that was made of it; null until it is taken.</param>
internal sealed record OfferShape(string Id, string Request, string By, string? InPlaceOf, DateTimeOffset At, string Role, long ForSeconds, DateTimeOffset? StartAt, string Comment, string State, string? Made);
