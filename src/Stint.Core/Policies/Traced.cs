using System.Collections;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>A trace whose lines about rules that have nothing to do with the question are written when somebody reads them.</summary>
internal sealed class Traced : IReadOnlyList<RuleTrace>
{
    private readonly IReadOnlyList<Policy> _policies;
    private readonly SubjectId _subject;
    private readonly RoleRef _role;
    private RuleTrace[]? _all;

    /// <param name="about">The lines of the rules about the subject and the role.</param>
    /// <param name="policies">Every policy.</param>
    /// <param name="subject">Who asks.</param>
    /// <param name="role">What for.</param>
    /// <param name="others">How many of the lines are of rules that are no policies.</param>
    public Traced(IReadOnlyList<RuleTrace> about, IReadOnlyList<Policy> policies, SubjectId subject, RoleRef role, int others)
    {
        Count = policies.Count + others;
        About = about;
        _policies = policies;
        _subject = subject;
        _role = role;
    }

    /// <summary>The lines of the rules about the subject and the role.</summary>
    public IReadOnlyList<RuleTrace> About { get; }

    public int Count { get; }

    /// <summary>Some lines of the other rules, in the order of the policies; nothing is written for those beyond.</summary>
    public List<RuleTrace> Others(int most)
    {
        var told = About.Select(line => line.Rule).ToHashSet(StringComparer.Ordinal);
        return [.. _policies.Where(policy => !told.Contains(policy.Name)).Take(most).Select(Why)];
    }

    public RuleTrace this[int index] => All()[index];

    public IEnumerator<RuleTrace> GetEnumerator() => ((IEnumerable<RuleTrace>)All()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private RuleTrace[] All()
    {
        if (_all is { } written)
        {
            return written;
        }

        var told = About.Select(line => line.Rule).ToHashSet(StringComparer.Ordinal);
        return _all = [.. About, .. _policies.Where(policy => !told.Contains(policy.Name)).Select(Why)];
    }

    private RuleTrace Why(Policy policy)
    {
        var who = policy.Who.Contains(_subject);
        var role = policy.Roles.Contains(_role);
        var because = (who, role) switch
        {
            (true, _) => $"it is not about {_role}",
            (_, true) => $"it is about {policy.WhoText}, and {_subject} is not among them",
            _ => $"it is about neither {_subject} nor {_role}",
        };
        return new RuleTrace(policy.Name, RuleOutcome.NotAbout, because);
    }
}
