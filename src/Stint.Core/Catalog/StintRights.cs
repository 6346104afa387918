using System.Collections.Frozen;

namespace Stint.Core.Catalog;

/// <summary>What one may be in Stint itself. Whoever holds two may do what either lets them.</summary>
public enum StintRight
{
    /// <summary>Whatever the catalog's <c>admins</c> may. Not to say yes: whose yes a request needs is pinned, and no right here adds to it.</summary>
    Administrator = 1,

    /// <summary>Whatever the catalog's <c>auditors</c> may: reads everything that is not a secret, changes nothing.</summary>
    Auditor = 2,

    /// <summary>Plans, replays, applies and proposes catalogs and reads their history; nothing else that administrators may.</summary>
    CatalogKeeper = 3,
}

/// <summary>The roles of a resource of the kind <c>stint</c>: this installation itself.</summary>
public static class StintRights
{
    /// <summary>The kind, as the catalog writes it.</summary>
    public const string Kind = "stint";

    private static readonly FrozenDictionary<string, StintRight> ByName = new Dictionary<string, StintRight>
    {
        ["administrator"] = StintRight.Administrator,
        ["auditor"] = StintRight.Auditor,
        ["catalog-keeper"] = StintRight.CatalogKeeper,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every role by its name; there is no other.</summary>
    public static IReadOnlyList<string> Names { get; } = ["administrator", "auditor", "catalog-keeper"];

    /// <summary>The role's name.</summary>
    public static string NameOf(StintRight right) => right switch
    {
        StintRight.Administrator => "administrator",
        StintRight.Auditor => "auditor",
        StintRight.CatalogKeeper => "catalog-keeper",
        _ => throw new InvalidOperationException($"{right} is not a right."),
    };

    /// <summary>The right of that name; null when there is none.</summary>
    public static StintRight? Find(string name) => ByName.TryGetValue(name, out var right) ? right : null;

    /// <summary>Whether a role is one in Stint itself, by this catalog.</summary>
    public static bool IsOfStint(this LoadedCatalog catalog, RoleRef role)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return catalog.Resources.TryGetValue(role.Resource, out var resource) && resource.Kind == Kind && ByName.ContainsKey(role.Role);
    }

    /// <summary>Whether somebody holds a right for a time, whatever the catalog's lists say.</summary>
    public static bool Holds(this LoadedCatalog catalog, SubjectId who, StintRight right)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return catalog.HeldRights.Any(held => held.Person == who && held.Right == right);
    }

    /// <summary>A catalog with the rights in it that count by it at a moment: those that are not over, and of grants those at its own resource of this kind.</summary>
    public static LoadedCatalog With(this LoadedCatalog catalog, IReadOnlyList<HeldRight> rights, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(rights);

        // NB. Machines ask, and hold no right in Stint itself, whatever a grant says.
        List<HeldRight> counting = [.. rights.Where(right => now < right.Until && !right.Person.IsWorkload && (right.Role is not { } role || catalog.IsOfStint(role)))];
        return counting.Count == 0 && catalog.HeldRights.Count == 0 ? catalog : catalog with { HeldRights = counting, WithoutDirectory = catalog.Text };
    }
}

/// <summary>A right in Stint itself that somebody has until a moment.</summary>
/// <param name="Person">Who.</param>
/// <param name="Right">Which.</param>
/// <param name="Until">Until before when. It counts no longer at that moment, whoever is late to say so.</param>
public sealed record HeldRight(SubjectId Person, StintRight Right, DateTimeOffset Until)
{
    /// <summary>The open grant that gives it; null for what was given at the setting up.</summary>
    public GrantId? Grant { get; init; }

    /// <summary>The grant's role; null without one.</summary>
    public RoleRef? Role { get; init; }
}
