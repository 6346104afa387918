using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A real PostgreSQL server for the tests of the gateway, and the account that it lets in.</summary>
public sealed class TargetServer : IAsyncLifetime
{
    public const string Account = "stint_ann_x1";
    public const string Secret = "canary-upstream-secret-9f3a";

    private readonly string _folder = Directory.CreateTempSubdirectory("stint-gw-").FullName;

    public int Port { get; private set; }

    public string SuperPassword { get; private set; } = "";

    public string Certificate => File.ReadAllText(Path.Combine(_folder, "server.crt"));

    public async ValueTask InitializeAsync()
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException();
        }

        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute | UnixFileMode.OtherRead);
        Port = FreePort();
        await Programs.RunAsync(Path.Combine(Programs.Root, "eng/pg"), ["start", "15", _folder, $"{Port}"]);
        try
        {
            SuperPassword = (await File.ReadAllTextAsync(Path.Combine(_folder, "password"))).Trim();
            await SuperAsync($"CREATE ROLE {Account} LOGIN PASSWORD '{Secret}'");
            await SuperAsync($"CREATE DATABASE shop OWNER {Account}");
            await SuperAsync("CREATE EXTENSION pg_stat_statements; GRANT pg_read_all_stats TO " + Account, "shop");
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Programs.RunAsync(Path.Combine(Programs.Root, "eng/pg"), ["stop", _folder]);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs a statement as the superuser, around the gateway; returns the bare rows.</summary>
    public Task<string> SuperAsync(string sql, string database = "postgres") => Programs.RunAsync(
        "psql",
        ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, $"host=127.0.0.1 port={Port} user=postgres dbname={database}"],
        ("PGPASSWORD", SuperPassword));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Runs programs, bounded in time.</summary>
internal static class Programs
{
    public static string Root { get; } = FindRoot();

    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, params (string Name, string Value)[] variables)
    {
        var (code, output, error) = await TryAsync(program, arguments, variables);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)} ended with {code}: {error}{output}");
        return output;
    }

    public static async Task<(int Code, string Output, string Error)> TryAsync(string program, IReadOnlyList<string> arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end in a minute.");
        }
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Stint.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The checkout was not found.");
        }

        return folder;
    }
}

[CollectionDefinition(Name)]
public sealed class WithTarget : ICollectionFixture<TargetServer>
{
    public const string Name = "gateway target";
}
