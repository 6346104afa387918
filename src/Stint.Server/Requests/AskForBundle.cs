using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Somebody asks for a bundle: a request for each of its roles, in one transaction, and one conversation for all that need a yes.</summary>
internal sealed class AskForBundle(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock, AskForRole ask, BundleViews views)
{
    /// <summary>Asks. A policy's no to some role, or to all, is an answer like any other.</summary>
    /// <returns><see cref="Outcome{T}.NotFound"/> for a bundle of which no policy lets this subject know any role, exactly as for one that does not exist.</returns>
    /// <param name="who">Who asks, for themselves.</param>
    /// <param name="asking">What for.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="within">Runs in the write that keeps it; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<BundleView>> AskAsync(SubjectId who, AskingTogether asking, CancellationToken cancellation, Func<Work, BundleView, ValueTask>? within = null)
    {
        var check = asking.Check(clock.Now());
        if (check is not AskingCheck.Sound terms)
        {
            return new Outcome<BundleView>.Invalid(AskForRole.Problems(check));
        }

        var outcome = await store.WriteAsync<Outcome<BundleView>>(
            async work =>
            {
                var now = clock.Now();
                var current = catalog.Now;
                if (await DecideAsync(work, current, who, asking.Bundle!, terms, now) is not { } decided)
                {
                    // NB. Whoever may not know of it learns nothing: the same answer as for one that does not exist, and
                    // only the log remembers that they tried.
                    work.Append(Facts.AskRefused(who, asking.Bundle!, $"no bundle of this name has a role for {who}", current.Version, now));
                    return new Outcome<BundleView>.NotFound();
                }

                foreach (var (role, because) in decided.Verdict.Hidden)
                {
                    work.Append(Facts.AskRefused(who, role.ToString(), because, current.Version, now));
                }

                var id = await KeepAsync(work, who, decided, terms, current, now);
                var view = await views.FindAsync(work, id, who, now) ?? throw new InvalidOperationException($"{who} may not see {id}, which they asked.");
                if (within is not null)
                {
                    await within(work, view);
                }

                return new Outcome<BundleView>.Done(view);
            },
            cancellation);
        foreach (var one in (outcome as Outcome<BundleView>.Done)?.Value.Requests ?? [])
        {
            Measures.Requests.Add(1, new KeyValuePair<string, object?>("verdict", VerdictJson.Name(one.Request.Verdict)));
        }

        return outcome;
    }

    /// <summary>What an asking would come to now. Stores nothing.</summary>
    public async Task<Outcome<BundlePreview>> PreviewAsync(SubjectId who, AskingTogether asking, CancellationToken cancellation)
    {
        var now = clock.Now();
        var check = asking.Check(now);
        if (check is not AskingCheck.Sound terms)
        {
            return new Outcome<BundlePreview>.Invalid(AskForRole.Problems(check));
        }

        var current = catalog.Now;
        return await store.ReadAsync(async reads => await DecideAsync(reads, current, who, asking.Bundle!, terms, now), cancellation) is { } decided
            ? new Outcome<BundlePreview>.Done(decided)
            : new Outcome<BundlePreview>.NotFound();
    }

    private static async ValueTask<BundlePreview?> DecideAsync(Reads reads, LoadedCatalog current, SubjectId who, string name, AskingCheck.Sound terms, DateTimeOffset now)
    {
        if (!current.Bundles.TryGetValue(name, out var bundle))
        {
            return null;
        }

        var held = new Dictionary<RoleRef, IReadOnlyList<Held>>();
        foreach (var role in bundle.Roles)
        {
            held[role] = await reads.HeldAsync(current, who, role, now);
        }

        // NB. Of two roles that are kept apart the bundle's first is given: what was said yes to before counts as promised.
        var wish = terms.For ?? bundle.For;
        var verdict = BundleDecider.Decide(current, bundle, wish, (role, length, before) => AskForRole.Question(who, terms with { Role = role, For = length }, now) with
        {
            Held = [.. held.GetValueOrDefault(role, []), .. before.Select(one => new Held(one, terms.StartAt ?? now, null, Promised: true))],
        });
        return verdict.Roles.Count == 0 ? null : new BundlePreview(bundle, wish, verdict, current.Version);
    }

    private async ValueTask<BundleId> KeepAsync(Work work, SubjectId who, BundlePreview decided, AskingCheck.Sound terms, LoadedCatalog current, DateTimeOffset now)
    {
        var id = ids.NextBundle();
        List<Request> requests =
        [
            .. decided.Verdict.Roles.Select(one => ask.RequestOf(who, terms with { Role = one.Role, For = Length(one.Verdict) ?? decided.For }, one.Verdict, current, now) with { Bundle = id }),
        ];
        List<BundlePart> parts = [.. requests.Select(request => new BundlePart(request.Id, request.Role, request.For, VerdictJson.Name(request.Verdict)))];
        var asking = new BundleAsking
        {
            Id = id,
            Name = decided.Bundle.Name,
            Subject = who,
            AskedAt = now,
            For = decided.For,
            Reason = terms.Reason,
            Ticket = terms.Ticket,
            StartAt = terms.StartAt is { } start ? CanonicalTime.Cut(start) : null,
            CatalogVersion = current.Version,
            LeftOut = decided.Verdict.Hidden.Count,
            Digest = "",
        };
        var kept = await work.InsertAsync(asking with { Digest = BundleDigest.Of(asking, parts, decided.Verdict.Needs) });
        work.Append(Facts.BundleAsked(kept, parts, decided.Verdict.Needs));
        foreach (var request in requests)
        {
            await ask.KeepAsync(work, request.Verdict is Verdict.NeedsApproval ? request with { Digest = kept.Digest } : request, now);
        }

        return id;
    }

    private static TimeSpan? Length(Verdict verdict) => verdict switch
    {
        Verdict.Allow allow => allow.Terms.For,
        Verdict.NeedsApproval needs => needs.Terms.For,
        _ => null,
    };
}
