using System.Net;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>Command lines that log in: what lets them in, when, how often, and what ends it. With a clock in hand.</summary>
public sealed class CommandLineUseCaseTests
{
    private const string Verifier = "a-verifier-of-a-command-line-with-43-characters-or-more";
    private const string Redirect = "http://127.0.0.1:53211/";

    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly IPAddress Address = new([192, 0, 2, 7]);
    private static readonly CliSelf Self = new("ann-laptop", "1.2.3", "192.0.2.7");

    private static CliProof Proof(World world, SubjectId? who = null) => new(who ?? World.Ann, "si-000000000000", "passkey", world.Now.AddMinutes(-5));

    private static Task<StartedAsking> StartAsync(World world) => world.Get<CliAskings>().StartAsync(Self, None);

    private static Task<CliGrant> PollAsync(World world, StartedAsking started) => world.Get<CliTokens>().PollAsync(started.Secret, Address, None);

    private static Task<Outcome<CliAsking>> AnswerAsync(World world, StartedAsking started, bool yes = true, SubjectId? who = null) => world.Get<CliAskings>().AnswerAsync(Proof(world, who), started.UserCode, yes, None);

    private static async Task<string> ErrorAsync(Task<CliGrant> came) => Assert.IsType<CliGrant.Refused>(await came).Error;

    private static async Task<string> CodeAsync(World world) =>
        Assert.IsType<Outcome<string>.Done>(await world.Get<CliAskings>().AllowAsync(Proof(world), Redirect, CliTokens.ChallengeOf(Verifier), Self, None)).Value;

    private static Task<CliGrant> RedeemAsync(World world, string code, string redirect = Redirect, string verifier = Verifier) => world.Get<CliTokens>().RedeemAsync(code, redirect, verifier, Address, None);

    private static async Task<CliGrant.LetIn> LetInAsync(World world) => Assert.IsType<CliGrant.LetIn>(await RedeemAsync(world, await CodeAsync(world)));

    private static Task<CliGrant> RefreshAsync(World world, string token) => world.Get<CliTokens>().RefreshAsync(token, Address, None);

    private static async Task<bool> LetsInAsync(World world, string access) => await world.Get<CliTokens>().FindAsync(access, None) is not null;

    private static async Task<string?> ReasonAsync(World world, string login) =>
        (await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), None)).Select(fact => FactBody.Parse(fact.Body))
            .LastOrDefault(body => body.Kind == FactKinds.CliLoggedOut && body.Text("cli") == login)?.Text("reason");

    [Fact]
    public async Task Device_WaitsAndSlowsDown_AndIsLetInOnceItsPersonSaidYes()
    {
        await using var world = await World.NewAsync();
        var started = await StartAsync(world);
        Assert.Matches("^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", started.UserCode);
        Assert.Equal("authorization_pending", await ErrorAsync(PollAsync(world, started)));
        Assert.Equal("slow_down", await ErrorAsync(PollAsync(world, started)));

        // It was told to wait ten seconds from now on.
        world.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("slow_down", await ErrorAsync(PollAsync(world, started)));
        world.Time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("authorization_pending", await ErrorAsync(PollAsync(world, started)));

        Assert.IsType<Outcome<CliAsking>.Done>(await AnswerAsync(world, started));
        var let = Assert.IsType<CliGrant.LetIn>(await PollAsync(world, started));
        Assert.Equal(("device", "passkey", world.Now.AddMinutes(-5), world.Now.AddDays(30)), (let.Login.Kind, let.Login.Proof.By, let.Login.Proof.At, let.Login.ExpiresAt));
        var (person, login) = (await world.Get<CliTokens>().FindAsync(let.Access, None))!.Value;
        Assert.Equal((World.Ann, let.Login.Id, "ann-laptop"), (person.Id, login.Id, login.Self.Host));
        Assert.False(await LetsInAsync(world, let.Refresh));
        world.Time.Advance(CliTokens.AccessLasts);
        Assert.False(await LetsInAsync(world, let.Access));
        Assert.Equal([FactKinds.CliAnswered, FactKinds.CliLoggedIn], (await world.FactsAsync()).Where(kind => kind.StartsWith("Cli", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Device_ShownAgain_EndsWhatItGave()
    {
        await using var world = await World.NewAsync();
        var started = await StartAsync(world);
        await AnswerAsync(world, started);
        var let = Assert.IsType<CliGrant.LetIn>(await PollAsync(world, started));
        Assert.Equal("invalid_grant", await ErrorAsync(PollAsync(world, started)));
        Assert.False(await LetsInAsync(world, let.Access));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, let.Refresh)));
        Assert.Equal("code_reused", await ReasonAsync(world, let.Login.Id));
    }

    [Fact]
    public async Task Device_DeniedOrTooLate_GetsNothing()
    {
        await using var world = await World.NewAsync();
        var denied = await StartAsync(world);
        Assert.IsType<Outcome<CliAsking>.Done>(await AnswerAsync(world, denied, yes: false));
        Assert.Equal("access_denied", await ErrorAsync(PollAsync(world, denied)));
        Assert.IsType<Outcome<CliAsking>.NotFound>(await AnswerAsync(world, denied));

        var late = await StartAsync(world);
        var allowedLate = await StartAsync(world);
        await AnswerAsync(world, allowedLate);
        world.Time.Advance(CliAskings.Lasts);
        Assert.IsType<Outcome<CliAsking>.NotFound>(await AnswerAsync(world, late));
        Assert.Equal("expired_token", await ErrorAsync(PollAsync(world, late)));
        Assert.Equal("expired_token", await ErrorAsync(PollAsync(world, allowedLate)));
        Assert.Equal("invalid_grant", await ErrorAsync(world.Get<CliTokens>().PollAsync(CliAskings.DevicePrefix + "x", Address, None)));
        Assert.Equal("invalid_grant", await ErrorAsync(world.Get<CliTokens>().PollAsync(new string('x', 100_000), Address, None)));
    }

    [Fact]
    public async Task TypedCodes_AreGuessedAFewTimesAndNoMore()
    {
        await using var world = await World.NewAsync();
        var askings = world.Get<CliAskings>();
        var started = await StartAsync(world);
        Assert.IsType<Outcome<CliAsking>.Done>(await askings.FindAsync(World.Ann, " " + started.UserCode.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), None));
        for (var i = 0; i < CliAskings.WrongPerPerson; i++)
        {
            Assert.IsType<Outcome<CliAsking>.NotFound>(await askings.FindAsync(World.Eve, "BBBB-BBBB", None));
        }

        // Neither a look nor an answer, though the code is right.
        Assert.IsType<Outcome<CliAsking>.Refused>(await askings.FindAsync(World.Eve, started.UserCode, None));
        Assert.IsType<Outcome<CliAsking>.Refused>(await AnswerAsync(world, started, who: World.Eve));
        Assert.IsType<Outcome<CliAsking>.Done>(await askings.FindAsync(World.Ann, started.UserCode, None));
        world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<Outcome<CliAsking>.Done>(await askings.FindAsync(World.Eve, started.UserCode, None));
    }

    [Fact]
    public async Task Code_WithAnythingWrong_IsUsedUp()
    {
        await using var world = await World.NewAsync();
        foreach (var (redirect, verifier) in ((string, string)[])[("http://127.0.0.1:53212/", Verifier), ("http://[::1]:53211/", Verifier), (Redirect, Verifier + "x"), (Redirect, CliTokens.ChallengeOf(Verifier)), (Redirect, "short"), (Redirect, new string('x', 200))])
        {
            var code = await CodeAsync(world);
            Assert.Equal("invalid_grant", await ErrorAsync(RedeemAsync(world, code, redirect, verifier)));
            Assert.Equal("invalid_grant", await ErrorAsync(RedeemAsync(world, code)));
        }

        var late = await CodeAsync(world);
        world.Time.Advance(CliAskings.CodeLasts);
        Assert.Equal("invalid_grant", await ErrorAsync(RedeemAsync(world, late)));

        // Neither way takes the other's code, or uses it up.
        var started = await StartAsync(world);
        await AnswerAsync(world, started);
        Assert.Equal("invalid_grant", await ErrorAsync(RedeemAsync(world, started.Secret)));
        Assert.IsType<CliGrant.LetIn>(await PollAsync(world, started));
        Assert.Equal("invalid_grant", await ErrorAsync(world.Get<CliTokens>().PollAsync(await CodeAsync(world), Address, None)));
    }

    [Fact]
    public async Task Code_TriedTwice_EndsWhatItGave()
    {
        await using var world = await World.NewAsync();
        var code = await CodeAsync(world);
        var let = Assert.IsType<CliGrant.LetIn>(await RedeemAsync(world, code));
        Assert.Equal("loopback", let.Login.Kind);
        Assert.Equal("invalid_grant", await ErrorAsync(RedeemAsync(world, code, verifier: "the-thief-who-saw-the-code-has-no-verifier-of-it")));
        Assert.False(await LetsInAsync(world, let.Access));
        Assert.Equal("code_reused", await ReasonAsync(world, let.Login.Id));
    }

    [Fact]
    public async Task Refresh_GivesTheNextTwo_AndWhoShowsAnOldOneEndsIt()
    {
        await using var world = await World.NewAsync();
        var first = await LetInAsync(world);
        world.Time.Advance(TimeSpan.FromMinutes(14));
        var second = Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, first.Refresh));

        // What others of the same person's processes still send is let in until its own end.
        Assert.True(await LetsInAsync(world, first.Access) && await LetsInAsync(world, second.Access));
        world.Time.Advance(CliTokens.LostWithin + TimeSpan.FromSeconds(1));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, first.Refresh)));
        Assert.False(await LetsInAsync(world, second.Access));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, second.Refresh)));
        Assert.Equal("reused", await ReasonAsync(world, first.Login.Id));
    }

    [Fact]
    public async Task Refresh_WhoseAnswerWasLost_IsGivenAgain_AndWhatWasLostIsVoid()
    {
        await using var world = await World.NewAsync();
        var first = await LetInAsync(world);
        var lost = Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, first.Refresh));
        world.Time.Advance(CliTokens.LostWithin);
        var again = Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, first.Refresh));
        Assert.False(await LetsInAsync(world, lost.Access));
        Assert.True(await LetsInAsync(world, again.Access));

        // Whoever has the lost ones is no owner of them, or the other is not: it ends.
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, lost.Refresh)));
        Assert.False(await LetsInAsync(world, again.Access));
        Assert.Equal("reused", await ReasonAsync(world, first.Login.Id));
    }

    [Fact]
    public async Task Refresh_OnceTheNextWasUsed_IsNoLostAnswer()
    {
        await using var world = await World.NewAsync();
        var first = await LetInAsync(world);
        var second = Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, first.Refresh));
        Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, second.Refresh));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, first.Refresh)));
        Assert.Equal("reused", await ReasonAsync(world, first.Login.Id));
    }

    [Fact]
    public async Task Time_UnusedOrInAll_EndsIt()
    {
        await using var world = await World.NewAsync();
        var unused = await LetInAsync(world);
        world.Time.Advance(TimeSpan.FromDays(7));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, unused.Refresh)));

        var used = await LetInAsync(world);
        for (var day = 6; day < 30; day += 6)
        {
            world.Time.Advance(TimeSpan.FromDays(6));
            used = Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, used.Refresh));
        }

        world.Time.Advance(TimeSpan.FromDays(6) - TimeSpan.FromMinutes(1));
        used = Assert.IsType<CliGrant.LetIn>(await RefreshAsync(world, used.Refresh));
        Assert.Equal(TimeSpan.FromMinutes(1), used.AccessLasts);
        world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(await LetsInAsync(world, used.Access));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, used.Refresh)));
    }

    [Fact]
    public async Task SomebodyDisabled_IsOutAtOnce_AndStaysOut()
    {
        await using var world = await World.NewAsync();
        var let = await LetInAsync(world);
        var (waiting, code) = (await StartAsync(world), await CodeAsync(world));
        await AnswerAsync(world, waiting);
        var apply = world.Get<ApplyCatalog>();
        await apply.ApplyAsync(World.Load(World.Catalog.Replace("  ann: {}", "  ann: { disabled: true }", StringComparison.Ordinal)), Actor.Server, None);
        Assert.False(await LetsInAsync(world, let.Access));
        Assert.Equal("access_denied", await ErrorAsync(PollAsync(world, waiting)));
        Assert.Equal("access_denied", await ErrorAsync(RedeemAsync(world, code)));
        Assert.IsType<Outcome<string>.NotFound>(await world.Get<CliAskings>().AllowAsync(Proof(world), Redirect, CliTokens.ChallengeOf(Verifier), Self, None));
        await world.Get<EndLeavers>().EndAsync(Actor.Server, None);
        Assert.Equal("left", await ReasonAsync(world, let.Login.Id));
        await apply.ApplyAsync(World.Load(World.Catalog), Actor.Server, None);
        Assert.False(await LetsInAsync(world, let.Access));
        Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, let.Refresh)));
    }

    [Fact]
    public async Task Revoke_ByEitherToken_EndsBoth_AndTheUnknownIsNoTrouble()
    {
        await using var world = await World.NewAsync();
        var tokens = world.Get<CliTokens>();
        foreach (var byAccess in (bool[])[true, false])
        {
            var let = await LetInAsync(world);
            Assert.True(await tokens.RevokeAsync(byAccess ? let.Access : let.Refresh, None));
            Assert.False(await tokens.RevokeAsync(let.Refresh, None));
            Assert.False(await LetsInAsync(world, let.Access));
            Assert.Equal("invalid_grant", await ErrorAsync(RefreshAsync(world, let.Refresh)));
            Assert.Equal("logged_out", await ReasonAsync(world, let.Login.Id));
        }

        Assert.False(await tokens.RevokeAsync(CliTokens.Prefix + "unknown", None));
        Assert.False(await tokens.RevokeAsync("stint_s_of-another-kind", None));
    }

    [Fact]
    public async Task SignedOutEverywhere_TheCommandLinesAreOut()
    {
        await using var world = await World.NewAsync();
        var (let, others) = (await LetInAsync(world), await StartAsync(world));
        await AnswerAsync(world, others, who: World.Eve);
        var eves = Assert.IsType<CliGrant.LetIn>(await PollAsync(world, others));
        Assert.Equal(1, await world.Store.WriteAsync(work => WebSessions.EndAllAsync(work, World.Ann, "password_set", null, world.Now), None));
        Assert.Equal("password_set", await ReasonAsync(world, let.Login.Id));
        Assert.False(await LetsInAsync(world, let.Access));
        Assert.True(await LetsInAsync(world, eves.Access));
    }

    [Fact]
    public async Task End_OnesOwnOrByAnAdmin_AndNobodyElses_AndTheOldestMakesRoom()
    {
        await using var world = await World.NewAsync();
        var logins = world.Get<CliLogins>();
        var oldest = await LetInAsync(world);
        Assert.IsType<Outcome<CliLogin>.NotFound>(await logins.EndAsync(World.Eve, oldest.Login.Id, None));
        Assert.IsType<Outcome<IReadOnlyList<CliLogin>>.NotYours>(await logins.ListAsync(World.Eve, all: true, None));
        Assert.Equal(oldest.Login.Id, Assert.Single(Assert.IsType<Outcome<IReadOnlyList<CliLogin>>.Done>(await logins.ListAsync(World.Root, all: true, None)).Value).Id);
        for (var i = 1; i < CliLogins.Most; i++)
        {
            await LetInAsync(world);
        }

        Assert.True(await LetsInAsync(world, oldest.Access));
        var newest = await LetInAsync(world);
        Assert.Equal("too_many", await ReasonAsync(world, oldest.Login.Id));
        Assert.IsType<Outcome<CliLogin>.Done>(await logins.EndAsync(World.Root, newest.Login.Id, None));
        Assert.IsType<Outcome<CliLogin>.Refused>(await logins.EndAsync(World.Ann, newest.Login.Id, None));
        Assert.Equal("ended_by_admin", await ReasonAsync(world, newest.Login.Id));
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task NoCodeAndNoToken_StandsInTheLogOrTheStore()
    {
        await using var world = await World.NewAsync();
        var (started, code) = (await StartAsync(world), await CodeAsync(world));
        await AnswerAsync(world, started);
        var (one, two) = (Assert.IsType<CliGrant.LetIn>(await PollAsync(world, started)), Assert.IsType<CliGrant.LetIn>(await RedeemAsync(world, code)));
        await RefreshAsync(world, CliTokens.RefreshPrefix + "typed-into-the-wrong-field");
        var log = string.Concat((await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), None)).Select(fact => fact.Body));
        foreach (var secret in new[] { started.Secret, started.UserCode, code, one.Access, one.Refresh, two.Access, two.Refresh, "typed-into" })
        {
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        }

        Assert.Contains(FactKinds.CliRefused, log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoNodesAtOnce_OneIsAnswered_OneIsLetIn_OnePairCounts()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        for (var round = 0; round < 3; round++)
        {
            var started = await StartAsync(one);
            var answers = await Task.WhenAll(Task.Run(() => AnswerAsync(one, started)), Task.Run(() => AnswerAsync(two, started, yes: true, World.Eve)));
            Assert.Single(answers.OfType<Outcome<CliAsking>.Done>());
            var polls = await Task.WhenAll(Task.Run(() => PollAsync(one, started)), Task.Run(() => PollAsync(two, started)));
            Assert.Single(polls.OfType<CliGrant.LetIn>());

            var let = await LetInAsync(one);
            var pairs = (await Task.WhenAll(Task.Run(() => RefreshAsync(one, let.Refresh)), Task.Run(() => RefreshAsync(two, let.Refresh)))).OfType<CliGrant.LetIn>().ToList();
            var count = 0;
            foreach (var pair in pairs)
            {
                count += await LetsInAsync(two, pair.Access) ? 1 : 0;
            }

            Assert.Equal(1, count);
        }
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Store_RefusesWhatMustNotBe(string kind)
    {
        var place = await TestStore.OpenAsync(kind);
        await using var world = await World.NewAsync(store: place.Store);
        var let = await LetInAsync(world);
        await RefreshAsync(world, let.Refresh);
        await StartAsync(world);
        foreach (var attack in new[]
        {
            "UPDATE cli_askings SET state = 'allowed' WHERE state = 'used'",
            "UPDATE cli_askings SET state = 'used' WHERE state = 'waiting'",
            "UPDATE cli_askings SET state = 'allowed' WHERE state = 'waiting'",
            "UPDATE cli_askings SET expires_at = expires_at + 1",
            "UPDATE cli_askings SET host = 'another' WHERE state = 'waiting'",
            "UPDATE cli_logins SET person = 'eve'",
            "UPDATE cli_logins SET expires_at = expires_at + 1",
            "UPDATE cli_logins SET proved_at = proved_at + 1",
            "INSERT INTO cli_logins (id, kind, person, sign_in, proved_by, proved_at, host, version, address, made_at, used_at, expires_at) VALUES ('cli-x', 'device', 'ann', 'si-x', 'passkey', 1, '', '', '', 2, 2, 3)",
            "UPDATE cli_tokens SET state = 'live', replaced_at = NULL WHERE state = 'replaced'",
            "UPDATE cli_tokens SET access_until = access_until + 1 WHERE state = 'live'",
        })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => place.AttackAsync(attack));
        }

        await world.Get<CliLogins>().EndAsync(World.Ann, let.Login.Id, None);
        await Assert.ThrowsAsync<StoreRefusedException>(() => place.AttackAsync("UPDATE cli_logins SET ended_at = NULL, end_reason = NULL"));
        await world.Store.WriteAsync(async work => await work.ForgetCliAsync(world.Now.AddDays(1), world.Now.AddDays(31)), None);
        Assert.Equal(0, await place.ReadAsync(async reads => await reads.Db.NumberAsync("SELECT (SELECT COUNT(*) FROM cli_askings) + (SELECT COUNT(*) FROM cli_logins) + (SELECT COUNT(*) FROM cli_tokens)")));
    }

    [Theory]
    [InlineData("BDWP-HQRT", "BDWP-HQRT")]
    [InlineData(" bdwp hqrt ", "BDWP-HQRT")]
    [InlineData("bdwphqrt", "BDWP-HQRT")]
    [InlineData("BDWP-HQR", null)]
    [InlineData("BDWP-HQRTT", null)]
    [InlineData("ADWP-HQRT", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void UserCode_Read(string? typed, string? expected) => Assert.Equal(expected, UserCode.Read(typed));

    [Theory]
    [InlineData("http://127.0.0.1:53211/", 53211)]
    [InlineData("http://127.0.0.1:1/", 1)]
    [InlineData("http://[::1]:65535/", 65535)]
    [InlineData("http://127.0.0.1:65536/", null)]
    [InlineData("http://127.0.0.1:0/", null)]
    [InlineData("http://127.0.0.1:080/", null)]
    [InlineData("http://127.0.0.1:/", null)]
    [InlineData("http://127.0.0.1/", null)]
    [InlineData("http://127.0.0.1:80", null)]
    [InlineData("http://127.0.0.1:80/x", null)]
    [InlineData("http://127.0.0.1:80/?a", null)]
    [InlineData("http://127.0.0.1:80/#", null)]
    [InlineData("https://127.0.0.1:80/", null)]
    [InlineData("http://localhost:80/", null)]
    [InlineData("http://127.0.0.1.evil.example:80/", null)]
    [InlineData("http://127.0.0.1:80@evil.example/", null)]
    [InlineData("http://127.0.0.1:80.evil.example/", null)]
    [InlineData("http://user@127.0.0.1:80/", null)]
    [InlineData("http://127.0.0.1:80\\@evil.example/", null)]
    [InlineData("http://127.0.0.1:٣٣/", null)]
    [InlineData("http://[::1]:80@evil.example/", null)]
    [InlineData("http://[::ffff:192.0.2.1]:80/", null)]
    [InlineData("http://2130706433:80/", null)]
    [InlineData("http://127.1:80/", null)]
    [InlineData("HTTP://127.0.0.1:80/", null)]
    [InlineData("//evil.example/", null)]
    [InlineData("javascript:alert(1)", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Loopback_LeadsToThisMachineAlone(string? redirect, int? port) => Assert.Equal(port, Loopback.Read(redirect));
}
