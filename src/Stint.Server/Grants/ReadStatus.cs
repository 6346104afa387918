using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Catalog;
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
internal sealed record Status(Installation Node, string Store, string CatalogVersion, Counts? Counts, int? LiveHere, IReadOnlyList<Assignment> Stuck, IReadOnlyList<Node> Nodes);

/// <summary>Says how this installation is: to admins and auditors everything, to others their own removals and those at what they own.</summary>
internal sealed class ReadStatus(StintStore store, CurrentCatalog catalog, LiveSessions live, Installation installation)
{
    private const int MostStuck = 200;

    public async Task<Status> ReadAsync(SubjectId who, CancellationToken cancellation)
    {
        var now = catalog.Now;
        var all = now.MayReadAll(who);
        return await store.ReadAsync(
            async reads => new Status(
                installation,
                store.Kind,
                now.Version,
                all ? await reads.CountsAsync() : null,
                all ? live.Count : null,
                [.. (await reads.AssignmentsAsync(new AssignmentFilter { Stuck = true }, new Page(MostStuck))).Items.Where(stuck => now.MaySee(who, stuck.Subject, stuck.Role.Resource))],
                all ? await reads.NodesAsync() : []),
            cancellation);
    }
}
