using Stint.Connectors;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>What somebody may ask for.</summary>
internal sealed class FindRoles(StintStore store, CurrentCatalog catalog, ConnectorList connectors, TimeProvider clock)
{
    /// <summary>How many askings say what is usual.</summary>
    private const int Lately = 100;

    /// <param name="who">Who looks.</param>
    /// <param name="text">Words that must all be in the role's name, its descriptions or its labels; null or empty for every role.</param>
    /// <param name="cancellation">The caller left.</param>
    public async Task<IReadOnlyList<RoleOffer>> ListAsync(SubjectId who, string? text, CancellationToken cancellation)
    {
        var current = catalog.Now;
        var words = (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var held = (await store.ReadAsync(async reads => await reads.LiveGrantsAsync(who), cancellation))
            .Where(grant => grant.State is not GrantState.Closing)
            .GroupBy(grant => grant.Role)
            .ToDictionary(group => group.Key, group => group.OrderByDescending(grant => grant.State).First().Id);
        var offers = new List<RoleOffer>();
        foreach (var offer in Decider.Offers(current, who, clock.Now()))
        {
            var resource = current.Resources[offer.Role.Resource];
            var role = resource.Roles[offer.Role.Role];
            if (words.All(word => Holds(resource, role, word)))
            {
                offers.Add(new RoleOffer(
                    role,
                    resource,
                    connectors.Find(resource.Kind)?.Guarantee,
                    offer.NeedsApproval,
                    offer.Default < offer.Max ? offer.Default : offer.Max,
                    offer.Max,
                    offer.ReasonRequired,
                    offer.TicketPatterns,
                    offer.Conditions,
                    held.TryGetValue(offer.Role, out var id) ? id : null)
                {
                    BreakGlass = offer.BreakGlass,
                    OnlyBreakGlass = offer.OnlyBreakGlass,
                    StatementsRequired = offer.StatementsRequired,
                });
            }
        }

        return offers;
    }

    /// <summary>What somebody asked for lately, the most usual first.</summary>
    public async Task<IReadOnlyList<RoleRef>> UsualAsync(SubjectId who, CancellationToken cancellation) =>
    [
        .. (await store.ReadAsync(async reads => await reads.RequestsAsync(new RequestFilter { Subject = who }, new Page(Lately)), cancellation)).Items
            .GroupBy(request => request.Role)
            .OrderByDescending(group => group.Count())
            .Select(group => group.Key),
    ];

    private static bool Holds(Resource resource, Role role, string word) =>
        new[] { role.Ref.ToString(), role.Description, resource.Description, resource.Kind }
            .Concat(resource.Labels.SelectMany(label => new[] { label.Key, label.Value }))
            .Any(text => text.Contains(word, StringComparison.OrdinalIgnoreCase));
}
