using System.Text.Json.Nodes;

namespace Stint.Server.Api;

/// <summary>Would somebody get a role, and why.</summary>
/// <param name="Subject">Who would ask.</param>
/// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
/// <param name="At">The moment that was asked of.</param>
/// <param name="CatalogVersion">The catalog that counted then.</param>
/// <param name="Standing">What they could get of it at best.</param>
/// <param name="Paths">The ways that lead there; empty when none does.</param>
/// <param name="Verdict">What this asking would be answered.</param>
/// <param name="Changes">What would change the answer, in sentences.</param>
internal sealed record ExplanationShape(
    string Subject, string Role, DateTimeOffset At, string CatalogVersion, AccessStandingShape Standing, IReadOnlyList<PathShape> Paths, WholeVerdictShape Verdict, IReadOnlyList<string> Changes);

/// <summary>One way to a role.</summary>
/// <param name="Rule">The rule that it goes by.</param>
/// <param name="Through">What the subject is in for it, from themselves to the rule: <c>ann</c>, <c>group:developers</c>.</param>
internal sealed record PathShape(string Rule, IReadOnlyList<string> Through);

/// <summary>A page of those who could get a role, or of the roles that somebody could get.</summary>
/// <param name="At">The moment that was asked of.</param>
/// <param name="CatalogVersion">The catalog that counted then.</param>
/// <param name="Count">How many there are in all.</param>
/// <param name="Items">Those of this page.</param>
/// <param name="Next">The <c>cursor</c> of the next page; null for the last.</param>
internal sealed record WhoShape(DateTimeOffset At, string CatalogVersion, int Count, IReadOnlyList<ReachShape> Items, string? Next);

/// <summary>What one subject could get of one role.</summary>
/// <param name="Subject">Who.</param>
/// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
/// <param name="Standing">What they could get of it at best.</param>
/// <param name="Paths">The ways that lead there.</param>
internal sealed record ReachShape(string Subject, string Role, AccessStandingShape Standing, IReadOnlyList<PathShape> Paths);

/// <summary>What somebody could get of a role at best, and what they would have to bring. Terms and demands are absent where there is no way.</summary>
internal sealed record AccessStandingShape
{
    /// <summary><c>none</c>, <c>denied</c>, <c>unmet</c>, <c>approval</c>, <c>rule</c> or <c>break_glass</c>.</summary>
    public required string Way { get; init; }

    /// <summary>The same in words.</summary>
    public required string How { get; init; }

    /// <summary>Why not; null for a yes, and where the asker may not know.</summary>
    public string? Because { get; init; }

    /// <summary>The rules that say so.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>For how long when nothing is said, in seconds.</summary>
    public long? ForSeconds { get; init; }

    /// <summary>For how long at most, in seconds.</summary>
    public long? MaxSeconds { get; init; }

    /// <summary><c>default</c> or <c>strict</c>.</summary>
    public string? Record { get; init; }

    /// <summary>Whether a reason has to be given.</summary>
    public bool? ReasonRequired { get; init; }

    /// <summary>Whether the exact statements have to be given.</summary>
    public bool? StatementsRequired { get; init; }

    /// <summary>Patterns, each of which a ticket has to match.</summary>
    public IReadOnlyList<string>? Tickets { get; init; }

    /// <summary>Conditions that have to hold.</summary>
    public IReadOnlyList<string>? Conditions { get; init; }

    /// <summary>Denials that would spare them.</summary>
    public IReadOnlyList<string>? Sparing { get; init; }

    /// <summary>When it may be opened.</summary>
    public IReadOnlyList<string>? Times { get; init; }

    /// <summary>What may not be held beside it.</summary>
    public IReadOnlyList<string>? Apart { get; init; }

    /// <summary>Whether each step takes other persons.</summary>
    public bool? Distinct { get; init; }

    /// <summary>Whose yes it needs; empty for nobody's.</summary>
    public IReadOnlyList<AccessStepShape>? Steps { get; init; }

    /// <summary>What they could get in an emergency; absent for nothing.</summary>
    public EmergencyShape? BreakGlass { get; init; }
}

/// <summary>A step that an asking would need.</summary>
internal sealed record AccessStepShape
{
    /// <summary>Where its approvers come from: <c>owners</c>, <c>group:leads</c>.</summary>
    public required string From { get; init; }

    /// <summary>How many distinct persons.</summary>
    public required int Need { get; init; }

    /// <summary><c>passkey</c> or <c>fresh</c>; absent for neither.</summary>
    public string? StepUp { get; init; }

    /// <summary>What the step is called; absent where many are told of at once.</summary>
    public string? Name { get; init; }

    /// <summary>Who could answer; absent where many are told of at once.</summary>
    public IReadOnlyList<string>? Approvers { get; init; }
}

/// <summary>What could be had in an emergency.</summary>
internal sealed record EmergencyShape
{
    /// <summary>In words.</summary>
    public required string How { get; init; }

    /// <summary>The rules that let in.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>For how long when nothing is said, in seconds.</summary>
    public required long ForSeconds { get; init; }

    /// <summary>For how long at most, in seconds.</summary>
    public required long MaxSeconds { get; init; }

    /// <summary>Who reviews it.</summary>
    public required IReadOnlyList<string> ReviewFrom { get; init; }

    /// <summary>Within what time, in seconds.</summary>
    public required long ReviewWithinSeconds { get; init; }

    /// <summary>How many characters its reason has at least.</summary>
    public required int ReasonAtLeast { get; init; }

    /// <summary>Patterns, each of which a ticket has to match.</summary>
    public required IReadOnlyList<string> Tickets { get; init; }

    /// <summary>Conditions that have to hold.</summary>
    public required IReadOnlyList<string> Conditions { get; init; }
}

/// <summary>A verdict as it is pinned on a request. What is empty, null or false is absent.</summary>
internal sealed record WholeVerdictShape
{
    /// <summary><c>allow</c>, <c>needs_approval</c> or <c>deny</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>The rules that decided.</summary>
    public required IReadOnlyList<string> DecidedBy { get; init; }

    /// <summary>Why not; of a no alone.</summary>
    public string? Because { get; init; }

    /// <summary>Whether the asker may know that the role exists; of a no alone.</summary>
    public bool Known { get; init; }

    /// <summary>For how long and how recorded; absent from a no.</summary>
    public JsonObject? Terms { get; init; }

    /// <summary>Whose yes it needs, with the approvers; only where it needs one.</summary>
    public IReadOnlyList<JsonObject>? Steps { get; init; }

    /// <summary>Who is told and who reviews; only of an emergency.</summary>
    public JsonObject? BreakGlass { get; init; }

    /// <summary>Whether each step takes other persons.</summary>
    public bool Distinct { get; init; }

    /// <summary>Whether a step waits for the one before it.</summary>
    public bool Sequential { get; init; }

    /// <summary>What each rule made of it.</summary>
    public required IReadOnlyList<WholeTraceShape> Trace { get; init; }

    /// <summary>How many rules that are not about it are left out of the trace.</summary>
    public int LeftOut { get; init; }
}

/// <summary>One rule's part in a verdict.</summary>
internal sealed record WholeTraceShape
{
    /// <summary>The rule.</summary>
    public required string Rule { get; init; }

    /// <summary><c>decided</c>, <c>matched</c>, <c>not_met</c>, <c>not_about</c> or <c>failed</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why.</summary>
    public required string Because { get; init; }

    /// <summary>What would change that; absent for nothing.</summary>
    public string? Remedy { get; init; }
}
