using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>The server as an operator meets it.</summary>
public sealed class ServeTests(RealServers servers)
{
    [Fact]
    public async Task Check_WrongSettings_NamesThemAllAndExitsWithFailure()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(new Dictionary<string, object>
        {
            ["store"] = "oracle",
            ["colour"] = "red",
            ["web"] = new Dictionary<string, object> { ["listen"] = "not an address" },
        });

        var check = await Tool.RunAsync(Checkout.Stint, ["serve", "--check", "--config", stint.ConfigFile], shop.Environment);

        Assert.NotEqual(0, check.ExitCode);
        var said = check.Out + check.Error;
        Assert.Contains("store", said, StringComparison.Ordinal);
        Assert.Contains("colour", said, StringComparison.Ordinal);
        Assert.Contains("listen", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_RightSettings_ExitsWithSuccessAndServesNothing()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind();

        var check = await Tool.RunAsync(Checkout.Stint, ["serve", "--check", "--config", stint.ConfigFile], shop.Environment);

        check.Good();
        Assert.False(await stint.AnswersAsync("/healthz"));
    }

    [Fact]
    public async Task Term_WithALiveSession_TellsItAndExitsWithSuccess()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(new Dictionary<string, object> { ["gateway"] = Gateway("2s") });
        await stint.StartAsync();
        var ann = shop.Seat(stint, "ann");
        var grant = await ann.OpenAsync("orders-db/read-only", 600);
        using var psql = ann.Start("connect", grant, "--", "psql", "-Atc", "select pg_sleep(60)");
        await Until.TrueAsync("the session is live", TimeSpan.FromSeconds(10), async () =>
            (await shop.Seat(stint, "carol").GetAsync("sessions?live=true")).GetProperty("items").GetArrayLength() == 1);

        var code = await stint.StopAsync(TimeSpan.FromSeconds(30));
        var error = await psql.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(0, code);
        Assert.Contains("FATAL", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AfterACrashPastTheDeadline_EndsTheAccessBeforeItAnswers()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind();
        await stint.StartAsync();
        var ann = shop.Seat(stint, "ann");
        var grant = await ann.OpenAsync("orders-db/read-only", 3);

        await stint.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(3.5));
        await stint.StartAsync();
        var seen = await ann.GetAsync($"grants/{grant}");

        Assert.Contains(seen.GetProperty("state").GetString(), (string[])["closing", "closed"]);
        Assert.Equal("expired", await ann.ClosedAsync(grant));
        Assert.Equal(0, await shop.AccountsAsync());
    }

    [Fact]
    public async Task Start_SecondOnTheSameData_IsRefusedInWords()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind();
        await stint.StartAsync();

        var second = await Tool.RunAsync(
            Checkout.Stint,
            ["serve", "--config", stint.ConfigFile, "--listen", $"127.0.0.1:{Ports.Free()}", "--gateway-listen", $"127.0.0.1:{Ports.Free()}"],
            shop.Environment,
            within: TimeSpan.FromSeconds(20));

        Assert.NotEqual(0, second.ExitCode);
        Assert.True(await stint.AnswersAsync("/readyz"));
    }

    private static Dictionary<string, object> Gateway(string drain) =>
        new() { ["postgres_listen"] = $"127.0.0.1:{Ports.Free()}", ["drain"] = drain };
}
