using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Stint.Server.Store;

namespace Stint.Server.Identity.Providers;

/// <summary>Ends what a provider let in once it says that somebody signed out of it (OpenID Connect Back-Channel Logout 1.0).</summary>
internal sealed class LogoutByProvider(StintStore store, WebSessions browsers, TimeProvider clock, ILogger<LogoutByProvider> log)
{
    /// <summary>Hears a logout token.</summary>
    /// <param name="link">The provider at whose address here it was shown.</param>
    /// <param name="token">The token.</param>
    /// <param name="cancellation">Ends the waiting for the provider's keys and the store.</param>
    /// <returns>Whether it counted.</returns>
    /// <exception cref="ProviderAwayException">The provider's keys cannot be had.</exception>
    /// <exception cref="KeysUnknownException">The provider's keys cannot be had.</exception>
    public async Task<bool> EndAsync(ProviderLink link, string token, CancellationToken cancellation)
    {
        var provider = link.Provider;
        if (!SignedJwt.TryRead(token, out var jwt, out var why, "LOGOUT+JWT", "JWT"))
        {
            return Refuse(provider, why);
        }

        using var held = jwt;
        var now = clock.GetUtcNow();
        if (IdToken.LogoutTrouble(jwt.Body, provider, now) is { } trouble)
        {
            return Refuse(provider, trouble);
        }

        if (!await jwt.IsSignedByAsync(await link.KeysAsync(cancellation), provider.Issuer, provider.ClientId, cancellation))
        {
            return Refuse(provider, "It is not signed with a key of its issuer.");
        }

        var mark = SHA256.HashData(Encoding.UTF8.GetBytes($"{provider.Name}\n{SignedJwt.Text(jwt.Body, "jti")}"));
        if (await store.ReadAsync(async reads => await reads.HasLogoutAsync(mark), cancellation))
        {
            return Refuse(provider, "It was shown before (jti).");
        }

        // NB. First the end, then the mark: a token whose end failed half-way may be shown again.
        var ended = await browsers.EndOfProviderAsync(provider.Name, SignedJwt.Text(jwt.Body, "sub"), SignedJwt.Text(jwt.Body, "sid"), cancellation);
        var until = Stored.Round(SignedJwt.Seconds(jwt.Body, "iat")!.Value + IdToken.Oldest + SignedJwt.Skew);
        await store.WriteAsync(
            async work =>
            {
                await work.ForgetLogoutsAsync(Stored.Round(now));
                await work.KeepLogoutAsync(mark, until);
            },
            cancellation);
        log.LoggedOut(provider.Name, ended);
        return true;
    }

    private bool Refuse(Provider provider, string why)
    {
        log.LogoutRefused(provider.Name, why);
        return false;
    }
}
