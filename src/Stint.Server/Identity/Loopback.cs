using System.Globalization;

namespace Stint.Server.Identity;

/// <summary>Where a browser may bring a code: to a program on its own machine, and nowhere else (RFC 8252, section 7.3).</summary>
internal static class Loopback
{
    private static readonly string[] Hosts = ["http://127.0.0.1:", "http://[::1]:"];

    /// <summary>Lets <c>http://127.0.0.1:PORT/</c> and <c>http://[::1]:PORT/</c> pass, with any port, and nothing else.</summary>
    /// <remarks>NB. Compared as text: what a parser makes of names, users, dots and slashes is where such checks are fooled. <c>localhost</c> is a name, and names can be made to lead elsewhere.</remarks>
    /// <returns>The port; null for anything else.</returns>
    public static int? Read(string? redirect) =>
        redirect is not null && Array.Find(Hosts, host => redirect.StartsWith(host, StringComparison.Ordinal)) is { } begins
        && redirect.EndsWith('/')
        && redirect[begins.Length..^1] is [>= '1' and <= '9', ..] digits
        && digits.Length <= 5
        && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
        && port <= 65535
            ? port
            : null;
}
