using Stint.Core;
using Stint.Core.Policies;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>A yes or a no to a whole bundle, or its taking back: given to one of those requests that wait, it counts for all of them.</summary>
internal sealed class AnswerBundle(StintStore store, TimeProvider clock, BundleViews views, ApproveRequest approve, DenyRequest deny, CancelRequest cancel)
{
    public Task<Outcome<BundleView>> ApproveAsync(SubjectId who, BundleId id, Yes yes, CancellationToken cancellation) =>
        AnswerAsync(who, id, request => approve.ApproveAsync(who, request, yes, cancellation), cancellation);

    /// <inheritdoc cref="DenyRequest.DenyAsync"/>
    public Task<Outcome<BundleView>> DenyAsync(
        SubjectId who, BundleId id, string? comment, string? sawDigest, string via, CancellationToken cancellation, SubjectId? inPlaceOf = null) =>
        AnswerAsync(who, id, request => deny.DenyAsync(who, request, comment, sawDigest, via, cancellation, inPlaceOf), cancellation);

    public Task<Outcome<BundleView>> CancelAsync(SubjectId who, BundleId id, CancellationToken cancellation) =>
        AnswerAsync(who, id, request => cancel.CancelAsync(who, request, cancellation), cancellation);

    private async Task<Outcome<BundleView>> AnswerAsync(SubjectId who, BundleId id, Func<RequestId, Task<Outcome<RequestView>>> answer, CancellationToken cancellation)
    {
        // Which request carries the conversation never changes: those that share the steps wait, and end, together.
        var all = await store.ReadAsync(async reads => await reads.RequestsOfAsync(id), cancellation);
        if (all.Find(request => request.Verdict is Verdict.NeedsApproval) is not { } carrier)
        {
            // A rule decided every role: nobody's yes is asked, and whoever may see one of them is told so.
            carrier = all.Count > 0 ? all[0] : null;
            if (carrier is null)
            {
                return new Outcome<BundleView>.NotFound();
            }
        }

        var outcome = await answer(carrier.Id);
        return outcome switch
        {
            Outcome<RequestView>.NotFound => new Outcome<BundleView>.NotFound(),
            Outcome<RequestView>.NotYours no => new Outcome<BundleView>.NotYours(no.Why, no.WhoCould),
            Outcome<RequestView>.Invalid invalid => new Outcome<BundleView>.Invalid(invalid.Problems),
            Outcome<RequestView>.Refused refused => new Outcome<BundleView>.Refused(refused.Why, refused.Remedy),
            Outcome<RequestView>.LostRace lost => new Outcome<BundleView>.LostRace(lost.Why, await ViewAsync(who, id, cancellation)),
            Outcome<RequestView>.Done => await ViewAsync(who, id, CancellationToken.None) is { } view ? new Outcome<BundleView>.Done(view) : new Outcome<BundleView>.NotFound(),
            _ => throw new InvalidOperationException("An outcome of an unknown kind."),
        };
    }

    private async Task<BundleView?> ViewAsync(SubjectId who, BundleId id, CancellationToken cancellation) =>
        await store.ReadAsync(async reads => await views.FindAsync(reads, id, who, clock.Now()), cancellation);
}
