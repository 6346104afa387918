using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Stint.EndToEnd.Harness;

/// <summary>One running <c>stint serve</c>: a process of its own, with a data folder, a catalog and two ports.</summary>
public sealed class StintServer : IAsyncDisposable
{
    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(40);

    private readonly HttpClient _http;
    private readonly string? _authority;
    private readonly StringBuilder _log = new();
    private readonly IReadOnlyDictionary<string, string?> _environment;
    private readonly string _binary;
    private Process? _process;
    private string? _note;

    /// <param name="catalog">The text of its only catalog file.</param>
    /// <param name="environment">Variables of its process, such as the passwords that the catalog names.</param>
    /// <param name="config">Members of its configuration file beside those that say where it lives.</param>
    /// <param name="binary">The program; the build's own when null.</param>
    /// <param name="authority">Certificate, in a PEM file, that its web shows or that signed what it shows; null for plain HTTP.</param>
    public StintServer(
        string catalog,
        IReadOnlyDictionary<string, string?>? environment = null,
        IReadOnlyDictionary<string, object>? config = null,
        string? binary = null,
        string? authority = null)
    {
        _authority = authority;
        _http = Http();
        _http.Timeout = TimeSpan.FromSeconds(5);
        _environment = environment ?? new Dictionary<string, string?>();
        _binary = binary ?? Checkout.Stint;
        Folder = RunFolder.Make("stint");
        WebPort = Ports.Free();
        GatewayPort = Ports.Free();
        Directory.CreateDirectory(CatalogFolder);
        File.WriteAllText(Path.Combine(CatalogFolder, "catalog.yaml"), catalog);
        var settings = new Dictionary<string, object>(config ?? new Dictionary<string, object>())
        {
            ["data"] = DataFolder,
            ["catalog"] = CatalogFolder,
        };
        settings["web"] = With(settings.GetValueOrDefault("web"), "listen", $"127.0.0.1:{WebPort}");
        settings["gateway"] = With(settings.GetValueOrDefault("gateway"), "postgres_listen", $"127.0.0.1:{GatewayPort}");
        File.WriteAllText(ConfigFile, JsonSerializer.Serialize(settings));
    }

    /// <summary>Holds all that it keeps.</summary>
    public string Folder { get; }

    public string DataFolder => Path.Combine(Folder, "data");

    public string CatalogFolder => Path.Combine(Folder, "catalog");

    public string ConfigFile => Path.Combine(Folder, "stint.json");

    public int WebPort { get; }

    public int GatewayPort { get; }

    public Uri Web => new(string.Create(CultureInfo.InvariantCulture, $"{(_authority is null ? "http" : "https")}://127.0.0.1:{WebPort}"));

    /// <summary>Flags that name its installation, for the verbs that work without a server.</summary>
    public string[] Place => ["--config", ConfigFile];

    /// <summary>Of the running process.</summary>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("stint does not run");

    /// <summary>That it ended by itself, and with which code; empty while it runs.</summary>
    public string Ended
    {
        get
        {
            try
            {
                // Read once: a test that kills it takes it away meanwhile.
                return _process is { HasExited: true } process ? $"stint serve ended with {process.ExitCode}\n" : "";
            }
            catch (InvalidOperationException)
            {
                return "";
            }
        }
    }

    /// <summary>All that it wrote to its two streams since it was first started.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>Starts it and waits until it answers that it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended instead, or was not ready in time; the message holds its log.</exception>
    public async Task StartAsync()
    {
        var process = Tool.Start(_binary, ["serve", "--config", ConfigFile], _environment);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        _process = process;
        _note = RunFolder.Note(process.Id);
        var watch = Stopwatch.StartNew();
        while (!await AnswersAsync("/readyz"))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"stint serve ended with exit code {process.ExitCode}\n{Log}");
            }

            if (watch.Elapsed > s_ready)
            {
                throw new InvalidOperationException($"stint serve was not ready within {s_ready}\n{Log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    /// <summary>Whether a GET of this path is answered with 200 now.</summary>
    public async Task<bool> AnswersAsync(string path)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(Web, path));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>The place of a person who holds this token.</summary>
    public Seat Seat(string token) => new(this, _binary, token);

    /// <summary>A client that comes over HTTP, and over TLS only when the authority vouches for the server.</summary>
    public HttpClient Http()
    {
        if (_authority is null)
        {
            return new HttpClient();
        }

        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(_authority) },
        };
        return new HttpClient(handler);
    }

    /// <summary>The file that vouches for its web; null with plain HTTP.</summary>
    public string? Authority => _authority;

    /// <summary>Sends a signal, such as HUP.</summary>
    public async Task SignalAsync(string name) =>
        (await Tool.RunAsync("kill", [$"-{name}", ProcessId.ToString(CultureInfo.InvariantCulture)])).Good();

    /// <summary>Memory that the process holds now, in bytes.</summary>
    public long Resident()
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{ProcessId}/status"))
            .Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("VmRSS:".Length).Trim()[..^" kB".Length], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Ends it as a power cut would: SIGKILL.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        process.Kill();
        await GoneAsync(process);
    }

    /// <summary>Asks it to end: SIGTERM.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync(TimeSpan? within = null)
    {
        var process = _process ?? throw new InvalidOperationException("stint does not run");
        await SignalAsync("TERM");
        try
        {
            await process.WaitForExitAsync().WaitAsync(within ?? TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            await KillAsync();
            throw new TimeoutException($"stint serve did not end after SIGTERM\n{Log}");
        }

        var code = process.ExitCode;
        await GoneAsync(process);
        return code;
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private async Task GoneAsync(Process process)
    {
        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
        if (_note is not null)
        {
            File.Delete(_note);
        }
    }

    private static Dictionary<string, object> With(object? given, string name, string value)
    {
        var settings = new Dictionary<string, object>(given as Dictionary<string, object> ?? []);
        settings.TryAdd(name, value);
        return settings;
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_log)
        {
            _log.Append(line).Append('\n');
        }
    }
}
