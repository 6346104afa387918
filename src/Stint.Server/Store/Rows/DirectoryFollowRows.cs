using System.Data.Common;

namespace Stint.Server.Store;

/// <summary>A person of the directory as policies see them.</summary>
internal sealed record DirectoryLine(string Id, string Key, bool Active, string Name, string? Mail, string? Manager, string Attributes);

/// <summary>One change of the directory.</summary>
/// <param name="Number">Counted from 1, in the order of the commits.</param>
/// <param name="Kind"><c>user</c>, <c>group</c>, <c>member</c>, <c>left</c> or <c>offboarded</c>.</param>
/// <param name="Id">Id of the user or the group; a name in small letters for the last two.</param>
/// <param name="Member">Id of the member; null for all but that kind.</param>
/// <param name="Takes">Whether it takes something away.</param>
internal sealed record DirectoryChange(long Number, string Kind, string Id, string? Member, bool Takes)
{
    /// <summary>In place of a group's id: what providers say of the groups of somebody, whose name in small letters is the member.</summary>
    public const string OfProviders = "providers";

    /// <summary>Whether it is about what providers say.</summary>
    public bool IsOfProviders => Kind == "member" && Id == OfProviders;
}

/// <summary>Somebody who was sent away here.</summary>
/// <param name="Name">In small letters.</param>
/// <param name="Person">As the catalog or the directory writes it.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
/// <param name="By">Who did it.</param>
internal sealed record Offboarded(string Name, string Person, string Reason, DateTimeOffset At, string By);

internal partial class Reads
{
    private const string LineColumns = "id, user_key, active, name, mail, manager_id, attributes";

    /// <summary>The directory's people and those who were made here; whom both have is the directory's.</summary>
    private const string Lines =
        $"SELECT {LineColumns} FROM directory_users UNION ALL SELECT 'local:' || name AS id, name AS user_key, 1 AS active, '' AS name, NULL AS mail, NULL AS manager_id, '{{}}' AS attributes FROM local_people "
        + "WHERE NOT EXISTS (SELECT 1 FROM directory_users WHERE directory_users.user_key = local_people.name)";

    /// <summary>The number of the last change; 0 before the first.</summary>
    public async ValueTask<long> DirectoryNumberAsync() => await Db.NumberAsync("SELECT MAX(number) FROM directory_log") ?? 0;

    /// <summary>The number of the oldest change that is kept; 0 for none.</summary>
    public async ValueTask<long> OldestDirectoryNumberAsync() => await Db.NumberAsync("SELECT MIN(number) FROM directory_log") ?? 0;

    /// <summary>Changes after a number, in their order.</summary>
    public ValueTask<List<DirectoryChange>> DirectoryChangesAsync(long after, int limit) =>
        Db.ListAsync("SELECT number, kind, id, member, takes FROM directory_log WHERE number > $1 ORDER BY number LIMIT $2", ReadDirectoryChange, after, limit);

    /// <summary>Changes that took something away, and whose consequences are not done.</summary>
    public ValueTask<List<DirectoryChange>> OpenDirectoryChangesAsync() =>
        Db.ListAsync("SELECT number, kind, id, member, takes FROM directory_log WHERE takes = 1 AND done = 0 ORDER BY number", ReadDirectoryChange);

    /// <summary>Whether a change takes something away that is after a number, or whose consequences are not done.</summary>
    public async ValueTask<bool> TakesDirectoryAsync(long after) =>
        await Db.NumberAsync("SELECT number FROM directory_log WHERE takes = 1 AND done = 0 UNION ALL SELECT number FROM directory_log WHERE number > $1 AND takes = 1 LIMIT 1", after) is not null;

    /// <summary>Everybody, or those of some ids.</summary>
    public ValueTask<List<DirectoryLine>> DirectoryLinesAsync(IEnumerable<string>? ids = null) => ids is null
        ? Db.ListAsync(Lines, ReadLine)
        : Db.ListAsync($"SELECT {LineColumns} FROM ({Lines}) AS lines WHERE {Db.In("id", 1)}", ReadLine, Db.TextList(ids));

    /// <summary>Id and name in small letters of every group, or of those of some ids.</summary>
    public ValueTask<List<(string Id, string Key)>> DirectoryGroupLinesAsync(IEnumerable<string>? ids = null) => ids is null
        ? Db.ListAsync("SELECT id, display_key FROM directory_groups", static row => (row.GetString(0), row.GetString(1)))
        : Db.ListAsync($"SELECT id, display_key FROM directory_groups WHERE {Db.In("id", 1)}", static row => (row.GetString(0), row.GetString(1)), Db.TextList(ids));

    /// <summary>Who is in which group: all, or of one group those among some.</summary>
    public ValueTask<List<(string Group, string Member, bool IsGroup)>> DirectoryMemberLinesAsync(string? group = null, IEnumerable<string>? among = null) => group is null
        ? Db.ListAsync("SELECT group_id, member_id, kind FROM directory_members", static row => (row.GetString(0), row.GetString(1), row.GetString(2) == "group"))
        : Db.ListAsync($"SELECT group_id, member_id, kind FROM directory_members WHERE group_id = $1 AND {Db.In("member_id", 2)}", static row => (row.GetString(0), row.GetString(1), row.GetString(2) == "group"), group, Db.TextList(among!));

    /// <summary>Names in small letters of those who left the directory or were sent away here.</summary>
    public ValueTask<List<string>> LeftNamesAsync() => Db.ListAsync("SELECT name FROM directory_left UNION SELECT name FROM offboarded", static row => row.GetString(0));

    /// <summary>Names in small letters of those who were sent away here.</summary>
    public ValueTask<List<string>> OffboardedNamesAsync() => Db.ListAsync("SELECT name FROM offboarded ORDER BY name", static row => row.GetString(0));

    /// <summary>Everybody of the directory, as facts tell of them.</summary>
    public ValueTask<List<(string Id, string Name, bool Active, long Version)>> DirectoryStandsAsync() => Db.ListAsync(
        "SELECT id, user_name, active, version FROM directory_users",
        static row =>
        {
            var c = new Columns(row);
            return (c.Text(), c.Text(), c.Flag(), c.Number());
        });

    /// <summary>Who was sent away under a name in small letters; null when nobody was.</summary>
    public ValueTask<Offboarded?> FindOffboardedAsync(string key) => Db.OneAsync(
        "SELECT name, person, reason, at, by_person FROM offboarded WHERE name = $1",
        static row =>
        {
            var c = new Columns(row);
            return new Offboarded(c.Text(), c.Text(), c.Text(), c.Time(), c.Text());
        },
        key);

    private static DirectoryLine ReadLine(DbDataReader row)
    {
        var c = new Columns(row);
        return new DirectoryLine(c.Text(), c.Text(), c.Flag(), c.Text(), c.TextOrNull(), c.TextOrNull(), c.Text());
    }

    private static DirectoryChange ReadDirectoryChange(DbDataReader row)
    {
        var c = new Columns(row);
        return new DirectoryChange(c.Number(), c.Text(), c.Text(), c.TextOrNull(), c.Flag());
    }
}

internal sealed partial class Work
{
    /// <summary>Sends somebody away, whatever the sources say of them.</summary>
    /// <returns>False when they are away already.</returns>
    public async ValueTask<bool> InsertAsync(Offboarded gone)
    {
        if (await Db.RunAsync(
            "INSERT INTO offboarded (name, person, reason, at, by_person) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING", gone.Name, gone.Person, gone.Reason, gone.At, gone.By) != 1)
        {
            return false;
        }

        await ChangedAsync("offboarded", gone.Name, null, takes: true);
        return true;
    }

    /// <summary>Keeps a person whom neither a catalog nor the directory knows.</summary>
    /// <param name="name">In small letters.</param>
    /// <param name="now">When.</param>
    public async ValueTask InsertLocalPersonAsync(string name, DateTimeOffset now)
    {
        if (await Db.RunAsync("INSERT INTO local_people (name, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, now) == 1)
        {
            await ChangedAsync("user", $"local:{name}", null, takes: false);
        }
    }

    /// <summary>Takes it back.</summary>
    /// <returns>False when they were not sent away.</returns>
    public async ValueTask<bool> ReturnAsync(string key)
    {
        if (await Db.RunAsync("DELETE FROM offboarded WHERE name = $1", key) != 1)
        {
            return false;
        }

        await ChangedAsync("offboarded", key, null, takes: false);
        return true;
    }

    /// <summary>Forgets old changes: a node that was away for longer reads everything anew.</summary>
    public ValueTask<int> ForgetDirectoryChangesAsync(long before) => Db.RunAsync("DELETE FROM directory_log WHERE number < $1 AND NOT (takes = 1 AND done = 0)", before);
}
