using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stint.Server.Hosting;
using Stint.Tests.Api;
using Stint.Tests.Connectors;
using Stint.Tests.Hosting;
using Stint.Tests.Identity.Scim;
using Xunit;

namespace Stint.Tests.Identity.Signals;

/// <summary>What a transmitter tells a running node, and what is over before it is answered.</summary>
public sealed class SignalsApiTests(PostgresServers servers) : IDisposable
{
    private const string Revoked = "caep/event-type/session-revoked";
    private const string Disabled = "risc/event-type/account-disabled";

    private static readonly string Catalog = TestNode.Catalog
        .Replace("ann: { name: Ann,", "ann: { name: Ann, mail: Ann@Example.com,", StringComparison.Ordinal)
        .Replace("bob: { name: Bob,", "bob: { name: Bob, mail: both@example.com,", StringComparison.Ordinal)
        .Replace("eve: { name: Eve,", "eve: { name: Eve, mail: both@example.com,", StringComparison.Ordinal);

    private readonly HttpClient _http = new(new HttpClientHandler { UseProxy = false });

    private static Task<TestNode> StartAsync(TestIssuer issuer, params (string Name, string Value)[] more) => TestNode.StartAsync(Catalog, [.. Settings(issuer), .. more]);

    private static (string Name, string Value)[] Settings(TestIssuer issuer) =>
    [
        ("STINT_DIRECTORY__SIGNALS__IDP__ISSUER", issuer.Url), ("STINT_DIRECTORY__SIGNALS__IDP__AUDIENCE", TestIssuer.Audience), ("STINT_DIRECTORY__SIGNALS__IDP__LOOPBACK_HTTP", "true"),
        .. ScimNode.Settings,
    ];

    private static string Token(TestIssuer issuer, string kind, JsonObject? subject, params (string Name, JsonNode? Value)[] other) =>
        SecurityEventTokensTests.Sign(issuer, SecurityEventTokensTests.Claims(issuer, TimeProvider.System.GetUtcNow(), kind, subject, other));

    private static JsonObject Mail(string address) => new() { ["format"] = "email", ["email"] = address };

    private async Task<(int Status, string Body)> SendAsync(TestNode node, string token, string type = "application/secevent+jwt")
    {
        using var content = new StringContent(token, Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await _http.PostAsync(new Uri(node.Node.Address, "/ssf/events"), content);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task TakenAsync(TestNode node, string token) => Assert.Equal((202, ""), await SendAsync(node, token));

    private static async Task<int> WhoAsync(TestNode node, string person) => (int)(await node.SendAsync(person, HttpMethod.Get, "/api/v1/whoami")).Status;

    private static async Task<List<JsonNode>> FactsAsync(TestNode node, string kind) =>
        [.. (await node.GetAsync("carol", "/api/v1/audit/facts?limit=500"))["items"]!.AsArray().Where(fact => (string?)fact!["kind"] == kind).Select(fact => JsonNode.Parse((string)fact!["body"]!)!)];

    [Fact]
    public async Task SessionRevoked_EndsWhatIsHeldAndWaits_BeforeTheAnswer_Once()
    {
        await using var issuer = new TestIssuer();
        await using var node = await StartAsync(issuer);
        var open = await node.HoldAsync("ann");
        var other = await node.HoldAsync("bob");
        var waits = (string)(await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "to change" }, HttpStatusCode.Created))["id"]!;
        var token = Token(issuer, Revoked, Mail("ann@example.COM"));
        await TakenAsync(node, token);
        var ended = await node.GetAsync("dan", $"/api/v1/grants/{open.Id}");
        Assert.Equal(("revoked", "idp says session-revoked"), ((string?)ended["end_reason"], (string?)ended["end_note"]));
        Assert.Equal("cancelled", (string?)(await node.GetAsync("dan", $"/api/v1/requests/{waits}"))["state"]);
        Assert.Equal("open", (string?)(await node.GetAsync("dan", $"/api/v1/grants/{other.Id}"))["state"]);

        // The same again does nothing: what was asked since stays.
        var again = (string)(await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "to change" }, HttpStatusCode.Created))["id"]!;
        await TakenAsync(node, token);
        Assert.Equal("pending", (string?)(await node.GetAsync("dan", $"/api/v1/requests/{again}"))["state"]);
        var fact = Assert.Single(await FactsAsync(node, "SignalTaken"));
        Assert.Equal("sender:idp", (string?)fact["actor"]);

        // Nobody who is known, an event that is none of ours, and the transmitter's own trying: taken, and nothing.
        await TakenAsync(node, Token(issuer, Revoked, Mail("nobody@example.com")));
        await TakenAsync(node, Token(issuer, Revoked, null));
        await TakenAsync(node, Token(issuer, "caep/event-type/device-compliance-change", Mail("ann@example.com")));
        await TakenAsync(node, Token(issuer, "ssf/event-type/verification", new JsonObject { ["format"] = "opaque", ["id"] = "stream-1" }));
        await TakenAsync(node, Token(issuer, "caep/event-type/credential-change", Mail("ann@example.com")));
        Assert.Equal("pending", (string?)(await node.GetAsync("dan", $"/api/v1/requests/{again}"))["state"]);
    }

    [Theory]
    [InlineData(Revoked)]
    [InlineData(Disabled)]
    public async Task LiveConnection_IsCutWithTheAnswer(string kind)
    {
        await using var issuer = new TestIssuer();
        await using var live = await LiveNode.StartAsync(
            servers, Catalog, "live_signals", "target-admin-password", "{ env: ORDERS_DB_PASSWORD }", [("ORDERS_DB_PASSWORD", "target-admin-password"), .. Settings(issuer)]);
        var grant = await live.OpenAsync("ann", 600);
        await using var connection = await LiveNode.ConnectAsync(await live.MintAsync("ann", (string)grant["id"]!));
        Assert.Equal(1, await LiveNode.SayAsync(connection, "select 1"));
        var cut = LiveNode.UntilCutAsync(connection, TimeSpan.FromSeconds(20));
        await TakenAsync(live.Node, Token(issuer, kind, Mail("ann@example.com")));
        var answered = TimeProvider.System.GetUtcNow();
        var (said, at) = await cut;
        Assert.Equal("57P01", said.SqlState);
        Assert.InRange(at - answered, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(1));
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: the last byte {(at - answered).TotalMilliseconds:F0} ms after the answer");
    }

    [Fact]
    public async Task AccountDisabled_UntilItsTransmitterOrAnAdminSaysOtherwise()
    {
        await using var issuer = new TestIssuer();
        await using var node = await StartAsync(issuer);
        var open = await node.HoldAsync("ann");
        await TakenAsync(node, Token(issuer, Disabled, new JsonObject { ["format"] = "account", ["uri"] = "acct:ann@example.com" }));
        Assert.Equal(401, await WhoAsync(node, "ann"));
        Assert.Equal("offboarded", (string?)(await node.GetAsync("dan", $"/api/v1/grants/{open.Id}"))["end_reason"]);
        await node.RestartAsync();
        Assert.Equal(401, await WhoAsync(node, "ann"));

        var enabled = new JsonObject { ["format"] = "iss_sub", ["iss"] = issuer.Url, ["sub"] = "ann" };
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", new JsonObject { ["format"] = "iss_sub", ["iss"] = "https://another.example.com", ["sub"] = "ann" }));
        Assert.Equal(401, await WhoAsync(node, "ann"));
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", enabled));
        Assert.Equal(200, await WhoAsync(node, "ann"));

        // What comes late is not the last word, in either direction; what happened is what counts, before when it was told.
        var now = TimeProvider.System.GetUtcNow();
        (string, JsonNode?)[] At(int iat, int? toe = null) => [("iat", now.AddSeconds(iat).ToUnixTimeSeconds()), ("toe", toe is { } seconds ? now.AddSeconds(seconds).ToUnixTimeSeconds() : null)];
        await TakenAsync(node, Token(issuer, Disabled, enabled.DeepClone().AsObject(), At(-60)));
        await TakenAsync(node, Token(issuer, Disabled, enabled.DeepClone().AsObject(), At(2, -30)));
        Assert.Equal(200, await WhoAsync(node, "ann"));
        await TakenAsync(node, Token(issuer, Disabled, enabled.DeepClone().AsObject(), At(3)));
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", enabled.DeepClone().AsObject(), At(4, 1)));
        Assert.Equal(401, await WhoAsync(node, "ann"));

        // Who says that it happens in a year is not ahead of what comes after.
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", enabled.DeepClone().AsObject(), At(5, 31_536_000)));
        Assert.Equal(200, await WhoAsync(node, "ann"));
        await TakenAsync(node, Token(issuer, Disabled, enabled.DeepClone().AsObject(), At(6)));
        Assert.Equal(401, await WhoAsync(node, "ann"));

        // Gone for good: the account does not bring its person back, an admin does.
        await TakenAsync(node, Token(issuer, "risc/event-type/account-purged", enabled.DeepClone().AsObject()));
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", enabled.DeepClone().AsObject(), At(7)));
        Assert.Equal(401, await WhoAsync(node, "ann"));
        await node.PostAsync("carol", "/api/v1/people/ann/restore", new { reason = "somebody else with the name" });
        Assert.Equal(200, await WhoAsync(node, "ann"));

        // Whom an admin sent away, no transmitter brings back.
        await node.PostAsync("carol", "/api/v1/people/ann/offboard", new { reason = "dismissed" });
        await TakenAsync(node, Token(issuer, Disabled, enabled.DeepClone().AsObject(), At(8)));
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", enabled.DeepClone().AsObject(), At(9)));
        Assert.Equal(401, await WhoAsync(node, "ann"));
        Assert.Equal(4, (await FactsAsync(node, "PersonOffboarded")).Count(fact => (string?)fact["actor"] == "sender:idp"));
    }

    [Fact]
    public async Task Subject_ByTheDirectorysNames_ByAddress_AndWithOthers()
    {
        await using var issuer = new TestIssuer();
        await using var node = await StartAsync(issuer);
        using var scim = new ScimNode(node);
        await scim.UserAsync("dan", ""","active":true,"externalId":"00u-dan","emails":[{"value":"second@example.com","type":"work"},{"value":"third@example.com"}]""");
        await TakenAsync(node, Token(issuer, Disabled, new JsonObject { ["format"] = "complex", ["session"] = new JsonObject { ["format"] = "opaque", ["id"] = "s-1" }, ["user"] = Mail("third@example.com") }));
        Assert.Equal(401, await WhoAsync(node, "dan"));
        var named = new JsonObject { ["format"] = "opaque", ["id"] = "00u-dan" };
        await TakenAsync(node, Token(issuer, "risc/event-type/account-enabled", new JsonObject { ["format"] = "aliases", ["identifiers"] = new JsonArray(named, Mail("unknown@example.com")) }));
        Assert.Equal(200, await WhoAsync(node, "dan"));

        // The directory's external id comes before a name here: nobody takes another's place by calling themselves so there.
        await scim.UserAsync("carol", ""","active":true,"externalId":"ann" """.TrimEnd());
        await TakenAsync(node, Token(issuer, Disabled, new JsonObject { ["format"] = "opaque", ["id"] = "ann" }));
        Assert.Equal((401, 200), (await WhoAsync(node, "carol"), await WhoAsync(node, "ann")));

        // An address of two: both.
        await TakenAsync(node, Token(issuer, Disabled, Mail("both@example.com")));
        Assert.Equal((401, 401), (await WhoAsync(node, "bob"), await WhoAsync(node, "eve")));
    }

    [Fact]
    public async Task Wrong_IsToldInTheWordsOfTheRfc_CountedAndOnRecord()
    {
        await using var issuer = new TestIssuer();
        await using var stranger = new TestIssuer();
        await using var node = await StartAsync(issuer, ("STINT_LIMITS__FAILURES_PER_MINUTE", "4"));
        async Task RefusedAsync(int status, string error, string token, string type = "application/secevent+jwt")
        {
            var (answered, body) = await SendAsync(node, token, type);
            Assert.Equal((status, error), (answered, (string?)JsonNode.Parse(body)!["err"]));
            Assert.EndsWith(".", (string?)JsonNode.Parse(body)!["description"], StringComparison.Ordinal);
        }

        var good = Token(issuer, Disabled, Mail("ann@example.com"));
        await RefusedAsync(400, "invalid_request", good, "application/jwt");
        await RefusedAsync(413, "invalid_request", good + new string('A', 16 << 10));
        await RefusedAsync(400, "invalid_audience", Token(issuer, Disabled, Mail("ann@example.com"), ("aud", "x")));
        await RefusedAsync(400, "invalid_issuer", Token(stranger, Disabled, Mail("ann@example.com")));
        await RefusedAsync(400, "invalid_key", Token(stranger, Disabled, Mail("ann@example.com"), ("iss", issuer.Url)));
        await RefusedAsync(400, "invalid_request", "x");
        Assert.Equal(429, (await SendAsync(node, "x")).Status);
        Assert.Equal(429, (await SendAsync(node, good)).Status);
        Assert.Equal(200, await WhoAsync(node, "ann"));
        Assert.NotEmpty(await FactsAsync(node, "SignalRefused"));
    }

    [Theory]
    [InlineData("X__ISSUER=https://a", "`directory.signals.x.audience` is missing")]
    [InlineData("X__AUDIENCE=a", "`directory.signals.x.issuer` is missing")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=http://idp.example.com", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://a;X__JWKS_URL=http://a/keys", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=a;X__JWKS_FILE=/nowhere/keys.json", "which is not there")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://a;Y__AUDIENCE=b;Y__ISSUER=https://a", "keep one of them")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://a;X__TYPO=1", "typo")]
    public void Configuration_WithAProblem_NamesIt(string settings, string expected)
    {
        var folder = Directory.CreateTempSubdirectory("stint-signals-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "catalog"));
        var arguments = TestNode.Arguments(folder, TextWriter.Null, [.. settings.Split(';').Select(one => one.Split('=', 2)).Select(pair => ("STINT_DIRECTORY__SIGNALS__" + pair[0], pair[1]))]);
        Assert.Contains(OptionsReader.Read(arguments, arguments.Environment!).Problems, problem => problem.ToString().Contains(expected, StringComparison.OrdinalIgnoreCase));
        Directory.Delete(folder, recursive: true);
    }

    public void Dispose() => _http.Dispose();
}
