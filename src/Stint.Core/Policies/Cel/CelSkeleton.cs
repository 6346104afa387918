namespace Stint.Core.Policies.Cel;

/// <summary>How a condition is put together from its atoms: what a proof needs that does not know the inputs.</summary>
internal abstract record CelSkeleton
{
    private CelSkeleton()
    {
    }

    /// <summary>One atom, by its place among <see cref="CelProgram.Atoms"/>.</summary>
    /// <param name="Index">Its place.</param>
    /// <param name="Slots">What it reads.</param>
    /// <param name="Comparison">What it says, when all that it does is to hold one input against one constant; else null.</param>
    /// <param name="IsClosed">Whether it can be taken out and compiled by itself: it uses no name that is given around it.</param>
    public sealed record Atom(int Index, IReadOnlyList<int> Slots, CelComparison? Comparison, bool IsClosed) : CelSkeleton;

    /// <summary><c>true</c> or <c>false</c>, as written.</summary>
    public sealed record Constant(bool Value) : CelSkeleton;

    /// <summary><c>!</c>.</summary>
    public sealed record Not(CelSkeleton Inner) : CelSkeleton;

    /// <summary><c>&amp;&amp;</c> or <c>||</c>.</summary>
    public sealed record Logic(bool IsAnd, IReadOnlyList<CelSkeleton> Terms) : CelSkeleton;

    /// <summary><c>?:</c>.</summary>
    public sealed record Choice(CelSkeleton Condition, CelSkeleton Then, CelSkeleton Else) : CelSkeleton;

    /// <summary>Reads it off a tree.</summary>
    internal static CelSkeleton Read(string source, CelExpr tree, IReadOnlyList<CelExpr> atoms)
    {
        return Walk(tree);

        CelSkeleton Walk(CelExpr expr)
        {
            for (var i = 0; i < atoms.Count; i++)
            {
                if (ReferenceEquals(atoms[i], expr))
                {
                    var about = new CelAnalysis(source, expr);
                    var comparison = expr is CelExpr.Call && about.Comparisons is [var only] && about.Reads.Count == 1 && only.Offset == expr.Start ? only : null;
                    return expr is CelExpr.Literal { Value: { Kind: CelKind.Truth } written }
                        ? new Constant(written.AsBool())
                        : new Atom(i, [.. about.Reads.Select(read => read.Slot)], comparison, Closed(expr, []));
                }
            }

            return expr switch
            {
                CelExpr.Logic logic => new Logic(logic.IsAnd, [.. logic.Terms.Select(Walk)]),
                CelExpr.Call { Function: "!_" } not => new Not(Walk(not.Arguments[0])),
                CelExpr.Choice choice => new Choice(Walk(choice.Condition), Walk(choice.Then), Walk(choice.Else)),
                CelExpr.Bind bind => Walk(bind.Body),
                _ => throw new InvalidOperationException("A condition is made of atoms, !, &&, ||, ?: and cel.bind."),
            };
        }
    }

    private static bool Closed(CelExpr expr, IReadOnlyList<string> own) => expr switch
    {
        CelExpr.Name { Local: >= 0 } name => own.Contains(name.Text),
        CelExpr.Walk walk => Closed(walk.Range, own) && walk.Children.Skip(1).All(child => Closed(child, [.. own, walk.First, .. walk.Second is { } second ? (string[])[second] : []])),
        CelExpr.Bind => false,
        _ => expr.Children.All(child => Closed(child, own)),
    };
}
