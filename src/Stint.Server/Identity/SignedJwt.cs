using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Stint.Server.Identity;

/// <summary>A signed JSON Web Token taken apart (RFC 7519, as RFC 8725 advises). Nothing in it is believed before <see cref="IsSignedByAsync"/>.</summary>
internal sealed class SignedJwt : IDisposable
{
    /// <summary>Longest token, in characters.</summary>
    public const int Longest = 16 << 10;

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    // NB. What is signed with a secret that both know is not among them: a public key is no secret.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>What is said of a token that is signed in another way.</summary>
    public static readonly string OtherAlgorithm = $"Its algorithm is none of {string.Join(", ", Algorithms)}.";

    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = Longest, MapInboundClaims = false };

    private readonly string _token;
    private readonly JsonDocument _head;
    private readonly JsonDocument _body;

    private SignedJwt(string token, string payload, JsonDocument head, JsonDocument body) => (_token, Payload, _head, _body) = (token, payload, head, body);

    /// <summary>What it says; lives as long as this.</summary>
    public JsonElement Body => _body.RootElement;

    /// <summary>What it says, as it was written.</summary>
    public string Payload { get; }

    public string Algorithm => Text(_head.RootElement, "alg")!;

    /// <summary>Name of the key that it says it is signed with; null when it says none.</summary>
    public string? KeyId => Text(_head.RootElement, "kid");

    /// <summary>Whether it says of which type it is.</summary>
    public bool NamesType => _head.RootElement.TryGetProperty("typ", out _);

    /// <summary>Takes a token apart.</summary>
    /// <param name="token">The token.</param>
    /// <param name="jwt">Its parts.</param>
    /// <param name="why">What is wrong with it, in a sentence with its full stop; null when nothing is.</param>
    /// <param name="types">What its type may be, in capitals, where it names one; empty for the usual ones.</param>
    public static bool TryRead(string token, [NotNullWhen(true)] out SignedJwt? jwt, [NotNullWhen(false)] out string? why, params ReadOnlySpan<string> types)
    {
        (jwt, why) = (null, null);
        if (token.Length is 0 or > Longest || token.Split('.') is not { Length: 3 } parts || parts.Any(part => part.Length == 0 || !part.All(IsBase64Url)))
        {
            why = "It is not a signed JWT, or longer than one that is looked at.";
            return false;
        }

        var (head, body) = (Parse(parts[0]), Parse(parts[1]));
        if (head is null || body is null)
        {
            why = "It is not a signed JWT.";
        }
        else if (Text(head.RootElement, "alg") is not { } algorithm || !Algorithms.Contains(algorithm))
        {
            why = OtherAlgorithm;
        }
        else if (!IsOfType(head.RootElement, types.Length == 0 ? ["JWT", "JOSE"] : types))
        {
            why = "It is a token of another kind.";
        }
        else
        {
            jwt = new SignedJwt(token, parts[1], head, body);
            return true;
        }

        head?.Dispose();
        body?.Dispose();
        return false;
    }

    /// <summary>Whether it is signed by one of an issuer's keys.</summary>
    /// <param name="keys">The issuer's.</param>
    /// <param name="issuer">What <c>iss</c> must be; null where the keys alone say whose it is.</param>
    /// <param name="audience">What <c>aud</c> must hold.</param>
    /// <param name="cancellation">Ends the waiting for the keys.</param>
    /// <param name="ends">Whether it must say how long it counts.</param>
    /// <exception cref="KeysUnknownException">The issuer's keys cannot be had.</exception>
    public async Task<bool> IsSignedByAsync(IssuerKeys keys, string? issuer, string audience, CancellationToken cancellation, bool ends = true)
    {
        var algorithm = Algorithm;
        var key = await keys.FindAsync(KeyId, cancellation);
        if (key is null || (key.Alg is { Length: > 0 } bound && bound != algorithm) || !Fits(key, algorithm))
        {
            return false;
        }

        var result = await Handler.ValidateTokenAsync(_token, new TokenValidationParameters
        {
            ValidAlgorithms = [algorithm],
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            IssuerSigningKeyResolver = (_, _, _, _) => [key],
            RequireSignedTokens = true,
            RequireExpirationTime = ends,
            ValidAudience = audience,
            IssuerValidator = (iss, _, _) => issuer is null || iss == issuer ? issuer ?? "" : throw new SecurityTokenInvalidIssuerException(),

            // NB. When it counts is held against the clock in hand by whoever asks, not against the machine's.
            LifetimeValidator = (_, until, _, _) => until is not null || !ends,
        });
        return result.IsValid;
    }

    public void Dispose()
    {
        _head.Dispose();
        _body.Dispose();
    }

    /// <summary>A text of a claim; null when it is missing or something else.</summary>
    public static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A moment in seconds since 1970; null when it is missing, something else or beyond the years that there are.</summary>
    public static DateTimeOffset? Seconds(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.UnixEpoch.AddSeconds(Math.Floor(seconds))
            : null;

    /// <summary>Whether it is for an audience.</summary>
    /// <param name="body">What it says.</param>
    /// <param name="audience">The audience.</param>
    /// <param name="alone">And for no other: each of several could show it to us. What only tells something may be told to several.</param>
    public static bool IsFor(JsonElement body, string audience, bool alone = true) => body.TryGetProperty("aud", out var aud) && (aud.ValueKind switch
    {
        JsonValueKind.String => aud.GetString() == audience,
        JsonValueKind.Array => (!alone || aud.GetArrayLength() == 1) && aud.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() == audience),
        _ => false,
    });

    private static bool IsBase64Url(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    private static JsonDocument? Parse(string part)
    {
        try
        {
            // NB. A name that stands twice would be read one way here and another there.
            var document = JsonDocument.Parse(Base64Url.DecodeFromChars(part), new JsonDocumentOptions { MaxDepth = 12, AllowDuplicateProperties = false });
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

    // NB. An extension that has to be understood is not (RFC 7515, section 4.1.11).
    private static bool IsOfType(JsonElement head, ReadOnlySpan<string> types) => !head.TryGetProperty("crit", out _) && !head.TryGetProperty("b64", out _)
        && (!head.TryGetProperty("typ", out var type) || (type.ValueKind == JsonValueKind.String && types.Contains(type.GetString()!.ToUpperInvariant())));

    private static bool Fits(JsonWebKey key, string algorithm) => algorithm switch
    {
        "ES256" => key is { Kty: "EC", Crv: "P-256" },
        "ES384" => key is { Kty: "EC", Crv: "P-384" },
        "ES512" => key is { Kty: "EC", Crv: "P-521" },
        _ => key.Kty == "RSA",
    };
}
