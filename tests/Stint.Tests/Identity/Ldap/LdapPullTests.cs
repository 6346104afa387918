using System.Net;
using System.Net.Sockets;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Identity.Ldap;
using Xunit;

namespace Stint.Tests.Identity.Ldap;

/// <summary>What is pulled from a real directory, and what of it ends access.</summary>
public sealed class LdapPullTests
{
    [Fact]
    public async Task Pull_IsPaged_FollowsWhatChanges_AndFindsWhatIsGone()
    {
        var at = await Slapd.BranchAsync("many");
        await Slapd.AddAsync(string.Concat(Enumerable.Range(1, 520).Select(i => Slapd.Person(at, $"p{i:000}")))
            + Slapd.Person(at, "ann", $"manager: uid=p001,{at.PeopleBase}\ntitle: Lead\nmail: ann@example.org\nuserPassword: x")
            + Slapd.Group(at, "Developers", $"uid=P002,{at.PeopleBase}", $"cn=Inner,{at.GroupsBase}", "uid=elsewhere,dc=example,dc=org")
            + Slapd.Group(at, "Inner", $"uid=ann,{at.PeopleBase}", $"cn=Developers,{at.GroupsBase}"));
        await using var world = await World.NewAsync(Puller.Catalog);
        var pull = Puller.Of(world, at);

        // The server gives no more than 100 but page by page: all are there.
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal(521, (await Puller.PeopleAsync(world)).Split(' ').Length);
        Assert.Equal("ann eve p002", Puller.Members(world, "developers"));
        var ann = world.Get<CurrentCatalog>().Now.People["ann"];
        Assert.Equal(("p001", "Lead", "ann@example.org"), (ann.Manager?.Value, ann.Attributes["title"], ann.Mail));
        var facts = (await world.FactsAsync()).Count;
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal(facts, (await world.FactsAsync()).Count);

        // What changed alone is asked for, and is there: a name, a member, somebody new as a manager.
        await Slapd.AddAsync(Slapd.Person(at, "newcomer"));
        await Slapd.ChangeAsync($"""
            dn: uid=ann,{at.PeopleBase}
            changetype: modify
            replace: manager
            manager: uid=newcomer,{at.PeopleBase}

            dn: uid=p003,{at.PeopleBase}
            changetype: modrdn
            newrdn: uid=renamed
            deleteoldrdn: 1

            dn: cn=Inner,{at.GroupsBase}
            changetype: modify
            add: member
            member: uid=renamed,{at.PeopleBase}
            """);
        var sinces = new List<DateTimeOffset?>();
        var watched = Puller.Of(world, at, async (since, cancellation) =>
        {
            sinces.Add(since);
            var look = await LdapLook.ReadAsync(at, since, cancellation);
            Assert.Equal(since is null, look.Whole);
            return look;
        });
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        Assert.Equal("newcomer", world.Get<CurrentCatalog>().Now.People["ann"].Manager?.Value);
        Assert.Equal("ann eve p002 renamed", Puller.Members(world, "developers"));
        Assert.DoesNotContain("p003", await Puller.PeopleAsync(world), StringComparison.Ordinal);

        // A deletion is seen by the whole look that comes from time to time, and only then.
        Assert.Equal(PullResult.Good, await watched.RoundAsync(world));
        await Slapd.ChangeAsync($"dn: uid=p002,{at.PeopleBase}\nchangetype: delete\n");
        Assert.Equal(PullResult.Good, await watched.RoundAsync(world));
        Assert.Contains("p002", await Puller.PeopleAsync(world), StringComparison.Ordinal);
        world.Time.Advance(at.WholeEvery);
        Assert.Equal(PullResult.Good, await watched.RoundAsync(world));
        Assert.Equal([true, false, true], sinces.Select(since => since is null));
        Assert.Equal("ann eve renamed", Puller.Members(world, "developers"));
        Assert.False(world.Get<CurrentCatalog>().Now.People.ContainsKey("p002"));
        Assert.Contains("UserRemoved", await world.FactsAsync());
    }

    [Fact]
    public async Task Disabled_InTheDirectory_ALiveGrantEndsAtTheNextPull()
    {
        var at = await Slapd.BranchAsync("leavers");
        await Slapd.AddAsync(Slapd.Person(at, "ann", "userPassword: x") + Slapd.Person(at, "bob") + Slapd.Group(at, "Developers", $"uid=ann,{at.PeopleBase}", $"uid=bob,{at.PeopleBase}"));
        await using var world = await World.NewAsync(Puller.Catalog);
        var pull = Puller.Of(world, at);
        Assert.Equal(PullResult.Good, await pull.RoundAsync(world));
        var (hers, his) = (await world.OpenAsync(), await world.OpenAsync(who: World.Bob));

        await Slapd.ChangeAsync($"dn: uid=ann,{at.PeopleBase}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
        world.Time.Advance(at.WholeEvery);
        Assert.Equal(PullResult.Good, await pull.PullAsync(CancellationToken.None));
        var ended = await world.GrantAsync(hers.Id);
        Assert.Equal((GrantState.Closing, EndReason.Offboarded), (ended.State, ended.End));
        Assert.Equal(GrantState.Open, (await world.GrantAsync(his.Id)).State);
        Assert.Equal("-ann bob", await Puller.PeopleAsync(world));

        // Out of the group: what no rule lets him have any longer ends as well.
        await Slapd.ChangeAsync($"dn: cn=Developers,{at.GroupsBase}\nchangetype: modify\ndelete: member\nmember: uid=bob,{at.PeopleBase}\n");
        Assert.Equal(PullResult.Good, await pull.PullAsync(CancellationToken.None));
        Assert.Equal(GrantState.Closing, (await world.GrantAsync(his.Id)).State);
    }

    [Fact]
    public async Task Open_WhateverIsNotTheServerThatWasNamed_IsRefused()
    {
        var at = await Slapd.BranchAsync("doors");
        var other = Path.GetTempFileName();
        using (var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256))
        {
            var now = TimeProvider.System.GetUtcNow();
            using var root = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=an authority", key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            await File.WriteAllTextAsync(other, root.ExportCertificatePem());
        }

        foreach (var good in new[] { at, Slapd.OverTls(at), at with { Tls = LdapTls.Off } })
        {
            await using var line = await LdapLine.OpenAsync(good, CancellationToken.None);
            Assert.Empty(await line.SearchAsync(new LdapSearch(at.PeopleBase, true, at.PeopleFilter, ["uid"]), CancellationToken.None));
        }

        foreach (var (bad, why) in new (LdapOptions, string)[]
        {
            (at with { Authority = other }, "its certificate is not trusted"),
            (Slapd.OverTls(at) with { Authority = other }, "its certificate is not trusted"),
            (at with { Authority = null }, "its certificate is not trusted"),
            (at with { Host = "localhost" }, "its certificate is not trusted"),
            (Slapd.OverTls(at) with { Host = "localhost" }, "its certificate is not trusted"),
            (at with { BindPassword = "wrong" }, "it does not know this account with that password"),
            (at with { BindDn = "cn=nobody,dc=example,dc=org" }, "it does not know this account with that password"),
            (at with { Port = 1 }, "it cannot be reached"),
            (at with { Tls = LdapTls.Always, Patience = TimeSpan.FromSeconds(1) }, "it"),
        })
        {
            var trouble = await Assert.ThrowsAsync<LdapTroubleException>(() => LdapLine.OpenAsync(bad, CancellationToken.None));
            Assert.Contains(why, trouble.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(at.BindPassword, trouble.ToString(), StringComparison.Ordinal);
        }

        File.Delete(other);
        await using var again = await LdapLine.OpenAsync(at, CancellationToken.None);
        var nowhere = await Assert.ThrowsAsync<LdapTroubleException>(() => again.SearchAsync(new LdapSearch("ou=nowhere,dc=example,dc=org", true, at.PeopleFilter, ["uid"]), CancellationToken.None));
        Assert.Contains("there is no such place", nowhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_CutInTheMiddle_OrTellingThatFarTooManyAreGone_ChangesNothing()
    {
        var at = await Slapd.BranchAsync("cut");
        await Slapd.AddAsync(string.Concat(Enumerable.Range(1, 40).Select(i => Slapd.Person(at, $"c{i:00}", "userPassword: x"))));
        await using var world = await World.NewAsync(Puller.Catalog);
        Assert.Equal(PullResult.Good, await Puller.Of(world, at).RoundAsync(world));
        var before = await Puller.PeopleAsync(world);

        await using (var relay = new Relay(at.Port, after: 6_000))
        {
            var cut = at with { Tls = LdapTls.Off, Port = relay.Port, Page = 10, Patience = TimeSpan.FromSeconds(3) };
            Assert.Equal(PullResult.Failed, await Puller.Of(world, cut).RoundAsync(world));
        }

        Assert.Contains("in the middle of an answer", (await Puller.StateAsync(world)).Trouble, StringComparison.Ordinal);
        Assert.Equal(before, await Puller.PeopleAsync(world));

        // Nobody is found where forty were: an account that may read less is not forty people who left.
        var blind = at with { PeopleFilter = LdapFilter.Parse("(uid=nobody)") };
        var pull = Puller.Of(world, blind);
        Assert.Equal(PullResult.Refused, await pull.RoundAsync(world));
        Assert.Equal(PullResult.Refused, await pull.RoundAsync(world));
        Assert.Equal(before, await Puller.PeopleAsync(world));
        Assert.Single(await world.FactsAsync(), "PullRefused");
        var state = await Puller.StateAsync(world);
        Assert.Equal((40L, 40L), (state.Leaving, state.LeavingOf));
        Assert.Contains("`stint people pull` says who they are", Assert.Single(PullSentences.Of(state)), StringComparison.Ordinal);
        Assert.Equal(PullResult.Refused, await Puller.Of(world, blind with { MostLeaving = 39 }).RoundAsync(world));

        // Who says that it is right has it so.
        Assert.Equal(PullResult.Good, await Puller.Of(world, blind with { MostLeaving = 40 }).RoundAsync(world));
        Assert.Equal("", await Puller.PeopleAsync(world));
        Assert.Empty(PullSentences.Of(await Puller.StateAsync(world)));
    }

    [Fact]
    public async Task Pull_ThatFailsForTooLong_IsSaidOnce_AndOnceThatItIsOver()
    {
        var at = await Slapd.BranchAsync("silence");
        await Slapd.AddAsync(Slapd.Person(at, "ann"));
        await using var world = await World.NewAsync(Puller.Catalog);
        Assert.Equal(PullResult.Good, await Puller.Of(world, at).RoundAsync(world));
        var broken = Puller.Of(world, at with { Port = 1 });
        Assert.Equal(PullResult.Failed, await broken.RoundAsync(world));
        Assert.Contains("The last look at the directory failed: it cannot be reached", Assert.Single(PullSentences.Of(await Puller.StateAsync(world))), StringComparison.Ordinal);
        Assert.DoesNotContain("DirectorySilent", await world.FactsAsync());
        world.Time.Advance(at.Late + TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(PullResult.Failed, await broken.RoundAsync(world));
        }

        Assert.Single(await world.FactsAsync(), "DirectorySilent");
        Assert.Contains("The directory was last heard of at 2026-11-22 09:00 UTC: it cannot be reached", Assert.Single(PullSentences.Of(await Puller.StateAsync(world))), StringComparison.Ordinal);
        Assert.Equal("ann", await Puller.PeopleAsync(world));
        Assert.Equal(PullResult.Good, await Puller.Of(world, at).RoundAsync(world));
        Assert.Single(await world.FactsAsync(), "DirectoryHeard");
        Assert.Empty(PullSentences.Of(await Puller.StateAsync(world)));
    }

    /// <summary>Passes bytes on until so many came back, and hangs up.</summary>
    private sealed class Relay : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _passing;

        public Relay(int port, int after)
        {
            _listener.Start();
            _passing = PassAsync(port, after);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _passing;
        }

        private async Task PassAsync(int port, int left)
        {
            using var near = await _listener.AcceptTcpClientAsync();
            using var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, port);
            var there = near.GetStream().CopyToAsync(far.GetStream());
            var buffer = new byte[1_024];
            while (left > 0 && await far.GetStream().ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length))) is > 0 and var read)
            {
                await near.GetStream().WriteAsync(buffer.AsMemory(0, read));
                left -= read;
            }

            near.Close();
            far.Close();
            await there.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
