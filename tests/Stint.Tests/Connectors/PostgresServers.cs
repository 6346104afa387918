using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Stint.Tests.Connectors;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresServers))]

namespace Stint.Tests.Connectors;

/// <summary>Real PostgreSQL servers, one a version, started by the first test that asks and stopped after the last.</summary>
public sealed class PostgresServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Lazy<Task<PostgresServer>>> _servers = new();

    public Task<PostgresServer> GetAsync(int version) =>
        _servers.GetOrAdd(version, one => new Lazy<Task<PostgresServer>>(() => PostgresServer.StartAsync(one))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            if (server.IsValueCreated)
            {
                await (await server.Value).StopAsync();
            }
        }
    }
}

/// <summary>One running server.</summary>
public sealed class PostgresServer
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _databases = new();
    private readonly string _folder;

    private PostgresServer(string folder, int version, int port, string password)
    {
        _folder = folder;
        Version = version;
        Port = port;
        Password = password;
    }

    public int Version { get; }

    public int Port { get; }

    /// <summary>Of the superuser <c>postgres</c>.</summary>
    public string Password { get; }

    public string Certificate => Path.Combine(_folder, "server.crt");

    public static async Task<PostgresServer> StartAsync(int version)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"stint-c{version}-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        var port = int.Parse(await EngAsync("port"), CultureInfo.InvariantCulture);
        await EngAsync("start", version.ToString(CultureInfo.InvariantCulture), folder, port.ToString(CultureInfo.InvariantCulture), "fsync=off", "full_page_writes=off", "autovacuum=off", "jit=off", "max_prepared_transactions=20", "log_statement=all");
        return new PostgresServer(folder, version, port, (await File.ReadAllTextAsync(Path.Combine(folder, "password"))).Trim());
    }

    public Task HaveDatabaseAsync(string name) =>
        _databases.GetOrAdd(name, one => new Lazy<Task>(() => RunAsync("postgres", $"CREATE DATABASE {one}"))).Value;

    public async Task StopAsync()
    {
        await EngAsync("stop", _folder);
        Directory.Delete(_folder, recursive: true);
    }

    public Task<string> ReadLogAsync() => File.ReadAllTextAsync(Path.Combine(_folder, "server.log"));

    public async Task<NpgsqlConnection> ConnectAsync(string database = "postgres", string user = "postgres", string? password = null)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Database = database,
            Username = user,
            Password = password ?? Password,
            Pooling = false,
            Timeout = 20,
            CommandTimeout = 60,
            GssEncryptionMode = GssEncryptionMode.Disable,
            SslMode = SslMode.Disable,
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

    public async Task RunAsync(string database, params string[] statements)
    {
        await using var connection = await ConnectAsync(database);
        foreach (var statement in statements)
        {
            await RunAsync(connection, statement);
        }
    }

    public static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> AskAsync<T>(string database, string statement)
    {
        await using var connection = await ConnectAsync(database);
        await using var command = new NpgsqlCommand(statement, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<string> EngAsync(params string[] arguments)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Stint.slnx")))
        {
            root = root.Parent;
        }

        var start = new ProcessStartInfo(Path.Combine(root!.FullName, "eng", "pg")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var error = process.StandardError.ReadToEndAsync(bound.Token);
        var output = await process.StandardOutput.ReadToEndAsync(bound.Token);
        await process.WaitForExitAsync(bound.Token);
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"eng/pg {string.Join(' ', arguments)}: {await error}");
    }
}
