using System.Globalization;
using Npgsql;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Real clients through the gateway: each does its work, and what the database counted is what was recorded.</summary>
public sealed class ClientTests(OpenShop open) : IClassFixture<OpenShop>
{
    private const string Pgbench = "pgbench";

    [Theory]
    [InlineData("simple")]
    [InlineData("extended")]
    [InlineData("prepared")]
    public async Task Pgbench_EachProtocol_IsRecordedStatementForStatement(string protocol)
    {
        await BenchTablesAsync();
        await using var work = await Work.BeginAsync(open, "orders-db/strict");

        var ran = await work.RunAsync(Pgbench, "-n", "-M", protocol, "-f", await BenchScriptAsync(protocol), "-c", "4", "-j", "2", "-t", "100");

        Assert.Contains("number of transactions actually processed: 400/400", ran.Good(), StringComparison.Ordinal);
        await work.AssertAllRecordedAsync(atLeast: 4 * 100 * 5);
    }

    [Fact]
    public async Task Psql_ManyStatements_AreRecordedStatementForStatement()
    {
        await using var work = await Work.BeginAsync(open, "orders-db/writer");
        var script = string.Join('\n', Enumerable.Range(1, 200).Select(n => $"select {n}, count(*) from orders where id <= {n};"))
            + "\nbegin;\nupdate orders set state = 'new' where id = 1;\nsavepoint s;\nrollback to s;\ncommit;\n"
            + "create temp table t (a int);\ninsert into t select generate_series(1, 1000);\ndeclare c cursor with hold for select * from t;\nfetch 10 from c;\nclose c;\nselect 'NUL-free ünïcödé \U0001F511';\n";

        var ran = await work.RunAsync("psql", ["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"], script);

        Assert.Contains("ünïcödé", ran.Good(), StringComparison.Ordinal);
        await work.AssertAllRecordedAsync(atLeast: 211);
    }

    [Fact]
    public async Task NodePg_QueriesWithParameters_AreRecordedStatementForStatement()
    {
        await using var work = await Work.BeginAsync(open, "orders-db/writer");
        const string Program = """
            const { Pool } = require("pg");
            const pool = new Pool({ max: 4 });
            (async () => {
                let sum = 0;
                await Promise.all(Array.from({ length: 200 }, async (_, n) => {
                    const { rows } = await pool.query("select count(*)::int as n from orders where id <= $1", [n]);
                    sum += rows[0].n;
                }));
                const named = await pool.query({ name: "by-id", text: "select state from orders where id = $1", values: [2] });
                console.log(sum, named.rows.length);
                await pool.end();
            })().catch(e => { console.error(e); process.exit(1); });
            """;
        var modules = (await Tool.RunAsync(Checkout.Eng("servers"), ["modules"])).Good().Trim();

        var ran = await work.RunAsync("node", ["-e", Program], variables: ("NODE_PATH", modules));

        Assert.Equal("19900 1", ran.Good().Trim());
        await work.AssertAllRecordedAsync(atLeast: 201);
    }

    /// <param name="prepared">
    /// A connection that holds prepared statements is reset by seven statements in one text, one without them by a single one.
    /// </param>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task Npgsql_PoolOfConnections_IsRecordedStatementForStatement(int prepared)
    {
        await using var work = await Work.BeginAsync(open, "orders-db/writer");
        var text = work.Login.Npgsql;
        text.Pooling = true;
        text.MaxPoolSize = 6;
        text.MaxAutoPrepare = prepared;
        long sum = 0;

        await using (var source = NpgsqlDataSource.Create(text.ConnectionString))
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (n, cancellation) =>
            {
                await using var connection = await source.OpenConnectionAsync(cancellation);
                await using var command = new NpgsqlCommand("select count(*) from orders where id <= $1", connection);
                command.Parameters.Add(new NpgsqlParameter { Value = n });
                Interlocked.Add(ref sum, (long)(await command.ExecuteScalarAsync(cancellation))!);
            });
            await using var batched = await source.OpenConnectionAsync();
            await using var batch = new NpgsqlBatch(batched)
            {
                BatchCommands = { new("select 1"), new("update orders set state = 'new' where id = 3"), new("select 2") },
            };
            await batch.ExecuteNonQueryAsync();
        }

        Assert.Equal(44850, sum);
        await work.AssertAllRecordedAsync(atLeast: 303);
    }

    [Fact]
    public async Task PgDump_ThroughTheGateway_IsTheDumpTakenDirectly()
    {
        await using var work = await Work.BeginAsync(open, "orders-db/read-only");

        var through = (await work.RunAsync("pg_dump", "-t", "orders", "-t", "customers")).Good();

        var direct = (await Tool.RunAsync("pg_dump", ["-t", "orders", "-t", "customers"], open.Shop.AsSuperuser)).Good();
        Assert.Contains("COPY public.orders", through, StringComparison.Ordinal);
        Assert.Equal(Comparable(direct), Comparable(through));
    }

    [Fact]
    public async Task Npgsql_LargeValueAndListen_ComeThroughWhole()
    {
        await using var work = await Work.BeginAsync(open, "orders-db/writer");
        await using var connection = new NpgsqlConnection(work.Login.Npgsql.ConnectionString);
        await connection.OpenAsync();
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Notification += (_, e) => heard.TrySetResult(e.Payload);
        await using (var listen = new NpgsqlCommand("listen shop_news", connection))
        {
            await listen.ExecuteNonQueryAsync();
        }

        var blob = new byte[48 * 1024 * 1024];
        new Random(7).NextBytes(blob);
        await using var echo = new NpgsqlCommand("select $1::bytea", connection);
        echo.Parameters.Add(new NpgsqlParameter { Value = blob });
        var back = (byte[])(await echo.ExecuteScalarAsync())!;
        await open.Shop.Server.RunAsync("select pg_notify('shop_news', 'a new order')", open.Shop.Database);
        await connection.WaitAsync(TimeSpan.FromSeconds(10));

        Assert.True(blob.AsSpan().SequenceEqual(back));
        Assert.Equal("a new order", await heard.Task.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task Cancel_FromTheClient_StopsTheQueryAndKeepsTheSession()
    {
        await using var work = await Work.BeginAsync(open, "orders-db/writer");
        await using var connection = new NpgsqlConnection(work.Login.Npgsql.ConnectionString);
        await connection.OpenAsync();
        await using var sleep = new NpgsqlCommand("select pg_sleep(60)", connection);

        var running = sleep.ExecuteNonQueryAsync();
        await Until.TrueAsync("the query runs", TimeSpan.FromSeconds(10), async () => await open.Shop.Server.AskAsync<long>(
            "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'") == 1);
        sleep.Cancel();
        var given = await Assert.ThrowsAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(15)));
        var stopped = Assert.IsType<PostgresException>(given.InnerException);
        await using var after = new NpgsqlCommand("select 41 + 1", connection);

        Assert.Equal("57014", stopped.SqlState);
        Assert.Equal(42, (int)(await after.ExecuteScalarAsync())!);
    }

    [Fact]
    public async Task Replication_IsRefusedInWords()
    {
        await using var work = await Work.BeginAsync(open, "orders-db/read-only");

        var refused = await work.RunAsync("psql", ["dbname=postgres replication=database", "-c", "IDENTIFY_SYSTEM"]);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("replication", refused.Error, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Tables for pgbench, owned by the shop's owner; made once.</summary>
    private async Task BenchTablesAsync()
    {
        var there = await open.Shop.Server.AskAsync<bool>("select to_regclass('pgbench_accounts') is not null", open.Shop.Database);
        if (!there)
        {
            (await Tool.RunAsync(Pgbench, ["-i", "-q", "-s", "1"], open.Shop.AsSuperuser)).Good();
            foreach (var table in (string[])["accounts", "branches", "tellers", "history"])
            {
                await open.Shop.Server.RunAsync($"alter table pgbench_{table} owner to {open.Shop.Owner}", open.Shop.Database);
            }
        }
    }

    /// <summary>
    /// What pgbench's own script does. In prepared mode without its BEGIN and END: PostgreSQL 15 forgets to count a
    /// prepared statement without a plan from its second execution on.
    /// </summary>
    private static async Task<string> BenchScriptAsync(string protocol)
    {
        string[] work =
        [
            "update pgbench_accounts set abalance = abalance + :delta where aid = :aid;",
            "select abalance from pgbench_accounts where aid = :aid;",
            "update pgbench_tellers set tbalance = tbalance + :delta where tid = :tid;",
            "update pgbench_branches set bbalance = bbalance + :delta where bid = 1;",
            "insert into pgbench_history (tid, bid, aid, delta, mtime) values (:tid, 1, :aid, :delta, current_timestamp);",
        ];
        string[] whole = protocol == "prepared" ? work : ["begin;", .. work, "end;"];
        var path = Path.Combine(RunFolder.Make(Pgbench), "work.sql");
        await File.WriteAllLinesAsync(path, (string[])["\\set aid random(1, 100000)", "\\set tid random(1, 10)", "\\set delta random(-5000, 5000)", .. whole]);
        return path;
    }

    /// <summary>Newer pg_dump frames its output with a random word, which differs from dump to dump.</summary>
    private static string Comparable(string dump) => string.Join(
        '\n', dump.Split('\n').Where(line => !line.StartsWith(@"\restrict", StringComparison.Ordinal) && !line.StartsWith(@"\unrestrict", StringComparison.Ordinal)));

    /// <summary>One grant of Ann's and what is done under it.</summary>
    private sealed class Work : IAsyncDisposable
    {
        private readonly OpenShop _open;
        private readonly string _grant;
        private readonly long _account;

        private Work(OpenShop open, string grant, Login login, long account)
        {
            _open = open;
            _grant = grant;
            Login = login;
            _account = account;
        }

        public Login Login { get; }

        public static async Task<Work> BeginAsync(OpenShop open, string role)
        {
            var grant = await open.Ann.OpenAsync(role, 1800);
            await open.Shop.Server.RunAsync("create extension if not exists pg_stat_statements", open.Shop.Database);
            var login = await open.Ann.LoginAsync(grant);
            var account = (await Tool.RunAsync("psql", ["-X", "-Atc", "select oid from pg_roles where rolname = session_user"], login.Environment)).Good();
            return new Work(open, grant, login, long.Parse(account, CultureInfo.InvariantCulture));
        }

        public Task<Output> RunAsync(string program, params string[] arguments) => RunAsync(program, arguments, null);

        public Task<Output> RunAsync(string program, string[] arguments, string? input = null, (string Name, string Value)? variables = null)
        {
            var environment = new Dictionary<string, string?>(Login.Environment);
            if (variables is { } more)
            {
                environment[more.Name] = more.Value;
            }

            return Tool.RunAsync(program, arguments, environment, input, TimeSpan.FromSeconds(120));
        }

        /// <summary>Whether what PostgreSQL counted for the account is what the recordings of its sessions hold.</summary>
        public async Task AssertAllRecordedAsync(long atLeast)
        {
            var sessions = await Until.SeenAsync("the sessions ended", TimeSpan.FromSeconds(10), async () =>
            {
                var all = (await _open.Carol.GetAsync($"sessions?grant={_grant}&limit=200")).GetProperty("items").EnumerateArray().ToList();
                return all.All(session => session.GetProperty("state").GetString() == "ended") ? all : null;
            });
            var recorded = sessions.Sum(session => session.GetProperty("statements").GetInt64());
            var counted = await _open.Shop.Server.AskAsync<decimal>(
                $"select coalesce(sum(calls), 0) from pg_stat_statements where userid = {_account}", _open.Shop.Database);

            Assert.True(counted >= atLeast, $"PostgreSQL counted only {counted}");
            Assert.Equal(counted, recorded);
        }

        /// <summary>Hands the access back and waits until its account is gone: the next work must not join it.</summary>
        public async ValueTask DisposeAsync()
        {
            await _open.Ann.PostAsync($"grants/{_grant}/end", new { });
            await _open.Ann.ClosedAsync(_grant);
        }
    }
}
