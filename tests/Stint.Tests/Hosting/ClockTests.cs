using Stint.Gateway;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Hosting;

/// <summary>A node whose machine's clock was set back.</summary>
public sealed class ClockTests
{
    private static async Task<List<string>> ProblemsAsync(TestNode node) =>
        [.. (await node.GetAsync("carol", "/api/v1/status"))["problems"]!.AsArray().Select(problem => (string)problem!)];

    private static async Task<bool> HeldAsync(TestNode node) => (bool)(await node.PostAsync(
        "ann", "/access/v1/evaluation", new { subject = new { type = "user", id = "ann" }, action = new { name = "read-only" }, resource = new { type = "resource", id = "orders-db" } }))["decision"]!;

    [Fact]
    public async Task SetBackWhileNothingRan_OpenAccessEndsInItsTime()
    {
        await using var node = await TestNode.StartAsync();
        var grant = await node.HoldAsync("ann", length: TimeSpan.FromSeconds(5));
        await node.RestartAsync(new SteadyTime(new Set(TimeSpan.FromHours(-1))));
        Assert.Contains(await ProblemsAsync(node), problem => problem.Contains("clock", StringComparison.Ordinal));

        // What ran on while nothing did is not known; what is on record is.
        var last = grant.NotAfter!.Value.AddSeconds(5);
        while (TimeProvider.System.GetUtcNow() < last && await HeldAsync(node))
        {
            await Task.Delay(50);
        }

        Assert.False(await HeldAsync(node));
        for (var i = 0; i < 100 && (string?)(await node.GetAsync("ann", $"/api/v1/grants/{grant.Id}"))["end_reason"] is null; i++)
        {
            await Task.Delay(50);
        }

        Assert.Equal("expired", (string?)(await node.GetAsync("ann", $"/api/v1/grants/{grant.Id}"))["end_reason"]);
    }

    [Fact]
    public async Task SetBackWhileNothingRan_WithNothingOpen_IsBelieved()
    {
        await using var node = await TestNode.StartAsync();
        await node.RestartAsync(new SteadyTime(new Set(TimeSpan.FromHours(-1))));
        Assert.DoesNotContain(await ProblemsAsync(node), problem => problem.Contains("clock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SetBackWhileItRuns_OpenAccessEndsInItsTime_AndItIsSaid()
    {
        var clock = new Set(TimeSpan.Zero);
        await using var node = await TestNode.StartAsync();
        await node.RestartAsync(new SteadyTime(clock));
        var grant = await node.HoldAsync("ann", length: TimeSpan.FromSeconds(3));
        Assert.True(await HeldAsync(node));
        clock.By = TimeSpan.FromHours(-1);
        Assert.Contains(await ProblemsAsync(node), problem => problem.Contains("clock", StringComparison.Ordinal));
        while (TimeProvider.System.GetUtcNow() < grant.NotAfter!.Value.AddMilliseconds(100))
        {
            await Task.Delay(20);
        }

        Assert.False(await HeldAsync(node));
        clock.By = TimeSpan.Zero;
        Assert.DoesNotContain(await ProblemsAsync(node), problem => problem.Contains("clock", StringComparison.Ordinal));
    }

    /// <summary>The machine's clocks, the one on the wall set off.</summary>
    private sealed class Set(TimeSpan by) : TimeProvider
    {
        public TimeSpan By { get; set; } = by;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + By;
    }
}
