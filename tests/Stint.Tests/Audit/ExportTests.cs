using System.Text;
using System.Text.Json;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

public class ExportTests
{
    [Fact]
    public void Verify_AnExport_HoldsAndEveryLineIsJson()
    {
        using var log = TestLog.Of(50, headEvery: 20);
        log.Append(new Fact(FactKinds.RequestAsked, TestLog.Noon, Actor.Person("ann")) { ["reason"] = "line\nbreak \u2028 “quotes” \u0000 😀" });
        log.Sign();
        var export = log.Export();

        var report = Verify(export, KeyTrust.Parse(log.Key.Public));

        Assert.True(report.Log.Holds, string.Join('\n', report.Log.Findings));
        Assert.Equal((51L, true, log.Key), (report.Log.Facts, report.KeyBrought, report.Key));
        foreach (var line in Encoding.UTF8.GetString(export).Split('\n')[..^1])
        {
            JsonDocument.Parse(line).Dispose();
        }
    }

    [Fact]
    public void Verify_WithoutAKey_SaysThatTheFileVouchesForItself()
    {
        using var log = TestLog.Of(3);
        Assert.False(Verify(log.Export(), KeyTrust.Nothing).KeyBrought);
    }

    [Fact]
    public void Verify_ByAnotherKey_IsRefused()
    {
        using var log = TestLog.Of(3);
        using var other = TestLog.Of(3);
        var report = Verify(log.Export(), KeyTrust.Parse(other.Key.Fingerprint));
        Assert.Contains("not the key that you brought", Assert.Single(report.Log.Findings).Sentence);
    }

    [Fact]
    public void Verify_EachByteFlipped_IsFoundAndTheFactNamed()
    {
        using var log = TestLog.Of(12, headEvery: 6);
        var export = log.Export();
        var trust = KeyTrust.Parse(log.Key.Public);
        var line = 0;
        for (var i = 0; i < export.Length; i++)
        {
            var fact = line - 3;
            line += export[i] == '\n' ? 1 : 0;
            // One of three kinds of change for each byte.
            var flip = new byte[] { 1, 0x2a, 0x80 }[i % 3];
            var changed = export.ToArray();
            changed[i] ^= flip;
            var report = Verify(changed, trust);
            Assert.False(report.Log.Holds, $"byte {i} xor {flip} was not found");
            Assert.True(
                fact < 0 || report.Log.Findings.Any(finding => finding.Seq <= fact && fact <= finding.LastSeq),
                $"byte {i} xor {flip} of fact {fact}: {string.Join(' ', report.Log.Findings.Select(finding => finding.Sentence))}");
        }
    }

    [Fact]
    public void Verify_CutOffAnywhere_IsFound()
    {
        using var log = TestLog.Of(6, headEvery: 3);
        var export = log.Export();
        for (var length = 0; length < export.Length; length++)
        {
            Assert.False(Verify(export[..length], KeyTrust.Nothing).Log.Holds, $"cut to {length} bytes");
        }
    }

    [Theory]
    [InlineData(LogFault.Dropped)]
    [InlineData(LogFault.Duplicated)]
    [InlineData(LogFault.Reordered)]
    [InlineData(LogFault.Truncated)]
    public void Verify_LinesMoved_NamesTheFault(LogFault fault)
    {
        using var log = TestLog.Of(12, headEvery: 6);
        var lines = Encoding.UTF8.GetString(log.Export()).Split('\n').ToList();
        switch (fault)
        {
            case LogFault.Dropped: lines.RemoveAt(3 + 4); break;
            case LogFault.Duplicated: lines.Insert(3 + 4, lines[3 + 4]); break;
            case LogFault.Reordered: (lines[3 + 4], lines[3 + 5]) = (lines[3 + 5], lines[3 + 4]); break;
            default: lines.RemoveRange(3 + 4, 8); break;
        }

        var finding = Verify(Encoding.UTF8.GetBytes(string.Join('\n', lines)), KeyTrust.Nothing).Log.Findings[0];
        Assert.Equal(fault, finding.Fault);
        Assert.InRange(finding.Seq!.Value, 4, 5);
    }

    [Fact]
    public void Verify_LongBodies_AreReadThroughAGrowingBuffer()
    {
        using var log = new TestLog();
        for (var i = 0; i < 5; i++)
        {
            log.Append(new Fact(FactKinds.RequestAsked, TestLog.Noon, Actor.Person("ann")) { ["reason"] = new string('é', 100_000) });
        }

        log.Sign();
        Assert.True(Verify(log.Export(), KeyTrust.Nothing).Log.Holds);
        Assert.Contains("longer than", Verify([.. new byte[2_000_000].Select(_ => (byte)'x')], KeyTrust.Nothing).Log.Findings[0].Sentence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("{}\n")]
    [InlineData("[]\n")]
    [InlineData("{\"format\":\"stint-log\",\"version\":2}\n")]
    [InlineData("not json\n")]
    public void Verify_WhatIsNoExport_SaysSo(string text)
    {
        var report = Verify(Encoding.UTF8.GetBytes(text), KeyTrust.Nothing);
        Assert.Equal(LogFault.Malformed, Assert.Single(report.Log.Findings).Fault);
        Assert.Null(report.Key);
    }

    [Fact]
    public void Fact_WithALineEndInIt_IsNotExported()
    {
        var writer = new ExportWriter(new System.Buffers.ArrayBufferWriter<byte>());
        Assert.Throws<FormatException>(() => writer.Fact("{\n}", new byte[32]));
        Assert.Throws<FormatException>(() => writer.Fact("{}", new byte[31]));
    }

    private static ExportReport Verify(byte[] export, KeyTrust trust)
    {
        using var stream = new MemoryStream(export);
        return ExportVerifier.Verify(stream, trust);
    }
}
