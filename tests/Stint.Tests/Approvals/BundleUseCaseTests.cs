using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Tests.Store;
using Xunit;
using static Stint.Tests.Approvals.BundleWorld;

namespace Stint.Tests.Approvals;

/// <summary>One asking for many roles, and one conversation about it, on a store of each kind.</summary>
public sealed class BundleUseCaseTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Fact]
    public async Task Ask_TwoRolesThatAreKeptApart_GivesTheFirstAndRefusesTheOther()
    {
        await using var world = await WorldAsync("sqlite", ("policies:", "separate:\n  four-eyes: { one: [orders-db/read-only], other: [staging-db/owner], within: 1h }\npolicies:"));

        var preview = Assert.IsType<Outcome<BundlePreview>.Done>(
            await world.Get<AskForBundle>().PreviewAsync(World.Ann, new AskingTogether("backend-onboarding", null, "first week", null, null, false), CancellationToken.None)).Value;
        var asked = await AskedAsync(world);

        Assert.Equal([RequestState.Approved, RequestState.Pending, RequestState.Denied], States(asked));
        Assert.Contains("four-eyes", Of(asked, "staging-db/owner").Request.Verdict.DecidedBy);
        Assert.Equal(Of(asked, "staging-db/owner").Request.Verdict.DecidedBy, preview.Verdict.Roles.Single(one => one.Role.ToString() == "staging-db/owner").Verdict.DecidedBy);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Approve_AtTheBundleOrAtAPart_CountsForAll_AndTheLastYesOpensAll(string kind)
    {
        await using var world = await WorldAsync(kind);
        var asked = await AskedAsync(world);

        var first = Done(await ApproveAsync(world, World.Bob, asked));
        Assert.Equal([RequestState.Approved, RequestState.Pending, RequestState.Pending], States(first));
        Assert.All(first.Requests.Skip(1), one => Assert.Equal([World.Bob], one.Approvals.Select(yes => yes.By)));

        // Dora is asked about staging alone; the part of orders-db that she answers carries the same digest.
        var part = Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(Dora, Of(asked, "orders-db/owner").Request)).Value;
        Assert.Equal(2, part.Approvals.Count);
        var last = Done(await ApproveAsync(world, World.Dave, asked));

        Assert.Equal(BundleState.Approved, last.State);
        Assert.All(last.Requests, one => Assert.Equal(GrantState.Ready, one.Grant!.Grant.State));
        Assert.All(last.Requests.Skip(1), one => Assert.Equal(3, one.Approvals.Count));
        foreach (var one in last.Requests)
        {
            await StepsUseCaseTests.BeginAsync(world, one);
            await StepsUseCaseTests.EvidenceHoldsAsync(world, one.Request.Id);
        }

        await LogHoldsAsync(world);
        Assert.Equal([0, 0, 0], await StepsUseCaseTests.AwaitingAsync(world, World.Bob, World.Dave, Dora));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Deny_ByOneAtOnePart_EndsAllThatWaits_AndLeavesWhatARuleApproved(string kind)
    {
        await using var world = await WorldAsync(kind);
        var asked = await AskedAsync(world);
        Done(await ApproveAsync(world, World.Bob, asked));
        Assert.IsType<Outcome<RequestView>.Done>(await world.DenyAsync(Dora, Of(asked, "orders-db/owner").Request));

        var now = await ViewAsync(world, asked);
        Assert.Equal((BundleState.Partial, "not now"), (now.State, now.Requests[2].Request.Why));
        Assert.Equal([RequestState.Approved, RequestState.Denied, RequestState.Denied], States(now));
        var late = Assert.IsType<Outcome<BundleView>.LostRace>(await ApproveAsync(world, World.Dave, asked));
        Assert.Equal("it is denied already", late.Why);
        await LogHoldsAsync(world);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancel_TakesBackAllThatWaits_AndIsTheAskersAlone(string kind)
    {
        await using var world = await WorldAsync(kind);
        var asked = await AskedAsync(world);
        Assert.IsType<Outcome<BundleView>.NotYours>(await CancelAsync(world, World.Bob, asked));
        Assert.IsType<Outcome<BundleView>.NotFound>(await CancelAsync(world, World.Eve, asked));
        var now = Done(await CancelAsync(world, World.Ann, asked));
        Assert.Equal([RequestState.Approved, RequestState.Cancelled, RequestState.Cancelled], States(now));
        Assert.Equal("it was taken back", Assert.IsType<Outcome<BundleView>.LostRace>(await ApproveAsync(world, World.Bob, asked)).Why);
        await LogHoldsAsync(world);
    }

    [Fact]
    public async Task Approve_Shortened_ShortensWhatWouldLastLonger_AndRefusesToLengthen()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        var wrong = Assert.IsType<Outcome<BundleView>.Invalid>(await ApproveAsync(world, World.Bob, asked, TimeSpan.FromHours(9)));
        Assert.Equal("an approver can shorten, not lengthen: it is asked for 8 h", Assert.Single(wrong.Problems).Message);

        var now = Done(await ApproveAsync(world, World.Bob, asked, TimeSpan.FromHours(2)));
        Assert.Equal([TimeSpan.FromHours(4), TimeSpan.FromHours(1), TimeSpan.FromHours(2)], now.Requests.Select(one => one.Request.For));
        Assert.Equal([null, TimeSpan.FromHours(2)], now.Requests.Skip(1).Select(one => one.Approvals[0].Shortened));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("orders-db/read-only")]
    public async Task Approve_AnotherDigest_CountsForNothing(string? of)
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);

        // Neither a made-up one, nor that of the part which a rule approved.
        var digest = of is null ? new string('0', 64) : Of(asked, of).Request.Digest;
        Assert.IsType<Outcome<BundleView>.LostRace>(await ApproveAsync(world, World.Bob, asked, digest: digest));
        Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Bob, Of(asked, "orders-db/owner").Request, digest: digest));
        Assert.All((await ViewAsync(world, asked)).Requests, one => Assert.Empty(one.Approvals));
    }

    [Fact]
    public async Task Approve_AskerOrStranger_IsRefused()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        Assert.Equal("nobody answers their own request", Assert.IsType<Outcome<BundleView>.NotYours>(await ApproveAsync(world, World.Ann, asked)).Why);
        Assert.IsType<Outcome<BundleView>.NotYours>(await ApproveAsync(world, World.Root, asked));
        Assert.IsType<Outcome<BundleView>.NotFound>(await ApproveAsync(world, World.Eve, asked));
        Assert.IsType<Outcome<BundleView>.NotFound>(await ApproveAsync(world, Hank, asked));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TwoApproversAtOnce_OverDifferentParts_BothCount_AndEachGrantIsMadeOnce(string kind)
    {
        await using var world = await WorldAsync(kind);
        for (var round = 0; round < 6; round++)
        {
            var asked = await AskedAsync(world);
            await Task.WhenAll(
                Task.Run(() => world.ApproveAsync(World.Bob, Of(asked, "staging-db/owner").Request)),
                Task.Run(() => world.ApproveAsync(Dora, Of(asked, "orders-db/owner").Request)),
                Task.Run(() => ApproveAsync(world, World.Dave, asked)),
                Task.Run(() => world.ApproveAsync(World.Carol, Of(asked, "orders-db/owner").Request)));
            var now = await ViewAsync(world, asked);
            Assert.Equal(BundleState.Approved, now.State);
            Assert.Equal(now.Requests[1].Approvals.Select(yes => yes.By), now.Requests[2].Approvals.Select(yes => yes.By));
        }

        Assert.Equal(18, (await world.FactsAsync()).Count(fact => fact == "GrantReady"));
        await LogHoldsAsync(world);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task LastYesAndCancelAtOnce_OneOfThemWins_ForAllOfIt(string kind)
    {
        await using var world = await WorldAsync(kind);
        for (var round = 0; round < 8; round++)
        {
            var asked = await AskedAsync(world);
            Done(await ApproveAsync(world, World.Bob, asked));
            Done(await ApproveAsync(world, Dora, asked));
            var yes = Task.Run(() => ApproveAsync(world, World.Dave, asked));
            var cancel = Task.Run(() => world.Get<CancelRequest>().CancelAsync(World.Ann, asked.Requests[2].Request.Id, CancellationToken.None));
            await Task.WhenAll(yes, cancel);

            var states = States(await ViewAsync(world, asked))[1..];
            Assert.True(states is [RequestState.Approved, RequestState.Approved] or [RequestState.Cancelled, RequestState.Cancelled], string.Join(", ", states));
            Assert.Equal(states[0] == RequestState.Approved, await yes is Outcome<BundleView>.Done);
            Assert.Equal(states[0] == RequestState.Cancelled, await cancel is Outcome<RequestView>.Done);
        }

        await LogHoldsAsync(world);
    }

    [Fact]
    public async Task TwoNodes_AnswersAndDueSteps_KeepAllPartsAlike()
    {
        var place = await TestStore.OpenAsync("postgres");
        var text = With(("{ steps: [ { from: owners } ] }", "{ steps: [ { from: owners, escalate: { after: 10m, to: group:directors } } ] }"));
        await using var one = await World.NewAsync(text, store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        await two.Get<ApplyCatalog>().ApplyAsync(one.Get<CurrentCatalog>().Now, Actor.Server, CancellationToken.None);
        for (var round = 0; round < 6; round++)
        {
            var asked = await AskedAsync(one);
            one.Time.Advance(TimeSpan.FromMinutes(10));
            await Task.WhenAll(
                Task.Run(() => one.TickAsync()),
                Task.Run(() => two.TickAsync()),
                Task.Run(() => two.ApproveAsync(World.Bob, Of(asked, "staging-db/owner").Request)),
                Task.Run(() => ApproveAsync(one, Dora, asked)));
            await one.TickAsync();
            await two.TickAsync();
            Done(await ApproveAsync(two, World.Dave, asked));
            var now = await ViewAsync(one, asked);
            Assert.Equal(BundleState.Approved, now.State);
            var added = await one.Store.ReadAsync(
                async reads => (await reads.AdditionsAsync(now.Requests[1].Request.Id)).Zip(await reads.AdditionsAsync(now.Requests[2].Request.Id)).ToList(), CancellationToken.None);
            Assert.All(added, pair => Assert.Equal(pair.First, pair.Second));
        }

        await LogHoldsAsync(one);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Escalation_OfASharedStep_LetsMoreAnswerAllParts_AndStillCountsWhenAskedAgain(string kind)
    {
        await using var world = await WorldAsync(kind, ("{ steps: [ { from: owners } ] }", "{ steps: [ { from: owners, escalate: { after: 10m, to: group:directors } } ] }"));
        var asked = await AskedAsync(world);
        Assert.IsType<Outcome<BundleView>.NotFound>(await ApproveAsync(world, Finn, asked));
        world.Time.Advance(TimeSpan.FromMinutes(20));
        await world.TickAsync();
        Assert.Equal(2, (await world.FactsAsync()).Count(fact => fact == "RequestEscalated"));

        Done(await ApproveAsync(world, Finn, asked));
        Done(await ApproveAsync(world, Dora, asked));
        var now = Done(await ApproveAsync(world, World.Dave, asked));
        Assert.Equal(BundleState.Approved, now.State);
        foreach (var one in now.Requests)
        {
            await StepsUseCaseTests.BeginAsync(world, one);
            await StepsUseCaseTests.EvidenceHoldsAsync(world, one.Request.Id);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OnCall_WhoeverComesOnCall_AnswersAllParts(string kind)
    {
        await using var world = await WorldAsync(kind, ("{ from: group:security, remind: 20m }", "{ from: on-call:web }"));
        var asked = await AskedAsync(world);
        Done(await ApproveAsync(world, World.Bob, asked));
        Done(await ApproveAsync(world, Dora, asked));
        world.Time.Advance(TimeSpan.FromHours(3));
        var now = Done(await ApproveAsync(world, Finn, asked));
        Assert.Equal(BundleState.Approved, now.State);
        foreach (var one in now.Requests)
        {
            await StepsUseCaseTests.BeginAsync(world, one);
            await StepsUseCaseTests.EvidenceHoldsAsync(world, one.Request.Id);
        }
    }

    [Fact]
    public async Task Begin_WhenThePolicyOfOneRoleBecameStricter_OnlyThatRoleFalls()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        foreach (var person in new[] { World.Bob, Dora, World.Dave })
        {
            Done(await ApproveAsync(world, person, asked));
        }

        await ApplyAsync(world, ("approve: { steps: [ { from: owners } ] }", "approve: { steps: [ { from: owners, need: 2 } ] }"));
        var now = await ViewAsync(world, asked);
        Assert.Equal(GrantState.Opening, (await BegunAsync(world, Of(now, "staging-db/owner"))).State);
        var fallen = await BegunAsync(world, Of(now, "orders-db/owner"));
        Assert.Equal((GrantState.Closed, "own-orders now asks for approvals that are missing: owners of orders-db (1 more)"), (fallen.State, fallen.EndNote));
    }

    [Fact]
    public async Task Begin_WhenAnApproverLeftWhoOnlyOtherRolesAsked_OpensWhatDidNotAskThem()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        foreach (var person in new[] { World.Bob, Dora, World.Dave })
        {
            Done(await ApproveAsync(world, person, asked));
        }

        // Dora's yes was for staging; orders-db never asked her.
        await ApplyAsync(world, ("owners: [dora]", "owners: [hank]"));
        var now = await ViewAsync(world, asked);
        Assert.Equal(GrantState.Opening, (await BegunAsync(world, Of(now, "orders-db/owner"))).State);
        Assert.Equal(GrantState.Closed, (await BegunAsync(world, Of(now, "staging-db/owner"))).State);
    }

    [Fact]
    public async Task Pending_WhenAnApproverLeft_TheirYesCountsForNoPart()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        Done(await ApproveAsync(world, Dora, asked));
        await ApplyAsync(world, ("owners: [dora]", "owners: [hank]"));
        Done(await ApproveAsync(world, World.Bob, asked));
        var now = Done(await ApproveAsync(world, World.Dave, asked));
        Assert.Equal(BundleState.Pending, now.State);
        Assert.Equal("owners of staging-db: 1 person needed, and besides the requester there is nobody", now.Requests[1].Steps[2].Lacking);
    }

    [Fact]
    public async Task Offer_AtAPart_IsRefusedWithTheWayOut()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        var part = Of(asked, "staging-db/owner").Request;
        var no = Assert.IsType<Outcome<RequestView>.Refused>(
            await world.Get<OfferInstead>().OfferAsync(Dora, part.Id, new Instead(TimeSpan.FromMinutes(5), null, null, null, part.Digest, "test"), CancellationToken.None));
        Assert.Equal($"it is a part of {asked.Asking.Id}, which is answered as a whole", no.Why);
    }

    [Fact]
    public async Task View_AnOwnerWhoIsNotAsked_SeesTheirPartAlone_AndAnApproverSeesAll()
    {
        await using var world = await WorldAsync("sqlite", ("owners: [hank]", "owners: [hank, dora]"), ("who: group:vaulters", "who: group:developers"));
        var asked = await AskedAsync(world);
        Assert.Equal(4, (await ViewAsync(world, asked, Dora)).Requests.Count);
        var part = await ViewAsync(world, asked, Hank);
        Assert.Equal(("vault-db/secret", 3), (Assert.Single(part.Requests).Request.Role.ToString(), part.LeftOut));
        Assert.IsType<Outcome<BundleView>.NotFound>(await FindAsync(world, World.Eve, asked));
        Assert.Equal(4, (await ViewAsync(world, asked, World.Root)).Requests.Count);
    }

    [Fact]
    public async Task Lapse_AllThatWaits_Lapses()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        world.Time.Advance(TimeSpan.FromHours(25));
        await world.TickAsync();
        Assert.Equal([RequestState.Approved, RequestState.Lapsed, RequestState.Lapsed], States(await ViewAsync(world, asked)));
    }

    [Fact]
    public async Task Offboarding_EndsAllOfIt()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        await ApplyAsync(world, ("ann: { manager: bob }", "ann: { manager: bob, disabled: true }"));
        await world.TickAsync();
        Assert.Equal([RequestState.Cancelled, RequestState.Cancelled], States(await ViewAsync(world, asked, World.Root))[1..]);
        await LogHoldsAsync(world);
    }

    [Fact]
    public async Task Delegate_AnswersAllOfIt_InOnePlace()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        Assert.IsType<Outcome<Delegation>.Done>(await world.Get<DelegateAnswers>().MakeAsync(Dora, Hank, null, world.Now.AddDays(1), CancellationToken.None));
        Done(await ApproveAsync(world, Hank, asked));
        Assert.All((await ViewAsync(world, asked)).Requests.Skip(1), one => Assert.Equal((Hank, Dora), (one.Approvals[0].By, one.Approvals[0].Seat)));
        Done(await ApproveAsync(world, World.Bob, asked));
        Assert.Equal(BundleState.Approved, Done(await ApproveAsync(world, World.Dave, asked)).State);
    }

    [Fact]
    public async Task Wait_OpensWhatARuleApprovesAtOnce_AndTheRestWithTheLastYes()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world, wait: true);
        Assert.Equal(GrantState.Opening, asked.Requests[0].Grant!.Grant.State);
        foreach (var person in new[] { World.Bob, Dora, World.Dave })
        {
            Done(await ApproveAsync(world, person, asked));
        }

        Assert.All((await ViewAsync(world, asked)).Requests, one => Assert.Equal(GrantState.Opening, one.Grant!.Grant.State));
    }

    [Fact]
    public async Task Evidence_OfAPart_ShowsTheWholeThatWasAnswered_AndNoOtherWholeFits()
    {
        await using var world = await WorldAsync();
        var asked = await AskedAsync(world);
        foreach (var person in new[] { World.Bob, Dora, World.Dave })
        {
            Done(await ApproveAsync(world, person, asked));
        }

        var file = Assert.IsType<Outcome<byte[]>.Done>(await world.Get<CollectEvidence>().CollectAsync(World.Root, asked.Requests[2].Request.Id, CancellationToken.None)).Value;
        var report = EvidenceVerifier.Verify(file, KeyTrust.Nothing);
        Assert.True(report.Holds);
        Assert.Contains(report.Sentences, sentence => sentence.Text.StartsWith("The request is a part of the bundle in fact 2, and all that stands there hashes to", StringComparison.Ordinal));
        Assert.Contains(report.Sentences, sentence => sentence.Text.Contains("ann asked for the bundle “backend-onboarding”: orders-db/read-only, orders-db/owner, staging-db/owner", StringComparison.Ordinal));

        // A role more, or one less, in what the approvers are said to have seen.
        var changed = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(file).Replace("\"left_out\":1", "\"left_out\":0", StringComparison.Ordinal));
        Assert.Contains(EvidenceVerifier.Verify(changed, KeyTrust.Nothing).Sentences, sentence => sentence.Why == "it hashes to something else");
    }
}
