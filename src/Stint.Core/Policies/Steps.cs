using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>From the steps of workflows to steps with people in them.</summary>
internal static class Steps
{
    /// <summary>Fixes the people of each step by name: in the order of their names, the disabled and the requester taken out.</summary>
    /// <param name="catalog">Who is in which group.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="resource">Whose owners are meant.</param>
    /// <param name="requester">Whose manager is meant, and who never counts; null for nobody.</param>
    /// <param name="moment">When it is; null takes those on call for everybody who ever is.</param>
    public static IReadOnlyList<PinnedStep> Pin(LoadedCatalog catalog, IEnumerable<WorkflowStep> steps, Resource resource, SubjectId? requester, DateTimeOffset? moment) =>
    [
        .. steps.Select(step => new PinnedStep(
            Sources.Name(step.From, resource.Name, requester),
            step.From,
            Sources.People(catalog, step.From, resource, requester, step.NotForReports, moment),
            step.Need)
        {
            Remind = step.Remind,
            Escalate = step.Escalate is { } escalate
                ? new PinnedEscalation(escalate.After, escalate.To, Sources.People(catalog, escalate.To, resource, requester, step.NotForReports, moment))
                : null,
            NotForReports = step.NotForReports,
            StepUp = step.StepUp,
        }),
    ];

    /// <summary>Every workflow's demands at once: each source of approvers as often, and with as many persons, as the strictest of them asks.</summary>
    /// <remarks>
    /// Without an order, by source. As soon as one workflow has an order the whole has one: that in which the steps come up,
    /// workflow after workflow.
    /// </remarks>
    public static IReadOnlyList<WorkflowStep> Union(IReadOnlyList<Workflow> workflows)
    {
        if (workflows.All(workflow => workflow.Steps.SequenceEqual(workflows[0].Steps)))
        {
            return workflows[0].Steps;
        }

        // The second step from the same source is another demand (two owners, one after the other, nobody twice), so that
        // first is compared with first and second with second.
        var needs = new SortedDictionary<string, List<int>>(StringComparer.Ordinal);
        var order = new List<(string From, int Nth)>();
        foreach (var workflow in workflows)
        {
            foreach (var source in workflow.Steps.GroupBy(step => step.From, StringComparer.Ordinal))
            {
                if (!needs.TryGetValue(source.Key, out var list))
                {
                    needs[source.Key] = list = [];
                }

                // NB. The largest first: comparing in the order of writing would make the order of policies matter.
                var own = source.Select(step => step.Need).OrderDescending().ToList();
                for (var i = 0; i < own.Count; i++)
                {
                    if (i == list.Count)
                    {
                        list.Add(own[i]);
                    }
                    else
                    {
                        list[i] = Math.Max(list[i], own[i]);
                    }
                }
            }

            var seen = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var step in workflow.Steps)
            {
                var place = (step.From, seen[step.From] = seen.GetValueOrDefault(step.From) + 1);
                if (!order.Contains(place))
                {
                    order.Add(place);
                }
            }
        }

        return workflows.Any(workflow => workflow.Sequential)
            ? [.. order.Select(place => Strictest(workflows, place.From, needs[place.From][place.Nth - 1]))]
            : [.. needs.SelectMany(pair => pair.Value.Select(need => Strictest(workflows, pair.Key, need)))];
    }

    /// <summary>What the workflows that ask a source say besides the number: the earliest reminder, and of what widens the circle only what all of them say.</summary>
    private static WorkflowStep Strictest(IReadOnlyList<Workflow> workflows, string from, int need)
    {
        var all = workflows.SelectMany(workflow => workflow.Steps).Where(step => step.From == from).ToList();
        var to = all[0].Escalate?.To;
        return new WorkflowStep(from, need)
        {
            Remind = all.Min(step => step.Remind),

            // NB. An escalation lets more people answer: a workflow that does not know them has not agreed to them.
            Escalate = to is not null && all.TrueForAll(step => step.Escalate?.To == to) ? new Escalation(all.Max(step => step.Escalate!.After), to) : null,
            NotForReports = all.Exists(step => step.NotForReports),
            StepUp = all.Max(step => step.StepUp),
        };
    }

    /// <summary>Which steps cannot be met, in words.</summary>
    public static string Lacking(IReadOnlyList<PinnedStep> steps, bool distinct)
    {
        var lacking = steps.Where(step => step.Approvers.Count < step.Need)
            .Select(step => $"{step.Name}: {Persons(step.Need)} needed, and besides the requester there {(step.Approvers.Count <= 1 ? "is" : "are")} {Who(step.Approvers)}")
            .ToList();
        return lacking.Count > 0
            ? string.Join("; ", lacking)
            : distinct ? "nobody counts in two steps, and there are not enough different people for all of them" : "not enough people";
    }

    private static string Who(IReadOnlyList<SubjectId> people) => people.Count switch
    {
        0 => "nobody",
        1 => $"only {people[0]}",
        _ => $"only {string.Join(", ", people)}",
    };

    private static string Persons(int count) => count == 1 ? "1 person" : $"{count} different persons";
}
