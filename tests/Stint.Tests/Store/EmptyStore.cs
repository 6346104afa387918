using Npgsql;
using Stint.Server.Store;

namespace Stint.Tests.Store;

/// <summary>A store's schema, made once by its migrations and copied for every test that begins with an empty store.</summary>
internal static class EmptyStore
{
    private static readonly Lazy<Task<byte[]>> s_sqlite = new(MakeSqliteAsync);
    private static readonly Lazy<Task<string>> s_postgres = new(MakePostgresAsync);

    /// <summary>Puts the file of an empty SQLite store there, and makes its folder where that is missing.</summary>
    public static async Task CopySqliteAsync(string path)
    {
        var bytes = await s_sqlite.Value;
        var folder = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new FileStream(path, options);
        await file.WriteAsync(bytes);
    }

    /// <summary>Makes a database of that name with an empty store in it.</summary>
    public static async Task CopyPostgresAsync(string name) =>
        await RunAsync($"CREATE DATABASE {name} TEMPLATE {await s_postgres.Value} STRATEGY file_copy");

    /// <summary>Drops a database, whoever is connected to it.</summary>
    public static Task DropPostgresAsync(string name) => RunAsync($"DROP DATABASE {name} WITH (FORCE)");

    /// <summary>How to reach a database of the tests' server.</summary>
    public static async Task<string> UrlAsync(string database) => new NpgsqlConnectionStringBuilder(await PostgresServer.UrlAsync()) { Database = database }.ConnectionString;

    private static async Task<byte[]> MakeSqliteAsync()
    {
        var folder = Directory.CreateTempSubdirectory("stint-empty-").FullName;
        var path = Path.Combine(folder, "stint.db");
        await using (var store = new SqliteStore(new SqliteOptions(path) { Durable = false }))
        {
            await store.OpenAsync(CancellationToken.None);
        }

        var bytes = await File.ReadAllBytesAsync(path);
        Directory.Delete(folder, recursive: true);
        return bytes;
    }

    private static async Task<string> MakePostgresAsync()
    {
        const string Name = "stint_empty";
        await RunAsync($"CREATE DATABASE {Name}");
        await using (var store = new PostgresStore(new PostgresOptions(await UrlAsync(Name) + ";Pooling=false")))
        {
            await store.OpenAsync(CancellationToken.None);
        }

        return Name;
    }

    private static async Task RunAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(await PostgresServer.UrlAsync() + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
