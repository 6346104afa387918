using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Where this command line gets its tokens: <c>/oauth/…</c> of the server (RFC 6749, RFC 8628, RFC 7009).</summary>
internal sealed class AuthServer(HttpClient http, Uri server)
{
    /// <summary>What this program is called there.</summary>
    public const string Client = "stint-cli";

    public Uri Server => server;

    /// <summary>Sends a form.</summary>
    /// <returns>The answer whatever its status, and how long to wait where it said so.</returns>
    /// <exception cref="CommandFailed">There is no answer, or none of Stint's.</exception>
    public Task<AuthAnswer> PostAsync(string path, IReadOnlyDictionary<string, string> form, CancellationToken cancellation) =>
        SendAsync(() => new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new FormUrlEncodedContent(form) }, cancellation);

    /// <summary>What the server says of itself (RFC 8414).</summary>
    /// <exception cref="CommandFailed">It says nothing: it is none, or of an older version.</exception>
    public async Task<JsonObject> MetadataAsync(CancellationToken cancellation)
    {
        var answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, new Uri(".well-known/oauth-authorization-server", UriKind.Relative)), cancellation);
        return answer.Status == HttpStatusCode.OK ? answer.Body : throw TooOld();
    }

    /// <summary>Two tokens out of an answer; null when it holds none.</summary>
    public static KeptTokens? TokensOf(AuthAnswer answer, DateTimeOffset now) =>
        answer.Status == HttpStatusCode.OK && (string?)answer.Body["access_token"] is { Length: > 0 } access && (string?)answer.Body["refresh_token"] is { Length: > 0 } refresh
            ? new KeptTokens(access, now + TimeSpan.FromSeconds((long?)answer.Body["expires_in"] ?? 0), refresh)
            : null;

    /// <summary>What to say of a server that does not know this way to log in.</summary>
    public CommandFailed TooOld() => new(ExitCode.Failed, $"{server} does not let command lines log in by a browser.", "Log in with a token from whoever keeps the catalog: stint login --token");

    private async Task<AuthAnswer> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            using var message = make();
            using var response = await http.SendAsync(message, bound.Token);
            var text = await response.Content.ReadAsStringAsync(bound.Token);

            // A status without an object is told by its number: 404 of a server that does not know the address.
            var body = text.StartsWith('{') ? JsonNode.Parse(text) as JsonObject : null;
            return new AuthAnswer(response.StatusCode, body ?? [], response.Headers.RetryAfter?.Delta);
        }
        catch (HttpRequestException e) when (e.InnerException is System.Security.Authentication.AuthenticationException)
        {
            throw new CommandFailed(ExitCode.Unreachable, $"The certificate of {server} is not trusted here.", "Give the file of its authority with --ca or STINT_CA (a server that made its own keeps it as tls/ca.pem in its data folder).");
        }
        catch (HttpRequestException e)
        {
            throw new CommandFailed(ExitCode.Unreachable, $"{server} does not answer ({e.InnerException?.Message ?? e.Message}).", "Is the server running, and is this its address? --server or STINT_SERVER sets it.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandFailed(ExitCode.Unreachable, $"{server} does not answer within half a minute.");
        }
        catch (JsonException)
        {
            throw new CommandFailed(ExitCode.Failed, $"{server} answered something that is not Stint's.", "Look at the address: is a proxy in between?");
        }
    }
}

/// <summary>An answer of the authorization server.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Body">What it said; empty for nothing.</param>
/// <param name="RetryAfter">How long to wait before the next try; null where it did not say.</param>
internal sealed record AuthAnswer(HttpStatusCode Status, JsonObject Body, TimeSpan? RetryAfter)
{
    /// <summary>A word of RFC 6749, section 5.2, or of RFC 8628, section 3.5; null for none.</summary>
    public string? Error => (string?)Body["error"];

    /// <summary>Why, in a sentence.</summary>
    public string Why => (string?)Body["error_description"] ?? (string?)Body["detail"] ?? $"It answered {(int)Status}.";
}

/// <summary>Two tokens of this command line.</summary>
/// <param name="Access">The one that lets in.</param>
/// <param name="Until">Until about when, by this machine's clock.</param>
/// <param name="Refresh">The one that fetches the next two, once.</param>
internal sealed record KeptTokens(string Access, DateTimeOffset Until, string Refresh)
{
    public JsonObject Write() => new() { ["access"] = Access, ["until"] = Until.ToString("O", System.Globalization.CultureInfo.InvariantCulture), ["refresh"] = Refresh };

    /// <returns>Null for what holds none.</returns>
    public static KeptTokens? Read(JsonNode? node) =>
        node is JsonObject kept && (string?)kept["access"] is { } access && (string?)kept["refresh"] is { } refresh
        && DateTimeOffset.TryParse((string?)kept["until"], System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.RoundtripKind, out var until)
            ? new KeptTokens(access, until, refresh)
            : null;

    /// <summary>Never a token.</summary>
    public override string ToString() => $"until {Until:O}";
}
