using System.Diagnostics;
using Npgsql;
using Stint.Core.Sessions;
using Stint.Gateway.Relaying;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>How sessions end, on a real server.</summary>
[Collection(WithTarget.Name)]
public sealed class EndTests(TargetServer target)
{
    private static readonly SessionOrder.Cut Revoke = new(SessionEndReason.Revoked, "Your access to orders-db/read-only was revoked by bob.", "Ask again with: stint request orders-db/read-only");

    [Fact]
    public async Task Deadline_IdleSession_HearsWhyAndHowToAskAgain()
    {
        await using var gateway = await TestGateway.StartAsync(target, gate: gate => gate.For = TimeSpan.FromSeconds(4));
        await using var connection = await RelayTests.OpenAsync(gateway);

        var session = gateway.Gate.Sessions.Single();
        var end = await gateway.EndOfAsync(session.Id);
        var heard = await Assert.ThrowsAnyAsync<NpgsqlException>(() => new NpgsqlCommand("select 1", connection).ExecuteNonQueryAsync());

        Assert.Equal(SessionEndReason.Expired, end.Reason);
        Assert.InRange(end.At, session.NotAfter, session.NotAfter.AddSeconds(2));
        var fatal = Assert.IsType<PostgresException>(heard);
        Assert.Equal("57P01", fatal.SqlState);
        Assert.StartsWith("Your access to orders-db/read-only ended at", fatal.MessageText, StringComparison.Ordinal);
        Assert.Equal("Ask again with: stint request orders-db/read-only", fatal.Hint);

        // It executed nothing and was told goodbye; the keeper, which takes the account away, looks whether it is gone.
        Assert.Empty(gateway.Gate.Cuts);
    }

    [Fact]
    public async Task LookingAfterASession_ThrowsWhatNobodyForesaw_EndsThatSessionAndNothingElse()
    {
        var clock = new BreakingClock();
        await using var gateway = await TestGateway.StartAsync(target, time: clock);
        await using var connection = await RelayTests.OpenAsync(gateway);

        clock.BreakOnce();
        var end = await gateway.EndOfAsync(gateway.Gate.Sessions.Single().Id);
        await using var after = await RelayTests.OpenAsync(gateway);

        Assert.Equal(SessionEndReason.ProtocolError, end.Reason);
        Assert.Contains("nobody foresaw this", gateway.Loggers.Text, StringComparison.Ordinal);
        Assert.Equal(1, await new NpgsqlCommand("select 1", after).ExecuteScalarAsync());
    }

    /// <summary>A clock that throws, once, at whoever asks it from inside a timer.</summary>
    private sealed class BreakingClock : TimeProvider
    {
        [ThreadStatic]
        private static bool _insideTimer;

        private int _breaks;

        public override long TimestampFrequency => _insideTimer && Interlocked.Exchange(ref _breaks, 0) == 1
            ? throw new NotSupportedException("nobody foresaw this")
            : System.TimestampFrequency;

        public void BreakOnce() => Interlocked.Exchange(ref _breaks, 1);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(
            inner =>
            {
                // The deadlines, which hold no session in this test's time, have a guard and a test of their own.
                _insideTimer = state is RelayHost;
                try
                {
                    callback(inner);
                }
                finally
                {
                    _insideTimer = false;
                }
            },
            state,
            dueTime,
            period);
    }

    [Fact]
    public async Task Extend_MovesTheDeadline()
    {
        await using var gateway = await TestGateway.StartAsync(target, gate: gate => gate.For = TimeSpan.FromSeconds(4));
        await using var connection = await RelayTests.OpenAsync(gateway);
        var session = gateway.Gate.Sessions.Single();

        session.Give(new SessionOrder.Extend(session.NotAfter.AddSeconds(1.5)));
        var end = await gateway.EndOfAsync(session.Id);

        Assert.InRange(end.At, session.NotAfter.AddSeconds(1.5), session.NotAfter.AddSeconds(4));
    }

    [Fact]
    public async Task Revoke_InTransaction_IsRolledBackAndSaidInTheMiddleOfAResult()
    {
        await target.SuperAsync("drop table if exists ledger; create table ledger (n int); grant all on ledger to " + TargetServer.Account, "shop");
        await using var gateway = await TestGateway.StartAsync(target, gate: gate => gate.OnCut = async (_, backend) => await target.SuperAsync($"select pg_terminate_backend({backend})"));
        await using var connection = await RelayTests.OpenAsync(gateway);
        await new NpgsqlCommand("begin; insert into ledger values (1)", connection).ExecuteNonQueryAsync();
        await using var reader = await new NpgsqlCommand("select n, repeat('x', 1000) from generate_series(1, 10000000) n", connection).ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());

        var clock = Stopwatch.StartNew();
        gateway.Gate.Sessions.Single().Give(Revoke);
        var heard = await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            while (await reader.ReadAsync())
            {
            }
        });

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5));
        Assert.Equal("57P01", Assert.IsType<PostgresException>(heard).SqlState);
        Assert.Equal(Revoke.Sentence, ((PostgresException)heard).MessageText);
        var records = await gateway.RecordsAsync();
        Assert.Equal(StatementOutcome.Interrupted, records.OfType<RecordingRecord.Result>().Last().Outcome);
        Assert.Equal("0\n", await target.SuperAsync("select count(*) from ledger", "shop"));
        Assert.Equal("0\n", await target.SuperAsync($"select count(*) from pg_stat_activity where usename = '{TargetServer.Account}'"));
    }

    [Fact]
    public async Task Revoke_ClientDoesNotRead_IsClosedAnyway()
    {
        await using var gateway = await TestGateway.StartAsync(target, gate: gate => gate.OnCut = async (_, backend) => await target.SuperAsync($"select pg_terminate_backend({backend})"));
        var connection = await RelayTests.OpenAsync(gateway);
        var reader = await new NpgsqlCommand("select n, repeat('x', 1000) from generate_series(1, 10000000) n", connection).ExecuteReaderAsync();
        await Task.Delay(500);

        var clock = Stopwatch.StartNew();
        var session = gateway.Gate.Sessions.Single();
        session.Give(Revoke);
        await gateway.EndOfAsync(session.Id);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(6), $"{clock.Elapsed}");
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await reader.DisposeAsync());
        Assert.Equal("0\n", await target.SuperAsync($"select count(*) from pg_stat_activity where usename = '{TargetServer.Account}'"));
    }

    [Fact]
    public async Task Idle_NothingSaid_EndsWithItsOwnState()
    {
        await using var gateway = await TestGateway.StartAsync(target, gate: gate => gate.Idle = TimeSpan.FromSeconds(2));
        await using var connection = await RelayTests.OpenAsync(gateway);
        await new NpgsqlCommand("select pg_sleep(2.5)", connection).ExecuteNonQueryAsync();

        var end = await gateway.EndOfAsync(gateway.Gate.Sessions.Single().Id);

        Assert.Equal(SessionEndReason.Idle, end.Reason);
        var heard = await Assert.ThrowsAnyAsync<PostgresException>(() => new NpgsqlCommand("select 1", connection).ExecuteNonQueryAsync());
        Assert.Equal("57P05", heard.SqlState);
    }

    [Fact]
    public async Task Recording_DiskIsFull_NothingUnrecordedReachesTheTarget()
    {
        await target.SuperAsync("drop table if exists never; create table never (n int); grant all on never to " + TargetServer.Account, "shop");
        Microsoft.Win32.SafeHandles.SafeFileHandle? handle = null;
        var folder = Directory.CreateTempSubdirectory("stint-full-").FullName;
        await Programs.RunAsync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
        try
        {
            await using var gateway = await TestGateway.StartAsync(target, options => options with { OpenRecording = path => handle = File.OpenHandle(Path.Combine(folder, Path.GetFileName(path)), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite) });
            await using var connection = await RelayTests.OpenAsync(gateway);
            FillUp(folder);

            var heard = await Assert.ThrowsAnyAsync<PostgresException>(() => new NpgsqlCommand($"insert into never values (1) /* {new string('x', 60_000)} */", connection).ExecuteNonQueryAsync());

            Assert.Equal("58030", heard.SqlState);
            var end = await gateway.EndOfAsync(gateway.Gate.Sessions.Single().Id);
            Assert.Equal(SessionEndReason.RecordingFailed, end.Reason);
            Assert.Equal("0\n", await target.SuperAsync("select count(*) from never", "shop"));
        }
        finally
        {
            handle?.Dispose();
            await Programs.RunAsync("umount", [folder]);
            Directory.Delete(folder);
        }
    }

    private static void FillUp(string folder)
    {
        using var ballast = new FileStream(Path.Combine(folder, "ballast"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var page = new byte[4096]; ;)
            {
                ballast.Write(page);
            }
        }
        catch (IOException)
        {
            // Full: what the recording has reserved by now is all that it gets.
        }
    }

    [Fact]
    public async Task Recording_CannotBeBegun_NobodyIsLetIn()
    {
        await using var gateway = await TestGateway.StartAsync(target, options => options with { OpenRecording = _ => File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write) });

        var (code, _, error) = await gateway.PsqlAsync("-c", "select 1");

        Assert.Equal(2, code);
        Assert.Contains("nothing goes on unrecorded", error, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.RecordingFailed, gateway.Gate.Ends.Values.Single().Reason);
    }

    [Fact]
    public async Task Drain_LiveSession_IsToldAndThenCut_AndNobodyNewComesIn()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        await using var connection = await RelayTests.OpenAsync(gateway);
        var notices = new List<string>();
        connection.Notice += (_, notice) => notices.Add(notice.Notice.MessageText);

        var drained = gateway.Host.DrainAsync(TimeSpan.FromSeconds(1.5));
        await Task.Delay(200);
        await new NpgsqlCommand("select 1", connection).ExecuteNonQueryAsync();
        var (_, _, refusal) = await gateway.PsqlAsync("-c", "select 1");
        await drained;

        Assert.Contains("shutting down", Assert.Single(notices), StringComparison.Ordinal);
        Assert.Contains("shutting down", refusal, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.Draining, (await gateway.EndOfAsync(gateway.Gate.Sessions.Single().Id)).Reason);
    }

    [Fact]
    public async Task TargetEndsTheConnection_ItsOwnWordsAreTheLast()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        await using var connection = await RelayTests.OpenAsync(gateway);
        var process = await new NpgsqlCommand("select pg_backend_pid()", connection).ExecuteScalarAsync();

        await target.SuperAsync($"select pg_terminate_backend({process})");

        var session = gateway.Gate.Sessions.Single().Id;
        Assert.Equal(SessionEndReason.TargetLeft, (await gateway.EndOfAsync(session)).Reason);
        Assert.Contains(await gateway.RecordsAsync(session), record => record is RecordingRecord.ServerError { Error.Sqlstate: "57P01" });
    }
}
