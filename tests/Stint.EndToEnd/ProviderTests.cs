using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>People who sign in at a real OpenID Connect provider, with a real browser.</summary>
public sealed class ProviderTests
{
    private const string Secret = "canary-client-secret-of-a-test";

    private const string Catalog = """
        people:
          ann: { name: Ann }
          bob: { name: Bob, mail: bob@example.com }
          carol: { name: Carol, disabled: true }
        admins: [bob]
        """;

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task SignIn_AtOidcProvider_AndOutOfItEverywhere()
    {
        var port = Ports.Free();
        var place = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        await using var stint = new StintServer(Catalog, new Dictionary<string, string?> { ["ACME_SECRET"] = Secret }, Settings(place));
        await stint.StartAsync();
        using var provider = await StartAsync(port, stint.Web, "acme");
        try
        {
            await using var browser = await Chromium.StartAsync("Europe/Berlin");

            // There and back, to the page that was asked for.
            await browser.GoAsync($"{stint.Web}account?from=here");
            await browser.BecomesAsync("location.pathname === '/sign-in' && !!document.querySelector('a.button[href^=\"/sign-in/acme\"]')");
            Assert.Equal("Sign in with Acme", await browser.SayAsync<string>("document.querySelector('a.button').textContent"));
            await browser.SayAsync<bool>("document.querySelector('a.button').click()");
            await ProveAsync(browser, place, "ann");
            await browser.BecomesAsync("location.pathname === '/account' && location.search === '?from=here' && document.body.textContent.includes('oidc:acme')");
            Assert.Equal("ann", (await WhoAsync(browser)).GetProperty("id").GetString());
            Assert.Equal("", await browser.SayAsync<string>("document.cookie"));

            // A fresh proof: the provider asks again, though it knows them, and it counts for this session.
            await browser.GoAsync($"{stint.Web}sign-in/acme?fresh=1&then=%2Faccount%3Fproved%3D1");
            await ProveAsync(browser, place, "ann");
            await browser.BecomesAsync("location.search === '?proved=1'");

            // Whoever proves to be somebody else did not prove it for this session.
            await browser.GoAsync($"{stint.Web}sign-in/acme?fresh=1");
            await ProveAsync(browser, place, "bob");
            await browser.BecomesAsync("document.body.textContent.includes('that is not who is signed in here')");
            Assert.Equal("ann", (await WhoAsync(browser)).GetProperty("id").GetString());

            // Signed in at the provider as Bob meanwhile: one click lets him in, and the first session is over.
            await browser.GoAsync($"{stint.Web}sign-in/acme");
            await browser.BecomesAsync("location.pathname === '/account'");
            Assert.Equal("bob", (await WhoAsync(browser)).GetProperty("id").GetString());

            // He signs out of the provider: it tells this server by itself, and the browser is shut out within seconds.
            await browser.GoAsync($"{stint.Web}sign-in/acme/end");
            await browser.BecomesAsync($"location.origin === '{place}' && !!document.forms[0]");
            await browser.SayAsync<bool>("(() => { const yes = document.createElement('input'); yes.type = 'hidden'; yes.name = 'logout'; yes.value = 'yes'; document.forms[0].append(yes); document.forms[0].submit(); })()");
            await browser.BecomesAsync($"location.href === '{stint.Web}sign-in'");
            await Until.TrueAsync("signed out", s_soon, async () => await browser.SayAsync<int>("fetch('/api/v1/whoami').then(answer => answer.status)") == 401);
            Assert.Contains("told of a logout", stint.Log, StringComparison.Ordinal);

            // Who is disabled, and who is nobody here, is told so, on one and the same page.
            foreach (var name in (string[])["carol", "mallory"])
            {
                await browser.GoAsync($"{stint.Web}sign-in/acme");
                await browser.BecomesAsync("location.pathname !== '/sign-in/acme'");
                await ProveAsync(browser, place, name);
                await browser.BecomesAsync($"document.body.textContent.includes('says that you are {name}, and nobody of that name comes in here')");
                Assert.Equal(401, await browser.SayAsync<int>("fetch('/api/v1/whoami').then(answer => answer.status)"));
                await browser.GoAsync($"{stint.Web}sign-in/acme/end");
                await browser.BecomesAsync($"location.origin === '{place}' && !!document.forms[0]");
                await browser.SayAsync<bool>("(() => { const yes = document.createElement('input'); yes.type = 'hidden'; yes.name = 'logout'; yes.value = 'yes'; document.forms[0].append(yes); document.forms[0].submit(); })()");
                await browser.BecomesAsync($"location.href === '{stint.Web}sign-in'");
            }

            Assert.DoesNotContain(Secret, stint.Log, StringComparison.Ordinal);
            Assert.DoesNotContain(browser.Requests, sent => ((string?)sent["url"])!.Contains(Secret, StringComparison.Ordinal));
        }
        finally
        {
            provider.Kill(entireProcessTree: true);
            await provider.WaitForExitAsync();
        }
    }

    private static Dictionary<string, object> Settings(string place) => new()
    {
        ["identity"] = new Dictionary<string, object>
        {
            ["providers"] = new Dictionary<string, object>
            {
                ["acme"] = new Dictionary<string, object> { ["label"] = "Acme", ["issuer"] = place, ["client_id"] = "stint", ["client_secret_env"] = "ACME_SECRET", ["loopback_http"] = true },
            },
        },
    };

    private static async Task<Process> StartAsync(int port, Uri stint, string name)
    {
        var modules = (await Tool.RunAsync(Checkout.Eng("servers"), ["modules"])).Good().Trim();
        var script = Path.Combine(Checkout.Root, "tests", "Stint.EndToEnd", "Providers", "oidc-provider.mjs");
        var process = Tool.Start("node", [script, modules, port.ToString(CultureInfo.InvariantCulture), stint.ToString().TrimEnd('/'), name], new Dictionary<string, string?> { ["CLIENT_SECRET"] = Secret });
        RunFolder.Note(process.Id);
        process.BeginErrorReadLine();
        using var soon = new CancellationTokenSource(s_soon);
        Assert.Equal("listening", await process.StandardOutput.ReadLineAsync(soon.Token));
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>Gives the provider a name, and agrees to what it tells of it.</summary>
    private static async Task ProveAsync(Chromium browser, string place, string name)
    {
        await browser.BecomesAsync($"location.origin === '{place}' && !!document.querySelector('input[name=login]')");
        await browser.SayAsync<bool>($"(() => {{ document.querySelector('input[name=login]').value = '{name}'; document.querySelector('input[name=password]').value = 'any'; document.forms[0].submit(); }})()");
        await Until.TrueAsync("agreed or back", s_soon, async () =>
        {
            await browser.SayAsync<bool>($"location.origin === '{place}' && document.querySelector('input[name=prompt][value=consent]') ? (document.forms[0].submit(), true) : false");
            return await browser.SayAsync<string>("location.origin") != place && await browser.SayAsync<bool>("document.readyState === 'complete'");
        });
    }

    private static async Task<JsonElement> WhoAsync(Chromium browser) => await browser.SayAsync<JsonElement>("fetch('/api/v1/whoami').then(answer => answer.json())");
}
