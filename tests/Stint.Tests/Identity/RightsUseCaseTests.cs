using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Tests.Catalog;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>Rights in Stint itself, held for a time: when they count, and when they do not.</summary>
public sealed class RightsUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>Nobody is a standing administrator; Ann and Eve may become what they ask for, owning takes a lead's yes.</summary>
    internal static string Text { get; } = World.Catalog
        .Replace("admins: [root]\n", "", StringComparison.Ordinal)
        .Replace("auditors: [dave]\n", "", StringComparison.Ordinal)
        .Replace("resources:\n", """
            resources:
              stint:
                kind: stint
                owners: [group:leads]
                roles: { administrator: { risk: high }, auditor: {}, catalog-keeper: {} }

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal)
        .Replace("policies:\n", """
            policies:
              itself:
                who: group:developers
                roles: ['stint/*']
                for: { default: 30m, max: 2h }
                approve: { auto: true }

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal);

    private static LoadedCatalog Now(World world) => world.Get<CurrentCatalog>().Now;

    private static async Task<Grant> HoldAsync(World world, string role = "administrator", SubjectId? who = null)
    {
        var asked = await world.AskedAsync("stint/" + role, who, wait: true);
        await world.TickAsync();
        await world.Get<FollowRights>().CatchUpAsync(None);
        return await world.GrantAsync(asked.Grant!.Grant.Id);
    }

    [Fact]
    public async Task Administrator_OfAGrant_CountsFromOpeningUntilItsSecond_HoweverLateTheKeeperIs()
    {
        await using var world = await World.NewAsync(Text);
        var asked = await world.AskedAsync("stint/administrator");
        await world.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(world).IsAdmin(World.Ann));

        var begun = Assert.IsType<Outcome<GrantView>.Done>(await world.Get<BeginGrant>().BeginAsync(World.Ann, asked.Grant!.Grant.Id, None)).Value.Grant;
        await world.Get<FollowRights>().LookAsync(None);
        Assert.Equal((GrantState.Opening, false), (begun.State, Now(world).IsAdmin(World.Ann)));

        await world.TickAsync();
        Assert.True(world.Get<FollowRights>().IsBehind);
        await world.Get<FollowRights>().CatchUpAsync(None);
        Assert.True(Now(world).IsAdmin(World.Ann));
        Assert.True(Now(world).MayReadAll(World.Ann));
        Assert.False(Now(world).IsAdmin(World.Eve));
        Assert.Empty(world.Target.Calls);

        var open = await world.GrantAsync(begun.Id);
        world.Time.Advance(open.NotAfter!.Value - world.Now - TimeSpan.FromTicks(1));
        Assert.True(Now(world).IsAdmin(World.Ann));
        world.Time.Advance(TimeSpan.FromTicks(1));
        Assert.False(Now(world).IsAdmin(World.Ann));
        Assert.Empty(Now(world).HeldRights);

        // Nobody came to close it, and a look at the store does not bring it back.
        Assert.Equal(GrantState.Open, (await world.GrantAsync(open.Id)).State);
        await world.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(world).IsAdmin(World.Ann));
        await world.TickAsync();
        await world.TickAsync();
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(open.Id)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Right_RevokedOrHandedBack_CountsNoMoreOnceTheCallReturns(bool revoke)
    {
        await using var world = await World.NewAsync(Text);
        var open = await HoldAsync(world, "auditor");
        Assert.True(Now(world).MayReadAll(World.Ann));
        Assert.False(Now(world).IsAdmin(World.Ann));
        Assert.IsType<Outcome<GrantView>.Done>(revoke
            ? await world.Get<RevokeGrant>().RevokeAsync(World.Bob, open.Id, "no longer", false, None)
            : await world.Get<EndGrant>().EndAsync(World.Ann, open.Id, None));
        Assert.False(Now(world).MayReadAll(World.Ann));
        await world.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(world).MayReadAll(World.Ann));
    }

    [Fact]
    public async Task Right_WhoLeaves_HasItNoMore()
    {
        await using var world = await World.NewAsync(Text);
        var open = await HoldAsync(world);
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(Text.Replace("ann: {}", "ann: { disabled: true }", StringComparison.Ordinal)), Actor.Server, None);
        Assert.False(Now(world).IsAdmin(World.Ann));
        Assert.Equal((GrantState.Closing, EndReason.Offboarded), ((await world.GrantAsync(open.Id)).State, (await world.GrantAsync(open.Id)).End));

        // Taken back: what ended stays ended.
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(Text), Actor.Server, None);
        await world.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(world).IsAdmin(World.Ann));
    }

    [Fact]
    public async Task Right_AfterARestart_CountsAsTheStoreSays_AndNoLonger()
    {
        await using var world = await World.NewAsync(Text);
        var open = await HoldAsync(world);
        var again = world.Second();
        Assert.False(Now(again).IsAdmin(World.Ann));
        await again.Get<FollowRights>().LookAsync(None);
        Assert.True(Now(again).IsAdmin(World.Ann));

        world.Time.Advance(open.NotAfter!.Value - world.Now);
        var late = world.Second();
        await late.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(late).IsAdmin(World.Ann));
    }

    [Fact]
    public async Task Administrator_ManyComeInAtOnce_NoneIsAnsweredBeforeTheLookIsOver()
    {
        await using var world = await World.NewAsync(Text);
        var follow = world.Get<FollowRights>();
        for (var round = 0; round < 5; round++)
        {
            var asked = await world.AskedAsync("stint/administrator", wait: true);
            await world.TickAsync();
            Assert.True(follow.IsBehind);
            var counted = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
            {
                await follow.CatchUpAsync(None);
                return Now(world).IsAdmin(World.Ann);
            })));
            Assert.DoesNotContain(false, counted);
            await world.Get<RevokeGrant>().RevokeAsync(World.Carol, asked.Grant!.Grant.Id, "enough", false, None);
            await world.TickAsync();
        }
    }

    [Fact]
    public async Task TwoNodes_ARightGivenAndRevokedOnOne_CountsSoOnTheOther()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(Text, store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        using var stop = new CancellationTokenSource();
        var follows = two.Get<FollowRights>().RunAsync(stop.Token);
        var open = await HoldAsync(one);
        await SoonAsync(() => Now(two).IsAdmin(World.Ann));

        // The clock stands still: only the other node's message can bring it.
        await one.Get<RevokeGrant>().RevokeAsync(World.Carol, open.Id, "enough", false, None);
        Assert.False(Now(one).IsAdmin(World.Ann));
        await SoonAsync(() => !Now(two).IsAdmin(World.Ann));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => follows);

        // Two set-ups at once make one administrator.
        var firsts = await Task.WhenAll(
            Task.Run(() => FirstAsync(one, World.Ann)),
            Task.Run(() => FirstAsync(two, World.Eve)));
        Assert.Single(firsts.OfType<FirstRight.Given>());
    }

    [Fact]
    public async Task Right_OfANameThatMeantAnotherSystem_IsNone()
    {
        var other = World.Catalog.Replace("two: { member_of: [orders_two], risk: high }", "administrator: { member_of: [orders_two] }", StringComparison.Ordinal)
            .Replace("[orders-db/two]", "[orders-db/administrator]", StringComparison.Ordinal)
            .Replace("approve: { steps: [ { from: group:leads, need: 2 } ] }", "approve: { auto: true }", StringComparison.Ordinal);
        await using var world = await World.NewAsync(other);
        await world.AskedAsync("orders-db/administrator", wait: true);
        await world.TickAsync();
        await world.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(world).IsAdmin(World.Ann));

        var become = Text.Replace("  stint:\n    kind: stint", "  orders-db:\n    kind: stint", StringComparison.Ordinal).Replace("stint/*", "orders-db/*", StringComparison.Ordinal);
        become = become[..become.IndexOf("  orders-db:\n    kind: postgres", StringComparison.Ordinal)] + become[become.IndexOf("policies:", StringComparison.Ordinal)..become.IndexOf("  read:", StringComparison.Ordinal)];
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(become), Actor.Server, None);
        Assert.False(Now(world).IsAdmin(World.Ann));
        await world.Get<FollowRights>().LookAsync(None);
        Assert.False(Now(world).IsAdmin(World.Ann));
    }

    [Fact]
    public async Task Administrator_OfAGrant_SaysNoYesThatIsNotTheirs()
    {
        var strict = Text.Replace("roles: ['stint/*']\n    for: { default: 30m, max: 2h }\n    approve: { auto: true }", "roles: ['stint/*']\n    for: { default: 30m, max: 2h }\n    approve: { auto: '!(request.reason.contains(\"again\"))', steps: [ { from: owners } ] }", StringComparison.Ordinal);
        await using var world = await World.NewAsync(strict);
        var open = await HoldAsync(world);
        Assert.True(Now(world).IsAdmin(World.Ann));

        // Neither to more of it, nor to what an owner decides.
        var more = Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AskForRole>().AskAsync(World.Ann, new Stint.Core.Requests.Asking("stint/administrator", null, "again", null, null, false, open.Id.Value), None)).Value;
        var theirs = await world.AskedAsync("orders-db/owner", World.Eve);
        foreach (var request in new[] { more.Request, theirs.Request })
        {
            Assert.Equal(Stint.Core.Requests.RequestState.Pending, request.State);
            Assert.IsType<Outcome<RequestView>.NotYours>(await world.ApproveAsync(World.Ann, request));
            Assert.IsType<Outcome<RequestView>.NotYours>(await world.DenyAsync(World.Ann, request));
        }

        // What an admin of the list may, they may: take away from others.
        var hers = await world.OpenAsync(who: World.Eve);
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<RevokeGrant>().RevokeAsync(World.Ann, hers.Id, "an incident", false, None));
        Assert.Contains(World.Ann, Now(world).WhoMayTakeAway("orders-db"));

        // A yes of those who may, and the extension joins what is open.
        Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, more.Request));
        await world.TickAsync();
        await world.Get<FollowRights>().CatchUpAsync(None);
        world.Time.Advance(open.NotAfter!.Value - world.Now);
        Assert.True(Now(world).IsAdmin(World.Ann));
    }

    [Fact]
    public async Task Connect_SaysThatThereIsNothingToConnectTo()
    {
        await using var world = await World.NewAsync(Text);
        var asked = await world.AskedAsync("stint/auditor");
        var ready = Assert.IsType<Outcome<MintedLogin>.Refused>(await world.Get<MintLogin>().MintAsync(World.Ann, asked.Grant!.Grant.Id, None));
        Assert.Contains("nothing is connected to at stint", ready.Why);
        Assert.Contains("stint begin", ready.Remedy);
        Assert.Equal(GrantState.Ready, (await world.GrantAsync(asked.Grant.Grant.Id)).State);
        var drift = await world.Get<ScanDrift>().ScanAsync(repair: true, None);
        Assert.Empty(drift.Failed);
        Assert.Empty(drift.Items);
    }

    [Fact]
    public async Task CatalogKeeper_ChangesTheCatalog_AndNothingElse()
    {
        await using var world = await World.NewAsync(Text);
        await HoldAsync(world, "catalog-keeper");
        var hers = await world.OpenAsync(who: World.Eve);
        var version = Now(world).Version;
        Assert.IsType<Outcome<System.Text.Json.Nodes.JsonObject>.Done>(await world.Get<PlanCatalog>().PlanAsync(World.Ann, ChangeCatalogUseCaseTests.Sent(Text).Files, None));
        Assert.IsType<Outcome<LoadedCatalog>.Done>(world.Get<ReplayCatalog>().Prepare(World.Ann, ChangeCatalogUseCaseTests.Sent(Text).Files, TimeSpan.FromDays(1)));
        Assert.IsType<Outcome<GrantView>.NotFound>(await world.Get<RevokeGrant>().RevokeAsync(World.Ann, hers.Id, "x", false, None));
        Assert.IsType<Outcome<OffboardReport>.NotYours>(await world.Get<OffboardPerson>().OffboardAsync(World.Ann, "eve", "x", None));
        Assert.IsType<Outcome<VerifyReport>.NotYours>(await world.Get<VerifyLog>().VerifyAsync(World.Ann, None));
        Assert.False(Now(world).MayReadAll(World.Ann));

        // To everything else by a catalog: none of these ways is open.
        (string What, string Old, string New)[] ways =
        [
            ("'admins'", "groups:\n", "admins: [ann]\ngroups:\n"),
            ("'auditors'", "groups:\n", "auditors: [ann]\ngroups:\n"),
            ("the token of bob", "bob: {}", $"bob: {{ token: 'sha256:{new string('a', 64)}' }}"),
            ("policy 'itself'", "max: 2h", "max: 4h"),
            ("policy 'more'", "  read:\n", "  more: { who: person:dave, roles: [stint/administrator], for: 1h, approve: { auto: true } }\n  read:\n"),
            ("resource 'stint'", "kind: stint\n    owners: [group:leads]", "kind: stint\n    owners: [person:ann]"),
            ("resource 'stint'", "leads: [bob, carol]", "leads: [bob, carol, ann]"),
            ("how dave comes to one", "developers: [ann, eve]", "developers: [ann, eve, dave]"),
        ];
        foreach (var (what, old, young) in ways)
        {
            var changed = Text.Replace(old, young, StringComparison.Ordinal);
            Assert.NotEqual(Text, changed);
            var no = Assert.IsType<Outcome<Changing>.NotYours>(await world.Get<ChangeCatalog>().ApplyAsync(World.Ann, ChangeCatalogUseCaseTests.Sent(changed), version, None));
            Assert.Contains(what, no.Why);
            Assert.Equal("CatalogRefused", (await world.FactsAsync())[^1]);
        }

        Assert.Equal(version, Now(world).Version);
        var applied = await world.Get<ChangeCatalog>().ApplyAsync(World.Ann, ChangeCatalogUseCaseTests.Sent(Text.Replace("max: 4h", "max: 3h", StringComparison.Ordinal)), version, None);
        Assert.NotNull(Assert.IsType<Outcome<Changing>.Done>(applied).Value.Entry);

        // The right holds on over the new catalog, and ends in its second.
        Assert.True(Now(world).MayChangeCatalog(World.Ann));
        world.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.IsType<Outcome<Changing>.NotYours>(await world.Get<ChangeCatalog>().ApplyAsync(World.Ann, ChangeCatalogUseCaseTests.Sent(Text), Now(world).Version, None));
    }

    [Fact]
    public async Task FirstRight_OfWhoSetsUp_CountsUntilItIsOver_AndIsOnRecord()
    {
        await using var world = await World.NewAsync(Text);
        var given = Assert.IsType<FirstRight.Given>(await FirstAsync(world, World.Ann)).Right;
        await world.Get<FollowRights>().CatchUpAsync(None);
        Assert.True(Now(world).IsAdmin(World.Ann));
        Assert.IsType<FirstRight.Refused>(await FirstAsync(world, World.Eve));
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
        Assert.Contains("RightGiven", await world.FactsAsync());

        world.Time.Advance(given.Until - world.Now);
        Assert.False(Now(world).IsAdmin(World.Ann));
        Assert.IsType<FirstRight.Given>(await FirstAsync(world, World.Eve));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => FirstAsync(world, World.Eve, TimeSpan.FromDays(8)));

        // Somebody with the database in hand makes themselves one: it is named.
        world.Edit("INSERT INTO stint_rights (person, role, given_at, until_at, cause) VALUES ('dave', 'administrator', 1, 2, 'set-up')");
        Assert.Contains("the right of dave", Assert.Single((await world.Get<VerifyLog>().VerifyAsync(None)).Rows).Sentence);
    }

    [Fact]
    public async Task FirstRight_WhereTheCatalogNamesAnAdmin_IsRefused()
    {
        await using var world = await World.NewAsync();
        Assert.Contains("names an admin already: root", Assert.IsType<FirstRight.Refused>(await FirstAsync(world, World.Ann)).Why);
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(World.Catalog.Replace("root: {}", "root: { disabled: true }", StringComparison.Ordinal)), Actor.Server, None);
        Assert.IsType<FirstRight.Given>(await FirstAsync(world, World.Ann));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task GivenRight_InTheDatabase_IsNeverChanged(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await test.WriteAsync(async work => await work.InsertRightAsync(new GivenRight(World.Ann, StintRight.Administrator, TestStore.Now, TestStore.Now.AddHours(1), "set-up")));
        foreach (var attack in new[]
                 {
                     "UPDATE stint_rights SET until_at = until_at + 1",
                     "DELETE FROM stint_rights",
                     "INSERT INTO stint_rights (person, role, given_at, until_at, cause) VALUES ('eve', 'administrator', 1, 604800000002, 'for ever')",
                     "INSERT INTO stint_rights (person, role, given_at, until_at, cause) VALUES ('workload:x', 'administrator', 1, 2, 'a machine')",
                     "INSERT INTO stint_rights (person, role, given_at, until_at, cause) VALUES ('eve', 'owner', 1, 2, 'no right')",
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }

        Assert.Single(await test.ReadAsync(async reads => await reads.RightsAsync(null)));
    }

    private static Task<FirstRight> FirstAsync(World world, SubjectId who, TimeSpan? lasts = null) => world.Store.WriteAsync(
        async work => await world.Get<GiveFirstRight>().GiveAsync(work, who, lasts ?? TimeSpan.FromHours(4), "set-up", Actor.Operator), None);

    private static async Task SoonAsync(Func<bool> holds)
    {
        for (var tries = 0; tries < 200 && !holds(); tries++)
        {
            await Task.Delay(5);
        }

        Assert.True(holds());
    }
}
