using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Speaks <c>/api/v1</c>. Every trouble becomes a <see cref="CommandFailed"/> with its exit code.</summary>
internal sealed class StintClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly Login _login;

    private string? _shown;

    public StintClient(Login login)
    {
        _login = login;
        _http = Http(login);
        _shown = login.Token;
    }

    /// <summary>A client of the login's server, which trusts what the login says, and goes nowhere else.</summary>
    public static HttpClient Http(Login login)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = !login.Server.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (login.CertificateAuthority is { } file)
        {
            handler.SslOptions = Trusting(file);
        }

        var http = new HttpClient(handler) { BaseAddress = new Uri(login.Server, "/"), Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("stint", Version));
        return http;
    }

    public static string Version { get; } = typeof(StintClient).Assembly.GetName().Version!.ToString(3);

    public Login Login => _login;

    /// <summary>A page of the server, as a browser opens it: with a name, since a passkey is bound to one.</summary>
    public string Page(string path)
    {
        var page = new UriBuilder(new Uri(_login.Server, path));
        if (_login.Server is { IsLoopback: true, HostNameType: not UriHostNameType.Dns })
        {
            page.Host = "localhost";
        }

        return page.Uri.ToString();
    }

    public Task<JsonObject> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken cancellation) => SendAsync(HttpMethod.Post, path, body, cancellation);

    public Task<JsonObject> PutAsync(string path, JsonObject body, CancellationToken cancellation) => SendAsync(HttpMethod.Put, path, body, cancellation);

    public Task<JsonObject> DeleteAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Delete, path, null, cancellation);

    /// <summary>Every item of a listing, page by page, at most <paramref name="most"/>.</summary>
    public async Task<List<JsonObject>> ListAsync(string path, int most, CancellationToken cancellation)
    {
        var items = new List<JsonObject>();
        string? cursor = null;
        do
        {
            var mark = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            var page = await GetAsync(
                $"{path}{mark}limit={Math.Min(most - items.Count, 200)}{(cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor))}",
                cancellation);
            foreach (var item in page["items"]!.AsArray())
            {
                items.Add(item!.AsObject());
            }

            cursor = (string?)page["next"];
        }
        while (cursor is not null && items.Count < most);
        return items;
    }

    /// <summary>A body that is not JSON, read as it comes.</summary>
    public async Task<Stream> StreamAsync(string path, CancellationToken cancellation)
    {
        var response = await TryAsync(() => new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            using (response)
            {
                throw await RefusalAsync(response, cancellation);
            }
        }

        return await response.Content.ReadAsStreamAsync(cancellation);
    }

    /// <summary>The answer to a body, read as it comes.</summary>
    public async Task<Stream> PostForStreamAsync(string path, JsonObject body, CancellationToken cancellation)
    {
        var text = body.ToJsonString();
        var response = await TryAsync(
            () => new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(text, Encoding.UTF8, "application/json") }, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            using (response)
            {
                throw await RefusalAsync(response, cancellation);
            }
        }

        return await response.Content.ReadAsStreamAsync(cancellation);
    }

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellation)
    {
        // One key for all tries of one command: a lost answer must not become a second request.
        var key = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        var text = body?.ToJsonString();
        using var response = await TryAsync(
            () =>
            {
                var message = new HttpRequestMessage(method, path);
                if (text is not null)
                {
                    message.Content = new StringContent(text, Encoding.UTF8, "application/json");
                    message.Headers.Add("Idempotency-Key", key);
                }

                return message;
            },
            HttpCompletionOption.ResponseContentRead,
            cancellation);
        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(response, cancellation);
        }

        try
        {
            return await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellation), cancellationToken: cancellation) as JsonObject
                ?? throw new JsonException("This is no object.");
        }
        catch (JsonException)
        {
            throw new CommandFailed(ExitCode.Failed, $"{_login.Server} answered something that is not Stint's.", "Look at the address: is a proxy in between?");
        }
    }

    private async Task<HttpResponseMessage> TryAsync(Func<HttpRequestMessage> make, HttpCompletionOption completion, CancellationToken cancellation)
    {
        var fresh = await ComeInAsync(again: false, cancellation);
        for (var attempt = 1; ; attempt++)
        {
            using var message = make();
            if (_shown is { } shown)
            {
                message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", shown);
            }

            try
            {
                var response = await _http.SendAsync(message, completion, cancellation);
                if (response.StatusCode == HttpStatusCode.Unauthorized && (_login.Platform is not null || _login.Kept is not null) && !fresh)
                {
                    // A way in ends, and jobs may take longer.
                    response.Dispose();
                    fresh = await ComeInAsync(again: true, cancellation);
                    continue;
                }

                if (response.StatusCode != HttpStatusCode.TooManyRequests || attempt == 3)
                {
                    return response;
                }

                var wait = response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1);
                response.Dispose();
                await Task.Delay(wait < TimeSpan.FromSeconds(10) ? wait : TimeSpan.FromSeconds(10), cancellation);
            }
            catch (HttpRequestException e) when (e.InnerException is System.Security.Authentication.AuthenticationException)
            {
                throw new CommandFailed(
                    ExitCode.Unreachable,
                    $"The certificate of {_login.Server} is not trusted here.",
                    "If it made its own, give its file with --ca (the server keeps it as tls/ca.pem in its data folder).");
            }
            catch (HttpRequestException e) when (attempt == 3 || e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostNotFound })
            {
                throw new CommandFailed(ExitCode.Unreachable, $"{_login.Server} does not answer ({e.InnerException?.Message ?? e.Message}).", "Is the server running, and is this its address? --server or STINT_SERVER sets it.");
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200 * attempt), cancellation);
            }
        }
    }

    /// <summary>Sees to it that there is a token to show: a kept one that counts, or one in exchange for that of this job's platform (RFC 8693).</summary>
    /// <param name="again">Whether the one that was shown was refused.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>Whether it is another one than before.</returns>
    private async Task<bool> ComeInAsync(bool again, CancellationToken cancellation)
    {
        if (_login.Kept is { } kept)
        {
            var before = _shown;
            _shown = await kept.AccessAsync(new AuthServer(_http, _login.Server), again ? before : null, cancellation);
            return again || (before is not null && _shown != before);
        }

        if (_login.Platform is not { } platform || (!again && _shown is not null))
        {
            return false;
        }

        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange",
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
            ["subject_token"] = await platform.Token(Platform.Audience(_login.Server), cancellation),
        };
        if (Platform.Workload is { } name)
        {
            form["scope"] = name.StartsWith("workload:", StringComparison.Ordinal) ? name : $"workload:{name}";
        }

        for (var attempt = 1; ; attempt++)
        {
            var answer = await new AuthServer(_http, _login.Server).PostAsync("oauth/token", form, cancellation);
            if (answer.Status == HttpStatusCode.OK && (string?)answer.Body["access_token"] is { } token)
            {
                _shown = token;
                return true;
            }

            if (answer.Status == HttpStatusCode.ServiceUnavailable && attempt < 3)
            {
                await Task.Delay(TimeSpan.FromSeconds(attempt), cancellation);
                continue;
            }

            throw new CommandFailed(
                answer.Status == HttpStatusCode.ServiceUnavailable ? ExitCode.Unreachable : ExitCode.NotLoggedIn,
                $"{_login.Server} does not take the token of {platform.Name}. {answer.Why}",
                answer.Why.Contains("several workloads", StringComparison.Ordinal) ? "Set STINT_WORKLOAD to one of them." : $"It was asked for the audience {Platform.Audience(_login.Server)}; STINT_AUDIENCE sets another.",
                answer.Body);
        }
    }

    private async Task<CommandFailed> RefusalAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        JsonObject? problem = null;
        try
        {
            problem = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation)) as JsonObject;
        }
        catch (JsonException)
        {
            // A proxy's page; its status says enough.
        }

        var message = (string?)problem?["detail"] ?? (string?)problem?["title"] ?? $"{_login.Server} answered {(int)response.StatusCode}.";
        if (problem?["errors"] is JsonArray errors && errors.Count > 0)
        {
            message += string.Concat(errors.Select(error => $"\n  {error?["field"]}: {error?["message"]}"));
        }

        var hint = (string?)problem?["remedy"];
        if (problem?["who_could"] is JsonArray { Count: > 0 } who)
        {
            var could = $"Could: {string.Join(", ", who.Select(name => (string)name!))}.";
            hint = hint is null ? could : $"{hint} {could}";
        }

        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new CommandFailed(ExitCode.NotLoggedIn, message, hint ?? "Run: stint login", problem),
            HttpStatusCode.Forbidden => new CommandFailed(ExitCode.Denied, message, hint, problem),
            HttpStatusCode.NotFound => new CommandFailed(ExitCode.NotFound, message, hint, problem),
            HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed => new CommandFailed(ExitCode.Conflict, message, hint, problem),
            HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity => new CommandFailed(ExitCode.Usage, message, hint, problem),
            HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout => new CommandFailed(ExitCode.Unreachable, message, hint, problem),
            _ => new CommandFailed(ExitCode.Failed, message, hint, problem),
        };
    }

    private static SslClientAuthenticationOptions Trusting(string file)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new CommandFailed(ExitCode.Usage, $"{file} holds no certificate that can be read.");
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }

    public void Dispose() => _http.Dispose();
}
