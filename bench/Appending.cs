using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Bench;

/// <summary>F1: how many facts a second 64 writers append durably, beside rows of the same bytes committed 64 at a time.</summary>
internal sealed class Appending : Question
{
    private const int Writers = 64;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(3);

    public override string Name => "append";

    public override string Asks => $"How many facts a second do {Writers} writers append to the log, each durable before it is told?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var disk = await Stage.SetAsync(new StageOptions { Database = false, Serve = false });
        await using var ram = await Stage.SetAsync(new StageOptions { Database = false, Serve = false, Root = "/dev/shm" });
        await using var onDisk = new SqliteStore(new SqliteOptions(Path.Combine(disk.Folder, "stint.db")));
        await using var onRam = new SqliteStore(new SqliteOptions(Path.Combine(ram.Folder, "stint.db")));
        await onDisk.OpenAsync(CancellationToken.None);
        await onRam.OpenAsync(CancellationToken.None);
        var measured = new Rounds(rounds);
        await AppendAsync(onRam, TimeSpan.FromSeconds(5));
        await measured.RunAsync(
        [
            ("disk", () => AppendAsync(onDisk, Length)),
            ("raw, disk", () => Task.FromResult(Raw(disk.Folder))),
            ("RAM", () => AppendAsync(onRam, Length)),
            ("raw, RAM", () => Task.FromResult(Raw(ram.Folder))),
        ]);
        return
        [
            measured.Alone("appended, disk", "facts/s", "disk", "≥ 30,000", rate => rate >= 30_000),
            measured.Compare("the same beside raw rows", "per s", "disk", "raw, disk", "≥ 0.8", ratio => ratio >= 0.8),
            measured.Alone("appended, RAM disk", "facts/s", "RAM", "≥ 30,000", rate => rate >= 30_000),
            measured.Compare("the same beside raw rows", "per s", "RAM", "raw, RAM", "", null),
        ];
    }

    private static async Task<double> AppendAsync(SqliteStore store, TimeSpan length)
    {
        var watch = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var done = 0;
            while (watch.Elapsed < length)
            {
                await store.WriteAsync(
                    work =>
                    {
                        work.Append(FactOf(writer, done));
                        return Task.CompletedTask;
                    },
                    CancellationToken.None);
                done++;
            }

            return done;
        })));
        return counts.Sum() / watch.Elapsed.TotalSeconds;
    }

    private static Fact FactOf(int writer, int number) => new(FactKinds.GrantOpened, DateTimeOffset.UnixEpoch.AddSeconds(number), Actor.Keeper)
    {
        ["request"] = $"req-{writer:d4}{number:d8}",
        ["grant"] = $"gr-{writer:d4}{number:d8}",
        ["role"] = "orders-db/read-only",
        ["state"] = "open",
    };

    // The same bytes in the same columns by one writer who has 64 of them at hand: no chain, no tree, nobody told.
    private static double Raw(string folder)
    {
        using var db = new SqliteConnection($"Data Source={Path.Combine(folder, "raw.db")};Pooling=false");
        db.Open();
        using var command = db.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS facts (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, leaf BLOB NOT NULL, request_id TEXT); "
            + "CREATE INDEX IF NOT EXISTS facts_request ON facts (request_id, seq)";
        command.ExecuteNonQuery();
        command.CommandText = "INSERT INTO facts (body, leaf, request_id) VALUES ($body, $leaf, $request)";
        var body = command.Parameters.AddWithValue("$body", FactOf(1, 1).Seal(1).Body);
        command.Parameters.AddWithValue("$leaf", new byte[TreeHash.Size]);
        var request = command.Parameters.AddWithValue("$request", "");
        var watch = Stopwatch.StartNew();
        var done = 0;
        while (watch.Elapsed < Length)
        {
            using var transaction = db.BeginTransaction();
            command.Transaction = transaction;
            for (var i = 0; i < Writers; i++)
            {
                request.Value = $"req-{i:d4}{done:d8}";
                command.ExecuteNonQuery();
                done++;
            }

            transaction.Commit();
        }

        return done / watch.Elapsed.TotalSeconds;
    }
}
