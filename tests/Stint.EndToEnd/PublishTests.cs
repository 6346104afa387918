using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>What an operator installs: the single file and the unit.</summary>
public sealed class PublishTests(RealServers servers)
{
    [Fact]
    public async Task Publish_StartedOnItsOwn_AnswersAndSaysItsVersion()
    {
        var folder = Path.GetDirectoryName(Checkout.Published) ?? RunFolder.Make("publish");
        if (Checkout.Published is null)
        {
            (await Tool.RunAsync(Checkout.Eng("publish"), [folder], within: TimeSpan.FromMinutes(15))).Good();
        }

        var binary = Path.Combine(folder, "stint");
        // It needs no .NET on its machine: none is to be found.
        var bare = new Dictionary<string, string?>
        {
            ["DOTNET_ROOT"] = "/nonexistent",
            ["PATH"] = "/usr/bin:/bin",
            ["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = RunFolder.Make("extract"),
        };

        var version = (await Tool.RunAsync(binary, ["version"], bare)).Good();
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(binary: binary);
        await stint.StartAsync();

        Assert.Matches(@"^stint \d+\.\d+\.\d+", version);
        Assert.Equal(["stint", "stint.service"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.True(await stint.AnswersAsync("/healthz"), stint.Log);
        Assert.Equal(0, await stint.StopAsync());
    }

    [Fact]
    public async Task Unit_AsShipped_IsOneThatSystemdAccepts()
    {
        var unit = await File.ReadAllTextAsync(Checkout.Eng("stint.service"));
        var copy = Path.Combine(RunFolder.Make("unit"), "stint.service");
        // The program does not lie where an operator puts it; systemd-analyze looks whether it is there.
        await File.WriteAllTextAsync(copy, unit.Replace("/usr/local/bin/stint", Checkout.Stint, StringComparison.Ordinal));

        var verified = await Tool.RunAsync("systemd-analyze", ["verify", "--man=no", copy]);

        Assert.True(verified.ExitCode == 0 && verified.Error.Length == 0, verified.ToString());
        Assert.Contains("KillSignal=SIGTERM", unit, StringComparison.Ordinal);
        Assert.Contains("DynamicUser=yes", unit, StringComparison.Ordinal);
        Assert.Contains("ProtectSystem=strict", unit, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivileges=yes", unit, StringComparison.Ordinal);
    }
}
