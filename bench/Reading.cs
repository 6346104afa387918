using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Stint.Bench;

/// <summary>G1, and what a decision costs behind HTTP: an authenticated GET of a grant, a preview and an AuthZEN evaluation, beside minimal APIs that answer the same bytes from memory.</summary>
internal sealed class Reading : Question
{
    private const int Seconds = 4;
    private const string Evaluated = """{"subject":{"type":"user","id":"ann"},"action":{"name":"write"},"resource":{"type":"postgres","id":"db"}}""";
    private const string Asked = """{"role":"db/write","for_seconds":600,"reason":"bench"}""";

    public override string Name => "read";

    public override string Asks => "How fast is a grant read over the API, and how large does the server grow?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Database = false });
        using var http = new HttpClient { BaseAddress = new Uri(stage.Address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", stage.AnnToken);
        using var asked = await http.PostAsJsonAsync("/api/v1/requests", new JsonObject { ["role"] = "db/write", ["for_seconds"] = 600, ["reason"] = "bench" });
        var grant = (string)JsonNode.Parse(await asked.Content.ReadAsStreamAsync())!["grant"]!["id"]!;
        var path = $"/api/v1/grants/{grant}";
        var port = await Stage.FreePortAsync();
        var bare = stage.Start("dotnet", Environment.GetCommandLineArgs()[0], "--bare", $"{port}", Convert.ToBase64String(await http.GetByteArrayAsync(path)));
        await Stage.ListeningAsync(port, bare, stage);
        var peer = $"http://127.0.0.1:{port}";
        var (warm, cold) = (stage.Address + path, peer + "/grant");
        await LoadAsync(stage, warm, 64, 10);
        await LoadAsync(stage, cold, 64, 5);
        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("get", async () => (await LoadAsync(stage, warm, 64, Seconds)).PerSecond),
            ("bare", async () => (await LoadAsync(stage, cold, 64, Seconds)).PerSecond),
            ("preview", async () => (await LoadAsync(stage, stage.Address + "/api/v1/requests/preview", 64, Seconds, Asked)).PerSecond),
            ("evaluation", async () =>
            {
                var load = await LoadAsync(stage, stage.Address + "/access/v1/evaluation", 64, Seconds, Evaluated, stage.ShopToken);
                measured.Note("evaluation p99", load.P99);
                return load.PerSecond;
            }),
            ("bare post", async () => (await LoadAsync(stage, peer + "/ask", 64, Seconds, Asked)).PerSecond),
        ]);

        // A minute of it with a thousand grants a second written beside, as far as the machine can.
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var writing = WriteAsync(http, over.Token);
        var busy = await LoadAsync(stage, warm, 256, 58);
        measured.Note("p99", busy.P99);
        measured.Note("written", await writing / 60.0);
        measured.Note("resident", Stage.Resident(stage.Server) / 1e6);
        return
        [
            measured.Compare("GET of a grant, 64 clients", "per s", "get", "bare", "≥ 0.7", ratio => ratio >= 0.7),
            measured.Compare("preview of an asking, 64 clients", "per s", "preview", "bare post", "≥ 0.8", ratio => ratio >= 0.8),
            measured.Compare("AuthZEN evaluation, 64 clients", "per s", "evaluation", "bare post", "≥ 0.8", ratio => ratio >= 0.8),
            measured.Alone("AuthZEN evaluation p99, 64 clients", "ms", "evaluation p99", "", null),
            measured.Alone("GET p99, 256 clients, a minute", "ms", "p99", "≤ 5", took => took <= 5),
            measured.Alone("grants written beside it", "per s", "written", "≥ 1,000", rate => rate >= 990),
            measured.Alone("resident after that minute", "MB", "resident", "≤ 200", size => size <= 200),
        ];
    }

    /// <summary>The peer: the same bytes, no token, no store.</summary>
    public static async Task<int> ServeBareAsync(int port, byte[] grant)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, BareJson.Default));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http1));
        await using var app = builder.Build();
        var read = JsonSerializer.Deserialize(grant, BareJson.Default.DictionaryStringJsonElement)!;
        app.MapGet("/grant", () => Results.Json(read, BareJson.Default.DictionaryStringJsonElement));
        app.MapPost("/ask", (BareAsk ask) => Results.Json(ask, BareJson.Default.BareAsk));
        await app.RunAsync();
        return 0;
    }

    private static Task<Load> LoadAsync(Stage stage, string url, int clients, int seconds, string? body = null, string? token = null) => Load.RunAsync(stage.Folder, url, clients, seconds, token ?? stage.AnnToken, body);

    private static async Task<int> WriteAsync(HttpClient http, CancellationToken over)
    {
        var written = 0;
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        try
        {
            while (await ticks.WaitForNextTickAsync(over))
            {
                var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => http.PostAsJsonAsync("/api/v1/requests", new JsonObject { ["role"] = "db/write", ["for_seconds"] = 600, ["reason"] = "bench" }, CancellationToken.None)));
                written += answers.Count(answer => answer.IsSuccessStatusCode);
                Array.ForEach(answers, answer => answer.Dispose());
            }
        }
        catch (OperationCanceledException)
        {
            // The minute is over.
        }

        return written;
    }
}

/// <summary>What the bare endpoint reads and writes.</summary>
internal sealed record BareAsk(string Role, int ForSeconds, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BareAsk))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class BareJson : JsonSerializerContext;
