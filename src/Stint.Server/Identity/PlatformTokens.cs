using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Stint.Server.Identity;

/// <summary>What came of looking at a platform's token.</summary>
internal abstract record PlatformToken
{
    private PlatformToken()
    {
    }

    /// <summary>It is signed by its issuer, for us, and counts now.</summary>
    /// <param name="Issuer">Who gave it.</param>
    /// <param name="Claims">Everything that it says in texts, nested names joined by dots.</param>
    /// <param name="Mark">32 bytes that name this token among the issuer's.</param>
    /// <param name="ExpiresAt">Until when it could be shown again, clocks that differ counted.</param>
    public sealed record Verified(Issuer Issuer, IReadOnlyDictionary<string, string> Claims, byte[] Mark, DateTimeOffset ExpiresAt) : PlatformToken;

    /// <summary>It does not count.</summary>
    /// <param name="Why">In a sentence with its full stop; nothing of the token itself but names of what stands in it.</param>
    public sealed record Wrong(string Why) : PlatformToken;
}

/// <summary>Looks at tokens that platforms gave to their jobs (JWT, RFC 7519, as RFC 8725 advises).</summary>
internal sealed class PlatformTokens : IDisposable
{
    /// <summary>How long a token may be made to count at most; longer ones are no tokens of a job.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromHours(25);

    private const int LongestValue = 500;
    private const int MostClaims = 200;

    private readonly Issuers _issuers;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, IssuerKeys> _keys;

    public PlatformTokens(Issuers issuers, TimeProvider time, ILogger<PlatformTokens> log)
    {
        (_issuers, _time) = (issuers, time);
        _keys = issuers.All.ToDictionary(issuer => issuer.Name, issuer => new IssuerKeys(issuer, time, log), StringComparer.Ordinal);
    }

    /// <exception cref="KeysUnknownException">The issuer's keys cannot be had.</exception>
    public async Task<PlatformToken> VerifyAsync(string token, CancellationToken cancellation)
    {
        if (!SignedJwt.TryRead(token, out var jwt, out var why))
        {
            return new PlatformToken.Wrong(why);
        }

        using var held = jwt;
        var body = jwt.Body;
        if (_issuers.Find(SignedJwt.Text(body, "iss"), SignedJwt.Text(body, "sub")) is not { } issuer)
        {
            return new PlatformToken.Wrong("Its issuer is none that this server is configured with.");
        }

        if (!SignedJwt.IsFor(body, issuer.Audience))
        {
            return new PlatformToken.Wrong($"Its audience is not this server's and that alone; have it made for the audience '{issuer.Audience}'.");
        }

        var now = _time.GetUtcNow();
        if (SignedJwt.Seconds(body, "exp") is not { } expires || Lifetime(body, expires, now) is { } untimely && untimely.Length > 0)
        {
            return new PlatformToken.Wrong(Lifetime(body, SignedJwt.Seconds(body, "exp"), now));
        }

        if (!await jwt.IsSignedByAsync(_keys[issuer.Name], issuer.Url, issuer.Audience, cancellation))
        {
            return new PlatformToken.Wrong("It is not signed with a key of its issuer.");
        }

        return Claims(body, issuer) is { } claims
            ? new PlatformToken.Verified(issuer, claims, Mark(issuer, body, jwt.Payload), expires + SignedJwt.Skew)
            : new PlatformToken.Wrong("It says the same thing twice, or too much.");
    }

    public void Dispose()
    {
        foreach (var keys in _keys.Values)
        {
            keys.Dispose();
        }
    }

    /// <summary>Why it does not count now; empty when it does.</summary>
    private static string Lifetime(JsonElement body, DateTimeOffset? exp, DateTimeOffset now)
    {
        if (exp is not { } expires)
        {
            return "It does not say until when it counts.";
        }

        if (expires + SignedJwt.Skew <= now)
        {
            return "It counts no longer; have the platform make a new one.";
        }

        var from = SignedJwt.Seconds(body, "nbf") ?? SignedJwt.Seconds(body, "iat");
        if ((body.TryGetProperty("nbf", out _) && SignedJwt.Seconds(body, "nbf") is null) || (body.TryGetProperty("iat", out _) && SignedJwt.Seconds(body, "iat") is null))
        {
            return "It does not say in a readable way from when it counts.";
        }

        return from - SignedJwt.Skew > now ? "It does not count yet; set the clocks of the platform and of this server."
            : expires - (from ?? now) > LongestLife ? $"It counts for longer than {LongestLife.TotalHours:0} hours; have the platform make a short one."
            : "";
    }

    /// <summary>Names the token. Not by its signature: the same token can be signed twice, and written in several ways.</summary>
    private static byte[] Mark(Issuer issuer, JsonElement body, string payload) => SHA256.HashData(
        [.. Encoding.UTF8.GetBytes($"{issuer.Name}\n"), .. SignedJwt.Text(body, "jti") is { Length: > 0 } jti ? Encoding.UTF8.GetBytes($"jti\n{jti}") : Base64Url.DecodeFromChars(payload)]);

    /// <summary>What it says, in texts. Null when two things have one name, or when there are too many.</summary>
    private static Dictionary<string, string>? Claims(JsonElement body, Issuer issuer)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        var sound = Gather(body, "", claims);
        if (issuer.Preset == IssuerPreset.Kubernetes)
        {
            foreach (var (name, from) in (ReadOnlySpan<(string, string)>)[("namespace", "kubernetes.io.namespace"), ("service_account", "kubernetes.io.serviceaccount.name"), ("pod", "kubernetes.io.pod.name"), ("node", "kubernetes.io.node.name")])
            {
                // NB. What stands at the top of such a token is not the cluster's word for it.
                claims.Remove(name);
                if (claims.TryGetValue(from, out var value))
                {
                    claims[name] = value;
                }
            }
        }

        return sound ? claims : null;
    }

    private static bool Gather(JsonElement element, string before, Dictionary<string, string> claims)
    {
        foreach (var one in element.EnumerateObject())
        {
            var name = before + one.Name;
            var value = one.Value.ValueKind switch
            {
                JsonValueKind.String => one.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => one.Value.GetRawText(),
                _ => null,
            };
            if (one.Value.ValueKind == JsonValueKind.Object)
            {
                if (!Gather(one.Value, name + ".", claims))
                {
                    return false;
                }
            }
            else if (value is { Length: <= LongestValue } && (!claims.TryAdd(name, value) || claims.Count > MostClaims))
            {
                return false;
            }
        }

        return true;
    }
}
