using System.Security.Cryptography;
using System.Text;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Requests;

/// <summary>Signatures and payloads as the vendors' documentation has them.</summary>
public sealed class WebhookTests
{
    private const string Secret = "It's a Secret to Everybody";
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    private static bool Signed(WebhookPreset preset, string secret, string body, params (string Name, string Value)[] headers) => Webhook.IsSigned(
        preset,
        secret,
        name => headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault(),
        Encoding.UTF8.GetBytes(body),
        Now);

    private static string Hex(string secret, string body) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void GitHub_ThePublishedVector_IsSigned()
    {
        const string right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        Assert.True(Signed(WebhookPreset.GitHub, Secret, "Hello, World!", ("X-Hub-Signature-256", right)));
        Assert.False(Signed(WebhookPreset.GitHub, Secret, "Hello, World?", ("X-Hub-Signature-256", right)));
        Assert.False(Signed(WebhookPreset.GitHub, Secret + "x", "Hello, World!", ("X-Hub-Signature-256", right)));
        Assert.False(Signed(WebhookPreset.GitHub, Secret, "Hello, World!", ("X-Hub-Signature-256", right[..^1])));
        Assert.False(Signed(WebhookPreset.GitHub, Secret, "Hello, World!", ("X-Hub-Signature-256", right.Replace("sha256=", "sha1=", StringComparison.Ordinal))));

        // The old header, by SHA-1, is none.
        Assert.False(Signed(WebhookPreset.GitHub, Secret, "Hello, World!", ("X-Hub-Signature", right)));
        Assert.False(Signed(WebhookPreset.GitHub, Secret, "Hello, World!"));
    }

    [Fact]
    public void Jira_ThePublishedVector_IsSigned()
    {
        Assert.True(Signed(WebhookPreset.Jira, Secret, "Hello World!", ("X-Hub-Signature", "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9")));
        Assert.False(Signed(WebhookPreset.Jira, Secret, "Hello, World!", ("X-Hub-Signature", "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9")));
    }

    [Fact]
    public void PagerDuty_AnyOfSeveral_IsEnough()
    {
        var right = "v1=" + Hex(Secret, "{}");
        var other = "v1=" + Hex("another", "{}");
        Assert.True(Signed(WebhookPreset.PagerDuty, Secret, "{}", ("X-PagerDuty-Signature", right)));
        Assert.True(Signed(WebhookPreset.PagerDuty, Secret, "{}", ("X-PagerDuty-Signature", other + "," + right)));
        Assert.False(Signed(WebhookPreset.PagerDuty, Secret, "{}", ("X-PagerDuty-Signature", other)));
        Assert.False(Signed(WebhookPreset.PagerDuty, Secret, "{}", ("X-PagerDuty-Signature", right.Replace("v1=", "v0=", StringComparison.Ordinal))));
        Assert.False(Signed(WebhookPreset.PagerDuty, Secret, "{}", ("X-PagerDuty-Signature", string.Concat(Enumerable.Repeat(other + ",", 10_000)) + right)));
    }

    [Fact]
    public void GitLab_ItsToken_IsComparedWhole()
    {
        Assert.True(Signed(WebhookPreset.GitLab, "a-long-secret-token", "{}", ("X-Gitlab-Token", "a-long-secret-token")));
        Assert.False(Signed(WebhookPreset.GitLab, "a-long-secret-token", "{}", ("X-Gitlab-Token", "a-long-secret-toke")));
        Assert.False(Signed(WebhookPreset.GitLab, "a-long-secret-token", "{}", ("X-Gitlab-Token", "")));
        Assert.False(Signed(WebhookPreset.GitLab, "a-long-secret-token", "{}"));
    }

    [Fact]
    public void GitLab_ASigningToken_SignsIdMomentAndBody()
    {
        var key = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        var secret = "whsec_" + Convert.ToBase64String(key);
        var seconds = Now.ToUnixTimeSeconds();
        string Of(long at, string body, string id = "msg_1") => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{id}.{at}.{body}")));
        (string, string)[] Headers(string signature, long at, string id = "msg_1") => [("webhook-id", id), ("webhook-timestamp", at.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("webhook-signature", signature)];

        Assert.True(Signed(WebhookPreset.GitLab, secret, "{}", Headers(Of(seconds, "{}"), seconds)));
        Assert.True(Signed(WebhookPreset.GitLab, secret, "{}", Headers("v1,AAAA " + Of(seconds, "{}"), seconds)));
        Assert.False(Signed(WebhookPreset.GitLab, secret, "{ }", Headers(Of(seconds, "{}"), seconds)));
        Assert.False(Signed(WebhookPreset.GitLab, secret, "{}", Headers(Of(seconds, "{}"), seconds, "msg_2")));
        Assert.False(Signed(WebhookPreset.GitLab, secret, "{}", Headers(Of(seconds - 301, "{}"), seconds - 301)));
        Assert.False(Signed(WebhookPreset.GitLab, secret, "{}", Headers(Of(seconds + 301, "{}"), seconds + 301)));

        // Whoever is given a signing token is not let in by sending it.
        Assert.False(Signed(WebhookPreset.GitLab, secret, "{}", ("X-Gitlab-Token", secret)));
        Assert.False(Signed(WebhookPreset.GitLab, "whsec_not base64", "{}", Headers(Of(seconds, "{}"), seconds)));
    }

    [Fact]
    public void Plain_IsBoundToTheTaskTheBodyAndTheMoment()
    {
        var body = Encoding.UTF8.GetBytes("{\"by\":\"deploy\"}");
        var signature = Webhook.Sign(Secret, "deploy:42", body, Now);
        Assert.True(Webhook.IsSignedPlain(Secret, signature, "deploy:42", body, Now.AddMinutes(5)));
        Assert.False(Webhook.IsSignedPlain(Secret, signature, "deploy:43", body, Now));
        Assert.False(Webhook.IsSignedPlain(Secret, signature, "deploy:42", [], Now));
        Assert.False(Webhook.IsSignedPlain(Secret, signature, "deploy:42", body, Now.AddMinutes(5).AddSeconds(1)));
        Assert.False(Webhook.IsSignedPlain(Secret, signature, "deploy:42", body, Now.AddMinutes(-6)));
        Assert.False(Webhook.IsSignedPlain(Secret, signature.Replace("t=", "t=1", StringComparison.Ordinal), "deploy:42", body, Now));
        foreach (var odd in new[] { null, "", "t=", "v1=", "t=,v1=", "t=-1,v1=00", "t=99999999999999999999,v1=00", signature + ",v1=00", "v1=00,t=1" })
        {
            Assert.False(Webhook.IsSignedPlain(Secret, odd, "deploy:42", body, Now));
        }
    }

    [Theory]
    [InlineData(WebhookPreset.GitHub, """{"action":"closed","issue":{"number":12,"state":"closed"},"repository":{"full_name":"Shop/Orders"}}""", "github:shop/orders#12")]
    [InlineData(WebhookPreset.GitHub, """{"action":"closed","number":7,"pull_request":{"number":7,"state":"closed","merged":true},"repository":{"full_name":"shop/orders"}}""", "github:shop/orders#7")]
    [InlineData(WebhookPreset.GitHub, """{"action":"closed","number":7,"pull_request":{"number":7,"state":"closed","merged":false},"repository":{"full_name":"shop/orders"}}""", "github:shop/orders#7")]
    [InlineData(WebhookPreset.GitHub, """{"action":"opened","issue":{"number":12,"state":"open"},"repository":{"full_name":"shop/orders"}}""", null)]
    [InlineData(WebhookPreset.GitHub, """{"action":"created","issue":{"number":12,"state":"closed"},"comment":{},"repository":{"full_name":"shop/orders"}}""", null)]
    [InlineData(WebhookPreset.GitHub, """{"zen":"Keep it logically awesome.","hook_id":1,"repository":{"full_name":"shop/orders"}}""", null)]
    [InlineData(WebhookPreset.GitLab, """{"object_kind":"issue","project":{"path_with_namespace":"Shop/App"},"object_attributes":{"iid":23,"id":301,"state":"closed","action":"close"}}""", "gitlab:shop/app#23")]
    [InlineData(WebhookPreset.GitLab, """{"object_kind":"merge_request","project":{"path_with_namespace":"shop/app"},"object_attributes":{"iid":1,"state":"merged","action":"merge"}}""", "gitlab:shop/app!1")]
    [InlineData(WebhookPreset.GitLab, """{"object_kind":"merge_request","project":{"path_with_namespace":"shop/app"},"object_attributes":{"iid":1,"state":"closed","action":"close"}}""", "gitlab:shop/app!1")]
    [InlineData(WebhookPreset.GitLab, """{"object_kind":"merge_request","project":{"path_with_namespace":"shop/app"},"object_attributes":{"iid":1,"state":"opened","action":"approved"}}""", null)]
    [InlineData(WebhookPreset.Jira, """{"webhookEvent":"jira:issue_updated","issue":{"id":"99","key":"OPS-7","fields":{"status":{"name":"Erledigt","statusCategory":{"key":"done"}}}}}""", "jira:OPS-7")]
    [InlineData(WebhookPreset.Jira, """{"webhookEvent":"jira:issue_updated","issue":{"key":"OPS-7","fields":{"status":{"statusCategory":{"key":"indeterminate"}}}}}""", null)]
    [InlineData(WebhookPreset.Jira, """{"webhookEvent":"jira:issue_deleted","issue":{"key":"OPS-7"}}""", "jira:OPS-7")]
    [InlineData(WebhookPreset.Jira, """{"webhookEvent":"comment_created","issue":{"key":"OPS-7","fields":{"status":{"statusCategory":{"key":"done"}}}}}""", null)]
    [InlineData(WebhookPreset.PagerDuty, """{"event":{"id":"01BZ","event_type":"incident.resolved","resource_type":"incident","data":{"id":"PGR0VU2","type":"incident","status":"resolved"}}}""", "pagerduty:PGR0VU2")]
    [InlineData(WebhookPreset.PagerDuty, """{"event":{"event_type":"incident.acknowledged","data":{"id":"PGR0VU2"}}}""", null)]
    public void Done_APayload_NamesItsTask(WebhookPreset preset, string body, string? task) => Assert.Equal(task, Webhook.Done(preset, Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"action\":\"closed\"")]
    [InlineData("{\"action\":[],\"issue\":7,\"repository\":\"x\"}")]
    [InlineData("{\"action\":\"closed\",\"issue\":{\"number\":\"12\",\"state\":\"closed\"},\"repository\":{\"full_name\":null}}")]
    [InlineData("{\"action\":\"closed\",\"issue\":{\"number\":1e999,\"state\":\"closed\"},\"repository\":{\"full_name\":\"a b\\u0000\"}}")]
    public void Done_Nonsense_NamesNone(string body) => Assert.All(
        Enum.GetValues<WebhookPreset>(), preset => Assert.Null(Webhook.Done(preset, Encoding.UTF8.GetBytes(body))));

    [Fact]
    public void Done_DeepNesting_NamesNone() => Assert.Null(Webhook.Done(WebhookPreset.GitHub, Encoding.UTF8.GetBytes(new string('[', 100_000))));

    [Theory]
    [InlineData("GitHub:Org/Repo#12", "github:org/repo#12")]
    [InlineData("jira:ops-7", "jira:OPS-7")]
    [InlineData("PagerDuty:pgr0vu2", "pagerduty:PGR0VU2")]
    [InlineData("Deploy:Blue", "deploy:Blue")]
    [InlineData("12", null)]
    [InlineData("github:", null)]
    [InlineData(":x", null)]
    [InlineData("github:a b", null)]
    [InlineData("github:a%2Fb", null)]
    [InlineData("github:a\nb", null)]
    [InlineData("github:\u202Eb", null)]
    public void Normal_ATask_IsOneSpelling(string given, string? kept) => Assert.Equal(kept, TaskName.Normal(given));
}
