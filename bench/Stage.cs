using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Stint.Bench;

/// <summary>A real PostgreSQL, the built <c>stint serve</c> before it, and a grant that is open.</summary>
internal sealed partial class Stage : IAsyncDisposable
{
    private readonly List<Process> _started = [];
    private readonly string _data;

    private Stage(string folder)
    {
        Folder = folder;
        _data = Path.Combine(folder, "pg");
    }

    public static string Root { get; } = Environment.GetEnvironmentVariable("BENCH_ROOT")
        ?? throw new InvalidOperationException("Start the bench with bench/run.");

    /// <summary>The program that is measured, built beside the bench.</summary>
    private static string Stint { get; } = Path.Combine(AppContext.BaseDirectory, "stint.dll") is var path && File.Exists(path)
        ? path
        : throw new InvalidOperationException($"{path} is missing: start the bench with bench/run.");

    public string Folder { get; }

    public int DatabasePort { get; private set; }

    public string SuperPassword { get; private set; } = "";

    public int Server { get; private set; }

    public string AnnToken { get; } = Token();

    public string Address { get; private set; } = "";

    public static async Task<Stage> SetAsync(string record = "default", string tls = "off", int connections = 200, params string[] settings)
    {
        var stage = new Stage(Directory.CreateTempSubdirectory("stint-bench-").FullName);
        File.SetUnixFileMode(stage.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await stage.StartDatabaseAsync(settings);
        await stage.StartServerAsync(record, tls, connections);
        return stage;
    }

    public static string Token() => "stp_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    public static Task<string> RunAsync(string program, string[] words, params (string Name, string Value)[] environment) =>
        RunAsync(program, words, null, environment);

    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    /// <param name="heard">Told each line of its errors as it comes; null for nobody.</param>
    public static async Task<string> RunAsync(string program, string[] words, Action<string>? heard, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        Array.ForEach(words, start.ArgumentList.Add);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Begin(start);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = ErrorsAsync(process.StandardError, heard);
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} {string.Join(' ', words)} ended with {process.ExitCode}: {await errors}{await output}");
    }

    private static async Task<string> ErrorsAsync(StreamReader from, Action<string>? heard)
    {
        var all = new StringBuilder();
        while (await from.ReadLineAsync() is { } line)
        {
            heard?.Invoke(line);
            all.AppendLine(line);
        }

        return all.ToString();
    }

    public Task<string> StintAsync(params string[] words) =>
        RunAsync("dotnet", [Stint, .. words], ("STINT_SERVER", Address), ("STINT_TOKEN", AnnToken));

    /// <summary>Asks by rule, opens, and returns the DSN's parts.</summary>
    public async Task<JsonObject> OpenAsync(string role, string length = "1h")
    {
        await StintAsync("request", role, "--for", length, "--reason", "bench", "--wait", "--json");
        return (JsonObject)JsonNode.Parse(await StintAsync("connect", role, "--print", "--json"))!;
    }

    public static async Task<int> FreePortAsync() =>
        int.Parse((await RunAsync(Path.Combine(Root, "eng", "pg"), ["port"])).Trim(), CultureInfo.InvariantCulture);

    /// <summary>Starts a program that runs until the stage is taken down.</summary>
    public Process Start(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        Array.ForEach(words, start.ArgumentList.Add);
        start.Environment["DB_PASSWORD"] = "bench-admin";
        var process = Begin(start);
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => LastWords = line.Data ?? LastWords;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _started.Add(process);
        return process;
    }

    public string LastWords { get; private set; } = "";

    private static Process Begin(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException($"{start.FileName} cannot be run ({missing.Message}). eng/servers bench installs what the bench needs.", missing);
        }
    }

    public static async Task ListeningAsync(int port, Process by, Stage stage)
    {
        for (var i = 0; i < 300 && !by.HasExited; i++)
        {
            try
            {
                using var socket = new System.Net.Sockets.TcpClient();
                await socket.ConnectAsync("127.0.0.1", port);
                return;
            }
            catch (System.Net.Sockets.SocketException)
            {
                await Task.Delay(100);
            }
        }

        throw new InvalidOperationException($"{by.StartInfo.FileName} does not listen on port {port}{(by.HasExited ? ": it ended" : "")}. {stage.LastWords}");
    }

    /// <summary>User and system time of a process and all its threads so far, in seconds. Exact: <c>/proc/PID/stat</c> counts in hundredths.</summary>
    public static double Cpu(int process)
    {
        // clock_getcpuclockid(3): the process's own clock is its number, inverted, and the kind of clock.
        var clock = (~process << 3) | 2;
        return ClockGetTime(clock, out var time) == 0
            ? time.Seconds + (time.Nanoseconds / 1e9)
            : throw new InvalidOperationException($"The processor time of process {process} cannot be read: it is gone.");
    }

    /// <summary>What a process holds in memory that is its own or shared with others, in bytes.</summary>
    public static long Resident(int process) =>
        long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);

    private async Task StartDatabaseAsync(string[] settings)
    {
        DatabasePort = await FreePortAsync();
        await RunAsync(Path.Combine(Root, "eng", "pg"), ["start", "15", _data, $"{DatabasePort}", .. settings]);
        SuperPassword = (await File.ReadAllTextAsync(Path.Combine(_data, "password"))).Trim();
        await using var source = NpgsqlDataSource.Create($"Host=127.0.0.1;Port={DatabasePort};Username=postgres;Password={SuperPassword};Database=postgres");
        foreach (var sql in (string[])
        [
            "CREATE DATABASE shop",
            "CREATE ROLE stint LOGIN CREATEROLE PASSWORD 'bench-admin'",
            "CREATE ROLE peer LOGIN SUPERUSER PASSWORD 'bench-peer'",
            "GRANT pg_read_all_data, pg_write_all_data TO stint WITH ADMIN OPTION",
            "GRANT pg_signal_backend TO stint",
        ])
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        await RunAsync("pgbench", ["-i", "-q", "-s", "5", "shop"], [.. Peer(DatabasePort)]);
        await RunAsync("psql", ["-qc", "GRANT CREATE ON SCHEMA public TO PUBLIC", "shop"], [.. Peer(DatabasePort)]);
    }

    public static (string, string)[] Peer(int port) =>
        [("PGHOST", "127.0.0.1"), ("PGPORT", $"{port}"), ("PGUSER", "peer"), ("PGPASSWORD", "bench-peer"), ("PGDATABASE", "shop"), ("PGSSLMODE", "disable")];

    private async Task StartServerAsync(string record, string tls, int connections)
    {
        var catalog = Directory.CreateDirectory(Path.Combine(Folder, "catalog")).FullName;
        var hash = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AnnToken)));
        await File.WriteAllTextAsync(Path.Combine(catalog, "all.yaml"), $$"""
            people:
              ann: { token: '{{hash}}' }
              bob: {}
            admins: [ann]
            resources:
              db:
                kind: postgres
                owners: [person:bob]
                settings: { host: 127.0.0.1, port: {{DatabasePort}}, database: shop, username: stint, password: { env: DB_PASSWORD }, tls: disable }
                roles:
                  write: { member_of: [pg_read_all_data, pg_write_all_data], connection_limit: {{connections}} }
            policies:
              bench: { who: 'person:ann', roles: ['db/write'], for: { default: 1h, max: 4h }, approve: { auto: true }, record: {{record}} }
            """);
        var (web, gateway) = (await FreePortAsync(), await FreePortAsync());
        var config = Path.Combine(Folder, "stint.json");
        await File.WriteAllTextAsync(config, $$"""
            { "gateway": { "tls": "{{tls}}", "connections_per_grant": {{connections}} }, "limits": { "requests_per_minute": 100000000, "address_requests_per_minute": 100000000 } }
            """);
        var server = Start("dotnet", Stint, "serve", "--config", config, "--data", Path.Combine(Folder, "data"), "--catalog", catalog, "--listen", $"127.0.0.1:{web}", "--gateway-listen", $"127.0.0.1:{gateway}");
        Server = server.Id;
        Address = $"http://127.0.0.1:{web}";
        await ListeningAsync(web, server, this);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started.Where(process => !process.HasExited))
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        await RunAsync(Path.Combine(Root, "eng", "pg"), ["stop", _data]);
        Directory.Delete(Folder, recursive: true);
    }
}
