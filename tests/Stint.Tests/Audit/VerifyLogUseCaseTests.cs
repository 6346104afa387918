using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Xunit;

namespace Stint.Tests.Audit;

public sealed class VerifyLogUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Verify_AfterAWholeStory_HoldsForLogAndRows()
    {
        await using var world = await StoryAsync();
        var report = await world.Get<VerifyLog>().VerifyAsync(None);
        Assert.Empty(report.Log.Findings);
        Assert.Empty(report.Rows);
        Assert.True(report.Holds);
        Assert.True(report.RowsRead >= 5);
    }

    [Theory]
    [InlineData("UPDATE grants SET not_after = not_after + 3600000000, version = version + 1 WHERE state = 'open'")]
    [InlineData("UPDATE requests SET state = 'approved', version = version + 1 WHERE state = 'pending'")]
    [InlineData("UPDATE grants SET state = 'open' WHERE state = 'closed'")]
    public async Task Verify_RowEditedBehindTheLogsBack_IsNamed(string edit)
    {
        await using var world = await StoryAsync();
        world.Edit(edit);
        var report = await world.Get<VerifyLog>().VerifyAsync(None);
        Assert.Empty(report.Log.Findings);
        Assert.NotEmpty(report.Rows);
        Assert.False(report.Holds);
    }

    [Fact]
    public async Task Verify_FactEdited_IsNamedByItsPlace()
    {
        await using var world = await StoryAsync();
        world.Edit("UPDATE facts SET body = replace(body, 'person:ann', 'person:eve') WHERE seq = 1");
        var report = await world.Get<VerifyLog>().VerifyAsync(None);
        Assert.Contains(report.Log.Findings, finding => finding is { Fault: LogFault.Changed, Seq: 1 });
    }

    [Fact]
    public async Task Start_LogShorterThanItsWitness_IsRefused()
    {
        await using var world = await StoryAsync();
        await world.Get<Checkpoints>().SignAsync(None);
        await world.Get<Checkpoints>().CheckWitnessAsync(None);
        world.Edit("DELETE FROM facts WHERE seq > 3; DELETE FROM checkpoints; UPDATE log_head SET size = 4");
        var refusal = await Assert.ThrowsAsync<LogTamperedException>(() => world.Get<Checkpoints>().CheckWitnessAsync(None));
        Assert.Contains("cut off", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FactDeletedFromTheMiddle_IsRefusedAndNamed()
    {
        await using var world = await StoryAsync();
        await world.Get<Checkpoints>().SignAsync(None);
        world.Edit("DELETE FROM facts WHERE seq = 2");
        var refusal = await Assert.ThrowsAsync<LogTamperedException>(() => world.Get<Checkpoints>().CheckWitnessAsync(None));
        Assert.Contains("Fact 2: it is missing", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AnotherLogOfTheSameLength_IsRefused()
    {
        await using var world = await StoryAsync();
        await world.Get<Checkpoints>().SignAsync(None);
        world.Edit("UPDATE facts SET leaf = zeroblob(32) WHERE seq = 2");
        await Assert.ThrowsAsync<LogTamperedException>(() => world.Get<Checkpoints>().CheckWitnessAsync(None));
    }

    [Fact]
    public async Task Evidence_OfAnExtendedRequest_HoldsOnAnotherMachine_AndFailsWhenChanged()
    {
        await using var world = await World.NewAsync();
        var first = await world.OpenAsync();
        var asked = await world.AskedAsync(seconds: 600, extends: first.Id);
        await world.TickAsync();
        foreach (var request in new[] { first.Request, asked.Request.Id })
        {
            var file = Assert.IsType<Outcome<byte[]>.Done>(await world.Get<CollectEvidence>().CollectAsync(World.Root, request, None)).Value;
            var trust = KeyTrust.Parse(world.Get<Checkpoints>().Key.Public);
            var report = EvidenceVerifier.Verify(file, trust);
            Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(sentence => !sentence.Holds).Select(sentence => $"{sentence.Text}: {sentence.Why}")));
            file[file.Length / 2] ^= 1;
            Assert.False(EvidenceVerifier.Verify(file, trust).Holds);
        }

        // It holds the whole catalog: the requester, who may know of some of it only, does not get it.
        Assert.IsType<Outcome<byte[]>.NotYours>(await world.Get<CollectEvidence>().CollectAsync(World.Ann, asked.Request.Id, None));
        Assert.IsType<Outcome<byte[]>.NotFound>(await world.Get<CollectEvidence>().CollectAsync(World.Eve, asked.Request.Id, None));
    }

    [Fact]
    public async Task Export_VerifiesOffline()
    {
        await using var world = await StoryAsync();
        using var file = new MemoryStream();
        Assert.IsType<Outcome<long>.NotYours>(await world.Get<ReadLog>().ExportAsync(World.Ann, file, None));
        Assert.Equal(0, file.Length);
        Assert.IsType<Outcome<long>.Done>(await world.Get<ReadLog>().ExportAsync(World.Dave, file, None));
        file.Position = 0;
        Assert.True(ExportVerifier.Verify(file, KeyTrust.Parse(world.Get<Checkpoints>().Key.Public)).Log.Holds);
    }

    /// <summary>One grant that is over, one that is open, one request that waits.</summary>
    private static async Task<World> StoryAsync()
    {
        var world = await World.NewAsync();
        var first = await world.OpenAsync();
        await world.Get<EndGrant>().EndAsync(World.Ann, first.Id, None);
        await world.TickAsync();
        await world.OpenAsync();
        await world.AskedAsync("orders-db/owner");
        Assert.Equal(GrantState.Closed, (await world.GrantAsync(first.Id)).State);
        return world;
    }
}
