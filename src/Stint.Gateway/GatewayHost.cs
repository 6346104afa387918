using System.Net;
using Microsoft.Extensions.Logging;
using Stint.Core.Sessions;
using Stint.Gateway.Listening;
using Stint.Gateway.Relaying;

namespace Stint.Gateway;

/// <summary>A running gateway.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly RelayHost _host;
    private readonly List<Listener> _listeners = [];
    private readonly TimeProvider _time;
    private bool _disposed;

    private GatewayHost(RelayHost host, TimeProvider time)
    {
        _host = host;
        _time = time;
    }

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints => [.. _listeners.Select(listener => listener.Endpoint)];

    /// <summary>How many sessions are live.</summary>
    public int LiveSessions => _host.Live;

    /// <summary>Opens the listeners; returns when they take connections.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">An endpoint cannot be taken.</exception>
    public static async Task<GatewayHost> StartAsync(GatewayOptions options, ISessionGate gate, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        var logger = loggers.CreateLogger("Stint.Gateway");
        var host = new RelayHost(options, gate, time, logger);
        var gateway = new GatewayHost(host, time);
        try
        {
            foreach (var (protocol, endpoints) in Protocols.All(host))
            {
                var limits = new HandshakeLimits(options.MaxHandshakes, options.MaxHandshakesPerAddress);
                foreach (var endpoint in endpoints)
                {
                    gateway._listeners.Add(Listener.Start(endpoint, protocol, limits, time, logger));
                }
            }

            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no new sessions, tells the live ones, and waits for them to leave; those that do not are cut.</summary>
    /// <param name="patience">How long they have.</param>
    public async Task DrainAsync(TimeSpan patience)
    {
        _host.IsDraining = true;
        var began = _time.GetTimestamp();
        await Task.WhenAll(_host.Sessions.Select(session => session.NoticeAsync(
            $"This gateway is shutting down: your session ends in {Words.Of(patience)} at the latest.",
            "Finish what you are at, and connect again.")));
        while (!_host.IsEmpty && _time.GetElapsedTime(began) < patience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time);
        }

        await CutAllAsync();
    }

    /// <summary>Stops: live sessions are cut, and their ends put on record.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _host.IsDraining = true;
        foreach (var listener in _listeners)
        {
            await listener.DisposeAsync();
        }

        await CutAllAsync();
        _host.Dispose();
    }

    private async Task CutAllAsync()
    {
        var began = _time.GetTimestamp();
        while (!_host.IsEmpty && _time.GetElapsedTime(began) < EndPatience)
        {
            foreach (var session in _host.Sessions)
            {
                session.End(RelayHost.Drained);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), _time);
        }
    }
}
