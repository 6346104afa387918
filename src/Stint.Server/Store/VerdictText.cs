using System.Text.Json;
using System.Text.Json.Serialization;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Policies;

namespace Stint.Server.Store;

/// <summary>A verdict as the text that stands on its request.</summary>
internal static class VerdictText
{
    public static string Write(Verdict verdict)
    {
        var trace = verdict.Trace.Select(line => new TraceLine(line.Rule, (int)line.Outcome, line.Because, line.Remedy)).ToList();
        var kept = verdict switch
        {
            Verdict.Allow allow => new KeptVerdict("allow", trace) { Terms = Keep(allow.Terms) },
            Verdict.NeedsApproval needs => new KeptVerdict("needs_approval", trace)
            {
                Terms = Keep(needs.Terms),
                Distinct = needs.Distinct,
                Steps = [.. needs.Steps.Select(step => new KeptStep(step.Name, step.From, [.. step.Approvers.Select(person => person.Value)], step.Need))],
            },
            Verdict.Deny deny => new KeptVerdict("deny", trace) { Because = deny.Because, Known = deny.Known },
            _ => throw new InvalidOperationException("A verdict of a kind that the store does not know."),
        };
        return JsonSerializer.Serialize(kept, VerdictJson.Default.KeptVerdict);
    }

    /// <exception cref="StoreRefusedException">The text is not a verdict.</exception>
    public static Verdict Read(string text)
    {
        try
        {
            var kept = JsonSerializer.Deserialize(text, VerdictJson.Default.KeptVerdict)!;
            var trace = kept.Trace.Select(line => new RuleTrace(line.Rule, (RuleOutcome)line.Outcome, line.Because, line.Remedy)).ToList();
            return kept.Outcome switch
            {
                "allow" => new Verdict.Allow(Read(kept.Terms!)) { Trace = trace },
                "needs_approval" => new Verdict.NeedsApproval(
                    Read(kept.Terms!),
                    [.. kept.Steps!.Select(step => new PinnedStep(step.Name, step.From, [.. step.Approvers.Select(person => new SubjectId(person))], step.Need))])
                {
                    Trace = trace,
                    Distinct = kept.Distinct,
                },
                "deny" => new Verdict.Deny(kept.Because!, kept.Known) { Trace = trace },
                var other => throw new StoreRefusedException($"A stored verdict says '{other}', which this version does not know."),
            };
        }
        catch (Exception problem) when (problem is JsonException or NullReferenceException)
        {
            throw new StoreRefusedException("A stored verdict cannot be read.", problem);
        }
    }

    private static KeptTerms Keep(Terms terms) => new(
        Stored.Micros(terms.For),
        Stored.Micros(terms.Max),
        Words.Record[terms.Record],
        Stored.Micros(terms.LapsesAfter),
        Stored.Micros(terms.BeginWithin));

    private static Terms Read(KeptTerms terms) => new(
        Stored.Span(terms.For),
        Stored.Span(terms.Max),
        Words.Record.Read(terms.Record),
        Stored.Span(terms.LapsesAfter),
        Stored.Span(terms.BeginWithin));
}

internal sealed record KeptVerdict(string Outcome, List<TraceLine> Trace)
{
    public KeptTerms? Terms { get; init; }

    public List<KeptStep>? Steps { get; init; }

    public bool Distinct { get; init; }

    public string? Because { get; init; }

    public bool Known { get; init; }
}

/// <summary>Durations in microseconds.</summary>
internal sealed record KeptTerms(long For, long Max, string Record, long LapsesAfter, long BeginWithin);

internal sealed record KeptStep(string Name, string From, List<string> Approvers, int Need);

internal sealed record TraceLine(string Rule, int Outcome, string Because, string? Remedy);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(KeptVerdict))]
internal sealed partial class VerdictJson : JsonSerializerContext;
