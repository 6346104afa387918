using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Which grants somebody wants to see. What is null does not matter.</summary>
internal sealed record GrantQuery
{
    /// <summary>Any of these; empty for every state.</summary>
    public IReadOnlyList<GrantState> States { get; init; } = [];

    public SubjectId? Subject { get; init; }

    /// <summary>Only the caller's own.</summary>
    public bool Mine { get; init; }
}

/// <summary>Looks grants up, and waits for them to change.</summary>
internal sealed class FindGrants(StintStore store, CurrentCatalog catalog, TimeProvider clock, GrantViews views)
{
    public Task<Outcome<GrantView>> GetAsync(SubjectId who, GrantId id, CancellationToken cancellation) => store.ReadAsync<Outcome<GrantView>>(
        async reads => await reads.FindGrantAsync(id) is { } found && catalog.Now.MaySee(who, found.Subject, found.Role.Resource)
            ? new Outcome<GrantView>.Done(await views.OfAsync(reads, found))
            : new Outcome<GrantView>.NotFound(),
        cancellation);

    /// <summary>Waits until the grant has moved on from what the caller has seen, or the time is over.</summary>
    public Task<Outcome<GrantView>> WaitAsync(SubjectId who, GrantId id, long seen, TimeSpan wait, CancellationToken cancellation) => Waiting.ForAsync(
        store,
        Wakes.Of(id),
        token => GetAsync(who, id, token),
        outcome => outcome is not Outcome<GrantView>.Done { Value.Grant: var grant } || grant.Version > seen,
        wait,
        clock,
        cancellation);

    /// <summary>A page of grants. Whoever may not read everything sees their own, or those of one resource that they own.</summary>
    public Task<Paged<GrantView>> ListAsync(SubjectId who, GrantQuery query, string? resource, Page page, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var current = catalog.Now;
            var all = current.MayReadAll(who) || (resource is not null && current.Owns(who, resource));
            if (!all && query.Subject is { } other && other != who)
            {
                return new Paged<GrantView>([], null);
            }

            var found = await reads.GrantsAsync(
                new GrantFilter { States = query.States, Subject = query.Mine || !all ? who : query.Subject, Resource = resource },
                page);
            var items = new List<GrantView>(found.Items.Count);
            foreach (var grant in found.Items)
            {
                items.Add(await views.OfAsync(reads, grant));
            }

            return new Paged<GrantView>(items, found.Next);
        },
        cancellation);
}
