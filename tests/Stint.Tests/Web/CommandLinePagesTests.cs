using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Server.Identity;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>Command lines that log in over HTTP, as a program and a browser do it, and as somebody would who wants in for another.</summary>
public sealed partial class CommandLinePagesTests
{
    private const string Verifier = "a-verifier-of-a-command-line-with-43-characters-or-more";
    private const string State = "a-state-that-is-long-enough";

    private static async Task<(HttpStatusCode Status, JsonObject Body)> FormAsync(TestNode node, string path, params (string Name, string Value)[] fields)
    {
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        using var response = await http.PostAsync(new Uri(node.Node.Address, path), new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value))));
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : []);
    }

    private static Task<(HttpStatusCode Status, JsonObject Body)> DeviceAsync(TestNode node, string host = "ann-laptop") =>
        FormAsync(node, "/oauth/device", ("client_id", "stint-cli"), ("host", host), ("version", "1.2.3"));

    private static Task<(HttpStatusCode Status, JsonObject Body)> PollAsync(TestNode node, JsonObject codes) =>
        FormAsync(node, "/oauth/token", ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("client_id", "stint-cli"), ("device_code", (string)codes["device_code"]!));

    private static Task<(HttpStatusCode Status, JsonObject Body)> RefreshAsync(TestNode node, JsonObject tokens) =>
        FormAsync(node, "/oauth/token", ("grant_type", "refresh_token"), ("client_id", "stint-cli"), ("refresh_token", (string)tokens["refresh_token"]!));

    private static (string Name, string Value)[] Authorize(params (string Name, string Value)[] other)
    {
        List<(string Name, string Value)> fields =
        [
            ("response_type", "code"), ("client_id", "stint-cli"), ("redirect_uri", "http://127.0.0.1:53211/"), ("code_challenge", CliTokens.ChallengeOf(Verifier)),
            ("code_challenge_method", "S256"), ("state", State), ("host", "ann-laptop"), ("version", "1.2.3"),
        ];
        foreach (var one in other)
        {
            fields.RemoveAll(field => field.Name == one.Name);
            fields.Add(one);
        }

        return [.. fields];
    }

    private static string Query((string Name, string Value)[] fields) => "/oauth/authorize?" + string.Join('&', fields.Select(field => $"{field.Name}={Uri.EscapeDataString(field.Value)}"));

    [GeneratedRegex("name=\"([a-z_]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Field();

    /// <summary>Clicks a button of the page's own form.</summary>
    private static Task<(HttpResponseMessage Response, string Text)> ClickAsync(Browser browser, string path, string html, string answer) => browser.PostAsync(
        path,
        [.. Field().Matches(html).Select(match => (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value))).Where(field => field.Item1 != "answer"), ("answer", answer)]);

    [Fact]
    public async Task Device_AllowedInTheBrowser_IsLetIn_Listed_Refreshed_AndOutWhenRevoked()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        var (_, codes) = await DeviceAsync(node, "<b>ann's");
        Assert.Equal((600, 5, $"{node.Node.Address}device"), ((int)codes["expires_in"]!, (int)codes["interval"]!, (string?)codes["verification_uri"]));
        Assert.Equal("authorization_pending", (string?)(await PollAsync(node, codes)).Body["error"]);
        var path = new Uri((string)codes["verification_uri_complete"]!).PathAndQuery;

        // Whoever is not signed in is led there, and back with the code.
        Assert.Equal($"/sign-in?then={Uri.EscapeDataString(path)}", (await browser.GetAsync(path)).Response.Headers.Location!.ToString());
        var session = await browser.SignInAsync("ann", at: TimeProvider.System.GetUtcNow().AddMinutes(-7));
        var (page, html) = await browser.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains((string)codes["user_code"]!, html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;ann", html, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", html, StringComparison.Ordinal);
        Assert.Contains("Go on only if you ran", html, StringComparison.Ordinal);

        // A look gives nothing, nor does a form of somebody else's.
        var typed = ("code", (string)codes["user_code"]!);
        foreach (var (fields, headers) in new ((string, string)[] Fields, (string, string)[] Headers)[]
        {
            ([typed, ("answer", "allow")], []),
            ([typed, ("answer", "allow"), ("csrf", session.Csrf)], [("Sec-Fetch-Site", "cross-site")]),
            ([typed, ("answer", "allow"), ("csrf", session.Csrf)], [("Origin", "https://evil.example")]),
        })
        {
            var content = new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(field.Item1, field.Item2)));
            Assert.Equal(HttpStatusCode.Forbidden, (await browser.SendAsync(HttpMethod.Post, "/device", content, headers)).Response.StatusCode);
        }

        Assert.Equal("slow_down", (string?)(await PollAsync(node, codes)).Body["error"]);
        Assert.Contains("Allowed", (await ClickAsync(browser, "/device", html, "allow")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await ClickAsync(browser, "/device", html, "allow")).Response.StatusCode);
        var (status, tokens) = await PollAsync(node, codes);
        Assert.Equal((HttpStatusCode.OK, "Bearer", 900), (status, (string?)tokens["token_type"], (int)tokens["expires_in"]!));
        var (access, me) = ((string)tokens["access_token"]!, await node.GetAsync((string)tokens["access_token"]!, "/api/v1/whoami"));
        Assert.Equal(("ann", "passkey", "<b>ann's", true), ((string?)me["id"], (string?)me["command_line"]!["by"], (string?)me["command_line"]!["host"], (bool)me["command_line"]!["this"]!));
        Assert.Equal(session.ProvedAt, (DateTimeOffset)me["command_line"]!["proved_at"]!);

        // One's own, and nobody else's; an admin sees and ends everybody's.
        var id = (string)me["command_line"]!["id"]!;
        Assert.Equal(id, (string?)Assert.Single((await node.GetAsync(access, "/api/v1/command-lines"))["items"]!.AsArray())!["id"]);
        Assert.Empty((await node.GetAsync("bob", "/api/v1/command-lines"))["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("bob", HttpMethod.Get, "/api/v1/command-lines?all=true")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("bob", HttpMethod.Post, $"/api/v1/command-lines/{id}/end", new { })).Status);
        Assert.Contains("ann&#x27;s", (await browser.GetAsync("/account/command-lines")).Text, StringComparison.Ordinal);

        // A command line does not let in the next one.
        var (_, next) = await DeviceAsync(node);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(access, HttpMethod.Get, $"/device?code={next["user_code"]}")).Status);

        var (_, refreshed) = await RefreshAsync(node, tokens);
        Assert.Equal(HttpStatusCode.OK, (await node.SendAsync((string)refreshed["access_token"]!, HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.Equal(HttpStatusCode.OK, (await FormAsync(node, "/oauth/revoke", ("client_id", "stint-cli"), ("token", (string)refreshed["refresh_token"]!))).Status);
        Assert.Equal(HttpStatusCode.OK, (await FormAsync(node, "/oauth/revoke", ("client_id", "stint-cli"), ("token", "unknown"))).Status);
        foreach (var token in (string[])[access, (string)refreshed["access_token"]!])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(token, HttpMethod.Get, "/api/v1/whoami")).Status);
        }

        Assert.Equal("invalid_grant", (string?)(await RefreshAsync(node, refreshed)).Body["error"]);
    }

    [Fact]
    public async Task Loopback_GivesACodeAfterAClickAlone_AndLeadsToThisMachineAlone()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        var session = await browser.SignInAsync("ann");
        var (page, html) = await browser.GetAsync(Query(Authorize()));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.False(page.Headers.Contains("Refresh") || page.Headers.Location is not null);
        Assert.DoesNotContain("stint_c_", html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/oauth/authorize", [.. Authorize(), ("answer", "allow")])).Response.StatusCode);

        // Whatever is wrong is said here, and leads nowhere; asked in a form as well as in a link.
        foreach (var wrong in ((string, string)[])
        [
            ("client_id", "another"), ("redirect_uri", "http://127.0.0.1.evil.example:1/"), ("redirect_uri", "http://127.0.0.1:1@evil.example/"), ("redirect_uri", "https://127.0.0.1:53211/"),
            ("redirect_uri", "http://127.0.0.1:53211/x"), ("redirect_uri", "http://localhost:53211/"), ("code_challenge_method", "plain"), ("code_challenge", "short"), ("state", "short"), ("scope", "all"), ("host", "a\nb"),
        ])
        {
            foreach (var (response, text) in ((HttpResponseMessage, string)[])[await browser.GetAsync(Query(Authorize(wrong))), await browser.PostAsync("/oauth/authorize", [.. Authorize(wrong), ("answer", "allow"), ("csrf", session.Csrf)])])
            {
                Assert.True(response.StatusCode == HttpStatusCode.BadRequest && !response.Headers.Contains("Refresh") && response.Headers.Location is null, $"{wrong}: {response}");
                Assert.DoesNotContain("evil.example", text, StringComparison.Ordinal);
            }
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(Query(Authorize(("response_type", "token"))))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(Query(Authorize()) + "&redirect_uri=http://evil.example/")).Response.StatusCode);
        var denied = (await ClickAsync(browser, "/oauth/authorize", html, "deny")).Response.Headers.GetValues("Refresh").Single();
        Assert.StartsWith("0; url=http://127.0.0.1:53211/?error=access_denied&state=", denied, StringComparison.Ordinal);

        var (allowed, _) = await ClickAsync(browser, "/oauth/authorize", html, "allow");
        var onward = new Uri(allowed.Headers.GetValues("Refresh").Single()["0; url=".Length..]);
        var fields = onward.Query.TrimStart('?').Split('&').ToDictionary(pair => pair.Split('=')[0], pair => Uri.UnescapeDataString(pair.Split('=')[1]));
        Assert.Equal(("http://127.0.0.1:53211/", State, node.Node.Address.GetLeftPart(UriPartial.Authority)), (onward.GetLeftPart(UriPartial.Path), fields["state"], fields["iss"]));
        Task<(HttpStatusCode Status, JsonObject Body)> Redeem() => FormAsync(
            node, "/oauth/token", ("grant_type", "authorization_code"), ("client_id", "stint-cli"), ("code", fields["code"]), ("redirect_uri", "http://127.0.0.1:53211/"), ("code_verifier", Verifier));
        var (status, tokens) = await Redeem();
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("loopback", (string?)(await node.GetAsync((string)tokens["access_token"]!, "/api/v1/whoami"))["command_line"]!["kind"]);
        Assert.Equal("invalid_grant", (string?)(await Redeem()).Body["error"]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync((string)tokens["access_token"]!, HttpMethod.Get, "/api/v1/whoami")).Status);
    }

    [Fact]
    public async Task WhatIsNoCallOfACommandLine_IsToldInTheWordsOfTheStandard()
    {
        await using var node = await TestNode.StartAsync(("STINT_WEB__PUBLIC_URL", "https://stint.example.com/"));
        var metadata = (await node.SendAsync(null, HttpMethod.Get, "/.well-known/oauth-authorization-server")).Body;
        Assert.Equal(("https://stint.example.com", "https://stint.example.com/oauth/device"), ((string?)metadata["issuer"], (string?)metadata["device_authorization_endpoint"]));
        Assert.Equal("https://stint.example.com/device", (string?)(await DeviceAsync(node)).Body["verification_uri"]);
        foreach (var (path, expected, fields) in new (string Path, string Expected, (string, string)[] Fields)[]
        {
            ("/oauth/device", "invalid_client", []),
            ("/oauth/device", "invalid_client", [("client_id", "another")]),
            ("/oauth/device", "invalid_scope", [("client_id", "stint-cli"), ("scope", "all")]),
            ("/oauth/device", "invalid_request", [("client_id", "stint-cli"), ("host", "a\u202eb")]),
            ("/oauth/device", "invalid_request", [("client_id", "stint-cli"), ("client_id", "stint-cli")]),
            ("/oauth/token", "invalid_request", []),
            ("/oauth/token", "unsupported_grant_type", [("grant_type", "password"), ("client_id", "stint-cli")]),
            ("/oauth/token", "invalid_client", [("grant_type", "refresh_token"), ("refresh_token", "x")]),
            ("/oauth/token", "invalid_client", [("grant_type", "authorization_code"), ("client_id", "another"), ("code", "x"), ("redirect_uri", "x"), ("code_verifier", "x")]),
            ("/oauth/token", "invalid_request", [("grant_type", "authorization_code"), ("client_id", "stint-cli"), ("code", "x"), ("redirect_uri", "x")]),
            ("/oauth/token", "invalid_request", [("grant_type", "refresh_token"), ("client_id", "stint-cli")]),
            ("/oauth/token", "invalid_grant", [("grant_type", "refresh_token"), ("client_id", "stint-cli"), ("refresh_token", "stint_r_x")]),
            ("/oauth/token", "invalid_grant", [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("client_id", "stint-cli"), ("device_code", "stint_d_x")]),
            ("/oauth/revoke", "invalid_client", [("token", "x")]),
            ("/oauth/revoke", "invalid_request", [("client_id", "stint-cli")]),
        })
        {
            var (status, body) = await FormAsync(node, path, fields);
            Assert.True(expected == (string?)body["error"] && status == (expected == "invalid_client" ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest), $"{path} {string.Join(' ', fields)}: {(int)status} {body}");
        }

        // Who asks for codes without end is told to wait.
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < CliAskings.AskingsPerAddress; i++)
        {
            statuses.Add((await DeviceAsync(node)).Status);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
    }

    [Fact]
    public async Task Offboarded_TheCommandLineIsOut_AndStaysOutWhenThePersonIsTakenBack()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        await browser.SignInAsync("ann");
        var (_, codes) = await DeviceAsync(node);
        await ClickAsync(browser, "/device", (await browser.GetAsync($"/device?code={codes["user_code"]}")).Text, "allow");
        var (_, tokens) = await PollAsync(node, codes);
        var access = (string)tokens["access_token"]!;
        await node.GetAsync(access, "/api/v1/whoami");
        await node.PostAsync("carol", "/api/v1/people/ann/offboard", new { reason = "left" });
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(access, HttpMethod.Get, "/api/v1/whoami")).Status);
        await node.PostAsync("carol", "/api/v1/people/ann/restore", new { reason = "a mistake" });
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(access, HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.Equal("invalid_grant", (string?)(await RefreshAsync(node, tokens)).Body["error"]);
    }

    [Fact]
    public async Task LoggedOutAtTheProvider_TheCommandLineIsOut_ThoughTheBrowserSignedOutBefore()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        var session = await browser.SignInAsync(new SignIn(new SubjectId("ann"), "oidc:okta", TimeProvider.System.GetUtcNow(), "okta", "00u1", "sid-1"));
        var (_, codes) = await DeviceAsync(node);
        await ClickAsync(browser, "/device", (await browser.GetAsync($"/device?code={codes["user_code"]}")).Text, "allow");
        var access = (string)(await PollAsync(node, codes)).Body["access_token"]!;
        await browser.PostAsync("/sign-out", ("csrf", session.Csrf));
        var browsers = node.Node.Services.GetRequiredService<WebSessions>();
        await browsers.EndOfProviderAsync("okta", "00u2", null, CancellationToken.None);
        await browsers.EndOfProviderAsync("google", "00u1", "sid-1", CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, (await node.SendAsync(access, HttpMethod.Get, "/api/v1/whoami")).Status);
        await browsers.EndOfProviderAsync("okta", null, "sid-1", CancellationToken.None);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(access, HttpMethod.Get, "/api/v1/whoami")).Status);
    }
}
