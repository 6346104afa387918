using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Stint.Gateway.Listening;

/// <summary>Accepts connections at one endpoint, and hands each to its protocol.</summary>
internal sealed class Listener : IAsyncDisposable
{
    private const int Backlog = 1024;

    private readonly Socket _socket;
    private readonly IGatewayProtocol _protocol;
    private readonly HandshakeLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _accepting = Task.CompletedTask;

    private Listener(Socket socket, IGatewayProtocol protocol, HandshakeLimits limits, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _protocol = protocol;
        _limits = limits;
        _time = time;
        _logger = logger;
        Endpoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    public IPEndPoint Endpoint { get; }

    /// <exception cref="SocketException">The endpoint cannot be taken.</exception>
    public static Listener Start(IPEndPoint endpoint, IGatewayProtocol protocol, HandshakeLimits limits, TimeProvider time, ILogger logger)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endpoint);
            socket.Listen(Backlog);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var listener = new Listener(socket, protocol, limits, time, logger);
        Log.Listens(logger, protocol.Kind, listener.Endpoint);
        listener._accepting = listener.AcceptAsync();
        return listener;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _socket.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _socket.AcceptAsync(_stopping.Token);
                _ = Task.Run(() => ServeAsync(socket), CancellationToken.None);
            }
            catch (Exception over) when (over is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failed)
            {
                // Out of file descriptors or memory: trying on at once would only burn what is left.
                Log.AcceptFailed(_logger, failed);
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            var from = ((IPEndPoint)socket.RemoteEndPoint!).Address;
            using var place = _limits.TryEnter(from);
            if (place is null)
            {
                Log.Refused(_logger, from.ToString(), "too many connections are logging in");
                await _protocol.RefuseAsync(socket);
                return;
            }

            await _protocol.ServeAsync(socket, place);
        }
        catch (Exception failed) when (failed is SocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side left.
        }
        catch (Exception failed)
        {
            Log.ConnectionFailed(_logger, failed);
        }
        finally
        {
            socket.Dispose();
        }
    }
}
