using System.Net;
using System.Net.Sockets;

namespace Stint.EndToEnd.Harness;

/// <summary>Ports on loopback.</summary>
public static class Ports
{
    private static int s_next = 12000 + (Environment.ProcessId % 700 * 10);

    /// <summary>A port that nobody listens on now, and that no other caller of this run gets.</summary>
    /// <remarks>Below the range that the kernel hands out by itself, so that no outgoing connection takes it in between.</remarks>
    public static int Free()
    {
        for (var tries = 0; tries < 1000; tries++)
        {
            var port = Interlocked.Increment(ref s_next);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken by somebody else: the next one.
            }
        }

        throw new InvalidOperationException("no free port on loopback");
    }
}
