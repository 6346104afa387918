using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Stint.Bench;

/// <summary>A real PostgreSQL, the built <c>stint serve</c> before it, and a grant that is open.</summary>
internal sealed class Stage : IAsyncDisposable
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

    /// <summary>The program that is measured, and its first words: the published file when <c>BENCH_STINT</c> names one, else what is built beside the bench.</summary>
    public static (string Program, string[] Words) Stint { get; } = Environment.GetEnvironmentVariable("BENCH_STINT") is { Length: > 0 } published
        ? (published, [])
        : ("dotnet", [Path.Combine(AppContext.BaseDirectory, "stint.dll")]);

    public string Folder { get; }

    public int DatabasePort { get; private set; }

    public string SuperPassword { get; private set; } = "";

    public int Server { get; private set; }

    public string AnnToken { get; } = Token();

    public string Address { get; private set; } = "";

    public static async Task<Stage> SetAsync(StageOptions? options = null)
    {
        options ??= new StageOptions();
        var stage = new Stage(Directory.CreateDirectory(Path.Combine(options.Root ?? Path.GetTempPath(), "stint-bench-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)))).FullName);
        File.SetUnixFileMode(stage.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        try
        {
            if (options.Database || options.PostgresStore)
            {
                await stage.StartDatabaseAsync();
            }

            if (options.Serve)
            {
                await stage.ServeAsync(options);
            }

            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public static string Token() => "stp_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    public static async Task<string> RunAsync(string program, string[] words, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        Array.ForEach(words, start.ArgumentList.Add);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Begin(start);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} {string.Join(' ', words)} ended with {process.ExitCode}: {await errors}{await output}");
    }

    public Task<string> StintAsync(params string[] words) =>
        RunAsync(Stint.Program, [.. Stint.Words, .. words], ("STINT_SERVER", Address), ("STINT_TOKEN", AnnToken));

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

    /// <summary>User and system time of a process so far, in seconds.</summary>
    public static double Cpu(int process)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    private async Task StartDatabaseAsync()
    {
        DatabasePort = await FreePortAsync();
        await RunAsync(Path.Combine(Root, "eng", "pg"), ["start", "15", _data, $"{DatabasePort}"]);
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

    /// <summary>The token's hash as a catalog writes it.</summary>
    public string AnnHash => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AnnToken)));

    /// <summary>Starts <c>stint serve</c> on the stage's data folder.</summary>
    /// <returns>How long it took until it answered.</returns>
    public async Task<TimeSpan> ServeAsync(StageOptions options)
    {
        var catalog = Directory.CreateDirectory(Path.Combine(Folder, "catalog")).FullName;
        await File.WriteAllTextAsync(Path.Combine(catalog, "all.yaml"), options.Catalog ?? $$"""
            people:
              ann: { token: '{{AnnHash}}' }
              bob: {}
            admins: [ann]
            resources:
              db:
                kind: postgres
                owners: [person:bob]
                settings: { host: 127.0.0.1, port: {{(DatabasePort == 0 ? 1 : DatabasePort)}}, database: shop, username: stint, password: { env: DB_PASSWORD }, tls: disable }
                roles:
                  write: { member_of: [pg_read_all_data, pg_write_all_data], connection_limit: {{options.Connections}} }
            policies:
              bench: { who: 'person:ann', roles: ['db/write'], for: { default: 1h, max: 4h }, approve: { auto: true }, record: {{options.Record}} }
            """);
        var (web, gateway) = (await FreePortAsync(), await FreePortAsync());
        var config = Path.Combine(Folder, "stint.json");
        var store = options.PostgresStore ? $$""" "store": "postgres", "store_url": "Host=127.0.0.1;Port={{DatabasePort}};Username=peer;Password=bench-peer;Database=shop;SSL Mode=Disable",""" : "";
        await File.WriteAllTextAsync(config, $$"""
            { {{store}} "gateway": { "tls": "{{options.Tls}}", "connections_per_grant": {{options.Connections}} }, "limits": { "requests_per_minute": 100000000, "address_requests_per_minute": 100000000 } }
            """);
        Address = $"http://127.0.0.1:{web}";
        using var http = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromSeconds(60) };
        var began = Stopwatch.GetTimestamp();
        var server = Start(Stint.Program, [.. Stint.Words, "serve", "--config", config, "--data", Path.Combine(Folder, "data"), "--catalog", catalog, "--listen", $"127.0.0.1:{web}", "--gateway-listen", $"127.0.0.1:{gateway}"]);
        Server = server.Id;
        while (!server.HasExited && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/healthz", UriKind.Relative));
                if (answer.IsSuccessStatusCode)
                {
                    return Stopwatch.GetElapsedTime(began);
                }
            }
            catch (HttpRequestException)
            {
                await Task.Delay(2);
            }
        }

        throw new InvalidOperationException($"stint serve does not answer. {LastWords}");
    }

    /// <summary>Ends the server, as its service manager would.</summary>
    public async Task StopServingAsync()
    {
        var server = _started.Find(process => process.Id == Server && !process.HasExited);
        if (server is not null)
        {
            await RunAsync("kill", [$"{server.Id}"]);
            await server.WaitForExitAsync();
        }
    }

    /// <summary>Resident memory of a process in megabytes (10⁶ bytes).</summary>
    public static double Resident(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started.Where(process => !process.HasExited))
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        if (DatabasePort != 0)
        {
            await RunAsync(Path.Combine(Root, "eng", "pg"), ["stop", _data]);
        }

        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>What stands on a stage.</summary>
internal sealed record StageOptions
{
    /// <summary>Folder for all its files; null for the temporary folder.</summary>
    public string? Root { get; init; }

    /// <summary>How the role is recorded.</summary>
    public string Record { get; init; } = "default";

    /// <summary>TLS at the gateway.</summary>
    public string Tls { get; init; } = "off";

    /// <summary>Most connections of one grant.</summary>
    public int Connections { get; init; } = 200;

    /// <summary>Whether a PostgreSQL server is started as a target.</summary>
    public bool Database { get; init; } = true;

    /// <summary>Whether the store is in that server; else in a SQLite file.</summary>
    public bool PostgresStore { get; init; }

    /// <summary>Whether the server is started at once.</summary>
    public bool Serve { get; init; } = true;

    /// <summary>The catalog; null for one person, one role and a rule that allows it.</summary>
    public string? Catalog { get; init; }
}
