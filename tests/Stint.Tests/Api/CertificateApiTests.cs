using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stint.Connectors.Ssh;
using Stint.Server.Audit;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>Certificates over the API: who gets one, for how long, and who hears of those that are revoked.</summary>
public sealed class CertificateApiTests
{
    private static string Catalog(string hostKey) => TestNode.Catalog
        .Replace("policies:\n", $$"""
              web:
                kind: ssh
                owners: [person:bob]
                settings: { host: web1.internal, host_keys: ['{{hostKey}}'], ca: { env: WEB_CA }, certificate_life: 5m }
                roles:
                  shell: { principals: [deploy, ops], user: ops }
            policies:
              shell: { who: group:developers, roles: [web/shell], for: { default: 30m, max: 4h }, approve: { auto: true } }

            """, StringComparison.Ordinal);

    private static async Task<(string PrivateKey, SshPublicKey PublicKey)> KeyAsync() =>
        Assert.IsType<SshOutcome<(string PrivateKey, SshPublicKey PublicKey)>.Done>(await SshAuthority.MakeAsync(default)).Value;

    private static async Task<string> OpenAsync(TestNode node, string role, int seconds)
    {
        var asked = await node.PostAsync("ann", "/api/v1/requests", new { role, for_seconds = seconds, reason = "a fix", wait = true }, HttpStatusCode.Created);
        return (string)asked["grant"]!["id"]!;
    }

    [Fact]
    public async Task Certificate_IsItsHoldersUntilTheGrantEnds()
    {
        var (ca, key) = (await KeyAsync(), (await KeyAsync()).PublicKey);
        await using var node = await TestNode.StartAsync(Catalog(key.Text), ("WEB_CA", ca.PrivateKey));
        var revoked = $"/authorities/{ca.PublicKey.Hash}/revoked";

        // A CA that has signed nothing has a list: without one sshd would let nobody in.
        async Task<int> ListAsync() => (await (await node.SendAsync(null, HttpMethod.Get, revoked)).Response.Content.ReadAsByteArrayAsync()).Length;
        var empty = await ListAsync();
        Assert.True(empty > 0);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync(null, HttpMethod.Get, $"/authorities/{new string('0', 64)}/revoked")).Status);

        var grant = await OpenAsync(node, "web/shell", 3600);
        var path = $"/api/v1/grants/{grant}/certificates";
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.SendAsync(null, HttpMethod.Post, path, new { public_key = key.Text })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("eve", HttpMethod.Post, path, new { public_key = key.Text })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("bob", HttpMethod.Post, path, new { public_key = key.Text })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("carol", HttpMethod.Post, path, new { public_key = key.Text })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await node.SendAsync("ann", HttpMethod.Post, path, new { public_key = key.Text + "\n" + key.Text })).Status);

        var (status, given, _) = await node.SendAsync("ann", HttpMethod.Post, path, new { public_key = key.Text + " ann@laptop" }, key: "once");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(("ops", "web1.internal", 22), ((string)given["user"]!, (string)given["host"]!, (int)given["port"]!));
        var (from, until, ends) = (Moment(given, "not_before"), Moment(given, "not_after"), Moment(given, "grant_ends"));
        Assert.InRange(until - from, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6) + TimeSpan.FromSeconds(1));
        Assert.True(until < ends);
        Assert.Equal((string)given["serial"]!, (string)(await node.SendAsync("ann", HttpMethod.Post, path, new { public_key = key.Text + " ann@laptop" }, key: "once")).Body["serial"]!);

        // None outlives a grant that is shorter than that.
        var brief = await OpenAsync(node, "web/shell", 60);
        var second = await node.PostAsync("ann", $"/api/v1/grants/{brief}/certificates", new { public_key = key.Text }, HttpStatusCode.Created);
        Assert.True(Moment(second, "not_after") <= Moment(second, "grant_ends"));
        Assert.Equal(empty, await ListAsync());

        await node.PostAsync("bob", $"/api/v1/grants/{grant}/revoke", new { comment = "enough" });
        Assert.Equal(HttpStatusCode.Conflict, (await node.SendAsync("ann", HttpMethod.Post, path, new { public_key = key.Text })).Status);
        Assert.True(await ListAsync() > empty);

        // It is in the log, and the rows are held against it.
        var report = await node.Node.Services.GetRequiredService<VerifyLog>().VerifyAsync(default);
        Assert.True(report.Holds, string.Join('\n', report.Rows.Select(row => row.Sentence)));
        var request = (string)(await node.GetAsync("ann", $"/api/v1/grants/{grant}"))["request"]!;
        Assert.Contains($"\"serial\":\"{given["serial"]}\"", await (await node.SendAsync("dan", HttpMethod.Get, $"/api/v1/audit/evidence/{request}")).Response.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // A database takes none, and a host no login.
        var database = await node.HoldAsync("ann");
        Assert.Equal(HttpStatusCode.Conflict, (await node.SendAsync("ann", HttpMethod.Post, $"/api/v1/grants/{database.Id}/certificates", new { public_key = key.Text })).Status);
        var (conflict, body, _) = await node.SendAsync("ann", HttpMethod.Post, $"/api/v1/grants/{brief}/logins");
        Assert.Equal((HttpStatusCode.Conflict, true), (conflict, body.ToJsonString().Contains("stint ssh web/shell", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Authority_ToThoseWhoRunTheHost_AndANewOneSealed()
    {
        var (ca, key) = (await KeyAsync(), (await KeyAsync()).PublicKey);
        await using var node = await TestNode.StartAsync(Catalog(key.Text), ("WEB_CA", ca.PrivateKey));
        foreach (var who in (string[])["bob", "carol", "dan"])
        {
            var shown = await node.GetAsync(who, "/api/v1/resources/web/authority");
            Assert.Equal((ca.PublicKey.Text, ca.PublicKey.Fingerprint), ((string)shown["public_key"]!, (string)shown["fingerprint"]!));
            Assert.Null(shown["sealed"]);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("ann", HttpMethod.Get, "/api/v1/resources/web/authority")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await node.SendAsync("carol", HttpMethod.Get, "/api/v1/resources/nothing/authority")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await node.SendAsync("carol", HttpMethod.Get, "/api/v1/resources/orders-db/authority")).Status);

        Assert.Equal(HttpStatusCode.Forbidden, (await node.SendAsync("bob", HttpMethod.Post, "/api/v1/admin/authorities")).Status);
        var made = await node.PostAsync("carol", "/api/v1/admin/authorities", new { }, HttpStatusCode.Created);
        Assert.DoesNotContain("PRIVATE", made.ToJsonString(), StringComparison.Ordinal);
        Assert.StartsWith("sealed:v1:", (string)made["sealed"]!, StringComparison.Ordinal);
    }

    private static DateTimeOffset Moment(JsonObject from, string name) => DateTimeOffset.Parse((string)from[name]!, System.Globalization.CultureInfo.InvariantCulture);
}
