using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>The pages in real browsers: the main job by two people with a psql beside them, everything again without scripts, and axe on every page.</summary>
/// <remarks>With <c>STINT_TEST_PICTURES</c> it puts the pictures of the README into the folder of that name.</remarks>
public sealed class WebTests(OpenShop open) : IClassFixture<OpenShop>
{
    private const string Password = "correct horse battery staple";

    private static readonly string? s_pictures = Environment.GetEnvironmentVariable("STINT_TEST_PICTURES");

    private string Own => $"http://localhost:{open.Stint.WebPort}";

    [Fact]
    public async Task MainJob_ByTwoPeopleInTwoBrowsers_OpensLive_IsFollowed_AndIsCutWhileThePageCountsDown()
    {
        foreach (var left in (await open.Ann.GetAsync("requests?mine=true&state=pending")).GetProperty("items").EnumerateArray())
        {
            await open.Ann.PostAsync($"requests/{left.GetProperty("id").GetString()}/cancel", new { });
        }

        await using var ann = await SignedInAsync("ann");
        await using var bob = await SignedInAsync("bob");
        await GoAsync(bob, "/approvals");
        Assert.Contains("Nothing waits for you", await TextAsync(bob), StringComparison.Ordinal);

        // What will come of it is said while the reason is typed, and before anything is sent.
        await GoAsync(ann, "/request?what=orders-db/owner&for=25");
        await ann.BecomesAsync("document.getElementById('decided').textContent.includes('It would be denied')");
        await ann.SayAsync<bool>("document.getElementById('reason').focus()");
        await ann.TypeAsync("unblock the nightly import");
        await ann.BecomesAsync("document.getElementById('decided').textContent.includes('Needs a yes of bob')");
        await PictureAsync(ann, "request");
        await ann.SayAsync<bool>("document.querySelector('form[action=\"/request\"][method=post] button[type=submit]').click()");
        await ann.BecomesAsync("location.pathname.startsWith('/requests/req-') && document.readyState === 'complete'");

        // It comes to Bob by itself; his keys answer it, take it back, and answer it again.
        await bob.BecomesAsync("document.querySelectorAll('article.ask').length === 1");
        Assert.Contains("1 waiting for you", await bob.SayAsync<string>("document.getElementById('waiting').textContent"), StringComparison.Ordinal);
        await PictureAsync(bob, "approvals");
        await bob.SayAsync<bool>("document.querySelector('article.ask').focus()");
        await bob.PressAsync("a", 65, "a");
        await bob.BecomesAsync("document.querySelector('.undo')?.textContent.includes('sent in five seconds') === true");
        await bob.PressAsync("u", 85, "u");
        await bob.BecomesAsync("document.querySelector('.undo') === null && document.activeElement.matches('article.ask')");
        Assert.Contains("pending", await TextAsync(ann), StringComparison.Ordinal);
        await bob.PressAsync("a", 65, "a");
        await ann.BecomesAsync("document.querySelector('#request .tag')?.textContent === 'approved'");
        await bob.BecomesAsync("document.querySelector('article.ask') === null");

        // A real psql; Ann's page counts down, and Bob follows what is said.
        var page = await ann.SayAsync<string>("location.pathname");
        await GoAsync(ann, "/home");
        await ann.BecomesAsync("document.getElementById('grants').textContent.includes('from when you begin')");
        using var psql = open.Ann.Start("connect", "orders-db/owner", "--", "psql", "-c", "select count(*) from orders", "-c", "select pg_sleep(120)");
        await ann.BecomesAsync("/^0:[0-2][0-9]$/.test(document.querySelector('[data-left]')?.textContent ?? '')");
        await PictureAsync(ann, "home");
        await GoAsync(bob, page!);
        await bob.BecomesAsync("document.querySelector('a[href^=\"/sessions/ses-\"]') !== null");
        await PictureAsync(bob, "one-request");
        await GoAsync(bob, (await bob.SayAsync<string>("document.querySelector('a[href^=\"/sessions/ses-\"]').getAttribute('href')"))!);
        await bob.BecomesAsync("[...document.querySelectorAll('ol.line pre')].some(one => one.textContent.includes('pg_sleep'))");
        Assert.Contains("SELECT 1, 1 row", await TextAsync(bob), StringComparison.Ordinal);
        await PictureAsync(bob, "session");

        await psql.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotEqual(0, psql.ExitCode);
        await ann.BecomesAsync("document.querySelector('#grants .ring.soon') === null");
        await bob.BecomesAsync("document.querySelector('#session .tag')?.textContent === 'ended' && document.body.textContent.includes('the session ended')");

        // Nothing of it broke the pages' own rules, and nothing was asked of anybody else.
        foreach (var browser in (Chromium[])[ann, bob])
        {
            Assert.Empty(browser.Complaints);
            Assert.All(browser.Requests, sent => Assert.StartsWith(Own, (string?)sent["url"], StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task EveryPage_InBothThemes_HasNoViolationThatAxeKnows_AndServesWithoutScripts()
    {
        await open.Ann.StintAsync("connect", "orders-db/read-only", "--", "psql", "-Atc", "select 1");
        (await open.Ann.StintAsync("request", "orders-db/read-only", "--for", "30m", "--reason", "counting", "--wait")).Good();
        (await open.Ann.StintAsync("connect", "orders-db/read-only", "--", "psql", "-Atc", "select count(*) from orders")).Good();
        var waits = (await open.Ann.StintJsonAsync("request", "orders-db/owner", "--for", "30m", "--reason", "an index")).GetProperty("id").GetString();
        var session = (await open.Carol.GetAsync("sessions?limit=1")).GetProperty("items")[0].GetProperty("id").GetString();
        var modules = (await Tool.RunAsync(Checkout.Eng("servers"), ["modules"])).Good().Trim();
        var axe = await File.ReadAllTextAsync(Path.Combine(modules, "axe-core", "axe.min.js"));

        await using var ann = await SignedInAsync("ann");
        await using var bob = await SignedInAsync("bob");
        await using var carol = await SignedInAsync("carol");
        List<string> wrong = [];
        foreach (var (browser, paths) in new (Chromium, string[])[]
        {
            (ann, ["/home", "/request", "/request?what=orders-db/owner", "/request?what=first-week", "/requests", $"/requests/{waits}", "/sessions", "/account", "/account/ways", "/account/command-lines", "/device", "/requests/none"]),
            (bob, ["/approvals", $"/approve/{waits}", $"/requests/{waits}", "/home"]),
            (carol, ["/sessions", $"/sessions/{session}", "/sessions/statements?table=orders", "/audit", "/audit?kind=GrantOpened", "/audit/at?resource=orders-db", "/sign-in", "/problems"]),
        })
        {
            foreach (var (theme, width) in new[] { ("light", 1200), ("dark", 390) })
            {
                await browser.AskAsync("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = theme }) });
                await browser.AskAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = 800, ["deviceScaleFactor"] = 1, ["mobile"] = false });
                foreach (var path in paths)
                {
                    await GoAsync(browser, path);
                    await browser.SayAsync<bool>(axe + ";true");
                    var found = await browser.SayAsync<string>("axe.run().then(all => JSON.stringify(all.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))))");
                    wrong.AddRange(JsonSerializer.Deserialize<string[]>(found!)!.Select(one => $"{path} {theme}: {one}"));
                    if (await browser.SayAsync<int>("document.documentElement.scrollWidth - innerWidth") is > 0 and var beyond)
                    {
                        wrong.Add($"{path} {theme}: {beyond} pixels wider than the screen of {width}");
                    }
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        await carol.AskAsync("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = "dark" }) });
        await carol.AskAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = 1200, ["height"] = 760, ["deviceScaleFactor"] = 1, ["mobile"] = false });
        await GoAsync(carol, "/audit");
        await carol.SayAsync<bool>("document.querySelector('form[action=\"/audit/verify\"] button').click()");
        await carol.BecomesAsync("document.querySelector('#verified .well') !== null");
        await PictureAsync(carol, "audit");

        // Without scripts: asked, and answered.
        foreach (var browser in (Chromium[])[ann, bob])
        {
            await browser.AskAsync("Emulation.setScriptExecutionDisabled", new JsonObject { ["value"] = true });
        }

        await GoAsync(ann, "/request?what=orders-db/owner");
        await ann.SayAsync<bool>("document.getElementById('reason').value = 'with no script'; document.querySelector('form[action=\"/request\"][method=post]').submit()");
        await ann.BecomesAsync("location.pathname.startsWith('/requests/req-') && document.readyState === 'complete'");
        var asked = (await ann.SayAsync<string>("location.pathname"))!;
        await GoAsync(bob, "/approvals");
        await bob.SayAsync<bool>($"document.querySelector('form[action=\"/approve/{asked["/requests/".Length..]}\"]').submit()");
        await bob.BecomesAsync("location.pathname.startsWith('/approve/') && document.title.includes('approved')");
        await GoAsync(ann, asked);
        Assert.Contains("said yes", await TextAsync(ann), StringComparison.Ordinal);
        await ann.AskAsync("Emulation.setScriptExecutionDisabled", new JsonObject { ["value"] = false });

        // The server goes away: the page says so, and catches up once it is back.
        await GoAsync(ann, "/home");
        await ann.BecomesAsync("document.documentElement.dataset.live === 'yes'");
        await open.Stint.StopAsync();
        await ann.BecomesAsync("document.getElementById('news').hidden === false && document.getElementById('news').textContent.includes('This page is not live')");
        await open.Stint.StartAsync();
        (await open.Ann.StintAsync("request", "orders-db/owner", "--for", "10m", "--reason", "asked meanwhile")).ToString();
        await ann.BecomesAsync("document.getElementById('news').hidden && document.getElementById('asked').textContent.includes('asked meanwhile')");
    }

    private async Task GoAsync(Chromium browser, string path)
    {
        await browser.GoAsync(Own + path);
        var expected = path.Split('?')[0];
        await browser.BecomesAsync($"location.pathname === {JsonSerializer.Serialize(expected)} && document.readyState === 'complete'");
    }

    private static async Task<string> TextAsync(Chromium browser) => (await browser.SayAsync<string>("document.body.innerText"))!;

    /// <summary>Makes somebody a password by the link that an administrator gives them, and opens a browser in which they are signed in.</summary>
    private async Task<Chromium> SignedInAsync(string person)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(Own) };
        var answer = await open.Carol.TryPostAsync($"people/{person}/invite", new { });
        string cookie;
        if (answer.IsSuccessStatusCode)
        {
            var link = (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["link"]!;
            cookie = await PostedAsync(http, "/set-up/password", ("code", link.Split('#')[1]), ("person", person), ("password", Password), ("again", Password));
        }
        else
        {
            cookie = await PostedAsync(http, "/sign-in/password", ("name", person), ("password", Password), ("then", "/home"));
        }

        var browser = await Chromium.StartAsync("Europe/Berlin");
        await browser.AskAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = 1200, ["height"] = 760, ["deviceScaleFactor"] = 1, ["mobile"] = false });
        await browser.AskAsync("Network.setCookie", new JsonObject { ["name"] = "__Host-stint", ["value"] = cookie, ["url"] = Own + "/", ["path"] = "/", ["secure"] = true, ["httpOnly"] = true });
        return browser;
    }

    private static async Task<string> PostedAsync(HttpClient http, string path, params (string Name, string Value)[] fields)
    {
        using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value))));
        var set = answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? string.Join('\n', cookies) : $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
        return Regex.Match(set, "__Host-stint=([^;]+)") is { Success: true } match ? match.Groups[1].Value : throw new InvalidOperationException(set);
    }

    private static async Task PictureAsync(Chromium browser, string name)
    {
        if (s_pictures is not null)
        {
            var taken = await browser.AskAsync("Page.captureScreenshot", new JsonObject { ["format"] = "png" });
            await File.WriteAllBytesAsync(Path.Combine(s_pictures, name + ".png"), Convert.FromBase64String((string)taken["data"]!));
        }
    }
}
