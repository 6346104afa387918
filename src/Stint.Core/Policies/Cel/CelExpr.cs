namespace Stint.Core.Policies.Cel;

/// <summary>A node of the tree that the parser builds and the checker annotates.</summary>
internal abstract class CelExpr
{
    /// <summary>Where it begins in the source.</summary>
    public required int Start { get; init; }

    /// <summary>Where it ends, exclusive.</summary>
    public required int End { get; init; }

    /// <summary>How many nodes lie on the longest way down, itself counted.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>Set by the checker.</summary>
    public CelType Type { get; set; } = CelType.Dyn;

    public abstract IEnumerable<CelExpr> Children { get; }

    public sealed class Literal : CelExpr
    {
        public required CelValue Value { get; init; }

        public override IEnumerable<CelExpr> Children => [];
    }

    public sealed class Name : CelExpr
    {
        public required string Text { get; init; }

        /// <summary>Written with a leading dot: looked up from the root, past local variables.</summary>
        public bool Rooted { get; init; }

        /// <summary>The input it names; set by the checker.</summary>
        public CelPlace? Place { get; set; }

        /// <summary>The local variable it names, or -1; set by the checker.</summary>
        public int Local { get; set; } = -1;

        /// <summary>The type it names; set by the checker.</summary>
        public CelType? Kind { get; set; }

        public override IEnumerable<CelExpr> Children => [];
    }

    public sealed class Select : CelExpr
    {
        public required CelExpr Operand { get; init; }

        public required string Field { get; init; }

        public required int FieldStart { get; init; }

        /// <summary>Asks whether it is there: <c>has(a.b)</c>.</summary>
        public bool Test { get; init; }

        /// <summary>Gives an optional: <c>a.?b</c>.</summary>
        public bool Optional { get; init; }

        /// <summary>The input it names as a whole; set by the checker.</summary>
        public CelPlace? Place { get; set; }

        public CelType? Kind { get; set; }

        public override IEnumerable<CelExpr> Children => Place is null && Kind is null ? [Operand] : [];
    }

    public sealed class Call : CelExpr
    {
        public required string Function { get; init; }

        public required int FunctionStart { get; init; }

        /// <summary>What stands before the dot; null for a function of its own.</summary>
        public CelExpr? Target { get; set; }

        public required IReadOnlyList<CelExpr> Arguments { get; set; }

        /// <summary>Those that may apply; set by the checker. Empty when nothing does.</summary>
        public IReadOnlyList<CelOverload> Overloads { get; set; } = [];

        /// <summary>The name under which the overloads were found: <c>math.abs</c>; set by the checker.</summary>
        public string Resolved { get; set; } = "";

        public IReadOnlyList<CelExpr> All => Target is null ? Arguments : [Target, .. Arguments];

        public override IEnumerable<CelExpr> Children => All;
    }

    /// <summary><c>&amp;&amp;</c> or <c>||</c> with all its terms, so that a long chain is no deep tree.</summary>
    public sealed class Logic : CelExpr
    {
        public required bool IsAnd { get; init; }

        public required IReadOnlyList<CelExpr> Terms { get; init; }

        public override IEnumerable<CelExpr> Children => Terms;
    }

    public sealed class Choice : CelExpr
    {
        public required CelExpr Condition { get; init; }

        public required CelExpr Then { get; init; }

        public required CelExpr Else { get; init; }

        public override IEnumerable<CelExpr> Children => [Condition, Then, Else];
    }

    public sealed class ListOf : CelExpr
    {
        public required IReadOnlyList<(CelExpr Item, bool Optional)> Items { get; init; }

        public override IEnumerable<CelExpr> Children => Items.Select(item => item.Item);
    }

    public sealed class MapOf : CelExpr
    {
        public required IReadOnlyList<(CelExpr Key, CelExpr Value, bool Optional)> Entries { get; init; }

        public override IEnumerable<CelExpr> Children => Entries.SelectMany<(CelExpr Key, CelExpr Value, bool Optional), CelExpr>(entry => [entry.Key, entry.Value]);
    }

    /// <summary>A macro that walks a list or map.</summary>
    public sealed class Walk : CelExpr
    {
        public required CelMacro Macro { get; init; }

        public required CelExpr Range { get; init; }

        /// <summary>The element, or the key of a map; with two variables the index or key.</summary>
        public required string First { get; init; }

        /// <summary>The element or value; null with one variable.</summary>
        public string? Second { get; init; }

        /// <summary>Which elements; null for all.</summary>
        public CelExpr? Filter { get; init; }

        /// <summary>The predicate, or what each becomes; null for <c>filter</c>.</summary>
        public CelExpr? Body { get; init; }

        /// <summary>The number of the first variable; the second's is one more. Set by the checker.</summary>
        public int Local { get; set; }

        public override IEnumerable<CelExpr> Children => [Range, .. new[] { Filter, Body }.OfType<CelExpr>()];
    }

    /// <summary><c>cel.bind</c>, <c>optMap</c> and <c>optFlatMap</c>: a name for a value within one expression.</summary>
    public sealed class Bind : CelExpr
    {
        public required CelBinding Kind { get; init; }

        public required string Variable { get; init; }

        public required CelExpr Value { get; init; }

        public required CelExpr Body { get; init; }

        public int Local { get; set; }

        public override IEnumerable<CelExpr> Children => [Value, Body];
    }
}

internal enum CelMacro
{
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformList,
    TransformMap,
    TransformMapEntry,
}

internal enum CelBinding
{
    Bind,
    OptMap,
    OptFlatMap,
}
