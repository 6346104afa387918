using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

/// <summary>How far steps have come, who may answer besides, and what was offered: rows and their guards.</summary>
public sealed class StepRowsTests
{
    private static readonly SubjectId Carol = new("carol");

    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static Task<Request> PendingAsync(TestStore test) => test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob")));

    private static StepProgress Opened(DateTimeOffset due) => new() { Step = 0, OpenedAt = TestStore.Now, RemindAt = due, EscalateAt = due.AddHours(1), HandoverAt = due.AddHours(2) };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Save_ThenRead_IsTheSame_AndFoundWhenDue(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var request = await PendingAsync(test);
        var step = Opened(TestStore.Now.AddMinutes(1));
        await test.WriteAsync(async work => await work.SaveAsync(request.Id, step));
        await test.WriteAsync(async work => await work.AddAsync(request.Id, new StepAddition(0, Carol, AdditionCause.OnCall, TestStore.Now)));

        Assert.Equal(step, Assert.Single(await test.ReadAsync(async reads => await reads.StepsAsync(request.Id))));
        Assert.Equal(new StepAddition(0, Carol, AdditionCause.OnCall, TestStore.Now), Assert.Single(await test.ReadAsync(async reads => await reads.AdditionsAsync(request.Id))));
        Assert.Equal(TestStore.Now.AddMinutes(1), await test.ReadAsync(async reads => await reads.NextTimedAtAsync()));
        Assert.Empty(await test.WriteAsync(async work => await work.DueRequestsAsync(TestStore.Now, 10)));
        Assert.Equal(request.Id, Assert.Single(await test.WriteAsync(async work => await work.DueRequestsAsync(TestStore.Now.AddMinutes(1), 10))).Id);
        Assert.True(await test.ReadAsync(async reads => await reads.IsAskedAsync(request.Id, Carol, TestStore.Now)));
        Assert.False(await test.ReadAsync(async reads => await reads.IsAskedAsync(request.Id, new SubjectId("dora"), TestStore.Now)));

        // Once it is decided, nothing is due any more.
        await test.WriteAsync(async work => await work.MoveAsync(request, request with { State = RequestState.Denied, DecidedAt = TestStore.Now, Why = "no" }));
        Assert.Empty(await test.WriteAsync(async work => await work.DueRequestsAsync(TestStore.Now.AddDays(1), 10)));
        Assert.NotEqual(TestStore.Now.AddMinutes(1), await test.ReadAsync(async reads => await reads.NextTimedAtAsync()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Guards_WhatIsSaidOfAStep_DoesNotGoBack(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var request = await PendingAsync(test);
        await test.WriteAsync(async work => await work.SaveAsync(request.Id, Opened(TestStore.Now) with { EscalateAt = null, EscalatedAt = TestStore.Now }));
        await test.WriteAsync(async work => await work.AddAsync(request.Id, new StepAddition(0, Carol, AdditionCause.Escalated, TestStore.Now)));
        foreach (var attack in new[]
                 {
                     "UPDATE request_steps SET opened_at = opened_at + 1",
                     "UPDATE request_steps SET escalated_at = NULL",
                     "UPDATE request_steps SET reminded = reminded + 2",
                     "UPDATE request_steps SET escalate_at = 1",
                     "UPDATE step_additions SET person = 'eve'",
                     "DELETE FROM step_additions",
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Offer_TakenOrReplaced_OnceAndByNoRequester(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var request = await PendingAsync(test);
        CounterOffer Offer(string id, string by = "bob") => new()
        {
            Id = new OfferId(id),
            Request = request.Id,
            By = new SubjectId(by),
            At = TestStore.Now,
            Role = request.Role,
            For = TimeSpan.FromMinutes(5),
            StartAt = TestStore.Now.AddHours(1),
            Comment = "less will do",
            SawDigest = "d1",
            Via = "test",
            State = OfferState.Open,
        };
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(Offer("off-0", "ann"))));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(Offer("off-0") with { Role = new RoleRef("other-db", "owner") })));
        var first = await test.WriteAsync(async work => await work.InsertAsync(Offer("off-1")));
        Assert.Equal(first, Assert.Single(await test.ReadAsync(async reads => await reads.OffersAsync(request.Id))));
        var second = await test.WriteAsync(async work => await work.InsertAsync(Offer("off-2")));
        Assert.Equal([OfferState.Replaced, OfferState.Open], (await test.ReadAsync(async reads => await reads.OffersAsync(request.Id))).Select(offer => offer.State));

        var made = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Approved)));
        Assert.Null(await test.WriteAsync(async work => await work.AcceptAsync(first, made.Id)));
        Assert.NotNull(await test.WriteAsync(async work => await work.AcceptAsync(second, made.Id)));
        Assert.Equal(new OfferId("off-2"), (await test.ReadAsync(async reads => await reads.OfferThatMadeAsync(made.Id)))!.Id);
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("UPDATE offers SET state = 'open', made_request = NULL"));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("DELETE FROM offers"));
    }
}
