using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Stint.Tests.Api;

public sealed class ApiTests : IAsyncLifetime
{
    private TestNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await TestNode.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task WhoAmI_WithEachOnesToken_SaysWhoAndWhatTheyMay()
    {
        var ann = await _node.GetAsync("ann", "/api/v1/whoami");
        Assert.Equal("ann", (string?)ann["id"]);
        Assert.Equal("developers", (string?)ann["groups"]![0]);
        Assert.False((bool)ann["admin"]!);
        Assert.True((bool)(await _node.GetAsync("carol", "/api/v1/whoami"))["admin"]!);
        Assert.True((bool)(await _node.GetAsync("dan", "/api/v1/whoami"))["auditor"]!);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("zed")]
    [InlineData("stp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task AnyCall_WithoutAValidToken_Answers401WithSafeHeaders(string? person)
    {
        foreach (var path in (string[])["/api/v1/whoami", "/api/v1/requests", "/api/v1/requests/req-000000000000", "/api/v1/status"])
        {
            var (status, body, response) = await _node.SendAsync(person, HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.Unauthorized, status);
            Assert.Equal("/problems/unauthenticated", (string?)body["type"]);
            Assert.Contains("Bearer", response.Headers.WwwAuthenticate.ToString());
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Empty(response.Headers.Server);
        }
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404, "not-found")]
    [InlineData("GET", "/api/v1/nowhere", 404, "not-found")]
    [InlineData("DELETE", "/api/v1/whoami", 405, "method-not-allowed")]
    [InlineData("GET", "/api/v1/requests?limit=0", 422, "invalid")]
    [InlineData("GET", "/api/v1/requests?limit=x", 400, "unreadable")]
    [InlineData("GET", "/api/v1/requests?cursor=x", 422, "invalid")]
    [InlineData("GET", "/api/v1/requests?state=gone", 422, "invalid")]
    [InlineData("GET", "/api/v1/grants?state=open,gone", 422, "invalid")]
    [InlineData("GET", "/api/v1/grants/gr-000000000000?wait_seconds=61", 422, "invalid")]
    public async Task WrongCall_AnswersAProblemOfItsKind(string method, string path, int status, string kind)
    {
        var (got, body, response) = await _node.SendAsync("ann", new HttpMethod(method), path);
        Assert.Equal(status, (int)got);
        Assert.Equal("/problems/" + kind, (string?)body["type"]);
        Assert.Equal(status, (int)body["status"]!);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("Stint.Server", body.ToJsonString());
    }

    [Theory]
    [InlineData("{ \"role\": \"orders-db/read-only\" ", "application/json", 400, "line 1")]
    [InlineData("{ \"role\": \"orders-db/read-only\",\n \"foo\": 1 }", "application/json", 400, "foo")]
    [InlineData("{ \"role\": \"a/b\", \"role\": \"orders-db/read-only\" }", "application/json", 400, "")]
    [InlineData("{ \"role\": \"orders-db/read-only\", \"for_seconds\": \"long\" }", "application/json", 400, "for_seconds")]
    [InlineData("{ }", "application/json", 422, "role")]
    [InlineData("{ \"role\": \"orders-db/read-only\" }", "text/plain", 415, "")]
    [InlineData("", "application/json", 400, "")]
    public async Task Ask_BodyThatCannotBeRead_SaysWhereWithoutTypeNames(string text, string contentType, int status, string says)
    {
        var (got, body, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", text, contentType: contentType);
        Assert.Equal(status, (int)got);
        Assert.Contains(says, body.ToJsonString());
        Assert.DoesNotContain("Stint.Server", body.ToJsonString());
    }

    [Fact]
    public async Task Ask_TooLargeABody_Answers413()
    {
        var (status, body, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", $"{{ \"role\": \"{new string('x', 100_000)}\" }}");
        Assert.Equal(413, (int)status);
        Assert.Equal("/problems/too-large", (string?)body["type"]);
    }

    [Fact]
    public async Task Ask_SeveralFieldsWrong_NamesAllOfThem()
    {
        var (status, body, _) = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", new { role = "nonsense", for_seconds = -1, reason = new string('x', 5000) });
        Assert.Equal(422, (int)status);
        var fields = body["errors"]!.AsArray().Select(error => (string)error!["field"]!).ToList();
        Assert.Contains("role", fields);
        Assert.Contains("for_seconds", fields);
        Assert.Contains("reason", fields);
    }

    [Fact]
    public async Task Ask_AllowedByRule_IsApprovedWithAReadyGrant()
    {
        var request = await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", for_seconds = 600 }, HttpStatusCode.Created);
        Assert.Equal("approved", (string?)request["state"]);
        Assert.Equal("allow", (string?)request["verdict"]!["outcome"]);
        Assert.Equal("ready", (string?)request["grant"]!["state"]);
        Assert.Equal(600, (int)request["for_seconds"]!);

        var grant = await _node.GetAsync("ann", $"/api/v1/grants/{request["grant"]!["id"]}");
        Assert.Equal((string?)request["id"], (string?)grant["request"]);
        Assert.Equal("native", (string?)grant["guarantee"]);
        Assert.Single((await _node.GetAsync("ann", "/api/v1/grants?mine=true&state=ready,opening,open"))["items"]!.AsArray());
        Assert.Empty((await _node.GetAsync("ann", "/api/v1/grants?state=closed"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Ask_WhatOneMayNotKnowOf_AnswersExactlyAsWhatIsNotThere()
    {
        var (hidden, hiddenBody, _) = await _node.SendAsync("eve", HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/read-only" });
        var (absent, absentBody, _) = await _node.SendAsync("eve", HttpMethod.Post, "/api/v1/requests", new { role = "nowhere-db/read-only" });
        Assert.Equal(HttpStatusCode.NotFound, hidden);
        Assert.Equal(hidden, absent);
        Assert.Equal(hiddenBody.ToJsonString(), absentBody.ToJsonString());
        Assert.Empty((await _node.GetAsync("eve", "/api/v1/roles"))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("GET", "/api/v1/requests/{0}", null)]
    [InlineData("POST", "/api/v1/requests/{0}/approve", "{ \"saw_digest\": \"x\" }")]
    [InlineData("POST", "/api/v1/requests/{0}/deny", "{ \"comment\": \"no\" }")]
    [InlineData("POST", "/api/v1/requests/{0}/cancel", "{ }")]
    [InlineData("GET", "/api/v1/grants/{1}", null)]
    [InlineData("POST", "/api/v1/grants/{1}/begin", "{ }")]
    [InlineData("POST", "/api/v1/grants/{1}/end", "{ }")]
    [InlineData("POST", "/api/v1/grants/{1}/revoke", "{ \"comment\": \"no\" }")]
    [InlineData("POST", "/api/v1/grants/{1}/logins", "{ }")]
    public async Task AnothersThing_ToAStranger_LooksLikeNothing(string method, string path, string? body)
    {
        var asked = await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only" }, HttpStatusCode.Created);
        var real = string.Format(CultureInfo.InvariantCulture, path, asked["id"], asked["grant"]!["id"]);
        var none = string.Format(CultureInfo.InvariantCulture, path, "req-zzzzzzzzzzzz", "gr-zzzzzzzzzzzz");
        var (there, thereBody, _) = await _node.SendAsync("eve", new HttpMethod(method), real, body);
        var (absent, absentBody, _) = await _node.SendAsync("eve", new HttpMethod(method), none, body);
        Assert.Equal(HttpStatusCode.NotFound, there);
        Assert.Equal(there, absent);
        Assert.Equal(absentBody.ToJsonString(), thereBody.ToJsonString());
    }

    [Fact]
    public async Task Approve_ByTheOwner_MakesAGrantAndASecondTryHasLostTheRace()
    {
        var asked = await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "repair" }, HttpStatusCode.Created);
        Assert.Equal("pending", (string?)asked["state"]);
        Assert.Equal(1, (int)asked["steps"]![0]!["missing"]!);
        Assert.Single((await _node.GetAsync("bob", "/api/v1/requests?awaiting_me=true"))["items"]!.AsArray());
        var path = $"/api/v1/requests/{asked["id"]}/approve";

        var (own, ownBody, _) = await _node.SendAsync("ann", HttpMethod.Post, path, new { saw_digest = (string?)asked["digest"] });
        Assert.Equal(HttpStatusCode.Forbidden, own);
        Assert.Equal("bob", (string?)ownBody["who_could"]![0]);
        Assert.Equal(HttpStatusCode.Conflict, (await _node.SendAsync("bob", HttpMethod.Post, path, new { saw_digest = "other" })).Status);

        var yes = await _node.PostAsync("bob", path, new { saw_digest = (string?)asked["digest"], for_seconds = 300, comment = "go" });
        Assert.Equal("approved", (string?)yes["state"]);
        Assert.Equal(300, (int)yes["grant"]!["for_seconds"]!);
        Assert.Equal(0, (int)yes["steps"]![0]!["missing"]!);
        var (again, againBody, _) = await _node.SendAsync("bob", HttpMethod.Post, path, new { saw_digest = (string?)asked["digest"] });
        Assert.Equal(HttpStatusCode.Conflict, again);
        Assert.Equal("approved", (string?)againBody["state"]);
    }

    [Fact]
    public async Task LongPoll_AnswersWhenTheRequestIsDecided()
    {
        var asked = await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner" }, HttpStatusCode.Created);
        var waiting = _node.GetAsync("ann", $"/api/v1/requests/{asked["id"]}?wait_seconds=25&seen_version={asked["version"]}");
        await Task.Delay(200);
        Assert.False(waiting.IsCompleted);
        await _node.PostAsync("bob", $"/api/v1/requests/{asked["id"]}/deny", new { comment = "not now" });
        var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("denied", (string?)answer["state"]);
        Assert.Contains("not now", (string?)answer["why"]);
    }

    [Fact]
    public async Task Pages_GoThroughEverythingOnce()
    {
        for (var i = 0; i < 5; i++)
        {
            await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = $"number {i}" }, HttpStatusCode.Created);
        }

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await _node.GetAsync("ann", $"/api/v1/requests?limit=2{(cursor is null ? "" : "&cursor=" + cursor)}");
            seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["id"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null && seen.Count < 20);
        Assert.Equal(5, seen.Count);
        Assert.Equal(5, seen.Distinct().Count());
    }

    [Fact]
    public async Task IdempotencyKey_SameCallAgain_GetsTheSameAnswerAndMakesNothing()
    {
        var body = new { role = "orders-db/read-only" };
        var first = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", body, key: "one");
        var second = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", body, key: "one");
        Assert.Equal(HttpStatusCode.Created, second.Status);
        Assert.Equal(first.Body.ToJsonString(), second.Body.ToJsonString());

        var other = await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner" }, key: "one");
        Assert.Equal(422, (int)other.Status);
        Assert.Equal("/problems/key-reused", (string?)other.Body["type"]);
        var bobs = await _node.SendAsync("bob", HttpMethod.Post, "/api/v1/requests", body, key: "one");
        Assert.NotEqual((string?)first.Body["id"], (string?)bobs.Body["id"]);
        Assert.Equal(400, (int)(await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", body, key: new string('k', 200))).Status);
    }

    [Fact]
    public async Task IdempotencyKey_ManyAtOnce_MakeOneRequest()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ =>
            _node.SendAsync("ann", HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner" }, key: "race")));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.Status));
        Assert.Single(answers.Select(answer => (string)answer.Body["id"]!).Distinct());
        Assert.Single((await _node.GetAsync("ann", "/api/v1/requests"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Revoke_ByTheOwnerOfTheResource_EndsAReadyGrant()
    {
        var asked = await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only" }, HttpStatusCode.Created);
        var path = $"/api/v1/grants/{asked["grant"]!["id"]}/revoke";
        Assert.Equal(HttpStatusCode.Forbidden, (await _node.SendAsync("ann", HttpMethod.Post, path, new { comment = "x" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await _node.SendAsync("dan", HttpMethod.Post, path, new { comment = "x" })).Status);
        Assert.Equal(422, (int)(await _node.SendAsync("bob", HttpMethod.Post, path, new { comment = " " })).Status);
        var ended = await _node.PostAsync("bob", path, new { comment = "no longer" });
        Assert.Equal("closed", (string?)ended["state"]);
        Assert.Equal("revoked", (string?)ended["end_reason"]);
    }

    [Fact]
    public async Task Status_ShowsFiguresToThoseWhoMayReadEverything()
    {
        var mine = await _node.GetAsync("ann", "/api/v1/status");
        Assert.Null(mine["counts"]);
        Assert.Empty(mine["nodes"]!.AsArray());
        var all = await _node.GetAsync("dan", "/api/v1/status");
        Assert.Equal("sqlite", (string?)all["store"]);
        Assert.NotNull(all["counts"]!["open_grants"]);
        Assert.Null((await _node.GetAsync("ann", "/api/v1/catalog"))["files"]);
        Assert.NotNull((await _node.GetAsync("dan", "/api/v1/catalog"))["files"]);
    }

    [Fact]
    public async Task Ask_Verdict_NamesNoRuleAboutOtherThings()
    {
        var asked = await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only" }, HttpStatusCode.Created);
        Assert.Equal(["read"], asked["verdict"]!["trace"]!.AsArray().Select(line => (string?)line!["rule"]));
        var preview = await _node.PostAsync("ann", "/api/v1/requests/preview", new { role = "orders-db/read-only" });
        Assert.Equal(["read"], preview["verdict"]!["trace"]!.AsArray().Select(line => (string?)line!["rule"]));
    }

    [Fact]
    public async Task Backup_ByAnAdminToANewFile_AndByNobodyElse()
    {
        var path = Path.Combine(_node.Folder, "saved.stint");
        Assert.Equal(HttpStatusCode.Forbidden, (await _node.SendAsync("dan", HttpMethod.Post, "/api/v1/admin/backup", new { path })).Status);
        Assert.Equal(422, (int)(await _node.SendAsync("carol", HttpMethod.Post, "/api/v1/admin/backup", new { path = "saved.stint" })).Status);
        Assert.Equal(422, (int)(await _node.SendAsync("carol", HttpMethod.Post, "/api/v1/admin/backup", new { path = "/nowhere/saved" })).Status);
        var saved = await _node.PostAsync("carol", "/api/v1/admin/backup", new { path }, HttpStatusCode.Created);
        Assert.True((long)saved["log_size"]! > 0);
        Assert.Equal(409, (int)(await _node.SendAsync("carol", HttpMethod.Post, "/api/v1/admin/backup", new { path })).Status);
    }

    [Theory]
    [InlineData("/api/v1/sessions/ses-000000000000/records", 404)]
    [InlineData("/api/v1/sessions/ses-000000000000/records?wait_seconds=61", 422)]
    [InlineData("/api/v1/sessions/ses-000000000000/records?from=0", 422)]
    [InlineData("/api/v1/statements?cursor=x", 422)]
    [InlineData("/api/v1/statements?limit=0", 422)]
    [InlineData("/api/v1/statements?text=x", 200)]
    public async Task Recordings_WrongOrEmptyQuestions_AreAnswered(string path, int status) =>
        Assert.Equal(status, (int)(await _node.SendAsync("ann", HttpMethod.Get, path)).Status);

    [Fact]
    public async Task OpenApi_Is31AndDescribesEveryRoute()
    {
        var (status, document, _) = await _node.SendAsync(null, HttpMethod.Get, "/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("3.1", (string?)document["openapi"]);
        var operations = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(method => (Path: path.Key, Operation: method.Value!.AsObject())))
            .ToList();
        Assert.True(operations.Count >= 20);
        Assert.All(operations, one =>
        {
            Assert.False(string.IsNullOrEmpty((string?)one.Operation["summary"]), one.Path);
            Assert.NotEmpty(one.Operation["responses"]!.AsObject());
        });
        Assert.All(operations.Where(one => one.Path.StartsWith("/api/", StringComparison.Ordinal)), one =>
        {
            Assert.NotNull(one.Operation["security"]);
            Assert.NotNull(one.Operation["responses"]!["401"]!["content"]!["application/problem+json"]!["example"]);
        });
        Assert.All(operations, one => Assert.All((one.Operation["parameters"] as JsonArray ?? []).OfType<JsonObject>(), parameter =>
            Assert.False(string.IsNullOrEmpty((string?)parameter["description"]), $"{one.Path} {parameter["name"]} is not described")));
        Assert.All(document["components"]!["schemas"]!.AsObject(), schema => Assert.All((schema.Value!["properties"] as JsonObject ?? []).Where(field => field.Value!["$ref"] is null), field =>
            Assert.False(string.IsNullOrEmpty((string?)field.Value!["description"]), $"{schema.Key}.{field.Key} is not described")));
        foreach (var reference in References(document))
        {
            Assert.StartsWith("#/", reference);
            JsonNode? at = document;
            foreach (var part in reference[2..].Split('/'))
            {
                at = at?[part];
            }

            Assert.True(at is not null, reference + " points to nothing");
        }
    }

    [Fact]
    public async Task FrontPageAndProblems_AreForEverybody()
    {
        foreach (var path in (string[])["/", "/problems", "/problems/not-found", "/healthz", "/readyz"])
        {
            Assert.Equal(HttpStatusCode.OK, (await _node.SendAsync(null, HttpMethod.Get, path)).Status);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await _node.SendAsync("ann", HttpMethod.Get, "/problems/none")).Status);
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => pair.Key == "$ref" && pair.Value is JsonValue ? [(string)pair.Value!] : References(pair.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };
}
