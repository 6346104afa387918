using Stint.Core.Catalog;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>An expression of a policy, compiled, with its place in the catalog.</summary>
public sealed class Condition
{
    private readonly CelProgram _program;

    private Condition(CatalogPlace place, CelProgram program)
    {
        Place = place;
        _program = program;
        IsOfResource = program.Reads.All(read => ConditionShape.IsOfResource(read.Slot));
        IsOfAsking = program.Reads.Any(read => ConditionShape.IsOfAsking(read.Slot));
        Atoms = [.. program.Atoms.Select(atom => atom.Text)];
    }

    /// <summary>As it is written.</summary>
    public string Text => _program.Source;

    /// <summary>Where it begins.</summary>
    public CatalogPlace Place { get; }

    /// <summary>The smallest conditions that it is made of, as they are written.</summary>
    public IReadOnlyList<string> Atoms { get; }

    /// <summary>Whether what it says depends on the resource and the role alone.</summary>
    internal bool IsOfResource { get; }

    /// <summary>Whether it looks at what is asked, or at the time: nothing can be said of it before somebody asks.</summary>
    internal bool IsOfAsking { get; }

    /// <summary>Whether it looks at any of those slots.</summary>
    internal bool Reads(Func<int, bool> slots) => _program.Reads.Any(read => slots(read.Slot));

    /// <summary>How it is put together.</summary>
    internal CelSkeleton Skeleton => _program.Skeleton;

    /// <summary>Compiles one.</summary>
    /// <returns>Null with at least one problem.</returns>
    internal static (Condition? Condition, IReadOnlyList<CelProblem> Problems) Compile(string text, CatalogPlace place) =>
        CelCompiler.Compile(text, ConditionShape.Environment, CelType.Bool) switch
        {
            CelCompilation.Compiled compiled => (new Condition(place, compiled.Program), []),
            CelCompilation.Problems problems => (null, problems.All),
            _ => throw new InvalidOperationException("A compilation is a program or problems."),
        };

    /// <summary>Whether it holds.</summary>
    internal Holds Evaluate(Situation situation)
    {
        var truth = _program.Test(situation.Inputs, out var error);
        return new Holds(truth == CelTruth.True, error?.Message);
    }

    /// <summary>What each of its atoms came to.</summary>
    internal CelTruth[] Look(Situation situation)
    {
        var atoms = new CelTruth[Atoms.Count];
        _ = _program.Test(situation.Inputs, atoms, out _);
        return atoms;
    }
}

/// <summary>What came of a condition.</summary>
/// <param name="Yes">Whether it holds.</param>
/// <param name="Failed">Why it could not be evaluated; null when it could.</param>
internal readonly record struct Holds(bool Yes, string? Failed);
