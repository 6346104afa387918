using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class ChangeCatalogUseCaseTests
{
    private static readonly string Other = World.Catalog.Replace("max: 4h", "max: 2h", StringComparison.Ordinal);

    internal static SentCatalog Sent(string text, string note = "") => new(new CatalogSource([new CatalogFile("all.yaml", text)]), new CatalogOrigin(note));

    private static Task<Outcome<Changing>> ApplyAsync(World world, string text, string? on = null, SubjectId? who = null) =>
        world.Get<ChangeCatalog>().ApplyAsync(who ?? World.Root, Sent(text), on ?? world.Get<CurrentCatalog>().Now.Version, CancellationToken.None);

    private static async Task<Changing> AppliedAsync(World world, string text) => Assert.IsType<Outcome<Changing>.Done>(await ApplyAsync(world, text)).Value;

    [Fact]
    public async Task Apply_OnWhatCounts_TakesEffectWithItsFactAndItsPlaceInTheHistory()
    {
        await using var world = await World.NewAsync();
        var before = world.Get<CurrentCatalog>().Now.Version;
        var applied = await AppliedAsync(world, Other);
        Assert.Equal((2L, before, "person:root"), (applied.Entry!.Number, applied.Entry.Previous, applied.Entry.By));
        Assert.Equal(TimeSpan.FromHours(2), world.Get<CurrentCatalog>().Now.Policies.Single(policy => policy.Name == "read").MaxFor);
        Assert.Equal(["CatalogApplied", "CatalogApplied"], await world.FactsAsync());
        Assert.Equal([2L, 1L], (await world.Get<CatalogVersions>().HistoryAsync(new Page(), CancellationToken.None)).Items.Select(entry => entry.Number));
    }

    [Fact]
    public async Task Apply_TheSameTwice_ChangesNothingTheSecondTime()
    {
        await using var world = await World.NewAsync();
        var before = world.Get<CurrentCatalog>().Now.Version;
        await AppliedAsync(world, Other);

        // Also by whoever still has the first base in hand: the answer that got lost on the way.
        Assert.True(Assert.IsType<Outcome<Changing>.Done>(await ApplyAsync(world, Other, before)).Value.Already);
        Assert.Equal(2, (await world.FactsAsync()).Count);
    }

    [Fact]
    public async Task Apply_AnotherCountsByThen_IsRefusedAndOnRecord()
    {
        await using var world = await World.NewAsync();
        var before = world.Get<CurrentCatalog>().Now.Version;
        await AppliedAsync(world, Other);
        var lost = Assert.IsType<Outcome<Changing>.LostRace>(await ApplyAsync(world, World.Catalog.Replace("max: 4h", "max: 3h", StringComparison.Ordinal), before));
        Assert.Contains("applied by person:root", lost.Why);
        Assert.Equal("CatalogRefused", (await world.FactsAsync())[^1]);
        Assert.Equal(TimeSpan.FromHours(2), world.Get<CurrentCatalog>().Now.Policies.Single(policy => policy.Name == "read").MaxFor);
    }

    [Theory]
    [InlineData("ann")]
    [InlineData("dave")]
    [InlineData("nobody")]
    public async Task Apply_ByWhoIsNoAdmin_IsRefusedAndOnRecord(string who)
    {
        await using var world = await World.NewAsync();
        var no = Assert.IsType<Outcome<Changing>.NotYours>(await ApplyAsync(world, Other, who: new SubjectId(who)));
        Assert.Equal(who == "dave" ? ["root"] : [], no.WhoCould.Select(person => person.Value));
        Assert.Equal("CatalogRefused", (await world.FactsAsync())[^1]);
        Assert.Null((await world.Get<CatalogVersions>().HistoryAsync(new Page(), CancellationToken.None)).Items.SingleOrDefault(entry => entry.Number == 2));
    }

    [Fact]
    public async Task Apply_FilesWithProblems_NamesAllOfThemAndChangesNothing()
    {
        await using var world = await World.NewAsync();
        var invalid = Assert.IsType<Outcome<Changing>.Invalid>(await ApplyAsync(world, World.Catalog.Replace("max: 4h", "max: long", StringComparison.Ordinal).Replace("who: group:developers", "who: group:nobody", StringComparison.Ordinal)));
        Assert.True(invalid.Problems.Count >= 2);
        Assert.All(invalid.Problems, problem => Assert.Matches("^all.yaml:[0-9]+:[0-9]+$", problem.Field));
        Assert.Equal(["CatalogApplied"], await world.FactsAsync());
    }

    [Fact]
    public async Task Apply_WhereAFolderIsTheTruth_SaysWhichFolder()
    {
        await using var world = await World.NewAsync();
        var change = new ChangeCatalog(world.Store, world.Get<CurrentCatalog>(), world.Get<CatalogVersions>(), world.Get<ApplyCatalog>(), world.Get<CatalogChanges>(), new CatalogTruth("/etc/stint/catalog"), world.Time);
        var refused = Assert.IsType<Outcome<Changing>.Refused>(await change.ApplyAsync(World.Root, Sent(Other), world.Get<CurrentCatalog>().Now.Version, CancellationToken.None));
        Assert.Contains("/etc/stint/catalog", refused.Why);
        Assert.Contains("catalog_from", refused.Remedy);
    }

    [Fact]
    public async Task Apply_SomebodyLeaves_EndsWhatTheyHold()
    {
        await using var world = await World.NewAsync();
        var grant = await world.OpenAsync();
        var applied = await AppliedAsync(world, World.Catalog.Replace("ann: {}", "ann: { disabled: true }", StringComparison.Ordinal));
        Assert.Equal(1, applied.Ended);
        Assert.Equal(EndReason.Offboarded, (await world.GrantAsync(grant.Id)).End);
    }

    [Fact]
    public async Task RollBack_ToAnEarlierNumber_IsANewStepWithTheOldFiles()
    {
        await using var world = await World.NewAsync();
        var first = world.Get<CurrentCatalog>().Now.Version;
        await AppliedAsync(world, Other);
        foreach (var to in (string[])["1", first[..8], first])
        {
            var back = await world.Get<ChangeCatalog>().RollBackAsync(World.Root, to, world.Get<CurrentCatalog>().Now.Version, "", CancellationToken.None);
            Assert.Equal(first, Assert.IsType<Outcome<Changing>.Done>(back).Value.Entry!.Version);
        }

        var history = (await world.Get<CatalogVersions>().HistoryAsync(new Page(), CancellationToken.None)).Items;
        Assert.Equal((3L, first, "back to 1"), (history[0].Number, history[0].Version, history[0].Origin.Note));
        Assert.IsType<Outcome<Changing>.NotFound>(await world.Get<ChangeCatalog>().RollBackAsync(World.Root, "99", first, "", CancellationToken.None));
        Assert.IsType<Outcome<Changing>.NotFound>(await world.Get<ChangeCatalog>().RollBackAsync(World.Root, "' OR 1=1", first, "", CancellationToken.None));
    }

    [Fact]
    public async Task At_APastMoment_IsTheCatalogThatCountedThen()
    {
        await using var world = await World.NewAsync();
        var (first, then) = (world.Get<CurrentCatalog>().Now.Version, world.Now);
        world.Time.Advance(TimeSpan.FromHours(1));
        await AppliedAsync(world, Other);
        world.Time.Advance(TimeSpan.FromHours(1));
        await AppliedAsync(world, World.Catalog);
        var versions = world.Get<CatalogVersions>();
        Assert.Equal(first, (await versions.AtAsync(then.AddMinutes(30), CancellationToken.None))!.Version);
        Assert.Equal(TimeSpan.FromHours(2), (await versions.AtAsync(then.AddMinutes(90), CancellationToken.None))!.Policies.Single(policy => policy.Name == "read").MaxFor);
        Assert.Equal(first, (await versions.AtAsync(then.AddHours(3), CancellationToken.None))!.Version);
        Assert.Null(await versions.AtAsync(then.AddSeconds(-1), CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Apply_TwoAtOnceOnOneBase_ExactlyOneWins(string kind)
    {
        await using var store = await TestStore.OpenAsync(kind);
        var one = await World.NewAsync(store: store.Store);
        var second = kind == "postgres" ? await TestStore.NodeAsync(store.Place) : null;
        var other = one.Second(store: second);
        for (var round = 0; round < 8; round++)
        {
            await one.Get<FollowCatalog>().LookAsync(CancellationToken.None);
            await other.Get<FollowCatalog>().LookAsync(CancellationToken.None);
            var on = one.Get<CurrentCatalog>().Now.Version;
            Assert.Equal(on, other.Get<CurrentCatalog>().Now.Version);
            var text = World.Catalog.Replace("max: 4h", $"max: {round + 5}h", StringComparison.Ordinal);
            var outcomes = await Task.WhenAll(
                Task.Run(() => ApplyAsync(one, text, on)),
                Task.Run(() => ApplyAsync(other, text + "\n# another", on)),
                Task.Run(() => ApplyAsync(one, text + "\n# a third", on)));
            Assert.Single(outcomes.OfType<Outcome<Changing>.Done>());
            Assert.Equal(2, outcomes.OfType<Outcome<Changing>.LostRace>().Count());
        }

        var history = (await one.Get<CatalogVersions>().HistoryAsync(new Page(), CancellationToken.None)).Items;
        Assert.Equal(Enumerable.Range(1, 9).Reverse().Select(number => (long)number), history.Select(entry => entry.Number));
        Assert.All(history.Zip(history.Skip(1)), pair => Assert.Equal(pair.Second.Version, pair.First.Previous));
        if (second is not null)
        {
            await second.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Follow_AnotherNodeApplied_CountsHereBeforeLong(string kind)
    {
        await using var store = await TestStore.OpenAsync(kind);
        var one = await World.NewAsync(store: store.Store);
        var second = kind == "postgres" ? await TestStore.NodeAsync(store.Place) : null;
        var other = one.Second(store: second);
        using var stop = new CancellationTokenSource();
        var running = other.Get<FollowCatalog>().RunAsync(TimeProvider.System, stop.Token);
        await AppliedAsync(one, Other);
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        while (other.Get<CurrentCatalog>().Now.Version != one.Get<CurrentCatalog>().Now.Version)
        {
            // The wake is what is tested: without it the next look comes after a quarter of a minute.
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(10), "the other node did not hear");
            await Task.Delay(10);
        }

        await stop.CancelAsync();
        await Task.WhenAny(running);
        Assert.False(running.IsFaulted);
        if (second is not null)
        {
            await second.DisposeAsync();
        }
    }
}
