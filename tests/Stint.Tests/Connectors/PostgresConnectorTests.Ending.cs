using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

/// <summary>Ending: sessions that do not want to, and things left in many places.</summary>
public abstract partial class PostgresConnectorTests
{
    private const int Rounds = 12;

    private static readonly string[] Stubborn = [
        // Planning: a join of twelve relations, searched exhaustively.
        "SET geqo = off; SET join_collapse_limit = 30; SET from_collapse_limit = 30; EXPLAIN SELECT 1 FROM " + string.Join(", ", Enumerable.Range(1, 16).Select(n => $"pg_class c{n}")) + " WHERE " + string.Join(" AND ", Enumerable.Range(2, 15).Select(n => $"c{n}.oid = c{n - 1}.relfilenode")),
        "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000000)) TO STDOUT",
        "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(0.01); PERFORM 1 / 0; EXCEPTION WHEN OTHERS OR query_canceled THEN NULL; END; END LOOP; END $$",
        "BEGIN; INSERT INTO app.orders VALUES (1)",
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task CutAndClose_WhateverTheSessionDoes_IsGoneAlways(int kind)
    {
        var (target, account) = await OpenAsync("owner");
        for (var round = 0; round < Rounds; round++)
        {
            // NB. Not disposed of when this fails: that would wait for the session that would not go, and throw in place of what failed.
            var session = await LogInAsync(account);
            var act = BeStubbornAsync(session, Stubborn[kind]);
            await Task.Delay(round * 3);
            var process = session.ProcessID;
            if (round == Rounds - 1)
            {
                await ClosesAsync(target, account);
            }
            else
            {
                var begun = Stopwatch.GetTimestamp();
                IsDone(await Connector.CutAsync(target, account, round % 2 == 0 ? process.ToString(CultureInfo.InvariantCulture) : null, default));
                Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(10));
            }

            Assert.Equal(0L, await _server.AskAsync<long>("postgres", $"SELECT count(*) FROM pg_stat_activity WHERE pid = {process}"));
            await act;
            await session.DisposeAsync();
        }
    }

    [Fact]
    public async Task Cut_OneOfTwo_LeavesTheOther()
    {
        var (target, account) = await OpenAsync("plain");
        await using var one = await LogInAsync(account);
        await using var two = await LogInAsync(account);
        IsDone(await Connector.CutAsync(target, account with { Fence = 1 }, one.ProcessID.ToString(CultureInfo.InvariantCulture), default));
        await PostgresServer.RunAsync(two, "SELECT 1");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => PostgresServer.RunAsync(one, "SELECT 1"));
        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Cut_ProcessOfSomebodyElse_LeavesIt()
    {
        var (target, account) = await OpenAsync("plain");
        await using var theirs = await _server.ConnectAsync(Shop);
        IsDone(await Connector.CutAsync(target, account, theirs.ProcessID.ToString(CultureInfo.InvariantCulture), default));
        await PostgresServer.RunAsync(theirs, "SELECT 1");
        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Close_HolderKeepsTheirOwnRowLocked_IsThrownOut()
    {
        var (target, account) = await OpenAsync("plain");
        await using var session = await LogInAsync(account);
        await PostgresServer.RunAsync(session, $"BEGIN; ALTER ROLE {account.Name} PASSWORD 'mine'");
        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Close_HolderKeepsTheirOwnRowLockedByAPreparedTransaction_IsThrownOut()
    {
        var (target, account) = await OpenAsync("owner");
        var name = $"'it''s {account.Name}'";
        await using var session = await LogInAsync(account, Other);
        await PostgresServer.RunAsync(session, $"BEGIN; ALTER ROLE {account.Name} PASSWORD 'mine'; CREATE TABLE app.pending (id int); PREPARE TRANSACTION {name}");
        try
        {
            await ClosesAsync(target, account);
            Assert.Equal(0L, await PendingAsync());
        }
        finally
        {
            // What it holds would stop every test after this one.
            if (await PendingAsync() > 0)
            {
                await _server.RunAsync(Other, $"ROLLBACK PREPARED {name}");
            }
        }

        Task<long> PendingAsync() => _server.AskAsync<long>("postgres", $"SELECT count(*) FROM pg_prepared_xacts WHERE owner = '{account.Name}'");
    }

    [Theory]
    [InlineData("owner")]
    [InlineData("heir")]
    [InlineData("drop")]
    public async Task Close_ThingsLeftInEveryDatabase_AreHandedOverOrDropped(string role)
    {
        var (target, account) = await OpenAsync(role);
        foreach (var database in new[] { Other, Shop })
        {
            await using var session = await LogInAsync(account, database);
            foreach (var statement in new[]
            {
                "CREATE TABLE app.mine (id serial, note text)",
                "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "CREATE VIEW app.v AS SELECT * FROM app.mine",
                $"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO {Owner}",
                $"GRANT SELECT ON app.mine TO {Owner}",
                "SELECT lo_create(0)",
            })
            {
                await PostgresServer.RunAsync(session, statement);
            }

            await _server.RunAsync(database, $"ALTER DEFAULT PRIVILEGES FOR ROLE {account.Name} GRANT SELECT ON TABLES TO PUBLIC");
        }

        await ClosesAsync(target, account);
        foreach (var database in new[] { Other, Shop })
        {
            var left = await _server.AskAsync<string[]>(database, "SELECT coalesce(array_agg(relname || ':' || relowner::regrole ORDER BY relname), '{}') FROM pg_class WHERE relname IN ('mine', 'v')");
            var heir = role == "heir" ? Owner : Admin;
            Assert.Equal(role == "drop" ? [] : [$"mine:{heir}", $"v:{heir}"], left);
        }

        Assert.False(await _server.AskAsync<bool>("postgres", $"SELECT EXISTS (SELECT FROM pg_auth_members WHERE member = '{Admin}'::regrole AND roleid = '{Owner}'::regrole AND NOT admin_option)"));
    }

    [Fact]
    public async Task Close_SomethingLeftWhereNobodyMayConnect_IsRefusedButThrownOut()
    {
        var (target, account) = await OpenAsync("owner");
        await using (var session = await LogInAsync(account, Other))
        {
            await PostgresServer.RunAsync(session, "CREATE TABLE app.mine (id int)");
        }

        await _server.RunAsync("postgres", $"ALTER DATABASE {Other} ALLOW_CONNECTIONS false");
        var refused = Assert.IsType<VerbOutcome.Refused>(await Connector.CloseAsync(target, account, default));
        Assert.Equal($"ALTER DATABASE \"{Other}\" ALLOW_CONNECTIONS true;", refused.Remedy);
        Assert.False(await LetsInAsync(account, account.Secret!));
        Assert.Contains(await ListAsync(target), one => one.Name == account.Name);
        await _server.RunAsync("postgres", refused.Remedy);
        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Close_OthersDependOnWhatIsDropped_IsRefusedUntilDecided()
    {
        var (target, account) = await OpenAsync("drop");
        await using (var session = await LogInAsync(account))
        {
            await PostgresServer.RunAsync(session, "CREATE TABLE app.mine (id int)");
        }

        await _server.RunAsync(Shop, "CREATE VIEW public.theirs AS SELECT * FROM app.mine");
        var refused = Assert.IsType<VerbOutcome.Refused>(await Connector.CloseAsync(target, account, default));
        Assert.Contains("theirs", refused.Why, StringComparison.Ordinal);
        Assert.False(await LetsInAsync(account, account.Secret!));
        await _server.RunAsync(Shop, $"DROP OWNED BY {account.Name} CASCADE");
        await ClosesAsync(target, account);
    }

    [Fact]
    public async Task Close_GivenThingsByOthers_SaysWhatToRun()
    {
        var (target, account) = await OpenAsync("plain");
        await _server.RunAsync(Shop, $"GRANT SELECT ON public.secrets TO {account.Name}", $"GRANT CONNECT ON DATABASE {Shop} TO {account.Name}");
        var outcome = await Connector.CloseAsync(target, account, default);
        if (superuser)
        {
            IsDone(outcome);
            return;
        }

        var refused = Assert.IsType<VerbOutcome.Refused>(outcome);
        Assert.Contains($"DROP OWNED BY \"{account.Name}\";", refused.Remedy, StringComparison.Ordinal);
        Assert.False(await LetsInAsync(account, account.Secret!));
        await _server.RunAsync(Shop, $"DROP OWNED BY {account.Name}");
        await ClosesAsync(target, account);
    }

    private static async Task BeStubbornAsync(NpgsqlConnection session, string sql)
    {
        try
        {
            if (sql.StartsWith("COPY", StringComparison.Ordinal))
            {
                await using var copy = await session.BeginRawBinaryCopyAsync(sql.Replace("STDOUT", "STDOUT (FORMAT binary)", StringComparison.Ordinal));
                var buffer = new byte[1 << 16];
                while (await copy.ReadAsync(buffer, CancellationToken.None) > 0)
                {
                }
            }
            else
            {
                await PostgresServer.RunAsync(session, sql);
            }
        }
        catch (Exception over) when (over is NpgsqlException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }
}
