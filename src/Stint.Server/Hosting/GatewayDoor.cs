using System.Net;
using System.Net.Sockets;
using Stint.Gateway;

namespace Stint.Server.Hosting;

/// <summary>What holders are told of the way in.</summary>
internal sealed class GatewayDoor(GatewayListenOptions options, CertificateHolder? certificate)
{
    private IPEndPoint? _end;

    /// <summary>Whether this node carries sessions, and listens.</summary>
    public bool IsOpen => _end is not null;

    /// <summary>Where it really listens; null while it does not.</summary>
    public IPEndPoint? End => _end;

    /// <summary>The name to connect to.</summary>
    public string Host => options.PublicHost ?? Reachable(_end?.Address ?? options.PostgresListen.Address);

    public int Port => _end?.Port ?? options.PostgresListen.Port;

    /// <summary>What a client sets <c>sslmode</c> to.</summary>
    /// <remarks>A self-made certificate is handed out over the authenticated API and is its own only root, so that checking the root is checking the server, by whatever name it is reached. One from files is checked by whoever has its root.</remarks>
    public string SslMode => options.Tls switch
    {
        GatewayTls.Off => "disable",
        GatewayTls.Optional or GatewayTls.Required => certificate is { Now.SelfMade: true } ? "verify-ca" : "require",
        _ => throw new InvalidOperationException($"{options.Tls} is not a way to encrypt."),
    };

    /// <summary>PEM to trust; null when clients need none.</summary>
    public string? CertificateToTrust => options.Tls != GatewayTls.Off && certificate is { Now: { SelfMade: true } made } ? made.Leaf.ExportCertificatePem() + "\n" : null;

    public void Opened(IPEndPoint end) => _end = end;

    /// <summary>An address that listens on everything is told as this machine's own name.</summary>
    private static string Reachable(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? Dns.GetHostName()
        : address.AddressFamily == AddressFamily.InterNetworkV6 && address.IsIPv4MappedToIPv6 ? address.MapToIPv4().ToString()
        : address.ToString();
}
