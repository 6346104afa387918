using System.Collections.Concurrent;
using System.Globalization;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>Catalogs of the past, for what was made under them.</summary>
internal sealed class CatalogVersions(StintStore store, CurrentCatalog current, ConnectorList connectors)
{
    private const int MostKept = 32;

    /// <summary>Shortest beginning of a version that names it.</summary>
    private const int ShortestPrefix = 6;

    private readonly ConcurrentDictionary<string, LoadedCatalog> _kept = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KindShape> _kinds = connectors.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal);

    /// <summary>Loads files as this program understands them.</summary>
    public CatalogLoad Load(CatalogSource files) => CatalogLoader.Load(files, _kinds);

    /// <summary>The same for files that somebody sent: their names are looked at as well.</summary>
    public CatalogLoad LoadSent(CatalogSource files)
    {
        var names = CatalogFiles.CheckNames(files);
        return names.Count == 0 ? Load(files) : new CatalogLoad(null, names, []);
    }

    /// <summary>The catalog of a version; null when it was never kept, or does not load with this program any more.</summary>
    public async Task<LoadedCatalog?> FindAsync(string version, CancellationToken cancellation)
    {
        if (current.Now.Text is var now && now.Version == version)
        {
            return now;
        }

        if (_kept.TryGetValue(version, out var kept))
        {
            return kept;
        }

        var source = await FilesAsync(version, cancellation);
        var loaded = source is null ? null : Load(source).Catalog;
        if (loaded is not null)
        {
            if (_kept.Count >= MostKept)
            {
                _kept.Clear();
            }

            _kept[version] = loaded;
        }

        return loaded;
    }

    /// <summary>The files of a version; null when it was never kept.</summary>
    public Task<CatalogSource?> FilesAsync(string version, CancellationToken cancellation) =>
        store.ReadAsync(async reads => await reads.FindCatalogAsync(version), cancellation);

    /// <summary>The catalog that counted at a moment; null when none did yet, or when it does not load with this program any more.</summary>
    public async Task<LoadedCatalog?> AtAsync(DateTimeOffset moment, CancellationToken cancellation)
    {
        var entry = await store.ReadAsync(async reads => await reads.EntryAtAsync(moment), cancellation);
        return entry is null ? null : await FindAsync(entry.Version, cancellation);
    }

    /// <summary>A taking effect by its number, or by the beginning of its version; null when there is none, or more than one.</summary>
    public Task<CatalogEntry?> FindEntryAsync(string name, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            // NB. A beginning of digits alone may be either: a number is short, a version is not.
            if (name.Length < ShortestPrefix && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return await reads.FindEntryAsync(number);
            }

            return name.Length >= ShortestPrefix && name.All(char.IsAsciiHexDigitLower) && await reads.FindEntriesAsync(name) is [var one] ? one : null;
        },
        cancellation);

    /// <summary>A page of the history, newest first.</summary>
    public Task<Paged<CatalogEntry>> HistoryAsync(Page page, CancellationToken cancellation) => store.ReadAsync(async reads => await reads.HistoryAsync(page), cancellation);
}
