using System.IO.Compression;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Store;
using Stint.Server.Store.Backup;
using Xunit;

namespace Stint.Tests.Store;

public sealed class BackupTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("stint-backup-");

    public static TheoryData<string, string> Ways => new()
    {
        { "sqlite", "sqlite" }, { "postgres", "postgres" }, { "sqlite", "postgres" }, { "postgres", "sqlite" },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Restore_IntoAnEmptyStore_BringsEverythingBack(string from, string to)
    {
        await using var test = await TestStore.OpenAsync(from);
        var (archive, said) = await SavedAsync(test);
        await using var other = await TestStore.OpenAsync(to);
        var folder = new BackupFolder("recordings", Path.Combine(_folder.FullName, "back"));
        var report = await BackupReader.RestoreAsync(other.Store, [folder], new MemoryStream(archive), CancellationToken.None);
        Assert.Equal(said, report);
        Assert.Equal("old bytes", await File.ReadAllTextAsync(Path.Combine(folder.Path, "2026", "a.rec")));
        foreach (var (table, order) in BackupFormat.Tables)
        {
            Assert.Equal(await RowsAsync(test, table, order), await RowsAsync(other, table, order));
        }

        // It goes on from there: the guards stand again, new rows find their numbers, the log grows.
        await Assert.ThrowsAsync<StoreRefusedException>(() => other.AttackAsync("DELETE FROM facts"));
        await Assert.ThrowsAsync<StoreRefusedException>(() => other.AttackAsync("UPDATE grants SET version = version + 1, not_after = not_after + 1"));
        await other.WriteAsync(async work =>
        {
            var request = await work.InsertAsync(test.Asking("zoe"));
            work.Append(TestStore.Said(request));
        });
        Assert.Equal(said.LogSize + 1, (await other.ReadAsync(async reads => await reads.LogHeadAsync())).Size);
        await Assert.ThrowsAsync<BackupException>(() => BackupReader.RestoreAsync(other.Store, [], new MemoryStream(archive), CancellationToken.None));
    }

    [Fact]
    public async Task Restore_CutShort_IsRefusedAndLeavesNothing()
    {
        await using var test = await TestStore.OpenAsync("sqlite");
        var plain = Unpacked((await SavedAsync(test)).Archive);
        await using var other = await TestStore.OpenAsync("sqlite");
        var random = new Random(7);
        for (var i = 0; i < 40; i++)
        {
            Assert.False(await RestoredAsync(other, Packed(plain[..random.Next(plain.Length - 2048)])));
        }
    }

    [Fact]
    public async Task Restore_AnyBitChanged_IsRefusedOrSaidNothing()
    {
        await using var test = await TestStore.OpenAsync("sqlite");
        var plain = Unpacked((await SavedAsync(test)).Archive);
        var random = new Random(7);
        var refused = 0;
        var other = await TestStore.OpenAsync("sqlite");
        for (var i = 0; i < 60; i++)
        {
            var changed = (byte[])plain.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(7));
            if (!await RestoredAsync(other, Packed(changed)))
            {
                refused++;
                continue;
            }

            // The flip met padding or a time in the tar's own headers: what came back must be all and exact.
            foreach (var (table, order) in BackupFormat.Tables)
            {
                Assert.Equal(await RowsAsync(test, table, order), await RowsAsync(other, table, order));
            }

            Assert.Equal("old bytes", await File.ReadAllTextAsync(Path.Combine(Back.Path, "2026", "a.rec")));
            Directory.Delete(Back.Path, recursive: true);
            await other.DisposeAsync();
            other = await TestStore.OpenAsync("sqlite");
        }

        await other.DisposeAsync();
        Assert.InRange(refused, 30, 60);
    }

    [Fact]
    public async Task Restore_FileThatClimbsOut_IsRefused()
    {
        await using var test = await TestStore.OpenAsync("sqlite");
        var (archive, _) = await SavedAsync(test);
        var plain = System.Text.Encoding.Latin1.GetString(Unpacked(archive));
        var forged = plain.Replace("folders/recordings/2026/a.rec", "folders/recordings/../../xyzw", StringComparison.Ordinal);
        await using var other = await TestStore.OpenAsync("sqlite");
        await Assert.ThrowsAsync<BackupException>(() => BackupReader.RestoreAsync(
            other.Store, [new BackupFolder("recordings", Path.Combine(_folder.FullName, "back"))], new MemoryStream(Packed(System.Text.Encoding.Latin1.GetBytes(forged))), CancellationToken.None));
        Assert.Empty(Directory.GetFiles(_folder.Parent!.FullName, "xyzw"));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Backup_WhileWritersWrite_IsOneMoment(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 2000 && !stop.IsCancellationRequested; i++)
            {
                await test.WriteAsync(async work => work.Append(TestStore.Said(await work.InsertAsync(test.Asking()))));
            }
        });
        for (var i = 0; i < 3; i++)
        {
            using var archive = new MemoryStream();
            await BackupWriter.WriteAsync(test.Store, [], archive, TestStore.Now, CancellationToken.None);
            await using var other = await TestStore.OpenAsync("sqlite");
            archive.Position = 0;
            var report = await BackupReader.RestoreAsync(other.Store, [], archive, CancellationToken.None);
            Assert.Equal(report.LogSize, await other.ReadAsync(async reads => await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests")));
        }

        await stop.CancelAsync();
        await writing;
    }

    private BackupFolder Back => new("recordings", Path.Combine(_folder.FullName, "back"));

    private async Task<bool> RestoredAsync(TestStore other, byte[] bytes)
    {
        try
        {
            await BackupReader.RestoreAsync(other.Store, [Back], new MemoryStream(bytes), CancellationToken.None);
            return true;
        }
        catch (BackupException)
        {
            Assert.Equal(0, await other.ReadAsync(async reads => await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests")));
            Assert.False(Directory.Exists(Back.Path));
            Assert.False(Directory.Exists(Back.Path + ".restoring"));
            return false;
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<(byte[] Archive, BackupReport Report)> SavedAsync(TestStore test)
    {
        var open = await test.OpenedAsync();
        await test.OpenedAsync("bob");
        await test.WriteAsync(async work =>
        {
            var session = await work.InsertAsync(test.Connection(open));
            await work.MoveAsync(session, session with { Recording = new RecordingHead("2026/a.rec", 1, 9, new byte[32], 1) });
            await work.InsertAsync(test.Asking("cid", RequestState.Pending, "bob"));
            await work.SetSettingAsync("installation", "odd \u0000-free text: ü 😀 \"quoted\"".Replace("\u0000", "", StringComparison.Ordinal));
            for (var i = 0; i < 300; i++)
            {
                work.Append(TestStore.Said(test.Asking()));
            }
        });
        var recordings = Path.Combine(_folder.FullName, "recordings");
        Directory.CreateDirectory(Path.Combine(recordings, "2026"));
        await File.WriteAllTextAsync(Path.Combine(recordings, "2026", "a.rec"), "old bytes");
        using var archive = new MemoryStream();
        var report = await BackupWriter.WriteAsync(test.Store, [new BackupFolder("recordings", recordings)], archive, TestStore.Now, CancellationToken.None);
        Assert.Equal((300, 1), (report.LogSize, report.Files));
        return (archive.ToArray(), report);
    }

    private static async Task<string> RowsAsync(TestStore test, string table, string order)
    {
        var rows = await test.ReadAsync(async reads => await reads.Db.ListAsync(
            $"SELECT * FROM {table} ORDER BY {order}",
            row => string.Join("|", Enumerable.Range(0, row.FieldCount).Select(i => row.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : row.GetValue(i).ToString()))));
        return string.Join("\n", rows.Order(StringComparer.Ordinal));
    }

    private static byte[] Unpacked(byte[] archive)
    {
        using var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private static byte[] Packed(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain);
        }

        return packed.ToArray();
    }
}
