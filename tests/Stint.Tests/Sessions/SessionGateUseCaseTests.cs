using Stint.Core.Grants;
using Stint.Core.Sessions;
using Stint.Server;
using Stint.Server.Grants;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Sessions;

public sealed class SessionGateUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Mint_ForAReadyGrant_BeginsIt_AndTheSecretStandsNowhere()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync();
        var minting = Task.Run(() => world.Get<MintLogin>().MintAsync(World.Ann, asked.Grant!.Grant.Id, None));
        while (!minting.IsCompleted)
        {
            await world.TickAsync();
            await Task.Yield();
        }

        var login = Assert.IsType<Outcome<MintedLogin>.Done>(await minting).Value;
        Assert.StartsWith("ann-", login.Login, StringComparison.Ordinal);
        Assert.Equal(43, login.Secret.Length);
        Assert.Equal("orders", login.Database);
        Assert.NotNull(await world.Get<SessionGate>().FindLoginAsync(login.Login, None));
        var facts = await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), None);
        Assert.DoesNotContain(facts, fact => fact.Body.Contains(login.Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(login.Secret, login.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mint_ByAnybodyButTheHolder_IsRefused()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        Assert.IsType<Outcome<MintedLogin>.NotYours>(await world.Get<MintLogin>().MintAsync(World.Bob, open.Id, None));
        Assert.IsType<Outcome<MintedLogin>.NotFound>(await world.Get<MintLogin>().MintAsync(World.Eve, open.Id, None));
    }

    [Fact]
    public async Task Mint_TheTwentyFirst_IsRefusedClearly()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        for (var i = 0; i < MintLogin.Most; i++)
        {
            await LoginAsync(world, open);
        }

        var refused = Assert.IsType<Outcome<MintedLogin>.Refused>(await world.Get<MintLogin>().MintAsync(World.Ann, open.Id, None));
        Assert.Contains("20", refused.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admit_OpenGrant_IsOnRecordBeforeTheAnswer_AndHidesTheUpstreamSecret()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var session = await AdmittedAsync(world, open);
        Assert.Equal(open.NotAfter, session.NotAfter);
        Assert.Equal(("db.internal", "orders"), (session.Upstream.Host, session.Upstream.Database));
        Assert.Equal(Assert.Single(world.Target.Standing.Values).Secret, session.Upstream.Secret);
        Assert.DoesNotContain(session.Upstream.Secret, session.Upstream.ToString(), StringComparison.Ordinal);
        Assert.Equal("SessionStarted", (await world.FactsAsync())[^1]);
        Assert.Equal(1, world.Get<LiveSessions>().Count);
    }

    [Fact]
    public async Task Admit_OneTooMany_AnotherDatabase_Draining_AndUnknown_AreEachRefusedForTheirReason()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var login = await LoginAsync(world, open);
        var gate = world.Get<SessionGate>();
        Assert.Equal(GateRefusal.WrongDatabase, (await RefusedAsync(gate, Knock(login) with { Database = "postgres" })).Why);
        for (var i = 0; i < 3; i++)
        {
            Assert.IsType<GateAnswer.Admitted>(await gate.AdmitAsync(Knock(login), None));
        }

        Assert.Equal(GateRefusal.TooManySessions, (await RefusedAsync(gate, Knock(login))).Why);
        Assert.Equal(GateRefusal.NoOpenGrant, (await RefusedAsync(gate, Knock("ann-00000000"))).Why);
        gate.BeginDrain();
        Assert.Equal(GateRefusal.Draining, (await RefusedAsync(gate, Knock(login))).Why);
        Assert.Equal(3, world.Get<LiveSessions>().Count);
    }

    [Fact]
    public async Task Admit_InTheLastInstant_AndAtTheDeadline_DifferByAnInstant()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var login = await LoginAsync(world, open);
        world.Time.Set(open.NotAfter!.Value - TimeSpan.FromMicroseconds(1));
        Assert.IsType<GateAnswer.Admitted>(await world.Get<SessionGate>().AdmitAsync(Knock(login), None));

        // Nobody has swept yet: the window alone decides.
        world.Time.Set(open.NotAfter.Value);
        Assert.Equal(GateRefusal.NoOpenGrant, (await RefusedAsync(world.Get<SessionGate>(), Knock(login))).Why);
        Assert.Null(await world.Get<SessionGate>().FindLoginAsync(login, None));
    }

    [Fact]
    public async Task Admit_StoreFails_FailsClosedAndLeavesNothingBehind()
    {
        var failing = false;
        await using var world = await World.NewAsync(faults: new StoreFaults { BeforeCommit = () => _ = failing ? throw new StoreUnavailableException("the disk is full") : 0 });
        var open = await world.OpenAsync();
        var login = await LoginAsync(world, open);
        failing = true;
        Assert.Equal(GateRefusal.Unavailable, (await RefusedAsync(world.Get<SessionGate>(), Knock(login))).Why);
        Assert.Equal(0, world.Get<LiveSessions>().Count);
    }

    [Fact]
    public async Task Revoke_CutsTheLiveSessionWithASentence_BeforeTheAccountGoes()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var session = await AdmittedAsync(world, open);
        SessionOrder.Cut? cut = null;
        var callsThen = -1;
        session.Listen(order =>
        {
            if (order is SessionOrder.Cut given && cut is null)
            {
                cut = given;
                callsThen = world.Target.Calls.Count(call => call.StartsWith("close ", StringComparison.Ordinal));
                world.Get<LiveSessions>().Remove(session.Id);
                _ = world.Get<SessionGate>().EndedAsync(session.Id, new SessionEnd(SessionEndReason.Revoked, null, world.Now, null, 1, 2), None).AsTask();
            }
        });
        await world.Get<RevokeGrant>().RevokeAsync(World.Bob, open.Id, "incident 7", false, None);
        await world.TickAsync();
        Assert.Equal(SessionEndReason.Revoked, cut!.Reason);
        Assert.Contains("incident 7", cut.Sentence, StringComparison.Ordinal);
        Assert.Contains("stint request orders-db/read-only", cut.Hint!, StringComparison.Ordinal);
        Assert.Equal(0, callsThen);
        Assert.Empty(world.Target.Standing);
    }

    [Fact]
    public async Task Extend_WhileConnected_MovesTheSessionsDeadline()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var session = await AdmittedAsync(world, open);
        var orders = new List<SessionOrder>();
        session.Listen(orders.Add);
        await world.AskedAsync(seconds: 600, extends: open.Id);
        await world.TickAsync();
        await world.Get<SessionWatch>().LookAsync(None);
        Assert.Equal(new SessionOrder.Extend(open.NotAfter!.Value + TimeSpan.FromMinutes(10)), orders[^1]);
    }

    [Fact]
    public async Task Watch_StoreAwayForTenSeconds_CutsWhatItCannotCheck()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var session = await AdmittedAsync(world, open);
        var orders = new List<SessionOrder>();
        session.Listen(orders.Add);
        await world.Get<SessionWatch>().LookAsync(None);
        orders.Clear();
        await world.Store.DisposeAsync();
        world.Time.Advance(TimeSpan.FromSeconds(9));
        await world.Get<SessionWatch>().LookAsync(None);
        Assert.Empty(orders);
        world.Time.Advance(TimeSpan.FromSeconds(2));
        await world.Get<SessionWatch>().LookAsync(None);
        var cut = Assert.IsType<SessionOrder.Cut>(Assert.Single(orders));
        Assert.Equal(SessionEndReason.Unchecked, cut.Reason);
        Assert.Contains("10 s", cut.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kill_ByOwnerWithAReason_CutsOnlyThatSession()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var (one, two) = (await AdmittedAsync(world, open), await AdmittedAsync(world, open));
        var (first, second) = (new List<SessionOrder>(), new List<SessionOrder>());
        one.Listen(first.Add);
        two.Listen(second.Add);
        var kill = world.Get<KillSession>();
        Assert.IsType<Outcome<Session>.NotFound>(await kill.KillAsync(World.Eve, one.Id, "x", None));
        Assert.IsType<Outcome<Session>.NotYours>(await kill.KillAsync(World.Dave, one.Id, "x", None));
        Assert.IsType<Outcome<Session>.Invalid>(await kill.KillAsync(World.Bob, one.Id, null, None));
        Assert.IsType<Outcome<Session>.Done>(await kill.KillAsync(World.Bob, one.Id, "runaway query", None));
        Assert.Contains(first, order => order is SessionOrder.Cut { Reason: SessionEndReason.Killed });
        Assert.Empty(second);
    }

    [Fact]
    public async Task Kill_WhoseWakeIsLost_IsFoundOnTheSessionsRow_AndSaysByWhomAndWhy()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, await world.OpenAsync());
        var orders = new List<SessionOrder>();
        session.Listen(orders.Add);
        await world.Store.WriteAsync(
            async work =>
            {
                var seen = (await work.FindSessionAsync(session.Id))!;
                return await work.MoveAsync(seen, seen with { KillBy = World.Bob, KillNote = "runaway query" });
            },
            None);
        await world.Get<SessionWatch>().LookAsync(None);
        var cut = Assert.Single(orders.OfType<SessionOrder.Cut>());
        Assert.Equal(SessionEndReason.Killed, cut.Reason);
        Assert.Equal("This session was ended by bob: runaway query.", cut.Sentence);
    }

    [Fact]
    public async Task Kill_Twice_IsOneFact()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, await world.OpenAsync());
        var kill = world.Get<KillSession>();
        Assert.IsType<Outcome<Session>.Done>(await kill.KillAsync(World.Bob, session.Id, "first", None));
        Assert.IsType<Outcome<Session>.Done>(await kill.KillAsync(World.Root, session.Id, "second", None));
        Assert.Single(await world.FactsAsync(), "SessionKilled");
    }

    [Fact]
    public async Task SilentNode_LosesItsSessionsOnRecord_AndALivingOneDoesNot()
    {
        await using var world = await World.NewAsync();
        var two = world.Second();
        var open = await world.OpenAsync();
        var (here, there) = (await AdmittedAsync(world, open), await AdmittedAsync(two, open));
        await world.Store.WriteAsync(async work => await work.BeatAsync(new Node("two", "control,gateway", "0", world.Now, world.Now)), None);
        world.Time.Advance(StartUp.Silent);
        Assert.Equal(0, await world.Get<StartUp>().EndSilentAsync(None));
        world.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await world.Get<StartUp>().EndSilentAsync(None));
        var (living, lost, nodes) = await world.Store.ReadAsync(async reads => (await reads.FindSessionAsync(here.Id), await reads.FindSessionAsync(there.Id), await reads.NodesAsync()), None);
        Assert.Equal(SessionState.Live, living!.State);
        Assert.Equal(SessionEndReason.NodeLost, lost!.End);
        Assert.Empty(nodes);
    }

    [Fact]
    public async Task Orders_ToAThousandSessions_AreAllGiven()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var login = await LoginAsync(world, open);
        var admitted = Assert.IsType<GateAnswer.Admitted>(await world.Get<SessionGate>().AdmitAsync(Knock(login), None)).Session;
        var live = world.Get<LiveSessions>();
        var cut = 0;
        for (var i = 0; i < 1000; i++)
        {
            var one = Admission.Decide(new Core.SessionId($"ses-{i}"), [open], world.Now, admitted.Upstream, admitted.Limits)!;
            one.Listen(_ => cut++);
            live.Add(open.Assignment!.Value, one);
        }

        Assert.Equal(1001, live.Give(open.Assignment!.Value, _ => new SessionOrder.Cut(SessionEndReason.Revoked, "over", null)));
        Assert.Equal(1000, cut);
    }

    [Fact]
    public async Task StartUp_AfterACrash_EndsOverdueAccessFirst_AndPutsLostSessionsOnRecord()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var session = await AdmittedAsync(world, open);
        world.Get<LiveSessions>().Remove(session.Id);
        world.Time.Set(open.NotAfter!.Value.AddHours(1));
        await world.Get<StartUp>().RunAsync(None);
        Assert.Equal(GrantState.Closing, (await world.GrantAsync(open.Id)).State);
        var lost = (await world.Store.ReadAsync(async reads => await reads.FindSessionAsync(session.Id), None))!;
        Assert.Equal((SessionState.Ended, SessionEndReason.NodeLost), (lost.State, lost.End));
    }

    [Fact]
    public async Task StartUp_AfterACrashInTheMiddleOfWork_TakesThatWorkUpAtOnce()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        world.Time.Set(open.NotAfter!.Value);
        await world.Get<Keeper>().SweepAsync(None);
        var held = Assert.Single(await world.Get<Keeper>().LeaseAsync(1, None));
        Assert.Empty(await world.Get<Keeper>().LeaseAsync(1, None));

        await world.Get<StartUp>().RunAsync(None);

        var taken = Assert.Single(await world.Get<Keeper>().LeaseAsync(1, None));
        Assert.Equal(held.Id, taken.Id);
        Assert.True(taken.Fence > held.Fence);
    }

    private static Knock Knock(string login) => new(login, "postgres", null, "psql", "10.0.0.9", true);

    private static async Task<GateAnswer.Refused> RefusedAsync(SessionGate gate, Knock knock) => Assert.IsType<GateAnswer.Refused>(await gate.AdmitAsync(knock, None));

    private static async Task<string> LoginAsync(World world, Grant open) =>
        Assert.IsType<Outcome<MintedLogin>.Done>(await world.Get<MintLogin>().MintAsync(World.Ann, open.Id, None)).Value.Login;

    private static async Task<AuthorizedSession> AdmittedAsync(World world, Grant open) =>
        Assert.IsType<GateAnswer.Admitted>(await world.Get<SessionGate>().AdmitAsync(Knock(await LoginAsync(world, open)), None)).Session;
}
