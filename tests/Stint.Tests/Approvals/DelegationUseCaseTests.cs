using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;
using static Stint.Tests.Approvals.StepsUseCaseTests;

namespace Stint.Tests.Approvals;

/// <summary>Answering for somebody who is away.</summary>
public sealed class DelegationUseCaseTests
{
    private const string Two = "{ steps: [ { from: group:security, need: 2 } ] }";
    private static readonly SubjectId Finn = new("finn");

    private static Task<Outcome<Delegation>> MakeAsync(World world, SubjectId who, SubjectId to, double days = 7, DateTimeOffset? from = null) =>
        world.Get<DelegateAnswers>().MakeAsync(who, to, from, (from ?? world.Now).AddDays(days), CancellationToken.None);

    private static async Task<Delegation> MadeAsync(World world, SubjectId who, SubjectId to, double days = 7) =>
        Assert.IsType<Outcome<Delegation>.Done>(await MakeAsync(world, who, to, days)).Value;

    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Approve_InAnothersPlace_CountsThatPlaceAndSaysWhose(string kind)
    {
        await using var world = await World.NewAsync(CatalogOf(Two), store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);
        var delegation = await MadeAsync(world, World.Dave, Finn);
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal([1], await AwaitingAsync(world, Finn));
        Assert.Equal(delegation.Id, Assert.Single(asked.Delegations).Id);

        var first = Done(await world.ApproveAsync(Finn, asked.Request));

        var given = Assert.Single(first.Approvals);
        Assert.Equal((Finn, World.Dave, delegation.Id), (given.By, given.For!.Value, given.Delegation!.Value));
        Assert.Equal([0, 0], await AwaitingAsync(world, Finn, World.Dave));

        // The place is filled: Dave, back early, adds nothing to it.
        var back = Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Dave, asked.Request));
        Assert.Equal("finn has answered in the place of dave", back.Why);
        var done = Done(await world.ApproveAsync(World.Carol, asked.Request));
        Assert.Equal(RequestState.Approved, done.Request.State);
        await BeginAsync(world, done);
        await EvidenceHoldsAsync(world, asked.Request.Id);
    }

    [Fact]
    public async Task Approve_DelegateWhoIsAnApproverToo_CountsOnceInAll()
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        await MadeAsync(world, World.Dave, World.Carol);
        var asked = await world.AskedAsync("orders-db/owner");

        // Her own place before Dave's; and having answered, she cannot take his.
        Assert.Null(Assert.Single(Done(await world.ApproveAsync(World.Carol, asked.Request)).Approvals).For);
        var again = Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Carol, asked.Request));
        Assert.Equal("you have answered already, and a person counts once", again.Why);
        Assert.Equal(RequestState.Pending, again.Now!.Request.State);
    }

    [Fact]
    public async Task Approve_DelegateWhoAsks_IsRefused_AsIsWhoeverAnswersForTheAsker()
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: [group:security, group:developers] } ] }"));
        await MadeAsync(world, World.Dave, World.Ann);
        await MadeAsync(world, World.Eve, Finn);
        var own = await world.AskedAsync("orders-db/owner");
        Assert.Equal("nobody answers their own request", Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Ann, own.Request)).Why);

        var eves = await world.AskedAsync("orders-db/owner", who: World.Eve);
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Finn, eves.Request));
    }

    [Fact]
    public async Task Approve_AtSecondHand_IsRefused()
    {
        // Dave names Finn; then Finn, away as well, names Eve. Finn's own places go to Eve, and Dave's do not.
        await using var world = await World.NewAsync(CatalogOf(Two));
        await MadeAsync(world, World.Dave, Finn);
        await MadeAsync(world, Finn, World.Eve);
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(World.Eve, asked.Request));
        Done(await world.ApproveAsync(Finn, asked.Request));
    }

    [Fact]
    public async Task Make_InACircle_OrToSomebodyAway_IsRefused()
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        await MadeAsync(world, World.Dave, Finn);
        var circle = Assert.IsType<Outcome<Delegation>.Refused>(await MakeAsync(world, Finn, World.Dave));
        Assert.Contains("dave is away", circle.Why, StringComparison.Ordinal);
        Assert.IsType<Outcome<Delegation>.Refused>(await MakeAsync(world, World.Carol, World.Dave));
        var second = Assert.IsType<Outcome<Delegation>.Refused>(await MakeAsync(world, World.Dave, World.Carol));
        Assert.Contains("stint delegate --end del-", second.Remedy, StringComparison.Ordinal);
        Assert.IsType<Outcome<Delegation>.Done>(await MakeAsync(world, World.Dave, World.Carol, from: world.Now.AddDays(7)));
    }

    [Fact]
    public async Task Verify_DelegationEditedInTheStore_IsFound()
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        var made = await MadeAsync(world, World.Dave, Finn);
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(CancellationToken.None)).Holds);
        world.Edit("UPDATE delegations SET delegate = 'eve'");
        var report = await world.Get<VerifyLog>().VerifyAsync(CancellationToken.None);
        Assert.Equal(made.Id.Value, Assert.Single(report.Rows).About);
    }

    [Theory]
    [InlineData("dave", 7, "delegate")]
    [InlineData("nobody", 7, "delegate")]
    [InlineData("finn", 0, "until")]
    [InlineData("finn", -1, "until")]
    [InlineData("finn", 90.01, "until")]
    public async Task Make_WhatCannotBe_NamesTheField(string to, double days, string field)
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        var wrong = Assert.IsType<Outcome<Delegation>.Invalid>(await MakeAsync(world, World.Dave, new SubjectId(to), days));
        Assert.Equal(field, Assert.Single(wrong.Problems).Field);
    }

    [Fact]
    public async Task Approve_BeforeItBeginsOrOnceItIsOver_IsNotTheirs()
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        Assert.IsType<Outcome<Delegation>.Done>(await MakeAsync(world, World.Dave, Finn, days: 1, from: world.Now.AddHours(1)));
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Finn, asked.Request));
        world.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal([1], await AwaitingAsync(world, Finn));
        var other = await world.AskedAsync("orders-db/owner", who: World.Eve);
        Done(await world.ApproveAsync(Finn, asked.Request));

        // On the microsecond of its end it no longer holds.
        world.Time.Advance(TimeSpan.FromDays(1));
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Finn, other.Request));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task End_AtTheMomentOfAnAnswer_EitherCountsOrIsRefused(string kind)
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: person:dave } ] }"), store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);
        for (var round = 0; round < 8; round++)
        {
            var delegation = await MadeAsync(world, World.Dave, Finn);
            var asked = await world.AskedAsync("orders-db/owner");
            var ending = Task.Run(() => world.Get<DelegateAnswers>().EndAsync(World.Dave, delegation.Id, CancellationToken.None));
            var answer = await Task.Run(() => world.ApproveAsync(Finn, asked.Request));
            var ended = Assert.IsType<Outcome<Delegation>.Done>(await ending).Value;
            var now = await ViewAsync(world, World.Root, asked.Request.Id);
            Assert.Equal(answer is Outcome<RequestView>.Done ? RequestState.Approved : RequestState.Pending, now.Request.State);
            Assert.NotNull(ended.EndedAt);
            Assert.IsType<Outcome<Delegation>.LostRace>(await world.Get<DelegateAnswers>().EndAsync(World.Dave, delegation.Id, CancellationToken.None));
            world.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task End_ByAStranger_IsNothingTheyMayKnowOf()
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        var delegation = await MadeAsync(world, World.Dave, Finn);
        Assert.IsType<Outcome<Delegation>.NotFound>(await world.Get<DelegateAnswers>().EndAsync(World.Eve, delegation.Id, CancellationToken.None));
        Assert.Empty((await world.Get<FindDelegations>().ListAsync(World.Eve, true, new Page(), CancellationToken.None)).Items);
        Assert.IsType<Outcome<Delegation>.Done>(await world.Get<DelegateAnswers>().EndAsync(World.Root, delegation.Id, CancellationToken.None));
    }

    [Fact]
    public async Task Approve_ManagerInAColleaguesPlace_DoesNotGetRoundNotForReports()
    {
        await using var world = await World.NewAsync(CatalogOf("{ not_for_reports: true, steps: [ { from: group:security } ] }"));
        await MadeAsync(world, World.Dave, World.Bob);
        var asked = await world.AskedAsync("orders-db/owner");
        var no = Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Bob, asked.Request));
        Assert.Equal("you manage whoever asks, and the policy does not let a manager approve for their own reports", no.Why);
    }

    [Fact]
    public async Task Count_DelegateDisabledSince_CountsNoLonger()
    {
        await using var world = await World.NewAsync(CatalogOf(Two));
        await MadeAsync(world, World.Dave, Finn);
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await world.ApproveAsync(Finn, asked.Request));
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(CatalogOf(Two).Replace("finn: {}", "finn: { disabled: true }", StringComparison.Ordinal)), Core.Audit.Actor.Server, CancellationToken.None);
        Assert.Equal(RequestState.Pending, Done(await world.ApproveAsync(World.Carol, asked.Request)).Request.State);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Guards_AnswerInAnothersPlace_NeedsADelegationThatHolds(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var request = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob", "ann")));
        var made = await test.WriteAsync(async work => await work.InsertAsync(new Delegation
        {
            Id = new DelegationId("del-1"),
            Person = World.Bob,
            Delegate = Finn,
            From = TestStore.Now,
            Until = TestStore.Now.AddDays(1),
            MadeAt = TestStore.Now,
        }));
        Approval Given(string by, string place, TimeSpan after) => new()
        {
            Request = request.Id,
            By = new SubjectId(by),
            For = new SubjectId(place),
            Delegation = made.Id,
            Yes = true,
            At = TestStore.Now + after,
            SawDigest = "d1",
            Via = "test",
        };
        foreach (var wrong in new[]
                 {
                     Given("finn", "bob", TimeSpan.FromSeconds(-1)),
                     Given("finn", "bob", TimeSpan.FromDays(1)),
                     Given("eve", "bob", TimeSpan.Zero),
                     Given("finn", "carol", TimeSpan.Zero),
                     Given("finn", "ann", TimeSpan.Zero),
                     Given("finn", "bob", TimeSpan.Zero) with { Delegation = null },
                     Given("finn", "bob", TimeSpan.Zero) with { For = null },
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(wrong)));
        }

        Assert.NotNull(await test.WriteAsync(async work => await work.InsertAsync(Given("finn", "bob", TimeSpan.FromSeconds(1)))));

        // The place is filled, also for Bob himself.
        Assert.Null(await test.WriteAsync(async work => await work.InsertAsync(Given("bob", "bob", TimeSpan.Zero) with { For = null, Delegation = null })));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("UPDATE delegations SET until_at = until_at + 1"));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("DELETE FROM delegations"));
        Assert.Equal(1, await test.AttackAsync("UPDATE delegations SET ended_at = 1"));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("UPDATE delegations SET ended_at = NULL"));
    }
}
