using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>The requester takes an asking back before it is decided, a part of a bundle with all of it that waits; or what is to come of a series.</summary>
internal sealed class CancelRequest(StintStore store, CurrentCatalog catalog, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    /// <param name="who">Whoever asked; of a series also whoever may take grants away at the resource.</param>
    /// <param name="id">The request.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="open">Whether the occurrence of a series that is open now ends too.</param>
    /// <param name="comment">Why; needed from whoever takes away another's series.</param>
    public async Task<Outcome<RequestView>> CancelAsync(SubjectId who, RequestId id, CancellationToken cancellation, bool open = false, string? comment = null) =>
        await store.WriteAsync<Outcome<RequestView>>(
            async work =>
            {
                var now = clock.Now();
                var together = await work.TogetherAsync(id);
                if (together.Find(one => one.Id == id) is not { } seen || !await steps.MaySeeAsync(work, who, seen, now))
                {
                    return new Outcome<RequestView>.NotFound();
                }

                if (seen is { State: RequestState.Approved, Recurrence: not null })
                {
                    return await EndSeriesAsync(work, who, seen, open, comment, now);
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
                    work.Append(Facts.RequestCancelled(moved, now, Actor.Of(who)));
                    taken = one.Id == id ? moved : taken;
                }

                return new Outcome<RequestView>.Done(await views.OfAsync(work, taken, who));
            },
            cancellation);

    private async Task<Outcome<RequestView>> EndSeriesAsync(Work work, SubjectId who, Request seen, bool open, string? comment, DateTimeOffset now)
    {
        var own = seen.Subject == who;
        if (!own && !catalog.Now.MayTakeAway(who, seen.Role.Resource))
        {
            return new Outcome<RequestView>.NotYours("only whoever asked, owners of the resource and admins end a series", [seen.Subject, .. catalog.Now.WhoMayTakeAway(seen.Role.Resource)]);
        }

        if (comment?.Length > Approvals.Answers.MaxComment || (!own && string.IsNullOrWhiteSpace(comment)))
        {
            return new Outcome<RequestView>.Invalid([new Problem("comment", $"say why, in 1 to {Approvals.Answers.MaxComment} characters")]);
        }

        var by = Actor.Of(who);
        var note = string.IsNullOrWhiteSpace(comment) ? null : $"{who}: {comment.Trim()}";
        var ended = await work.FindSeriesAsync(seen.Id) is { } series
            && await SeriesSteps.EndAsync(work, series, own ? SeriesEnd.Cancelled : SeriesEnd.Revoked, note, now, by) is not null;
        if (open)
        {
            await SeriesSteps.EndOpenAsync(work, seen.Id, own ? EndReason.Returned : EndReason.Revoked, note, now, by);
        }

        var view = await views.OfAsync(work, seen, who);
        return ended || open ? new Outcome<RequestView>.Done(view) : new Outcome<RequestView>.LostRace("the series has ended already", view);
    }
}
