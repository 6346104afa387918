using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

public sealed class RowsTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task KnownMoment_IsTheLastOnRecord_AndOnlyWithAccessOpen(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        Task<DateTimeOffset?> KnownAsync() => test.ReadAsync(async reads => await reads.KnownMomentAsync());
        Task BeatAsync(TimeSpan after) => test.WriteAsync(async work =>
        {
            await work.BeatAsync(new Node("one", "control", "1", TestStore.Now, TestStore.Now + after));
        });
        await BeatAsync(TimeSpan.FromSeconds(5));
        Assert.Null(await KnownAsync());
        var grant = await test.OpenedAsync();
        Assert.Equal(TestStore.Now.AddSeconds(5), await KnownAsync());
        await test.WriteAsync(work =>
        {
            work.Append(new Stint.Core.Audit.Fact(Stint.Core.Audit.FactKinds.RequestAsked, TestStore.Now.AddSeconds(7), Stint.Core.Audit.Actor.Keeper) { ["request"] = grant.Request.Value, ["subject"] = "ann" });
            return Task.CompletedTask;
        });
        Assert.Equal(TestStore.Now.AddSeconds(7), await KnownAsync());
        await BeatAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(TestStore.Now.AddSeconds(10), await KnownAsync());
        await test.WriteAsync(async work => await work.ExpireAsync(grant.NotAfter!.Value, 10));
        Assert.Null(await KnownAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Request_WrittenAndRead_IsTheSame(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var odd = TestStore.Now.AddTicks(1_234_567);
        var asked = test.Asking("ann", RequestState.Pending, "bob", "cid") with
        {
            AskedAt = odd,
            For = TimeSpan.FromTicks(18_000_000_009),
            StartAt = odd.AddHours(1),
            Opening = Opening.Scheduled,
            Ticket = "OPS-1",
            Extends = new GrantId("gr-x"),
        };
        var kept = await test.WriteAsync(async work => await work.InsertAsync(asked));
        var read = (await test.ReadAsync(async reads => await reads.FindRequestAsync(asked.Id)))!;

        Assert.Equal(odd.AddTicks(-7), kept.AskedAt);
        Assert.Equal(VerdictText.Write(asked.Verdict), VerdictText.Write(read.Verdict));
        Assert.Equal(kept with { Verdict = read.Verdict }, read);
        var needs = Assert.IsType<Verdict.NeedsApproval>(read.Verdict);
        Assert.True(needs.Distinct);
        Assert.Equal(["bob", "cid"], needs.Steps[0].Approvers.Select(person => person.Value));
    }

    [Fact]
    public void Verdict_EachOutcome_SurvivesItsText()
    {
        var terms = new Terms(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), RecordMode.Default, TimeSpan.FromDays(1), TimeSpan.FromHours(8));
        RuleTrace[] trace = [new("a", RuleOutcome.Decided, "because", "do that"), new("b", RuleOutcome.Failed, "cannot", null)];
        foreach (var verdict in new Verdict[] { new Verdict.Allow(terms) { Trace = trace }, new Verdict.Deny("no rule", Known: true) { Trace = trace }, new Verdict.Deny("x", Known: false) { Trace = [] } })
        {
            var read = VerdictText.Read(VerdictText.Write(verdict));
            Assert.Equal(verdict.GetType(), read.GetType());
            Assert.Equal(verdict.Trace, read.Trace);
            Assert.Equal((verdict as Verdict.Deny)?.Known, (read as Verdict.Deny)?.Known);
            Assert.Equal((verdict as Verdict.Allow)?.Terms, (read as Verdict.Allow)?.Terms);
        }

        Assert.Throws<StoreRefusedException>(() => VerdictText.Read("{\"outcome\":\"perhaps\",\"trace\":[]}"));
        Assert.Throws<StoreRefusedException>(() => VerdictText.Read("{"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Requests_AwaitingSomebody_UntilTheyAnsweredOrItIsDecided(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (one, two) = (test.Asking("ann", RequestState.Pending, "bob", "cid"), test.Asking("dan", RequestState.Pending, "bob"));
        await test.WriteAsync(async work =>
        {
            await work.InsertAsync(one);
            await work.InsertAsync(two);
        });
        Assert.Equal([two.Id, one.Id], await AwaitingAsync("bob"));

        var answer = Answer(one, "bob");
        Assert.NotNull(await test.WriteAsync(async work => await work.InsertAsync(answer)));
        Assert.Null(await test.WriteAsync(async work => await work.InsertAsync(answer)));
        Assert.Equal([two.Id], await AwaitingAsync("bob"));
        Assert.Equal([one.Id], await AwaitingAsync("cid"));

        await test.WriteAsync(async work => await work.MoveAsync(one, one with { State = RequestState.Approved, DecidedAt = TestStore.Now }));
        Assert.Empty(await AwaitingAsync("cid"));
        Assert.Equal([answer.By], (await test.ReadAsync(async reads => await reads.ApprovalsAsync(one.Id))).Select(given => given.By));

        async Task<IEnumerable<RequestId>> AwaitingAsync(string person) =>
            (await test.ReadAsync(async reads => await reads.RequestsAsync(new RequestFilter { Awaiting = new SubjectId(person) }, new Page()))).Items.Select(request => request.Id);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Pages_WalkedToTheEnd_ShowEachRowOnce(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await test.WriteAsync(async work =>
        {
            for (var i = 0; i < 23; i++)
            {
                await work.InsertAsync(test.Asking(i % 2 == 0 ? "ann" : "bob"));
            }
        });
        var seen = new List<RequestId>();
        for (long? next = null; ;)
        {
            var page = await test.ReadAsync(async reads => await reads.RequestsAsync(new RequestFilter { Subject = new SubjectId("ann") }, new Page(5, next)));
            seen.AddRange(page.Items.Select(request => request.Id));
            next = page.Next;
            if (next is null)
            {
                break;
            }
        }

        Assert.Equal(12, seen.Distinct().Count());
        Assert.Equal(12, seen.Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Grant_ThroughItsLife_IsReadAsWritten(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var open = await test.OpenedAsync();
        Assert.Equal(open, await test.ReadAsync(async reads => await reads.FindGrantAsync(open.Id)));
        Assert.Equal(open, await test.ReadAsync(async reads => await reads.FindGrantAsync(open.Request)));
        Assert.Equal([open], (await test.ReadAsync(async reads => await reads.GrantsOfAsync(open.Assignment!.Value))).ToArray());
        Assert.Equal([open], (await test.ReadAsync(async reads => await reads.LiveGrantsAsync(open.Subject, open.Role))).ToArray());
        var ended = open with { State = GrantState.Closing, End = EndReason.Revoked, EndNote = "bob: enough", EndedAt = TestStore.Now.AddMinutes(1) };
        var closing = await test.WriteAsync(async work => await work.MoveAsync(open, ended));
        Assert.Equal(closing, await test.ReadAsync(async reads => await reads.FindGrantAsync(open.Id)));
        Assert.Null(await test.WriteAsync(async work => await work.MoveAsync(open, ended)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => test.WriteAsync(async work => await work.MoveAsync(closing!, closing! with { State = GrantState.Open })));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Expire_DueAndNotDue_EndsTheDueAndMakesTheirAssignmentsDue(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (due, later) = (await test.OpenedAsync("ann", TestStore.Now.AddMinutes(1)), await test.OpenedAsync("bob", TestStore.Now.AddMinutes(2)));
        var account = (await test.ReadAsync(async reads => await reads.FindAssignmentAsync(due.Assignment!.Value)))!;
        await test.WriteAsync(async work => await work.MoveAsync(account, account with { State = AssignmentState.Standing, DueAt = null }, release: true));
        var now = TestStore.Now.AddMinutes(1);
        Assert.Empty(await test.WriteAsync(async work => await work.ExpireAsync(now.AddTicks(-10), 10)));
        var ended = Assert.Single(await test.WriteAsync(async work => await work.ExpireAsync(now, 10)));
        Assert.Equal(due with { State = GrantState.Closing, Version = due.Version + 1, End = EndReason.Expired, EndedAt = now }, ended);
        Assert.Equal(now, (await test.ReadAsync(async reads => await reads.FindAssignmentAsync(due.Assignment!.Value)))!.DueAt);
        Assert.Equal(GrantState.Open, (await test.ReadAsync(async reads => await reads.FindGrantAsync(later.Id)))!.State);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task NextDue_OverAllThatCanBeDue_IsTheEarliest(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        Assert.Null(await NextAsync());
        await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob")));
        Assert.Equal(TestStore.Now.AddHours(24), await NextAsync());
        await test.ReadyAsync("bob");
        Assert.Equal(TestStore.Now.AddHours(8), await NextAsync());
        var open = await test.OpenedAsync("cid");
        Assert.Equal(TestStore.Now, await NextAsync());
        await test.WriteAsync(async work => await work.LeaseDueAssignmentsAsync("n", TestStore.Now, TimeSpan.FromMinutes(5), 10, 10));
        Assert.Equal(TestStore.Now.AddMinutes(5), await NextAsync());
        var account = (await test.ReadAsync(async reads => await reads.FindAssignmentAsync(open.Assignment!.Value)))!;
        await test.WriteAsync(async work => await work.MoveAsync(account, account with { State = AssignmentState.Standing, DueAt = null }, release: true));
        Assert.Equal(TestStore.Now.AddMinutes(30), await NextAsync());

        Task<DateTimeOffset?> NextAsync() => test.ReadAsync(async reads => await reads.NextDueAtAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Session_StartedAnchoredEnded_IsReadAsWritten(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var open = await test.OpenedAsync();
        var live = await test.WriteAsync(async work => await work.InsertAsync(test.Connection(open)));
        Assert.Equal(1, await test.ReadAsync(async reads => await reads.CountLiveSessionsAsync(live.Assignment)));
        var anchored = await test.WriteAsync(async work => await work.MoveAsync(live, live with { Recording = new RecordingHead("a/b", 3, 99, new byte[32], 2) }));
        var ended = await test.WriteAsync(async work => await work.MoveAsync(
            anchored!,
            anchored! with { State = SessionState.Ended, End = SessionEndReason.Killed, EndNote = "bye", EndedAt = TestStore.Now.AddMinutes(1), BytesFromClient = 5, BytesToClient = 6 }));
        var read = (await test.ReadAsync(async reads => await reads.FindSessionAsync(live.Id)))!;
        Assert.Equal(ended!.Recording!.Hash, read.Recording!.Hash);
        Assert.Equal(ended, read with { Recording = ended.Recording });
        Assert.Equal(0, await test.ReadAsync(async reads => await reads.CountLiveSessionsAsync(live.Assignment)));
        Assert.Single((await test.ReadAsync(async reads => await reads.SessionsAsync(new SessionFilter { Live = false, Resource = "orders-db" }, new Page()))).Items);
        Assert.Equal(1, (await test.ReadAsync(async reads => await reads.CountsAsync())).OpenGrants);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Small_Rows_AreKept(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var grant = await test.ReadyAsync();
        var login = new Login
        {
            Name = "ann-1",
            Grant = grant.Id,
            Subject = grant.Subject,
            Role = grant.Role,
            MadeAt = TestStore.Now,
            Verifier = new LoginVerifier(4096, [1, 2], new byte[32], new byte[32]),
        };
        var answer = new KeptAnswer(grant.Subject, "k", [1], 201, "{}", TestStore.Now);
        await test.WriteAsync(async work =>
        {
            await work.InsertAsync(login);
            Assert.Equal(1, await work.EndLoginsAsync(grant.Id, TestStore.Now));
            Assert.IsType<CatalogTaking.Took>(await work.ApplyCatalogAsync("v1", new CatalogSource([new CatalogFile("a.yaml", "x: 1")]), TestStore.Now));
            Assert.IsType<CatalogTaking.Already>(await work.ApplyCatalogAsync("v1", new CatalogSource([]), TestStore.Now));
            Assert.IsType<CatalogTaking.Took>(await work.ApplyCatalogAsync("v2", new CatalogSource([]), TestStore.Now.AddSeconds(1)));
            Assert.IsType<CatalogTaking.Took>(await work.ApplyCatalogAsync("v1", new CatalogSource([]), TestStore.Now.AddSeconds(2)));
            Assert.True(await work.InsertAsync(answer));
            Assert.False(await work.InsertAsync(answer));
            Assert.Equal("one", await work.KeepSettingAsync("installation", "one"));
            Assert.Equal("one", await work.KeepSettingAsync("installation", "two"));
            await work.BeatAsync(new Node("n", "control", "0", TestStore.Now, TestStore.Now));
            await work.BeatAsync(new Node("n", "control", "0", TestStore.Now, TestStore.Now.AddSeconds(5)));
        });
        await Assert.ThrowsAsync<StoreConflictException>(() => test.WriteAsync(async work => await work.InsertAsync(login)));
        await test.ReadAsync(async reads =>
        {
            Assert.Equal(TestStore.Now, (await reads.FindLoginAsync("ann-1"))!.EndedAt);
            Assert.Equal("x: 1", (await reads.FindCatalogAsync("v1"))!.Files[0].Text);
            Assert.Equal("v1", await reads.LastCatalogAsync());
            Assert.Equal("{}", (await reads.FindAnswerAsync(grant.Subject, "k"))!.Body);
            Assert.Null(await reads.FindAnswerAsync(new SubjectId("bob"), "k"));
            Assert.Equal(TestStore.Now.AddSeconds(5), (await reads.NodesAsync())[0].SeenAt);
            return 0;
        });
    }

    private static Approval Answer(Request request, string by) => new()
    {
        Request = request.Id,
        By = new SubjectId(by),
        Yes = true,
        At = TestStore.Now,
        SawDigest = "d1",
        Via = "cli",
        Shortened = TimeSpan.FromMinutes(5),
    };
}
