using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>Bundles and saved requests as a client meets them.</summary>
public sealed class BundleApiTests : IAsyncLifetime
{
    private TestNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await TestNode.StartAsync(TestNode.Catalog
        .Replace("      owner: { member_of: [orders_owner], risk: high }", "      owner: { member_of: [orders_owner], risk: high }\n      hidden: { member_of: [secret_owner], risk: high }", StringComparison.Ordinal)
        .Replace(
            "policies:\n",
            "bundles:\n  first-week: { description: Week one, roles: [orders-db/read-only, orders-db/hidden, orders-db/owner], for: 2h }\n  hidden-week: { roles: [orders-db/hidden] }\n"
            + "policies:\n  hide: { who: person:carol, roles: [orders-db/hidden], approve: { auto: true } }\n",
            StringComparison.Ordinal));

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private Task<JsonObject> AskAsync(string person = "ann") =>
        _node.PostAsync(person, "/api/v1/requests/bundles", new { bundle = "first-week", reason = "first week" }, HttpStatusCode.Created);

    private static List<string> States(JsonObject asked) => [.. asked["roles"]!.AsArray().Select(role => (string)role!["state"]!)];

    [Fact]
    public async Task Bundles_AreListedWithWhatIsMine_AndTheRestCounted()
    {
        var bundle = Assert.Single((await _node.GetAsync("ann", "/api/v1/bundles"))["items"]!.AsArray())!;
        Assert.Equal(("first-week", "Week one", 1, 7200, "approval"), ((string?)bundle["name"], (string?)bundle["description"], (int)bundle["left_out"]!, (int)bundle["for_seconds"]!, (string?)bundle["needs"]));
        Assert.Equal(["orders-db/read-only", "orders-db/owner"], bundle["roles"]!.AsArray().Select(role => (string?)role));
        Assert.Empty((await _node.GetAsync("eve", "/api/v1/bundles"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Ask_Approve_Follow_AsOneConversation()
    {
        var preview = await _node.PostAsync("ann", "/api/v1/requests/bundles/preview", new { bundle = "first-week", reason = "x" });
        Assert.Equal(["allow", "needs_approval"], preview["roles"]!.AsArray().Select(role => (string?)role!["verdict"]!["outcome"]));
        Assert.Equal("owners of orders-db", (string?)Assert.Single(preview["steps"]!.AsArray())!["name"]);

        var asked = await AskAsync();
        Assert.Equal(("pending", 1, 2), ((string?)asked["state"], (int)asked["left_out"]!, (int)asked["version"]!));
        Assert.DoesNotContain("hidden", asked.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["approved", "pending"], States(asked));
        Assert.Equal([7200, 3600], asked["roles"]!.AsArray().Select(role => (int)role!["for_seconds"]!));

        var waiting = Assert.Single((await _node.GetAsync("bob", "/api/v1/requests?awaiting_me=true"))["items"]!.AsArray())!;
        Assert.Equal((string?)asked["id"], (string?)waiting["bundle"]);
        var path = $"/api/v1/requests/bundles/{asked["id"]}";
        var seen = await _node.GetAsync("bob", path);
        Assert.Equal(((string?)asked["digest"], true), ((string?)seen["digest"], (bool)seen["you"]!["may_answer"]!));
        await _node.PostAsync("ann", path + "/approve", new { saw_digest = (string?)asked["digest"] }, HttpStatusCode.Forbidden);
        await _node.PostAsync("eve", path + "/approve", new { saw_digest = (string?)asked["digest"] }, HttpStatusCode.NotFound);
        await _node.PostAsync("bob", path + "/approve", new { saw_digest = new string('0', 64) }, HttpStatusCode.Conflict);

        var news = _node.GetAsync("ann", $"{path}?wait_seconds=20&seen_version={asked["version"]}");
        var done = await _node.PostAsync("bob", path + "/approve", new { saw_digest = (string?)asked["digest"], for_seconds = 600 });
        Assert.Equal(("approved", "bob"), ((string?)done["state"], (string?)done["approvals"]![0]!["by"]));
        Assert.Equal([7200, 600], done["roles"]!.AsArray().Select(role => (int)role!["for_seconds"]!));
        Assert.Equal("approved", (string?)(await news)["state"]);
        var late = await _node.PostAsync("bob", path + "/deny", new { comment = "oh" }, HttpStatusCode.Conflict);
        Assert.Equal("approved", (string?)late["state"]);
    }

    [Fact]
    public async Task Deny_OneNo_LeavesAPartialOutcome()
    {
        var asked = await AskAsync();
        var done = await _node.PostAsync("bob", $"/api/v1/requests/bundles/{asked["id"]}/deny", new { comment = "not yet" });
        Assert.Equal(("partial", "not yet"), ((string?)done["state"], (string?)done["roles"]![1]!["why"]));
        Assert.Equal(["approved", "denied"], States(done));
    }

    [Fact]
    public async Task Cancel_AndOfferAtAPart()
    {
        var asked = await AskAsync();
        var part = (string?)asked["roles"]![1]!["request"];
        await _node.PostAsync("bob", $"/api/v1/requests/{part}/offer", new { for_seconds = 60, saw_digest = (string?)asked["digest"] }, HttpStatusCode.Conflict);
        await _node.PostAsync("bob", $"/api/v1/requests/bundles/{asked["id"]}/cancel", new { }, HttpStatusCode.Forbidden);
        var done = await _node.PostAsync("ann", $"/api/v1/requests/bundles/{asked["id"]}/cancel", new { });
        Assert.Equal(["approved", "cancelled"], States(done));
    }

    [Fact]
    public async Task Ask_UnknownAndHiddenBundles_AnswerWordForWordAlike()
    {
        var (hiddenStatus, hidden, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests/bundles", new { bundle = "hidden-week" });
        var (unknownStatus, unknown, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests/bundles", new { bundle = "ghost-week" });
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (hiddenStatus, unknownStatus));
        Assert.Equal(unknown.ToJsonString(), hidden.ToJsonString());
        await _node.PostAsync("ann", "/api/v1/requests/bundles/preview", new { bundle = "hidden-week" }, HttpStatusCode.NotFound);
        await _node.PostAsync("ann", "/api/v1/requests/bundles", new { bundle = "a/b", for_seconds = 0 }, HttpStatusCode.UnprocessableEntity);
        var (status, _, _) = await _node.SendAsync("ann", HttpMethod.Get, "/api/v1/requests/bundles/bu-000000000000");
        Assert.Equal(HttpStatusCode.NotFound, status);
    }

    [Fact]
    public async Task Ask_TwiceUnderOneKey_IsAskedOnce()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests/bundles", new { bundle = "first-week", reason = "once" }, key: "week-1")));
        var (again, body, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests/bundles", new { bundle = "first-week", reason = "once" }, key: "week-1");
        Assert.Equal(HttpStatusCode.Created, again);
        Assert.All(answers.Where(answer => answer.Status == HttpStatusCode.Created), answer => Assert.Equal((string?)body["id"], (string?)answer.Body["id"]));
        Assert.Equal(2, (await _node.GetAsync("ann", "/api/v1/requests?mine=true"))["items"]!.AsArray().Count);
        var (other, _, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests/bundles", new { bundle = "first-week", reason = "twice" }, key: "week-1");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other);
    }

    [Fact]
    public async Task Saved_PutListRepeatDelete()
    {
        var (status, saved, _) = await _node.SendAsync("ann", HttpMethod.Put, "/api/v1/requests/saved/mornings", new { role = "orders-db/read-only", for_seconds = 600, reason = "counting" });
        Assert.Equal((HttpStatusCode.OK, "mornings", null), (status, (string?)saved["name"], (string?)saved["bundle"]));
        await _node.SendAsync("ann", HttpMethod.Put, "/api/v1/requests/saved/week", new { bundle = "first-week" });
        Assert.Equal(["mornings", "week"], (await _node.GetAsync("ann", "/api/v1/requests/saved"))["items"]!.AsArray().Select(one => (string?)one!["name"]));
        Assert.Empty((await _node.GetAsync("bob", "/api/v1/requests/saved"))["items"]!.AsArray());
        Assert.Equal("orders-db/read-only", (string?)(await _node.GetAsync("ann", "/api/v1/requests/again?what=mornings"))["role"]);

        var (both, problem, _) = await _node.SendAsync("ann", HttpMethod.Put, "/api/v1/requests/saved/x", new { role = "a/b", bundle = "c" });
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "role"), (both, (string?)problem["errors"]![0]!["field"]));
        var (slash, wrong, _) = await _node.SendAsync("ann", HttpMethod.Put, "/api/v1/requests/saved/x", new { role = "no-slash" });
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "role"), (slash, (string?)wrong["errors"]![0]!["field"]));
        var (gone, was, _) = await _node.SendAsync("ann", HttpMethod.Delete, "/api/v1/requests/saved/mornings");
        Assert.Equal((HttpStatusCode.OK, 600), (gone, (int)was["for_seconds"]!));
        var (none, _, _) = await _node.SendAsync("bob", HttpMethod.Delete, "/api/v1/requests/saved/week");
        Assert.Equal(HttpStatusCode.NotFound, none);
    }
}
