using Stint.Core.Catalog;

namespace Stint.Server.Catalog;

/// <summary>Where the truth about the catalog is.</summary>
/// <param name="Folder">The folder that this server follows; null when the store is the truth.</param>
internal sealed record CatalogTruth(string? Folder);

/// <summary>Files that somebody sends for a catalog.</summary>
/// <param name="Files">The files.</param>
/// <param name="Origin">Where they came from.</param>
internal sealed record SentCatalog(CatalogSource Files, CatalogOrigin Origin);
