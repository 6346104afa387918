using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Stint.EndToEnd.Harness;

/// <summary>One running <c>stint serve --roles gateway</c>: no store, no catalog, and a control plane elsewhere.</summary>
public sealed class GatewayAlone : IAsyncDisposable
{
    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(40);

    private readonly StringBuilder _log = new();
    private readonly string _config;
    private Process? _process;
    private string? _note;

    /// <param name="control">Where its control plane is.</param>
    /// <param name="secret">Its secret.</param>
    /// <param name="trust">Further members of <c>control</c>: <c>fingerprint</c> or <c>ca</c>.</param>
    public GatewayAlone(Uri control, string secret, params (string Name, string Value)[] trust)
    {
        ArgumentNullException.ThrowIfNull(control);
        ArgumentNullException.ThrowIfNull(trust);
        var folder = RunFolder.Make("edge");
        var file = Path.Combine(folder, "secret");
        File.WriteAllText(file, secret + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Port = Ports.Free();
        var line = new Dictionary<string, object> { ["url"] = control.ToString(), ["secret_file"] = file };
        foreach (var (name, value) in trust)
        {
            line[name] = value;
        }

        _config = Path.Combine(folder, "stint.json");
        Data = Path.Combine(folder, "data");
        File.WriteAllText(_config, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["roles"] = (string[])["gateway"],
            ["data"] = Data,
            ["control"] = line,
            ["gateway"] = new Dictionary<string, object> { ["postgres_listen"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"), ["tls"] = "off", ["drain"] = "0s" },
        }));
    }

    /// <summary>Where its clients knock.</summary>
    public int Port { get; }

    public string Data { get; }

    /// <summary>Flags that name its installation, for the verbs that work without a server.</summary>
    public string[] Place => ["--config", _config];

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("the gateway does not run");

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

    /// <summary>A secret as <c>stint token</c> makes them, and what the control plane keeps of it.</summary>
    public static (string Secret, string Hash) NewSecret()
    {
        var secret = "stp_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return (secret, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret))));
    }

    /// <summary>Starts it and waits until it says that it takes connections.</summary>
    public async Task StartAsync()
    {
        var process = Begin();
        var watch = Stopwatch.StartNew();
        var before = Count();
        while (Count() == before)
        {
            if (process.HasExited || watch.Elapsed > s_ready)
            {
                throw new InvalidOperationException($"the gateway is not ready\n{Log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        int Count() => Log.Split("stint is ready: gateway").Length;
    }

    /// <summary>Starts it and waits until it ends by itself.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> FailAsync()
    {
        var process = Begin();
        await process.WaitForExitAsync().WaitAsync(s_ready);
        return process.ExitCode;
    }

    /// <summary>Sends a signal, such as STOP.</summary>
    public async Task SignalAsync(string name) => (await Tool.RunAsync("kill", [$"-{name}", ProcessId.ToString(CultureInfo.InvariantCulture)])).Good();

    /// <summary>Ends it as a power cut would: SIGKILL.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
            File.Delete(_note!);
        }
    }

    /// <summary>Memory that the process holds now, in bytes.</summary>
    public long Resident() => long.Parse(
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{ProcessId}/status")).Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).AsSpan("VmRSS:".Length).Trim()[..^" kB".Length],
        CultureInfo.InvariantCulture) * 1024;

    public async ValueTask DisposeAsync() => await KillAsync();

    private Process Begin()
    {
        var process = Tool.Start(Checkout.Stint, ["serve", "--config", _config]);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        _process = process;
        _note = RunFolder.Note(process.Id);
        return process;
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            _log.Append(line).Append('\n');
        }
    }
}
