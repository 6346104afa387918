using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stint.Core.Sessions;
using Stint.Gateway;
using Stint.Server.Identity.Accounts;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Hosting;

/// <summary>One running node. What must precede the first answer is done before it listens; what must follow the last is done before it ends.</summary>
internal sealed class ServerNode : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly ServerOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _reload = new(0);
    private readonly List<CertificateHolder> _certificates = [];
    private readonly TimeProvider _time;
    private StintStore? _store;
    private WebApplication? _app;
    private GatewayHost? _gateway;
    private Loops? _loops;
    private Telemetry? _telemetry;
    private bool _stopped;
    private bool _toldOfClock;

    private ServerNode(ServerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _time, _loggers) = (options, time, loggers);
        _log = loggers.CreateLogger("Stint.Server");
    }

    public NodeState State { get; } = new();

    /// <summary>Where the API is.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Where the gateway takes PostgreSQL clients; null when this node carries no sessions.</summary>
    public IPEndPoint? Gateway => _gateway?.Endpoints[0];

    /// <summary>What is said once it answers.</summary>
    public string ReadyLine { get; private set; } = "";

    /// <summary>The parts, for tests.</summary>
    public IServiceProvider Services => _app!.Services;

    /// <summary>Starts everything in its order: store, keys, catalog, overdue ends, loops, gateway, web.</summary>
    /// <exception cref="StartException">It cannot start as things are.</exception>
    /// <exception cref="StoreSetupException">The store cannot be opened as it is.</exception>
    public static async Task<ServerNode> StartAsync(ServerOptions options, ServeArguments arguments, CancellationToken cancellation)
    {
        var loggers = Logging.Make(options.Log);
        var node = new ServerNode(options, arguments.Time ?? new SteadyTime(), loggers);
        try
        {
            await node.StartAsync(arguments, cancellation);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Looks at the catalog and the certificates again, at once.</summary>
    public void Reload() => _reload.Release();

    /// <summary>Runs until somebody wants it to stop, then drains.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var wanted = cancellation.Register(State.Stop);
        await State.StopWanted;
        await StopAsync();
        _log.Stopped(State.ExitCode);
        return State.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _reload.Dispose();
        _stopping.Dispose();
        State.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync(ServeArguments arguments, CancellationToken cancellation)
    {
        var output = StintServer.Output(arguments);
        var watch = Parts.Watch(_options, _loggers);
        DataFolder.Ensure(_options.Data);
        DataFolder.Ensure(_options.RecordFolder);
        var (web, gateway) = Certificates(output);

        _store = Parts.Store(_options);
        await _store.OpenAsync(cancellation);
        await NotSetBackAsync(cancellation);
        var parts = await Parts.PrepareAsync(_options, arguments, _store, watch, _time, output, cancellation);
        var door = new GatewayDoor(_options.Gateway, gateway);
        _app = WebServer.Build(_options, web, services =>
        {
            services.AddSingleton(_loggers);
            services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
            services.AddSingleton(State);
            services.AddSingleton(door);
            parts.Fill(services);
        });

        // NB. Overdue access ends before anybody is answered: a start after a crash must not let in whom a deadline has shut out.
        await parts.StartUpAsync(Services, cancellation);
        _telemetry = Telemetry.Start(_options.Otlp, parts.Installation.Node, parts.Installation.Version);
        _loops = new Loops(State, _loggers.CreateLogger<Loops>());
        parts.StartLoops(Services, _loops, _stopping.Token);
        _loops.Start("reload", token => ReloadAsync(parts, token), _stopping.Token);

        if (_options.CarriesSessions)
        {
            _gateway = await OpenGatewayAsync(parts, gateway);
            door.Opened(_gateway.Endpoints[0]);
        }

        await ListenAsync(cancellation);
        State.SetReady();
        ReadyLine = $"stint is ready: {(_options.Web.PublicUrl ?? Address).ToString().TrimEnd('/')}{(Gateway is { } end ? $" (gateway postgres {end})" : "")}";
        _log.Ready(ReadyLine);
        await OfferSetUpAsync(output, cancellation);
    }

    /// <summary>Says where to make the first administrator, while nobody of them can sign in. The link is said here and nowhere else: not in the log.</summary>
    private async Task OfferSetUpAsync(TextWriter output, CancellationToken cancellation)
    {
        if (await Services.GetRequiredService<AccountLinks>().OfferSetUpAsync(cancellation) is { } code)
        {
            await output.WriteLineAsync($"Set up: {Services.GetRequiredService<RelyingParty>().Link(Address, "/set-up#" + code)}");
            await output.WriteLineAsync("No administrator can sign in yet. Whoever opens this link makes themselves the first: once, within 24 hours, and until the next start.");
        }
    }

    /// <summary>A clock that was set back while nothing ran would give open access its time again: the time on record counts then.</summary>
    private async Task NotSetBackAsync(CancellationToken cancellation)
    {
        if (_time is SteadyTime steady && await _store!.ReadAsync(async reads => await reads.KnownMomentAsync(), cancellation) is { } known)
        {
            steady.NotBefore(known);
        }
    }

    private void LookAtClock()
    {
        var ahead = _time is SteadyTime steady ? steady.Ahead : TimeSpan.Zero;
        if (ahead >= LookEvery && !_toldOfClock)
        {
            _log.ClockSetBack(ahead.TotalSeconds);
        }

        _toldOfClock = ahead >= LookEvery;
    }

    private (CertificateHolder? Web, CertificateHolder? Gateway) Certificates(TextWriter output)
    {
        CertificateHolder? own = null;
        var web = _options.Web.Certificate is { } files ? CertificateHolder.Load("web", files, _log) : _options.Web.IsPlain ? null : Own();
        CertificateHolder? gateway = null;
        if (_options.CarriesSessions && _options.Gateway.Tls != GatewayTls.Off)
        {
            gateway = _options.Gateway.Certificate is not { } named ? Own()
                : named == _options.Web.Certificate ? web
                : CertificateHolder.Load("gateway", named, _log);
        }

        _certificates.AddRange(new[] { web, gateway }.OfType<CertificateHolder>().Distinct());
        return (web, gateway);

        CertificateHolder Own()
        {
            if (own is null)
            {
                own = CertificateHolder.SelfMade("web and gateway", _options.Data, Hosts(), _time.GetUtcNow(), _log, out var made);
                var path = CertificateHolder.SelfMadeFiles(_options.Data).Certificate;
                output.WriteLine(made
                    ? $"No certificate was named, so one was made: {path}"
                    : $"No certificate was named; the self-made one is used: {path}");
                output.WriteLine($"Its SHA-256 fingerprint is {own.Now.Fingerprint}");
            }

            return own;
        }
    }

    /// <summary>Every name and address that this machine may be reached by.</summary>
    private List<string> Hosts()
    {
        var hosts = new List<string> { _options.Web.PublicUrl?.Host ?? _options.Gateway.PublicHost ?? Dns.GetHostName() };
        hosts.AddRange(new[] { _options.Gateway.PublicHost, Dns.GetHostName(), "localhost", "127.0.0.1", "::1" }.OfType<string>());
        foreach (var address in new[] { _options.Web.Listen.Address, _options.Gateway.PostgresListen.Address })
        {
            if (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
            {
                hosts.Add(address.ToString());
            }
        }

        return hosts;
    }

    private async Task<GatewayHost> OpenGatewayAsync(Parts parts, CertificateHolder? certificate)
    {
        try
        {
            return await GatewayHost.StartAsync(
                new GatewayOptions
                {
                    PostgresListen = [_options.Gateway.PostgresListen],
                    Tls = _options.Gateway.Tls,
                    Certificate = certificate is null ? null : () => certificate.Context,
                    RecordingFolder = _options.RecordFolder,
                    Node = parts.Installation.Node,
                    MockSecret = parts.MockSecret,
                    MockIterations = ScramSecret.Iterations,
                },
                Services.GetRequiredService<ISessionGate>(),
                _time,
                _loggers);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new StartException($"The gateway cannot listen on {_options.Gateway.PostgresListen} ({e.Message}). Free the port, or set gateway.postgres_listen.");
        }
    }

    private async Task ListenAsync(CancellationToken cancellation)
    {
        try
        {
            await _app!.StartAsync(cancellation);
        }
        catch (IOException e)
        {
            throw new StartException($"The API cannot listen on {_options.Web.Listen} ({e.Message}). Free the port, or set web.listen.");
        }

        Address = WebServer.AddressOf(_app);
    }

    private async Task ReloadAsync(Parts parts, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var asked = await _reload.WaitAsync(LookEvery, stop);
            _certificates.ForEach(certificate => certificate.Refresh());
            LookAtClock();
            await parts.Catalog.LookAsync(asked, stop);
        }
    }

    /// <summary>Drains, then ends everything in the reverse order of the start. Each part has its bound; what does not make it is left for the next start, which finds its intents in the store.</summary>
    private async Task StopAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        State.BeginDrain();
        if (_gateway is not null)
        {
            _log.Draining(_gateway.LiveSessions, _options.Gateway.Drain.TotalSeconds);
            _app?.Services.GetService<SessionGate>()?.BeginDrain();
            await _gateway.DrainAsync(_options.Gateway.Drain);
            await _gateway.DisposeAsync();
        }

        if (_app is not null)
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
            await _app.StopAsync(bound.Token);
        }

        await _stopping.CancelAsync();
        if (_loops is not null && await Task.WhenAny(_loops.WhenAllEnded(), Task.Delay(TimeSpan.FromSeconds(10))) != _loops.WhenAllEnded())
        {
            if (!_loops.WhenAllEnded().IsCompleted)
            {
                _log.LeftForNextStart("work at targets");
            }
        }

        _telemetry?.Dispose();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _certificates.ForEach(certificate => certificate.Now.Dispose());
    }
}
