using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Where a CI job finds the token that its platform gives it.</summary>
/// <param name="Name">For people: <c>the file …</c>, <c>GitHub Actions</c>.</param>
/// <param name="Token">Gets it, for an audience; asked anew when the one before is over.</param>
internal sealed record Platform(string Name, Func<string, CancellationToken, Task<string>> Token)
{
    /// <summary>Where a token is that a Kubernetes pod was given for Stint (a projected volume).</summary>
    private const string Projected = "/var/run/secrets/stint/token";

    private const int MostBytes = 64 << 10;

    /// <summary>The platform that this runs on; null when nothing says so.</summary>
    /// <param name="file">A file that the command line names; null for none.</param>
    public static Platform? Find(string? file)
    {
        if (file is not null)
        {
            return OfFile(file);
        }

        if (Given("STINT_ID_TOKEN") is { } token)
        {
            return new Platform("STINT_ID_TOKEN", (_, _) => Task.FromResult(token));
        }

        return Given("ACTIONS_ID_TOKEN_REQUEST_URL") is { } url && Given("ACTIONS_ID_TOKEN_REQUEST_TOKEN") is { } secret
            ? new Platform("GitHub Actions", (audience, cancellation) => FromGitHubAsync(url, secret, audience, cancellation))
            : File.Exists(Projected) ? OfFile(Projected) : null;
    }

    /// <summary>What the token is to be made for: as the server's configuration names it, which is best its address.</summary>
    public static string Audience(Uri server) => Given("STINT_AUDIENCE") ?? server.GetLeftPart(UriPartial.Authority);

    /// <summary>Which workload is meant, where a token is that of several; null for the only one.</summary>
    public static string? Workload => Given("STINT_WORKLOAD");

    // Read again each time: Kubernetes puts a new one into the file before the old one is over.
    private static Platform OfFile(string file) => new($"the file {file}", async (_, cancellation) =>
    {
        try
        {
            if (new FileInfo(file).Length > MostBytes)
            {
                throw new CommandFailed(ExitCode.Usage, $"{file} is too large for a token.");
            }

            return (await File.ReadAllTextAsync(file, cancellation)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Usage, $"The token file {file} cannot be read: {e.Message}");
        }
    });

    /// <summary>What GitHub's runner gives to a job with <c>permissions: id-token: write</c> ("OpenID Connect reference", GitHub Docs).</summary>
    private static async Task<string> FromGitHubAsync(string url, string secret, string audience, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || (address.Scheme != "https" && !address.IsLoopback))
        {
            throw new CommandFailed(ExitCode.Usage, "ACTIONS_ID_TOKEN_REQUEST_URL is not an https address.");
        }

        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(20), MaxResponseContentBufferSize = MostBytes };
        using var message = new HttpRequestMessage(HttpMethod.Get, $"{url}{(address.Query.Length == 0 ? '?' : '&')}audience={Uri.EscapeDataString(audience)}");
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        try
        {
            using var response = await http.SendAsync(message, cancellation);
            return response.IsSuccessStatusCode && (string?)(JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation)) as JsonObject)?["value"] is { Length: > 0 } token
                ? token
                : throw new CommandFailed(ExitCode.Failed, $"GitHub gave this job no token ({(int)response.StatusCode}).", "Does the job say permissions: { id-token: write }?");
        }
        catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException or InvalidOperationException)
        {
            throw new CommandFailed(ExitCode.Unreachable, $"GitHub's token service does not answer ({e.Message}).");
        }
    }

    private static string? Given(string name) => Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
}
