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
        if (exact && column is not null && (!reads.Db.IsNear || (filter is null && column == "seq")))
        {
            // What has no value comes last, either way round (RFC 7644, section 3.4.2.3, for ascending).
            var order = column == "seq" ? "seq" : $"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END, {column}{(search.Descending ? " DESC" : "")}, seq";

            if (column == "seq" && filter is not null && await reads.FirstDirectorySeqsAsync(kind == ScimKind.Group, where, Batch + 1) is { Count: <= Batch } few)
            {
                // NB. Looked through once, along a narrow index: counting and choosing would each look through all.
                few.Sort();
                return (few.Count, await TheseAsync(reads, kind, [.. few.Skip((int)Math.Min(offset, int.MaxValue)).Take(limit)], search.Choice, at));
            }

            // All of them are found in the order of coming by the narrow index of their times.
            order = column == "seq" && kind == ScimKind.User && filter is null ? "created_at, seq" : order;
            order = column is "user_key" or "id" or "created_at" or "changed_at" ? $"{column}{(search.Descending ? " DESC" : "")}, seq" : order;
            var page = limit == 0 ? [] : await NodesAsync(reads, kind, where, order, offset, limit, search.Choice, at);

            // The last page says itself how many there are.
            var all = page.Count < limit && (page.Count > 0 || offset == 0) ? offset + page.Count : await reads.CountDirectoryAsync(kind == ScimKind.Group, where);
            return (all, page);
        }

        var valued = kind == ScimKind.User && await reads.AllValuedAsync();
        var found = filter is null ? null : await new ScimSets(reads, kind, valued).OfAsync(filter);
        var walk = sort is null ? new Walk("", []) : Along(kind, sort, column, search.Descending, valued);
        if (walk is not null && (filter is null || found is { Exact: true }))
        {
            var total = found?.Set.Count ?? await reads.CountDirectoryAsync(kind == ScimKind.Group, DirectoryWhere.All);
            var places = limit == 0 || offset >= total ? [] : sort is null ? [.. found!.Value.Set.InOrder().Skip((int)offset).Take(limit)] : await SortedAsync(reads, kind, walk, found?.Set, (int)offset, limit);
            return (total, await TheseAsync(reads, kind, places, search.Choice, at));
        }

        var matches = await MatchesAsync(reads, kind, found is null ? await reads.DirectorySeqsAsync(kind == ScimKind.Group, where) : [.. found.Value.Set.InOrder()], filter, sort, search.Descending, at);
        return (matches.Count, await TheseAsync(reads, kind, [.. matches.Skip((int)Math.Min(offset, int.MaxValue)).Take(limit)], search.Choice, at));
    }

    /// <summary>How places are read in the order of what they are sorted by, without those that have no value; null when there is no index for it.</summary>
    private static Walk? Along(ScimKind kind, ScimPath sort, string? column, bool descending, bool valued)
    {
        var direction = descending ? " DESC" : "";
        return column is not null ? new Walk($"SELECT seq, 0 FROM {(kind == ScimKind.Group ? "directory_groups" : "directory_users")} WHERE {column} IS NOT NULL ORDER BY {column}{direction}, seq", [])
            : valued && ScimKept.Holds(kind, sort) ? new Walk($"SELECT user_seq, 0 FROM directory_values WHERE path = $1 AND chosen = 1 ORDER BY key{direction}, user_seq", [ScimKept.Path(sort, whole: false)])
            : null;
    }

    private sealed record Walk(string Sql, object?[] Args);

    private static async ValueTask<List<long>> SortedAsync(Reads reads, ScimKind kind, Walk walk, Marks? among, int offset, int limit)
    {
        var (chosen, seen) = (new List<long>(limit), new Marks());
        var passed = 0;
        bool Take(long seq)
        {
            if (among?.Has(seq) == false)
            {
                return true;
            }

            seen.Add(seq);
            if (passed++ >= offset)
            {
                chosen.Add(seq);
            }

            return chosen.Count < limit;
        }

        await reads.Db.NumbersAsync(walk.Sql, (seq, _) => Take(seq), walk.Args);
        if (chosen.Count < limit)
        {
            // What has no value comes last, either way round (RFC 7644, section 3.4.2.3, for ascending).
            var rest = among ?? await AllAsync(reads, kind);
            foreach (var seq in rest.Without(seen).InOrder())
            {
                if (!Take(seq))
                {
                    break;
                }
            }
        }

        return chosen;
    }

    private static async ValueTask<Marks> AllAsync(Reads reads, ScimKind kind)
    {
        var all = new Marks();
        (await reads.DirectorySeqsAsync(kind == ScimKind.Group, DirectoryWhere.All)).ForEach(all.Add);
        return all;
    }

    /// <summary>Those at some places, in their order.</summary>
    private static async Task<List<JsonObject>> TheseAsync(Reads reads, ScimKind kind, List<long> places, ScimChoice choice, string at)
    {
        if (places.Count == 0)
        {
            return [];
        }

        var order = places.Select((place, i) => (place, i)).ToDictionary(pair => pair.place, pair => pair.i);
        return [.. (await NodesOfAsync(reads, kind, places, choice, at)).OrderBy(one => order[one.Place]).Select(one => one.Node)];
    }

    private static async Task<List<JsonObject>> NodesAsync(Reads reads, ScimKind kind, DirectoryWhere where, string order, long offset, int limit, ScimChoice choice, string at) =>
        (await PlacedAsync(reads, kind, where, order, offset, limit, choice, at)).ConvertAll(one => one.Node);

    private static Task<List<(long Place, JsonObject Node)>> NodesOfAsync(Reads reads, ScimKind kind, IReadOnlyCollection<long> places, ScimChoice choice, string at) =>
        PlacedAsync(reads, kind, new DirectoryWhere(reads.Db.In("seq", 1), [reads.Db.NumberList(places)]), "seq", 0, places.Count, choice, at);

    private static async Task<List<(long Place, JsonObject Node)>> PlacedAsync(Reads reads, ScimKind kind, DirectoryWhere where, string order, long offset, int limit, ScimChoice choice, string at)
    {
        if (kind == ScimKind.Group)
        {
            var groups = await reads.DirectoryGroupsAsync(where, order, offset, limit);
            var members = choice.Wants("members") ? (await reads.DirectoryMembersAsync(groups.Select(group => group.Id))).ToLookup(member => member.Group, StringComparer.Ordinal) : null;
            return groups.ConvertAll(group => (group.Seq, ScimWriter.Group(group, members?[group.Id], at)));
        }

        var users = await reads.DirectoryUsersAsync(where, order, offset, limit);
        var of = choice.Wants("groups") ? (await reads.DirectoryGroupsOfAsync(users.Select(user => user.Id))).ToLookup(member => member.Id, StringComparer.Ordinal) : null;
        return users.ConvertAll(user => (user.Seq, ScimWriter.User(user, of?[user.Id], at)));
    }

    /// <summary>Looks at each that the columns leave over, part by part, and sorts by what has no column.</summary>
    private static async Task<List<long>> MatchesAsync(Reads reads, ScimKind kind, IReadOnlyList<long> places, ScimFilter? filter, ScimPath? sort, bool descending, string at)
    {
        var paths = (filter?.Paths ?? []).Append(sort).Select(path => path?.Attribute?.Name).ToHashSet();
        var choice = new ScimChoice([], paths.Contains("groups") || paths.Contains("members") ? [] : ["groups", "members"]);
        var found = new List<(long Place, string? Key)>();
        foreach (var part in places.Chunk(Batch))
        {
            foreach (var (place, node) in await NodesOfAsync(reads, kind, part, choice, at))
            {
                if (filter?.Holds(node) != false)
                {
                    found.Add((place, sort is null ? null : Key(node, sort)));
                }
            }
        }

        if (sort is null)
        {
            return found.ConvertAll(one => one.Place);
        }

        var sorted = descending ? found.OrderBy(one => one.Key is null).ThenByDescending(one => one.Key, StringComparer.Ordinal) : found.OrderBy(one => one.Key is null).ThenBy(one => one.Key, StringComparer.Ordinal);
        return [.. sorted.Select(one => one.Place)];
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
