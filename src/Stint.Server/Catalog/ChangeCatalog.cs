using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>What came of wanting another catalog: it counts, or a change waits for somebody's yes.</summary>
/// <param name="Entry">Its taking effect; null while it waits.</param>
/// <param name="Change">The change that waits; null when none was needed.</param>
/// <param name="Already">Whether it counted before.</param>
/// <param name="Ended">How many grants and requests of leavers ended.</param>
internal sealed record Changing(CatalogEntry? Entry, ChangeView? Change, bool Already, int Ended);

/// <summary>An admin or a catalog keeper lets other files be the catalog, or proposes them where the catalog that counts demands somebody's yes.</summary>
internal sealed class ChangeCatalog(StintStore store, CurrentCatalog current, CatalogVersions versions, ApplyCatalog apply, CatalogChanges changes, CatalogTruth truth, TimeProvider clock)
{
    /// <summary>Longest note, in characters.</summary>
    public const int LongestNote = 500;

    private const string OnlyKeepers = "only admins and catalog keepers change the catalog";

    /// <summary>Applies files.</summary>
    /// <param name="who">Who.</param>
    /// <param name="sent">The files.</param>
    /// <param name="onlyOn">The version that they were made from; another one that counts by now refuses them.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<Changing>> ApplyAsync(SubjectId who, SentCatalog sent, string onlyOn, CancellationToken cancellation)
    {
        var version = CatalogFiles.Version(sent.Files);
        if (await RefusedAsync(who, version, onlyOn, sent.Origin.Note, cancellation) is { } refused)
        {
            return refused;
        }

        var load = versions.LoadSent(sent.Files);
        var problems = load.Errors.Select(error => new Problem(error.File.Length == 0 ? "files" : $"{error.File}:{error.Line}:{error.Column}", error.WayOut is null ? error.What : $"{error.What}; {error.WayOut}")).ToList();
        if (sent.Origin.Note.Length > LongestNote || !Core.Catalog.Words.IsShowable(sent.Origin.Note, newLines: false))
        {
            problems.Add(new Problem("note", $"a note has at most {LongestNote} characters, on one line, that can be shown"));
        }

        if (problems.Count > 0)
        {
            return new Outcome<Changing>.Invalid(problems);
        }

        return await TakeAsync(load.Catalog!, who, sent.Origin, onlyOn, cancellation);
    }

    /// <summary>Makes an earlier version the catalog again.</summary>
    /// <param name="who">Who.</param>
    /// <param name="to">A number of the history, or the beginning of a version.</param>
    /// <param name="onlyOn">The version that has to count now.</param>
    /// <param name="note">Why; empty for nothing.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<Changing>> RollBackAsync(SubjectId who, string to, string onlyOn, string note, CancellationToken cancellation)
    {
        if (await RefusedAsync(who, to, onlyOn, note, cancellation) is { } refused)
        {
            return refused;
        }

        return await versions.FindEntryAsync(to, cancellation) switch
        {
            null => new Outcome<Changing>.NotFound(),
            var entry => await ApplyAsync(
                who,
                new SentCatalog((await versions.FilesAsync(entry.Version, cancellation))!, new CatalogOrigin(note.Length > 0 ? note : $"back to {entry.Number}", entry.Origin.Commit, entry.Origin.Author, entry.Origin.Dirty)),
                onlyOn,
                cancellation),
        };
    }

    /// <summary>Takes a folder's catalog into use, or proposes it where the catalog that counts demands it.</summary>
    /// <returns>What came of proposing; null when it was taken.</returns>
    public async Task<Outcome<Changing>?> FollowAsync(LoadedCatalog next, CatalogOrigin origin, CancellationToken cancellation)
    {
        if (current.Now is { ChangeApproval: not null } counts && counts.Version != next.Version)
        {
            return await changes.ProposeAsync(next, Actor.Operator, origin, counts, cancellation);
        }

        await apply.ApplyAsync(next, Actor.Operator, cancellation, origin);
        return null;
    }

    private async Task<Outcome<Changing>> TakeAsync(LoadedCatalog next, SubjectId who, CatalogOrigin origin, string onlyOn, CancellationToken cancellation)
    {
        var by = Actor.Person(who.Value);

        // NB. The catalog that counts says whose yes it takes, never the one that shall count: else a change could begin by freeing itself.
        if (await versions.FindAsync(onlyOn, cancellation) is { ChangeApproval: not null } basis && basis.Version != next.Version)
        {
            return await changes.ProposeAsync(next, by, origin, basis, cancellation);
        }

        var beyond = current.Now.IsAdmin(who) ? null : RightsDiff.Between(current.Now, current.With(next), clock.Now());
        var taking = await store.WriteAsync(
            async work =>
            {
                // NB. Asked again: loading takes its time, and a right may be over by now.
                var may = current.Now;
                if (!may.MayChangeCatalog(who) || (beyond is not null && !may.IsAdmin(who)))
                {
                    work.Append(Facts.CatalogRefused(next.Version, Hash(onlyOn), beyond is null ? OnlyKeepers : Beyond(beyond), origin.Note, by, clock.Now()));
                    return null;
                }

                var taking = await apply.TakeAsync(work, next, by, origin, null, onlyOn);
                if (taking is CatalogTaking.Stale { Now: var now })
                {
                    work.Append(Facts.CatalogRefused(next.Version, Hash(onlyOn), Stale(now), origin.Note, by, clock.Now()));
                }

                return taking;
            },
            cancellation);
        switch (taking)
        {
            case null:
                return new Outcome<Changing>.NotYours(beyond is null ? OnlyKeepers : Beyond(beyond), current.Now.Administrators());
            case CatalogTaking.Took took:
                return new Outcome<Changing>.Done(new Changing(took.Entry, null, false, await apply.FinishAsync(next, taking, by, cancellation)));
            case CatalogTaking.Already already:
                return new Outcome<Changing>.Done(new Changing(already.Entry, null, true, await apply.FinishAsync(next, taking, by, cancellation)));
            case CatalogTaking.Stale stale:
                return new Outcome<Changing>.LostRace($"{Stale(stale.Now)}; make a new plan and look at what it changes now", null);
            default:
                throw new InvalidOperationException("A taking is one of three.");
        }
    }

    /// <summary>Why somebody may not, or not here; null when they may.</summary>
    private async Task<Outcome<Changing>?> RefusedAsync(SubjectId who, string version, string onlyOn, string note, CancellationToken cancellation)
    {
        if (!current.Now.MayChangeCatalog(who))
        {
            await store.WriteAsync(
                work =>
                {
                    work.Append(Facts.CatalogRefused(Hash(version), Hash(onlyOn), OnlyKeepers, note.Length <= LongestNote ? note : "", Actor.Person(who.Value), clock.Now()));
                    return Task.CompletedTask;
                },
                cancellation);
            return new Outcome<Changing>.NotYours(OnlyKeepers, current.Now.MayReadAll(who) ? current.Now.Administrators() : []);
        }

        return truth.Folder is { } folder
            ? new Outcome<Changing>.Refused($"this server follows the folder {folder}, and what stands there is the truth", "change the files there, or set `catalog_from` to `store` and start the server again")
            : null;
    }

    private static string Beyond(string what) => $"a catalog keeper changes nothing that decides who has a right in Stint itself, and this changes {what}";

    /// <summary>What somebody gave as a version, if it can be one: anything else has no place in the log.</summary>
    private static string Hash(string given) => given.Length <= 64 && given.All(char.IsAsciiHexDigitLower) ? given : "";

    private static string Stale(CatalogEntry? now) => now is null
        ? "no catalog counts yet"
        : $"another catalog counts by now: {now.Version[..Math.Min(12, now.Version.Length)]}, applied by {now.By} at {CanonicalTime.Write(now.At)[..19]}Z";
}
