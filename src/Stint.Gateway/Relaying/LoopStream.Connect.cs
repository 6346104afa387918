using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Stint.Gateway.Relaying;

internal sealed partial class LoopStream
{
    // socket(7): SOL_SOCKET and SO_ERROR.
    private const int SocketLevel = 1;
    private const int PendingError = 4;

    /// <summary>Opens a TCP or local socket and connects it.</summary>
    /// <exception cref="IOException">It cannot be connected.</exception>
    public static async Task<(Socket Socket, LoopStream Stream)> ConnectAsync(RelayLoop loop, EndPoint to, CancellationToken cancellation)
    {
        var address = to.Serialize();
        var handle = new SafeSocketHandle(LibC.Socket((int)Native(address.Family), LibC.CloseOnExec | LibC.NonBlocking | 1, 0), ownsHandle: true);
        LoopStream? stream = null;
        try
        {
            if (handle.IsInvalid)
            {
                throw LibC.Failure(Marshal.GetLastPInvokeError());
            }

            stream = new LoopStream(loop, handle);
            await stream.ConnectAsync(address, cancellation);
            return (new Socket(handle), stream);
        }
        catch
        {
            stream?.Dispose();
            handle.Dispose();
            throw;
        }
    }

    private async Task ConnectAsync(SocketAddress address, CancellationToken cancellation)
    {
        var failed = StartConnect(address);
        if (failed == LibC.InProgress)
        {
            // connect(2): when the socket can be written to, its pending error says how it went.
            await WaitToWriteAsync(heard: 0, cancellation);
            failed = Pending();
        }

        if (failed != 0)
        {
            throw LibC.Failure(failed);
        }
    }

    private unsafe int StartConnect(SocketAddress address)
    {
        fixed (byte* bytes = address.Buffer.Span)
        {
            return LibC.Connect(_socket, bytes, (uint)address.Size) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    private unsafe int Pending()
    {
        var error = 0;
        var length = (uint)sizeof(int);
        return LibC.GetOption(_socket, SocketLevel, PendingError, &error, &length) == 0 ? error : Marshal.GetLastPInvokeError();
    }

    private static AddressFamilyNumber Native(AddressFamily family) => family switch
    {
        AddressFamily.Unix => AddressFamilyNumber.Unix,
        AddressFamily.InterNetwork => AddressFamilyNumber.InterNetwork,
        AddressFamily.InterNetworkV6 => AddressFamilyNumber.InterNetworkV6,
        _ => throw new NotSupportedException($"An address of family {family} cannot be connected to."),
    };

    private enum AddressFamilyNumber
    {
        Unix = 1,
        InterNetwork = 2,
        InterNetworkV6 = 10,
    }
}
