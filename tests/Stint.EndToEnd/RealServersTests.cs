using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

public sealed class RealServersTests(RealServers servers)
{
    [Theory]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    public async Task Postgres_EachVersion_IsTheVersionItSaysAndCountsStatements(int version)
    {
        var server = await servers.PostgresAsync(version);

        var number = await server.AskAsync<string>("show server_version_num");
        var database = $"probe_{RunFolder.Next()}";
        await server.RunAsync($"create database {database}");
        await server.RunAsync("create extension pg_stat_statements", database);
        var counted = await server.AskAsync<long>("select count(*) from pg_stat_statements", database);

        Assert.StartsWith(version.ToString(System.Globalization.CultureInfo.InvariantCulture), number, StringComparison.Ordinal);
        Assert.True(counted > 0);
        await server.RunAsync($"drop database {database}");
    }

    [Fact]
    public async Task Postgres_WrongPassword_IsRefused()
    {
        var server = await servers.PostgresAsync();

        var psql = await Tool.RunAsync(
            "psql",
            ["-h", "127.0.0.1", "-p", $"{server.Port}", "-U", "postgres", "-Atc", "select 1"],
            new Dictionary<string, string?> { ["PGPASSWORD"] = "wrong" });

        Assert.NotEqual(0, psql.ExitCode);
        Assert.Contains("password authentication failed", psql.Error, StringComparison.Ordinal);
    }
}
