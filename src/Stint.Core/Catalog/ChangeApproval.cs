using System.Collections.Frozen;
using Stint.Core.Approvals;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>Whose yes a change of a catalog needs, by name.</summary>
public static class ChangeApproval
{
    /// <summary>The steps of <see cref="LoadedCatalog.ChangeApproval"/> with their people. <c>owners</c> are the admins: the catalog is theirs.</summary>
    /// <param name="catalog">The catalog that is to be changed; never the one that shall take its place.</param>
    /// <param name="proposer">Who never counts, and whose manager is meant; null for a change that came from a folder.</param>
    /// <param name="moment">When it is proposed; null takes those on call for everybody who ever is.</param>
    /// <returns>Empty when no yes is needed.</returns>
    public static IReadOnlyList<PinnedStep> Pin(LoadedCatalog catalog, SubjectId? proposer, DateTimeOffset? moment)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var itself = new Resource
        {
            Name = "the catalog",
            Kind = "",
            Labels = FrozenDictionary<string, string>.Empty,
            Owners = catalog.Admins,
            Settings = Settings.Empty,
            Roles = FrozenDictionary<string, Role>.Empty,
        };
        return catalog.ChangeApproval is { } workflow ? Steps.Pin(catalog, workflow.Steps, itself, proposer, moment) : [];
    }
}
