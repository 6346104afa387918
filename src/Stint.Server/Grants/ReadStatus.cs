using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>How this installation is.</summary>
/// <param name="Node">This process.</param>
/// <param name="Store"><c>sqlite</c> or <c>postgres</c>.</param>
/// <param name="CatalogVersion">What decides now.</param>
/// <param name="Counts">Figures from the store; null for who may not read everything.</param>
/// <param name="LiveHere">Sessions that this node carries; null for who may not read everything.</param>
/// <param name="Stuck">Removals that keep failing, at most 200: those that the caller may see.</param>
/// <param name="Nodes">Every node that did not say goodbye; empty for who may not read everything.</param>
internal sealed record Status(Installation Node, string Store, string CatalogVersion, Counts? Counts, int? LiveHere, IReadOnlyList<Assignment> Stuck, IReadOnlyList<Node> Nodes)
{
    /// <summary>Break-glass that the caller was told of and did not say that they saw.</summary>
    public IReadOnlyList<ReviewView> BrokenGlass { get; init; } = [];

    /// <summary>Break-glass that the caller may review.</summary>
    public IReadOnlyList<ReviewView> Reviews { get; init; } = [];

    /// <summary>The review that the caller's own break-glass is under; null for none. Until it is closed they break no further glass.</summary>
    public ReviewView? OwnReview { get; init; }

    /// <summary>How the pulling from the directory stands; null where nothing is pulled, and for who may not read everything.</summary>
    public DirectoryPull? Pull { get; init; }

    /// <summary>Open reviews whose time is over: those that the caller may see, at most 200.</summary>
    public IReadOnlyList<Review> Overdue { get; init; } = [];
}

/// <summary>Says how this installation is: to admins and auditors everything, to others their own removals and those at what they own.</summary>
internal sealed class ReadStatus(StintStore store, CurrentCatalog catalog, LiveSessions live, Installation installation, FindReviews reviews, DirectorySource source)
{
    private const int MostStuck = 200;

    public async Task<Status> ReadAsync(SubjectId who, CancellationToken cancellation)
    {
        var now = catalog.Now;
        var all = now.MayReadAll(who);
        var unseen = await reviews.ListAsync(who, new ReviewQuery { Unseen = true }, new Page(), cancellation);
        var awaiting = await reviews.ListAsync(who, new ReviewQuery { AwaitingMe = true }, new Page(), cancellation);
        var open = await reviews.ListAsync(who, new ReviewQuery { State = ReviewState.Open }, new Page(MostStuck), cancellation);
        var own = await reviews.FindOwnAsync(who, cancellation);
        return await store.ReadAsync(
            async reads => new Status(
                installation,
                store.Kind,
                now.Version,
                all ? await reads.CountsAsync() : null,
                all ? live.Count : null,
                [.. (await reads.AssignmentsAsync(new AssignmentFilter { Stuck = true }, new Page(MostStuck))).Items.Where(stuck => now.MaySee(who, stuck.Subject, stuck.Role.Resource))],
                all ? await reads.NodesAsync() : [])
            {
                BrokenGlass = unseen.Items,
                Reviews = awaiting.Items,
                OwnReview = own,
                Pull = all && source.Actor == Actor.Ldap ? await reads.FindPullAsync() : null,
                Overdue = [.. open.Items.Select(view => view.Review).Where(review => review.OverdueAt is not null)],
            },
            cancellation);
    }
}
