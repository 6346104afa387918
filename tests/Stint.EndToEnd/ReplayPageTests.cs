using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>A replay looked at in a real browser.</summary>
public sealed class ReplayPageTests(OpenShop open) : IClassFixture<OpenShop>
{
    private const string Markup = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>";

    [Fact]
    public async Task Replay_OpenedInABrowser_ShowsWhatWouldBeOtherwise_AndTakesNothingForMarkup()
    {
        await open.Ann.StintAsync("request", "orders-db/read-only", "--for", "3h", "--reason", Markup);
        await open.Bob.StintAsync("request", "orders-db/writer", "--for", "20m", "--reason", "import");
        await open.Ann.StintAsync("request", "orders-db/owner", "--for", "20m", "--reason", "index");
        var folder = RunFolder.Make("replayed");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "catalog.yaml"),
            open.Shop.Catalog
                .Replace("for: { default: 30m, max: 4h }", "for: { default: 30m, max: 2h }", StringComparison.Ordinal)
                .Replace("approve: { steps: [{ from: owners }] }", "approve: { auto: true }", StringComparison.Ordinal)
                + "\n  no-imports:\n    deny: person:bob\n    roles: [orders-db/writer]\n");

        var replay = await open.Carol.StintAsync("catalog", "replay", folder, "--since", "1d", "--web", "--json");
        Assert.True(replay.ExitCode == 9, replay.ToString());
        var address = JsonDocument.Parse(replay.Out).RootElement.GetProperty("report").GetProperty("address").GetString()!;
        var (page, key) = (address.Split('#')[0], address.Split('#')[1]);
        Assert.StartsWith($"{open.Stint.Web}catalog/replays/rp-", page, StringComparison.Ordinal);
        Assert.Matches($"{open.Stint.Web}catalog/replays/rp-[0-9a-z]{{12}}#str_[\\w-]{{43}}\n", (await open.Carol.StintAsync("catalog", "replay", folder, "--since", "1d", "--web")).Out);

        await using var browser = await Chromium.StartAsync("Asia/Kolkata");
        await browser.GoAsync(address);
        await browser.BecomesAsync("document.getElementById('report')?.hidden === false");

        // The numbers first.
        Assert.Equal(["1 refused now", "1 without a yes now", "0 need another yes now", "1 for shorter now", "0 the same as then"], await TextsAsync(browser, "#numbers > *"));
        Assert.Equal(3, (await TextsAsync(browser, "#lines tr")).Length);
        Assert.Contains("Times in Asia/", await browser.SayAsync<string>("document.getElementById('about').textContent"), StringComparison.Ordinal);

        // What somebody wrote is text.
        Assert.Contains(Markup, await browser.SayAsync<string>("document.getElementById('lines').textContent"), StringComparison.Ordinal);
        Assert.Equal(0, await browser.SayAsync<int>("document.querySelectorAll('img, #lines b').length"));
        Assert.NotEqual("broken", await browser.SayAsync<string>("document.title"));

        // The key went into one header, and into no address; the bar does not have it any more.
        Assert.Equal(page, await browser.SayAsync<string>("location.href"));
        Assert.Equal(1, await browser.SayAsync<int>("history.length - 1"));
        Assert.All(browser.Requests, sent =>
        {
            Assert.StartsWith(open.Stint.Web.ToString(), (string?)sent["url"], StringComparison.Ordinal);
            Assert.DoesNotContain(key, (string?)sent["url"], StringComparison.Ordinal);
            Assert.Equal("", (string?)sent["headers"]!["Referer"] ?? "");
        });
        Assert.Single(browser.Requests, sent => sent["headers"]!.ToJsonString().Contains(key, StringComparison.Ordinal));
        Assert.DoesNotContain(key, open.Stint.Log, StringComparison.Ordinal);

        // With the keyboard alone: to the first number, which filters, and on to the text.
        await browser.PressAsync("Tab", 9);
        await browser.PressAsync("Enter", 13, "\r");
        await browser.BecomesAsync("document.activeElement.getAttribute('aria-pressed') === 'true'");
        Assert.Equal("1 of 3 lines shown.", await browser.SayAsync<string>("document.querySelector('[role=status]').textContent"));
        Assert.Single(await TextsAsync(browser, "#lines tr:not([hidden])"));
        await browser.PressAsync("Enter", 13, "\r");
        await browser.SayAsync<bool>("document.getElementById('text').focus()");
        await browser.TypeAsync("ANN owner");
        await browser.BecomesAsync("document.querySelector('[role=status]').textContent === '1 of 3 lines shown.'");
        Assert.Contains("index", Assert.Single(await TextsAsync(browser, "#lines tr:not([hidden])")), StringComparison.Ordinal);

        // What does not come from us does not run, and nothing of ours was refused.
        Assert.Empty(browser.Complaints);
        Assert.Equal("refused", await browser.SayAsync<string>("(() => { try { document.body.innerHTML = '<i>x</i>'; return 'taken'; } catch { return 'refused'; } })()"));

        // A reload has no key, and says so.
        await browser.GoAsync(page);
        await browser.BecomesAsync("location.href.length > 0 && document.getElementById('trouble')?.hidden === false");
        Assert.Contains("open the address again", await browser.SayAsync<string>("document.getElementById('trouble').textContent"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Web_OnATerminalWithAScreen_OpensABrowserWithoutShowingTheKeyToAnybody()
    {
        var (folder, tools) = (RunFolder.Make("replayed"), RunFolder.Make("tools"));
        await File.WriteAllTextAsync(Path.Combine(folder, "catalog.yaml"), open.Shop.Catalog);
        var (asked, given) = (Path.Combine(tools, "asked"), Path.Combine(tools, "given"));
        var opener = Path.Combine(tools, "xdg-open");
        await File.WriteAllTextAsync(opener, $"#!/bin/sh\nstat -c %a \"$1\" >{given}\ncat \"$1\" >>{given}\necho \"$*\" >{asked}.new\nmv {asked}.new {asked}\n");
        File.SetUnixFileMode(opener, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var screen = new Dictionary<string, string?>(open.Carol.Environment) { ["DISPLAY"] = ":99", ["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}" };
        Task<Output> ReplayAsync(string more) => Tool.RunAsync("script", ["-qec", $"{Checkout.Stint} catalog replay {folder} --since 1d --web {more}", "/dev/null"], screen);

        Assert.Contains("/catalog/replays/", (await ReplayAsync("--no-browser")).Out, StringComparison.Ordinal);
        Assert.False(File.Exists(asked));
        var said = (await ReplayAsync("")).Out;
        await Until.TrueAsync("the browser is asked", TimeSpan.FromSeconds(10), () => Task.FromResult(File.Exists(asked)));

        // Everybody on the machine sees a program's arguments: there is a file, which its owner alone reads.
        Assert.DoesNotContain("str_", await File.ReadAllTextAsync(asked), StringComparison.Ordinal);
        var page = await File.ReadAllTextAsync(given);
        Assert.StartsWith("600\n", page, StringComparison.Ordinal);
        var address = said[said.IndexOf(open.Stint.Web.ToString(), StringComparison.Ordinal)..].Split('\r', '\n')[0];
        Assert.Contains($"url={address}\"", page, StringComparison.Ordinal);
    }

    private static async Task<string[]> TextsAsync(Chromium browser, string selector) =>
        (await browser.SayAsync<string[]>($"[...document.querySelectorAll({JsonSerializer.Serialize(selector)})].map(one => one.textContent.trim())"))!;
}
