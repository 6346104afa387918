using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core.Audit;
using Stint.Server;
using Stint.Server.Identity;
using Stint.Server.Store;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>A yes that a fresh proof is demanded for: whose counts, and for how long. And what a page says of a request to who may not know of it.</summary>
public sealed class FreshProofTests
{
    private static readonly string Fresh = TestNode.Catalog.Replace("approve: { steps: [ { from: owners } ] }", "approve: { step_up: fresh, steps: [ { from: owners } ] }", StringComparison.Ordinal)
        .Replace("      owner: {", "      dba: { member_of: [dba] }\n      owner: {", StringComparison.Ordinal)
        + "\n  all:\n    who: group:developers\n    roles: [orders-db/dba]\n    for: { default: 30m }\n    approve: { step_up: passkey, steps: [ { from: owners } ] }\n";

    /// <summary>Lets a command line in whose person proved themselves some time ago, and gives its tokens.</summary>
    private static async Task<CliGrant.LetIn> LogInAsync(TestNode node, string person, TimeSpan ago)
    {
        using var browser = new Browser(node);
        var session = await browser.SignInAsync(person, at: TimeProvider.System.GetUtcNow() - ago);
        var (askings, tokens) = (node.Node.Services.GetRequiredService<CliAskings>(), node.Node.Services.GetRequiredService<CliTokens>());
        var started = await askings.StartAsync(new CliSelf("laptop", "1.0.0", "127.0.0.1"), CancellationToken.None);
        Assert.IsType<Outcome<CliAsking>.Done>(await askings.AnswerAsync(new CliProof(session.Person, session.Id, session.ProvedBy, session.ProvedAt), started.UserCode, yes: true, CancellationToken.None));
        return Assert.IsType<CliGrant.LetIn>(await tokens.PollAsync(started.Secret, IPAddress.Loopback, CancellationToken.None));
    }

    private static async Task<(string Id, string Digest)> AskAsync(TestNode node, string role = "orders-db/owner")
    {
        var request = await node.PostAsync("ann", "/api/v1/requests", new { role, for_seconds = 600, reason = "fix" }, HttpStatusCode.Created);
        return ((string)request["id"]!, (string)request["digest"]!);
    }

    [Fact]
    public async Task CommandLine_JustLoggedIn_GivesAFreshYes_AndNothingElseWithoutABrowserDoes()
    {
        await using var node = await TestNode.StartAsync(Fresh);
        var (id, digest) = await AskAsync(node);
        Task<(HttpStatusCode Status, JsonObject Body, HttpResponseMessage Response)> YesAsync(string by) =>
            node.SendAsync(by, HttpMethod.Post, $"/api/v1/requests/{id}/approve", new { saw_digest = digest });

        // The catalog's token proves nothing anew, and a login of eleven minutes ago nothing any more: fetching new tokens makes it no younger.
        Assert.Equal(HttpStatusCode.Conflict, (await YesAsync("bob")).Status);
        var old = await LogInAsync(node, "bob", TimeSpan.FromMinutes(11));
        var renewed = Assert.IsType<CliGrant.LetIn>(await node.Node.Services.GetRequiredService<CliTokens>().RefreshAsync(old.Refresh, IPAddress.Loopback, CancellationToken.None));
        foreach (var token in (string[])[old.Access, renewed.Access])
        {
            var (status, problem, _) = await YesAsync(token);
            Assert.Equal((HttpStatusCode.Conflict, true), (status, ((string)problem["remedy"]!).Contains("stint login", StringComparison.Ordinal)));
        }

        var now = await LogInAsync(node, "bob", TimeSpan.FromMinutes(2));
        var (given, approved, _) = await YesAsync(now.Access);
        Assert.True(given == HttpStatusCode.OK, approved.ToJsonString());
        Assert.Equal(("approved", "fresh"), ((string)approved["state"]!, (string)approved["approvals"]![0]!["proof"]!));

        // The evidence says which command line carried it, and holds without the server.
        var (_, _, file) = await node.SendAsync("carol", HttpMethod.Get, $"/api/v1/audit/evidence/{id}");
        var report = EvidenceVerifier.Verify(await file.Content.ReadAsByteArrayAsync(), KeyTrust.Nothing);
        Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(sentence => !sentence.Holds).Select(sentence => $"{sentence.Text}: {sentence.Why}")));
        Assert.Contains(report.Sentences, sentence => sentence.Text.Contains($"and their command line {now.Login.Id} carried it", StringComparison.Ordinal));

        // A passkey's signature it is never.
        (id, digest) = await AskAsync(node, "orders-db/dba");
        Assert.Equal(HttpStatusCode.Conflict, (await YesAsync(now.Access)).Status);
    }

    [Fact]
    public async Task ApprovePage_OfARequestThatOneMayNotKnowOf_AnswersAsOfNone()
    {
        await using var node = await TestNode.StartAsync();
        var (id, digest) = await AskAsync(node);
        var none = id[..^4] + (id.EndsWith("0000", StringComparison.Ordinal) ? "1111" : "0000");
        using var eve = new Browser(node);
        var session = await eve.SignInAsync("eve");
        using var bob = new Browser(node);
        await bob.SignInAsync("bob");
        Assert.Equal(HttpStatusCode.OK, (await bob.GetAsync($"/approve/{id}")).Response.StatusCode);

        foreach (var (method, rest) in (((HttpMethod, string)[])[(HttpMethod.Get, ""), (HttpMethod.Post, ""), (HttpMethod.Post, "/deny"), (HttpMethod.Post, "/ask"), (HttpMethod.Post, "/passkey")]))
        {
            async Task<(HttpStatusCode Status, string Headers, string Text)> SeenAsync(string request)
            {
                var fields = new FormUrlEncodedContent(new Dictionary<string, string> { ["csrf"] = session.Csrf, ["digest"] = digest, ["minutes"] = "-", ["comment"] = new string('x', 5_000) });
                var (response, text) = await eve.SendAsync(method, $"/approve/{request}{rest}", method == HttpMethod.Get ? null : fields);
                var headers = string.Join('\n', response.Headers.Concat(response.Content.Headers).Where(header => header.Key is not ("Date" or "Set-Cookie")).Select(header => $"{header.Key}: {string.Join(", ", header.Value)}").Order(StringComparer.Ordinal));
                return (response.StatusCode, headers, Regex.Replace(text, "\"trace(_i|I)d\":\"[^\"]*\"", "").Replace(request, "ID", StringComparison.Ordinal));
            }

            var (hidden, missing) = (await SeenAsync(id), await SeenAsync(none));
            Assert.Equal(missing, hidden);
            Assert.True(hidden.Status is HttpStatusCode.NotFound || (rest == "/passkey" && hidden.Status is HttpStatusCode.Forbidden), $"{method} {rest} answered {hidden.Status}: {hidden.Text}");
            Assert.DoesNotContain("orders-db", hidden.Text, StringComparison.Ordinal);
        }
    }
}
