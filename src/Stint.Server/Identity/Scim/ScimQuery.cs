using System.Globalization;
using System.Text.Json.Nodes;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>What is looked for.</summary>
internal sealed record ScimSearch
{
    /// <summary>Most resources of one page.</summary>
    public const int Most = 1_000;

    public const string Schema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

    public string? Filter { get; init; }

    public string? SortBy { get; init; }

    public bool Descending { get; init; }

    /// <summary>From 1.</summary>
    public int Start { get; init; } = 1;

    public int Count { get; init; } = 100;

    public ScimChoice Choice { get; init; } = ScimChoice.All;

    /// <summary>Reads the parameters of an address, or the body of a search.</summary>
    /// <param name="find">Gives a parameter by its name; null for none.</param>
    public static ScimSearch Read(Func<string, string?> find) => new()
    {
        Filter = find("filter") is { Length: > 0 } filter ? filter : null,
        SortBy = find("sortBy") is { Length: > 0 } sort ? sort : null,
        Descending = find("sortOrder")?.ToLowerInvariant() switch
        {
            null or "" or "ascending" => false,
            "descending" => true,
            _ => throw ScimProblem.InvalidValue("'sortOrder' is ascending or descending."),
        },
        Start = Math.Max(1, Number(find("startIndex"), "startIndex") ?? 1),
        Count = Math.Clamp(Number(find("count"), "count") ?? 100, 0, Most),
        Choice = ReadChoice(find),
    };

    public static ScimChoice ReadChoice(Func<string, string?> find) => new(Names(find("attributes")), Names(find("excludedAttributes")));

    private static string[] Names(string? text) => text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static int? Number(string? text, string name) => string.IsNullOrEmpty(text) ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? (int)Math.Clamp(number, -1, int.MaxValue)
        : throw ScimProblem.InvalidValue($"'{name}' is a whole number.");
}

/// <summary>Finds users and groups.</summary>
internal sealed class ScimQuery(StintStore store)
{
    public const string ListSchema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

    private const int Batch = 2_000;

    /// <summary>A user as clients get it.</summary>
    public Task<(JsonObject Node, long Version)> UserAsync(string id, string at, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var user = await reads.FindDirectoryUserAsync(id) ?? throw ScimProblem.NotFound($"User {id}");
            return (ScimWriter.User(user, await reads.DirectoryGroupsOfAsync([id]), at), user.Version);
        },
        cancellation);

    /// <summary>A group as clients get it.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="at">Address of the service.</param>
    /// <param name="members">Whether anybody wants its members.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public Task<(JsonObject Node, long Version)> GroupAsync(string id, string at, bool members, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var group = await reads.FindDirectoryGroupAsync(id) ?? throw ScimProblem.NotFound($"Group {id}");
            return (ScimWriter.Group(group, members ? await reads.DirectoryMembersAsync([id]) : null, at), group.Version);
        },
        cancellation);

    /// <summary>A page of what is looked for, users before groups where both are meant.</summary>
    public Task<JsonObject> ListAsync(IReadOnlyList<ScimKind> kinds, ScimSearch search, string at, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var (total, start, left) = (0L, (long)search.Start - 1, search.Count);
            var found = new JsonArray();
            foreach (var kind in kinds)
            {
                var (all, page) = await PageAsync(reads, kind, search, Math.Max(0, start), left, at, single: kinds.Count == 1);
                total += all;
                start = Math.Max(0, start - all);
                left -= page.Count;
                page.ForEach(one => found.Add((JsonNode)search.Choice.Of(kind, one)));
            }

            return new JsonObject
            {
                ["schemas"] = new JsonArray(ListSchema),
                ["totalResults"] = total,
                ["itemsPerPage"] = found.Count,
                ["startIndex"] = search.Start,
                ["Resources"] = found,
            };
        },
        cancellation);

    private static async Task<(long All, List<JsonObject> Page)> PageAsync(Reads reads, ScimKind kind, ScimSearch search, long offset, int limit, string at, bool single)
    {
        ScimFilter? filter;
        try
        {
            filter = search.Filter is null ? null : ScimFilter.Parse(kind, search.Filter);
        }
        catch (ScimProblem problem) when (!single && problem.Type == "invalidFilter" && kind == ScimKind.Group && ScimFilter.Parse(ScimKind.User, search.Filter!) is not null)
        {
            // Where both are meant, what only one of them has none of the other fulfils.
            return (0, []);
        }

        var (where, exact) = ScimSql.Compile(kind, reads.Db, filter);
        var sort = search.SortBy is null ? null : ScimPath.Find(kind, search.SortBy) is { Leaf: not null } path ? path : single ? throw ScimProblem.InvalidValue($"'{search.SortBy}' is nothing that could be sorted by.") : null;
        var column = sort is null ? "seq" : ScimSql.Sort(kind, sort);
        if (exact && column is not null)
        {
            // What has no value comes last, either way round (RFC 7644, section 3.4.2.3, for ascending).
            var order = column == "seq" ? "seq" : $"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, {column}{(search.Descending ? " DESC" : "")}, seq";

            if (column == "seq" && filter is not null && await reads.FirstDirectorySeqsAsync(kind == ScimKind.Group, where, Batch + 1) is { Count: <= Batch } few)
            {
                // NB. Looked through once, along a narrow index: counting and choosing would each look through all.
                few.Sort();
                var chosenFew = few.Skip((int)Math.Min(offset, int.MaxValue)).Take(limit).ToList();
                return (few.Count, chosenFew.Count == 0 ? [] : await NodesAsync(reads, kind, new DirectoryWhere($"seq IN ({string.Join(',', chosenFew)})", []), "seq", 0, chosenFew.Count, search.Choice, at));
            }

            // All of them are found in the order of coming by the narrow index of their times.
            order = column == "seq" && kind == ScimKind.User && filter is null ? "created_at, seq" : order;
            order = column is "user_key" or "id" or "created_at" or "changed_at" ? $"{column}{(search.Descending ? " DESC" : "")}, seq" : order;
            var page = limit == 0 ? [] : await NodesAsync(reads, kind, where, order, offset, limit, search.Choice, at);

            // The last page says itself how many there are.
            var all = page.Count < limit && (page.Count > 0 || offset == 0) ? offset + page.Count : await reads.CountDirectoryAsync(kind == ScimKind.Group, where);
            return (all, page);
        }

        var matches = await MatchesAsync(reads, kind, where, filter, sort, search.Descending, at);
        var chosen = matches.Skip((int)Math.Min(offset, int.MaxValue)).Take(limit).ToList();
        var list = new DirectoryWhere(reads.Db.In("id", 1), [reads.Db.TextList(chosen)]);
        var nodes = chosen.Count == 0 ? [] : (await NodesAsync(reads, kind, list, "seq", 0, chosen.Count, search.Choice, at)).ToDictionary(node => (string)node["id"]!, StringComparer.Ordinal);
        return (matches.Count, [.. chosen.Select(id => nodes[id])]);
    }

    private static async Task<List<JsonObject>> NodesAsync(Reads reads, ScimKind kind, DirectoryWhere where, string order, long offset, int limit, ScimChoice choice, string at)
    {
        if (kind == ScimKind.Group)
        {
            var groups = await reads.DirectoryGroupsAsync(where, order, offset, limit);
            var members = choice.Wants("members") ? (await reads.DirectoryMembersAsync(groups.Select(group => group.Id))).ToLookup(member => member.Group, StringComparer.Ordinal) : null;
            return groups.ConvertAll(group => ScimWriter.Group(group, members?[group.Id], at));
        }

        var users = await reads.DirectoryUsersAsync(where, order, offset, limit);
        var of = choice.Wants("groups") ? (await reads.DirectoryGroupsOfAsync(users.Select(user => user.Id))).ToLookup(member => member.Id, StringComparer.Ordinal) : null;
        return users.ConvertAll(user => ScimWriter.User(user, of?[user.Id], at));
    }

    /// <summary>Looks at each that the columns leave over, part by part, and sorts by what has no column.</summary>
    private static async Task<List<string>> MatchesAsync(Reads reads, ScimKind kind, DirectoryWhere where, ScimFilter? filter, ScimPath? sort, bool descending, string at)
    {
        var paths = (filter?.Paths ?? []).Append(sort).Select(path => path?.Attribute?.Name).ToHashSet();
        var choice = new ScimChoice([], paths.Contains("groups") || paths.Contains("members") ? [] : ["groups", "members"]);
        var found = new List<(string Id, string? Key)>();
        foreach (var part in (await reads.DirectorySeqsAsync(kind == ScimKind.Group, where)).Chunk(Batch))
        {
            // The places are numbers: nothing that a list of parameters is needed for.
            var these = new DirectoryWhere($"seq IN ({string.Join(',', part)})", []);
            foreach (var node in await NodesAsync(reads, kind, these, "seq", 0, part.Length, choice, at))
            {
                if (filter?.Holds(node) != false)
                {
                    found.Add(((string)node["id"]!, sort is null ? null : Key(node, sort)));
                }
            }
        }

        if (sort is null)
        {
            return found.ConvertAll(one => one.Id);
        }

        var sorted = descending ? found.OrderBy(one => one.Key is null).ThenByDescending(one => one.Key, StringComparer.Ordinal) : found.OrderBy(one => one.Key is null).ThenBy(one => one.Key, StringComparer.Ordinal);
        return [.. sorted.Select(one => one.Id)];
    }

    /// <summary>What something is sorted by: of many the primary one, or the first.</summary>
    private static string? Key(JsonObject node, ScimPath sort)
    {
        var items = ScimValues.Items(node, sort with { Part = null }).ToList();
        var item = items.Find(one => one is JsonObject each && ScimValues.Truth(each["primary"]) == true) ?? items.FirstOrDefault();
        var value = item is JsonObject complex ? complex[sort.Leaf!.Name] : item;
        return value is null ? null : sort.Leaf!.CaseExact ? value.ToString() : value.ToString().ToLowerInvariant();
    }
}
