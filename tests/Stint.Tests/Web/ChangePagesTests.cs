using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>A change of the catalog that takes a proof, answered as a browser does it; and what a changed proof is worth in the store.</summary>
public sealed class ChangePagesTests
{
    private static readonly string Signed = TestNode.Catalog + "\nchanges: { approve: { step_up: passkey, steps: [ { from: person:bob } ] } }";

    [Fact]
    public async Task StepUp_APasskeySignsTheChange_AndNothingElseIsAYes()
    {
        await using var node = await TestNode.StartAsync(Signed, ("STINT_CATALOG_FROM", "store"));
        var proposed = await ProposeAsync(node, Signed.Replace("max: 4h", "max: 2h", StringComparison.Ordinal));
        var another = await ProposeAsync(node, Signed.Replace("max: 4h", "max: 3h", StringComparison.Ordinal));
        var (id, digest) = ((string)proposed["id"]!, (string)proposed["digest"]!);
        var page = $"/catalog/changes/{id}";
        Assert.Equal("passkey", (string?)proposed["steps"]![0]!["step_up"]);

        // Neither a token nor a browser in which he has just signed in is enough; a no needs no proof, and is given below to the other.
        var (status, problem, _) = await node.SendAsync("bob", HttpMethod.Post, $"/api/v1/catalog/changes/{id}/approve", new { saw_digest = digest });
        Assert.Equal((HttpStatusCode.Conflict, true), (status, ((string)problem["remedy"]!).Contains(page, StringComparison.Ordinal)));
        using var bob = new Browser(node);
        var session = await bob.SignInAsync("bob");
        Assert.Equal(HttpStatusCode.Conflict, (await bob.PostAsync(page, ("csrf", session.Csrf), ("digest", digest))).Response.StatusCode);
        (string, string) named = ("Host", $"localhost:{node.Node.Address.Port}");
        Assert.Contains("make one", (await bob.SendAsync(HttpMethod.Get, page, null, named)).Text, StringComparison.Ordinal);

        using var passkey = await AccountPagesTests.AddPasskeyAsync(node, bob);
        var text = (await bob.SendAsync(HttpMethod.Get, page, null, named)).Text;
        Assert.Contains("Approve with your passkey", text, StringComparison.Ordinal);
        Assert.Contains("for 2h at most", text, StringComparison.Ordinal);
        Assert.Contains(digest, text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await AccountPagesTests.PostJsonAsync(bob, $"{page}/ask", new JsonObject { ["digest"] = (string)another["digest"]! }, session.Csrf)).Status);

        // Ann may not see it, nor sign for him; and what is signed for one change is no yes to the other.
        using var ann = new Browser(node);
        await ann.SignInAsync("ann");
        Assert.Equal(HttpStatusCode.NotFound, (await ann.GetAsync(page)).Response.StatusCode);
        var (_, options) = await AccountPagesTests.PostJsonAsync(bob, $"{page}/ask", new JsonObject { ["digest"] = digest }, session.Csrf);
        Assert.Equal(HttpStatusCode.Forbidden, (await AccountPagesTests.PostJsonAsync(bob, $"/catalog/changes/{another["id"]}/passkey", new JsonObject { ["credential"] = passkey.Show(options, AccountPagesTests.OriginOf(node)) }, session.Csrf)).Status);
        Assert.Equal(HttpStatusCode.Found, (await bob.PostAsync($"/catalog/changes/{another["id"]}/deny", ("csrf", session.Csrf), ("digest", (string)another["digest"]!), ("comment", "too long"))).Response.StatusCode);

        (_, options) = await AccountPagesTests.PostJsonAsync(bob, $"{page}/ask", new JsonObject { ["digest"] = digest }, session.Csrf);
        var (signed, led) = await AccountPagesTests.PostJsonAsync(bob, $"{page}/passkey", new JsonObject { ["comment"] = "fine", ["credential"] = passkey.Show(options, AccountPagesTests.OriginOf(node)) }, session.Csrf);
        Assert.True(signed == HttpStatusCode.OK, led.ToJsonString());
        var applied = await node.GetAsync("bob", $"/api/v1/catalog/changes/{id}");
        Assert.Equal(("applied", "passkey", "web"), ((string)applied["state"]!, (string)applied["answers"]![0]!["proof"]!, (string)applied["answers"]![0]!["via"]!));
        Assert.Contains("It is applied", (await bob.GetAsync(page)).Text, StringComparison.Ordinal);

        // What the log and the rows say of it is held against each other, and the signature is checked again.
        Assert.Empty(await FindingsAsync(node));
        var store = node.Node.Services.GetRequiredService<StintStore>();
        await store.WriteAsync(
            async work =>
            {
                await work.Db.ScriptAsync("DROP TRIGGER catalog_answers_fixed");
                await work.Db.RunAsync("UPDATE catalog_answers SET proof = replace(proof, '\"nonce\":\"', '\"nonce\":\"x') WHERE yes = 1");
            },
            CancellationToken.None);
        var found = string.Join('\n', await FindingsAsync(node));
        Assert.Contains("differs from the log", found, StringComparison.Ordinal);
        Assert.Contains("proves nothing", found, StringComparison.Ordinal);
        Assert.Contains("without the yeses", found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fresh_OldProofsAndOtherDigestsAreNoYes()
    {
        var fresh = World.Catalog + "\nchanges: { approve: { steps: [ { from: group:leads, need: 2, step_up: fresh } ], lapses: 2h } }";
        await using var world = await World.NewAsync(fresh);
        var current = world.Get<CurrentCatalog>();
        var outcome = await world.Get<ChangeCatalog>().ApplyAsync(World.Root, Catalog.ChangeCatalogUseCaseTests.Sent(fresh.Replace("max: 4h", "max: 2h", StringComparison.Ordinal)), current.Now.Version, CancellationToken.None);
        var change = Assert.IsType<Outcome<Changing>.Done>(outcome).Value.Change!.Change;
        Assert.Equal(StepUp.Fresh, change.Steps[0].StepUp);
        Assert.NotEqual(Stint.Core.Catalog.CatalogChange.DigestOf(change with { Steps = [change.Steps[0] with { StepUp = StepUp.None }] }), change.Digest);
        var now = world.Time.GetUtcNow();
        foreach (var proof in new ApprovalProof?[] { null, new ApprovalProof.Fresh(now - TimeSpan.FromMinutes(11), "password"), new ApprovalProof.Fresh(now + TimeSpan.FromMinutes(1), "password") })
        {
            Assert.Contains("at most 10 minutes", Assert.IsType<Outcome<ChangeView>.Refused>(await AnswerAsync(World.Bob, proof)).Why, StringComparison.Ordinal);
        }

        Assert.Equal(Stint.Core.Catalog.ChangeState.Pending, Assert.IsType<Outcome<ChangeView>.Done>(await AnswerAsync(World.Bob, new ApprovalProof.Fresh(now, "password"))).Value.Change.State);
        Assert.Equal(Stint.Core.Catalog.ChangeState.Applied, Assert.IsType<Outcome<ChangeView>.Done>(await AnswerAsync(World.Carol, new ApprovalProof.Fresh(now - TimeSpan.FromMinutes(9), "oidc:okta", "cli-1"))).Value.Change.State);
        Assert.True(Assert.IsType<Outcome<VerifyReport>.Done>(await world.Get<VerifyLog>().VerifyAsync(World.Root, CancellationToken.None)).Value.Holds);

        Task<Outcome<ChangeView>> AnswerAsync(SubjectId who, ApprovalProof? proof) =>
            world.Get<CatalogChanges>().AnswerAsync(who, change.Id, true, null, change.Digest, "test", CancellationToken.None, proof);
    }

    private static async Task<JsonNode> ProposeAsync(TestNode node, string text) => (await node.PostAsync(
        "carol",
        "/api/v1/catalog/apply",
        new { files = new object[] { new { name = "all.yaml", text } }, @base = node.Node.Services.GetRequiredService<CurrentCatalog>().Now.Version },
        HttpStatusCode.Accepted))["change"]!;

    private static async Task<IReadOnlyList<string>> FindingsAsync(TestNode node) =>
        [.. Assert.IsType<Outcome<VerifyReport>.Done>(await node.Node.Services.GetRequiredService<VerifyLog>().VerifyAsync(new SubjectId("carol"), CancellationToken.None)).Value.Rows.Select(finding => finding.Sentence)];
}
