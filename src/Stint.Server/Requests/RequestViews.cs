using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Puts a request together with its answers, its steps, its offers and its grant.</summary>
internal sealed class RequestViews(GrantViews grants, ApprovalSteps steps, TimeProvider clock)
{
    /// <param name="reads">Where from.</param>
    /// <param name="request">The request.</param>
    /// <param name="who">Who looks; null for nobody in particular.</param>
    /// <param name="isNew">Whether it was just asked, so that nobody answered it and nothing was offered yet.</param>
    public async ValueTask<RequestView> OfAsync(Reads reads, Request request, SubjectId? who = null, bool isNew = false)
    {
        var grant = request.State == RequestState.Approved ? await reads.FindGrantAsync(request.Id) : null;
        var view = new RequestView(request, [], [], grant is null ? null : await grants.OfAsync(reads, grant)) { MadeOf = isNew ? null : await reads.OfferThatMadeAsync(request.Id), Series = await SeriesAsync(reads, request), Review = await ReviewAsync(reads, request) };
        if (request.Verdict is not Verdict.NeedsApproval needs)
        {
            return view;
        }

        view = isNew ? view : view with { Offers = await reads.OffersAsync(request.Id) };
        if (request.State != RequestState.Pending)
        {
            var approvals = await reads.ApprovalsAsync(request.Id);
            var over = request.State == RequestState.Approved ? StepState.Met : StepState.Over;
            return view with { Approvals = approvals, Steps = [.. needs.Steps.Select(step => new StepView(step, over, 0, [], null, null))] };
        }

        var now = clock.Now();
        var stand = await steps.StandAsync(reads, request);
        return view with
        {
            Approvals = stand.Approvals,
            Open = stand.Open,
            Steps = StepsOf(stand),
            Delegations = await reads.DelegationsOfAsync(stand.Open.SelectMany(open => open.Could), now),
            Looker = who is { } looker ? Answers.SeatOf(WithOnCall(stand, now), looker, await reads.DelegationsToAsync(looker, now), yes: true) : null,
        };
    }

    /// <summary>One that was made in this write: nobody has answered it, and its grant is at hand.</summary>
    public async ValueTask<RequestView> OfNewAsync(Reads reads, Request request, Grant? grant, SubjectId who) => grant is not null
        ? new RequestView(request, [], [], await grants.OfAsync(reads, grant)) { Review = await ReviewAsync(reads, request) }
        : await OfAsync(reads, request, who, isNew: true);

    private async ValueTask<SeriesView?> SeriesAsync(Reads reads, Request request)
    {
        if (request.Recurrence is not { } series)
        {
            return null;
        }

        var running = request.State == RequestState.Approved ? await reads.FindSeriesAsync(request.Id) : null;
        var from = running?.NextAt ?? clock.Now();
        var comes = running is { State: SeriesState.Running } || request.State == RequestState.Pending;
        return new SeriesView(series, running, comes ? [.. series.From(from).Take(SeriesView.Told)] : []);
    }

    private static async ValueTask<Review?> ReviewAsync(Reads reads, Request request) => request.BreakGlass ? await reads.FindReviewAsync(request.Id) : null;

    /// <summary>Somebody was faster: what happened, and how it is now.</summary>
    public async ValueTask<Outcome<RequestView>> LostAsync(Reads reads, Request seen, SubjectId? who = null)
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
        return new Outcome<RequestView>.LostRace(why, await OfAsync(reads, now, who));
    }

    /// <summary>The same with those who are on call this very moment: they could answer, and the answer would put them on record.</summary>
    private static Stand WithOnCall(Stand stand, DateTimeOffset now)
    {
        var coming = stand.Open
            .SelectMany(open => CurrentSteps.ComingOnCall(stand.Catalog, stand.Request, open.Step, stand.ProgressOf(open.Index)?.EscalatedAt is not null, now)
                .Select(person => new StepAddition(open.Index, person, AdditionCause.OnCall, now)))
            .ToList();
        return coming.Count == 0 ? stand : stand.With([.. stand.Added, .. coming]);
    }

    private static List<StepView> StepsOf(Stand stand)
    {
        var lacking = CurrentSteps.Lacking(stand.Request, stand.Steps);
        var views = new List<StepView>();
        for (var i = 0; i < stand.Steps.Count; i++)
        {
            var open = stand.Open.Concat(stand.Later).FirstOrDefault(one => one.Index == i);
            var state = open is null ? StepState.Met : stand.Open.Any(one => one.Index == i) ? StepState.Open : StepState.Later;

            // Where people are short in one step, that step says so; where they are short only because nobody counts twice, all do.
            var isShort = stand.Steps[i].Approvers.Count < stand.Steps[i].Need;
            var anyShort = stand.Steps.Any(step => step.Approvers.Count < step.Need);
            views.Add(new StepView(stand.Steps[i], state, open?.Missing ?? 0, open?.Could ?? [], stand.ProgressOf(i), open is not null && (isShort || !anyShort) ? lacking : null));
        }

        return views;
    }
}
