using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using Stint.Tests.Api;
using Stint.Tests.Connectors;
using Xunit;

namespace Stint.Tests.Hosting;

/// <summary>A whole node in this process with a real PostgreSQL behind its gateway.</summary>
internal sealed class LiveNode : IAsyncDisposable
{
    private const string Database = "live_node";

    private LiveNode(TestNode node, PostgresServer server) => (Node, Server) = (node, server);

    public TestNode Node { get; }

    public PostgresServer Server { get; }

    /// <summary>Starts one. Ann and Bob may read by rule; the admin login's password is <paramref name="password"/>.</summary>
    /// <param name="servers">The tests' servers.</param>
    /// <param name="admin">Name of the admin login that is made at the target.</param>
    /// <param name="password">Its password.</param>
    /// <param name="written">How the catalog writes that password.</param>
    /// <param name="settings">More settings of the node.</param>
    public static Task<LiveNode> StartAsync(PostgresServers servers, string admin, string password, string written, params (string Name, string Value)[] settings) =>
        StartAsync(servers, TestNode.Catalog, admin, password, written, settings);

    /// <summary>The same with another catalog than the usual one.</summary>
    public static async Task<LiveNode> StartAsync(PostgresServers servers, string text, string admin, string password, string written, (string Name, string Value)[] settings)
    {
        var server = await servers.GetAsync(15);
        await server.HaveDatabaseAsync(Database);
        await server.RunAsync("postgres", $"DROP ROLE IF EXISTS {admin}", $"CREATE ROLE {admin} LOGIN PASSWORD '{password}' SUPERUSER");
        var catalog = text
            .Replace("port: 1\n", $"port: {server.Port.ToString(CultureInfo.InvariantCulture)}\n", StringComparison.Ordinal)
            .Replace("database: orders\n", $"database: {Database}\n", StringComparison.Ordinal)
            .Replace("owners: [person:bob]", "owners: [person:bob, person:carol]", StringComparison.Ordinal)
            .Replace("username: stint\n", $"username: {admin}\n", StringComparison.Ordinal)
            .Replace("password: { env: ORDERS_DB_PASSWORD }", $"password: {written}", StringComparison.Ordinal);
        return new LiveNode(await TestNode.StartAsync(catalog, settings), server);
    }

    /// <summary>Asks, and waits until it is open.</summary>
    public async Task<JsonObject> OpenAsync(string person, int seconds, string? extends = null)
    {
        var asked = await Node.PostAsync(person, "/api/v1/requests", new { role = "orders-db/read-only", for_seconds = seconds, wait = true, extends, reason = "to look" }, System.Net.HttpStatusCode.Created);
        return await OpenedAsync(person, (string)asked["grant"]!["id"]!);
    }

    public async Task<JsonObject> OpenedAsync(string person, string grant)
    {
        var began = Stopwatch.GetTimestamp();
        for (; ; )
        {
            var now = await Node.GetAsync(person, $"/api/v1/grants/{grant}");
            if ((string?)now["state"] == "open")
            {
                return now;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), now.ToJsonString());
            await Task.Delay(20);
        }
    }

    /// <summary>A login's answer.</summary>
    public Task<JsonObject> MintAsync(string person, string grant) =>
        Node.PostAsync(person, $"/api/v1/grants/{grant}/logins", new { }, System.Net.HttpStatusCode.Created);

    public static async Task<NpgsqlConnection> ConnectAsync(JsonObject login, string? secret = null)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = (string)login["host"]!,
            Port = (int)login["port"]!,
            Database = (string)login["database"]!,
            Username = (string)login["login"]!,
            Password = secret ?? (string)login["secret"]!,
            SslMode = SslMode.Require,
            Pooling = false,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString);
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks the server small things until the connection is cut.</summary>
    /// <returns>What it was cut with, and when.</returns>
    public static async Task<(PostgresException Said, DateTimeOffset At)> UntilCutAsync(NpgsqlConnection connection, TimeSpan bound)
    {
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < bound)
        {
            try
            {
                await SayAsync(connection, "select pg_sleep(0.05)");
            }
            catch (PostgresException said)
            {
                return (said, TimeProvider.System.GetUtcNow());
            }
        }

        throw new TimeoutException($"The session lives after {bound}.");
    }

    public static async Task<object?> SayAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public static DateTimeOffset Time(JsonNode? text) => DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture);

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}
