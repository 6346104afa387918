using System.Security.Cryptography;
using System.Text;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Hosts with the real sshd and the real ssh, scp and ssh-keygen: what one holds lets in, what one held does not.</summary>
public sealed class SshTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(60);
    private static readonly string[] s_people = ["ann", "bob", "carol"];

    private readonly Dictionary<string, string> _tokens = s_people.ToDictionary(person => person, _ => "stp_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));

    [Fact]
    public async Task Host_LetsInWhoeverHolds_AndNobodyElse()
    {
        await using var stint = new StintServer(Catalog(""));
        await stint.StartAsync();
        var (ann, bob, carol) = (stint.Seat(_tokens["ann"]), stint.Seat(_tokens["bob"]), stint.Seat(_tokens["carol"]));

        // The CA is made by Stint, and its private key stands in the catalog sealed.
        Assert.Equal(3, (await ann.StintAsync("ca", "ssh", "--new")).ExitCode);
        var made = await carol.StintJsonAsync("ca", "ssh", "--new");
        await using var sshd = await Sshd.StartAsync(made.GetProperty("public_key").GetString()!);
        await File.WriteAllTextAsync(Path.Combine(stint.CatalogFolder, "catalog.yaml"), Catalog($$"""
            resources:
              web:
                kind: ssh
                owners: [person:bob]
                settings:
                  host: 127.0.0.1
                  port: {{sshd.Port}}
                  host_keys: ['{{sshd.HostKey}}']
                  ca: { sealed: '{{made.GetProperty("sealed").GetString()}}' }
                roles:
                  shell: { principals: [{{sshd.User}}] }
                  backup: { principals: [{{sshd.User}}], force_command: 'echo only "$SSH_ORIGINAL_COMMAND"' }
                  elsewhere: { principals: [{{sshd.User}}], source_address: [192.0.2.0/24] }
                  stranger: { principals: [somebody-else], user: {{sshd.User}} }
            policies:
              p: { who: person:ann, roles: ['web/*'], for: { default: 30m, max: 4h }, approve: { auto: true } }
            """));
        await Until.TrueAsync("the catalog counts", s_soon, async () => (await ann.GetAsync("roles")).ToString().Contains("web/shell", StringComparison.Ordinal));
        var lines = (await bob.StintAsync("ca", "ssh", "web")).Good();
        Assert.Contains(made.GetProperty("public_key").GetString()!, lines, StringComparison.Ordinal);
        Assert.Contains("TrustedUserCAKeys", lines, StringComparison.Ordinal);
        Assert.Contains("ok", (await Tool.RunAsync(Checkout.Stint, ["doctor", .. stint.Place])).Out.Split('\n').Single(line => line.Contains("web", StringComparison.Ordinal)), StringComparison.Ordinal);

        // A shell's command, its exit code, its input, and a word that looks like an option of ssh.
        var grants = new Dictionary<string, string>();
        foreach (var role in (string[])["shell", "backup", "elsewhere", "stranger"])
        {
            grants[role] = await ann.OpenAsync("web/" + role, 3600);
        }

        Assert.Equal($"{sshd.User} read", (await ann.StintAsync(["ssh", "web/shell", "--", "echo", "$(id -un)", "$(cat)"], "read", s_soon)).Good().Trim());
        Assert.Equal(7, (await ann.StintAsync("ssh", $"{sshd.User}@web/shell", "--", "exit", "7")).ExitCode);
        Assert.NotEqual(0, (await ann.StintAsync("ssh", "web/shell", "--", "-oProxyCommand=touch /tmp/never")).ExitCode);
        Assert.Equal("only rm -rf /", (await ann.StintAsync("ssh", "web/backup", "--", "rm", "-rf", "/")).Good().Trim());
        Assert.Equal(4, (await bob.StintAsync("ssh", "web", "--", "id")).ExitCode);

        // One's own key, by hand: what the role does not say is not let in, and not forwarded.
        var keys = RunFolder.Make("keys");
        (await Tool.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(keys, "id")])).Good();
        await File.WriteAllTextAsync(Path.Combine(keys, "known"), $"[127.0.0.1]:{sshd.Port} {sshd.HostKey}\n");
        async Task<string> CertifyAsync(string role)
        {
            var certificate = await ann.PostAsync($"grants/{grants[role]}/certificates", new { public_key = await File.ReadAllTextAsync(Path.Combine(keys, "id.pub")) });
            await File.WriteAllTextAsync(Path.Combine(keys, "id-cert.pub"), certificate.GetProperty("certificate").GetString());
            return certificate.GetProperty("serial").GetString()!;
        }

        Task<Output> ByHandAsync(string user, params string[] words) => Tool.RunAsync(
            "ssh", ["-F", "/dev/null", "-i", Path.Combine(keys, "id"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", $"UserKnownHostsFile={Path.Combine(keys, "known")}", "-p", $"{sshd.Port}", .. words, $"{user}@127.0.0.1", .. words.Length == 0 ? (string[])["echo in"] : []]);
        foreach (var role in (string[])["elsewhere", "stranger"])
        {
            await CertifyAsync(role);
            Assert.Equal(255, (await ByHandAsync(sshd.User)).ExitCode);
        }

        var serial = await CertifyAsync("shell");
        Assert.Equal("in", (await ByHandAsync(sshd.User)).Good().Trim());
        Assert.Equal(255, (await ByHandAsync("root")).ExitCode);
        Assert.Contains("prohibited", (await ByHandAsync(sshd.User, "-W", $"127.0.0.1:{sshd.Port}")).Error, StringComparison.Ordinal);

        // Whatever starts ssh finds the certificate.
        var (here, there) = (Path.Combine(RunFolder.Make("scp"), "a file"), $"/tmp/stint-scp-{Guid.CreateVersion7():n}");
        await File.WriteAllTextAsync(here, "what is copied");
        (await ann.StintAsync("connect", "web/shell", "--", "scp", "-q", here, $"web:{there}")).Good();
        Assert.Equal("what is copied", (await ann.StintAsync("run", "web/shell", "--reason", "a look", "--", "sh", "-c", $"ssh web 'cat {there}; rm {there}'")).Good());

        // And so does an ssh that a person starts: it asks stint before it reads where the host is.
        foreach (var role in (string[])["backup", "elsewhere", "stranger"])
        {
            await ann.PostAsync($"grants/{grants[role]}/end", new { });
        }

        var own = Path.Combine(RunFolder.Make("own"), "config");
        await File.WriteAllTextAsync(own, (await ann.StintAsync("ssh", "--config")).Good());
        Task<Output> PlainAsync(string host, string command) => Tool.RunAsync("ssh", ["-F", own, "-o", "BatchMode=yes", host, command], ann.Environment);
        Assert.Equal("plain", (await PlainAsync("web", "echo plain")).Good().Trim());
        Assert.Equal(255, (await PlainAsync("web2", "echo never")).ExitCode);
        Assert.Equal(4, (await bob.StintAsync("ssh", "--config")).ExitCode);

        // Whoever connected by stint is out when it is over, and reads why.
        using var shell = ann.Start("ssh", "web/shell", "--", "echo in; sleep 600");
        Assert.Equal("in", await shell.StandardOutput.ReadLineAsync());
        (await carol.StintAsync("revoke", grants["shell"], "--comment", "enough")).Good();
        await shell.WaitForExitAsync().WaitAsync(s_soon);
        Assert.Contains("Access to web/shell is over", await shell.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        using (var http = stint.Http())
        {
            var list = new Uri(stint.Web, (await bob.StintJsonAsync("ca", "ssh", "web")).GetProperty("revoked").GetString());
            await File.WriteAllBytesAsync(sshd.Revoked, await http.GetByteArrayAsync(list));
        }

        Assert.Equal(255, (await ByHandAsync(sshd.User)).ExitCode);

        // Who it was stands in the host's log, and in Stint's.
        var log = await sshd.LogAsync();
        Assert.Contains($"stint grant={grants["shell"]} subject=ann role=web%2Fshell", log, StringComparison.Ordinal);
        Assert.Contains($"(serial {serial})", log, StringComparison.Ordinal);
        (await carol.StintAsync("audit", "verify")).Good();
        Assert.DoesNotContain("PRIVATE KEY", stint.Log, StringComparison.Ordinal);

        // The host ends it by itself, with Stint dead.
        grants["shell"] = await ann.OpenAsync("web/shell", 10);
        await CertifyAsync("shell");
        Assert.Equal("in", (await ByHandAsync(sshd.User)).Good().Trim());
        await stint.KillAsync();
        await Until.TrueAsync("the certificate is over", s_soon, async () => (await ByHandAsync(sshd.User)).ExitCode == 255);
        Assert.Contains("Certificate invalid: expired", await sshd.LogAsync(), StringComparison.Ordinal);
    }

    private string Catalog(string rest)
    {
        var people = string.Concat(s_people.Select(person => $"  {person}: {{ token: 'sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_tokens[person])))}' }}\n"));
        return $"people:\n{people}admins: [carol]\n{rest}";
    }
}
