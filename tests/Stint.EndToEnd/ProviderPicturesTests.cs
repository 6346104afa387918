using System.Globalization;
using System.Text.Json.Nodes;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>People who sign in by each kind of provider at one server, and what its pages look like then.</summary>
/// <remarks>With <c>STINT_TEST_PICTURES</c> it puts the pictures of the guide into the folder of that name.</remarks>
public sealed class ProviderPicturesTests
{
    private const string Catalog = """
        people:
          ann: { name: Ann Miller, mail: ann@example.com }
          bob: { name: Bob }
          carol: { name: Carol, disabled: true }
        admins: [bob]
        """;

    private const string Tenant = "00000000-0000-4000-8000-000000000001";

    private static readonly string? s_pictures = Environment.GetEnvironmentVariable("STINT_TEST_PICTURES");

    [Fact]
    public async Task EachProvider_HasItsButton_LetsItsPeopleIn_AndNobodyElse()
    {
        var (port, hub) = (Ports.Free(), Ports.Free());
        var (place, github) = (string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{hub}"));
        await using var stint = new StintServer(Catalog, new Dictionary<string, string?> { ["SECRET"] = ProviderTests.Secret }, new Dictionary<string, object>
        {
            ["identity"] = new Dictionary<string, object>
            {
                ["providers"] = new Dictionary<string, object>
                {
                    ["okta"] = Provider("okta", place),
                    ["entra"] = Provider("entra", place, ("tenant", Tenant)),
                    ["google"] = Provider("google", place, ("domains", new[] { "example.com" })),
                    ["keycloak"] = Provider("keycloak", place),
                    ["github"] = Provider("github", github, ("organization", "acme")),
                },
            },
        });
        await stint.StartAsync();
        using var provider = await ProviderTests.OidcProviderAsync(port, stint.Web, "okta,entra,google,keycloak");
        var script = Path.Combine(Checkout.Root, "tests", "Stint.EndToEnd", "Providers", "github.mjs");
        using var hubs = Tool.Start("node", [script, hub.ToString(CultureInfo.InvariantCulture)]);
        try
        {
            await ProviderTests.AnswersAsync(hubs, github);
            await using var browser = await Chromium.StartAsync("Europe/Berlin");
            foreach (var (name, label, by) in new[]
            {
                ("okta", "Okta", "oidc:okta"), ("entra", "Microsoft Entra ID", "oidc:entra"), ("google", "Google", "oidc:google"), ("keycloak", "Keycloak", "oidc:keycloak"), ("github", "GitHub", "github:github"),
            })
            {
                await browser.AskAsync("Network.clearBrowserCookies");
                await browser.GoAsync($"{stint.Web}sign-in?then=%2Faccount");
                await browser.BecomesAsync($"location.pathname === '/sign-in' && document.readyState === 'complete' && !!document.querySelector('a.btn[href^=\"/sign-in/{name}\"]')");
                Assert.Equal($"Sign in with {label}", await browser.SayAsync<string>($"document.querySelector('a.btn[href^=\"/sign-in/{name}\"]').textContent"));
                if (name == "okta")
                {
                    await PictureAsync(browser, "sign-in", 520, 390);
                }

                await browser.SayAsync<bool>($"document.querySelector('a.btn[href^=\"/sign-in/{name}\"]').click()");
                if (name != "github")
                {
                    await ProviderTests.ProveAsync(browser, place, "ann");
                }

                await browser.BecomesAsync($"location.pathname === '/account' && document.readyState === 'complete' && document.body?.textContent.includes('{by}') === true");
                await PictureAsync(browser, "sign-in-" + name, 1_100, 520);
            }

            // Who is disabled here, and who is nobody here, is told so, and gets no further.
            foreach (var (name, picture) in new[] { ("mallory", "sign-in-refused"), ("carol", "leaving-refused") })
            {
                await browser.AskAsync("Network.clearBrowserCookies");
                await browser.GoAsync($"{stint.Web}sign-in/okta?then=%2Faccount");
                await ProviderTests.ProveAsync(browser, place, name);
                await browser.BecomesAsync($"document.readyState === 'complete' && document.body?.textContent.includes('says that you are {name}, and nobody of that name comes in here') === true");
                Assert.Equal(401, await browser.SayAsync<int>("fetch('/api/v1/whoami').then(answer => answer.status)"));
                await PictureAsync(browser, picture, 800, 300);
            }
        }
        finally
        {
            provider.Kill(entireProcessTree: true);
            hubs.Kill(entireProcessTree: true);
            await provider.WaitForExitAsync();
            await hubs.WaitForExitAsync();
        }
    }

    private static Dictionary<string, object> Provider(string preset, string issuer, params (string Name, object Value)[] more)
    {
        var settings = new Dictionary<string, object> { ["preset"] = preset, ["issuer"] = issuer, ["client_id"] = "stint", ["client_secret_env"] = "SECRET", ["loopback_http"] = true };
        foreach (var (name, value) in more)
        {
            settings[name] = value;
        }

        return settings;
    }

    private static async Task PictureAsync(Chromium browser, string name, int width, int height)
    {
        if (s_pictures is not null)
        {
            await browser.AskAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = false });
            var taken = await browser.AskAsync("Page.captureScreenshot", new JsonObject { ["format"] = "png" });
            await File.WriteAllBytesAsync(Path.Combine(s_pictures, name + ".png"), Convert.FromBase64String((string)taken["data"]!));
        }
    }
}
