using Npgsql;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

/// <summary>What an account may do, and what the server and Stint say.</summary>
public abstract partial class PostgresConnectorTests
{
    [Fact]
    public async Task Open_Statements_GiveJustThat()
    {
        var (target, account) = await OpenAsync("reader");
        await using (var session = await LogInAsync(account))
        {
            await PostgresServer.RunAsync(session, "SELECT * FROM public.parts");
            var no = await Assert.ThrowsAsync<PostgresException>(() => PostgresServer.RunAsync(session, "SELECT * FROM public.secrets"));
            Assert.Equal("42501", no.SqlState);
        }

        IsDone(await Connector.OpenAsync(target, account with { Fence = 11 }, default));
        await ClosesAsync(target, account with { Fence = 11 });
    }

    [Fact]
    public async Task Open_StatementsInTwoDatabases_HoldInBoth()
    {
        var (target, account) = await OpenAsync("both");
        foreach (var database in new[] { Shop, Other })
        {
            await using var session = await LogInAsync(account, database);
            await PostgresServer.RunAsync(session, "SELECT * FROM public.parts");
        }

        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Open_HostileRoleName_IsJoinedAndNothingElseHappens()
    {
        var (target, account) = await OpenAsync("odd");
        await using (var session = await LogInAsync(account))
        {
            await PostgresServer.RunAsync(session, "INSERT INTO app.orders VALUES (101)");
            await PostgresServer.RunAsync(session, $"SET ROLE {Quote(Odd)}");
        }

        await ClosesAsync(target, account);
        Assert.True(await StandsAsync("postgres"));
    }

    [Fact]
    public async Task Open_RoleNowNamesOtherMemberships_LeavesOnlyThose()
    {
        var (target, account) = await OpenAsync("odd");
        IsDone(await Connector.OpenAsync(target, account with { Role = target.Resource.Roles["owner"] }, default));
        var names = await _server.AskAsync<string[]>("postgres", $"SELECT array_agg(roleid::regrole::text) FROM pg_auth_members WHERE member = '{account.Name}'::regrole");
        Assert.Equal([Owner], names);
        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Open_SessionDefaults_Hold()
    {
        var target = TargetOf(null, ("set", Short.Settings(("set", new[] { "statement_timeout=5min", "search_path=app, public", "application_name=it's" }), ("connection_limit", 1L))));
        var account = NewAccount(target, "set");
        IsDone(await Connector.OpenAsync(target, account, default));
        await using (var session = await LogInAsync(account))
        {
            await using var command = new NpgsqlCommand("SELECT current_setting('statement_timeout') || '|' || current_setting('search_path')", session);
            Assert.Equal("5min|app, public", await command.ExecuteScalarAsync());
            var full = await Assert.ThrowsAsync<PostgresException>(() => LogInAsync(account));
            Assert.Equal("53300", full.SqlState);
        }

        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Open_ForeignRoleOfThatName_IsRefusedAndUntouched()
    {
        var target = TargetOf();
        var account = NewAccount(target, "plain");
        await _server.RunAsync("postgres", $"CREATE ROLE {account.Name} LOGIN PASSWORD 'theirs'");
        Assert.IsType<VerbOutcome.Refused>(await Connector.OpenAsync(target, account, default));
        Assert.IsType<VerbOutcome.Refused>(await Connector.CloseAsync(target, account, default));
        Assert.IsType<VerbOutcome.Refused>(await Connector.CutAsync(target, account, null, default));
        Assert.True(await LetsInAsync(account, "theirs"));
        await _server.RunAsync("postgres", $"DROP ROLE {account.Name}");
    }

    [Fact]
    public async Task Verbs_EverySecret_StaysOutOfTheServersLog()
    {
        var (target, account) = await OpenAsync("reader");
        await ClosesAsync(target, account);
        var log = await _server.ReadLogAsync();
        Assert.Contains(account.Name, log, StringComparison.Ordinal);
        Assert.DoesNotContain(account.Secret!, log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_AllPowerThere_IsDoneAndLeavesNothing()
    {
        var target = TargetOf();
        IsDone(await Connector.CheckAsync(target, default));
        Assert.Equal(0L, await _server.AskAsync<long>("postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'stint\\_check%'"));
    }

    [Fact]
    public async Task Check_StatementsBeyondItsPower_NamesTheGrant()
    {
        var target = TargetOf(null, ("bad", Short.Settings(("sql", new[] { "GRANT SELECT ON public.secrets TO {role}" }))));
        var outcome = await Connector.CheckAsync(target, default);
        if (superuser)
        {
            IsDone(outcome);
            return;
        }

        var refused = Assert.IsType<VerbOutcome.Refused>(outcome);
        Assert.Contains($"GRANT SELECT ON public.secrets TO \"{Admin}\" WITH GRANT OPTION;", refused.Remedy, StringComparison.Ordinal);
        Assert.Equal(refused with { Why = "" }, Assert.IsType<VerbOutcome.Refused>(await Connector.OpenAsync(target, NewAccount(target, "bad"), default)) with { Why = "" });

        await _server.RunAsync(Shop, $"GRANT SELECT ON public.secrets TO {Admin} WITH GRANT OPTION");
        IsDone(await Connector.CheckAsync(target, default));
    }

    [Fact]
    public async Task Check_PartOfTheGrantSkippedWithAWarning_IsRefused()
    {
        if (!superuser)
        {
            await _server.RunAsync(Shop, $"GRANT SELECT ON public.secrets TO {Admin}");
        }

        var target = TargetOf(null, ("bad", Short.Settings(("sql", new[] { "GRANT SELECT ON public.secrets TO {role}" }))));
        Assert.Equal(superuser, await Connector.CheckAsync(target, default) is VerbOutcome.Done);
        Assert.Equal(superuser, await Connector.OpenAsync(target, NewAccount(target, "bad"), default) is VerbOutcome.Done);
    }

    [Fact]
    public async Task Check_MembershipNotItsToGive_NamesTheGrant()
    {
        await _server.RunAsync("postgres", $"CREATE ROLE {Owner}_2");
        var target = TargetOf(null, ("bad", Short.Settings(("member_of", new[] { $"{Owner}_2" }))));
        var outcome = await Connector.CheckAsync(target, default);
        if (superuser || version < 16)
        {
            IsDone(outcome);
            return;
        }

        var remedy = Assert.IsType<VerbOutcome.Refused>(outcome).Remedy;
        Assert.Equal($"GRANT \"{Owner}_2\" TO \"{Admin}\" WITH ADMIN OPTION;", remedy);
        await _server.RunAsync("postgres", remedy);
        IsDone(await Connector.CheckAsync(target, default));
    }

    [Fact]
    public async Task Check_NoCreateRole_NamesTheAttribute()
    {
        await _server.RunAsync("postgres", $"ALTER ROLE {Admin} NOSUPERUSER NOCREATEROLE");
        var target = TargetOf();
        Assert.Equal($"ALTER ROLE \"{Admin}\" CREATEROLE;", Assert.IsType<VerbOutcome.Refused>(await Connector.CheckAsync(target, default)).Remedy);
        Assert.Equal($"ALTER ROLE \"{Admin}\" CREATEROLE;", Assert.IsType<VerbOutcome.Refused>(await Connector.OpenAsync(target, NewAccount(target, "plain"), default)).Remedy);
    }

    [Fact]
    public async Task Check_RoleUnknown_SaysSo()
    {
        var target = TargetOf(null, ("bad", Short.Settings(("member_of", new[] { "nobody_knows_me" }))));
        Assert.Contains("nobody_knows_me", Assert.IsType<VerbOutcome.Refused>(await Connector.CheckAsync(target, default)).Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_WrongPasswordHostOrCertificate_IsToldApartAndKeepsSecrets()
    {
        var wrong = await Connector.CheckAsync(OneRole(Base(("password", new SecretRef(SecretSource.Env, "WRONG")))), default);
        Assert.DoesNotContain("canary", Assert.IsType<VerbOutcome.Refused>(wrong).ToString(), StringComparison.Ordinal);
        Assert.IsType<VerbOutcome.Refused>(await Connector.CheckAsync(OneRole(Base(("password", new SecretRef(SecretSource.Env, "ABSENT")))), default));
        Assert.IsType<VerbOutcome.Refused>(await Connector.CheckAsync(OneRole(Base(("database", "no_such_database"))), default));
        Assert.IsType<VerbOutcome.Refused>(await Connector.CheckAsync(OneRole(Base(("tls", "verify-full"))), default));
        IsDone(await Connector.CheckAsync(OneRole(Base(("tls", "verify-full"), ("tls_root_cert", _server.Certificate))), default));
        IsDone(await Connector.CheckAsync(OneRole(Base(("tls", "verify-full"), ("tls_root_cert", _server.Certificate), ("host", "localhost"))), default));
        foreach (var tls in new[] { "disable", "allow", "prefer", "require" })
        {
            IsDone(await Connector.CheckAsync(OneRole(Base(("tls", tls))), default));
        }

        Assert.IsType<VerbOutcome.Unreachable>(await Connector.CheckAsync(OneRole(Base(("port", 1L))), default));
        Assert.IsType<Listing.Failed>(await Connector.ListAsync(OneRole(Base(("port", 1L))), default));
        Assert.IsType<VerbOutcome.Refused>(await Connector.CheckAsync(OneRole(Base(("tls_root_cert", "/no/such/file"), ("tls", "verify-ca"))), default));
    }
}
