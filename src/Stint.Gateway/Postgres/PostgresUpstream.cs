using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Stint.Core.Sessions;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

/// <summary>A connection to the target, logged in.</summary>
/// <param name="Process">Process number that the target gave.</param>
/// <param name="Key">Its cancel key.</param>
/// <param name="Greeting">Parameter statuses and notices of the login, as they came, for the client.</param>
/// <param name="Encoding">Its <c>client_encoding</c>.</param>
internal sealed record PostgresUpstreamConnection(RelaySide Side, Upstream Upstream, int Process, byte[] Key, byte[] Greeting, string Encoding);

/// <summary>What came of dialling.</summary>
internal abstract record PostgresDialed
{
    private PostgresDialed()
    {
    }

    public sealed record Connected(PostgresUpstreamConnection Connection) : PostgresDialed;

    /// <summary>It did not work, and what the person may know of it.</summary>
    public sealed record Failed(string Code, string Sentence, string? Hint, string Detail) : PostgresDialed;
}

/// <summary>Dials targets as an account whose secret nobody else sees.</summary>
internal sealed class PostgresUpstream
{
    private const int MaxAnswer = 64 * 1024;
    private const int MaxGreeting = 256 * 1024;
    private const int MaxRemembered = 10_000;

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);
    private static readonly byte[] SslRequest = [0, 0, 0, 8, .. PostgresMessages.Int(PostgresMessages.SslRequestCode)];

    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, byte[]> _salted = new(StringComparer.Ordinal);

    // The key under which secrets are looked up; they are not kept themselves.
    private readonly byte[] _lookup = RandomNumberGenerator.GetBytes(32);

    public PostgresUpstream(TimeProvider time) => _time = time;

    /// <summary>Connects and logs in.</summary>
    /// <param name="client">The other side of the session.</param>
    /// <param name="parameters">Startup parameters of the client, without user and database.</param>
    public async Task<PostgresDialed> DialAsync(Upstream upstream, RelaySide client, IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(DialTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        RelaySide? side = null;
        try
        {
            (side, var binding) = await OpenAsync(upstream, client, both.Token);
            var dialed = await LoginAsync(upstream, side, binding, parameters, both.Token);
            if (dialed is PostgresDialed.Connected)
            {
                side = null;
            }

            return dialed;
        }
        catch (AuthenticationException failed)
        {
            return Failed("the target's certificate was not accepted", failed.Message);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return Failed("the target did not answer in time", "timeout");
        }
        catch (Exception failed) when (failed is SocketException or IOException)
        {
            return Failed(failed is PostgresWireException ? "the target does not speak as it should" : "the target cannot be reached", failed.Message);
        }
        finally
        {
            side?.Close();
        }
    }

    /// <summary>Sends a cancel request over a connection of its own, encrypted where the session is, and waits until the target has taken it.</summary>
    public async Task CancelAsync(PostgresUpstreamConnection connection, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            var (side, _) = await OpenAsync(connection.Upstream, connection.Side, both.Token);
            try
            {
                await side.Stream.WriteAsync(PostgresMessages.CancelRequest(connection.Process, connection.Key), both.Token);
                _ = await side.Stream.ReadAsync(new byte[1], both.Token);
            }
            finally
            {
                side.Close();
            }
        }
        catch (Exception failed) when (failed is SocketException or IOException or OperationCanceledException or AuthenticationException or ObjectDisposedException)
        {
            // A cancel request promises nothing; who must be sure ends the backend.
        }
    }

    private static PostgresDialed.Failed Failed(string what, string detail, string code = PostgresStates.CannotConnect) => new(
        code,
        $"You were let in, but {what}.",
        "Try again; if it stays so, tell the owners of the resource.",
        detail);

    private static async Task<(RelaySide Side, byte[]? Binding)> OpenAsync(Upstream upstream, RelaySide near, CancellationToken cancellation)
    {
        var mode = upstream.Tls;
        if (mode is not ("disable" or "allow" or "prefer" or "require" or "verify-ca" or "verify-full"))
        {
            throw new PostgresWireException($"TLS mode {mode} is not known.");
        }

        if (upstream.Host.StartsWith('/'))
        {
            return (await RelaySockets.ConnectAsync($"{upstream.Host}/.s.PGSQL.{upstream.Port}", near, cancellation), null);
        }

        var side = await RelaySockets.ConnectAsync(upstream.Host, upstream.Port, near, cancellation);
        try
        {
            if (mode is "disable" or "allow" || !await OffersTlsAsync(side, mode, cancellation))
            {
                return (side, null);
            }

            var tls = new SslStream(side.Wire, leaveInnerStreamOpen: false);
            side = side with { Stream = tls };
            await tls.AuthenticateAsClientAsync(TlsOptions(upstream), cancellation);
            var certificate = tls.RemoteCertificate is X509Certificate2 given ? given : null;
            return (side, certificate is null ? null : PostgresScram.EndPointHash(certificate));
        }
        catch
        {
            side.Close();
            throw;
        }
    }

    private static async Task<bool> OffersTlsAsync(RelaySide side, string mode, CancellationToken cancellation)
    {
        await side.Wire.WriteAsync(SslRequest, cancellation);
        var answer = new byte[1];
        await side.Wire.ReadExactlyAsync(answer, cancellation);

        // NB. Bytes behind the answer came from somebody in between: they were not encrypted (CVE-2021-23222).
        if (side.Socket.Available > 0)
        {
            throw new PostgresWireException("The target sent more than its answer before TLS began.");
        }

        return answer[0] switch
        {
            (byte)'S' => true,
            (byte)'N' when mode == "prefer" => false,
            (byte)'N' => throw new AuthenticationException("The target offers no TLS."),
            _ => throw new PostgresWireException("The target gave no answer to a request for TLS."),
        };
    }

    private static SslClientAuthenticationOptions TlsOptions(Upstream upstream)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = upstream.Host };
        if (upstream.Tls is "prefer" or "require" && upstream.RootCertificates is null)
        {
            // As libpq: these modes encrypt, and do not ask who is there.
#pragma warning disable CA5359 // The owner of the resource chose this mode; verify-full is there for the choosing.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
            return options;
        }

        X509ChainPolicy? policy = null;
        if (upstream.RootCertificates is { } pem)
        {
            policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(pem);
            options.CertificateChainPolicy = policy;
        }

        // As libpq: only verify-full asks for the name; require with a root of its own is verify-ca.
        var names = upstream.Tls == "verify-full" ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateNameMismatch;
        options.RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~names) == SslPolicyErrors.None;
        return options;
    }

    private async Task<PostgresDialed> LoginAsync(Upstream upstream, RelaySide side, byte[]? binding, IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken cancellation)
    {
        var stream = side.Stream;
        var all = new List<KeyValuePair<string, string>> { new("user", upstream.Account) };
        if (upstream.Database is not null)
        {
            all.Add(new("database", upstream.Database));
        }

        all.AddRange(parameters);
        await stream.WriteAsync(PostgresMessages.Startup(3 << 16, all), cancellation);
        PostgresScram.ClientSeat? seat = null;
        var proved = false;
        var greeting = new MemoryStream();
        var (process, key, encoding) = (0, Array.Empty<byte>(), "UTF8");
        while (true)
        {
            if (await PostgresWire.ReadAsync(stream, MaxAnswer, cancellation) is not var (type, body))
            {
                return Failed("the target closed the connection during login", "closed");
            }

            switch (type)
            {
                case (byte)'R' when body.Length >= 4:
                    var kind = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(body);
                    switch (kind)
                    {
                        case 0:
                            // A target that trusts everybody never proved itself; that is its own setting (trust, cert, peer).
                            if (seat is not null && !proved)
                            {
                                return Failed("the target did not prove itself", "no server signature");
                            }

                            break;
                        case 10 when seat is null:
                            seat = Choose(body.AsSpan(4), binding);
                            if (seat is null)
                            {
                                return Failed("the target asks for a login that this gateway does not give", "no common SASL mechanism");
                            }

                            var first = Encoding.UTF8.GetBytes(seat.First);
                            await stream.WriteAsync(PostgresMessages.Frame((byte)'p', PostgresMessages.Text(seat.Mechanism), PostgresMessages.Int(first.Length), first), cancellation);
                            break;
                        case 11 when seat is not null:
                            if (seat.Prove(body.AsSpan(4), (salt, rounds) => Salted(upstream, salt, rounds)) is not { } final)
                            {
                                return Failed("the target does not speak as it should", "SCRAM server-first message");
                            }

                            await stream.WriteAsync(PostgresMessages.Frame((byte)'p', Encoding.UTF8.GetBytes(final)), cancellation);
                            break;
                        case 12 when seat is not null:
                            proved = seat.Check(body.AsSpan(4));
                            if (!proved)
                            {
                                return Failed("the target did not prove itself", "wrong server signature");
                            }

                            break;
                        case 5 when stream is SslStream && body.Length == 8:
                            await stream.WriteAsync(PostgresMessages.Frame((byte)'p', PostgresMessages.Text(Md5(upstream, body[4..]))), cancellation);
                            break;
                        default:
                            return Failed("the target asks for a login that this gateway does not give", $"authentication kind {kind}");
                    }

                    break;
                case (byte)'E':
                    return Refused(upstream, body);
                case (byte)'K' when body.Length >= 8:
                    process = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(body);
                    key = body[4..];
                    break;
                case (byte)'S' or (byte)'N':
                    encoding = EncodingOf(type, body) ?? encoding;
                    greeting.Write(PostgresMessages.Frame(type, body));
                    if (greeting.Length > MaxGreeting)
                    {
                        return Failed("the target does not speak as it should", "greeting too long");
                    }

                    break;
                case (byte)'Z':
                    return new PostgresDialed.Connected(new PostgresUpstreamConnection(side, upstream, process, key, greeting.ToArray(), encoding));
                case (byte)'v':
                    break;
                default:
                    return Failed("the target does not speak as it should", $"message 0x{type:x2} during login");
            }
        }
    }

    // NB. The target's words name its account; they go to the log, not to the person.
    private static PostgresDialed.Failed Refused(Upstream upstream, byte[] body)
    {
        var (_, code, message) = PostgresMessages.ReadError(body);
        var detail = message.Replace(upstream.Account, "(account)", StringComparison.Ordinal);
        return code switch
        {
            PostgresStates.TooManyConnections => new(code, "You were let in, but the target has no connection left.", "Close one of your connections, or try again.", detail),
            PostgresStates.CannotConnectNow => new(code, "You were let in, but the target is starting up or shutting down.", "Try again in a moment.", detail),
            PostgresStates.InvalidCatalogName => new(code, "You were let in, but the database is not there.", "Tell the owners of the resource.", detail),
            { Length: 5 } when code.StartsWith("22", StringComparison.Ordinal) || code.StartsWith("42", StringComparison.Ordinal) || code == "55P02" =>
                new(code, $"The target does not take a setting that your client asks for: {detail}", "Look at the client's startup options (PGOPTIONS, client_encoding).", detail),
            _ => Failed("the target did not accept the grant's account", $"{code} {detail}", code.Length == 5 && code.StartsWith("28", StringComparison.Ordinal) ? PostgresStates.InvalidAuthorization : PostgresStates.CannotConnect),
        };
    }

    private static PostgresScram.ClientSeat? Choose(ReadOnlySpan<byte> mechanisms, byte[]? binding)
    {
        var offered = Encoding.UTF8.GetString(mechanisms).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var bound = offered.Contains(PostgresScram.Bound) && binding is not null;
        return bound ? new PostgresScram.ClientSeat(binding, canBind: true, PostgresScram.Nonce())
            : offered.Contains(PostgresScram.Plain) ? new PostgresScram.ClientSeat(null, canBind: binding is not null, PostgresScram.Nonce())
            : null;
    }

    private byte[] Salted(Upstream upstream, byte[] salt, int rounds)
    {
        // One derivation costs as much as a hundred queries; what is kept is worth no more than the account it opens.
        var name = Convert.ToBase64String(HMACSHA256.HashData(_lookup, Encoding.UTF8.GetBytes($"{upstream.Account}\0{upstream.Secret}\0{Convert.ToBase64String(salt)}\0{rounds}")));
        if (_salted.TryGetValue(name, out var known))
        {
            return known;
        }

        if (_salted.Count >= MaxRemembered)
        {
            _salted.Clear();
        }

        return _salted[name] = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(PostgresScram.Prepared(upstream.Secret)), salt, rounds, HashAlgorithmName.SHA256, 32);
    }

    // Only inside TLS, and only because old targets know nothing else.
#pragma warning disable CA5351 // The protocol names MD5; nothing here relies on it.
    private static string Md5(Upstream upstream, byte[] salt)
    {
        var inner = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(upstream.Secret + upstream.Account)));
        return "md5" + Convert.ToHexStringLower(MD5.HashData([.. Encoding.UTF8.GetBytes(inner), .. salt]));
    }
#pragma warning restore CA5351

    private static string? EncodingOf(byte type, byte[] body)
    {
        var parts = Encoding.UTF8.GetString(body).Split('\0');
        return type == (byte)'S' && parts.Length >= 2 && parts[0] == "client_encoding" ? parts[1] : null;
    }
}
