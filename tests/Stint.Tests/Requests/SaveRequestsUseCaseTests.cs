using Stint.Core;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Approvals;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Requests;

/// <summary>Askings that people keep, on a store of each kind.</summary>
public sealed class SaveRequestsUseCaseTests
{
    private static readonly SavedRequest Morning = new("morning", "orders-db/read-only", 1800, "counting", "INC-1");

    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static Task<Outcome<SavedRequest>> SaveAsync(World world, SubjectId who, SavedRequest saved) => world.Get<SaveRequests>().SaveAsync(who, saved, CancellationToken.None);

    private static Task<Outcome<SavedRequest>> AgainAsync(World world, SubjectId who, string? what = null) => world.Get<SaveRequests>().AgainAsync(who, what, CancellationToken.None);

    private static SavedRequest Done(Outcome<SavedRequest> outcome) => Assert.IsType<Outcome<SavedRequest>.Done>(outcome).Value;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Save_ListReplaceForget_IsEachPersonsOwn(string kind)
    {
        await using var world = await BundleWorld.WorldAsync(kind);
        Done(await SaveAsync(world, World.Ann, Morning));
        Done(await SaveAsync(world, World.Ann, Morning with { Name = "evening", Asked = "backend-onboarding", ForSeconds = null, Ticket = null }));
        Done(await SaveAsync(world, World.Ann, Morning with { ForSeconds = 60 }));
        Assert.Equal(
            [new("evening", "backend-onboarding", null, "counting", null), Morning with { ForSeconds = 60 }],
            await world.Get<SaveRequests>().ListAsync(World.Ann, CancellationToken.None));

        // Eve sees none of it, cannot repeat it, and cannot take it away; a name of hers is her own.
        Assert.Empty(await world.Get<SaveRequests>().ListAsync(World.Eve, CancellationToken.None));
        Assert.IsType<Outcome<SavedRequest>.NotFound>(await AgainAsync(world, World.Eve, "morning"));
        Assert.IsType<Outcome<SavedRequest>.NotFound>(await world.Get<SaveRequests>().ForgetAsync(World.Eve, "morning", CancellationToken.None));
        Done(await SaveAsync(world, World.Eve, Morning with { Reason = "hers" }));
        Assert.Equal("counting", Done(await AgainAsync(world, World.Ann, "morning")).Reason);

        Done(await world.Get<SaveRequests>().ForgetAsync(World.Ann, "morning", CancellationToken.None));
        Assert.IsType<Outcome<SavedRequest>.NotFound>(await world.Get<SaveRequests>().ForgetAsync(World.Ann, "morning", CancellationToken.None));
        Assert.Equal(["AskingSaved", "AskingSaved", "AskingSaved", "AskingSaved", "AskingForgotten"], (await world.FactsAsync())[1..]);
        await BundleWorld.LogHoldsAsync(world);
    }

    [Fact]
    public async Task Save_Wrong_SaysEverythingAtOnce()
    {
        await using var world = await BundleWorld.WorldAsync();
        var wrong = Assert.IsType<Outcome<SavedRequest>.Invalid>(await SaveAsync(world, World.Ann, new SavedRequest("a b", "orders-db/", 0, new string('x', 2001), "a\u202eb")));
        Assert.Equal(["name", "role", "for_seconds", "reason", "ticket"], wrong.Problems.Select(problem => problem.Field));
        Assert.IsType<Outcome<SavedRequest>.Invalid>(await SaveAsync(world, World.Ann, new SavedRequest("x", null, null, null, null)));
        Assert.Single(await world.FactsAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Save_BeyondTheMost_IsRefused_AndReplacingStillWorks(string kind)
    {
        await using var world = await BundleWorld.WorldAsync(kind);
        for (var i = 0; i < SavedRequest.Most; i++)
        {
            Done(await SaveAsync(world, World.Ann, Morning with { Name = $"n{i}" }));
        }

        Assert.IsType<Outcome<SavedRequest>.Refused>(await SaveAsync(world, World.Ann, Morning));
        Done(await SaveAsync(world, World.Ann, Morning with { Name = "n7", ForSeconds = 7 }));
        Done(await SaveAsync(world, World.Eve, Morning));

        // The database says it too.
        await Assert.ThrowsAsync<StoreRefusedException>(() => world.Store.WriteAsync(async work => await work.SaveAsync(World.Ann, Morning, world.Now), CancellationToken.None));
    }

    [Fact]
    public async Task Again_IsTheLastOfAll_OfARole_OrOfABundle_AndNeverAnothers()
    {
        await using var world = await BundleWorld.WorldAsync();
        Assert.IsType<Outcome<SavedRequest>.NotFound>(await AgainAsync(world, World.Ann));
        await world.AskedAsync(seconds: 600);
        await world.AskedAsync(seconds: 900);
        await BundleWorld.AskedAsync(world, seconds: 7200);
        Assert.Equal(new SavedRequest("", "backend-onboarding", 7200, "first week", null), Done(await AgainAsync(world, World.Ann)));
        Assert.Equal(7200, Done(await AgainAsync(world, World.Ann, "orders-db/read-only")).ForSeconds);
        await world.AskedAsync(seconds: 1200);
        Assert.Equal(new SavedRequest("", "orders-db/read-only", 1200, "work", null), Done(await AgainAsync(world, World.Ann)));
        Assert.Equal("backend-onboarding", Done(await AgainAsync(world, World.Ann, "backend-onboarding")).Asked);
        Assert.IsType<Outcome<SavedRequest>.NotFound>(await AgainAsync(world, World.Ann, "vault-db/secret"));
        Assert.IsType<Outcome<SavedRequest>.NotFound>(await AgainAsync(world, World.Eve));

        // A name of one's own goes before a bundle's.
        Done(await SaveAsync(world, World.Ann, Morning with { Name = "backend-onboarding" }));
        Assert.Equal("orders-db/read-only", Done(await AgainAsync(world, World.Ann, "backend-onboarding")).Asked);
    }

    [Fact]
    public async Task Again_OfADeniedAsking_LeavesTheLengthToThePolicies()
    {
        await using var world = await BundleWorld.WorldAsync();
        var denied = await world.AskedAsync("orders-db/owner", seconds: 7200);
        Assert.Equal(RequestState.Denied, denied.Request.State);
        Assert.Null(Done(await AgainAsync(world, World.Ann)).ForSeconds);
    }
}
