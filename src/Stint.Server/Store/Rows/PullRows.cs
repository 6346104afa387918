using System.Data.Common;

namespace Stint.Server.Store;

/// <summary>How the pulling from the directory stands.</summary>
/// <param name="Node">Whose turn it is.</param>
/// <param name="Fence">The number of that turn; the next holder's is higher.</param>
/// <param name="Since">When it was begun at all.</param>
/// <param name="GoodAt">When a pull was taken over last, whether anything had changed or not; null for never.</param>
/// <param name="Trouble">Why the last one was not; null when it was.</param>
/// <param name="Leaving">How many people the last one would have taken something from, and was refused for; null when it was not.</param>
/// <param name="LeavingOf">Of how many.</param>
/// <param name="Silent">Whether it was said that there is none for too long.</param>
/// <param name="Notes">What was passed over, in sentences.</param>
internal sealed record DirectoryPull(string Node, long Fence, DateTimeOffset Since, DateTimeOffset? GoodAt, string? Trouble, long? Leaving, long? LeavingOf, bool Silent, IReadOnlyList<string> Notes)
{
    /// <summary>What names those people and what they lose; null when nobody was refused.</summary>
    public string? Mark { get; init; }

    /// <summary>Who they are, as far as it was kept.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>The same as <see cref="Mark"/> once an admin has confirmed it; else null.</summary>
    public string? Confirmed { get; init; }
}

/// <summary>Who would have lost something by a pull that was refused.</summary>
/// <param name="Leaving">How many.</param>
/// <param name="Of">Of how many.</param>
/// <param name="Mark">What names them and what they lose.</param>
/// <param name="Names">Who they are, as far as it is kept.</param>
internal sealed record RefusedPull(long Leaving, long Of, string Mark, IReadOnlyList<string> Names);

/// <summary>A user that is kept, as it is compared with what is told.</summary>
/// <param name="User">The row.</param>
/// <param name="External">The directory's own name of it; null for none.</param>
/// <param name="Key">Its name in small letters.</param>
/// <param name="Active">Whether they may do anything.</param>
internal sealed record HeldUser(DirectoryUser User, string? External, string Key, bool Active);

internal partial class Reads
{
    /// <summary>How the pulling stands; null before the first.</summary>
    public ValueTask<DirectoryPull?> FindPullAsync() => Db.OneAsync(
        "SELECT node, fence, since, good_at, trouble, leaving, leaving_of, silent, notes, leaving_mark, leaving_names, confirmed FROM directory_pull",
        static row =>
        {
            var c = new Columns(row);
            return new DirectoryPull(
                c.Text(), c.Number(), c.Time(), c.TimeOrNull(), c.TextOrNull(), c.NumberOrNull(), c.NumberOrNull(), c.Flag(), c.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Mark = c.TextOrNull(),
                Names = c.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries),
                Confirmed = c.TextOrNull(),
            };
        });

    /// <summary>Everybody who is kept, or those of some outside names or names in small letters.</summary>
    public ValueTask<List<HeldUser>> HeldUsersAsync(IEnumerable<string>? externals = null, IEnumerable<string>? keys = null)
    {
        const string Columns = "seq, id, body, version, created_at, changed_at, external_id, user_key, active";
        return externals is null
            ? Db.ListAsync($"SELECT {Columns} FROM {UserTable}", ReadHeld)
            : Db.ListAsync($"SELECT {Columns} FROM {UserTable} WHERE {Db.In("external_id", 1)} OR {Db.In("user_key", 2)}", ReadHeld, Db.TextList(externals), Db.TextList(keys ?? []));
    }

    /// <summary>Every group that is kept, or those of some outside names or names in small letters.</summary>
    public ValueTask<List<DirectoryGroup>> HeldGroupsAsync(IEnumerable<string>? externals = null, IEnumerable<string>? keys = null) => externals is null
        ? Db.ListAsync($"SELECT {GroupColumns} FROM directory_groups", ReadGroup)
        : Db.ListAsync($"SELECT {GroupColumns} FROM directory_groups WHERE {Db.In("external_id", 1)} OR {Db.In("display_key", 2)}", ReadGroup, Db.TextList(externals), Db.TextList(keys ?? []));

    /// <summary>Who is in some groups.</summary>
    public ValueTask<List<(string Group, string Member, bool IsGroup)>> HeldMembersAsync(IEnumerable<string> groups) => Db.ListAsync(
        $"SELECT group_id, member_id, kind FROM directory_members WHERE {Db.In("group_id", 1)}", static row => (row.GetString(0), row.GetString(1), row.GetString(2) == "group"), Db.TextList(groups));

    /// <summary>How many of the directory may do something.</summary>
    public async ValueTask<long> ActiveUsersAsync() => await Db.NumberAsync("SELECT COUNT(*) FROM directory_users WHERE active = 1") ?? 0;

    private static HeldUser ReadHeld(DbDataReader row)
    {
        var c = new Columns(row);
        return new HeldUser(new DirectoryUser { Seq = c.Number(), Id = c.Text(), Body = c.Text(), Version = c.Number(), CreatedAt = c.Time(), ChangedAt = c.Time() }, c.TextOrNull(), c.Text(), c.Flag());
    }
}

internal sealed partial class Work
{
    /// <summary>Takes the turn of pulling, or goes on with one's own.</summary>
    /// <returns>Its number; null while it is another's.</returns>
    public async ValueTask<long?> TakePullAsync(string node, DateTimeOffset now, DateTimeOffset until)
    {
        await Db.RunAsync(
            "INSERT INTO directory_pull (only_one, node, fence, held_until, since) VALUES (1, $1, 1, $3, $2) ON CONFLICT (only_one) DO UPDATE SET "
            + "fence = CASE WHEN directory_pull.node = excluded.node THEN directory_pull.fence ELSE directory_pull.fence + 1 END, node = excluded.node, held_until = excluded.held_until "
            + "WHERE directory_pull.node = excluded.node OR directory_pull.held_until <= $2",
            node,
            now,
            until);
        return await Db.NumberAsync("SELECT fence FROM directory_pull WHERE node = $1", node);
    }

    /// <summary>Goes on with a turn.</summary>
    /// <returns>False when it is another's by now.</returns>
    public async ValueTask<bool> KeepPullAsync(long fence, DateTimeOffset until) =>
        await Db.RunAsync("UPDATE directory_pull SET held_until = $2 WHERE fence = $1", fence, until) == 1;

    /// <summary>Notes what came of a pull.</summary>
    /// <param name="fence">The number of the turn; another's by now notes nothing.</param>
    /// <param name="goodAt">When it was taken over; null when it was not.</param>
    /// <param name="trouble">Why not.</param>
    /// <param name="refused">Who would have lost something; null when that was not why. What was confirmed of others is void.</param>
    /// <param name="notes">What was passed over; null to leave what is noted.</param>
    public async ValueTask<bool> NotePullAsync(long fence, DateTimeOffset? goodAt, string? trouble, RefusedPull? refused, IReadOnlyList<string>? notes) => await Db.RunAsync(
        "UPDATE directory_pull SET good_at = CASE WHEN $2 > good_at OR good_at IS NULL THEN COALESCE($2, good_at) ELSE good_at END, trouble = $3, leaving = $4, leaving_of = $5, notes = COALESCE($6, notes), "
        + "leaving_mark = $7, leaving_names = $8, confirmed = CASE WHEN confirmed = $7 THEN confirmed ELSE NULL END WHERE fence = $1",
        fence,
        goodAt,
        trouble,
        refused?.Leaving,
        refused?.Of,
        notes is null ? null : string.Join('\n', notes),
        refused?.Mark,
        string.Join('\n', refused?.Names ?? [])) == 1;

    /// <summary>Confirms those who were refused last.</summary>
    /// <returns>False when they are others by now, or confirmed.</returns>
    public async ValueTask<bool> ConfirmPullAsync(string mark) => await Db.RunAsync("UPDATE directory_pull SET confirmed = $1 WHERE leaving_mark = $1 AND confirmed IS NULL", mark) == 1;

    /// <summary>Says that there was no good pull for too long, or that there is one again.</summary>
    /// <returns>False when it is said already.</returns>
    public async ValueTask<bool> SilentPullAsync(bool silent) => await Db.RunAsync("UPDATE directory_pull SET silent = $1 WHERE silent <> $1", silent) == 1;
}
