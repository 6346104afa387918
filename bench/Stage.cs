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

    /// <summary>The program that is measured, and its first words: the published file when <c>BENCH_STINT</c> names one, else what is built beside the bench.</summary>
    public static (string Program, string[] Words) Stint { get; } = Environment.GetEnvironmentVariable("BENCH_STINT") is { Length: > 0 } published
        ? (published, [])
        : ("dotnet", [Path.Combine(AppContext.BaseDirectory, "stint.dll")]);

    public string Folder { get; }

    public int DatabasePort { get; private set; }

    public string SuperPassword { get; private set; } = "";

    public int Server { get; private set; }

    /// <summary>The process that carries the sessions.</summary>
    public int Gateway { get; private set; }

    public string AnnToken { get; } = Token();

    /// <summary>Of an application that may ask what is held.</summary>
    public string ShopToken { get; } = Token();

    public string Address { get; private set; } = "";

    public static async Task<Stage> SetAsync(StageOptions? options = null)
    {
        options ??= new StageOptions();
        var stage = new Stage(Directory.CreateDirectory(Path.Combine(options.Root ?? Path.GetTempPath(), "stint-bench-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)))).FullName);
        File.SetUnixFileMode(stage.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        try
        {
            if (options.Database || options.PostgresStore || options.Nodes > 1)
            {
                await stage.StartDatabaseAsync([$"max_connections={Math.Max(300, options.Connections + 100)}", .. options.Settings]);
            }

            if (options.Serve)
            {
                for (var node = 0; node < options.Nodes; node++)
                {
                    await stage.ServeAsync(options);
                }
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
        start.Environment["SHOP_TOKEN"] = ShopToken;
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
            "CREATE DATABASE store",
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

        // The same server on the same folder again is the same node; one of several has a folder of its own.
        var name = options.Nodes > 1 ? $"node{_nodes.Count}" : "data";
        var config = Path.Combine(Folder, name + ".json");
        var store = options.PostgresStore || options.Nodes > 1 ? $$""" "store": "postgres", "store_url": "Host=127.0.0.1;Port={{DatabasePort}};Username=peer;Password=bench-peer;Database=store;SSL Mode=Disable",""" : "";
        var door = $$""" "gateway": { "tls": "{{options.Tls}}", "connections_per_grant": {{options.Connections}}, "drain": "0s" } """;
        var secret = Token();
        await File.WriteAllTextAsync(config, $$"""
            { {{store}} {{door}}, "master_key": { "file": "{{await MasterKeyAsync()}}" }, "nodes": ["edge=sha256:{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))}}"], "authzen": { "shop": { "token_env": "SHOP_TOKEN", "resources": ["*"], "requests_per_minute": 100000000 } }, "limits": { "requests_per_minute": 100000000, "address_requests_per_minute": 100000000 } }
            """);
        var address = $"http://127.0.0.1:{web}";
        var began = Stopwatch.GetTimestamp();
        var server = Start(Stint.Program, [.. Stint.Words, "serve", "--config", config, "--data", Path.Combine(Folder, name), "--catalog", catalog, "--listen", $"127.0.0.1:{web}", "--gateway-listen", $"127.0.0.1:{gateway}", "--roles", options.GatewayAlone ? "control" : "control,gateway"]);
        await AnsweringAsync(server, address, began);
        var took = Stopwatch.GetElapsedTime(began);
        if (options.Nodes == 1 || _nodes.Count == 0)
        {
            _nodes.Clear();
            (Server, Gateway, Address) = (server.Id, server.Id, address);
        }

        _nodes.Add(address);
        if (options.GatewayAlone)
        {
            await CarryAloneAsync(door, secret, gateway);
        }

        return took;
    }

    private async Task AnsweringAsync(Process server, string address, long began)
    {
        using var http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
        while (!server.HasExited && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/healthz", UriKind.Relative));
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                await Task.Delay(2);
            }
        }

        throw new InvalidOperationException($"stint serve does not answer. {LastWords}");
    }

    private async Task CarryAloneAsync(string door, string secret, int port)
    {
        var file = Path.Combine(Folder, "edge.secret");
        await File.WriteAllTextAsync(file, secret);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var config = Path.Combine(Folder, "edge.json");
        await File.WriteAllTextAsync(config, $$"""{ {{door}}, "control": { "url": "{{Address}}", "secret_file": "{{file}}" } }""");
        var alone = Start(Stint.Program, [.. Stint.Words, "serve", "--config", config, "--data", Path.Combine(Folder, "edge"), "--gateway-listen", $"127.0.0.1:{port}", "--roles", "gateway"]);
        Gateway = alone.Id;
        await ListeningAsync(port, alone, this);
    }

    private async Task<string> MasterKeyAsync()
    {
        var key = Path.Combine(Folder, "master.key");
        if (!File.Exists(key))
        {
            await File.WriteAllTextAsync(key, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) + "\n");
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return key;
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

    public async ValueTask DisposeAsync()
    {
        if (_super is not null)
        {
            await _super.DisposeAsync();
        }

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

    /// <summary>Settings of that server, as <c>name=value</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>How many nodes of the control plane; more than one share a PostgreSQL store.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Whether the sessions are carried by a node that does nothing else.</summary>
    public bool GatewayAlone { get; init; }

    /// <summary>Whether the server is started at once.</summary>
    public bool Serve { get; init; } = true;

    /// <summary>The catalog; null for one person, one role and a rule that allows it.</summary>
    public string? Catalog { get; init; }
}
