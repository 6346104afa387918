using System.Collections.Frozen;
using System.Net;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>What came of showing a platform's token.</summary>
internal abstract record Exchange
{
    private Exchange()
    {
    }

    /// <summary>It is a workload's.</summary>
    /// <param name="Secret">The bearer token, shown this once.</param>
    /// <param name="Subject">Whose.</param>
    /// <param name="Lasts">How long it lets in.</param>
    public sealed record LetIn(string Secret, SubjectId Subject, TimeSpan Lasts) : Exchange;

    /// <summary>It is nobody's that may come in.</summary>
    /// <param name="Why">In sentences with their full stops.</param>
    /// <param name="Later">Whether the same token may do in a moment.</param>
    public sealed record Refused(string Why, bool Later = false) : Exchange;
}

/// <summary>Changes the token that a platform gave to its job for a short one of Stint's.</summary>
internal sealed class ExchangeToken(StintStore store, CurrentCatalog catalog, PlatformTokens platforms, IdSource ids, TimeProvider clock, ILogger<ExchangeToken> log)
{
    /// <summary>How long a way in lasts. A job that takes longer shows its platform's token again.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromHours(1);

    /// <summary>What its tokens begin with, so that a look at one says what it is.</summary>
    public const string Prefix = "stint_w_";

    private const int LongestKept = 300;

    private readonly RefusalCount _refused = new(store, clock, Facts.WorkloadRefused);

    /// <summary>Tries a token.</summary>
    /// <param name="token">The platform's token.</param>
    /// <param name="wanted">Name of the workload that the caller means; null for the only one that it can be.</param>
    /// <param name="address">Where they come from, as one counts addresses.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Exchange> TryAsync(string token, string? wanted, IPAddress address, CancellationToken cancellation)
    {
        PlatformToken looked;
        try
        {
            looked = await platforms.VerifyAsync(token, cancellation);
        }
        catch (KeysUnknownException)
        {
            return new Exchange.Refused("The keys of its issuer cannot be had now, so nobody can tell whether it is right.", Later: true);
        }

        var outcome = looked switch
        {
            PlatformToken.Wrong wrong => new Exchange.Refused(wrong.Why),
            PlatformToken.Verified verified => await AdmitAsync(verified, wanted, address, cancellation),
            _ => throw new InvalidOperationException("A token counts or it does not."),
        };
        Measures.Exchanges.Add(1, new KeyValuePair<string, object?>("outcome", outcome is Exchange.LetIn ? "let_in" : "refused"));
        if (outcome is Exchange.Refused { Why: var why })
        {
            log.TokenRefused(why);
            await _refused.AddAsync(address, cancellation);
        }

        return outcome;
    }

    /// <summary>Whose way in a token is, with what the platform said; null when it is nobody's, is over, or its workload is disabled or gone.</summary>
    public async Task<(Workload Workload, WorkloadPass Pass)?> FindAsync(string token, CancellationToken cancellation)
    {
        if (!Secrets.MayBe(token, Prefix))
        {
            return null;
        }

        var hash = Secrets.HashOf(token);

        // NB. The catalog of this moment decides: a demand that was added since the exchange counts at once.
        return await store.ReadAsync(async reads => await reads.FindWorkloadPassAsync(hash), cancellation) is { } pass
            && pass.ExpiresAt > clock.Now()
            && catalog.Now.Find(pass.Subject) is Workload { Disabled: false } workload && workload.Issuer == pass.Issuer && workload.IsOf(pass.Claims)
            ? (workload, pass)
            : null;
    }

    private async Task<Exchange> AdmitAsync(PlatformToken.Verified verified, string? wanted, IPAddress address, CancellationToken cancellation)
    {
        var issuer = verified.Issuer;
        var owning = Issuers.Owns(issuer.Preset);
        List<Workload> own =
        [
            .. catalog.Now.Workloads.Values
                .Where(workload => !workload.Disabled && workload.Issuer == issuer.Name && workload.IsOf(verified.Claims) && (owning.Count == 0 || owning.Any(workload.Claims.ContainsKey)))
                .OrderBy(workload => workload.Id.Value, StringComparer.Ordinal),
        ];
        var meant = wanted is null ? own : own.FindAll(workload => workload.Id == SubjectId.Workload(wanted));
        if (meant.Count != 1)
        {
            return meant.Count > 1
                ? new Exchange.Refused($"It is that of several workloads; say which with scope: {string.Join(" or ", own.Select(workload => workload.Id))}.")
                : new Exchange.Refused($"The catalog has no {(wanted is null ? "workload that it is" : "such workload that it is")} the token of. {issuer.Name} says: {Said(issuer, verified.Claims)}.");
        }

        var workload = meant[0];
        var kept = Kept(issuer, workload, verified.Claims);
        if (kept.FirstOrDefault(claim => claim.Value.Length > LongestKept || !Core.Catalog.Words.IsShowable(claim.Value, newLines: false)).Key is { } odd)
        {
            // NB. A workload is told by these, to approvers and in evidence: what cannot be shown is not kept, and what is left out is not let in.
            return new Exchange.Refused($"Its claim {odd} cannot be shown on a line.");
        }

        var secret = Prefix + ids.NextSecret();
        var now = Stored.Round(clock.Now());
        var pass = new WorkloadPass(Secrets.HashOf(secret), workload.Id, issuer.Name, kept, now, now + Lasts);
        return await store.WriteAsync<Exchange>(
            async work =>
            {
                var keptUntil = verified.ExpiresAt > pass.ExpiresAt ? verified.ExpiresAt : pass.ExpiresAt;
                if (!await work.InsertAsync(pass, issuer.Once ? verified.Mark : null, keptUntil))
                {
                    return new Exchange.Refused("It was shown before, and each token of its issuer lets in once.");
                }

                work.Append(Facts.WorkloadAdmitted(pass, address.ToString()));
                return new Exchange.LetIn(secret, workload.Id, Lasts);
            },
            cancellation);
    }

    private static FrozenDictionary<string, string> Kept(Issuer issuer, Workload workload, IReadOnlyDictionary<string, string> claims) =>
        Issuers.Kept(issuer.Preset).Concat(issuer.Keep).Concat(workload.Claims.Keys).Distinct(StringComparer.Ordinal)
            .Where(claims.ContainsKey)
            .ToFrozenDictionary(name => name, name => claims[name], StringComparer.Ordinal);

    // What the caller holds in the hand is no news to them.
    private static string Said(Issuer issuer, IReadOnlyDictionary<string, string> claims) => string.Join(
        ", ",
        Issuers.Kept(issuer.Preset).Where(claims.ContainsKey).Take(8).Select(name => $"{name}={(Core.Catalog.Words.IsShowable(claims[name], newLines: false) && claims[name].Length <= 120 ? claims[name] : "…")}"));
}
