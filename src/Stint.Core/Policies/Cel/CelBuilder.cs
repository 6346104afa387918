namespace Stint.Core.Policies.Cel;

/// <summary>Turns a checked tree into nodes: once, so that an evaluation looks nothing up by name.</summary>
/// <param name="atoms">Smallest conditions in their order, to be noted; null for the plain program.</param>
internal sealed class CelBuilder(CelEnvironment environment, CelLimits limits, int locals, IReadOnlyList<CelExpr>? atoms)
{
    /// <summary>The program of a tree.</summary>
    public CelNode Build(CelExpr expr)
    {
        if (atoms is not null)
        {
            for (var i = 0; i < atoms.Count; i++)
            {
                if (ReferenceEquals(atoms[i], expr))
                {
                    return new CelAtomNode(Plain(expr), i);
                }
            }
        }

        return Plain(expr);
    }

    private CelNode Plain(CelExpr expr) => expr switch
    {
        CelExpr.Literal literal => new CelConstantNode(literal.Value),
        CelExpr.Name { Local: >= 0 } name => new CelLocalNode(name.Local),
        CelExpr.Name { Place: { } place } name => Input(place, name.Start),
        CelExpr.Name { Kind: { } kind } => new CelConstantNode(CelValue.Of(kind)),
        CelExpr.Name name => new CelFailureNode(CelErrorCode.Unknown, $"nothing is known as {name.Text}", name.Start),
        CelExpr.Select select => Select(select),
        CelExpr.Call call => Folded(Call(call), call.All),
        CelExpr.Logic logic => Logic(logic),
        CelExpr.Choice choice => new CelChoiceNode(Build(choice.Condition), Build(choice.Then), Build(choice.Else)),
        CelExpr.ListOf list => List(list),
        CelExpr.MapOf map => Folded(
            new CelMapNode([.. map.Entries.Select(entry => (Build(entry.Key), Build(entry.Value), entry.Optional))], map.Start),
            [.. map.Children]),
        CelExpr.Walk walk => Walk(walk),
        CelExpr.Bind bind => new CelBindNode(bind.Kind, Build(bind.Value), Build(bind.Body), bind.Local, bind.Start),
        _ => new CelFailureNode(CelErrorCode.Unknown, "this cannot be evaluated", expr.Start),
    };

    private static CelNode Input(CelPlace place, int offset) => place.Slot >= 0 ? new CelSlotNode(place.Slot, place.Path, offset) : new CelGatherNode(place);

    private CelNode Select(CelExpr.Select select)
    {
        if (select.Kind is { } kind)
        {
            return new CelConstantNode(CelValue.Of(kind));
        }

        if (select.Place is { } place)
        {
            return select.Test ? new CelHasSlotNode([.. place.AllSlots])
                : select.Optional ? new CelMaybeNode([.. place.AllSlots], Input(place, select.FieldStart))
                : Input(place, select.FieldStart);
        }

        return new CelFieldNode(Build(select.Operand), select.Field, select.Test, select.Optional, select.FieldStart);
    }

    private CelNode Logic(CelExpr.Logic logic)
    {
        CelNode[] terms = [.. logic.Terms.Select(Build)];
        return logic.IsAnd ? new CelAndNode(terms) : new CelOrNode(terms);
    }

    private CelNode List(CelExpr.ListOf list)
    {
        CelNode[] items = [.. list.Items.Select(item => Build(item.Item))];
        if (items.All(item => item is CelConstantNode { Constant.Kind: CelKind.Text }) && list.Items.All(item => !item.Optional))
        {
            // Looking up in many constants is then one hash.
            return new CelConstantNode(CelValue.From(CelList.Of(items.Select(item => ((CelConstantNode)item).Constant.String))));
        }

        return Folded(new CelListNode(items, [.. list.Items.Select(item => item.Optional)], list.Start), [.. list.Children]);
    }

    private CelNode Call(CelExpr.Call call)
    {
        var all = call.All;
        var offset = call.FunctionStart;
        if (call.Overloads.Count == 0)
        {
            return new CelFailureNode(CelErrorCode.NoSuchOverload, CelLibrary.Knows(call.Resolved) ? $"{call.Function} is not made for this" : $"there is no function {call.Function}", offset);
        }

        switch (call.Function)
        {
            case "_==_" or "_!=_":
                return Equal(all[0], all[1], call.Function == "_==_", offset);
            case "_<_" or "_<=_" or "_>_" or "_>=_":
                return new CelOrderNode(Build(all[0]), Build(all[1]), call.Function, offset);
            case "@in":
                return new CelInNode(Build(all[0]), Build(all[1]), offset);
            case "_[_]" or "_[?_]":
                return new CelIndexNode(Build(all[0]), Build(all[1]), call.Function == "_[?_]", offset);
            case "!_":
                return new CelNotNode(Build(all[0]));
            case "matches" when CelConstants.Text(all, 1) is { } pattern && CelRegex.Compile(pattern, limits.Match, out _) is { } regex:
                return new CelMatchNode(Build(all[0]), regex, offset);
            case var part when call.Target is not null && CelTimeFunctions.Parts.Contains(part) && CelConstants.Text(all, 1) is { } name && CelTime.Zone(name) is { } zone:
                return new CelZoneNode(Build(all[0]), part, zone, offset);
            default:
                return new CelCallNode(call.Resolved, call.Target is not null, [.. call.Overloads], [.. all.Select(Build)], offset);
        }
    }

    private CelConditionNode Equal(CelExpr left, CelExpr right, bool equal, int offset)
    {
        var (a, b) = (Build(left), Build(right));
        // Only where the check found the other side to be a text: a text and anything else are unequal, not a failure.
        if (b is CelConstantNode { Constant.Kind: CelKind.Text } constant && left.Type.Kind == CelTypeKind.Text)
        {
            return new CelTextIsNode(a, constant.Constant.String, equal);
        }

        if (a is CelConstantNode { Constant.Kind: CelKind.Text } first && right.Type.Kind == CelTypeKind.Text)
        {
            return new CelTextIsNode(b, first.Constant.String, equal);
        }

        return new CelEqualNode(a, b, equal, offset);
    }

    private CelNode Walk(CelExpr.Walk walk)
    {
        var range = Build(walk.Range);
        var filter = walk.Filter is null ? null : Build(walk.Filter);
        var body = walk.Body is null ? null : Build(walk.Body);
        var (local, two, offset) = (walk.Local, walk.Second is not null, walk.Start);
        var weight = 1 + (walk.Filter is null ? 0 : Weight(walk.Filter)) + (walk.Body is null ? 0 : Weight(walk.Body));
        return walk.Macro switch
        {
            CelMacro.All or CelMacro.Exists => new CelQuantifierNode(range, body!, walk.Macro == CelMacro.All, local, two, weight, offset),
            CelMacro.ExistsOne => new CelExactlyOneNode(range, body!, local, two, weight, offset),
            CelMacro.TransformMap or CelMacro.TransformMapEntry => new CelMapMakingNode(range, filter, body!, walk.Macro == CelMacro.TransformMapEntry, local, weight, offset),
            _ => new CelCollectNode(range, filter, body, local, two, weight, offset),
        };
    }

    private static int Weight(CelExpr expr) => 1 + expr.Children.Sum(Weight);

    /// <summary>A call of constants is evaluated here, unless it fails: then it fails where it stands, and only when it is reached.</summary>
    private CelNode Folded(CelNode node, IReadOnlyList<CelExpr> parts)
    {
        if (!parts.All(IsConstant))
        {
            return node;
        }

        var frame = new CelInputs(environment);
        frame.Begin(limits with { Steps = Math.Min(limits.Steps, 10_000) }, locals);
        var value = node.Value(frame);
        return value.IsFailure || frame.Exhausted ? node : new CelConstantNode(value);
    }

    private static bool IsConstant(CelExpr expr) => expr switch
    {
        CelExpr.Literal => true,
        CelExpr.Call { Overloads.Count: > 0 } or CelExpr.ListOf or CelExpr.MapOf => expr.Children.All(IsConstant),
        _ => false,
    };
}
