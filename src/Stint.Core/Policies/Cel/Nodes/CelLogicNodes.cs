namespace Stint.Core.Policies.Cel;

/// <summary><c>&amp;&amp;</c>: false when any term is, whatever the others fail with; else the first failure.</summary>
internal sealed class CelAndNode(CelNode[] terms) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame)
    {
        CelError? failure = null;
        foreach (var term in terms)
        {
            switch (term.Test(frame))
            {
                case CelTruth.False:
                    return CelTruth.False;
                case CelTruth.Failed:
                    failure ??= frame.Failure;
                    break;
            }
        }

        if (failure is null)
        {
            return CelTruth.True;
        }

        frame.Failure = failure;
        return CelTruth.Failed;
    }
}

/// <summary><c>||</c>: true when any term is, whatever the others fail with; else the first failure.</summary>
internal sealed class CelOrNode(CelNode[] terms) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame)
    {
        CelError? failure = null;
        foreach (var term in terms)
        {
            switch (term.Test(frame))
            {
                case CelTruth.True:
                    return CelTruth.True;
                case CelTruth.Failed:
                    failure ??= frame.Failure;
                    break;
            }
        }

        if (failure is null)
        {
            return CelTruth.False;
        }

        frame.Failure = failure;
        return CelTruth.Failed;
    }
}

internal sealed class CelNotNode(CelNode inner) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame) => inner.Test(frame) switch
    {
        CelTruth.True => CelTruth.False,
        CelTruth.False => CelTruth.True,
        var failed => failed,
    };
}

internal sealed class CelChoiceNode(CelNode condition, CelNode then, CelNode otherwise) : CelNode
{
    public override CelValue Value(CelInputs frame) => condition.Test(frame) switch
    {
        CelTruth.True => then.Value(frame),
        CelTruth.False => otherwise.Value(frame),
        _ => CelValue.Fail(frame.Failure!),
    };

    public override CelTruth Test(CelInputs frame) => condition.Test(frame) switch
    {
        CelTruth.True => then.Test(frame),
        CelTruth.False => otherwise.Test(frame),
        var failed => failed,
    };
}

/// <summary><c>==</c> and <c>!=</c> of any two values.</summary>
internal sealed class CelEqualNode(CelNode left, CelNode right, bool equal, int offset) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame)
    {
        var a = left.Value(frame);
        if (a.IsFailure)
        {
            return frame.FailTest(a);
        }

        var b = right.Value(frame);
        if (b.IsFailure)
        {
            return frame.FailTest(b);
        }

        var same = CelEquality.AreEqual(a, b, frame);
        return frame.Exhausted ? frame.FailTest(At(frame.TooMany(), offset)) : same == equal ? CelTruth.True : CelTruth.False;
    }
}

/// <summary><c>==</c> and <c>!=</c> of a text and a constant: the commonest condition there is.</summary>
internal sealed class CelTextIsNode(CelNode text, string constant, bool equal) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame)
    {
        var read = text.Text(frame);
        return read is null ? CelTruth.Failed : string.Equals(read, constant) == equal ? CelTruth.True : CelTruth.False;
    }
}

/// <summary><c>&lt; &lt;= &gt; &gt;=</c></summary>
internal sealed class CelOrderNode(CelNode left, CelNode right, string sign, int offset) : CelConditionNode
{
    private readonly bool _less = sign is "_<_" or "_<=_";
    private readonly bool _equal = sign is "_<=_" or "_>=_";

    public override CelTruth Test(CelInputs frame)
    {
        var a = left.Value(frame);
        if (a.IsFailure)
        {
            return frame.FailTest(a);
        }

        var b = right.Value(frame);
        if (b.IsFailure)
        {
            return frame.FailTest(b);
        }

        if (!CelEquality.TryCompare(a, b, out var order))
        {
            return frame.FailTest(At(frame.Fail(CelErrorCode.NoSuchOverload, $"a {CelType.Of(a)} and a {CelType.Of(b)} have no order; convert one of them"), offset));
        }

        // Long texts that are alike for long are looked at for long.
        if (a.Kind == CelKind.Text && !frame.Charge(Math.Min(a.String.Length, b.String.Length) >> 4))
        {
            return frame.FailTest(At(frame.TooMany(), offset));
        }

        var yes = order != CelEquality.NoOrder && (order == 0 ? _equal : order < 0 == _less);
        return yes ? CelTruth.True : CelTruth.False;
    }
}

/// <summary><c>in</c> a list, or among the keys of a map.</summary>
internal sealed class CelInNode(CelNode element, CelNode range, int offset) : CelConditionNode
{
    // Known texts and lists of inputs are the commonest case, and need no value built.
    private readonly string? _constant = element is CelConstantNode { Constant.Kind: CelKind.Text } text ? text.Constant.String : null;
    private readonly CelSlotNode? _slot = range as CelSlotNode;
    private readonly CelList? _list = range is CelConstantNode { Constant.Kind: CelKind.List } list ? list.Constant.List : null;

    public override CelTruth Test(CelInputs frame)
    {
        if ((_list ?? _slot?.List(frame)) is { } known && (_constant ?? (_list is null ? null : element.Text(frame))) is { } wanted)
        {
            var found = known.ContainsText(wanted, frame);
            return frame.Exhausted ? frame.FailTest(At(frame.TooMany(), offset)) : found ? CelTruth.True : CelTruth.False;
        }

        var a = element.Value(frame);
        if (a.IsFailure)
        {
            return frame.FailTest(a);
        }

        var b = range.Value(frame);
        if (b.IsFailure)
        {
            return frame.FailTest(b);
        }

        var result = b.Kind switch
        {
            CelKind.List => CelListFunctions.In(frame, b.List, a),
            CelKind.Map => CelValue.From(b.Map.TryGet(a, out _)),
            _ => frame.Fail(CelErrorCode.NoSuchOverload, $"'in' asks a list or the keys of a map, not a {CelType.Of(b)}"),
        };
        return result.IsFailure ? frame.FailTest(At(result, offset)) : (CelTruth)result.Bits;
    }
}
