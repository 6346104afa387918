using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>A new server without any identity provider, a real browser and an authenticator: from the set-up link to a yes that a passkey signed.</summary>
public sealed class PasskeyTests
{
    private const string Catalog = """
        people:
          ann: { token: 'sha256:{hash}' }
          carol: { name: Carol }
        admins: [carol]
        resources:
          orders-db:
            kind: postgres
            owners: [person:carol]
            settings: { host: 127.0.0.1, port: 1, database: orders, username: stint, password: { env: NO_PASSWORD }, tls: disable }
            roles:
              owner: { member_of: [orders_owner], risk: high }
        policies:
          own:
            who: person:ann
            roles: [orders-db/owner]
            for: 1h
            approve: { step_up: passkey, steps: [ { from: owners } ] }
        """;

    [Fact]
    public async Task SetUpLink_Passkey_RecoveryCodes_SignOutAndIn_ApproveWithStepUp()
    {
        var token = "stp_" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token)));
        await using var stint = new StintServer(Catalog.Replace("{hash}", hash, StringComparison.Ordinal), new Dictionary<string, string?> { ["NO_PASSWORD"] = "none" });
        await stint.StartAsync();
        var link = Regex.Match(stint.Log, @"Set up: (http://localhost:\d+/set-up#\S+)").Groups[1].Value;
        Assert.NotEmpty(link);
        var own = $"http://localhost:{stint.WebPort}";

        await using var browser = await Chromium.StartAsync("Europe/Berlin");
        await browser.AskAsync("WebAuthn.enable");
        await browser.AskAsync("WebAuthn.addVirtualAuthenticator", new JsonObject
        {
            ["options"] = new JsonObject
            {
                ["protocol"] = "ctap2",
                ["transport"] = "internal",
                ["hasResidentKey"] = true,
                ["hasUserVerification"] = true,
                ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
            },
        });

        // The link: its code leaves the address bar, and one click makes the first administrator.
        await browser.GoAsync(link);
        await browser.BecomesAsync("document.querySelector('[data-passkey-go]') !== null && document.readyState === 'complete'");
        Assert.Equal($"{own}/set-up", await browser.SayAsync<string>("location.href"));
        await browser.SayAsync<bool>("document.querySelector('[data-passkey-go]').click()");
        await browser.BecomesAsync("document.getElementById('after')?.hidden === false");
        Assert.Equal(10, await browser.SayAsync<int>("document.querySelectorAll('#codes li').length"));
        await browser.SayAsync<bool>("document.querySelector('#after a').click()");
        await browser.BecomesAsync("location.pathname === '/account/ways' && document.readyState === 'complete'");
        Assert.Contains("You have 10 left", await browser.SayAsync<string>("document.body.textContent"), StringComparison.Ordinal);

        // Out, and in again with the passkey alone, to the page that was asked for.
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = stint.Web };
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var asked = await http.PostAsync(new Uri("/api/v1/requests", UriKind.Relative), new StringContent("""{"role":"orders-db/owner","for_seconds":600,"reason":"index"}""", System.Text.Encoding.UTF8, "application/json"));
        var request = (string)JsonNode.Parse(await asked.Content.ReadAsStringAsync())!["id"]!;
        await browser.GoAsync($"{own}/account");
        await browser.BecomesAsync("location.pathname === '/account' && document.readyState === 'complete'");
        await browser.SayAsync<bool>("document.querySelector('form[action=\"/sign-out\"] button').click()");
        await browser.BecomesAsync("location.pathname === '/sign-in' && document.readyState === 'complete'");
        await browser.GoAsync($"{own}/approve/{request}");
        await browser.BecomesAsync("location.pathname === '/sign-in' && document.querySelector('[data-passkey-go]') !== null && document.readyState === 'complete'");
        await browser.SayAsync<bool>("document.querySelector('[data-passkey-go]').click()");
        await browser.BecomesAsync($"location.pathname === '/approve/{request}' && document.readyState === 'complete'");

        // The yes, signed over what the page shows.
        Assert.Contains("orders-db/owner", await browser.SayAsync<string>("document.body.textContent"), StringComparison.Ordinal);
        await browser.SayAsync<bool>("document.querySelector('[data-passkey-go]').click()");
        await browser.BecomesAsync("document.title.includes('approved')");
        var approved = JsonNode.Parse(await http.GetStringAsync(new Uri($"/api/v1/requests/{request}", UriKind.Relative)))!;
        Assert.Equal(("approved", "carol", "passkey"), ((string)approved["state"]!, (string)approved["approvals"]![0]!["by"]!, (string)approved["approvals"]![0]!["proof"]!));

        // The code went into no address and no log, and the pages broke no rule of theirs.
        Assert.All(browser.Requests, sent => Assert.DoesNotContain(link.Split('#')[1], ((string)sent["url"]!).Split('#')[0], StringComparison.Ordinal));
        Assert.Single(Regex.Matches(stint.Log, Regex.Escape(link.Split('#')[1])));
        Assert.DoesNotContain(browser.Complaints, one => one.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase) || one.Contains("exception", StringComparison.OrdinalIgnoreCase));
    }
}
