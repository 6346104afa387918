using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Server.Identity;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Web;

/// <summary>What pages are made of, and how they hear that something changed.</summary>
public sealed partial class LivePagesTests
{
    [GeneratedRegex("(?:src|href)=\"(/assets/[0-9a-f]{16}/[a-z.]+)\"")]
    private static partial Regex AssetLinks();

    [Fact]
    public async Task Assets_OfAPage_AreKeptForEver_AndComeSmall()
    {
        await using var node = await TestNode.StartAsync();
        using var browser = new Browser(node);
        await browser.SignInAsync("ann");
        var (page, html) = await browser.GetAsync("/home");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var links = AssetLinks().Matches(html).Select(match => match.Groups[1].Value).ToList();
        Assert.True(links.Count >= 6, html);
        var transferred = html.Length;
        foreach (var link in links)
        {
            var (small, _) = await browser.SendAsync(HttpMethod.Get, link, null, ("Accept-Encoding", "gzip, br"));
            var (whole, text) = await browser.GetAsync(link);
            Assert.Equal((HttpStatusCode.OK, "public, max-age=31536000, immutable", "br"), (small.StatusCode, small.Headers.CacheControl!.ToString(), small.Content.Headers.ContentEncoding.Single()));
            Assert.Empty(whole.Content.Headers.ContentEncoding);
            Assert.DoesNotContain("sourceMappingURL", text, StringComparison.Ordinal);
            transferred += (int)small.Content.Headers.ContentLength!;
        }

        Assert.InRange(transferred, 1, 150_000);

        // Nothing is run that stands in the page, nothing looks like it does, and nothing comes from elsewhere.
        Assert.DoesNotMatch("<script(?![^>]* src=)|<style|[ ]style=|[ ]on[a-z]+=|https?://", html);

        // Under another version's address it is given, and kept by nobody.
        var (other, _) = await browser.GetAsync(Regex.Replace(links[0], "[0-9a-f]{16}", "0000000000000000"));
        Assert.Equal((HttpStatusCode.OK, "no-store"), (other.StatusCode, other.Headers.CacheControl!.ToString()));
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/assets/x/none.js")).Response.StatusCode);
    }

    [Fact]
    public async Task Live_TellsWhatIsTheirs_AndNotEvenTheMomentOfAnythingElse()
    {
        await using var node = await TestNode.StartAsync();
        using var nobody = new Browser(node);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/live")).Response.StatusCode);
        using var ann = new Browser(node);
        using var bob = new Browser(node);
        using var eve = new Browser(node);
        await ann.SignInAsync("ann");
        await bob.SignInAsync("bob");
        var session = await eve.SignInAsync("eve");
        await using var forAnn = await Stream.OpenAsync(node, ann, "/live");
        await using var forBob = await Stream.OpenAsync(node, bob, "/live");
        await using var forEve = await Stream.OpenAsync(node, eve, "/live");
        var (annWas, bobWas, eveWas) = (await forAnn.NextAsync(), await forBob.NextAsync(), await forEve.NextAsync());

        // What a page was made with is what the stream says first.
        Assert.Contains((string)annWas["requests"]!, (await ann.GetAsync("/home")).Text, StringComparison.Ordinal);

        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", for_seconds = 600, reason = "index" }, HttpStatusCode.Created);
        var (annIs, bobIs, eveIs) = (await forAnn.NextAsync(), await forBob.NextAsync(), await forEve.NextAsync());
        Assert.Equal(["requests"], Changed(annWas, annIs));
        Assert.Equal(["approvals"], Changed(bobWas, bobIs));
        Assert.Empty(Changed(eveWas, eveIs));

        // One who may not see a request learns nothing of it by saying its name.
        await using var about = await Stream.OpenAsync(node, eve, $"/live?request={asked["id"]}");
        Assert.Equal("", (string?)(await about.NextAsync())["focus"]);
        await using var own = await Stream.OpenAsync(node, ann, $"/live?request={asked["id"]}");
        Assert.NotEqual("", (string?)(await own.NextAsync())["focus"]);

        // Signed out, on whichever node: nothing more is heard.
        await node.Node.Services.GetRequiredService<WebSessions>().EndAsync(new SubjectId("eve"), session.Id, CancellationToken.None);
        Assert.True(await forEve.EndsAsync());
    }

    private static string[] Changed(JsonNode was, JsonNode now) => [.. was.AsObject().Where(pair => (string?)pair.Value != (string?)now[pair.Key]).Select(pair => pair.Key)];

    private sealed class Stream : IAsyncDisposable
    {
        private readonly HttpClient _http = new(new HttpClientHandler { UseProxy = false, UseCookies = false });
        private StreamReader _reader = null!;

        public static async Task<Stream> OpenAsync(TestNode node, Browser browser, string path)
        {
            var stream = new Stream();
            using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(node.Node.Address, path));
            message.Headers.Add("Cookie", string.Join("; ", browser.Cookies.Select(pair => $"{pair.Key}={pair.Value}")));
            var response = await stream._http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
            stream._reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            return stream;
        }

        public async Task<JsonNode> NextAsync()
        {
            while (await LineAsync() is { } line)
            {
                if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    return JsonNode.Parse(line["data: ".Length..])!;
                }
            }

            throw new InvalidOperationException("The stream ended.");
        }

        public async Task<bool> EndsAsync()
        {
            while (await LineAsync() is not null)
            {
                // What was under way.
            }

            return true;
        }

        public ValueTask DisposeAsync()
        {
            _reader.Dispose();
            _http.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<string?> LineAsync() => await _reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }
}
