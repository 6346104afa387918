using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization.Metadata;
using Stint.Server.Hosting;

namespace Stint.Server.Nodes;

/// <summary>The control plane did not do what it was asked.</summary>
/// <param name="message">Why, in words.</param>
/// <param name="isFinal">Whether asking again is of no use.</param>
internal sealed class ControlException(string message, bool isFinal, Exception? inner = null) : Exception(message, inner)
{
    public bool IsFinal { get; } = isFinal;
}

/// <summary>Calls of a gateway node to its control plane: to the one server that was named, over TLS unless it is on this machine.</summary>
internal sealed class ControlLine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly HttpClient _http;
    private readonly ControlOptions _options;

    public ControlLine(ControlOptions options)
    {
        _options = options;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(3),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        };
        if (options.Fingerprint is { } pinned)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null && IsPinned(shown, pinned);
        }
        else if (options.Authority is { } file)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(file);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        _http = new HttpClient(handler) { BaseAddress = new Uri(options.Url, NodeEndpointsPath), Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Secret);
    }

    private const string NodeEndpointsPath = "/api/v1/nodes/";

    public Uri Url => _options.Url;

    /// <summary>Asks, and reads the answer.</summary>
    /// <returns>Null when the control plane knows nothing of what was asked about.</returns>
    /// <exception cref="ControlException">It did not answer, or said no.</exception>
    public async Task<TAnswer?> AskAsync<TBody, TAnswer>(string path, TBody body, JsonTypeInfo<TBody> writes, JsonTypeInfo<TAnswer> reads, CancellationToken cancellation, TimeSpan? within = null)
        where TAnswer : class
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(within ?? Patience);
        try
        {
            using var answer = await _http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, writes, bound.Token);
            if (answer.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }

            Demand(answer);
            return await answer.Content.ReadFromJsonAsync(reads, bound.Token);
        }
        catch (Exception failed) when (IsTrouble(failed, cancellation))
        {
            throw Told(failed);
        }
    }

    /// <summary>Opens the line on which orders come.</summary>
    /// <exception cref="ControlException">It cannot be opened.</exception>
    public async Task<HttpResponseMessage> LinkAsync(LinkBody body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("link", UriKind.Relative)) { Content = JsonContent.Create(body, NodeJson.Default.LinkBody) };
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, bound.Token);
            try
            {
                Demand(answer);
                return answer;
            }
            catch
            {
                answer.Dispose();
                throw;
            }
        }
        catch (Exception failed) when (IsTrouble(failed, cancellation))
        {
            throw Told(failed);
        }
    }

    /// <summary>Sends a part of a recording that was wanted.</summary>
    /// <exception cref="ControlException">It was not taken.</exception>
    public async Task SendPartAsync(string ticket, long length, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        using var content = new ReadOnlyMemoryContent(bytes);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            using var answer = await _http.PutAsync(new Uri(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"parts/{ticket}?length={length}"), UriKind.Relative), content, bound.Token);
            Demand(answer);
        }
        catch (Exception failed) when (IsTrouble(failed, cancellation))
        {
            throw Told(failed);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Whether a certificate is the one with this SHA-256, written with or without colons.</summary>
    internal static bool IsPinned(X509Certificate shown, byte[] pinned) =>
        CryptographicOperations.FixedTimeEquals(shown.GetCertHash(HashAlgorithmName.SHA256), pinned);

    private static bool IsTrouble(Exception failed, CancellationToken cancellation) =>
        failed is HttpRequestException or IOException or System.Text.Json.JsonException || (failed is OperationCanceledException && !cancellation.IsCancellationRequested);

    private void Demand(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw answer.StatusCode switch
            {
                HttpStatusCode.Unauthorized => new ControlException($"{_options.Url} does not know this node's secret", isFinal: true),
                HttpStatusCode.NotFound => new ControlException($"{_options.Url} takes no gateway nodes", isFinal: true),
                HttpStatusCode.Forbidden or HttpStatusCode.BadRequest => new ControlException($"{_options.Url} says {(int)answer.StatusCode}", isFinal: true),
                var code => new ControlException($"{_options.Url} says {(int)code}", isFinal: false),
            };
        }
    }

    private ControlException Told(Exception failed) => failed switch
    {
        HttpRequestException { InnerException: AuthenticationException } => new ControlException($"{_options.Url} shows a certificate that this node does not trust", isFinal: true, failed),
        OperationCanceledException => new ControlException($"{_options.Url} does not answer", isFinal: false, failed),
        _ => new ControlException($"{_options.Url} cannot be reached ({failed.Message})", isFinal: false, failed),
    };
}
