using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Xunit;

namespace Stint.Tests.Grants;

public sealed class KeeperUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Open_Begun_StandsAtTheTargetUntilItsDeadline_CountedFromOpening()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync(seconds: 1800);
        world.Time.Advance(TimeSpan.FromHours(2));
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<BeginGrant>().BeginAsync(World.Ann, asked.Grant!.Grant.Id, None));
        await world.TickAsync();

        var grant = await world.GrantAsync(asked.Grant.Grant.Id);
        Assert.Equal(GrantState.Open, grant.State);
        Assert.Equal(world.Now, grant.NotBefore);
        Assert.Equal(world.Now + TimeSpan.FromMinutes(30), grant.NotAfter);
        var account = Assert.Single(world.Target.Standing.Values);
        Assert.Equal(grant.NotAfter, account.NotAfter);
        Assert.StartsWith("stint_ann_", account.Name, StringComparison.Ordinal);
        Assert.Equal(
            ["GrantOpening", "AssignmentAdding", "GrantOpened", "AssignmentAdded"],
            (await world.FactsAsync())[^4..]);
    }

    [Fact]
    public async Task Open_IntentIsCommittedBeforeTheTargetIsTouched()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync(wait: true);
        List<string>? facts = null;
        world.Target.Before = async (_, _) =>
        {
            facts = await world.FactsAsync();
            return null;
        };
        await world.TickAsync();
        Assert.Equal("AssignmentAdding", facts![^1]);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(asked.Grant!.Grant.Id)).State);
    }

    [Fact]
    public async Task Deadline_Reached_EndsInTheStore_ThenAtTheTarget_ThenCloses()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        world.Time.Set(open.NotAfter!.Value - TimeSpan.FromMicroseconds(1));
        await world.TickAsync();
        Assert.Equal(GrantState.Open, (await world.GrantAsync(open.Id)).State);

        world.Time.Set(open.NotAfter.Value);
        await world.TickAsync();
        var closed = await world.GrantAsync(open.Id);
        Assert.Equal((GrantState.Closed, EndReason.Expired), (closed.State, closed.End));
        Assert.Empty(world.Target.Standing);
        Assert.Equal(["GrantClosing", "AssignmentRemoving", "AssignmentRemoved", "GrantClosed"], (await world.FactsAsync())[^4..]);
    }

    [Fact]
    public async Task Tick_NothingDue_SaysWhenToComeAgain()
    {
        await using var world = await World.NewAsync();
        Assert.Null(await world.TickAsync());
        var open = await world.OpenAsync();
        Assert.Equal(open.NotAfter, await world.TickAsync());
    }

    [Fact]
    public async Task Extend_OfAnOpenGrant_JoinsWithoutAGap_AndNeitherEndTakesWhatTheOtherWants()
    {
        await using var world = await World.NewAsync();
        var first = await world.OpenAsync(1800);
        world.Time.Advance(TimeSpan.FromMinutes(20));
        var asked = await world.AskedAsync(seconds: 600, extends: first.Id);
        await world.TickAsync();
        var second = await world.GrantAsync(asked.Grant!.Grant.Id);

        Assert.Equal(GrantState.Open, second.State);
        Assert.Equal(first.Assignment, second.Assignment);
        Assert.Equal(first.NotAfter + TimeSpan.FromMinutes(10), second.NotAfter);
        Assert.Equal(first.NotAfter, (await world.GrantAsync(first.Id)).NotAfter);
        Assert.Equal(second.NotAfter, Assert.Single(world.Target.Standing.Values).NotAfter);

        world.Time.Set(first.NotAfter!.Value);
        await world.TickAsync();
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(first.Id)).State);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(second.Id)).State);
        Assert.Single(world.Target.Standing);

        world.Time.Set(second.NotAfter!.Value);
        await world.TickAsync();
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(second.Id)).State);
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Extend_ApprovedAfterTheFirstEnded_IsAPlainGrantThatWaits()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner", wait: true);
        await world.ApproveAsync(World.Bob, asked.Request);
        await world.TickAsync();
        var first = (await world.Get<FindRequests>().GetAsync(World.Ann, asked.Request.Id, None) as Outcome<RequestView>.Done)!.Value.Grant!.Grant;
        Assert.Equal(GrantState.Open, first.State);
        var extension = await world.AskedAsync("orders-db/owner", extends: first.Id);

        world.Time.Set(first.NotAfter!.Value);
        await world.TickAsync();
        var done = Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Carol, extension.Request)).Value;
        Assert.Equal(GrantState.Ready, done.Grant!.Grant.State);
    }

    [Fact]
    public async Task Return_OfTheLongerOfTwo_ShortensTheTargetToTheOther()
    {
        await using var world = await World.NewAsync();
        var shorter = await world.OpenAsync(600);
        var longer = await world.OpenAsync(1800);
        Assert.Equal(longer.NotAfter, Assert.Single(world.Target.Standing.Values).NotAfter);

        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(World.Ann, longer.Id, None));
        await world.TickAsync();
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(longer.Id)).State);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(shorter.Id)).State);
        Assert.Equal(shorter.NotAfter, Assert.Single(world.Target.Standing.Values).NotAfter);
    }

    [Fact]
    public async Task Removal_Fails_IsTriedForEver_AndSomebodyHearsOnce()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        world.Target.Fail("close", new VerbOutcome.Unreachable("no route"));
        world.Time.Set(open.NotAfter!.Value);
        for (var i = 0; i < 50; i++)
        {
            await world.TickAsync();
            world.Time.Advance(TimeSpan.FromMinutes(5));
        }

        var stuck = await world.AssignmentAsync(open.Assignment!.Value);
        Assert.Equal(AssignmentState.Removing, stuck.State);
        Assert.NotNull(stuck.StuckSince);
        Assert.NotNull(stuck.DueAt);
        Assert.Equal("no route", stuck.Trouble);
        Assert.Single(await world.FactsAsync(), kind => kind == "RemovalStuck");
        Assert.Equal(GrantState.Closing, (await world.GrantAsync(open.Id)).State);

        world.Target.Heal();
        world.Time.Advance(TimeSpan.FromMinutes(5));
        await world.TickAsync();
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(open.Id)).State);
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Removal_ConnectorThrows_IsOneMoreFailureAndNotTheEndOfTrying()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        world.Target.Before = (_, _) => throw new InvalidCastException("a bug");
        world.Time.Set(open.NotAfter!.Value);
        await world.TickAsync();
        Assert.Equal(AssignmentState.Removing, (await world.AssignmentAsync(open.Assignment!.Value)).State);
        world.Target.Heal();
        world.Time.Advance(TimeSpan.FromMinutes(5));
        await world.TickAsync();
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Opening_TargetRefuses_FailsAtOnceWithItsWords_AndCleansUp()
    {
        await using var world = await World.NewAsync();
        world.Target.Fail("open", new VerbOutcome.Refused("permission denied", "GRANT it"));
        var asked = await world.AskedAsync(wait: true);
        await world.TickAsync();
        var grant = await world.GrantAsync(asked.Grant!.Grant.Id);
        Assert.Equal((GrantState.Closed, EndReason.Failed), (grant.State, grant.End));
        Assert.Contains("permission denied", grant.EndNote!, StringComparison.Ordinal);
        Assert.Contains(world.Target.Calls, call => call.StartsWith("close ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Opening_TargetAway_IsTriedForTwoMinutes_ThenGivenUp()
    {
        await using var world = await World.NewAsync();
        world.Target.Fail("open", new VerbOutcome.Unreachable("no route"));
        var asked = await world.AskedAsync(wait: true);
        for (var at = 0; at < 110; at += 10)
        {
            await world.TickAsync();
            Assert.Equal(GrantState.Opening, (await world.GrantAsync(asked.Grant!.Grant.Id)).State);
            world.Time.Advance(TimeSpan.FromSeconds(10));
        }

        world.Time.Advance(TimeSpan.FromSeconds(10));
        await world.TickAsync();
        Assert.Equal(EndReason.Failed, (await world.GrantAsync(asked.Grant!.Grant.Id)).End);
    }

    [Fact]
    public async Task Opening_WhileAnEarlierOneIsTakenAway_GetsAnAccountOfItsOwn()
    {
        await using var world = await World.NewAsync();
        var first = await world.OpenAsync();
        world.Target.Fail("close", new VerbOutcome.Unreachable("no route"));
        await world.Get<EndGrant>().EndAsync(World.Ann, first.Id, None);
        await world.TickAsync();
        var asked = await world.AskedAsync(wait: true);
        Assert.Null(asked.Grant!.Grant.Assignment);

        world.Target.Heal();
        world.Time.Advance(TimeSpan.FromSeconds(30));
        await world.TickAsync();
        var second = await world.GrantAsync(asked.Grant.Grant.Id);
        Assert.Equal(GrantState.Open, second.State);
        Assert.NotEqual(first.Assignment, second.Assignment);
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(first.Id)).State);
        Assert.Single(world.Target.Standing);
    }

    [Fact]
    public async Task Begin_PolicyDeniesMeanwhile_ClosesInsteadOfOpening()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync();
        var stricter = World.Load(World.Catalog + "\n  never:\n    deny: person:ann\n    roles: ['*/*']\n");
        await world.Get<ApplyCatalog>().ApplyAsync(stricter, Actor.Server, None);
        var refused = Assert.IsType<Outcome<GrantView>.Refused>(await world.Get<BeginGrant>().BeginAsync(World.Ann, asked.Grant!.Grant.Id, None));
        Assert.NotEmpty(refused.Why);
        var grant = await world.GrantAsync(asked.Grant.Grant.Id);
        Assert.Equal((GrantState.Closed, EndReason.Revoked), (grant.State, grant.End));
        Assert.Empty(world.Target.Calls);
    }

    [Fact]
    public async Task Scheduled_OpensAtItsStart_AndNotBefore()
    {
        await using var world = await World.NewAsync();
        var start = world.Now.AddHours(3);
        var asked = await world.AskedAsync(seconds: 600, at: start);
        var id = asked.Grant!.Grant.Id;
        Assert.IsType<Outcome<GrantView>.Refused>(await world.Get<BeginGrant>().BeginAsync(World.Ann, id, None));
        Assert.Equal(start, await world.TickAsync());
        world.Time.Set(start);
        await world.TickAsync();
        Assert.Equal(start + TimeSpan.FromMinutes(10), (await world.GrantAsync(id)).NotAfter);
    }

    [Fact]
    public async Task Lapse_NotBegunInTime_Closes()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync();
        world.Time.Advance(TimeSpan.FromHours(8));
        Assert.IsType<Outcome<GrantView>.Refused>(await world.Get<BeginGrant>().BeginAsync(World.Ann, asked.Grant!.Grant.Id, None));
        await world.TickAsync();
        Assert.Equal(EndReason.Lapsed, (await world.GrantAsync(asked.Grant.Grant.Id)).End);
    }

    [Fact]
    public async Task Offboard_PersonDisabled_LosesWhatTheyHoldAndWaitFor()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var ready = await world.AskedAsync();
        var pending = await world.AskedAsync("orders-db/owner");
        var without = World.Load(World.Catalog.Replace("ann: {}", "ann: { disabled: true }", StringComparison.Ordinal));
        Assert.Equal(3, await world.Get<ApplyCatalog>().ApplyAsync(without, Actor.Server, None));
        await world.TickAsync();
        Assert.Equal((GrantState.Closed, EndReason.Offboarded), ((await world.GrantAsync(open.Id)).State, (await world.GrantAsync(open.Id)).End));
        Assert.Equal(EndReason.Offboarded, (await world.GrantAsync(ready.Grant!.Grant.Id)).End);
        Assert.IsNotType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, pending.Request));
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Resource_LeavesTheCatalog_IsStillCleanedUp()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var empty = World.Load("people:\n  ann: {}\n  root: {}\nadmins: [root]\n");
        await world.Get<ApplyCatalog>().ApplyAsync(empty, Actor.Server, None);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(open.Id)).State);
        world.Time.Set(open.NotAfter!.Value);
        await world.TickAsync();
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(open.Id)).State);
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Revoke_ByOwnerOrAdminWithAReason_AndByNobodyElse()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var revoke = world.Get<RevokeGrant>();
        Assert.IsType<Outcome<GrantView>.NotFound>(await revoke.RevokeAsync(World.Eve, open.Id, "x", false, None));
        Assert.IsType<Outcome<GrantView>.NotYours>(await revoke.RevokeAsync(World.Dave, open.Id, "x", false, None));
        Assert.IsType<Outcome<GrantView>.Invalid>(await revoke.RevokeAsync(World.Bob, open.Id, " ", false, None));
        Assert.IsType<Outcome<GrantView>.NotYours>(await revoke.RevokeAsync(World.Bob, open.Id, "gone", true, None));
        var done = Assert.IsType<Outcome<GrantView>.Done>(await revoke.RevokeAsync(World.Bob, open.Id, "incident", false, None)).Value;
        Assert.Equal((GrantState.Closing, EndReason.Revoked), (done.Grant.State, done.Grant.End));
        Assert.IsType<Outcome<GrantView>.LostRace>(await revoke.RevokeAsync(World.Root, open.Id, "again", false, None));
        await world.TickAsync();
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Revoke_TargetGone_ClosesWithoutAskingTheTarget_AndSaysSo()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        world.Target.Fail("close", new VerbOutcome.Unreachable("no such host"));
        world.Time.Set(open.NotAfter!.Value);
        await world.TickAsync();
        var closing = await world.GrantAsync(open.Id);
        Assert.Equal(GrantState.Closing, closing.State);
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<RevokeGrant>().RevokeAsync(World.Root, open.Id, "decommissioned", true, None));
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(open.Id)).State);
        Assert.Equal(AssignmentState.Removed, (await world.AssignmentAsync(open.Assignment!.Value)).State);
    }
}
