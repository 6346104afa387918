using Stint.Core.Grants;
using Stint.Core.Sessions;
using Stint.Server;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Grants;

/// <summary>Two nodes on one PostgreSQL store.</summary>
public sealed class TwoNodesUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task TwoApproversAtOnce_OnDifferentNodes_ExactlyOneCompletes()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        for (var round = 0; round < 10; round++)
        {
            var asked = await one.AskedAsync("orders-db/owner");
            var outcomes = await Task.WhenAll(
                Task.Run(() => one.ApproveAsync(World.Bob, asked.Request)),
                Task.Run(() => two.ApproveAsync(World.Carol, asked.Request)));
            Assert.Single(outcomes.OfType<Outcome<RequestView>.Done>());
            Assert.Single(outcomes.OfType<Outcome<RequestView>.LostRace>());
        }

        Assert.Equal(10, (await one.FactsAsync()).Count(kind => kind == "GrantReady"));
    }

    [Fact]
    public async Task TwoKeepers_OpenAndEndEverything_EachVerbOnce()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        for (var round = 0; round < 10; round++)
        {
            var (a, b) = (await one.AskedAsync(wait: true), await two.AskedAsync(who: World.Eve, wait: true));
            await Task.WhenAll(Task.Run(() => one.TickAsync()), Task.Run(() => two.TickAsync()));
            Assert.Equal(2, one.Target.Standing.Count);
            one.Time.Advance(TimeSpan.FromHours(1));
            await Task.WhenAll(Task.Run(() => one.TickAsync()), Task.Run(() => two.TickAsync()));
            Assert.Equal(GrantState.Closed, (await one.GrantAsync(a.Grant!.Grant.Id)).State);
            Assert.Equal(GrantState.Closed, (await two.GrantAsync(b.Grant!.Grant.Id)).State);
        }

        Assert.Equal(40, one.Target.Calls.Count);
    }

    [Fact]
    public async Task KillOnOneNode_CutsTheSessionOnTheOther_AndOnlyThat()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        two.Get<SessionWatch>().Listen();
        var watch = two.Get<SessionWatch>();
        await watch.StartAsync(None);

        var open = await one.OpenAsync();
        var login = Assert.IsType<Outcome<MintedLogin>.Done>(await one.Get<MintLogin>().MintAsync(World.Ann, open.Id, None)).Value.Login;
        var knock = new Knock(login, "postgres", null, "psql", "10.0.0.9", true);
        var session = Assert.IsType<GateAnswer.Admitted>(await two.Get<SessionGate>().AdmitAsync(knock, None)).Session;
        var other = Assert.IsType<GateAnswer.Admitted>(await two.Get<SessionGate>().AdmitAsync(knock, None)).Session;
        var cut = new TaskCompletionSource<SessionOrder.Cut>(TaskCreationOptions.RunContinuationsAsynchronously);
        var othersCut = false;
        session.Listen(order => _ = order is SessionOrder.Cut given && cut.TrySetResult(given));
        other.Listen(order => othersCut |= order is SessionOrder.Cut);
        Assert.IsType<Outcome<Stint.Server.Store.Session>.Done>(await one.Get<KillSession>().KillAsync(World.Bob, session.Id, "runaway query", None));

        // The clock stands still: only the other node's message can bring the order.
        var given = await cut.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(SessionEndReason.Killed, given.Reason);
        Assert.Equal("This session was ended by bob: runaway query.", given.Sentence);
        Assert.False(othersCut);
        await watch.StopAsync(None);
    }

    [Fact]
    public async Task RevokeOnOneNode_CutsTheSessionOnTheOther()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        two.Get<SessionWatch>().Listen();
        var watch = two.Get<SessionWatch>();
        await watch.StartAsync(None);

        var open = await one.OpenAsync();
        var login = Assert.IsType<Outcome<MintedLogin>.Done>(await one.Get<MintLogin>().MintAsync(World.Ann, open.Id, None)).Value.Login;
        var knock = new Knock(login, "postgres", null, "psql", "10.0.0.9", true);
        var session = Assert.IsType<GateAnswer.Admitted>(await two.Get<SessionGate>().AdmitAsync(knock, None)).Session;
        var cut = new TaskCompletionSource<SessionOrder.Cut>(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Listen(order =>
        {
            if (order is SessionOrder.Cut given)
            {
                cut.TrySetResult(given);
            }
        });
        Assert.IsType<Outcome<GrantView>.Done>(await one.Get<RevokeGrant>().RevokeAsync(World.Bob, open.Id, "incident", false, None));

        // The clock stands still: only the other node's message can bring the order.
        Assert.Equal(SessionEndReason.Revoked, (await cut.Task.WaitAsync(TimeSpan.FromSeconds(10))).Reason);
        await watch.StopAsync(None);
    }
}
