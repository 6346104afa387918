using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
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
        await Until.TrueAsync("the catalog counts", s_soon, async () => (await ann.StintAsync("ls")).Out.Contains("web/shell", StringComparison.Ordinal));
        var lines = (await bob.StintAsync("ca", "ssh", "web")).Good();
        Assert.Contains(made.GetProperty("public_key").GetString()!, lines, StringComparison.Ordinal);
        Assert.Contains("TrustedUserCAKeys", lines, StringComparison.Ordinal);
        Assert.Contains("ok", (await Tool.RunAsync(Checkout.Stint, ["doctor", .. stint.Place])).Out.Split('\n').Single(line => line.Contains("web", StringComparison.Ordinal)), StringComparison.Ordinal);

        // A shell's command, its exit code, its input, and a word that looks like an option of ssh.
        foreach (var role in (string[])["shell", "backup", "elsewhere", "stranger"])
        {
            await ann.OpenAsync("web/" + role, 3600);
        }

        Assert.Equal(sshd.User, (await ann.StintAsync("ssh", "web/shell", "--", "id", "-un")).Good().Trim());
        Assert.Equal(7, (await ann.StintAsync("ssh", $"{sshd.User}@web/shell", "--", "exit", "7")).ExitCode);
        Assert.Equal("read", (await ann.StintAsync(["ssh", "web/shell", "--", "cat"], "read", s_soon)).Good());
        Assert.NotEqual(0, (await ann.StintAsync("ssh", "web/shell", "--", "-oProxyCommand=touch /tmp/never")).ExitCode);
        Assert.Equal("only rm -rf /", (await ann.StintAsync("ssh", "web/backup", "--", "rm", "-rf", "/")).Good().Trim());
        Assert.Equal(255, (await ann.StintAsync("ssh", "web/elsewhere", "--", "id")).ExitCode);
        Assert.Equal(255, (await ann.StintAsync("ssh", "web/stranger", "--", "id")).ExitCode);
        Assert.Equal(255, (await ann.StintAsync("ssh", "root@web/shell", "--", "id")).ExitCode);
        Assert.Equal(4, (await bob.StintAsync("ssh", "web", "--", "id")).ExitCode);

        // Nobody forwards who may not.
        Assert.Contains("prohibited", (await ann.StintAsync("connect", "web/shell", "--", "ssh", "-W", $"127.0.0.1:{sshd.Port}", "web")).Error, StringComparison.Ordinal);

        // Whatever starts ssh finds the certificate.
        var (here, there) = (Path.Combine(RunFolder.Make("scp"), "a file"), $"/tmp/stint-scp-{Guid.CreateVersion7():n}");
        await File.WriteAllTextAsync(here, "what is copied");
        (await ann.StintAsync("connect", "web/shell", "--", "scp", "-q", here, $"web:{there}")).Good();
        Assert.Equal("what is copied", (await ann.StintAsync("run", "web/shell", "--reason", "a look", "--", "sh", "-c", $"ssh web 'cat {there}; rm {there}'")).Good());

        // One's own key, by hand. It stays with its holder, who is let in until the grant is taken away.
        var keys = RunFolder.Make("keys");
        (await Tool.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(keys, "id")])).Good();
        var grant = (await ann.StintJsonAsync("grants", "--state", "open")).GetProperty("items").EnumerateArray().First(item => item.GetProperty("role").GetString() == "web/shell").GetProperty("id").GetString()!;
        var given = await ann.PostAsync($"grants/{grant}/certificates", new { public_key = await File.ReadAllTextAsync(Path.Combine(keys, "id.pub")) });
        await File.WriteAllTextAsync(Path.Combine(keys, "id-cert.pub"), given.GetProperty("certificate").GetString());
        await File.WriteAllTextAsync(Path.Combine(keys, "known"), $"[127.0.0.1]:{sshd.Port} {sshd.HostKey}\n");
        Task<Output> ByHandAsync() => Tool.RunAsync(
            "ssh", ["-F", "/dev/null", "-i", Path.Combine(keys, "id"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", $"UserKnownHostsFile={Path.Combine(keys, "known")}", "-p", $"{sshd.Port}", $"{sshd.User}@127.0.0.1", "echo in"]);
        Assert.Equal("in", (await ByHandAsync()).Good().Trim());

        (await carol.StintAsync("revoke", grant, "--comment", "enough")).Good();
        using (var http = stint.Http())
        {
            var list = new Uri(stint.Web, (await bob.StintJsonAsync("ca", "ssh", "web")).GetProperty("revoked").GetString());
            await File.WriteAllBytesAsync(sshd.Revoked, await http.GetByteArrayAsync(list));
        }

        Assert.Equal(255, (await ByHandAsync()).ExitCode);
        Assert.NotEqual(0, (await ann.StintAsync("ssh", grant, "--", "id")).ExitCode);

        // Who it was stands in the host's log, and in Stint's.
        var log = await sshd.LogAsync();
        Assert.Contains($"stint grant={grant} subject=ann role=web%2Fshell", log, StringComparison.Ordinal);
        Assert.Contains($"(serial {given.GetProperty("serial").GetString()})", log, StringComparison.Ordinal);
        (await carol.StintAsync("audit", "verify")).Good();
        Assert.DoesNotContain("PRIVATE KEY", stint.Log, StringComparison.Ordinal);
    }

    private string Catalog(string rest)
    {
        var people = string.Concat(s_people.Select(person => $"  {person}: {{ token: 'sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_tokens[person])))}' }}\n"));
        return $"people:\n{people}admins: [carol]\n{rest}";
    }
}
