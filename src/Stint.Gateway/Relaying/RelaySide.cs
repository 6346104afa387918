using System.Net;
using System.Net.Sockets;

namespace Stint.Gateway.Relaying;

/// <summary>One end of a relay.</summary>
/// <param name="Socket">The socket. Its own asynchronous calls are not used: see <see cref="LoopStream"/>.</param>
/// <param name="Stream">What is spoken over: <paramref name="Wire"/> itself, or TLS on it.</param>
/// <param name="Wire">What lies directly on the socket.</param>
internal sealed record RelaySide(Socket Socket, Stream Stream, Stream Wire)
{
    /// <summary>From now on, what waits for this side goes on where its arrival is heard of.</summary>
    public void CarryInline()
    {
        if (OperatingSystem.IsLinux() && Wire is LoopStream loop)
        {
            loop.Inline = true;
        }
    }

    /// <summary>The next byte on the wire, which stays to be read; −1 at the end.</summary>
    public async ValueTask<int> PeekAsync(CancellationToken cancellation)
    {
        if (OperatingSystem.IsLinux() && Wire is LoopStream loop)
        {
            return await loop.PeekAsync(cancellation);
        }

        var first = new byte[1];
        return await Socket.ReceiveAsync(first, SocketFlags.Peek, cancellation) == 1 ? first[0] : -1;
    }

    /// <summary>Closes it. Whoever waits for it hears so.</summary>
    public void Close()
    {
        try
        {
            if (Stream != Wire)
            {
                Stream.Dispose();
            }
        }
        catch (Exception failed) when (failed is IOException or InvalidOperationException or NotSupportedException or SocketException)
        {
            // TLS that is read on another thread at this moment: what lies below is closed all the same.
        }
        finally
        {
            Wire.Dispose();
            Socket.Dispose();
        }
    }
}

/// <summary>Makes streams of sockets: through loops of our own on Linux, as the runtime does it elsewhere.</summary>
internal sealed class RelaySockets : IDisposable
{
    /// <summary>A loop carries some 50,000 queries a second; the other cores are for what the queries cost elsewhere.</summary>
    private const int MaxLoops = 4;

    private readonly RelayLoop[] _loops = [];
    private int _next;

    /// <param name="broken">Told of what a stream threw unforeseen; null for nobody.</param>
    public RelaySockets(Action<Exception>? broken = null)
    {
        if (OperatingSystem.IsLinux())
        {
            _loops = new RelayLoop[Math.Clamp(Environment.ProcessorCount / 2, 1, MaxLoops)];
            for (var at = 0; at < _loops.Length; at++)
            {
                _loops[at] = new RelayLoop(broken);
            }
        }
    }

    /// <summary>A connection that was accepted.</summary>
    public RelaySide Accepted(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            var stream = new LoopStream(_loops[(uint)Interlocked.Increment(ref _next) % _loops.Length], socket.SafeHandle);
            return new RelaySide(socket, stream, stream);
        }

        var plain = new NetworkStream(socket, ownsSocket: false);
        return new RelaySide(socket, plain, plain);
    }

    /// <summary>Connects to the first address of a host that takes it.</summary>
    /// <param name="near">The side that will be carried to and from: both are heard of by one thread.</param>
    /// <exception cref="SocketException">The name is not known.</exception>
    /// <exception cref="IOException">None takes it.</exception>
    public static async Task<RelaySide> ConnectAsync(string host, int port, RelaySide near, CancellationToken cancellation)
    {
        IPAddress[] addresses = IPAddress.TryParse(host, out var address) ? [address] : await Dns.GetHostAddressesAsync(host, cancellation);
        IOException? failed = null;
        foreach (var one in addresses)
        {
            try
            {
                var side = await ConnectAsync(new IPEndPoint(one, port), near, cancellation);
                side.Socket.NoDelay = true;
                side.Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                return side;
            }
            catch (Exception refused) when (refused is IOException or SocketException)
            {
                failed = new IOException(refused.Message, refused);
            }
        }

        throw failed ?? new IOException($"{host} has no address.");
    }

    /// <summary>Connects to a local socket.</summary>
    /// <exception cref="IOException">Nobody takes it.</exception>
    public static Task<RelaySide> ConnectAsync(string path, RelaySide near, CancellationToken cancellation) =>
        ConnectAsync(new UnixDomainSocketEndPoint(path), near, cancellation);

    public void Dispose()
    {
        if (OperatingSystem.IsLinux())
        {
            foreach (var loop in _loops)
            {
                loop.Dispose();
            }
        }
    }

    private static async Task<RelaySide> ConnectAsync(EndPoint to, RelaySide near, CancellationToken cancellation)
    {
        if (OperatingSystem.IsLinux() && near.Wire is LoopStream other)
        {
            var (connected, stream) = await LoopStream.ConnectAsync(other.Loop, to, cancellation);
            return new RelaySide(connected, stream, stream);
        }

        var socket = new Socket(to.AddressFamily, SocketType.Stream, to.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(to, cancellation);
            var plain = new NetworkStream(socket, ownsSocket: false);
            return new RelaySide(socket, plain, plain);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
