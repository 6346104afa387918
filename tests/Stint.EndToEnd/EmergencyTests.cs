using System.Net;
using System.Security.Cryptography;
using System.Text;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>An emergency as its people live it, with nothing but a code from a piece of paper; and access that ends with its task.</summary>
public sealed class EmergencyTests(RealServers servers)
{
    private const string Policies = """


          emergency:
            who: group:developers
            roles: [orders-db/owner]
            for: 10m
            break_glass: { tell: [person:bob, person:carol], review: { from: person:bob, within: 1h } }
        """;

    private const string Secret = "what-both-the-shop-and-stint-know";

    [Fact]
    public async Task Emergency_ByACode_OpensIsToldAndReviewed()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(policies: Policies.Replace("\n          ", "\n  ", StringComparison.Ordinal));
        await stint.StartAsync();
        var (ann, bob, carol) = (shop.Seat(stint, "ann"), shop.Seat(stint, "bob"), shop.Seat(stint, "carol"));

        var codes = (await ann.StintAsync("break-glass", "codes", "--count", "2")).Good().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(2, codes.Length);
        var mistyped = await ann.StintWithoutTokenAsync(["break-glass", "login", "--as", "ann"], codes[0][..^1] + "\n");
        Assert.Equal(2, mistyped.ExitCode);
        var login = (await ann.StintWithoutTokenAsync(["break-glass", "login", "--as", "ann"], codes[0].ToUpperInvariant() + "\n")).Good();
        Assert.Contains("You are in as ann", login, StringComparison.Ordinal);
        Assert.DoesNotContain("stg_", login, StringComparison.Ordinal);
        Assert.Equal(8, (await ann.StintWithoutTokenAsync(["break-glass", "login", "--as", "ann"], codes[0] + "\n")).ExitCode);

        Assert.Equal(3, (await ann.StintWithoutTokenAsync(["request", "orders-db/read-only", "--reason", "counting"])).ExitCode);
        Assert.Equal(3, (await ann.StintWithoutTokenAsync(["break-glass", "orders-db/owner", "--reason", "down"])).ExitCode);
        var open = (await ann.StintWithoutTokenAsync(["break-glass", "orders-db/owner", "--reason", "order 4711 blocks the whole warehouse, and Bob is asleep", "--json"])).Good();
        var request = System.Text.Json.JsonDocument.Parse(open).RootElement;
        Assert.Equal("open", request.GetProperty("grant").GetProperty("state").GetString());
        var psql = await ann.StintWithoutTokenAsync(["connect", "orders-db/owner", "--", "psql", "-Atc", "update orders set state = 'paid' where id = 4711 returning state"]);
        Assert.Contains("paid", psql.Good(), StringComparison.Ordinal);

        // Whoever was told cannot miss it, and what a script reads stays what it was.
        var told = await bob.StintAsync("ls");
        Assert.Contains("THE GLASS WAS BROKEN by ann for orders-db/owner", told.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("GLASS", told.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("GLASS", (await bob.StintAsync("ls", "--json")).Error, StringComparison.Ordinal);
        Assert.Equal(1, (await carol.StintJsonAsync("status")).GetProperty("broken_glass").GetArrayLength());
        (await carol.StintAsync("break-glass", "seen")).Good();
        Assert.DoesNotContain("GLASS", (await carol.StintAsync("status")).Error, StringComparison.Ordinal);
        Assert.Contains("(BREAK-GLASS)", (await carol.StintAsync("sessions")).Out, StringComparison.Ordinal);

        var review = request.GetProperty("review").GetProperty("id").GetString()!;
        Assert.Equal(5, (await bob.StintAsync("review", review, "--accept", "--comment", "too early")).ExitCode);
        (await ann.StintWithoutTokenAsync(["end", "orders-db/owner"])).Good();
        await ann.ClosedAsync(request.GetProperty("grant").GetProperty("id").GetString()!);
        Assert.Equal(3, (await ann.StintAsync("review", review, "--accept", "--comment", "all was well")).ExitCode);
        Assert.Contains("1 statement in 1 session", (await bob.StintAsync("review", review)).Good(), StringComparison.Ordinal);
        var again = await ann.StintAsync("break-glass", "orders-db/owner", "--reason", "order 4712 blocks the whole warehouse as well by now");
        Assert.Equal(3, again.ExitCode);
        Assert.Contains(review, again.Out, StringComparison.Ordinal);
        (await bob.StintAsync("review", review, "--concern", "--comment", "call me the next time")).Good();

        var file = Path.Combine(RunFolder.Make("evidence"), "e.json");
        (await carol.StintAsync("audit", "evidence", request.GetProperty("id").GetString()!, "--output", file)).Good();
        var verified = (await carol.StintAsync("audit", "verify", file)).Good();
        Assert.Contains("found something wrong, because “call me the next time”", verified, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Task_ThatIsDone_EndsASessionAtOnce()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(
            new Dictionary<string, object> { ["webhooks"] = new Dictionary<string, object> { ["shop"] = new Dictionary<string, object> { ["preset"] = "github", ["secret_env"] = "SHOP_HOOK" } } },
            environment: new Dictionary<string, string?> { ["SHOP_HOOK"] = Secret });
        await stint.StartAsync();
        var ann = shop.Seat(stint, "ann");
        var asked = await ann.StintJsonAsync("request", "orders-db/read-only", "--task", "github:Shop/Orders#12", "--reason", "the issue says it", "--wait");
        using var psql = ann.Start("connect", "orders-db/read-only", "--", "psql", "-At");
        await psql.StandardInput.WriteLineAsync("select 'here'; select pg_sleep(60);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("here", await psql.StandardOutput.ReadLineAsync());

        const string body = """{"action":"closed","issue":{"number":12,"state":"closed"},"repository":{"full_name":"shop/orders"}}""";
        using var http = stint.Http();
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(stint.Web, "/api/v1/tasks/hooks/shop")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        message.Headers.Add("X-Hub-Signature-256", "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(body))));
        message.Headers.Add("X-GitHub-Event", "issues");
        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(message)).StatusCode);

        Assert.Contains("the task github:shop/orders#12 is done, says shop", await psql.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
        await psql.WaitForExitAsync();
        Assert.Equal("revoked", await ann.ClosedAsync(asked.GetProperty("grant").GetProperty("id").GetString()!));
    }
}
