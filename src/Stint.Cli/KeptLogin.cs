using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>The two tokens that <c>stint login</c> kept: in the desktop's keyring, or in the file. Several <c>stint</c> at once fetch new ones once.</summary>
/// <param name="server">Whose they are.</param>
/// <param name="inKeyring">Whether they are in a keyring, and not in the file.</param>
/// <param name="keyring">That keyring; null for the file, and where none answers any more.</param>
internal sealed class KeptLogin(Uri server, bool inKeyring, Keyring? keyring)
{
    /// <summary>So long before its end a token is taken for over: it has to last for the call.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const int Tries = 3;

    private KeptTokens? _known;

    /// <summary>For people.</summary>
    public string Place => inKeyring ? keyring?.Name ?? "a keyring" : Login.FilePath;

    /// <summary>The tokens; null when there are none, or the keyring does not open.</summary>
    public async Task<KeptTokens?> ReadAsync(CancellationToken cancellation) =>
        !inKeyring ? KeptTokens.Read(Login.ReadFile()?["tokens"])
        : keyring is not null && await keyring.ReadAsync(server, cancellation) is { } text ? KeptTokens.Read(Parsed(text))
        : null;

    /// <summary>A token that lets in: the kept one, or a new one where that is over.</summary>
    /// <param name="auth">Where new ones come from.</param>
    /// <param name="refused">A token that was refused, and is not to be given again; null for none.</param>
    /// <param name="cancellation">Ends the waiting for others, and not the fetching: an answer that nobody keeps costs the login.</param>
    /// <exception cref="CommandFailed">The login is over, or the server does not answer.</exception>
    public async Task<string> AccessAsync(AuthServer auth, string? refused, CancellationToken cancellation)
    {
        if ((Counts(_known, refused) ?? Counts(_known = await ReadAsync(cancellation), refused)) is { } kept)
        {
            return kept;
        }

        using var held = await HoldAsync(cancellation);
        var tokens = _known = await ReadAsync(cancellation);
        if (Counts(tokens, refused) is { } meanwhile)
        {
            return meanwhile;
        }

        if (tokens is null)
        {
            throw new CommandFailed(ExitCode.NotLoggedIn, inKeyring ? $"Your login at {server} is in {Place}, which does not answer here or holds it no longer." : $"You are not logged in at {server}.", "Run: stint login");
        }

        var answer = await RefreshAsync(auth, tokens.Refresh);
        if (AuthServer.TokensOf(answer, TimeProvider.System.GetUtcNow()) is { } next)
        {
            await KeepAsync(next, CancellationToken.None);
            _known = next;
            return next.Access;
        }

        if (answer.Error == "invalid_grant")
        {
            await ForgetAsync(CancellationToken.None);
            throw new CommandFailed(ExitCode.NotLoggedIn, $"Your login at {server} is over. {answer.Why}", "Run: stint login");
        }

        throw new CommandFailed((int)answer.Status is 429 or 502 or 503 or 504 ? ExitCode.Unreachable : ExitCode.Failed, $"{server} gave no new token. {answer.Why}");
    }

    /// <summary>Keeps tokens in place of those before.</summary>
    /// <exception cref="CommandFailed">They could not be kept.</exception>
    public async Task KeepAsync(KeptTokens tokens, CancellationToken cancellation)
    {
        if (!inKeyring)
        {
            Login.Change(kept => kept["tokens"] = tokens.Write());
        }
        else if (keyring is null || !await keyring.KeepAsync(server, tokens.Write().ToJsonString(), cancellation))
        {
            throw new CommandFailed(ExitCode.Failed, $"{Place} does not take the new token.", "Open it, or log in with: stint login --no-keyring");
        }
    }

    /// <summary>Forgets the tokens; where the server is stays known.</summary>
    public async Task ForgetAsync(CancellationToken cancellation)
    {
        if (keyring is not null)
        {
            await keyring.ForgetAsync(server, cancellation);
        }

        Login.Change(kept =>
        {
            kept.Remove("tokens");
            kept.Remove("keyring");
        });
    }

    /// <summary>Holds back every other <c>stint</c> of this user that would fetch tokens, until it is disposed.</summary>
    /// <exception cref="CommandFailed">Another holds it for too long.</exception>
    public static async Task<IDisposable> HoldAsync(CancellationToken cancellation)
    {
        var path = Login.FilePath + ".lock";
        for (var waited = TimeSpan.Zero; ;)
        {
            try
            {
                Login.MakeFolder();

                // Freed by the system when its holder ends, however it does; the file stays.
                return new FileStream(path, Login.OwnFile(FileMode.OpenOrCreate));
            }
            catch (IOException) when (waited < Patience)
            {
                var pause = TimeSpan.FromMilliseconds(50);
                waited += pause;
                await Task.Delay(pause, cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandFailed(ExitCode.Failed, $"{path} is held by another stint, or cannot be written ({e.Message}).");
            }
        }
    }

    /// <summary>Shows the token again when the answer was lost: for a minute the server takes that for what it is.</summary>
    private static async Task<AuthAnswer> RefreshAsync(AuthServer auth, string refresh)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await auth.PostAsync("oauth/token", new Dictionary<string, string> { ["grant_type"] = "refresh_token", ["client_id"] = AuthServer.Client, ["refresh_token"] = refresh }, CancellationToken.None);
                if ((int)answer.Status is not (429 or 502 or 503 or 504) || attempt == Tries)
                {
                    return answer;
                }

                var wait = answer.RetryAfter ?? TimeSpan.FromSeconds(1);
                await Task.Delay(wait < TimeSpan.FromSeconds(10) ? wait : TimeSpan.FromSeconds(10), CancellationToken.None);
            }
            catch (CommandFailed failure) when (failure.Code == ExitCode.Unreachable && attempt < Tries)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300 * attempt), CancellationToken.None);
            }
        }
    }

    private static string? Counts(KeptTokens? tokens, string? refused) =>
        tokens is not null && tokens.Access != refused && tokens.Until - TimeProvider.System.GetUtcNow() > Early ? tokens.Access : null;

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
