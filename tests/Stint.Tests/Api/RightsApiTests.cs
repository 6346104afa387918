using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stint.Server.Identity;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>Stint's own roles over the API of a running node, its keeper and its loops.</summary>
public sealed class RightsApiTests
{
    private static string Catalog { get; } = TestNode.Catalog
        .Replace("resources:\n", """
            resources:
              stint:
                kind: stint
                owners: [person:bob]
                roles: { administrator: { risk: high }, auditor: {}, catalog-keeper: {} }

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal)
        .Replace("policies:\n", """
            policies:
              itself:
                who: [person:ann, person:eve]
                roles: ['stint/*']
                for: { default: 30m, max: 2h }
                approve: { auto: true }

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal);

    private static Task<TestNode> StartAsync(params (string Name, string Value)[] settings) => TestNode.StartAsync(
        Catalog, [("STINT_LIMITS__REQUESTS_PER_MINUTE", "100000"), ("STINT_LIMITS__ADDRESS_REQUESTS_PER_MINUTE", "100000"), .. settings]);

    /// <summary>Asks for a right and begins it, as a person does.</summary>
    private static async Task<string> HoldAsync(TestNode node, string person, string role)
    {
        var asked = await node.PostAsync(person, "/api/v1/requests", new { role = "stint/" + role, reason = "my turn" }, HttpStatusCode.Created);
        var grant = (string)asked["grant"]!["id"]!;
        await node.PostAsync(person, $"/api/v1/grants/{grant}/begin", new { });
        for (var tries = 0; tries < 400 && (string)(await node.GetAsync(person, $"/api/v1/grants/{grant}"))["state"]! != "open"; tries++)
        {
            await Task.Delay(10);
        }

        return grant;
    }

    private static async Task<List<string>> RightsAsync(TestNode node, string person) =>
        [.. (await node.GetAsync(person, "/api/v1/whoami"))["rights"]!.AsArray().Select(right => $"{right!["right"]} {right["by"]} {right["grant"]}".TrimEnd())];

    [Fact]
    public async Task Administrator_InTheNextCall_AndNoMoreAfterTheLast()
    {
        await using var node = await StartAsync();
        Assert.Empty(await RightsAsync(node, "eve"));
        Assert.Equal(403, (int)(await node.SendAsync("eve", HttpMethod.Post, "/api/v1/admin/secrets/seal", new { secret = "x" })).Status);
        var grant = await HoldAsync(node, "eve", "administrator");
        Assert.Equal([$"administrator grant {grant}"], await RightsAsync(node, "eve"));
        Assert.True((bool)(await node.GetAsync("eve", "/api/v1/whoami"))["admin"]!);
        await node.PostAsync("eve", "/api/v1/admin/secrets/seal", new { secret = "x" });
        var refused = await node.SendAsync("eve", HttpMethod.Post, $"/api/v1/grants/{grant}/logins", new { });
        Assert.Equal(409, (int)refused.Status);
        Assert.Contains("othing is connected to at stint", (string)refused.Body["detail"]!);

        // A restart reads it before it answers.
        await node.RestartAsync();
        Assert.Equal([$"administrator grant {grant}"], await RightsAsync(node, "eve"));
        await node.PostAsync("eve", $"/api/v1/grants/{grant}/end", new { });
        Assert.Equal(403, (int)(await node.SendAsync("eve", HttpMethod.Post, "/api/v1/admin/secrets/seal", new { secret = "x" })).Status);
        Assert.Empty(await RightsAsync(node, "eve"));
        Assert.Equal(["administrator catalog"], await RightsAsync(node, "carol"));
        Assert.Equal(["auditor catalog"], await RightsAsync(node, "dan"));
    }

    [Fact]
    public async Task SentAway_HoldsNothingMore()
    {
        await using var node = await StartAsync();
        await HoldAsync(node, "eve", "administrator");
        await node.PostAsync("carol", "/api/v1/people/eve/offboard", new { reason = "dismissed" });
        await node.PostAsync("carol", "/api/v1/people/eve/restore", new { reason = "a mistake" });
        Assert.Empty(await RightsAsync(node, "eve"));
    }

    [Fact]
    public async Task Auditor_ReadsEverything_AndEveryChangingCallIsClosedAsToAnybody()
    {
        await using var node = await StartAsync();
        var hers = await node.HoldAsync("ann");
        var waits = (string)(await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "to change" }, HttpStatusCode.Created))["id"]!;
        var before = await WalkAsync(node, "eve", hers.Id.Value, waits);
        await HoldAsync(node, "eve", "auditor");
        Assert.NotEmpty((await node.GetAsync("eve", $"/api/v1/audit/facts?limit=5"))["items"]!.AsArray());
        Assert.Equal("ann", (string?)(await node.GetAsync("eve", $"/api/v1/grants/{hers.Id}"))["subject"]);
        var after = await WalkAsync(node, "eve", hers.Id.Value, waits);

        // What succeeds is what a person does with their own; to read is all that is new.
        string[] reads = ["POST /api/v1/audit/verify", "POST /audit/verify"];
        Assert.Equal(before.Done.Union(reads).Order(), after.Done.Union(reads).Order());
        Assert.True(after.Refused > 25, $"{after.Refused} calls were refused");
        Assert.Equal("open", (string?)(await node.GetAsync("ann", $"/api/v1/grants/{hers.Id}"))["state"]);
        Assert.Equal("pending", (string?)(await node.GetAsync("ann", $"/api/v1/requests/{waits}"))["state"]);
        Assert.Equal("ann", (string?)(await node.GetAsync("ann", "/api/v1/whoami"))["id"]);
    }

    /// <summary>Calls everything that may change something, at what is somebody else's, with the best body that an attacker has.</summary>
    private static async Task<(List<string> Done, int Refused)> WalkAsync(TestNode node, string who, string grant, string request)
    {
        var (done, refused) = (new List<string>(), 0);
        foreach (var endpoint in node.Node.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var path = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            var method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods[0];
            if (method is null or "GET" || endpoint.Metadata.GetMetadata<Open>() is not null || endpoint.Metadata.GetMetadata<Closed>() is not null)
            {
                continue;
            }

            var at = path.Contains("/grants/", StringComparison.Ordinal) ? grant : path.Contains("/requests/", StringComparison.Ordinal) ? request : "ann";
            JsonObject body = path[(path.LastIndexOf('/') + 1)..] switch
            {
                "revoke" => new() { ["comment"] = "mine now" },
                "offboard" or "restore" => new() { ["reason"] = "mine now" },
                "seal" => new() { ["secret"] = "x" },
                "backup" => new() { ["path"] = Path.Combine(node.Folder, "stolen") },
                "apply" => new() { ["files"] = new JsonArray(new JsonObject { ["name"] = "all.yaml", ["text"] = Catalog }), ["base"] = new string('0', 64) },
                "rollback" => new() { ["to"] = "1", ["base"] = new string('0', 64) },
                "deny" => new() { ["comment"] = "no" },
                _ => [],
            };
            var (status, _, _) = await node.SendAsync(who, new HttpMethod(method), Regex.Replace(path, "{[^}]*}", at), method == "DELETE" ? null : body);
            if ((int)status < 300)
            {
                done.Add($"{method} {path}");
            }
            else
            {
                refused++;
            }
        }

        Assert.False(File.Exists(Path.Combine(node.Folder, "stolen")));
        return (done, refused);
    }
}
