using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Grants;
using Xunit;

namespace Stint.Tests.Grants;

/// <summary>What two do at once.</summary>
public sealed class KeeperRacesUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task BeginAndRevokeAtOnce_NeverLeavesAccessOpen()
    {
        await using var world = await World.NewAsync();
        for (var round = 0; round < 20; round++)
        {
            var id = (await world.AskedAsync()).Grant!.Grant.Id;
            var outcomes = await Task.WhenAll(
                Task.Run(() => world.Get<BeginGrant>().BeginAsync(World.Ann, id, None)),
                Task.Run(() => world.Get<RevokeGrant>().RevokeAsync(World.Bob, id, "no", false, None)));
            Assert.IsType<Outcome<GrantView>.Done>(outcomes[1]);
            await world.TickAsync();
            Assert.Equal(GrantState.Closed, (await world.GrantAsync(id)).State);
            Assert.Empty(world.Target.Standing);
        }
    }

    [Fact]
    public async Task EndAndDeadlineAtOnce_EndsOnce()
    {
        await using var world = await World.NewAsync();
        for (var round = 0; round < 20; round++)
        {
            var open = await world.OpenAsync(60);
            world.Time.Set(open.NotAfter!.Value);
            await Task.WhenAll(
                Task.Run(() => world.Get<EndGrant>().EndAsync(World.Ann, open.Id, None)),
                Task.Run(() => world.Get<Keeper>().SweepAsync(None)));
            await world.TickAsync();
            var closed = await world.GrantAsync(open.Id);
            Assert.Equal(GrantState.Closed, closed.State);
            Assert.Contains(closed.End, new EndReason?[] { EndReason.Expired, EndReason.Returned });
        }

        var facts = await world.FactsAsync();
        Assert.Equal(20, facts.Count(kind => kind == "GrantClosing"));
        Assert.Equal(20, facts.Count(kind => kind == "GrantClosed"));
    }

    [Fact]
    public async Task ExtendAndExpiryAtOnce_TheTargetEndsAsTheStoreSays()
    {
        await using var world = await World.NewAsync();
        for (var round = 0; round < 20; round++)
        {
            var open = await world.OpenAsync(60);
            world.Time.Set(open.NotAfter!.Value - TimeSpan.FromMicroseconds(1));
            var extending = Task.Run(() => world.AskAsync(seconds: 60, extends: open.Id));
            world.Time.Set(open.NotAfter.Value);
            await Task.WhenAll(extending, Task.Run(() => world.Get<Keeper>().SweepAsync(None)));
            await world.TickAsync();
            var live = await world.Store.ReadAsync(async reads => await reads.LiveGrantsAsync(World.Ann), None);
            Assert.Equal(live.Exists(grant => grant.State == GrantState.Open) ? 1 : 0, world.Target.Standing.Count);
            foreach (var grant in live)
            {
                await world.Get<EndGrant>().EndAsync(World.Ann, grant.Id, None);
            }

            await world.TickAsync();
            Assert.Empty(world.Target.Standing);
        }
    }

    [Fact]
    public async Task TwoKeepers_ShareTheWork_AndEachVerbIsCalledOnce()
    {
        await using var world = await World.NewAsync();
        var other = world.Second();
        for (var round = 0; round < 10; round++)
        {
            var open = await world.AskedAsync(wait: true);
            await Task.WhenAll(Task.Run(() => world.TickAsync()), Task.Run(() => other.TickAsync()));
            await world.Get<EndGrant>().EndAsync(World.Ann, open.Grant!.Grant.Id, None);
            await Task.WhenAll(Task.Run(() => world.TickAsync()), Task.Run(() => other.TickAsync()));
            Assert.Equal(GrantState.Closed, (await world.GrantAsync(open.Grant.Grant.Id)).State);
        }

        Assert.Empty(world.Target.Standing);
        Assert.Equal(20, world.Target.Calls.Count);
    }

    [Fact]
    public async Task WorkerThatIsLate_FindsANewerFence_AndChangesNothing()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync(wait: true);
        var keeper = world.Get<Keeper>();
        var late = Assert.Single(await keeper.LeaseAsync(1, None));
        Assert.Empty(await keeper.LeaseAsync(1, None));
        world.Time.Advance(TimeSpan.FromMinutes(2));
        await world.TickAsync();
        var open = await world.GrantAsync(asked.Grant!.Grant.Id);
        Assert.Equal(GrantState.Open, open.State);

        var calls = world.Target.Calls.Count;
        await keeper.WorkAsync(late, None);
        Assert.Equal(calls, world.Target.Calls.Count);
        Assert.Equal(open, await world.GrantAsync(open.Id));
    }

    [Fact]
    public async Task CrashBetweenIntentAndEffect_IsTakenUpAgainWhenTheLeaseIsOver()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync(wait: true);
        using var crash = new CancellationTokenSource();
        world.Target.Before = async (_, _) =>
        {
            await crash.CancelAsync();
            throw new OperationCanceledException(crash.Token);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Get<Keeper>().TickAsync(crash.Token));
        Assert.Equal(GrantState.Opening, (await world.GrantAsync(asked.Grant!.Grant.Id)).State);

        world.Target.Heal();
        await world.TickAsync();
        Assert.Equal(GrantState.Opening, (await world.GrantAsync(asked.Grant.Grant.Id)).State);
        world.Time.Advance(TimeSpan.FromSeconds(61));
        await world.TickAsync();
        Assert.Equal(GrantState.Open, (await world.GrantAsync(asked.Grant.Grant.Id)).State);
    }

    [Fact]
    public async Task Drift_WhatChangesWhileItIsListed_IsNone()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        world.Target.Listed = async () =>
        {
            // What is in the listing is taken away, and somebody else's account is made, before the listing arrives.
            world.Target.Listed = () => Task.CompletedTask;
            Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(World.Ann, open.Id, CancellationToken.None));
            await world.OpenAsync(who: World.Eve);
            await world.TickAsync();
            Assert.Equal(GrantState.Closed, (await world.GrantAsync(open.Id)).State);
        };
        var report = await world.Get<ScanDrift>().ScanAsync(repair: true, CancellationToken.None);
        Assert.Empty(report.Items);
        Assert.Empty(report.Failed);
        Assert.DoesNotContain("DriftFound", await world.FactsAsync());
        Assert.Single(world.Target.Standing);
    }

    [Fact]
    public async Task Drift_BothWays_IsFoundToldAndPutRight()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var mine = Assert.Single(world.Target.Standing);
        world.Target.Standing.Clear();
        var orphan = mine.Value with { Name = "stint_ghost_000000000000", Assignment = new Core.AssignmentId("as-000000000000") };
        world.Target.Standing[orphan.Name] = orphan;

        var told = await world.Get<ScanDrift>().ScanAsync(repair: false, None);
        Assert.Equal(["should_not_stand", "should_stand"], told.Items.Select(item => item.What).Order());
        Assert.True(world.Target.Standing.ContainsKey(orphan.Name));

        var repaired = await world.Get<ScanDrift>().ScanAsync(repair: true, None);
        Assert.All(repaired.Items, item => Assert.True(item.Repaired));
        await world.TickAsync();
        Assert.Equal(mine.Key, Assert.Single(world.Target.Standing).Key);
        Assert.Empty((await world.Get<ScanDrift>().ScanAsync(repair: false, None)).Items);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(open.Id)).State);
        Assert.Equal(4, (await world.FactsAsync()).Count(kind => kind == "DriftFound"));
    }
}
