using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Where the server is and who asks: from the command line, the environment, or the file that <c>stint login</c> wrote.</summary>
internal sealed record Login(Uri Server, string? Token, string? CertificateAuthority)
{
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

        // NB. The kept token belongs to the server it was kept for, and is never shown to another.
        var token = Environment.GetEnvironmentVariable("STINT_TOKEN");
        if (string.IsNullOrEmpty(token) && kept is not null && Uri.TryCreate((string?)kept["server"], UriKind.Absolute, out var home)
            && Uri.Compare(home, uri, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0)
        {
            token = (string?)kept["token"];
        }

        return new Login(
            uri,
            string.IsNullOrWhiteSpace(token) ? null : token.Trim(),
            authority ?? Environment.GetEnvironmentVariable("STINT_CA") ?? (string?)kept?["ca"]);
    }

    /// <summary>Keeps it in a file that only this user reads.</summary>
    public void Keep()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        var temporary = FilePath + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using (var file = new FileStream(temporary, options))
        {
            var kept = new JsonObject { ["server"] = Server.ToString(), ["token"] = Token, ["ca"] = CertificateAuthority };
            file.Write(System.Text.Encoding.UTF8.GetBytes(kept.ToJsonString()));
        }

        File.Move(temporary, FilePath, overwrite: true);
    }

    /// <returns>Whether there was one.</returns>
    public static bool Forget()
    {
        var there = File.Exists(FilePath);
        File.Delete(FilePath);
        return there;
    }

    private static JsonObject? ReadFile()
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
