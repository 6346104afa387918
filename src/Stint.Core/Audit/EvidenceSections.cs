using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Core.Audit;

/// <summary>What people read in evidence, derived from its facts and catalogs and from nothing else.</summary>
internal static class EvidenceSections
{
    // Sections of a catalog whose entries decide.
    private static readonly string[] Ruling = ["policies:", "separate:"];

    /// <summary>The sections, in the order in which things happen.</summary>
    public static readonly string[] Names = ["asking", "verdict", "policies", "approvals", "decisions", "grants", "sessions", "recordings"];

    /// <summary>The section that there is for a break-glass only.</summary>
    public const string Review = "review";

    /// <summary>The sections of a file with these facts.</summary>
    public static IEnumerable<string> NamesFor(IReadOnlyList<FactBody> facts) => facts.Any(EvidenceReview.IsOfReview) ? [.. Names, Review] : Names;

    /// <summary>Derives them all.</summary>
    /// <param name="facts">In the order of the log.</param>
    /// <param name="catalogs">Files by version.</param>
    public static JsonObject Of(IReadOnlyList<FactBody> facts, IReadOnlyDictionary<string, CatalogSource> catalogs)
    {
        var asked = facts.FirstOrDefault(fact => fact.Kind == FactKinds.RequestAsked);
        var sections = new JsonObject
        {
            ["asking"] = asked is null ? null : Line(asked, "verdict"),
            ["verdict"] = asked?.Find("verdict") is { } verdict ? Node(verdict) : null,
            ["policies"] = asked is null ? new JsonArray() : Policies(asked, catalogs),
            ["approvals"] = Lines(facts, fact => EvidenceSteps.IsOfApproval(fact.Kind)),
            ["decisions"] = Lines(facts, fact => fact.Kind is FactKinds.RequestApproved or FactKinds.RequestDenied or FactKinds.RequestCancelled or FactKinds.RequestLapsed),
            ["grants"] = Lines(facts, fact => fact.Kind.StartsWith("Grant", StringComparison.Ordinal)
                || fact.Kind.StartsWith("Assignment", StringComparison.Ordinal)
                || fact.Kind is FactKinds.RemovalStuck or FactKinds.CredentialMinted or FactKinds.CertificateIssued),
            ["sessions"] = Lines(facts, fact => fact.Kind.StartsWith("Session", StringComparison.Ordinal) || fact.Kind is FactKinds.StatementCounted or FactKinds.StatementRefused),
            ["recordings"] = Recordings(facts),
        };
        if (facts.Any(EvidenceReview.IsOfReview))
        {
            sections[Review] = Lines(facts, EvidenceReview.IsOfReview);
        }

        return sections;
    }

    /// <summary>Which facts a section rests on, for the sentence about it.</summary>
    public static string Says(string section) => section switch
    {
        "asking" => "what was asked",
        "verdict" => "what the policies answered and why",
        "policies" => "the text of the policies that decided",
        "approvals" => "who said yes or no and what they saw",
        "decisions" => "how the request was decided",
        "grants" => "how access was opened and taken away",
        "sessions" => "which connections there were",
        "recordings" => "which hash the recording of each connection ends in",
        Review => "who was told, and what the review came to",
        _ => throw new ArgumentOutOfRangeException(nameof(section), section, "This is not a section."),
    };

    private static JsonArray Lines(IReadOnlyList<FactBody> facts, Func<FactBody, bool> belongs) => new([.. facts.Where(belongs).Select(fact => Line(fact))]);

    private static JsonObject Line(FactBody fact, string? without = null)
    {
        var fields = new JsonObject();
        foreach (var field in fact.Fields.EnumerateObject().Where(field => field.Name != without))
        {
            fields[field.Name] = Node(field.Value);
        }

        return new JsonObject { ["fact"] = fact.Seq, ["kind"] = fact.Kind, ["at"] = CanonicalTime.Write(fact.At), ["actor"] = fact.Actor, ["fields"] = fields };
    }

    /// <summary>The last head of each session's recording.</summary>
    private static JsonArray Recordings(IReadOnlyList<FactBody> facts) => new([.. facts
        .Where(fact => fact.Kind is FactKinds.SessionAnchored or FactKinds.SessionEnded && fact.Text("recording") is not null)
        .GroupBy(fact => fact.Text("session") ?? "")
        .OrderBy(session => session.Key, StringComparer.Ordinal)
        .Select(session => session.Last())
        .Select(fact => new JsonObject
        {
            ["session"] = fact.Text("session"),
            ["fact"] = fact.Seq,
            ["file"] = fact.Text("file"),
            ["recording"] = fact.Text("recording"),
            ["records"] = fact.Number("records"),
            ["bytes"] = fact.Number("bytes"),
            ["statements"] = fact.Number("statements"),
            ["final"] = fact.Kind == FactKinds.SessionEnded,
        })]);

    /// <summary>The text of each rule that decided, as it stands in the pinned files.</summary>
    private static JsonArray Policies(FactBody asked, IReadOnlyDictionary<string, CatalogSource> catalogs)
    {
        var found = new JsonArray();
        if (asked.Text("catalog") is not { } version || !catalogs.TryGetValue(version, out var source)
            || asked.Find("verdict") is not { ValueKind: JsonValueKind.Object } verdict
            || !verdict.TryGetProperty("decided_by", out var rules) || rules.ValueKind != JsonValueKind.Array)
        {
            return found;
        }

        foreach (var rule in rules.EnumerateArray().Where(rule => rule.ValueKind == JsonValueKind.String).Select(rule => rule.GetString()!))
        {
            var place = source.Files.Select(file => (file.Name, Block: Block(file.Text, rule))).FirstOrDefault(file => file.Block is not null);
            found.Add(new JsonObject
            {
                ["rule"] = rule,
                ["catalog"] = version,
                ["file"] = place.Name,
                ["line"] = place.Block?.Line,
                ["text"] = place.Block?.Text,
            });
        }

        return found;
    }

    /// <summary>The lines of a policy in YAML written as blocks; null where it is not found. The whole file is in the evidence as well.</summary>
    private static (int Line, string Text)? Block(string text, string rule)
    {
        var lines = text.Split('\n');
        var inside = false;
        for (var i = 0; i < lines.Length; i++)
        {
            var (line, indent) = (lines[i].Trim(), Indent(lines[i]));
            if (line.Length > 0 && indent == 0)
            {
                inside = Ruling.Any(section => line == section || line.StartsWith(section + " #", StringComparison.Ordinal));
            }
            else if (inside && indent > 0 && new[] { $"{rule}:", $"\"{rule}\":", $"'{rule}':" }.Any(name => line.StartsWith(name, StringComparison.Ordinal)))
            {
                var end = i + 1;
                while (end < lines.Length && (lines[end].Trim().Length == 0 || Indent(lines[end]) > indent))
                {
                    end++;
                }

                return (i + 1, string.Join('\n', lines[i..end]).TrimEnd());
            }
        }

        return null;
    }

    private static int Indent(string line) => line.Length - line.TrimStart(' ').Length;

    private static JsonNode? Node(JsonElement element) => JsonNode.Parse(element.GetRawText());
}
