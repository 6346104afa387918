using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server;
using Stint.Server.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class PlanCatalogUseCaseTests
{
    private static CatalogSource Files(string text) => new([new CatalogFile("all.yaml", text)]);

    private static async Task<JsonObject> PlanAsync(World world, string text, SubjectId? who = null) =>
        Assert.IsType<Outcome<JsonObject>.Done>(await world.Get<PlanCatalog>().PlanAsync(who ?? World.Root, Files(text), CancellationToken.None)).Value;

    private static List<(string Id, string What)> Fates(JsonObject plan) => [.. plan["consequences"]!["items"]!.AsArray().Select(item => ((string)item!["id"]!, (string)item["what"]!))];

    [Fact]
    public async Task Plan_WhatIsOpenAndWhatWaits_IsAskedAgain()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var ready = (await world.AskedAsync("orders-db/read-only")).Grant!.Grant;
        var pending = (await world.AskedAsync("orders-db/owner")).Request;
        var eves = await world.OpenAsync(who: World.Eve);
        var plan = await PlanAsync(world, World.Catalog.Replace("developers: [ann, eve]", "developers: [eve]", StringComparison.Ordinal));
        Assert.Equal([(open.Id.Value, "keeps"), (ready.Id.Value, "falls"), (pending.Id.Value, "falls")], Fates(plan).OrderBy(fate => fate.What == "keeps" ? 0 : 1).ThenBy(fate => fate.Id == ready.Id.Value ? 0 : 1));
        Assert.DoesNotContain(Fates(plan), fate => fate.Id == eves.Id.Value);
        Assert.Equal(1, (int)plan["losers"]!);
        var leaves = await PlanAsync(world, World.Catalog.Replace("ann: {}", "ann: { disabled: true }", StringComparison.Ordinal));
        Assert.All(Fates(leaves), fate => Assert.Equal("ends", fate.What));
        Assert.Equal(3, Fates(leaves).Count);
        Assert.Equal(["CatalogApplied"], (await world.FactsAsync()).Where(kind => kind.StartsWith("Catalog", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Plan_FilesWithProblems_AnswersAllOfThem()
    {
        await using var world = await World.NewAsync();
        var plan = await PlanAsync(world, "policies: 3\nresources: []", World.Dave);
        Assert.False((bool)plan["ok"]!);
        Assert.True(plan["errors"]!.AsArray().Count >= 2);
    }

    [Fact]
    public async Task Plan_TheSameFiles_IsNothing()
    {
        await using var world = await World.NewAsync();
        Assert.True((bool)(await PlanAsync(world, World.Catalog))["nothing"]!);
    }

    [Fact]
    public async Task Plan_WhereAYesIsDemanded_NamesWhose()
    {
        await using var world = await World.NewAsync(World.Catalog + "\nchanges: { approve: { steps: [ { from: group:leads } ] } }");
        var plan = await PlanAsync(world, World.Catalog);
        Assert.True((bool)plan["needs_approval"]!);
        Assert.Equal("group leads", (string?)plan["approvals"]![0]!["name"]);
        Assert.Contains("changes removed", plan["changes"]!.AsArray().Select(item => (string?)item!["sentence"]));
    }

    [Theory]
    [InlineData("ann")]
    [InlineData("bob")]
    public async Task Plan_ByWhoMayNotReadTheCatalog_IsRefused(string who)
    {
        await using var world = await World.NewAsync();
        Assert.IsType<Outcome<JsonObject>.NotYours>(await world.Get<PlanCatalog>().PlanAsync(new SubjectId(who), Files(World.Catalog), CancellationToken.None));
        Assert.IsType<Outcome<LoadedCatalog>.NotYours>(world.Get<ReplayCatalog>().Prepare(new SubjectId(who), Files(World.Catalog), TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task Replay_PastRequests_AreDecidedAgainAtTheirOwnMoment()
    {
        await using var world = await World.NewAsync();
        await world.AskedAsync("orders-db/read-only");
        world.Time.Advance(TimeSpan.FromDays(100));
        var (read, own) = ((await world.AskedAsync("orders-db/read-only", seconds: 3 * 3600)).Request, (await world.AskedAsync("orders-db/owner")).Request);
        await world.AskedAsync("orders-db/read-only", World.Eve);
        var text = World.Catalog.Replace("max: 4h", "max: 1h", StringComparison.Ordinal).Replace("approve: { steps: [ { from: owners } ] }", "approve: { auto: true }", StringComparison.Ordinal);
        var replay = world.Get<ReplayCatalog>();
        var next = Assert.IsType<Outcome<LoadedCatalog>.Done>(replay.Prepare(World.Dave, Files(text), TimeSpan.FromDays(90))).Value;
        var lines = new List<JsonObject>();
        await replay.RunAsync(next, TimeSpan.FromDays(90), line =>
        {
            lines.Add(line);
            return Task.CompletedTask;
        }, CancellationToken.None);
        Assert.Equal(
            [(own.Id.Value, "by_rule"), (read.Id.Value, "shorter")],
            lines.Where(line => line.ContainsKey("item")).Select(line => ((string)line["item"]!["request"]!, (string)line["item"]!["what"]!)));
        var total = lines[^1]["total"]!;
        Assert.Equal((3, 1, 1, 1), ((long)total["requests"]!, (long)total["by_rule"]!, (long)total["shorter"]!, (long)total["same"]!));
    }
}
