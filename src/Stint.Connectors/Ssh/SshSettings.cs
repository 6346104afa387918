using System.Net;
using System.Text.RegularExpressions;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Ssh;

/// <summary>What a resource of kind <c>ssh</c> is told in the catalog.</summary>
/// <param name="Host">Host name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="HostKeys">The public keys by which the host is known.</param>
/// <param name="Authority">The private key of the user CA that its sshd trusts; null in a catalog that was not checked.</param>
/// <param name="CertificateLife">Longest life of one certificate.</param>
public sealed partial record SshSettings(string Host, int Port, IReadOnlyList<SshPublicKey> HostKeys, SecretRef? Authority, TimeSpan CertificateLife)
{
    public const string Kind = "ssh";

    /// <summary>Longest life of a certificate, whatever the catalog says: what is not looked up again ends by itself.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromHours(1);

    private static readonly TimeSpan UsualLife = TimeSpan.FromMinutes(10);

    /// <summary>What the catalog may say, checked when it is loaded.</summary>
    public static KindShape Shape { get; } = new KindShape(
        Kind,
        "A host with OpenSSH's sshd, version 8.2 or later, that trusts a user CA of Stint's.",
        Guarantee.Native,
        [
            new Field("host", FieldType.Text, "Host name or address, as those who connect reach it.") { Required = true, Check = WrongHost },
            new Field("port", FieldType.Number, "TCP port.") { Default = "22", Min = 1, Max = 65535 },
            new Field("host_keys", FieldType.TextList, "The host's public keys, TYPE BASE64 each, as /etc/ssh/ssh_host_*_key.pub has them. Who connects takes no other.") { Required = true, Check = SshPublicKey.WrongText },
            new Field("ca", FieldType.Secret, "Private key of the user CA that the host trusts, as `stint ca ssh --new` makes one. One for each resource: whoever trusts it lets in all whom it certifies.") { Required = true },
            new Field("certificate_life", FieldType.Duration, "Longest life of one certificate; none outlives its grant, and none is good for more than an hour.") { Default = "10m" },
        ],
        [
            new Field("principals", FieldType.TextList, "Names of the host's users, or of what its AuthorizedPrincipalsFile maps, that the certificate is good for.") { Required = true, Check = WrongPrincipal },
            new Field("user", FieldType.Text, "The user to log in as when nobody says otherwise.") { Default = "the first of principals", Check = WrongPrincipal },
            new Field("source_address", FieldType.TextList, "Addresses or networks in CIDR form that the certificate works from.") { Default = "from anywhere", Check = WrongSource },
            new Field("force_command", FieldType.Text, "The only command that the host runs, whatever was asked for; that stands in SSH_ORIGINAL_COMMAND.") { Check = WrongCommand },
            new Field("allow", FieldType.TextList, "What the host allows beside running commands: pty, port-forwarding, agent-forwarding, x11-forwarding, user-rc.") { Default = "pty", Check = WrongAllowance },
        ])
    {
        Unrecorded = true,
    };

    /// <summary>Reads settings that passed <see cref="Shape"/>.</summary>
    public static SshSettings Of(Settings settings)
    {
        var life = settings.Get("certificate_life", UsualLife);
        return new SshSettings(
            settings.Get("host", ""),
            (int)settings.Get("port", 22L),
            [.. (settings.Find<IEnumerable<string>>("host_keys") ?? []).Select(text => SshPublicKey.Read(text).Key).OfType<SshPublicKey>()],
            settings.Find<SecretRef>("ca"),
            life < LongestLife ? life : LongestLife);
    }

    // NB. A leading hyphen would be read as an option by every tool that takes a host.
    private static string? WrongHost(string host) => IPAddress.TryParse(host, out _) || HostName().IsMatch(host)
        ? null
        : "one host name or address; the port has a setting of its own";

    // NB. A comma would make two of one, and a hyphen in front an option.
    private static string? WrongPrincipal(string name) => Principal().IsMatch(name)
        ? null
        : "a name of letters, digits and . _ @ + - that begins with a letter, a digit or _, of 64 characters at the most";

    // NB. OpenSSH takes no certificate whose network has a bit set behind its prefix, and no other way of writing an address.
    private static string? WrongSource(string network)
    {
        var address = network.Split('/')[0];
        return IPAddress.TryParse(address, out var parsed) && parsed.ToString() == address
            && (address == network || (IPNetwork.TryParse(network, out var all) && all.BaseAddress.Equals(parsed)))
            ? null
            : "an address, or a network in CIDR form with no bit set behind its prefix, like 10.1.0.0/16";
    }

    private static string? WrongCommand(string command) => command.AsSpan().ContainsAnyInRange('\0', '\u001f') ? "one line, without control characters" : null;

    private static string? WrongAllowance(string name) => SshRole.Extensions.ContainsKey(name)
        ? null
        : $"one of {string.Join(", ", SshRole.Extensions.Keys)}";

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Principal();
}

/// <summary>What a role of kind <c>ssh</c> is told in the catalog.</summary>
/// <param name="Principals">Names that the certificate is good for.</param>
/// <param name="User">Who to log in as.</param>
/// <param name="Sources">Where from; empty for anywhere.</param>
/// <param name="ForceCommand">The only command; null for any.</param>
/// <param name="Allow">What else is allowed, as the catalog names it.</param>
public sealed record SshRole(IReadOnlyList<string> Principals, string User, IReadOnlyList<string> Sources, string? ForceCommand, IReadOnlyList<string> Allow)
{
    /// <summary>The certificate's extension for what the catalog allows (OpenSSH's PROTOCOL.certkeys).</summary>
    internal static IReadOnlyDictionary<string, string> Extensions { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["agent-forwarding"] = "permit-agent-forwarding",
        ["port-forwarding"] = "permit-port-forwarding",
        ["pty"] = "permit-pty",
        ["user-rc"] = "permit-user-rc",
        ["x11-forwarding"] = "permit-X11-forwarding",
    };

    /// <summary>Reads settings that passed the shape of <see cref="SshSettings"/>.</summary>
    public static SshRole Of(Settings settings)
    {
        var principals = List(settings, "principals", []);
        return new SshRole(
            principals,
            settings.Get("user", principals.Count == 0 ? "" : principals[0]),
            List(settings, "source_address", []),
            settings.Find<string>("force_command"),
            List(settings, "allow", ["pty"]));
    }

    private static List<string> List(Settings settings, string name, IEnumerable<string> absent) =>
        [.. (settings.Find<IEnumerable<string>>(name) ?? absent).Distinct(StringComparer.Ordinal)];
}
