using Stint.Core.Catalog;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>An expression of a policy, compiled, with its place in the catalog.</summary>
/// <param name="Text">As it is written.</param>
/// <param name="Place">Where it begins.</param>
public sealed record Condition(string Text, CatalogPlace Place)
{
    /// <summary>What it was compiled to.</summary>
    internal required CelProgram Program { get; init; }

    /// <summary>Whether what it says depends on the resource and the role alone.</summary>
    internal bool IsOfResource => ConditionShape.IsOfResource(Program);

    /// <summary>Whether it looks at what is asked, or at the time: nothing can be said of it before somebody asks.</summary>
    internal bool IsOfAsking => ConditionShape.IsOfAsking(Program);

    /// <summary>Whether it holds.</summary>
    internal Holds Evaluate(Situation situation)
    {
        var outcome = Program.Evaluate(situation.Inputs(this));
        return outcome.Failed is { } because ? new Holds(false, because) : new Holds(outcome.IsTrue, null);
    }

    /// <inheritdoc/>
    public bool Equals(Condition? other) => other is not null && Text == other.Text && Place == other.Place;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Text, Place);
}

/// <summary>What came of a condition.</summary>
/// <param name="Yes">Whether it holds.</param>
/// <param name="Failed">Why it could not be evaluated; null when it could.</param>
internal readonly record struct Holds(bool Yes, string? Failed);
