using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>People who sign in at a real OpenID Connect provider, with a real browser.</summary>
public sealed class ProviderTests
{
    internal const string Secret = "canary-client-secret-of-a-test";

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
        using var provider = await OidcProviderAsync(port, stint.Web);
        try
        {
            await using var browser = await Chromium.StartAsync("Europe/Berlin");

            // There and back, to the page that was asked for.
            await browser.GoAsync($"{stint.Web}account?from=here");
            await browser.BecomesAsync("location.pathname === '/sign-in' && !!document.querySelector('a.btn[href^=\"/sign-in/acme\"]')");
            Assert.Equal("Sign in with Acme", await browser.SayAsync<string>("document.querySelector('a.btn').textContent"));
            await browser.SayAsync<bool>("document.querySelector('a.btn').click()");
            await ProveAsync(browser, place, "ann");
            await browser.BecomesAsync("location.pathname === '/account' && location.search === '?from=here' && document.body?.textContent.includes('oidc:acme') === true");
            await IsAsync(browser, "ann");
            Assert.Equal("", await browser.SayAsync<string>("document.cookie"));

            // A fresh proof: the provider asks again, though it knows them, and it counts for this session.
            await browser.GoAsync($"{stint.Web}sign-in/acme?fresh=1&then=%2Faccount%3Fproved%3D1");
            await ProveAsync(browser, place, "ann");
            await browser.BecomesAsync("location.search === '?proved=1'");

            // Whoever proves to be somebody else did not prove it for this session; and the provider, which signed Ann out for him, tells this server so by itself.
            await browser.GoAsync($"{stint.Web}sign-in/acme?fresh=1");
            await ProveAsync(browser, place, "bob");
            await browser.BecomesAsync("document.body?.textContent.includes('that is not who is signed in here') === true");
            await OutAsync(browser);

            // One click lets Bob in.
            await browser.GoAsync($"{stint.Web}sign-in/acme?then=%2Faccount");
            await browser.BecomesAsync("location.pathname === '/account' && document.body?.textContent.includes('Bob') === true");
            await IsAsync(browser, "bob");

            // He signs out of the provider: it tells this server by itself, and the browser is shut out within seconds.
            await browser.GoAsync($"{stint.Web}sign-in/acme/end");
            await browser.BecomesAsync($"location.origin === '{place}' && !!document.forms[0]");
            await browser.SayAsync<bool>("(() => { const yes = document.createElement('input'); yes.type = 'hidden'; yes.name = 'logout'; yes.value = 'yes'; document.forms[0].append(yes); document.forms[0].submit(); })()");
            await browser.BecomesAsync($"location.href === '{stint.Web}sign-in'");
            await OutAsync(browser);
            Assert.Contains("told of a logout", stint.Log, StringComparison.Ordinal);

            // Who is disabled, and who is nobody here, is told so, on one and the same page.
            foreach (var name in (string[])["carol", "mallory"])
            {
                await browser.GoAsync($"{stint.Web}sign-in/acme");
                await browser.BecomesAsync("location.pathname !== '/sign-in/acme'");
                await ProveAsync(browser, place, name);
                await browser.BecomesAsync($"document.body?.textContent.includes('says that you are {name}, and nobody of that name comes in here') === true");
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

    [Fact]
    public async Task SignIn_AtGlewlwyd()
    {
        var port = Ports.Free();
        var place = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        await using var stint = new StintServer(Catalog, new Dictionary<string, string?> { ["ACME_SECRET"] = Secret }, Settings($"{place}/api/oidc"));
        await stint.StartAsync();
        using var provider = await GlewlwydAsync(port, stint.Web);
        try
        {
            await using var browser = await Chromium.StartAsync("Europe/Berlin");
            await browser.GoAsync($"{stint.Web}sign-in/acme?then=%2Faccount%3Ffrom%3Dhere");
            await browser.BecomesAsync($"location.origin === '{place}' && location.pathname === '/login.html'");

            // What its page does once somebody typed their password and agreed, without the page.
            const string Send = "(path, method, body) => fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then(answer => answer.status)";
            Assert.Equal(200, await browser.SayAsync<int>($"({Send})('/api/auth/', 'POST', {{ username: 'ann', password: 'secret-of-ann' }})"));
            Assert.Equal(200, await browser.SayAsync<int>($"({Send})('/api/auth/grant/stint', 'PUT', {{ scope: 'openid' }})"));
            await browser.SayAsync<bool>("(location.href = new URLSearchParams(location.search).get('callback_url') + '&g_continue', true)");
            await browser.BecomesAsync("location.pathname === '/account' && location.search === '?from=here' && document.body?.textContent.includes('oidc:acme') === true");
            await IsAsync(browser, "ann");
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

    internal static async Task<Process> OidcProviderAsync(int port, Uri stint, string names = "acme")
    {
        var modules = (await Tool.RunAsync(Checkout.Eng("servers"), ["modules"])).Good().Trim();
        var script = Path.Combine(Checkout.Root, "tests", "Stint.EndToEnd", "Providers", "oidc-provider.mjs");
        var process = Tool.Start("node", [script, modules, port.ToString(CultureInfo.InvariantCulture), stint.ToString().TrimEnd('/'), names], new Dictionary<string, string?> { ["CLIENT_SECRET"] = Secret });
        await AnswersAsync(process, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/.well-known/openid-configuration"));
        return process;
    }

    /// <summary>Debian's glewlwyd, with a plugin for OpenID Connect, this client and Ann.</summary>
    private static async Task<Process> GlewlwydAsync(int port, Uri stint)
    {
        var unpacked = Path.Combine(Path.GetDirectoryName((await Tool.RunAsync(Checkout.Eng("servers"), ["modules"])).Good().Trim())!, "glewlwyd");
        var folder = RunFolder.Make("glewlwyd");
        var place = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        (await Tool.RunAsync("sqlite3", [Path.Combine(folder, "db"), $".read {unpacked}/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"])).Good();
        Directory.CreateDirectory(Path.Combine(folder, "web"));
        await File.WriteAllTextAsync(Path.Combine(folder, "web", "login.html"), "<!doctype html><title>Where its own page would be</title>");
        await File.WriteAllTextAsync(Path.Combine(folder, "conf"), $$"""
            port={{port}}
            bind_address="127.0.0.1"
            external_url="{{place}}"
            login_url="login.html"
            api_prefix="api"
            static_files_path="{{folder}}/web/"
            static_files_mime_types=( { extension=".html" mime_type="text/html" compress=0 } )
            log_mode="console"
            log_level="WARNING"
            cookie_domain="127.0.0.1"
            cookie_secure=0
            session_expiration=2419200
            session_key="GLEWLWYD2_SESSION_ID"
            admin_scope="g_admin"
            profile_scope="g_profile"
            user_module_path="{{unpacked}}/usr/lib/glewlwyd/user"
            client_module_path="{{unpacked}}/usr/lib/glewlwyd/client"
            user_auth_scheme_module_path="{{unpacked}}/usr/lib/glewlwyd/scheme"
            plugin_module_path="{{unpacked}}/usr/lib/glewlwyd/plugin"
            hash_algorithm="SHA512"
            database={ type="sqlite3" path="{{folder}}/db" };
            """);
        var process = Tool.Start(Path.Combine(unpacked, "usr", "bin", "glewlwyd"), ["-c", Path.Combine(folder, "conf")]);
        await AnswersAsync(process, $"{place}/api/mod/type");
        using var key = RSA.Create(2048);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = true });
        foreach (var (path, body) in new (string Path, object Body)[]
        {
            ("auth/", new { username = "admin", password = "password" }),
            ("mod/plugin/", new
            {
                module = "oidc",
                name = "oidc",
                display_name = "OpenID Connect",
                parameters = new Dictionary<string, object>
                {
                    ["iss"] = $"{place}/api/oidc",
                    ["jwt-type"] = "rsa",
                    ["jwt-key-size"] = "256",
                    ["key"] = key.ExportPkcs8PrivateKeyPem(),
                    ["cert"] = key.ExportSubjectPublicKeyInfoPem(),
                    ["access-token-duration"] = 3600,
                    ["refresh-token-duration"] = 1_209_600,
                    ["code-duration"] = 600,
                    ["refresh-token-rolling"] = true,
                    ["allow-non-oidc"] = false,
                    ["auth-type-code-enabled"] = true,
                    ["auth-type-token-enabled"] = false,
                    ["auth-type-id-token-enabled"] = true,
                    ["auth-type-none-enabled"] = false,
                    ["auth-type-password-enabled"] = false,
                    ["auth-type-client-enabled"] = false,
                    ["auth-type-device-enabled"] = false,
                    ["auth-type-refresh-enabled"] = false,
                    ["pkce-allowed"] = true,
                    ["pkce-method-plain-allowed"] = false,
                    ["pkce-required"] = true,
                    ["subject-type"] = "public",
                    ["name-claim"] = "no",
                    ["email-claim"] = "no",
                    ["scope-claim"] = "no",
                    ["claims"] = new[] { new Dictionary<string, object> { ["name"] = "preferred_username", ["user-property"] = "username", ["type"] = "string", ["mandatory"] = true, ["on-demand"] = false, ["scope"] = Array.Empty<string>() } },
                    ["jwks-show"] = true,
                    ["jwks-x5c"] = Array.Empty<string>(),
                    ["session-management-allowed"] = true,
                    ["front-channel-logout-allowed"] = false,
                    ["back-channel-logout-allowed"] = true,
                    ["session-cookie-name"] = "GLEWLWYD2_OIDC_SID",
                    ["session-cookie-expiration"] = 2_419_200,
                    ["oauth-rar-allowed"] = false,
                    ["request-parameter-allow"] = false,
                    ["allowed-scope"] = (string[])["openid"],
                },
            }),
            ("client/", new
            {
                client_id = "stint",
                name = "Stint",
                enabled = true,
                confidential = true,
                client_secret = Secret,
                redirect_uri = (string[])[$"{stint}sign-in/acme/callback"],
                authorization_type = (string[])["code", "id_token"],
                token_endpoint_auth_method = (string[])["client_secret_basic"],
                scope = (string[])["openid"],
                backchannel_logout_uri = $"{stint}sign-in/acme/logout",
                backchannel_logout_session_required = "true",
                post_logout_redirect_uris = $"{stint}sign-in",
            }),
            ("user/", new { username = "ann", name = "Ann", password = "secret-of-ann", scope = (string[])["g_profile", "openid"], enabled = true }),
        })
        {
            var answer = await http.PostAsJsonAsync(new Uri($"{place}/api/{path}"), body);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync()}");
        }

        return process;
    }

    internal static async Task AnswersAsync(Process process, string address)
    {
        RunFolder.Note(process.Id);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await Until.TrueAsync("the provider answers", s_soon, async () =>
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(address));
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }

    /// <summary>Gives the provider a name, and agrees to what it tells of it.</summary>
    internal static async Task ProveAsync(Chromium browser, string place, string name)
    {
        await browser.BecomesAsync($"location.origin === '{place}' && !!document.querySelector('input[name=login]')");
        await browser.SayAsync<bool>($"(() => {{ document.querySelector('input[name=login]').value = '{name}'; document.querySelector('input[name=password]').value = 'any'; document.forms[0].submit(); }})()");
        await Until.TrueAsync("agreed or back", s_soon, async () =>
        {
            await browser.SeesAsync($"location.origin === '{place}' && !!document.querySelector('input[name=prompt][value=consent]') ? (document.forms[0].submit(), true) : false");
            return await browser.SeesAsync($"location.origin !== '{place}' && document.readyState === 'complete'");
        });
    }

    private static Task OutAsync(Chromium browser) => Until.TrueAsync("signed out", s_soon, async () => await browser.SayAsync<int>("fetch('/api/v1/whoami').then(answer => answer.status)") == 401);

    private static async Task IsAsync(Chromium browser, string name)
    {
        var said = await browser.SayAsync<string>("fetch('/api/v1/whoami').then(answer => answer.text())");
        Assert.Contains($"\"id\":\"{name}\"", said, StringComparison.Ordinal);
    }
}
