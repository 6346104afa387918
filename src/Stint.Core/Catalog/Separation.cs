using System.Collections.Frozen;

namespace Stint.Core.Catalog;

/// <summary>Roles that one person may not hold beside others: who prepares a payment does not release it.</summary>
public sealed record Separation
{
    public required string Name { get; init; }

    /// <summary>Where it stands in the catalog.</summary>
    public CatalogPlace Place { get; init; }

    /// <summary>As it is written there, its name included: for evidence. Empty for one that was not loaded from a file.</summary>
    public string Text { get; init; } = "";

    /// <summary>The roles of the one side, patterns resolved. None of them is among <see cref="Other"/>.</summary>
    public required FrozenSet<RoleRef> One { get; init; }

    /// <summary>As the catalog says it, for people.</summary>
    public required string OneText { get; init; }

    /// <summary>The roles of the other side, patterns resolved.</summary>
    public required FrozenSet<RoleRef> Other { get; init; }

    /// <summary>As the catalog says it, for people.</summary>
    public required string OtherText { get; init; }

    /// <summary>How long after the end of the one the other stays closed; zero: only while it is held.</summary>
    public TimeSpan Within { get; init; }

    /// <summary>The roles that it keeps apart from a role; empty when it is not about that role.</summary>
    public FrozenSet<RoleRef> Against(RoleRef role) => One.Contains(role) ? Other : Other.Contains(role) ? One : FrozenSet<RoleRef>.Empty;

    /// <summary><c>not beside pay-db/prepare, nor within 30d of it</c>; null when it is not about that role.</summary>
    public string? Said(RoleRef role)
    {
        var text = One.Contains(role) ? OtherText : Other.Contains(role) ? OneText : null;
        return text is null ? null : Within > TimeSpan.Zero ? $"not beside {text}, nor within {Words.Say(Within)} after it" : $"not beside {text}";
    }
}
