using System.Collections.Frozen;
using Stint.Core.Approvals;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>What can only be said of a whole catalog: what is never reached, and what can never be met.</summary>
internal static class CatalogChecks
{
    public static void Run(LoadedCatalog catalog, Draft draft, Problems problems)
    {
        Unreached(catalog, draft, problems);
        BundlesSection.Check(catalog, problems);
        WorkloadsSection.Check(catalog, problems);
        ChangesSection.Check(catalog, draft, problems);
        SeparateSection.Check(catalog, problems);
        var used = catalog.Policies.SelectMany(policy => policy.During.Concat(policy.NotDuring)).Select(calendar => calendar.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var calendar in catalog.Calendars.Values.Where(calendar => !used.Contains(calendar.Name)))
        {
            problems.Warn(calendar.Place, $"no policy asks calendar '{calendar.Name}'", "name it in a policy's 'during' or 'not_during', or take it out");
        }

        var weighed = new HashSet<(string, object)>();
        foreach (var policy in catalog.Policies)
        {
            if (policy.Where is { IsOfResource: true } where && weighed.Add((where.Text, policy.Roles)))
            {
                Evaluable(catalog, policy, where, problems);
            }
        }

        foreach (var policy in catalog.Policies.Where(policy => !policy.Deny))
        {
            if (!policy.Who.Any(catalog.MayAsk) && !policy.WhoNames.Any(catalog.GrowsByName))
            {
                problems.Warn(policy.Place, $"policy '{policy.Name}' is about nobody: {policy.WhoText} has no member who is not disabled");
            }
            else if (policy.Approve is { } workflow && !catalog.Grows(workflow, policy.Roles.Select(role => catalog.Resources[role.Resource])))
            {
                Satisfiable(catalog, policy, workflow, problems);
            }
        }

        foreach (var policy in catalog.Policies.Where(policy => !policy.Deny && policy.Who.Any(who => who.IsWorkload)))
        {
            if (policy.Roles.FirstOrDefault(catalog.IsOfStint) is { Resource: not null } role)
            {
                problems.Error(policy.Place, $"policy '{policy.Name}' lets a machine ask for {role}, and machines hold no right in Stint itself", "let persons alone ask for it, by a policy of its own");
            }
        }

        foreach (var policy in catalog.Policies.Where(policy => !policy.Deny && (policy.Record == RecordMode.Strict || policy.BreakGlass is not null)))
        {
            // NB. Whoever wants to see what is done must not believe that they will.
            if (policy.Roles.OrderBy(role => role.ToString(), StringComparer.Ordinal).FirstOrDefault(role => draft.Kinds.GetValueOrDefault(catalog.Resources[role.Resource].Kind) is { Unrecorded: true }) is { Resource: not null } role)
            {
                problems.Error(
                    policy.Place,
                    $"policy '{policy.Name}' wants {(policy.BreakGlass is null ? "'record: strict'" : "a break-glass, which is recorded strictly,")} at {role}, and nothing that is done there is recorded",
                    $"let it name roles of other kinds than '{catalog.Resources[role.Resource].Kind}'");
            }
        }

        BreakGlassSection.Check(catalog, problems);
        foreach (var breach in Prover.Prove(catalog))
        {
            problems.Error(breach.Never.Place, $"'{breach.Never.Name}' can happen: {breach.How}", "change a policy so that it cannot, or what must never happen");
        }

        foreach (var entry in draft.Section("groups").Values.Where(entry => catalog.Groups[entry.Key].Count == 0 && !catalog.Grows(entry.Key)))
        {
            problems.Warn(entry.Place, $"group '{entry.Key}' has no members");
        }
    }

    private static void Unreached(LoadedCatalog catalog, Draft draft, Problems problems)
    {
        var reached = catalog.Policies.Where(policy => !policy.Deny).Select(policy => policy.Roles).Distinct().SelectMany(roles => roles).ToHashSet();
        foreach (var role in catalog.Resources.Values.SelectMany(resource => resource.Roles.Values).Where(role => !reached.Contains(role.Ref)))
        {
            problems.Error(draft.RolePlaces[role.Ref], $"no policy reaches role '{role.Ref}': nobody could ever ask for it", "name it in a policy's 'roles', or take it out");
        }
    }

    /// <summary>
    /// A condition on the resource alone is weighed now, at each resource that the policy is about: one that cannot be
    /// evaluated there would turn everybody away at three in the morning.
    /// </summary>
    private static void Evaluable(LoadedCatalog catalog, Policy policy, Condition where, Problems problems)
    {
        var nobody = new Person { Id = new SubjectId("nobody"), TokenHashes = [] };
        var failed = new List<(RoleRef Role, string Because)>();
        var holds = false;
        foreach (var role in policy.Roles.OrderBy(role => role.Resource, StringComparer.Ordinal).ThenBy(role => role.Role, StringComparer.Ordinal))
        {
            var resource = catalog.Resources[role.Resource];
            var outcome = where.Evaluate(new Situation(catalog, nobody, resource, resource.Roles[role.Role], new Question(nobody.Id, role, null, null, null, null, DateTimeOffset.UnixEpoch)));
            holds |= outcome.Yes;
            if (outcome.Failed is { } because)
            {
                failed.Add((role, because));
            }
        }

        if (failed.Count > 0)
        {
            var others = failed.Select(one => one.Role.Resource).Distinct().Count() - 1;
            problems.Error(
                where.Place,
                $"'where' of policy '{policy.Name}' cannot be evaluated at '{failed[0].Role.Resource}'{(others > 0 ? $" and {others} more" : "")}: {failed[0].Because}",
                "give the resource the label, name other roles, or write resource.labels[?\"NAME\"].orValue(\"\")");
        }
        else if (!holds)
        {
            problems.Warn(where.Place, $"'where' of policy '{policy.Name}' holds at none of the resources that it is about");
        }
    }

    /// <summary>Whether somebody's asking could be met were nobody disabled.</summary>
    private static bool CouldBeMetByAll(LoadedCatalog catalog, Workflow workflow, string resource, IReadOnlyList<SubjectId> askers)
    {
        if (!catalog.People.Values.Any(person => person.Disabled))
        {
            return false;
        }

        var all = catalog with { People = catalog.People.ToFrozenDictionary(pair => pair.Key, pair => pair.Value with { Disabled = false }, StringComparer.Ordinal) };
        return askers.Any(asker => Quorum.CanBeMet(Steps.Pin(all, workflow.Steps, all.Resources[resource], asker, null), workflow.Distinct, asker));
    }

    /// <summary>Asks, for each kind of subject and resource that can differ, whether the steps could be met.</summary>
    private static void Satisfiable(LoadedCatalog catalog, Policy policy, Workflow workflow, Problems problems)
    {
        // NB. Those on call are taken for everybody who ever is: who it is at the asking, the asking sees.
        var byResource = workflow.Steps.Any(step => Sources.Split(step.From).Contains("owners"));
        var byManager = workflow.Steps.Any(step => step.NotForReports || Sources.Split(step.From).Any(source => source is "manager" or "skip-manager"));
        var resources = policy.Roles.Select(role => role.Resource).Distinct().Order(StringComparer.Ordinal).ToList();
        foreach (var resource in byResource ? resources : [.. resources.Take(1)])
        {
            var askers = policy.Who.Where(catalog.MayAsk).ToList();
            if (policy.WhoNames.Any(catalog.GrowsByName))
            {
                // Somebody whom only the directory knows.
                askers.Add(new SubjectId(""));
            }

            var fixedSteps = Steps.Pin(catalog, workflow.Steps, catalog.Resources[resource], null, null);
            var approvers = fixedSteps.SelectMany(step => step.Approvers).ToHashSet();

            // Those who cannot approve and have no part in the manager's step are all alike: one stands for them all.
            var apart = byManager ? askers : [.. askers.Where(approvers.Contains), .. askers.Where(asker => !approvers.Contains(asker)).Take(1)];
            var stuck = apart.Where(asker => !Quorum.CanBeMet(Steps.Pin(catalog, workflow.Steps, catalog.Resources[resource], asker, null), workflow.Distinct, asker)).ToList();
            if (stuck.Count == 0)
            {
                continue;
            }

            var where = byResource ? $" for '{resource}'" : "";
            if (stuck.Count == apart.Count)
            {
                var first = Steps.Pin(catalog, workflow.Steps, catalog.Resources[resource], stuck[0], null);
                var what = $"nobody could satisfy the approval of policy '{policy.Name}'{where}: {Steps.Lacking(first, workflow.Distinct)}";
                const string wayOut = "add approvers (a requester never counts), or ask for fewer";

                // NB. Disabling somebody must take effect at once, even when it leaves a policy without approvers: were it
                // an error, the old catalog would stay, and with it the access of whoever was just disabled.
                if (CouldBeMetByAll(catalog, workflow, resource, apart))
                {
                    problems.Warn(policy.Place, what + ", because of people who are disabled", wayOut);
                }
                else
                {
                    problems.Error(policy.Place, what, wayOut);
                }
            }
            else
            {
                var some = string.Join(", ", stuck.Select(subject => subject.Value).Order(StringComparer.Ordinal).Take(10));
                problems.Warn(policy.Place, $"the approval of policy '{policy.Name}'{where} could never be satisfied when it is asked by {some}{(stuck.Count > 10 ? " and others" : "")}", "a requester never counts: add approvers, or give the person a manager");
            }
        }
    }
}
