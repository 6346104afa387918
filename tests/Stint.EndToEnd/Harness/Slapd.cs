namespace Stint.EndToEnd.Harness;

/// <summary>A real OpenLDAP of a test's own.</summary>
public sealed class Slapd : IAsyncDisposable
{
    private readonly string _folder;
    private readonly int _port;

    private Slapd(string folder, int port, string password) => (_folder, _port, Password) = (folder, port, password);

    public string Password { get; }

    /// <summary>Settings of a server that pulls from it every second, over StartTLS.</summary>
    public IReadOnlyDictionary<string, object> Settings => new Dictionary<string, object>
    {
        ["directory"] = new Dictionary<string, object>
        {
            ["ldap"] = new Dictionary<string, object>
            {
                ["url"] = $"ldap://127.0.0.1:{_port}",
                ["ca_file"] = Path.Combine(_folder, "ca.pem"),
                ["bind_dn"] = "cn=stint,dc=example,dc=org",
                ["bind_password_env"] = "LDAP_PASSWORD",
                ["people_base"] = "dc=example,dc=org",
                ["groups_base"] = "dc=example,dc=org",
                ["every"] = "1s",
                ["whole_every"] = "1s",
            },
        },
    };

    public static async Task<Slapd> StartAsync()
    {
        var (folder, port) = (RunFolder.Make("slapd"), Ports.Free());
        (await Tool.RunAsync(Checkout.Eng("slapd"), ["start", folder, $"{port}", $"{Ports.Free()}"])).Good();
        return new Slapd(folder, port, await File.ReadAllTextAsync(Path.Combine(folder, "password")));
    }

    /// <summary>Adds or changes entries, as ldapmodify has it.</summary>
    public async Task ChangeAsync(string ldif) => (await Tool.RunAsync(
        "ldapmodify", ["-a", "-x", "-H", $"ldap://127.0.0.1:{_port}", "-D", "cn=admin,dc=example,dc=org", "-w", Password], input: ldif + "\n")).Good();

    public async ValueTask DisposeAsync() => (await Tool.RunAsync(Checkout.Eng("slapd"), ["stop", _folder])).Good();
}
