using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Stint.Core.Audit;

namespace Stint.Server.Store.Backup;

/// <summary>Puts a backup back into an empty store, of either kind. All of it or nothing.</summary>
internal sealed class BackupReader
{
    private readonly Dictionary<string, string> _columns = new(StringComparer.Ordinal);
    private readonly List<BackupEntry> _entries = [];
    private readonly List<(string From, string To)> _files = [];
    private readonly MerkleFrontier _log = new();
    private readonly IReadOnlyList<BackupFolder> _folders;
    private BackupHeader? _header;
    private BackupManifest? _manifest;
    private long _rows;

    private BackupReader(IReadOnlyList<BackupFolder> folders) => _folders = folders;

    /// <summary>Reads the archive into the store and the folders.</summary>
    /// <param name="store">An open, empty store that nothing else uses.</param>
    /// <param name="folders">Where the folders of the archive go; each is empty or not there. A folder of the archive that is not named is refused.</param>
    /// <param name="input">The archive.</param>
    /// <param name="cancellation">Stops it, with nothing changed.</param>
    /// <exception cref="BackupException">The store or a folder is not empty, or the archive is not whole. Nothing was changed.</exception>
    public static async Task<BackupReport> RestoreAsync(StintStore store, IReadOnlyList<BackupFolder> folders, Stream input, CancellationToken cancellation)
    {
        foreach (var folder in folders.Where(folder => Directory.Exists(folder.Path) && Directory.EnumerateFileSystemEntries(folder.Path).Any()))
        {
            throw new BackupException($"The folder {folder.Path} is not empty. A backup is restored into an empty place, so that it never mixes with what is there.");
        }

        var reader = new BackupReader(folders);
        try
        {
            return await store.WriteAsync(work => reader.RestoreAsync(work, input, cancellation), cancellation);
        }
        catch (Exception problem) when (problem is EndOfStreamException
            or not (BackupException or StoreUnavailableException or OperationCanceledException or IOException or UnauthorizedAccessException))
        {
            // NB. A damaged part is read before its hash can be compared, the manifest being last: whatever its readers stumble over is damage.
            throw new BackupException("The backup cannot be read: it is damaged or cut short. Nothing was changed. " + problem.Message, problem);
        }
        finally
        {
            foreach (var folder in folders.Select(Staging).Where(Directory.Exists))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private async Task<BackupReport> RestoreAsync(Work work, Stream input, CancellationToken cancellation)
    {
        await work.Db.UnhurriedAsync();
        await DemandEmptyAsync(work.Db);
        await work.Db.GuardsOffAsync(BackupFormat.Tables.Select(table => table.Name));
        await work.Db.RunAsync("DELETE FROM log_head");
        await using (var unpacked = new GZipStream(input, CompressionMode.Decompress, leaveOpen: true))
        await using (var tar = new TarReader(unpacked, leaveOpen: true))
        {
            while (await tar.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
            {
                await TakeAsync(work.Db, entry, cancellation);
            }
        }

        var report = Check(await new Reads(work.Db).LogHeadAsync());
        await work.Db.GuardsOnAsync(BackupFormat.Tables.Select(table => table.Name));
        work.ReplaceLog();

        // NB. The files go to their places last: until here a failure leaves nothing behind, and from here on only the commit can fail.
        foreach (var (from, to) in _files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Move(from, to);
        }

        return report;
    }

    private static async Task DemandEmptyAsync(Db db)
    {
        foreach (var (table, _) in BackupFormat.Tables.Where(table => table.Name != "log_head"))
        {
            if (await db.NumberAsync($"SELECT COUNT(*) FROM {table}") is > 0)
            {
                throw new BackupException($"The store is not empty: it has rows in {table}. A backup is restored into an empty store, so that it never overwrites anything.");
            }
        }
    }

    private async Task TakeAsync(Db db, TarEntry entry, CancellationToken cancellation)
    {
        if (entry.EntryType != TarEntryType.RegularFile || _manifest is not null)
        {
            throw new BackupException($"The backup holds {entry.Name}, which no backup of Stint holds.");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var data = new Hashing(entry.DataStream ?? Stream.Null, hash);
        var parts = entry.Name.Split('/');
        switch (parts)
        {
            case [BackupFormat.Header] when _header is null:
                _header = JsonSerializer.Deserialize(await AllAsync(data, entry, cancellation), BackupJson.Default.BackupHeader)!;
                await DemandSameAsync(db, _header);
                break;
            case [BackupFormat.Manifest]:
                _manifest = JsonSerializer.Deserialize(await AllAsync(data, entry, cancellation), BackupJson.Default.BackupManifest)!;
                return;
            case ["tables", var table, _] when _header is not null && BackupFormat.Tables.Any(known => known.Name == table):
                await TakeRowsAsync(db, table, await AllAsync(data, entry, cancellation));
                break;
            case ["folders", var name, .. { Length: > 0 }] when _header is not null && _folders.FirstOrDefault(folder => folder.Name == name) is { } folder:
                await TakeFileAsync(folder, string.Join('/', parts[2..]), data, cancellation);
                break;
            default:
                throw new BackupException($"The backup holds {entry.Name}, for which there is no place here.");
        }

        _entries.Add(new BackupEntry(entry.Name, entry.Length, Convert.ToHexStringLower(hash.GetHashAndReset())));
    }

    private static async Task DemandSameAsync(Db db, BackupHeader header)
    {
        if (header.Format != BackupFormat.Format)
        {
            throw new BackupException($"The backup is of the form '{header.Format}'; this program reads '{BackupFormat.Format}'.");
        }

        var mine = await BackupWriter.SchemaAsync(db);
        if (!mine.SequenceEqual(header.Schema, StringComparer.Ordinal))
        {
            throw new BackupException($"The backup's schema ends at {header.Schema.LastOrDefault()}, this program's at {mine.LastOrDefault()}. Restore it with the program that made it, and then start the newer one.");
        }
    }

    private static async Task<byte[]> AllAsync(Stream data, TarEntry entry, CancellationToken cancellation)
    {
        if (entry.Length > BackupFormat.MostPartBytes)
        {
            throw new BackupException($"The backup's part {entry.Name} is longer than any part that Stint writes.");
        }

        var bytes = new byte[entry.Length];
        await data.ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    private async Task TakeRowsAsync(Db db, string table, byte[] part)
    {
        string? insert = null;
        foreach (var line in Lines(part))
        {
            using var json = JsonDocument.Parse(part.AsMemory(line));
            if (insert is null)
            {
                insert = await InsertOfAsync(db, table, [.. json.RootElement.EnumerateArray().Select(name => name.GetString()!)]);
                continue;
            }

            var values = json.RootElement.EnumerateArray().Select(Value).ToArray();
            await db.RunAsync(insert, values);
            _rows++;
            if (table == "facts")
            {
                // NB. The tree is built again from what the facts say, not from what is written beside them.
                var body = (string)values[Array.IndexOf(_columns[table].Split(", "), "body")]!;
                _log.Append(Merkle.LeafHash(System.Text.Encoding.UTF8.GetBytes(body)));
            }
        }
    }

    private async Task<string> InsertOfAsync(Db db, string table, string[] names)
    {
        if (!_columns.TryGetValue(table, out var mine))
        {
            mine = _columns[table] = string.Join(", ", await db.NamesAsync(table));
        }

        return string.Join(", ", names) == mine
            ? $"INSERT INTO {table} ({mine}) VALUES ({string.Join(", ", names.Select((_, i) => "$" + (i + 1)))})"
            : throw new BackupException($"The backup's table {table} has other columns than this store's.");
    }

    private static object? Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number => value.GetInt64(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Object => value.GetProperty("bytes").GetBytesFromBase64(),
        _ => throw new BackupException("The backup holds a value of a kind that Stint does not write."),
    };

    private static IEnumerable<Range> Lines(byte[] part)
    {
        for (var from = 0; from < part.Length;)
        {
            var end = Array.IndexOf(part, (byte)'\n', from);
            if (end < 0)
            {
                throw new BackupException("A part of the backup ends in the middle of a row.");
            }

            yield return from..end;
            from = end + 1;
        }
    }

    private async Task TakeFileAsync(BackupFolder folder, string name, Stream data, CancellationToken cancellation)
    {
        var root = Path.GetFullPath(folder.Path) + Path.DirectorySeparatorChar;
        var to = Path.GetFullPath(Path.Combine(root, name));

        // NB. A forged archive must not write outside the folder.
        if (!to.StartsWith(root, StringComparison.Ordinal))
        {
            throw new BackupException($"The backup holds a file that would be written outside {folder.Path}.");
        }

        var from = Path.Combine(Staging(folder), _files.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Directory.CreateDirectory(Staging(folder));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new FileStream(from, options);
        await data.CopyToAsync(file, cancellation);
        _files.Add((from, to));
    }

    private BackupReport Check(LogHead head)
    {
        if (_manifest is null || _header is null)
        {
            throw new BackupException("The backup ends before its manifest: it was cut short. Nothing was changed.");
        }

        foreach (var (expected, found) in _manifest.Entries.Zip(_entries))
        {
            if (expected != found)
            {
                throw new BackupException($"The backup's part {found.Name} is not what was saved: its hash differs. Nothing was changed.");
            }
        }

        if (_manifest.Entries.Count != _entries.Count || _manifest.Rows != _rows || _manifest.Files != _files.Count)
        {
            throw new BackupException("The backup does not hold as much as was saved. Nothing was changed.");
        }

        if (head.Size != _log.Size || head.Root != _log.Root() || _manifest.LogSize != head.Size || _manifest.LogRoot != head.Root.ToString())
        {
            throw new BackupException("The audit log in the backup does not add up to its head: facts were changed or left out. Nothing was changed.");
        }

        return new BackupReport(_rows, _files.Count, head.Size, head.Root.ToString());
    }

    private static string Staging(BackupFolder folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path)) + ".restoring";
}
