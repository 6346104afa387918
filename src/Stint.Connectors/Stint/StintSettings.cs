using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Stint;

/// <summary>What a resource of kind <c>stint</c> is told in the catalog: nothing but which of its roles there are.</summary>
public static class StintSettings
{
    /// <summary>What the catalog may say, checked when it is loaded.</summary>
    public static KindShape Shape { get; } = new(
        StintRights.Kind,
        "This installation of Stint itself.",
        Guarantee.Native,
        [],
        [])
    {
        RoleNames = StintRights.Names,
        OnlyOne = true,
    };
}
