using System.Net;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Xunit;

namespace Stint.Tests.Identity.Accounts;

/// <summary>One-time links, passwords, codes: what lets in, and what an attacker meets.</summary>
public sealed class SignInUseCaseTests
{
    private const string Good = "correct horse battery staple";
    private static readonly CancellationToken None = CancellationToken.None;

    private static IPAddress Address(int n) => new([192, 0, 2, (byte)n]);

    private static async Task<FirstWay> PasswordAsync(World world) => new(await world.Get<Passwords>().HashAsync(Good, None), null, null);

    /// <summary>An account with a password, by the admin's invitation.</summary>
    private static async Task<IReadOnlyList<string>> AccountAsync(World world, SubjectId who)
    {
        var link = Assert.IsType<Outcome<MadeLink>.Done>(await world.Get<AccountLinks>().MakeAsync(World.Root, who.Value, false, None)).Value;
        return Assert.IsType<Outcome<IReadOnlyList<string>>.Done>(await world.Get<AccountLinks>().UseAsync(link.Code, who, await PasswordAsync(world), "192.0.2.1", None)).Value;
    }

    private static Task<Try> TryAsync(World world, string typed, string name = "ann", int from = 1, string? device = null)
    {
        var signIn = world.Get<SignInByPassword>();
        return signIn.TryAsync(signIn.Meant(name), typed, Address(from), device, None);
    }

    [Fact]
    public async Task SetUp_MakesOneOfTheCatalogsAdmins_OnceAndForADay()
    {
        await using var world = await World.NewAsync();
        var links = world.Get<AccountLinks>();
        var first = (await links.OfferSetUpAsync(None))!;
        var second = (await links.OfferSetUpAsync(None))!;

        // A second node, or a restart, offers anew: of several the last one counts.
        Assert.Null(await links.LookAsync(first, None));
        Assert.Equal([World.Root], (await links.LookAsync(second, None))!.Persons);
        Assert.Null(await links.LookAsync(second[..^1] + (second[^1] == 'A' ? 'B' : 'A'), None));
        Assert.Null(await links.LookAsync(new string('x', 10_000), None));
        Assert.IsType<Outcome<IReadOnlyList<string>>.NotFound>(await links.UseAsync(second, World.Ann, await PasswordAsync(world), "x", None));

        var codes = Assert.IsType<Outcome<IReadOnlyList<string>>.Done>(await links.UseAsync(second, World.Root, await PasswordAsync(world), "192.0.2.1", None)).Value;
        Assert.Equal((10, 10), (codes.Count, codes.Distinct().Count()));
        Assert.IsType<Outcome<IReadOnlyList<string>>.NotFound>(await links.UseAsync(second, World.Root, await PasswordAsync(world), "x", None));
        Assert.Equal(new Try.LetIn(World.Root, "password"), await TryAsync(world, Good, "root"));

        // Somebody can sign in: nothing is offered any more.
        Assert.Null(await links.OfferSetUpAsync(None));
        var facts = await world.FactsAsync();
        Assert.Equal((2, 1, 1, 1), (facts.Count(kind => kind == FactKinds.SetUpOffered), facts.Count(kind => kind == FactKinds.AccountMade), facts.Count(kind => kind == FactKinds.PasswordSet), facts.Count(kind => kind == FactKinds.RecoveryCodesMade)));
    }

    [Fact]
    public async Task SetUp_IsNotOffered_WhereAnAdminHasAToken_AndIsOverAfterADay()
    {
        await using var tokens = await World.NewAsync(World.Catalog.Replace("  root: {}", "  root: { token: 'sha256:" + new string('a', 64) + "' }", StringComparison.Ordinal));
        Assert.Null(await tokens.Get<AccountLinks>().OfferSetUpAsync(None));
        await using var late = await World.NewAsync();
        var code = (await late.Get<AccountLinks>().OfferSetUpAsync(None))!;
        late.Time.Advance(TimeSpan.FromHours(24));
        Assert.IsType<Outcome<IReadOnlyList<string>>.NotFound>(await late.Get<AccountLinks>().UseAsync(code, World.Root, await PasswordAsync(late), "x", None));

        // Two who use it at once: one of them is the first administrator.
        code = (await late.Get<AccountLinks>().OfferSetUpAsync(None))!;
        var way = await PasswordAsync(late);
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => late.Get<AccountLinks>().UseAsync(code, World.Root, way, "x", None))));
        Assert.Single(all.OfType<Outcome<IReadOnlyList<string>>.Done>());
    }

    [Fact]
    public async Task SetUp_WhereTheCatalogNamesNobody_MakesAPersonWhoAdministersForADay()
    {
        await using var world = await World.NewAsync(World.Catalog.Replace("admins: [root]\n", "", StringComparison.Ordinal).Replace("  eve: {}", "  eve: { disabled: true }", StringComparison.Ordinal));
        var links = world.Get<AccountLinks>();
        var code = (await links.OfferSetUpAsync(None))!;
        var open = (await links.LookAsync(code, None))!;
        Assert.True(open.TakesAName);
        foreach (var name in (string[])["", "-", "Zoe", "eve", "zoe miller", "workload:ci", "zoe\n", new string('z', 64)])
        {
            Assert.True(links.Against(open, new SubjectId(name)) is not null, name);
            Assert.IsType<Outcome<IReadOnlyList<string>>.NotFound>(await links.UseAsync(code, new SubjectId(name), await PasswordAsync(world), "x", None));
        }

        var zoe = new SubjectId("zoe");
        Assert.IsType<Outcome<IReadOnlyList<string>>.Done>(await links.UseAsync(code, zoe, await PasswordAsync(world), "x", None));
        await world.Get<FollowRights>().CatchUpAsync(None);
        Assert.True(world.Get<CurrentCatalog>().Now.IsActive(zoe));
        Assert.True(world.Get<CurrentCatalog>().Now.IsAdmin(zoe));
        Assert.IsType<Try.LetIn>(await TryAsync(world, Good, "zoe"));
        Assert.Null(await links.OfferSetUpAsync(None));
        Assert.Contains(FactKinds.RightGiven, await world.FactsAsync());

        // Another node knows the person too; and after the day nobody administers, so that it is offered again.
        var second = world.Second();
        await second.Get<FollowDirectory>().LookAsync(None);
        Assert.True(second.Get<CurrentCatalog>().Now.IsActive(zoe));

        world.Time.Advance(AccountLinks.FirstRightLasts);
        Assert.False(world.Get<CurrentCatalog>().Now.IsAdmin(zoe));
        Assert.NotNull(await links.OfferSetUpAsync(None));
    }

    [Fact]
    public async Task Invite_IsForOnePersonWithoutAWayIn_AndResetVoidsEverything()
    {
        await using var world = await World.NewAsync();
        var links = world.Get<AccountLinks>();
        Assert.IsType<Outcome<MadeLink>.NotFound>(await links.MakeAsync(World.Root, "nobody", false, None));
        Assert.IsType<Outcome<MadeLink>.Refused>(await links.MakeAsync(World.Root, "ann", true, None));
        var older = Assert.IsType<Outcome<MadeLink>.Done>(await links.MakeAsync(World.Root, "ann", false, None)).Value;
        var codes = await AccountAsync(world, World.Ann);
        Assert.Null(await links.LookAsync(older.Code, None));
        Assert.IsType<Outcome<MadeLink>.Refused>(await links.MakeAsync(World.Root, "ann", false, None));

        var reset = Assert.IsType<Outcome<MadeLink>.Done>(await links.MakeAsync(World.Root, "ann", true, None)).Value;
        Assert.IsType<Try.Refused>(await TryAsync(world, Good));
        Assert.IsType<Try.Refused>(await TryAsync(world, codes[0]));
        Assert.IsType<Outcome<IReadOnlyList<string>>.NotFound>(await links.UseAsync(reset.Code, World.Bob, await PasswordAsync(world), "x", None));
        Assert.IsType<Outcome<IReadOnlyList<string>>.Done>(await links.UseAsync(reset.Code, World.Ann, await PasswordAsync(world), "x", None));
        Assert.IsType<Try.LetIn>(await TryAsync(world, Good));
    }

    [Fact]
    public async Task RecoveryCode_LetsItsOwnerInOnce()
    {
        await using var world = await World.NewAsync();
        var codes = await AccountAsync(world, World.Ann);
        await AccountAsync(world, World.Bob);
        Assert.IsType<Try.Refused>(await TryAsync(world, codes[0], "bob"));
        Assert.Equal(new Try.LetIn(World.Ann, "recovery"), await TryAsync(world, codes[0].ToUpperInvariant().Replace('-', ' ')));
        Assert.IsType<Try.Refused>(await TryAsync(world, codes[0]));
        Assert.Equal(9, (await world.Get<ManageAccount>().FindAsync(World.Ann, None)).CodesLeft);

        var fresh = Assert.IsType<Outcome<IReadOnlyList<string>>.Done>(await world.Get<ManageAccount>().MakeCodesAsync(World.Ann, "x", None)).Value;
        Assert.IsType<Try.Refused>(await TryAsync(world, codes[1]));
        Assert.IsType<Try.LetIn>(await TryAsync(world, fresh[0]));
    }

    [Fact]
    public async Task Wrong_WhateverItIs_HasOneAnswer_AndFloodingANameDoesNotLockItsOwnerOut()
    {
        await using var world = await World.NewAsync();
        await AccountAsync(world, World.Ann);
        Assert.IsType<Try.Refused>(await TryAsync(world, Good, "nobody", 2));
        Assert.IsType<Try.Refused>(await TryAsync(world, Good, "bob", 2));
        Assert.IsType<Try.Refused>(await TryAsync(world, "wrong", "ann", 2));
        Assert.IsType<Try.Refused>(await TryAsync(world, "", "", 2));

        // Somebody with many addresses floods the name.
        for (var i = 0; i < 30; i++)
        {
            Assert.IsType<Try.Refused>(await TryAsync(world, "wrong", "ann", 10 + i));
        }

        // From an unknown browser the right password is not even looked at now, and the answer does not say so;
        // at the browser that she signed in with before she is let in at once.
        Assert.IsType<Try.Refused>(await TryAsync(world, Good, "ann", 3));
        Assert.IsType<Try.LetIn>(await TryAsync(world, Good, "ann", 4, "hers"));

        // However long it goes on, it is over soon after: nobody is locked out for good.
        world.Time.Advance(Holdoff<string>.Longest);
        Assert.IsType<Try.LetIn>(await TryAsync(world, Good, "ANN", 5));

        // A browser that is known has its own allowance and no more.
        for (var i = 0; i < SignInByPassword.FreePerPerson + 1; i++)
        {
            await TryAsync(world, "wrong", "ann", 100 + i, "stolen");
        }

        Assert.IsType<Try.Refused>(await TryAsync(world, Good, "ann", 120, "stolen"));
    }

    [Fact]
    public async Task TwoNodes_CountTheSameTries_AlsoAfterARestart_AndForgetThemTogether()
    {
        await using var world = await World.NewAsync();
        await AccountAsync(world, World.Ann);
        SignInByPassword NodeOf() => new(world.Store, world.Get<CurrentCatalog>(), world.Get<Passwords>(), world.Get<Stint.Server.Store.Sealing.Sealer>(), world.Time);
        var nodes = (SignInByPassword[])[NodeOf(), NodeOf()];
        for (var i = 0; i < SignInByPassword.FreePerPerson + 1; i++)
        {
            Assert.IsType<Try.Refused>(await nodes[i % 2].TryAsync(World.Ann, "wrong", Address(10 + i), null, None));
        }

        // All of them wait now, one that has just started as well; a try that waits does not count.
        foreach (var node in (SignInByPassword[])[.. nodes, NodeOf()])
        {
            Assert.IsType<Try.Refused>(await node.TryAsync(World.Ann, Good, Address(1), null, None));
        }

        world.Time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.IsType<Try.LetIn>(await nodes[0].TryAsync(World.Ann, Good, Address(2), null, None));
        for (var i = 0; i < SignInByPassword.FreePerPerson; i++)
        {
            Assert.IsType<Try.Refused>(await nodes[1].TryAsync(World.Ann, "wrong", Address(30 + i), null, None));
        }

        Assert.IsType<Try.LetIn>(await nodes[0].TryAsync(World.Ann, Good, Address(3), null, None));

        // Many at once are many.
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => nodes[i % 2].TryAsync(World.Ann, "wrong", Address(50 + i), null, None)));
        var mark = world.Get<Stint.Server.Store.Sealing.Sealer>().Mark("name ann", "tries to sign in");
        Assert.Equal(SignInByPassword.FreePerPerson + 1, (await world.Store.ReadAsync(async reads => await reads.FindTriesAsync(mark), None))!.Count);
    }

    [Fact]
    public async Task OneAddress_HasAnAllowance()
    {
        await using var world = await World.NewAsync();
        await AccountAsync(world, World.Ann);
        Try? last = null;
        for (var i = 0; i < SignInByPassword.TriesPerAddress + 1; i++)
        {
            last = await TryAsync(world, "wrong", $"name{i}", 7);
        }

        Assert.IsType<Try.TooMany>(last);
        Assert.IsType<Try.LetIn>(await TryAsync(world, Good, "ann", 8));
    }

    [Fact]
    public async Task Totp_GoesWithThePassword_EachCodeOnce_AndARecoveryCodeStandsInForIt()
    {
        await using var world = await World.NewAsync();
        var codes = await AccountAsync(world, World.Ann);
        var manage = world.Get<ManageAccount>();
        var secret = manage.NewTotp();
        Assert.IsType<Outcome<bool>.Invalid>(await manage.SetTotpAsync(World.Ann, secret, Totp.Code(secret, world.Now.AddHours(1)), "x", None));
        Assert.IsType<Outcome<bool>.Refused>(await manage.SetTotpAsync(World.Bob, secret, Totp.Code(secret, world.Now), "x", None));
        Assert.IsType<Outcome<bool>.Done>(await manage.SetTotpAsync(World.Ann, secret, Totp.Code(secret, world.Now), "x", None));
        var signIn = world.Get<SignInByPassword>();
        Assert.Equal(new Try.NeedsCode(World.Ann), await TryAsync(world, Good));

        // The code that proved the secret is used up; a recorded one is worth nothing.
        Assert.IsType<Try.Refused>(await signIn.TryCodeAsync(World.Ann, Totp.Code(secret, world.Now), Address(1), None));
        world.Time.Advance(TimeSpan.FromSeconds(30));
        var code = Totp.Code(secret, world.Now);
        var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => signIn.TryCodeAsync(World.Ann, code, Address(1), None))));
        Assert.Equal(new Try.LetIn(World.Ann, "password+totp"), Assert.Single(all.OfType<Try.LetIn>()));
        Assert.IsType<Try.Refused>(await signIn.TryCodeAsync(World.Bob, code, Address(1), None));
        Assert.Equal(new Try.LetIn(World.Ann, "recovery"), await signIn.TryCodeAsync(World.Ann, codes[3], Address(1), None));
        Assert.Equal(new Try.LetIn(World.Ann, "recovery"), await TryAsync(world, codes[4]));

        // Six digits are few: guessing is held off.
        for (var i = 0; i < 14; i++)
        {
            world.Time.Advance(TimeSpan.FromSeconds(Math.Pow(2, Math.Max(0, i - 5))));
            await signIn.TryCodeAsync(World.Ann, "000000", Address(30 + i), None);
        }

        world.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<Try.Refused>(await signIn.TryCodeAsync(World.Ann, Totp.Code(secret, world.Now), Address(2), None));
        world.Time.Advance(Holdoff<string>.Longest);
        Assert.IsType<Try.LetIn>(await signIn.TryCodeAsync(World.Ann, Totp.Code(secret, world.Now), Address(2), None));
    }

    [Fact]
    public async Task TheLastWayIn_Stays_AndNothingReadableIsInTheStore()
    {
        await using var world = await World.NewAsync();
        var codes = await AccountAsync(world, World.Ann);
        var manage = world.Get<ManageAccount>();
        Assert.IsType<Outcome<bool>.Refused>(await manage.RemovePasswordAsync(World.Ann, "x", None));
        using var passkey = new SoftPasskey();
        var handle = (await world.Store.ReadAsync(async reads => await reads.FindAccountAsync(World.Ann), None))!.Handle;
        var made = new NewPasskey(handle, passkey.Id, passkey.PublicKey, 0, [], false, false);
        Assert.IsType<Outcome<bool>.LostRace>(await manage.AddPasskeyAsync(World.Bob, made, "x", "x", None));
        Assert.IsType<Outcome<bool>.Done>(await manage.AddPasskeyAsync(World.Ann, made, "laptop", "x", None));
        Assert.IsType<Outcome<bool>.Done>(await manage.RemovePasswordAsync(World.Ann, "x", None));
        Assert.IsType<Try.Refused>(await TryAsync(world, Good));
        Assert.IsType<Outcome<bool>.Refused>(await manage.RemovePasskeyAsync(World.Ann, passkey.Id, "x", None));
        Assert.IsType<Outcome<bool>.Invalid>(await manage.SetPasswordAsync(World.Ann, "password1234", "x", None));
        Assert.IsType<Outcome<bool>.Done>(await manage.SetPasswordAsync(World.Ann, Good, "x", None));
        Assert.IsType<Outcome<bool>.Done>(await manage.RemovePasskeyAsync(World.Ann, passkey.Id, "x", None));

        var log = string.Join('\n', (await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), None)).Select(fact => fact.Body));
        Assert.DoesNotContain(Good, log, StringComparison.Ordinal);
        Assert.DoesNotContain(codes[0], log, StringComparison.Ordinal);
    }
}
