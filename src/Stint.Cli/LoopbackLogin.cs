using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Cli;

/// <summary>Logs in by the browser of this machine, which brings a code to a port that only this machine reaches (RFC 8252; RFC 7636).</summary>
internal static class LoopbackLogin
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static async Task<KeptTokens> RunAsync(AuthServer server, Terminal terminal, Action<string> open, CancellationToken cancellation)
    {
        var metadata = await server.MetadataAsync(cancellation);
        if ((string?)metadata["issuer"] is not { } issuer
            || !Uri.TryCreate((string?)metadata["authorization_endpoint"], UriKind.Absolute, out var page) || (page.Scheme != "https" && !(page.Scheme == "http" && page.IsLoopback)))
        {
            throw server.TooOld();
        }

        var (verifier, state) = (Chance(), Chance());
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var redirect = $"http://{listener.LocalEndpoint}/";
        var query = new Dictionary<string, string>
        {
            ["response_type"] = "code",
            ["client_id"] = AuthServer.Client,
            ["redirect_uri"] = redirect,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
            ["code_challenge_method"] = "S256",
            ["state"] = state,
            ["host"] = DeviceLogin.Host,
            ["version"] = StintClient.Version,
        };
        var address = $"{page}?{string.Join('&', query.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"))}";
        Terminal.Tell("Your browser is asked to open this page; if it does not, open it there yourself:");
        Terminal.Tell($"  {address}");
        Terminal.Tell("(No browser on this machine? Stop, and run: stint login --device)");
        open(address);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        string code;
        try
        {
            code = await terminal.WaitAsync($"Waiting for your answer there, at most {Terminal.Length(Patience)}…", () => Callback.AwaitAsync(listener, state, issuer, bound.Token));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandFailed(ExitCode.TimedOut, "Nobody answered in the browser in time.", "Run: stint login");
        }

        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["client_id"] = AuthServer.Client, ["code"] = code, ["redirect_uri"] = redirect, ["code_verifier"] = verifier };
        var answer = await server.PostAsync("oauth/token", form, cancellation);
        return AuthServer.TokensOf(answer, TimeProvider.System.GetUtcNow()) ?? throw new CommandFailed(ExitCode.Failed, $"{server.Server} gave no token. {answer.Why}", "Run: stint login");
    }

    private static string Chance() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
