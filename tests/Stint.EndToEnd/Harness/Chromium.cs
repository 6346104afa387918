using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.EndToEnd.Harness;

/// <summary>Debian's Chromium without a window, driven over its DevTools protocol.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly string _note;
    private readonly ClientWebSocket _socket = new();
    private readonly Dictionary<int, TaskCompletionSource<JsonNode>> _asked = [];
    private readonly List<JsonNode> _events = [];
    private readonly Lock _lock = new();
    private Task? _reading;
    private int _last;

    private Chromium(Process process)
    {
        _process = process;
        _note = RunFolder.Note(process.Id);
    }

    /// <summary>Starts one with a profile of its own and one empty page.</summary>
    /// <param name="zone">IANA name of the zone that its reader lives in.</param>
    public static async Task<Chromium> StartAsync(string zone)
    {
        var profile = RunFolder.Make("chromium");

        // NB. The sandbox needs rights that a test's user may lack, and root must go without; it loads nothing but our own page.
        var process = Tool.Start(
            "chromium",
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank"],
            new Dictionary<string, string?> { ["TZ"] = zone, ["HOME"] = profile, ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:" });
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var chromium = new Chromium(process);
        try
        {
            var port = await Until.SeenAsync("chromium listens", s_usual, async () =>
            {
                var file = Path.Combine(profile, "DevToolsActivePort");
                return File.Exists(file) && (await File.ReadAllLinesAsync(file)) is [{ Length: > 0 } first, _, ..] ? first : null;
            });
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            var page = await Until.SeenAsync("chromium has a page", s_usual, async () =>
                (await http.GetFromJsonAsync<JsonArray>(new Uri($"http://127.0.0.1:{port}/json/list")))!.FirstOrDefault(one => (string?)one!["type"] == "page"));
            await chromium._socket.ConnectAsync(new Uri((string)page["webSocketDebuggerUrl"]!), CancellationToken.None).WaitAsync(s_usual);
            chromium._reading = chromium.ReadAsync();
            foreach (var domain in (string[])["Page", "Network", "Log", "Runtime"])
            {
                await chromium.AskAsync(domain + ".enable");
            }

            return chromium;
        }
        catch
        {
            await chromium.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the page sent, each as the protocol's <c>request</c>.</summary>
    public IReadOnlyList<JsonNode> Requests => Events("Network.requestWillBeSent").ConvertAll(sent => sent["request"]!);

    /// <summary>What the browser complained of, violated policies among them.</summary>
    public IReadOnlyList<string> Complaints =>
        [.. Events("Log.entryAdded").Select(said => said["entry"]!.ToJsonString()), .. Events("Runtime.exceptionThrown").Select(said => said.ToJsonString())];

    public Task GoAsync(string address) => AskAsync("Page.navigate", new JsonObject { ["url"] = address });

    /// <summary>What an expression comes to in the page; null for nothing.</summary>
    public async Task<T?> SayAsync<T>(string expression)
    {
        var said = await AskAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        return said["exceptionDetails"] is { } wrong
            ? throw new InvalidOperationException(wrong.ToJsonString())
            : said["result"]!["value"] is { } value ? value.Deserialize<T>() : default;
    }

    /// <summary>Waits until an expression is true in the page.</summary>
    public Task BecomesAsync(string expression) => Until.TrueAsync(expression, s_usual, () => SeesAsync(expression));

    /// <summary>Whether an expression is true in the page; not while another page takes its place.</summary>
    public async Task<bool> SeesAsync(string expression)
    {
        try
        {
            return await SayAsync<bool>(expression);
        }
        catch (InvalidOperationException e) when (e.Message.Contains("navigated", StringComparison.Ordinal) || e.Message.Contains("context", StringComparison.Ordinal))
        {
            return false;
        }
    }

    /// <summary>Types into what has the focus.</summary>
    public Task TypeAsync(string text) => AskAsync("Input.insertText", new JsonObject { ["text"] = text });

    /// <summary>Presses a key and lets it go.</summary>
    public async Task PressAsync(string key, int code, string? text = null)
    {
        foreach (var type in (string[])["keyDown", "keyUp"])
        {
            await AskAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code, ["text"] = type == "keyDown" ? text ?? "" : "" });
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _socket.Dispose();
        File.Delete(_note);
        if (_reading is not null)
        {
            await _reading;
        }
    }

    private List<JsonNode> Events(string method)
    {
        lock (_lock)
        {
            return [.. _events.Where(one => (string?)one["method"] == method).Select(one => one["params"]!)];
        }
    }

    /// <summary>Asks for anything that the protocol has.</summary>
    public async Task<JsonNode> AskAsync(string method, JsonObject? parameters = null)
    {
        var answer = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        var id = Interlocked.Increment(ref _last);
        lock (_lock)
        {
            _asked[id] = answer;
        }

        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        var said = await answer.Task.WaitAsync(s_usual);
        return said["result"] ?? throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{method}: {said}"));
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 << 10];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var read = await _socket.ReceiveAsync(buffer, CancellationToken.None);
                message.Write(buffer, 0, read.Count);
                if (!read.EndOfMessage)
                {
                    continue;
                }

                var said = JsonNode.Parse(message.ToArray().AsSpan())!;
                message.SetLength(0);
                lock (_lock)
                {
                    if ((int?)said["id"] is { } id && _asked.Remove(id, out var answer))
                    {
                        answer.SetResult(said);
                    }
                    else
                    {
                        _events.Add(said);
                    }
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or JsonException or OperationCanceledException)
        {
            // The browser ended; whoever still waits is told by their own bound.
        }
    }
}
