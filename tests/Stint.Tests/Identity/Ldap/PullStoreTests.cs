using System.Text.Json.Nodes;
using Stint.Server;
using Stint.Server.Identity.Ldap;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Identity.Ldap;

/// <summary>What is told is what is kept, in a store of each kind, whatever changed places with whatever; and one node pulls at a time.</summary>
public sealed class PullStoreTests
{
    private static readonly LdapOptions At = new()
    {
        Host = "ldap.example.org",
        Port = 389,
        Tls = LdapTls.Start,
        BindDn = "",
        BindPassword = "",
        PeopleBase = "",
        PeopleFilter = LdapFilter.Parse("(a=b)"),
        GroupsBase = "",
        GroupsFilter = LdapFilter.Parse("(a=b)"),
        Attributes = LdapAttributes.OpenLdap,
        Every = TimeSpan.FromMinutes(1),
        WholeEvery = TimeSpan.FromMinutes(5),
    };

    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Pull_NamesThatGoRoundOrAreTwoOrComeBack_EndAsTheyAreTold(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(Puller.Catalog, store: test.Store);
        var told = Whole(P("1", "ann"), P("2", "bob"), P("3", "carol"), G("g1", "Developers", "1", "2", "g2"), G("g2", "Inner", "3", "g1"));
        var pull = Puller.Of(world, At, (_, _) => Task.FromResult(told));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal("ann bob carol eve", Puller.Members(world, "developers"));

        // In a row, and in a circle; the groups as well.
        told = Whole(P("1", "bob"), P("2", "dave"), P("3", "carol"), G("g1", "Inner", "1"), G("g2", "Developers", "2", "3"));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal(("bob carol dave", "carol dave eve"), (await Puller.PeopleAsync(world), Puller.Members(world, "developers")));
        told = Whole(P("1", "dave"), P("2", "bob"), P("3", "carol"), G("g2", "Developers", "1", "2"));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal(("bob carol dave", "bob dave eve"), (await Puller.PeopleAsync(world), Puller.Members(world, "developers")));

        // Another entry with somebody's name takes nothing from them; two that come with one name are nobody.
        told = Whole(P("1", "dave"), P("2", "bob"), P("9", "BOB"), P("3", "carol"), P("7", "frank"), P("8", "Frank"), G("g2", "Developers", "1", "2", "9", "7"));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal(("bob carol dave", "bob dave eve"), (await Puller.PeopleAsync(world), Puller.Members(world, "developers")));
        Assert.Equal(2, PullSentences.Of(await Puller.StateAsync(world)).Count(note => note.Contains("passed over: more than one entry has the name", StringComparison.Ordinal)));

        // Deleted and made anew is somebody else: the group does not count for them.
        told = Whole(P("1", "dave"), P("22", "bob"), P("3", "carol"), G("g2", "Developers", "1", "2"));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal(("bob carol dave", "dave eve"), (await Puller.PeopleAsync(world), Puller.Members(world, "developers")));
        Assert.Empty(PullSentences.Of(await Puller.StateAsync(world)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Turn_IsOneNodes_AndAnothersOnlyWhenItIsOver(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await using var one = await World.NewAsync(Puller.Catalog, store: test.Store);
        var two = one.Second();
        var told = Whole(P("1", "ann"));
        Assert.Equal(PullResult.Good, await Puller.Of(one, At, (_, _) => Task.FromResult(told)).PullAsync(CancellationToken.None));
        Assert.Equal(PullResult.NotOurTurn, await Puller.Of(two, At, (_, _) => Task.FromResult(Whole())).PullAsync(CancellationToken.None));

        // One looks for so long that its turn is over; what it saw then counts for nothing.
        var late = Puller.Of(one, At, async (_, _) =>
        {
            one.Time.Advance(TimeSpan.FromHours(1));
            Assert.Equal(PullResult.Good, await Puller.Of(two, At, (_, _) => Task.FromResult(Whole(P("1", "ann"), P("2", "bob")))).PullAsync(CancellationToken.None));
            return Whole();
        });
        Assert.Equal(PullResult.Failed, await late.PullAsync(CancellationToken.None));
        Assert.Equal("ann bob", await Puller.PeopleAsync(one));
        Assert.Equal((2L, null), ((await Puller.StateAsync(one)).Fence, (await Puller.StateAsync(one)).Trouble));

        foreach (var bad in new[] { "UPDATE directory_pull SET fence = fence - 1", "UPDATE directory_pull SET node = 'three'", "UPDATE directory_pull SET good_at = NULL", "UPDATE directory_pull SET leaving = 3" })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.Store.WriteAsync(async work => await work.Db.RunAsync(bad), CancellationToken.None));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Confirmed_IsTheVerySetThatWasRefused_OnceAndByAnAdmin(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(Puller.Catalog, store: test.Store);
        var confirm = new ConfirmPull(world.Store, world.Get<Stint.Server.Catalog.CurrentCatalog>(), new Stint.Server.Identity.DirectorySource(Stint.Core.Audit.Actor.Ldap), world.Time);
        Task<Outcome<DirectoryPull>> ConfirmAsync(Stint.Core.SubjectId who, string mark) => confirm.ConfirmAsync(who, mark, CancellationToken.None);
        var told = Whole(P("1", "ann"), P("2", "bob"), P("3", "carol"), G("g1", "Developers", "1", "2"));
        var pull = Puller.Of(world, At with { MostLeaving = 1 }, (_, _) => Task.FromResult(told));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.IsType<Outcome<DirectoryPull>.LostRace>(await ConfirmAsync(World.Root, ""));

        // One gone and one out of a group: both are named, and only an admin confirms them.
        told = Whole(P("1", "ann"), P("2", "bob"), G("g1", "Developers", "1"));
        Assert.Equal(PullResult.Refused, await pull.RoundAsync(world));
        var first = await Puller.StateAsync(world);
        Assert.Equal(("bob carol", null), (string.Join(' ', first.Names), first.Confirmed));
        Assert.IsType<Outcome<DirectoryPull>.NotYours>(await ConfirmAsync(World.Ann, first.Mark!));
        Assert.IsType<Outcome<DirectoryPull>.NotYours>(await confirm.GetAsync(World.Ann, CancellationToken.None));
        Assert.IsType<Outcome<DirectoryPull>.LostRace>(await ConfirmAsync(World.Root, new string('0', 32)));
        Assert.IsType<Outcome<DirectoryPull>.Done>(await ConfirmAsync(World.Root, first.Mark!));
        Assert.IsType<Outcome<DirectoryPull>.Done>(await ConfirmAsync(World.Root, first.Mark!));
        Assert.Single(await world.FactsAsync(), "PullConfirmed");

        // As many, but others: that is no word on them, and the old word is void from then on.
        told = Whole(P("2", "bob"), P("3", "carol"), G("g1", "Developers"));
        Assert.Equal(PullResult.Refused, await pull.RoundAsync(world));
        Assert.Null((await Puller.StateAsync(world)).Confirmed);
        told = Whole(P("1", "ann"), P("2", "bob"), G("g1", "Developers", "1"));
        Assert.Equal(PullResult.Refused, await pull.RoundAsync(world));
        Assert.Equal(first.Mark, (await Puller.StateAsync(world)).Mark);
        Assert.Equal("ann bob carol", await Puller.PeopleAsync(world));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("UPDATE directory_pull SET confirmed = 'another'"));

        // The same once more is taken over, and what was confirmed is used up.
        Assert.IsType<Outcome<DirectoryPull>.Done>(await ConfirmAsync(World.Root, first.Mark!));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal("ann bob", await Puller.PeopleAsync(world));
        var after = await Puller.StateAsync(world);
        Assert.Equal((null, null, 0), (after.Mark, after.Confirmed, after.Names.Count));
    }

    [Fact]
    public async Task Pull_WhatOnlyAWholeLookCanTell_IsLookedAtWhole_AndAnotherSourceIsTakenOverByNames()
    {
        await using var world = await World.NewAsync(Puller.Catalog);
        await world.Store.WriteAsync(
            async work =>
            {
                var body = new JsonObject { ["externalId"] = "of-another", ["userName"] = "Ann" };
                await work.InsertAsync(new DirectoryUser { Id = "a", Body = body.ToJsonString(), Version = 1, CreatedAt = world.Now, ChangedAt = world.Now }, Stint.Server.Identity.Scim.ScimKeys.Of(body));
            },
            CancellationToken.None);
        var looks = new List<bool>();
        var (whole, part) = (Whole(P("1", "ann"), P("2", "bob")), Part());
        var pull = Puller.Of(world, At, (since, _) =>
        {
            looks.Add(since is null);
            return Task.FromResult(since is null ? whole : part);
        });
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.DoesNotContain("UserRemoved", await world.FactsAsync());

        // Somebody new has bob's name: what became of bob is not in what changed.
        (whole, part) = (Whole(P("1", "ann"), P("3", "bob")), Part(P("3", "bob")));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal([true, false, true], looks);
        Assert.Contains("UserRemoved", await world.FactsAsync());
        Assert.Equal("ann bob", await Puller.PeopleAsync(world));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Verify_HoldsPeopleGroupsAndMembersAgainstTheFacts_WhateverBecameOfThem(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(Puller.Catalog, store: test.Store);
        var told = Whole(P("1", "ann"), P("2", "bob"), P("3", "Carol"), G("g1", "Developers", "1", "2", "g2"), G("g2", "Inner", "3"));
        var pull = Puller.Of(world, At, (_, _) => Task.FromResult(told));
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));

        // Names change places, one goes and comes back as somebody else, groups are called otherwise and go.
        foreach (var next in (DirectoryLook[])
        [
            Whole(P("1", "bob"), P("2", "dave"), P("3", "Carol"), G("g1", "Devs", "1", "2", "g2"), G("g2", "Inner", "3", "1")),
            Whole(P("1", "bob"), P("22", "dave"), P("3", "Carol"), G("g1", "Devs", "1", "22", "g2"), G("g2", "Inner", "3")),
            Whole(P("1", "bob"), P("22", "dave"), P("3", "Carol"), G("g1", "Devs", "1", "22")),
        ])
        {
            told = next;
            Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        }

        await world.Store.WriteAsync(
            async work =>
            {
                var gone = new Offboarded("eve", "eve", "left", world.Now, "root");
                await work.InsertAsync(gone);
                work.Append(Stint.Server.Audit.Facts.PersonOffboarded(gone));
            },
            CancellationToken.None);
        async Task<IReadOnlyList<string>> FoundAsync() => [.. (await world.Get<Stint.Server.Audit.VerifyLog>().VerifyAsync(CancellationToken.None)).Rows.Select(row => row.Sentence)];
        Assert.Empty(await FoundAsync());

        var found = 0;
        foreach (var (attack, says) in new[]
        {
            ("UPDATE directory_users SET active = 0, version = version + 1 WHERE user_key = 'bob'", "bob, inactive"),
            ("UPDATE directory_users SET user_name = 'mallory', user_key = 'mallory', version = version + 1 WHERE user_key = 'dave'", "mallory, active"),
            ("INSERT INTO directory_members (group_id, member_id, kind) SELECT directory_groups.id, directory_users.id, 'user' FROM directory_groups, directory_users WHERE user_key = 'carol'", "The members of the group Devs"),
            ("UPDATE directory_groups SET display_name = 'Admins', display_key = 'admins', version = version + 1", "is called Admins"),
            ("DELETE FROM offboarded", "eve was sent away"),
            ("INSERT INTO provider_groups (name, provider, group_key, until) VALUES ('eve', 'acme', 'acme/root', 9999999999999999)", "What providers told of eve"),
            ("INSERT INTO provider_attributes (name, provider, attribute, value, until) VALUES ('root', 'acme', 'site', 'berlin', 9999999999999999)", "What providers told of root"),
        })
        {
            await test.AttackAsync(attack);
            var now = await FoundAsync();
            Assert.Equal(++found, now.Count);
            Assert.Contains(now, sentence => sentence.Contains(says, StringComparison.Ordinal));
        }
    }

    private static LookedPerson P(string id, string name) =>
        new(id, $"uid={id},dc=org", name, true, new JsonObject { ["externalId"] = id, ["userName"] = name, ["active"] = true }, null);

    private static LookedGroup G(string id, string name, params string[] members) => new(id, $"uid={id},dc=org", name, [.. members.Select(member => $"uid={member},dc=org")], []);

    private static DirectoryLook Whole(params object[] all) => new(true, [.. all.OfType<LookedPerson>()], [.. all.OfType<LookedGroup>()], TestStore.Now, []);

    private static DirectoryLook Part(params object[] all) => Whole(all) with { Whole = false };
}
