using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Identity;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>Browsers in which people are signed in: what lets them in, what does not, and how it ends.</summary>
public sealed class SignInTests
{
    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    [Fact]
    public async Task Cookie_OpensPagesAndTheApi_AndIsSetSoThatOnlyThisHostHasIt()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        var (led, _) = await browser.GetAsync("/account?x=1");
        Assert.Equal((HttpStatusCode.Found, "/sign-in?then=%2Faccount%3Fx%3D1"), (led.StatusCode, led.Headers.Location!.ToString()));
        var session = await browser.SignInAsync("ann");
        Assert.StartsWith("stint_b_", browser.Cookies["__Host-stint"], StringComparison.Ordinal);
        var (page, html) = await browser.GetAsync("/account");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("TestBrowser/1.0 (this one)", html, StringComparison.Ordinal);
        Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Cookies["__Host-stint"], html, StringComparison.Ordinal);
        Assert.False(page.Headers.Contains("Set-Cookie"));
        var (who, text) = await browser.GetAsync("/api/v1/whoami");
        Assert.Equal((HttpStatusCode.OK, "ann"), (who.StatusCode, (string?)JsonNode.Parse(text)!["id"]));
        var (_, list) = await browser.GetAsync("/api/v1/sign-ins");
        Assert.Equal((session.Id, true), ((string?)JsonNode.Parse(list)!["items"]![0]!["id"], (bool)JsonNode.Parse(list)!["items"]![0]!["this"]!));
    }

    [Fact]
    public async Task Change_WithoutTheTokenOrFromElsewhere_IsRefused()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        var session = await browser.SignInAsync("ann");
        var own = node.Node.Address.GetLeftPart(UriPartial.Authority);
        const string Ask = """{"role":"orders-db/read-only","for_seconds":600}""";
        foreach (var (headers, expected) in new ((string, string)[] Headers, HttpStatusCode Expected)[]
        {
            ([], HttpStatusCode.Forbidden),
            ([("X-Stint-CSRF", session.Csrf[..^1] + (session.Csrf[^1] == 'A' ? 'B' : 'A'))], HttpStatusCode.Forbidden),
            ([("X-Stint-CSRF", session.Csrf), ("Origin", "https://evil.example")], HttpStatusCode.Forbidden),
            ([("X-Stint-CSRF", session.Csrf), ("Origin", "null")], HttpStatusCode.Forbidden),
            ([("X-Stint-CSRF", session.Csrf), ("Sec-Fetch-Site", "cross-site")], HttpStatusCode.Forbidden),
            ([("X-Stint-CSRF", session.Csrf), ("Sec-Fetch-Site", "same-site")], HttpStatusCode.Forbidden),
            ([("X-Stint-CSRF", session.Csrf), ("Sec-Fetch-Site", "same-origin"), ("Origin", own)], HttpStatusCode.Created),
        })
        {
            var (response, text) = await browser.SendAsync(HttpMethod.Post, "/api/v1/requests", Json(Ask), headers);
            Assert.True(response.StatusCode == expected, $"{string.Join(", ", headers)}: {(int)response.StatusCode} {text}");
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/sign-out")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/sign-out", ("csrf", ""))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/whoami")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.Found, (await browser.PostAsync("/sign-out", ("csrf", session.Csrf))).Response.StatusCode);
        Assert.Empty(browser.Cookies);
    }

    [Fact]
    public async Task SignedInAnew_TheSecretBeforeCountsNoLonger()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        await browser.SignInAsync("ann");
        using var thief = new Browser(node);
        thief.Cookies["__Host-stint"] = browser.Cookies["__Host-stint"];
        Assert.Equal(HttpStatusCode.OK, (await thief.GetAsync("/api/v1/whoami")).Response.StatusCode);
        await browser.SignInAsync("bob");
        Assert.Equal(HttpStatusCode.Unauthorized, (await thief.GetAsync("/api/v1/whoami")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/whoami")).Response.StatusCode);
    }

    [Fact]
    public async Task End_OnesOwnOrByAnAdmin_AndNobodyElses()
    {
        await using var node = await TestNode.StartAsync();
        using var ann = new Browser(node);
        using var bob = new Browser(node);
        var (hers, his) = (await ann.SignInAsync("ann"), await bob.SignInAsync("bob"));
        var (refused, _) = await bob.SendAsync(HttpMethod.Post, $"/api/v1/sign-ins/{hers.Id}/end", Json("{}"), ("X-Stint-CSRF", his.Csrf));
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        await node.PostAsync("carol", $"/api/v1/sign-ins/{hers.Id}/end", new { });
        Assert.Equal(HttpStatusCode.Unauthorized, (await ann.GetAsync("/api/v1/whoami")).Response.StatusCode);
        await bob.PostAsync($"/account/sign-ins/{his.Id}/end", ("csrf", his.Csrf));
        Assert.Equal(HttpStatusCode.Unauthorized, (await bob.GetAsync("/api/v1/whoami")).Response.StatusCode);
        var facts = (await node.GetAsync("carol", "/api/v1/audit/facts?limit=200"))["items"]!.AsArray().Select(fact => (string?)fact!["kind"]).ToList();
        Assert.Equal((2, 2), (facts.Count(kind => kind == FactKinds.PersonSignedIn), facts.Count(kind => kind == FactKinds.PersonSignedOut)));
    }

    [Fact]
    public async Task Offboarded_TheBrowserIsOut_AndStaysOutWhenThePersonIsTakenBack()
    {
        await using var node = await TestNode.StartAsync();
        using var ann = new Browser(node);
        await ann.SignInAsync("ann");
        await node.PostAsync("carol", "/api/v1/people/ann/offboard", new { reason = "left" });
        Assert.Equal(HttpStatusCode.Unauthorized, (await ann.GetAsync("/api/v1/whoami")).Response.StatusCode);
        await node.PostAsync("carol", "/api/v1/people/ann/restore", new { reason = "a mistake" });
        Assert.Equal(HttpStatusCode.OK, (await node.SendAsync("ann", HttpMethod.Get, "/api/v1/whoami")).Status);
        using var thief = new Browser(node);
        thief.Cookies["__Host-stint"] = ann.Cookies.GetValueOrDefault("__Host-stint", "stint_b_none");
        Assert.Equal(HttpStatusCode.Unauthorized, (await thief.GetAsync("/api/v1/whoami")).Response.StatusCode);
    }

    [Fact]
    public async Task Time_UnusedOrInAll_EndsIt()
    {
        await using var node = await TestNode.StartAsync(("STINT_WEB__SESSION_IDLE", "1h"), ("STINT_WEB__SESSION_LASTS", "2h"));
        using var browser = new Browser(node);
        await browser.SignInAsync("ann");
        foreach (var (minutes, expected) in ((int, HttpStatusCode)[])[(50, HttpStatusCode.OK), (105, HttpStatusCode.OK), (121, HttpStatusCode.Unauthorized)])
        {
            await node.RestartAsync(new ManualTime(TimeProvider.System.GetUtcNow().AddMinutes(minutes)));
            using var later = new Browser(node);
            later.Cookies["__Host-stint"] = browser.Cookies["__Host-stint"];
            Assert.Equal(expected, (await later.GetAsync("/api/v1/whoami")).Response.StatusCode);
        }

        await node.RestartAsync();
        using var other = new Browser(node);
        await other.SignInAsync("ann");
        await node.RestartAsync(new ManualTime(TimeProvider.System.GetUtcNow().AddMinutes(61)));
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/v1/whoami")).Response.StatusCode);
    }

    [Fact]
    public async Task ProvedAgain_OnlyByWhoIsSignedIn_AndNeverOlder()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        var session = await browser.SignInAsync("ann");
        var browsers = node.Node.Services.GetRequiredService<WebSessions>();
        var now = TimeProvider.System.GetUtcNow();
        Assert.Null(await browsers.ProvedAgainAsync(session, new SignIn(new SubjectId("bob"), "passkey", now), CancellationToken.None));
        Assert.Null(await browsers.ProvedAgainAsync(session, new SignIn(new SubjectId("ann"), "passkey", now.AddHours(-1)), CancellationToken.None));
        var proved = await browsers.ProvedAgainAsync(session, new SignIn(new SubjectId("ann"), "password+totp", now.AddMinutes(1)), CancellationToken.None);
        Assert.Equal("password+totp", proved!.ProvedBy);
        Assert.True(proved.ProvedAt >= session.ProvedAt);
    }

    [Fact]
    public async Task ApprovePage_ShowsEachStatementThatMayRun_AndNothingOfItIsMarkup()
    {
        await using var node = await TestNode.StartAsync();
        var details = new[] { new { type = "stint:statements", statements = new[] { new { sql = "delete from orders where id < 5 and note = '<b>'", times = 2 } } } };
        var request = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", for_seconds = 600, reason = "fix", authorization_details = details }, HttpStatusCode.Created);
        using var bob = new Browser(node);
        await bob.SignInAsync("bob");
        var (_, page) = await bob.GetAsync($"/approve/{request["id"]}");
        Assert.Contains("Exactly 1 statement, and nothing else", page, StringComparison.Ordinal);
        Assert.Contains("delete from orders where id &lt; 5 and note = &#x27;&lt;b&gt;&#x27;", page, StringComparison.Ordinal);
        Assert.Contains("at most 2 times", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "/home")]
    [InlineData("/catalog/replays/rp-1?a=b#c", "/catalog/replays/rp-1?a=b#c")]
    [InlineData("//evil.example", "/home")]
    [InlineData("/\\evil.example", "/home")]
    [InlineData("https://evil.example", "/home")]
    [InlineData("javascript:alert(1)", "/home")]
    [InlineData("/\t/evil.example", "/home")]
    [InlineData("/a\\b", "/home")]
    [InlineData("/sign-in?then=/sign-in", "/home")]
    [InlineData("", "/home")]
    public void Then_LeadsNowhereElse(string? then, string expected) => Assert.Equal(expected, Server.Web.Then.Of(then));
}
