using Microsoft.Extensions.Logging;
using Stint.Connectors;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Catalog;

namespace Stint.Server.Hosting;

/// <summary>Takes a changed catalog into use. A broken one is told about and never used.</summary>
internal sealed class CatalogWatch(string folder, ConnectorList connectors, ILogger log)
{
    private string _applied = "";
    private string _seen = "";

    /// <summary>What is wrong with the files as they stand; empty when they are what counts.</summary>
    public IReadOnlyList<CatalogProblem> Problems { get; private set; } = [];

    /// <summary>What is allowed and probably not meant, in the catalog that counts.</summary>
    public IReadOnlyList<CatalogProblem> Warnings { get; private set; } = [];

    /// <summary>Applies versions; set before the first look.</summary>
    public ApplyCatalog? Apply { get; set; }

    /// <summary>Loads the first version.</summary>
    /// <exception cref="StartException">It has problems; the message lists all of them.</exception>
    public LoadedCatalog First()
    {
        _seen = _applied = Stamp();
        var load = CatalogFolder.Load(folder, connectors);
        Warnings = load.Warnings;
        return load.Catalog ?? throw new StartException(
            $"The catalog in {folder} has {load.Errors.Count} {(load.Errors.Count == 1 ? "problem" : "problems")}:\n{string.Join('\n', load.Errors)}");
    }

    /// <summary>Looks whether the files changed. A change is taken once it stood still for one look, or at once when asked for.</summary>
    public async Task LookAsync(bool asked, CancellationToken cancellation)
    {
        try
        {
            var stamp = Stamp();
            var still = stamp == _seen;
            _seen = stamp;
            if (!asked && (stamp == _applied || !still))
            {
                return;
            }

            _applied = stamp;
            var load = CatalogFolder.Load(folder, connectors);
            if (load.Catalog is not { } next)
            {
                Problems = load.Errors;
                log.CatalogBroken(load.Errors.Count, load.Errors[0].ToString());
                return;
            }

            (Problems, Warnings) = ([], load.Warnings);
            await Apply!.ApplyAsync(next, Actor.Operator, cancellation);
            log.CatalogApplied(next.Version);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Store.StoreUnavailableException)
        {
            // Looked at again at the next round, whatever the stamp says.
            _applied = "";
            log.CatalogUnreadable(e);
        }
    }

    private string Stamp() => CatalogFolder.Stamp(folder);
}
