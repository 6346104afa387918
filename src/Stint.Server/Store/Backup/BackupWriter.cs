using System.Data.Common;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace Stint.Server.Store.Backup;

/// <summary>Saves a store and its folders while everything goes on: one moment of the store, the audit log included.</summary>
/// <remarks>
/// The master key is not in it: whoever finds the archive finds only sealed secrets, and whoever restores it needs the
/// key from where its copy is kept. Recordings are read after the store's moment, so that each holds at least what the
/// log says of it.
/// </remarks>
internal sealed class BackupWriter
{
    private readonly TarWriter _tar;
    private readonly List<BackupEntry> _entries = [];
    private long _rows;
    private long _files;

    private BackupWriter(TarWriter tar) => _tar = tar;

    /// <summary>Writes the archive.</summary>
    /// <param name="store">An open store.</param>
    /// <param name="folders">Folders to save with it; one that is not there counts as empty.</param>
    /// <param name="output">Where to; not closed.</param>
    /// <param name="now">For the header.</param>
    /// <param name="cancellation">Stops it; what was written is then no backup.</param>
    public static async Task<BackupReport> WriteAsync(
        StintStore store, IReadOnlyList<BackupFolder> folders, Stream output, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var packed = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
        await using var tar = new TarWriter(packed, TarEntryFormat.Pax, leaveOpen: true);
        var writer = new BackupWriter(tar);
        var head = await store.ReadAsync(reads => writer.WriteStoreAsync(store.Kind, reads, now, cancellation), cancellation);
        foreach (var folder in folders.Where(folder => Directory.Exists(folder.Path)))
        {
            await writer.WriteFolderAsync(folder, cancellation);
        }

        var root = head.Root.ToString();
        var manifest = new BackupManifest(writer._entries, writer._rows, writer._files, head.Size, root);
        await writer.AddAsync(BackupFormat.Manifest, new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest)), cancellation);
        return new BackupReport(writer._rows, writer._files, head.Size, root);
    }

    private async Task<LogHead> WriteStoreAsync(string kind, Reads reads, DateTimeOffset now, CancellationToken cancellation)
    {
        await reads.Db.UnhurriedAsync();
        var header = new BackupHeader(BackupFormat.Format, await SchemaAsync(reads.Db), kind, Stored.Micros(now));
        await AddAsync(BackupFormat.Header, new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(header, BackupJson.Default.BackupHeader)), cancellation);
        foreach (var (table, order) in BackupFormat.Tables)
        {
            await WriteTableAsync(reads.Db, table, order, cancellation);
        }

        return await reads.LogHeadAsync();
    }

    /// <summary>The steps of a store's schema, each with its number and name.</summary>
    internal static async Task<List<string>> SchemaAsync(Db db) =>
        await db.ListAsync("SELECT name FROM schema_versions ORDER BY number", static row => row.GetString(0));

    private async Task WriteTableAsync(Db db, string table, string order, CancellationToken cancellation)
    {
        using var part = new MemoryStream();
        var number = 0;
        await db.EachAsync($"SELECT * FROM {table} ORDER BY {order}", async row =>
        {
            if (part.Length == 0)
            {
                WriteNames(part, row);
            }

            WriteValues(part, row);
            _rows++;
            if (part.Length >= BackupFormat.PartBytes)
            {
                await CloseAsync();
            }
        });
        if (part.Length > 0)
        {
            await CloseAsync();
        }

        async Task CloseAsync()
        {
            part.Position = 0;
            await AddAsync($"tables/{table}/{number++:d6}.jsonl", part, cancellation);
            part.SetLength(0);
        }
    }

    private static void WriteNames(Stream part, DbDataReader row)
    {
        using (var json = new Utf8JsonWriter(part))
        {
            json.WriteStartArray();
            for (var i = 0; i < row.FieldCount; i++)
            {
                json.WriteStringValue(row.GetName(i));
            }

            json.WriteEndArray();
        }

        part.WriteByte((byte)'\n');
    }

    /// <summary>A row: numbers and texts as such, bytes as an object with their base64.</summary>
    private static void WriteValues(Stream part, DbDataReader row)
    {
        using (var json = new Utf8JsonWriter(part))
        {
            json.WriteStartArray();
            for (var i = 0; i < row.FieldCount; i++)
            {
                switch (row.GetValue(i))
                {
                    case DBNull:
                        json.WriteNullValue();
                        break;
                    case long number:
                        json.WriteNumberValue(number);
                        break;
                    case string text:
                        json.WriteStringValue(text);
                        break;
                    case byte[] bytes:
                        json.WriteStartObject();
                        json.WriteBase64String("bytes", bytes);
                        json.WriteEndObject();
                        break;
                    case var other:
                        throw new BackupException($"The column {row.GetName(i)} holds a {other.GetType().Name}, which a backup cannot hold.");
                }
            }

            json.WriteEndArray();
        }

        part.WriteByte((byte)'\n');
    }

    private async Task WriteFolderAsync(BackupFolder folder, CancellationToken cancellation)
    {
        foreach (var path in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

            // A recording may grow meanwhile; what it is now is a whole beginning of it.
            var name = Path.GetRelativePath(folder.Path, path).Replace('\\', '/');
            await AddAsync($"folders/{folder.Name}/{name}", new FirstBytes(file, file.Length), cancellation);
            _files++;
        }
    }

    private async Task AddAsync(string name, Stream data, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = data.Length;
        var entry = new PaxTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            DataStream = new Hashing(data, hash),
        };
        await _tar.WriteEntryAsync(entry, cancellation);
        _entries.Add(new BackupEntry(name, length, Convert.ToHexStringLower(hash.GetHashAndReset())));
    }
}
