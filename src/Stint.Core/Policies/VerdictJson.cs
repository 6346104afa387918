using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stint.Core.Approvals;

namespace Stint.Core.Policies;

/// <summary>A verdict as JSON: pinned on requests, told in facts, shown by the API. Its members and their order do not change.</summary>
/// <remarks>Durations are whole seconds. A reader refuses members that it does not know: a verdict half understood decides nothing.</remarks>
public static class VerdictJson
{
    /// <summary>Most lines about rules that are not about the subject and role that are written down; the catalog tells the rest again.</summary>
    public const int MostNotAbout = 64;

    /// <summary>The whole verdict, with its trace.</summary>
    public static string Write(Verdict verdict) => JsonSerializer.Serialize(Of(verdict, forAsker: false), VerdictJsonContext.Default.WrittenVerdict);

    /// <summary>The same as a node.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="forAsker">Leaves out the rules that are not about the asker: their names say what else exists.</param>
    public static JsonObject ToNode(Verdict verdict, bool forAsker) =>
        JsonSerializer.SerializeToNode(Of(verdict, forAsker), VerdictJsonContext.Default.WrittenVerdict)!.AsObject();

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="JsonException">It is not a verdict, or not one that this version knows.</exception>
    public static Verdict Read(string json)
    {
        var written = JsonSerializer.Deserialize(json, VerdictJsonContext.Default.WrittenVerdict) ?? throw new JsonException("A verdict is an object.");
        List<RuleTrace> trace = [.. written.Trace.Select(line => new RuleTrace(line.Rule, Outcome(line.Outcome), line.Because, line.Remedy))];
        return written.Outcome switch
        {
            "allow" => new Verdict.Allow(Read(written.Terms)) { Trace = trace, LeftOut = written.LeftOut, Glass = Read(written.BreakGlass) },
            "needs_approval" => new Verdict.NeedsApproval(Read(written.Terms), Read(written.Steps))
            {
                Trace = trace,
                LeftOut = written.LeftOut,
                Distinct = written.Distinct,
                Sequential = written.Sequential,
            },
            "deny" => new Verdict.Deny(written.Because ?? throw new JsonException("A no says why."), written.Known) { Trace = trace, LeftOut = written.LeftOut },
            _ => throw new JsonException("A verdict is allow, needs_approval or deny."),
        };
    }

    /// <summary>The steps as JSON, without the approvals.</summary>
    public static JsonArray StepsNode(IReadOnlyList<PinnedStep> steps) =>
        JsonSerializer.SerializeToNode([.. steps.Select(Of)], VerdictJsonContext.Default.ListWrittenStep)!.AsArray();

    /// <summary>The verdict's name: <c>allow</c>, <c>needs_approval</c> or <c>deny</c>.</summary>
    public static string Name(Verdict verdict) => verdict switch
    {
        Verdict.Allow => "allow",
        Verdict.NeedsApproval => "needs_approval",
        Verdict.Deny => "deny",
        _ => throw new InvalidOperationException("A verdict of an unknown kind."),
    };

    private static WrittenVerdict Of(Verdict verdict, bool forAsker)
    {
        var (lines, leftOut) = forAsker ? (verdict.TraceForAsker, verdict.LeftOut) : verdict.TraceWritten();
        var written = new WrittenVerdict
        {
            Outcome = Name(verdict),
            DecidedBy = [.. verdict.DecidedBy],
            Trace = [.. lines.Select(line => new WrittenLine(line.Rule, Outcome(line.Outcome), line.Because, line.Remedy))],
            LeftOut = leftOut,
        };
        return verdict switch
        {
            Verdict.Allow allow => written with
            {
                Terms = Of(allow.Terms),
                BreakGlass = allow.Glass is { } glass ? new WrittenGlass(Names(glass.Told), [.. glass.From], Names(glass.Reviewers), (long)glass.Within.TotalSeconds) : null,
            },
            Verdict.NeedsApproval needs => written with { Terms = Of(needs.Terms), Steps = [.. needs.Steps.Select(Of)], Distinct = needs.Distinct, Sequential = needs.Sequential },
            Verdict.Deny deny => written with { Because = deny.Because, Known = deny.Known },
            _ => written,
        };
    }

    private static WrittenStep Of(PinnedStep step) => new(step.Name, step.From, step.Need, Names(step.Approvers))
    {
        RemindSeconds = (long?)step.Remind?.TotalSeconds,
        Escalate = step.Escalate is { } escalate ? new WrittenEscalation((long)escalate.After.TotalSeconds, escalate.To, Names(escalate.Approvers)) : null,
        NotForReports = step.NotForReports,
        StepUp = StepUps.Word(step.StepUp),
    };

    private static List<string> Names(IReadOnlyList<SubjectId> people) => [.. people.Select(person => person.Value)];

    private static List<SubjectId> People(List<string> names) => names.ConvertAll(name => new SubjectId(name));

    private static WrittenTerms Of(Terms terms) => new(
        (long)terms.For.TotalSeconds,
        (long)terms.Max.TotalSeconds,
        terms.Record == RecordMode.Strict ? "strict" : "default",
        (long)terms.LapsesAfter.TotalSeconds,
        (long)terms.BeginWithin.TotalSeconds)
    {
        OpensFrom = terms.OpensFrom?.ToUniversalTime(),
        EndsBy = terms.EndsBy?.ToUniversalTime(),
    };

    private static Terms Read(WrittenTerms? terms) => terms is null
        ? throw new JsonException("A yes comes with terms.")
        : new Terms(
            TimeSpan.FromSeconds(terms.ForSeconds),
            TimeSpan.FromSeconds(terms.MaxSeconds),
            terms.Record switch
            {
                "strict" => RecordMode.Strict,
                "default" => RecordMode.Default,
                _ => throw new JsonException("A record mode is default or strict."),
            },
            TimeSpan.FromSeconds(terms.LapsesAfterSeconds),
            TimeSpan.FromSeconds(terms.BeginWithinSeconds))
        {
            OpensFrom = terms.OpensFrom,
            EndsBy = terms.EndsBy,
        };

    private static List<PinnedStep> Read(List<WrittenStep>? steps)
    {
        // NB. No steps, or a step that needs nobody, would be an approval that nobody gives.
        if (steps is not { Count: > 0 } || steps.Exists(step => step.Need < 1 || step.RemindSeconds < 1 || step.Escalate?.AfterSeconds < 1))
        {
            throw new JsonException("An approval has at least one step, and each needs at least one person.");
        }

        return steps.ConvertAll(step => new PinnedStep(step.Name, step.From, People(step.Approvers), step.Need)
        {
            Remind = step.RemindSeconds is { } remind ? TimeSpan.FromSeconds(remind) : null,
            Escalate = step.Escalate is { } escalate ? new PinnedEscalation(TimeSpan.FromSeconds(escalate.AfterSeconds), escalate.To, People(escalate.Approvers)) : null,
            NotForReports = step.NotForReports,
            StepUp = step.StepUp is { } word ? StepUps.Read(word) ?? throw new JsonException("A step_up is passkey or fresh.") : StepUp.None,
        });
    }

    private static PinnedGlass? Read(WrittenGlass? glass)
    {
        // NB. An emergency that nobody is told of, or that nobody reviews, is none that was ever let in.
        if (glass is not null && (glass.Told.Count == 0 || glass.From.Count == 0 || glass.Reviewers.Count == 0 || glass.WithinSeconds < 1))
        {
            throw new JsonException("Break-glass tells somebody, and somebody reviews it within a time.");
        }

        return glass is null ? null : new PinnedGlass(People(glass.Told), glass.From, People(glass.Reviewers), TimeSpan.FromSeconds(glass.WithinSeconds));
    }

    private static string Outcome(RuleOutcome outcome) => outcome switch
    {
        RuleOutcome.Decided => "decided",
        RuleOutcome.Matched => "matched",
        RuleOutcome.NotMet => "not_met",
        RuleOutcome.NotAbout => "not_about",
        RuleOutcome.Failed => "failed",
        _ => throw new InvalidOperationException($"{outcome} is not a rule's outcome."),
    };

    private static RuleOutcome Outcome(string outcome) => outcome switch
    {
        "decided" => RuleOutcome.Decided,
        "matched" => RuleOutcome.Matched,
        "not_met" => RuleOutcome.NotMet,
        "not_about" => RuleOutcome.NotAbout,
        "failed" => RuleOutcome.Failed,
        _ => throw new JsonException("A rule's outcome is decided, matched, not_met, not_about or failed."),
    };
}

/// <summary>A verdict as it is written.</summary>
internal sealed record WrittenVerdict
{
    public required string Outcome { get; init; }

    public required List<string> DecidedBy { get; init; }

    /// <summary>Of a no.</summary>
    public string? Because { get; init; }

    /// <summary>Of a no.</summary>
    public bool Known { get; init; }

    public WrittenTerms? Terms { get; init; }

    public List<WrittenStep>? Steps { get; init; }

    /// <summary>Of a yes that is break-glass.</summary>
    public WrittenGlass? BreakGlass { get; init; }

    public bool Distinct { get; init; }

    /// <summary>Absent from what was written before steps had an order.</summary>
    public bool Sequential { get; init; }

    public required List<WrittenLine> Trace { get; init; }

    public int LeftOut { get; init; }
}

/// <summary>Terms as they are written. What follows the last duration is absent where no calendar says it.</summary>
internal sealed record WrittenTerms(long ForSeconds, long MaxSeconds, string Record, long LapsesAfterSeconds, long BeginWithinSeconds)
{
    public DateTimeOffset? OpensFrom { get; init; }

    public DateTimeOffset? EndsBy { get; init; }
}

/// <summary>A step as it is written. What follows the approvers is absent where a step does not say it, and from what was written before it could.</summary>
internal sealed record WrittenStep(string Name, string From, int Need, List<string> Approvers)
{
    public long? RemindSeconds { get; init; }

    public WrittenEscalation? Escalate { get; init; }

    public bool NotForReports { get; init; }

    public string? StepUp { get; init; }
}

internal sealed record WrittenEscalation(long AfterSeconds, string To, List<string> Approvers);

internal sealed record WrittenGlass(List<string> Told, List<string> From, List<string> Reviewers, long WithinSeconds);

internal sealed record WrittenLine(string Rule, string Outcome, string Because, string? Remedy);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = false,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(WrittenVerdict))]
[JsonSerializable(typeof(List<WrittenStep>))]
internal sealed partial class VerdictJsonContext : JsonSerializerContext;
