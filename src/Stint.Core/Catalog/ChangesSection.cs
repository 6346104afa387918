using Stint.Core.Approvals;
using Stint.Core.Catalog.Yaml;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>changes</c>: whose yes a change of the catalog itself needs.</summary>
internal static class ChangesSection
{
    public static Workflow? Read(Draft draft, PoliciesSection policies, Dictionary<string, Workflow> workflows)
    {
        foreach (var second in draft.Changes.Skip(1))
        {
            draft.Reading.Problems.Error(second.Place, $"'changes' stands a second time; first in {draft.Changes[0].Place}", "keep one of the two");
        }

        if (draft.Changes is not [var entry, ..] || draft.Reading.Map(entry.Value, "'changes'") is not { } map)
        {
            return null;
        }

        draft.Reading.Keys(map, "'changes'", ["approve"]);
        if (map.Find("approve") is { Value: MapNode approve } && approve.Find("auto") is { } auto)
        {
            // NB. Whoever wants no yes leaves the section out: 'auto' here would read as a promise that nobody keeps.
            draft.Reading.Problems.Error(auto.Place, "'auto' has no meaning in 'changes'", "leave 'changes' out for a catalog that an admin may change alone");
            return null;
        }

        var workflow = policies.Approve(entry, map, workflows, "'changes'").Workflow;
        if (workflow is not null && (workflow.Sequential || workflow.Steps.Any(step => step.Remind is not null || step.Escalate is not null)))
        {
            // NB. A clock that nobody winds would read as a promise that nobody keeps.
            draft.Reading.Problems.Error(map.Place, "a change of the catalog is not reminded of, escalated or answered in an order in this version", "name a workflow without 'order', 'remind' and 'escalate'");
            return null;
        }

        return workflow;
    }

    /// <summary>A catalog whose own approval nobody could give could never be changed again.</summary>
    public static void Check(LoadedCatalog catalog, Draft draft, Problems problems)
    {
        if (catalog.ChangeApproval is not { } workflow)
        {
            return;
        }

        if (catalog.Grows(workflow, []) || catalog.AdminNames.Any(catalog.GrowsByName))
        {
            return;
        }

        var admins = catalog.Admins.Where(admin => !catalog.People[admin.Value].Disabled).OrderBy(admin => admin.Value, StringComparer.Ordinal).ToList();
        var stuck = admins.FindAll(admin => !CanBeMet(catalog, workflow, admin));
        if (stuck.Count == admins.Count)
        {
            problems.Error(
                draft.Changes[0].Place,
                $"nobody could satisfy the approval of 'changes': {Steps.Lacking(ChangeApproval.Pin(catalog, admins.Count == 0 ? null : admins[0], null), workflow.Distinct)}",
                "add approvers (who proposes never counts) and an admin who proposes, or the catalog could never be changed again");
        }
        else if (stuck.Count > 0)
        {
            problems.Warn(draft.Changes[0].Place, $"the approval of 'changes' could never be satisfied when a change is proposed by {string.Join(", ", stuck)}", "who proposes never counts: add approvers");
        }
    }

    private static bool CanBeMet(LoadedCatalog catalog, Workflow workflow, SubjectId admin) =>
        Quorum.CanBeMet(ChangeApproval.Pin(catalog, admin, null), workflow.Distinct, admin);
}
