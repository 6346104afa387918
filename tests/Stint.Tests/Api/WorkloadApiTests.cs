using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stint.Server.Identity;
using Stint.Tests.Identity;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>CI jobs over HTTP: they come in with the token of their platform, ask, and may nothing else.</summary>
public sealed class WorkloadApiTests
{
    private const string Allowed = "GET /whoami, GET /roles, POST /requests, POST /requests/preview, GET /requests, GET /requests/{id}, POST /requests/{id}/cancel, GET /grants, GET /grants/{id}, POST /grants/{id}/begin, POST /grants/{id}/end, POST /grants/{id}/logins, POST /grants/{id}/certificates";

    private static string Catalog { get; } = TestNode.Catalog
        .Replace("groups:\n  developers: [ann, bob]", """
            workloads:
              deploy-shop:
                description: Deploys the shop
                issuer: ci
                claims: { repository: acme/shop, ref: refs/heads/main, environment: production }
                owners: [person:bob]
              nightly:
                issuer: ci
                claims: { repository: acme/shop, ref: refs/heads/nightly/* }
              legacy: { owners: [group:developers] }
              gone: { issuer: ci, claims: { repository: acme/gone }, disabled: true }
            groups:
              developers: [ann, bob, workload:legacy]
              jobs: [workload:deploy-shop, workload:nightly]
            """.ReplaceLineEndings("\n"), StringComparison.Ordinal)
        .Replace("policies:\n", """
            policies:
              jobs-migrate:
                who: group:jobs
                roles: [orders-db/owner]
                where: subject.kind == "workload" && subject.claims.workflow == "deploy"
                for: { default: 10m, max: 30m }
                approve: { auto: true }

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal);

    private static async Task<(HttpStatusCode Status, JsonObject Body, HttpResponseMessage Response)> ExchangeAsync(TestNode node, string token, params (string Name, string Value)[] other)
    {
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            new("subject_token", token),
            new("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        };
        foreach (var (name, value) in other)
        {
            form.RemoveAll(one => one.Key == name && !name.StartsWith('+'));
            form.Add(new(name.TrimStart('+'), value));
        }

        var response = await http.PostAsync(new Uri(node.Node.Address, "/oauth/token"), new FormUrlEncodedContent(form));
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject(), response);
    }

    private static async Task<string> ComeInAsync(TestNode node, TestIssuer issuer, params (string Name, JsonNode? Value)[] claims)
    {
        var (status, body, response) = await ExchangeAsync(node, issuer.Token(TimeProvider.System.GetUtcNow(), claims));
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        Assert.True(response.Headers.CacheControl!.NoStore);
        return (string)body["access_token"]!;
    }

    [Fact]
    public async Task Job_ComesInAsksAndIsToldApart()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings(("STINT_IDENTITY__ISSUERS__CI__KEEP", "workflow,run_id")));
        var (status, body, _) = await ExchangeAsync(node, issuer.Token(TimeProvider.System.GetUtcNow()));
        Assert.Equal((HttpStatusCode.OK, "Bearer", 3600, "workload:deploy-shop"), (status, (string?)body["token_type"], (int)body["expires_in"]!, (string?)body["scope"]));
        var token = (string)body["access_token"]!;
        Assert.StartsWith("stint_w_", token, StringComparison.Ordinal);

        var me = await node.GetAsync(token, "/api/v1/whoami");
        Assert.Equal(("workload:deploy-shop", "workload", "deploy"), ((string?)me["id"], (string?)me["kind"], (string?)me["claims"]!["workflow"]));
        Assert.Equal("orders-db/owner", (string?)Assert.Single((await node.GetAsync(token, "/api/v1/roles"))["items"]!.AsArray())!["role"]);

        var asked = await node.PostAsync(token, "/api/v1/requests", new { role = "orders-db/owner", for_seconds = 600, reason = "https://ci.example.com/job/4711" }, HttpStatusCode.Created);
        Assert.Equal(("approved", "workload:deploy-shop", "4711"), ((string?)asked["state"], (string?)asked["subject"], (string?)asked["claims"]!["run_id"]));
        await node.PostAsync(token, $"/api/v1/grants/{asked["grant"]!["id"]}/end", new { });

        // The log tells the run, and who reads it may hold the rows against it.
        var facts = (await node.GetAsync("dan", "/api/v1/audit/facts?from=0&limit=1000"))["items"]!.AsArray().Select(fact => fact!["body"] ?? fact).ToList();
        var text = string.Join('\n', facts.Select(fact => fact!.ToJsonString()));
        Assert.Contains("WorkloadAdmitted", text, StringComparison.Ordinal);
        Assert.Contains("repository=acme/shop", text, StringComparison.Ordinal);
        Assert.Contains("run_id=4711", text, StringComparison.Ordinal);
        Assert.DoesNotContain(token, text, StringComparison.Ordinal);
        Assert.True((bool)(await node.PostAsync("dan", "/api/v1/audit/verify", new { }))["holds"]!);
    }

    [Fact]
    public async Task EveryOtherEndpoint_IsClosedToMachines()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings(("STINT_LIMITS__REQUESTS_PER_MINUTE", "100000"), ("STINT_LIMITS__ADDRESS_REQUESTS_PER_MINUTE", "100000")));
        var token = await ComeInAsync(node, issuer);
        var open = new List<string>();
        var closed = 0;
        foreach (var endpoint in node.Node.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var path = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            if (endpoint.Metadata.GetMetadata<Open>() is not null || endpoint.Metadata.GetMetadata<Closed>() is not null)
            {
                continue;
            }

            var method = Assert.Single(endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods);
            var (status, answer, _) = await node.SendAsync(token, new HttpMethod(method), System.Text.RegularExpressions.Regex.Replace(path, "{[^}]*}", "x"), method is "GET" or "DELETE" ? null : new { });
            if (status == HttpStatusCode.Forbidden && ((string?)answer["detail"])?.StartsWith("A workload asks", StringComparison.Ordinal) == true)
            {
                closed++;
            }
            else
            {
                open.Add($"{method} {path["/api/v1".Length..]}");
            }
        }

        Assert.Equal(Allowed.Split(", ").Order(), open.Order());
        Assert.True(closed > 40, $"{closed} endpoints are closed to machines");
    }

    [Fact]
    public async Task Job_SeesAndUsesItsOwnAlone()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings(("STINT_IDENTITY__ISSUERS__CI__KEEP", "workflow")));
        var token = await ComeInAsync(node, issuer);
        var hers = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = "work" }, HttpStatusCode.Created);
        var other = await node.PostAsync(await ComeInAsync(node, issuer, ("ref", "refs/heads/nightly/9")), "/api/v1/requests", new { role = "orders-db/owner", reason = "work" }, HttpStatusCode.Created);
        foreach (var foreign in (JsonObject[])[hers, other])
        {
            foreach (var path in (string[])[$"/api/v1/requests/{foreign["id"]}", $"/api/v1/grants/{foreign["grant"]!["id"]}"])
            {
                Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(token, HttpMethod.Get, path)).Status);
            }

            foreach (var path in (string[])[$"/api/v1/requests/{foreign["id"]}/cancel", $"/api/v1/grants/{foreign["grant"]!["id"]}/begin", $"/api/v1/grants/{foreign["grant"]!["id"]}/end", $"/api/v1/grants/{foreign["grant"]!["id"]}/logins"])
            {
                Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(token, HttpMethod.Post, path, new { })).Status);
            }
        }

        Assert.Empty((await node.GetAsync(token, "/api/v1/requests"))["items"]!.AsArray());
        Assert.Empty((await node.GetAsync(token, "/api/v1/grants?subject=ann"))["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(token, HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/read-only", reason = "work" })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.SendAsync(token, HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner", reason = "work", break_glass = true })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.SendAsync(token, HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner", reason = "work", recurrence = new { rule = "FREQ=DAILY", start = "2099-01-01T10:00", zone = "UTC" } })).Status);
    }

    [Theory]
    [InlineData("repository", "acme/shop2")]
    [InlineData("repository", "evil/acme/shop")]
    [InlineData("repository", "acme/shop ")]
    [InlineData("repository", "ACME/shop")]
    [InlineData("ref", "refs/heads/main2")]
    [InlineData("ref", "refs/heads/nightly/a/b")]
    [InlineData("ref", "refs/heads/nightly")]
    [InlineData("environment", "")]
    [InlineData("environment", null)]
    public async Task ClaimsThatAlmostMatch_LetNobodyIn(string claim, string? value)
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings());
        var (status, body, _) = await ExchangeAsync(node, issuer.Token(TimeProvider.System.GetUtcNow(), (claim, value)));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (status, (string?)body["error"]));
        Assert.Contains("no workload", (string?)body["error_description"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exchange_MisusedOrOfNobody_IsRefusedInTheWordsOfTheProtocol()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings());
        var good = issuer.Token(TimeProvider.System.GetUtcNow());
        async Task IsAsync(string error, string token, params (string Name, string Value)[] other)
        {
            var (status, body, response) = await ExchangeAsync(node, token, other);
            Assert.Equal((HttpStatusCode.BadRequest, error), (status, (string?)body["error"]));
            Assert.True(response.Headers.CacheControl!.NoStore);
        }

        await IsAsync("unsupported_grant_type", good, ("grant_type", "password"));
        await IsAsync("invalid_request", good, ("+subject_token", good));
        await IsAsync("invalid_request", good, ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2"));
        await IsAsync("invalid_request", good, ("actor_token", good));
        await IsAsync("invalid_authorization_details", good, ("authorization_details", "[]"));
        await IsAsync("invalid_request", good, ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"));
        await IsAsync("invalid_scope", good, ("scope", "admin"));
        await IsAsync("invalid_request", good, ("scope", "workload:nightly"));
        await IsAsync("invalid_target", good, ("audience", "https://elsewhere.example.com"));
        await IsAsync("invalid_request", TestNode.Token("carol"));
        await IsAsync("invalid_request", issuer.Token(TimeProvider.System.GetUtcNow(), ("repository", "acme/gone"), ("ref", "x")));
        await IsAsync("invalid_request", issuer.Token(TimeProvider.System.GetUtcNow(), ("sub", "line\nfeed")));
        Assert.Equal(HttpStatusCode.BadRequest, (await node.SendAsync(null, HttpMethod.Post, "/oauth/token", new { grant_type = "x" })).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync("stint_w_" + new string('x', 43), HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(good, HttpMethod.Get, "/api/v1/whoami")).Status);

        // The same token comes in again: a job has several steps.
        await IsAsync("invalid_request", good, ("scope", "workload:legacy"));
        Assert.Equal(HttpStatusCode.OK, (await ExchangeAsync(node, good)).Status);
        Assert.Equal(HttpStatusCode.OK, (await ExchangeAsync(node, good, ("scope", "workload:deploy-shop"))).Status);
    }

    [Fact]
    public async Task Exchange_WhereEachTokenLetsInOnce_TheSecondIsRefused_EvenAtOnce()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings(("STINT_IDENTITY__ISSUERS__CI__ONCE", "true")));
        var claims = issuer.Claims(TimeProvider.System.GetUtcNow()).ToJsonString();

        // Signed anew each time, with keys of two kinds: still the same token.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => ExchangeAsync(node, issuer.Sign(claims, i % 2 == 0 ? "rsa-1" : "ec-1"))));
        Assert.Single(outcomes, outcome => outcome.Status == HttpStatusCode.OK);
        Assert.All(outcomes.Where(outcome => outcome.Status != HttpStatusCode.OK), outcome => Assert.Contains("shown before", (string?)outcome.Body["error_description"], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Exchange_TriedTooOften_IsStopped()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings(("STINT_LIMITS__FAILURES_PER_MINUTE", "5")));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await ExchangeAsync(node, "nonsense")).Status);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await ExchangeAsync(node, issuer.Token(TimeProvider.System.GetUtcNow()))).Status);
    }

    [Fact]
    public async Task CatalogThatDemandsMore_CountsAtOnce_AndADisabledWorkloadIsOut()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings(("STINT_IDENTITY__ISSUERS__CI__KEEP", "workflow")));
        var token = await ComeInAsync(node, issuer);
        var asked = await node.PostAsync(token, "/api/v1/requests", new { role = "orders-db/owner", reason = "work" }, HttpStatusCode.Created);
        await File.WriteAllTextAsync(node.CatalogFile, Catalog.Replace("description: Deploys the shop", "disabled: true", StringComparison.Ordinal));
        node.Node.Reload();
        for (var i = 0; i < 100 && (await node.SendAsync(token, HttpMethod.Get, "/api/v1/whoami")).Status != HttpStatusCode.Unauthorized; i++)
        {
            await Task.Delay(100);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(token, HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.Equal("offboarded", (string?)(await node.GetAsync("carol", $"/api/v1/grants/{asked["grant"]!["id"]}"))["end_reason"]);
    }

    [Fact]
    public async Task StaticToken_IsMadeByItsOwner_ForWhatItSays_AndRevoked()
    {
        await using var issuer = new TestIssuer();
        await using var node = await TestNode.StartAsync(Catalog, issuer.Settings());
        var wish = new { workload = "legacy", scope = (string[])["orders-db/read-*"], expires_in_seconds = 3600 };
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("eve", HttpMethod.Post, "/api/v1/tokens", wish)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("dan", HttpMethod.Post, "/api/v1/tokens", wish)).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.SendAsync("ann", HttpMethod.Post, "/api/v1/tokens", new { workload = "legacy", scope = (string[])["payroll-db/*"], expires_in_seconds = 3600 })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.SendAsync("ann", HttpMethod.Post, "/api/v1/tokens", new { workload = "legacy", scope = (string[])["orders-db/*"], expires_in_seconds = 400L * 86_400 })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("ann", HttpMethod.Post, "/api/v1/tokens", new { workload = "deploy-shop", scope = (string[])["orders-db/*"], expires_in_seconds = 3600 })).Status);
        var made = await node.PostAsync("ann", "/api/v1/tokens", wish, HttpStatusCode.Created);
        var (secret, id) = ((string)made["secret"]!, (string)made["token"]!["id"]!);
        Assert.StartsWith("stint_s_", secret, StringComparison.Ordinal);

        Assert.Equal("orders-db/read-only", (string?)Assert.Single((await node.GetAsync(secret, "/api/v1/roles"))["items"]!.AsArray())!["role"]);
        var asked = await node.PostAsync(secret, "/api/v1/requests", new { role = "orders-db/read-only", reason = "work" }, HttpStatusCode.Created);
        Assert.Equal("approved", (string?)asked["state"]);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(secret, HttpMethod.Post, "/api/v1/requests", new { role = "orders-db/owner", reason = "work" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(secret, HttpMethod.Post, "/api/v1/requests", new { role = "nothing/there", reason = "work" })).Status);

        // A second one with another scope does not use what the first was given.
        var narrow = (string)(await node.PostAsync("bob", "/api/v1/tokens", new { workload = "legacy", scope = (string[])["orders-db/owner"], expires_in_seconds = 3600 }, HttpStatusCode.Created))["secret"]!;
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(narrow, HttpMethod.Post, $"/api/v1/grants/{asked["grant"]!["id"]}/logins", new { })).Status);

        // Never by approvers' places: the owner's group holds it, and it owns and answers nothing.
        var waits = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "work" }, HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync(secret, HttpMethod.Post, $"/api/v1/requests/{waits["id"]}/approve", new { saw_digest = (string?)waits["digest"] })).Status);

        var listed = (await node.GetAsync("bob", "/api/v1/tokens"))["items"]!.AsArray();
        Assert.Equal(2, listed.Count);
        Assert.DoesNotContain(secret, listed.ToJsonString(), StringComparison.Ordinal);
        Assert.NotNull(listed.Single(one => (string?)one!["id"] == id)!["used_at"]);
        Assert.Empty((await node.GetAsync("eve", "/api/v1/tokens"))["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("eve", HttpMethod.Post, $"/api/v1/tokens/{id}/revoke", new { })).Status);
        await node.PostAsync("bob", $"/api/v1/tokens/{id}/revoke", new { });
        Assert.Equal(HttpStatusCode.Conflict, (await node.SendAsync("bob", HttpMethod.Post, $"/api/v1/tokens/{id}/revoke", new { })).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(secret, HttpMethod.Get, "/api/v1/whoami")).Status);
        Assert.True((bool)(await node.PostAsync("dan", "/api/v1/audit/verify", new { }))["holds"]!);
    }
}
