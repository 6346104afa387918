namespace Stint.Core.Policies.Cel;

/// <summary>An input that an expression reads.</summary>
/// <param name="Path">As written: <c>subject.on_call</c>.</param>
/// <param name="Slot">Its number.</param>
/// <param name="Offset">Where it is read first.</param>
public sealed record CelRead(string Path, int Slot, int Offset);

/// <summary>A smallest condition.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">In UTF-16 units.</param>
/// <param name="Text">As written.</param>
public sealed record CelAtom(int Offset, int Length, string Text);

/// <summary>A constant that an input is held against.</summary>
/// <param name="Path">The input, or the key of a map in it: <c>resource.labels.env</c>.</param>
/// <param name="Slot">The number of the input.</param>
/// <param name="Operator">As if the input stood on the left: <c>== != &lt; &lt;= &gt; &gt;= in has startsWith endsWith contains matches</c>; <c>has</c> for a constant that is looked for in the input.</param>
/// <param name="Constant">The constant; for <c>in</c> one line for each element.</param>
/// <param name="Offset">Where the comparison begins.</param>
public sealed record CelComparison(string Path, int Slot, string Operator, CelValue Constant, int Offset);

/// <summary>What can be said of an expression without evaluating it.</summary>
internal sealed class CelAnalysis
{
    private readonly List<CelRead> _reads = [];
    private readonly List<CelComparison> _comparisons = [];
    private readonly List<CelExpr> _atoms = [];

    public CelAnalysis(string source, CelExpr tree)
    {
        FindAtoms(tree);
        Visit(tree);
        Atoms = [.. _atoms.Select(atom => new CelAtom(atom.Start, atom.End - atom.Start, source[atom.Start..atom.End]))];
    }

    public IReadOnlyList<CelRead> Reads => _reads;

    public IReadOnlyList<CelAtom> Atoms { get; }

    public IReadOnlyList<CelExpr> AtomTrees => _atoms;

    public IReadOnlyList<CelComparison> Comparisons => _comparisons;

    private void FindAtoms(CelExpr expr)
    {
        switch (expr)
        {
            case CelExpr.Logic logic:
                foreach (var term in logic.Terms)
                {
                    FindAtoms(term);
                }

                break;
            case CelExpr.Call { Function: "!_" } not:
                FindAtoms(not.Arguments[0]);
                break;
            case CelExpr.Choice choice when choice.Type.Kind == CelTypeKind.Truth:
                FindAtoms(choice.Condition);
                FindAtoms(choice.Then);
                FindAtoms(choice.Else);
                break;
            case CelExpr.Bind { Kind: CelBinding.Bind } bind:
                FindAtoms(bind.Body);
                break;
            default:
                if (expr.Type.Kind == CelTypeKind.Truth)
                {
                    _atoms.Add(expr);
                }

                break;
        }
    }

    private void Visit(CelExpr expr)
    {
        var place = expr switch
        {
            CelExpr.Name name => name.Place,
            CelExpr.Select select => select.Place,
            _ => null,
        };
        foreach (var slot in place?.AllSlots ?? [])
        {
            if (!_reads.Exists(read => read.Slot == slot))
            {
                _reads.Add(new CelRead(PathOf(place!, slot), slot, expr.Start));
            }
        }

        if (expr is CelExpr.Call call && call.All.Count == 2)
        {
            Compare(call);
        }

        foreach (var child in expr.Children)
        {
            Visit(child);
        }
    }

    private static string PathOf(CelPlace place, int slot) =>
        place.Slot == slot ? place.Path : place.Children!.Values.Where(child => child.AllSlots.Contains(slot)).Select(child => PathOf(child, slot)).First();

    private void Compare(CelExpr.Call call)
    {
        var (left, right) = (call.All[0], call.All[1]);
        var name = call.Function switch
        {
            ['_', .. var sign, '_'] when sign is "==" or "!=" or "<" or "<=" or ">" or ">=" => sign,
            "@in" => "in",
            "startsWith" or "endsWith" or "contains" or "matches" => call.Function,
            _ => null,
        };
        if (name is null)
        {
            return;
        }

        if (Input(left) is var (path, slot))
        {
            foreach (var constant in name == "in" ? Elements(right) : Constant(right) is { } one ? [one] : [])
            {
                _comparisons.Add(new CelComparison(path, slot, name, constant, call.Start));
            }
        }
        else if (Input(right) is var (other, number) && Constant(left) is { } constant)
        {
            var turned = name switch
            {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                "in" => "has",
                "==" or "!=" => name,
                _ => null,
            };
            if (turned is not null)
            {
                _comparisons.Add(new CelComparison(other, number, turned, constant, call.Start));
            }
        }
    }

    private static (string Path, int Slot)? Input(CelExpr expr) => expr switch
    {
        CelExpr.Name { Place.Slot: >= 0 and var slot } name => (name.Place.Path, slot),
        CelExpr.Select { Place.Slot: >= 0 and var slot, Test: false } select => (select.Place.Path, slot),
        CelExpr.Select { Place: null, Test: false } select when Input(select.Operand) is var (path, slot) => ($"{path}.{select.Field}", slot),
        CelExpr.Call { Function: "_[_]" } index when Constant(index.Arguments[1]) is { Kind: CelKind.Text } key && Input(index.Arguments[0]) is var (path, slot) => ($"{path}.{key.AsString()}", slot),
        _ => null,
    };

    private static CelValue? Constant(CelExpr expr) => expr switch
    {
        CelExpr.Literal literal => literal.Value,
        CelExpr.Call { Resolved: "duration" } call when CelConstants.Text(call.Arguments, 0) is { } text && CelTime.TryParseDuration(text, out var duration) => duration,
        CelExpr.Call { Resolved: "timestamp" } call when CelConstants.Text(call.Arguments, 0) is { } text && CelTime.TryParseTimestamp(text, out var moment) => moment,
        _ => null,
    };

    private static IEnumerable<CelValue> Elements(CelExpr expr) =>
        expr is CelExpr.ListOf list ? list.Items.Where(item => !item.Optional).Select(item => Constant(item.Item)).OfType<CelValue>() : [];
}
