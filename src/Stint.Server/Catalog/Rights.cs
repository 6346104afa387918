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

    public static bool IsAdmin(this LoadedCatalog catalog, SubjectId who) => catalog.IsActive(who) && catalog.Admins.Contains(who);

    /// <summary>Whether they may read everything that is not a secret.</summary>
    public static bool MayReadAll(this LoadedCatalog catalog, SubjectId who) =>
        catalog.IsActive(who) && (catalog.Admins.Contains(who) || catalog.Auditors.Contains(who));

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
        .. catalog.Admins
            .Concat(catalog.Resources.TryGetValue(resource, out var found) ? found.Owners : [])
            .Where(catalog.IsActive)
            .Distinct()
            .OrderBy(person => person.Value, StringComparer.Ordinal),
    ];

    /// <summary>The steps that were pinned at the asking; none for one that a rule decided.</summary>
    public static IReadOnlyList<PinnedStep> Steps(Request request) => request.Verdict is Verdict.NeedsApproval needs ? needs.Steps : [];
}
