using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>Other systems say that a task is done, over HTTP.</summary>
public sealed class TaskApiTests
{
    private const string Secret = "canary-webhook-secret-of-the-shop";
    private const string Closed = """{"action":"closed","issue":{"number":12,"state":"closed"},"repository":{"full_name":"shop/orders"}}""";

    private static Task<TestNode> StartAsync() => TestNode.StartAsync(
        ("STINT_WEBHOOKS__GH__PRESET", "github"), ("STINT_WEBHOOKS__GH__SECRET_ENV", "GH_SECRET"), ("STINT_WEBHOOKS__GH__TASKS", "github:shop/"),
        ("STINT_WEBHOOKS__CI__PRESET", "plain"), ("STINT_WEBHOOKS__CI__SECRET_ENV", "CI_SECRET"), ("STINT_WEBHOOKS__CI__TASKS", "deploy:"),
        ("GH_SECRET", Secret), ("CI_SECRET", Secret + "-2"));

    private static string Sign(string body, string secret = Secret) => "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)));

    private static async Task<(HttpStatusCode Status, JsonObject Body)> CallAsync(TestNode node, string path, string body, params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(node.Node.Address, path)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : []);
    }

    [Fact]
    public async Task GitHub_ClosesAnIssue_AndItsAccessEnds()
    {
        await using var node = await StartAsync();
        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = "work", task = "github:Shop/Orders#12" }, HttpStatusCode.Created);
        Assert.Equal("github:shop/orders#12", (string?)asked["task"]);
        Assert.Equal("github:shop/orders#12", (string?)asked["grant"]!["task"]);

        var (status, end) = await CallAsync(node, "/api/v1/tasks/hooks/gh", Closed, ("X-Hub-Signature-256", Sign(Closed)), ("Idempotency-Key", "not ours"));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((string?)asked["grant"]!["id"], (string?)Assert.Single(end["ended"]!.AsArray()));
        var grant = await node.GetAsync("ann", $"/api/v1/grants/{asked["grant"]!["id"]}");
        Assert.Equal(("revoked", "the task github:shop/orders#12 is done, says gh"), ((string?)grant["end_reason"], (string?)grant["end_note"]));

        // Delivered again, and after new access was given: harmless.
        var again = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = "work", task = "github:shop/orders#12" }, HttpStatusCode.Created);
        (status, end) = await CallAsync(node, "/api/v1/tasks/hooks/gh", Closed, ("X-Hub-Signature-256", Sign(Closed)));
        Assert.Equal((HttpStatusCode.OK, true), (status, (bool)end["repeated"]!));
        Assert.Null((string?)(await node.GetAsync("ann", $"/api/v1/grants/{again["grant"]!["id"]}"))["end_reason"]);
    }

    [Fact]
    public async Task WhatIsNotASendersOwn_IsNotEnded()
    {
        await using var node = await StartAsync();
        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = "work", task = "github:other/orders#12" }, HttpStatusCode.Created);
        var body = Closed.Replace("shop/orders", "other/orders", StringComparison.Ordinal);
        var (status, end) = await CallAsync(node, "/api/v1/tasks/hooks/gh", body, ("X-Hub-Signature-256", Sign(body)));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Null(end["task"]);
        Assert.Null((string?)(await node.GetAsync("ann", $"/api/v1/grants/{asked["grant"]!["id"]}"))["end_reason"]);

        var signature = Webhook.Sign(Secret + "-2", "github:other/orders#12", [], DateTimeOffset.UnixEpoch.AddSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));
        Assert.Equal(HttpStatusCode.Forbidden, (await CallAsync(node, "/api/v1/tasks/github%3Aother%2Forders%2312/done", "", ("Stint-Sender", "ci"), ("Stint-Signature", signature))).Status);
    }

    [Fact]
    public async Task Plain_SignedCall_EndsItsTask_Once()
    {
        await using var node = await StartAsync();
        await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", reason = "work", task = "deploy:blue/42" }, HttpStatusCode.Created);
        var now = TimeProvider.System.GetUtcNow();
        var signature = Webhook.Sign(Secret + "-2", "deploy:blue/42", Encoding.UTF8.GetBytes("{}"), now);
        const string path = "/api/v1/tasks/deploy:blue%2F42/done";

        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(node, "/api/v1/tasks/deploy:blue%2F43/done", "{}", ("Stint-Sender", "ci"), ("Stint-Signature", signature))).Status);
        var (status, end) = await CallAsync(node, path, "{}", ("Stint-Sender", "ci"), ("Stint-Signature", signature));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Single(end["ended"]!.AsArray());
        Assert.Equal(HttpStatusCode.Conflict, (await CallAsync(node, path, "{}", ("Stint-Sender", "ci"), ("Stint-Signature", signature))).Status);
        var old = Webhook.Sign(Secret + "-2", "deploy:blue/42", Encoding.UTF8.GetBytes("{}"), now.AddMinutes(-6));
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(node, path, "{}", ("Stint-Sender", "ci"), ("Stint-Signature", old))).Status);
    }

    [Fact]
    public async Task WhoeverIsNotProved_IsAnsweredAlike()
    {
        await using var node = await StartAsync();
        var answers = new List<(HttpStatusCode Status, string Body)>();
        async Task AskAsync(string path, string body, params (string Name, string Value)[] headers)
        {
            var (status, answer) = await CallAsync(node, path, body, headers);
            answers.Add((status, answer.ToJsonString()));
        }

        await AskAsync("/api/v1/tasks/hooks/gh", Closed);
        await AskAsync("/api/v1/tasks/hooks/gh", Closed, ("X-Hub-Signature-256", Sign(Closed, "wrong")));
        await AskAsync("/api/v1/tasks/hooks/gh", Closed + " ", ("X-Hub-Signature-256", Sign(Closed)));
        await AskAsync("/api/v1/tasks/hooks/gh", Closed, ("X-Hub-Signature-256", Sign(Closed)), ("X-Hub-Signature-256", Sign(Closed)));
        await AskAsync("/api/v1/tasks/hooks/nobody", Closed, ("X-Hub-Signature-256", Sign(Closed)));
        await AskAsync("/api/v1/tasks/hooks/ci", Closed, ("X-Hub-Signature-256", Sign(Closed, Secret + "-2")));
        await AskAsync("/api/v1/tasks/deploy:1/done", "{}", ("Stint-Sender", "nobody"), ("Stint-Signature", Webhook.Sign(Secret, "deploy:1", "{}"u8, TimeProvider.System.GetUtcNow())));
        await AskAsync("/api/v1/tasks/deploy:1/done", "{}", ("Stint-Sender", "gh"), ("Stint-Signature", Webhook.Sign(Secret, "deploy:1", "{}"u8, TimeProvider.System.GetUtcNow())));
        await AskAsync("/api/v1/tasks/nonsense/done", "{}", ("Stint-Sender", "ci"), ("Stint-Signature", Webhook.Sign(Secret + "-2", "", "{}"u8, TimeProvider.System.GetUtcNow())));
        Assert.Equal(HttpStatusCode.Unauthorized, answers[0].Status);
        Assert.Single(answers.Distinct());

        // A person's token opens it no more than nothing does.
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync("carol", HttpMethod.Post, "/api/v1/tasks/deploy:1/done", new { })).Status);
    }

    [Fact]
    public async Task AVendorsLargeBody_IsTaken_ALargerOneIsNot()
    {
        await using var node = await StartAsync();
        var large = Closed[..^1] + ",\"body\":\"" + new string('x', 500_000) + "\"}";
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(node, "/api/v1/tasks/hooks/gh", large, ("X-Hub-Signature-256", Sign(large)), ("Idempotency-Key", "k"))).Status);
        var larger = Closed[..^1] + ",\"body\":\"" + new string('x', 1_100_000) + "\"}";
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await CallAsync(node, "/api/v1/tasks/hooks/gh", larger, ("X-Hub-Signature-256", Sign(larger)))).Status);
        Assert.DoesNotContain(Secret, node.Output.ToString(), StringComparison.Ordinal);
    }
}
