using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Grants;

/// <summary>Grants inside maintenance windows and around blackouts. The world begins at 2026-11-22 09:00 UTC, a Sunday.</summary>
public sealed class WindowsUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static string Catalog(string limit = "during: noon") => World.Catalog.Replace("for: { default: 30m, max: 4h }", "for: { default: 30m, max: 4h }\n    " + limit, StringComparison.Ordinal) + """

        calendars:
          noon: { zone: UTC, every: FREQ=DAILY, at: 12:00, for: 2h }
          closing: { zone: UTC, every: FREQ=DAILY, at: 10:00, for: 3h }
        """;

    [Fact]
    public async Task Begin_OutsideOfTheWindow_WaitsReady_AndInsideEndsWithIt()
    {
        await using var world = await World.NewAsync(Catalog());
        var asked = await world.AskedAsync(seconds: 4 * 3600, wait: true);
        var ready = asked.Grant!.Grant;
        Assert.Equal(GrantState.Ready, ready.State);
        Assert.Equal(world.Now.AddHours(3 + 8), ready.LapsesAt); // what it waits to be begun counts from the window on

        var refused = Assert.IsType<Outcome<GrantView>.Refused>(await world.Get<BeginGrant>().BeginAsync(World.Ann, ready.Id, None));
        Assert.Contains("do not let it open before 22 Nov 2026 12:00 UTC", refused.Why, StringComparison.Ordinal);
        Assert.Equal(GrantState.Ready, (await world.GrantAsync(ready.Id)).State);

        world.Time.Advance(TimeSpan.FromHours(4));
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<BeginGrant>().BeginAsync(World.Ann, ready.Id, None));
        await world.TickAsync();
        var open = await world.GrantAsync(ready.Id);
        Assert.Equal((GrantState.Open, world.Now.AddHours(1)), (open.State, open.NotAfter!.Value));
        Assert.Equal(TimeSpan.FromHours(4), open.For);

        world.Time.Advance(TimeSpan.FromHours(1));
        await world.TickAsync();
        Assert.Equal((GrantState.Closed, EndReason.Expired), ((await world.GrantAsync(ready.Id)).State, (await world.GrantAsync(ready.Id)).End));
        Assert.Empty(world.Target.Standing);
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Ask_WhileTheWindowIsOpen_EndsBeforeTheBlackout_AndAnExtensionDoesNotReachIntoIt()
    {
        await using var world = await World.NewAsync(Catalog("not_during: closing"));
        var first = await world.AskedAsync(seconds: 1800, wait: true);
        await world.TickAsync();
        Assert.Equal(world.Now.AddMinutes(30), (await world.GrantAsync(first.Grant!.Grant.Id)).NotAfter);

        var more = await world.AskedAsync(seconds: 3600, extends: first.Grant.Grant.Id);
        await world.TickAsync();
        Assert.Equal((GrantState.Open, world.Now.AddHours(1)), ((await world.GrantAsync(more.Grant!.Grant.Id)).State, (await world.GrantAsync(more.Grant.Grant.Id)).NotAfter!.Value));

        world.Time.Advance(TimeSpan.FromHours(1));
        await world.TickAsync();
        Assert.Empty(world.Target.Standing);
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Scheduled_WhenTheCalendarsWereChangedSince_IsClosedWithTheReason_AndNotTriedForEver()
    {
        await using var world = await World.NewAsync(Catalog());
        var asked = await world.AskedAsync(at: world.Now.AddHours(3.5));
        Assert.Equal(RequestState.Approved, asked.Request.State);
        Assert.Equal(RequestState.Denied, (await world.AskedAsync(at: world.Now.AddHours(2))).Request.State);

        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(Catalog().Replace("at: 12:00", "at: 18:00", StringComparison.Ordinal)), Stint.Core.Audit.Actor.Server, None);
        world.Time.Advance(TimeSpan.FromHours(3.5));
        await world.TickAsync();
        var closed = await world.GrantAsync(asked.Grant!.Grant.Id);
        Assert.Equal((GrantState.Closed, EndReason.Revoked), (closed.State, closed.End));
        Assert.Contains("do not let it open before 22 Nov 2026 18:00 UTC", closed.EndNote, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Opening_WhenTheTargetAnswersAfterTheWindow_NeverOpens()
    {
        await using var world = await World.NewAsync(Catalog());
        world.Time.Advance(TimeSpan.FromHours(4) + TimeSpan.FromMinutes(59));
        world.Target.Fail("open", new VerbOutcome.Unreachable("it is away"));
        var asked = await world.AskedAsync(seconds: 3600, wait: true);
        await world.TickAsync();
        Assert.Equal(GrantState.Opening, (await world.GrantAsync(asked.Grant!.Grant.Id)).State);
        world.Time.Advance(TimeSpan.FromMinutes(1));
        world.Target.Heal();
        await world.TickAsync();
        world.Time.Advance(TimeSpan.FromMinutes(10));
        await world.TickAsync();
        var grant = await world.GrantAsync(asked.Grant.Grant.Id);
        Assert.Equal((GrantState.Closed, EndReason.Expired), (grant.State, grant.End));
        Assert.Empty(world.Target.Standing);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Store_ADeadlineBehindTheWindow_AndAWindowThatMoves_AreRefused(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(Catalog(), store: place.Store);
        world.Time.Advance(TimeSpan.FromHours(4));
        var asked = await world.AskedAsync(seconds: 7200, wait: true);
        await world.TickAsync();
        var open = await world.GrantAsync(asked.Grant!.Grant.Id);
        Assert.Equal(world.Now.AddHours(1), open.NotAfter);
        await Assert.ThrowsAsync<StoreRefusedException>(() => world.Store.WriteAsync(async work => await work.MoveAsync(open, open with { EndsBy = open.EndsBy!.Value.AddHours(1) }), None));
        await Assert.ThrowsAsync<StoreRefusedException>(() => world.Store.WriteAsync(async work => await work.MoveAsync(open, open with { EndsBy = null }), None));

        var other = await world.AskedAsync(who: World.Eve, seconds: 7200, wait: true);
        var opening = await world.GrantAsync(other.Grant!.Grant.Id);
        Assert.Equal(GrantState.Opening, opening.State);
        var late = opening with { NotBefore = world.Now, NotAfter = world.Now.AddHours(2) };
        await Assert.ThrowsAsync<StoreRefusedException>(() => world.Store.WriteAsync(async work => await work.MoveAsync(opening, late), None));
    }
}
