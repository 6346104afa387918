using System.Net;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Tests.Approvals;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Identity;

public sealed class LoginByCodeUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static IPAddress Address(int n) => new([192, 0, 2, (byte)n]);

    private static Task<World> WorldAsync() => World.NewAsync(BreakGlassUseCaseTests.Text());

    private static async Task<IReadOnlyList<string>> CodesAsync(World world, SubjectId? who = null, int count = 3) =>
        Assert.IsType<Outcome<MadeCodes>.Done>(await world.Get<MakeCodes>().MakeAsync(who ?? World.Ann, count, None)).Value.Codes;

    private static Task<CodeLogin> TryAsync(World world, string code, string who = "ann", int from = 1) => world.Get<LoginByCode>().TryAsync(who, code, Address(from), None);

    [Fact]
    public async Task Code_LetsInOnce_ForAnHour()
    {
        await using var world = await WorldAsync();
        var codes = await CodesAsync(world);
        var let = Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, " " + codes[0].ToUpperInvariant().Replace('-', ' ')));
        Assert.Equal((World.Ann, world.Now + TimeSpan.FromHours(1), 2), (let.Person, let.ExpiresAt, let.Left));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, codes[0]));

        Assert.Equal(World.Ann, (await world.Get<LoginByCode>().FindAsync(let.Secret, None))!.Id);
        Assert.Null(await world.Get<LoginByCode>().FindAsync(let.Secret + "x", None));
        Assert.Null(await world.Get<LoginByCode>().FindAsync(codes[1], None));
        world.Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await world.Get<LoginByCode>().FindAsync(let.Secret, None));
    }

    [Fact]
    public async Task Code_OfAnOlderSet_IsVoid()
    {
        await using var world = await WorldAsync();
        var old = await CodesAsync(world);
        var stolen = Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, old[2]));
        world.Time.Advance(TimeSpan.FromSeconds(1));
        var made = Assert.IsType<Outcome<MadeCodes>.Done>(await world.Get<MakeCodes>().MakeAsync(World.Ann, 1, None)).Value;
        Assert.Equal(2, made.Voided);

        // What was opened with one of the old is over as well.
        Assert.Null(await world.Get<LoginByCode>().FindAsync(stolen.Secret, None));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, old[1]));
        Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, made.Codes[0]));
    }

    [Fact]
    public async Task WhateverIsWrong_IsOneAnswer()
    {
        await using var world = await WorldAsync();
        var codes = await CodesAsync(world);
        var others = await CodesAsync(world, World.Eve);
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, others[0]));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, codes[0], "eve"));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, codes[0], "nobody"));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, "", ""));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, new string('x', 100_000), new string('y', 100_000)));

        // None of that used the code up.
        Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, codes[0]));
    }

    [Fact]
    public async Task SomebodyDisabled_IsNotLetIn_NorStays()
    {
        await using var world = await WorldAsync();
        var codes = await CodesAsync(world);
        var let = Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, codes[0]));
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(BreakGlassUseCaseTests.Text().Replace("  ann: {}", "  ann: { disabled: true }", StringComparison.Ordinal)), Actor.Server, None);
        Assert.Null(await world.Get<LoginByCode>().FindAsync(let.Secret, None));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, codes[1]));
        Assert.IsType<Outcome<MadeCodes>.NotFound>(await world.Get<MakeCodes>().MakeAsync(World.Ann, 1, None));
    }

    [Fact]
    public async Task Trying_IsBoundedByAddressAndByName_AndFillsNoLog()
    {
        await using var world = await WorldAsync();
        var codes = await CodesAsync(world);
        var outcomes = new List<CodeLogin>();
        for (var i = 0; i < 200; i++)
        {
            outcomes.Add(await TryAsync(world, "wrong", "nobody" + i, from: 7));
        }

        Assert.Equal(LoginByCode.TriesPerAddress, outcomes.OfType<CodeLogin.Refused>().Count());

        // From ever new addresses against one name.
        outcomes.Clear();
        for (var i = 0; i < 200; i++)
        {
            outcomes.Add(await TryAsync(world, "wrong", "ann", from: i));
        }

        Assert.Equal(LoginByCode.TriesPerPerson, outcomes.OfType<CodeLogin.Refused>().Count());
        Assert.IsType<CodeLogin.TooMany>(await TryAsync(world, codes[0], "ann", from: 250));
        world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, codes[0], "ann", from: 250));
        Assert.Equal(6, (await world.FactsAsync()).Count(kind => kind == "BreakGlassRefused"));
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task NoCode_NorWhatWasTyped_StandsInTheLogOrTheStore()
    {
        await using var world = await WorldAsync();
        var codes = await CodesAsync(world);
        var let = Assert.IsType<CodeLogin.LetIn>(await TryAsync(world, codes[0]));
        Assert.IsType<CodeLogin.Refused>(await TryAsync(world, "typed-into-the-wrong-field", codes[1]));
        var log = string.Concat((await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), None)).Select(fact => fact.Body));
        foreach (var secret in new[] { codes[0], codes[1], BreakGlassCode.Read(codes[1])!, let.Secret, "typed-into" })
        {
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(21)]
    public async Task Make_TooFewOrTooMany_IsRefused(int count)
    {
        await using var world = await WorldAsync();
        Assert.IsType<Outcome<MadeCodes>.Invalid>(await world.Get<MakeCodes>().MakeAsync(World.Ann, count, None));
    }

    [Fact]
    public async Task OneCode_TwoNodesAtOnce_OneIsLetIn()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(BreakGlassUseCaseTests.Text(), store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        foreach (var code in await CodesAsync(one, count: 5))
        {
            var outcomes = await Task.WhenAll(Task.Run(() => TryAsync(one, code)), Task.Run(() => TryAsync(two, code)), Task.Run(() => TryAsync(two, code, from: 2)));
            Assert.Single(outcomes.OfType<CodeLogin.LetIn>());
            Assert.Equal(2, outcomes.OfType<CodeLogin.Refused>().Count());
        }
    }
}
