using System.Net;

namespace Stint.Cli;

/// <summary>Logs in where no browser is: a code is typed into one somewhere else, and meanwhile this polls (RFC 8628).</summary>
internal static class DeviceLogin
{
    private static readonly TimeSpan Slower = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(60);

    public static async Task<KeptTokens> RunAsync(AuthServer server, Terminal terminal, TimeProvider time, CancellationToken cancellation)
    {
        var codes = await server.PostAsync("oauth/device", Self(), cancellation);
        if (codes.Status != HttpStatusCode.OK || (string?)codes.Body["device_code"] is not { } device || (string?)codes.Body["user_code"] is not { } typed || (string?)codes.Body["verification_uri"] is not { } page)
        {
            throw codes.Status == HttpStatusCode.NotFound ? server.TooOld() : new CommandFailed(codes.Status == HttpStatusCode.TooManyRequests ? ExitCode.Unreachable : ExitCode.Failed, $"{server.Server} gave no code. {codes.Why}");
        }

        Terminal.Tell("Open this page in a browser, on any machine where you are signed in or can sign in:");
        Terminal.Tell($"  {page}");
        Terminal.Tell($"and type this code:  {typed}");
        if ((string?)codes.Body["verification_uri_complete"] is { } whole)
        {
            Terminal.Tell($"or open it with the code filled in:  {whole}");
        }

        var ends = time.GetUtcNow() + TimeSpan.FromSeconds((long?)codes.Body["expires_in"] ?? 600);
        var every = TimeSpan.FromSeconds(Math.Clamp((long?)codes.Body["interval"] ?? 5, 1, 60));
        return await terminal.WaitAsync($"Waiting for your answer there, at most {Terminal.Length(ends - time.GetUtcNow())}…", () => PollAsync(server, device, every, ends, time, cancellation));
    }

    /// <summary>Asks until there is an answer.</summary>
    internal static async Task<KeptTokens> PollAsync(AuthServer server, string device, TimeSpan every, DateTimeOffset ends, TimeProvider time, CancellationToken cancellation)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "urn:ietf:params:oauth:grant-type:device_code", ["client_id"] = AuthServer.Client, ["device_code"] = device };
        while (true)
        {
            await Task.Delay(every, time, cancellation);
            AuthAnswer answer;
            try
            {
                answer = await server.PostAsync("oauth/token", form, cancellation);
            }
            catch (CommandFailed failure) when (failure.Code == ExitCode.Unreachable && time.GetUtcNow() + every < ends)
            {
                // Whoever cannot be reached is asked less often (RFC 8628, section 3.5).
                every = every * 2 < Slowest ? every * 2 : Slowest;
                continue;
            }

            if (AuthServer.TokensOf(answer, time.GetUtcNow()) is { } tokens)
            {
                return tokens;
            }

            switch (answer.Error)
            {
                case "authorization_pending" when time.GetUtcNow() < ends:
                    break;
                case "slow_down" when time.GetUtcNow() < ends:
                    every = every + Slower < Slowest ? every + Slower : Slowest;
                    break;
                case "access_denied":
                    throw new CommandFailed(ExitCode.Denied, $"You are not logged in. {answer.Why}", "If you did not deny it, somebody else typed your code: run stint login again.");
                case "authorization_pending" or "slow_down" or "expired_token":
                    throw new CommandFailed(ExitCode.TimedOut, "Nobody answered in the browser in time.", "Run: stint login");
                case null when (int)answer.Status is 429 or 502 or 503 or 504 && time.GetUtcNow() < ends:
                    every = answer.RetryAfter is { } wait && wait > every ? wait < Slowest ? wait : Slowest : every;
                    break;
                default:
                    throw new CommandFailed(ExitCode.Failed, $"{server.Server} gave no token. {answer.Why}");
            }
        }
    }

    private static Dictionary<string, string> Self() => new() { ["client_id"] = AuthServer.Client, ["host"] = Host, ["version"] = StintClient.Version };

    /// <summary>What this machine is called, for whoever is asked.</summary>
    public static string Host => Environment.MachineName is { Length: <= 64 } name ? name : Environment.MachineName[..64];
}
