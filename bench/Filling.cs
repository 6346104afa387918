using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Stint.Server.Store;

namespace Stint.Bench;

/// <summary>Fills a SQLite store with open grants, far faster than asking for them would.</summary>
internal static class Filling
{
    private const int Resources = 50;
    private const int RolesEach = 10;

    /// <summary>How many persons hold something.</summary>
    public const int People = 2000;

    /// <summary>Most grants that can be made: each person at each role.</summary>
    public const int Most = People * Resources * RolesEach;

    /// <summary>A catalog in which all of them are known.</summary>
    public static string Catalog(string annHash)
    {
        var text = new StringBuilder($"people:\n  ann: {{ token: '{annHash}' }}\n");
        for (var i = 0; i < People; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  p{i}: {{}}\n");
        }

        text.Append("admins: [ann]\nresources:\n");
        for (var i = 0; i < Resources; i++)
        {
            var roles = string.Join(", ", Enumerable.Range(0, RolesEach).Select(role => $"r{role}: {{ member_of: [pg_read_all_data] }}"));
            text.Append(CultureInfo.InvariantCulture, $"  db{i}:\n    kind: postgres\n    owners: [person:p0]\n    settings: {{ host: 127.0.0.1, port: 1, database: d, username: u, password: {{ env: DB_PASSWORD }}, tls: disable }}\n    roles: {{ {roles} }}\n");
        }

        text.Append("policies:\n  bench: { who: 'person:ann', roles: ['*/*'], for: { default: 1h, max: 4h }, approve: { auto: true } }\n");
        return text.ToString();
    }

    /// <summary>Makes the store and fills it. Every grant is open, with its request and its assignment, which stands.</summary>
    /// <param name="path">The store's file; made here.</param>
    /// <param name="count">How many.</param>
    /// <param name="until">When they all end.</param>
    public static async Task FillAsync(string path, int count, DateTimeOffset until)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using (var store = new SqliteStore(new SqliteOptions(path)))
        {
            await store.OpenAsync(CancellationToken.None);
        }

        await using var db = new SqliteConnection($"Data Source={path};Pooling=false");
        await db.OpenAsync();
        var guards = new List<(string Name, string Sql)>();
        await using (var command = Command(db, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        await using (var row = await command.ExecuteReaderAsync())
        {
            while (await row.ReadAsync())
            {
                guards.Add((row.GetString(0), row.GetString(1)));
            }
        }

        // The guards say that a grant begins as ready; they are away while history is written, as for a restore.
        var end = (until - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var names = $"printf('p%d', n % {People}), printf('db%d', (n / {People}) % {Resources}), printf('r%d', n / {People * Resources})";
        var numbers = $"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})";
        var begin = end - 3_600_000_000L;
        await RunAsync(db, "PRAGMA cache_size = -400000; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN");
        foreach (var (name, _) in guards)
        {
            await RunAsync(db, $"DROP TRIGGER {name}");
        }

        const string verdict = """{"outcome":"allow","decided_by":["bench"],"terms":{"for_seconds":3600,"max_seconds":3600,"record":"default","lapses_after_seconds":86400,"begin_within_seconds":28800},"trace":[{"rule":"bench","outcome":"decided","because":"it allows this by rule"}]}""";
        await RunAsync(db, $"{numbers} INSERT INTO requests (id, subject, resource, role, state, version, asked_at, lasts, opening, reason, catalog_version, verdict, lapses_at, begin_within, decided_at, digest) "
            + $"SELECT printf('req-%012d', n), {names}, 'approved', 1, {begin}, 3600000000, 'on_approval', 'bench', 'none', '{verdict}', {end}, 28800000000, {begin}, printf('%064d', n) FROM numbers");
        await RunAsync(db, $"{numbers} INSERT INTO assignments (id, subject, resource, role, state, version, catalog_version, account, until_at, attempts, fence) "
            + $"SELECT printf('as-%012d', n), {names}, 'standing', 1, 'none', printf('stint_%d', n), {end}, 0, 1 FROM numbers");
        await RunAsync(db, $"{numbers} INSERT INTO grants (id, request_id, subject, resource, role, state, version, ready_at, lasts, lapses_at, assignment_id, begun_at, not_before, not_after, record) "
            + $"SELECT printf('gr-%012d', n), printf('req-%012d', n), {names}, 'open', 1, {begin}, 3600000000, {end}, printf('as-%012d', n), {begin}, {begin}, {end} + n, 'default' FROM numbers");
        foreach (var (_, sql) in guards)
        {
            await RunAsync(db, sql);
        }

        await RunAsync(db, "COMMIT; PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
    }

    private static SqliteCommand Command(SqliteConnection db, string sql)
    {
        var command = db.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText = sql;
        return command;
    }

    private static async Task RunAsync(SqliteConnection db, string sql)
    {
        await using var command = Command(db, sql);
        await command.ExecuteNonQueryAsync();
    }
}
