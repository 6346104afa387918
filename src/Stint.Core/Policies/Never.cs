using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What the policies must never let happen, whoever is put into whichever groups: proved when the catalog is loaded.</summary>
public sealed record Never
{
    public required string Name { get; init; }

    /// <summary>Where it stands.</summary>
    public required CatalogPlace Place { get; init; }

    /// <summary>Whom it is about: <c>group:NAME</c> and <c>person:NAME</c>; empty for everybody.</summary>
    public required IReadOnlyList<string> Who { get; init; }

    /// <summary>The roles that they must not reach.</summary>
    public required IReadOnlySet<RoleRef> Roles { get; init; }

    /// <summary>Which of those roles, by their resources; null for all.</summary>
    public Condition? Where { get; init; }

    /// <summary>They may reach them with a yes from here (<c>owners</c>, <c>group:security</c>, <c>any</c>); null for not at all.</summary>
    public string? Without { get; init; }

    /// <summary>They may reach them for this long; null for not at all.</summary>
    public TimeSpan? LongerThan { get; init; }
}

/// <summary>How a <see cref="Policies.Never"/> can happen.</summary>
/// <param name="Never">What must not.</param>
/// <param name="Role">Which role is reached; null when the search gave up.</param>
/// <param name="How">By whom, when and by which rules, in a sentence without a full stop.</param>
public sealed record Breach(Never Never, RoleRef? Role, string How);
