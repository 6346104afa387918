using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Server.Catalog;
using Stint.Tests.Api;
using Stint.Tests.Connectors;
using Stint.Tests.Hosting;
using Xunit;

namespace Stint.Tests.Identity.Scim;

/// <summary>Who comes can ask; who goes has nothing left, down to the last byte of a live connection.</summary>
public sealed class ScimLeavingTests(PostgresServers servers)
{
    [Theory]
    [InlineData("deactivated")]
    [InlineData("deleted")]
    [InlineData("out of the group")]
    [InlineData("renamed")]
    public async Task Leaving_WithALiveSession_IsCutWithinTwoSecondsOfTheAnswer(string how)
    {
        await using var live = await LiveNode.StartAsync(
            servers, ScimNode.Catalog, "live_scim", "target-admin-password", "{ env: ORDERS_DB_PASSWORD }", [("ORDERS_DB_PASSWORD", "target-admin-password"), .. ScimNode.Settings]);
        using var scim = new ScimNode(live.Node);
        var ann = await scim.UserAsync("Ann");
        var group = await scim.GroupAsync("Developers", ann);
        await UntilAsync(async () => (await scim.AskAsync("ann")) == System.Net.HttpStatusCode.Created);
        var pending = await live.Node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "to change" }, System.Net.HttpStatusCode.Created);
        var grant = await live.OpenAsync("ann", 600);
        await using var connection = await LiveNode.ConnectAsync(await live.MintAsync("ann", (string)grant["id"]!));
        Assert.Equal(1, await LiveNode.SayAsync(connection, "select 1"));

        var cut = LiveNode.UntilCutAsync(connection, TimeSpan.FromSeconds(20));
        switch (how)
        {
            case "deactivated":
                await scim.PatchAsync($"/Users/{ann}", """{"op":"Replace","path":"active","value":"False"}""");
                break;
            case "deleted":
                await scim.OkAsync("DELETE", $"/Users/{ann}", null, 204);
                break;
            case "renamed":
                await scim.PatchAsync($"/Users/{ann}", """{"op":"replace","value":{"userName":"ann.other"}}""");
                break;
            default:
                await scim.PatchAsync($"/Groups/{group}", $$$"""{"op":"remove","path":"members[value eq \"{{{ann}}}\"]"}""", 204);
                break;
        }

        var answered = TimeProvider.System.GetUtcNow();
        var (said, at) = await cut;
        Assert.Equal("57P01", said.SqlState);
        Assert.InRange(at - answered, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(2));
        TestContext.Current.TestOutputHelper?.WriteLine($"{how}: the last byte {(at - answered).TotalMilliseconds:F0} ms after the answer");

        // Everything else is over as well, and was before the answer.
        Assert.Equal("cancelled", (string?)(await live.Node.GetAsync("dan", $"/api/v1/requests/{pending["id"]}"))["state"]);
        Assert.Equal(how == "out of the group" ? "revoked" : "offboarded", (string?)(await live.Node.GetAsync("dan", $"/api/v1/grants/{grant["id"]}"))["end_reason"]);
        var (status, _, _) = await live.Node.SendAsync("ann", HttpMethod.Get, "/api/v1/whoami");
        Assert.Equal(how == "out of the group" ? 200 : 401, (int)status);
        if (how == "out of the group")
        {
            Assert.Equal(404, (int)await scim.AskAsync("ann"));
        }
    }

    [Fact]
    public async Task Joining_CanAskAMomentLater_AndNothingStandsBefore()
    {
        await using var scim = await ScimNode.StartAsync();
        Assert.Equal(404, (int)await scim.AskAsync("ann"));
        var ann = await scim.UserAsync("ann@example.com");
        var group = await scim.GroupAsync("DEVELOPERS", ann);

        // Not the catalog's ann: another name is another person.
        await Task.Delay(1_500);
        Assert.Equal(404, (int)await scim.AskAsync("ann"));
        await scim.PatchAsync($"/Users/{ann}", """{"op":"replace","path":"userName","value":"ann"}""");
        var began = Stopwatch.GetTimestamp();
        await UntilAsync(async () => await scim.AskAsync("ann") == System.Net.HttpStatusCode.Created);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5));
        Assert.Equal("Developers", scim.Node.Node.Services.GetRequiredService<CurrentCatalog>().Now.FromDirectory["developers"]);
        await scim.OkAsync("GET", $"/Groups/{group}");
    }

    [Fact]
    public async Task Left_AndTheCatalogStillNamesThem_StaysOutOverARestart_UntilTheyAreThereAgain()
    {
        await using var scim = await ScimNode.StartAsync();
        var bob = await scim.UserAsync("bob");
        Assert.Equal(201, (int)await scim.AskAsync("bob"));
        await scim.OkAsync("DELETE", $"/Users/{bob}", null, 204);
        Assert.Equal(401, (int)await scim.AskAsync("bob"));
        await scim.Node.RestartAsync();
        Assert.Equal(401, (int)await scim.AskAsync("bob"));
        await scim.UserAsync("BOB");
        await UntilAsync(async () => await scim.AskAsync("bob") == System.Net.HttpStatusCode.Created);
    }

    [Fact]
    public async Task Disabled_InTheCatalog_NoDirectoryLetsIn()
    {
        await using var scim = await ScimNode.StartAsync();
        await scim.GroupAsync("Developers", await scim.UserAsync("zed", ""","active":true"""));
        await Task.Delay(1_500);
        Assert.Equal(401, (int)await scim.AskAsync("zed"));
    }

    [Fact]
    public async Task Manager_Attributes_AndGroupsInGroups_AreWhatPoliciesSee()
    {
        await using var scim = await ScimNode.StartAsync(ScimNode.Catalog.Replace(
            "approve: { steps: [ { from: owners } ] }",
            "when: subject.attributes[?\"department\"].orValue(\"\") == \"Payments\" && \"developers\" in subject.groups\n    approve: { steps: [ { from: manager } ] }",
            StringComparison.Ordinal));
        var carol = await scim.UserAsync("carol");
        var ann = await scim.UserAsync("ann", $$$""","{{{ScimNode.Enterprise}}}":{"department":"Payments","manager":{"value":"{{{carol}}}"}}""");
        await scim.GroupAsync("Developers", await scim.GroupAsync("Payments", ann));
        await UntilAsync(async () => await scim.AskAsync("ann", "orders-db/owner") == System.Net.HttpStatusCode.Created);
        var asked = (await scim.Node.GetAsync("dan", "/api/v1/requests"))["items"]![0]!;
        Assert.Equal("carol", (string?)asked["steps"]![0]!["approvers"]![0]);

        // What let them ask is gone: so is what they asked.
        await scim.PatchAsync($"/Users/{ann}", $$$"""{"op":"replace","path":"{{{ScimNode.Enterprise}}}:department","value":"Sales"}""");
        Assert.Equal("cancelled", (string?)(await scim.Node.GetAsync("dan", $"/api/v1/requests/{asked["id"]}"))["state"]);
    }

    [Fact]
    public async Task OutOfTheGroup_WhatWouldOpenAgainAndAgain_Ends_AndTheOthersGoesOn()
    {
        await using var scim = await ScimNode.StartAsync();
        var ann = await scim.UserAsync("ann");
        var group = await scim.GroupAsync("Developers", ann);
        await UntilAsync(async () => await scim.AskAsync("ann") == System.Net.HttpStatusCode.Created);
        async Task<string> SeriesAsync(string person)
        {
            var body = new { role = "orders-db/read-only", for_seconds = 600, reason = "weekly", recurrence = new { rule = "FREQ=DAILY", start = $"{TimeProvider.System.GetUtcNow().AddDays(1):yyyy-MM-dd}T09:00", zone = "UTC", count = 3 } };
            return (string)(await scim.Node.PostAsync(person, "/api/v1/requests", body, System.Net.HttpStatusCode.Created))["id"]!;
        }

        var (hers, his) = (await SeriesAsync("ann"), await SeriesAsync("bob"));
        await scim.PatchAsync($"/Groups/{group}", $$$"""{"op":"remove","path":"members[value eq \"{{{ann}}}\"]"}""", 204);
        var ended = (await scim.Node.GetAsync("dan", $"/api/v1/requests/{hers}"))["recurrence"]!;
        Assert.Equal(("ended", "revoked"), ((string?)ended["state"], (string?)ended["end_reason"]));
        Assert.Equal("running", (string?)(await scim.Node.GetAsync("dan", $"/api/v1/requests/{his}"))["recurrence"]!["state"]);
    }

    [Fact]
    public async Task Doors_EachTokenOpensItsOwn()
    {
        await using var scim = await ScimNode.StartAsync();
        foreach (var token in new[] { null, "", "x", TestNode.Token("carol"), ScimNode.Secret + "x" })
        {
            var (status, body, response) = await scim.SendAsync("GET", "/Users", null, token);
            Assert.Equal(401, status);
            Assert.Equal("401", (string?)body["status"]);
            Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }

        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        foreach (var path in new[] { "/api/v1/whoami", "/api/v1/requests", "/api/v1/status", "/api/v1/audit/facts" })
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(scim.Node.Node.Address, path));
            message.Headers.Authorization = new("Bearer", ScimNode.Secret);
            Assert.Equal(401, (int)(await http.SendAsync(message)).StatusCode);
        }

        await using var deaf = await TestNode.StartAsync();
        Assert.Equal(404, (int)(await deaf.SendAsync("carol", HttpMethod.Get, "/scim/v2/Users")).Status);
    }

    [Fact]
    public async Task Changes_EachHasItsFact_WithNamesOfAttributesAndNeverTheirValues()
    {
        await using var scim = await ScimNode.StartAsync();
        var ann = await scim.UserAsync("ann", ""","title":"canary-title","password":"canary-password","emails":[{"value":"canary@example.com"}]""");
        var group = await scim.GroupAsync("Developers", ann);
        await scim.PatchAsync($"/Users/{ann}", """{"op":"replace","value":{"title":"canary-other","active":false}}""");
        await scim.PatchAsync($"/Users/{ann}", """{"op":"replace","value":{"title":"canary-other","active":false}}""");
        await scim.PatchAsync($"/Groups/{group}", """{"op":"replace","path":"members","value":[]}""", 204);
        await scim.OkAsync("DELETE", $"/Groups/{group}", null, 204);
        await scim.OkAsync("DELETE", $"/Users/{ann}", null, 204);
        var facts = (await scim.Node.GetAsync("dan", "/api/v1/audit/facts?limit=200"))["items"]!.AsArray().Select(fact => JsonNode.Parse((string)fact!["body"]!)!.AsObject())
            .Where(fact => (string?)fact["actor"] == "directory:scim").ToList();
        Assert.Equal(
            ["UserProvisioned", "GroupProvisioned", "UserChanged", "GroupChanged", "GroupRemoved", "UserRemoved"],
            facts.OrderBy(fact => (long)fact["seq"]!).Select(fact => (string)fact["kind"]!));
        var text = string.Concat(facts.Select(fact => fact.ToJsonString()));
        Assert.DoesNotContain("canary", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[secret]", text, StringComparison.Ordinal);
        Assert.Contains("title", text, StringComparison.Ordinal);
        Assert.DoesNotContain("canary-password", (await scim.SendAsync("GET", "/Users")).Body.ToJsonString(), StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(10), "It does not come.");
            await Task.Delay(50);
        }
    }
}
