namespace Stint.Core.Policies.Cel;

/// <summary>A compiled expression. Immutable: many threads may evaluate it, each over inputs of its own.</summary>
public sealed class CelProgram
{
    private readonly CelExpr _tree;
    private readonly CelNode _root;
    private readonly CelType _expected;
    private readonly CelLimits _limits;
    private readonly int _locals;
    private readonly CelEnvironment _environment;
    private readonly Lazy<CelAnalysis> _analysis;
    private readonly Lazy<CelNode> _noting;

    internal CelProgram(string source, CelEnvironment environment, CelExpr tree, CelType expected, CelLimits limits, int locals)
    {
        (Source, _environment, _tree, _expected, _limits, _locals) = (source, environment, tree, expected, limits, locals);
        Type = tree.Type;
        _root = new CelBuilder(environment, limits, locals, null).Build(tree);
        _analysis = new(() => new CelAnalysis(source, tree));
        _noting = new(() => new CelBuilder(environment, limits, locals, _analysis.Value.AtomTrees).Build(tree));
    }

    /// <summary>The source that it was compiled from.</summary>
    public string Source { get; }

    /// <summary>The type that the check found; <see cref="CelType.Dyn"/> when only an evaluation can tell.</summary>
    public CelType Type { get; }

    /// <summary>The inputs that it reads, each once, in the order of the source. What <c>&amp;&amp;</c> may skip is in it too.</summary>
    public IReadOnlyList<CelRead> Reads => _analysis.Value.Reads;

    /// <summary>The smallest conditions of it, in the order of the source: what <c>&amp;&amp; || ! ?:</c> join. A macro is one.</summary>
    public IReadOnlyList<CelAtom> Atoms => _analysis.Value.Atoms;

    /// <summary>The constants that inputs are held against.</summary>
    public IReadOnlyList<CelComparison> Comparisons => _analysis.Value.Comparisons;

    /// <summary>How it is put together from its atoms.</summary>
    internal CelSkeleton Skeleton => CelSkeleton.Read(Source, _tree, _analysis.Value.AtomTrees);

    /// <summary>Evaluates it to a value.</summary>
    public CelOutcome Evaluate(CelInputs inputs)
    {
        Begin(inputs);
        var value = _root.Value(inputs);
        if (!value.IsFailure && inputs.Exhausted)
        {
            value = inputs.TooMany();
        }

        if (value.IsFailure)
        {
            return new CelOutcome.Failed(value.Error);
        }

        return _expected.Holds(value.Kind)
            ? new CelOutcome.Is(value)
            : new CelOutcome.Failed(new CelError(CelErrorCode.NoSuchOverload, $"it gave a {CelType.Of(value)} where a {_expected} is needed"));
    }

    /// <summary>Evaluates a condition. Nothing is allocated unless it fails or makes texts, lists, maps or optionals on the way.</summary>
    /// <param name="error">Why it failed; null otherwise.</param>
    public CelTruth Test(CelInputs inputs, out CelError? error)
    {
        Begin(inputs);
        return Finish(inputs, _root.Test(inputs), out error);
    }

    /// <summary>Evaluates a condition, and says what each of <see cref="Atoms"/> came to.</summary>
    /// <param name="atoms">As many as there are atoms; those that were not come to are <see cref="CelTruth.NotReached"/>.</param>
    /// <param name="error">Why the whole failed; null otherwise.</param>
    public CelTruth Test(CelInputs inputs, Span<CelTruth> atoms, out CelError? error)
    {
        Begin(inputs);
        var noted = new CelTruth[Atoms.Count];
        Array.Fill(noted, CelTruth.NotReached);
        inputs.Atoms = noted;
        var truth = Finish(inputs, _noting.Value.Test(inputs), out error);
        inputs.Atoms = null;
        noted.CopyTo(atoms);
        return truth;
    }

    private void Begin(CelInputs inputs)
    {
        if (!ReferenceEquals(inputs.Environment, _environment))
        {
            throw new ArgumentException("The inputs are of another environment than the program.", nameof(inputs));
        }

        inputs.Begin(_limits, _locals);
    }

    // NB. A budget that ran out fails the whole, also where || or exists() could have done without the part that ran out.
    private static CelTruth Finish(CelInputs inputs, CelTruth truth, out CelError? error)
    {
        if (truth != CelTruth.Failed && !inputs.Exhausted)
        {
            error = null;
            return truth;
        }

        error = truth == CelTruth.Failed ? inputs.Failure! : inputs.TooMany().Error;
        return CelTruth.Failed;
    }
}
