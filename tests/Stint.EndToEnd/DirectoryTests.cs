using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Who is disabled in the company's directory, or sent away here, is out of a psql within two seconds.</summary>
public sealed class DirectoryTests(RealServers servers, ITestOutputHelper output)
{
    private const string Secret = "the-directory-of-the-tests-0123456789";

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Disabled_InTheDirectory_PsqlIsCutWithinTwoSecondsOfTheAnswer()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(
            new Dictionary<string, object> { ["directory"] = new Dictionary<string, object> { ["scim_token_env"] = "DIRECTORY_TOKEN" } },
            environment: new Dictionary<string, string?> { ["DIRECTORY_TOKEN"] = Secret });
        await stint.StartAsync();
        using var http = stint.Http();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
        var made = await SendAsync(http, stint, HttpMethod.Post, "Users", """{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}""");
        var id = JsonDocument.Parse(made).RootElement.GetProperty("id").GetString();
        var ann = shop.Seat(stint, "ann");
        var grant = await ann.OpenAsync("orders-db/read-only", 600);
        using var psql = await InAsync(ann, grant);

        var error = psql.StandardError.ReadToEndAsync();
        await SendAsync(http, stint, HttpMethod.Patch, $"Users/{id}", """{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}""");
        var answered = Stopwatch.StartNew();
        Assert.Contains("its holder left", await error.WaitAsync(s_soon), StringComparison.Ordinal);
        output.WriteLine($"psql heard of its end {answered.ElapsedMilliseconds} ms after the directory's answer");
        Assert.True(answered.Elapsed < TimeSpan.FromSeconds(2), $"{answered.Elapsed}");
        await psql.WaitForExitAsync();
        var refused = await ann.StintAsync("grants");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("disabled", refused.Error, StringComparison.Ordinal);
        await Until.SeenAsync("the account is gone", s_soon, async () => await shop.AccountsAsync() == 0 ? "gone" : null);
    }

    [Fact]
    public async Task Disabled_InADirectoryThatIsPulledFrom_PsqlIsCut_AndAnAbsentDirectoryIsSaidAndEndsNobody()
    {
        await using var slapd = await Slapd.StartAsync();
        await slapd.ChangeAsync("""
            dn: uid=ann,dc=example,dc=org
            objectClass: inetOrgPerson
            uid: ann
            cn: Ann
            sn: A
            userPassword: x

            dn: uid=dora,dc=example,dc=org
            objectClass: inetOrgPerson
            uid: dora
            cn: Dora
            sn: D
            """);
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(slapd.Settings, environment: new Dictionary<string, string?> { ["LDAP_PASSWORD"] = slapd.Password });
        await stint.StartAsync();
        var (ann, bob, carol) = (shop.Seat(stint, "ann"), shop.Seat(stint, "bob"), shop.Seat(stint, "carol"));
        await Until.TrueAsync("the directory is pulled", s_soon, async () => (await FactsAsync(carol)).Contains("directory:ldap", StringComparison.Ordinal));
        var grant = await ann.OpenAsync("orders-db/read-only", 600);
        var other = await bob.OpenAsync("orders-db/read-only", 600);
        using var psql = await InAsync(ann, grant);
        using var his = await InAsync(bob, other);

        var error = psql.StandardError.ReadToEndAsync();
        await slapd.ChangeAsync("dn: uid=ann,dc=example,dc=org\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z");
        Assert.Contains("its holder left", await error.WaitAsync(s_soon), StringComparison.Ordinal);
        Assert.NotEqual(0, (await ann.StintAsync("grants")).ExitCode);

        await slapd.DisposeAsync();
        await Until.TrueAsync("the silence is said", s_soon, async () => (await carol.StintAsync("status")).Out.Contains("The directory was last heard of", StringComparison.Ordinal));
        Assert.False(his.HasExited);
        (await bob.StintAsync("grants")).Good();
        his.Kill();
    }

    private static async Task<string> FactsAsync(Seat seat) => (await seat.GetAsync("audit/facts?limit=200")).GetRawText();

    [Fact]
    public async Task Offboard_EndsAPsql_AndSaysWhatRemains_UntilItIsTakenBack()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind();
        await stint.StartAsync();
        var (ann, bob, carol) = (shop.Seat(stint, "ann"), shop.Seat(stint, "bob"), shop.Seat(stint, "carol"));
        await ann.StintJsonAsync("request", "orders-db/owner", "--for", "5m", "--reason", "waits for bob");
        var grant = await bob.OpenAsync("orders-db/read-only", 600);
        using var psql = await InAsync(bob, grant);
        Assert.Equal(3, (await ann.StintAsync("offboard", "bob", "--reason", "x")).ExitCode);
        Assert.NotEqual(0, (await carol.StintAsync("offboard", "bob")).ExitCode);

        var error = psql.StandardError.ReadToEndAsync();
        var gone = (await carol.StintAsync("offboard", "bob", "--reason", "dismissed")).Good();
        Assert.Contains("its holder left", await error.WaitAsync(TimeSpan.FromSeconds(2)), StringComparison.Ordinal);
        Assert.Contains("bob is gone: dismissed", gone, StringComparison.Ordinal);
        Assert.Contains(grant, gone, StringComparison.Ordinal);
        Assert.Contains("owns orders-db; NOBODY ELSE", gone, StringComparison.Ordinal);
        Assert.Contains("was to answer req-", gone, StringComparison.Ordinal);
        Assert.NotEqual(0, (await bob.StintAsync("grants")).ExitCode);
        Assert.Equal("bob", (await carol.StintJsonAsync("offboard", "bob", "--undo", "--reason", "a mistake")).GetProperty("person").GetString());
        (await bob.StintAsync("grants")).Good();
    }

    private static async Task<Process> InAsync(Seat seat, string grant)
    {
        var psql = Tool.Start("psql", ["-X", "-At"], (await seat.LoginAsync(grant)).Environment);
        await psql.StandardInput.WriteLineAsync("select 'in'; select pg_sleep(100);");
        await psql.StandardInput.FlushAsync();
        Assert.Equal("in", await psql.StandardOutput.ReadLineAsync().WaitAsync(s_soon));
        return psql;
    }

    private static async Task<string> SendAsync(HttpClient http, StintServer stint, HttpMethod method, string path, string body)
    {
        using var message = new HttpRequestMessage(method, new Uri(stint.Web, "/scim/v2/" + path)) { Content = new StringContent(body, Encoding.UTF8, "application/scim+json") };
        using var response = await http.SendAsync(message);
        var answer = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, answer);
        return answer;
    }
}
