using System.Text.Json;

namespace Stint.Server.Api;

/// <summary>Whether the server is there.</summary>
/// <param name="Status"><c>ok</c>, <c>draining</c> or <c>unavailable</c>.</param>
/// <param name="Why">In words; null when it is ok.</param>
internal sealed record Health(string Status, string? Why);

/// <summary>Whose token this is.</summary>
internal sealed record WhoAmI(string Id, string Name, IReadOnlyList<string> Groups, bool Admin, bool Auditor)
{
    /// <summary><c>person</c> or <c>workload</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What they may in Stint itself beside asking; empty for most.</summary>
    public IReadOnlyList<RightShape> Rights { get; init; } = [];

    /// <summary>Of a workload: what its platform's token said; null when it said nothing.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }

    /// <summary>Roles that the token may ask for, with <c>*</c> for any part of a name; null for whatever the policies let.</summary>
    public IReadOnlyList<string>? Scope { get; init; }

    /// <summary>The command line that asks, where somebody logged it in from a browser; null for any other token.</summary>
    public CommandLineShape? CommandLine { get; init; }
}

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
/// <param name="Needs"><c>rule</c>, <c>approval</c>, or <c>break_glass</c> for what opens in an emergency only.</param>
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
    string? Held)
{
    /// <summary>Whether the exact statements have to be named.</summary>
    public required bool StatementsRequired { get; init; }

    /// <summary>Whether it opens at once in an emergency, as break-glass.</summary>
    public required bool BreakGlass { get; init; }
}

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

    /// <summary>When it shall open again and again, approved once; absent for once.</summary>
    public RecurrenceBody? Recurrence { get; init; }

    /// <summary>Whether it is an emergency that cannot wait for anybody's yes: it opens at once, tells people loudly, and is reviewed.</summary>
    public bool? BreakGlass { get; init; }

    /// <summary>The task that access is bound to: when it is done, access ends. <c>SYSTEM:NAME</c>.</summary>
    public string? Task { get; init; }

    /// <summary>The exact statements that it is for (RFC 9396); absent for whatever the role allows.</summary>
    public IReadOnlyList<DetailShape>? AuthorizationDetails { get; init; }
}

/// <summary>What access is for, exactly (RFC 9396).</summary>
/// <param name="Type"><c>stint:statements</c>.</param>
/// <param name="Statements">The statements that may run.</param>
internal sealed record DetailShape(string Type, IReadOnlyList<ExactStatementShape> Statements);

/// <summary>One statement that may run.</summary>
internal sealed record ExactStatementShape
{
    /// <summary>Its whole text.</summary>
    public required string Sql { get; init; }

    /// <summary>The values of its bind parameters in their text form, null for NULL; absent for none.</summary>
    public IReadOnlyList<string?>? Parameters { get; init; }

    /// <summary>Whether its bind parameters may have any values.</summary>
    public bool? AnyParameters { get; init; }

    /// <summary>How often it may run; absent for any number of times.</summary>
    public long? Times { get; init; }
}

/// <summary>When a request shall open again and again. `until`, `count` or the rule says where it ends.</summary>
internal sealed record RecurrenceBody
{
    /// <summary>A rule of RFC 5545: <c>FREQ=WEEKLY;BYDAY=MO,WE</c>.</summary>
    public required string Rule { get; init; }

    /// <summary>The first day, and the time of each, on the zone's clock: <c>2026-12-01T09:00</c>.</summary>
    public required string Start { get; init; }

    /// <summary>IANA name of the zone.</summary>
    public required string Zone { get; init; }

    /// <summary>The last day: <c>2027-01-31</c>.</summary>
    public string? Until { get; init; }

    /// <summary>How often, at most 366 times.</summary>
    public int? Count { get; init; }
}

/// <summary>Taking a request back, or what is to come of a series.</summary>
internal sealed record CancelBody
{
    /// <summary>Why; needed to end somebody else's series.</summary>
    public string? Comment { get; init; }

    /// <summary>Whether the occurrence of a series that is open now ends too.</summary>
    public bool? Open { get; init; }
}

/// <summary>A series.</summary>
/// <param name="Rule">The rule, with its end.</param>
/// <param name="Start">The first day and the time of each, on the zone's clock.</param>
/// <param name="Zone">The zone.</param>
/// <param name="Said">All of it in words.</param>
/// <param name="State"><c>waiting</c> until the request is approved, <c>running</c>, <c>ended</c>.</param>
/// <param name="Next">The beginnings of the next occurrences, at most five.</param>
/// <param name="Made">How many came about.</param>
/// <param name="EndReason"><c>finished</c>, <c>cancelled</c>, <c>revoked</c>, <c>offboarded</c>, <c>outgrown</c>; null while it has not ended.</param>
/// <param name="EndNote">Who ended it, and their words.</param>
/// <param name="EndedAt">When.</param>
internal sealed record RecurrenceShape(
    string Rule,
    string Start,
    string Zone,
    string Said,
    string State,
    IReadOnlyList<DateTimeOffset> Next,
    int Made,
    string? EndReason,
    string? EndNote,
    DateTimeOffset? EndedAt);

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

    /// <summary>Of a workload: what its platform's token said, verified; null for a person.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }

    /// <summary>The grant it joins; null for none.</summary>
    public string? Extends { get; init; }

    /// <summary>The asking for a bundle that it is a part of, and is answered with; null for none.</summary>
    public string? Bundle { get; init; }

    /// <summary>When it opens again and again; null for once.</summary>
    public RecurrenceShape? Recurrence { get; init; }

    /// <summary>The request of the series that this one is an occurrence of; null for none.</summary>
    public string? OccurrenceOf { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public DateTimeOffset? DecidedAt { get; init; }

    public required DateTimeOffset LapsesAt { get; init; }

    /// <summary>The sentence that goes with a no, a cancel or a lapse.</summary>
    public string? Why { get; init; }

    /// <summary>The task that it is bound to; null for none.</summary>
    public string? Task { get; init; }

    /// <summary>The exact statements that it is for (RFC 9396); null for whatever the role allows.</summary>
    public IReadOnlyList<DetailShape>? AuthorizationDetails { get; init; }

    /// <summary>Whether it was asked as break-glass.</summary>
    public required bool BreakGlass { get; init; }

    /// <summary>The review that a break-glass is under; null for one that is none, or that was denied.</summary>
    public ReviewRefShape? Review { get; init; }

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

    /// <summary>When calendars end it at the latest; null for no such end.</summary>
    public DateTimeOffset? EndsBy { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When nothing of it was left at the target.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary><c>expired</c>, <c>returned</c>, <c>revoked</c>, <c>offboarded</c>, <c>lapsed</c>, <c>failed</c>, <c>target_gone</c>; null while it has not ended.</summary>
    public string? EndReason { get; init; }

    public string? EndNote { get; init; }

    /// <summary><c>default</c>: each statement is written before it is sent. <c>strict</c>: it is durable before.</summary>
    public required string Record { get; init; }

    /// <summary>The task that it is bound to: when that is done, it ends. Null for none.</summary>
    public string? Task { get; init; }

    /// <summary>The exact statements that run under it, and no others (RFC 9396); null for whatever the role allows.</summary>
    public IReadOnlyList<DetailShape>? AuthorizationDetails { get; init; }

    /// <summary>Whether it came of a break-glass: opened without anybody's yes, and reviewed.</summary>
    public required bool BreakGlass { get; init; }

    /// <summary>What keeps the target from being as wanted; null when nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>Who ends the access when Stint is down: <c>native</c>, <c>gateway</c>, <c>job</c>; null when this server does not run the kind.</summary>
    public string? Guarantee { get; init; }

    /// <summary>Kind of its resource; null when the catalog has none of the name any more.</summary>
    public string? Kind { get; init; }
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

    /// <summary>Whether its grant came of a break-glass.</summary>
    public required bool BreakGlass { get; init; }

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
