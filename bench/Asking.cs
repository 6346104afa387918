using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Stint.Bench;

/// <summary>C1 and C3: how many rule-allowed requests a second become durable grants, beside a bare loop of SQLite commits; and how soon one is connected.</summary>
internal sealed class Asking : Question
{
    private const int Seconds = 3;

    public override string Name => "ask";

    public override string Asks => "How fast does an asking that a rule allows become a grant, and a connection?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync();
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64, PooledConnectionLifetime = Timeout.InfiniteTimeSpan }) { BaseAddress = new Uri(stage.Address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", stage.AnnToken);
        await AsksAsync(http, 8, TimeSpan.FromSeconds(2));
        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("1 client", async () => Rate(measured, "1 client", await AsksAsync(http, 1, TimeSpan.FromSeconds(Seconds)))),
            ("64 clients", async () => Rate(measured, "64 clients", await AsksAsync(http, 64, TimeSpan.FromSeconds(Seconds)))),
            ("bare commits", () => Task.FromResult(Commits(stage.Folder))),
            ("connected", async () => await ConnectedAsync(http, measured)),
        ]);
        return
        [
            measured.Alone("asks, 1 client", "asks/s", "1 client", "≥ 1,000", rate => rate >= 1_000),
            measured.Alone("asks, 1 client, p50", "ms", "1 client p50", "≤ 1", took => took <= 1),
            measured.Compare("asks, 1 client", "per s", "1 client", "bare commits", "", null),
            measured.Alone("asks, 64 clients", "asks/s", "64 clients", "≥ 10,000", rate => rate >= 10_000),
            measured.Alone("asks, 64 clients, p99", "ms", "64 clients p99", "", null),
            measured.Compare("asks, 64 clients", "per s", "64 clients", "bare commits", "", null),
            measured.Alone("asked to connected, p50", "ms", "connected", "≤ 50", took => took <= 50),
            measured.Alone("asked to connected, slowest of 20", "ms", "connected slowest", "≤ 200", took => took <= 200),
        ];
    }

    private static double Rate(Rounds rounds, string name, List<double> took)
    {
        var sorted = took.Order().ToList();
        rounds.Note(name + " p50", sorted[sorted.Count / 2]);
        rounds.Note(name + " p99", sorted[(int)(sorted.Count * 0.99)]);
        return took.Count / (double)Seconds;
    }

    private static async Task<List<double>> AsksAsync(HttpClient http, int clients, TimeSpan length)
    {
        var watch = Stopwatch.StartNew();
        var took = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            var mine = new List<double>();
            while (watch.Elapsed < length)
            {
                var began = Stopwatch.GetTimestamp();
                await AskAsync(http, wait: false);
                mine.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            return mine;
        })));
        return [.. took.SelectMany(mine => mine)];
    }

    private static async Task<JsonObject> AskAsync(HttpClient http, bool wait) =>
        await SendAsync(http, HttpMethod.Post, "/api/v1/requests", new JsonObject { ["role"] = "db/write", ["for_seconds"] = 600, ["reason"] = "bench", ["wait"] = wait });

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

    private static async Task<double> ConnectedAsync(HttpClient http, Rounds rounds)
    {
        var took = new List<double>();
        for (var time = 0; time < 20; time++)
        {
            var began = Stopwatch.GetTimestamp();
            var request = await AskAsync(http, wait: true);
            var grant = (JsonObject)request["grant"]!;
            var id = (string)grant["id"]!;
            while ((string)grant["state"]! == "opening")
            {
                grant = await SendAsync(http, HttpMethod.Get, $"/api/v1/grants/{id}?wait_seconds=10&seen_version={grant["version"]}");
            }

            var door = await SendAsync(http, HttpMethod.Post, $"/api/v1/grants/{id}/logins", []);
            await using (var connection = new NpgsqlConnection($"Host={door["host"]};Port={door["port"]};Username={door["login"]};Password={door["secret"]};Database=shop;Pooling=false;SSL Mode=Disable"))
            {
                await connection.OpenAsync();
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            await SendAsync(http, HttpMethod.Post, $"/api/v1/grants/{id}/end", []);
        }

        var sorted = took.Order().ToList();
        rounds.Note("connected slowest", sorted[^1]);
        return sorted[sorted.Count / 2];
    }
}
