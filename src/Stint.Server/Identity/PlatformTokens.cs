using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

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
    /// <summary>Longest token, in characters.</summary>
    public const int Longest = 16 << 10;

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    /// <summary>How long a token may be made to count at most; longer ones are no tokens of a job.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromHours(25);

    private const int LongestValue = 500;
    private const int MostClaims = 200;

    // NB. What is signed with a secret that both know is not among them: a public key is no secret.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly Issuers _issuers;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, IssuerKeys> _keys;
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = Longest, MapInboundClaims = false };

    public PlatformTokens(Issuers issuers, TimeProvider time, ILogger<PlatformTokens> log)
    {
        (_issuers, _time) = (issuers, time);
        _keys = issuers.All.ToDictionary(issuer => issuer.Name, issuer => new IssuerKeys(issuer, time, log), StringComparer.Ordinal);
    }

    /// <exception cref="KeysUnknownException">The issuer's keys cannot be had.</exception>
    public async Task<PlatformToken> VerifyAsync(string token, CancellationToken cancellation)
    {
        if (token.Length is 0 or > Longest || token.Split('.') is not { Length: 3 } parts || parts.Any(part => part.Length == 0 || !part.All(IsBase64Url)))
        {
            return new PlatformToken.Wrong("It is not a signed JWT, or longer than one of a job.");
        }

        using var header = Parse(parts[0]);
        using var payload = Parse(parts[1]);
        if (header is null || payload is null)
        {
            return new PlatformToken.Wrong("It is not a signed JWT.");
        }

        var (head, body) = (header.RootElement, payload.RootElement);
        if (Text(head, "alg") is not { } algorithm || !Algorithms.Contains(algorithm))
        {
            return new PlatformToken.Wrong($"Its algorithm is none of {string.Join(", ", Algorithms)}.");
        }

        // NB. An extension that has to be understood is not (RFC 7515, section 4.1.11).
        if (head.TryGetProperty("crit", out _) || head.TryGetProperty("b64", out _) || (head.TryGetProperty("typ", out var type) && !(type.ValueKind == JsonValueKind.String && type.GetString()!.ToUpperInvariant() is "JWT" or "JOSE")))
        {
            return new PlatformToken.Wrong("It is a token of another kind.");
        }

        if (_issuers.Find(Text(body, "iss"), Text(body, "sub")) is not { } issuer)
        {
            return new PlatformToken.Wrong("Its issuer is none that this server is configured with.");
        }

        if (!IsFor(body, issuer.Audience))
        {
            return new PlatformToken.Wrong($"Its audience is not this server's and that alone; have it made for the audience '{issuer.Audience}'.");
        }

        var now = _time.GetUtcNow();
        if (Seconds(body, "exp") is not { } expires || Lifetime(body, expires, now) is { } untimely && untimely.Length > 0)
        {
            return new PlatformToken.Wrong(Lifetime(body, Seconds(body, "exp"), now));
        }

        var key = await _keys[issuer.Name].FindAsync(Text(head, "kid"), cancellation);
        if (key is null || (key.Alg is { Length: > 0 } bound && bound != algorithm) || !Fits(key, algorithm))
        {
            return new PlatformToken.Wrong("It is not signed with a key of its issuer.");
        }

        var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [algorithm],
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            IssuerSigningKeyResolver = (_, _, _, _) => [key],
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ValidAudience = issuer.Audience,
            IssuerValidator = (iss, _, _) => issuer.Url is null || iss == issuer.Url ? issuer.Url ?? issuer.Name : throw new SecurityTokenInvalidIssuerException(),
            LifetimeValidator = (_, until, _, _) => until is not null,
        });
        if (!result.IsValid)
        {
            return new PlatformToken.Wrong("It is not signed with a key of its issuer.");
        }

        return Claims(body, issuer) is { } claims
            ? new PlatformToken.Verified(issuer, claims, Mark(issuer, body, parts[1]), expires + Skew)
            : new PlatformToken.Wrong("It says the same thing twice, or too much.");
    }

    public void Dispose()
    {
        foreach (var keys in _keys.Values)
        {
            keys.Dispose();
        }
    }

    private static bool IsBase64Url(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    private static JsonDocument? Parse(string part)
    {
        try
        {
            // NB. A name that stands twice would be read one way here and another there.
            var document = JsonDocument.Parse(Base64Url.DecodeFromChars(part), new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
            return null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A token for several audiences could be shown to us by each of the others.</summary>
    private static bool IsFor(JsonElement body, string audience) => body.TryGetProperty("aud", out var aud) && (aud.ValueKind switch
    {
        JsonValueKind.String => aud.GetString() == audience,
        JsonValueKind.Array => aud.GetArrayLength() == 1 && aud[0].ValueKind == JsonValueKind.String && aud[0].GetString() == audience,
        _ => false,
    });

    private static DateTimeOffset? Seconds(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.UnixEpoch.AddSeconds(Math.Floor(seconds))
            : null;

    /// <summary>Why it does not count now; empty when it does.</summary>
    private static string Lifetime(JsonElement body, DateTimeOffset? exp, DateTimeOffset now)
    {
        if (exp is not { } expires)
        {
            return "It does not say until when it counts.";
        }

        if (expires + Skew <= now)
        {
            return "It counts no longer; have the platform make a new one.";
        }

        var from = Seconds(body, "nbf") ?? Seconds(body, "iat");
        if ((body.TryGetProperty("nbf", out _) && Seconds(body, "nbf") is null) || (body.TryGetProperty("iat", out _) && Seconds(body, "iat") is null))
        {
            return "It does not say in a readable way from when it counts.";
        }

        return from - Skew > now ? "It does not count yet; set the clocks of the platform and of this server."
            : expires - (from ?? now) > LongestLife ? $"It counts for longer than {LongestLife.TotalHours:0} hours; have the platform make a short one."
            : "";
    }

    private static bool Fits(JsonWebKey key, string algorithm) => algorithm switch
    {
        "ES256" => key is { Kty: "EC", Crv: "P-256" },
        "ES384" => key is { Kty: "EC", Crv: "P-384" },
        "ES512" => key is { Kty: "EC", Crv: "P-521" },
        _ => key.Kty == "RSA",
    };

    /// <summary>Names the token. Not by its signature: the same token can be signed twice, and written in several ways.</summary>
    private static byte[] Mark(Issuer issuer, JsonElement body, string payload) => SHA256.HashData(
        [.. Encoding.UTF8.GetBytes($"{issuer.Name}\n"), .. Text(body, "jti") is { Length: > 0 } jti ? Encoding.UTF8.GetBytes($"jti\n{jti}") : Base64Url.DecodeFromChars(payload)]);

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
