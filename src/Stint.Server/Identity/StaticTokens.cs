using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>A static token as it is shown this once.</summary>
internal sealed record MadeToken(WorkloadToken Token, string Secret);

/// <summary>Tokens that last, for machines that no platform gives one to.</summary>
internal sealed class StaticTokens(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock)
{
    /// <summary>What they begin with, so that whoever looks for secrets finds them.</summary>
    public const string Prefix = "stint_s_";

    /// <summary>Longest that one may count.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(366);

    /// <summary>Most tokens of one workload that count at the same time.</summary>
    public const int Most = 20;

    /// <summary>How coarse the last use is told: one write in that time, whatever the calls.</summary>
    public static readonly TimeSpan UseToldEvery = TimeSpan.FromMinutes(10);

    private const int MostScope = 50;
    private const int Shown = 12;

    /// <summary>Makes one.</summary>
    /// <param name="who">Who: an admin, or an owner of the workload.</param>
    /// <param name="name">The workload's name.</param>
    /// <param name="scope">What it may ask for.</param>
    /// <param name="lasts">How long it counts.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="within">Runs in the write that keeps it; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<MadeToken>> MakeAsync(SubjectId who, string name, IReadOnlyList<string> scope, TimeSpan lasts, CancellationToken cancellation, Func<Work, ValueTask>? within = null)
    {
        var current = catalog.Now;
        if (current.Find(SubjectId.Workload(name)) is not Workload workload || !MayKeep(current, who, workload))
        {
            return new Outcome<MadeToken>.NotFound();
        }

        List<Problem> problems = [];
        if (lasts < TimeSpan.FromMinutes(1) || lasts > LongestLife)
        {
            problems.Add(new Problem("expires_in_seconds", "must be from 60 (a minute) to 31622400 (366 days)"));
        }

        if (scope.Count is 0 or > MostScope)
        {
            problems.Add(new Problem("scope", $"must name 1 to {MostScope} roles, with * for any part of a name"));
        }

        var offers = Decider.Offers(current, workload.Id, clock.Now());
        problems.AddRange(scope.Where(one => !offers.Any(offer => RoleScope.Holds(one, offer.Role)))
            .Select(one => new Problem("scope", $"no policy lets {workload.Id} ask for '{(Core.Catalog.Words.IsShowable(one, newLines: false) ? one : "…")}'; see what it may: stint who {workload.Id}")));
        if (workload.Disabled)
        {
            problems.Add(new Problem("workload", $"{workload.Id} is disabled"));
        }

        if (problems.Count > 0)
        {
            return new Outcome<MadeToken>.Invalid(problems);
        }

        var secret = Prefix + ids.NextSecret();
        return await store.WriteAsync<Outcome<MadeToken>>(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                if (await work.CountTokensAsync(workload.Id, now) >= Most)
                {
                    return new Outcome<MadeToken>.Refused($"{workload.Id} has {Most} tokens that count", "revoke one that is not needed: stint token ls");
                }

                var token = new WorkloadToken(
                    ids.NextToken(), Secrets.HashOf(secret), secret[..Shown], workload.Id, [.. scope.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], who, now, Stored.Round(now + lasts));
                await work.InsertAsync(token);
                work.Append(Facts.TokenMade(token));
                if (within is not null)
                {
                    await within(work);
                }

                return new Outcome<MadeToken>.Done(new MadeToken(token, secret));
            },
            cancellation);
    }

    /// <summary>Tokens, newest first: of the workloads that one owns; all of them for admins and auditors.</summary>
    public async Task<IReadOnlyList<WorkloadToken>> ListAsync(SubjectId who, CancellationToken cancellation)
    {
        var current = catalog.Now;
        var found = new List<WorkloadToken>();
        await store.ReadAsync(
            async reads =>
            {
                var page = new Page(1000);
                while (true)
                {
                    var part = await reads.TokensAsync(null, page);
                    found.AddRange(part.Items.Where(token => current.MayReadAll(who) || (current.Find(token.Subject) is Workload workload && MayKeep(current, who, workload))));
                    if (part.Next is not { } next)
                    {
                        return true;
                    }

                    page = page with { Before = next };
                }
            },
            cancellation);
        return found;
    }

    /// <summary>Revokes one, for good: by an admin, an owner of the workload, or whoever made it.</summary>
    public Task<Outcome<WorkloadToken>> RevokeAsync(SubjectId who, string id, CancellationToken cancellation) => store.WriteAsync<Outcome<WorkloadToken>>(
        async work =>
        {
            var current = catalog.Now;
            if (await work.FindTokenAsync(id) is not { } token
                || !(current.IsAdmin(who) || (current.IsActive(who) && who == token.MadeBy) || (current.Find(token.Subject) is Workload workload && MayKeep(current, who, workload))))
            {
                return new Outcome<WorkloadToken>.NotFound();
            }

            var now = Stored.Round(clock.Now());
            if (!await work.RevokeTokenAsync(id, now))
            {
                return new Outcome<WorkloadToken>.Refused("it is revoked already", null);
            }

            work.Append(Facts.TokenRevoked(token, who, now));
            return new Outcome<WorkloadToken>.Done(token with { RevokedAt = now });
        },
        cancellation);

    /// <summary>Whose token it is; null when it is nobody's, is over or revoked, or its workload is disabled or gone.</summary>
    public async Task<(Workload Workload, WorkloadToken Token)?> FindAsync(string secret, CancellationToken cancellation)
    {
        if (!Secrets.MayBe(secret, Prefix))
        {
            return null;
        }

        var hash = Secrets.HashOf(secret);
        var now = clock.Now();
        if (await store.ReadAsync(async reads => await reads.FindTokenAsync(hash), cancellation) is not { RevokedAt: null } token
            || token.ExpiresAt <= now
            || catalog.Now.Find(token.Subject) is not Workload { Disabled: false } workload)
        {
            return null;
        }

        if (token.UsedAt is not { } used || now - used >= UseToldEvery)
        {
            await store.WriteAsync(work => work.TouchTokenAsync(token.Id, now).AsTask(), cancellation);
        }

        return (workload, token);
    }

    private static bool MayKeep(LoadedCatalog current, SubjectId who, Workload workload) =>
        current.IsAdmin(who) || (current.IsActive(who) && workload.Owners.Contains(who));
}
