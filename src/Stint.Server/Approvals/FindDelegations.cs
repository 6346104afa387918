using Stint.Core;
using Stint.Core.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>Looks delegations up.</summary>
internal sealed class FindDelegations(StintStore store, CurrentCatalog catalog)
{
    /// <summary>A page of delegations: one's own and those to oneself; everybody's for whoever may read everything and asks for them.</summary>
    public Task<Paged<Delegation>> ListAsync(SubjectId who, bool all, Page page, CancellationToken cancellation) =>
        store.ReadAsync(async reads => await reads.DelegationsAsync(all && catalog.Now.MayReadAll(who) ? null : who, page), cancellation);
}
