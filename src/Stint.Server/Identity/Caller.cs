using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>Who calls, proved by their token.</summary>
/// <remarks>NB. What they may is asked of the catalog that decides when it is asked: a call whose body is slow to come outlives a right.</remarks>
internal sealed record Caller(Subject Subject, CurrentCatalog Current)
{
    public SubjectId Id => Subject.Id;

    /// <summary>The catalog that decides now.</summary>
    public LoadedCatalog Catalog => Current.Now;

    /// <summary>Of a workload: what its token said, verified; empty for a token that says nothing. Null for a person.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }

    /// <summary>What their token may ask for at most; null for whatever the policies let them.</summary>
    public IReadOnlyList<string>? Scope { get; init; }

    /// <summary>Whether they came in with a one-time code: for break-glass, their own, and nothing else.</summary>
    public bool ByCode { get; init; }

    /// <summary>The browser in which they are signed in; null for a token.</summary>
    public WebSession? Session { get; init; }

    /// <summary>The command line that they logged in from a browser; null for any other way in.</summary>
    public CliLogin? CommandLine { get; init; }

    /// <summary>Whether their token may be used for a role.</summary>
    public bool MayUse(RoleRef role) => Scope is null || Scope.Any(scope => RoleScope.Holds(scope, role));

    public bool IsAdmin => Catalog.IsAdmin(Id);

    /// <summary>Whether they may read everything that is not a secret. Admins may as well.</summary>
    public bool MayRead => Catalog.MayReadAll(Id);

    /// <summary>Whether they may read the catalog and its history.</summary>
    public bool MayReadCatalog => Catalog.MayReadCatalog(Id);

    /// <summary>Whether they own the resource. A resource that the catalog no longer has is nobody's.</summary>
    public bool Owns(string resource) => Subject is Person && Catalog.Resources.TryGetValue(resource, out var found) && found.Owners.Contains(Id);

    /// <summary>Found by minimal APIs: an endpoint that takes a caller gets the one that <see cref="Bearer"/> proved.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<Caller>());
}
