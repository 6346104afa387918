using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Stint.Core.Requests;

/// <summary>Whose signatures and payloads a sender's calls have.</summary>
public enum WebhookPreset
{
    /// <summary>Our own: <c>Stint-Signature</c>, and the task in the address.</summary>
    Plain = 1,

    /// <summary>GitHub: <c>X-Hub-Signature-256</c>.</summary>
    GitHub = 2,

    /// <summary>GitLab: <c>webhook-signature</c> with a signing token, or <c>X-Gitlab-Token</c>.</summary>
    GitLab = 3,

    /// <summary>Jira: <c>X-Hub-Signature</c>.</summary>
    Jira = 4,

    /// <summary>PagerDuty, version 3: <c>X-PagerDuty-Signature</c>.</summary>
    PagerDuty = 5,
}

/// <summary>Whether a call comes from who it says, and which tasks it says are done. Pure: over the raw bytes, and with the moment given.</summary>
public static class Webhook
{
    /// <summary>How far a signed moment may be from ours, either way.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>Most signatures of one header that are compared.</summary>
    private const int MostSignatures = 10;

    private const string SigningTokenPrefix = "whsec_";

    /// <summary>Whether a vendor's call is signed with the secret, as the vendor's documentation says.</summary>
    /// <param name="preset">Which vendor; not <see cref="WebhookPreset.Plain"/>.</param>
    /// <param name="secret">What both know.</param>
    /// <param name="header">A header of the call; null when it is not there, or there more than once.</param>
    /// <param name="body">The raw body.</param>
    /// <param name="now">The moment.</param>
    public static bool IsSigned(WebhookPreset preset, string secret, Func<string, string?> header, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(header);
        switch (preset)
        {
            case WebhookPreset.GitHub:
                return IsHex(header("X-Hub-Signature-256"), "sha256=", Mac(secret, body));
            case WebhookPreset.Jira:
                return IsHex(header("X-Hub-Signature"), "sha256=", Mac(secret, body));
            case WebhookPreset.PagerDuty:
                // While a secret is being changed there is one signature for each.
                var mac = Mac(secret, body);
                var signed = false;
                foreach (var one in (header("X-PagerDuty-Signature") ?? "").Split(',', MostSignatures + 1, StringSplitOptions.TrimEntries).Take(MostSignatures))
                {
                    signed |= IsHex(one, "v1=", mac);
                }

                return signed;
            case WebhookPreset.GitLab:
                return secret.StartsWith(SigningTokenPrefix, StringComparison.Ordinal)
                    ? IsStandard(secret, header, body, now)
                    : Same(Encoding.UTF8.GetBytes(header("X-Gitlab-Token") ?? ""), Encoding.UTF8.GetBytes(secret));
            default:
                throw new ArgumentOutOfRangeException(nameof(preset), preset, "This is no vendor.");
        }
    }

    /// <summary>Whether a call of our own form is signed: <c>Stint-Signature: t=SECONDS,v1=HEX</c>, HMAC-SHA-256 over the seconds since 1970, the task and the raw body, with a dot between each.</summary>
    /// <remarks>NB. The task stands in the address, so it is signed as well: what was signed for one task would else end any other.</remarks>
    public static bool IsSignedPlain(string secret, string? signature, string task, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (signature?.Split(',', StringSplitOptions.TrimEntries) is not [['t', '=', .. var seconds], ['v', '1', '=', ..] hex] || !IsNear(seconds, now))
        {
            return false;
        }

        return IsHex(hex, "v1=", Mac(Encoding.UTF8.GetBytes(secret), [.. Encoding.UTF8.GetBytes($"{seconds}.{task}."), .. body]));
    }

    /// <summary>The signature that <see cref="IsSignedPlain"/> takes.</summary>
    public static string Sign(string secret, string task, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"t={seconds},v1={Convert.ToHexStringLower(Mac(Encoding.UTF8.GetBytes(secret), [.. Encoding.UTF8.GetBytes($"{seconds}.{task}."), .. body]))}";
    }

    /// <summary>The task that a vendor's payload says is done; null when it says nothing of the kind. Never throws for what a vendor sends.</summary>
    /// <param name="preset">Which vendor.</param>
    /// <param name="body">A body whose signature was found right.</param>
    public static string? Done(WebhookPreset preset, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            var root = document.RootElement;
            return TaskName.Normal(preset switch
            {
                WebhookPreset.GitHub => GitHub(root),
                WebhookPreset.GitLab => GitLab(root),
                WebhookPreset.Jira => Jira(root),
                WebhookPreset.PagerDuty => PagerDuty(root),
                _ => null,
            });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What tasks of a sender begin with when nothing narrower is said; null where it has to be said.</summary>
    public static string? PrefixOf(WebhookPreset preset) => preset switch
    {
        WebhookPreset.GitHub => "github:",
        WebhookPreset.GitLab => "gitlab:",
        WebhookPreset.Jira => "jira:",
        WebhookPreset.PagerDuty => "pagerduty:",
        _ => null,
    };

    // "issues" and "pull_request" events, action "closed": merged or not.
    private static string? GitHub(JsonElement root)
    {
        var subject = Find(root, "pull_request") ?? Find(root, "issue");
        return Text(root, "action") == "closed" && subject is { } one && Text(one, "state") == "closed" && Find(one, "number") is { ValueKind: JsonValueKind.Number } number
            && Find(root, "repository") is { } repository && Text(repository, "full_name") is { } name
            ? $"github:{name}#{number.GetRawText()}"
            : null;
    }

    // "Issue Hook" with action "close", "Merge Request Hook" with action "merge" or "close".
    private static string? GitLab(JsonElement root)
    {
        if (Find(root, "object_attributes") is not { } attributes || Find(attributes, "iid") is not { ValueKind: JsonValueKind.Number } number
            || Find(root, "project") is not { } project || Text(project, "path_with_namespace") is not { } name)
        {
            return null;
        }

        return (Text(root, "object_kind"), Text(attributes, "action")) switch
        {
            ("issue" or "incident", "close") => $"gitlab:{name}#{number.GetRawText()}",
            ("merge_request", "merge" or "close") => $"gitlab:{name}!{number.GetRawText()}",
            _ => null,
        };
    }

    // "jira:issue_updated" into a status of the category "done", or "jira:issue_deleted".
    private static string? Jira(JsonElement root)
    {
        if (Find(root, "issue") is not { } issue || Text(issue, "key") is not { } key)
        {
            return null;
        }

        var isDone = Find(issue, "fields") is { } fields && Find(fields, "status") is { } status && Find(status, "statusCategory") is { } category && Text(category, "key") == "done";
        return Text(root, "webhookEvent") switch
        {
            "jira:issue_updated" when isDone => "jira:" + key,
            "jira:issue_deleted" => "jira:" + key,
            _ => null,
        };
    }

    // "incident.resolved" of version 3.
    private static string? PagerDuty(JsonElement root) =>
        Find(root, "event") is { } occurred && Text(occurred, "event_type") == "incident.resolved" && Find(occurred, "data") is { } data && Text(data, "id") is { } id
            ? "pagerduty:" + id
            : null;

    // Standard Webhooks: HMAC-SHA-256 over id, seconds and body with a dot between each, in base64; several with spaces between.
    private static bool IsStandard(string secret, Func<string, string?> header, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (header("webhook-id") is not { } id || header("webhook-timestamp") is not { } seconds || header("webhook-signature") is not { } signatures || !IsNear(seconds, now))
        {
            return false;
        }

        byte[] key;
        try
        {
            key = Convert.FromBase64String(secret[SigningTokenPrefix.Length..]);
        }
        catch (FormatException)
        {
            return false;
        }

        var mac = Encoding.ASCII.GetBytes(Convert.ToBase64String(Mac(key, [.. Encoding.UTF8.GetBytes($"{id}.{seconds}."), .. body])));
        var signed = false;
        foreach (var one in signatures.Split(' ', MostSignatures + 1, StringSplitOptions.RemoveEmptyEntries).Take(MostSignatures))
        {
            signed |= one.StartsWith("v1,", StringComparison.Ordinal) && Same(Encoding.UTF8.GetBytes(one[3..]), mac);
        }

        return signed;
    }

    private static bool IsNear(string seconds, DateTimeOffset now) =>
        seconds.Length is > 0 and <= 12 && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
        && Math.Abs(now.ToUnixTimeSeconds() - at) <= (long)Window.TotalSeconds;

    private static bool IsHex(string? header, string prefix, byte[] mac) =>
        header is not null && header.StartsWith(prefix, StringComparison.Ordinal)
        && Same(Encoding.UTF8.GetBytes(header[prefix.Length..]), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(mac)));

    // NB. Lengths may differ by who sends; that they do is no secret, what stands in them is compared in constant time.
    private static bool Same(byte[] given, byte[] right) => CryptographicOperations.FixedTimeEquals(given, right);

    private static byte[] Mac(string secret, ReadOnlySpan<byte> body) => Mac(Encoding.UTF8.GetBytes(secret), body);

    private static byte[] Mac(byte[] key, ReadOnlySpan<byte> message) => HMACSHA256.HashData(key, message);

    private static JsonElement? Find(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    private static string? Text(JsonElement element, string name) => Find(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
