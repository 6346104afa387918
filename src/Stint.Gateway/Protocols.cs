using System.Net;
using System.Net.Sockets;
using Stint.Gateway.Postgres;
using Stint.Gateway.Relaying;

namespace Stint.Gateway;

/// <summary>One wire protocol.</summary>
internal interface IGatewayProtocol
{
    /// <summary>Kind of resource that speaks it.</summary>
    string Kind { get; }

    /// <summary>Serves an accepted connection to its end. Whoever calls closes the socket.</summary>
    /// <param name="place">Given back when login is over.</param>
    Task ServeAsync(Socket socket, IDisposable place);

    /// <summary>Says, in the protocol's words, that there is no room. Bounded in time.</summary>
    Task RefuseAsync(Socket socket);
}

/// <summary>Every protocol, and where it listens. A new one is one folder and one line.</summary>
internal static class Protocols
{
    public static IEnumerable<(IGatewayProtocol Protocol, IReadOnlyList<IPEndPoint> Listen)> All(RelayHost host) =>
    [
        (new PostgresProtocol(host), host.Options.PostgresListen),
    ];
}
