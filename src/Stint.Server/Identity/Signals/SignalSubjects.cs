using System.Text.Json;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Signals;

/// <summary>Which people here a subject identifier names (RFC 9493, and the complex one of the Shared Signals Framework).</summary>
/// <remarks>
/// A name (of <c>iss_sub</c> and <c>opaque</c>) is the directory's external id of somebody, else its id of them here, else
/// their name here. An address (of <c>email</c> and <c>account</c>) is somebody's name here, else one of their addresses. What
/// is read first counts alone. Where several people have an address it names all of them: what an event takes away is
/// rather taken from one too many.
/// </remarks>
internal static class SignalSubjects
{
    private const int MostAliases = 20;
    private const int Longest = 320;

    /// <summary>The people, each once; none when it names nobody who is known.</summary>
    /// <param name="reads">The store.</param>
    /// <param name="catalog">Who is here.</param>
    /// <param name="from">Who tells.</param>
    /// <param name="subject">The identifier; undefined for none.</param>
    public static async ValueTask<IReadOnlyList<SubjectId>> FindAsync(Reads reads, LoadedCatalog catalog, Transmitter from, JsonElement subject)
    {
        if (subject.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        switch (Text(subject, "format"))
        {
            case "email" when Text(subject, "email") is { } address:
                return await AtAsync(reads, catalog, address);
            case "account" when Text(subject, "uri") is { } uri && uri.StartsWith("acct:", StringComparison.OrdinalIgnoreCase):
                return await AtAsync(reads, catalog, Uri.UnescapeDataString(uri["acct:".Length..]));
            case "iss_sub" when Text(subject, "iss") == from.Subjects && Text(subject, "sub") is { } sub:
                return await NamedAsync(reads, catalog, sub);
            case "opaque" when Text(subject, "id") is { } id:
                return await NamedAsync(reads, catalog, id);
            case "complex" when subject.TryGetProperty("user", out var user):
                // NB. One session or device of theirs cannot be told from the others here: it is all of theirs.
                return user.ValueKind == JsonValueKind.Object && Text(user, "format") is not ("complex" or "aliases") ? await FindAsync(reads, catalog, from, user) : [];
            case "aliases" when subject.TryGetProperty("identifiers", out var identifiers) && identifiers.ValueKind == JsonValueKind.Array:
                var found = new HashSet<SubjectId>();
                foreach (var one in identifiers.EnumerateArray().Take(MostAliases).Where(one => one.ValueKind == JsonValueKind.Object && Text(one, "format") is not ("complex" or "aliases")))
                {
                    found.UnionWith(await FindAsync(reads, catalog, from, one));
                }

                return [.. found];
            default:
                return [];
        }
    }

    private static async ValueTask<IReadOnlyList<SubjectId>> AtAsync(Reads reads, LoadedCatalog catalog, string address)
    {
        var key = DirectoryPeople.Key(address);
        var named = Called(catalog, [key]);
        if (named.Count > 0)
        {
            return named;
        }

        var there = await reads.DirectoryNamesAtAsync(key);
        return [.. Called(catalog, there).Union(catalog.People.Values.Where(person => key.Equals(person.Mail, StringComparison.OrdinalIgnoreCase)).Select(person => person.Id))];
    }

    private static async ValueTask<IReadOnlyList<SubjectId>> NamedAsync(Reads reads, LoadedCatalog catalog, string name)
    {
        var there = await reads.DirectoryNamesAsync(name);
        return Called(catalog, there.Count > 0 ? there : [DirectoryPeople.Key(name)]);
    }

    private static List<SubjectId> Called(LoadedCatalog catalog, List<string> keys) =>
        keys.Count == 0 ? [] : [.. catalog.People.Values.Where(person => keys.Contains(DirectoryPeople.Key(person.Id.Value))).Select(person => person.Id)];

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= Longest } text ? text : null;
}
