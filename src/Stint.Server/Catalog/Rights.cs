using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;

namespace Stint.Server.Catalog;

/// <summary>Who may look and who may act, read off a catalog. Whoever may not look is answered as if there were nothing.</summary>
internal static class Rights
{
    /// <summary>Whether this is a person who may do anything at all.</summary>
    public static bool IsActive(this LoadedCatalog catalog, SubjectId who) =>
        catalog.People.TryGetValue(who.Value, out var person) && !person.Disabled;

    /// <summary>Whether they administer Stint, by the catalog's list or by what they hold for a time.</summary>
    public static bool IsAdmin(this LoadedCatalog catalog, SubjectId who) =>
        catalog.IsActive(who) && (catalog.Admins.Contains(who) || catalog.Holds(who, StintRight.Administrator));

    /// <summary>Whether they may read everything that is not a secret.</summary>
    public static bool MayReadAll(this LoadedCatalog catalog, SubjectId who) =>
        catalog.IsAdmin(who) || (catalog.IsActive(who) && (catalog.Auditors.Contains(who) || catalog.Holds(who, StintRight.Auditor)));

    /// <summary>Whether they may apply and propose catalogs.</summary>
    public static bool MayChangeCatalog(this LoadedCatalog catalog, SubjectId who) =>
        catalog.IsAdmin(who) || (catalog.IsActive(who) && catalog.Holds(who, StintRight.CatalogKeeper));

    /// <summary>Whether they may read the catalog and its history, and ask what another one would change.</summary>
    public static bool MayReadCatalog(this LoadedCatalog catalog, SubjectId who) => catalog.MayReadAll(who) || catalog.MayChangeCatalog(who);

    /// <summary>Who administers now, in the order of their names.</summary>
    public static IReadOnlyList<SubjectId> Administrators(this LoadedCatalog catalog) =>
    [
        .. catalog.Admins
            .Concat(catalog.HeldRights.Where(held => held.Right == StintRight.Administrator).Select(held => held.Person))
            .Where(catalog.IsActive)
            .Distinct()
            .OrderBy(person => person.Value, StringComparer.Ordinal),
    ];

    public static bool Owns(this LoadedCatalog catalog, SubjectId who, string resource) =>
        catalog.IsActive(who) && catalog.Resources.TryGetValue(resource, out var found) && found.Owners.Contains(who);

    /// <summary>Whether they may see what goes on at a resource under a subject's name: their own, what they own, and everything for admins and auditors.</summary>
    public static bool MaySee(this LoadedCatalog catalog, SubjectId who, SubjectId subject, string resource) =>
        catalog.MayAsk(who) && (who == subject || catalog.Owns(who, resource) || catalog.MayReadAll(who));

    /// <summary>The same for a request, which its pinned approvers see too.</summary>
    public static bool MaySee(this LoadedCatalog catalog, SubjectId who, Request request) =>
        catalog.MaySee(who, request.Subject, request.Role.Resource)
        || (catalog.IsActive(who) && Steps(request).Any(step => step.Approvers.Contains(who)));

    /// <summary>Whether they may take a grant away or end a session at a resource.</summary>
    public static bool MayTakeAway(this LoadedCatalog catalog, SubjectId who, string resource) =>
        catalog.IsAdmin(who) || catalog.Owns(who, resource);

    /// <summary>Who may take a grant away at a resource, in the order of their names.</summary>
    public static IReadOnlyList<SubjectId> WhoMayTakeAway(this LoadedCatalog catalog, string resource) =>
    [
        .. catalog.Administrators()
            .Concat(catalog.Resources.TryGetValue(resource, out var found) ? found.Owners : [])
            .Where(catalog.IsActive)
            .Distinct()
            .OrderBy(person => person.Value, StringComparer.Ordinal),
    ];

    /// <summary>The steps that were pinned at the asking; none for one that a rule decided.</summary>
    public static IReadOnlyList<PinnedStep> Steps(Request request) => request.Verdict is Verdict.NeedsApproval needs ? needs.Steps : [];
}
