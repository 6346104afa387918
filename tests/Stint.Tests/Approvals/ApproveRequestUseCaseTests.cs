using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Xunit;

namespace Stint.Tests.Approvals;

public sealed class ApproveRequestUseCaseTests
{
    [Fact]
    public async Task Approve_OwnerSaysYes_MakesAGrantThatWaits()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal(RequestState.Pending, asked.Request.State);

        var done = Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request)).Value;

        Assert.Equal(RequestState.Approved, done.Request.State);
        Assert.Equal(GrantState.Ready, done.Grant!.Grant.State);
        Assert.Equal(["CatalogApplied", "RequestAsked", "ApprovalGiven", "RequestApproved", "GrantReady"], await world.FactsAsync());
    }

    [Fact]
    public async Task Approve_RequesterThemselves_IsRefusedAndToldWhoCould()
    {
        await using var world = await World.NewAsync(World.Catalog.Replace("leads: [bob, carol]", "leads: [ann, bob, carol]", StringComparison.Ordinal));
        var asked = await world.AskedAsync("orders-db/owner");
        var no = Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Ann, asked.Request));
        Assert.Equal([World.Bob, World.Carol], no.WhoCould);
    }

    [Fact]
    public async Task Approve_AdminWhoIsNoApprover_IsRefused()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Root, asked.Request));
    }

    [Fact]
    public async Task Approve_StrangerWhoMayNotSeeIt_IsToldNothing()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(World.Eve, asked.Request));
    }

    [Fact]
    public async Task Approve_SamePersonTwice_CountsOnce()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/two");
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request));
        var again = Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Bob, asked.Request));
        Assert.Equal(RequestState.Pending, again.Now!.Request.State);
        Assert.Single(again.Now.Approvals);
    }

    [Fact]
    public async Task Approve_AnotherDigestThanIsAsked_ConflictsAndGivesTheRightOne()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        var lost = Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Bob, asked.Request, digest: new string('0', 64)));
        Assert.Equal(asked.Request.Digest, lost.Now!.Request.Digest);
        Assert.Empty(lost.Now.Approvals);
    }

    [Fact]
    public async Task Approve_Shortened_KeepsEarlierYesesAndShortensTheGrant()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/two", seconds: 3600);
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request));
        var done = Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Carol, asked.Request, TimeSpan.FromMinutes(10))).Value;
        Assert.Equal(RequestState.Approved, done.Request.State);
        Assert.Equal(TimeSpan.FromMinutes(10), done.Grant!.Grant.For);
        Assert.Equal(asked.Request.Digest, done.Request.Digest);
    }

    [Fact]
    public async Task Approve_Lengthened_IsInvalid()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner", seconds: 600);
        Assert.IsType<Outcome<RequestView>.Invalid>(await world.ApproveAsync(World.Bob, asked.Request, TimeSpan.FromMinutes(11)));
    }

    [Fact]
    public async Task Approve_TwoAtOnce_ExactlyOneCompletesAndOneGrantIsMade()
    {
        await using var world = await World.NewAsync();
        for (var round = 0; round < 20; round++)
        {
            var asked = await world.AskedAsync("orders-db/owner");
            var outcomes = await Task.WhenAll(
                Task.Run(() => world.ApproveAsync(World.Bob, asked.Request)),
                Task.Run(() => world.ApproveAsync(World.Carol, asked.Request)));
            Assert.Single(outcomes.OfType<Outcome<RequestView>.Done>());
            Assert.Single(outcomes.OfType<Outcome<RequestView>.LostRace>());
        }

        Assert.Equal(20, (await world.FactsAsync()).Count(kind => kind == "GrantReady"));
    }

    [Fact]
    public async Task Approve_TwoMissingYesesAtOnce_NeverStaysOneShort()
    {
        await using var world = await World.NewAsync();
        for (var round = 0; round < 20; round++)
        {
            var asked = await world.AskedAsync("orders-db/two");
            var outcomes = await Task.WhenAll(
                Task.Run(() => world.ApproveAsync(World.Bob, asked.Request)),
                Task.Run(() => world.ApproveAsync(World.Carol, asked.Request)));
            Assert.Single(outcomes.OfType<Outcome<RequestView>.Done>(), done => done.Value.Request.State == RequestState.Approved);
        }
    }

    [Fact]
    public async Task Approve_ApproverWhoLeftSince_IsNotCounted()
    {
        var more = World.Catalog.Replace("leads: [bob, carol]", "leads: [bob, carol, dave]", StringComparison.Ordinal);
        await using var world = await World.NewAsync(more);
        var asked = await world.AskedAsync("orders-db/owner");
        var left = World.Load(more.Replace("bob: {}", "bob: { disabled: true }", StringComparison.Ordinal));
        await world.Get<ApplyCatalog>().ApplyAsync(left, Core.Audit.Actor.Server, CancellationToken.None);
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(World.Bob, asked.Request));
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Carol, asked.Request));
    }

    [Fact]
    public async Task Deny_WithoutAReason_IsInvalidAndChangesNothing()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.IsType<Outcome<RequestView>.Invalid>(await world.DenyAsync(World.Bob, asked.Request, " "));
        Assert.Equal(RequestState.Approved, Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Carol, asked.Request)).Value.Request.State);
    }

    [Fact]
    public async Task Deny_OneOfTwo_EndsItForGood()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/two");
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request));
        var denied = Assert.IsType<Outcome<RequestView>.Done>(await world.DenyAsync(World.Carol, asked.Request)).Value;
        Assert.Equal(RequestState.Denied, denied.Request.State);
        Assert.Equal("not now", denied.Request.Why);
        Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Bob, asked.Request));
    }
}
