using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>The main job as its people live it: the command line, psql, and what the database says itself.</summary>
public sealed class MainJobTests(OpenShop open) : IClassFixture<OpenShop>
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Request_AllowedByRule_LetsPsqlIn()
    {
        var asked = await open.Ann.StintJsonAsync("request", "orders-db/read-only", "--for", "5m", "--reason", "counting", "--wait");

        var psql = await open.Ann.StintAsync("connect", "orders-db/read-only", "--", "psql", "-Atc", "select count(*) from orders");
        var change = await open.Ann.StintAsync("connect", "orders-db/read-only", "--", "psql", "-Atc", "delete from orders");

        Assert.Equal("approved", asked.GetProperty("state").GetString());
        Assert.Equal("6000", psql.Good().Trim());
        Assert.Equal(1, change.ExitCode);
        Assert.Contains("permission denied", change.Error, StringComparison.Ordinal);
        (await open.Ann.StintAsync("end", "orders-db/read-only")).Good();
    }

    [Fact]
    public async Task Request_DeniedByRule_SaysWhichAndExitsThree()
    {
        var asked = await open.Eve.StintAsync("request", "orders-db/owner", "--reason", "just trying");

        Assert.Equal(3, asked.ExitCode);
        Assert.Contains("contractors-never-own", asked.Out + asked.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_UnknownRoleAndHiddenRole_AnswerAlike()
    {
        // Carol is in no group that any policy names: nothing here is hers to know of.
        var hidden = await open.Carol.StintAsync("request", "orders-db/owner", "--reason", "x");
        var unknown = await open.Carol.StintAsync("request", "orders-db/ghost", "--reason", "x");

        Assert.Equal(4, hidden.ExitCode);
        Assert.Equal(4, unknown.ExitCode);
        Assert.Equal(
            (unknown.Out + unknown.Error).Replace("ghost", "ROLE", StringComparison.Ordinal),
            (hidden.Out + hidden.Error).Replace("owner", "ROLE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Owner_ApprovedFromAnotherSeat_EndsToTheSecondWithPsqlOpen()
    {
        var waiting = open.Ann.StintAsync(["request", "orders-db/owner", "--for", "15s", "--reason", "unblock", "--wait", "--json"], null, TimeSpan.FromSeconds(60));
        var request = await Until.SeenAsync("Bob is asked", s_soon, async () =>
        {
            var page = await open.Bob.GetAsync("requests?awaiting_me=true&state=pending");
            return page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()).FirstOrDefault();
        });
        var own = await open.Ann.StintAsync("approve", request);
        var yes = await open.Bob.StintAsync("approve", request, "--comment", "go ahead");
        var opened = System.Text.Json.JsonDocument.Parse((await waiting).Good()).RootElement;

        var grant = opened.GetProperty("grant");
        var end = grant.GetProperty("not_after").GetDateTimeOffset();
        using var psql = open.Ann.Start("connect", "orders-db/owner", "--", "psql", "-At");
        await psql.StandardInput.WriteLineAsync("update orders set state = 'paid' where id = 4711 returning state; select pg_sleep(60);");
        await psql.StandardInput.FlushAsync();
        var said = psql.StandardOutput.ReadToEndAsync();
        var error = await psql.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        var late = TimeProvider.System.GetUtcNow() - end;
        await psql.WaitForExitAsync();

        Assert.NotEqual(0, own.ExitCode);
        yes.Good();
        Assert.Contains("paid", await said, StringComparison.Ordinal);
        Assert.Contains("FATAL", error, StringComparison.Ordinal);
        Assert.Contains("orders-db/owner", error, StringComparison.Ordinal);
        // Never before the end. Beside the cut itself this counts psql's own end and stint's, on a machine that may be busy.
        Assert.InRange(late.TotalSeconds, -0.1, 20);
        await ClosedAsync(grant.GetProperty("id").GetString()!, "expired");
        var session = (await open.Carol.GetAsync($"sessions?grant={grant.GetProperty("id").GetString()}")).GetProperty("items").EnumerateArray().Single();
        Assert.InRange((session.GetProperty("ended_at").GetDateTimeOffset() - end).TotalSeconds, 0, 3);
        var state = await open.Shop.Server.AskAsync<string>("select state from orders where id = 4711", open.Shop.Database);
        Assert.Equal("paid", state);
    }

    [Fact]
    public async Task End_GivenBackEarly_LeavesNoAccountAndNoWayIn()
    {
        var grant = await open.Bob.OpenAsync("orders-db/read-only", 600);
        var login = await open.Bob.LoginAsync(grant);
        var account = (await Tool.RunAsync("psql", ["-Atc", "select session_user"], login.Environment)).Good().Trim();
        Assert.StartsWith("stint_bob_", account, StringComparison.Ordinal);

        (await open.Bob.StintAsync("end", grant)).Good();

        await ClosedAsync(grant, "returned");
        // By its own name: other shops at this server have a Bob, too.
        var left = await open.Shop.Server.AskAsync<long>($"select count(*) from pg_roles where rolname = '{account}'");
        var again = await Tool.RunAsync("psql", ["-Atc", "select 1"], login.Environment);
        Assert.Equal(0, left);
        Assert.NotEqual(0, again.ExitCode);
    }

    [Fact]
    public async Task Revoke_WhileAQueryRuns_CutsItAndEndsItAtTheDatabase()
    {
        var grant = await open.Ann.OpenAsync("orders-db/writer", 600);
        var mark = $"sleeper_{RunFolder.Next()}";
        using var psql = open.Ann.Start("connect", grant, "--", "psql", "-Atc", $"select pg_sleep(120) /* {mark} */");
        await Until.TrueAsync("the query runs", s_soon, async () => await RunningAsync(mark) == 1);

        (await open.Carol.StintAsync("revoke", grant, "--comment", "wrong database")).Good();
        var error = await psql.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Contains("FATAL", error, StringComparison.Ordinal);
        Assert.Contains("wrong database", error, StringComparison.Ordinal);
        await Until.TrueAsync("the query is gone", s_soon, async () => await RunningAsync(mark) == 0);
        await ClosedAsync(grant, "revoked");
    }

    [Fact]
    public async Task Audit_AfterWork_VerifiesAndAForgedEvidenceDoesNot()
    {
        var asked = await open.Ann.StintJsonAsync("request", "orders-db/read-only", "--for", "5m", "--reason", "evidence of 4711", "--wait");
        var request = asked.GetProperty("id").GetString()!;
        var grant = asked.GetProperty("grant").GetProperty("id").GetString()!;
        var mark = $"mark_{RunFolder.Next()}";
        (await open.Ann.StintAsync("connect", grant, "--", "psql", "-Atc", $"select '{mark}' from orders limit 1")).Good();
        (await open.Ann.StintAsync("end", grant)).Good();
        await ClosedAsync(grant, "returned");

        var found = await open.Carol.StintAsync("sessions", "search", mark);
        var online = await open.Carol.StintAsync("audit", "verify");
        var file = Path.Combine(RunFolder.Make("evidence"), "evidence.json");
        (await open.Carol.StintAsync("audit", "evidence", request, "--output", file)).Good();
        var offline = await Tool.RunAsync(Checkout.Stint, ["audit", "verify", file]);
        var text = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, text.Replace("evidence of 4711", "evidence of 4712", StringComparison.Ordinal));
        var forged = await Tool.RunAsync(Checkout.Stint, ["audit", "verify", file]);

        Assert.Contains(mark, found.Good(), StringComparison.Ordinal);
        online.Good();
        offline.Good();
        Assert.Contains("evidence of 4711", text, StringComparison.Ordinal);
        Assert.NotEqual(0, forged.ExitCode);
    }

    private Task<long> RunningAsync(string mark) => open.Shop.Server.AskAsync<long>(
        $"select count(*) from pg_stat_activity where query like '%{mark}%' and state = 'active' and pid <> pg_backend_pid()");

    private async Task ClosedAsync(string grant, string reason) => Assert.Equal(reason, await open.Carol.ClosedAsync(grant));
}
