using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Stint.Core.Catalog;
using Stint.Core.Policies;

namespace Stint.Core.Requests;

/// <summary>One asking for a bundle: what its requests have in common. It never changes; how it stands is read off them.</summary>
public sealed record BundleAsking
{
    public required BundleId Id { get; init; }

    /// <summary>The bundle's name, as the catalog had it.</summary>
    public required string Name { get; init; }

    /// <summary>Who asks, for themselves.</summary>
    public required SubjectId Subject { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>How long was asked for, or the bundle says; each role lasts at most as long as its policies allow. Null for what those give.</summary>
    public TimeSpan? For { get; init; }

    /// <summary>The justification; empty for none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The tracker's ticket; null for none.</summary>
    public string? Ticket { get; init; }

    /// <summary>A start in the future; null for as soon as approved.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Hash of the catalog that decided.</summary>
    public required string CatalogVersion { get; init; }

    /// <summary>How many roles of the bundle whoever asked may not know of. Their names are told to nobody through it.</summary>
    public int LeftOut { get; init; }

    /// <summary>SHA-256, in hexadecimal, of the whole: what an approver is asked to say yes to. The requests that wait for a yes carry it as theirs.</summary>
    public required string Digest { get; init; }
}

/// <summary>One role of an asking for a bundle.</summary>
/// <param name="Request">The request that was made of it.</param>
/// <param name="Role">The role.</param>
/// <param name="For">How long it was asked for.</param>
/// <param name="Outcome">What the policies said: <c>allow</c>, <c>needs_approval</c> or <c>deny</c>.</param>
public sealed record BundlePart(RequestId Request, RoleRef Role, TimeSpan For, string Outcome);

/// <summary>What an approver of a bundle says yes to, in 64 characters.</summary>
public static class BundleDigest
{
    /// <summary>SHA-256, in lower-case hexadecimal, over the canonical JSON of the asking.</summary>
    /// <param name="asking">The asking; its <see cref="BundleAsking.Digest"/> is not looked at.</param>
    /// <param name="parts">Its roles, in their order.</param>
    /// <param name="needs">The steps that those share which need a yes; null when none does.</param>
    public static string Of(BundleAsking asking, IReadOnlyList<BundlePart> parts, Verdict.NeedsApproval? needs) =>
        Convert.ToHexStringLower(SHA256.HashData(Canonical(asking, parts, needs).Span));

    /// <summary>The bytes that are hashed: one JSON object without white space, its members in this order, each always there.</summary>
    /// <remarks>
    /// <c>id bundle subject for_seconds reason ticket start_at roles left_out steps distinct catalog_version</c>; one of
    /// <c>roles</c> is <c>request role for_seconds outcome</c>. Steps are as in <see cref="RequestDigest"/>.
    /// </remarks>
    public static ReadOnlyMemory<byte> Canonical(BundleAsking asking, IReadOnlyList<BundlePart> parts, Verdict.NeedsApproval? needs)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", asking.Id.Value);
            json.WriteString("bundle", asking.Name);
            json.WriteString("subject", asking.Subject.Value);
            if (asking.For is { } length)
            {
                json.WriteNumber("for_seconds", (long)length.TotalSeconds);
            }
            else
            {
                json.WriteNull("for_seconds");
            }

            json.WriteString("reason", asking.Reason);
            json.WriteString("ticket", asking.Ticket);
            json.WriteString("start_at", asking.StartAt?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteStartArray("roles");
            foreach (var part in parts)
            {
                json.WriteStartObject();
                json.WriteString("request", part.Request.Value);
                json.WriteString("role", part.Role.ToString());
                json.WriteNumber("for_seconds", (long)part.For.TotalSeconds);
                json.WriteString("outcome", part.Outcome);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("left_out", asking.LeftOut);
            RequestDigest.WriteSteps(json, needs);
            json.WriteString("catalog_version", asking.CatalogVersion);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}

/// <summary>How an asking for a bundle stands, read off its requests.</summary>
public enum BundleState
{
    /// <summary>Some of it waits for a yes. Others may be approved or denied already.</summary>
    Pending = 1,

    /// <summary>Every role of it that whoever asked may know of is approved.</summary>
    Approved = 2,

    /// <summary>Some of it is approved and some is not.</summary>
    Partial = 3,

    /// <summary>Nothing of it is approved, and a rule or a person said no.</summary>
    Denied = 4,

    /// <summary>Nothing of it is approved, and whoever asked took it back.</summary>
    Cancelled = 5,

    /// <summary>Nothing of it is approved, and nobody decided in time.</summary>
    Lapsed = 6,
}

/// <summary>Reads the state of a bundle's asking.</summary>
public static class BundleStates
{
    /// <param name="requests">The states of its requests; at least one.</param>
    public static BundleState Of(IReadOnlyCollection<RequestState> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        return requests.Contains(RequestState.Pending) ? BundleState.Pending
            : requests.All(state => state == RequestState.Approved) ? BundleState.Approved
            : requests.Contains(RequestState.Approved) ? BundleState.Partial
            : requests.Contains(RequestState.Cancelled) ? BundleState.Cancelled
            : requests.Contains(RequestState.Lapsed) ? BundleState.Lapsed
            : BundleState.Denied;
    }

    /// <summary>As the API writes it.</summary>
    public static string Word(BundleState state) => state switch
    {
        BundleState.Pending => "pending",
        BundleState.Approved => "approved",
        BundleState.Partial => "partial",
        BundleState.Denied => "denied",
        BundleState.Cancelled => "cancelled",
        BundleState.Lapsed => "lapsed",
        _ => throw new InvalidOperationException($"{state} is not a state of a bundle's asking."),
    };
}

/// <summary>What somebody asks for, as it came in: a bundle, and what all of its roles have in common.</summary>
/// <param name="Bundle">The bundle's name.</param>
/// <param name="ForSeconds">Wished duration; null for the bundle's, or the policies'.</param>
/// <param name="Reason">Justification; null for none.</param>
/// <param name="Ticket">The tracker's ticket; null for none.</param>
/// <param name="StartAt">A start in the future; null for as soon as approved.</param>
/// <param name="Wait">Whether access opens as soon as it is approved.</param>
public sealed record AskingTogether(string? Bundle, long? ForSeconds, string? Reason, string? Ticket, DateTimeOffset? StartAt, bool Wait)
{
    /// <summary>Checks everything that needs no catalog.</summary>
    /// <param name="now">The moment of the asking.</param>
    /// <returns>What is the same for each of its roles, with a role that means nothing; or all that is wrong.</returns>
    public AskingCheck Check(DateTimeOffset now)
    {
        // Its terms are those of an asking for one role, and are looked at alike.
        var terms = new Asking("bundle/role", ForSeconds, Reason, Ticket, StartAt, Wait, null).Check(now);
        if (Bundle is { } name && Words.IsName(name))
        {
            return terms;
        }

        var problem = new AskingProblem("bundle", string.IsNullOrEmpty(Bundle) ? "no bundle was named" : "this is not the name of a bundle", "see what there is with stint ls");
        return new AskingCheck.Wrong([problem, .. terms is AskingCheck.Wrong wrong ? wrong.Problems : []]);
    }
}
