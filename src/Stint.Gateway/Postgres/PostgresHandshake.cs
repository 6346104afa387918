using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Stint.Core.Sessions;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

/// <summary>A client up to its proved login.</summary>
/// <param name="Binding">What its TLS is bound to; null without TLS, or for a certificate that allows no binding.</param>
internal sealed record PostgresClient(Stream Stream, bool Tls, byte[]? Binding, bool OffersBinding, PostgresOpening.Startup Startup, int Minor)
{
    public string Login => Startup.Find("user") ?? "";
}

/// <summary>What came of opening a connection.</summary>
internal abstract record PostgresOpened
{
    private PostgresOpened()
    {
    }

    public sealed record Client(PostgresClient Value) : PostgresOpened;

    public sealed record Cancel(PostgresOpening.Cancel Value) : PostgresOpened;

    /// <summary>The client is refused, in the protocol's frame.</summary>
    public sealed record Refused(Stream Stream, string Code, string Sentence, string? Hint) : PostgresOpened;

    /// <summary>It left.</summary>
    public sealed record Gone : PostgresOpened;
}

/// <summary>From the first byte to the proof of the login's secret.</summary>
internal sealed class PostgresHandshake(GatewayOptions options, ISessionGate gate)
{
    private const int MaxSasl = 2048;
    private const int TlsRecord = 0x16;
    private const int NewestMinor = 2;

    private static readonly SslApplicationProtocol Alpn = new("postgresql");

    private readonly byte[] _mockSeed = options.MockSecret ?? RandomNumberGenerator.GetBytes(32);

    /// <summary>Negotiates encryption and reads the startup packet.</summary>
    public async Task<PostgresOpened> OpenAsync(RelaySide side, CancellationToken cancellation)
    {
        var stream = side.Stream;
        X509Certificate2? certificate = null;
        var tls = false;
        var asked = 0;
        if (await side.PeekAsync(cancellation) == TlsRecord)
        {
            (stream, certificate) = await EncryptAsync(stream, direct: true, cancellation);
            tls = true;
        }

        while (true)
        {
            if (await PostgresWire.ReadOpeningAsync(stream, cancellation) is not { } packet)
            {
                return new PostgresOpened.Gone();
            }

            switch (PostgresMessages.ReadOpening(packet))
            {
                case PostgresOpening.SslRequest or PostgresOpening.GssRequest when tls || ++asked > 2:
                    return new PostgresOpened.Refused(stream, PostgresStates.ProtocolViolation, "Encryption was asked for once too often.", null);
                case PostgresOpening.GssRequest:
                    await stream.WriteAsync("N"u8.ToArray(), cancellation);
                    break;
                case PostgresOpening.SslRequest when options.Tls == GatewayTls.Off || options.Certificate?.Invoke() is null:
                    await stream.WriteAsync("N"u8.ToArray(), cancellation);
                    break;
                case PostgresOpening.SslRequest:
                    // NB. What is here already was sent before encryption: whoever sits in between may have put it there (CVE-2021-23214).
                    if (side.Socket.Available > 0)
                    {
                        return new PostgresOpened.Refused(stream, PostgresStates.ProtocolViolation, "Bytes came unencrypted behind a request for encryption.", "Somebody may be tampering with your connection.");
                    }

                    await stream.WriteAsync("S"u8.ToArray(), cancellation);
                    (stream, certificate) = await EncryptAsync(stream, direct: false, cancellation);
                    tls = true;
                    break;
                case PostgresOpening.Cancel cancel:
                    return new PostgresOpened.Cancel(cancel);
                case PostgresOpening.Startup startup:
                    return await StartAsync(stream, tls, certificate, startup, cancellation);
                case PostgresOpening.Malformed malformed:
                    return new PostgresOpened.Refused(stream, PostgresStates.ProtocolViolation, malformed.Because, null);
                default:
                    return new PostgresOpened.Gone();
            }
        }
    }

    /// <summary>Has the client prove its login's secret.</summary>
    /// <returns>The words of the refusal; null when it is proved, and the client told so.</returns>
    public async Task<PostgresOpened.Refused?> ProveAsync(PostgresClient client, CancellationToken cancellation)
    {
        var known = await gate.FindLoginAsync(client.Login, cancellation);
        var verifier = known ?? PostgresScram.Mock(_mockSeed, client.Login, options.MockIterations);
        var mechanisms = client.OffersBinding
            ? new[] { PostgresMessages.Text(PostgresScram.Bound), PostgresMessages.Text(PostgresScram.Plain), [0] }
            : [PostgresMessages.Text(PostgresScram.Plain), [0]];
        await client.Stream.WriteAsync(PostgresMessages.Authentication(10, mechanisms), cancellation);
        if (await ReadSaslAsync(client, cancellation) is not { } initial)
        {
            return Unproved(client);
        }

        var nameEnd = Array.IndexOf(initial, (byte)0);
        if (nameEnd < 0 || initial.Length < nameEnd + 5)
        {
            return Malformed(client);
        }

        var mechanism = Encoding.UTF8.GetString(initial, 0, nameEnd);
        var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(initial.AsSpan(nameEnd + 1));
        if (length != initial.Length - nameEnd - 5
            || PostgresScram.Answer(mechanism, initial.AsSpan(nameEnd + 5), client.OffersBinding, verifier, PostgresScram.Nonce()) is not { } seat)
        {
            return Malformed(client);
        }

        await client.Stream.WriteAsync(PostgresMessages.Authentication(11, Encoding.UTF8.GetBytes(seat.First)), cancellation);
        if (await ReadSaslAsync(client, cancellation) is not { } proof)
        {
            return Unproved(client);
        }

        var final = seat.Finish(proof, client.Binding);
        if (final is null || known is null)
        {
            return Unproved(client);
        }

        await client.Stream.WriteAsync(PostgresMessages.Authentication(12, Encoding.UTF8.GetBytes(final)), cancellation);
        return null;
    }

    private static PostgresOpened.Refused Unproved(PostgresClient client) => new(
        client.Stream,
        PostgresStates.InvalidPassword,
        $"password authentication failed for login \"{Printable(client.Login)}\"",
        "A login and its secret are made for one grant and end with it: get new ones with stint connect.");

    private static PostgresOpened.Refused Malformed(PostgresClient client) =>
        new(client.Stream, PostgresStates.ProtocolViolation, "The login's messages are not those of SCRAM-SHA-256, or its channel binding does not fit.", null);

    private static string Printable(string text) =>
        new([.. text.Take(63).Select(letter => char.IsControl(letter) ? '?' : letter)]);

    private static async Task<byte[]?> ReadSaslAsync(PostgresClient client, CancellationToken cancellation)
    {
        if (await PostgresWire.ReadAsync(client.Stream, MaxSasl, cancellation) is not var (type, body))
        {
            throw new IOException("The client left during login.");
        }

        return type == (byte)'p' ? body : throw new PostgresWireException("Something else came where a login's message was awaited.");
    }

    private async Task<PostgresOpened> StartAsync(Stream stream, bool tls, X509Certificate2? certificate, PostgresOpening.Startup startup, CancellationToken cancellation)
    {
        if (startup.Major != 3)
        {
            return new PostgresOpened.Refused(stream, PostgresStates.FeatureNotSupported, $"Protocol {startup.Major}.{startup.Minor} is not spoken here: 3.0 to 3.{NewestMinor} are.", null);
        }

        if (options.Tls == GatewayTls.Required && !tls)
        {
            return new PostgresOpened.Refused(stream, PostgresStates.InvalidAuthorization, "This gateway takes encrypted connections only.", "Connect with sslmode=require or stronger.");
        }

        if (startup.Find("replication") is { } replication && !(replication is "false" or "off" or "no" or "0" or ""))
        {
            return new PostgresOpened.Refused(stream, PostgresStates.FeatureNotSupported, "Replication connections do not go through this gateway: they cannot be recorded statement by statement.", "Connect without the replication option.");
        }

        if (string.IsNullOrEmpty(startup.Find("user")))
        {
            return new PostgresOpened.Refused(stream, PostgresStates.InvalidAuthorization, "The startup packet names no user.", "Use the login that stint connect printed.");
        }

        // PostgreSQL documentation, "NegotiateProtocolVersion": what is newer than we speak, and the options that we do not know.
        var minor = startup.Minor >= NewestMinor ? NewestMinor : 0;
        var unknown = startup.Parameters.Select(parameter => parameter.Key).Where(name => name.StartsWith("_pq_.", StringComparison.Ordinal)).ToList();
        if (startup.Minor != minor || unknown.Count > 0)
        {
            await stream.WriteAsync(
                PostgresMessages.Frame((byte)'v', [PostgresMessages.Int((3 << 16) | minor), PostgresMessages.Int(unknown.Count), .. unknown.Select(PostgresMessages.Text)]),
                cancellation);
        }

        var binding = certificate is null ? null : PostgresScram.EndPointHash(certificate);
        return new PostgresOpened.Client(new PostgresClient(stream, tls, binding, binding is not null, startup, minor));
    }

    private async Task<(SslStream Stream, X509Certificate2 Certificate)> EncryptAsync(Stream plain, bool direct, CancellationToken cancellation)
    {
        if (options.Tls == GatewayTls.Off || options.Certificate?.Invoke() is not { } context)
        {
            throw new PostgresWireException("TLS is not offered here.");
        }

        var stream = new SslStream(plain, leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    // NB. With its chain: a client that trusts only the root cannot find what lies in between.
                    ServerCertificateContext = context,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    AllowRenegotiation = false,
                    ApplicationProtocols = [Alpn],
                },
                cancellation);
        }
        catch (AuthenticationException failed)
        {
            throw new PostgresWireException(failed.Message);
        }

        // NB. A TLS connection that was not meant for PostgreSQL could carry bytes of another protocol (ALPACA): directly
        // opened ones have to say what they are.
        if (direct && stream.NegotiatedApplicationProtocol != Alpn)
        {
            throw new PostgresWireException("TLS was opened without saying that it is for PostgreSQL.");
        }

        return (stream, context.TargetCertificate);
    }
}
