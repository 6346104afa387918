using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Requests;
using Stint.Tests.Approvals;
using Stint.Tests.Store;
using Xunit;
using static Stint.Tests.Approvals.BundleWorld;

namespace Stint.Tests.Requests;

/// <summary>What an asking for a bundle comes to, on a store of each kind.</summary>
public sealed class AskForBundleUseCaseTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Ask_DecidesEachRoleByItself_AndSharesTheStepsOfAllThatNeedAYes(string kind)
    {
        await using var world = await WorldAsync(kind);
        var asked = await AskedAsync(world);

        Assert.Equal((BundleState.Pending, 1), (asked.State, asked.LeftOut));
        Assert.Equal(["orders-db/read-only", "orders-db/owner", "staging-db/owner"], asked.Requests.Select(one => one.Request.Role.ToString()));
        Assert.Equal([RequestState.Approved, RequestState.Pending, RequestState.Pending], States(asked));

        // Eight hours are asked for; each role lasts as long as its own policies allow.
        Assert.Equal([TimeSpan.FromHours(4), TimeSpan.FromHours(1), TimeSpan.FromHours(8)], asked.Requests.Select(one => one.Request.For));
        Assert.Equal(GrantState.Ready, asked.Requests[0].Grant!.Grant.State);
        foreach (var one in asked.Requests.Skip(1))
        {
            Assert.Equal(["group security", "owners of orders-db", "owners of staging-db"], one.Steps.Select(step => step.Step.Name));
            Assert.Equal(asked.Asking.Digest, one.Request.Digest);
        }

        Assert.NotEqual(asked.Asking.Digest, asked.Requests[0].Request.Digest);
        Assert.Equal(
            ["AskRefused", "BundleAsked", "RequestAsked", "RequestApproved", "GrantReady", "RequestAsked", "RequestAsked"],
            (await world.FactsAsync())[1..]);
        Assert.Equal([2, 2, 2, 0], await StepsUseCaseTests.AwaitingAsync(world, World.Bob, World.Dave, Dora, Finn));
        await LogHoldsAsync(world);
    }

    [Fact]
    public async Task Ask_UnknownBundle_AndOneWithoutARoleForMe_AreAnsweredAlike_AndOnlyTheLogKnows()
    {
        await using var world = await WorldAsync();
        Assert.IsType<Outcome<BundleView>.NotFound>(await AskAsync(world, name: "no-such-bundle"));
        Assert.IsType<Outcome<BundleView>.NotFound>(await AskAsync(world, who: Finn));
        Assert.Equal(["AskRefused", "AskRefused"], (await world.FactsAsync())[1..]);
        Assert.Empty(world.Get<FindBundles>().List(Finn));
        var mine = Assert.Single(world.Get<FindBundles>().List(World.Ann));
        Assert.Equal(["orders-db/read-only", "orders-db/owner", "staging-db/owner"], mine.Roles.Select(role => role.Role.ToString()));
        Assert.Equal(4, Assert.Single(world.Get<FindBundles>().List(World.Eve)).Roles.Count);
    }

    [Fact]
    public async Task Ask_WithoutTheDemandedTicket_DeniesThoseRolesAlone_WithTheirRemedy()
    {
        await using var world = await WorldAsync("sqlite", ("for: { default: 30m, max: 1h }\n    approve: { steps", "for: { default: 30m, max: 1h }\n    reason: { ticket: '^INC-[0-9]+$' }\n    approve: { steps"));
        var asked = await AskedAsync(world);
        Assert.Equal([RequestState.Approved, RequestState.Denied, RequestState.Pending], States(asked));
        var denied = Of(asked, "orders-db/owner").Request;

        // Nothing of the length that the bundle says: that is cut, and no reason to refuse.
        Assert.Equal("own-orders: no ticket was given", denied.Why);
        Assert.Equal(["owners of staging-db", "group security"], asked.Requests[2].Steps.Select(step => step.Step.Name));
    }

    [Fact]
    public async Task Ask_WhoseSharedStepsNobodyCouldMeet_IsDeniedAndToldToAskOneByOne()
    {
        // Alone each role has its owner; together nobody may count twice, and both have the same one.
        await using var world = await WorldAsync(
            "sqlite",
            ("owners: [bob, carol]", "owners: [dora]"),
            ("approve: { steps: [ { from: owners } ] }", "approve: { distinct: true, steps: [ { from: owners } ] }"));
        var asked = await AskedAsync(world);
        Assert.Equal([RequestState.Approved, RequestState.Denied, RequestState.Denied], States(asked));
        Assert.Equal(
            "nobody could approve it together with the rest of the bundle: nobody counts in two steps, and there are not enough different people for all of them", asked.Requests[1].Request.Why);
        Assert.Equal("ask for the role by itself", asked.Requests[1].Request.Verdict.TraceForAsker[0].Remedy);
        Assert.Equal(RequestState.Pending, (await world.AskedAsync("orders-db/owner")).Request.State);
        await LogHoldsAsync(world);
    }

    [Fact]
    public async Task Ask_Sequential_AsksTheStepsOfAllRolesInOneOrder()
    {
        await using var world = await WorldAsync("sqlite", ("{ steps: [ { from: owners }, { from: group:security, remind: 20m } ] }", "{ order: sequential, steps: [ { from: group:security }, { from: owners } ] }"));
        var asked = await AskedAsync(world);
        Assert.Equal([StepState.Open, StepState.Later, StepState.Later], asked.Requests[1].Steps.Select(step => step.State));
        Assert.Equal("owners of orders-db", asked.Requests[2].Steps[0].Step.Name);
        Assert.IsType<Outcome<BundleView>.NotYours>(await ApproveAsync(world, World.Dave, asked));
        Done(await ApproveAsync(world, World.Bob, asked));
        Done(await ApproveAsync(world, World.Dave, asked));
        Assert.Equal(BundleState.Approved, Done(await ApproveAsync(world, Dora, asked)).State);
        await LogHoldsAsync(world);
    }
}
