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
            return watch.First();
        }

        var kept = CatalogLoader.Load(files, ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal));
        if (from == CatalogFrom.Store)
        {
            return kept.Catalog ?? throw new StartException(
                $"The catalog {version[..12]} in the store has problems for this program:\n{string.Join('\n', kept.Errors)}\nRun the program that applied it, or put a good one into the folder and start once with `catalog_from` as `folder`.");
        }

        var folder = watch.First();
        if (folder.Version == version)
        {
            return folder;
        }

        // NB. A folder that was changed while nobody ran is a change like any other: it waits for its yes. And where the
        // one that counts cannot be read, whoever may have demanded a yes is not passed over.
        if (kept.Catalog is null && files.Files.Any(file => Demands().IsMatch(file.Text)))
        {
            throw new StartException($"The catalog {version[..12]} that counts demands approval for its changes and does not load with this program:\n{string.Join('\n', kept.Errors)}\nRun the program that applied it, put the folder back to that version, or let the change be approved there.");
        }

        return kept.Catalog is { ChangeApproval: not null } counts ? counts : folder;
    }

    [GeneratedRegex("""^["']?changes["']?\s*:""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Demands();
}
