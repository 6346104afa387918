using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

internal sealed partial class ApprovalSteps
{
    /// <summary>Lets somebody answer where a person was to answer who left: at every step that still misses a yes.</summary>
    /// <param name="work">The write.</param>
    /// <param name="together">What waits for the same answer: one request, or what is pending of a bundle.</param>
    /// <param name="left">Who left.</param>
    /// <param name="to">Who answers from now on; an active person.</param>
    /// <param name="by">The admin who says so.</param>
    /// <param name="now">When.</param>
    /// <returns>Whether any of it waits for who left, and why it was not handed over; null when it was, or was theirs before.</returns>
    public async ValueTask<(bool Waits, string? WhyNot)> HandOverAsync(Work work, IReadOnlyList<Request> together, SubjectId left, SubjectId to, SubjectId by, DateTimeOffset now)
    {
        var waits = false;
        foreach (var stand in await StandTogetherAsync(work, together, now))
        {
            var request = stand.Request;
            var open = stand.Open.Concat(stand.Later).Select(step => step.Index).Where(step => WasAsked(stand, step, left)).Order().ToList();
            if (open.Count == 0)
            {
                continue;
            }

            // NB. An admin is let in to say who answers, not to have their own asking answered by whom they like.
            waits = true;
            if (request.Subject == to)
            {
                return (true, $"{to} asked it");
            }

            if (request.Subject == by)
            {
                return (true, "you asked it; another admin hands it over");
            }

            if (open.Exists(step => stand.Steps[step].NotForReports && CurrentSteps.Manages(stand.Catalog, to, request.Subject)))
            {
                return (true, $"{to} manages {request.Subject}, and the step does not take that");
            }

            var added = stand.Added.ToList();
            foreach (var step in open.Where(step => !stand.Steps[step].Approvers.Contains(to) && !added.Exists(one => one.Step == step && one.Person == to)))
            {
                added.Add(await KeepAsync(work, request, new StepAddition(step, to, AdditionCause.HandedOver, now)));
                work.Append(Facts.AnswerHandedOver(request, step, stand.Steps[step], left, to, Actor.Person(by.Value), now));
            }

            if (added.Count == stand.Added.Count)
            {
                continue;
            }

            // NB. Who may answer is seen by those who look: the version grows, and the digest stays.
            var moved = await work.MoveAsync(request, request) ?? throw new InvalidOperationException($"The request {request.Id} moved inside its own lock.");
            if (await AdvanceAsync(work, (stand with { Request = moved }).With(added), now) is { Tally: Tally.Complete } met)
            {
                await ApproveAsync(work, met.Request, now, Actor.Keeper);
            }
        }

        return (waits, null);
    }

    // As the asking named them, as an escalation did, or as they were added since.
    private static bool WasAsked(Stand stand, int step, SubjectId person) =>
        (stand.Request.Verdict as Verdict.NeedsApproval)?.Steps[step] is { } pinned
        && (pinned.Approvers.Contains(person)
            || (IsEscalated(stand, step) && pinned.Escalate?.Approvers.Contains(person) == true)
            || stand.Added.Any(one => one.Step == step && one.Person == person));
}
