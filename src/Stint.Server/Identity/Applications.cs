using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Catalog;

namespace Stint.Server.Identity;

/// <summary>Marks an endpoint that an application's token opens besides a person's.</summary>
internal sealed class ByApplication
{
    public static ByApplication Instance { get; } = new();
}

/// <summary>Another program that may ask who holds what now.</summary>
internal sealed record Application
{
    /// <summary>Its name in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of its token.</summary>
    public required byte[] TokenHash { get; init; }

    /// <summary>Patterns of the resources that it may ask about, in which <c>*</c> stands for any characters.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    /// <summary>What it calls the type of a resource, besides the kind.</summary>
    public IReadOnlyList<string> ResourceTypes { get; init; } = [];

    /// <summary>How often it may ask.</summary>
    public required int RequestsPerMinute { get; init; }

    /// <summary>Whether it may ask about a resource.</summary>
    public bool MayAsk(string resource) => Resources.Any(pattern => Words.Glob(pattern, resource));

    /// <summary>Never what its token hashes to.</summary>
    public override string ToString() => Name;
}

/// <summary>Every application that is configured.</summary>
internal sealed class Applications(IReadOnlyList<Application> all, TimeProvider time)
{
    /// <summary>Longest token.</summary>
    public const int LongestToken = 128;

    private readonly FrozenDictionary<string, RateLimit<string>> _limits =
        all.ToFrozenDictionary(one => one.Name, one => new RateLimit<string>(one.RequestsPerMinute, time), StringComparer.Ordinal);

    /// <returns>The application whose token it is; null when it is none's.</returns>
    public Application? Find(ReadOnlySpan<char> token)
    {
        if (all.Count == 0 || token.Length is 0 or > Secrets.Longest)
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Secrets.Hash(token, hash);
        Application? found = null;

        // NB. Each is compared, and each in constant time: how long it takes says nothing about which was near.
        foreach (var one in all)
        {
            found = CryptographicOperations.FixedTimeEquals(hash, one.TokenHash) ? one : found;
        }

        return found;
    }

    /// <summary>Counts one call.</summary>
    /// <returns>How long to wait before the next try; null when this one may pass.</returns>
    public TimeSpan? Take(Application application) => _limits[application.Name].Take(application.Name);
}

/// <summary>Who asks what is held: an application, or a person.</summary>
internal sealed record Asker
{
    private Asker()
    {
    }

    /// <summary>Null for a person.</summary>
    public Application? Application { get; private init; }

    /// <summary>Empty for an application.</summary>
    public SubjectId Person { get; private init; }

    public static Asker Of(Application application) => new() { Application = application, Person = new SubjectId("") };

    public static Asker Of(SubjectId person) => new() { Person = person };

    /// <summary>Whether they may hear what a subject holds at a resource. Of anything else they hear that it is not held.</summary>
    public bool MayKnow(LoadedCatalog catalog, SubjectId subject, string resource) =>
        Application is { } application ? application.MayAsk(resource) : catalog.MaySee(Person, subject, resource);

    /// <summary>Whether they may hear of whoever holds something at a resource, not of themselves alone.</summary>
    public bool MayKnowAll(LoadedCatalog catalog, string resource) =>
        Application is { } application ? application.MayAsk(resource) : catalog.MayReadAll(Person) || catalog.Owns(Person, resource);

    /// <summary>Whether a resource of a kind is of a type, as the asker calls it.</summary>
    public bool IsType(string kind, string type) => type == kind || type == "resource" || Application?.ResourceTypes.Contains(type) == true;

    /// <summary>Found by minimal APIs: an endpoint that takes an asker gets the one that <see cref="Bearer"/> proved.</summary>
    public static ValueTask<Asker?> BindAsync(HttpContext context) => ValueTask.FromResult(
        context.Features.Get<Asker>() ?? (context.Features.Get<Caller>() is { } caller ? Of(caller.Id) : null));
}
