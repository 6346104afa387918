using System.Security.Cryptography;

namespace Stint.Server.Hosting;

/// <summary>Reads what ties gateway nodes and their control plane together: <c>control.…</c> at the one, <c>nodes</c> at the other.</summary>
internal static class ControlReader
{
    private const string HashPrefix = "sha256:";

    private static readonly string[] OfGateways = ["control.url", "control.secret_file", "control.secret_env", "control.fingerprint", "control.ca"];

    /// <summary>Where the control plane is.</summary>
    /// <param name="read">The settings.</param>
    /// <param name="isNeeded">Whether this node is a gateway and nothing else.</param>
    /// <param name="environment">The variables.</param>
    public static ControlOptions? Control(SettingReader read, bool isNeeded, IReadOnlyDictionary<string, string> environment)
    {
        var url = read.Url("control.url");
        var file = read.FilePath("control.secret_file");
        var env = read.Text("control.secret_env");
        var fingerprint = Fingerprint(read);
        var authority = read.FilePath("control.ca");
        if (!isNeeded)
        {
            foreach (var key in OfGateways.Where(read.IsGiven))
            {
                read.Blame(key, $"`{key}` is for a node that is a gateway and nothing else; say `roles: gateway`, or take it out");
            }

            return null;
        }

        if (url is null && !read.IsGiven("control.url"))
        {
            read.Blame("roles", "`roles` is gateway alone, and `control.url` is missing; give the address of the control plane, such as https://stint.example.com:8420");
        }
        else if (url is { Scheme: "http", IsLoopback: false })
        {
            read.Blame("control.url", "`control.url` is plain http, and what opens databases would cross the network readable; give its https address");
        }

        if (fingerprint is not null && authority is not null)
        {
            read.Blame("control.ca", "`control.fingerprint` and `control.ca` both say whom to trust; keep one");
        }

        if (authority is not null && !File.Exists(authority))
        {
            read.Blame("control.ca", $"`control.ca` names {authority}, which is not there");
        }

        if (url is { Scheme: "http" } && (fingerprint is not null || authority is not null))
        {
            read.Blame("control.url", "`control.url` is plain http, so there is no certificate to check; give its https address, or take `control.fingerprint` and `control.ca` out");
        }

        var secret = Secret(read, file, env, environment);
        return url is not null && secret is not null ? new ControlOptions(url, secret, fingerprint, authority) : null;
    }

    /// <summary>Gateway nodes that may link up: <c>NAME=sha256:HASH</c> each.</summary>
    public static Dictionary<string, byte[]> Nodes(SettingReader read)
    {
        var nodes = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var text in read.Texts("nodes") ?? [])
        {
            var (name, hash) = text.Split('=', 2) is [var left, var right] ? (left.Trim(), right.Trim()) : ("", "");
            if (name.Length is 0 or > 40 || !name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-'))
            {
                read.Blame("nodes", "`nodes` holds an entry that is not NAME=sha256:HASH, with a name of a–z, 0–9 and hyphens; `stint token` prints the hash");
            }
            else if (Hash(hash) is not { } bytes)
            {
                read.Blame("nodes", $"`nodes` gives {name} something that is not sha256: and 64 hexadecimal digits; `stint token` prints it");
            }
            else if (!nodes.TryAdd(name, bytes) || nodes.Values.Count(other => other.AsSpan().SequenceEqual(bytes)) > 1)
            {
                read.Blame("nodes", $"`nodes` names {name} or its secret twice; each node has a name and a secret of its own");
            }
        }

        return nodes;
    }

    private static string? Secret(SettingReader read, string? file, string? env, IReadOnlyDictionary<string, string> environment)
    {
        if (file is not null && env is not null)
        {
            read.Blame("control.secret_env", "`control.secret_file` and `control.secret_env` both say where this node's secret is; keep one");
            return null;
        }

        if (env is not null)
        {
            var value = environment.GetValueOrDefault(env)?.Trim();
            if (string.IsNullOrEmpty(value))
            {
                read.Blame("control.secret_env", $"`control.secret_env` names {env}, which is not set");
                return null;
            }

            return value;
        }

        if (file is null)
        {
            if (!read.IsGiven("control.secret_file"))
            {
                read.Blame("roles", "`roles` is gateway alone, and this node's secret is missing; name it with `control.secret_file` or `control.secret_env`");
            }

            return null;
        }

        try
        {
            if (DataFolder.ReadableByOthers(file))
            {
                read.Blame("control.secret_file", $"`control.secret_file` names {file}, which every user of this machine can read; chmod 0600 it");
                return null;
            }

            if (File.ReadAllText(file).Trim() is { Length: > 0 } text)
            {
                return text;
            }

            read.Blame("control.secret_file", $"`control.secret_file` names {file}, which is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            read.Blame("control.secret_file", $"`control.secret_file` names {file}, which cannot be read; put this node's secret there");
        }

        return null;
    }

    private static byte[]? Fingerprint(SettingReader read)
    {
        if (read.Text("control.fingerprint") is not { } text)
        {
            return null;
        }

        if (Hash(HashPrefix + text.Replace(":", "", StringComparison.Ordinal)) is { } bytes)
        {
            return bytes;
        }

        read.Blame("control.fingerprint", "`control.fingerprint` is not the SHA-256 of a certificate; the control plane prints it when it starts");
        return null;
    }

    private static byte[]? Hash(string text)
    {
        if (!text.StartsWith(HashPrefix, StringComparison.Ordinal) || text.Length != HashPrefix.Length + (2 * SHA256.HashSizeInBytes))
        {
            return null;
        }

        try
        {
            return Convert.FromHexString(text.AsSpan(HashPrefix.Length));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
