using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Stint.Bench;

/// <summary>C1 to C3: how many rule-allowed requests a second become durable grants, beside bare commits of one row; and how soon one is connected.</summary>
/// <remarks>Once on the disk, where a commit waits for its flush, and once on a RAM disk, where only the processor counts.</remarks>
internal sealed class Asking : Question
{
    private const int Seconds = 4;
    private const string Body = """{"role":"db/write","for_seconds":600,"reason":"bench","wait":false}""";

    private readonly List<double> _connected = [];

    public override string Name => "ask";

    public override string Asks => "How fast does an asking that a rule allows become a grant, and a connection?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        _connected.Clear();
        await using var disk = await Stage.SetAsync();
        await using var ram = await Stage.SetAsync(new StageOptions { Root = "/dev/shm", Database = false });
        await using var shared = await Stage.SetAsync(new StageOptions { PostgresStore = true });
        using var http = new HttpClient { BaseAddress = new Uri(disk.Address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", disk.AnnToken);
        foreach (var stage in (Stage[])[disk, ram, shared])
        {
            // Until the code that is asked most is compiled for good.
            await AskAsync(stage, 16, 8);
        }

        var insert = Path.Combine(disk.Folder, "insert.sql");
        await File.WriteAllTextAsync(insert, "INSERT INTO bench_rows VALUES ('0123456789012345678901234567890123456789012345678901234567890123456789');\n");
        await Stage.RunAsync("psql", ["-qc", "CREATE TABLE bench_rows (body TEXT)", "shop"], Stage.Peer(shared.DatabasePort));

        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("disk 1", () => AsksAsync(measured, "disk 1", disk, 1)),
            ("disk 64", () => AsksAsync(measured, "disk 64", disk, 64)),
            ("ram 1", () => AsksAsync(measured, "ram 1", ram, 1)),
            ("ram 64", () => AsksAsync(measured, "ram 64", ram, 64)),
            ("bare, disk", () => Task.FromResult(Commits(disk.Folder))),
            ("bare, RAM", () => Task.FromResult(Commits(ram.Folder))),
            ("postgres 64", () => AsksAsync(measured, "postgres 64", shared, 64)),
            ("pgbench 64", () => PgbenchAsync(shared, insert)),
            ("connected", async () => await ConnectedAsync(http)),
        ]);
        var all = _connected.Order().ToList();
        measured.Note("connected p99", all[(int)(all.Count * 0.99)]);
        return
        [
            measured.Alone("asks, 1 client, disk", "asks/s", "disk 1", "≥ 1,000", rate => rate >= 1_000),
            measured.Alone("the same, p50", "ms", "disk 1 p50", "≤ 1", took => took <= 1),
            measured.Compare("the same beside bare commits", "per s", "disk 1", "bare, disk", "", null),
            measured.Alone("asks, 64 clients, disk", "asks/s", "disk 64", "≥ 10,000", rate => rate >= 10_000),
            measured.Alone("the same, p99", "ms", "disk 64 p99", "", null),
            measured.Compare("the same beside bare commits", "per s", "disk 64", "bare, disk", "", null),
            measured.Alone("asks, 1 client, RAM disk", "asks/s", "ram 1", "≥ 1,000", rate => rate >= 1_000),
            measured.Alone("the same, p50", "ms", "ram 1 p50", "≤ 1", took => took <= 1),
            measured.Compare("the same beside bare commits", "per s", "ram 1", "bare, RAM", "", null),
            measured.Alone("asks, 64 clients, RAM disk", "asks/s", "ram 64", "≥ 10,000", rate => rate >= 10_000),
            measured.Alone("the same, p99", "ms", "ram 64 p99", "", null),
            measured.Alone("the server's CPU per ask", "µs", "ram 64 cpu", "", null),
            measured.Compare("PostgreSQL store, 64 clients", "per s", "postgres 64", "pgbench 64", "≥ 0.5", ratio => ratio >= 0.5),
            measured.Alone("asked to connected, p50", "ms", "connected", "≤ 50", took => took <= 50),
            measured.Alone($"asked to connected, p99 of {all.Count}", "ms", "connected p99", "≤ 200", took => took <= 200),
        ];
    }

    private static Task<Load> AskAsync(Stage stage, int clients, int seconds) => Load.RunAsync(stage.Folder, stage.Address + "/api/v1/requests", clients, seconds, stage.AnnToken, Body);

    private static async Task<double> AsksAsync(Rounds rounds, string name, Stage stage, int clients)
    {
        var before = Stage.Cpu(stage.Server);
        var load = await AskAsync(stage, clients, Seconds);
        rounds.Note(name + " p50", load.P50);
        rounds.Note(name + " p99", load.P99);
        rounds.Note(name + " cpu", (Stage.Cpu(stage.Server) - before) * 1e6 / load.Answers);
        return load.PerSecond;
    }

    private static async Task<JsonObject> SendAsync(HttpClient http, HttpMethod method, string path, JsonObject? body = null)
    {
        using var message = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await http.SendAsync(message);
        return answer.IsSuccessStatusCode
            ? (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStreamAsync())!
            : throw new InvalidOperationException($"{method} {path} was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }

    // What one writer reaches that does nothing but commit one row at a time, as durably.
    private static double Commits(string folder)
    {
        var file = Path.Combine(folder, "bare.db");
        using var db = new SqliteConnection($"Data Source={file};Pooling=false");
        db.Open();
        using var command = db.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS t (body TEXT)";
        command.ExecuteNonQuery();
        command.CommandText = "INSERT INTO t VALUES ('0123456789012345678901234567890123456789012345678901234567890123456789')";
        command.Prepare();
        var watch = Stopwatch.StartNew();
        var done = 0;
        for (; watch.Elapsed < TimeSpan.FromSeconds(1); done++)
        {
            command.ExecuteNonQuery();
        }

        return done / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> PgbenchAsync(Stage stage, string script)
    {
        var output = await Stage.RunAsync("pgbench", ["-n", "-c", "64", "-j", "1", "-T", $"{Seconds}", "-f", script, "shop"], Stage.Peer(stage.DatabasePort));
        var line = output.Split('\n').First(line => line.StartsWith("tps = ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<double> ConnectedAsync(HttpClient http)
    {
        var took = new List<double>();
        for (var time = 0; time < 20; time++)
        {
            var began = Stopwatch.GetTimestamp();
            var request = await SendAsync(http, HttpMethod.Post, "/api/v1/requests", new JsonObject { ["role"] = "db/write", ["for_seconds"] = 600, ["reason"] = "bench", ["wait"] = true });
            var id = (string)request["grant"]!["id"]!;
            var door = await SendAsync(http, HttpMethod.Post, $"/api/v1/grants/{id}/logins", []);
            await using (var connection = new NpgsqlConnection($"Host={door["host"]};Port={door["port"]};Username={door["login"]};Password={door["secret"]};Database=shop;Pooling=false;SSL Mode=Disable"))
            {
                await connection.OpenAsync();
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            // The next one is to make its account anew, as somebody does who has none.
            var grant = await SendAsync(http, HttpMethod.Post, $"/api/v1/grants/{id}/end", []);
            while ((string)grant["state"]! != "closed")
            {
                grant = await SendAsync(http, HttpMethod.Get, $"/api/v1/grants/{id}?wait_seconds=10&seen_version={grant["version"]}");
            }
        }

        _connected.AddRange(took);
        var sorted = took.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
