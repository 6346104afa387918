using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Encrypted doors, as psql and the command line meet them.</summary>
public sealed class TlsTests(RealServers servers)
{
    private const string IsEncrypted = "select 'in'";

    [Fact]
    public async Task SelfMade_ThroughConnect_IsVerifiedAgainstTheServersOwnCertificate()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(new Dictionary<string, object> { ["gateway"] = new Dictionary<string, object> { ["tls"] = "required" } });
        await stint.StartAsync();
        var ann = shop.Seat(stint, "ann");
        var grant = await ann.OpenAsync("orders-db/read-only", 600);

        var seen = await ann.StintAsync(
            "connect", grant, "--", "sh", "-c", $"echo $PGSSLMODE; psql -Atc \"{IsEncrypted}\" -c '\\conninfo'");
        var plain = await ann.StintAsync("connect", grant, "--", "sh", "-c", $"PGSSLMODE=disable psql -Atc \"{IsEncrypted}\"");
        var stranger = await ann.StintAsync(
            "connect", grant, "--", "sh", "-c", $"PGSSLROOTCERT={new Certificates().Root} psql -Atc \"{IsEncrypted}\"");

        var lines = seen.Good().Split('\n');
        Assert.Equal("verify-ca", lines[0]);
        Assert.Equal("in", lines[1]);
        Assert.Contains("SSL connection", seen.Out, StringComparison.Ordinal);
        Assert.NotEqual(0, plain.ExitCode);
        Assert.Contains("encrypted connections only", plain.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, stranger.ExitCode);
        Assert.Contains("certificate verify failed", stranger.Error, StringComparison.Ordinal);
        Assert.Contains("fingerprint", stint.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_WithAnIntermediate_AreTrustedByTheRootAndRenewedWithoutALostSession()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        var (old, renewed) = (new Certificates(), new Certificates());
        var oldRoot = Path.Combine(RunFolder.Make("old"), "root.crt");
        File.Copy(old.Root, oldRoot);
        await using var stint = shop.Behind(
            new Dictionary<string, object>
            {
                ["web"] = new Dictionary<string, object> { ["tls_cert"] = old.Chain, ["tls_key"] = old.Key },
                ["gateway"] = new Dictionary<string, object> { ["tls"] = "required" },
            },
            authority: old.Root);
        await stint.StartAsync();
        var ann = shop.Seat(stint, "ann");
        var grant = await ann.OpenAsync("orders-db/read-only", 600);
        var login = await ann.LoginAsync(grant);
        using var psql = Tool.Start("psql", ["-X", "-At"], Trusting(login, old.Root));
        await psql.StandardInput.WriteLineAsync("select 'before';");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("before", await psql.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        (await ann.StintAsync("whoami")).Good();

        old.TakeFrom(renewed);
        await stint.SignalAsync("HUP");

        await Until.TrueAsync("the new certificate is shown", TimeSpan.FromSeconds(15), async () =>
            (await Tool.RunAsync("psql", ["-X", "-Atc", IsEncrypted], Trusting(login, renewed.Root))).ExitCode == 0);
        var late = await Tool.RunAsync("psql", ["-X", "-Atc", IsEncrypted], Trusting(login, oldRoot));
        Assert.NotEqual(0, late.ExitCode);
        Assert.Contains("SSL error", late.Error, StringComparison.Ordinal);
        Assert.Equal(7, (await ann.StintAsync("whoami")).ExitCode);
        (await Tool.RunAsync(Checkout.Stint, ["whoami", "--ca", renewed.Root], ann.Environment)).Good();
        await psql.StandardInput.WriteLineAsync("select 'after';");
        psql.StandardInput.Close();
        Assert.Equal("after", await psql.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        await psql.WaitForExitAsync();
        Assert.Equal(0, psql.ExitCode);
    }

    /// <summary>psql that wants the name and the chain to be right, and trusts one root.</summary>
    private static Dictionary<string, string?> Trusting(Login login, string root) =>
        new(login.Environment) { ["PGSSLMODE"] = "verify-full", ["PGSSLROOTCERT"] = root };
}
