using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Stint.Server.Identity;

/// <summary>Asks issuers and providers: for a bounded time and size, without cookies, and following no redirect.</summary>
internal sealed class BoundedHttp : IDisposable
{
    private const int MostBytes = 256 << 10;

    /// <summary>How long an answer may take, its body counted.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly X509Certificate2Collection _roots = [];
    private readonly HttpClient _http;

    /// <param name="authority">PEM file of the authority that vouches for whom it asks; null for the machine's own.</param>
    public BoundedHttp(string? authority)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionLifetime = TimeSpan.FromMinutes(1), MaxResponseHeadersLength = 16 };
        if (authority is not null)
        {
            _roots.ImportFromPemFile(authority);
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(_roots);
        }

        _http = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MostBytes };
    }

    /// <summary>How what comes back is read: not deep, and no name twice.</summary>
    public static JsonDocumentOptions Strict => new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Whether this is somebody who does not answer, rather than a bug.</summary>
    public static bool IsTrouble(Exception e) => e is HttpRequestException or IOException or OperationCanceledException;

    /// <summary>Asks. Not on a caller's token: what others wait for is not given up for one.</summary>
    public async Task<(int Status, byte[] Body)> SendAsync(HttpRequestMessage message)
    {
        using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseContentRead);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public void Dispose() => _http.Dispose();
}
