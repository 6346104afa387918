using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Approvals;

/// <summary>Steps with an order and a clock, on a store of each kind.</summary>
public sealed class StepsUseCaseTests
{
    private static readonly SubjectId Dora = new("dora");
    private static readonly SubjectId Finn = new("finn");

    /// <summary>Ann's manager is Bob, Bob's is Dora; Carol, Dora and Finn are directors, security is Carol and Dave.</summary>
    internal static string CatalogOf(string approve) => $$"""
        people:
          ann: { manager: bob }
          bob: { manager: dora }
          carol: {}
          dave: {}
          dora: {}
          eve: { manager: bob }
          finn: {}
          root: {}
        groups:
          developers: [ann, eve]
          directors: [carol, dora, finn]
          security: [carol, dave]
        admins: [root]
        on-call:
          web: { zone: UTC, starts: 2026-11-22 00:00, turn: 12h, people: [dave, finn] }
        resources:
          orders-db:
            kind: postgres
            owners: [bob, carol]
            settings: { host: db.internal, database: orders, username: stint, password: { env: ORDERS_DB_PASSWORD } }
            roles:
              read-only: { member_of: [pg_read_all_data] }
              owner: { member_of: [orders_owner], risk: high }
        policies:
          read:
            who: group:developers
            roles: [orders-db/read-only]
            for: { default: 30m, max: 4h }
            approve: { auto: true }
          own:
            who: group:developers
            roles: [orders-db/owner]
            for: { default: 30m, max: 1h }
            approve: {{approve}}
        """;

    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static async Task<World> WorldAsync(string kind, string approve) =>
        await World.NewAsync(CatalogOf(approve), store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Sequential_LaterStep_IsAskedOnlyOnceTheFirstIsMet(string kind)
    {
        await using var world = await WorldAsync(kind, "{ order: sequential, steps: [ { from: manager }, { from: group:security, need: 2 } ] }");
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal([StepState.Open, StepState.Later], asked.Steps.Select(step => step.State));
        Assert.Equal([1, 0, 0], await AwaitingAsync(world, World.Bob, World.Carol, World.Dave));

        var early = Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Carol, asked.Request));
        Assert.Equal("it is not your turn yet: manager of ann comes first, and you are asked then", early.Why);
        Assert.Equal([World.Bob], early.WhoCould);

        Done(await world.ApproveAsync(World.Bob, asked.Request));
        Assert.Equal([0, 1, 1], await AwaitingAsync(world, World.Bob, World.Carol, World.Dave));
        Done(await world.ApproveAsync(World.Carol, asked.Request));
        Assert.Equal(RequestState.Approved, Done(await world.ApproveAsync(World.Dave, asked.Request)).Request.State);
        Assert.Equal(["RequestAsked", "ApprovalGiven", "ApproversAsked", "ApprovalGiven", "ApprovalGiven", "RequestApproved", "GrantReady"], (await world.FactsAsync())[1..]);
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(CancellationToken.None)).Holds);
    }

    [Fact]
    public async Task Sequential_NoBeforeItsTurn_EndsIt()
    {
        await using var world = await World.NewAsync(CatalogOf("{ order: sequential, steps: [ { from: manager }, { from: group:security } ] }"));
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal(RequestState.Denied, Done(await world.DenyAsync(World.Dave, asked.Request)).Request.State);
    }

    [Fact]
    public async Task Sequential_Distinct_AnEarlierStepsPersonCanSetAnotherFree()
    {
        await using var world = await World.NewAsync(CatalogOf("{ order: sequential, distinct: true, steps: [ { from: [person:carol, person:finn] }, { from: person:carol } ] }"));
        var asked = await world.AskedAsync("orders-db/owner");
        var first = Done(await world.ApproveAsync(World.Carol, asked.Request));
        Assert.Equal([StepState.Met, StepState.Open], first.Steps.Select(step => step.State));

        // Carol's yes stands in the first step; Finn's lets it move to the second, which only Carol can fill.
        Assert.Equal(RequestState.Approved, Done(await world.ApproveAsync(Finn, asked.Request)).Request.State);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Waiting_PastItsTimes_RemindsEachTimeTheWaitHasDoubled(string kind)
    {
        await using var world = await WorldAsync(kind, "{ steps: [ { from: owners, remind: 15m } ], lapses: 3h }");
        await world.AskedAsync("orders-db/owner");
        var reminded = new List<int>();
        for (var minute = 0; minute < 240; minute += 5)
        {
            world.Time.Advance(TimeSpan.FromMinutes(5));
            await world.TickAsync();
            await world.TickAsync();
            if ((await world.FactsAsync()).Count(fact => fact == "ApproversReminded") > reminded.Count)
            {
                reminded.Add(minute + 5);
            }
        }

        Assert.Equal([15, 30, 60, 120], reminded);
        Assert.Equal("RequestLapsed", (await world.FactsAsync())[^1]);
    }

    [Fact]
    public async Task Waiting_AfterALongSleep_RemindsOnce()
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: owners, remind: 15m } ] }"));
        await world.AskedAsync("orders-db/owner");
        world.Time.Advance(TimeSpan.FromHours(5));
        await world.TickAsync();
        Assert.Single(await world.FactsAsync(), fact => fact == "ApproversReminded");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Escalation_AfterItsTime_LetsMorePeopleAnswer_AndVoidsNoYes(string kind)
    {
        await using var world = await WorldAsync(kind, "{ steps: [ { from: group:security, need: 2, escalate: { after: 30m, to: group:directors } } ] }");
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await world.ApproveAsync(World.Dave, asked.Request));
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Finn, asked.Request));

        world.Time.Advance(TimeSpan.FromMinutes(30));
        await world.TickAsync();

        Assert.Equal([1], await AwaitingAsync(world, Finn));
        var done = Done(await world.ApproveAsync(Finn, asked.Request));
        Assert.Equal(RequestState.Approved, done.Request.State);
        Assert.Equal(asked.Request.Digest, done.Request.Digest);
        Assert.Single(await world.FactsAsync(), fact => fact == "RequestEscalated");

        // What was decided so opens, and what a doubter is shown of it holds.
        await BeginAsync(world, done);
        await EvidenceHoldsAsync(world, asked.Request.Id);
    }

    [Fact]
    public async Task Escalation_NotTheRequester_EvenWhenTheyAreAmongThoseAbove()
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: group:security, escalate: { after: 30m, to: group:developers } } ] }"));
        var asked = await world.AskedAsync("orders-db/owner");
        world.Time.Advance(TimeSpan.FromMinutes(30));
        await world.TickAsync();
        Assert.Equal("nobody answers their own request", Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Ann, asked.Request)).Why);
        Assert.Equal(RequestState.Approved, Done(await world.ApproveAsync(World.Eve, asked.Request)).Request.State);
    }

    [Fact]
    public async Task Escalation_ToSomebodyWhoSaidYesAtAnotherStep_CountsItWhereAPersonMayCountTwice()
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: person:carol }, { from: person:dave, escalate: { after: 30m, to: group:directors } } ] }"));
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await world.ApproveAsync(World.Carol, asked.Request));
        world.Time.Advance(TimeSpan.FromMinutes(30));
        await world.TickAsync();
        var now = await ViewAsync(world, World.Carol, asked.Request.Id);
        Assert.Equal(RequestState.Approved, now.Request.State);
        await BeginAsync(world, now);
        await EvidenceHoldsAsync(world, asked.Request.Id);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Escalation_AtTheMomentOfTheLastYes_EitherWay_DecidesOnce(string kind)
    {
        await using var world = await WorldAsync(kind, "{ steps: [ { from: group:security, escalate: { after: 30m, to: group:directors } } ] }");
        for (var round = 0; round < 8; round++)
        {
            var asked = await world.AskedAsync("orders-db/owner");
            world.Time.Advance(TimeSpan.FromMinutes(30));
            await Task.WhenAll(Task.Run(() => world.TickAsync()), Task.Run(() => world.ApproveAsync(World.Dave, asked.Request)));
            await world.TickAsync();
            var now = await ViewAsync(world, World.Dave, asked.Request.Id);
            Assert.Equal(RequestState.Approved, now.Request.State);
            Assert.Single(now.Approvals);
        }

        var facts = await world.FactsAsync();
        Assert.Equal(8, facts.Count(fact => fact == "GrantReady"));
        Assert.Equal(8, facts.Count(fact => fact == "RequestApproved"));
    }

    [Fact]
    public async Task TwoKeepers_DueSteps_EscalateAndRemindOnce()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(CatalogOf("{ steps: [ { from: owners, remind: 10m, escalate: { after: 10m, to: group:directors } } ] }"), store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        await two.Get<ApplyCatalog>().ApplyAsync(one.Get<CurrentCatalog>().Now, Actor.Server, CancellationToken.None);
        for (var round = 1; round <= 5; round++)
        {
            await one.AskedAsync("orders-db/owner");
            one.Time.Advance(TimeSpan.FromMinutes(10));
            await Task.WhenAll(Task.Run(() => one.TickAsync()), Task.Run(() => two.TickAsync()));
            Assert.Equal(round, (await one.FactsAsync()).Count(fact => fact == "RequestEscalated"));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OnCall_OverAHandover_BothMayAnswer_AndNobodyElse(string kind)
    {
        await using var world = await WorldAsync(kind, "{ steps: [ { from: on-call:web } ], lapses: 2d }");
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal([World.Dave], asked.Steps[0].Could);
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Finn, asked.Request));

        // Noon: Finn takes over. The keeper puts it before him; Dave, whom it woke, may answer as well.
        world.Time.Advance(TimeSpan.FromHours(3));
        await world.TickAsync();
        Assert.Equal([1, 1], await AwaitingAsync(world, World.Dave, Finn));
        var done = Done(await world.ApproveAsync(Finn, asked.Request));
        Assert.Equal(RequestState.Approved, done.Request.State);
        await BeginAsync(world, done);
        await EvidenceHoldsAsync(world, asked.Request.Id);
    }

    [Fact]
    public async Task OnCall_BeforeTheKeeperLooked_WhoeverIsOnCallNowMayAnswer()
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: [on-call:web, person:carol], need: 2 } ], lapses: 2d }"));
        var asked = await world.AskedAsync("orders-db/owner");
        world.Time.Advance(TimeSpan.FromHours(3));
        Done(await world.ApproveAsync(Finn, asked.Request));
        Assert.Equal(RequestState.Approved, Done(await world.ApproveAsync(World.Dave, asked.Request)).Request.State);

        var other = await world.AskedAsync("orders-db/owner");
        Assert.Equal([World.Carol, Finn], other.Steps[0].Could);
    }

    [Fact]
    public async Task Asking_NobodyOnCall_IsDeniedAndToldWhoIsMissing()
    {
        var catalog = CatalogOf("{ steps: [ { from: on-call:web } ] }").Replace("starts: 2026-11-22 00:00", "starts: 2026-11-23 00:00", StringComparison.Ordinal);
        await using var world = await World.NewAsync(catalog);
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal(RequestState.Denied, asked.Request.State);
        Assert.Equal("nobody could approve it: on call for web: 1 person needed, and besides the requester there is nobody", asked.Request.Why);
    }

    [Theory]
    [InlineData("{ steps: [ { from: skip-manager } ] }", "dora")]
    [InlineData("{ steps: [ { from: [manager, skip-manager] } ] }", "bob,dora")]
    [InlineData("{ not_for_reports: true, steps: [ { from: owners } ] }", "carol")]
    [InlineData("{ not_for_reports: true, steps: [ { from: owners, not_for_reports: false } ] }", "bob,carol")]
    public async Task From_EachSource_AsksThoseAndNobodyElse(string approve, string could)
    {
        await using var world = await World.NewAsync(CatalogOf(approve));
        var asked = await world.AskedAsync("orders-db/owner");
        Assert.Equal(could.Split(','), asked.Steps[0].Could.Select(person => person.Value));
    }

    [Fact]
    public async Task Approve_ManagerWhereThePolicyLetsNone_IsToldWhy()
    {
        // Bob still sees it as an owner, and may not answer it.
        await using var world = await World.NewAsync(CatalogOf("{ not_for_reports: true, steps: [ { from: owners } ] }"));
        var asked = await world.AskedAsync("orders-db/owner");
        var no = Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Bob, asked.Request));
        Assert.Equal("you manage whoever asks, and the policy does not let a manager approve for their own reports", no.Why);
        Assert.Equal([World.Carol], no.WhoCould);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task ApproverTakenOutOfTheGroup_NeitherAnswersNorCounts_AndTheRequestSaysWhatIsMissing(string kind)
    {
        const string approve = "{ steps: [ { from: group:security, need: 2 } ] }";
        await using var world = await WorldAsync(kind, approve);
        var asked = await world.AskedAsync("orders-db/owner");
        Done(await world.ApproveAsync(World.Dave, asked.Request));
        await world.Get<ApplyCatalog>().ApplyAsync(
            World.Load(CatalogOf(approve).Replace("security: [carol, dave]", "security: [carol, finn]", StringComparison.Ordinal)), Actor.Server, CancellationToken.None);

        var last = Done(await world.ApproveAsync(World.Carol, asked.Request));

        // Dave's yes counted for security, which he has left; Finn came later and was never asked.
        Assert.Equal(RequestState.Pending, last.Request.State);
        Assert.Equal("group security: 2 different persons needed, and besides the requester there is only carol", last.Steps[0].Lacking);
        Assert.Equal("you no longer belong to group security, as you did when it was asked", Why(await ViewAsync(world, World.Dave, asked.Request.Id)));
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Finn, asked.Request));
    }

    [Fact]
    public async Task View_OfAPendingRequest_SaysWhoWhenAndWhyNotMe()
    {
        await using var world = await World.NewAsync(CatalogOf("{ steps: [ { from: manager, remind: 15m, escalate: { after: 30m, to: group:directors } } ] }"));
        var asked = await world.AskedAsync("orders-db/owner");
        var step = Assert.Single(asked.Steps);
        Assert.Equal((world.Now.AddMinutes(15), world.Now.AddMinutes(30), "group:directors"), (step.Progress!.RemindAt!.Value, step.Progress.EscalateAt!.Value, step.Step.Escalate!.To));
        Assert.Equal("nobody answers their own request", Why(asked));
        Assert.IsType<Seat.Theirs>((await ViewAsync(world, World.Bob, asked.Request.Id)).Looker);
        Assert.Equal("you are not among those whose yes it needs", Why(await ViewAsync(world, World.Root, asked.Request.Id)));
    }

    internal static RequestView Done(Outcome<RequestView> outcome) => Assert.IsType<Outcome<RequestView>.Done>(outcome).Value;

    internal static async Task<RequestView> ViewAsync(World world, SubjectId who, RequestId id) => Done(await world.Get<FindRequests>().GetAsync(who, id, CancellationToken.None));

    internal static string Why(RequestView view) => view.Looker switch { Seat.None none => none.Why, Seat.Answered answered => answered.Why, _ => "" };

    internal static async Task<List<int>> AwaitingAsync(World world, params SubjectId[] people)
    {
        var counts = new List<int>();
        foreach (var person in people)
        {
            counts.Add((await world.Get<FindRequests>().ListAsync(person, new RequestQuery { AwaitingMe = true, State = RequestState.Pending }, new Page(), CancellationToken.None)).Items.Count);
        }

        return counts;
    }

    internal static async Task EvidenceHoldsAsync(World world, RequestId id)
    {
        var file = Assert.IsType<Outcome<byte[]>.Done>(await world.Get<CollectEvidence>().CollectAsync(World.Root, id, CancellationToken.None)).Value;
        var report = EvidenceVerifier.Verify(file, KeyTrust.Nothing);
        Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(sentence => !sentence.Holds)));
    }

    internal static async Task BeginAsync(World world, RequestView view)
    {
        var begun = Assert.IsType<Outcome<Server.Grants.GrantView>.Done>(
            await world.Get<Server.Grants.BeginGrant>().BeginAsync(view.Request.Subject, view.Grant!.Grant.Id, CancellationToken.None)).Value;
        Assert.Equal((GrantState.Opening, null), (begun.Grant.State, begun.Grant.EndNote));
    }
}
