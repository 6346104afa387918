using System.Text.RegularExpressions;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Hosting;

/// <summary>By which catalog a node begins to decide.</summary>
internal static partial class FirstCatalog
{
    /// <summary>The folder's, unless the store is the truth, or the catalog that counts lets nobody change it alone: then that one.</summary>
    /// <exception cref="StartException">It has problems, or nobody can say whether it may count.</exception>
    public static async Task<LoadedCatalog> FindAsync(CatalogFrom from, StintStore store, CatalogWatch watch, CancellationToken cancellation)
    {
        var (version, files) = await store.ReadAsync<(string?, CatalogSource?)>(
            async reads => await reads.LastCatalogAsync() is { } last ? (last, await reads.FindCatalogAsync(last)) : (null, null),
            cancellation);
        if (version is null || files is null)
        {
            return await watch.FirstAsync();
        }

        if (from == CatalogFrom.Store)
        {
            var kept = Load(files);
            return kept.Catalog ?? throw new StartException(
                $"The catalog {version[..12]} in the store has problems for this program:\n{string.Join('\n', kept.Errors)}\nRun the program that applied it, or put a good one into the folder and start once with `catalog_from` as `folder`.");
        }

        var folder = await watch.FirstAsync();
        if (folder.Version == version)
        {
            return folder;
        }

        var counting = Load(files);

        // NB. A folder that was changed while nobody ran is a change like any other: it waits for its yes. And where the
        // one that counts cannot be read, whoever may have demanded a yes is not passed over.
        if (counting.Catalog is null && files.Files.Any(file => Demands().IsMatch(file.Text)))
        {
            throw new StartException($"The catalog {version[..12]} that counts demands approval for its changes and does not load with this program:\n{string.Join('\n', counting.Errors)}\nRun the program that applied it, put the folder back to that version, or let the change be approved there.");
        }

        return counting.Catalog is { ChangeApproval: not null } counts ? counts : folder;
    }

    private static CatalogLoad Load(CatalogSource files) => CatalogLoader.Load(files, ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal));

    [GeneratedRegex("""^["']?changes["']?\s*:""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Demands();
}
