using System.Diagnostics;
using Npgsql;
using Stint.Core.Sessions;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>What a driver sees through the gateway, on a real server.</summary>
[Collection(WithTarget.Name)]
public sealed class RelayTests(TargetServer target)
{
    [Fact]
    public async Task Extended_ParametersOfManyTypes_AreRecordedAsPeopleReadThem()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        await using (var connection = await OpenAsync(gateway))
        {
            await using var command = new NpgsqlCommand("select $1::int, $2::text, $3::bool, $4::timestamptz, $5::numeric, $6::uuid, $7::text", connection);
            command.Parameters.Add(new() { Value = 42 });
            command.Parameters.Add(new() { Value = "Zoë" });
            command.Parameters.Add(new() { Value = true });
            command.Parameters.Add(new() { Value = new DateTime(2026, 11, 22, 10, 11, 12, DateTimeKind.Utc) });
            command.Parameters.Add(new() { Value = -1234.50m });
            command.Parameters.Add(new() { Value = new Guid("0a1b2c3d-0000-4000-8000-000000000001") });
            command.Parameters.Add(new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            Assert.Equal(42, reader.GetInt32(0));
        }

        var statement = (await gateway.RecordsAsync()).OfType<RecordingRecord.Statement>().Single(statement => statement.Text!.Value.Contains("numeric", StringComparison.Ordinal));
        Assert.Equal(StatementProtocol.Extended, statement.Protocol);
        Assert.Equal(
            ["int4 42", "text Zoë", "bool t", "timestamptz 2026-11-22 10:11:12.000000Z", "numeric -1234.50", "uuid 0a1b2c3d-0000-4000-8000-000000000001", "text "],
            statement.Parameters.Select(parameter => $"{parameter.Type} {parameter.Value}"));
        Assert.Null(statement.Parameters[^1].Value);
    }

    [Fact]
    public async Task Pipeline_OneFails_TheRestIsRecordedAsSkipped()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        await using (var connection = await OpenAsync(gateway))
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("select 1"), new("select 1/0"), new("select 3") } };
            await Assert.ThrowsAsync<PostgresException>(async () => await batch.ExecuteNonQueryAsync());
            await using var after = new NpgsqlCommand("select 4", connection);
            Assert.Equal(4, await after.ExecuteScalarAsync());
        }

        var records = await gateway.RecordsAsync();
        var texts = records.OfType<RecordingRecord.Statement>().Where(statement => statement.Text!.Bytes < 20).ToDictionary(statement => statement.Seq, statement => statement.Text!.Value);
        var outcomes = records.OfType<RecordingRecord.Result>().Where(result => texts.ContainsKey(result.Of)).ToDictionary(result => texts[result.Of], result => result.Outcome);
        Assert.Equal(StatementOutcome.Completed, outcomes["select 1"]);
        Assert.Equal(StatementOutcome.Failed, outcomes["select 1/0"]);
        Assert.Equal(StatementOutcome.Skipped, outcomes["select 3"]);
        Assert.Equal(StatementOutcome.Completed, outcomes["select 4"]);
    }

    [Fact]
    public async Task Copy_BothDirections_VolumesAreRecordedAndDataIsNot()
    {
        await target.SuperAsync("drop table if exists parcels; create table parcels (id int, name text); grant all on parcels to " + TargetServer.Account, "shop");
        await using var gateway = await TestGateway.StartAsync(target);
        await using (var connection = await OpenAsync(gateway))
        {
            await using (var writer = await connection.BeginTextImportAsync("copy parcels from stdin"))
            {
                for (var row = 0; row < 5000; row++)
                {
                    await writer.WriteAsync($"{row}\tunspoken-{row}\n");
                }
            }

            using var reader = await connection.BeginTextExportAsync("copy parcels to stdout");
            var lines = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(5000, lines.Length);
        }

        var records = await gateway.RecordsAsync();
        var copies = records.OfType<RecordingRecord.Copy>().ToList();
        Assert.Equal([CopyDirection.In, CopyDirection.Out], copies.Select(copy => copy.Direction));
        Assert.All(copies, copy => Assert.True(copy.Finished));
        Assert.Equal(copies[0].Bytes, copies[1].Bytes);
        Assert.Equal(5000, copies[1].Rows);
        Assert.Equal(["COPY 5000", "COPY 5000"], records.OfType<RecordingRecord.Result>().Where(result => result.Tag?.StartsWith("COPY", StringComparison.Ordinal) == true).Select(result => result.Tag));
        Assert.DoesNotContain("unspoken", await File.ReadAllTextAsync(Path.Combine(gateway.Recordings, gateway.Gate.Ends.Values.Single().Recording!.File)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancel_LongQuery_IsPassedOnAndRecorded()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        await using (var connection = await OpenAsync(gateway))
        {
            await using var command = new NpgsqlCommand("select pg_sleep(60)", connection);
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            var clock = Stopwatch.StartNew();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => command.ExecuteNonQueryAsync(patience.Token));
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20));
        }

        var records = await gateway.RecordsAsync();
        Assert.Single(records.OfType<RecordingRecord.Cancel>());
        Assert.Contains(records.OfType<RecordingRecord.Result>(), result => result.Error?.Sqlstate == "57014");
    }

    [Fact]
    public async Task LargeValues_BothWays_PassWhole()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        var large = new string('x', 8_000_000);
        await using (var connection = await OpenAsync(gateway))
        {
            await using var command = new NpgsqlCommand("select length($1), $1", connection) { Parameters = { new() { Value = large } } };
            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            Assert.Equal(large.Length, reader.GetInt32(0));
            Assert.Equal(large, reader.GetString(1));
            await reader.CloseAsync();
            await using var simple = new NpgsqlCommand($"select length('{large}')", connection);
            Assert.Equal(large.Length, await simple.ExecuteScalarAsync());
        }

        var statements = (await gateway.RecordsAsync()).OfType<RecordingRecord.Statement>().ToList();
        var parameter = statements.Single(statement => statement.Parameters.Count == 1).Parameters[0];
        Assert.Equal((8_000_000, true, 1024), (parameter.Bytes, parameter.Truncated, parameter.Value!.Length));
        var text = statements[^1].Text!;
        Assert.True(text.Truncated);
        Assert.Equal(RecordingEncoder.MaxText, text.Value.Length);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"select length('{large}')"))), text.Sha256);
    }

    [Fact]
    public async Task Listen_Notification_ComesThrough()
    {
        await using var gateway = await TestGateway.StartAsync(target);
        await using var connection = await OpenAsync(gateway);
        var heard = new List<string>();
        connection.Notification += (_, notification) => heard.Add(notification.Payload);
        await using (var command = new NpgsqlCommand("listen news", connection))
        {
            await command.ExecuteNonQueryAsync();
        }

        await target.SuperAsync("notify news, 'hot'", "shop");
        Assert.True(await connection.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(["hot"], heard);
    }

    [Fact]
    public async Task Password_InAStatement_IsMasked()
    {
        await using var gateway = await TestGateway.StartAsync(target);

        await gateway.PsqlAsync("-c", "alter role stint_ann_x1 password 'canary-new-password'", "-c", $"alter role stint_ann_x1 password '{TargetServer.Secret}'");

        var records = await gateway.RecordsAsync();
        Assert.All(records.OfType<RecordingRecord.Statement>(), statement => Assert.True(statement.Text!.Masked));
        Assert.DoesNotContain("canary", await File.ReadAllTextAsync(Path.Combine(gateway.Recordings, gateway.Gate.Ends.Values.Single().Recording!.File)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Strict_EveryStatement_IsOnDiskBeforeItsAnswer()
    {
        await using var gateway = await TestGateway.StartAsync(target, gate: gate => gate.Record = Core.Policies.RecordMode.Strict);

        var (code, output, error) = await gateway.PsqlAsync("-c", "select 1", "-c", "select 2");

        Assert.True(code == 0, error);
        Assert.Equal("1\n2\n", output);
        Assert.Equal(2, (await gateway.RecordsAsync()).OfType<RecordingRecord.Statement>().Count());
    }

    internal static async Task<NpgsqlConnection> OpenAsync(TestGateway gateway, string more = "")
    {
        var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={gateway.Port};Username={TestGate.Login};Password={TestGate.Secret};Database=shop;Pooling=false;SSL Mode=Disable;Command Timeout=60;{more}");
        await connection.OpenAsync();
        return connection;
    }
}
