using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Stint.Server.Identity.Signals;

/// <summary>Every transmitter that is configured: whose word on sessions and accounts counts.</summary>
/// <param name="All">Each with where its keys are, and what it makes its tokens for.</param>
internal sealed record Transmitters(IReadOnlyList<Transmitter> All);

/// <summary>Somebody who tells what became of sessions and accounts.</summary>
/// <param name="Issuer">What <c>iss</c> and <c>aud</c> are, and where its keys are.</param>
/// <param name="Subjects">What <c>iss</c> of the people is that it tells of.</param>
internal sealed record Transmitter(Issuer Issuer, string Subjects)
{
    public string Name => Issuer.Name;
}

/// <summary>What came of looking at a security event token.</summary>
internal abstract record SecurityEventToken
{
    private SecurityEventToken()
    {
    }

    /// <summary>It is signed by its transmitter, for us, and fresh.</summary>
    /// <param name="From">Whose it is.</param>
    /// <param name="Mark">32 bytes that name this token among the transmitter's.</param>
    /// <param name="Events">What happened: an object of events by their addresses.</param>
    /// <param name="Subject">To whom; undefined when it says nobody.</param>
    public sealed record Verified(Transmitter From, byte[] Mark, JsonElement Events, JsonElement Subject) : SecurityEventToken;

    /// <summary>It does not count.</summary>
    /// <param name="Error">A word of RFC 8935, section 2.4.</param>
    /// <param name="Why">In a sentence with its full stop; nothing of the token itself.</param>
    public sealed record Wrong(string Error, string Why) : SecurityEventToken;
}

/// <summary>Looks at security event tokens (RFC 8417, as RFC 8725 advises for any JWT).</summary>
internal sealed class SecurityEventTokens : IDisposable
{
    /// <summary>Longest token, in characters.</summary>
    public const int Longest = 16 << 10;

    /// <summary>The type that its header has to name: no other token of the same issuer passes for one.</summary>
    public const string Type = "secevent+jwt";

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>The oldest that is taken. A transmitter tries again for days when nobody answers; what is older could have been forgotten here and be shown again.</summary>
    public static readonly TimeSpan Oldest = TimeSpan.FromDays(7);

    // NB. What is signed with a secret that both know is not among them: a public key is no secret.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
    private static readonly string[] Times = ["iat", "nbf", "exp"];
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = Longest, MapInboundClaims = false };

    private readonly Transmitters _transmitters;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, IssuerKeys> _keys;

    public SecurityEventTokens(Transmitters transmitters, TimeProvider time, ILogger<SecurityEventTokens> log)
    {
        (_transmitters, _time) = (transmitters, time);
        _keys = transmitters.All.ToDictionary(transmitter => transmitter.Name, transmitter => new IssuerKeys(transmitter.Issuer, time, log), StringComparer.Ordinal);
    }

    /// <exception cref="KeysUnknownException">The transmitter's keys cannot be had.</exception>
    public async Task<SecurityEventToken> VerifyAsync(string token, CancellationToken cancellation)
    {
        if (token.Length is 0 or > Longest || token.Split('.') is not { Length: 3 } parts || parts.Any(part => part.Length == 0 || !part.All(IsBase64Url)) || Parse(parts[0]) is not { } head || Parse(parts[1]) is not { } body)
        {
            return Malformed("It is not a signed security event token.");
        }

        // NB. An extension that has to be understood is not (RFC 7515, section 4.1.11).
        if (Text(head, "typ") is not { } type || !(type.Equals(Type, StringComparison.OrdinalIgnoreCase) || type.Equals($"application/{Type}", StringComparison.OrdinalIgnoreCase))
            || head.TryGetProperty("crit", out _) || head.TryGetProperty("b64", out _))
        {
            return Malformed($"Its header has to name the type {Type}, and no extension.");
        }

        if (Text(head, "alg") is not { } algorithm || !Algorithms.Contains(algorithm))
        {
            return new SecurityEventToken.Wrong("invalid_key", $"Its algorithm is none of {string.Join(", ", Algorithms)}.");
        }

        if (_transmitters.All.FirstOrDefault(one => one.Issuer.Url == Text(body, "iss")) is not { } from)
        {
            return new SecurityEventToken.Wrong("invalid_issuer", "Its issuer is none that this server is configured with.");
        }

        if (!IsFor(body, from.Issuer.Audience))
        {
            return new SecurityEventToken.Wrong("invalid_audience", $"It is not made for the audience '{from.Issuer.Audience}'.");
        }

        if (Times.Any(name => body.TryGetProperty(name, out _) && Seconds(body, name) is null))
        {
            return Malformed("It says a time in another way than in seconds since 1970.");
        }

        if (!await IsSignedAsync(token, Text(head, "kid"), algorithm, from, cancellation))
        {
            return new SecurityEventToken.Wrong("invalid_key", "It is not signed with a key of its issuer.");
        }

        return Content(from, body, _time.GetUtcNow());
    }

    public void Dispose()
    {
        foreach (var keys in _keys.Values)
        {
            keys.Dispose();
        }
    }

    private static SecurityEventToken Content(Transmitter from, JsonElement body, DateTimeOffset now)
    {
        if (Seconds(body, "iat") is not { } at || at - Skew > now || now - at > Oldest)
        {
            return Malformed($"It has to say in 'iat' when it was made, not in the future and not more than {Oldest.TotalDays:0} days ago.");
        }

        // NB. Such a token has no end; one that names an end that is over is somebody's mistake, or an attempt.
        if (body.TryGetProperty("exp", out _) && !(Seconds(body, "exp") + Skew > now))
        {
            return Malformed("It counts no longer.");
        }

        if (Text(body, "jti") is not { Length: > 0 and <= 1_000 } id)
        {
            return Malformed("It has to have a name of its own, 'jti'.");
        }

        if (!body.TryGetProperty("events", out var events) || events.ValueKind != JsonValueKind.Object || !events.EnumerateObject().Any() || events.EnumerateObject().Any(one => one.Value.ValueKind != JsonValueKind.Object))
        {
            return Malformed("It has to say in 'events' what happened.");
        }

        body.TryGetProperty("sub_id", out var subject);
        return subject.ValueKind is JsonValueKind.Undefined or JsonValueKind.Object
            ? new SecurityEventToken.Verified(from, SHA256.HashData(Encoding.UTF8.GetBytes(id)), events, subject)
            : Malformed("Its 'sub_id' is no subject identifier (RFC 9493).");
    }

    private async Task<bool> IsSignedAsync(string token, string? keyId, string algorithm, Transmitter from, CancellationToken cancellation)
    {
        var key = await _keys[from.Name].FindAsync(keyId, cancellation);
        if (key is null || (key.Alg is { Length: > 0 } bound && bound != algorithm) || !Fits(key, algorithm))
        {
            return false;
        }

        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [algorithm],
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            IssuerSigningKeyResolver = (_, _, _, _) => [key],
            RequireSignedTokens = true,
            RequireExpirationTime = false,
            ValidAudience = from.Issuer.Audience,
            ValidIssuer = from.Issuer.Url,

            // NB. When it counts is held against the clock in hand, not against the machine's.
            LifetimeValidator = (_, _, _, _) => true,
        });
        return result.IsValid;
    }

    private static SecurityEventToken.Wrong Malformed(string why) => new("invalid_request", why);

    private static bool IsBase64Url(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    private static JsonElement? Parse(string part)
    {
        try
        {
            // NB. A name that stands twice would be read one way here and another there.
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(part), new JsonDocumentOptions { MaxDepth = 12, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>What is told to several is told to us as well.</summary>
    private static bool IsFor(JsonElement body, string audience) => body.TryGetProperty("aud", out var aud) && (aud.ValueKind switch
    {
        JsonValueKind.String => aud.GetString() == audience,
        JsonValueKind.Array => aud.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() == audience),
        _ => false,
    });

    private static DateTimeOffset? Seconds(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.UnixEpoch.AddSeconds(Math.Floor(seconds))
            : null;

    private static bool Fits(JsonWebKey key, string algorithm) => algorithm switch
    {
        "ES256" => key is { Kty: "EC", Crv: "P-256" },
        "ES384" => key is { Kty: "EC", Crv: "P-384" },
        "ES512" => key is { Kty: "EC", Crv: "P-521" },
        _ => key.Kty == "RSA",
    };
}
