using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Where a step's people come from: <c>owners</c>, <c>manager</c>, <c>skip-manager</c>, <c>group:NAME</c>, <c>person:NAME</c>, <c>on-call:ROTA</c>; and <c>owners:RESOURCE</c> in steps that several resources share.</summary>
internal static class Sources
{
    private const string OnCall = "on-call:";
    private const string OwnersOf = "owners:";

    /// <summary>The sources in a step's <c>From</c>.</summary>
    public static string[] Split(string from) => from.Split(", ");

    /// <summary>Whether a source is one person at a time.</summary>
    public static bool IsOnePerson(string source) =>
        source is "manager" or "skip-manager" || source.StartsWith("person:", StringComparison.Ordinal) || source.StartsWith(OnCall, StringComparison.Ordinal);

    /// <summary>The same sources, saying themselves whose owners are meant: another resource's owners are other people.</summary>
    public static string Bound(string from, string resource) =>
        string.Join(", ", Split(from).Select(source => source == "owners" ? OwnersOf + resource : source).Order(StringComparer.Ordinal));

    /// <summary>Whether any of them is a rota.</summary>
    public static bool HasRota(string from) => Split(from).Any(source => source.StartsWith(OnCall, StringComparison.Ordinal));

    /// <summary>The rotas among them that the catalog knows.</summary>
    public static IEnumerable<Rota> Rotas(LoadedCatalog catalog, string from) => Split(from)
        .Where(source => source.StartsWith(OnCall, StringComparison.Ordinal))
        .Select(source => catalog.Rotas.GetValueOrDefault(source[OnCall.Length..]))
        .OfType<Rota>();

    /// <summary>Everybody whom they name and who may answer for the requester: not the requester, nobody disabled, in the order of their names.</summary>
    /// <param name="catalog">Who is in which group.</param>
    /// <param name="from">The sources.</param>
    /// <param name="resource">Whose owners are meant; null when it is gone: nobody's.</param>
    /// <param name="requester">Whose manager is meant, and who never counts; null for nobody.</param>
    /// <param name="notForReports">Whether the requester's own manager is left out.</param>
    /// <param name="moment">When it is; null takes those on call for everybody who ever is.</param>
    public static List<SubjectId> People(LoadedCatalog catalog, string from, Resource? resource, SubjectId? requester, bool notForReports, DateTimeOffset? moment)
    {
        var manager = notForReports ? Manager(catalog, requester) : null;
        return
        [
            .. Split(from)
                .SelectMany(source => Named(catalog, source, resource, requester, moment))
                .Where(person => person != requester && person != manager && IsActive(catalog, person))
                .Distinct()
                .OrderBy(person => person.Value, StringComparer.Ordinal),
        ];
    }

    /// <summary>The person's manager; null when there is none.</summary>
    public static SubjectId? Manager(LoadedCatalog catalog, SubjectId? person) =>
        person is { } named && catalog.People.TryGetValue(named.Value, out var known) ? known.Manager : null;

    public static bool IsActive(LoadedCatalog catalog, SubjectId person) => catalog.People.TryGetValue(person.Value, out var known) && !known.Disabled;

    /// <summary>The step's name for people: <c>owners of orders-db or group security</c>.</summary>
    public static string Name(string from, string resource, SubjectId? requester) => string.Join(" or ", Split(from).Select(source => source switch
    {
        "owners" => $"owners of {resource}",
        "manager" => requester is null ? "manager" : $"manager of {requester}",
        "skip-manager" => requester is null ? "manager's manager" : $"manager of the manager of {requester}",
        _ when source.StartsWith(OwnersOf, StringComparison.Ordinal) => $"owners of {source[OwnersOf.Length..]}",
        _ when source.StartsWith("group:", StringComparison.Ordinal) => $"group {source["group:".Length..]}",
        _ when source.StartsWith(OnCall, StringComparison.Ordinal) => $"on call for {source[OnCall.Length..]}",
        _ => source[(source.IndexOf(':', StringComparison.Ordinal) + 1)..],
    }));

    private static IEnumerable<SubjectId> Named(LoadedCatalog catalog, string source, Resource? resource, SubjectId? requester, DateTimeOffset? moment)
    {
        switch (source)
        {
            case "owners":
                return resource?.Owners ?? [];
            case var _ when source.StartsWith(OwnersOf, StringComparison.Ordinal):
                return catalog.Resources.TryGetValue(source[OwnersOf.Length..], out var named) ? named.Owners : [];
            case "manager":
                return One(Manager(catalog, requester));
            case "skip-manager":
                return One(Manager(catalog, Manager(catalog, requester)));
            case var _ when source.StartsWith("group:", StringComparison.Ordinal):
                return catalog.Groups.TryGetValue(source["group:".Length..], out var members) ? members : [];
            case var _ when source.StartsWith("person:", StringComparison.Ordinal):
                return [new SubjectId(source["person:".Length..])];
            default:
                return Rotas(catalog, source).SelectMany(rota => moment is { } at ? rota.On(at) : rota.People.Concat(rota.StandIns.Select(standIn => standIn.Person)));
        }
    }

    private static SubjectId[] One(SubjectId? person) => person is { } known ? [known] : [];
}
