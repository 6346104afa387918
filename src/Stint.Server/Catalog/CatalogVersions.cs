using System.Collections.Concurrent;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>Catalogs of the past, for what was made under them.</summary>
internal sealed class CatalogVersions(StintStore store, CurrentCatalog current, ConnectorList connectors)
{
    private const int MostKept = 32;

    private readonly ConcurrentDictionary<string, LoadedCatalog> _kept = new(StringComparer.Ordinal);

    /// <summary>The catalog of a version; null when it was never kept, or does not load with this program any more.</summary>
    public async Task<LoadedCatalog?> FindAsync(string version, CancellationToken cancellation)
    {
        if (current.Now is var now && now.Version == version)
        {
            return now;
        }

        if (_kept.TryGetValue(version, out var kept))
        {
            return kept;
        }

        var source = await store.ReadAsync(async reads => await reads.FindCatalogAsync(version), cancellation);
        var loaded = source is null ? null : CatalogLoader.Load(source, connectors.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal)).Catalog;
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
}
