using Stint.Tests.Api;
using Stint.Tests.Connectors;
using Xunit;

namespace Stint.Tests.Hosting;

/// <summary>What happens to a real connection when its access goes on, ends, or is taken away.</summary>
public sealed class LiveSessionTests(PostgresServers servers)
{
    [Fact]
    public async Task Extended_WhileConnected_GoesOnBeyondTheFirstDeadline_AndIsCutAtTheSecond()
    {
        await using var live = await StartAsync("live_extend");
        var first = await live.OpenAsync("ann", 8);
        await using var connection = await LiveNode.ConnectAsync(await live.MintAsync("ann", (string)first["id"]!));
        Assert.Equal(1, await LiveNode.SayAsync(connection, "select 1"));
        var second = await live.OpenAsync("ann", 14, (string)first["id"]!);
        Assert.Equal(LiveNode.Time(first["not_after"]).AddSeconds(14), LiveNode.Time(second["not_after"]));

        var beyond = LiveNode.Time(first["not_after"]).AddSeconds(1) - TimeProvider.System.GetUtcNow();
        await Task.Delay(beyond > TimeSpan.Zero ? beyond : TimeSpan.Zero);
        Assert.Equal(2, await LiveNode.SayAsync(connection, "select 2"));
        var (said, at) = await LiveNode.UntilCutAsync(connection, TimeSpan.FromSeconds(40));
        Assert.Equal("57P01", said.SqlState);
        Assert.Contains("orders-db/read-only", said.MessageText, StringComparison.Ordinal);
        Assert.InRange(at - LiveNode.Time(second["not_after"]), TimeSpan.FromMilliseconds(-50), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Disabled_InTheCatalog_IsCutWithinSeconds_AndTheGrantSaysWhy()
    {
        await using var live = await StartAsync("live_offboard");
        var grant = await live.OpenAsync("ann", 600);
        await using var connection = await LiveNode.ConnectAsync(await live.MintAsync("ann", (string)grant["id"]!));
        var catalog = await File.ReadAllTextAsync(live.Node.CatalogFile);
        var began = TimeProvider.System.GetUtcNow();
        await File.WriteAllTextAsync(live.Node.CatalogFile, catalog.Replace("{ name: Ann,", "{ name: Ann, disabled: true,", StringComparison.Ordinal));
        var (said, at) = await LiveNode.UntilCutAsync(connection, TimeSpan.FromSeconds(20));
        Assert.Equal("57P01", said.SqlState);
        Assert.Contains("its holder left", said.MessageText, StringComparison.Ordinal);
        Assert.InRange(at - began, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Equal("offboarded", (string?)(await live.Node.GetAsync("dan", $"/api/v1/grants/{grant["id"]}"))["end_reason"]);
        Assert.Equal(401, (int)(await live.Node.SendAsync("ann", HttpMethod.Get, "/api/v1/whoami")).Status);
    }

    [Fact]
    public async Task Scheduled_OpensByItselfAtItsTime_AndAnEarlierLoginIsNotGiven()
    {
        await using var live = await StartAsync("live_scheduled");
        var start = TimeProvider.System.GetUtcNow().AddSeconds(6);
        var asked = await live.Node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", for_seconds = 600, start_at = start, reason = "later" }, System.Net.HttpStatusCode.Created);
        var id = (string)asked["grant"]!["id"]!;
        Assert.Equal("ready", (string?)asked["grant"]!["state"]);
        Assert.Equal(409, (int)(await live.Node.SendAsync("ann", HttpMethod.Post, $"/api/v1/grants/{id}/begin", new { })).Status);
        var open = await live.OpenedAsync("ann", id);
        Assert.True(LiveNode.Time(open["not_before"]) >= start.AddMilliseconds(-1));
    }

    [Fact]
    public async Task Killed_ByTheOwner_SaysByWhomAndWhy_AndTheGrantStays()
    {
        await using var live = await StartAsync("live_kill");
        var grant = await live.OpenAsync("ann", 600);
        var login = await live.MintAsync("ann", (string)grant["id"]!);
        await using var connection = await LiveNode.ConnectAsync(login);
        var session = (string)(await live.Node.GetAsync("ann", "/api/v1/sessions?live=true"))["items"]![0]!["id"]!;
        Assert.Equal(422, (int)(await live.Node.SendAsync("bob", HttpMethod.Post, $"/api/v1/sessions/{session}/kill", new { comment = "" })).Status);
        await live.Node.PostAsync("bob", $"/api/v1/sessions/{session}/kill", new { comment = "runaway query" });
        var (said, _) = await LiveNode.UntilCutAsync(connection, TimeSpan.FromSeconds(10));
        Assert.Contains("ended by bob: runaway query", said.MessageText, StringComparison.Ordinal);
        await using var again = await LiveNode.ConnectAsync(login);
        Assert.Equal(1, await LiveNode.SayAsync(again, "select 1"));
    }

    private Task<LiveNode> StartAsync(string admin) =>
        LiveNode.StartAsync(servers, admin, "target-admin-password", "{ env: ORDERS_DB_PASSWORD }", ("ORDERS_DB_PASSWORD", "target-admin-password"));
}
