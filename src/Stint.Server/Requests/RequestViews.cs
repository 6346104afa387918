using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Puts a request together with its answers and its grant.</summary>
internal sealed class RequestViews(GrantViews grants)
{
    public async ValueTask<RequestView> OfAsync(Reads reads, Request request)
    {
        var approvals = await reads.ApprovalsAsync(request.Id);
        var grant = request.State == RequestState.Approved ? await reads.FindGrantAsync(request.Id) : null;
        return new RequestView(request, approvals, Open(request, approvals), grant is null ? null : await grants.OfAsync(reads, grant));
    }

    /// <summary>One that was made in this write: nobody has answered it, and its grant is at hand.</summary>
    public async ValueTask<RequestView> OfNewAsync(Reads reads, Request request, Grant? grant) =>
        new(request, [], Open(request, []), grant is null ? null : await grants.OfAsync(reads, grant));

    /// <summary>Somebody was faster: what happened, and how it is now.</summary>
    public async ValueTask<Outcome<RequestView>> LostAsync(Reads reads, Request seen)
    {
        var now = await reads.FindRequestAsync(seen.Id) ?? seen;
        var why = now.State switch
        {
            RequestState.Pending => "somebody changed it at the same moment; look again",
            RequestState.Approved => "it is approved already",
            RequestState.Denied => "it is denied already",
            RequestState.Cancelled => "it was taken back",
            RequestState.Lapsed => "it lapsed: nobody decided in time",
            _ => throw new InvalidOperationException($"{now.State} is not a state of a request."),
        };
        return new Outcome<RequestView>.LostRace(why, await OfAsync(reads, now));
    }

    private static IReadOnlyList<OpenStep> Open(Request request, IReadOnlyList<Approval> approvals) =>
        request.State == RequestState.Pending
        && request.Verdict is Verdict.NeedsApproval needs
        && Quorum.Count(needs.Steps, needs.Distinct, request.Subject, request.Digest, approvals) is Tally.Waiting waiting
            ? waiting.Open
            : [];
}
