using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

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
    /// <param name="At">When.</param>
    /// <param name="Events">What happened: an object of events by their addresses.</param>
    /// <param name="Subject">To whom; undefined when it says nobody.</param>
    public sealed record Verified(Transmitter From, byte[] Mark, DateTimeOffset At, JsonElement Events, JsonElement Subject) : SecurityEventToken;

    /// <summary>It does not count.</summary>
    /// <param name="Error">A word of RFC 8935, section 2.4.</param>
    /// <param name="Why">In a sentence with its full stop; nothing of the token itself.</param>
    public sealed record Wrong(string Error, string Why) : SecurityEventToken;
}

/// <summary>Looks at security event tokens (RFC 8417, as RFC 8725 advises for any JWT).</summary>
internal sealed class SecurityEventTokens : IDisposable
{
    /// <summary>Longest token, in characters.</summary>
    public const int Longest = SignedJwt.Longest;

    /// <summary>The type that its header has to name: no other token of the same issuer passes for one.</summary>
    public const string Type = "secevent+jwt";

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>The oldest that is taken. A transmitter tries again for days when nobody answers; what is older could have been forgotten here and be shown again.</summary>
    public static readonly TimeSpan Oldest = TimeSpan.FromDays(7);

    private static readonly string[] Times = ["iat", "nbf", "exp", "toe"];

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
        if (!SignedJwt.TryRead(token, out var jwt, out var why, Type.ToUpperInvariant(), $"application/{Type}".ToUpperInvariant()))
        {
            return new SecurityEventToken.Wrong(why == SignedJwt.OtherAlgorithm ? "invalid_key" : "invalid_request", why);
        }

        using var held = jwt;
        var body = jwt.Body;
        if (!jwt.NamesType)
        {
            return Malformed($"Its header has to name the type {Type}.");
        }

        if (_transmitters.All.FirstOrDefault(one => one.Issuer.Url == SignedJwt.Text(body, "iss")) is not { } from)
        {
            return new SecurityEventToken.Wrong("invalid_issuer", "Its issuer is none that this server is configured with.");
        }

        if (!SignedJwt.IsFor(body, from.Issuer.Audience, alone: false))
        {
            return new SecurityEventToken.Wrong("invalid_audience", $"It is not made for the audience '{from.Issuer.Audience}'.");
        }

        if (Times.Any(name => body.TryGetProperty(name, out _) && SignedJwt.Seconds(body, name) is null))
        {
            return Malformed("It says a time in another way than in seconds since 1970.");
        }

        return await jwt.IsSignedByAsync(_keys[from.Name], from.Issuer.Url, from.Issuer.Audience, cancellation, ends: false)
            ? Content(from, body, _time.GetUtcNow())
            : new SecurityEventToken.Wrong("invalid_key", "It is not signed with a key of its issuer.");
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
        if (SignedJwt.Seconds(body, "iat") is not { } at || at - Skew > now || now - at > Oldest)
        {
            return Malformed($"It has to say in 'iat' when it was made, not in the future and not more than {Oldest.TotalDays:0} days ago.");
        }

        // NB. Such a token has no end; one that names an end that is over is somebody's mistake, or an attempt.
        if (body.TryGetProperty("exp", out _) && !(SignedJwt.Seconds(body, "exp") + Skew > now))
        {
            return Malformed("It counts no longer.");
        }

        if (SignedJwt.Text(body, "jti") is not { Length: > 0 and <= 1_000 } id)
        {
            return Malformed("It has to have a name of its own, 'jti'.");
        }

        if (!body.TryGetProperty("events", out var events) || events.ValueKind != JsonValueKind.Object || !events.EnumerateObject().Any() || events.EnumerateObject().Any(one => one.Value.ValueKind != JsonValueKind.Object))
        {
            return Malformed("It has to say in 'events' what happened.");
        }

        body.TryGetProperty("sub_id", out var subject);
        return subject.ValueKind is JsonValueKind.Undefined or JsonValueKind.Object
            ? new SecurityEventToken.Verified(from, SHA256.HashData(Encoding.UTF8.GetBytes(id)), Happened(body, at), events.Clone(), subject.ValueKind == JsonValueKind.Object ? subject.Clone() : default)
            : Malformed("Its 'sub_id' is no subject identifier (RFC 9493).");
    }

    /// <summary>When it happened (RFC 8417, section 2.2, <c>toe</c>), or when it was told. NB. Nothing is told before it happened: who says so must not be ahead of what comes after.</summary>
    private static DateTimeOffset Happened(JsonElement body, DateTimeOffset told) => SignedJwt.Seconds(body, "toe") is { } at && at < told ? at : told;

    private static SecurityEventToken.Wrong Malformed(string why) => new("invalid_request", why);
}
