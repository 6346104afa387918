using Stint.Core.Sessions;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>Real clients, a real server, the gateway in between.</summary>
[Collection(WithTarget.Name)]
public sealed class RealClientsTests(TargetServer target)
{
    [Fact]
    public async Task Psql_SimpleStatements_AreAnsweredAndRecorded()
    {
        await using var gateway = await TestGateway.StartAsync(target);

        var (code, output, error) = await gateway.PsqlAsync("-c", "select 40 + 2; select 'two'", "-c", "select 1/0");

        Assert.Equal(1, code);
        Assert.Equal("42\ntwo\n", output);
        Assert.Contains("division by zero", error, StringComparison.Ordinal);
        var records = await gateway.RecordsAsync();
        var header = Assert.IsType<RecordingRecord.SessionStart>(records[0]).Header;
        Assert.Equal(("ann", "orders-db/read-only", "psql", "shop", "test-node"), (header.Subject.Value, header.Role.ToString(), header.Application, header.Database, header.Node));
        Assert.Equal(["select 40 + 2; select 'two'", "select 1/0"], records.OfType<RecordingRecord.Statement>().Select(statement => statement.Text!.Value));
        var results = records.OfType<RecordingRecord.Result>().ToList();
        Assert.Equal([StatementOutcome.Completed, StatementOutcome.Completed, StatementOutcome.Failed], results.Select(result => result.Outcome));
        Assert.Equal([0, 1, 0], results.Select(result => result.Index));
        Assert.Equal("SELECT 1", results[0].Tag);
        Assert.Equal(1, results[0].Rows);
        Assert.Equal("22012", results[2].Error!.Sqlstate);
        Assert.Equal(SessionEndReason.ClientLeft, Assert.IsType<RecordingRecord.SessionClosed>(records[^1]).Reason);
    }

    [Fact]
    public async Task LargeCopy_BothDirections_MemoryStaysFlat()
    {
        await target.SuperAsync("drop table if exists bulk; create unlogged table bulk (t text); grant all on bulk to " + TargetServer.Account, "shop");
        await using var gateway = await TestGateway.StartAsync(target);
        var file = Path.GetTempFileName();
        await gateway.PsqlAsync("-c", "select 1");
        GC.Collect();
        var before = Environment.WorkingSet;

        var (code, _, error) = await gateway.PsqlAsync(
            "-c", $"\\copy (select repeat('x', 1000) from generate_series(1, 200000)) to '{file}'",
            "-c", $"\\copy bulk from '{file}'",
            "-c", "select length(repeat('y', 200000000))",
            "-o", "/dev/null", "-c", "select repeat('y', 200000000)");
        var grown = Environment.WorkingSet - before;

        File.Delete(file);
        Assert.True(code == 0, error);
        Assert.True(grown < 96 * 1024 * 1024, $"{grown >> 20} MiB more than before");
        Assert.Equal("200000\n", await target.SuperAsync("select count(*) from bulk", "shop"));
        await target.SuperAsync("drop table bulk", "shop");
    }

    [Theory]
    [InlineData("simple")]
    [InlineData("extended")]
    [InlineData("prepared")]
    public async Task Pgbench_EveryTransaction_IsRecordedAsTheServerCountsIt(string mode)
    {
        await target.SuperAsync("drop table if exists numbers; create table numbers as select n from generate_series(1, 1000) n; grant all on numbers to " + TargetServer.Account + "; select pg_stat_statements_reset()", "shop");
        await using var gateway = await TestGateway.StartAsync(target);
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, "\\set n random(1, 1000)\nselect n from numbers where n = :n;\nupdate numbers set n = n where n = :n;\n");

        await Programs.RunAsync("/usr/lib/postgresql/15/bin/pgbench", ["-n", "-M", mode, "-c", "4", "-t", "50", "-f", script, gateway.Dsn], ("PGPASSWORD", TestGate.Secret));

        File.Delete(script);
        var counted = await target.SuperAsync("select sum(calls) from pg_stat_statements s join pg_roles r on r.oid = s.userid where rolname = '" + TargetServer.Account + "' and query like '%numbers%'", "shop");
        long executed = 0;
        foreach (var session in gateway.Gate.Sessions)
        {
            var records = await gateway.RecordsAsync(session.Id);
            var statements = records.OfType<RecordingRecord.Statement>().Where(statement => statement.Text!.Value.Contains("numbers", StringComparison.Ordinal)).Select(statement => statement.Seq).ToHashSet();
            executed += records.OfType<RecordingRecord.Result>().Count(result => result.Outcome == StatementOutcome.Completed && statements.Contains(result.Of));
        }

        Assert.Equal(400, executed);
        Assert.Equal(400, long.Parse(counted, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Passwords_WithCharactersThatArePrepared_OpenTheTarget()
    {
        // PostgreSQL prepares what it is told, and what its own client says: compatibility characters, marks, spaces, what is nothing, and what forbids it all.
        string[] passwords = ["\uFB01le \u2460 A\u030A \uFF71\uFF9E", "no\u00A0break\u3000space\u00ADhyphen", "tab\u0007 \uFB01", "gr\u00FC\u00DF\u00A0\U0001D54F\u0323\u0307", "zero\u200Bwidth\u200Djoined"];
        for (var i = 0; i < passwords.Length; i++)
        {
            var role = $"prepared_{i}";
            await target.SuperAsync($"drop role if exists {role}; create role {role} login password '{passwords[i]}'; grant connect on database shop to {role}");
            await using var gateway = await TestGateway.StartAsync(new Stint.Core.Sessions.Upstream("127.0.0.1", target.Port, "shop", role, passwords[i], "disable", null));
            Assert.Equal((0, role, ""), await gateway.PsqlAsync("-c", "select current_user") is var (code, output, error) ? (code, output.Trim(), error) : default);
        }
    }
}
