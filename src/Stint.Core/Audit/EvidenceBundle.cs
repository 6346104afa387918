using System.Globalization;
using System.Text.Json;
using Stint.Core.Policies;
using Stint.Core.Requests;

namespace Stint.Core.Audit;

/// <summary>Whether a part of a bundle was answered as the whole that its approvers were shown: hashed again, not believed.</summary>
internal static class EvidenceBundle
{
    /// <summary>The bundle that the asking is a part of; null when it was asked by itself.</summary>
    public static string? Of(IEnumerable<FactBody> facts) => facts.FirstOrDefault(fact => fact.Kind == FactKinds.RequestAsked)?.Text("bundle");

    /// <summary>What was asked for together, for people.</summary>
    public static string Roles(FactBody fact) => string.Join(", ", Parts(fact).Select(part => EvidencePhrases.Plain(part.Role.ToString())));

    /// <summary>The sentence about it, and what is wrong with it; null for a request that was asked by itself.</summary>
    public static (string Text, string? Why)? Check(FactBody asked, IReadOnlyList<FactBody> facts)
    {
        if (asked.Text("bundle") is not { } bundle)
        {
            return null;
        }

        if (facts.FirstOrDefault(fact => fact.Kind == FactKinds.BundleAsked && fact.Text("bundle") == bundle) is not { } whole)
        {
            return ($"What was asked for together as {EvidencePhrases.Plain(bundle)} is here", "it is not in the file");
        }

        var text = string.Create(
            CultureInfo.InvariantCulture, $"The request is a part of the bundle in fact {whole.Seq}, and all that stands there hashes to {EvidencePhrases.Short(whole.Text("digest"))}, which its approvers were shown");
        var needs = Needs(whole, out var readable);
        var needsYes = asked.Find("verdict") is { ValueKind: JsonValueKind.Object } verdict
            && verdict.TryGetProperty("outcome", out var outcome) && outcome.ValueKind == JsonValueKind.String && outcome.GetString() == "needs_approval";
        return (text, !readable ? "its steps cannot be read"
            : BundleDigest.Of(Asking(whole), Parts(whole), needs) != whole.Text("digest") ? "it hashes to something else"
            : whole.Text("subject") != asked.Text("subject") ? "somebody else asked for it"
            : !Parts(whole).Exists(part => part.Request.Value == asked.Text("request") && part.Role.ToString() == asked.Text("role")) ? "it does not name the request and its role"
            : needsYes && asked.Text("digest") != whole.Text("digest") ? "the request was put before its approvers as something else"
            : null);
    }

    private static BundleAsking Asking(FactBody fact) => new()
    {
        Id = new BundleId(fact.Text("bundle") ?? ""),
        Name = fact.Text("name") ?? "",
        Subject = new SubjectId(fact.Text("subject") ?? ""),
        AskedAt = fact.At,
        For = fact.Number("for_seconds") is { } seconds and >= 0 and < int.MaxValue ? TimeSpan.FromSeconds(seconds) : null,
        Reason = fact.Text("reason") ?? "",
        Ticket = fact.Text("ticket"),
        StartAt = fact.Time("start_at"),
        CatalogVersion = fact.Text("catalog") ?? "",
        LeftOut = fact.Number("left_out") is { } count and >= 0 and < int.MaxValue ? (int)count : 0,
        Digest = "",
    };

    private static List<BundlePart> Parts(FactBody fact)
    {
        var parts = new List<BundlePart>();
        if (fact.Find("roles") is not { ValueKind: JsonValueKind.Array } roles)
        {
            return parts;
        }

        foreach (var role in roles.EnumerateArray().Where(role => role.ValueKind == JsonValueKind.Object))
        {
            string? Text(string name) => role.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            if (RoleRef.Parse(Text("role")) is { } named && role.TryGetProperty("for_seconds", out var length) && length.ValueKind == JsonValueKind.Number && length.TryGetInt32(out var seconds))
            {
                parts.Add(new BundlePart(new RequestId(Text("request") ?? ""), named, TimeSpan.FromSeconds(seconds), Text("outcome") ?? ""));
            }
        }

        return parts;
    }

    private static Verdict.NeedsApproval? Needs(FactBody fact, out bool readable)
    {
        var steps = fact.Find("steps") is { } found ? EvidenceStory.Steps(found) : null;
        readable = steps is not null;
        return steps is not { Count: > 0 } ? null : new Verdict.NeedsApproval(new Terms(default, default, default, default, default), steps)
        {
            Distinct = fact.Flag("distinct") == true,
            Sequential = fact.Flag("sequential") == true,
            Trace = [],
        };
    }
}
