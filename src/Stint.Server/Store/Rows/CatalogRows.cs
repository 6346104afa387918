using System.Text.Json;
using System.Text.Json.Serialization;
using Stint.Core.Catalog;

namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>The files of a catalog version; null when it was never kept.</summary>
    public async ValueTask<CatalogSource?> FindCatalogAsync(string version)
    {
        var files = await Db.OneAsync(
            "SELECT files FROM catalogs WHERE version = $1",
            static row => JsonSerializer.Deserialize(row.GetString(0), CatalogJson.Default.ListKeptFile)!,
            version);
        return files is null ? null : new CatalogSource([.. files.Select(file => new CatalogFile(file.Name, file.Text))]);
    }

    /// <summary>The version that was applied last, on any node; null before the first.</summary>
    public async ValueTask<string?> LastCatalogAsync() =>
        await Db.OneAsync("SELECT version FROM catalogs ORDER BY applied_at DESC, seq DESC LIMIT 1", static row => row.GetString(0));
}

internal sealed partial class Work
{
    /// <summary>Keeps a catalog version, or notes that it was applied again.</summary>
    /// <returns>Whether another version was in force before, so that a fact is due.</returns>
    public async ValueTask<bool> ApplyCatalogAsync(string version, CatalogSource source, DateTimeOffset at)
    {
        if (await LastCatalogAsync() == version)
        {
            return false;
        }

        var files = source.Files.Select(file => new KeptFile(file.Name, file.Text)).ToList();
        await Db.RunAsync(
            "INSERT INTO catalogs (version, files, applied_at) VALUES ($1, $2, $3) ON CONFLICT (version) DO UPDATE SET applied_at = excluded.applied_at",
            version,
            JsonSerializer.Serialize(files, CatalogJson.Default.ListKeptFile),
            at);
        return true;
    }
}

internal sealed record KeptFile(string Name, string Text);

[JsonSerializable(typeof(List<KeptFile>))]
internal sealed partial class CatalogJson : JsonSerializerContext;
