using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Grants;

public sealed class DoneTaskUseCaseTests
{
    private const string Issue = "github:shop/orders#12";
    private static readonly CancellationToken None = CancellationToken.None;

    private static async Task<RequestView> AskedAsync(World world, string? task = Issue, string role = "orders-db/read-only", SubjectId? who = null, bool wait = true, GrantId? extends = null) =>
        Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AskForRole>().AskAsync(who ?? World.Ann, new Asking(role, null, "work", null, null, wait, extends?.Value) { Task = task }, None)).Value;

    private static Task<TaskEnd> DoneAsync(World world, string task = Issue, byte call = 1) => world.Get<DoneTask>().EndAsync(task, "shop", Enumerable.Repeat(call, 32).ToArray(), None);

    [Fact]
    public async Task Done_EndsWhatIsBoundToIt_AndNothingElse()
    {
        await using var world = await World.NewAsync();
        var open = await AskedAsync(world, "GitHub:Shop/Orders#12");
        Assert.Equal(Issue, open.Request.Task);
        var ready = await AskedAsync(world, who: World.Eve, wait: false);
        var pending = await AskedAsync(world, role: "orders-db/owner");
        var other = await AskedAsync(world, "github:shop/orders#1", "orders-db/read-only", World.Eve);
        var free = await AskedAsync(world, null);
        await world.TickAsync();

        var end = await DoneAsync(world);
        Assert.Equal([open.Grant!.Grant.Id, ready.Grant!.Grant.Id], end.Ended);
        Assert.Equal([pending.Request.Id], end.Cancelled);
        await world.TickAsync();
        var ended = await world.GrantAsync(open.Grant.Grant.Id);
        Assert.Equal((EndReason.Revoked, $"the task {Issue} is done, says shop"), (ended.End, ended.EndNote));
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(ready.Grant.Grant.Id)).State);
        var cancelled = await world.Store.ReadAsync(async reads => await reads.FindRequestAsync(pending.Request.Id), None);
        Assert.Equal((RequestState.Cancelled, $"the task {Issue} is done, says shop"), (cancelled!.State, cancelled.Why));
        Assert.Equal(GrantState.Open, (await world.GrantAsync(other.Grant!.Grant.Id)).State);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(free.Grant!.Grant.Id)).State);
        Assert.Single(await world.FactsAsync(), kind => kind == "TaskDone");
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task Done_TheSameCallAgain_EndsNothingThatCameLater()
    {
        await using var world = await World.NewAsync();
        await DoneAsync(world);
        Assert.DoesNotContain("TaskDone", await world.FactsAsync());
        var later = await AskedAsync(world);
        await world.TickAsync();
        Assert.True((await DoneAsync(world)).Repeated);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(later.Grant!.Grant.Id)).State);
        Assert.Single((await DoneAsync(world, call: 2)).Ended);
        Assert.Empty((await DoneAsync(world, call: 3)).Ended);
    }

    [Fact]
    public async Task Extend_WhatIsBound_StaysBound()
    {
        await using var world = await World.NewAsync();
        var asked = await AskedAsync(world);
        await world.TickAsync();
        var id = asked.Grant!.Grant.Id;
        foreach (var task in new[] { null, "github:shop/orders#13" })
        {
            var refused = Assert.IsType<Outcome<RequestView>.Invalid>(await world.Get<AskForRole>().AskAsync(World.Ann, new Asking("orders-db/read-only", null, "more", null, null, true, id.Value) { Task = task }, None));
            Assert.Equal("task", Assert.Single(refused.Problems).Field);
        }

        var more = await AskedAsync(world, extends: id);
        await world.TickAsync();
        Assert.Equal([id, more.Grant!.Grant.Id], (await DoneAsync(world)).Ended);
    }

    [Fact]
    public async Task Ask_WithAWrongTask_IsToldWithTheOtherProblems()
    {
        await using var world = await World.NewAsync();
        var refused = Assert.IsType<Outcome<RequestView>.Invalid>(await world.Get<AskForRole>().AskAsync(World.Ann, new Asking("nonsense", null, null, null, null, false, null) { Task = "no task" }, None));
        Assert.Equal(["role", "task"], refused.Problems.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task TheDatabase_KeepsAGrantToItsRequestsTask(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var request = await test.WriteAsync(async work =>
        {
            var asked = await work.InsertAsync(test.Asking(state: RequestState.Approved) with { Task = Issue });
            await work.InsertAsync(test.Right(asked) with { Task = Issue });
            return asked;
        });
        Assert.Equal(Issue, Assert.Single(await test.ReadAsync(async reads => await reads.LiveGrantsOfAsync(Issue))).Task);
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("UPDATE grants SET task = NULL, version = version + 1"));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
        {
            await work.InsertAsync(test.Right(await work.InsertAsync(test.Asking("eve", RequestState.Approved) with { Task = Issue })));
            await work.Db.CatchUpAsync();
        }));
        Assert.True(await test.WriteAsync(async work => await work.TakeDeliveryAsync("shop", new byte[32], TestStore.Now, TimeSpan.FromDays(1))));
        Assert.False(await test.WriteAsync(async work => await work.TakeDeliveryAsync("shop", new byte[32], TestStore.Now, TimeSpan.FromDays(1))));
        Assert.True(await test.WriteAsync(async work => await work.TakeDeliveryAsync("other", new byte[32], TestStore.Now, TimeSpan.FromDays(1))));
        Assert.True(await test.WriteAsync(async work => await work.TakeDeliveryAsync("shop", new byte[32], TestStore.Now.AddDays(2), TimeSpan.FromDays(1))));
        Assert.NotNull(request.Task);
    }
}
