namespace Stint.Core.Policies.Cel;

/// <summary>
/// The Common Expression Language for the conditions of policies: source in, checked and compiled program out. Pure: no I/O, no clock,
/// no chance; the same source, environment and inputs give the same outcome (zones and their rules come with the runtime).
/// </summary>
/// <remarks>
/// <code>
/// // Once: what conditions may read. A shape's fields become slots, each found by its path.
/// var subject = new CelShape("subject", [
///     new("id", CelType.String, "Who asks."),
///     new("groups", CelType.List(CelType.String), "The groups that they are in."),
///     new("on_call", CelType.Bool, "Whether they are on call now.")]);
/// var environment = CelEnvironment.Of(new CelField("subject", CelType.Of(subject), "Who asks."), new CelField("now", CelType.Timestamp, "…"));
/// var groups = environment.SlotOf("subject.groups");
///
/// // At load: every mistake at once, each with line, column and the way out.
/// switch (CelCompiler.Compile(source, environment, CelType.Bool))
/// {
///     case CelCompilation.Problems problems: … problems.All …
///     case CelCompilation.Compiled compiled: … compiled.Program …
/// }
///
/// // Per question: one CelInputs, filled by slot, or by a CelSource when a slot is first read; then any number of programs over it.
/// var inputs = new CelInputs(environment, source);
/// inputs.Set(groups, CelValue.From(CelList.OfSet(names)));     // wrap lists and maps once per catalog, not per question
/// program.Test(inputs, out var error)                          // True, False, or Failed with the error; a Failed condition is never met
/// program.Evaluate(inputs)                                     // CelOutcome.Is(value) or CelOutcome.Failed(error), for any type
///
/// // For coverage, a later prover and the guide:
/// program.Atoms, program.Test(inputs, atoms, out error)        // what each smallest condition came to
/// program.Reads, program.Comparisons                           // which slots it reads, and which constants it holds them against
/// environment.Variables, environment.Slots                     // names, types, descriptions and units, to publish
/// </code>
/// </remarks>
public static class CelCompiler
{
    /// <summary>Compiles a source.</summary>
    /// <param name="source">One expression.</param>
    /// <param name="environment">What it may read.</param>
    /// <param name="expected">The type that it must have; <see cref="CelType.Dyn"/> for any.</param>
    /// <param name="limits">What it may cost; null for <see cref="CelLimits.Default"/>.</param>
    public static CelCompilation Compile(string source, CelEnvironment environment, CelType expected, CelLimits? limits = null) =>
        Compile(source, environment, expected, limits ?? CelLimits.Default, true);

    /// <summary>As the language allows it, without the check of types and names: mistakes become failures of the evaluation. For its conformance tests only.</summary>
    internal static CelCompilation CompileUnchecked(string source, CelEnvironment environment) =>
        Compile(source, environment, CelType.Dyn, CelLimits.Default, false);

    private static CelCompilation Compile(string source, CelEnvironment environment, CelType expected, CelLimits limits, bool strict)
    {
        var problems = new CelProblems(source, limits.Problems);
        var tree = CelParser.Parse(source, problems, limits);
        var locals = tree is null ? 0 : CelChecker.Check(tree, environment, expected, problems, strict);
        return tree is null || problems.Count > 0
            ? new CelCompilation.Problems(problems.InOrder)
            : new CelCompilation.Compiled(new CelProgram(source, environment, tree, expected, limits, locals));
    }
}

/// <summary>What compiling came to.</summary>
public abstract record CelCompilation
{
    private CelCompilation()
    {
    }

    /// <summary>It can be evaluated.</summary>
    /// <param name="Program">The program.</param>
    public sealed record Compiled(CelProgram Program) : CelCompilation;

    /// <summary>It cannot.</summary>
    /// <param name="All">At least one, in the order of the source.</param>
    public sealed record Problems(IReadOnlyList<CelProblem> All) : CelCompilation;
}
