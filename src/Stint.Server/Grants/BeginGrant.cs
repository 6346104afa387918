using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>The holder begins what was approved. The clock starts now.</summary>
internal sealed class BeginGrant(StintStore store, CurrentCatalog catalog, TimeProvider clock, GrantViews views, GrantSteps steps)
{
    public async Task<Outcome<GrantView>> BeginAsync(SubjectId who, GrantId id, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<GrantView>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindGrantAsync(id) is not { } seen || !catalog.Now.MaySee(who, seen.Subject, seen.Role.Resource))
                {
                    return new Outcome<GrantView>.NotFound();
                }

                if (seen.Subject != who)
                {
                    return new Outcome<GrantView>.NotYours("only its holder can begin it", [seen.Subject]);
                }

                if (seen.State != GrantState.Ready)
                {
                    return await views.LostAsync(work, seen);
                }

                if (seen.StartAt > now)
                {
                    return new Outcome<GrantView>.Refused($"it is scheduled and opens at {CanonicalTime.Write(seen.StartAt.Value)}", "wait until then");
                }

                if (seen.LapsesAt <= now)
                {
                    return new Outcome<GrantView>.Refused("it was not begun in time and has lapsed", Sentences.AskAgain(seen.Role));
                }

                if (await steps.WaitsAsync(work, seen, now) is { } wait)
                {
                    return new Outcome<GrantView>.Refused(wait.Because, $"begin it from {CanonicalTime.Write(wait.From)[..19]}Z on; it lapses at {CanonicalTime.Write(seen.LapsesAt)[..19]}Z");
                }

                return await steps.BeginAsync(work, seen, now, Actor.Of(who)) is { } begun
                    ? begun.State == GrantState.Closed
                        ? new Outcome<GrantView>.Refused(begun.EndNote!, Sentences.AskAgain(seen.Role))
                        : new Outcome<GrantView>.Done(await views.OfAsync(work, begun))
                    : await views.LostAsync(work, seen);
            },
            cancellation);
}
