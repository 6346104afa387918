using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>The report of a replay, as a browser without a login gets it.</summary>
public sealed class ReportApiTests : IAsyncLifetime
{
    private const string Markup = "<img src=x onerror=alert(1)>";

    private static readonly string Now = TestNode.Catalog.Replace("name: Ann", $"name: '{Markup}'", StringComparison.Ordinal);
    private static readonly string Other = TestNode.Catalog.Replace("max: 4h", "max: 2h", StringComparison.Ordinal);

    private TestNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await TestNode.StartAsync(Now, ("STINT_CATALOG_FROM", "store"));

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private static object[] Files(string text) => [new { name = "all.yaml", text }];

    private async Task<List<JsonObject>> ReplayAsync(string who = "dan", bool keep = true)
    {
        var (status, _, response) = await _node.SendAsync(who, HttpMethod.Post, "/api/v1/catalog/replay", new { files = Files(Other), since_seconds = 86_400, keep });
        Assert.Equal(HttpStatusCode.OK, status);
        return [.. (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
    }

    private async Task<(string Id, string Key)> KeptAsync(string who = "dan")
    {
        var report = (await ReplayAsync(who)).Single(line => line.ContainsKey("report"))["report"]!;
        return ((string)report["id"]!, (string)report["key"]!);
    }

    private async Task<int> OpenAsync(string id, string? key) => (int)(await _node.SendAsync(key, HttpMethod.Get, $"/api/v1/catalog/replays/{id}")).Status;

    private Task ApplyAsync(string text) => ApplyAsync("carol", text);

    private async Task ApplyAsync(string who, string text) =>
        await _node.PostAsync(who, "/api/v1/catalog/apply", new { files = Files(text), @base = (string)(await _node.GetAsync(who, "/api/v1/catalog"))["version"]! });

    [Fact]
    public async Task Report_Kept_IsOpenedByItsKey_AndHoldsWhatWasToldLineByLine()
    {
        await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", for_seconds = 3 * 3600, reason = Markup }, HttpStatusCode.Created);
        var lines = await ReplayAsync();
        Assert.True(lines[^1].ContainsKey("total"));
        var report = lines[^2]["report"]!;
        var key = (string)report["key"]!;
        Assert.Matches("^str_[A-Za-z0-9_-]{43}$", key);

        var (status, body, response) = await _node.SendAsync(key, HttpMethod.Get, $"/api/v1/catalog/replays/{report["id"]}");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.True(JsonNode.DeepEquals(lines[^1]["total"], body["total"]));
        var item = Assert.Single(body["items"]!.AsArray())!;
        Assert.True(JsonNode.DeepEquals(lines.Single(line => line.ContainsKey("item"))["item"], item));
        Assert.Equal(("ann", Markup, Markup, "shorter", "approved"), ((string?)item["subject"], (string?)item["name"], (string?)item["reason"], (string?)item["what"], (string?)item["state"]));
        Assert.Equal(["read"], item["rules"]!.AsArray().Select(rule => (string?)rule));
        Assert.Equal("dan", (string?)body["made_by"]);

        // On record, and the key nowhere: not in the log, and in the store as its hash.
        var log = await (await _node.SendAsync("dan", HttpMethod.Get, "/api/v1/audit/export")).Response.Content.ReadAsStringAsync();
        Assert.Contains("ReportKept", log, StringComparison.Ordinal);
        Assert.Contains((string)report["id"]!, log, StringComparison.Ordinal);
        Assert.DoesNotContain(key[4..], log, StringComparison.Ordinal);
        Assert.DoesNotContain(key[4..], _node.Output.ToString(), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(_node.Folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var read = new StreamReader(open, Encoding.Latin1);
            Assert.DoesNotContain(key[4..], await read.ReadToEndAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Replay_NotAskedToKeep_KeepsNothing()
    {
        Assert.DoesNotContain(await ReplayAsync(keep: false), line => line.ContainsKey("report"));
        Assert.Equal(403, (int)(await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/catalog/replay", new { files = Files(Other), since_seconds = 60, keep = true })).Status);
        var log = await (await _node.SendAsync("dan", HttpMethod.Get, "/api/v1/audit/export")).Response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("ReportKept", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_OnEveryOtherRoute_IsNobodys()
    {
        var (id, key) = await KeptAsync();
        var (other, _) = await KeptAsync("carol");
        Assert.Equal(401, await OpenAsync(other, key));

        var (_, document, _) = await _node.SendAsync(null, HttpMethod.Get, "/openapi/v1.json");
        var tried = 0;
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in methods!.AsObject().Where(one => one.Value!["security"] is JsonArray { Count: > 0 } security && security[0]!.AsObject().Count > 0))
            {
                var at = Regex.Replace(path, "{[^}]+}", id, RegexOptions.None, TimeSpan.FromSeconds(1));
                var (status, _, response) = await _node.SendAsync(key, new HttpMethod(method.ToUpperInvariant()), at, method == "get" ? null : new { });

                // Somebody who tries this often is asked to wait: no more let in than before.
                Assert.True((int)status is 401 or 429, $"{method} {path} answered {status}");
                response.Dispose();
                tried++;
            }
        }

        Assert.True(tried > 50);
    }

    [Fact]
    public async Task Report_WhateverIsWrong_IsOneAnswer()
    {
        var (id, key) = await KeptAsync();
        List<string> answers = [];
        foreach (var (name, sent) in ((string, string?)[])[(id, null), (id, "dan"), (id, "carol"), (id, key[..^1] + (key[^1] == 'A' ? 'B' : 'A')), (id, "str_"), (id, "str_" + new string('x', 4_000)), ("rp-000000000000", key), ("%0A", key), (new string('x', 300), key)])
        {
            var (status, body, _) = await _node.SendAsync(sent, HttpMethod.Get, $"/api/v1/catalog/replays/{name}");
            Assert.Equal(401, (int)status);
            body.Remove("instance");
            answers.Add(body.ToJsonString());
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(200, await OpenAsync(id, key));

        // The key counts in its header and nowhere else.
        Assert.Equal(401, (int)(await _node.SendAsync(null, HttpMethod.Get, $"/api/v1/catalog/replays/{id}?key={key}")).Status);
    }

    [Fact]
    public async Task Report_GuessedAtTooOften_IsAnsweredLater()
    {
        var (id, key) = await KeptAsync();
        var last = 0;
        for (var i = 0; i < 62; i++)
        {
            last = await OpenAsync(id, $"str_{i}");
        }

        Assert.Equal(429, last);
        Assert.Equal(429, await OpenAsync(id, key));
    }

    [Theory]
    [InlineData("auditors: [dan]", "auditors: [bob]")]
    [InlineData("dan: { name: Dan,", "dan: { disabled: true, name: Dan,")]
    public async Task Report_OfSomebodyWhoMayNotReplayAnyMore_IsClosed(string before, string after)
    {
        var (id, key) = await KeptAsync();
        Assert.Equal(200, await OpenAsync(id, key));
        await ApplyAsync(Now.Replace(before, after, StringComparison.Ordinal));
        Assert.Equal(401, await OpenAsync(id, key));
        await ApplyAsync(Now);
        Assert.Equal(200, await OpenAsync(id, key));
    }

    [Fact]
    public async Task Page_ForEveryName_IsTheSame_AndRunsNothingButItsOwn()
    {
        var (id, _) = await KeptAsync();
        List<string> pages = [];
        foreach (var name in (string[])[id, "rp-000000000000", "%3Cscript%3E"])
        {
            var (status, _, response) = await _node.SendAsync(null, HttpMethod.Get, $"/catalog/replays/{name}");
            Assert.Equal(HttpStatusCode.OK, status);
            string One(string header) => Assert.Single(response.Headers.GetValues(header));
            Assert.Equal(("no-referrer", "DENY", "nosniff", "same-origin"), (One("Referrer-Policy"), One("X-Frame-Options"), One("X-Content-Type-Options"), One("Cross-Origin-Opener-Policy")));
            var page = await response.Content.ReadAsStringAsync();
            var policy = One("Content-Security-Policy");
            foreach (var tag in (string[])["script", "style"])
            {
                var text = Assert.Single(Regex.Matches(page, $"<{tag}>(.*?)</{tag}>", RegexOptions.Singleline, TimeSpan.FromSeconds(1))).Groups[1].Value;
                Assert.Contains($"{tag}-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}';", policy, StringComparison.Ordinal);
            }

            Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotMatch("""(?i)\s(?:on[a-z]+|style|src)=|https?://|innerHTML|insertAdjacent|\{style\}|\{script\}""", page);
            pages.Add(page);
        }

        Assert.Single(pages.Distinct());
    }
}
