using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Requests;

namespace Stint.Core.Policies;

/// <summary>The steps of a request as they stand: pinned at the asking, narrowed to who still is what they were asked as, widened by who was added since.</summary>
/// <remarks>
/// Somebody who left the group, the post or the company since the asking counts no longer, also with a yes that they gave
/// before. Nobody comes in by joining a group later. For a rota, whoever was on call at any moment from the asking to the
/// decision may answer, as long as the rota still names them: an alarm does not wait for a handover.
/// </remarks>
public static class CurrentSteps
{
    /// <summary>The steps with who may answer them now.</summary>
    public static IReadOnlyList<PinnedStep> Of(LoadedCatalog catalog, Request request, IReadOnlyList<StepAddition> added)
    {
        if (request.Verdict is not Verdict.NeedsApproval needs)
        {
            return [];
        }

        var resource = catalog.Resources.GetValueOrDefault(request.Role.Resource);
        return [.. needs.Steps.Select((step, i) => step with { Approvers = Ordered(People(catalog, resource, request.Subject, step, step.Escalate?.To, step.Approvers, added.Where(one => one.Step == i))) })];
    }

    /// <summary>What the answers make of the request as it stands.</summary>
    /// <param name="catalog">The catalog of this moment.</param>
    /// <param name="request">The request.</param>
    /// <param name="steps">Its steps, from <see cref="Of"/>.</param>
    /// <param name="approvals">Every answer.</param>
    public static Tally Count(LoadedCatalog catalog, Request request, IReadOnlyList<PinnedStep> steps, IReadOnlyList<Approval> approvals)
    {
        var needs = (Verdict.NeedsApproval)request.Verdict;
        return Count(catalog, request.Subject, steps, needs.Distinct, needs.Sequential, request.Digest, approvals);
    }

    /// <summary>Those whom the rotas of a step name now and who may not answer it yet.</summary>
    public static IReadOnlyList<SubjectId> ComingOnCall(LoadedCatalog catalog, Request request, PinnedStep current, bool escalated, DateTimeOffset now) =>
    [
        .. Rotas(current, escalated)
            .SelectMany(from => Sources.People(catalog, from, null, request.Subject, current.NotForReports, now))
            .Where(person => !current.Approvers.Contains(person))
            .Distinct(),
    ];

    /// <summary>When a rota of the step hands over next; null when it asks none.</summary>
    public static DateTimeOffset? NextHandover(LoadedCatalog catalog, PinnedStep step, bool escalated, DateTimeOffset now) =>
        Rotas(step, escalated).SelectMany(from => Sources.Rotas(catalog, from)).Select(rota => Handovers.Next(rota, now)).Min();

    /// <summary>Whom an escalation adds: those who were pinned and still are what they were, and who is on call now.</summary>
    public static IReadOnlyList<SubjectId> Escalated(LoadedCatalog catalog, Request request, PinnedStep current, DateTimeOffset now)
    {
        if (current.Escalate is not { } escalate)
        {
            return [];
        }

        var resource = catalog.Resources.GetValueOrDefault(request.Role.Resource);
        var still = Sources.People(catalog, escalate.To, resource, request.Subject, current.NotForReports, null);
        var onCall = OnlyRotas(escalate.To) is { } rotas ? Sources.People(catalog, rotas, null, request.Subject, current.NotForReports, now) : [];
        return Ordered(escalate.Approvers.Where(still.Contains).Concat(onCall).Where(person => !current.Approvers.Contains(person)));
    }

    /// <summary>Why nobody could fulfil the steps any more, in words; null when somebody could.</summary>
    public static string? Lacking(Request request, IReadOnlyList<PinnedStep> steps) =>
        request.Verdict is not Verdict.NeedsApproval needs || Quorum.CanBeMet(steps, needs.Distinct, request.Subject) ? null : Policies.Steps.Lacking(steps, needs.Distinct);

    /// <summary>Whether somebody manages the requester, so that steps which do not take that leave them out.</summary>
    public static bool Manages(LoadedCatalog catalog, SubjectId who, SubjectId requester) => Sources.Manager(catalog, requester) == who;

    /// <summary>Counts the answers to a request against the steps that its policies ask for now.</summary>
    internal static Tally CountAgain(LoadedCatalog catalog, Question question, Verdict.NeedsApproval now, Verdict pinned, IReadOnlyList<StepAddition> added, string digest, IReadOnlyList<Approval> approvals)
    {
        var then = (pinned as Verdict.NeedsApproval)?.Steps ?? [];
        var resource = catalog.Resources.GetValueOrDefault(question.Role.Resource);
        var steps = now.Steps.Select(step =>
        {
            // Who was on call or escalated to at the step that asked the same people then. The steps of a bundle name the
            // resource whose owners they ask.
            var from = Sources.Bound(step.From, question.Role.Resource);
            var same = then.Select((one, i) => (Step: one, Index: i)).Where(one => Sources.Bound(one.Step.From, question.Role.Resource) == from).ToList();
            var joined = added.Where(one => same.Exists(other => other.Index == one.Step));
            var onCall = OnlyRotas(step.From) is { } rotas
                ? Sources.People(catalog, rotas, null, question.Subject, step.NotForReports, null).Where(person => same.Exists(one => one.Step.Approvers.Contains(person)))
                : [];
            return step with { Approvers = Ordered(step.Approvers.Concat(onCall).Concat(People(catalog, resource, question.Subject, step, step.Escalate?.To, [], joined))) };
        }).ToList();
        return Count(catalog, question.Subject, steps, now.Distinct, now.Sequential, digest, approvals);
    }

    private static Tally Count(LoadedCatalog catalog, SubjectId requester, IReadOnlyList<PinnedStep> steps, bool distinct, bool sequential, string digest, IReadOnlyList<Approval> approvals)
    {
        // NB. Somebody who answered for another is looked at like that other: who left since counts no longer.
        List<Approval> counted = [.. approvals.Where(approval => !approval.Yes || Sources.IsActive(catalog, approval.By))];
        var byManager = counted.Where(approval => approval.For is not null && Manages(catalog, approval.By, requester)).Select(approval => approval.Seat).ToHashSet();
        if (byManager.Count > 0)
        {
            // NB. A manager does not get round it by answering for a colleague.
            steps = [.. steps.Select(step => step.NotForReports ? step with { Approvers = [.. step.Approvers.Where(person => !byManager.Contains(person))] } : step)];
        }

        return Quorum.Count(steps, distinct, requester, digest, counted, sequential);
    }

    private static IEnumerable<SubjectId> People(
        LoadedCatalog catalog, Resource? resource, SubjectId requester, PinnedStep step, string? escalatesTo, IReadOnlyList<SubjectId> named, IEnumerable<StepAddition> added)
    {
        var still = Sources.People(catalog, step.From, resource, requester, step.NotForReports, null);
        var higher = escalatesTo is null ? [] : Sources.People(catalog, escalatesTo, resource, requester, step.NotForReports, null);
        return named.Where(still.Contains)
            .Concat(added.Where(one => one.Cause switch
            {
                AdditionCause.Escalated => higher.Contains(one.Person),

                // NB. They stand in for somebody who left, and are what an admin said: for as long as they are here themselves.
                AdditionCause.HandedOver => Sources.IsActive(catalog, one.Person) && one.Person != requester && !(step.NotForReports && Manages(catalog, one.Person, requester)),
                _ => still.Contains(one.Person) || higher.Contains(one.Person),
            }).Select(one => one.Person));
    }

    private static IEnumerable<string> Rotas(PinnedStep step, bool escalated) =>
        new[] { OnlyRotas(step.From), escalated && step.Escalate is { } escalate ? OnlyRotas(escalate.To) : null }.OfType<string>();

    /// <summary>The rotas among the sources; null when there is none.</summary>
    private static string? OnlyRotas(string from)
    {
        var rotas = Sources.Split(from).Where(Sources.HasRota).ToList();
        return rotas.Count == 0 ? null : string.Join(", ", rotas);
    }

    private static List<SubjectId> Ordered(IEnumerable<SubjectId> people) => [.. people.Distinct().OrderBy(person => person.Value, StringComparer.Ordinal)];
}
