using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>The clock is set.</summary>
public sealed class ClockSetTests(RealServers servers, ITestOutputHelper output) : ClockChanges(servers, output)
{
    [Theory]
    [InlineData("set back by an hour", true)]
    [InlineData("set forward by an hour", false)]
    [InlineData("set forward by an hour and back again", false)]
    public Task Clock_WhateverItIsSetTo_NobodyGetsMoreTime(string what, bool whole) => NobodyGetsMoreTimeAsync(what, whole);
}

/// <summary>The clock goes at another rate, or not at all. A class of its own, so that both run side by side.</summary>
public sealed class ClockRateTests(RealServers servers, ITestOutputHelper output) : ClockChanges(servers, output)
{
    [Theory]
    [InlineData("stopped", true)]
    [InlineData("slowed to half its rate", true)]
    [InlineData("doubled in its rate", false)]
    public Task Clock_WhateverItsRate_NobodyGetsMoreTime(string what, bool whole) => NobodyGetsMoreTimeAsync(what, whole);
}

/// <summary>
/// The server's clock is set, stopped and slowed while access is open: it never lasts longer than it was given, by the
/// target's own clock, which nobody touches. That the connection is cut, that nobody comes in anew, and that applications
/// are told no are measured apart.
/// </summary>
public abstract class ClockChanges(RealServers servers, ITestOutputHelper output)
{
    private const int Length = 10;

    private static readonly TimeSpan s_late = TimeSpan.FromSeconds(1);

    /// <param name="what">What is done to the clock.</param>
    /// <param name="whole">Whether nobody may get less time either.</param>
    private protected async Task NobodyGetsMoreTimeAsync(string what, bool whole)
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        var clock = new FakeClock();
        await using var stint = shop.Behind(
            new Dictionary<string, object>
            {
                ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 1_000_000, ["address_requests_per_minute"] = 1_000_000 },
                ["authzen"] = new Dictionary<string, object> { ["shop"] = new Dictionary<string, object> { ["token_env"] = "SHOP_TOKEN", ["resources"] = new[] { "*" }, ["requests_per_minute"] = 1_000_000 } },
            },
            environment: new Dictionary<string, string?>(clock.Environment) { ["SHOP_TOKEN"] = "a-token-that-an-application-could-have" });
        await stint.StartAsync();
        var ann = shop.Seat(stint, "ann");
        using var stop = new CancellationTokenSource();

        // Opened with a clock that is right, used with one that is not.
        var first = await UseAsync(shop, stint, ann, async () => await ChangeAsync(clock, what, stop.Token));
        output.WriteLine($"{what}: {first}");
        Assert.All(first.Last, last => Assert.True(last <= first.NotAfter + s_late, $"{what}: {first}"));
        if (whole)
        {
            // And nobody gets less: what was given lasts, but for the pauses between two looks.
            Assert.All(first.Last, last => Assert.True(last >= first.NotAfter - TimeSpan.FromSeconds(5), $"{what}: {first}"));
        }

        await ann.ClosedAsync(first.Grant);

        // Opened with a clock that is wrong.
        var second = await UseAsync(shop, stint, ann, () => Task.CompletedTask);
        output.WriteLine($"opened then: {second}");
        Assert.All(second.Last, last => Assert.True(last <= second.Opened + TimeSpan.FromSeconds(Length) + s_late, $"{what}, then opened: {second}"));
        await ann.ClosedAsync(second.Grant);
        await stop.CancelAsync();
        Assert.Equal(0, await shop.AccountsAsync());
        Assert.Equal("", stint.Ended);
    }

    private static async Task ChangeAsync(FakeClock clock, string what, CancellationToken stop)
    {
        switch (what)
        {
            case "set back by an hour":
                clock.Off(-3600);
                break;
            case "set forward by an hour":
                clock.Off(3600);
                break;
            case "set forward by an hour and back again":
                clock.Off(3600);
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
                clock.Off(0);
                break;
            case "stopped":
                clock.Freeze();
                break;
            default:
                var rate = what.StartsWith("slowed", StringComparison.Ordinal) ? 0.5 : 2;
                _ = SlewAsync(clock, rate, stop);
                break;
        }
    }

    // Moved step by step: a rate of libfaketime's own would stretch the waits as well.
    private static async Task SlewAsync(FakeClock clock, double rate, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        while (!stop.IsCancellationRequested)
        {
            clock.Off((rate - 1) * watch.Elapsed.TotalSeconds);
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }
    }

    /// <summary>Opens access, and uses it in all three ways until well after its end.</summary>
    private static async Task<Use> UseAsync(Shop shop, StintServer stint, Seat ann, Func<Task> change)
    {
        var grant = await ann.OpenAsync("orders-db/writer", Length);
        var opened = await NowAsync(shop);
        var notAfter = (await ann.GetAsync($"grants/{grant}")).GetProperty("not_after").GetDateTimeOffset();
        var login = await ann.LoginAsync(grant);
        using var over = new CancellationTokenSource();
        var session = SessionAsync(login, over.Token);
        var logins = LoginsAsync(login, over.Token);
        var told = ToldAsync(shop, stint, over.Token);
        await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
        await change();
        var left = opened.AddSeconds(Length + 3) - await NowAsync(shop);
        await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, CancellationToken.None);
        await over.CancelAsync();
        return new Use(grant, opened, notAfter, [await session, await logins, await told]);
    }

    /// <summary>One psql that asks the time over and over until it is cut.</summary>
    private static async Task<DateTimeOffset> SessionAsync(Login login, CancellationToken over)
    {
        using var psql = Tool.Start("psql", ["-X", "-A", "-t", "-q"], login.Environment);
        var last = DateTimeOffset.MinValue;
        try
        {
            while (!over.IsCancellationRequested)
            {
                await psql.StandardInput.WriteLineAsync("select extract(epoch from clock_timestamp());");
                await psql.StandardInput.FlushAsync(CancellationToken.None);
                if (await psql.StandardOutput.ReadLineAsync(CancellationToken.None) is not { } line)
                {
                    break;
                }

                last = Read(line) ?? last;
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }
        catch (IOException)
        {
            // It was cut, and psql ended.
        }

        if (!psql.HasExited)
        {
            psql.Kill();
        }

        await psql.WaitForExitAsync(CancellationToken.None);
        return last;
    }

    /// <summary>New connections, one after the other.</summary>
    private static async Task<DateTimeOffset> LoginsAsync(Login login, CancellationToken over)
    {
        var last = DateTimeOffset.MinValue;
        while (!over.IsCancellationRequested)
        {
            var psql = await Tool.RunAsync("psql", ["-X", "-A", "-t", "-q", "-c", "select extract(epoch from clock_timestamp())"], login.Environment);
            last = Read(psql.Out) ?? last;
            await Task.Delay(TimeSpan.FromMilliseconds(400), CancellationToken.None);
        }

        return last;
    }

    /// <summary>What an application is told: the moment before the last call that was answered with yes.</summary>
    private static async Task<DateTimeOffset> ToldAsync(Shop shop, StintServer stint, CancellationToken over)
    {
        using var http = stint.Http();
        http.DefaultRequestHeaders.Authorization = new("Bearer", "a-token-that-an-application-could-have");
        var question = new { subject = new { type = "user", id = "ann" }, action = new { name = "writer" }, resource = new { type = "postgres", id = "orders-db" } };
        var last = DateTimeOffset.MinValue;
        while (!over.IsCancellationRequested)
        {
            var before = await NowAsync(shop);
            using var answer = await http.PostAsJsonAsync(new Uri(stint.Web, "/access/v1/evaluation"), question, CancellationToken.None);
            answer.EnsureSuccessStatusCode();
            using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(CancellationToken.None));
            last = body.RootElement.GetProperty("decision").GetBoolean() ? before : last;
            await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }

        return last;
    }

    /// <summary>What time it is at the target.</summary>
    private static async Task<DateTimeOffset> NowAsync(Shop shop) => new(await shop.Server.AskAsync<DateTime>("select clock_timestamp()"));

    private static DateTimeOffset? Read(string text) =>
        decimal.TryParse(text.Trim(), NumberStyles.Number, CultureInfo.InvariantCulture, out var seconds) ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;

    private sealed record Use(string Grant, DateTimeOffset Opened, DateTimeOffset NotAfter, IReadOnlyList<DateTimeOffset> Last)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"opened {Opened:HH:mm:ss.fff}, until {NotAfter:HH:mm:ss.fff}; last used by its session {Last[0]:HH:mm:ss.fff}, by a new one {Last[1]:HH:mm:ss.fff}, told {Last[2]:HH:mm:ss.fff}");
    }
}
