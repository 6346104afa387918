using System.Data.Common;

namespace Stint.Server.Store;

/// <summary>A person of the directory.</summary>
internal sealed record DirectoryUser
{
    /// <summary>Its place, in the order of coming; 0 for one that is not kept yet.</summary>
    public long Seq { get; init; }

    public required string Id { get; init; }

    /// <summary>As it is told to clients, without what is derived; JSON.</summary>
    public required string Body { get; init; }

    public required long Version { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }
}

/// <summary>What of a person is looked up by, and what policies see.</summary>
/// <param name="UserName">The name.</param>
/// <param name="ExternalId">The directory's own; null for none.</param>
/// <param name="Active">Whether they may do anything.</param>
/// <param name="Display">The name as it is shown; null for none. This and the following are in small letters.</param>
/// <param name="Given">Given name.</param>
/// <param name="Family">Family name.</param>
/// <param name="Mails">Addresses, a new line before, between and after them.</param>
/// <param name="Title">What they are.</param>
/// <param name="Department">Where they are.</param>
/// <param name="Employee">Their number.</param>
/// <param name="Type">How they belong to the organization.</param>
/// <param name="Manager">Id of the manager; null for none.</param>
/// <param name="Name">For people; empty for none.</param>
/// <param name="Mail">The address that is written to; null for none.</param>
/// <param name="Attributes">What conditions see, as JSON.</param>
/// <param name="Values">What is found by value alone.</param>
internal sealed record DirectoryKeys(
    string UserName,
    string? ExternalId,
    bool Active,
    string? Display,
    string? Given,
    string? Family,
    string? Mails,
    string? Title,
    string? Department,
    string? Employee,
    string? Type,
    string? Manager,
    string Name,
    string? Mail,
    string Attributes,
    IReadOnlyList<DirectoryValue> Values)
{
    public string Key { get; } = UserName.ToLowerInvariant();
}

/// <summary>A value that no column holds.</summary>
/// <param name="Path">Which attribute or part, as it is written.</param>
/// <param name="Key">The value, in small letters unless capitals count.</param>
/// <param name="Item">Of many values which, from 0.</param>
/// <param name="Chosen">Whether it is of the one that is sorted by: the primary one, or the first.</param>
internal sealed record DirectoryValue(string Path, string Key, int Item, bool Chosen);

/// <summary>A group of the directory.</summary>
internal sealed record DirectoryGroup
{
    public long Seq { get; init; }

    public required string Id { get; init; }

    public required string DisplayName { get; init; }

    public string? ExternalId { get; init; }

    public required long Version { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    public string Key => DisplayName.ToLowerInvariant();
}

/// <summary>Who is in a group.</summary>
/// <param name="Group">Id of the group.</param>
/// <param name="Id">Id of the member.</param>
/// <param name="IsGroup">Whether it is a group itself.</param>
/// <param name="Display">Name of the member, or of the group, whichever was looked for.</param>
internal sealed record DirectoryMember(string Group, string Id, bool IsGroup, string Display);

/// <summary>A condition on the columns of users or groups.</summary>
/// <param name="Sql">Ready for <c>WHERE</c>; its parameters count from 1.</param>
/// <param name="Args">Their values.</param>
internal sealed record DirectoryWhere(string Sql, IReadOnlyList<object?> Args)
{
    public static DirectoryWhere All { get; } = new("1 = 1", []);
}

internal partial class Reads
{
    private const string UserColumns = "seq, id, body, version, created_at, changed_at";
    private const string UserTable = "directory_users JOIN directory_bodies ON directory_bodies.user_id = directory_users.id";
    private const string GroupColumns = "seq, id, display_name, external_id, version, created_at, changed_at";

    public ValueTask<DirectoryUser?> FindDirectoryUserAsync(string id) =>
        Db.OneAsync($"SELECT {UserColumns} FROM {UserTable} WHERE id = $1", ReadUser, id);

    public ValueTask<DirectoryGroup?> FindDirectoryGroupAsync(string id) =>
        Db.OneAsync($"SELECT {GroupColumns} FROM directory_groups WHERE id = $1", ReadGroup, id);

    /// <summary>Id of the user with a name in small letters; null when there is none.</summary>
    public ValueTask<string?> DirectoryUserIdAsync(string key) => Db.OneAsync("SELECT id FROM directory_users WHERE user_key = $1", static row => row.GetString(0), key);

    /// <summary>Id of the group with a name in small letters; null when there is none.</summary>
    public ValueTask<string?> DirectoryGroupIdAsync(string key) => Db.OneAsync("SELECT id FROM directory_groups WHERE display_key = $1", static row => row.GetString(0), key);

    /// <summary>How many fulfil a condition.</summary>
    public async ValueTask<long> CountDirectoryAsync(bool groups, DirectoryWhere where) =>
        await Db.NumberAsync($"SELECT COUNT(*) FROM {(groups ? "directory_groups" : "directory_users")} WHERE {where.Sql}", [.. where.Args]) ?? 0;

    /// <summary>A page of users.</summary>
    /// <param name="where">Which.</param>
    /// <param name="order">Columns, ready for <c>ORDER BY</c>.</param>
    /// <param name="offset">How many are passed over.</param>
    /// <param name="limit">How many at most.</param>
    public ValueTask<List<DirectoryUser>> DirectoryUsersAsync(DirectoryWhere where, string order, long offset, int limit) => Db.ListAsync(
        $"SELECT {UserColumns} FROM {UserTable} WHERE seq IN (SELECT seq FROM directory_users WHERE {where.Sql} ORDER BY {order} LIMIT ${where.Args.Count + 1} OFFSET ${where.Args.Count + 2}) ORDER BY {order}",
        ReadUser,
        [.. where.Args, limit, offset]);

    /// <summary>The places of those that fulfil a condition, in their order: for a look at each.</summary>
    public ValueTask<List<long>> DirectorySeqsAsync(bool groups, DirectoryWhere where) =>
        Db.ListAsync($"SELECT seq FROM {(groups ? "directory_groups" : "directory_users")} WHERE {where.Sql} ORDER BY seq", static row => row.GetInt64(0), [.. where.Args]);

    /// <summary>The places of some that fulfil a condition, in any order.</summary>
    public ValueTask<List<long>> FirstDirectorySeqsAsync(bool groups, DirectoryWhere where, int limit) => Db.ListAsync(
        $"SELECT seq FROM {(groups ? "directory_groups" : "directory_users")} WHERE {where.Sql} LIMIT ${where.Args.Count + 1}", static row => row.GetInt64(0), [.. where.Args, limit]);

    /// <summary>A page of groups.</summary>
    /// <inheritdoc cref="DirectoryUsersAsync"/>
    public ValueTask<List<DirectoryGroup>> DirectoryGroupsAsync(DirectoryWhere where, string order, long offset, int limit) => Db.ListAsync(
        $"SELECT {GroupColumns} FROM directory_groups WHERE {where.Sql} ORDER BY {order} LIMIT ${where.Args.Count + 1} OFFSET ${where.Args.Count + 2}",
        ReadGroup,
        [.. where.Args, limit, offset]);

    /// <summary>The members of groups, in the order of their ids.</summary>
    public async ValueTask<List<DirectoryMember>> DirectoryMembersAsync(IEnumerable<string> groups)
    {
        var list = Db.TextList(groups);
        var users = await Db.ListAsync(
            $"SELECT group_id, member_id, CASE WHEN name = '' THEN user_name ELSE name END FROM directory_members JOIN directory_users ON directory_users.id = member_id WHERE {Db.In("group_id", 1)} AND kind = 'user' ORDER BY group_id, member_id",
            static row => new DirectoryMember(row.GetString(0), row.GetString(1), false, row.GetString(2)),
            list);
        users.AddRange(await Db.ListAsync(
            $"SELECT group_id, member_id, display_name FROM directory_members JOIN directory_groups ON directory_groups.id = member_id WHERE {Db.In("group_id", 1)} AND kind = 'group' ORDER BY group_id, member_id",
            static row => new DirectoryMember(row.GetString(0), row.GetString(1), true, row.GetString(2)),
            list));
        return users;
    }

    /// <summary>The groups that members are in directly; the display is the group's.</summary>
    public ValueTask<List<DirectoryMember>> DirectoryGroupsOfAsync(IEnumerable<string> members) => Db.ListAsync(
        $"SELECT group_id, member_id, kind, display_name FROM directory_members JOIN directory_groups ON directory_groups.id = group_id WHERE {Db.In("member_id", 1)} ORDER BY member_id, group_id",
        static row => new DirectoryMember(row.GetString(0), row.GetString(1), row.GetString(2) == "group", row.GetString(3)),
        Db.TextList(members));

    /// <summary>Ids of those members of a group that are among some; of all when none are named.</summary>
    public ValueTask<List<string>> DirectoryMemberIdsAsync(string group, IReadOnlyList<string>? among = null) => among is null
        ? Db.ListAsync("SELECT member_id FROM directory_members WHERE group_id = $1 ORDER BY member_id", static row => row.GetString(0), group)
        : Db.ListAsync($"SELECT member_id FROM directory_members WHERE group_id = $1 AND {Db.In("member_id", 2)} ORDER BY member_id", static row => row.GetString(0), group, Db.TextList(among));

    /// <summary>Which of some ids are there, users and groups.</summary>
    public async ValueTask<Dictionary<string, bool>> DirectoryIdsAsync(IEnumerable<string> ids)
    {
        var list = Db.TextList(ids);
        var found = (await Db.ListAsync($"SELECT id FROM directory_users WHERE {Db.In("id", 1)}", static row => row.GetString(0), list)).ToDictionary(id => id, _ => false, StringComparer.Ordinal);
        foreach (var group in await Db.ListAsync($"SELECT id FROM directory_groups WHERE {Db.In("id", 1)}", static row => row.GetString(0), list))
        {
            found[group] = true;
        }

        return found;
    }

    private static DirectoryUser ReadUser(DbDataReader row)
    {
        var c = new Columns(row);
        return new DirectoryUser { Seq = c.Number(), Id = c.Text(), Body = c.Text(), Version = c.Number(), CreatedAt = c.Time(), ChangedAt = c.Time() };
    }

    private static DirectoryGroup ReadGroup(DbDataReader row)
    {
        var c = new Columns(row);
        return new DirectoryGroup { Seq = c.Number(), Id = c.Text(), DisplayName = c.Text(), ExternalId = c.TextOrNull(), Version = c.Number(), CreatedAt = c.Time(), ChangedAt = c.Time() };
    }
}

internal sealed partial class Work
{
    /// <summary>Makes whoever changes the directory wait until this write is over: changes are numbered in the order of their commits.</summary>
    public ValueTask AloneWithDirectoryAsync() => Db.AloneWithAsync("directory");

    public async ValueTask InsertAsync(DirectoryUser user, DirectoryKeys keys)
    {
        await Db.RunAsync(
            "INSERT INTO directory_users (id, user_name, user_key, external_id, active, display_key, given_key, family_key, mail_keys, title_key, department_key, employee_key, type_key, manager_id, name, mail, attributes, version, created_at, changed_at) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1, $18, $18)",
            [user.Id, .. Values(keys), user.CreatedAt]);
        await Db.RunAsync("INSERT INTO directory_bodies (user_id, body, valued) VALUES ($1, $2, 1)", user.Id, user.Body);
        await InsertMailsAsync(user.Id, keys);
        await InsertValuesAsync(user.Id, keys.Values);
        await ThereAgainAsync(keys.Key);
        await ChangedAsync("user", user.Id, null, !keys.Active);
    }

    /// <param name="user">As it shall be; its version is the next.</param>
    /// <param name="keys">What it is looked up by.</param>
    /// <param name="takes">Whether it takes anything away.</param>
    public async ValueTask UpdateAsync(DirectoryUser user, DirectoryKeys keys, bool takes)
    {
        await Db.RunAsync(
            "UPDATE directory_users SET user_name = $2, user_key = $3, external_id = $4, active = $5, display_key = $6, given_key = $7, family_key = $8, mail_keys = $9, title_key = $10, department_key = $11, "
            + "employee_key = $12, type_key = $13, manager_id = $14, name = $15, mail = $16, attributes = $17, version = $18, changed_at = $19 WHERE id = $1",
            [user.Id, .. Values(keys), user.Version, user.ChangedAt]);
        await Db.RunAsync("UPDATE directory_bodies SET body = $2, valued = 1 WHERE user_id = $1", user.Id, user.Body);
        await Db.RunAsync("DELETE FROM directory_mails WHERE user_id = $1", user.Id);
        await InsertMailsAsync(user.Id, keys);
        await ValuesAsync(user.Id, keys.Values);
        await ThereAgainAsync(keys.Key);
        await ChangedAsync("user", user.Id, null, takes);
    }

    /// <summary>Forgets a user but for the name: the catalog may still know it.</summary>
    public async ValueTask DeleteUserAsync(string id, string key, DateTimeOffset now)
    {
        foreach (var member in await DirectoryGroupsOfAsync([id]))
        {
            await TouchGroupAsync(member.Group, now);
        }

        await Db.RunAsync("DELETE FROM directory_members WHERE member_id = $1", id);
        await Db.RunAsync("DELETE FROM directory_users WHERE id = $1", id);
        await ChangedAsync("user", id, null, takes: true);
        await LeftAsync(key, now);
    }

    /// <summary>Notes that a name is in the directory no more.</summary>
    public async ValueTask LeftAsync(string key, DateTimeOffset now)
    {
        await Db.RunAsync("INSERT INTO directory_left (name, left_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET left_at = excluded.left_at", key, now);
        await ChangedAsync("left", key, null, takes: true);
    }

    private async ValueTask InsertMailsAsync(string id, DirectoryKeys keys)
    {
        foreach (var mail in keys.Mails?.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal) ?? [])
        {
            await Db.LaterAsync("INSERT INTO directory_mails (mail_key, user_id) VALUES ($1, $2)", mail, id);
        }
    }

    private async ValueTask ThereAgainAsync(string key)
    {
        if (await Db.RunAsync("DELETE FROM directory_left WHERE name = $1", key) > 0)
        {
            await ChangedAsync("left", key, null, takes: false);
        }

        // NB. From now on the directory says in which groups they are and what is known of them, and no provider.
        if (await Db.RunAsync("DELETE FROM provider_groups WHERE name = $1", key) + await Db.RunAsync("DELETE FROM provider_attributes WHERE name = $1", key) > 0)
        {
            await ChangedAsync("member", DirectoryChange.OfProviders, key, takes: true);
        }
    }

    public async ValueTask InsertAsync(DirectoryGroup group)
    {
        await Db.RunAsync(
            "INSERT INTO directory_groups (id, display_name, display_key, external_id, version, created_at, changed_at) VALUES ($1, $2, $3, $4, 1, $5, $5)",
            group.Id,
            group.DisplayName,
            group.Key,
            group.ExternalId,
            group.CreatedAt);
        await ChangedAsync("group", group.Id, null, takes: false);
    }

    /// <inheritdoc cref="UpdateAsync(DirectoryUser, DirectoryKeys, bool)"/>
    public async ValueTask UpdateAsync(DirectoryGroup group, bool takes)
    {
        await Db.RunAsync(
            "UPDATE directory_groups SET display_name = $2, display_key = $3, external_id = $4, version = $5, changed_at = $6 WHERE id = $1",
            group.Id,
            group.DisplayName,
            group.Key,
            group.ExternalId,
            group.Version,
            group.ChangedAt);
        await ChangedAsync("group", group.Id, null, takes);
    }

    public async ValueTask DeleteGroupAsync(string id, DateTimeOffset now)
    {
        foreach (var member in await DirectoryGroupsOfAsync([id]))
        {
            await TouchGroupAsync(member.Group, now);
        }

        await Db.RunAsync("DELETE FROM directory_members WHERE member_id = $1 OR group_id = $1", id);
        await Db.RunAsync("DELETE FROM directory_groups WHERE id = $1", id);
        await ChangedAsync("group", id, null, takes: true);
    }

    public async ValueTask AddMemberAsync(string group, string member, bool isGroup)
    {
        await Db.RunAsync("INSERT INTO directory_members (group_id, member_id, kind) VALUES ($1, $2, $3)", group, member, isGroup ? "group" : "user");
        await ChangedAsync("member", group, member, takes: false);
    }

    public async ValueTask RemoveMemberAsync(string group, string member)
    {
        await Db.RunAsync("DELETE FROM directory_members WHERE group_id = $1 AND member_id = $2", group, member);
        await ChangedAsync("member", group, member, takes: true);
    }

    /// <summary>Says that what these changes took away is taken away.</summary>
    public ValueTask<int> DirectoryDoneAsync(long upTo) => Db.RunAsync("UPDATE directory_log SET done = 1 WHERE takes = 1 AND done = 0 AND number <= $1", upTo);

    private ValueTask<int> TouchGroupAsync(string id, DateTimeOffset now) =>
        Db.RunAsync("UPDATE directory_groups SET version = version + 1, changed_at = CASE WHEN changed_at > $2 THEN changed_at ELSE $2 END WHERE id = $1", id, now);

    private async ValueTask ChangedAsync(string kind, string id, string? member, bool takes)
    {
        await Db.RunAsync(
            "INSERT INTO directory_log (number, kind, id, member, takes) SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4 FROM directory_log", kind, id, member, takes);
        Wake(Wakes.Directory);
    }

    private static object?[] Values(DirectoryKeys keys) =>
    [
        keys.UserName, keys.Key, keys.ExternalId, keys.Active, keys.Display, keys.Given, keys.Family, keys.Mails, keys.Title, keys.Department, keys.Employee, keys.Type, keys.Manager, keys.Name, keys.Mail, keys.Attributes,
    ];
}
