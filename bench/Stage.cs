using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
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

    /// <summary>Addresses of the control plane's nodes; the first is <see cref="Address"/>.</summary>
    private readonly List<string> _nodes = [];

    /// <summary>The process that carries the sessions.</summary>
    public int Gateway { get; private set; }

    /// <param name="nodes">More than one: on one PostgreSQL store.</param>
    /// <param name="gatewayAlone">Whether the sessions are carried by a node that does nothing else.</param>
    public static async Task<Stage> SetAsync(string record = "default", string tls = "off", int connections = 200, int nodes = 1, bool gatewayAlone = false)
    {
        var stage = new Stage(Directory.CreateTempSubdirectory("stint-bench-").FullName);
        File.SetUnixFileMode(stage.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await stage.StartDatabaseAsync(connections);
        for (var node = 0; node < nodes; node++)
        {
            await stage.StartServerAsync(record, tls, connections, shared: nodes > 1, gatewayAlone);
        }

        return stage;
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

    /// <summary>User and system time of a process so far, in seconds.</summary>
    public static double Cpu(int process)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    /// <summary>A client of the API with Ann's token.</summary>
    public HttpClient Http(int node = 0)
    {
        var http = new HttpClient { BaseAddress = new Uri(_nodes[node] + "/api/v1/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AnnToken);
        return http;
    }

    /// <summary>Asks by rule, opens, and returns the way in and the <c>grant</c>, without a process of its own.</summary>
    public async Task<JsonObject> OpenAsync(HttpClient http, string role = "db/write")
    {
        var request = await PostAsync(http, "requests", new JsonObject { ["role"] = role, ["reason"] = "bench", ["wait"] = true });
        var grant = (string)request["grant"]!["id"]!;
        var door = await PostAsync(http, $"grants/{grant}/logins", []);
        door["grant"] = grant;
        return door;
    }

    /// <summary>The grant that is open.</summary>
    public async Task<string> GrantAsync(HttpClient http) =>
        (string)(await http.GetFromJsonAsync<JsonObject>("grants?state=open&mine=true"))!["items"]![0]!["id"]!;

    public Task RevokeAsync(HttpClient http, string grant) => PostAsync(http, $"grants/{grant}/revoke", new JsonObject { ["comment"] = "bench" });

    /// <summary>Waits until no account of Stint's stands at the target: what comes next finds it as what came before did.</summary>
    public async Task GoneAsync()
    {
        while (Convert.ToInt64(await ScalarAsync("select count(*) from pg_roles where rolname like 'stint\\_%'"), CultureInfo.InvariantCulture) > 0)
        {
            await Task.Delay(10);
        }
    }

    /// <summary>Connections of Stint's accounts at the target.</summary>
    public async Task<long> BackendsAsync() => Convert.ToInt64(await ScalarAsync("select count(*) from pg_stat_activity where usename like 'stint\\_%'"), CultureInfo.InvariantCulture);

    /// <summary>Ends the control plane as a power cut would.</summary>
    public void KillServer() => _started.Single(process => process.Id == Server).Kill();

    /// <summary>Memory of a process, in bytes.</summary>
    public static long Resident(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    private async Task<object?> ScalarAsync(string sql)
    {
        _super ??= NpgsqlDataSource.Create($"Host=127.0.0.1;Port={DatabasePort};Username=postgres;Password={SuperPassword};Database=postgres");
        await using var command = _super.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static async Task<JsonObject> PostAsync(HttpClient http, string path, JsonObject body)
    {
        using var answer = await http.PostAsJsonAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? (JsonObject)JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {text}");
    }

    private NpgsqlDataSource? _super;

    private async Task StartDatabaseAsync(int connections)
    {
        DatabasePort = await FreePortAsync();
        await RunAsync(Path.Combine(Root, "eng", "pg"), ["start", "15", _data, $"{DatabasePort}", $"max_connections={Math.Max(300, connections + 100)}"]);
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

    private async Task StartServerAsync(string record, string tls, int connections, bool shared, bool gatewayAlone)
    {
        var name = $"node{_nodes.Count}";
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
        var config = Path.Combine(Folder, name + ".json");
        var door = $$""" "gateway": { "tls": "{{tls}}", "connections_per_grant": {{connections}}, "drain": "0s" } """;
        var secret = Token();
        var key = Path.Combine(Folder, "master.key");
        if (!File.Exists(key))
        {
            await File.WriteAllTextAsync(key, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) + "\n");
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var store = shared ? $$""", "store": "postgres", "store_url": "Host=127.0.0.1;Port={{DatabasePort}};Username=peer;Password=bench-peer;Database=store" """ : "";
        await File.WriteAllTextAsync(config, $$"""
            { {{door}}, "master_key": { "file": "{{key}}" }, "nodes": ["edge=sha256:{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))}}"], "limits": { "requests_per_minute": 100000000, "address_requests_per_minute": 100000000 }{{store}} }
            """);
        var server = Start("dotnet", Stint, "serve", "--config", config, "--data", Path.Combine(Folder, name), "--catalog", catalog, "--listen", $"127.0.0.1:{web}", "--gateway-listen", $"127.0.0.1:{gateway}", "--roles", gatewayAlone ? "control" : "control,gateway");
        await ListeningAsync(web, server, this);
        _nodes.Add($"http://127.0.0.1:{web}");
        Address = _nodes[0];
        Server = Server == 0 ? server.Id : Server;
        Gateway = Server;
        if (gatewayAlone)
        {
            var file = Path.Combine(Folder, "edge.secret");
            await File.WriteAllTextAsync(file, secret);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            var edge = Path.Combine(Folder, "edge.json");
            await File.WriteAllTextAsync(edge, $$"""{ {{door}}, "control": { "url": "{{Address}}", "secret_file": "{{file}}" } }""");
            var alone = Start("dotnet", Stint, "serve", "--config", edge, "--data", Path.Combine(Folder, "edge"), "--gateway-listen", $"127.0.0.1:{gateway}", "--roles", "gateway");
            Gateway = alone.Id;
            await ListeningAsync(gateway, alone, this);
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

        await RunAsync(Path.Combine(Root, "eng", "pg"), ["stop", _data]);
        Directory.Delete(Folder, recursive: true);
    }
}
