using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Stint.Server.Identity.Providers;

/// <summary>What an ID token and a logout token have to say to count. Who signed them is looked at elsewhere.</summary>
internal static class IdToken
{
    /// <summary>How old a token may be that was made for the answer that it is in.</summary>
    public static readonly TimeSpan Oldest = TimeSpan.FromMinutes(10);

    /// <summary>How long after the asking for a fresh proof is taken for one.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private const int LongestSubject = 255;

    /// <summary>Why an ID token does not count (OpenID Connect Core 1.0, section 3.1.3.7).</summary>
    /// <param name="body">What it says.</param>
    /// <param name="algorithm">What it is signed with.</param>
    /// <param name="provider">Who has to have given it.</param>
    /// <param name="flow">What was asked.</param>
    /// <param name="accessToken">What it came with; null for nothing.</param>
    /// <param name="now">The moment.</param>
    /// <returns>A sentence with its full stop; null when it counts.</returns>
    public static string? Trouble(JsonElement body, string algorithm, Provider provider, ProviderFlow flow, string? accessToken, DateTimeOffset now) =>
        Common(body, provider, now)
        ?? (SignedJwt.Text(body, "nonce") is { } nonce && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(flow.Nonce)) ? null : "Its nonce is not the one that was sent.")
        ?? (SignedJwt.Text(body, "sub") is { Length: > 0 and <= LongestSubject } ? null : "It names nobody (sub).")
        ?? (!body.TryGetProperty("azp", out _) || SignedJwt.Text(body, "azp") == provider.ClientId ? null : "It was made for another party (azp).")
        ?? (!body.TryGetProperty("at_hash", out _) || (accessToken is not null && SignedJwt.Text(body, "at_hash") == HashOf(accessToken, algorithm)) ? null : "It belongs to another access token (at_hash).")
        ?? (provider.Tenant is null || string.Equals(SignedJwt.Text(body, "tid"), provider.Tenant, StringComparison.OrdinalIgnoreCase) ? null : "It is another tenant's (tid).")
        ?? (flow.Fresh ? Stale(body, provider, flow, now) : null);

    /// <summary>Why a logout token does not count (OpenID Connect Back-Channel Logout 1.0, section 2.6).</summary>
    /// <returns>A sentence with its full stop; null when it counts.</returns>
    public static string? LogoutTrouble(JsonElement body, Provider provider, DateTimeOffset now) =>
        Common(body, provider, now)

        // NB. A token to sign in with says much of the same, and must not sign anybody out.
        ?? (body.TryGetProperty("nonce", out _) ? "It is a token to sign in with (nonce)." : null)
        ?? (body.TryGetProperty("events", out var events) && events.ValueKind == JsonValueKind.Object && events.TryGetProperty(LogoutEvent, out var happened) && happened.ValueKind == JsonValueKind.Object ? null : "It tells of no logout (events).")
        ?? (SignedJwt.Text(body, "jti") is { Length: > 0 and <= LongestSubject } ? null : "It has no name of its own (jti).")
        ?? (IsAbsentOrText(body, "sub") && IsAbsentOrText(body, "sid") && (body.TryGetProperty("sub", out _) || body.TryGetProperty("sid", out _)) ? null : "It does not say whose sessions end (sub, sid).");

    /// <summary>The left half of a hash (section 3.1.3.6).</summary>
    public static string HashOf(string accessToken, string algorithm)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm[^3..] switch { "256" => SHA256.HashData(bytes), "384" => SHA384.HashData(bytes), _ => SHA512.HashData(bytes) };
        return Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2));
    }

    private static string? Common(JsonElement body, Provider provider, DateTimeOffset now)
    {
        if (SignedJwt.Text(body, "iss") != provider.Issuer)
        {
            return "Its issuer is another (iss).";
        }

        if (!SignedJwt.IsFor(body, provider.ClientId))
        {
            return "Its audience is not this server and that alone (aud).";
        }

        if (SignedJwt.Seconds(body, "exp") is not { } expires || expires + SignedJwt.Skew <= now)
        {
            return "It counts no longer, or does not say until when (exp).";
        }

        if (body.TryGetProperty("nbf", out _) && !(SignedJwt.Seconds(body, "nbf") - SignedJwt.Skew <= now))
        {
            return "It does not count yet (nbf).";
        }

        return SignedJwt.Seconds(body, "iat") is { } made && made - SignedJwt.Skew <= now && made + Oldest > now ? null : "It was not made just now (iat); set the clocks of the provider and of this server.";
    }

    /// <summary>Why no fresh proof was given. That it was asked for says nothing: whoever has the browser can take the asking out of the address.</summary>
    private static string? Stale(JsonElement body, Provider provider, ProviderFlow flow, DateTimeOffset now)
    {
        if (SignedJwt.Seconds(body, "auth_time") is not { } proved || proved + SignedJwt.Skew < flow.StartedAt || proved - SignedJwt.Skew > now)
        {
            return "It does not say that they proved themselves since they were asked to (auth_time).";
        }

        if (provider.AcrValues.Count > 0 && !(SignedJwt.Text(body, "acr") is { } acr && provider.AcrValues.Contains(acr)))
        {
            return "They did not prove themselves as strongly as is demanded (acr).";
        }

        return provider.AmrValues.Count == 0 || (body.TryGetProperty("amr", out var ways) && ways.ValueKind == JsonValueKind.Array && ways.EnumerateArray().Any(way => way.ValueKind == JsonValueKind.String && provider.AmrValues.Contains(way.GetString()!)))
            ? null
            : "They did not prove themselves in one of the ways that are demanded (amr).";
    }

    private static bool IsAbsentOrText(JsonElement body, string name) => !body.TryGetProperty(name, out _) || SignedJwt.Text(body, name) is { Length: > 0 and <= LongestSubject };
}
