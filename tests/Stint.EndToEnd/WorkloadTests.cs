using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>CI jobs with nothing but the token of their platform: they come in, work at a real database, and leave nothing behind.</summary>
public sealed class WorkloadTests(RealServers servers)
{
    private const string Issuer = "https://ci.example.com";
    private const string Audience = "https://stint.example.com";

    private const string Catalog = """


          jobs-write:
            who: workload:deploy-shop
            roles: [orders-db/writer]
            where: subject.claims.environment == "production"
            for: { default: 5m, max: 30m }
            reason: { required: true }
            approve: { auto: true }
        workloads:
          deploy-shop:
            issuer: ci
            claims: { repository: acme/shop, ref: refs/heads/main }
            owners: [person:bob]
        """;

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Run_WithATokenInAFile_WorksAndHandsBack_HoweverItEnds()
    {
        await using var job = await Job.StartAsync(servers);
        var file = Path.Combine(RunFolder.Make("token"), "token");
        await File.WriteAllTextAsync(file, job.Token() + "\n");
        string[] run = ["run", "orders-db/writer", "--for", "10m", "--reason", "https://ci.example.com/job/4711", "--token-file", file, "--"];

        // Well: it works as itself, and its run stands in the evidence.
        var good = await job.StintAsync([.. run, "psql", "-Atc", "update orders set state = 'paid' where id = 12 returning state; select session_user"]);
        Assert.Contains("paid", good.Good(), StringComparison.Ordinal);
        Assert.Contains("stint_workload_deploy_shop_", good.Out, StringComparison.Ordinal);
        var request = (await job.HandedBackAsync(1))[0].GetProperty("request").GetString()!;
        var evidence = Path.Combine(RunFolder.Make("evidence"), "e.json");
        (await job.Carol.StintAsync("audit", "evidence", request, "--output", evidence)).Good();
        Assert.Contains("repository=acme/shop", (await job.Carol.StintAsync("audit", "verify", evidence)).Good(), StringComparison.Ordinal);
        Assert.Contains("run_id    4711", (await job.Carol.StintAsync("status", request)).Good(), StringComparison.Ordinal);

        // Badly: the exit code is the command's.
        Assert.Equal(7, (await job.StintAsync([.. run, "sh", "-c", "exit 7"])).ExitCode);
        await job.HandedBackAsync(2);

        // Stopped by its platform.
        using var stopped = job.Start([.. run, "sh", "-c", "echo works; exec sleep 120"]);
        Assert.Equal("works", await stopped.StandardOutput.ReadLineAsync());
        (await Tool.RunAsync("kill", ["-TERM", $"{stopped.Id}"])).Good();
        await stopped.WaitForExitAsync().WaitAsync(s_soon);
        Assert.Equal(143, stopped.ExitCode);
        await job.HandedBackAsync(3);

        // Killed: nobody hands back, and the gateway cuts what still runs at the deadline.
        using var killed = job.Start(["run", "orders-db/writer", "--for", "12s", "--reason", "x", "--token-file", file, "--", "psql", "-Atc", "select 'works'; select pg_sleep(120)"]);
        await Until.TrueAsync("it works", s_soon, async () => await job.SleepingAsync() == 1);
        killed.Kill(entireProcessTree: false);
        var grant = await Until.SeenAsync("it is over by itself", s_soon, async () =>
            (await job.GrantsAsync()).Select(one => one.GetRawText()).FirstOrDefault(one => one.Contains("\"expired\"", StringComparison.Ordinal)));
        var until = JsonDocument.Parse(grant).RootElement.GetProperty("not_after").GetDateTimeOffset();
        await Until.TrueAsync("nothing runs", s_soon, async () => await job.SleepingAsync() == 0);
        var ended = await Until.SeenAsync("its session is over", s_soon, async () =>
            (await job.Carol.GetAsync($"sessions?live=false&grant={JsonDocument.Parse(grant).RootElement.GetProperty("id").GetString()}")).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("ended_at").GetString()).FirstOrDefault());
        Assert.InRange((DateTimeOffset.Parse(ended, CultureInfo.InvariantCulture) - until).TotalSeconds, 0, 5);

        // Another branch is nobody's.
        await File.WriteAllTextAsync(file, job.Token(("ref", "refs/heads/evil")));
        var refused = await job.StintAsync([.. run, "true"]);
        Assert.Equal(8, refused.ExitCode);
        Assert.Contains("no workload", refused.Error, StringComparison.Ordinal);
        (await job.Carol.StintAsync("audit", "verify")).Good();
    }

    [Fact]
    public async Task Run_AsGitHubAndGitLabGiveTokens_AndWithAStaticOne()
    {
        await using var job = await Job.StartAsync(servers);
        string[] run = ["run", "orders-db/writer", "--reason", "x", "--", "psql", "-Atc", "select count(*) from orders"];

        // GitLab: in a variable.
        Assert.Equal("6000", (await job.StintAsync(run, ("STINT_ID_TOKEN", job.Token()))).Good().Trim());
        Assert.Contains("workload:deploy-shop", (await job.StintAsync(["whoami"], ("STINT_ID_TOKEN", job.Token()))).Good(), StringComparison.Ordinal);
        Assert.Contains("orders-db/writer", (await job.StintAsync(["ls"], ("STINT_ID_TOKEN", job.Token()))).Good(), StringComparison.Ordinal);

        // GitHub: from the runner, for the audience that is asked for.
        using var runner = new HttpListener();
        var place = $"http://127.0.0.1:{Ports.Free()}/";
        runner.Prefixes.Add(place);
        runner.Start();
        var asked = Task.Run(async () =>
        {
            var call = await runner.GetContextAsync();
            var given = (call.Request.Headers["Authorization"], call.Request.QueryString["audience"], call.Request.QueryString["api-version"]);
            await call.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { value = job.Token() })));
            call.Response.Close();
            return given;
        });
        var hub = await job.StintAsync(run, ("ACTIONS_ID_TOKEN_REQUEST_URL", place + "token?api-version=2.0"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner-secret"), ("STINT_AUDIENCE", Audience));
        Assert.Equal("6000", hub.Good().Trim());
        Assert.Equal(("Bearer runner-secret", Audience, "2.0"), await asked);

        // A person keeps a static one. The conditions on claims are not met by it, for it says nothing.
        var made = (await job.Bob.StintAsync("token", "create", "--workload", "deploy-shop", "--scope", "orders-db/writer", "--expires", "1d")).Good().Trim();
        Assert.StartsWith("stint_s_", made, StringComparison.Ordinal);
        var without = await job.StintAsync(run, ("STINT_TOKEN", made));
        Assert.NotEqual(0, without.ExitCode);
        Assert.DoesNotContain("6000", without.Out, StringComparison.Ordinal);
        var listed = (await job.Bob.StintAsync("token", "ls")).Good();
        Assert.Contains("workload:deploy-shop", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(made, listed, StringComparison.Ordinal);
        var id = (await job.Bob.StintJsonAsync("token", "ls")).GetProperty("items")[0].GetProperty("id").GetString()!;
        (await job.Bob.StintAsync("token", "revoke", id)).Good();
        Assert.Equal(8, (await job.StintAsync(["whoami"], ("STINT_TOKEN", made))).ExitCode);
        Assert.Equal(8, (await job.StintAsync(["whoami"])).ExitCode);
        Assert.Equal(3, (await job.StintAsync(["approve", (await job.GrantsAsync())[0].GetProperty("request").GetString()!, "--comment", "x"], ("STINT_ID_TOKEN", job.Token()))).ExitCode);
    }

    /// <summary>A shop whose Stint believes an issuer of its own, and a machine on which its jobs run.</summary>
    private sealed class Job : IAsyncDisposable
    {
        private readonly RSA _key;
        private readonly Shop _shop;
        private readonly StintServer _stint;
        private readonly Dictionary<string, string?> _environment;

        private Job(RSA key, Shop shop, StintServer stint)
        {
            (_key, _shop, _stint) = (key, shop, stint);
            (Carol, Bob) = (shop.Seat(stint, "carol"), shop.Seat(stint, "bob"));
            var home = RunFolder.Make("home");
            _environment = new Dictionary<string, string?>(Bob.Environment)
            {
                ["STINT_TOKEN"] = null,
                ["HOME"] = home,
                ["XDG_CONFIG_HOME"] = home,
                ["XDG_STATE_HOME"] = home,
            };
        }

        public Seat Carol { get; }

        public Seat Bob { get; }

        public static async Task<Job> StartAsync(RealServers servers)
        {
            var key = RSA.Create(2048);
            var numbers = key.ExportParameters(false);
            var keys = Path.Combine(RunFolder.Make("issuer"), "keys.json");
            await File.WriteAllTextAsync(keys, JsonSerializer.Serialize(new
            {
                keys = new[] { new { kty = "RSA", kid = "one", use = "sig", n = Base64Url.EncodeToString(numbers.Modulus), e = Base64Url.EncodeToString(numbers.Exponent) } },
            }));
            var shop = await Shop.OpenAsync(await servers.PostgresAsync());
            var issuer = new Dictionary<string, object> { ["issuer"] = Issuer, ["audience"] = Audience, ["jwks_file"] = keys, ["keep"] = (string[])["environment", "run_id"] };
            var stint = shop.Behind(
                new Dictionary<string, object> { ["identity"] = new Dictionary<string, object> { ["issuers"] = new Dictionary<string, object> { ["ci"] = issuer } } },
                policies: Catalog.Replace("\n          ", "\n  ", StringComparison.Ordinal).Replace("\n        ", "\n", StringComparison.Ordinal));
            await stint.StartAsync();
            return new Job(key, shop, stint);
        }

        public string Token(params (string Name, string Value)[] other)
        {
            var now = TimeProvider.System.GetUtcNow();
            var claims = new Dictionary<string, object>
            {
                ["iss"] = Issuer,
                ["aud"] = Audience,
                ["sub"] = "repo:acme/shop",
                ["repository"] = "acme/shop",
                ["ref"] = "refs/heads/main",
                ["environment"] = "production",
                ["run_id"] = "4711",
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(),
            };
            foreach (var (name, value) in other)
            {
                claims[name] = value;
            }

            var text = $"{Base64Url.EncodeToString("""{"alg":"RS256","typ":"JWT","kid":"one"}"""u8)}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims))}";
            return $"{text}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
        }

        public Task<Output> StintAsync(string[] arguments, params (string Name, string Value)[] variables) => Tool.RunAsync(
            Checkout.Stint, arguments, variables.Aggregate(new Dictionary<string, string?>(_environment), (all, one) => { all[one.Name] = one.Value; return all; }), within: TimeSpan.FromSeconds(120));

        public Process Start(string[] arguments) => Tool.Start(Checkout.Stint, arguments, _environment);

        public async Task<List<JsonElement>> GrantsAsync() => [.. (await Carol.GetAsync("grants?subject=workload:deploy-shop")).GetProperty("items").EnumerateArray()];

        /// <summary>Waits until there are so many grants and each is over because it was handed back.</summary>
        public async Task<List<JsonElement>> HandedBackAsync(int count)
        {
            var grants = await GrantsAsync();
            Assert.Equal(count, grants.Count);
            await Until.TrueAsync("handed back", s_soon, async () => (await GrantsAsync()).TrueForAll(grant => grant.GetProperty("state").GetString() == "closed"));
            grants = await GrantsAsync();
            Assert.All(grants, grant => Assert.Equal("returned", grant.GetProperty("end_reason").GetString()));
            return grants;
        }

        public async Task<long> SleepingAsync() => await _shop.Server.AskAsync<long>(
            "select count(*) from pg_stat_activity where usename like 'stint_workload_%' and state = 'active' and query like '%pg_sleep(120)%'", _shop.Database);

        public async ValueTask DisposeAsync()
        {
            await _stint.DisposeAsync();
            _key.Dispose();
        }
    }
}
