using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Two nodes over one PostgreSQL store, each with a gateway: it does not matter whom one asks.</summary>
public sealed class TwoNodesTests(RealServers servers)
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task AskedOnOneApprovedOnTheOther_RevokedThere_CutsPsqlHere()
    {
        await using var pair = await PairAsync();
        var (ann, bob) = (pair.Shop.Seat(pair.One, "ann"), pair.Shop.Seat(pair.Other, "bob"));

        var waiting = ann.StintAsync(["request", "orders-db/owner", "--for", "10m", "--reason", "unblock", "--wait", "--json"], null, TimeSpan.FromSeconds(60));
        var request = await Until.SeenAsync("Bob is asked at the other node", s_soon, async () =>
            (await bob.GetAsync("requests?awaiting_me=true&state=pending")).GetProperty("items").EnumerateArray()
                .Select(item => item.GetProperty("id").GetString()).FirstOrDefault());
        (await bob.StintAsync("approve", request, "--comment", "go ahead")).Good();
        var grant = System.Text.Json.JsonDocument.Parse((await waiting).Good()).RootElement.GetProperty("grant").GetProperty("id").GetString()!;
        using var psql = ann.Start("connect", grant, "--", "psql", "-At");
        await psql.StandardInput.WriteLineAsync("select 'in'; select pg_sleep(120);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("in", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));
        (await bob.StintAsync("revoke", grant, "--comment", "seen from the other node")).Good();
        var error = await psql.StandardError.ReadToEndAsync().WaitAsync(s_soon);

        Assert.Contains("FATAL", error, StringComparison.Ordinal);
        Assert.Contains("seen from the other node", error, StringComparison.Ordinal);
        Assert.Equal("revoked", await ann.ClosedAsync(grant));
        Assert.Equal(0, await pair.Shop.AccountsAsync());
        (await pair.Shop.Seat(pair.Other, "carol").StintAsync("audit", "verify")).Good();
    }

    [Fact]
    public async Task OneNodeKilled_TheOtherEndsWhatItLeftAndLetsPeopleIn()
    {
        await using var pair = await PairAsync();
        var (ann, bob) = (pair.Shop.Seat(pair.One, "ann"), pair.Shop.Seat(pair.Other, "bob"));
        var grant = await ann.OpenAsync("orders-db/read-only", 8);
        (await Tool.RunAsync("psql", ["-X", "-Atc", "select 1"], (await ann.LoginAsync(grant)).Environment)).Good();

        await pair.One.KillAsync();
        var mine = await bob.OpenAsync("orders-db/writer", 600);
        var worked = await Tool.RunAsync("psql", ["-X", "-Atc", "select count(*) from orders"], (await bob.LoginAsync(mine)).Environment);
        var reason = await pair.Shop.Seat(pair.Other, "carol").ClosedAsync(grant);

        Assert.Equal("6000", worked.Good().Trim());
        Assert.Equal("expired", reason);
        Assert.Equal(1, await pair.Shop.AccountsAsync());
        (await pair.Shop.Seat(pair.Other, "carol").StintAsync("audit", "verify")).Good();
    }

    private async Task<Pair> PairAsync()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        var config = new Dictionary<string, object>(await PostgresStore.OfAsync(shop))
        {
            ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 100_000 },
        };
        var pair = new Pair(shop, shop.Behind(config), shop.Behind(config));
        // At once, as a fleet starts: both want to migrate and to make the signing key.
        await Task.WhenAll(pair.One.StartAsync(), pair.Other.StartAsync());
        return pair;
    }

    private sealed record Pair(Shop Shop, StintServer One, StintServer Other) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await One.DisposeAsync();
            await Other.DisposeAsync();
        }
    }
}
