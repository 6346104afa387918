using System.Net;
using System.Net.Sockets;

namespace Stint.Server.Catalog.OnCall;

/// <summary>Calls to addresses that people wrote. They reach the public network, and what the configuration names.</summary>
/// <remarks>
/// NB. What is looked at is the address that is connected to, at each connection: a name that meant a public address a
/// moment ago may mean the cloud's own metadata now. Nobody goes where an answer sends them on to before the asker looked.
/// </remarks>
internal static class Outgoing
{
    private static readonly IPNetwork[] s_notPublic =
    [
        .. ((string[])
        [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ]).Select(text => IPNetwork.Parse(text)),
    ];

    /// <summary>Global unicast is 2000::/3; these parts of it are not, or carry an address of the other kind inside.</summary>
    private static readonly IPNetwork s_global = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] s_notGlobal = [IPNetwork.Parse("2001::/23"), IPNetwork.Parse("2001:db8::/32"), IPNetwork.Parse("2002::/16"), IPNetwork.Parse("3fff::/20")];

    /// <summary>Whether an address is on the public network. Multicast, shared, documentation, translated and tunnelled ones are not.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily switch
        {
            AddressFamily.InterNetwork => !s_notPublic.Any(network => network.Contains(plain)),
            AddressFamily.InterNetworkV6 => s_global.Contains(plain) && !s_notGlobal.Any(network => network.Contains(plain)),
            _ => false,
        };
    }

    /// <summary>A handler that connects nowhere else.</summary>
    /// <param name="internalHosts">Host names and addresses that may be elsewhere.</param>
    public static SocketsHttpHandler Handler(IReadOnlyList<string> internalHosts) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = TimeSpan.FromSeconds(30),
        MaxResponseHeadersLength = 16,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = (context, cancellation) => ConnectAsync(context.DnsEndPoint, internalHosts, cancellation),
    };

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint end, IReadOnlyList<string> internalHosts, CancellationToken cancellation)
    {
        var named = internalHosts.Contains(end.Host.Trim('[', ']'), StringComparer.OrdinalIgnoreCase);
        var addresses = await Dns.GetHostAddressesAsync(end.Host, cancellation);
        var allowed = addresses.Where(address => named || IsPublic(address)).ToArray();
        if (allowed.Length == 0)
        {
            throw new HttpRequestException($"{end.Host} is not on the public network; name it in outgoing.internal_hosts if it is meant");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, end.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
