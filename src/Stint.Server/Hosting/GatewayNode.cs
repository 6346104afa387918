using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Stint.Gateway;
using Stint.Server.Nodes;
using Stint.Server.Sessions;

namespace Stint.Server.Hosting;

/// <summary>A node that carries sessions and nothing else. It has no store, no catalog and no master key; it asks its control plane.</summary>
internal sealed class GatewayNode : IAsyncDisposable
{
    /// <summary>How long a control plane that does not answer is tried at the start.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly ServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly NodeState _state = new();
    private readonly ControlLine _line;
    private readonly RemoteGate _gate;
    private readonly CertificateHolder? _certificate;
    private GatewayHost? _gateway;
    private Loops? _loops;
    private volatile DoorShape? _door;
    private bool _stopped;

    private GatewayNode(ServerOptions options, TimeProvider time, ILoggerFactory loggers, TextWriter output)
    {
        (_options, _time, _loggers) = (options, time, loggers);
        _log = loggers.CreateLogger("Stint.Gateway");
        DataFolder.Ensure(options.Data);
        DataFolder.Ensure(options.RecordFolder);
        _certificate = Certificate(output);
        _line = new ControlLine(options.Control!);
        _gate = new RemoteGate(_line, options.RecordFolder, () => _door, time, loggers.CreateLogger<RemoteGate>());
    }

    /// <summary>Where it takes PostgreSQL clients.</summary>
    public IPEndPoint? Gateway => _gateway?.Endpoints[0];

    /// <summary>What is said once it takes connections.</summary>
    public string ReadyLine { get; private set; } = "";

    /// <summary>Runs until the token or a signal stops it, then drains.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="StartException">It cannot start as things are.</exception>
    public static async Task<int> RunAsync(ServerOptions options, ServeArguments arguments, CancellationToken cancellation)
    {
        await using var node = await StartAsync(options, arguments, cancellation);
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var reload = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            node._certificate?.Refresh();
        });
        StintServer.Output(arguments).WriteLine(node.ReadyLine);
        await StintServer.Output(arguments).FlushAsync(cancellation);
        using var wanted = cancellation.Register(node._state.Stop);
        await node._state.StopWanted;
        await node.StopAsync();
        node._log.Stopped(node._state.ExitCode);
        return node._state.ExitCode;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            node._state.Stop();
        }
    }

    /// <summary>Links up, and only then takes connections.</summary>
    /// <exception cref="StartException">It cannot start as things are.</exception>
    public static async Task<GatewayNode> StartAsync(ServerOptions options, ServeArguments arguments, CancellationToken cancellation)
    {
        var node = new GatewayNode(options, arguments.Time ?? new SteadyTime(), Logging.Make(options.Log), StintServer.Output(arguments));
        try
        {
            await node.StartAsync(cancellation);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _line.Dispose();
        _stopping.Dispose();
        _state.Dispose();
        _certificate?.Now.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        _loops = new Loops(_state, _loggers.CreateLogger<Loops>());
        _loops.Start("control", _gate.RunAsync, _stopping.Token);
        _loops.Start("certificate", WatchCertificateAsync, _stopping.Token);
        WelcomeShape welcome;
        try
        {
            welcome = await _gate.Welcomed.WaitAsync(StartPatience, _time, cancellation);
        }
        catch (TimeoutException)
        {
            throw new StartException($"The control plane {_options.Control!.Url} did not let this gateway in within {StartPatience.TotalSeconds:0} s; the log above says why. See that it runs and can be reached from here.");
        }
        catch (ControlException refused)
        {
            throw new StartException($"This gateway is not let in: {refused.Message}. Look at control.url, this node's secret, and `nodes` in the control plane's configuration.");
        }

        try
        {
            _gateway = await GatewayHost.StartAsync(
                new GatewayOptions
                {
                    PostgresListen = [_options.Gateway.PostgresListen],
                    Tls = _options.Gateway.Tls,
                    Certificate = _certificate is null ? null : () => _certificate.Context,
                    RecordingFolder = _options.RecordFolder,
                    Node = welcome.Node,
                    MockSecret = welcome.MockSecret,
                    MockIterations = ScramSecret.Iterations,
                },
                _gate,
                _time,
                _loggers);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new StartException($"The gateway cannot listen on {_options.Gateway.PostgresListen} ({e.Message}). Free the port, or set gateway.postgres_listen.");
        }

        var door = new GatewayDoor(_options.Gateway, _certificate);
        door.Opened(_gateway.Endpoints[0]);
        _door = DoorShape.Of(door);
        await _gate.TellDoorAsync(cancellation);
        ReadyLine = $"stint is ready: gateway postgres {Gateway}, {welcome.Node} of {_options.Control!.Url.ToString().TrimEnd('/')}";
        _log.Ready(ReadyLine);
    }

    private CertificateHolder? Certificate(TextWriter output)
    {
        if (_options.Gateway.Tls == GatewayTls.Off)
        {
            return null;
        }

        if (_options.Gateway.Certificate is { } files)
        {
            return CertificateHolder.Load("gateway", files, _log);
        }

        var hosts = new[] { _options.Gateway.PublicHost, Dns.GetHostName(), "localhost", "127.0.0.1", "::1" }.OfType<string>().ToList();
        if (_options.Gateway.PostgresListen.Address is var address && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            hosts.Add(address.ToString());
        }

        var own = CertificateHolder.SelfMade("gateway", _options.Data, hosts, _time.GetUtcNow(), _log, out var made);
        var path = CertificateHolder.SelfMadeFiles(_options.Data).Certificate;
        output.WriteLine(made ? $"No certificate was named, so one was made: {path}" : $"No certificate was named; the self-made one is used: {path}");
        return own;
    }

    private async Task WatchCertificateAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(LookEvery, _time);
        while (await timer.WaitForNextTickAsync(stop))
        {
            _certificate?.Refresh();
        }
    }

    /// <summary>Drains: the link stays until the ends of the sessions are on record.</summary>
    private async Task StopAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        _gate.BeginDrain();
        if (_gateway is not null)
        {
            _log.Draining(_gateway.LiveSessions, _options.Gateway.Drain.TotalSeconds);
            await _gateway.DrainAsync(_options.Gateway.Drain);
            await _gateway.DisposeAsync();
        }

        await _stopping.CancelAsync();
        if (_loops is not null)
        {
            await Task.WhenAny(_loops.WhenAllEnded(), Task.Delay(TimeSpan.FromSeconds(5)));
        }
    }
}
