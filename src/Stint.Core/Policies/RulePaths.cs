using System.Collections.Frozen;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Through which rule and which groups a role is within somebody's reach.</summary>
/// <param name="Rule">The policy's name.</param>
/// <param name="Through">From the name in the policy down to the group that holds the person: <c>group:developers</c>, <c>group:backend</c>; <c>person:ann</c> when the policy names the person.</param>
public sealed record RulePath(string Rule, IReadOnlyList<string> Through)
{
    /// <summary><c>read, through group:developers → group:backend</c>.</summary>
    public override string ToString() => $"{Rule}, through {string.Join(" → ", Through)}";
}

/// <summary>Finds paths.</summary>
internal static class RulePaths
{
    /// <summary>One path for each name of the rule that means the person; the shortest way in words, not every way there is.</summary>
    public static IEnumerable<RulePath> Of(LoadedCatalog catalog, Policy policy, SubjectId subject)
    {
        foreach (var name in policy.WhoNames)
        {
            if (name == subject.Full)
            {
                yield return new RulePath(policy.Name, [name]);
            }
            else if (name.StartsWith("group:", StringComparison.Ordinal) && name["group:".Length..] is var group
                && catalog.Groups.TryGetValue(group, out var members) && members.Contains(subject))
            {
                yield return new RulePath(policy.Name, [.. Down(catalog, group, subject).Select(step => $"group:{step}")]);
            }
        }
    }

    /// <summary>The chain of groups from one to the group that holds the person itself.</summary>
    private static List<string> Down(LoadedCatalog catalog, string group, SubjectId subject)
    {
        List<string> chain = [group];
        var inside = In(catalog, group).Where(name => catalog.Groups.TryGetValue(name, out var members) && members.Contains(subject)).ToHashSet(StringComparer.Ordinal);
        while (inside.Count > 0)
        {
            // What is inside no other of them is a member of the chain's end itself.
            var next = inside.Where(name => !inside.Any(other => other != name && In(catalog, other).Contains(name))).Order(StringComparer.Ordinal).FirstOrDefault();
            if (next is null)
            {
                break;
            }

            chain.Add(next);
            inside.IntersectWith(In(catalog, next));
        }

        return chain;
    }

    private static FrozenSet<string> In(LoadedCatalog catalog, string group) => catalog.GroupsIn.TryGetValue(group, out var inner) ? inner : FrozenSet<string>.Empty;
}
