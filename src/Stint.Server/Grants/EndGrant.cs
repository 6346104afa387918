using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>The holder hands a grant back before its time.</summary>
internal sealed class EndGrant(StintStore store, CurrentCatalog catalog, TimeProvider clock, GrantViews views)
{
    public async Task<Outcome<GrantView>> EndAsync(SubjectId who, GrantId id, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<GrantView>>(
            async work =>
            {
                if (await work.FindGrantAsync(id) is not { } seen || !catalog.Now.MaySee(who, seen.Subject, seen.Role.Resource))
                {
                    return new Outcome<GrantView>.NotFound();
                }

                if (seen.Subject != who)
                {
                    return new Outcome<GrantView>.NotYours("only its holder can hand it back; others revoke it", [seen.Subject]);
                }

                return await GrantSteps.EndAsync(work, seen, EndReason.Returned, null, clock.Now(), Actor.Of(who)) is { } ended
                    ? new Outcome<GrantView>.Done(await views.OfAsync(work, ended))
                    : await views.LostAsync(work, seen);
            },
            cancellation);
}
