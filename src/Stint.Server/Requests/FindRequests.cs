using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Which requests somebody wants to see. What is null does not matter.</summary>
internal sealed record RequestQuery
{
    public RequestState? State { get; init; }

    public SubjectId? Subject { get; init; }

    /// <summary>Only the caller's own.</summary>
    public bool Mine { get; init; }

    /// <summary>Only pending ones that wait for the caller's yes.</summary>
    public bool AwaitingMe { get; init; }

    /// <summary>Only series with occurrences to come.</summary>
    public bool Running { get; init; }
}

/// <summary>Looks requests up, and waits for them to change.</summary>
internal sealed class FindRequests(StintStore store, CurrentCatalog catalog, TimeProvider clock, RequestViews views, ApprovalSteps steps)
{
    /// <summary>Among how many askings the usual wait is looked for, and how many it takes to say one.</summary>
    private const int Lately = 100, Few = 2;

    public Task<Outcome<RequestView>> GetAsync(SubjectId who, RequestId id, CancellationToken cancellation) => store.ReadAsync<Outcome<RequestView>>(
        async reads => await reads.FindRequestAsync(id) is { } found && await steps.MaySeeAsync(reads, who, found, clock.Now())
            ? new Outcome<RequestView>.Done(await views.OfAsync(reads, found, who))
            : new Outcome<RequestView>.NotFound(),
        cancellation);

    /// <summary>Waits until the request, or its grant, has moved on from what the caller has seen, or the time is over.</summary>
    /// <param name="who">Who waits.</param>
    /// <param name="id">For which request.</param>
    /// <param name="seen">The request's version that the caller has; the answer comes at once when it is newer.</param>
    /// <param name="wait">How long at most.</param>
    /// <param name="cancellation">The caller left.</param>
    public Task<Outcome<RequestView>> WaitAsync(SubjectId who, RequestId id, long seen, TimeSpan wait, CancellationToken cancellation) => Waiting.ForAsync(
        store,
        Wakes.Of(id),
        token => GetAsync(who, id, token),
        outcome => outcome is not Outcome<RequestView>.Done { Value.Request: var request } || request.Version > seen,
        wait,
        clock,
        cancellation);

    /// <summary>How long askings for a role waited for an answer lately: the middle one. Null for too few to say.</summary>
    /// <remarks>NB. Of the asker's own: how long others waited would tell that they asked.</remarks>
    public async Task<TimeSpan?> UsualAnswerAsync(SubjectId who, RoleRef role, CancellationToken cancellation)
    {
        var mine = await store.ReadAsync(async reads => await reads.RequestsAsync(new RequestFilter { Subject = who, Resource = role.Resource }, new Page(Lately)), cancellation);
        List<TimeSpan> waits =
        [
            .. mine.Items
                .Where(request => request.Role == role && request.State is RequestState.Approved or RequestState.Denied && request.Verdict is Core.Policies.Verdict.NeedsApproval && request.OccurrenceOf is null)
                .Select(request => request.DecidedAt!.Value - request.AskedAt)
                .Order(),
        ];
        return waits.Count < Few ? null : waits[waits.Count / 2];
    }

    public Task<Paged<RequestView>> ListAsync(SubjectId who, RequestQuery query, Page page, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var current = catalog.Now;
            var filter = new RequestFilter
            {
                State = query.State,
                Subject = query.Mine ? who : query.Subject,
                Now = clock.Now(),
                Awaiting = query.AwaitingMe ? who : null,
                Running = query.Running,

                // NB. Whoever may not read everything gets what they asked or may answer; never a page cut short by what they may not see.
                Involving = current.MayReadAll(who) ? null : who,
            };
            var found = await reads.RequestsAsync(filter, page);
            var items = new List<RequestView>(found.Items.Count);
            foreach (var request in found.Items)
            {
                items.Add(await views.OfAsync(reads, request, who));
            }

            return new Paged<RequestView>(items, found.Next);
        },
        cancellation);
}
