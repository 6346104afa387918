namespace Stint.Server.Store;

/// <summary>One process of the installation.</summary>
/// <param name="Name">Its name, unique while it runs.</param>
/// <param name="Roles">What it does (<c>control,gateway</c>).</param>
/// <param name="Version">Its program version.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="SeenAt">When it last said that it lives.</param>
internal sealed record Node(string Name, string Roles, string Version, DateTimeOffset StartedAt, DateTimeOffset SeenAt);

/// <summary>Figures for <c>stint status</c> and the metrics.</summary>
internal sealed record Counts(long PendingRequests, long ReadyGrants, long OpenGrants, long EndingGrants, long StuckRemovals, long LiveSessions, long Facts, long OpenReviews, long OverdueReviews);

internal partial class Reads
{
    /// <summary>Every node that did not say goodbye.</summary>
    public ValueTask<List<Node>> NodesAsync() => Db.ListAsync(
        "SELECT name, roles, version, started_at, seen_at FROM nodes ORDER BY name",
        static row =>
        {
            var c = new Columns(row);
            return new Node(c.Text(), c.Text(), c.Text(), c.Time(), c.Time());
        });

    /// <summary>A moment that has surely been, by what is on record: the last fact, and the last sign of life of any node. Null when no access is open that a clock could lengthen.</summary>
    public async ValueTask<DateTimeOffset?> KnownMomentAsync() => await Db.NumberAsync(
        "SELECT MAX(at) FROM (SELECT MAX(seen_at) AS at FROM nodes UNION ALL SELECT at FROM facts WHERE seq = (SELECT MAX(seq) FROM facts)) AS known "
        + "WHERE EXISTS (SELECT 1 FROM grants WHERE state = 'open')") is { } micros ? Stored.Time(micros) : null;

    /// <summary>Counts by index; a million open grants cost milliseconds.</summary>
    public async ValueTask<Counts> CountsAsync() => (await Db.OneAsync(
        "SELECT (SELECT COUNT(*) FROM requests WHERE state = 'pending'), "
        + "(SELECT COUNT(*) FROM grants WHERE state = 'ready'), "
        + "(SELECT COUNT(*) FROM grants WHERE state = 'open'), "
        + "(SELECT COUNT(*) FROM grants WHERE state IN ('opening', 'closing')), "
        + "(SELECT COUNT(*) FROM assignments WHERE stuck_since IS NOT NULL), "
        + "(SELECT COUNT(*) FROM sessions WHERE state = 'live'), "
        + "(SELECT size FROM log_head), "
        + "(SELECT COUNT(*) FROM reviews WHERE state = 'open'), "
        + "(SELECT COUNT(*) FROM reviews WHERE state = 'open' AND overdue_at IS NOT NULL)",
        static row =>
        {
            var c = new Columns(row);
            return new Counts(c.Number(), c.Number(), c.Number(), c.Number(), c.Number(), c.Number(), c.Number(), c.Number(), c.Number());
        }))!;

    /// <summary>A setting of the installation (its identifier, its sealed signing key); null when it was never kept.</summary>
    public async ValueTask<string?> FindSettingAsync(string name) =>
        await Db.OneAsync("SELECT value FROM settings WHERE name = $1", static row => row.GetString(0), name);
}

internal sealed partial class Work
{
    /// <summary>Says that a node lives.</summary>
    public ValueTask<int> BeatAsync(Node node) => Db.RunAsync(
        "INSERT INTO nodes (name, roles, version, started_at, seen_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET "
        + "roles = excluded.roles, version = excluded.version, started_at = excluded.started_at, seen_at = excluded.seen_at",
        node.Name,
        node.Roles,
        node.Version,
        node.StartedAt,
        node.SeenAt);

    /// <summary>Takes a node off the list: it said goodbye, or was found dead.</summary>
    public ValueTask<int> ForgetNodeAsync(string name) => Db.RunAsync("DELETE FROM nodes WHERE name = $1", name);

    /// <summary>Keeps a setting unless one stands already.</summary>
    /// <returns>The value that stands now: two nodes that start at once agree.</returns>
    public async ValueTask<string> KeepSettingAsync(string name, string value)
    {
        await Db.RunAsync("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, value);
        return (await FindSettingAsync(name))!;
    }

    /// <summary>Keeps a setting, whatever stood there.</summary>
    public ValueTask<int> SetSettingAsync(string name, string value) => Db.RunAsync(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value);
}
