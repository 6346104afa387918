using System.Text;
using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class KeepReportsUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static async Task<MadeReport> KeepAsync(World world, SubjectId who, ReportDraft? draft = null) =>
        (await world.Get<KeepReports>().KeepAsync(who, draft ?? new ReportDraft(), new JsonObject { ["requests"] = 3L, ["same"] = 1L, ["left_out"] = 0L, ["catalog"] = "c" }, None))!;

    private static async Task<JsonObject?> OpenAsync(World world, MadeReport report, string? key = null) =>
        await world.Get<KeepReports>().OpenAsync(report.Id, key ?? report.Key, None) is { } body ? JsonNode.Parse(body)!.AsObject() : null;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Report_OpensOnEveryNode_UntilItsHourIsOver(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var world = await World.NewAsync(store: test.Store);
        var second = world.Second();
        var report = await KeepAsync(world, World.Dave);
        Assert.Equal("dave", (string?)(await OpenAsync(second, report))!["made_by"]);
        Assert.Null(await OpenAsync(second, report, report.Key + "x"));
        Assert.Null(await OpenAsync(second, report, await KeepAsync(world, World.Root) is { } other ? other.Key : null));
        world.Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMicroseconds(1));
        Assert.NotNull(await OpenAsync(second, report));
        world.Time.Advance(TimeSpan.FromMicroseconds(1));
        Assert.Null(await OpenAsync(world, report));
        Assert.Equal(2, (await world.FactsAsync()).Count(kind => kind == FactKinds.ReportKept));

        // What is over is forgotten with the next one, and by the clock.
        await KeepAsync(world, World.Root);
        Assert.Equal(1, await world.Store.ReadAsync(async reads => await reads.Db.NumberAsync("SELECT COUNT(*) FROM reports"), None));
        Assert.Equal(1, await world.Store.WriteAsync(async work => await work.ForgetReportsAsync(world.Now + KeepReports.Lasts), None));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Report_ASixthOfOnePerson_TakesTheOldestsPlace(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var world = await World.NewAsync(store: test.Store);
        var others = await KeepAsync(world, World.Root);
        List<MadeReport> mine = [];
        for (var i = 0; i < 6; i++)
        {
            mine.Add(await KeepAsync(world, World.Dave));
            world.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Null(await OpenAsync(world, mine[0]));
        Assert.NotNull(await OpenAsync(world, others));
        foreach (var report in mine.Skip(1))
        {
            Assert.NotNull(await OpenAsync(world, report));
        }

        // Many at once are still five.
        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => KeepAsync(world, World.Dave))));
        Assert.Equal(5, await world.Store.ReadAsync(async reads => await reads.Db.NumberAsync("SELECT COUNT(*) FROM reports WHERE person = 'dave'"), None));
    }

    [Fact]
    public async Task Report_OfSomebodyWhoLostTheRightMeanwhile_IsNotKept()
    {
        await using var world = await World.NewAsync();
        Assert.Null(await KeepAsync(world, World.Ann));
        Assert.DoesNotContain(FactKinds.ReportKept, await world.FactsAsync());
    }

    [Fact]
    public async Task Report_LargerThanItsBound_CountsWhatFoundNoRoom()
    {
        await using var world = await World.NewAsync();
        var draft = new ReportDraft();
        var reason = new string('ü', 2_000);
        for (var i = 0; i < 2_000; i++)
        {
            draft.Add(new JsonObject { ["n"] = i, ["reason"] = reason });
        }

        draft.Add(new JsonObject { ["n"] = "short" });
        var report = await KeepAsync(world, World.Dave, draft);
        var body = (await world.Get<KeepReports>().OpenAsync(report.Id, report.Key, None))!;
        Assert.InRange(body.Length, KeepReports.MostBytes / 2, KeepReports.MostBytes);
        var read = JsonNode.Parse(body)!;
        var items = read["items"]!.AsArray();
        Assert.Equal(2_001, items.Count + (long)read["total"]!["left_out"]!);
        Assert.Equal(items.Count - 1, (int)items[^1]!["n"]!);
        Assert.DoesNotContain("short", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Reports_InTheDatabase_AreBoundedAndFixed(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var report = new KeptReport(new ReportId("rp-1"), new byte[32], World.Dave, TestStore.Now, TestStore.Now.AddHours(1));
        await test.WriteAsync(async work => await work.KeepAsync(report, "{}"u8.ToArray()));
        var read = (await test.ReadAsync(async reads => await reads.FindReportAsync(report.Id)))!;
        Assert.Equal(report with { KeyHash = read.KeyHash }, read);
        Assert.Equal(report.KeyHash, read.KeyHash);
        foreach (var attack in (string[])
        [
            "UPDATE reports SET ends_at = ends_at - 1",
            "UPDATE reports SET person = 'ann', id = 'rp-2'",
            "UPDATE reports SET body = key_hash",
            "INSERT INTO reports SELECT 'ann', 5, 'rp-3', body, made_at, ends_at, body FROM reports",
        ])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }

        await Assert.ThrowsAsync<StoreConflictException>(() => test.AttackAsync("INSERT INTO reports SELECT 'ann', 0, 'rp-3', key_hash, made_at, ends_at, body FROM reports"));

        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
            await work.KeepAsync(report with { Id = new ReportId("rp-4"), KeyHash = [1], Person = World.Ann }, [])));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
            await work.KeepAsync(report with { Id = new ReportId("rp-4"), KeyHash = [.. Enumerable.Repeat((byte)1, 32)], Person = World.Ann, EndsAt = TestStore.Now.AddHours(2) }, [])));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
            await work.KeepAsync(report with { Id = new ReportId("rp-4"), KeyHash = [.. Enumerable.Repeat((byte)1, 32)], Person = World.Ann }, new byte[KeepReports.MostBytes + 1])));
    }
}
