using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>An approval that is bound to what runs, from the asking to the evidence, with real psql and a gateway on another machine than the control plane.</summary>
public sealed class ExactTests(RealServers servers)
{
    private const string Update = "update orders set state = 'paid' where id = 7 returning state";
    private const string Delete = "delete from orders";

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Approved_ForOneStatement_ItRunsOnce_AnotherNever_AndAllOfItIsProved()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        var (secret, hash) = GatewayAlone.NewSecret();
        await using var control = shop.Behind(new Dictionary<string, object>
        {
            ["roles"] = (string[])["control"],
            ["nodes"] = (string[])[$"edge={hash}"],
            ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 100_000 },
        });
        await control.StartAsync();
        await using var edge = new GatewayAlone(control.Web, secret);
        await edge.StartAsync();
        var (ann, bob, carol) = (shop.Seat(control, "ann"), shop.Seat(control, "bob"), shop.Seat(control, "carol"));

        // Asked for, and shown whole to whoever answers.
        var file = Path.Combine(RunFolder.Make("exact"), "statements.json");
        await File.WriteAllTextAsync(file, $$"""[{ "sql": "{{Update}}", "times": 1 }, "select count(*)\n  from orders"]""");
        Assert.Equal(2, (await ann.StintAsync("request", "first-week", "--reason", "x", "--statement", Update)).ExitCode);
        Assert.Equal(2, (await ann.StintAsync("request", "orders-db/owner", "--reason", "x", "--statement", " ; ")).ExitCode);
        var request = (await ann.StintJsonAsync("request", "orders-db/owner", "--reason", "order 7 was paid by hand", "--statements-file", file)).GetProperty("id").GetString()!;
        var card = (await bob.StintAsync("status", request)).Good();
        Assert.Contains("exactly   2 statements, and nothing else:", card, StringComparison.Ordinal);
        Assert.Contains($"1.  {Update}", card, StringComparison.Ordinal);
        Assert.Contains("2.  select count(*)", card, StringComparison.Ordinal);
        Assert.Contains("at most 1 times", card, StringComparison.Ordinal);
        (await bob.StintAsync("approve", request)).Good();

        // It runs, once; nothing else does, not even in the same transaction.
        var psql = await ann.StintAsync("connect", "orders-db/owner", "--", "psql", "-X", "-At", "-c", Update + ";", "-c", Update, "-c", Delete, "-c", "select count(*)\n  from orders", "-c", "\\d orders");
        Assert.Equal("paid\nUPDATE 1\n6000\n", psql.Out);
        Assert.Contains("it ran as often as your access to orders-db/owner allows", psql.Error, StringComparison.Ordinal);
        Assert.Contains($"See them: stint status {request}", psql.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await Tool.RunAsync("psql", ["-XAtc", "do $$ begin assert (select count(*) from orders) = 6000; end $$"], shop.AsSuperuser)).ExitCode);
        (await ann.StintAsync("end", "orders-db/owner")).Good();

        // What was refused stands in the recording and in the log, and the evidence says what was approved.
        await Until.TrueAsync("the refused statement is found", s_soon, async () => (await carol.StintAsync("sessions", "search", Delete)).Out.Contains(Delete, StringComparison.Ordinal));
        var facts = (await carol.StintAsync("audit", "facts", "--about", request)).Good();
        Assert.Contains("StatementCounted", facts, StringComparison.Ordinal);
        Assert.Contains("StatementRefused", facts, StringComparison.Ordinal);
        var evidence = Path.Combine(RunFolder.Make("evidence"), "e.json");
        (await carol.StintAsync("audit", "evidence", request, "--output", evidence)).Good();
        var verified = (await carol.StintAsync("audit", "verify", evidence)).Good();
        Assert.Contains($"for exactly “{Update}”, 1 times at most; “select count(*)⏎  from orders”", verified.ReplaceLineEndings(" "), StringComparison.Ordinal);
        (await carol.StintAsync("audit", "verify")).Good();

        // A job that names its statements and needs nobody's yes is held to them like anybody.
        var run = await ann.StintAsync("run", "orders-db/writer", "--statement", "select 42", "--", "psql", "-XAt", "-c", "select 42", "-c", Delete);
        Assert.Equal("42\n", run.Out);
        Assert.Equal(1, run.ExitCode);
    }
}
