using System.Diagnostics;
using System.Globalization;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>After a revoke nothing of the session goes on at the target, whatever it was doing. STINT_STOP_RUNS=N does it so often.</summary>
public sealed class StopTests(RealServers servers, ITestOutputHelper output)
{
    private const int Everyday = 20;

    /// <summary>How long the target may still have it. What is measured is printed; this is only where waiting ends.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private static readonly (string Name, string Sql)[] s_works =
    [
        ("executing", "select pg_sleep(600);"),
        ("in a DO", "do $$ begin loop perform 1; end loop; end $$;"),
        ("copying", "copy (select repeat('x', 1000) from generate_series(1, 100000000)) to stdout;"),
        ("planning", $"select count(*) from {string.Join(", ", Enumerable.Range(0, 13).Select(i => $"orders t{i}"))} where {string.Join(" and ", Enumerable.Range(0, 12).Select(i => $"t{i}.id = t{i + 1}.id"))};"),
        ("in a transaction", "begin; select 1;"),
    ];

    [Fact]
    public async Task Revoke_WhateverTheSessionDoes_ItIsGoneFromTheTarget()
    {
        var runs = int.Parse(Environment.GetEnvironmentVariable("STINT_STOP_RUNS") ?? Everyday.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(new Dictionary<string, object>
        {
            ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 1_000_000, ["address_requests_per_minute"] = 1_000_000 },
        });
        await stint.StartAsync();
        var (ann, bob) = (shop.Seat(stint, "ann"), shop.Seat(stint, "bob"));
        var late = new List<double>();
        var stayed = new List<string>();
        for (var run = 0; run < runs; run++)
        {
            var (name, sql) = s_works[run % s_works.Length];
            var grant = await ann.OpenAsync("orders-db/writer", 600);
            var login = await ann.LoginAsync(grant);
            using var psql = Tool.Start("psql", ["-X", "-q", "-o", "/dev/null"], login.Environment);
            await psql.StandardInput.WriteLineAsync(sql);
            await psql.StandardInput.FlushAsync();
            await Until.TrueAsync($"it is {name}", s_patience, async () => await BackendsAsync(shop) > 0);

            // From the very first moment on: that is when a cancel request is lost.
            await Task.Delay(Random.Shared.Next(0, 40));
            var watch = Stopwatch.StartNew();
            await bob.PostAsync($"grants/{grant}/revoke", new { comment = "enough" });
            while (await BackendsAsync(shop) > 0 && watch.Elapsed < s_patience)
            {
                await Task.Delay(2);
            }

            late.Add(watch.Elapsed.TotalMilliseconds);
            if (watch.Elapsed >= s_patience)
            {
                stayed.Add($"run {run}: still there while {name}");
            }

            psql.StandardInput.Close();
            await psql.WaitForExitAsync().WaitAsync(s_patience);
            await ann.ClosedAsync(grant);
        }

        late.Sort();
        output.WriteLine($"{runs} revokes: gone after {late[late.Count / 2]:0} ms (median), {late[(int)(late.Count * 0.99)]:0} ms (p99), {late[^1]:0} ms (last)");
        Assert.Empty(stayed);
        Assert.Equal(0, await shop.AccountsAsync());
    }

    private static Task<long> BackendsAsync(Shop shop) =>
        shop.Server.AskAsync<long>($"select count(*) from pg_stat_activity where datname = '{shop.Database}' and usename like 'stint\\_%'");
}
