using System.Text.Json;

namespace Stint.Server.Api;

/// <summary>Whether the server is there.</summary>
/// <param name="Status"><c>ok</c>, <c>draining</c> or <c>unavailable</c>.</param>
/// <param name="Why">In words; null when it is ok.</param>
internal sealed record Health(string Status, string? Why);

/// <summary>Whose token this is.</summary>
internal sealed record WhoAmI(string Id, string Name, IReadOnlyList<string> Groups, bool Admin, bool Auditor);

/// <summary>A part of a list.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Next">Give it as <c>cursor</c> for the next part; null when this is the last.</param>
internal sealed record ListOf<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>A role that the caller may ask for.</summary>
/// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
/// <param name="Resource">Name of the resource.</param>
/// <param name="Description">What it is for; may be empty.</param>
/// <param name="Kind">Kind of the resource.</param>
/// <param name="Risk"><c>low</c>, <c>medium</c> or <c>high</c>.</param>
/// <param name="Guarantee">Who ends the access when Stint is down: <c>native</c>, <c>gateway</c>, <c>job</c>; null when this server does not run the kind.</param>
/// <param name="MaxSeconds">Longest that can be asked for.</param>
/// <param name="DefaultSeconds">How long without saying so.</param>
/// <param name="Needs"><c>rule</c> or <c>approval</c>.</param>
/// <param name="TicketPattern">What the ticket must match, several patterns joined by ` and `; null when none is demanded.</param>
/// <param name="ReasonRequired">Whether a justification must be given.</param>
/// <param name="Held">The caller's own grant of it that has not ended; null for none.</param>
internal sealed record RoleShape(
    string Role,
    string Resource,
    string Description,
    string Kind,
    string Risk,
    string? Guarantee,
    long MaxSeconds,
    long DefaultSeconds,
    string Needs,
    string? TicketPattern,
    bool ReasonRequired,
    string? Held);

/// <summary>An asking.</summary>
internal sealed record AskBody
{
    /// <summary><c>RESOURCE/ROLE</c>.</summary>
    public required string Role { get; init; }

    /// <summary>How long, from the opening; absent for the policy's default.</summary>
    public long? ForSeconds { get; init; }

    /// <summary>The justification.</summary>
    public string? Reason { get; init; }

    /// <summary>The tracker's ticket.</summary>
    public string? Ticket { get; init; }

    /// <summary>A start in the future; absent for as soon as approved.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Whether access opens as soon as it is approved, without waiting for its holder to begin.</summary>
    public bool? Wait { get; init; }

    /// <summary>The own grant that this one joins.</summary>
    public string? Extends { get; init; }
}

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

/// <summary>A reason for ending something.</summary>
internal sealed record CommentBody
{
    /// <summary>Why; must not be empty.</summary>
    public required string Comment { get; init; }
}

/// <summary>Taking a grant away.</summary>
internal sealed record RevokeBody
{
    /// <summary>Why; must not be empty.</summary>
    public required string Comment { get; init; }

    /// <summary>The system itself is gone for good: close without asking it. Admins only.</summary>
    public bool? TargetGone { get; init; }
}

/// <summary>Nothing to say.</summary>
internal sealed record EmptyBody;

/// <summary>One rule's part in a verdict.</summary>
internal sealed record TraceShape(string Rule, string Outcome, string Because, string? Remedy);

/// <summary>What the policies said.</summary>
/// <param name="Outcome"><c>allow</c>, <c>needs_approval</c> or <c>deny</c>.</param>
/// <param name="DecidedBy">Names of the rules that decided; empty when none reaches the role.</param>
/// <param name="Because">Why not; null for anything but a no.</param>
/// <param name="Trace">Every rule about the asker and the role, and how it took part: <c>decided</c>, <c>matched</c>, <c>not_met</c>, <c>failed</c>. Rules about others stand in the evidence alone.</param>
internal sealed record VerdictShape(string Outcome, IReadOnlyList<string> DecidedBy, string? Because, IReadOnlyList<TraceShape> Trace);

/// <summary>An approval step.</summary>
/// <param name="Name">For people.</param>
/// <param name="From">As the catalog says it.</param>
/// <param name="Need">How many different persons' yes it takes.</param>
/// <param name="Approvers">Who may answer: while it is pending those who still are what they were asked as, afterwards those who were asked.</param>
/// <param name="Missing">How many more yeses it takes now; 0 once decided.</param>
internal sealed record StepShape(string Name, string From, int Need, IReadOnlyList<string> Approvers, int Missing)
{
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
internal sealed record ApprovalShape(string By, bool Yes, DateTimeOffset At, string Comment, long? ShortenedSeconds, string Via, string? InPlaceOf, string? Offer);

/// <summary>What an approver offered in place of what was asked.</summary>
/// <param name="Request">The request that it answers.</param>
/// <param name="By">Who offered it.</param>
/// <param name="InPlaceOf">The approver who was away and in whose place they did; null for their own.</param>
/// <param name="Role">The role that is offered.</param>
/// <param name="StartAt">When it would open; null for as the request says.</param>
/// <param name="State"><c>open</c>, <c>replaced</c> by a later one, or <c>accepted</c>.</param>
/// <param name="Made">The request that was made of it; null until it is taken.</param>
internal sealed record OfferShape(string Id, string Request, string By, string? InPlaceOf, DateTimeOffset At, string Role, long ForSeconds, DateTimeOffset? StartAt, string Comment, string State, string? Made);

/// <summary>One asking and what became of it.</summary>
internal sealed record RequestShape
{
    public required string Id { get; init; }

    /// <summary><c>pending</c>, <c>approved</c>, <c>denied</c>, <c>cancelled</c>, <c>lapsed</c>.</summary>
    public required string State { get; init; }

    /// <summary>Grows with every change; give it as <c>seen_version</c> to wait for the next.</summary>
    public required long Version { get; init; }

    public required string Subject { get; init; }

    public required string Role { get; init; }

    public required string Resource { get; init; }

    public required long ForSeconds { get; init; }

    /// <summary><c>by_holder</c>, <c>on_approval</c>, <c>scheduled</c>.</summary>
    public required string Opening { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public required string Reason { get; init; }

    public string? Ticket { get; init; }

    /// <summary>The grant it joins; null for none.</summary>
    public string? Extends { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public DateTimeOffset? DecidedAt { get; init; }

    public required DateTimeOffset LapsesAt { get; init; }

    /// <summary>The sentence that goes with a no, a cancel or a lapse.</summary>
    public string? Why { get; init; }

    /// <summary>SHA-256 of what an approver says yes to.</summary>
    public required string Digest { get; init; }

    public required string CatalogVersion { get; init; }

    public required VerdictShape Verdict { get; init; }

    public required IReadOnlyList<StepShape> Steps { get; init; }

    /// <summary>Whether steps are asked one after the other.</summary>
    public required bool Sequential { get; init; }

    public required IReadOnlyList<ApprovalShape> Approvals { get; init; }

    /// <summary>Whether the caller may say yes now, and else why not; null once it is decided.</summary>
    public StandingShape? You { get; init; }

    /// <summary>What approvers offered in its place, oldest first.</summary>
    public required IReadOnlyList<OfferShape> Offers { get; init; }

    /// <summary>The request that was taken back for this one when its counter-offer was taken; null for one that was asked by itself.</summary>
    public string? InsteadOf { get; init; }

    public GrantShape? Grant { get; init; }
}

/// <summary>What an asking would come to now.</summary>
internal sealed record PreviewShape(string Role, long? ForSeconds, string CatalogVersion, VerdictShape Verdict, IReadOnlyList<StepShape> Steps);

/// <summary>The right that an approved request produced.</summary>
internal sealed record GrantShape
{
    public required string Id { get; init; }

    public required string Request { get; init; }

    /// <summary><c>ready</c>, <c>opening</c>, <c>open</c>, <c>closing</c>, <c>closed</c>.</summary>
    public required string State { get; init; }

    /// <summary>Grows with every change; give it as <c>seen_version</c> to wait for the next.</summary>
    public required long Version { get; init; }

    public required string Subject { get; init; }

    public required string Role { get; init; }

    public required string Resource { get; init; }

    public required long ForSeconds { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    /// <summary>When it lapses if it is not begun.</summary>
    public required DateTimeOffset LapsesAt { get; init; }

    /// <summary>The grant it joins; null for none.</summary>
    public string? Extends { get; init; }

    /// <summary>Start of its window, inclusive; null before it opens.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>End of its window, exclusive. Once open it never moves.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When nothing of it was left at the target.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary><c>expired</c>, <c>returned</c>, <c>revoked</c>, <c>offboarded</c>, <c>lapsed</c>, <c>failed</c>, <c>target_gone</c>; null while it has not ended.</summary>
    public string? EndReason { get; init; }

    public string? EndNote { get; init; }

    /// <summary><c>default</c>: each statement is written before it is sent. <c>strict</c>: it is durable before.</summary>
    public required string Record { get; init; }

    /// <summary>What keeps the target from being as wanted; null when nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>Who ends the access when Stint is down: <c>native</c>, <c>gateway</c>, <c>job</c>; null when this server does not run the kind.</summary>
    public string? Guarantee { get; init; }
}

/// <summary>A way in. The secret is shown this once.</summary>
/// <param name="Login">User name at the gateway.</param>
/// <param name="Secret">Its password.</param>
/// <param name="Host">Where the gateway is.</param>
/// <param name="Port">Its port.</param>
/// <param name="Database">Database to name; null where the kind has none.</param>
/// <param name="Tls">What to set <c>sslmode</c> to.</param>
/// <param name="CaCertificate">PEM to trust for a gateway that made its own certificate; null when the machine's own roots do.</param>
/// <param name="Dsn">All of it as one connection URI, the secret included.</param>
/// <param name="NotAfter">When the grant ends.</param>
internal sealed record LoginShape(string Login, string Secret, string Host, int Port, string? Database, string Tls, string? CaCertificate, string Dsn, DateTimeOffset NotAfter);

/// <summary>Head of a recording, as it was last anchored in the audit log.</summary>
internal sealed record RecordingShape(string File, long Records, long Bytes, string Hash);

/// <summary>One connection through the gateway.</summary>
internal sealed record SessionShape
{
    public required string Id { get; init; }

    /// <summary><c>live</c> or <c>ended</c>.</summary>
    public required string State { get; init; }

    public required string Grant { get; init; }

    public required string Request { get; init; }

    public required string Subject { get; init; }

    public required string Role { get; init; }

    public required string Resource { get; init; }

    public required string Kind { get; init; }

    public string? Database { get; init; }

    /// <summary>What the client calls itself; may be empty.</summary>
    public required string Application { get; init; }

    /// <summary>The client's address.</summary>
    public required string From { get; init; }

    /// <summary>Whether the client's side is encrypted.</summary>
    public required bool Tls { get; init; }

    public required string Node { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? EndReason { get; init; }

    public string? EndNote { get; init; }

    /// <summary>Statements sent to the target, as last anchored: each of several in one text, and a portal once.</summary>
    public required long Statements { get; init; }

    public required long BytesFromClient { get; init; }

    public required long BytesToClient { get; init; }

    /// <summary>Null before the first anchor.</summary>
    public RecordingShape? Recording { get; init; }
}

/// <summary>Records of a session's recording.</summary>
/// <param name="Items">In their order; each has <c>seq</c>, <c>at</c> and <c>type</c>.</param>
/// <param name="NextSeq">Give it as <c>from</c> for what follows.</param>
/// <param name="Ended">Whether the session is over and nothing follows these.</param>
/// <param name="Fault">What is wrong with the file after these, in a sentence; null when nothing is.</param>
internal sealed record RecordsShape(IReadOnlyList<JsonElement> Items, long NextSeq, bool Ended, string? Fault);
