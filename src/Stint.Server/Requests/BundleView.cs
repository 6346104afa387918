using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>An asking for a bundle with what became of each role.</summary>
/// <param name="Asking">The asking.</param>
/// <param name="Requests">Its requests that whoever looks may see, in the bundle's order; at least one.</param>
/// <param name="LeftOut">How many roles of the bundle are not told: the asker, or whoever looks, may not know of them.</param>
internal sealed record BundleView(BundleAsking Asking, IReadOnlyList<RequestView> Requests, int LeftOut)
{
    public BundleState State => BundleStates.Of([.. Requests.Select(view => view.Request.State)]);

    /// <summary>Grows whenever one of its requests moves.</summary>
    public long Version => Requests.Sum(view => view.Request.Version);

    /// <summary>The one that says for all how the shared steps stand: one that waits, else one that waited; null when a rule decided all.</summary>
    public RequestView? Conversation =>
        Requests.FirstOrDefault(view => view.Request.State == RequestState.Pending) ?? Requests.FirstOrDefault(view => view.Request.Verdict is Verdict.NeedsApproval);
}

/// <summary>What an asking for a bundle would come to now. Nothing was stored.</summary>
/// <param name="Bundle">The bundle.</param>
/// <param name="For">How long was wished; null for what the policies give.</param>
/// <param name="Verdict">What the policies say to each role that the asker may know of.</param>
/// <param name="CatalogVersion">Which catalog said so.</param>
internal sealed record BundlePreview(Bundle Bundle, TimeSpan? For, BundleVerdict Verdict, string CatalogVersion);

/// <summary>A bundle of which somebody may ask for some role.</summary>
/// <param name="Bundle">The bundle.</param>
/// <param name="Roles">Those of its roles that they may ask for, in its order.</param>
internal sealed record BundleOffer(Bundle Bundle, IReadOnlyList<Offer> Roles);

/// <summary>Puts the asking for a bundle together with its requests.</summary>
internal sealed class BundleViews(CurrentCatalog catalog, RequestViews views, ApprovalSteps steps)
{
    /// <param name="reads">Where from.</param>
    /// <param name="id">Which.</param>
    /// <param name="who">Who looks.</param>
    /// <param name="now">When.</param>
    /// <returns>Null when there is none, or none that they may see.</returns>
    public async ValueTask<BundleView?> FindAsync(Reads reads, BundleId id, SubjectId who, DateTimeOffset now)
    {
        if (await reads.FindBundleAsync(id) is not { } asking)
        {
            return null;
        }

        var all = await reads.RequestsOfAsync(id);
        var seen = await IsWholeAsync(reads, asking, all, who, now) ? all : [.. all.Where(request => catalog.Now.MaySee(who, request))];
        if (seen.Count == 0)
        {
            return null;
        }

        var told = new List<RequestView>();
        foreach (var request in seen)
        {
            told.Add(await views.OfAsync(reads, request, who));
        }

        return new BundleView(asking, told, asking.LeftOut + all.Count - seen.Count);
    }

    /// <summary>Whoever answers sees all that is asked for together; whoever only owns one of the systems sees what is asked of that.</summary>
    private async ValueTask<bool> IsWholeAsync(Reads reads, BundleAsking asking, List<Request> all, SubjectId who, DateTimeOffset now)
    {
        if (!catalog.Now.IsActive(who))
        {
            return false;
        }

        if (who == asking.Subject || catalog.Now.MayReadAll(who))
        {
            return true;
        }

        // They share their steps: one says it for all.
        return all.Find(request => request.Verdict is Verdict.NeedsApproval) is { } one && await steps.IsAskedAsync(reads, who, one, now);
    }
}
