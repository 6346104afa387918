using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>OpenID's Authorization API 1.0 over HTTP: its shapes, its errors, and who may ask.</summary>
public sealed class AuthzenApiTests : IAsyncLifetime
{
    private const string Token = "canary-token-of-the-application-shop";
    private const string Narrow = "canary-token-of-the-application-narrow";
    private const string Ann = """ "subject": { "type": "user", "id": "ann" } """;
    private const string Read = """ "action": { "name": "read-only" } """;
    private const string Orders = """ "resource": { "type": "resource", "id": "orders-db" } """;

    private TestNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await TestNode.StartAsync(
            ("STINT_AUTHZEN__SHOP__TOKEN_ENV", "SHOP_TOKEN"), ("STINT_AUTHZEN__SHOP__RESOURCES", "orders-*"), ("STINT_AUTHZEN__SHOP__RESOURCE_TYPES", "record"), ("SHOP_TOKEN", Token),
            ("STINT_AUTHZEN__NARROW__TOKEN_ENV", "NARROW_TOKEN"), ("STINT_AUTHZEN__NARROW__RESOURCES", "other"), ("STINT_AUTHZEN__NARROW__REQUESTS_PER_MINUTE", "3"), ("NARROW_TOKEN", Narrow));
        await _node.HoldAsync("ann");
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private async Task<(HttpStatusCode Status, JsonObject Body, HttpResponseMessage Response)> AskAsync(string path, string? body, string? token = Token, string type = "application/json", string? id = null)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 });
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_node.Node.Address, "/access/v1/" + path));
        message.Content = body is null ? null : new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse(type));
        if (token is not null)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (id is not null)
        {
            message.Headers.TryAddWithoutValidation("X-Request-ID", id);
        }

        var response = await http.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : [], response);
    }

    private async Task<JsonObject> AnswerAsync(string path, string body, string token = Token)
    {
        var (status, answer, response) = await AskAsync(path, body, token);
        Assert.True(status == HttpStatusCode.OK, $"{path} answered {(int)status}: {answer}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return answer;
    }

    private static string Of(params string[] members) => "{" + string.Join(",", members) + "}";

    [Fact]
    public async Task Evaluation_OfWhatIsHeld_SaysWhichAndUntilWhen()
    {
        var answer = await AnswerAsync("evaluation", Of(Ann, Read, Orders));
        Assert.True((bool)answer["decision"]!);
        Assert.StartsWith("gr-", (string?)answer["context"]!["grant"]);
        Assert.True((DateTimeOffset)answer["context"]!["not_after"]! > TimeProvider.System.GetUtcNow());
        Assert.Equal(["grant", "not_after"], answer["context"]!.AsObject().Select(pair => pair.Key));

        // Members that are not known, properties and a context change nothing.
        answer = await AnswerAsync("evaluation", """
            { "subject": { "type": "person", "id": "ann", "properties": { "department": "Sales", "ip": [1, { "x": null }] }, "more": 1 },
              "action": { "name": "read-only", "properties": { "method": "GET" } }, "resource": { "type": "record", "id": "orders-db", "properties": {} },
              "context": { "time": "1985-10-26T01:22-07:00" }, "foo": "bar", "futureField": { "nested": true } }
            """);
        Assert.True((bool)answer["decision"]!);
    }

    [Fact]
    public async Task Evaluation_OfAnythingElse_IsTheSameNo()
    {
        string[] bodies =
        [
            Of("""  "subject": { "type": "user", "id": "bob" } """, Read, Orders),
            Of("""  "subject": { "type": "user", "id": "nobody" } """, Read, Orders),
            Of("""  "subject": { "type": "user", "id": "" } """, Read, Orders),
            Of("""  "subject": { "type": "user", "id": "ann\u0000" } """, Read, Orders),
            Of("""  "subject": { "type": "spaceship", "id": "ann" } """, Read, Orders),
            Of(Ann, """ "action": { "name": "owner" } """, Orders),
            Of(Ann, """ "action": { "name": "none" } """, Orders),
            Of(Ann, Read, """ "resource": { "type": "todo", "id": "orders-db" } """),
            Of(Ann, Read, """ "resource": { "type": "resource", "id": "orders-none" } """),
            Of(Ann, Read, """ "resource": { "type": "resource", "id": "none" } """),
        ];
        var answers = new List<string>();
        foreach (var body in bodies)
        {
            answers.Add((await AnswerAsync("evaluation", body)).ToJsonString());
        }

        answers.Add((await AnswerAsync("evaluation", Of(Ann, Read, Orders), Narrow)).ToJsonString());
        answers.Add((await AnswerAsync("evaluation", Of(Ann, Read, Orders), TestNode.Token("eve"))).ToJsonString());
        Assert.StartsWith("""{"decision":false,"context":{"reason":""", Assert.Single(answers.Distinct()));
    }

    [Theory]
    [InlineData("ann", true)]
    [InlineData("bob", true)]
    [InlineData("carol", true)]
    [InlineData("dan", true)]
    [InlineData("eve", false)]
    public async Task Evaluation_ByAPerson_IsAboutWhatTheyMaySee(string person, bool expected) =>
        Assert.Equal(expected, (bool)(await AnswerAsync("evaluation", Of(Ann, Read, Orders), TestNode.Token(person)))["decision"]!);

    [Fact]
    public async Task WithoutAToken_OrWithAWrongOne_NobodyIsAnswered()
    {
        foreach (var path in (string[])["evaluation", "evaluations", "search/subject", "search/resource", "search/action"])
        {
            foreach (var token in (string?[])[null, "wrong", Token + "x", TestNode.Token("zed")])
            {
                var (status, _, response) = await AskAsync(path, Of(Ann, Read, Orders), token, id: "7");
                Assert.Equal(HttpStatusCode.Unauthorized, status);
                Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.ToString());
                Assert.Equal("7", response.Headers.GetValues("X-Request-ID").Single());
            }
        }

        // An application's token opens nothing else.
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        foreach (var path in (string[])["/api/v1/whoami", "/api/v1/grants", "/api/v1/audit/head"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri(_node.Node.Address, path))).StatusCode);
        }
    }

    [Fact]
    public async Task Application_TooOften_HasToWait_AndNobodyElse()
    {
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 4; i++)
        {
            var (status, _, response) = await AskAsync("evaluation", Of(Ann, Read, Orders), Narrow);
            statuses.Add(status);
            Assert.Equal(status == HttpStatusCode.TooManyRequests, response.Headers.RetryAfter is not null);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], statuses);
        await AnswerAsync("evaluation", Of(Ann, Read, Orders));
    }

    [Theory]
    [InlineData("evaluation", """{ "action": { "name": "read" }, "resource": { "type": "record", "id": "r" } }""", "subject")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": "a" }, "resource": { "type": "record", "id": "r" } }""", "action")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": "a" }, "action": { "name": "read" } }""", "resource")]
    [InlineData("evaluation", """{ "subject": { "id": "a" }, "action": {}, "resource": { "type": "record" } }""", "subject.type action.name resource.id")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": null }, "action": { "name": null }, "resource": null }""", "subject.id action.name resource")]
    [InlineData("evaluations", """{ "subject": { "type": "user", "id": "a" } }""", "action resource")]
    [InlineData("evaluations", """{ "subject": { "type": "user", "id": "a" }, "evaluations": [] }""", "action resource")]
    [InlineData("search/subject", """{ "subject": { "type": "user" }, "resource": { "type": "record", "id": "r" } }""", "action")]
    [InlineData("search/subject", """{ "subject": { "type": "user" }, "action": { "name": "read" }, "resource": { "type": "record" } }""", "resource.id")]
    [InlineData("search/resource", """{ "action": { "name": "read" }, "resource": { "type": "record" } }""", "subject")]
    [InlineData("search/resource", """{ "subject": { "type": "user" }, "action": { "name": "read" }, "resource": { "type": "record" } }""", "subject.id")]
    [InlineData("search/action", """{ "subject": { "type": "user", "id": "a" } }""", "resource")]
    [InlineData("search/action", "{}", "subject resource")]
    public async Task WhatIsMissing_IsNamedAllAtOnce(string path, string body, string missing)
    {
        var (status, problem, response) = await AskAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(missing.Split(' '), problem["errors"]!.AsArray().Select(error => (string)error!["field"]!));
    }

    [Theory]
    [InlineData("evaluation", null)]
    [InlineData("evaluation", "")]
    [InlineData("evaluation", "null")]
    [InlineData("evaluation", "[]")]
    [InlineData("evaluation", "{ broken")]
    [InlineData("evaluation", """{ "subject": "alice", "action": { "name": "read" }, "resource": { "type": "record", "id": "record-1" } }""")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": "a" }, "action": { "name": 123 }, "resource": { "type": "record", "id": "record-1" } }""")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": "a" }, "action": { "name": "\ud800" }, "resource": { "type": "record", "id": "record-1" } }""")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": "a", "id": "b" }, "action": { "name": "x" }, "resource": { "type": "record", "id": "record-1" } }""")]
    [InlineData("evaluation", """{ "subject": { "type": "user", "id": "a" }, "action": { "name": "x" }, "resource": { "type": "record", "id": "record-1" }, "context": 5 }""")]
    [InlineData("evaluations", """{ "evaluations": {} }""")]
    [InlineData("evaluations", """{ "evaluations": [ { "subject": { "type": "user", "id": "a" } } ], "options": { "evaluations_semantic": "sometimes" } }""")]
    [InlineData("search/subject", """{ "subject": { "type": "user" }, "action": { "name": "x" }, "resource": { "type": "record", "id": "r" }, "page": { "limit": -1 } }""")]
    [InlineData("search/subject", """{ "subject": { "type": "user" }, "action": { "name": "x" }, "resource": { "type": "record", "id": "r" }, "page": { "limit": 1.5 } }""")]
    [InlineData("search/subject", """{ "subject": { "type": "user" }, "action": { "name": "x" }, "resource": { "type": "record", "id": "r" }, "page": { "token": "made up" } }""")]
    public async Task WhatCannotBeRead_Is400(string path, string? body)
    {
        var (status, problem, _) = await AskAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(400, (int)problem["status"]!);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/merge-patch+json")]
    public async Task AnotherContentType_Is400(string type) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync("evaluation", Of(Ann, Read, Orders), type: type)).Status);

    [Fact]
    public async Task Methods_OtherThanPost_AreNotTaken()
    {
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", TestNode.Token("ann"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.GetAsync(new Uri(_node.Node.Address, "/access/v1/evaluation"))).StatusCode);
    }

    [Theory]
    [InlineData("bfe9eb29-ab87-4ca3-be83-a1d5d8305716", true)]
    [InlineData("any words, \"quoted\" or not", true)]
    [InlineData("für", false)]
    public async Task RequestId_ComesBackWithEveryAnswer(string id, bool back)
    {
        foreach (var body in (string[])[Of(Ann, Read, Orders), "{ broken"])
        {
            var (status, _, response) = await AskAsync("evaluation", body, id: id);
            Assert.Equal(body[1] == ' ' && body[2] == 'b' ? HttpStatusCode.BadRequest : HttpStatusCode.OK, status);
            Assert.Equal(back ? [id] : [], response.Headers.TryGetValues("X-Request-ID", out var values) ? values : []);
        }
    }

    [Fact]
    public async Task Evaluations_TakeWhatTheyLackFromAround_AndKeepTheirOrder()
    {
        var answer = await AnswerAsync("evaluations", Of(Ann, Read, """ "resource": { "type": "record" } """, """
            "context": { "time": "2024-05-31T15:22-07:00" },
            "evaluations": [
              { "resource": { "id": "orders-db" } },
              { "action": { "name": "owner" }, "resource": { "type": "record", "id": "orders-db" } },
              { "subject": { "type": "user", "id": "bob" }, "resource": { "id": "orders-db" } },
              {},
              null,
              { "resource": { "type": "resource", "id": "orders-db" }, "context": { "source": "override" } }
            ]
            """));
        Assert.Null(answer["decision"]);
        var decisions = answer["evaluations"]!.AsArray();
        Assert.Equal([true, false, false, false, false, true], decisions.Select(one => (bool)one!["decision"]!));
        Assert.Equal(400, (int)decisions[3]!["context"]!["error"]!["status"]!);
        Assert.Contains("resource.id", (string?)decisions[4]!["context"]!["error"]!["message"]);
        Assert.NotNull(decisions[1]!["context"]!["reason"]);
    }

    [Theory]
    [InlineData("""{ "another_option": "value" }""", "TFT")]
    [InlineData("""{ "evaluations_semantic": "execute_all" }""", "TFT")]
    [InlineData("""{ "evaluations_semantic": "deny_on_first_deny" }""", "TF")]
    [InlineData("""{ "evaluations_semantic": "permit_on_first_permit" }""", "T")]
    public async Task Evaluations_EndAsTheySay(string options, string expected)
    {
        var answer = await AnswerAsync("evaluations", Of(Ann, Orders, $"\"options\": {options}", """ "evaluations": [ { "action": { "name": "read-only" } }, { "action": { "name": "owner" } }, { "action": { "name": "read-only" } } ] """));
        Assert.Equal(expected, string.Concat(answer["evaluations"]!.AsArray().Select(one => (bool)one!["decision"]! ? 'T' : 'F')));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""", "evaluations": [] """)]
    public async Task Evaluations_WithoutAny_AreOne(string none)
    {
        var answer = await AnswerAsync("evaluations", Of(Ann, Read, Orders + none));
        Assert.True((bool)answer["decision"]!);
        Assert.Null(answer["evaluations"]);
    }

    [Fact]
    public async Task Evaluations_AreBounded()
    {
        static string Many(int count) => Of(Ann, Read, "\"evaluations\": [" + string.Join(",", Enumerable.Repeat("{" + Orders + "}", count)) + "]");
        Assert.Equal(200, (await AnswerAsync("evaluations", Many(200)))["evaluations"]!.AsArray().Count);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync("evaluations", Many(201))).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await AskAsync("evaluations", Many(2_000))).Status);
    }

    [Fact]
    public async Task Searches_FindWhatIsHeld_OfTheTypeThatWasAsked()
    {
        await _node.HoldAsync("bob");
        await _node.HoldAsync("ann", "owner");
        var subjects = await AnswerAsync("search/subject", Of(""" "subject": { "type": "user", "id": "passed over" } """, Read, """ "resource": { "type": "record", "id": "orders-db" }, "context": {} """));
        Assert.Equal("""{"page":{"next_token":"","count":2},"results":[{"type":"user","id":"ann"},{"type":"user","id":"bob"}]}""", subjects.ToJsonString());
        var resources = await AnswerAsync("search/resource", Of(Ann, Read, """ "resource": { "type": "record", "id": "passed over" } """));
        Assert.Equal("""{"page":{"next_token":"","count":1},"results":[{"type":"record","id":"orders-db"}]}""", resources.ToJsonString());
        var actions = await AnswerAsync("search/action", Of(Ann, Orders));
        Assert.Equal("""{"page":{"next_token":"","count":2},"results":[{"name":"owner"},{"name":"read-only"}]}""", actions.ToJsonString());

        // A person who may not know of others finds themselves.
        subjects = await AnswerAsync("search/subject", Of(""" "subject": { "type": "user" } """, Read, Orders), TestNode.Token("ann"));
        Assert.Equal(["ann"], subjects["results"]!.AsArray().Select(one => (string)one!["id"]!));

        foreach (var (path, body) in ((string, string)[])
            [
                ("search/subject", Of(""" "subject": { "type": "spaceship" } """, Read, Orders)),
                ("search/subject", Of(""" "subject": { "type": "user" } """, Read, """ "resource": { "type": "record", "id": "none" } """)),
                ("search/resource", Of(Ann, Read, """ "resource": { "type": "todo" } """)),
                ("search/action", Of(""" "subject": { "type": "user", "id": "nonexistent-user" } """, Orders)),
            ])
        {
            Assert.Equal("""{"page":{"next_token":"","count":0},"results":[]}""", (await AnswerAsync(path, body)).ToJsonString());
        }
    }

    [Fact]
    public async Task Search_GoesOnWithItsToken_AndNoOther()
    {
        await _node.HoldAsync("bob");
        var search = Of(""" "subject": { "type": "user" } """, Read, Orders, """ "page": { "limit": 1 } """);
        var first = await AnswerAsync("search/subject", search);
        Assert.Equal("ann", (string?)first["results"]![0]!["id"]);
        var token = (string)first["page"]!["next_token"]!;
        Assert.NotEmpty(token);

        // With the limit or without: the token knows it.
        foreach (var page in (string[])[$$""" "page": { "token": "{{token}}" } """, $$""" "page": { "token": "{{token}}", "limit": 1 } """])
        {
            var second = await AnswerAsync("search/subject", Of(""" "subject": { "type": "user" } """, Read, Orders, page));
            Assert.Equal("""{"page":{"next_token":"","count":1},"results":[{"type":"user","id":"bob"}]}""", second.ToJsonString());
        }

        foreach (var (path, body) in ((string, string)[])
            [
                ("search/subject", Of(""" "subject": { "type": "person" } """, Read, Orders, $$""" "page": { "token": "{{token}}" } """)),
                ("search/subject", Of(""" "subject": { "type": "user" } """, """ "action": { "name": "owner" } """, Orders, $$""" "page": { "token": "{{token}}" } """)),
                ("search/subject", Of(""" "subject": { "type": "user" } """, Read, Orders, $$""" "page": { "token": "{{token}}", "limit": 2 } """)),
                ("search/subject", Of(""" "subject": { "type": "user" } """, Read, Orders, $$""" "page": { "token": "{{token[1..]}}" } """)),
                ("search/resource", Of(Ann, Read, Orders, $$""" "page": { "token": "{{token}}" } """)),
            ])
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(path, body)).Status);
        }
    }

    [Fact]
    public async Task Configuration_SaysWhereItIs_ToAnybody()
    {
        var (status, body, _) = await _node.SendAsync(null, HttpMethod.Get, "/.well-known/authzen-configuration");
        Assert.Equal(HttpStatusCode.OK, status);
        var own = _node.Node.Address.ToString().TrimEnd('/');
        Assert.Equal(own, (string?)body["policy_decision_point"]);
        Assert.Equal(
            ["/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/subject", "/access/v1/search/resource", "/access/v1/search/action"],
            body.Where(pair => pair.Key.EndsWith("_endpoint", StringComparison.Ordinal)).Select(pair => ((string)pair.Value!)[own.Length..]));

        await using var named = await TestNode.StartAsync(("STINT_WEB__PUBLIC_URL", "https://stint.example.com/"));
        Assert.Equal("https://stint.example.com", (string?)(await named.GetAsync("ann", "/.well-known/authzen-configuration"))["policy_decision_point"]);
    }
}
