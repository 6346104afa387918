using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Stint.Server.Identity.Ldap;

/// <summary>One conversation with the directory's server, encrypted unless it is on this machine.</summary>
/// <remarks>
/// <code>
/// Stint                                server
///   │ ── StartTLS (RFC 4511, 4.14) ──▶ │   with ldap://; nothing else goes before TLS, and none of it twice
///   │ ◀── success ──────────────────── │
///   │ ══ TLS: certificate, host name ══│
///   │ ── bind: who, password ────────▶ │
///   │ ── search, page of 500 ────────▶ │
///   │ ◀── entries, cookie ──────────── │   until the cookie is empty (RFC 2696)
/// </code>
/// A line that breaks is not mended: what was to be said over TLS is never said again without.
/// </remarks>
internal sealed class LdapLine : IAsyncDisposable
{
    /// <summary>Largest message before the server knows who asks.</summary>
    private const int MostBefore = 64 << 10;

    /// <summary>Largest message: a group with half a million members.</summary>
    private const int Most = 64 << 20;

    /// <summary>Most entries of one search.</summary>
    private const int MostEntries = 5_000_000;

    private readonly LdapOptions _options;
    private readonly TcpClient _client = new();
    private Stream _stream = Stream.Null;
    private int _last;
    private int _most = MostBefore;

    private LdapLine(LdapOptions options) => _options = options;

    /// <summary>How many searches were told that more of it is elsewhere.</summary>
    public int Elsewhere { get; private set; }

    /// <summary>Connects, encrypts, and says who asks.</summary>
    /// <exception cref="LdapTroubleException">The server is not there, is another than the one that was named, or does not let in.</exception>
    public static async Task<LdapLine> OpenAsync(LdapOptions options, CancellationToken cancellation)
    {
        var line = new LdapLine(options);
        try
        {
            await line.GuardAsync("be reached", token => line.ConnectAsync(token), cancellation);
            await line.GuardAsync("let in", token => line.BindAsync(token), cancellation);
            line._most = Most;
            return line;
        }
        catch
        {
            await line.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everything that a search finds.</summary>
    /// <exception cref="LdapTroubleException">The answer is not whole.</exception>
    public async Task<List<LdapEntry>> SearchAsync(LdapSearch search, CancellationToken cancellation)
    {
        var found = new List<LdapEntry>();
        var cookie = Array.Empty<byte>();
        do
        {
            cookie = await GuardAsync("answer", token => PageAsync(search, search.Whole ? _options.Page : 0, cookie, found, token), cancellation);
        }
        while (cookie.Length > 0);
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _client.Dispose();
    }

    private async Task<byte[]> PageAsync(LdapSearch search, int page, byte[] cookie, List<LdapEntry> found, CancellationToken cancellation)
    {
        var id = ++_last;
        await _stream.WriteAsync(LdapMessages.Search(id, search, page, cookie), cancellation);
        var before = found.Count;
        while (true)
        {
            switch (await ReadAsync(id, cancellation))
            {
                case LdapAnswer.Found entry when found.Count < MostEntries:
                    found.Add(entry.Entry);
                    break;
                case LdapAnswer.Found:
                    throw new LdapTroubleException($"it has more than {MostEntries} entries below {search.Base}");
                case LdapAnswer.Elsewhere:
                    Elsewhere++;
                    break;
                case LdapAnswer.Done { Code: 0 } done:
                    // NB. Pages without entries that never end would be waited for without end.
                    return done.Cookie.Length == 0 || found.Count > before ? done.Cookie : throw new LdapTroubleException("it answers empty pages, and says that more follow");
                case LdapAnswer.Done done:
                    throw Refused($"it does not answer what stands below {search.Base}", done);
                default:
                    break;
            }
        }
    }

    private async Task<bool> ConnectAsync(CancellationToken cancellation)
    {
        await _client.ConnectAsync(_options.Host, _options.Port, cancellation);
        _client.NoDelay = true;
        _stream = _client.GetStream();
        if (_options.Tls == LdapTls.Start)
        {
            var id = ++_last;
            await _stream.WriteAsync(LdapMessages.StartTls(id), cancellation);
            switch (await ReadAsync(id, cancellation))
            {
                case LdapAnswer.Done { Code: 0 }:
                    break;
                case LdapAnswer.Done no:
                    throw Refused("it does not start TLS", no);
                default:
                    throw new LdapTroubleException("it answered something that was not asked");
            }
        }

        if (_options.Tls != LdapTls.Off)
        {
            await EncryptAsync(cancellation);
        }

        return true;
    }

    private async Task EncryptAsync(CancellationToken cancellation)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (_options.Authority is { } file)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.ImportFromPemFile(file);
        }

        var tls = new SslStream(_stream);
        _stream = tls;
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = _options.Host,
                CertificateChainPolicy = policy,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            },
            cancellation);
    }

    private async Task<bool> BindAsync(CancellationToken cancellation)
    {
        var id = ++_last;
        await _stream.WriteAsync(LdapMessages.Bind(id, _options.BindDn, _options.BindPassword), cancellation);
        return await ReadAsync(id, cancellation) switch
        {
            LdapAnswer.Done { Code: 0 } => true,
            LdapAnswer.Done no => throw Refused($"it does not let {_options.BindDn} in", no),
            _ => throw new LdapTroubleException("it answered something that was not asked"),
        };
    }

    private async Task<LdapAnswer> ReadAsync(int id, CancellationToken cancellation)
    {
        while (true)
        {
            var (of, answer) = LdapMessages.Read(await FrameAsync(cancellation));
            if (of == id)
            {
                return answer;
            }

            if (of == 0)
            {
                throw new LdapTroubleException(answer is LdapAnswer.Done { Say.Length: > 0 } said ? $"it hung up: {Shown(said.Say)}" : "it hung up");
            }
        }
    }

    /// <summary>Reads one message, and not a byte of the next: what was sent before TLS is not taken for something said in it.</summary>
    private async Task<byte[]> FrameAsync(CancellationToken cancellation)
    {
        var head = new byte[6];
        await _stream.ReadExactlyAsync(head.AsMemory(0, 2), cancellation);
        if (head[0] != 0x30)
        {
            throw new LdapTroubleException("it answered something that is no LDAP");
        }

        var (size, used) = ((int)head[1], 2);
        if (head[1] >= 0x80)
        {
            // RFC 4511 allows no lengths that are found out at the end.
            var digits = head[1] & 0x7F;
            if (digits is 0 or > 4)
            {
                throw new LdapTroubleException("it answered something that is no LDAP");
            }

            await _stream.ReadExactlyAsync(head.AsMemory(2, digits), cancellation);
            var large = 0L;
            foreach (var digit in head.AsSpan(2, digits))
            {
                large = (large << 8) | digit;
            }

            (size, used) = ((int)Math.Min(large, int.MaxValue), 2 + digits);
        }

        if (size > _most)
        {
            throw new LdapTroubleException($"one of its messages has more than {_most} bytes");
        }

        var frame = new byte[used + size];
        head.AsSpan(0, used).CopyTo(frame);
        await _stream.ReadExactlyAsync(frame.AsMemory(used), cancellation);
        return frame;
    }

    private async Task<T> GuardAsync<T>(string verb, Func<CancellationToken, Task<T>> act, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(_options.Patience);
        try
        {
            return await act(bound.Token);
        }
        catch (AuthenticationException e)
        {
            throw new LdapTroubleException($"its certificate is not trusted: {e.Message.TrimEnd('.')}", e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new LdapTroubleException($"it did not {verb} within {_options.Patience.TotalSeconds:F0} s", e);
        }
        catch (EndOfStreamException e)
        {
            throw new LdapTroubleException("it hung up in the middle of an answer", e);
        }
        catch (Exception e) when (e is SocketException or IOException or CryptographicException)
        {
            throw new LdapTroubleException($"it cannot {verb}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static LdapTroubleException Refused(string what, LdapAnswer.Done no) => new($"{what}: {Meaning(no.Code)}{(no.Say.Length > 0 ? $" ({Shown(no.Say)})" : "")}");

    /// <summary>What a server says may be anything.</summary>
    private static string Shown(string said) => new([.. said.Take(200).Select(letter => char.IsControl(letter) ? ' ' : letter)]);

    private static string Meaning(int code) => code switch
    {
        1 => "something went wrong there",
        2 => "it did not understand",
        3 => "it takes too long there",
        4 or 11 => "it gives no more entries than it has given; allow Stint's account all of them",
        8 or 13 => "it wants a stronger way in",
        12 => "it cannot answer page by page",
        32 => "there is no such place",
        49 => "it does not know this account with that password",
        50 => "this account may not read there",
        51 or 52 => "it is busy or away",
        _ => $"code {code}",
    };
}
