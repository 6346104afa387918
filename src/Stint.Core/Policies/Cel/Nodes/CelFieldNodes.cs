namespace Stint.Core.Policies.Cel;

/// <summary><c>a.b</c>, <c>a.?b</c> and <c>has(a.b)</c> on a map, a record, or an optional of one.</summary>
internal sealed class CelFieldNode(CelNode operand, string field, bool test, bool optional, int offset) : CelNode
{
    private readonly CelSlotNode? _slot = operand as CelSlotNode;

    public override CelValue Value(CelInputs frame)
    {
        var value = operand.Value(frame);
        if (value.IsFailure)
        {
            return value;
        }

        var wrapped = value.Kind == CelKind.Optional;
        if (wrapped)
        {
            if (!value.HasInner)
            {
                return test ? CelValue.False : CelValue.None;
            }

            value = value.Inner;
        }

        if (value.Kind is not (CelKind.Map or CelKind.Record))
        {
            return At(frame.Fail(CelErrorCode.NoSuchOverload, $"a {CelType.Of(value)} has no fields; .{field} asks for one"), offset);
        }

        var there = Find(value, out var found);
        return test ? CelValue.From(there)
            : optional || wrapped ? (there ? CelValue.Some(found) : CelValue.None)
            : there ? found
            : At(frame.Fail(CelErrorCode.NoSuchKey, $"there is no {field}; ask has(….{field}) before"), offset);
    }

    public override string? Text(CelInputs frame) =>
        !test && !optional && _slot?.Map(frame)?.TextOf(field) is { } text ? text : base.Text(frame);

    private bool Find(in CelValue value, out CelValue found)
    {
        if (value.Kind == CelKind.Map)
        {
            return value.Map.TryGetText(field, out found);
        }

        var index = value.Record.Shape.IndexOf(field);
        found = index < 0 ? CelValue.Absent : value.Record.Values[index];
        return found.Kind != CelKind.Absent;
    }
}

/// <summary><c>a[i]</c> and <c>a[?i]</c> on a list, a map, or an optional of one.</summary>
internal sealed class CelIndexNode(CelNode operand, CelNode index, bool optional, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        var value = operand.Value(frame);
        if (value.IsFailure)
        {
            return value;
        }

        var at = index.Value(frame);
        if (at.IsFailure)
        {
            return at;
        }

        var wrapped = value.Kind == CelKind.Optional;
        if (wrapped)
        {
            if (!value.HasInner)
            {
                return CelValue.None;
            }

            value = value.Inner;
        }

        CelValue found;
        bool there;
        switch (value.Kind)
        {
            case CelKind.Map:
                there = value.Map.TryGet(at, out found);
                break;
            case CelKind.List when CelEquality.IsNumber(at.Kind):
                there = Number(at) is >= 0 and var number && number < value.List.Count;
                found = there ? value.List[(int)Number(at)] : default;
                break;
            default:
                return At(frame.Fail(CelErrorCode.NoSuchOverload, $"a {CelType.Of(value)} is not indexed with a {CelType.Of(at)}"), offset);
        }

        return optional || wrapped ? (there ? CelValue.Some(found) : CelValue.None)
            : there ? found
            : At(frame.Fail(CelErrorCode.NoSuchKey, value.Kind == CelKind.Map ? "there is no such key; ask 'in' before, or write [?key].orValue(…)" : $"the list has {value.List.Count} elements, and none at that index; ask for its size() before, or write [?index].orValue(…)"), offset);
    }

    /// <summary>-1 for a number that is no index.</summary>
    private static long Number(in CelValue index) => index.Kind switch
    {
        CelKind.Floating => Math.Floor(index.Floating) == index.Floating && index.Floating is >= 0 and <= int.MaxValue ? (long)index.Floating : -1,
        _ => index.Bits,
    };
}

internal sealed class CelListNode(CelNode[] items, bool[] optional, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        var values = new CelValue[items.Length];
        var count = 0;
        for (var i = 0; i < items.Length; i++)
        {
            var value = items[i].Value(frame);
            if (value.IsFailure)
            {
                return value;
            }

            if (!optional[i])
            {
                values[count++] = value;
            }
            else if (value.Kind != CelKind.Optional)
            {
                return At(frame.Fail(CelErrorCode.NoSuchOverload, $"? takes an optional, and this is a {CelType.Of(value)}"), offset);
            }
            else if (value.HasInner)
            {
                values[count++] = value.Inner;
            }
        }

        return frame.Charge(items.Length) ? CelValue.From(CelList.Of(values[..count])) : At(frame.TooMany(), offset);
    }
}

internal sealed class CelMapNode((CelNode Key, CelNode Value, bool Optional)[] entries, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        var keys = new List<CelValue>(entries.Length);
        var values = new List<CelValue>(entries.Length);
        foreach (var (keyNode, valueNode, optional) in entries)
        {
            var key = keyNode.Value(frame);
            if (key.IsFailure)
            {
                return key;
            }

            var value = valueNode.Value(frame);
            if (value.IsFailure)
            {
                return value;
            }

            if (optional && value.Kind != CelKind.Optional)
            {
                return At(frame.Fail(CelErrorCode.NoSuchOverload, $"? takes an optional, and this is a {CelType.Of(value)}"), offset);
            }

            if (!optional || value.HasInner)
            {
                keys.Add(key);
                values.Add(optional ? value.Inner : value);
            }
        }

        if (!frame.Charge(2L * entries.Length))
        {
            return At(frame.TooMany(), offset);
        }

        return CelMap.TryMake([.. keys], [.. values], out var wrong) is { } map ? CelValue.From(map) : At(frame.Fail(CelErrorCode.BadValue, wrong), offset);
    }
}
