using System.Diagnostics;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(Stint.Tests.Store.PostgresServer))]

namespace Stint.Tests.Store;

/// <summary>A real PostgreSQL of the tests' own, started when the first test asks for it. A machine without one fails the tests.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly SemaphoreSlim Once = new(1, 1);
    private static string? _folder;
    private static string? _url;

    /// <summary>How to reach it as its superuser.</summary>
    public static async Task<string> UrlAsync()
    {
        await Once.WaitAsync();
        try
        {
            return _url ??= await StartAsync();
        }
        finally
        {
            Once.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_folder is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await RunAsync("stop", _folder);
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static async Task<string> StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("stint-pg-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            // The server runs as a user of its own, which must be able to enter.
            File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        }

        var port = (await RunAsync("port")).Trim();
        await RunAsync("start", "15", _folder, port, "fsync=off", "full_page_writes=off", "autovacuum=off", "jit=off", "wal_level=minimal", "max_wal_senders=0");
        var password = (await File.ReadAllTextAsync(Path.Combine(_folder, "password"))).Trim();
        return $"Host=127.0.0.1;Port={port};Username=postgres;Password={password};Database=postgres";
    }

    private static async Task<string> RunAsync(params string[] args)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Stint.slnx")))
        {
            root = root.Parent;
        }

        var start = new ProcessStartInfo(Path.Combine(root!.FullName, "eng", "pg"), args) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await process.WaitForExitAsync(bound.Token);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"eng/pg {string.Join(' ', args)}: {await output} {await errors}");
    }
}
