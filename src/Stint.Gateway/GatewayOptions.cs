using System.Net;
using System.Net.Security;
using Microsoft.Win32.SafeHandles;

namespace Stint.Gateway;

/// <summary>How a gateway runs.</summary>
public sealed record GatewayOptions
{
    /// <summary>Where PostgreSQL clients knock; port 0 takes a free one.</summary>
    public required IReadOnlyList<IPEndPoint> PostgresListen { get; init; }

    /// <summary>Whether clients may or must encrypt.</summary>
    public required GatewayTls Tls { get; init; }

    /// <summary>The certificate with the chain that is sent along. Asked at each TLS handshake, so that a renewed one holds at once; null from it refuses TLS. Null for no TLS.</summary>
    public Func<SslStreamCertificateContext?>? Certificate { get; init; }

    /// <summary>Folder of the recordings.</summary>
    public required string RecordingFolder { get; init; }

    /// <summary>This node's name, as recordings say it.</summary>
    public required string Node { get; init; }

    /// <summary>Time from the first byte's chance to the end of login. 12 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>Most connections that have not finished login, together. 1,024.</summary>
    public int MaxHandshakes { get; init; } = 1024;

    /// <summary>Most connections of one address that have not finished login. 128.</summary>
    public int MaxHandshakesPerAddress { get; init; } = 128;

    /// <summary>Most live sessions of this node. 20,000.</summary>
    public int MaxSessions { get; init; } = 20_000;

    /// <summary>How long a client that does not read is waited for when its session is cut. 1 s.</summary>
    public TimeSpan CutPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the head of a live recording goes under the audit log. 1 min.</summary>
    public TimeSpan AnchorEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a live recording may stay without an anchor that is due, before its session ends. 5 min.</summary>
    public TimeSpan AnchorPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Seed of what an unknown login is asked for; the same at every start makes it look like a known one for ever. Null for a random one.</summary>
    public byte[]? MockSecret { get; init; }

    /// <summary>Rounds that an unknown login is asked for: those of the logins that are made.</summary>
    public int MockIterations { get; init; } = 4096;

    internal Func<string, SafeFileHandle>? OpenRecording { get; init; }
}

/// <summary>TLS on the client's side.</summary>
public enum GatewayTls
{
    /// <summary>Not offered.</summary>
    Off = 1,

    /// <summary>Whoever asks for it gets it.</summary>
    Optional = 2,

    /// <summary>Whoever does not ask for it is refused.</summary>
    Required = 3,
}
