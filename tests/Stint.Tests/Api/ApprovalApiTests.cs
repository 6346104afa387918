using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>Steps, delegations and counter-offers as a client meets them.</summary>
public sealed class ApprovalApiTests : IAsyncLifetime
{
    private TestNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await TestNode.StartAsync(
        TestNode.Catalog.Replace("steps: [ { from: owners } ]", "steps: [ { from: owners, remind: 15m, escalate: { after: 30m, to: person:carol } } ]", StringComparison.Ordinal));

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private Task<JsonObject> PostAsync(string person, string path, object body, HttpStatusCode status) => _node.PostAsync(person, path, body, status);

    private Task<JsonObject> AskAsync() => PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", for_seconds = 1800, reason = "broken index" }, HttpStatusCode.Created);

    private static string In(TimeSpan span) => (TimeProvider.System.GetUtcNow() + span).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);

    [Fact]
    public async Task PendingRequest_SaysWhoCouldWhenAndWhyNotMe()
    {
        var asked = await AskAsync();
        var step = asked["steps"]![0]!;
        Assert.Equal(("open", 1, "bob", "person:carol"), ((string?)step["state"], (int)step["missing"]!, (string?)step["could"]![0], (string?)step["escalate_to"]));
        Assert.NotNull(step["remind_at"]);
        Assert.NotNull(step["escalate_at"]);
        Assert.Equal((false, "nobody answers their own request"), ((bool)asked["you"]!["may_answer"]!, (string?)asked["you"]!["why_not"]));
        var bobs = await _node.GetAsync("bob", $"/api/v1/requests/{asked["id"]}");
        Assert.True((bool)bobs["you"]!["may_answer"]!);
        var carols = await _node.GetAsync("carol", $"/api/v1/requests/{asked["id"]}");
        Assert.Equal("you are not among those whose yes it needs", (string?)carols["you"]!["why_not"]);
    }

    [Fact]
    public async Task Delegation_MadeUsedAndEnded()
    {
        var asked = await AskAsync();
        await PostAsync("eve", $"/api/v1/requests/{asked["id"]}/approve", new { saw_digest = (string?)asked["digest"] }, HttpStatusCode.NotFound);
        var made = await PostAsync("bob", "/api/v1/approvals/delegations", new { @delegate = "eve", until = In(TimeSpan.FromDays(3)) }, HttpStatusCode.Created);
        Assert.Equal(("bob", "eve", "active"), ((string?)made["person"], (string?)made["delegate"], (string?)made["state"]));

        var waiting = await _node.GetAsync("eve", "/api/v1/requests?awaiting_me=true");
        Assert.Equal("bob", (string?)Assert.Single(waiting["items"]!.AsArray())!["you"]!["in_place_of"]);
        var done = await PostAsync("eve", $"/api/v1/requests/{asked["id"]}/approve", new { saw_digest = (string?)asked["digest"], in_place_of = "bob" }, HttpStatusCode.OK);
        Assert.Equal(("approved", "eve", "bob"), ((string?)done["state"], (string?)done["approvals"]![0]!["by"], (string?)done["approvals"]![0]!["in_place_of"]));

        var ended = await PostAsync("bob", $"/api/v1/approvals/delegations/{made["id"]}/end", new { }, HttpStatusCode.OK);
        Assert.Equal("ended", (string?)ended["state"]);
        await PostAsync("bob", $"/api/v1/approvals/delegations/{made["id"]}/end", new { }, HttpStatusCode.Conflict);
        Assert.Single((await _node.GetAsync("eve", "/api/v1/approvals/delegations"))["items"]!.AsArray());
        Assert.Empty((await _node.GetAsync("ann", "/api/v1/approvals/delegations?all=true"))["items"]!.AsArray());
        Assert.Single((await _node.GetAsync("dan", "/api/v1/approvals/delegations?all=true"))["items"]!.AsArray());
        var wrong = await PostAsync("bob", "/api/v1/approvals/delegations", new { @delegate = "zed", until = In(TimeSpan.FromDays(91)) }, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["delegate", "until"], wrong["errors"]!.AsArray().Select(error => (string?)error!["field"]));
    }

    [Fact]
    public async Task CounterOffer_MadeAndTaken()
    {
        var asked = await AskAsync();
        await PostAsync("ann", $"/api/v1/requests/{asked["id"]}/accept", new { }, HttpStatusCode.Conflict);
        var offered = await PostAsync("bob", $"/api/v1/requests/{asked["id"]}/offer", new { for_seconds = 300, comment = "five will do", saw_digest = (string?)asked["digest"] }, HttpStatusCode.OK);
        Assert.Equal(("open", 300), ((string?)offered["offers"]![0]!["state"], (int)offered["offers"]![0]!["for_seconds"]!));

        var made = await PostAsync("ann", $"/api/v1/requests/{asked["id"]}/accept", new { offer = (string?)offered["offers"]![0]!["id"] }, HttpStatusCode.Created);

        Assert.Equal(("approved", 300, (string?)asked["id"]), ((string?)made["state"], (int)made["for_seconds"]!, (string?)made["instead_of"]));
        Assert.Equal("cancelled", (string?)(await _node.GetAsync("ann", $"/api/v1/requests/{asked["id"]}"))["state"]);
    }
}
