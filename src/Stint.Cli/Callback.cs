using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;

namespace Stint.Cli;

/// <summary>The one page that this machine's browser is led to with a code.</summary>
internal static class Callback
{
    private const int MostBytes = 16 << 10;
    private const int MostAtOnce = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Answers whoever comes until one brings the code.</summary>
    /// <param name="listener">Where; only this machine reaches it.</param>
    /// <param name="state">What shows that it is the answer to our own question, and not one that somebody else led the browser here with.</param>
    /// <param name="issuer">Who must have given the code (RFC 9207).</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="CommandFailed">It was denied.</exception>
    public static async Task<string> AwaitAsync(TcpListener listener, string state, string issuer, CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var came = Channel.CreateUnbounded<(string? Code, CommandFailed? No)>();
        var accepting = AcceptAsync();
        try
        {
            var (code, no) = await came.Reader.ReadAsync(cancellation);
            return code ?? throw no!;
        }
        finally
        {
            await ended.CancelAsync();
            await accepting;
        }

        // NB. Browsers open connections in advance and say nothing on them: each is heard by itself.
        async Task AcceptAsync()
        {
            using var room = new SemaphoreSlim(MostAtOnce);
            var heard = new List<Task>();
            try
            {
                while (true)
                {
                    await room.WaitAsync(ended.Token);
                    var peer = await listener.AcceptTcpClientAsync(ended.Token);
                    heard.RemoveAll(task => task.IsCompleted);
                    heard.Add(HearAsync(peer, room));
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                await Task.WhenAll(heard);
            }
        }

        async Task HearAsync(TcpClient peer, SemaphoreSlim room)
        {
            // What is being said is said to its end: the reader sees whether it worked.
            using var bound = new CancellationTokenSource(Patience);
            using var over = ended.Token.Register(() => bound.CancelAfter(TimeSpan.FromSeconds(1)));
            try
            {
                using (peer)
                {
                    var stream = peer.GetStream();
                    var (status, words, result) = Look(await HeadAsync(stream, bound.Token), listener.LocalEndpoint.ToString()!, state, issuer);
                    await stream.WriteAsync(Page(status, words), bound.Token);
                    if (result is { } found)
                    {
                        came.Writer.TryWrite(found);
                    }
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Whoever came is gone; another may come.
            }
            finally
            {
                room.Release();
            }
        }
    }

    /// <summary>What came of a request.</summary>
    /// <param name="head">Its head.</param>
    /// <param name="here">Address and port of this page.</param>
    /// <param name="state">What it must bring.</param>
    /// <param name="issuer">Whom it must name.</param>
    internal static (int Status, string Words, (string? Code, CommandFailed? No)? Result) Look(string head, string here, string state, string issuer)
    {
        var lines = head.Split("\r\n");
        if (lines[0].Split(' ') is not ["GET", var target, _])
        {
            return (405, "This page is only read.", null);
        }

        // NB. A page elsewhere whose name was made to lead here has its own name in Host.
        var hosts = lines.Skip(1).Where(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)).ToList();
        if (hosts is not [var host] || host["Host:".Length..].Trim() != here || !target.StartsWith("/?", StringComparison.Ordinal))
        {
            return (404, "There is nothing here.", null);
        }

        var fields = target[2..].Split('&').Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]), StringComparer.Ordinal);
        if (fields.Any(field => field.Count() > 1)
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(fields["state"].FirstOrDefault() ?? ""), Encoding.UTF8.GetBytes(state))
            || fields["iss"].FirstOrDefault() != issuer)
        {
            return (400, "This is not the answer that stint waits for. Run stint login again.", null);
        }

        return (fields["code"].FirstOrDefault(), fields["error"].FirstOrDefault()) switch
        {
            ({ Length: > 0 } code, null) => (200, "Your command line has what it needs: you can close this page.", (code, null)),
            (null, "access_denied") => (200, "Denied: your command line gets nothing. You can close this page.", (null, new CommandFailed(ExitCode.Denied, "You are not logged in: it was denied in the browser."))),
            (null, { Length: > 0 }) => (200, "This did not work. Run stint login again.", (null, new CommandFailed(ExitCode.Failed, "You are not logged in: the server said no.", "Run: stint login"))),
            _ => (400, "This is not the answer that stint waits for. Run stint login again.", null),
        };
    }

    private static async Task<string> HeadAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[MostBytes];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0)
            {
                throw new IOException("It left.");
            }

            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and var end)
            {
                return Encoding.ASCII.GetString(buffer, 0, end);
            }
        }

        throw new IOException("It says too much.");
    }

    private static byte[] Page(int status, string words)
    {
        var body = $"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>Stint</title><p>{WebUtility.HtmlEncode(words)}</p></html>\n";
        return Encoding.UTF8.GetBytes(
            $"HTTP/1.1 {status} {(HttpStatusCode)status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
            + $"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}");
    }
}
