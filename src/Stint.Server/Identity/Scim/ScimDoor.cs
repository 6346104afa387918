using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Stint.Server.Hosting;

namespace Stint.Server.Identity.Scim;

/// <summary>Lets in the directory's program by its own token: no person's token opens this, and this token opens nothing else.</summary>
/// <param name="hashes">SHA-256 of each token that opens it.</param>
/// <param name="limits">How often.</param>
/// <param name="time">The clock.</param>
internal sealed class ScimDoor(IReadOnlyList<byte[]> hashes, LimitOptions limits, TimeProvider time)
{
    private const int Longest = 1_024;

    private readonly RateLimit<IPAddress> _perAddress = new(limits.AddressRequestsPerMinute, time);
    private readonly RateLimit<IPAddress> _failures = new(limits.FailuresPerMinute, time);

    /// <summary>Sees who calls.</summary>
    /// <returns>How long to wait; null when it may pass.</returns>
    /// <exception cref="ScimProblem">The token is not one of those that open it.</exception>
    public TimeSpan? Wait(HttpContext context)
    {
        var address = Bearer.Network(context.Connection.RemoteIpAddress);
        if (Opens(Bearer.TokenOf(context)))
        {
            return _perAddress.Take(address);
        }

        if (_failures.Take(address) is { } wait)
        {
            return wait;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"stint scim\"";
        throw ScimProblem.Of(401, "The token that the directory's program shows is missing or unknown.");
    }

    private bool Opens(string token)
    {
        if (token.Length is 0 or > Longest)
        {
            return false;
        }

        var hash = Secrets.HashOf(token);
        var opens = false;

        // NB. All of them, each in constant time.
        foreach (var known in hashes)
        {
            opens |= CryptographicOperations.FixedTimeEquals(hash, known);
        }

        return opens;
    }
}
