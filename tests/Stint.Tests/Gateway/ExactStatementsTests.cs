using System.Text;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Gateway.Postgres;
using Xunit;
using static Stint.Tests.Gateway.RawClient;

namespace Stint.Tests.Gateway;

/// <summary>Sessions that are for exact statements, before a real server, and clients that try to have it run others.</summary>
[Collection(WithTarget.Name)]
public sealed class ExactStatementsTests(TargetServer target)
{
    private const string NotListed = "E ERROR 42501 Stint refused this statement: your access to orders-db/read-only is for exactly";
    private const string OtherParameters = "E ERROR 42501 Stint refused this statement: your access to orders-db/read-only is for it with other parameters.";
    private const string OftenEnough = "E ERROR 42501 Stint refused this statement: it ran as often as your access to orders-db/read-only allows, or that could not be counted.";
    private const string Form = "E ERROR 42501 Stint refused this message: your access to orders-db/read-only is for exact statements, and what it does stands in none of their texts.";

    [Fact]
    public async Task Psql_WhatIsListedRuns_WhatIsNotIsRefusedAndRecorded_AndItGoesOn()
    {
        await using var gateway = await StartAsync("select 'yes'  as a", "select 2; select 3");

        var (code, output, error) = await gateway.PsqlAsync("-c", "select 'yes'  as a;  \n", "-c", "select 'no'", "-c", "select 'yes' as a", "-c", "select 2; select 3", "-c", "select 2");

        Assert.Equal("yes\n2\n3\n", output);
        Assert.Equal(1, code);
        Assert.Equal(3, error.Split("ERROR:  Stint refused this statement: your access to orders-db/read-only is for exactly 2 statements, and this is none of them.").Length - 1);
        Assert.Contains("HINT:  See them: stint status req-000000000001   Ask for another: stint request orders-db/read-only --statement 'SQL'", error, StringComparison.Ordinal);
        var records = await gateway.RecordsAsync();
        var refused = records.OfType<RecordingRecord.Statement>().Single(statement => statement.Text!.Value == "select 'no'");
        var result = records.OfType<RecordingRecord.Result>().Single(result => result.Of == refused.Seq);
        Assert.Equal((StatementOutcome.Failed, "42501"), (result.Outcome, result.Error!.Sqlstate));
        Assert.Equal([(StatementRefusal.NotListed, 1), (StatementRefusal.NotListed, 2), (StatementRefusal.NotListed, 3)], gateway.Gate.Held);
    }

    [Fact]
    public async Task Refused_InATransaction_TheTargetItselfSaysThatItFailed_AndCommitsNothing()
    {
        await using var gateway = await StartAsync("insert into marks values (1)");
        await MarksAsync();
        using var client = await OpenAsync(gateway);

        Assert.Equal(["C BEGIN", "Z T"], await client.AskAsync(Query("Begin;")));
        Assert.Equal(["C INSERT 0 1", "Z T"], await client.AskAsync(Query("insert into marks values (1)")));
        Assert.Equal([NotListed + " one statement, and this is none of them.", "Z E"], await client.AskAsync(Query("insert into marks values (2)")));
        Assert.Equal("E ERROR 25P02 current transaction is aborted, commands ignored until end of transaction block", (await client.AskAsync(Query("insert into marks values (1)")))[0]);
        Assert.Equal(NotListed + " one statement, and this is none of them.", (await client.AskAsync(Query("select 1")))[0]);
        Assert.Equal(["C ROLLBACK", "Z I"], await client.AskAsync(Query("commit")));
        Assert.Equal("0\n", await target.SuperAsync("select count(*) from marks", "shop"));

        // What begins and ends a transaction is the words alone.
        foreach (var more in (string[])["begin read write", "begin; insert into marks values (3)", "commit and chain", "prepare transaction 'x'", "begin/**/", "rollback to savepoint a", "begin  work"])
        {
            Assert.StartsWith(NotListed, (await client.AskAsync(Query(more)))[0], StringComparison.Ordinal);
        }

        Assert.Equal(["C START TRANSACTION", "Z T"], await client.AskAsync(Query("START TRANSACTION ISOLATION LEVEL SERIALIZABLE")));
        Assert.Equal(["I", "Z T"], await client.AskAsync(Query("")));
    }

    [Fact]
    public async Task Extended_ErrorOnceAndNothingUntilSync_AsPostgreSqlDoesIt()
    {
        await using var gateway = await StartAsync("select 1", "insert into marks values (1)");
        await MarksAsync();
        using var client = await OpenAsync(gateway);

        Assert.Equal(["1", "2", "D 1", "C SELECT 1", "Z I"], await client.AskAsync(Parse("", "select 1"), Bind("", ""), Execute(), Sync));
        Assert.Equal(["E", "Z"], Letters(await client.AskAsync(Parse("", "select 2"), Bind("", ""), Message('D', [(byte)'P', 0]), Execute(), Sync)));

        // In one go: what stands before it runs, and is undone with it; what stands behind does not.
        Assert.Equal(
            ["1", "2", "C", "E", "Z"],
            Letters(await client.AskAsync(Parse("", "insert into marks values (1)"), Bind("", ""), Execute(), Parse("", "select 2"), Bind("", ""), Execute(), Parse("", "insert into marks values (1)"), Bind("", ""), Execute(), Sync)));
        Assert.Equal("0\n", await target.SuperAsync("select count(*) from marks", "shop"));
        Assert.Equal(["1", "2", "D 1", "C SELECT 1", "Z I"], await client.AskAsync(Parse("", "select 1;\n"), Bind("", ""), Execute(), Sync));
        Assert.Equal([(StatementRefusal.NotListed, 1), (StatementRefusal.NotListed, 2)], gateway.Gate.Held);
    }

    [Fact]
    public async Task Pipelined_AndCutIntoSingleBytes_EveryMessageIsJudged_InItsOrder()
    {
        await using var gateway = await StartAsync("select 1", "select 'größer'");
        using var client = await OpenAsync(gateway);
        byte[][] all = [Query("select 1"), Query("select 2"), Query("select 'größer'"), Parse("", "select 1"), Bind("", ""), Execute(), Sync, Query("select 3")];

        await client.SendAsync(all);
        List<string> whole = [];
        for (var round = 0; round < 5; round++)
        {
            whole.AddRange(await client.AnswersAsync());
        }

        Assert.Equal(["D 1", "C SELECT 1", "Z I", "E", "Z I", "D größer", "C SELECT 1", "Z I", "1", "2", "D 1", "C SELECT 1", "Z I", "E", "Z I"], whole.ConvertAll(one => one.StartsWith('E') ? "E" : one));
        List<string> cut = [];
        foreach (var value in all.SelectMany(message => message))
        {
            await client.SendAsync([value]);
        }

        for (var round = 0; round < 5; round++)
        {
            cut.AddRange(await client.AnswersAsync());
        }

        Assert.Equal(whole, cut);
    }

    [Fact]
    public async Task Names_GivenAgain_InAStretchThatTheTargetOverlooks_StandForWhatTheyStoodFor()
    {
        await using var gateway = await StartAsync(
            new AskedStatement("insert into marks values ($1::int)", ["1"], false, null),
            new AskedStatement("select $1::int", null, true, null));
        await MarksAsync();
        using var client = await OpenAsync(gateway);
        const string insert = "insert into marks values ($1::int)";
        foreach (var name in (string[])["", "s"])
        {
            Assert.Equal(["1", "Z I"], await client.AskAsync(Parse(name, insert), Sync));
            Assert.Equal(["2", "C INSERT 0 1", "Z I"], await client.AskAsync(Bind("", name, "1"), Execute(), Sync));

            // The target's own error comes first: what follows, it overlooks, and the name means what it meant.
            Assert.Equal(["1", "E", "Z"], Letters(await client.AskAsync(Parse("t", "select $1::int"), Bind("", "t", "no number"), Parse(name, "select $1::int"), Sync)));
            Assert.Equal([OtherParameters, "Z I"], await client.AskAsync(Bind("", name, "666"), Execute(), Sync));
            await client.AskAsync(Message('C', [(byte)'S', (byte)'t', 0]), Sync);
        }

        // A name that is taken: the target refuses the second text, and keeps the first.
        Assert.Equal(["E", "Z"], Letters(await client.AskAsync(Parse("s", "select $1::int"), Sync)));
        Assert.Equal([OtherParameters, "Z I"], await client.AskAsync(Bind("", "s", "666"), Execute(), Sync));

        // Given back, it is nobody's; and what SQL prepared has no text here.
        Assert.Equal(["3", "Z"], Letters(await client.AskAsync(Message('C', [(byte)'S', (byte)'s', 0]), Sync)));
        Assert.Equal([Form, "Z I"], await client.AskAsync(Bind("", "s", "1"), Execute(), Sync));
        Assert.Equal([Form, "Z I"], await client.AskAsync(Execute("nobody"), Sync));
        Assert.Equal("2\n", await target.SuperAsync("select count(*) from marks where n = 1", "shop"));
        Assert.Equal("0\n", await target.SuperAsync("select count(*) from marks where n <> 1", "shop"));
    }

    [Fact]
    public async Task Parameters_AreComparedInTheirTextForm_HoweverTheyCome()
    {
        await using var gateway = await StartAsync(
            new AskedStatement("select $1, $2", ["7", null], false, null),
            new AskedStatement("select $1, $2", ["8", "x"], false, null),
            new AskedStatement("select 5", null, false, null));
        using var client = await OpenAsync(gateway);
        Task<List<string>> Ask(uint type, bool binary, byte[]? one, byte[]? two) => client.AskAsync(Parse("", "select $1, $2", type, 25), Bind("", "", binary, [one, two]), Execute(), Sync);

        Assert.Equal("C SELECT 1", (await Ask(23, false, "7"u8.ToArray(), null))[^2]);
        Assert.Equal("C SELECT 1", (await Ask(23, true, [0, 0, 0, 7], null))[^2]);
        Assert.Equal("C SELECT 1", (await Ask(20, true, [0, 0, 0, 0, 0, 0, 0, 8], "x"u8.ToArray()))[^2]);
        foreach (var (type, binary, one, two) in ((uint, bool, byte[]?, byte[]?)[])[
                     (23, false, "9"u8.ToArray(), null), (23, false, "7 "u8.ToArray(), null), (23, false, "7"u8.ToArray(), "x"u8.ToArray()), (23, false, null, null),
                     (23, true, [0, 0, 0, 9], null), (0, true, [0, 0, 0, 7], null), (25, true, [0, 0, 0, 7], null), (23, true, "7"u8.ToArray(), null)])
        {
            Assert.Equal(["1", OtherParameters, "Z I"], await Ask(type, binary, one, two));
        }

        Assert.Equal([OtherParameters, "Z I"], (await client.AskAsync(Parse("", "select $1, $2"), Bind("", "", "7"), Execute(), Sync))[1..]);
        Assert.Equal([OtherParameters, "Z I"], (await client.AskAsync(Parse("", "select 5"), Bind("", "", "7"), Execute(), Sync))[1..]);
        Assert.Equal([OtherParameters, "Z I"], await client.AskAsync(Query("select $1, $2")));

        // A message that says of itself what it is not.
        Assert.Equal([Form, "Z I"], await client.AskAsync(Message('B', [0, 0, 0, 0, 0xff, 0xff]), Sync));
    }

    [Fact]
    public async Task Forms_ThatCarryWhatNoTextSays_DoNotGoThrough()
    {
        await using var gateway = await StartAsync("copy marks from stdin", "select 1");
        await MarksAsync();
        using var client = await OpenAsync(gateway);

        Assert.Equal([Form, "Z I"], await client.AskAsync(Message('F', [0, 0, 0, 100, 0, 0, 0, 0, 0, 0])));
        await client.SendAsync(Query("copy marks from stdin"), Message('d', "5\n"u8.ToArray()), Message('d', "6\n"u8.ToArray()), Message('c'));
        Assert.Equal(["G", Form, "Z I"], await client.AnswersAsync());

        // The target overlooks the Sync before the data: nobody waits for its answer.
        Assert.Equal(["1", "2", "Z I"], await CopyAsync());
        Assert.Equal(["D 1", "C SELECT 1", "Z I"], await client.AskAsync(Message('d', "5\n"u8.ToArray()), Query("select 1")));
        Assert.Equal("0\n", await target.SuperAsync("select count(*) from marks", "shop"));

        // Texts that end early, hide a second statement, or are longer than anything that is listed.
        foreach (var text in (string[])["select 1\0; select 2", "select 1;select 2", "select 1--\n;select 2", "select/**/1", " select 1", "SELECT 1", "select 1\u00a0", "select 1\ufeff", new string(' ', 3_000_000) + "select 1"])
        {
            Assert.StartsWith(NotListed, (await client.AskAsync(PostgresMessages.Frame((byte)'Q', Encoding.UTF8.GetBytes(text), [0])))[0], StringComparison.Ordinal);
        }

        // A query in the middle: nobody could say whether the target would overlook it.
        await client.SendAsync(Parse("", "select 1"), Query("select 1"));
        var told = await client.NextAsync();
        Assert.StartsWith("E FATAL 08P01", told == "1" ? await client.NextAsync() : told, StringComparison.Ordinal);

        async Task<List<string>> CopyAsync()
        {
            await client.SendAsync(Parse("", "copy marks from stdin"), Bind("", ""), Execute(), Sync);
            Assert.Equal(["1", "2", "G"], [await client.NextAsync(), await client.NextAsync(), await client.NextAsync()]);
            Assert.Equal([Form, "Z I"], await client.AskAsync(Message('d', "7\n"u8.ToArray()), Message('c'), Sync));
            return ["1", "2", "Z I"];
        }
    }

    [Fact]
    public async Task Times_AreCountedBeforeItRuns_AndWhatCannotBeCountedDoesNot()
    {
        await using var gateway = await StartAsync(new AskedStatement("insert into marks values (1)", null, false, 2), new AskedStatement("select 1", null, false, null));
        await MarksAsync();
        using var client = await OpenAsync(gateway);
        const string insert = "insert into marks values (1)";

        Assert.Equal("C INSERT 0 1", (await client.AskAsync(Query(insert)))[0]);
        Assert.Equal(["1", "2", "C INSERT 0 1", "E", "Z I"], (await client.AskAsync(Parse("", insert), Bind("", ""), Execute(), Execute(), Sync)).ConvertAll(one => one.StartsWith('E') ? "E" : one));
        Assert.Equal([OftenEnough, "Z I"], await client.AskAsync(Query(insert)));
        Assert.Equal("C SELECT 1", (await client.AskAsync(Query("select 1")))[^2]);
        gateway.Gate.Counted.Clear();
        gateway.Gate.CountFails = new InvalidOperationException("away");
        Assert.Equal([OftenEnough, "Z I"], await client.AskAsync(Query(insert)));
        Assert.Equal("1\n", await target.SuperAsync("select count(*) from marks", "shop"));
    }

    [Fact]
    public async Task Ended_WhileItIsCounted_NothingReachesTheTarget()
    {
        await using var gateway = await StartAsync(new AskedStatement("insert into marks values (1)", null, false, 2));
        await MarksAsync();
        gateway.Gate.Counting = new TaskCompletionSource();
        using var client = await OpenAsync(gateway);
        await client.SendAsync(Query("insert into marks values (1)"));
        await gateway.Gate.BegunCounting.Task.WaitAsync(TimeSpan.FromSeconds(10));

        gateway.Gate.Sessions.Single().Give(new SessionOrder.Cut(SessionEndReason.Killed, "Killed by bob.", null));
        Assert.Equal("E FATAL 57P01 Killed by bob.", await client.NextAsync());
        gateway.Gate.Counting.SetResult();

        Assert.Equal(SessionEndReason.Killed, (await gateway.EndOfAsync(gateway.Gate.Sessions.Single().Id)).Reason);
        Assert.Equal("0\n", await target.SuperAsync("select count(*) from marks", "shop"));
    }

    [Fact]
    public async Task Startup_WhatChangesTheMeaningOfStatements_IsRefused_AndWhatDoesNotIsNot()
    {
        await using var gateway = await StartAsync("select 1", "set client_encoding = 'LATIN1'");
        foreach (var (name, value) in ((string, string)[])[
                     ("options", "-c search_path=evil"), ("search_path", "evil"), ("Search_Path", "evil"), ("role", "postgres"), ("session_authorization", "x"),
                     ("client_encoding", "LATIN1"), ("DateStyle", "DMY"), ("TimeZone", "America/New_York"), ("standard_conforming_strings", "off")])
        {
            Assert.StartsWith($"E FATAL 42501 Your access is for exact statements, and a connection under it does not set {name}.", await RefusedAsync(gateway, new KeyValuePair<string, string>(name, value)), StringComparison.Ordinal);
        }

        using var client = await OpenAsync(gateway, new("application_name", "x"), new("client_encoding", "utf-8"), new("DateStyle", "ISO"), new("TimeZone", "UTC"), new("extra_float_digits", "2"));
        Assert.Equal("C SELECT 1", (await client.AskAsync(Query("select 1")))[^2]);
        Assert.Equal(["C SET", "Z I"], await client.AskAsync(Query("set client_encoding = 'LATIN1'")));
        Assert.StartsWith("E ERROR 42501 Stint refused this statement: this session reads texts in another encoding", (await client.AskAsync(Query("select 1")))[0], StringComparison.Ordinal);
        Assert.Equal(StatementRefusal.Encoding, gateway.Gate.Held.Single().Why);
    }

    [Fact]
    public async Task Npgsql_WithTheSettingsThatTheGuideNames_WorksFromItsPool()
    {
        await using var gateway = await StartAsync(
            new AskedStatement("insert into marks values ($1)", ["7"], false, 2),
            new AskedStatement("select n from marks where n = $1", null, true, null));
        await MarksAsync();
        await using var source = Npgsql.NpgsqlDataSource.Create(
            $"Host=127.0.0.1;Port={gateway.Port};Username={TestGate.Login};Password={TestGate.Secret};Database=shop;SSL Mode=Disable;Server Compatibility Mode=NoTypeLoading;No Reset On Close=true;Maximum Pool Size=1");
        for (var round = 0; round < 2; round++)
        {
            await using var connection = await source.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var insert = new Npgsql.NpgsqlCommand("insert into marks values ($1)", connection, transaction) { Parameters = { new() { Value = 7 } } };
            Assert.Equal(1, await insert.ExecuteNonQueryAsync());
            await transaction.CommitAsync();
            await using var select = new Npgsql.NpgsqlCommand("select n from marks where n = $1", connection) { Parameters = { new() { Value = 7 } } };
            Assert.Equal(7, await select.ExecuteScalarAsync());
        }

        await using var again = await source.OpenConnectionAsync();
        foreach (var value in (int[])[7, 8])
        {
            await using var insert = new Npgsql.NpgsqlCommand("insert into marks values ($1)", again) { Parameters = { new() { Value = value } } };
            Assert.Equal("42501", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => insert.ExecuteNonQueryAsync())).SqlState);
        }

        Assert.Equal([StatementRefusal.Times, StatementRefusal.Parameters], gateway.Gate.Held.Select(told => told.Why));
        Assert.Equal("2\n", await target.SuperAsync("select count(*) from marks", "shop"));
    }

    [Fact]
    public async Task ManyRefusals_AreToldLessAndLess()
    {
        await using var gateway = await StartAsync("select 1");
        using var client = await OpenAsync(gateway);
        for (var round = 0; round < 40; round++)
        {
            await client.AskAsync(Query($"select {round + 2}"));
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32], gateway.Gate.Held.Select(told => told.Count));
    }

    private Task<TestGateway> StartAsync(params string[] statements) => TestGateway.StartAsync(target, gate: gate => gate.Statements = ExactStatements.Of(statements));

    private Task<TestGateway> StartAsync(params AskedStatement[] statements) => TestGateway.StartAsync(
        target,
        gate: gate => gate.Statements = ExactStatements.Check([new AskedDetail(ExactStatements.Type, statements)], (where, what, _) => Assert.Fail($"{where}: {what}")));

    private Task<string> MarksAsync() => target.SuperAsync("drop table if exists marks; create table marks (n int); grant all on marks to " + TargetServer.Account, "shop");

    private static List<string> Letters(List<string> answers) => answers.ConvertAll(answer => answer[..1]);
}
