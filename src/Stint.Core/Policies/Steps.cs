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
    public static IReadOnlyList<PinnedStep> Pin(LoadedCatalog catalog, IEnumerable<WorkflowStep> steps, Resource resource, SubjectId? requester)
    {
        var pinned = new List<PinnedStep>();
        foreach (var step in steps)
        {
            var (name, people) = Meant(catalog, step.From, resource, requester);
            var approvers = people
                .Where(person => person != requester && catalog.People.TryGetValue(person.Value, out var known) && !known.Disabled)
                .Distinct()
                .OrderBy(person => person.Value, StringComparer.Ordinal)
                .ToList();
            pinned.Add(new PinnedStep(name, step.From, approvers, step.Need));
        }

        return pinned;
    }

    /// <summary>Every workflow's demands at once: each source of approvers as often, and with as many persons, as the strictest of them asks.</summary>
    public static IReadOnlyList<WorkflowStep> Union(IReadOnlyList<Workflow> workflows)
    {
        if (workflows.All(workflow => workflow.Steps.SequenceEqual(workflows[0].Steps)))
        {
            return workflows[0].Steps;
        }

        // The second step from the same source is another demand (two owners, one after the other, nobody twice), so that
        // first is compared with first and second with second.
        var needs = new SortedDictionary<string, List<int>>(StringComparer.Ordinal);
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
        }

        return [.. needs.SelectMany(pair => pair.Value.Select(need => new WorkflowStep(pair.Key, need)))];
    }

    /// <summary>Which steps cannot be met, in words.</summary>
    public static string Lacking(IReadOnlyList<PinnedStep> steps, bool distinct)
    {
        var lacking = steps.Where(step => step.Approvers.Count < step.Need)
            .Select(step => $"{step.Name}: {Persons(step.Need)} needed, and besides the requester there {(step.Approvers.Count == 1 ? "is" : "are")} {Who(step.Approvers)}")
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

    private static (string Name, IEnumerable<SubjectId> People) Meant(LoadedCatalog catalog, string from, Resource resource, SubjectId? requester)
    {
        switch (from)
        {
            case "owners":
                return ($"owners of {resource.Name}", resource.Owners);
            case "manager":
                var manager = requester is { } subject && catalog.People.TryGetValue(subject.Value, out var person) ? person.Manager : null;
                return (requester is null ? "manager" : $"manager of {requester}", manager is { } m ? [m] : []);
            default:
                var name = from[(from.IndexOf(':', StringComparison.Ordinal) + 1)..];
                return from.StartsWith("group:", StringComparison.Ordinal)
                    ? ($"group {name}", catalog.Groups.TryGetValue(name, out var members) ? members : [])
                    : (name, from.StartsWith("person:", StringComparison.Ordinal) ? [new SubjectId(name)] : []);
        }
    }
}
