using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Stint.Server;
using Stint.Server.Hosting;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Hosting;

public sealed class ServerNodeTests
{
    [Fact]
    public async Task Start_OnLoopback_SpeaksPlainHttpAndSaysSo()
    {
        await using var node = await TestNode.StartAsync();
        Assert.Equal("http", node.Node.Address.Scheme);
        Assert.Matches(@"^stint is ready: http://127\.0\.0\.1:\d+ \(gateway postgres 127\.0\.0\.1:\d+\)$", node.Node.ReadyLine);
        Assert.Contains("A master key was made", node.Output.ToString());
        Assert.False(DataFolder.IsOpenToOthers(Path.Combine(node.Folder, "data", "master.key")));
        Assert.False(DataFolder.IsOpenToOthers(Path.Combine(node.Folder, "data")));
    }

    [Fact]
    public async Task Start_OnEveryAddressWithoutCertificate_MakesOneAndSpeaksHttps()
    {
        await using var node = await TestNode.StartAsync(("STINT_WEB__LISTEN", "0.0.0.0:0"));
        Assert.Equal("https", node.Node.Address.Scheme);
        Assert.Contains("SHA-256 fingerprint", node.Output.ToString());
        Assert.False(DataFolder.IsOpenToOthers(Path.Combine(node.Folder, "data", "tls", "key.pem")));
        using var handler = new SocketsHttpHandler { UseProxy = false };
        string? shown = null;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            shown = certificate!.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256);
            return certificate.Subject.EndsWith("O=Stint", StringComparison.Ordinal);
        };
        using var http = new HttpClient(handler);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync($"https://127.0.0.1:{node.Node.Address.Port}/readyz")).StatusCode);
        Assert.Contains(string.Join(':', shown!.Chunk(2).Select(pair => new string(pair))), node.Output.ToString());
    }

    [Fact]
    public async Task BehindProxy_ForwardedHeadersOfOthers_AreNotBelieved()
    {
        await using var node = await TestNode.StartAsync(("STINT_WEB__BEHIND_PROXY", "10.9.9.0/24"), ("STINT_LIMITS__FAILURES_PER_MINUTE", "3"));
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false }) { BaseAddress = node.Node.Address };
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, "/api/v1/whoami");
            message.Headers.Add("X-Forwarded-For", $"192.0.2.{i}");
            statuses.Add((int)(await http.SendAsync(message)).StatusCode);
        }

        Assert.Equal([401, 401, 401, 429, 429], statuses);
    }

    [Fact]
    public async Task TooManyCalls_Answer429WithRetryAfter_AndOthersGoOn()
    {
        await using var node = await TestNode.StartAsync(("STINT_LIMITS__REQUESTS_PER_MINUTE", "5"));
        for (var i = 0; i < 5; i++)
        {
            await node.GetAsync("ann", "/api/v1/whoami");
        }

        var (status, body, response) = await node.SendAsync("ann", HttpMethod.Get, "/api/v1/whoami");
        Assert.Equal(429, (int)status);
        Assert.Equal("/problems/too-many-requests", (string?)body["type"]);
        Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        await node.GetAsync("bob", "/api/v1/whoami");
    }

    [Fact]
    public async Task ChangedCatalog_BrokenIsNotUsed_GoodIs()
    {
        await using var node = await TestNode.StartAsync();
        var before = (string?)(await node.GetAsync("dan", "/api/v1/catalog"))["version"];
        await File.WriteAllTextAsync(node.CatalogFile, TestNode.Catalog + "\nnonsense: true\n");
        node.Node.Reload();
        await Until(async () => (await node.GetAsync("dan", "/api/v1/status"))["problems"]!.AsArray().Count > 0);
        Assert.Equal(before, (string?)(await node.GetAsync("dan", "/api/v1/catalog"))["version"]);

        await File.WriteAllTextAsync(node.CatalogFile, TestNode.Catalog.Replace("eve: { name: Eve,", "eve: { name: Eve, disabled: true,", StringComparison.Ordinal));
        await Until(async () => (await node.SendAsync("eve", HttpMethod.Get, "/api/v1/whoami")).Status == HttpStatusCode.Unauthorized);
        Assert.Empty((await node.GetAsync("dan", "/api/v1/status"))["problems"]!.AsArray());
    }

    [Fact]
    public async Task Certificate_NewFilesReplaceItAndBadOnesDoNot()
    {
        var folder = Directory.CreateTempSubdirectory("stint-tls-").FullName;
        var files = new CertificateFiles(Path.Combine(folder, "a.crt"), Path.Combine(folder, "a.key"));
        var now = TimeProvider.System.GetUtcNow();
        CertificateFile.Make(files, ["one"], now).Dispose();
        var holder = CertificateHolder.Load("web", files, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var first = holder.Now.Fingerprint;

        await File.WriteAllTextAsync(files.Certificate, "not a certificate at all");
        holder.Refresh();
        Assert.Equal(first, holder.Now.Fingerprint);

        CertificateFile.Make(files, ["two"], now).Dispose();
        holder.Refresh();
        Assert.NotEqual(first, holder.Now.Fingerprint);
        Assert.Equal("CN=two, O=Stint", holder.Now.Leaf.Subject);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Stop_EndsWithZero_AndNextStartGoesOn()
    {
        var node = await TestNode.StartAsync();
        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner" }, HttpStatusCode.Created);
        var waiting = node.GetAsync("ann", $"/api/v1/requests/{asked["id"]}?wait_seconds=30&seen_version=99");
        await Task.Delay(100);
        var run = node.Node.RunAsync(CancellationToken.None);
        node.Node.State.Stop();
        Assert.Equal("pending", (string?)(await waiting.WaitAsync(TimeSpan.FromSeconds(10)))["state"]);
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(20)));
        await node.DisposeAsync();
    }

    [Fact]
    public async Task Loop_ThatThrows_FailsTheNode()
    {
        using var state = new NodeState();
        var loops = new Loops(state, Microsoft.Extensions.Logging.Abstractions.NullLogger<Loops>.Instance);
        loops.Start("bad", _ => throw new InvalidOperationException("no"), CancellationToken.None);
        await state.StopWanted.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(1, state.ExitCode);
    }

    [Fact]
    public async Task Check_GoodAndBad_SaysSoWithItsExitCode()
    {
        var folder = Directory.CreateTempSubdirectory("stint-check-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "catalog"));
        var file = Path.Combine(folder, "catalog", "all.yaml");
        await File.WriteAllTextAsync(file, TestNode.Catalog);
        var output = new StringWriter();
        Assert.Equal(0, await StintServer.CheckAsync(TestNode.Arguments(folder, output), CancellationToken.None));

        await File.WriteAllTextAsync(file, TestNode.Catalog + "\nnonsense: true\n");
        Assert.Equal(1, await StintServer.CheckAsync(TestNode.Arguments(folder, output), CancellationToken.None));
        Assert.Contains("nonsense", output.ToString());
        Assert.False(Directory.Exists(Path.Combine(folder, "data")));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Doctor_BesideARunningServer_FindsTheTargetThatDoesNotAnswer()
    {
        await using var node = await TestNode.StartAsync();
        var output = new StringWriter();
        var arguments = TestNode.Arguments(node.Folder, output, ("STINT_GATEWAY__POSTGRES_LISTEN", node.Node.Gateway!.ToString()));
        Assert.Equal(1, await StintServer.DoctorAsync(arguments, json: false, CancellationToken.None));
        var text = output.ToString();
        Assert.Contains("WRONG  target orders-db", text);
        Assert.Contains("ok     store", text);
        Assert.Contains("ok     audit log", text);
        Assert.Contains("ok     gateway", text);
        Assert.DoesNotContain("canary", text);
    }

    [Fact]
    public async Task Telemetry_ArrivesAtTheCollectorByName()
    {
        using var collector = new HttpListener();
        var port = FreePort();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        var bodies = new ConcurrentQueue<(string Path, string Text)>();
        var listening = Task.Run(async () =>
        {
            while (collector.IsListening)
            {
                try
                {
                    var call = await collector.GetContextAsync();
                    using var body = new MemoryStream();
                    await call.Request.InputStream.CopyToAsync(body);
                    bodies.Enqueue((call.Request.Url!.AbsolutePath, Encoding.Latin1.GetString(body.ToArray())));
                    call.Response.ContentType = "application/x-protobuf";
                    call.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
            }
        });

        await using (var node = await TestNode.StartAsync(("STINT_OTLP", $"http://127.0.0.1:{port}")))
        {
            await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only" }, HttpStatusCode.Created);
        }

        collector.Stop();
        await listening;
        var metrics = string.Concat(bodies.Where(body => body.Path == "/v1/metrics").Select(body => body.Text));
        foreach (var name in (string[])["stint.requests", "stint.grants.open", "stint.removals.stuck.now", "stint.sessions.all", "stint.audit.append"])
        {
            Assert.Contains(name, metrics);
        }

        Assert.Contains(bodies, body => body.Path == "/v1/traces" && body.Text.Contains("POST /api/v1/requests", StringComparison.Ordinal));
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private static async Task Until(Func<Task<bool>> done)
    {
        for (var i = 0; i < 200 && !await done(); i++)
        {
            await Task.Delay(50);
        }

        Assert.True(await done());
    }
}
