using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Grants;

/// <summary>Requests that are approved once and open again and again. The world begins at 2026-11-22 09:00 UTC, a Sunday.</summary>
public sealed class SeriesUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly AskedSeries Daily = new("FREQ=DAILY", "2026-11-22T10:00", "UTC", null, 3);

    private static async Task<RequestView> AskAsync(World world, string role = "orders-db/read-only", AskedSeries? series = null, int seconds = 1800) =>
        Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AskForRole>().AskAsync(
            World.Ann, new Asking(role, seconds, "work", null, null, false, null) { Recurrence = series ?? Daily }, None)).Value;

    private static Task<List<Request>> OccurrencesAsync(World world, Request series) => world.Store.ReadAsync(async reads => await reads.OccurrencesAsync(series.Id, 400), None);

    private static async Task<List<Grant>> GrantsAsync(World world, Request series)
    {
        var grants = new List<Grant>();
        foreach (var occurrence in await OccurrencesAsync(world, series))
        {
            grants.Add((await world.Store.ReadAsync(async reads => await reads.FindGrantAsync(occurrence.Id), None))!);
        }

        return grants;
    }

    private static async Task<RunningSeries> SeriesAsync(World world, Request request) => (await world.Store.ReadAsync(async reads => await reads.FindSeriesAsync(request.Id), None))!;

    private static async Task<IEnumerable<RequestId>> RunningAsync(World world, SubjectId who) =>
        (await world.Get<FindRequests>().ListAsync(who, new RequestQuery { Mine = true, Running = true }, new Page(), None)).Items.Select(view => view.Request.Id);

    private static async Task PassAsync(World world, TimeSpan span)
    {
        world.Time.Advance(span);
        await world.TickAsync();
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Occurrences_EachItsOwnGrant_OpenWhenTheyCome_AndEndByThemselves(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(store: place.Store);
        var asked = await AskAsync(world);
        Assert.Equal((RequestState.Approved, null), (asked.Request.State, asked.Grant));
        Assert.Equal(3, asked.Series!.Next.Count);

        Assert.Equal(world.Now.AddHours(1), await world.TickAsync()); // the keeper is told when to come
        Assert.Empty(await GrantsAsync(world, asked.Request));
        await PassAsync(world, TimeSpan.FromHours(1));
        var first = Assert.Single(await GrantsAsync(world, asked.Request));
        Assert.Equal((GrantState.Open, world.Now.AddMinutes(30)), (first.State, first.NotAfter!.Value));
        await world.TickAsync();
        Assert.Single(await GrantsAsync(world, asked.Request));
        await AskAsync(world, "orders-db/owner"); // waits for a yes: it does not run
        Assert.Equal([asked.Request.Id], await RunningAsync(world, World.Ann));
        Assert.Empty(await RunningAsync(world, World.Bob));

        await PassAsync(world, TimeSpan.FromMinutes(30));
        Assert.Equal((GrantState.Closed, EndReason.Expired), ((await world.GrantAsync(first.Id)).State, (await world.GrantAsync(first.Id)).End));
        await PassAsync(world, TimeSpan.FromHours(23.5));
        await PassAsync(world, TimeSpan.FromHours(24));
        await PassAsync(world, TimeSpan.FromHours(24));
        await PassAsync(world, TimeSpan.FromHours(24));
        var grants = await GrantsAsync(world, asked.Request);
        Assert.Equal(3, grants.Count);
        Assert.All(grants, grant => Assert.Equal((GrantState.Closed, EndReason.Expired), (grant.State, grant.End)));
        var series = await SeriesAsync(world, asked.Request);
        Assert.Equal((SeriesState.Ended, SeriesEnd.Finished, 3), (series.State, series.End, series.Made));
        Assert.Empty(await RunningAsync(world, World.Ann));
        Assert.Empty(world.Target.Standing);
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Approved_Once_CountsForEach_AndAShorterYesShortensEach()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world, "orders-db/owner");
        Assert.Equal(RequestState.Pending, asked.Request.State);
        Assert.Null(asked.Series!.Running);
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request, TimeSpan.FromMinutes(10)));
        await PassAsync(world, TimeSpan.FromHours(1));
        await PassAsync(world, TimeSpan.FromHours(24));
        var grants = await GrantsAsync(world, asked.Request);
        Assert.Equal([GrantState.Open, GrantState.Closed], grants.Select(grant => grant.State));
        Assert.Equal(world.Now.AddMinutes(10), grants[0].NotAfter);
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Offer_ShorterIsASeriesStill_AndAtOtherTimesIsRefused()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world, "orders-db/owner");
        var offer = world.Get<OfferInstead>();
        var later = await offer.OfferAsync(World.Bob, asked.Request.Id, new Instead(null, world.Now.AddDays(5), null, null, asked.Request.Digest, "test"), None);
        Assert.Equal("start_at", Assert.Single(Assert.IsType<Outcome<RequestView>.Invalid>(later).Problems).Field);
        Assert.IsType<Outcome<RequestView>.Done>(await offer.OfferAsync(World.Bob, asked.Request.Id, new Instead(TimeSpan.FromMinutes(5), null, null, null, asked.Request.Digest, "test"), None));

        // Taken when one of its times has passed: it begins with what is left.
        world.Time.Advance(TimeSpan.FromHours(2));
        var taken = Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AcceptOffer>().AcceptAsync(World.Ann, asked.Request.Id, null, None)).Value;
        Assert.Equal((RequestState.Approved, asked.Request.Recurrence!.Text), (taken.Request.State, taken.Request.Recurrence!.Text));
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), (await SeriesAsync(world, taken.Request)).NextAt);
        await PassAsync(world, TimeSpan.FromHours(23));
        Assert.Equal(world.Now.AddMinutes(5), Assert.Single(await GrantsAsync(world, taken.Request)).NotAfter);
    }

    [Fact]
    public async Task NotDecided_Lapses_AndNothingComes()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world, "orders-db/owner");
        await PassAsync(world, TimeSpan.FromHours(25));
        await PassAsync(world, TimeSpan.FromHours(25));
        Assert.Equal(RequestState.Lapsed, (await world.Store.ReadAsync(async reads => await reads.FindRequestAsync(asked.Request.Id), None))!.State);
        Assert.Empty(await OccurrencesAsync(world, asked.Request));
    }

    [Fact]
    public async Task ApprovedLate_BeginsWithWhatIsLeft_AndAfterTheLastIsFinished()
    {
        await using var world = await World.NewAsync(World.Catalog + "\n    # later");
        var asked = await AskAsync(world, "orders-db/owner", new AskedSeries("FREQ=DAILY", "2026-11-22T10:00", "UTC", null, 2));
        world.Time.Advance(TimeSpan.FromHours(2));
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request));
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), (await SeriesAsync(world, asked.Request)).NextAt);

        var once = await AskAsync(world, "orders-db/owner", new AskedSeries("FREQ=DAILY", "2026-11-22T12:00", "UTC", null, 1));
        world.Time.Advance(TimeSpan.FromHours(3));
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, once.Request));
        Assert.Equal(SeriesEnd.Finished, (await SeriesAsync(world, once.Request)).End);
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Denied_AtItsTime_EndsThatOccurrenceWithTheReason_AndTheSeriesGoesOn()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world);
        var apply = world.Get<ApplyCatalog>();
        var denying = World.Load(World.Catalog + "\n  no: { deny: group:developers, roles: [orders-db/read-only] }");
        await apply.ApplyAsync(denying, Actor.Server, None);
        await PassAsync(world, TimeSpan.FromHours(1));
        var fell = Assert.Single(await GrantsAsync(world, asked.Request));
        Assert.Equal((GrantState.Closed, EndReason.Revoked), (fell.State, fell.End));
        Assert.Contains("no denies orders-db/read-only", fell.EndNote, StringComparison.Ordinal);

        await apply.ApplyAsync(World.Load(World.Catalog), Actor.Server, None);
        await PassAsync(world, TimeSpan.FromHours(24));
        Assert.Equal([GrantState.Open, GrantState.Closed], (await GrantsAsync(world, asked.Request)).Select(grant => grant.State));
    }

    [Fact]
    public async Task PoliciesThatNowAskForMoreYeses_StopTheSeries()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world);
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(World.Catalog.Replace("approve: { auto: true }", "approve: { steps: [ { from: owners } ] }", StringComparison.Ordinal)), Actor.Server, None);
        await PassAsync(world, TimeSpan.FromHours(1));
        var series = await SeriesAsync(world, asked.Request);
        Assert.Equal((SeriesState.Ended, SeriesEnd.Outgrown), (series.State, series.End));
        Assert.Contains("approvals that are missing", series.EndNote, StringComparison.Ordinal);
        Assert.Equal(GrantState.Closed, Assert.Single(await GrantsAsync(world, asked.Request)).State);
        await PassAsync(world, TimeSpan.FromHours(48));
        Assert.Single(await OccurrencesAsync(world, asked.Request));
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task ALeaver_LosesTheSeriesAndWhatIsOpen_AndNothingOpensAgain()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world);
        await PassAsync(world, TimeSpan.FromHours(1));
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(World.Catalog.Replace("ann: {}", "ann: { disabled: true }", StringComparison.Ordinal)), Actor.Server, None);
        await world.TickAsync();
        Assert.Equal(SeriesEnd.Offboarded, (await SeriesAsync(world, asked.Request)).End);
        Assert.Equal(EndReason.Offboarded, Assert.Single(await GrantsAsync(world, asked.Request)).End);

        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(World.Catalog), Actor.Server, None);
        await PassAsync(world, TimeSpan.FromHours(24));
        Assert.Single(await OccurrencesAsync(world, asked.Request));
    }

    [Fact]
    public async Task NobodyRanInTime_TheOccurrenceIsMissed_AndTheNextOneComes()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world);
        await PassAsync(world, TimeSpan.FromHours(25) + TimeSpan.FromMinutes(10)); // the first is over, the second runs for ten minutes
        var grant = Assert.Single(await GrantsAsync(world, asked.Request));
        Assert.Equal(GrantState.Open, grant.State);
        Assert.Equal(world.Now.AddMinutes(20), grant.NotAfter); // late, and over at its own end all the same
        Assert.Contains("OccurrenceMissed", await world.FactsAsync());
    }

    [Fact]
    public async Task End_OfOne_LeavesTheSeries_AndCancel_EndsWhatIsToCome()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world);
        var cancel = world.Get<CancelRequest>();
        await PassAsync(world, TimeSpan.FromHours(1));
        var first = Assert.Single(await GrantsAsync(world, asked.Request));
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(World.Ann, first.Id, None));
        await PassAsync(world, TimeSpan.FromHours(24));
        Assert.Equal(2, (await GrantsAsync(world, asked.Request)).Count);

        // Nobody else's to take back: a stranger learns nothing, an approver is told, an owner says why.
        Assert.IsType<Outcome<RequestView>.NotFound>(await cancel.CancelAsync(World.Eve, asked.Request.Id, None));
        Assert.IsType<Outcome<RequestView>.NotYours>(await cancel.CancelAsync(World.Dave, asked.Request.Id, None));
        Assert.IsType<Outcome<RequestView>.Invalid>(await cancel.CancelAsync(World.Bob, asked.Request.Id, None));
        var view = Assert.IsType<Outcome<RequestView>.Done>(await cancel.CancelAsync(World.Ann, asked.Request.Id, None)).Value;
        Assert.Equal((SeriesEnd.Cancelled, 0), (view.Series!.Running!.End, view.Series.Next.Count));
        Assert.Equal(GrantState.Open, (await GrantsAsync(world, asked.Request))[0].State);
        Assert.IsType<Outcome<RequestView>.LostRace>(await cancel.CancelAsync(World.Ann, asked.Request.Id, None));
        Assert.IsType<Outcome<RequestView>.Done>(await cancel.CancelAsync(World.Ann, asked.Request.Id, None, open: true));
        await PassAsync(world, TimeSpan.FromHours(24));
        Assert.Equal([EndReason.Returned, EndReason.Returned], (await GrantsAsync(world, asked.Request)).Select(grant => grant.End!.Value));
        Assert.Empty((await world.Get<VerifyLog>().VerifyAsync(None)).Rows);
    }

    [Fact]
    public async Task Revoked_ByAnOwner_WithWhatIsOpen()
    {
        await using var world = await World.NewAsync();
        var asked = await AskAsync(world);
        await PassAsync(world, TimeSpan.FromHours(1));
        var view = Assert.IsType<Outcome<RequestView>.Done>(await world.Get<CancelRequest>().CancelAsync(World.Bob, asked.Request.Id, None, open: true, comment: "incident")).Value;
        Assert.Equal((SeriesEnd.Revoked, "bob: incident"), (view.Series!.Running!.End, view.Series.Running.EndNote));
        Assert.Equal(EndReason.Revoked, Assert.Single(await GrantsAsync(world, asked.Request)).End);
    }

    [Fact]
    public async Task InABlackout_TheOccurrenceEndsWithTheReason_AndOneThatReachesIntoItIsCut()
    {
        await using var world = await World.NewAsync(World.Catalog.Replace("for: { default: 30m, max: 4h }", "for: { default: 30m, max: 4h }\n    not_during: freeze", StringComparison.Ordinal)
            + "\ncalendars: { freeze: { zone: UTC, dates: 2026-11-24 } }");
        var asked = await AskAsync(world, series: new AskedSeries("FREQ=DAILY", "2026-11-22T23:30", "UTC", null, 3), seconds: 3600);
        await PassAsync(world, TimeSpan.FromHours(14.5));
        await PassAsync(world, TimeSpan.FromHours(24));
        Assert.Equal(new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero), (await GrantsAsync(world, asked.Request))[0].NotAfter);
        await PassAsync(world, TimeSpan.FromHours(24));
        var last = (await GrantsAsync(world, asked.Request))[0];
        Assert.Equal((GrantState.Closed, EndReason.Revoked), (last.State, last.End));
        Assert.Contains("do not let it open before 25 Nov 2026", last.EndNote, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACrash_AtAnyCommit_MakesEachOccurrenceOnce(bool before)
    {
        var crashes = 0;
        var armed = -1;
        var faults = new StoreFaults();
        void Crash()
        {
            if (armed >= 0 && armed-- == 0)
            {
                crashes++;
                throw new IOException("The process dies here.");
            }
        }

        faults = before ? new StoreFaults { BeforeCommit = Crash } : new StoreFaults { AfterCommit = Crash };
        await using var world = await World.NewAsync(faults: faults);
        var asked = await AskAsync(world);
        for (var step = 0; step < 3; step++)
        {
            world.Time.Advance(step == 0 ? TimeSpan.FromHours(1) : TimeSpan.FromHours(24));
            for (var at = 0; at < 6; at++)
            {
                armed = at;
                try
                {
                    await world.TickAsync();
                }
                catch (Exception problem) when (problem is IOException or StoreUnavailableException)
                {
                    // The next round goes on.
                }
            }

            armed = -1;
            world.Time.Advance(TimeSpan.FromSeconds(1));
            await world.TickAsync();
            Assert.Equal(step + 1, (await OccurrencesAsync(world, asked.Request)).Select(one => one.StartAt).Distinct().Count());
            Assert.Equal(step + 1, (await OccurrencesAsync(world, asked.Request)).Count);
        }

        Assert.True(crashes > 0);
    }

    [Fact]
    public async Task TwoKeepers_OnTwoNodes_MakeEachOccurrenceOnce()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        var asked = new List<RequestView>();
        for (var i = 0; i < 5; i++)
        {
            asked.Add(await AskAsync(one, series: Daily with { Count = 6 }));
        }

        one.Time.Advance(TimeSpan.FromHours(1));
        for (var day = 0; day < 6; day++)
        {
            await Task.WhenAll(Task.Run(() => one.TickAsync()), Task.Run(() => two.TickAsync()), Task.Run(() => two.Get<Sweeps>().RunAsync(None)));
            one.Time.Advance(TimeSpan.FromHours(24));
        }

        await one.TickAsync();
        foreach (var view in asked)
        {
            Assert.Equal(6, (await OccurrencesAsync(one, view.Request)).Count);
        }
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Store_WhatMustNeverBe_IsRefused(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(store: place.Store);
        var asked = await AskAsync(world);
        await PassAsync(world, TimeSpan.FromHours(1));
        var occurrence = Assert.Single(await OccurrencesAsync(world, asked.Request));
        var series = asked.Request.Id;
        const string columns = "subject, resource, role, state, version, asked_at, lasts, opening, reason, catalog_version, verdict, lapses_at, begin_within, decided_at, digest";
        string Copy(string id, string start, string of, string? subject = null) =>
            $"INSERT INTO requests (id, start_at, occurrence_of, {columns}) SELECT '{id}', {start}, '{of}', {(subject is null ? columns : columns.Replace("subject", $"'{subject}'", StringComparison.Ordinal))} FROM requests WHERE id = '{occurrence.Id}'";

        string[] attacks =
        [
            Copy("req-aaaaaaaaaaa1", "start_at", series.Value), // the same one again
            Copy("req-aaaaaaaaaaa2", "start_at + 1", series.Value), // one that the rule does not know
            Copy("req-aaaaaaaaaaa3", $"(SELECT next_at FROM series WHERE request_id = '{series}')", series.Value, "eve"), // somebody else's
            Copy("req-aaaaaaaaaaa4", "start_at", occurrence.Id.Value), // an occurrence of an occurrence
            $"UPDATE requests SET recurrence = NULL, version = version + 1 WHERE id = '{series}'",
            $"UPDATE series SET next_at = next_at - 1, version = version + 1 WHERE request_id = '{series}'",
            $"UPDATE series SET state = 'ended', version = version + 1 WHERE request_id = '{series}'",
            $"UPDATE series SET subject = 'eve', version = version + 1 WHERE request_id = '{series}'",
            $"DELETE FROM series WHERE request_id = '{series}'",
            $"INSERT INTO series (request_id, subject, state, version, next_at, made) VALUES ('{occurrence.Id}', 'ann', 'running', 1, 1, 0)",
        ];
        foreach (var attack in attacks)
        {
            var thrown = await Record.ExceptionAsync(() => place.AttackAsync(attack));
            Assert.True(thrown is StoreRefusedException or StoreConflictException, $"{attack}: {thrown}");
        }

        Assert.IsType<Outcome<RequestView>.Done>(await world.Get<CancelRequest>().CancelAsync(World.Ann, series, None));
        await Assert.ThrowsAsync<StoreRefusedException>(() => place.AttackAsync($"UPDATE series SET made = made + 1, version = version + 1 WHERE request_id = '{series}'"));
        await Assert.ThrowsAsync<StoreRefusedException>(() => place.AttackAsync(Copy("req-aaaaaaaaaaa5", "start_at + 86400000000", series.Value)));
    }
}
