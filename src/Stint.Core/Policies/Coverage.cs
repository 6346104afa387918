using Stint.Core.Catalog;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>What a run of tests exercised: which rules decided, and what each condition and each part of one came to.</summary>
internal sealed class Coverage(LoadedCatalog catalog)
{
    private readonly Dictionary<string, int> _decided = new(StringComparer.Ordinal);
    private readonly Dictionary<Condition, Counts> _counts = [];

    /// <summary>Takes one test into account.</summary>
    /// <param name="world">The catalog as the test's subject finds it.</param>
    public void Note(LoadedCatalog world, Question question, Verdict verdict)
    {
        foreach (var rule in verdict.DecidedBy)
        {
            _decided[rule] = _decided.GetValueOrDefault(rule) + 1;
        }

        if (world.Find(question.Subject) is not { } subject
            || !world.Resources.TryGetValue(question.Role.Resource, out var resource)
            || !resource.Roles.TryGetValue(question.Role.Role, out var role))
        {
            return;
        }

        var situation = new Situation(world, subject, resource, role, question);
        foreach (var i in world.Index.About(question.Subject, question.Role))
        {
            var policy = world.Policies[i];
            if (Look(policy.Where, situation) && Look(policy.When, situation) && verdict is not Verdict.Deny)
            {
                Look(policy.Auto, situation);
            }
        }
    }

    public IReadOnlyList<PolicyCoverage> Report() =>
    [
        .. catalog.Policies.Select(policy => new PolicyCoverage(policy.Name, policy.Place, _decided.GetValueOrDefault(policy.Name), [.. Of("where", policy.Where), .. Of("when", policy.When), .. Of("auto", policy.Auto)])),
        .. catalog.Separations.Select(one => new PolicyCoverage(one.Name, one.Place, _decided.GetValueOrDefault(one.Name), [])),
    ];

    /// <summary>Whether it holds, as one that is not there does.</summary>
    private bool Look(Condition? condition, Situation situation)
    {
        if (condition is null)
        {
            return true;
        }

        if (!_counts.TryGetValue(condition, out var counts))
        {
            _counts[condition] = counts = new Counts(condition.Atoms.Count);
        }

        var holds = condition.Evaluate(situation);
        counts.True += holds.Yes ? 1 : 0;
        counts.False += holds is { Yes: false, Failed: null } ? 1 : 0;
        var atoms = condition.Look(situation);
        for (var i = 0; i < atoms.Length; i++)
        {
            counts.AtomsTrue[i] += atoms[i] == CelTruth.True ? 1 : 0;
            counts.AtomsFalse[i] += atoms[i] == CelTruth.False ? 1 : 0;
        }

        return holds.Yes;
    }

    private IEnumerable<ConditionCoverage> Of(string key, Condition? condition)
    {
        if (condition is null)
        {
            yield break;
        }

        var counts = _counts.GetValueOrDefault(condition) ?? new Counts(condition.Atoms.Count);
        yield return new ConditionCoverage(key, condition.Text, counts.True, counts.False);

        // The parts of a condition that nobody looked at, or that is its own only part, say nothing more.
        if (condition.Atoms.Count < 2 || counts.True + counts.False == 0)
        {
            yield break;
        }

        for (var i = 0; i < condition.Atoms.Count; i++)
        {
            yield return new ConditionCoverage(key, condition.Atoms[i], counts.AtomsTrue[i], counts.AtomsFalse[i]);
        }
    }

    private sealed class Counts(int atoms)
    {
        public int True { get; set; }

        public int False { get; set; }

        public int[] AtomsTrue { get; } = new int[atoms];

        public int[] AtomsFalse { get; } = new int[atoms];
    }
}
