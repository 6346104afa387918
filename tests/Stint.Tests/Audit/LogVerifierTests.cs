using System.Text;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

public class LogVerifierTests
{
    [Fact]
    public void Verify_AnUntouchedLog_Holds()
    {
        using var log = TestLog.Of(600, headEvery: 100);
        var report = log.Verify();
        Assert.True(report.Holds, string.Join('\n', report.Findings));
        Assert.Equal((600L, 600L, 600L), (report.Facts, report.Covered, report.Head!.Head.Size));
    }

    [Fact]
    public void Verify_AnEmptyLogWithItsHead_Holds()
    {
        using var log = TestLog.Of(0);
        Assert.True(log.Verify().Holds);
    }

    [Fact]
    public void Verify_FactsBehindTheHead_AreNamedUnlessTheLogIsBeingWritten()
    {
        using var log = TestLog.Of(10);
        log.Append(new Fact(FactKinds.GrantClosed, TestLog.Noon, Actor.Keeper) { ["grant"] = "gr-x" });
        var finding = Assert.Single(log.Verify().Findings);
        Assert.Equal((LogFault.AfterHead, 10L, 10L, "GrantClosed", "grant gr-x"), (finding.Fault, finding.Seq, finding.LastSeq, finding.Kind, finding.About));
        Assert.Equal("Fact 10 (GrantClosed, grant gr-x): the newest signed head covers only 10 facts.", finding.Sentence);
        Assert.True(log.Verify(allowTail: true).Holds);
    }

    [Fact]
    public void Verify_AnEndCutOffTogetherWithItsHeads_IsFoundByAHeadKeptFromEarlier()
    {
        using var log = TestLog.Of(20, headEvery: 10);
        var kept = log.Heads[^1];
        log.Heads.RemoveAt(1);
        log.Facts.RemoveRange(10, 10);

        Assert.True(log.Verify().Holds);
        var finding = Assert.Single(log.Verify(kept).Findings);
        Assert.Equal((LogFault.Truncated, 10L, 19L), (finding.Fault, finding.Seq, finding.LastSeq));
        Assert.Contains("the head that you brought", finding.Sentence);
    }

    [Fact]
    public void Verify_AHistoryWrittenAnew_IsFoundByAHeadKeptFromEarlier()
    {
        using var log = TestLog.Of(20);
        var kept = log.Heads[0];
        var facts = log.Facts.ToList();
        log.Facts.Clear();
        log.Heads.Clear();
        var frontier = new MerkleFrontier();
        foreach (var fact in facts)
        {
            var forged = new Fact(fact.Kind, fact.At, Actor.Person("eve")).Seal(fact.Seq);
            log.Facts.Add(forged);
            frontier.Append(forged.LeafHash);
        }

        log.Heads.Add(log.Signer.Sign(frontier));
        Assert.True(log.Verify().Holds);
        Assert.Equal(LogFault.HeadDiffers, Assert.Single(log.Verify(kept).Findings).Fault);
    }

    [Fact]
    public void Verify_ABodyChangedWithItsHash_IsNarrowedToTheFactsSinceTheHeadBefore()
    {
        using var log = TestLog.Of(30, headEvery: 10);
        Forge(log, 14);
        var finding = Assert.Single(log.Verify().Findings);
        Assert.Equal((LogFault.HeadDiffers, 10L, 19L), (finding.Fault, finding.Seq, finding.LastSeq));
    }

    [Fact]
    public void CheckTile_ABodyChangedWithItsHash_NamesIt()
    {
        using var log = TestLog.Of(300, headEvery: 100);
        var tile = log.Leaves.Take(256).SelectMany(leaf => leaf.ToArray()).ToArray();
        Assert.True(WithTile(log, tile).Holds);
        log.Heads.RemoveRange(0, 2);
        Forge(log, 14);
        Assert.Equal((LogFault.Changed, 14L), (WithTile(log, tile).Findings[0].Fault, WithTile(log, tile).Findings[0].Seq));
        Assert.Equal(LogFault.Malformed, WithTile(log, tile[1..]).Findings[0].Fault);
    }

    [Fact]
    public void Verify_HeadsOfAnotherKeyOrLog_DoNotCount()
    {
        using var log = TestLog.Of(5);
        using var other = TestLog.Of(5);
        log.Heads.Clear();
        log.Heads.Add(other.Heads[0]);
        Assert.Equal([LogFault.HeadNotSigned, LogFault.NoHead], log.Verify().Findings.Select(finding => finding.Fault));
    }

    [Fact]
    public void Verify_ManyFaults_KeepsAHundredAndCountsTheRest()
    {
        using var log = TestLog.Of(300);
        var verifier = new LogVerifier(log.Key, log.Heads);
        foreach (var fact in log.Facts)
        {
            verifier.Add(fact.Seq, Encoding.UTF8.GetBytes(fact.Body), new byte[32]);
        }

        var report = verifier.Finish();
        Assert.Equal(LogVerifier.MaxFindings, report.Findings.Count);
        Assert.InRange(report.LeftOff, 200, 210);
    }

    [Fact]
    public void Verify_TenThousandRandomMutations_FindsEachAndNamesTheOffender()
    {
        const int Size = 24;
        using var log = TestLog.Of(Size, headEvery: 12);
        var random = new Random(20261122);
        var rows = log.Facts.Select(fact => (fact.Seq, Body: Encoding.UTF8.GetBytes(fact.Body), Hash: fact.LeafHash.ToArray())).ToList();
        for (var round = 0; round < 10_000; round++)
        {
            var table = rows.ToList();
            var at = random.Next(Size);
            var other = (at + 1 + random.Next(Size - 1)) % Size;
            var (low, high) = (Math.Min(at, other), Math.Max(at, other));
            var what = (Mutation)(round % Enum.GetValues<Mutation>().Length);
            long[] offenders = [at];
            LogFault? first = null;
            switch (what)
            {
                case Mutation.FlipBody:
                    table[at] = table[at] with { Body = Flip(table[at].Body, random) };
                    first = LogFault.Changed;
                    break;
                case Mutation.FlipHash:
                    table[at] = table[at] with { Hash = Flip(table[at].Hash, random) };
                    first = LogFault.Changed;
                    break;
                case Mutation.FlipBodyAndHash:
                    var body = Flip(table[at].Body, random);
                    table[at] = table[at] with { Body = body, Hash = Merkle.LeafHash(body).ToArray() };
                    break;
                case Mutation.Delete:
                    table.RemoveAt(at);
                    first = at == Size - 1 ? LogFault.Truncated : LogFault.Dropped;
                    break;
                case Mutation.DeleteAndRenumber:
                    table = [.. table.Where((_, i) => i != at).Select((row, i) => row with { Seq = i })];
                    first = at == Size - 1 ? LogFault.Truncated : LogFault.Reordered;
                    break;
                case Mutation.SwapContents:
                    (table[low], table[high]) = (table[high] with { Seq = low }, table[low] with { Seq = high });
                    (offenders, first) = ([low, high], LogFault.Reordered);
                    break;
                case Mutation.SwapRows:
                    (table[low], table[high]) = (table[high], table[low]);
                    (offenders, first) = ([low, high], LogFault.Reordered);
                    break;
                case Mutation.Duplicate:
                    table.Insert(other, table[at]);
                    first = at < other ? LogFault.Duplicated : null;
                    break;
                case Mutation.Truncate:
                    table.RemoveRange(at, Size - at);
                    first = LogFault.Truncated;
                    break;
                case Mutation.Append:
                    var forged = new Fact(FactKinds.GrantOpened, TestLog.Noon, Actor.Person("eve")).Seal(Size);
                    table.Add((Size, Encoding.UTF8.GetBytes(forged.Body), forged.LeafHash.ToArray()));
                    (offenders, first) = ([Size], LogFault.AfterHead);
                    break;
            }

            var verifier = new LogVerifier(log.Key, log.Heads);
            table.ForEach(row => verifier.Add(row.Seq, row.Body, row.Hash));
            var report = verifier.Finish();

            Assert.False(report.Holds, $"round {round}: {what} at {at}, {other} was not found");
            Assert.All(offenders, seq => Assert.True(
                report.Findings.Any(finding => finding.Seq <= seq && seq <= finding.LastSeq),
                $"round {round}: {what} at {at}, {other} did not name {seq}: {string.Join(' ', report.Findings.Select(finding => finding.Sentence))}"));
            if (first is not null)
            {
                Assert.Equal(first, report.Findings[0].Fault);
                Assert.True(report.Findings[0].Seq <= offenders.Max(), $"round {round}: {what} at {at}, {other}: {report.Findings[0].Sentence}");
            }
        }
    }

    private enum Mutation
    {
        FlipBody,
        FlipHash,
        FlipBodyAndHash,
        Delete,
        DeleteAndRenumber,
        SwapContents,
        SwapRows,
        Duplicate,
        Truncate,
        Append,
    }

    private static byte[] Flip(byte[] bytes, Random random)
    {
        var copy = bytes.ToArray();
        copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
        return copy;
    }

    private static void Forge(TestLog log, int seq)
    {
        var body = log.Facts[seq].Body.Replace("ann", "eve", StringComparison.Ordinal);
        log.Facts[seq] = log.Facts[seq] with { Body = body, LeafHash = Merkle.LeafHash(Encoding.UTF8.GetBytes(body)) };
    }

    private static LogReport WithTile(TestLog log, byte[] tile)
    {
        var verifier = new LogVerifier(log.Key, log.Heads);
        foreach (var fact in log.Facts)
        {
            verifier.Add(fact.Seq, Encoding.UTF8.GetBytes(fact.Body), fact.LeafHash.AsSpan());
            if (fact.Seq == 255)
            {
                verifier.CheckTile(0, tile);
            }
        }

        return verifier.Finish();
    }
}
