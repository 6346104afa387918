using System.Text;
using System.Text.Json.Nodes;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>Other systems say who is on call, by calls that prove themselves.</summary>
public sealed class OnCallApiTests
{
    private const string Secret = "what-both-know-0123456789";

    [Fact]
    public async Task Webhook_SignedForIt_SaysWhoIsOnCall_AndNothingElseDoes()
    {
        await using var node = await TestNode.StartAsync(
            TestNode.Catalog + "\non-call:\n  platform: { webhook: pager }\n",
            [
                ("STINT_WEBHOOKS__PAGER__PRESET", "plain"), ("STINT_WEBHOOKS__PAGER__SECRET_ENV", "PAGER_SECRET"), ("PAGER_SECRET", Secret), ("STINT_WEBHOOKS__PAGER__ON_CALL", "true"),
                ("STINT_WEBHOOKS__CI__PRESET", "plain"), ("STINT_WEBHOOKS__CI__SECRET_ENV", "PAGER_SECRET"), ("STINT_WEBHOOKS__CI__TASKS", "deploy:"),
            ]);
        const string body = """{"rota":"platform","persons":["Ann","bob"],"until":"2099-01-01T00:00:00Z"}""";
        const string soon = """{"rota":"platform","persons":["Ann","bob"]}""";
        var now = TimeProvider.System.GetUtcNow();
        var signature = Webhook.Sign(Secret, "on-call", Encoding.UTF8.GetBytes(soon), now);
        Assert.Equal(401, (await CallAsync(node, "pager", soon, null)).Status);
        Assert.Equal(401, (await CallAsync(node, "pager", soon, Webhook.Sign(Secret, "deploy:1", Encoding.UTF8.GetBytes(soon), now))).Status);
        Assert.Equal(401, (await CallAsync(node, "pager", soon, Webhook.Sign(Secret, "on-call", Encoding.UTF8.GetBytes(soon), now.AddMinutes(-6)))).Status);
        Assert.Equal(401, (await CallAsync(node, "pager", soon + " ", signature)).Status);
        Assert.Equal(401, (await CallAsync(node, "nobody", soon, signature)).Status);
        Assert.Equal(403, (await CallAsync(node, "ci", soon, signature)).Status);
        Assert.Equal(422, (await CallAsync(node, "pager", body, Webhook.Sign(Secret, "on-call", Encoding.UTF8.GetBytes(body), now))).Status);
        Assert.Equal(422, (await CallAsync(node, "pager", "{", Webhook.Sign(Secret, "on-call", "{"u8, now))).Status);
        var (status, answer) = await CallAsync(node, "pager", soon, signature);
        Assert.True(status == 200, answer);
        Assert.Equal("""["ann","bob"]""", JsonNode.Parse(answer)!["persons"]!.ToJsonString());
        Assert.Equal(409, (await CallAsync(node, "pager", soon, signature)).Status);
        var facts = (await node.GetAsync("dan", "/api/v1/audit/facts?limit=200"))["items"]!.AsArray();
        var changed = Assert.Single(facts, fact => (string?)fact!["kind"] == "OnCallChanged")!;
        Assert.Equal("sender:pager", (string?)JsonNode.Parse((string)changed["body"]!)!["actor"]);
    }

    private static async Task<(int Status, string Answer)> CallAsync(TestNode node, string sender, string body, string? signature)
    {
        using var http = new HttpClient(new HttpClientHandler { UseProxy = false });
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(node.Node.Address, "/api/v1/webhooks/" + sender)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (signature is not null)
        {
            message.Headers.Add("Stint-Signature", signature);
        }

        using var response = await http.SendAsync(message);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
