using Stint.Connectors;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server.Catalog;

namespace Stint.Server.Grants;

/// <summary>Where an assignment's target is and what its role is there.</summary>
/// <param name="Connector">Speaks to it.</param>
/// <param name="Target">The system.</param>
/// <param name="Role">The role, as it was when the assignment was made.</param>
internal sealed record Reach(IConnector Connector, Target Target, Role Role);

/// <summary>Finds targets from the catalog version that an assignment was made with.</summary>
internal sealed class Targets(CatalogVersions versions, CurrentCatalog current, ConnectorList connectors, Installation installation, ISecrets secrets)
{
    /// <summary>The target of an assignment; null with the reason when it cannot be known any more.</summary>
    public async Task<(Reach? Reach, string? Why)> OfAsync(Assignment assignment, CancellationToken cancellation)
    {
        if (await versions.FindAsync(assignment.CatalogVersion, cancellation) is not { } pinned)
        {
            return (null, $"the catalog version {assignment.CatalogVersion} is not kept or can no longer be read");
        }

        if (!pinned.Resources.TryGetValue(assignment.Role.Resource, out var resource) || !resource.Roles.TryGetValue(assignment.Role.Role, out var role))
        {
            return (null, $"the catalog version {assignment.CatalogVersion} has no {assignment.Role}");
        }

        if (connectors.Find(resource.Kind) is not { } connector)
        {
            return (null, $"this server has no connector for the kind '{resource.Kind}'");
        }

        return (new Reach(connector, new Target(Newest(resource), installation.Id, secrets), role), null);
    }

    /// <summary>The kind of a role's resource, by the current catalog; null when it has none of that name.</summary>
    public string? KindOf(RoleRef role) => current.Now.Resources.TryGetValue(role.Resource, out var resource) ? resource.Kind : null;

    /// <summary>A resource as the current catalog has it; null when it has none or no connector for it.</summary>
    public (IConnector Connector, Target Target)? Now(Resource resource) =>
        connectors.Find(resource.Kind) is { } connector ? (connector, new Target(resource, installation.Id, secrets)) : null;

    /// <summary>The resource of the current catalog when only its secrets differ: a changed password must not make a removal fail for ever. Whatever else differs may be another system.</summary>
    private Resource Newest(Resource pinned) =>
        current.Now.Resources.TryGetValue(pinned.Name, out var now) && now.Kind == pinned.Kind && SameButSecrets(pinned.Settings, now.Settings) ? now : pinned;

    private static bool SameButSecrets(Settings a, Settings b) =>
        a.Values.Count == b.Values.Count && a.Values.All(pair => b.Values.TryGetValue(pair.Key, out var other) && Same(pair.Value, other));

    private static bool Same(object a, object b) => (a, b) switch
    {
        (SecretRef, SecretRef) => true,
        (IEnumerable<string> x, IEnumerable<string> y) => x.SequenceEqual(y, StringComparer.Ordinal),
        _ => a.Equals(b),
    };
}
