using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>How this installation is.</summary>
/// <param name="Node">This process.</param>
/// <param name="Version">Its program.</param>
/// <param name="Store"><c>sqlite</c> or <c>postgres</c>.</param>
/// <param name="CatalogVersion">What decides now.</param>
/// <param name="Counts">Figures from the store.</param>
/// <param name="LiveHere">Sessions that this node carries.</param>
/// <param name="Stuck">Removals that keep failing, at most 100.</param>
/// <param name="Nodes">Every node that did not say goodbye.</param>
internal sealed record Status(string Node, string Version, string Store, string CatalogVersion, Counts Counts, int LiveHere, IReadOnlyList<Assignment> Stuck, IReadOnlyList<Node> Nodes);

/// <summary>Says how this installation is; everybody may know the figures, only who may read everything learns which removals are stuck.</summary>
internal sealed class ReadStatus(StintStore store, CurrentCatalog catalog, LiveSessions live, Installation installation)
{
    public async Task<Status> ReadAsync(Core.SubjectId who, CancellationToken cancellation)
    {
        var all = catalog.Now.MayReadAll(who);
        return await store.ReadAsync(
            async reads => new Status(
                installation.Node,
                installation.Version,
                store.Kind,
                catalog.Now.Version,
                await reads.CountsAsync(),
                live.Count,
                all ? (await reads.AssignmentsAsync(new AssignmentFilter { Stuck = true }, new Page(100))).Items : [],
                all ? await reads.NodesAsync() : []),
            cancellation);
    }
}
