using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Stint.Server.Api;
using Stint.Server.Catalog;
using Xunit;

namespace Stint.Tests.Api;

public sealed class CatalogApiTests : IAsyncLifetime
{
    private static readonly string Other = TestNode.Catalog.Replace("max: 4h", "max: 2h", StringComparison.Ordinal);

    private TestNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await TestNode.StartAsync(("STINT_CATALOG_FROM", "store"));

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private static object[] Files(string text) => [new { name = "all.yaml", text }];

    /// <summary>Reads an answer as what the OpenAPI document says that it is: nothing may be in it that is not described, nor be missing that is.</summary>
    private static T Described<T>(JsonObject answer, JsonTypeInfo<T> shape) => answer.Deserialize(shape)!;

    private async Task<string> CountsAsync() => (string)(await _node.GetAsync("carol", "/api/v1/catalog"))["version"]!;

    [Fact]
    public async Task PlanApplyHistoryExportRollback_OneAfterTheOther_AgreeWithEachOther()
    {
        var first = await CountsAsync();
        var plan = await _node.PostAsync("dan", "/api/v1/catalog/plan", new { files = Files(Other) });
        Assert.Equal("group:developers (2 people) get orders-db/read-only otherwise: for 2h at most, before 4h", (string?)plan["access"]![0]!["sentence"]);
        Assert.Equal(["developers", "read"], Described(plan, ApiJson.Default.PlanShape).Access!.SelectMany(change => change.Before.Rules.Prepend(change.Who[0][6..])).Select(word => word.Split(' ')[0]));
        var applied = await _node.PostAsync("carol", "/api/v1/catalog/apply", new { files = Files(Other), @base = plan["base"]!.ToString(), note = "shorter", commit = new string('a', 40), dirty = true });
        Assert.Equal((string?)plan["version"], (string?)applied["applied"]!["version"]);
        Assert.Equal((string?)plan["version"], await CountsAsync());
        var history = (await _node.GetAsync("dan", "/api/v1/catalog/history"))["items"]!.AsArray();
        Assert.Equal((2, "person:carol", "shorter", true), ((int)history[0]!["number"]!, (string?)history[0]!["by"], (string?)history[0]!["note"], (bool)history[0]!["dirty"]!));
        var export = await _node.GetAsync("dan", "/api/v1/catalog/versions/1");
        Assert.Equal((first, TestNode.Catalog), ((string?)export["entry"]!["version"], (string?)export["files"]![0]!["text"]));
        var back = await _node.PostAsync("carol", "/api/v1/catalog/rollback", new { to = "1", @base = await CountsAsync() });
        Assert.Equal((first, 3), ((string?)back["applied"]!["version"], (int)back["applied"]!["number"]!));
        Assert.Equal(first, await CountsAsync());
    }

    [Fact]
    public async Task Apply_FromAnOldPlan_AnswersLostRace()
    {
        var (status, body, _) = await _node.SendAsync("carol", HttpMethod.Post, "/api/v1/catalog/apply", new { files = Files(Other), @base = new string('0', 64) });
        Assert.Equal((HttpStatusCode.Conflict, "/problems/lost-race"), (status, (string?)body["type"]));
    }

    [Fact]
    public async Task Apply_WithProblems_AnswersEachWithItsPlace()
    {
        var (status, body, _) = await _node.SendAsync("carol", HttpMethod.Post, "/api/v1/catalog/apply", new { files = Files("policies: 3"), @base = await CountsAsync() });
        Assert.Equal(422, (int)status);
        Assert.Contains(body["errors"]!.AsArray(), error => ((string)error!["field"]!).StartsWith("all.yaml:1:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{ "files": [null] }""")]
    [InlineData("""{ "files": [{ "name": "../all.yaml", "text": "" }] }""")]
    [InlineData("""{ "files": [{ "name": "/etc/all.yaml", "text": "" }] }""")]
    [InlineData("""{ "files": [{ "name": "a.yaml", "text": "" }, { "name": "a.yaml", "text": "" }] }""")]
    [InlineData("""{ "files": [{ "name": "notes.txt", "text": "" }] }""")]
    [InlineData("""{ "files": [] }""")]
    public async Task Plan_FilesThatCouldNotStandInAFolder_AreProblems(string body)
    {
        var (status, plan, _) = await _node.SendAsync("dan", HttpMethod.Post, "/api/v1/catalog/plan", body);
        Assert.Equal((HttpStatusCode.OK, false), (status, (bool)plan["ok"]!));
        Assert.NotEmpty(plan["errors"]!.AsArray());
    }

    [Theory]
    [InlineData("ann", "/api/v1/catalog/apply", 403)]
    [InlineData("dan", "/api/v1/catalog/apply", 403)]
    [InlineData("ann", "/api/v1/catalog/plan", 403)]
    [InlineData("ann", "/api/v1/catalog/replay", 403)]
    [InlineData("carol", "/api/v1/catalog/rollback", 404)]
    public async Task Call_WithoutTheRight_ChangesNothing(string who, string path, int expected)
    {
        var before = await CountsAsync();
        object body = path.EndsWith("rollback", StringComparison.Ordinal) ? new { to = "77", @base = before }
            : path.EndsWith("apply", StringComparison.Ordinal) ? new { files = Files(Other), @base = before }
            : path.EndsWith("replay", StringComparison.Ordinal) ? new { files = Files(Other), since_seconds = 60 }
            : new { files = Files(Other) };
        Assert.Equal(expected, (int)(await _node.SendAsync(who, HttpMethod.Post, path, body)).Status);
        Assert.Equal(before, await CountsAsync());
        Assert.Equal(403, (int)(await _node.SendAsync("ann", HttpMethod.Get, "/api/v1/catalog/history")).Status);
        Assert.Equal(403, (int)(await _node.SendAsync("ann", HttpMethod.Get, "/api/v1/catalog/versions/1")).Status);
    }

    [Fact]
    public async Task Plan_ALargeCatalog_IsTakenFromThoseWhoMayAndFromNobodyElse()
    {
        var files = Files(TestNode.Catalog + "\n# " + new string('x', 200_000));
        Assert.True((bool)(await _node.PostAsync("dan", "/api/v1/catalog/plan", new { files }))["ok"]!);
        Assert.Equal(413, (int)(await _node.SendAsync("ann", HttpMethod.Post, "/api/v1/catalog/plan", new { files })).Status);
    }

    [Fact]
    public async Task Replay_StreamsCountsItemsAndATotal()
    {
        await _node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/read-only", for_seconds = 3 * 3600 }, HttpStatusCode.Created);
        var (status, _, response) = await _node.SendAsync("dan", HttpMethod.Post, "/api/v1/catalog/replay", new { files = Files(Other), since_seconds = 86_400 });
        Assert.Equal(HttpStatusCode.OK, status);
        var lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        Assert.Equal("shorter", (string?)lines[0]["item"]!["what"]);
        Assert.Equal(1, (int)lines[^1]["total"]!["shorter"]!);
    }

    [Fact]
    public async Task Explain_WhatOneMayNotKnowOf_AnswersByteForByteAsWhatIsNotThere()
    {
        foreach (var path in (string[])["explain?role=", "who?role=", "explain?subject=ann&role="])
        {
            var (hidden, hiddenBody, _) = await _node.SendAsync("eve", HttpMethod.Get, $"/api/v1/{path}orders-db/owner");
            var (absent, absentBody, _) = await _node.SendAsync("eve", HttpMethod.Get, $"/api/v1/{path}nowhere/owner");
            Assert.Equal((HttpStatusCode.NotFound, absent), (hidden, hidden));
            Assert.Equal(absentBody.ToJsonString(), hiddenBody.ToJsonString());
        }

        Assert.Equal("approval", Described(await _node.GetAsync("bob", "/api/v1/explain?subject=ann&role=orders-db/owner"), ApiJson.Default.ExplanationShape).Standing.Way);
        Assert.Equal(["ann", "bob"], Described(await _node.GetAsync("dan", "/api/v1/who?role=orders-db/read-only"), ApiJson.Default.WhoShape).Items.Select(item => item.Subject));
        Assert.Equal(422, (int)(await _node.SendAsync("dan", HttpMethod.Get, "/api/v1/explain?role=nonsense")).Status);
        Assert.Equal(400, (int)(await _node.SendAsync("dan", HttpMethod.Get, "/api/v1/explain?role=a/b&at=yesterday")).Status);
    }

    [Fact]
    public async Task Changes_ProposedAndApproved_TakeEffect()
    {
        var guarded = TestNode.Catalog + "\nchanges: { approve: { steps: [ { from: person:bob } ] } }";
        await _node.PostAsync("carol", "/api/v1/catalog/apply", new { files = Files(guarded), @base = await CountsAsync() });
        var before = await CountsAsync();
        var proposed = await _node.PostAsync("carol", "/api/v1/catalog/apply", new { files = Files(Other), @base = before }, HttpStatusCode.Accepted);
        var id = (string)proposed["change"]!["id"]!;
        Assert.Equal(before, await CountsAsync());
        Assert.Equal(404, (int)(await _node.SendAsync("ann", HttpMethod.Get, $"/api/v1/catalog/changes/{id}")).Status);
        var seen = await _node.GetAsync("bob", $"/api/v1/catalog/changes/{id}");
        Assert.Equal(Other, (string?)seen["files"]![0]!["text"]);
        Assert.Contains("for 2h at most", seen["plan"]!.ToJsonString());
        Assert.Equal(403, (int)(await _node.SendAsync("carol", HttpMethod.Post, $"/api/v1/catalog/changes/{id}/approve", new { saw_digest = (string?)seen["digest"] })).Status);
        Assert.Equal(409, (int)(await _node.SendAsync("bob", HttpMethod.Post, $"/api/v1/catalog/changes/{id}/approve", new { saw_digest = "other" })).Status);
        Assert.Equal("applied", (string?)(await _node.PostAsync("bob", $"/api/v1/catalog/changes/{id}/approve", new { saw_digest = (string?)seen["digest"] }))["state"]);
        Assert.Equal((string?)proposed["change"]!["target"], await CountsAsync());
        Assert.Equal(409, (int)(await _node.SendAsync("bob", HttpMethod.Post, $"/api/v1/catalog/changes/{id}/deny", new { comment = "late" })).Status);
    }
}

/// <summary>The catalog of a server that follows a folder, and of one that starts again.</summary>
public sealed class CatalogFolderTests
{
    private static readonly string Guarded = TestNode.Catalog + "\nchanges: { approve: { steps: [ { from: person:bob } ] } }";

    [Fact]
    public async Task Apply_OnAServerThatFollowsAFolder_NamesTheFolder()
    {
        await using var node = await TestNode.StartAsync();
        var (status, body, _) = await node.SendAsync("carol", HttpMethod.Post, "/api/v1/catalog/apply", new { files = new object[] { new { name = "all.yaml", text = Guarded } }, @base = "x" });
        Assert.Equal((HttpStatusCode.Conflict, "/problems/refused"), (status, (string?)body["type"]));
        Assert.Contains(Path.Combine(node.Folder, "catalog"), (string?)body["detail"]);
    }

    [Fact]
    public async Task Folder_ChangedWhereAYesIsDemanded_WaitsForItAndSaysSo()
    {
        await using var node = await TestNode.StartAsync(Guarded);
        var before = (string)(await node.GetAsync("carol", "/api/v1/catalog"))["version"]!;
        await File.WriteAllTextAsync(node.CatalogFile, Guarded.Replace("max: 4h", "max: 2h", StringComparison.Ordinal));
        node.Node.Reload();
        var id = await UntilAsync(async () => (await node.GetAsync("bob", "/api/v1/catalog/changes"))["items"]!.AsArray() is [var change] ? (string?)change!["id"] : null);
        Assert.Equal(before, (string?)(await node.GetAsync("carol", "/api/v1/catalog"))["version"]);
        Assert.Contains(id, await UntilAsync(async () => (await node.GetAsync("carol", "/api/v1/status"))["problems"]!.AsArray() is [var problem, ..] ? (string?)problem : null));
        var seen = await node.GetAsync("bob", $"/api/v1/catalog/changes/{id}");
        Assert.Equal("stint:operator", (string?)seen["proposed_by"]);
        await node.PostAsync("bob", $"/api/v1/catalog/changes/{id}/approve", new { saw_digest = (string?)seen["digest"] });
        Assert.Equal((string?)seen["target"], (string?)(await node.GetAsync("carol", "/api/v1/catalog"))["version"]);
        Assert.Empty((await node.GetAsync("carol", "/api/v1/status"))["problems"]!.AsArray());
    }

    [Fact]
    public async Task Start_AfterTheFolderChangedWhileNobodyRan_DecidesByTheOldOneAndProposes()
    {
        await using var node = await TestNode.StartAsync(Guarded);
        var before = node.Node.Services.GetRequiredService<CurrentCatalog>().Now.Version;
        await File.WriteAllTextAsync(node.CatalogFile, TestNode.Catalog);
        await node.RestartAsync();
        Assert.Equal(before, node.Node.Services.GetRequiredService<CurrentCatalog>().Now.Version);
        Assert.Single((await node.GetAsync("bob", "/api/v1/catalog/changes"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Start_FromTheStore_GoesOnWithWhatWasAppliedWhateverTheFolderSays()
    {
        await using var node = await TestNode.StartAsync(("STINT_CATALOG_FROM", "store"));
        var applied = await node.PostAsync("carol", "/api/v1/catalog/apply", new { files = new object[] { new { name = "all.yaml", text = Guarded } }, @base = node.Node.Services.GetRequiredService<CurrentCatalog>().Now.Version });
        await File.WriteAllTextAsync(node.CatalogFile, "nonsense: [");
        await node.RestartAsync();
        Assert.Equal((string?)applied["applied"]!["version"], node.Node.Services.GetRequiredService<CurrentCatalog>().Now.Version);
    }

    private static async Task<string> UntilAsync(Func<Task<string?>> look)
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        while (true)
        {
            if (await look() is { } found)
            {
                return found;
            }

            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20));
            await Task.Delay(20);
        }
    }
}
