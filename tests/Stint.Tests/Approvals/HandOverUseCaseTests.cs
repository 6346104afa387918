using System.Text;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Approvals;

/// <summary>What waits for somebody who left goes to whom an admin names, and to nobody whom it must not.</summary>
public sealed class HandOverUseCaseTests
{
    private const string Two = "orders-db/two";
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly SubjectId Finn = new("finn");
    private static readonly SubjectId Gil = new("gil");

    [Fact]
    public async Task Approval_OfWhoLeft_IsGivenByWhomAnAdminNamed_AndTheEvidenceCountsIt()
    {
        await using var world = await World.NewAsync(BreakGlassUseCaseTests.Text());
        var asked = await world.AskedAsync(Two);
        Assert.Contains("still here", Assert.IsType<Outcome<IReadOnlyList<Handed>>.Refused>(await HandAsync(world, "carol", "gil")).Why, StringComparison.Ordinal);
        await LeaveAsync(world, "carol");
        Assert.IsType<Outcome<IReadOnlyList<Handed>>.NotYours>(await HandAsync(world, "carol", "gil", World.Bob));
        foreach (var wrong in (string[])["carol", "hal", "nobody", "root", "workload:x", ""])
        {
            Assert.Equal("to", Assert.Single(Assert.IsType<Outcome<IReadOnlyList<Handed>>.Invalid>(await HandAsync(world, "carol", wrong)).Problems).Field);
        }

        // Never to whoever asked.
        Assert.Equal([new Handed("approval", asked.Request.Id.Value, "ann asked it")], await DoneAsync(world, "carol", "ann"));
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.ApproveAsync(Gil, asked.Request));
        Assert.Equal([new Handed("approval", asked.Request.Id.Value, null)], await DoneAsync(world, "CAROL", "gil"));
        Assert.Equal([new Handed("approval", asked.Request.Id.Value, null)], await DoneAsync(world, "carol", "gil"));
        Assert.Single(await world.FactsAsync(), "AnswerHandedOver");

        // One person counts once, however they came to it.
        Assert.Equal(RequestState.Pending, Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(Gil, asked.Request)).Value.Request.State);
        Assert.IsNotType<Outcome<RequestView>.Done>(await world.ApproveAsync(Gil, asked.Request));
        Assert.Equal(RequestState.Approved, Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request)).Value.Request.State);
        var report = EvidenceVerifier.Verify(await EvidenceAsync(world, asked.Request.Id), KeyTrust.Nothing);
        Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(line => !line.Holds)));
        Assert.Contains(report.Sentences, line => line.Text.Contains("root let “gil” answer step 0, which “carol” was to answer, who left", StringComparison.Ordinal));
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task Approval_HandedToWhoLeavesAsWell_CountsNoLonger()
    {
        await using var world = await World.NewAsync(BreakGlassUseCaseTests.Text());
        var asked = await world.AskedAsync(Two);
        await LeaveAsync(world, "carol");
        await DoneAsync(world, "carol", "gil");
        await world.ApproveAsync(Gil, asked.Request);
        await LeaveAsync(world, "carol", "gil");
        Assert.Equal(RequestState.Pending, Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request)).Value.Request.State);

        // And what was handed to them can be handed on.
        Assert.Equal([new Handed("approval", asked.Request.Id.Value, null)], await DoneAsync(world, "gil", "finn"));
        Assert.Equal(RequestState.Approved, Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(Finn, asked.Request)).Value.Request.State);
        Assert.True(EvidenceVerifier.Verify(await EvidenceAsync(world, asked.Request.Id), KeyTrust.Nothing).Holds);
    }

    [Fact]
    public async Task Review_OfWhoLeft_IsClosedByWhomAnAdminNamed_NeverByWhoBrokeTheGlass()
    {
        await using var world = await World.NewAsync(BreakGlassUseCaseTests.Text());
        var view = Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AskForRole>().AskAsync(
            World.Ann, new Asking("orders-db/owner", null, "the shop takes no orders and nobody of the owners answers", null, null, false, null) { BreakGlass = true }, None)).Value;
        await world.TickAsync();
        await LeaveAsync(world, "finn");
        var review = view.Review!.Id;
        Assert.Equal([new Handed("review", review.Value, "ann broke the glass")], await DoneAsync(world, "finn", "ann"));
        Assert.Equal([new Handed("review", review.Value, null)], await DoneAsync(world, "finn", "gil"));
        await world.Get<EndGrant>().EndAsync(World.Ann, view.Grant!.Grant.Id, None);
        await world.TickAsync();
        Assert.IsType<Outcome<ReviewView>.NotYours>(await world.Get<CloseReview>().CloseAsync(World.Bob, review, ReviewState.Accepted, "looked", None));
        Assert.Equal(ReviewState.Accepted, Assert.IsType<Outcome<ReviewView>.Done>(await world.Get<CloseReview>().CloseAsync(Gil, review, ReviewState.Accepted, "looked at it all", None)).Value.Review.State);

        var file = await EvidenceAsync(world, view.Request.Id);
        var report = EvidenceVerifier.Verify(file, KeyTrust.Nothing);
        Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(line => !line.Holds)));
        Assert.Contains(report.Sentences, line => line.Text.Contains("by gil, to whom an admin handed it over", StringComparison.Ordinal));
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Store_RefusesToHandAnAnswerToWhoAskedOrToAMachine(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var pending = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob")));
        foreach (var person in (string[])["ann", "workload:deploy"])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
            {
                await work.AddAsync(pending.Id, new StepAddition(0, new SubjectId(person), AdditionCause.HandedOver, pending.AskedAt));
                return 0;
            }));
        }

        await test.WriteAsync(async work =>
        {
            await work.AddAsync(pending.Id, new StepAddition(0, new SubjectId("dan"), AdditionCause.HandedOver, pending.AskedAt));
            return 0;
        });
        Assert.Equal(AdditionCause.HandedOver, Assert.Single(await test.ReadAsync(async reads => await reads.AdditionsAsync(pending.Id))).Cause);
    }

    [Fact]
    public async Task Patch_PutsThemInTheirPlaces_AndTheCatalogLoads()
    {
        await using var world = await World.NewAsync(BreakGlassUseCaseTests.Text().Replace("owners: [group:leads]", "owners: [group:leads, person:carol]", StringComparison.Ordinal));
        var change = Assert.IsType<Outcome<HandOverChange>.Done>(await world.Get<HandOver>().PatchAsync(World.Root, "carol", "gil", None)).Value;
        Assert.Empty(change.Problems);
        Assert.Contains("-    owners: [group:leads, person:carol]\n+    owners: [group:leads, person:gil]\n", change.Patch.Diff, StringComparison.Ordinal);
        Assert.Equal("is a member of leads", Assert.Single(change.Patch.Left).What);
        Assert.IsType<Outcome<HandOverChange>.NotYours>(await world.Get<HandOver>().PatchAsync(World.Bob, "carol", "gil", None));
    }

    private static Task LeaveAsync(World world, params string[] people) => world.Get<ApplyCatalog>().ApplyAsync(
        World.Load(people.Aggregate(BreakGlassUseCaseTests.Text(), (text, person) => text.Replace($"  {person}: {{}}\n", $"  {person}: {{ disabled: true }}\n", StringComparison.Ordinal))), Actor.Server, None);

    private static Task<Outcome<IReadOnlyList<Handed>>> HandAsync(World world, string left, string to, SubjectId? who = null) => world.Get<HandOver>().HandOverAsync(who ?? World.Root, left, to, None);

    private static async Task<IReadOnlyList<Handed>> DoneAsync(World world, string left, string to) => Assert.IsType<Outcome<IReadOnlyList<Handed>>.Done>(await HandAsync(world, left, to)).Value;

    private static async Task<byte[]> EvidenceAsync(World world, RequestId request) => Assert.IsType<Outcome<byte[]>.Done>(await world.Get<CollectEvidence>().CollectAsync(World.Dave, request, None)).Value;
}
