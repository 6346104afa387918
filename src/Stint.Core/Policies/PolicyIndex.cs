using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Finds the policies about a subject and a role without looking at the others.</summary>
internal sealed class PolicyIndex
{
    private readonly FrozenDictionary<SubjectId, int[]> _bySubject;
    private readonly FrozenDictionary<RoleRef, int[]> _byRole;

    public PolicyIndex(IReadOnlyList<Policy> policies)
    {
        Policies = policies;
        // Making a matcher costs far more than asking it: one for all policies that share a pattern, made when it is first asked.
        var matchers = policies.Select(policy => policy.TicketPattern).OfType<string>().Distinct().ToDictionary(pattern => pattern, pattern => new Lazy<Regex>(() => Patterns.Ticket(pattern)));
        Tickets = [.. policies.Select(policy => policy.TicketPattern is { } pattern ? matchers[pattern] : null)];
        _bySubject = Invert(policies, policy => policy.Who);
        _byRole = Invert(policies, policy => policy.Roles);
    }

    public IReadOnlyList<Policy> Policies { get; }

    /// <summary>By the policy's place in <see cref="Policies"/>; null where no ticket is demanded.</summary>
    public IReadOnlyList<Lazy<Regex>?> Tickets { get; }

    /// <summary>Places, in rising order, of the policies about both.</summary>
    public List<int> About(SubjectId subject, RoleRef role)
    {
        var found = new List<int>();
        if (_bySubject.TryGetValue(subject, out var own) && _byRole.TryGetValue(role, out var reaching))
        {
            if (own.Length < reaching.Length)
            {
                foreach (var i in own)
                {
                    if (Policies[i].Roles.Contains(role))
                    {
                        found.Add(i);
                    }
                }
            }
            else
            {
                foreach (var i in reaching)
                {
                    if (Policies[i].Who.Contains(subject))
                    {
                        found.Add(i);
                    }
                }
            }
        }

        return found;
    }

    /// <summary>Places, in rising order, of the policies about a subject, whatever the role.</summary>
    public int[] About(SubjectId subject) => _bySubject.GetValueOrDefault(subject, []);

    /// <summary>Everybody whom some rule about the role names, but for denials.</summary>
    public IEnumerable<SubjectId> Reaching(RoleRef role) =>
        _byRole.TryGetValue(role, out var places)
            ? places.Where(i => !Policies[i].Deny).SelectMany(i => Policies[i].Who).Distinct()
            : [];

    /// <summary>Every role that some rule about the subject names, but for denials.</summary>
    public IEnumerable<RoleRef> Reached(SubjectId subject) =>
        _bySubject.TryGetValue(subject, out var own)
            ? own.Where(i => !Policies[i].Deny).SelectMany(i => Policies[i].Roles).Distinct()
            : [];

    private static FrozenDictionary<T, int[]> Invert<T>(IReadOnlyList<Policy> policies, Func<Policy, IEnumerable<T>> keys)
        where T : notnull
    {
        var places = new Dictionary<T, List<int>>();
        for (var i = 0; i < policies.Count; i++)
        {
            foreach (var key in keys(policies[i]))
            {
                if (!places.TryGetValue(key, out var list))
                {
                    places[key] = list = [];
                }

                list.Add(i);
            }
        }

        return places.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToArray());
    }
}
