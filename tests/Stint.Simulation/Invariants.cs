using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Simulation;

/// <summary>Something happened that must never happen.</summary>
internal sealed class InvariantBroken(string what) : Exception(what);

/// <summary>"What must never happen", as far as a run can see it. Written against what clients were told and what stands at targets, not against the code that made it.</summary>
internal sealed class Invariants(World world)
{
    private readonly Dictionary<RequestId, RequestState> _toldRequests = [];
    private readonly Dictionary<GrantId, GrantState> _toldGrants = [];
    private readonly Dictionary<GrantId, DateTimeOffset> _deadlines = [];

    public void Told(Request request) => _toldRequests[request.Id] = request.State;

    public void Told(Grant grant)
    {
        if (!_toldGrants.TryGetValue(grant.Id, out var before) || before < grant.State)
        {
            _toldGrants[grant.Id] = grant.State;
        }

        Deadline(grant);
    }

    public void Admitted(AuthorizedSession session, IReadOnlyList<Grant> grants)
    {
        var now = world.Time.GetUtcNow();
        Must(grants.Any(grant => grant.IsUsableAt(now) && grant.Id == session.Grant), $"the session {session.Id} was let in without a usable grant");
        Must(session.NotAfter > now, $"the session {session.Id} was let in after its deadline");
    }

    public void Check()
    {
        var (requests, grants, approvals) = Read();
        CheckTold(requests, grants);
        CheckYeses(requests, approvals);
        CheckBundles(requests, approvals);
        CheckGrants(requests, grants);
        CheckApart(grants);
        CheckSeries(requests, grants);
        CheckTargets(grants);
        CheckSessions(grants);
    }

    /// <summary>Once faults have stopped and the keeper has come to rest.</summary>
    public void CheckEnd()
    {
        Check();
        var (requests, grants, _) = Read();
        Must(grants.Values.All(grant => grant.State == GrantState.Closed), "a grant is not closed though nothing is due");
        Must(requests.Values.All(request => request.State != RequestState.Pending), "a request is pending though nothing is due");
        Must(world.Targets.All.Count == 0, $"{world.Targets.All.Count} accounts still stand though no grant is open");
        var report = world.Time.Run(() => world.Node.Verify.VerifyAsync(CancellationToken.None));
        Must(report.Log.Holds, "the audit log does not hold: " + string.Join(" ", report.Log.Findings.Take(3).Select(finding => finding.Sentence)));
        Must(report.Rows.Count == 0, "rows differ from their facts: " + string.Join(" ", report.Rows.Take(3).Select(row => row.Sentence)));
    }

    private void CheckTold(Dictionary<RequestId, Request> requests, Dictionary<GrantId, Grant> grants)
    {
        foreach (var (id, told) in _toldRequests)
        {
            Must(requests.TryGetValue(id, out var request), $"the request {id} was acknowledged and is lost");
            Must(request!.State == told || told == RequestState.Pending, $"the request {id} was acknowledged as {told} and is {request.State}");
        }

        foreach (var (id, told) in _toldGrants)
        {
            Must(grants.TryGetValue(id, out var grant), $"the grant {id} was acknowledged and is lost");
            Must(grant!.State >= told, $"the grant {id} was acknowledged as {told} and is {grant.State}");
        }
    }

    private static void CheckYeses(Dictionary<RequestId, Request> requests, ILookup<RequestId, Approval> approvals)
    {
        foreach (var request in requests.Values)
        {
            var given = approvals[request.OccurrenceOf ?? request.Id].ToList();
            Must(given.All(approval => approval.By != request.Subject), $"{request.Subject} answered their own {request.Id}");
            Must(given.All(approval => approval.Seat != request.Subject), $"somebody answered in the place of {request.Subject}, who asks in {request.Id}");
            Must(given.Select(approval => approval.By).Distinct().Count() == given.Count, $"somebody counts twice at {request.Id}");
            Must(given.Select(approval => approval.Seat).Distinct().Count() == given.Count, $"a place is filled twice at {request.Id}");
            if (request.State == RequestState.Approved && request.Verdict is Verdict.NeedsApproval needs)
            {
                Must(given.All(approval => approval.Yes), $"{request.Id} is approved against a no");
                var people = given.Select(approval => approval.Seat).ToList();

                // Whoever an escalation could add was named at the asking; nobody else ever fills a place.
                var steps = needs.Steps.Select(step => step with { Approvers = [.. step.Approvers, .. step.Escalate?.Approvers ?? []] }).ToList();
                Must(Seats(steps, needs.Distinct, people), $"{request.Id} is approved without the yeses that it needs");
            }

            Must(request.State != RequestState.Approved || request.Verdict is not Verdict.Deny, $"{request.Id} is approved against the policy");
        }
    }

    /// <summary>What waits for one yes is approved all or none, by the same people.</summary>
    private static void CheckBundles(Dictionary<RequestId, Request> requests, ILookup<RequestId, Approval> approvals)
    {
        foreach (var together in requests.Values.Where(request => request is { Bundle: not null, Verdict: Verdict.NeedsApproval }).GroupBy(request => request.Bundle!.Value))
        {
            var approved = together.Count(request => request.State == RequestState.Approved);
            Must(approved == 0 || approved == together.Count(), $"a part of {together.Key} is approved and the rest is not");
            var answers = together.Select(request => string.Join(", ", approvals[request.Id].Select(approval => $"{approval.By}/{approval.Seat}/{approval.Yes}"))).Distinct().ToList();
            Must(answers.Count == 1, $"the parts of {together.Key} were answered otherwise: {string.Join(" | ", answers)}");
        }
    }

    /// <summary>Whether the people fill the steps; every way of seating them is tried, which is slow and cannot be wrong.</summary>
    private static bool Seats(IReadOnlyList<PinnedStep> steps, bool distinct, List<SubjectId> people)
    {
        if (!distinct)
        {
            return steps.All(step => people.Count(step.Approvers.Contains) >= step.Need);
        }

        return Try(0, [.. steps.Select(step => step.Need)]);

        bool Try(int person, int[] left)
        {
            if (left.All(need => need <= 0))
            {
                return true;
            }

            if (person == people.Count)
            {
                return false;
            }

            for (var step = 0; step < steps.Count; step++)
            {
                if (left[step] > 0 && steps[step].Approvers.Contains(people[person]))
                {
                    int[] next = [.. left];
                    next[step]--;
                    if (Try(person + 1, next))
                    {
                        return true;
                    }
                }
            }

            return Try(person + 1, left);
        }
    }

    private void CheckGrants(Dictionary<RequestId, Request> requests, Dictionary<GrantId, Grant> grants)
    {
        foreach (var grant in grants.Values)
        {
            Must(requests.TryGetValue(grant.Request, out var request) && request.State == RequestState.Approved, $"the grant {grant.Id} has no approved request");
            Must(grant.For <= request!.For, $"the grant {grant.Id} is longer than what was approved");
            Must(grant.State is not (GrantState.Closing or GrantState.Closed) || grant.End is not null, $"the grant {grant.Id} ended without a reason");
            Deadline(grant);
        }

        Must(grants.Values.Select(grant => grant.Request).Distinct().Count() == grants.Count, "a request has two grants");
    }

    /// <summary>Each occurrence is one of its series' times, once, and over by its own end; a series has no grant of its own.</summary>
    private static void CheckSeries(Dictionary<RequestId, Request> requests, Dictionary<GrantId, Grant> grants)
    {
        var grantOf = grants.Values.ToDictionary(grant => grant.Request);
        Must(requests.Values.All(request => request.Recurrence is null || !grantOf.ContainsKey(request.Id)), "a series has a grant of its own");
        foreach (var own in requests.Values.Where(request => request.OccurrenceOf is not null).GroupBy(request => request.OccurrenceOf!.Value))
        {
            Must(own.Select(one => one.StartAt).Distinct().Count() == own.Count(), $"an occurrence of {own.Key} came twice");
            var series = requests[own.Key];
            Must(series is { State: RequestState.Approved, Recurrence: not null }, $"{own.Key} has occurrences and was not approved");
            foreach (var one in own)
            {
                Must(series.Recurrence!.From(one.StartAt!.Value).FirstOrDefault() == one.StartAt, $"{one.Id} is none of the times of {own.Key}");
                Must(grantOf.TryGetValue(one.Id, out var grant), $"the occurrence {one.Id} has no grant");
                Must(grant!.NotAfter is null || grant.NotAfter <= one.StartAt + series.For, $"the occurrence {one.Id} lasts beyond its end");
                Must(grant.BegunAt is null || grant.BegunAt >= one.StartAt, $"the occurrence {one.Id} began before its time");
            }
        }
    }

    /// <summary>Nobody holds roles that are kept apart at once, nor within the time of each other.</summary>
    private static void CheckApart(Dictionary<GrantId, Grant> grants)
    {
        foreach (var own in grants.Values.Where(grant => grant.BegunAt is not null).GroupBy(grant => grant.Subject))
        {
            foreach (var write in own.Where(grant => grant.Role.Role == "write"))
            {
                foreach (var owner in own.Where(grant => grant.Role.Role == "owner"))
                {
                    var (first, second) = write.BegunAt <= owner.BegunAt ? (write, owner) : (owner, write);
                    Must(first.ClosedAt + Town.Apart <= second.BegunAt, $"{own.Key} has {first.Id} and {second.Id}, which are kept apart");
                }
            }
        }
    }

    private void Deadline(Grant grant)
    {
        if (grant.State is GrantState.Open or GrantState.Closing or GrantState.Closed && grant is { NotAfter: { } end, NotBefore: not null })
        {
            // A grant that failed while it opened never had a deadline that anybody could have used.
            if (grant.State != GrantState.Open && !_deadlines.ContainsKey(grant.Id))
            {
                return;
            }

            Must(!_deadlines.TryGetValue(grant.Id, out var before) || before == end, $"the deadline of {grant.Id} moved");
            _deadlines[grant.Id] = end;
        }
    }

    private void CheckTargets(Dictionary<GrantId, Grant> grants)
    {
        var now = world.Time.GetUtcNow();
        var byAssignment = grants.Values.Where(grant => grant.Assignment is not null).ToLookup(grant => grant.Assignment!.Value);
        foreach (var standing in world.Targets.All.Where(standing => standing.Until > now))
        {
            Must(standing.Assignment is not null, $"the account {standing.Account} has no mark");
            var wanting = byAssignment[standing.Assignment!.Value].Where(grant => grant.State is GrantState.Opening or GrantState.Open or GrantState.Closing).ToList();
            Must(wanting.Count > 0, $"the account {standing.Account} can be used and no grant ever wanted it, or all are closed");
            Must(wanting.Max(grant => grant.NotAfter) >= standing.Until, $"the account {standing.Account} would outlive every deadline of its grants");
        }

        foreach (var assignment in byAssignment)
        {
            // One grant's end must not take away what another open grant wants.
            var usable = assignment.Where(grant => grant.IsUsableAt(now)).ToList();
            if (usable.Count > 0 && !world.Targets.SomethingWasLost)
            {
                var account = world.Targets.All.FirstOrDefault(standing => standing.Assignment == assignment.Key);
                Must(account is not null, $"{assignment.Key} has an open grant and no account");
                Must(account!.Until >= usable.Max(grant => grant.NotAfter), $"the account {account.Account} ends before an open grant of it does");
            }
        }
    }

    private void CheckSessions(Dictionary<GrantId, Grant> grants)
    {
        var now = world.Time.GetUtcNow();
        foreach (var session in world.Sessions.Where(session => session.IsLive && now < session.NotAfter))
        {
            Must(
                grants.Values.Any(grant => grant.Assignment == session.Assignment && grant.IsUsableAt(now)),
                $"the session {session.Id} runs without an open grant");
        }
    }

    private (Dictionary<RequestId, Request> Requests, Dictionary<GrantId, Grant> Grants, ILookup<RequestId, Approval> Approvals) Read() =>
        world.Time.Run(() => world.Node.Store.ReadAsync(
            async reads =>
            {
                var requests = new List<Request>();
                var grants = new List<Grant>();
                var approvals = new List<Approval>();
                long? cursor = null;
                do
                {
                    var page = await reads.RequestsAsync(new RequestFilter(), new Page(200, cursor));
                    requests.AddRange(page.Items);
                    cursor = page.Next;
                }
                while (cursor is not null);
                do
                {
                    var page = await reads.GrantsAsync(new GrantFilter(), new Page(200, cursor));
                    grants.AddRange(page.Items);
                    cursor = page.Next;
                }
                while (cursor is not null);
                foreach (var request in requests.Where(request => request.Verdict is Verdict.NeedsApproval))
                {
                    approvals.AddRange(await reads.ApprovalsAsync(request.Id));
                }

                return (requests.ToDictionary(request => request.Id), grants.ToDictionary(grant => grant.Id), approvals.ToLookup(approval => approval.Request));
            },
            CancellationToken.None));

    private static void Must(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvariantBroken(otherwise);
        }
    }
}
