using System.Net;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>An emergency over HTTP, with and without a token of every day.</summary>
public sealed class BreakGlassApiTests
{
    private const string Why = "the shop takes no orders and nobody of the owners answers the phone";

    private static string Catalog { get; } = TestNode.Catalog
        + "\n  glass:\n    who: group:developers\n    roles: [orders-db/owner]\n    for: { default: 30m, max: 1h }\n"
        + "    break_glass: { tell: [person:dan, person:carol], review: { from: person:dan, within: 24h } }\n";

    private static async Task<string> TokenAsync(TestNode node, string code, string person = "ann")
    {
        var (status, body, _) = await node.SendAsync(null, HttpMethod.Post, "/api/v1/break-glass/login", new { person, code });
        Assert.True(status == HttpStatusCode.Created, body.ToString());
        return (string)body["token"]!;
    }

    private static async Task<List<string>> CodesAsync(TestNode node, string person = "ann") =>
        [.. (await node.PostAsync(person, "/api/v1/break-glass/codes", new { count = 4 }, HttpStatusCode.Created))["codes"]!.AsArray().Select(code => (string)code!)];

    [Fact]
    public async Task Emergency_WithAToken_IsMarkedEverywhereAndReviewed()
    {
        await using var node = await TestNode.StartAsync(Catalog);
        var request = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = Why, break_glass = true }, HttpStatusCode.Created);
        Assert.Equal("approved", (string?)request["state"]);
        Assert.True((bool?)request["break_glass"]);
        Assert.True((bool?)request["grant"]!["break_glass"]);
        Assert.Equal("strict", (string?)request["grant"]!["record"]);
        var id = (string)request["review"]!["id"]!;

        var status = await node.GetAsync("dan", "/api/v1/status");
        Assert.Equal(id, (string?)Assert.Single(status["broken_glass"]!.AsArray())!["id"]);
        Assert.Equal(id, (string?)Assert.Single(status["reviews"]!.AsArray())!["id"]);
        Assert.Equal(1, (int)status["counts"]!["open_reviews"]!);
        var own = await node.GetAsync("ann", "/api/v1/status");
        Assert.Empty(own["broken_glass"]!.AsArray());
        Assert.Equal(id, (string?)own["own_review"]!["id"]);
        Assert.Null((await node.GetAsync("bob", "/api/v1/status"))["own_review"]);

        var (again, denied, _) = await node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner", reason = Why, break_glass = true });
        Assert.Equal(HttpStatusCode.Created, again);
        Assert.Equal("denied", (string?)denied["state"]);
        Assert.Contains(id, (string)denied["why"]!, StringComparison.Ordinal);

        await node.PostAsync("carol", $"/api/v1/reviews/{id}/seen", new { });
        await node.PostAsync("carol", $"/api/v1/grants/{request["grant"]!["id"]}/revoke", new { comment = "over" });
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("ann", HttpMethod.Post, $"/api/v1/reviews/{id}/close", new { outcome = "accepted", comment = "fine" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("carol", HttpMethod.Post, $"/api/v1/reviews/{id}/close", new { outcome = "accepted", comment = "fine" })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.SendAsync("dan", HttpMethod.Post, $"/api/v1/reviews/{id}/close", new { outcome = "open", comment = "fine" })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("eve", HttpMethod.Get, $"/api/v1/reviews/{id}")).Status);
        var closed = await node.PostAsync("dan", $"/api/v1/reviews/{id}/close", new { outcome = "concern", comment = "why not the night shift?" });
        Assert.Equal(("concern", "dan"), ((string?)closed["state"], (string?)closed["closed_by"]));
        Assert.Equal(HttpStatusCode.Conflict, (await node.SendAsync("dan", HttpMethod.Post, $"/api/v1/reviews/{id}/close", new { outcome = "accepted", comment = "fine" })).Status);
        Assert.Equal("approved", (string?)(await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = Why, break_glass = true }, HttpStatusCode.Created))["state"]);
    }

    [Fact]
    public async Task Code_OpensBreakGlass_AndNothingElse()
    {
        await using var node = await TestNode.StartAsync(Catalog);
        var token = await TokenAsync(node, (await CodesAsync(node))[0]);
        Assert.Equal("ann", (string?)(await node.SendAsync(token, HttpMethod.Get, "/api/v1/whoami")).Body["id"]);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(token, HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/read-only", reason = Why })).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync("stp_/" + token, HttpMethod.Get, "/api/v1/whoami")).Status);

        var other = await node.PostAsync("bob", "/api/v1/requests", new { role = "orders-db/read-only", reason = Why }, HttpStatusCode.Created);
        var daily = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = Why }, HttpStatusCode.Created);
        var (status, broken, _) = await node.SendAsync(token, HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner", reason = Why, break_glass = true });
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("approved", (string?)broken["state"]);
        Assert.Equal(HttpStatusCode.OK, (await node.SendAsync(token, HttpMethod.Get, $"/api/v1/requests/{broken["id"]}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(token, HttpMethod.Get, $"/api/v1/requests/{other["id"]}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(token, HttpMethod.Get, $"/api/v1/grants/{other["grant"]!["id"]}")).Status);

        // A way in for what an everyday asking gave is not for a code.
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(token, HttpMethod.Post, $"/api/v1/grants/{daily["grant"]!["id"]}/logins", new { })).Status);
        Assert.NotEqual(HttpStatusCode.Forbidden, (await node.SendAsync(token, HttpMethod.Post, $"/api/v1/grants/{broken["grant"]!["id"]}/end", new { })).Status);
    }

    [Fact]
    public async Task Code_OfAnAdmin_IsNoAdmins()
    {
        var catalog = Catalog.Replace("who: group:developers\n    roles: [orders-db/owner]\n    for: { default: 30m, max: 1h }\n    break_glass", "who: [group:developers, person:carol]\n    roles: [orders-db/owner]\n    for: { default: 30m, max: 1h }\n    break_glass", StringComparison.Ordinal);
        await using var node = await TestNode.StartAsync(catalog);
        var token = await TokenAsync(node, (await CodesAsync(node, "carol"))[0], "carol");
        var anns = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = Why }, HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(token, HttpMethod.Get, $"/api/v1/requests/{anns["id"]}")).Status);
        Assert.Empty((await node.SendAsync(token, HttpMethod.Get, "/api/v1/requests?subject=ann")).Body["items"]!.AsArray());
        Assert.Empty((await node.SendAsync(token, HttpMethod.Get, "/api/v1/grants?subject=ann&resource=orders-db")).Body["items"]!.AsArray());

        // Every endpoint that the API has, but for those that say that they open to codes, or that no token opens.
        string[] open = ["POST /api/v1/requests", "GET /api/v1/requests", "GET /api/v1/requests/{id}", "GET /api/v1/grants", "GET /api/v1/grants/{id}", "POST /api/v1/grants/{id}/end", "POST /api/v1/grants/{id}/logins", "GET /api/v1/whoami", "POST /api/v1/break-glass/login", "POST /api/v1/tasks/{id}/done", "POST /api/v1/tasks/hooks/{sender}", "POST /api/v1/webhooks/{sender}", "GET /api/v1/catalog/replays/{id}"];
        var document = (await node.SendAsync(null, HttpMethod.Get, "/openapi/v1.json")).Body;
        var looked = 0;
        foreach (var (path, methods) in document["paths"]!.AsObject().Where(path => path.Key.StartsWith("/api/v1/", StringComparison.Ordinal)))
        {
            foreach (var method in methods!.AsObject().Select(pair => pair.Key.ToUpperInvariant()).Where(method => !open.Contains($"{method} {path}")))
            {
                var url = System.Text.RegularExpressions.Regex.Replace(path, "{[^}]*}", "x");
                var (status, _, _) = await node.SendAsync(token, new HttpMethod(method), url, method == "GET" ? null : new { });
                Assert.True(status == HttpStatusCode.Forbidden, $"{method} {path} answered {(int)status}");
                looked++;
            }
        }

        Assert.True(looked > 30);
    }

    [Fact]
    public async Task WrongCodes_AreAnsweredAlike_AndBounded()
    {
        await using var node = await TestNode.StartAsync(Catalog);
        var codes = await CodesAsync(node);
        await TokenAsync(node, codes[0]);
        var answers = new List<(HttpStatusCode Status, string Body)>();
        foreach (var (person, code) in new[] { ("ann", codes[0]), ("nobody", codes[1]), ("zed", codes[1]), ("ann", "nonsense"), ("bob", codes[1]) })
        {
            var (status, body, _) = await node.SendAsync(null, HttpMethod.Post, "/api/v1/break-glass/login", new { person, code });
            answers.Add((status, body.ToJsonString()));
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(HttpStatusCode.Unauthorized, answers[0].Status);
        for (var i = 0; i < 10; i++)
        {
            answers.Add(((await node.SendAsync(null, HttpMethod.Post, "/api/v1/break-glass/login", new { person = "x" + i, code = "x" })).Status, ""));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, answers[^1].Status);
        var (limited, _, response) = await node.SendAsync(null, HttpMethod.Post, "/api/v1/break-glass/login", new { person = "ann", code = codes[1] });
        Assert.Equal(HttpStatusCode.TooManyRequests, limited);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync("stg_" + new string('a', 43), HttpMethod.Get, "/api/v1/whoami")).Status);
    }

    [Fact]
    public async Task Codes_AreShownOnce()
    {
        await using var node = await TestNode.StartAsync(Catalog);
        var (first, _, _) = await node.SendAsync("ann", HttpMethod.Post, "/api/v1/break-glass/codes", new { count = 2 }, key: "k1");
        var (second, body, _) = await node.SendAsync("ann", HttpMethod.Post, "/api/v1/break-glass/codes", new { count = 2 }, key: "k1");
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict), (first, second));
        Assert.Null(body["codes"]);
    }
}
