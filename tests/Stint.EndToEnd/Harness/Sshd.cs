namespace Stint.EndToEnd.Harness;

/// <summary>A real sshd of a test's own, which lets in whom a CA certifies.</summary>
public sealed class Sshd : IAsyncDisposable
{
    private readonly string _folder;

    private Sshd(string folder, int port, string user, string hostKey) => (_folder, Port, User, HostKey) = (folder, port, user, hostKey);

    public int Port { get; }

    /// <summary>The only user that it can let in.</summary>
    public string User { get; }

    public string HostKey { get; }

    /// <summary>What it takes for revoked, in a form that it reads.</summary>
    public string Revoked => Path.Combine(_folder, "krl");

    /// <summary>All that it logged.</summary>
    public Task<string> LogAsync() => File.ReadAllTextAsync(Path.Combine(_folder, "log"));

    /// <param name="authority">The CA's public key.</param>
    public static async Task<Sshd> StartAsync(string authority)
    {
        var (folder, port) = (RunFolder.Make("sshd"), Ports.Free());
        var ca = Path.Combine(RunFolder.Make("ca"), "ca.pub");
        await File.WriteAllTextAsync(ca, authority + "\n");
        (await Tool.RunAsync(Checkout.Eng("sshd"), ["start", folder, $"{port}", ca])).Good();
        return new Sshd(
            folder, port, (await File.ReadAllTextAsync(Path.Combine(folder, "user"))).Trim(), (await File.ReadAllTextAsync(Path.Combine(folder, "host_key.pub"))).Trim());
    }

    public async ValueTask DisposeAsync() => (await Tool.RunAsync(Checkout.Eng("sshd"), ["stop", _folder])).Good();
}
