using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Requests;

/// <summary>How much a workload may have in a day. The world begins at 2026-11-22 09:00 UTC.</summary>
public sealed class BudgetUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly SubjectId Job = SubjectId.Workload("deploy-shop");

    private static string Catalog(string budget) => World.Catalog
        .Replace("groups:\n", $$"""
            workloads:
              deploy-shop: { budget: {{budget}} }
            groups:
              jobs: [workload:deploy-shop]

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal)
        .Replace("who: group:developers\n    roles: [orders-db/read-only]", "who: [group:developers, group:jobs]\n    roles: [orders-db/read-only]", StringComparison.Ordinal)
        .Replace("who: group:developers\n    roles: [orders-db/owner]", "who: [group:developers, group:jobs]\n    roles: [orders-db/owner]", StringComparison.Ordinal);

    private static async Task<RequestView> AskAsync(World world, int seconds, string role = "orders-db/read-only", bool wait = false) =>
        Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AskForRole>().AskAsync(
            Job, new Asking(role, seconds, "work", null, null, wait, null) { Claims = new Dictionary<string, string> { ["repository"] = "acme/shop" } }, None)).Value;

    private static async Task DeniedAsync(World world, int seconds, params string[] says)
    {
        var denied = await AskAsync(world, seconds);
        Assert.Equal(RequestState.Denied, denied.Request.State);
        Assert.All(says, part => Assert.Contains(part, $"{denied.Request.Why} {string.Join(' ', denied.Request.Verdict.Trace.Select(line => line.Remedy))}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Grants_ManyAtOnce_NoneBeyondTheBudget(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(Catalog("{ grants: 5 }"), store: place.Store);
        var second = world.Second(catalog: Catalog("{ grants: 5 }"));
        var asked = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() => AskAsync(i % 2 == 0 ? world : second, 60))));
        Assert.Equal((5, 19), (asked.Count(one => one.Request.State == RequestState.Approved), asked.Count(one => one.Request.State == RequestState.Denied)));
        await DeniedAsync(world, 60, "the budget of workload:deploy-shop is 5 grants a day, and it had 5 grants today; it is free again on 23 Nov 2026 00:00 UTC");

        world.Time.Set(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(RequestState.Approved, (await AskAsync(world, 60)).Request.State);
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Time_IsCountedAsItWasUsed()
    {
        await using var world = await World.NewAsync(Catalog("{ time: 2h }"));
        await DeniedAsync(world, 7_201, "is 2h a day, 2h of it are left today, and this is 2h1s", "ask for 2h or less");
        var first = await AskAsync(world, 3600, wait: true);
        await world.TickAsync();
        await DeniedAsync(world, 3601, "1h of it are left today");

        // Given back after ten minutes, the rest is free again.
        world.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(Job, first.Grant!.Grant.Id, None));
        await world.TickAsync();
        await DeniedAsync(world, 6601, "1h50m of it are left today");
        Assert.Equal(RequestState.Approved, (await AskAsync(world, 6600)).Request.State);

        // What was not begun counts with its whole length, and when it lapses with none.
        await DeniedAsync(world, 60, "0s of it are left today");
        world.Time.Advance(TimeSpan.FromHours(8.5));
        await world.TickAsync();
        Assert.Equal(RequestState.Approved, (await AskAsync(world, 6600)).Request.State);
    }

    [Fact]
    public async Task Pending_CountsUntilItIsDecided_AndOnlyOwnersAnswer()
    {
        await using var world = await World.NewAsync(Catalog("{ grants: 1 }"));
        var waits = await AskAsync(world, 60, "orders-db/owner");
        Assert.Equal(RequestState.Pending, waits.Request.State);
        await DeniedAsync(world, 60, "is 1 grant a day, and it had 1 grant today");
        Assert.IsNotType<Outcome<RequestView>.Done>(await world.Get<ApproveRequest>().ApproveAsync(Job, waits.Request.Id, new Yes(null, null, waits.Request.Digest, "test"), None));
        Assert.IsType<Outcome<RequestView>.Done>(await world.DenyAsync(World.Bob, waits.Request));
        Assert.Equal(RequestState.Approved, (await AskAsync(world, 60)).Request.State);
    }

    [Fact]
    public void Day_BeginsAtTheZonesMidnight()
    {
        var budget = new Budget(1, null, "Europe/Berlin");
        Assert.Equal(
            (new DateTimeOffset(2026, 10, 24, 22, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 10, 25, 23, 0, 0, TimeSpan.Zero)),
            budget.Day(new DateTimeOffset(2026, 10, 25, 12, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public async Task Store_RefusesAMachineThatAnswers_AndClaimsThatChange()
    {
        await using var world = await World.NewAsync(Catalog("{ grants: 9 }"));
        var waits = await AskAsync(world, 60, "orders-db/owner");
        await Assert.ThrowsAnyAsync<StoreRefusedException>(() => world.Store.WriteAsync(async work => await work.Db.RunAsync("UPDATE requests SET claims = '{}' WHERE id = $1", waits.Request.Id.Value), None));
        await Assert.ThrowsAnyAsync<StoreRefusedException>(() => world.Store.WriteAsync(
            async work => await work.Db.RunAsync("INSERT INTO request_approvers (request_id, person, open) VALUES ($1, 'workload:deploy-shop', 1)", waits.Request.Id.Value), None));
        await Assert.ThrowsAnyAsync<StoreRefusedException>(() => world.Store.WriteAsync(
            async work => await work.Db.RunAsync("UPDATE requests SET subject = 'ann' WHERE id = $1", waits.Request.Id.Value), None));
    }
}
