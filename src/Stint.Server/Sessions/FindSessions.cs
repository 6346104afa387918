using Stint.Core;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Looks sessions up.</summary>
internal sealed class FindSessions(StintStore store, CurrentCatalog catalog)
{
    public Task<Outcome<Session>> GetAsync(SubjectId who, SessionId id, CancellationToken cancellation) => store.ReadAsync<Outcome<Session>>(
        async reads => await reads.FindSessionAsync(id) is { } found && catalog.Now.MaySee(who, found.Subject, found.Role.Resource)
            ? new Outcome<Session>.Done(found)
            : new Outcome<Session>.NotFound(),
        cancellation);

    /// <summary>A page of sessions. Whoever may not read everything sees their own, or those of one resource that they own.</summary>
    public Task<Paged<Session>> ListAsync(SubjectId who, SessionFilter filter, Page page, CancellationToken cancellation)
    {
        var current = catalog.Now;
        if (!current.MayReadAll(who) && !(filter.Resource is { } resource && current.Owns(who, resource)))
        {
            if (filter.Subject is { } other && other != who)
            {
                return Task.FromResult(new Paged<Session>([], null));
            }

            filter = filter with { Subject = who };
        }

        return store.ReadAsync(async reads => await reads.SessionsAsync(filter, page), cancellation);
    }
}
