using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>A control plane in one process and a gateway, with no store, in another.</summary>
public sealed class GatewayNodeTests(RealServers servers, ITestOutputHelper output)
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task WholeJob_ThroughAGatewayWithoutAStore_IsRecordedFollowedFoundAndCut()
    {
        await using var town = await TownAsync();
        var grant = await town.Ann.OpenAsync("orders-db/writer", 600);
        var login = await town.Ann.LoginAsync(grant);
        Assert.Equal(town.Edge.Port, login.Port);
        using var psql = Tool.Start("psql", ["-X", "-At"], login.Environment);
        await psql.StandardInput.WriteLineAsync("select 'in' as a_word_to_find; select pg_sleep(100);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("in", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));

        var session = (await town.Bob.GetAsync($"sessions?resource=orders-db&grant={grant}")).GetProperty("items").EnumerateArray().Single();
        var id = session.GetProperty("id").GetString()!;
        Assert.Equal("edge", session.GetProperty("node").GetString());
        var followed = await Until.SeenAsync("the live recording is read from the control plane", s_soon, async () =>
            (await town.Bob.GetAsync($"sessions/{id}/records?wait_seconds=2")).ToString() is var text && text.Contains("a_word_to_find", StringComparison.Ordinal) ? text : null);
        Assert.NotNull(followed);
        output.WriteLine($"gateway alone: {town.Edge.Resident() / 1e6:0.0} MB resident");

        var watch = Stopwatch.StartNew();
        (await town.Bob.StintAsync("revoke", grant, "--comment", "seen from afar")).Good();
        var error = await psql.StandardError.ReadToEndAsync().WaitAsync(s_soon);
        Assert.Contains("seen from afar", error, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
        Assert.Equal("revoked", await town.Ann.ClosedAsync(grant));
        Assert.Equal(0, await town.Shop.AccountsAsync());

        var found = await town.Bob.GetAsync("statements?resource=orders-db&text=a_word_to_find");
        Assert.Contains(id, found.ToString(), StringComparison.Ordinal);
        await Until.TrueAsync("its end is on record", s_soon, async () => (await town.Bob.GetAsync($"sessions/{id}")).GetProperty("end_reason").GetString() == "revoked");
        (await town.Shop.Seat(town.Control, "carol").StintAsync("audit", "verify")).Good();

        // What opens databases passes through the gateway, and stays nowhere.
        foreach (var secret in new[] { town.Secret, login.Secret })
        {
            Assert.DoesNotContain(secret, town.Edge.Log + town.Control.Log, StringComparison.Ordinal);
            Assert.DoesNotContain(
                Directory.EnumerateFiles(town.Edge.Data, "*", SearchOption.AllDirectories),
                file => File.ReadAllBytes(file).AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(secret)) >= 0);
        }

        // Away, its recordings are out of reach unless they were read before: said, and not taken for an empty session.
        var unread = await SayAsync(town, "select 'never read here'");
        await town.Edge.KillAsync();
        await Until.TrueAsync("the control plane knows that the link is gone", s_soon, async () =>
            (await town.Bob.TryGetAsync($"sessions/{unread}/records")).StatusCode == HttpStatusCode.Conflict);
        var refusal = await (await town.Bob.TryGetAsync($"sessions/{unread}/records")).Content.ReadAsStringAsync();
        Assert.Contains("stands on the gateway edge, which is not linked", refusal, StringComparison.Ordinal);
        Assert.Contains("a_word_to_find", (await town.Bob.GetAsync($"sessions/{id}/records")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ControlPlaneGone_SessionsEnd_AndNobodyComesIn_UntilItIsBack()
    {
        await using var town = await TownAsync();
        var grant = await town.Ann.OpenAsync("orders-db/writer", 600);
        var login = await town.Ann.LoginAsync(grant);
        using var psql = Tool.Start("psql", ["-X", "-At"], login.Environment);
        await psql.StandardInput.WriteLineAsync("select 'in'; select pg_sleep(100);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("in", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));

        var watch = Stopwatch.StartNew();
        await town.Control.KillAsync();
        var refused = await Tool.RunAsync("psql", ["-X", "-Atc", "select 1"], login.Environment);
        var error = await psql.StandardError.ReadToEndAsync().WaitAsync(s_soon);
        var took = watch.Elapsed;
        await town.Control.StartAsync();

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("heard nothing of its control plane", error, StringComparison.Ordinal);
        Assert.InRange(took, TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(20));
        await Until.TrueAsync("its end is on record", s_soon, async () =>
            (await town.Bob.GetAsync($"sessions?resource=orders-db&grant={grant}")).GetProperty("items").EnumerateArray().First().GetProperty("end_reason").GetString() == "unchecked");
        await Until.TrueAsync("it lets people in again", s_soon, async () =>
            (await Tool.RunAsync("psql", ["-X", "-Atc", "select 1"], login.Environment)).ExitCode == 0);
        (await town.Shop.Seat(town.Control, "carol").StintAsync("audit", "verify")).Good();
    }

    [Fact]
    public async Task ControlPlaneRestarted_SessionsGoOn_AndARevokeAfterwardsReachesThem()
    {
        await using var town = await TownAsync();
        for (var attempt = 1; !await GoesOnAsync(town); attempt++)
        {
            Assert.True(attempt < 4, $"the session was cut though its control plane came back in time\n{town.Edge.Log}");
        }
    }

    /// <summary>False when the machine was too busy to start a server in time: then the session was rightly cut.</summary>
    private static async Task<bool> GoesOnAsync(Town town)
    {
        var grant = await town.Ann.OpenAsync("orders-db/writer", 600);
        using var psql = Tool.Start("psql", ["-X", "-At"], (await town.Ann.LoginAsync(grant)).Environment);
        await psql.StandardInput.WriteLineAsync("select 'before';");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("before", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));

        var watch = Stopwatch.StartNew();
        var links = Links();
        await town.Control.KillAsync();
        await town.Control.StartAsync();
        await Until.TrueAsync("the gateway is linked again", s_soon, () => Task.FromResult(Links() > links));
        if (watch.Elapsed > TimeSpan.FromSeconds(8))
        {
            psql.StandardInput.Close();
            return false;
        }

        await psql.StandardInput.WriteLineAsync("select 'after'; select pg_sleep(100);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("after", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));
        (await town.Bob.StintAsync("revoke", grant, "--comment", "after the restart")).Good();

        Assert.Contains("after the restart", await psql.StandardError.ReadToEndAsync().WaitAsync(s_soon), StringComparison.Ordinal);
        return true;

        int Links() => town.Control.Log.Split("The gateway edge is linked").Length;
    }

    [Fact]
    public async Task GatewayKilled_ItsSessionsAreOverOnRecordWhenItIsBack_AndTheirAccountsDoNotStandForThem()
    {
        await using var town = await TownAsync();
        var grant = await town.Ann.OpenAsync("orders-db/writer", 600);
        using var psql = Tool.Start("psql", ["-X", "-At"], (await town.Ann.LoginAsync(grant)).Environment);
        await psql.StandardInput.WriteLineAsync("select 'in'; select pg_sleep(100);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("in", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));

        await town.Edge.KillAsync();
        await town.Edge.StartAsync();

        await Until.TrueAsync("its end is on record", s_soon, async () =>
            (await town.Bob.GetAsync($"sessions?resource=orders-db&grant={grant}")).GetProperty("items").EnumerateArray().Single().GetProperty("end_reason").GetString() == "node_lost");
    }

    [Fact]
    public async Task Attacks_WrongSecretsForeignSessionsAndRepetitions_GetNothing()
    {
        var (other, otherHash) = GatewayAlone.NewSecret();
        await using var town = await TownAsync($"other={otherHash}");
        var session = await SayAsync(town, "select 1");
        var live = await town.Ann.OpenAsync("orders-db/writer", 600);
        using var psql = Tool.Start("psql", ["-X", "-At"], (await town.Ann.LoginAsync(live)).Environment);
        await psql.StandardInput.WriteLineAsync("select 'in';");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("in", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));
        var going = (await town.Bob.GetAsync($"sessions?resource=orders-db&grant={live}")).GetProperty("items").EnumerateArray().Single().GetProperty("id").GetString()!;
        var head = new { file = $"v1/2026/01/01/{going}.rec", records = 1, bytes = 1, hash = Convert.ToBase64String(new byte[32]), statements = 0 };
        var end = new { reason = "ClientLeft", note = (string?)null, at = TimeProvider.System.GetUtcNow(), recording = (object?)null, bytes_from_client = 0, bytes_to_client = 0 };

        // Whoever has no secret, or a person's, gets nowhere; and a node's secret opens nothing of a person's.
        foreach (var stranger in new[] { "", "stp_guess", town.Ann.Token })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(town, stranger, "login", new { login = "ann" }));
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(town, stranger, "admit", new { login = "ann", kind = "postgres", application = "", from = "x", tls = false }));
        }

        using (var http = new HttpClient { BaseAddress = town.Control.Web })
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", town.Secret);
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri("/api/v1/requests", UriKind.Relative))).StatusCode);
        }

        // Another node's session is as one that does not exist, and a node that is not linked lets nobody in.
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, other, "ended", new { session = going, end }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, other, "cut", new { session = going, backend = "1" }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, other, "anchor", new { session = going, head }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, other, "ended", new { session = "ses-000000000000", end }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, other, "count", new { session = going, statement = 0 }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, other, "held-to", new { session = going, why = "NotListed", count = 1 }));

        // A node's own: not under another's name, not every connection of the account at once.
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, town.Secret, "anchor", new { session = going, head = head with { file = $"v1/2026/01/01/{session}.rec" } }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, town.Secret, "anchor", new { session = going, head = head with { file = $"../../{going}.rec" } }));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(town, town.Secret, "cut", new { session = going, backend = (string?)null }));

        // Said again, nothing changes; a ticket that nobody gave is nobody's.
        var facts = await FactsAsync(town);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(town, town.Secret, "ended", new { session, end }));
        Assert.Equal(facts, await FactsAsync(town));
        Assert.Equal("client_left", (await town.Bob.GetAsync($"sessions/{session}")).GetProperty("end_reason").GetString());
        using var part = new HttpRequestMessage(HttpMethod.Put, new Uri(town.Control.Web, "/api/v1/nodes/parts/00000000000000000000000000000000?length=5")) { Content = new ByteArrayContent([1, 2, 3, 4, 5]) };
        part.Headers.Authorization = new AuthenticationHeaderValue("Bearer", town.Secret);
        using var client = new HttpClient();
        Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync(part)).StatusCode);

        // The session that all of this was about goes on.
        await psql.StandardInput.WriteLineAsync("select 'still';");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("still", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));

        var wrong = new GatewayAlone(town.Control.Web, "stp_not-the-secret");
        Assert.Equal(1, await wrong.FailAsync());
        Assert.Contains("does not know this node's secret", wrong.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("stp_", wrong.Log, StringComparison.Ordinal);
        await wrong.DisposeAsync();
    }

    [Fact]
    public async Task OverTls_TheNamedCertificateIsTrusted_AndNoOther()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        var (secret, hash) = GatewayAlone.NewSecret();
        var certificates = new Certificates();
        await using var control = shop.Behind(
            new Dictionary<string, object>
            {
                ["roles"] = (string[])["control"],
                ["nodes"] = (string[])[$"edge={hash}"],
                ["web"] = new Dictionary<string, object> { ["tls_cert"] = certificates.Chain, ["tls_key"] = certificates.Key },
            },
            authority: certificates.Root);
        await control.StartAsync();
        using var shown = X509CertificateLoader.LoadCertificateFromFile(certificates.Chain);
        var print = shown.GetCertHashString(HashAlgorithmName.SHA256);

        await using (var pinned = new GatewayAlone(control.Web, secret, ("fingerprint", print)))
        {
            await pinned.StartAsync();
            (await Tool.RunAsync(Checkout.Stint, ["doctor", .. pinned.Place, "--gateway-listen", $"127.0.0.1:{pinned.Port}"])).Good();
        }

        await using (var vouched = new GatewayAlone(control.Web, secret, ("ca", certificates.Root)))
        {
            await vouched.StartAsync();
        }

        foreach (var trust in new[] { ("fingerprint", new string('0', 64)), ("ca", new Certificates().Root) })
        {
            await using var fooled = new GatewayAlone(control.Web, secret, trust);
            Assert.Equal(1, await fooled.FailAsync());
            Assert.Contains("certificate that this node does not trust", fooled.Log, StringComparison.Ordinal);
        }
    }

    private static async Task<long> FactsAsync(Town town) =>
        (await town.Shop.Seat(town.Control, "carol").GetAsync("status")).GetProperty("counts").GetProperty("facts").GetInt64();

    /// <summary>Says one thing through the gateway, in a session that is over and on record.</summary>
    private static async Task<string> SayAsync(Town town, string sql)
    {
        var grant = await town.Ann.OpenAsync("orders-db/read-only", 600);
        (await Tool.RunAsync("psql", ["-X", "-Atc", sql], (await town.Ann.LoginAsync(grant)).Environment)).Good();
        return await Until.SeenAsync("the session's end is on record", s_soon, async () =>
            (await town.Bob.GetAsync($"sessions?resource=orders-db&grant={grant}")).GetProperty("items").EnumerateArray().Single() is var session && session.GetProperty("state").GetString() == "ended"
                ? session.GetProperty("id").GetString()
                : null);
    }

    private static async Task<HttpStatusCode> AskAsync(Town town, string secret, string path, object body)
    {
        using var http = new HttpClient { BaseAddress = town.Control.Web };
        if (secret.Length > 0)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        }

        using var answer = await http.PostAsJsonAsync(new Uri($"/api/v1/nodes/{path}", UriKind.Relative), body, JsonSerializerOptions.Web);
        return answer.StatusCode;
    }

    private async Task<Town> TownAsync(params string[] others)
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        var (secret, hash) = GatewayAlone.NewSecret();
        var control = shop.Behind(new Dictionary<string, object>
        {
            ["roles"] = (string[])["control"],
            ["nodes"] = (string[])[$"edge={hash}", .. others],
            ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 100_000 },
        });
        await control.StartAsync();
        var town = new Town(shop, control, new GatewayAlone(control.Web, secret), secret, shop.Seat(control, "ann"), shop.Seat(control, "bob"));
        await town.Edge.StartAsync();
        return town;
    }

    private sealed record Town(Shop Shop, StintServer Control, GatewayAlone Edge, string Secret, Seat Ann, Seat Bob) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Edge.DisposeAsync();
            await Control.DisposeAsync();
        }
    }
}
