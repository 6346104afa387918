using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>A person logs in a command line by a real browser: by a code, and by the browser of the same machine.</summary>
public sealed partial class CommandLineTests(RealServers servers)
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(30);

    [GeneratedRegex("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")]
    private static partial Regex Code();

    [Fact]
    public async Task Login_ByABrowser_LastsAcrossTokens_ForTenAtOnce_UntilItIsRevoked()
    {
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(await PostgresStore.OfAsync(shop));
        await stint.StartAsync();
        var store = $"{shop.Database}_store";
        var ann = shop.Seat(stint, "ann");
        await using var browser = await Chromium.StartAsync("Europe/Berlin");
        await SignInAsync(shop.Server, store, stint, browser, "ann");

        // By a code, which is typed.
        var at = Seat(ann);
        using var login = Tool.Start(Checkout.Stint, ["login", "--device"], at);
        login.StandardInput.Close();
        var code = "";
        while (!Code().IsMatch(code))
        {
            code = await login.StandardError.ReadLineAsync().WaitAsync(s_soon) ?? throw new InvalidOperationException("no code");
        }

        code = Code().Match(code).Value;
        await browser.GoAsync(new Uri(stint.Web, "/device").ToString());
        await browser.BecomesAsync("document.activeElement?.id === 'code'");
        await browser.TypeAsync(code.ToLowerInvariant());
        await browser.PressAsync("Enter", 13, "\r");
        await browser.BecomesAsync("document.querySelector('button[value=allow]') !== null");
        Assert.Contains(System.Environment.MachineName, await browser.SayAsync<string>("document.querySelector('main').innerText"), StringComparison.Ordinal);
        await browser.SayAsync<bool>("document.querySelector('button[value=allow]').click() ?? true");
        await browser.BecomesAsync("document.querySelector('h1')?.textContent === 'Allowed'");
        var said = await login.StandardOutput.ReadToEndAsync().WaitAsync(s_soon);
        await login.WaitForExitAsync().WaitAsync(s_soon);
        Assert.True(login.ExitCode == 0, said + await login.StandardError.ReadToEndAsync());
        Assert.Contains("as ann", said, StringComparison.Ordinal);

        var file = Path.Combine(at["XDG_CONFIG_HOME"]!, "stint", "login.json");
        Assert.Equal(
            (UnixFileMode.UserRead | UnixFileMode.UserWrite, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute),
            (File.GetUnixFileMode(file), File.GetUnixFileMode(Path.GetDirectoryName(file)!)));
        Assert.Contains($"kept in   {file}", (await WhoAmIAsync(at)).Good(), StringComparison.Ordinal);

        // Ten at once, with a token that is over: one of them fetches the next.
        Change(file, kept => kept["tokens"]!["until"] = "2026-01-01T00:00:00.0000000+00:00");
        foreach (var one in await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => WhoAmIAsync(at))))
        {
            Assert.Contains("ann", one.Good(), StringComparison.Ordinal);
        }

        Assert.Equal(2, await shop.Server.AskAsync<long>("select count(*) from stint.cli_tokens", store));

        // One that the server does not know, though it should last: the next is fetched, once.
        Change(file, kept => kept["tokens"]!["access"] = "stint_u_unknown");
        (await WhoAmIAsync(at)).Good();
        Assert.Equal(3, await shop.Server.AskAsync<long>("select count(*) from stint.cli_tokens", store));

        // By the browser of the same machine, in another home, on a desktop with a keyring.
        var other = Seat(ann);
        var (tools, asked) = (RunFolder.Make("tools"), Path.Combine(RunFolder.Make("asked"), "page"));
        await File.WriteAllTextAsync(Path.Combine(tools, "xdg-open"), $"#!/bin/sh\ncat \"$1\" >{asked}.new\nmv {asked}.new {asked}\n");
        var (ring, called) = (Path.Combine(tools, "ring"), Path.Combine(tools, "called"));
        await File.WriteAllTextAsync(
            Path.Combine(tools, "secret-tool"), $"#!/bin/sh\necho \"$*\" >>{called}\ncase \"$1\" in store) cat >{ring} ;; lookup) cat {ring} ;; clear) rm -f {ring} ;; esac\n");
        foreach (var tool in (string[])["xdg-open", "secret-tool"])
        {
            File.SetUnixFileMode(Path.Combine(tools, tool), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        (other["DISPLAY"], other["DBUS_SESSION_BUS_ADDRESS"], other["PATH"]) = (":99", "unix:path=/nonexistent", $"{tools}:{System.Environment.GetEnvironmentVariable("PATH")}");
        var second = Tool.RunAsync("script", ["-qec", $"{Checkout.Stint} login", "/dev/null"], other);
        await Until.TrueAsync("the browser is asked", s_soon, async () => second.IsCompleted ? throw new InvalidOperationException((await second).ToString()) : File.Exists(asked));
        var address = WebUtility.HtmlDecode((await File.ReadAllTextAsync(asked)).Split("url=")[1].Split('"')[0]);
        await browser.GoAsync(address);
        await browser.BecomesAsync("document.querySelector('button[value=allow]') !== null");
        Assert.False(second.IsCompleted);
        await browser.SayAsync<bool>("document.querySelector('button[value=allow]').click() ?? true");
        await browser.BecomesAsync("document.body?.innerText.includes('you can close this page') === true");
        Assert.Contains("as ann", (await second).Good(), StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Complaints, complaint => !complaint.Contains("favicon", StringComparison.Ordinal));
        Assert.Contains("kept in   the keyring", (await WhoAmIAsync(other)).Good(), StringComparison.Ordinal);
        Change(ring, kept => kept["until"] = "2026-01-01T00:00:00.0000000+00:00");
        (await WhoAmIAsync(other)).Good();
        Assert.DoesNotContain("2026-01-01", await File.ReadAllTextAsync(ring), StringComparison.Ordinal);
        Assert.DoesNotContain("stint_", await File.ReadAllTextAsync(Path.Combine(other["XDG_CONFIG_HOME"]!, "stint", "login.json")), StringComparison.Ordinal);
        Assert.DoesNotContain("stint_", await File.ReadAllTextAsync(called), StringComparison.Ordinal);
        var logins = JsonDocument.Parse((await Tool.RunAsync(Checkout.Stint, ["logins", "--json"], other)).Good()).RootElement.GetProperty("items");
        Assert.Equal(["loopback", "device"], logins.EnumerateArray().Select(one => one.GetProperty("kind").GetString()));

        // What others can read is not read; what was ended is over, wherever it was copied to.
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("can be read by others", (await WhoAmIAsync(at)).Error, StringComparison.Ordinal);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var copied = await File.ReadAllTextAsync(file);
        Assert.Contains("Logged out, here and at the server.", (await Tool.RunAsync(Checkout.Stint, ["logout"], at)).Good(), StringComparison.Ordinal);
        Assert.Equal(8, (await WhoAmIAsync(at)).ExitCode);
        await File.WriteAllTextAsync(file, copied);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var thief = await WhoAmIAsync(at);
        Assert.Equal(8, thief.ExitCode);
        Assert.Contains("is over", thief.Error, StringComparison.Ordinal);
        Assert.Contains("stint login", thief.Error, StringComparison.Ordinal);
        var ended = logins[0].GetProperty("id").GetString()!;
        (await shop.Seat(stint, "carol").StintAsync("logins", "end", ended)).Good();
        Assert.Equal(8, (await WhoAmIAsync(other)).ExitCode);
        Assert.Equal(0, await shop.Server.AskAsync<long>("select count(*) from stint.cli_logins where ended_at is null", store));
        (await shop.Seat(stint, "carol").StintAsync("audit", "verify")).Good();
        Assert.DoesNotContain("stint_r_", stint.Log, StringComparison.Ordinal);
    }

    private static Task<Output> WhoAmIAsync(IReadOnlyDictionary<string, string?> at) => Tool.RunAsync(Checkout.Stint, ["whoami"], at);

    /// <summary>A home of its own on a machine without a desktop, with no token.</summary>
    private static Dictionary<string, string?> Seat(Seat ann)
    {
        var home = RunFolder.Make("home");
        return new Dictionary<string, string?>(ann.Environment)
        {
            ["STINT_TOKEN"] = null,
            ["HOME"] = home,
            ["XDG_CONFIG_HOME"] = home,
            ["DBUS_SESSION_BUS_ADDRESS"] = null,
            ["SSH_CONNECTION"] = null,
            ["SSH_CLIENT"] = null,
            ["SSH_TTY"] = null,
        };
    }

    private static void Change(string file, Action<JsonNode> change)
    {
        var kept = JsonNode.Parse(File.ReadAllText(file))!;
        change(kept);
        File.WriteAllText(file, kept.ToJsonString());
    }

    /// <summary>Signs a browser in as the last step of every way to sign in leaves it: how somebody proves who they are is tried elsewhere.</summary>
    private static async Task SignInAsync(PostgresServer server, string store, StintServer stint, Chromium browser, string person)
    {
        var secret = "stint_b_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        await server.RunAsync(
            $"insert into stint.web_sessions (id, hash, csrf, person, proved_by, proved_at, address, agent, made_at, used_at, expires_at) "
            + $"values ('si-endtoend0000', '\\x{hash}', '{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))}', '{person}', 'passkey', {now}, '127.0.0.1', 'test', {now}, {now}, {now + 3_600_000_000})",
            store);
        await browser.GoAsync(new Uri(stint.Web, "/sign-in").ToString());
        await browser.BecomesAsync("document.querySelector('h1') !== null && location.pathname === '/sign-in'");
        await browser.SayAsync<string>($"document.cookie = '__Host-stint={secret}; Secure; Path=/'");
    }
}
