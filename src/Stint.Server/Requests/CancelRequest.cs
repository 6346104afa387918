using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>The requester takes an asking back before it is decided; a part of a bundle with all of it that waits.</summary>
internal sealed class CancelRequest(StintStore store, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    public async Task<Outcome<RequestView>> CancelAsync(SubjectId who, RequestId id, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<RequestView>>(
            async work =>
            {
                var now = clock.Now();
                var together = await work.TogetherAsync(id);
                if (together.Find(one => one.Id == id) is not { } seen || !await steps.MaySeeAsync(work, who, seen, now))
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

                var taken = seen;
                foreach (var one in together.Where(one => one.State == RequestState.Pending))
                {
                    var next = one with { State = RequestState.Cancelled, DecidedAt = now, Why = "taken back by whoever asked" };
                    var moved = await work.MoveAsync(one, next) ?? throw new InvalidOperationException($"The request {one.Id} moved inside its own lock.");
                    work.Append(Facts.RequestCancelled(moved, now, Actor.Person(who.Value)));
                    taken = one.Id == id ? moved : taken;
                }

                return new Outcome<RequestView>.Done(await views.OfAsync(work, taken, who));
            },
            cancellation);
}
