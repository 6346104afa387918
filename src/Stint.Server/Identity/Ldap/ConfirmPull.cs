using Stint.Core;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Ldap;

/// <summary>Says how the pulling from the directory stands, and takes an admin's word that they have all left of whom it tells so at once.</summary>
internal sealed class ConfirmPull(StintStore store, CurrentCatalog catalog, DirectorySource source, TimeProvider clock)
{
    /// <summary>How it stands.</summary>
    /// <returns>Not found where no directory is asked, or none was yet.</returns>
    public async Task<Outcome<DirectoryPull>> GetAsync(SubjectId who, CancellationToken cancellation) =>
        !catalog.Now.MayReadAll(who) ? new Outcome<DirectoryPull>.NotYours("only admins and auditors see who leaves", [])
        : source.Actor == Core.Audit.Actor.Ldap && await store.ReadAsync(async reads => await reads.FindPullAsync(), cancellation) is { } pull ? new Outcome<DirectoryPull>.Done(pull)
        : new Outcome<DirectoryPull>.NotFound();

    /// <summary>Confirms those of whom it told last, and nobody else: the next look that tells the same is taken over.</summary>
    /// <param name="who">Who confirms; an admin.</param>
    /// <param name="mark">What names them.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public Task<Outcome<DirectoryPull>> ConfirmAsync(SubjectId who, string mark, CancellationToken cancellation) => store.WriteAsync<Outcome<DirectoryPull>>(
        async work =>
        {
            if (!catalog.Now.IsAdmin(who))
            {
                return new Outcome<DirectoryPull>.NotYours("only an admin confirms who leaves", []);
            }

            if (source.Actor != Core.Audit.Actor.Ldap || await work.FindPullAsync() is not { } pull)
            {
                return new Outcome<DirectoryPull>.NotFound();
            }

            if (pull.Confirmed is { } before && before == mark)
            {
                return new Outcome<DirectoryPull>.Done(pull);
            }

            if (pull.Mark != mark || !await work.ConfirmPullAsync(mark))
            {
                return new Outcome<DirectoryPull>.LostRace(pull.Mark is null ? "nobody waits to be confirmed" : "the directory tells of others by now", pull);
            }

            work.Append(Facts.PullConfirmed(who, pull, clock.Now()));
            return new Outcome<DirectoryPull>.Done(pull with { Confirmed = mark });
        },
        cancellation);
}
