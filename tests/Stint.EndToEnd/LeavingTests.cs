using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Others tell who is on call, over real HTTP; and who left is taken out of the catalog by one verb and somebody's yes.</summary>
public sealed class LeavingTests
{
    private const string Secret = "a-secret-of-the-pager-0123456789";

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(30);

    private static string Catalog(Dictionary<string, string> tokens, int port) => $$"""
        people:
          ann: { token: '{{Hash(tokens["ann"])}}' }
          bob: { token: '{{Hash(tokens["bob"])}}', mail: bob@example.org }
          carol: { token: '{{Hash(tokens["carol"])}}' }
          dave: { token: '{{Hash(tokens["dave"])}}' }
          eve: { token: '{{Hash(tokens["eve"])}}', manager: ann }
        admins: [carol]
        on-call:
          payments: { calendar: 'http://127.0.0.1:{{port}}/payments.ics' }
          platform: { webhook: pager }
        changes: { approve: { steps: [ { from: person:dave } ] } }
        resources:
          orders-db:
            kind: postgres
            owners: [person:ann]
            settings: { host: 127.0.0.1, port: 1, database: orders, username: stint, password: { env: NO_PASSWORD }, tls: disable }
            roles:
              owner: { member_of: [orders_owner] }
              pay: { member_of: [orders_pay] }
              run: { member_of: [orders_run] }
        policies:
          own: { who: person:eve, roles: [orders-db/owner], for: 1h, approve: { steps: [ { from: owners } ] } }
          pay: { who: person:eve, roles: [orders-db/pay], for: 1h, approve: { steps: [ { from: 'on-call:payments' } ] } }
          run: { who: person:eve, roles: [orders-db/run], for: 1h, approve: { steps: [ { from: 'on-call:platform' } ] } }
        """;

    [Fact]
    public async Task OnCall_ByACalendarAndACall_AndAHandOverThatIsProposedAndApproved()
    {
        var tokens = new[] { "ann", "bob", "carol", "dave", "eve" }.ToDictionary(person => person, _ => "stp_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_'));
        var port = Ports.Free();
        using var calendar = new HttpListener();
        calendar.Prefixes.Add($"http://127.0.0.1:{port}/");
        calendar.Start();
        var serving = ServeAsync(calendar);
        await using var stint = new StintServer(
            Catalog(tokens, port),
            new Dictionary<string, string?> { ["NO_PASSWORD"] = "none", ["PAGER_SECRET"] = Secret },
            new Dictionary<string, object>
            {
                ["catalog_from"] = "store",
                ["outgoing"] = new Dictionary<string, object> { ["internal_hosts"] = new[] { "127.0.0.1" } },
                ["webhooks"] = new Dictionary<string, object> { ["pager"] = new Dictionary<string, object> { ["preset"] = "plain", ["secret_env"] = "PAGER_SECRET", ["on_call"] = true } },
            });
        await stint.StartAsync();
        var (carol, dave, eve) = (stint.Seat(tokens["carol"]), stint.Seat(tokens["dave"]), stint.Seat(tokens["eve"]));

        // The calendar was asked when the server started, and whom it names answers.
        await Until.SeenAsync("somebody is on call by the calendar", s_soon, async () =>
            (await carol.GetAsync("audit/facts?from=0&limit=1000")).GetRawText().Contains("OnCallChanged", StringComparison.Ordinal) ? "yes" : null);
        Assert.Equal("bob", await WhoAsync(eve, "pay"));

        // A call counts when it is signed, and not before.
        Assert.Equal("nobody", await WhoAsync(eve, "run"));
        using var http = stint.Http();
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(http, stint, "another-secret-of-somebody-else")).StatusCode);
        using var told = await CallAsync(http, stint, Secret);
        Assert.True(told.StatusCode == HttpStatusCode.OK, await told.Content.ReadAsStringAsync());
        Assert.Equal("bob", await WhoAsync(eve, "run"));

        // Ann leaves. The change of the catalog is shown, proposed, waits for Dave, and takes effect with his yes.
        Assert.Equal("ann", await WhoAsync(eve, "owner"));
        (await carol.StintAsync("offboard", "ann", "--reason", "left")).Good();
        var diff = (await carol.StintAsync("people", "hand-over", "ann", "bob", "--patch")).Good();
        Assert.Contains("-    owners: [person:ann]", diff, StringComparison.Ordinal);
        Assert.Contains("+    owners: [person:bob]", diff, StringComparison.Ordinal);
        var proposed = await carol.StintAsync("people", "hand-over", "ann", "bob", "--propose", "--yes");
        Assert.True(proposed.ExitCode == 9, proposed.ToString());
        var change = Assert.Single((await dave.GetAsync("catalog/changes?state=pending")).GetProperty("items").EnumerateArray()).GetProperty("id").GetString()!;
        Assert.Equal("nobody", await WhoAsync(eve, "owner"));
        Assert.NotEqual(0, (await carol.StintAsync("catalog", "approve", change, "--yes")).ExitCode);
        (await dave.StintAsync("catalog", "approve", change, "--yes")).Good();
        Assert.Equal("bob", await WhoAsync(eve, "owner"));
        Assert.Equal("", (await carol.StintAsync("people", "hand-over", "ann", "bob", "--patch")).Good());
        calendar.Close();
        await serving;
    }

    /// <summary>Who could answer when Eve asks for a role; nobody when it is denied for want of one.</summary>
    private static async Task<string> WhoAsync(Seat eve, string role)
    {
        var request = await eve.PostAsync("requests", new { role = $"orders-db/{role}", for_seconds = 600, reason = "to see who could answer" });
        if (request.GetProperty("state").GetString() == "denied")
        {
            return "nobody";
        }

        var could = string.Join(' ', request.GetProperty("steps")[0].GetProperty("could").EnumerateArray().Select(who => who.GetString()));
        await eve.PostAsync($"requests/{request.GetProperty("id").GetString()}/cancel", new { });
        return could;
    }

    private static Task<HttpResponseMessage> CallAsync(HttpClient http, StintServer stint, string secret)
    {
        var (at, body) = (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), """{"rota":"platform","persons":["bob@example.org"]}""");
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(stint.Web, "/api/v1/webhooks/pager")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        message.Headers.Add("Stint-Signature", $"t={at},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{at}.on-call.{body}")))}");
        return http.SendAsync(message);
    }

    private static async Task ServeAsync(HttpListener listener)
    {
        // The folded line, the zone's clock and the day that is left out are what calendars send.
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        var text = string.Create(CultureInfo.InvariantCulture, $"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Berlin:{today.AddDays(-30):yyyyMMdd}T000000\r\nDURATION:P1D\r\nRRULE:FREQ=DAILY\r\nEXDATE;VALUE=DATE:{today.AddDays(-9):yyyyMMdd}\r\nSUMMARY:On call\r\nATTENDEE;CN=\"Bob: of\r\n  payments\":mailto:Bob@example.org\r\nATTENDEE;PARTSTAT=DECLINED:mailto:eve\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        try
        {
            while (true)
            {
                var asked = await listener.GetContextAsync();
                asked.Response.ContentType = "text/calendar; charset=utf-8";
                await asked.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
                asked.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private static string Hash(string token) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
