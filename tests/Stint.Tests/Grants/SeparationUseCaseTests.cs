using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Grants;

/// <summary>Roles that one person may not hold together, on both stores.</summary>
public sealed class SeparationUseCaseTests
{
    private const string Separate = "\nseparate: { four-eyes: { one: orders-db/read-only, other: [orders-db/owner, orders-db/two], within: 2h } }";

    private static readonly CancellationToken None = CancellationToken.None;

    private static string Catalog => World.Catalog.Replace("approve: { steps: [ { from: owners } ] }", "approve: { auto: true }", StringComparison.Ordinal) + Separate;

    private static string Because(RequestView view) => Assert.IsType<Verdict.Deny>(view.Request.Verdict).Because;

    [Fact]
    public async Task Ask_WhileTheOtherIsHeld_AndForATimeAfter_IsDenied_AndSaysUntilWhen()
    {
        await using var world = await World.NewAsync(Catalog);
        var held = await world.OpenAsync(seconds: 1800);

        var denied = await world.AskedAsync("orders-db/owner");
        Assert.Equal(RequestState.Denied, denied.Request.State);
        Assert.Contains("which ann holds until 22 Nov 2026 09:30 UTC, and for 2h after it, until 22 Nov 2026 11:30 UTC", Because(denied), StringComparison.Ordinal);

        // Others are none of its business, and neither is the same side.
        Assert.Equal(RequestState.Approved, (await world.AskedAsync("orders-db/owner", World.Eve)).Request.State);
        Assert.Equal(RequestState.Approved, (await world.AskedAsync(extends: held.Id)).Request.State);
    }

    [Fact]
    public async Task Ask_AfterTheTime_IsFree_AndTheTimeCountsFromWhenItWasGone()
    {
        await using var world = await World.NewAsync(Catalog);
        var held = await world.OpenAsync(seconds: 60);
        world.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(World.Ann, held.Id, None));

        // Handed back and not taken away yet: it still stands.
        Assert.Contains("it is being opened or taken away", Because(await world.AskedAsync("orders-db/owner")), StringComparison.Ordinal);
        await world.TickAsync();
        Assert.Contains("which ann held until", Because(await world.AskedAsync("orders-db/owner")), StringComparison.Ordinal);
        world.Time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromSeconds(1));
        Assert.Equal(RequestState.Denied, (await world.AskedAsync("orders-db/owner")).Request.State);
        world.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(RequestState.Approved, (await world.AskedAsync("orders-db/owner")).Request.State);
    }

    [Fact]
    public async Task Begin_WhenTheOtherOpenedMeanwhile_ClosesWithTheReason()
    {
        await using var world = await World.NewAsync(Catalog);

        // Both were asked while nothing was held: the one scheduled for later, the other pending and then approved.
        var later = await world.AskedAsync("orders-db/two");
        var read = await world.AskedAsync(wait: true);
        await world.TickAsync();
        Assert.Equal(GrantState.Open, (await world.GrantAsync(read.Grant!.Grant.Id)).State);
        foreach (var who in new[] { World.Bob, World.Carol })
        {
            Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(who, later.Request));
        }

        var grant = (await world.Store.ReadAsync(async reads => await reads.FindGrantAsync(later.Request.Id), None))!;
        var refused = Assert.IsType<Outcome<GrantView>.Refused>(await world.Get<BeginGrant>().BeginAsync(World.Ann, grant.Id, None));
        Assert.Contains("four-eyes", refused.Why, StringComparison.Ordinal);
        Assert.Equal((GrantState.Closed, EndReason.Revoked), ((await world.GrantAsync(grant.Id)).State, (await world.GrantAsync(grant.Id)).End));
    }

    [Fact]
    public async Task Ask_WhatWouldMeetAPromise_IsDenied_AndAPendingOneIsNoPromise()
    {
        await using var world = await World.NewAsync(Catalog);
        var promised = await world.AskedAsync(at: world.Now.AddHours(2.5));
        Assert.Equal(RequestState.Approved, promised.Request.State);
        Assert.Contains("was promised from 22 Nov 2026 11:30 UTC", Because(await world.AskedAsync("orders-db/owner", seconds: 3600)), StringComparison.Ordinal);
        Assert.Equal(RequestState.Approved, (await world.AskedAsync("orders-db/owner", seconds: 1200)).Request.State);

        Assert.Equal(RequestState.Pending, (await world.AskedAsync("orders-db/two", World.Eve)).Request.State);
        Assert.Equal(RequestState.Approved, (await world.AskedAsync(who: World.Eve)).Request.State);
    }

    [Fact]
    public async Task Offer_OfASeparatedRole_IsRefused_WithoutTellingWhatIsHeld()
    {
        await using var world = await World.NewAsync(World.Catalog + "\nseparate: { four-eyes: { one: orders-db/read-only, other: orders-db/owner } }");
        await world.OpenAsync();
        var asked = await world.AskedAsync("orders-db/two");
        var offer = await world.Get<OfferInstead>().OfferAsync(World.Bob, asked.Request.Id, new Instead(null, null, "orders-db/owner", null, asked.Request.Digest, "test"), None);
        var problem = Assert.Single(Assert.IsType<Outcome<RequestView>.Invalid>(offer).Problems);
        Assert.Equal("role", problem.Field);
        Assert.EndsWith("four-eyes keeps it apart from what they have", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("read-only", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_TellsTheHolder_AndNotAnOwner()
    {
        await using var world = await World.NewAsync(Catalog);
        await world.OpenAsync();
        var explain = world.Get<ExplainAccess>();
        var asked = new ExplainAccess.Asked(World.Ann, "orders-db/owner", null, null, null, null);
        string Told(Outcome<System.Text.Json.Nodes.JsonObject> outcome) => Assert.IsType<Outcome<System.Text.Json.Nodes.JsonObject>.Done>(outcome).Value.ToJsonString();

        foreach (var who in new[] { World.Ann, World.Root, World.Dave })
        {
            Assert.Contains("which ann holds until", Told(await explain.ExplainAsync(who, asked, None)), StringComparison.Ordinal);
        }

        var owner = Told(await explain.ExplainAsync(World.Bob, asked, None));
        Assert.DoesNotContain("read-only", owner, StringComparison.Ordinal);
        Assert.Contains("not beside some other roles (four-eyes)", owner, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task ManyAtOnce_OnTwoNodes_NeverOpenBoth(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        await using var one = await World.NewAsync(Catalog, store: place.Store);
        await using var other = kind == "postgres" ? await TestStore.NodeAsync(place.Place) : null;
        var two = one.Second(store: other, catalog: Catalog);
        var opened = 0;
        for (var round = 0; round < 12; round++)
        {
            // The clock stands: nothing that was held before counts any more.
            one.Time.Advance(TimeSpan.FromHours(6));
            await Task.WhenAll(one.TickAsync(), Task.CompletedTask);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => (i % 2 == 0 ? one : two).AskAsync(i % 4 < 2 ? "orders-db/owner" : "orders-db/read-only", seconds: 60, wait: true))));
            var live = await one.Store.ReadAsync(async reads => await reads.LiveGrantsAsync(World.Ann), None);
            var begun = live.Where(grant => grant.BegunAt is not null).Select(grant => grant.Role.Role).Distinct().ToList();
            Assert.Single(begun);
            opened += begun.Count;
        }

        Assert.Equal(12, opened);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Begin_BothPromised_AtOnceOnTwoNodes_OneOpens(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        var apart = World.Catalog.Replace("approve: { steps: [ { from: owners } ] }", "approve: { auto: true }", StringComparison.Ordinal);
        await using var one = await World.NewAsync(apart, store: place.Store);
        await using var other = kind == "postgres" ? await TestStore.NodeAsync(place.Place) : null;
        var two = one.Second(store: other, catalog: Catalog);
        var three = one.Second(catalog: Catalog);
        for (var round = 0; round < 10; round++)
        {
            one.Time.Advance(TimeSpan.FromHours(6));
            await two.TickAsync();

            // Promised while nothing was kept apart; the rule came after.
            var grants = new[] { (await one.AskedAsync("orders-db/owner")).Grant!.Grant.Id, (await one.AskedAsync()).Grant!.Grant.Id };
            var outcomes = await Task.WhenAll(
                Task.Run(() => two.Get<BeginGrant>().BeginAsync(World.Ann, grants[0], None)),
                Task.Run(() => three.Get<BeginGrant>().BeginAsync(World.Ann, grants[1], None)));
            Assert.Single(outcomes.OfType<Outcome<GrantView>.Done>());
            Assert.Contains("four-eyes", Assert.Single(outcomes.OfType<Outcome<GrantView>.Refused>()).Why, StringComparison.Ordinal);
        }
    }
}
