using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Stint.Server.Identity.Ldap;
using Xunit;

[assembly: AssemblyFixture(typeof(Stint.Tests.Identity.Ldap.Slapd))]

namespace Stint.Tests.Identity.Ldap;

/// <summary>A real OpenLDAP of the tests' own, started when the first test asks for it. A machine without one fails the tests.</summary>
public sealed class Slapd : IAsyncDisposable
{
    private const string Root = "dc=example,dc=org";

    private static readonly SemaphoreSlim Once = new(1, 1);
    private static string? _folder;
    private static int _port;
    private static int _tlsPort;
    private static string _password = "";

    /// <summary>The file of the authority that signed its certificate, which is for 127.0.0.1.</summary>
    internal static string Authority => Path.Combine(_folder!, "ca.pem");

    /// <summary>How Stint reaches a branch of it.</summary>
    /// <param name="branch">Name of the branch, which is made, with <c>ou=people</c> and <c>ou=groups</c> below it.</param>
    internal static async Task<LdapOptions> BranchAsync(string branch)
    {
        await StartAsync();
        await AddAsync($"""
            dn: ou={branch},{Root}
            objectClass: organizationalUnit

            dn: ou=people,ou={branch},{Root}
            objectClass: organizationalUnit

            dn: ou=groups,ou={branch},{Root}
            objectClass: organizationalUnit
            """);
        return new LdapOptions
        {
            Host = "127.0.0.1",
            Port = _port,
            Tls = LdapTls.Start,
            BindDn = $"cn=stint,{Root}",
            BindPassword = _password,
            Authority = Authority,
            PeopleBase = $"ou=people,ou={branch},{Root}",
            PeopleFilter = LdapFilter.Parse("(objectClass=person)"),
            GroupsBase = $"ou=groups,ou={branch},{Root}",
            GroupsFilter = LdapFilter.Parse("(|(objectClass=groupOfNames)(objectClass=posixGroup))"),
            Attributes = LdapAttributes.OpenLdap,
            Every = TimeSpan.FromMinutes(1),
            WholeEvery = TimeSpan.FromMinutes(5),
            Patience = TimeSpan.FromSeconds(10),
        };
    }

    internal static LdapOptions OverTls(LdapOptions options) => options with { Tls = LdapTls.Always, Port = _tlsPort };

    /// <summary>A person's entry.</summary>
    internal static string Person(LdapOptions at, string uid, string more = "") => $"""
        dn: uid={uid},{at.PeopleBase}
        objectClass: inetOrgPerson
        uid: {uid}
        cn: {uid} of Example
        sn: Example
        {more}


        """;

    internal static string Group(LdapOptions at, string name, params string[] members) => $"""
        dn: cn={name},{at.GroupsBase}
        objectClass: groupOfNames
        cn: {name}
        {string.Join('\n', members.Select(member => "member: " + member))}


        """;

    /// <summary>Adds entries.</summary>
    internal static Task AddAsync(string ldif) => RunAsync("ldapmodify", ["-a", "-x", "-H", $"ldap://127.0.0.1:{_port}", "-D", $"cn=admin,{Root}", "-w", _password], Lines(ldif));

    /// <summary>Changes entries, as ldapmodify has it.</summary>
    internal static Task ChangeAsync(string ldif) => RunAsync("ldapmodify", ["-x", "-H", $"ldap://127.0.0.1:{_port}", "-D", $"cn=admin,{Root}", "-w", _password], Lines(ldif));

    public async ValueTask DisposeAsync()
    {
        if (_folder is not null)
        {
            await RunAsync(Script, ["stop", _folder], "");
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static string Script
    {
        get
        {
            var root = new DirectoryInfo(AppContext.BaseDirectory);
            while (root is not null && !File.Exists(Path.Combine(root.FullName, "Stint.slnx")))
            {
                root = root.Parent;
            }

            return Path.Combine(root!.FullName, "eng", "slapd");
        }
    }

    private static async Task StartAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (_port != 0)
            {
                return;
            }

            _folder = Directory.CreateTempSubdirectory("stint-slapd-").FullName;
            if (!OperatingSystem.IsWindows())
            {
                // The server runs as a user of its own, which must be able to enter.
                File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
            }

            var (port, tls) = (FreePort(), FreePort());
            await RunAsync(Script, ["start", _folder, $"{port}", $"{tls}"], "");
            _password = await File.ReadAllTextAsync(Path.Combine(_folder, "password"));
            (_port, _tlsPort) = (port, tls);
        }
        finally
        {
            Once.Release();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Lines(string ldif) => string.Join('\n', ldif.Split('\n').Select(line => line.Trim())) + "\n";

    private static async Task RunAsync(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(bound.Token);
        Assert.True(process.ExitCode == 0, $"{program}: {await errors}");
    }
}
