using System.Text;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Gateway.Recording;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A session's file, written through memory and in the plain way.</summary>
public sealed class RecordingFileTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("stint-file-").FullName;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_WhatIsWritten_IsTheSystemsWhenItReturns(bool mapped)
    {
        using var file = RecordingFile.Open(_folder, new SessionId("ses_1"), Noon, mapped, null);
        using var encoder = new RecordingEncoder();
        for (var round = 0; round < 4000; round++)
        {
            // Now and then one that is larger than any window.
            Write(file, encoder, round % 1000 == 999 ? 600_000 : 100 + round);
            if (round % 97 == 0)
            {
                // Another descriptor sees what would be left if the process died this moment.
                var finding = Check(file);
                Assert.True(finding.Sound, finding.Because);
                Assert.Equal(encoder.Records, finding.Records);
                Assert.Equal(0, finding.TornBytes);
            }
        }

        file.Dispose();

        Assert.Equal(encoder.Bytes, new FileInfo(PathOf(file)).Length);
        Assert.Equal(encoder.Records, Check(file).Records);
    }

    [Fact]
    public void Rest_RoomIsGivenBack_AndWritingGoesOn()
    {
        using var file = RecordingFile.Open(_folder, new SessionId("ses_1"), Noon, mapped: true, null);
        using var encoder = new RecordingEncoder();
        for (var round = 0; round < 10; round++)
        {
            Write(file, encoder, 300);
            Write(file, encoder, 300);
            file.Rest();
            Assert.Equal(encoder.Bytes, new FileInfo(PathOf(file)).Length);
        }

        Assert.Equal(encoder.Records, Check(file).Records);
    }

    [Fact]
    public async Task Write_DiskFillsUp_FailsAndKeepsWhatWasWritten()
    {
        await Programs.RunAsync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", _folder]);
        try
        {
            using var encoder = new RecordingEncoder();
            using var file = RecordingFile.Open(_folder, new SessionId("ses_1"), Noon, mapped: true, path => File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite));
            var written = 0L;
            var failed = Assert.ThrowsAny<IOException>(() =>
            {
                for (; written < 10_000; written = encoder.Records)
                {
                    Write(file, encoder, 300);
                }
            });

            Assert.Contains("space", failed.Message, StringComparison.OrdinalIgnoreCase);
            Assert.InRange(written, 200, 1000);
            Assert.Equal(written, Check(file).Records);
        }
        finally
        {
            await Programs.RunAsync("umount", [_folder]);
        }
    }

    [Fact]
    public void Write_FileThatCannotBeMapped_IsWrittenThePlainWay()
    {
        using var file = RecordingFile.Open(_folder, new SessionId("ses_1"), Noon, mapped: true, path => File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite));
        using var encoder = new RecordingEncoder();
        Write(file, encoder, 300);
        Write(file, encoder, 300);

        Assert.Equal(encoder.Records, Check(file).Records);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Write(RecordingFile file, RecordingEncoder encoder, int length)
    {
        if (encoder.Records == 0)
        {
            encoder.SessionStart(Noon, Sessions.RecordingTests.Header);
        }

        var text = Encoding.ASCII.GetBytes(new string('q', length));
        encoder.Simple(Noon, new EncodedText(text, text.Length, default, false, ""));
        file.Write(encoder.Pending.Span);
        encoder.Taken();
    }

    private RecordingFinding Check(RecordingFile file)
    {
        using var stream = new FileStream(PathOf(file), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return RecordingCheck.Verify(stream, []);
    }

    private string PathOf(RecordingFile file) => Path.Combine(_folder, file.Name);
}
