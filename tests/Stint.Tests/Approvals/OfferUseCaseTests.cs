using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Tests.Store;
using Xunit;
using static Stint.Tests.Approvals.StepsUseCaseTests;

namespace Stint.Tests.Approvals;

/// <summary>Counter-offers: shorter, later, or a narrower role.</summary>
public sealed class OfferUseCaseTests
{
    private const string One = "{ steps: [ { from: owners } ] }";
    private const string Two = "{ steps: [ { from: group:security, need: 2 } ] }";

    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static Task<Outcome<RequestView>> OfferAsync(World world, SubjectId who, Request request, TimeSpan? shorter = null, DateTimeOffset? at = null, string? role = null, string? digest = null) =>
        world.Get<OfferInstead>().OfferAsync(who, request.Id, new Instead(shorter, at, role, "less will do", digest ?? request.Digest, "test"), CancellationToken.None);

    private static Task<Outcome<RequestView>> AcceptAsync(World world, SubjectId who, Request request, OfferId? which = null) =>
        world.Get<AcceptOffer>().AcceptAsync(who, request.Id, which, CancellationToken.None);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Accept_Shorter_MakesANewRequestWithTheOfferersYes_AndTakesTheOldBack(string kind)
    {
        await using var world = await World.NewAsync(CatalogOf(Two), store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);
        var asked = await world.AskedAsync("orders-db/owner", seconds: 3600);
        var offered = Done(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(10)));
        Assert.Equal((RequestState.Pending, asked.Request.Digest), (offered.Request.State, offered.Request.Digest));
        Assert.Equal(OfferState.Open, Assert.Single(offered.Offers).State);

        var made = Done(await AcceptAsync(world, World.Ann, asked.Request));

        Assert.NotEqual(asked.Request.Id, made.Request.Id);
        Assert.Equal((TimeSpan.FromMinutes(10), RequestState.Pending, asked.Request.Id), (made.Request.For, made.Request.State, made.MadeOf!.Request));
        var yes = Assert.Single(made.Approvals);
        Assert.Equal((World.Carol, made.Request.Digest, made.MadeOf.Id), (yes.By, yes.SawDigest, yes.Offer!.Value));
        var old = await ViewAsync(world, World.Ann, asked.Request.Id);
        Assert.Equal((RequestState.Cancelled, $"a counter-offer was taken in its place: {made.Request.Id}"), (old.Request.State, old.Request.Why));

        // What Carol offered is not a yes to what was asked first, and Dave's is still missing.
        Assert.Empty(old.Approvals);
        var done = Done(await world.ApproveAsync(World.Dave, made.Request));
        Assert.Equal((RequestState.Approved, TimeSpan.FromMinutes(10)), (done.Request.State, done.Grant!.Grant.For));
        await BeginAsync(world, done);
        await EvidenceHoldsAsync(world, made.Request.Id);
        await EvidenceHoldsAsync(world, asked.Request.Id);
    }

    [Fact]
    public async Task Accept_NarrowerRole_IsDecidedByThatRolesPolicies()
    {
        await using var world = await World.NewAsync(CatalogOf(One));
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await OfferAsync(world, World.Carol, asked.Request, role: "orders-db/read-only"));
        var made = Done(await AcceptAsync(world, World.Ann, asked.Request));
        Assert.Equal(("orders-db/read-only", RequestState.Approved), (made.Request.Role.ToString(), made.Request.State));
        Assert.Empty(made.Approvals);
        Assert.NotNull(made.Grant);
    }

    [Fact]
    public async Task Accept_Later_OpensAtThatTime()
    {
        await using var world = await World.NewAsync(CatalogOf(One));
        var asked = await world.AskedAsync("orders-db/owner", wait: true);
        Done(await OfferAsync(world, World.Carol, asked.Request, at: world.Now.AddHours(5)));
        var made = Done(await AcceptAsync(world, World.Ann, asked.Request));
        Assert.Equal((RequestState.Approved, Opening.Scheduled, world.Now.AddHours(5)), (made.Request.State, made.Request.Opening, made.Request.StartAt!.Value));
    }

    [Theory]
    [InlineData(1800, null, null, "for_seconds")]
    [InlineData(3600, null, null, "for_seconds")]
    [InlineData(0, null, null, "for_seconds")]
    [InlineData(null, -60, null, "start_at")]
    [InlineData(null, 31 * 86_400, null, "start_at")]
    [InlineData(null, null, "orders-db/owner", "role")]
    [InlineData(null, null, "other-db/read-only", "role")]
    [InlineData(null, null, "orders-db/nothing", "role")]
    [InlineData(null, null, null, "")]
    public async Task Offer_WhatIsNotLess_NamesTheField(int? seconds, int? after, string? role, string field)
    {
        await using var world = await World.NewAsync(CatalogOf(One));
        var asked = await world.AskedAsync("orders-db/owner");
        var wrong = Assert.IsType<Outcome<RequestView>.Invalid>(await OfferAsync(
            world, World.Carol, asked.Request, seconds is { } length ? TimeSpan.FromSeconds(length) : null, after is { } late ? world.Now.AddSeconds(late) : null, role));
        Assert.Equal(field, Assert.Single(wrong.Problems).Field);
    }

    [Fact]
    public async Task Offer_ByTheRequester_OrToSomethingElse_IsRefused()
    {
        await using var world = await World.NewAsync(CatalogOf(One));
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.IsType<Outcome<RequestView>.NotYours>(await OfferAsync(world, World.Ann, asked.Request, TimeSpan.FromMinutes(5)));
        Assert.IsType<Outcome<RequestView>.NotYours>(await OfferAsync(world, World.Root, asked.Request, TimeSpan.FromMinutes(5)));
        Assert.IsType<Outcome<RequestView>.LostRace>(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(5), digest: new string('0', 64)));
        Assert.IsType<Outcome<RequestView>.Refused>(await AcceptAsync(world, World.Ann, asked.Request));
        Done(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(5)));
        Assert.IsType<Outcome<RequestView>.NotYours>(await AcceptAsync(world, World.Carol, asked.Request));
    }

    [Fact]
    public async Task Offer_Again_ReplacesTheFirst_AndTwoPeoplesHaveToBeNamed()
    {
        await using var world = await World.NewAsync(CatalogOf(One));
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(5)));
        Done(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(6)));
        var offers = Done(await OfferAsync(world, World.Bob, asked.Request, TimeSpan.FromMinutes(7))).Offers;
        Assert.Equal([OfferState.Replaced, OfferState.Open, OfferState.Open], offers.Select(offer => offer.State));
        Assert.IsType<Outcome<RequestView>.Invalid>(await AcceptAsync(world, World.Ann, asked.Request));
        Assert.IsType<Outcome<RequestView>.Invalid>(await AcceptAsync(world, World.Ann, asked.Request, offers[0].Id));
        Assert.Equal(TimeSpan.FromMinutes(6), Done(await AcceptAsync(world, World.Ann, asked.Request, offers[1].Id)).Request.For);
        Assert.IsType<Outcome<RequestView>.LostRace>(await AcceptAsync(world, World.Ann, asked.Request, offers[2].Id));
    }

    [Fact]
    public async Task Accept_OffererLeftMeanwhile_SaysNothingWithIt()
    {
        await using var world = await World.NewAsync(CatalogOf(One));
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(5)));
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(CatalogOf(One).Replace("owners: [bob, carol]", "owners: [bob]", StringComparison.Ordinal)), Core.Audit.Actor.Server, CancellationToken.None);
        var made = Done(await AcceptAsync(world, World.Ann, asked.Request));
        Assert.Equal(RequestState.Pending, made.Request.State);
        Assert.Empty(made.Approvals);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Accept_AtTheMomentOfAYes_OnlyOneOfTheTwoStands(string kind)
    {
        await using var world = await World.NewAsync(CatalogOf(One), store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);
        for (var round = 0; round < 8; round++)
        {
            var asked = await world.AskedAsync("orders-db/owner");
            Done(await OfferAsync(world, World.Carol, asked.Request, TimeSpan.FromMinutes(5)));
            var outcomes = await Task.WhenAll(
                Task.Run(() => AcceptAsync(world, World.Ann, asked.Request)),
                Task.Run(() => world.ApproveAsync(World.Bob, asked.Request)));
            Assert.Single(outcomes.OfType<Outcome<RequestView>.Done>());
            Assert.Single(outcomes.OfType<Outcome<RequestView>.LostRace>());
        }

        Assert.Equal(8, (await world.FactsAsync()).Count(fact => fact == "GrantReady"));
    }
}
