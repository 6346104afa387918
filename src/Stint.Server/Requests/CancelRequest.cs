using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>The requester takes an asking back before it is decided.</summary>
internal sealed class CancelRequest(StintStore store, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    public async Task<Outcome<RequestView>> CancelAsync(SubjectId who, RequestId id, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<RequestView>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindRequestAsync(id) is not { } seen || !await steps.MaySeeAsync(work, who, seen, now))
                {
                    return new Outcome<RequestView>.NotFound();
                }

                if (seen.Subject != who)
                {
                    return new Outcome<RequestView>.NotYours("only whoever asked can take it back", [seen.Subject]);
                }

                if (seen.State != RequestState.Pending)
                {
                    return await views.LostAsync(work, seen, who);
                }

                var next = seen with { State = RequestState.Cancelled, DecidedAt = now, Why = "taken back by whoever asked" };
                if (await work.MoveAsync(seen, next) is not { } moved)
                {
                    return await views.LostAsync(work, seen, who);
                }

                work.Append(Facts.RequestCancelled(moved, now, Actor.Person(who.Value)));
                return new Outcome<RequestView>.Done(await views.OfAsync(work, moved, who));
            },
            cancellation);
}
