using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Where the server is and who asks: from the command line, the environment, or the file that <c>stint login</c> wrote.</summary>
internal sealed record Login(Uri Server, string? Token, string? CertificateAuthority)
{
    /// <summary>The tokens that <c>stint login</c> kept for this server; null for somebody with a token of another sort.</summary>
    public KeptLogin? Kept { get; init; }

    /// <summary>Where a CI job gets a token of its platform, to come in with; null for somebody with a token.</summary>
    public Platform? Platform { get; init; }

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static string FilePath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "stint",
        "login.json");

    /// <exception cref="CommandFailed">The address is not one, or the file cannot be read.</exception>
    public static Login Find(string? server, string? authority)
    {
        var kept = ReadFile();
        var address = server ?? Environment.GetEnvironmentVariable("STINT_SERVER") ?? (string?)kept?["server"] ?? "http://127.0.0.1:8420";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new CommandFailed(ExitCode.Usage, $"'{address}' is not the address of a server.", "Give one such as https://stint.example.com.");
        }

        // NB. A token goes over plain HTTP to this machine alone: anywhere else it would be read on the way.
        if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            throw new CommandFailed(ExitCode.Usage, $"{uri} is not on this machine, so its address must begin with https.");
        }

        // NB. What was kept belongs to the server it was kept for, and is never shown to another.
        var token = Environment.GetEnvironmentVariable("STINT_TOKEN");
        KeptLogin? login = null;
        if (string.IsNullOrWhiteSpace(token) && kept is not null && Uri.TryCreate((string?)kept["server"], UriKind.Absolute, out var home)
            && Uri.Compare(home, uri, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0)
        {
            token = (string?)kept["token"];
            login = (bool?)kept["keyring"] == true ? new KeptLogin(uri, inKeyring: true, Keyring.Find())
                : kept["tokens"] is not null ? new KeptLogin(uri, inKeyring: false, null)
                : null;
        }

        return new Login(
            uri,
            string.IsNullOrWhiteSpace(token) ? null : token.Trim(),
            authority ?? Environment.GetEnvironmentVariable("STINT_CA") ?? (string?)kept?["ca"])
        {
            Kept = string.IsNullOrWhiteSpace(token) ? login : null,
        };
    }

    /// <summary>Keeps it in a file that only this user reads, in place of what was there.</summary>
    public void Keep() => Write(new JsonObject { ["server"] = Server.ToString(), ["token"] = Token, ["ca"] = CertificateAuthority });

    /// <summary>Keeps where the server is, and its tokens: in a keyring, or in the file where there is none or it does not open.</summary>
    /// <returns>Where they are.</returns>
    public async Task<KeptLogin> KeepAsync(KeptTokens tokens, Keyring? keyring, CancellationToken cancellation)
    {
        var inKeyring = keyring is not null && await keyring.KeepAsync(Server, tokens.Write().ToJsonString(), cancellation);
        var file = new JsonObject { ["server"] = Server.ToString(), ["ca"] = CertificateAuthority };
        if (inKeyring)
        {
            file["keyring"] = true;
        }
        else
        {
            file["tokens"] = tokens.Write();
        }

        Write(file);
        return new KeptLogin(Server, inKeyring, keyring);
    }

    /// <summary>Changes what the file holds, where there is one.</summary>
    public static void Change(Action<JsonObject> change)
    {
        if (ReadFile() is { } kept)
        {
            change(kept);
            Write(kept);
        }
    }

    /// <returns>Whether there was one.</returns>
    public static bool Forget()
    {
        var there = File.Exists(FilePath);
        File.Delete(FilePath);
        return there;
    }

    /// <summary>How a file is made that only this user reads and writes, and that is open once.</summary>
    public static FileStreamOptions OwnFile(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return options;
    }

    /// <summary>Makes the folder of the file, in which only this user looks.</summary>
    public static void MakeFolder()
    {
        var folder = Path.GetDirectoryName(FilePath)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            // The one above may be everybody's to look into; of this one, older versions made it so.
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            File.SetUnixFileMode(folder, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    private static void Write(JsonObject kept)
    {
        try
        {
            MakeFolder();
            var temporary = FilePath + ".new";
            File.Delete(temporary);
            using (var file = new FileStream(temporary, OwnFile(FileMode.CreateNew)))
            {
                file.Write(System.Text.Encoding.UTF8.GetBytes(kept.ToJsonString()));
            }

            File.Move(temporary, FilePath, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Failed, $"{FilePath} cannot be written: {e.Message}");
        }
    }

    /// <summary>What the file holds; null when there is none.</summary>
    /// <exception cref="CommandFailed">Others can read it, or nobody can.</exception>
    public static JsonObject? ReadFile()
    {
        if (!File.Exists(FilePath))
        {
            return null;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(FilePath) & ~OwnerOnly) != 0)
        {
            throw new CommandFailed(ExitCode.Failed, $"{FilePath} can be read by others.", $"Run: chmod 600 {FilePath}, and have the token replaced.");
        }

        try
        {
            return JsonNode.Parse(File.ReadAllText(FilePath)) as JsonObject;
        }
        catch (JsonException)
        {
            throw new CommandFailed(ExitCode.Failed, $"{FilePath} is not readable.", "Run: stint logout, then stint login.");
        }
    }
}
