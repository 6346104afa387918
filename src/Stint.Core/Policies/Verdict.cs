using Stint.Core.Approvals;
using Stint.Core.Requests;

namespace Stint.Core.Policies;

/// <summary>What is asked of the policies. The time is part of the question.</summary>
/// <param name="Subject">Who asks.</param>
/// <param name="Role">The role at a resource that is asked for.</param>
/// <param name="For">The wished duration; null for the policy's default.</param>
/// <param name="Reason">The justification; null or empty for none.</param>
/// <param name="Ticket">The tracker's ticket; null for none.</param>
/// <param name="StartAt">A start in the future; null for now.</param>
/// <param name="Now">The moment of the question.</param>
public sealed record Question(
    SubjectId Subject,
    RoleRef Role,
    TimeSpan? For,
    string? Reason,
    string? Ticket,
    DateTimeOffset? StartAt,
    DateTimeOffset Now)
{
    /// <summary>What the subject holds, held and was promised, as far as the catalog's separations look at it; null when nobody looked, and then a separation about the role says no.</summary>
    public IReadOnlyList<Held>? Held { get; init; }

    /// <summary>The task that access would be bound to; null for none.</summary>
    public string? Task { get; init; }

    /// <summary>Of a workload: what its token said, verified. Empty for a token that says nothing; null where no token was shown.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }

    /// <summary>The exact statements that it would be for; null for whatever the role allows.</summary>
    public ExactStatements? Statements { get; init; }

    /// <summary>Whether it is asked as break-glass: an emergency, that opens at once and is reviewed afterwards.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>Takes a reason and a ticket to be as the rules demand them: for what somebody could get at all.</summary>
    internal bool DemandsMet { get; init; }

    /// <summary>Takes conditions that look at the asking or at the time to hold where they let in, and not to where they deny or spare a yes: for what somebody could get at all.</summary>
    internal bool ConditionsMet { get; init; }
}

/// <summary>How statements are recorded under a grant.</summary>
public enum RecordMode
{
    /// <summary>Written to the recording before it is sent on.</summary>
    Default = 1,

    /// <summary>Durable (flushed to the disk) before it is sent on.</summary>
    Strict = 2,
}

/// <summary>How one rule took part in a verdict.</summary>
public enum RuleOutcome
{
    /// <summary>It matched, and the verdict rests on it.</summary>
    Decided = 1,

    /// <summary>It matched, and another was stricter.</summary>
    Matched = 2,

    /// <summary>It names this subject and role, and something in the asking did not meet it.</summary>
    NotMet = 3,

    /// <summary>It is not about this subject or this role.</summary>
    NotAbout = 4,

    /// <summary>It could not be evaluated. It never allows; a deny rule that fails denies.</summary>
    Failed = 5,
}

/// <summary>One line of a verdict's trace.</summary>
/// <param name="Rule">The policy's name.</param>
/// <param name="Outcome">How it took part.</param>
/// <param name="Because">Why, in a sentence without a full stop, for a person.</param>
/// <param name="Remedy">What would make it match (<c>give a ticket that matches …</c>); null when the asker cannot change it.</param>
public sealed record RuleTrace(string Rule, RuleOutcome Outcome, string Because, string? Remedy = null);

/// <summary>What the policies said: deny &gt; needs approval &gt; allow.</summary>
public abstract record Verdict
{
    private Verdict()
    {
    }

    /// <summary>Every rule with how it took part, those that decided first.</summary>
    public required IReadOnlyList<RuleTrace> Trace { get; init; }

    /// <summary>How many lines about rules that are not about this subject and role were left out of <see cref="Trace"/> when it was written down; zero for one just decided.</summary>
    public int LeftOut { get; init; }

    /// <summary>Names of the rules that decided; for a no because something was not met, the rules that were not. Empty when no rule reaches the role: that is a no as well.</summary>
    public IReadOnlyList<string> DecidedBy
    {
        get
        {
            var about = Trace is Traced traced ? traced.About : Trace;
            List<string> decided = [.. about.Where(line => line.Outcome == RuleOutcome.Decided).Select(line => line.Rule)];
            return decided.Count > 0 ? decided : [.. about.Where(line => line.Outcome is RuleOutcome.NotMet or RuleOutcome.Failed).Select(line => line.Rule)];
        }
    }

    /// <summary>The lines that the asker may see: rules about them and the role, never the names of others.</summary>
    public IReadOnlyList<RuleTrace> TraceForAsker =>
        Trace is Traced traced ? traced.About : [.. Trace.Where(line => line.Outcome != RuleOutcome.NotAbout)];

    /// <summary>The trace as it is written down: every line about the subject and the role, some about other rules, and how many of those are left out in all.</summary>
    /// <param name="others">Most lines of other rules.</param>
    public (IReadOnlyList<RuleTrace> Lines, int LeftOut) TraceWritten(int others = VerdictJson.MostNotAbout)
    {
        // NB. A thousand policies must not cost a thousand sentences with every asking: only what is written is made.
        var about = TraceForAsker;
        var rest = Trace is Traced traced ? traced.Others(others) : [.. Trace.Where(line => line.Outcome == RuleOutcome.NotAbout).Take(others)];
        return ([.. about, .. rest], LeftOut + Trace.Count - about.Count - rest.Count);
    }

    /// <summary>Yes, by rule.</summary>
    /// <param name="Terms">Under which terms.</param>
    public sealed record Allow(Terms Terms) : Verdict
    {
        /// <summary>Who is told, and who reviews it, when it is break-glass; null when it is not.</summary>
        public PinnedGlass? Glass { get; init; }
    }

    /// <summary>Yes, once those steps are fulfilled.</summary>
    /// <param name="Terms">Under which terms.</param>
    /// <param name="Steps">At least one step.</param>
    public sealed record NeedsApproval(Terms Terms, IReadOnlyList<PinnedStep> Steps) : Verdict
    {
        /// <summary>Whether a step is asked only once those before it are met.</summary>
        public bool Sequential { get; init; }

        /// <summary>Whether nobody counts in two steps.</summary>
        public bool Distinct { get; init; }
    }

    /// <summary>No.</summary>
    /// <param name="Because">Why, for a person, without a full stop.</param>
    /// <param name="Known">Whether the asker may be told that the role exists: some rule is about them and it.</param>
    public sealed record Deny(string Because, bool Known) : Verdict;
}

/// <summary>What comes of breaking the glass, fixed at the asking.</summary>
/// <param name="Told">Who is told, in the order of their names; at least one, never the asker.</param>
/// <param name="From">Where reviewers come from, one for each rule that decided, as <see cref="Catalog.WorkflowStep.From"/>; a reviewer is named by each of them.</param>
/// <param name="Reviewers">Who may review it, in the order of their names; at least one, never the asker.</param>
/// <param name="Within">By when, counted from the asking.</param>
public sealed record PinnedGlass(IReadOnlyList<SubjectId> Told, IReadOnlyList<string> From, IReadOnlyList<SubjectId> Reviewers, TimeSpan Within);

/// <summary>What a yes comes with.</summary>
/// <param name="For">How long, counted from opening.</param>
/// <param name="Max">The longest that could have been asked for.</param>
/// <param name="Record">How it is recorded.</param>
/// <param name="LapsesAfter">How long it waits for its decision.</param>
/// <param name="BeginWithin">How long it waits to be begun once approved.</param>
public sealed record Terms(TimeSpan For, TimeSpan Max, RecordMode Record, TimeSpan LapsesAfter, TimeSpan BeginWithin)
{
    /// <summary>When the calendars let it open at the earliest; null for at once, or at the asked start.</summary>
    public DateTimeOffset? OpensFrom { get; init; }

    /// <summary>When the calendars end it at the latest, however long it was agreed for; null for no such end.</summary>
    public DateTimeOffset? EndsBy { get; init; }
}
