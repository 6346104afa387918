using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Core.Catalog;

namespace Stint.Server.Identity;

/// <summary>Who calls, proved by their token, as the catalog of this moment knows them.</summary>
internal sealed record Caller(Person Person, LoadedCatalog Catalog)
{
    public SubjectId Id => Person.Id;

    /// <summary>Whether they came in with a one-time code: for break-glass, their own, and nothing else.</summary>
    public bool ByCode { get; init; }

    public bool IsAdmin => Catalog.Admins.Contains(Person.Id);

    /// <summary>Whether they may read everything that is not a secret. Admins may as well.</summary>
    public bool MayRead => IsAdmin || Catalog.Auditors.Contains(Person.Id);

    /// <summary>Whether they own the resource. A resource that the catalog no longer has is nobody's.</summary>
    public bool Owns(string resource) => Catalog.Resources.TryGetValue(resource, out var found) && found.Owners.Contains(Person.Id);

    /// <summary>Found by minimal APIs: an endpoint that takes a caller gets the one that <see cref="Bearer"/> proved.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<Caller>());
}
