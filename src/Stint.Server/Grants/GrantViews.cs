using Stint.Connectors;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Puts a grant together with what is known of its target.</summary>
internal sealed class GrantViews(CurrentCatalog catalog, ConnectorList connectors)
{
    public async ValueTask<GrantView> OfAsync(Reads reads, Grant grant)
    {
        var trouble = grant is { Assignment: { } id, State: not GrantState.Closed }
            ? (await reads.FindAssignmentAsync(id))?.Trouble
            : null;
        var kind = catalog.Now.Resources.TryGetValue(grant.Role.Resource, out var resource) ? resource.Kind : null;
        return new GrantView(grant, trouble, kind is null ? null : connectors.Find(kind)?.Guarantee, kind);
    }

    /// <summary>Somebody was faster: what happened, and how it is now.</summary>
    public async ValueTask<Outcome<GrantView>> LostAsync(Reads reads, Grant seen)
    {
        var now = await reads.FindGrantAsync(seen.Id) ?? seen;
        var why = now.State switch
        {
            GrantState.Ready => "it is not begun yet",
            GrantState.Opening => "it is being opened",
            GrantState.Open => "it is open already",
            GrantState.Closing => "it has ended and is being taken away",
            GrantState.Closed => "it is over",
            _ => throw new InvalidOperationException($"{now.State} is not a state of a grant."),
        };
        return new Outcome<GrantView>.LostRace(why, await OfAsync(reads, now));
    }
}
