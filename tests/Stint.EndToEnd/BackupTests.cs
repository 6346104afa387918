using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Saved while people work, brought back elsewhere, and proved to be whole.</summary>
public sealed class BackupTests(RealServers servers)
{
    [Fact]
    public async Task Backup_WhileRunning_BringsBackAllThatWasDoneBefore()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(s_fast);
        await stint.StartAsync();
        var (ann, carol) = (shop.Seat(stint, "ann"), shop.Seat(stint, "carol"));
        using var over = new CancellationTokenSource();
        var before = await DoAsync(ann);
        var working = WorkAsync(shop.Seat(stint, "bob"), over.Token);
        await Task.Delay(TimeSpan.FromSeconds(1));

        var folder = RunFolder.Make("backup");
        var (byServer, beside) = (Path.Combine(folder, "a.backup"), Path.Combine(folder, "b.backup"));
        (await carol.StintAsync("backup", byServer)).Good();
        // An embedded store serves one process, and that is the server: it is said whom to ask instead.
        var refused = await SaveAsync();
        await over.CancelAsync();
        var rounds = await working;
        var master = await File.ReadAllTextAsync(Path.Combine(stint.DataFolder, "master.key"));
        await stint.KillAsync();
        (await SaveAsync()).Good();

        Assert.True(rounds > 0, "nobody worked while it was saved");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("stint backup FILE", refused.Error, StringComparison.Ordinal);
        foreach (var file in (string[])[byServer, beside])
        {
            await BroughtBackAsync(shop, file, master, before);
        }

        Task<Output> SaveAsync() => Tool.RunAsync(Checkout.Stint, ["backup", beside, .. stint.Place], shop.Environment);
    }

    [Fact]
    public async Task Restore_OfADamagedBackup_IsRefused()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind();
        await stint.StartAsync();
        await DoAsync(shop.Seat(stint, "ann"));
        var file = Path.Combine(RunFolder.Make("backup"), "stint.backup");
        (await shop.Seat(stint, "carol").StintAsync("backup", file)).Good();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        await using var fresh = shop.Behind();

        var restored = await RestoreAsync(shop, fresh, file);

        Assert.NotEqual(0, restored.ExitCode);
        Assert.NotEqual("", restored.Error + restored.Out);
    }

    private static readonly Dictionary<string, object> s_fast = new()
    {
        ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 100_000 },
    };

    /// <summary>One asking, a marked statement, and the hand-back.</summary>
    private static async Task<(string Grant, string Mark)> DoAsync(Seat seat)
    {
        var grant = await seat.OpenAsync("orders-db/read-only", 600);
        var mark = $"mark_{RunFolder.Next()}_";
        (await Tool.RunAsync("psql", ["-X", "-Atc", $"select '{mark}' from orders limit 1"], (await seat.LoginAsync(grant)).Environment)).Good();
        await seat.PostAsync($"grants/{grant}/end", new { });
        await seat.ClosedAsync(grant);
        return (grant, mark);
    }

    private static async Task<int> WorkAsync(Seat seat, CancellationToken over)
    {
        var rounds = 0;
        for (; !over.IsCancellationRequested; rounds++)
        {
            await DoAsync(seat);
        }

        return rounds;
    }

    private static Task<Output> RestoreAsync(Shop shop, StintServer into, string file) =>
        Tool.RunAsync(Checkout.Stint, ["restore", file, .. into.Place], shop.Environment);

    private static async Task BroughtBackAsync(Shop shop, string file, string master, (string Grant, string Mark) before)
    {
        await using var again = shop.Behind(s_fast);
        Directory.CreateDirectory(again.DataFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var key = Path.Combine(again.DataFolder, "master.key");
        await File.WriteAllTextAsync(key, master);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var restored = (await RestoreAsync(shop, again, file)).Good();
        var onTop = await RestoreAsync(shop, again, file);
        await again.StartAsync();
        var carol = shop.Seat(again, "carol");
        var verified = await carol.StintAsync("audit", "verify");
        var found = await carol.StintAsync("sessions", "search", before.Mark);
        var grant = await carol.GetAsync($"grants/{before.Grant}");

        Assert.Contains("The log verifies", restored, StringComparison.Ordinal);
        Assert.NotEqual(0, onTop.ExitCode);
        verified.Good();
        Assert.Contains(before.Mark, found.Good(), StringComparison.Ordinal);
        Assert.Equal("closed", grant.GetProperty("state").GetString());
        // What is brought back is served, too.
        await DoAsync(shop.Seat(again, "ann"));
    }
}
