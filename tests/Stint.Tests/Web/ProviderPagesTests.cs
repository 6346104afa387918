using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Stint.Tests.Api;
using Stint.Tests.Identity;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>To a provider and back in a browser, and what a provider tells by itself.</summary>
public sealed class ProviderPagesTests
{
    private static Task<TestNode> StartAsync(TestProvider provider, params (string Name, string Value)[] more) => TestNode.StartAsync([.. provider.Settings(), .. more]);

    /// <summary>Sends a browser there and has somebody say yes.</summary>
    /// <returns>The address at which it comes back.</returns>
    private static async Task<string> AgreeAsync(Browser browser, TestProvider provider, string path = "/sign-in/acme")
    {
        var (led, text) = await browser.GetAsync(path);
        Assert.True(led.StatusCode == HttpStatusCode.Found, text);
        return QueryHelpers.AddQueryString("/sign-in/acme/callback", provider.Agree(led.Headers.Location!.AbsoluteUri)!);
    }

    private static async Task<HttpStatusCode> WhoAsync(Browser browser) => (await browser.GetAsync("/api/v1/whoami")).Response.StatusCode;

    [Fact]
    public async Task SignIn_GoesThereAndBack_OnceAndInOneBrowser()
    {
        await using var provider = new TestProvider();
        await using var node = await StartAsync(provider);
        using var browser = new Browser(node);
        using var other = new Browser(node);
        var (_, page) = await browser.GetAsync("/sign-in?then=%2Faccount%3Fx%3D1");
        Assert.Contains("<a class=\"btn main\" href=\"/sign-in/acme?then=%2Faccount%3Fx%3D1\">Sign in with The acme</a>", page, StringComparison.Ordinal);

        var back = await AgreeAsync(browser, provider, "/sign-in/acme?then=%2Faccount%3Fx%3D1");

        // In another browser, which began one of its own, and in one that knows nothing of it.
        var (without, html) = await other.GetAsync(back);
        Assert.Equal(HttpStatusCode.BadRequest, without.StatusCode);
        Assert.Contains("was not sent there from here", html, StringComparison.Ordinal);
        await AgreeAsync(other, provider);
        Assert.Equal(HttpStatusCode.BadRequest, (await other.GetAsync(back)).Response.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await WhoAsync(other));

        // Other ways of answering than the one that was asked for.
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.PostAsync(back)).Response.StatusCode);
        Assert.False(provider.Calls.ContainsKey("/token"));

        var (home, _) = await browser.GetAsync(back);
        Assert.Equal((HttpStatusCode.Found, "/account?x=1"), (home.StatusCode, home.Headers.Location!.ToString()));
        Assert.DoesNotContain(home.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("__Host-stint=", StringComparison.Ordinal) && !cookie.Contains("httponly", StringComparison.OrdinalIgnoreCase));
        var (_, who) = await browser.GetAsync("/api/v1/whoami");
        Assert.Equal("ann", (string?)JsonNode.Parse(who)!["id"]);
        var (_, list) = await browser.GetAsync("/api/v1/sign-ins");
        Assert.Contains("oidc:acme", list, StringComparison.Ordinal);

        // Back a second time: nobody is signed in by it, and who is stays.
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(back)).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await WhoAsync(browser));

        // The log tells of both.
        var facts = (await node.GetAsync("dan", "/api/v1/audit/facts?from=0&limit=1000")).ToJsonString();
        Assert.Contains("PersonSignedIn", facts, StringComparison.Ordinal);
        Assert.Contains("SignInRefused", facts, StringComparison.Ordinal);
        Assert.True((bool)(await node.PostAsync("dan", "/api/v1/audit/verify", new { }))["holds"]!);

        // Who signs out here hears that one click lets in again.
        var csrf = page = (await browser.GetAsync("/account")).Text;
        csrf = csrf[(csrf.IndexOf("name=\"csrf\" value=\"", StringComparison.Ordinal) + 19)..];
        var (gone, _) = await browser.PostAsync("/sign-out", ("csrf", csrf[..csrf.IndexOf('"', StringComparison.Ordinal)]));
        Assert.Equal("/sign-in?out=acme", gone.Headers.Location!.ToString());
        Assert.Contains("href=\"/sign-in/acme/end\"", (await browser.GetAsync("/sign-in?out=acme")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/end\"", (await browser.GetAsync("/sign-in?out=evil")).Text, StringComparison.Ordinal);
        var end = (await browser.GetAsync("/sign-in/acme/end")).Response.Headers.Location!;
        Assert.StartsWith($"{provider.Url}/end?client_id=stint", end.AbsoluteUri, StringComparison.Ordinal);
        Assert.EndsWith("/sign-in", QueryHelpers.ParseQuery(end.Query)["post_logout_redirect_uri"].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Then_ThatLeadsElsewhere_LeadsHome()
    {
        await using var provider = new TestProvider();
        await using var node = await StartAsync(provider);
        using var browser = new Browser(node);
        foreach (var then in (string[])["https://evil.example/", "//evil.example/", "/\\evil.example/", "/\t/evil.example/", "%2F%2Fevil.example/", "javascript:alert(1)", "/sign-out", ""])
        {
            var back = await AgreeAsync(browser, provider, $"/sign-in/acme?then={Uri.EscapeDataString(then)}");
            var (home, text) = await browser.GetAsync(back + "&then=https%3A%2F%2Fevil.example%2F");
            Assert.True(home.Headers.Location?.ToString() == "/home", $"{then}: {text}");
        }
    }

    [Fact]
    public async Task Trouble_IsOnePage_AndNobodyIsSignedIn()
    {
        await using var provider = new TestProvider();
        await using var node = await StartAsync(provider);
        using var browser = new Browser(node);
        foreach (var name in (string[])["zed", "mallory", "<script>alert(1)</script>"])
        {
            provider.Claiming(("preferred_username", name));
            var (response, html) = await browser.GetAsync(await AgreeAsync(browser, provider));
            Assert.Equal((HttpStatusCode.Forbidden, "text/html"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
            Assert.Contains("Nobody was signed in", html, StringComparison.Ordinal);
            Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
            Assert.False(browser.Cookies.ContainsKey("__Host-stint"));
        }

        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/sign-in/evil")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/sign-in/evil/callback?code=x&state=y")).Response.StatusCode);
        provider.Instead["/token"] = (500, "");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.GetAsync(await AgreeAsync(browser, provider))).Response.StatusCode);
    }

    [Fact]
    public async Task FreshProof_IsForWhoIsSignedInHere()
    {
        await using var provider = new TestProvider();
        await using var node = await StartAsync(provider);
        using var browser = new Browser(node);
        var (nobody, _) = await browser.GetAsync("/sign-in/acme?fresh=1&then=%2Faccount");
        Assert.Equal("/sign-in?then=%2Faccount", nobody.Headers.Location!.ToString());
        await browser.GetAsync(await AgreeAsync(browser, provider));
        var held = browser.Cookies["__Host-stint"];

        // Somebody else proves themselves, or the proof is an old one.
        provider.Claiming(("auth_time", TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()), ("preferred_username", "bob"));
        var (other, html) = await browser.GetAsync(await AgreeAsync(browser, provider, "/sign-in/acme?fresh=1"));
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.Contains("not who is signed in here", html, StringComparison.Ordinal);
        provider.Forget("preferred_username");
        provider.Forget("auth_time");
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync(await AgreeAsync(browser, provider, "/sign-in/acme?fresh=1"))).Response.StatusCode);

        provider.Claiming(("auth_time", TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));
        var (proved, _) = await browser.GetAsync(await AgreeAsync(browser, provider, "/sign-in/acme?fresh=1&then=%2Faccount%3Fp%3D1"));
        Assert.Equal((HttpStatusCode.Found, "/account?p=1", held), (proved.StatusCode, proved.Headers.Location!.ToString(), browser.Cookies["__Host-stint"]));
        Assert.Contains("PersonProved", (await node.GetAsync("dan", "/api/v1/audit/facts?from=0&limit=1000")).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_OfASignIn_CountForAWhile_AndForNobodyWhomTheDirectoryKnows()
    {
        var catalog = TestNode.Catalog.Replace("developers: [ann, bob]", "developers: { directory: Acme/Engineers }\n  leads: { directory: acme/leads }", StringComparison.Ordinal).Replace("admins: [carol]", "admins: [carol, group:leads]", StringComparison.Ordinal);
        await using var provider = new TestProvider();
        await using var node = await TestNode.StartAsync(catalog, [.. provider.Settings("acme", ("GROUPS", "groups")), ("STINT_DIRECTORY__SCIM_TOKEN_ENV", "SCIM"), ("SCIM", "a-token-of-the-directory")]);
        using var browser = new Browser(node);
        async Task<HttpStatusCode> AskAsync() => (await node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/read-only", reason = "work" })).Status;
        provider.Instead["/userinfo"] = (200, """{"sub":"u-1"}""");
        async Task SaysAsync(JsonNode? groups)
        {
            provider.Claiming(("groups", groups));
            Assert.Equal(HttpStatusCode.Found, (await browser.GetAsync(await AgreeAsync(browser, provider))).Response.StatusCode);
        }

        async Task CountsAsync()
        {
            for (var i = 0; i < 100 && await AskAsync() != HttpStatusCode.Created; i++)
            {
                await Task.Delay(50);
            }

            Assert.Equal(HttpStatusCode.Created, await AskAsync());
        }

        // Groups that the catalog does not name are nothing here, whatever they are called.
        await SaysAsync(new JsonArray("admins", "developers", "auditors", 7, "Acme/Engineers", "other/leads"));
        await Task.Delay(100);
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync());
        Assert.False((bool)(await node.GetAsync("ann", "/api/v1/whoami"))["admin"]!);

        // One that it names, capitals aside; the next sign-in without it takes it and what it gave, before the answer.
        await SaysAsync(new JsonArray("ENGINEERS", "admins"));
        await CountsAsync();
        var grant = (await node.GetAsync("ann", "/api/v1/grants"))["items"]![0]!["id"];
        await SaysAsync(null);
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync());
        Assert.Equal("revoked", (string?)(await node.GetAsync("carol", $"/api/v1/grants/{grant}"))["end_reason"]);

        // Whom the directory knows, it knows better.
        await SaysAsync("engineers");
        await CountsAsync();
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new("Bearer", "a-token-of-the-directory");
        var known = await http.PostAsync(new Uri(node.Node.Address, "/scim/v2/Users"), new StringContent("""{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann","active":true}""", System.Text.Encoding.UTF8, "application/scim+json"));
        Assert.Equal(HttpStatusCode.Created, known.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync());
        await SaysAsync(new JsonArray("engineers", "leads"));
        await Task.Delay(100);
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync());
        Assert.False((bool)(await node.GetAsync("ann", "/api/v1/whoami"))["admin"]!);

        // What it said of another is over a day later, before anybody is answered.
        provider.Claiming(("preferred_username", "bob"));
        await SaysAsync(new JsonArray("leads"));
        for (var i = 0; i < 100 && !(bool)(await node.GetAsync("bob", "/api/v1/whoami"))["admin"]!; i++)
        {
            await Task.Delay(50);
        }

        Assert.True((bool)(await node.GetAsync("bob", "/api/v1/whoami"))["admin"]!);
        await node.RestartAsync(new Ahead(TimeSpan.FromHours(23)));
        Assert.True((bool)(await node.GetAsync("bob", "/api/v1/whoami"))["admin"]!);
        await node.RestartAsync(new Ahead(TimeSpan.FromHours(25)));
        Assert.False((bool)(await node.GetAsync("bob", "/api/v1/whoami"))["admin"]!);
        var told = (await node.GetAsync("dan", "/api/v1/audit/facts?from=0&limit=1000"))["items"]!.AsArray().Select(fact => fact!.ToJsonString()).Where(fact => fact.Contains("ProviderGroupsTold", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, told.Count);
        Assert.Contains("acme/leads", told[^1], StringComparison.Ordinal);
        Assert.True((bool)(await node.PostAsync("dan", "/api/v1/audit/verify", new { }))["holds"]!);
    }

    /// <summary>A clock that goes before.</summary>
    private sealed class Ahead(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }

    [Fact]
    public async Task Logout_OfTheProvider_EndsWhatItLetIn_AndNothingElse()
    {
        await using var provider = new TestProvider();
        await using var node = await StartAsync(provider);
        using var first = new Browser(node);
        using var second = new Browser(node);
        using var elsewhere = new Browser(node);
        using var caller = new Browser(node);
        await first.GetAsync(await AgreeAsync(first, provider));
        provider.Claiming(("sid", "s-2"));
        await second.GetAsync(await AgreeAsync(second, provider));
        await elsewhere.SignInAsync("ann");
        async Task<HttpStatusCode> TellAsync(string token) => (await caller.PostAsync("/sign-in/acme/logout", ("logout_token", token))).Response.StatusCode;

        // Those that do not count.
        var now = TimeProvider.System.GetUtcNow();
        var good = provider.LogoutToken(other: ("sid", "s-1"));
        foreach (var bad in (string[])
        [
            "", "x", good[..^40] + ".",
            provider.LogoutToken(other: ("iss", "https://evil.example")), provider.LogoutToken(other: ("aud", "another")), provider.LogoutToken(other: ("nonce", "n")),
            provider.LogoutToken(other: ("events", null)), provider.LogoutToken(other: ("events", new JsonObject { ["http://schemas.openid.net/event/other"] = new JsonObject() })),
            provider.LogoutToken(other: ("jti", null)), provider.LogoutToken(other: ("sub", null)), provider.LogoutToken(other: ("sub", "")), provider.LogoutToken(other: ("sid", 7)),
            provider.LogoutToken(other: ("iat", now.AddMinutes(-11).ToUnixTimeSeconds())), provider.LogoutToken(other: ("exp", now.AddMinutes(-1).ToUnixTimeSeconds())), provider.LogoutToken(other: ("exp", null)),
            provider.LogoutToken("""{"alg":"RS256","typ":"at+jwt","kid":"rsa-1"}"""), provider.LogoutToken("""{"alg":"RS256","typ":"logout+jwt","kid":"ec-1"}"""), provider.LogoutToken("""{"alg":"none","typ":"logout+jwt","kid":"rsa-1"}"""),
        ])
        {
            Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(bad));
        }

        Assert.Equal(HttpStatusCode.NotFound, (await caller.PostAsync("/sign-in/evil/logout", ("logout_token", good))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await WhoAsync(first));

        // One session of it, and no other; shown again it counts no more.
        Assert.Equal(HttpStatusCode.OK, await TellAsync(good));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK, HttpStatusCode.OK), (await WhoAsync(first), await WhoAsync(second), await WhoAsync(elsewhere)));
        provider.Claiming(("sid", "s-1"));
        await first.GetAsync(await AgreeAsync(first, provider));
        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(good));
        Assert.Equal(HttpStatusCode.OK, await WhoAsync(first));

        // All of theirs, those that the provider gave no session's name, too.
        provider.Claiming(("sid", null));
        await second.GetAsync(await AgreeAsync(second, provider));
        Assert.Equal(HttpStatusCode.OK, await TellAsync(provider.LogoutToken(other: ("sid", "s-1"))));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await WhoAsync(first), await WhoAsync(second), await WhoAsync(elsewhere)));
        await second.GetAsync(await AgreeAsync(second, provider));
        Assert.Equal(HttpStatusCode.OK, await TellAsync(provider.LogoutToken()));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await WhoAsync(second), await WhoAsync(elsewhere)));
    }
}
