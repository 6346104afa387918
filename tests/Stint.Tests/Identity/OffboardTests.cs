using System.Net;
using Stint.Tests.Api;
using Stint.Tests.Identity.Scim;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>An admin sends somebody away, whatever the sources say.</summary>
public sealed class OffboardTests
{
    [Fact]
    public async Task Offboard_EndsEverything_ListsWhatRemains_AndHoldsOverARestartAndTheDirectory()
    {
        await using var node = await TestNode.StartAsync(ScimNode.Catalog.Replace("members: [bob]", "members: [ann, bob]", StringComparison.Ordinal), ScimNode.Settings);
        using var scim = new ScimNode(node);
        var waits = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "to change" }, HttpStatusCode.Created);
        var own = await node.PostAsync("bob", "/api/v1/requests", new { role = "orders-db/read-only", reason = "to look" }, HttpStatusCode.Created);
        var delegated = await node.PostAsync("bob", "/api/v1/approvals/delegations", new { @delegate = "ann", until = TimeProvider.System.GetUtcNow().AddDays(2) }, HttpStatusCode.Created);

        foreach (var who in new[] { "ann", "bob", "dan" })
        {
            Assert.Equal(403, (int)(await node.SendAsync(who, HttpMethod.Post, "/api/v1/people/bob/offboard", new { reason = "x" })).Status);
        }

        Assert.Equal(422, (int)(await node.SendAsync("carol", HttpMethod.Post, "/api/v1/people/bob/offboard", new { reason = " " })).Status);
        Assert.Equal(404, (int)(await node.SendAsync("carol", HttpMethod.Post, "/api/v1/people/nobody/offboard", new { reason = "x" })).Status);
        Assert.Equal(409, (int)(await node.SendAsync("carol", HttpMethod.Post, "/api/v1/people/carol/offboard", new { reason = "x" })).Status);

        var gone = await node.PostAsync("carol", "/api/v1/people/BOB/offboard", new { reason = "dismissed" });
        Assert.Equal("bob", (string?)gone["person"]);
        Assert.Equal((string?)own["grant"]!["id"], (string?)gone["grants"]![0]);
        Assert.Equal((string?)delegated["id"], (string?)gone["delegations"]![0]);
        var remains = gone["remains"]!.AsArray().ToDictionary(one => (string)one!["kind"]!, one => one!);
        Assert.Equal("orders-db", (string?)remains["resource"]["name"]);
        Assert.Empty(remains["resource"]["others"]!.AsArray());
        Assert.Equal((string?)waits["id"], (string?)remains["approval"]["name"]);
        foreach (var (who, to, status) in new[] { ("dan", "dan", 403), ("carol", "bob", 422), ("carol", "carol", 422), ("carol", "zed", 422) })
        {
            Assert.Equal(status, (int)(await node.SendAsync(who, HttpMethod.Post, "/api/v1/people/bob/hand-over", new { to })).Status);
        }

        var handed = (await node.PostAsync("carol", "/api/v1/people/bob/hand-over", new { to = "dan" }))["handed"]!.AsArray();
        Assert.Equal(((string?)waits["id"], null), ((string?)Assert.Single(handed)!["name"], (string?)handed[0]!["why_not"]));
        var change = await node.GetAsync("carol", "/api/v1/people/bob/hand-over?to=dan");
        Assert.Contains("+    owners: [person:dan]", (string?)change["diff"], StringComparison.Ordinal);
        Assert.Empty(change["problems"]!.AsArray());
        Assert.Equal("offboarded", (string?)(await node.GetAsync("dan", $"/api/v1/grants/{own["grant"]!["id"]}"))["end_reason"]);
        Assert.Equal(401, (int)(await node.SendAsync("bob", HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.Equal(409, (int)(await node.SendAsync("carol", HttpMethod.Post, "/api/v1/people/bob/offboard", new { reason = "again" })).Status);

        // Neither a restart nor the directory lets them in again.
        await node.RestartAsync();
        await scim.GroupAsync("Developers", await scim.UserAsync("bob", ""","active":true"""));
        await Task.Delay(1_500);
        Assert.Equal(401, (int)(await node.SendAsync("bob", HttpMethod.Get, "/api/v1/whoami")).Status);

        await node.PostAsync("carol", "/api/v1/people/bob/restore", new { reason = "a mistake" });
        Assert.Equal(200, (int)(await node.SendAsync("bob", HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.Equal(404, (int)(await node.SendAsync("carol", HttpMethod.Post, "/api/v1/people/bob/restore", new { reason = "again" })).Status);
        var kinds = (await node.GetAsync("dan", "/api/v1/audit/facts?limit=200"))["items"]!.AsArray().Select(fact => (string)fact!["kind"]!).ToList();
        Assert.Single(kinds, "PersonOffboarded");
        Assert.Single(kinds, "PersonRestored");
    }

    [Fact]
    public async Task Approvals_OfWhoLeft_NoLongerCount()
    {
        await using var node = await TestNode.StartAsync(TestNode.Catalog
            .Replace("owners: [person:bob]", "owners: [person:bob, person:carol, person:dan]", StringComparison.Ordinal)
            .Replace("steps: [ { from: owners } ]", "steps: [ { from: owners, need: 2 } ]", StringComparison.Ordinal));
        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "to change" }, HttpStatusCode.Created);
        await node.PostAsync("bob", $"/api/v1/requests/{asked["id"]}/approve", new { saw_digest = (string)asked["digest"]! });
        await node.PostAsync("carol", "/api/v1/people/bob/offboard", new { reason = "left" });
        var after = await node.PostAsync("dan", $"/api/v1/requests/{asked["id"]}/approve", new { saw_digest = (string)asked["digest"]! });
        Assert.Equal("pending", (string?)after["state"]);
        Assert.Equal("approved", (string?)(await node.PostAsync("carol", $"/api/v1/requests/{asked["id"]}/approve", new { saw_digest = (string)asked["digest"]! }))["state"]);
    }
}
