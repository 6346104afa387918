using Microsoft.Extensions.Logging;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server.Catalog;

namespace Stint.Server.Hosting;

/// <summary>Takes a changed catalog into use. A broken one is told about and never used.</summary>
/// <param name="folder">Where its files are.</param>
/// <param name="connectors">What its resources may be.</param>
/// <param name="log">Gets what happens.</param>
/// <param name="follows">Whether the folder is the truth. It is looked at once otherwise, when nothing counts yet.</param>
internal sealed class CatalogWatch(string folder, ConnectorList connectors, ILogger log, bool follows)
{
    // Read beside the rest of the start, which needs it last.
    private readonly Task<(string Stamp, CatalogLoad Load)>? _early = follows ? Task.Run(() => Read(folder, connectors)) : null;
    private string _applied = "";
    private string _seen = "";
    private IReadOnlyList<CatalogProblem> _broken = [];
    private (string Version, CatalogProblem Problem)? _waits;

    /// <summary>What is wrong with the files as they stand; empty when they are what counts.</summary>
    public IReadOnlyList<CatalogProblem> Problems =>
        _broken.Count > 0 ? _broken : _waits is var (version, problem) && Current?.Now.Version != version ? [problem] : [];

    /// <summary>What is allowed and probably not meant, in the catalog that counts.</summary>
    public IReadOnlyList<CatalogProblem> Warnings { get; private set; } = [];

    /// <summary>Takes versions; set before the first look.</summary>
    public ChangeCatalog? Change { get; set; }

    /// <summary>What counts; set before the first look.</summary>
    public CurrentCatalog? Current { get; set; }

    /// <summary>Loads the first version.</summary>
    /// <exception cref="StartException">It has problems; the message lists all of them.</exception>
    public async Task<LoadedCatalog> FirstAsync()
    {
        (_applied, var load) = _early is null ? Read(folder, connectors) : await _early;
        _seen = _applied;
        Warnings = load.Warnings;
        return load.Catalog ?? throw new StartException(
            $"The catalog in {folder} has {load.Errors.Count} {(load.Errors.Count == 1 ? "problem" : "problems")}:\n{string.Join('\n', load.Errors)}");
    }

    /// <summary>Takes a loaded version into use, or proposes it where somebody's yes is needed.</summary>
    public async Task TakeAsync(LoadedCatalog next, CancellationToken cancellation)
    {
        var outcome = await Change!.FollowAsync(next, await Checkout.OfAsync(folder, cancellation), cancellation);
        if (Current!.Now.Version == next.Version)
        {
            _waits = null;
            log.CatalogApplied(next.Version);
            return;
        }

        var sentence = outcome switch
        {
            Outcome<Changing>.Done { Value.Change.Change: { State: ChangeState.Denied } denied } => $"it was denied as {denied.Id}: {denied.Why}",
            Outcome<Changing>.Done { Value.Change: { } change } => $"it waits for somebody's yes as {change.Change.Id}",
            Outcome<Changing>.Refused refused => refused.Why,
            Outcome<Changing>.LostRace lost => lost.Why,
            _ => "another catalog counts",
        };
        _waits = (next.Version, new CatalogProblem("", 0, 0, sentence, "see stint catalog changes"));
        log.CatalogWaits(sentence);
    }

    /// <summary>Looks whether the files changed. A change is taken once it stood still for one look, or at once when asked for.</summary>
    public async Task LookAsync(bool asked, CancellationToken cancellation)
    {
        if (!follows)
        {
            return;
        }

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
                _broken = load.Errors;
                log.CatalogBroken(load.Errors.Count, load.Errors[0].ToString());
                return;
            }

            (_broken, Warnings) = ([], load.Warnings);
            await TakeAsync(next, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Store.StoreUnavailableException)
        {
            // Looked at again at the next round, whatever the stamp says.
            _applied = "";
            log.CatalogUnreadable(e);
        }
    }

    private static (string Stamp, CatalogLoad Load) Read(string folder, ConnectorList connectors) => (CatalogFolder.Stamp(folder), CatalogFolder.Load(folder, connectors));

    private string Stamp() => CatalogFolder.Stamp(folder);
}
