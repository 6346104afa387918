using System.Net;
using System.Net.Sockets;
using System.Text;
using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

/// <summary>How this program logs in: what it makes of answers, of whoever comes to its port, and of keyrings.</summary>
public sealed class CommandLineLoginTests
{
    private const string State = "st4te";
    private const string Issuer = "https://stint.example.com";

    private static string Head(string target, string host = "127.0.0.1:5000") => $"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*";

    [Fact]
    public void Callback_TakesTheAnswerToItsOwnQuestion()
    {
        const string Good = "/?code=c0de&state=st4te&iss=https%3A%2F%2Fstint.example.com";
        var (status, _, result) = Callback.Look(Head(Good), "127.0.0.1:5000", State, Issuer);
        Assert.Equal((200, "c0de"), (status, result!.Value.Code));
        var denied = Callback.Look(Head(Good.Replace("code=c0de", "error=access_denied", StringComparison.Ordinal)), "127.0.0.1:5000", State, Issuer);
        Assert.Equal(ExitCode.Denied, denied.Result!.Value.No!.Code);
    }

    [Theory]
    [InlineData("/?code=c0de&state=other&iss=https%3A%2F%2Fstint.example.com", "127.0.0.1:5000")]
    [InlineData("/?code=c0de&iss=https%3A%2F%2Fstint.example.com", "127.0.0.1:5000")]
    [InlineData("/?code=c0de&state=st4te", "127.0.0.1:5000")]
    [InlineData("/?code=c0de&state=st4te&iss=https%3A%2F%2Fevil.example", "127.0.0.1:5000")]
    [InlineData("/?code=c0de&code=other&state=st4te&iss=https%3A%2F%2Fstint.example.com", "127.0.0.1:5000")]
    [InlineData("/?code=c0de&error=access_denied&state=st4te&iss=https%3A%2F%2Fstint.example.com", "127.0.0.1:5000")]
    [InlineData("/?code=c0de&state=st4te&iss=https%3A%2F%2Fstint.example.com", "evil.example:5000")]
    [InlineData("/x?code=c0de&state=st4te&iss=https%3A%2F%2Fstint.example.com", "127.0.0.1:5000")]
    [InlineData("/favicon.ico", "127.0.0.1:5000")]
    public void Callback_TakesNothingElse(string target, string host) => Assert.Null(Callback.Look(Head(target, host), "127.0.0.1:5000", State, Issuer).Result);

    [Fact]
    public async Task Callback_WaitsOnPastConnectionsThatSayNothing_AndWrongOnes()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var here = listener.LocalEndpoint.ToString()!;
        var waiting = Callback.AwaitAsync(listener, State, Issuer, CancellationToken.None);
        using var silent = new TcpClient();
        await silent.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync(new Uri($"http://{here}/?code=theirs&state=guess&iss=x"))).StatusCode);
        Assert.False(waiting.IsCompleted);
        var good = await http.GetAsync(new Uri($"http://{here}/?code=c0de&state={State}&iss={Uri.EscapeDataString(Issuer)}"));
        Assert.Contains("close this page", await good.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("c0de", await waiting);
    }

    [Fact]
    public async Task Poll_GoesAsSlowlyAsItIsTold_AndOnWhenNobodyAnswers()
    {
        var time = new ManualTime(new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero));
        var answers = new Queue<(int Status, string Body)>(
        [
            (400, """{"error":"authorization_pending"}"""), (400, """{"error":"slow_down"}"""), (0, ""), (429, """{"title":"x"}"""),
            (200, """{"access_token":"a","refresh_token":"r","expires_in":900}"""),
        ]);
        var at = new List<double>();
        var start = time.GetUtcNow();
        using var http = Answering(() =>
        {
            at.Add((time.GetUtcNow() - start).TotalSeconds);
            return answers.Dequeue();
        });
        var polling = DeviceLogin.PollAsync(new AuthServer(http, http.BaseAddress!), "d", TimeSpan.FromSeconds(5), start.AddMinutes(10), time, CancellationToken.None);
        while (!polling.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            await Task.WhenAny(polling, Task.Delay(5));
        }

        var tokens = await polling;
        Assert.Equal(("a", "r", time.GetUtcNow().AddSeconds(900)), (tokens.Access, tokens.Refresh, tokens.Until));
        Assert.DoesNotContain("\"a\"", tokens.ToString(), StringComparison.Ordinal);
        Assert.Equal(5, at.Count);
        Assert.True(at[0] >= 5 && at[1] - at[0] >= 5 && at[2] - at[1] >= 10 && at[3] - at[2] >= 20 && at[4] - at[3] >= 20, string.Join(' ', at));
    }

    [Theory]
    [InlineData("access_denied", ExitCode.Denied)]
    [InlineData("expired_token", ExitCode.TimedOut)]
    [InlineData("invalid_grant", ExitCode.Failed)]
    public async Task Poll_ANo_IsTold(string error, int expected)
    {
        using var http = Answering(() => (400, $$"""{"error":"{{error}}","error_description":"Why."}"""));
        var failure = await Assert.ThrowsAsync<CommandFailed>(() => DeviceLogin.PollAsync(new AuthServer(http, http.BaseAddress!), "d", TimeSpan.Zero, DateTimeOffset.MaxValue, TimeProvider.System, CancellationToken.None));
        Assert.Equal(expected, failure.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keyring_GetsSecretsOnItsInputAlone(bool keychain)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("It runs a shell.");
            return;
        }

        var folder = Directory.CreateTempSubdirectory("stint-keyring-").FullName;
        try
        {
            // Does what secret-tool and security do with a file in place of a keyring, and writes down how it was called.
            var tool = Path.Combine(folder, "tool");
            await File.WriteAllTextAsync(tool, $$"""
                #!/bin/sh
                echo "$*" >>{{folder}}/called
                case "$1" in
                store) cat >{{folder}}/kept ;;
                -i) sed 's/.*-X //' | tr -d '\n' | sed 's/../\\x&/g' | xargs -0 printf >{{folder}}/kept ;;
                lookup | find-generic-password) cat {{folder}}/kept 2>/dev/null ;;
                clear | delete-generic-password) rm -f {{folder}}/kept ;;
                esac
                """.ReplaceLineEndings("\n"));
            File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var keyring = Keyring.OfTool(tool, keychain);
            var server = new Uri("https://stint.example.com/");
            var secret = new KeptTokens("stint_u_secret", DateTimeOffset.UnixEpoch, "stint_r_secret").Write().ToJsonString();
            Assert.Null(await keyring.ReadAsync(server, CancellationToken.None));
            Assert.True(await keyring.KeepAsync(server, secret, CancellationToken.None), await File.ReadAllTextAsync(Path.Combine(folder, "called")));
            Assert.Equal("stint_r_secret", KeptTokens.Read(System.Text.Json.Nodes.JsonNode.Parse((await keyring.ReadAsync(server, CancellationToken.None))!))!.Refresh);
            await keyring.ForgetAsync(server, CancellationToken.None);
            Assert.Null(await keyring.ReadAsync(server, CancellationToken.None));
            var called = await File.ReadAllTextAsync(Path.Combine(folder, "called"));
            Assert.Contains("https://stint.example.com", called, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", called.Replace("secret-tool", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes("secret")), called, StringComparison.Ordinal);

            // One that takes nothing is found out.
            await File.WriteAllTextAsync(Path.Combine(folder, "other"), "#!/bin/sh\ncat >/dev/null\n");
            File.SetUnixFileMode(Path.Combine(folder, "other"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            Assert.False(await Keyring.OfTool(Path.Combine(folder, "other"), keychain).KeepAsync(server, secret, CancellationToken.None));
            Assert.False(await Keyring.OfTool(Path.Combine(folder, "missing"), keychain).KeepAsync(server, secret, CancellationToken.None));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static HttpClient Answering(Func<(int Status, string Body)> answer) => new(new Stub(answer)) { BaseAddress = new Uri("http://127.0.0.1:1/") };

    private sealed class Stub(Func<(int Status, string Body)> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var (status, body) = answer();
            return status == 0 ? throw new HttpRequestException("nobody there") : Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body) });
        }
    }
}
