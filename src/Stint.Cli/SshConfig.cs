using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Stint.Cli;

/// <summary>One host as ssh reads it from a file.</summary>
internal static partial class SshConfig
{
    /// <summary>The files that a host's entry names, in its folder.</summary>
    public const string Key = "id", Certificate = "id-cert.pub", KnownHosts = "known_hosts", Config = "config";

    private static readonly SearchValues<char> ReadOtherwise = SearchValues.Create("\"'%$\\*?[]");

    /// <summary>Writes the entry of the host that a certificate is good for.</summary>
    /// <param name="certificate">What the server answered.</param>
    /// <param name="user">Who to log in as; null for whom the role says.</param>
    /// <param name="folder">Where the files are.</param>
    /// <param name="withOwn">Whether what the person has of their own counts behind it.</param>
    /// <exception cref="CommandFailed">The server says what no server should: it would become another option of ssh, which may run programs.</exception>
    public static string Of(JsonObject certificate, string? user, string folder, bool withOwn = true)
    {
        var name = Plain(certificate, "resource");
        var text = new StringBuilder();
        text.Append("Host ").AppendLine(name);
        void Add(string option, string value) => text.Append("    ").Append(option).Append(' ').AppendLine(value);
        Add("HostName", Address(certificate, "host"));
        Add("Port", ((int)certificate["port"]!).ToString(System.Globalization.CultureInfo.InvariantCulture));
        Add("User", user is null ? Plain(certificate, "user") : PlainForm().IsMatch(user) ? user : throw new CommandFailed(ExitCode.Usage, $"'{user}' is no user's name."));
        Add("IdentityFile", Quoted(folder, Key));
        Add("CertificateFile", Quoted(folder, Certificate));
        Add("IdentitiesOnly", "yes");
        Add("PubkeyAuthentication", "yes");
        Add("PreferredAuthentications", "publickey");
        Add("HostKeyAlias", name);
        Add("UserKnownHostsFile", Quoted(folder, KnownHosts));
        Add("GlobalKnownHostsFile", "/dev/null");
        Add("StrictHostKeyChecking", "yes");
        Add("UpdateHostKeys", "no");
        Add("VerifyHostKeyDNS", "no");

        // NB. A connection that is shared and stays behind would let in after the end.
        Add("ControlMaster", "no");
        Add("ControlPath", "none");
        if (withOwn)
        {
            text.AppendLine().AppendLine("Host *").AppendLine("    Include ~/.ssh/config").AppendLine("    Include /etc/ssh/ssh_config");
        }

        return text.ToString();
    }

    /// <summary>Writes what has ssh ask stint for a certificate before it reads a host's entry.</summary>
    /// <param name="host">The resource.</param>
    /// <param name="stint">The program.</param>
    /// <param name="server">The server that it asks.</param>
    /// <param name="folder">Where the entry is.</param>
    /// <exception cref="CommandFailed">One of them would be read otherwise, by ssh or by the shell that it starts.</exception>
    public static string Asking(string host, string stint, Uri server, string folder)
    {
        foreach (var text in (string[])[stint, server.AbsoluteUri, folder])
        {
            if (text.AsSpan().ContainsAny(ReadOtherwise) || text.AsSpan().ContainsAnyInRange('\0', '\u001f'))
            {
                throw new CommandFailed(ExitCode.Failed, $"{text} has characters that ssh, or the shell that it starts, would read otherwise.", "Use another folder, or another address of the server.");
            }
        }

        return $"Match originalhost {Named(host)} exec \"'{stint}' ssh --server '{server.AbsoluteUri}' --renew {host}\"\n    Include \"{Path.Combine(folder, Config)}\"\n";
    }

    /// <summary>A name that ssh can be given.</summary>
    /// <exception cref="CommandFailed">It is none.</exception>
    public static string Named(string host) => PlainForm().IsMatch(host) ? host : throw new CommandFailed(ExitCode.Usage, $"'{host}' is no name of a host.", "Name a resource.");

    /// <summary>The keys by which the host is known.</summary>
    /// <exception cref="CommandFailed">The server says what no server should.</exception>
    public static string KnownHostsOf(JsonObject certificate)
    {
        var name = Plain(certificate, "resource");
        var text = new StringBuilder();
        foreach (var key in (certificate["host_keys"] as JsonArray ?? []).Select(key => (string?)key ?? ""))
        {
            text.Append(name).Append(' ').AppendLine(KeyForm().IsMatch(key) ? key : throw Odd("host_keys"));
        }

        return text.Length > 0 ? text.ToString() : throw Odd("host_keys");
    }

    private static string Plain(JsonObject certificate, string name) =>
        (string?)certificate[name] is { } text && PlainForm().IsMatch(text) ? text : throw Odd(name);

    private static string Address(JsonObject certificate, string name) =>
        (string?)certificate[name] is { } text && AddressForm().IsMatch(text) ? text : throw Odd(name);

    /// <summary>A path as ssh reads it: in quotes, and a per cent sign is itself.</summary>
    private static string Quoted(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return path.AsSpan().ContainsAny('"', '$', '\\') || path.AsSpan().ContainsAnyInRange('\0', '\u001f')
            ? throw new CommandFailed(ExitCode.Failed, $"The folder for temporary files, {folder}, has a name that ssh cannot be given.", "Set TMPDIR to another.")
            : $"\"{path.Replace("%", "%%", StringComparison.Ordinal)}\"";
    }

    private static CommandFailed Odd(string name) => new(ExitCode.Failed, $"The server answered with something odd as {name}, and it is not given to ssh.", "Tell who runs the server.");

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainForm();

    [GeneratedRegex(@"^[A-Za-z0-9:][A-Za-z0-9._:-]{0,254}\z", RegexOptions.CultureInvariant)]
    private static partial Regex AddressForm();

    [GeneratedRegex(@"^[a-z0-9@.-]{1,60} [A-Za-z0-9+/=]{1,16000}\z", RegexOptions.CultureInvariant)]
    private static partial Regex KeyForm();
}
