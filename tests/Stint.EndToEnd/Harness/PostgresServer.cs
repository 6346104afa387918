using System.Globalization;
using Npgsql;

namespace Stint.EndToEnd.Harness;

/// <summary>A real PostgreSQL of this run's own.</summary>
public sealed class PostgresServer
{
    private PostgresServer(int version, int port, string folder, string password)
    {
        Version = version;
        Port = port;
        Folder = folder;
        Password = password;
    }

    public int Version { get; }

    public int Port { get; }

    /// <summary>Holds the socket, the log and the data.</summary>
    public string Folder { get; }

    /// <summary>Of the superuser <c>postgres</c>.</summary>
    public string Password { get; }

    /// <summary>The certificate that the server shows, in PEM.</summary>
    public string CertificateFile => Path.Combine(Folder, "server.crt");

    /// <summary>Starts one. Its data need not survive a power cut, so nothing is synced.</summary>
    public static async Task<PostgresServer> StartAsync(int version)
    {
        var folder = RunFolder.Make(string.Create(CultureInfo.InvariantCulture, $"pg{version}"));
        var port = Ports.Free();
        var started = await Tool.RunAsync(
            Checkout.Eng("pg"),
            [
                "start", version.ToString(CultureInfo.InvariantCulture), folder, port.ToString(CultureInfo.InvariantCulture),
                "fsync=off", "synchronous_commit=off", "full_page_writes=off", "pg_stat_statements.max=10000",
            ],
            within: TimeSpan.FromSeconds(90));
        started.Good();
        var password = (await File.ReadAllTextAsync(Path.Combine(folder, "password"))).Trim();
        return new PostgresServer(version, port, folder, password);
    }

    /// <summary>How Npgsql reaches it as the superuser.</summary>
    public string ConnectionString(string database = "postgres") => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = "postgres",
        Password = Password,
        Database = database,
        Pooling = false,
        Timeout = 30,
    }.ConnectionString;

    /// <summary>Runs statements as the superuser.</summary>
    public async Task RunAsync(string sql, string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first value of the first row, as the superuser sees it.</summary>
    public async Task<T> AskAsync<T>(string sql, string database = "postgres")
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Stops it.</summary>
    public async Task StopAsync() => (await Tool.RunAsync(Checkout.Eng("pg"), ["stop", Folder], within: TimeSpan.FromSeconds(90))).Good();
}
