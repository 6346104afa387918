using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stint.Core.Audit;
using Stint.Tests.Api;
using Stint.Tests.Identity.Accounts;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>From the set-up link to an approval that a passkey signed, as a browser goes through it.</summary>
public sealed partial class AccountPagesTests
{
    private const string Good = "correct horse battery staple";

    private static readonly string Tokenless = NoTokens().Replace(TestNode.Catalog, "").Replace("approve: { steps: [ { from: owners } ] }", "approve: { step_up: passkey, steps: [ { from: owners } ] }", StringComparison.Ordinal);

    [GeneratedRegex(", token: '[^']*'")]
    private static partial Regex NoTokens();

    internal static string OriginOf(TestNode node) => $"http://localhost:{node.Node.Address.Port}";

    internal static async Task<(HttpStatusCode Status, JsonNode Body)> PostJsonAsync(Browser browser, string path, JsonObject body, string? csrf = null, string? origin = null)
    {
        var (response, text) = await browser.SendAsync(
            HttpMethod.Post, path, new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), [.. csrf is null ? [] : new[] { ("X-Stint-CSRF", csrf) }, .. origin is null ? [] : new[] { ("Origin", origin) }]);
        return (response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)! : new JsonObject());
    }

    private static string CsrfOf(string html) => Regex.Match(html, "name=\"csrf\" value=\"([^\"]+)\"").Groups[1].Value;

    private static string LinkOf(TestNode node) => Regex.Match(node.Output.ToString(), "^Set up: (\\S+)#(\\S+)$", RegexOptions.Multiline) is { Success: true } match
        ? $"{match.Groups[1].Value}#{match.Groups[2].Value}"
        : "";

    internal static async Task<SoftPasskey> AddPasskeyAsync(TestNode node, Browser browser)
    {
        var passkey = new SoftPasskey();
        var csrf = CsrfOf((await browser.GetAsync("/account/ways")).Text);
        var (asked, options) = await PostJsonAsync(browser, "/account/passkeys/ask", [], csrf);
        Assert.Equal(HttpStatusCode.OK, asked);
        Assert.Equal(HttpStatusCode.OK, (await PostJsonAsync(browser, "/account/passkeys", new JsonObject { ["name"] = "laptop", ["credential"] = passkey.Make(options, OriginOf(node)) }, csrf)).Status);
        return passkey;
    }

    [Fact]
    public async Task SetUpLink_ByPasskey_ThenSignInAndApproveWithIt_AndTheEvidenceHolds()
    {
        await using var node = await TestNode.StartAsync(Tokenless);
        var link = LinkOf(node);
        Assert.StartsWith($"{OriginOf(node)}/set-up#", link, StringComparison.Ordinal);
        var code = link.Split('#')[1];
        using var carol = new Browser(node);

        // The page without a code says nothing; a wrong one opens nothing; the right one names the catalog's admin.
        Assert.DoesNotContain("carol", (await carol.GetAsync("/set-up")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await carol.PostAsync("/set-up", ("code", "guess"))).Response.StatusCode);
        var (opened, html) = await carol.PostAsync("/set-up", ("code", code));
        Assert.Equal(HttpStatusCode.OK, opened.StatusCode);
        Assert.Contains("carol", html, StringComparison.Ordinal);
        Assert.Equal("no-store", opened.Headers.CacheControl!.ToString());

        // Called from another site, or for somebody else, it makes nothing.
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(carol, "/set-up/passkey/ask", new JsonObject { ["code"] = code, ["person"] = "carol" }, origin: "https://evil.example")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(carol, "/set-up/passkey/ask", new JsonObject { ["code"] = code, ["person"] = "ann" })).Status);

        using var passkey = new SoftPasskey();
        var (_, options) = await PostJsonAsync(carol, "/set-up/passkey/ask", new JsonObject { ["code"] = code, ["person"] = "carol" });
        Assert.Equal(("required", "required", "localhost"), ((string)options["authenticatorSelection"]!["userVerification"]!, (string)options["authenticatorSelection"]!["residentKey"]!, (string)options["rp"]!["id"]!));
        Assert.DoesNotContain("carol", (string)options["user"]!["id"]!, StringComparison.Ordinal);

        // Made for another site's page: refused; and what was asked once is not answered twice.
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(carol, "/set-up/passkey", new JsonObject { ["code"] = code, ["person"] = "carol", ["credential"] = passkey.Make(options, "https://evil.example") })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(carol, "/set-up/passkey", new JsonObject { ["code"] = code, ["person"] = "carol", ["credential"] = passkey.Make(options, OriginOf(node)) })).Status);
        (_, options) = await PostJsonAsync(carol, "/set-up/passkey/ask", new JsonObject { ["code"] = code, ["person"] = "carol" });
        var (made, answer) = await PostJsonAsync(carol, "/set-up/passkey", new JsonObject { ["code"] = code, ["person"] = "carol", ["credential"] = passkey.Make(options, OriginOf(node)) });
        Assert.True(made == HttpStatusCode.OK, answer.ToJsonString());
        Assert.Equal(10, answer["codes"]!.AsArray().Count);
        Assert.Equal("carol", (string)JsonNode.Parse((await carol.GetAsync("/api/v1/whoami")).Text)!["id"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await carol.PostAsync("/set-up", ("code", code))).Response.StatusCode);

        // In a new browser: by the passkey alone, without a name.
        using var again = new Browser(node);
        foreach (var (origin, verifies, expected) in ((string, bool, HttpStatusCode)[])[("https://evil.example", true, HttpStatusCode.Forbidden), (OriginOf(node), false, HttpStatusCode.Forbidden), (OriginOf(node), true, HttpStatusCode.OK)])
        {
            passkey.Verifies = verifies;
            (_, options) = await PostJsonAsync(again, "/sign-in/passkey/ask", []);
            Assert.Empty(options["allowCredentials"]?.AsArray() ?? []);
            Assert.Equal(expected, (await PostJsonAsync(again, "/sign-in/passkey", new JsonObject { ["then"] = "/account", ["credential"] = passkey.Show(options, origin) })).Status);
        }

        // A copy of it, whose counter lags behind, lets nobody in.
        passkey.Count = 0;
        (_, options) = await PostJsonAsync(again, "/sign-in/passkey/ask", []);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(again, "/sign-in/passkey", new JsonObject { ["credential"] = passkey.Show(options, OriginOf(node)) })).Status);
    }

    [Fact]
    public async Task StepUp_APasskeySignsWhatWasShown_AndNothingElseIsAYes()
    {
        await using var node = await TestNode.StartAsync(TestNode.Catalog.Replace("approve: { steps: [ { from: owners } ] }", "approve: { step_up: passkey, steps: [ { from: owners } ] }", StringComparison.Ordinal));
        var request = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", for_seconds = 600, reason = "fix" }, HttpStatusCode.Created);
        var (id, digest) = ((string)request["id"]!, (string)request["digest"]!);
        Assert.Equal("passkey", (string)request["steps"]![0]!["step_up"]!);

        // Neither a token nor a browser in which he has just signed in is enough; and an offer is a yes as well.
        var (status, problem, _) = await node.SendAsync("bob", HttpMethod.Post, $"/api/v1/requests/{id}/approve", new { saw_digest = digest });
        Assert.Equal((HttpStatusCode.Conflict, true), (status, ((string)problem["remedy"]!).Contains($"/approve/{id}", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.Conflict, (await node.SendAsync("bob", HttpMethod.Post, $"/api/v1/requests/{id}/offer", new { saw_digest = digest, for_seconds = 60 })).Status);
        using var bob = new Browser(node);
        var session = await bob.SignInAsync("bob");
        var (refused, page) = await bob.PostAsync($"/approve/{id}", ("csrf", session.Csrf), ("digest", digest));
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains($"{OriginOf(node)}/approve/{id}", page, StringComparison.Ordinal);
        (string, string) named = ("Host", $"localhost:{node.Node.Address.Port}");
        Assert.Contains("make one", (await bob.SendAsync(HttpMethod.Get, $"/approve/{id}", null, named)).Text, StringComparison.Ordinal);

        using var passkey = await AddPasskeyAsync(node, bob);
        page = (await bob.SendAsync(HttpMethod.Get, $"/approve/{id}", null, named)).Text;
        Assert.Contains("Approve with your passkey", page, StringComparison.Ordinal);
        Assert.Contains("orders-db/owner", page, StringComparison.Ordinal);
        Assert.Contains(digest, page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await PostJsonAsync(bob, $"/approve/{id}/ask", new JsonObject { ["digest"] = "other" }, session.Csrf)).Status);

        // Signed for signing in, it is no yes.
        var (_, other) = await PostJsonAsync(bob, "/account/prove/ask", [], session.Csrf);
        await PostJsonAsync(bob, $"/approve/{id}/ask", new JsonObject { ["digest"] = digest }, session.Csrf);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(bob, $"/approve/{id}/passkey", new JsonObject { ["credential"] = passkey.Show(other, OriginOf(node)) }, session.Csrf)).Status);

        // Ann's passkey is no yes of his, and his is none at another request's page.
        using var ann = new Browser(node);
        await ann.SignInAsync("ann");
        using var hers = await AddPasskeyAsync(node, ann);
        var (_, options) = await PostJsonAsync(bob, $"/approve/{id}/ask", new JsonObject { ["digest"] = digest }, session.Csrf);
        Assert.Single(options["allowCredentials"]!.AsArray());
        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(bob, $"/approve/{id}/passkey", new JsonObject { ["credential"] = hers.Show(options, OriginOf(node)) }, session.Csrf)).Status);

        (_, options) = await PostJsonAsync(bob, $"/approve/{id}/ask", new JsonObject { ["digest"] = digest }, session.Csrf);
        var (signed, led) = await PostJsonAsync(bob, $"/approve/{id}/passkey", new JsonObject { ["comment"] = "fine", ["minutes"] = "5", ["credential"] = passkey.Show(options, OriginOf(node)) }, session.Csrf);
        Assert.True(signed == HttpStatusCode.OK, led.ToJsonString());
        var approved = await node.GetAsync("ann", $"/api/v1/requests/{id}");
        Assert.Equal(("approved", "passkey", "web", 300), ((string)approved["state"]!, (string)approved["approvals"]![0]!["proof"]!, (string)approved["approvals"]![0]!["via"]!, (int)approved["approvals"]![0]!["shortened_seconds"]!));

        // The evidence holds without the server, and not when the signature is another's.
        var (_, _, file) = await node.SendAsync("carol", HttpMethod.Get, $"/api/v1/audit/evidence/{id}");
        var evidence = await file.Content.ReadAsByteArrayAsync();
        var report = EvidenceVerifier.Verify(evidence, KeyTrust.Nothing);
        Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(sentence => !sentence.Holds).Select(sentence => $"{sentence.Text}: {sentence.Why}")));
        Assert.Contains(report.Sentences, sentence => sentence.Text.Contains("was signed with a passkey, over the digest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pages_PasswordByForm_SecondStep_AndChangesTakeAFreshProof()
    {
        await using var node = await TestNode.StartAsync();
        var invited = await node.PostAsync("carol", "/api/v1/people/ann/invite", new { }, HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("bob", HttpMethod.Post, "/api/v1/people/ann/invite", new { })).Status);
        var code = ((string)invited["link"]!).Split('#')[1];
        using var ann = new Browser(node);
        Assert.DoesNotContain("name=\"password\"", (await ann.GetAsync("/sign-in")).Text, StringComparison.Ordinal);
        var (weak, said) = await ann.PostAsync("/set-up/password", ("code", code), ("person", "ann"), ("password", "password1234"), ("again", "password1234"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, weak.StatusCode);
        Assert.Contains("everybody tries first", said, StringComparison.Ordinal);
        var (set, codes) = await ann.PostAsync("/set-up/password", ("code", code), ("person", "ann"), ("password", Good), ("again", Good));
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.Equal(10, Regex.Count(codes, "<li class=\"code\">"));

        // Another browser: the form, wrong and right; what is wrong has one text.
        using var other = new Browser(node);
        var (no, first) = await other.PostAsync("/sign-in/password", ("name", "ann"), ("password", "wrong wrong wrong"), ("then", "/account/ways"));
        var (nobody, second) = await other.PostAsync("/sign-in/password", ("name", "nobody"), ("password", Good), ("then", "/account/ways"));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (no.StatusCode, nobody.StatusCode));
        Assert.Equal(first.Replace("value=\"ann\"", "", StringComparison.Ordinal), second.Replace("value=\"nobody\"", "", StringComparison.Ordinal));
        var (led, _) = await other.PostAsync("/sign-in/password", ("name", "ann"), ("password", Good), ("then", "//evil.example"));
        Assert.Equal("/home", led.Headers.Location!.ToString());

        // A code of an app as well, from then on.
        var csrf = CsrfOf((await ann.GetAsync("/account/ways")).Text);
        var secret = Regex.Match((await ann.PostAsync("/account/totp/new", ("csrf", csrf))).Text, "<p class=\"code\">([A-Z2-7 ]+)</p>").Groups[1].Value;
        var key = FromBase32(secret);
        Assert.Contains("takes a code", (await ann.PostAsync("/account/totp", ("csrf", csrf), ("code", Server.Identity.Accounts.Totp.Code(key, TimeProvider.System.GetUtcNow().AddSeconds(-30))))).Text, StringComparison.Ordinal);
        using var third = new Browser(node);
        (led, _) = await third.PostAsync("/sign-in/password", ("name", "ann"), ("password", Good), ("then", "/account/ways"));
        Assert.Equal("/sign-in/code", led.Headers.Location!.ToString());
        Assert.False(third.Cookies.ContainsKey("__Host-stint"));
        Assert.Equal(HttpStatusCode.Forbidden, (await third.PostAsync("/sign-in/code", ("code", "000000"))).Response.StatusCode);
        (led, _) = await third.PostAsync("/sign-in/code", ("code", Server.Identity.Accounts.Totp.Code(key, TimeProvider.System.GetUtcNow())));
        Assert.Equal("/account/ways", led.Headers.Location!.ToString());

        // What was proved long ago changes nothing.
        using var old = new Browser(node);
        var session = await old.SignInAsync("ann", "password", TimeProvider.System.GetUtcNow().AddMinutes(-11));
        Assert.Contains("prove it once more", (await old.GetAsync("/account/ways")).Text, StringComparison.Ordinal);
        foreach (var path in (string[])["/account/password", "/account/password/remove", "/account/totp/new", "/account/totp", "/account/totp/remove", "/account/codes", "/account/passkeys/remove"])
        {
            var (response, _) = await old.PostAsync(path, ("csrf", session.Csrf), ("password", "something quite else"), ("again", "something quite else"), ("code", "1"));
            Assert.True(response.StatusCode == HttpStatusCode.Found && response.Headers.Location!.ToString().StartsWith("/account/prove", StringComparison.Ordinal), path);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await PostJsonAsync(old, "/account/passkeys/ask", [], session.Csrf)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await old.PostAsync("/account/prove/password", ("csrf", session.Csrf), ("password", Good))).Response.StatusCode);

        // An admin's reset signs everybody out and voids all of it.
        await node.PostAsync("carol", "/api/v1/people/ann/reset-account", new { }, HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.Unauthorized, (await third.GetAsync("/api/v1/whoami")).Response.StatusCode);
        var facts = (await node.GetAsync("carol", "/api/v1/audit/facts?limit=500"))["items"]!.ToJsonString();
        Assert.DoesNotContain("[secret]", facts, StringComparison.Ordinal);
        foreach (var kind in (string[])[FactKinds.InviteMade, FactKinds.AccountMade, FactKinds.PasswordSet, FactKinds.TotpSet, FactKinds.RecoveryCodesMade, FactKinds.AccountReset, FactKinds.SignInRefused])
        {
            Assert.Contains(kind, facts, StringComparison.Ordinal);
        }
    }

    private static byte[] FromBase32(string text)
    {
        var bits = text.Replace(" ", "", StringComparison.Ordinal).Select(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(c, StringComparison.Ordinal)).ToList();
        var bytes = new List<byte>();
        for (var i = 0; i + 8 <= bits.Count * 5; i += 8)
        {
            bytes.Add((byte)Enumerable.Range(i, 8).Aggregate(0, (value, bit) => (value << 1) | ((bits[bit / 5] >> (4 - (bit % 5))) & 1)));
        }

        return [.. bytes];
    }
}
