using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stint.Core.Audit;
using Stint.Core.Catalog;

namespace Stint.Server.Store;

/// <summary>One taking effect of a catalog.</summary>
/// <param name="Number">Counted from 1, without gaps.</param>
/// <param name="Version">Which catalog.</param>
/// <param name="Previous">Which one counted before; null for the first.</param>
/// <param name="At">When.</param>
/// <param name="By">Who, as the log writes an actor.</param>
/// <param name="Origin">Where its files came from.</param>
/// <param name="Change">The approved change that it came of; null for none.</param>
internal sealed record CatalogEntry(long Number, string Version, string? Previous, DateTimeOffset At, string By, CatalogOrigin Origin, ChangeId? Change);

/// <summary>What came of letting a catalog take effect.</summary>
internal abstract record CatalogTaking
{
    private CatalogTaking()
    {
    }

    /// <summary>It counts now.</summary>
    public sealed record Took(CatalogEntry Entry) : CatalogTaking;

    /// <summary>It counted already.</summary>
    public sealed record Already(CatalogEntry Entry) : CatalogTaking;

    /// <summary>Another one counts than the one that it was made for.</summary>
    /// <param name="Now">Null when none ever took effect.</param>
    public sealed record Stale(CatalogEntry? Now) : CatalogTaking;
}

internal partial class Reads
{
    private protected const string EntryColumns = "number, version, previous, applied_at, applied_by, note, change_id, commit_id, author, dirty";

    /// <summary>The files of a catalog version; null when it was never kept.</summary>
    public async ValueTask<CatalogSource?> FindCatalogAsync(string version) =>
        await Db.OneAsync("SELECT files FROM catalogs WHERE version = $1", static row => row.GetString(0), version) is { } files ? FilesText.Read(files) : null;

    /// <summary>The version that was applied last, on any node; null before the first.</summary>
    public async ValueTask<string?> LastCatalogAsync() => (await LastEntryAsync())?.Version;

    /// <summary>The last taking effect, on any node; null before the first.</summary>
    public ValueTask<CatalogEntry?> LastEntryAsync() => Db.OneAsync($"SELECT {EntryColumns} FROM catalog_history ORDER BY number DESC LIMIT 1", ReadEntry);

    /// <summary>What counted at a moment; null before the first.</summary>
    public ValueTask<CatalogEntry?> EntryAtAsync(DateTimeOffset at) =>
        Db.OneAsync($"SELECT {EntryColumns} FROM catalog_history WHERE applied_at <= $1 ORDER BY number DESC LIMIT 1", ReadEntry, at);

    /// <summary>A taking effect by its number; null when there is none.</summary>
    public ValueTask<CatalogEntry?> FindEntryAsync(long number) => Db.OneAsync($"SELECT {EntryColumns} FROM catalog_history WHERE number = $1", ReadEntry, number);

    /// <summary>The newest taking effect of each version that begins so; two at most, which tells whether it is one.</summary>
    /// <param name="prefix">Hexadecimal digits, and nothing else.</param>
    public ValueTask<List<CatalogEntry>> FindEntriesAsync(string prefix) => Db.ListAsync(
        $"SELECT {EntryColumns} FROM catalog_history WHERE number IN (SELECT MAX(number) FROM catalog_history WHERE version LIKE $1 GROUP BY version) ORDER BY number DESC LIMIT 2",
        ReadEntry,
        prefix + "%");

    /// <summary>A page of the history, newest first.</summary>
    public async ValueTask<Paged<CatalogEntry>> HistoryAsync(Page page)
    {
        var limit = Math.Clamp(page.Limit, 1, 1000);
        var rows = await Db.ListAsync($"SELECT {EntryColumns} FROM catalog_history WHERE number < $1 ORDER BY number DESC LIMIT $2", ReadEntry, page.Before ?? long.MaxValue, limit + 1);
        return new Paged<CatalogEntry>([.. rows.Take(limit)], rows.Count > limit ? rows[limit - 1].Number : null);
    }

    private static CatalogEntry ReadEntry(DbDataReader row)
    {
        var c = new Columns(row);
        var (number, version, previous, at, by, note) = (c.Number(), c.Text(), c.TextOrNull(), c.Time(), c.Text(), c.Text());
        ChangeId? change = c.TextOrNull() is { } id ? new ChangeId(id) : null;
        return new CatalogEntry(number, version, previous, at, by, new CatalogOrigin(note, c.TextOrNull(), c.TextOrNull(), c.Flag()), change);
    }
}

internal sealed partial class Work
{
    /// <summary>Lets a catalog take effect, if it is not the one that counts.</summary>
    /// <param name="version">Its version.</param>
    /// <param name="source">Its files.</param>
    /// <param name="at">When.</param>
    /// <param name="by">Who; null for whoever keeps the folder.</param>
    /// <param name="origin">Where the files came from; null for unknown.</param>
    /// <param name="change">The approved change that it comes of; null for none.</param>
    /// <param name="onlyOn">The version that has to count now; null for any.</param>
    public async ValueTask<CatalogTaking> ApplyCatalogAsync(
        string version, CatalogSource source, DateTimeOffset at, Actor? by = null, CatalogOrigin? origin = null, ChangeId? change = null, string? onlyOn = null)
    {
        while (true)
        {
            var last = await LastEntryAsync();
            if (last?.Version == version)
            {
                return new CatalogTaking.Already(last);
            }

            if (onlyOn is not null && last?.Version != onlyOn)
            {
                return new CatalogTaking.Stale(last);
            }

            var entry = new CatalogEntry((last?.Number ?? 0) + 1, version, last?.Version, Stored.Round(at), (by ?? Actor.Operator).ToString(), origin ?? new CatalogOrigin(), change);
            await Db.RunAsync(
                "INSERT INTO catalogs (version, files, applied_at) VALUES ($1, $2, $3) ON CONFLICT (version) DO UPDATE SET applied_at = excluded.applied_at",
                version,
                FilesText.Write(source),
                at);

            // NB. The number is the lock: of two nodes that follow the same catalog, one puts the next number and the
            // other, having waited for its commit, sees that the number is taken and looks again at what counts.
            var put = await Db.RunAsync(
                $"INSERT INTO catalog_history ({EntryColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (number) DO NOTHING",
                entry.Number,
                entry.Version,
                entry.Previous,
                entry.At,
                entry.By,
                entry.Origin.Note,
                entry.Change?.Value,
                entry.Origin.Commit,
                entry.Origin.Author,
                entry.Origin.Dirty);
            if (put == 1)
            {
                Wake(Wakes.Catalog);
                return new CatalogTaking.Took(entry);
            }
        }
    }
}

/// <summary>A catalog's files as one text.</summary>
internal static class FilesText
{
    public static string Write(CatalogSource source) =>
        JsonSerializer.Serialize([.. source.Files.Select(file => new KeptFile(file.Name, file.Text))], CatalogJson.Default.ListKeptFile);

    public static CatalogSource Read(string text) =>
        new([.. JsonSerializer.Deserialize(text, CatalogJson.Default.ListKeptFile)!.Select(file => new CatalogFile(file.Name, file.Text))]);
}

internal sealed record KeptFile(string Name, string Text);

[JsonSerializable(typeof(List<KeptFile>))]
internal sealed partial class CatalogJson : JsonSerializerContext;
