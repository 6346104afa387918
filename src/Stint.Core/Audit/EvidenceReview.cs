using System.Globalization;
using System.Text.Json;

namespace Stint.Core.Audit;

/// <summary>Whether an emergency was told and reviewed as the verdict said that it would be.</summary>
internal static class EvidenceReview
{
    /// <summary>Facts of the section about the review.</summary>
    public static bool IsOfReview(FactBody fact) => fact.Kind is FactKinds.GlassBroken or FactKinds.GlassSeen or FactKinds.ReviewHandedOver or FactKinds.ReviewOverdue or FactKinds.ReviewAccepted or FactKinds.ConcernRaised;

    /// <summary>The sentences about a break-glass; none for another request.</summary>
    /// <param name="asked">The asking.</param>
    /// <param name="facts">In the order of the log.</param>
    public static IEnumerable<(string Text, string? Why)> Story(FactBody asked, IReadOnlyList<FactBody> facts)
    {
        var pinned = asked.Find("verdict") is { ValueKind: JsonValueKind.Object } verdict && verdict.TryGetProperty("break_glass", out var glass) && glass.ValueKind == JsonValueKind.Object
            ? glass
            : default;
        var broken = facts.Where(fact => fact.Kind == FactKinds.GlassBroken).ToList();
        if (pinned.ValueKind != JsonValueKind.Object)
        {
            if (broken.Count > 0 || facts.Any(IsOfReview))
            {
                yield return ("What is told here of a break-glass was asked as one", "the verdict knows of none");
            }

            yield break;
        }

        var subject = asked.Text("subject");
        var told = Names(pinned, "told");
        var reviewers = Names(pinned, "reviewers");
        yield return (
            $"The glass was broken once, {Listed(told)} were told, and the review was opened with it",
            asked.Flag("break_glass") != true ? "the asking does not say that it is break-glass"
            : broken.Count != 1 ? (broken.Count == 0 ? "no fact here says so" : "several facts say so")
            : broken[0].Actor != $"person:{subject}" ? "somebody else broke it"
            : !Names(broken[0].Fields, "persons").SequenceEqual(told) || !Names(broken[0].Fields, "reviewers").SequenceEqual(reviewers) ? "it names others than the verdict does"
            : told.Contains(subject) || reviewers.Contains(subject) || told.Count == 0 || reviewers.Count == 0 ? "nobody else was told, or nobody else was to review it"
            : facts.Any(fact => fact.Kind == FactKinds.GrantOpening && fact.Seq < broken[0].Seq) ? "access was opened before"
            : null);
        if (broken.Count != 1)
        {
            yield break;
        }

        var review = broken[0].Text("review");
        var closings = facts.Where(fact => fact.Kind is FactKinds.ReviewAccepted or FactKinds.ConcernRaised).ToList();
        if (closings.Count == 0)
        {
            yield return ($"The review {EvidencePhrases.Plain(review ?? "of it")} was not closed when this file was written", null);
            yield break;
        }

        var by = closings[0].Text("by");
        var place = closings[0].Seq.ToString(CultureInfo.InvariantCulture);
        var named = closings[0].Text("cause") is not "nobody_left";
        var handed = closings[0].Text("cause") == "handed_over";
        yield return (
            handed
                ? $"The review was closed in fact {place} by {EvidencePhrases.Plain(by ?? "nobody")}, to whom an admin handed it over for one whom the verdict names and who left"
                : named
                ? $"The review was closed in fact {place} by {EvidencePhrases.Plain(by ?? "nobody")}, one of those whom the verdict names"
                : $"The review was closed in fact {place} by {EvidencePhrases.Plain(by ?? "nobody")}, when none of those whom the verdict names could any more",
            closings.Count > 1 ? "it was closed several times"
            : closings[0].Text("review") != review ? "it is another review"
            : closings[0].Seq < broken[0].Seq ? "it was closed before it was opened"
            : by == subject ? "that is who broke the glass"
            : closings[0].Actor != $"person:{by}" ? "it was not closed by the person it names"
            : handed && !IsHanded(facts.Where(fact => fact.Seq < closings[0].Seq), by, reviewers) ? "no fact before it hands it to them"
            : named && !handed && !reviewers.Contains(by) ? "the verdict does not name them"
            : string.IsNullOrWhiteSpace(closings[0].Text("comment")) ? "it says nothing of what was found"
            : null);
    }

    private static bool IsHanded(IEnumerable<FactBody> facts, string? by, List<string?> reviewers)
    {
        var known = reviewers.ToHashSet(StringComparer.Ordinal);
        foreach (var fact in facts.Where(fact => fact.Kind == FactKinds.ReviewHandedOver && known.Contains(fact.Text("for")) && fact.Actor != $"person:{fact.Text("person")}"))
        {
            known.Add(fact.Text("person"));
        }

        return !reviewers.Contains(by) && known.Contains(by);
    }

    private static List<string?> Names(JsonElement element, string field) => element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString() : null)]
        : [];

    private static string Listed(List<string?> names) => string.Join(", ", names.Select(name => EvidencePhrases.Plain(name ?? "somebody")));
}
