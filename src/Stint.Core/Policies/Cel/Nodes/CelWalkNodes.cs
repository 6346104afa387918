namespace Stint.Core.Policies.Cel;

/// <summary>What the macros share: walking a list or map, paying for each element before it is looked at.</summary>
/// <param name="weight">Steps that one element costs: as many as its parts have nodes.</param>
internal abstract class CelWalkNode(CelNode range, int local, bool two, int weight, int offset) : CelNode
{
    private protected int Offset => offset;

    public sealed override CelValue Value(CelInputs frame)
    {
        var value = range.Value(frame);
        if (value.IsFailure)
        {
            return value;
        }

        if (value.Kind is not (CelKind.List or CelKind.Map))
        {
            return At(frame.Fail(CelErrorCode.NoSuchOverload, $"this walks a list or a map, and it is given a {CelType.Of(value)}"), offset);
        }

        return Walk(frame, value, value.Kind == CelKind.List ? value.List.Count : value.Map.Count);
    }

    private protected abstract CelValue Walk(CelInputs frame, in CelValue range, int count);

    /// <summary>Puts one element into the variables; false when the steps are used up.</summary>
    private protected bool Take(CelInputs frame, in CelValue range, int index)
    {
        if (!frame.Charge(weight))
        {
            return false;
        }

        if (range.Kind == CelKind.List)
        {
            frame.Locals[local] = two ? CelValue.From((long)index) : range.List[index];
            frame.Locals[local + 1] = two ? range.List[index] : default;
        }
        else
        {
            frame.Locals[local] = range.Map.KeyAt(index);
            frame.Locals[local + 1] = two ? range.Map.ValueAt(index) : default;
        }

        return true;
    }

    private protected CelValue Element(CelInputs frame) => frame.Locals[local];
}

/// <summary><c>all</c> and <c>exists</c>: the first element that decides does, whatever the others fail with.</summary>
internal sealed class CelQuantifierNode(CelNode range, CelNode body, bool all, int local, bool two, int weight, int offset)
    : CelWalkNode(range, local, two, weight, offset)
{
    private protected override CelValue Walk(CelInputs frame, in CelValue range, int count)
    {
        CelError? failure = null;
        for (var i = 0; i < count; i++)
        {
            if (!Take(frame, range, i))
            {
                return At(frame.TooMany(), Offset);
            }

            switch (body.Test(frame))
            {
                case CelTruth.True when !all:
                    return CelValue.True;
                case CelTruth.False when all:
                    return CelValue.False;
                case CelTruth.Failed:
                    failure ??= frame.Failure;
                    break;
            }
        }

        return failure is null ? CelValue.From(all) : CelValue.Fail(failure);
    }
}

/// <summary><c>exists_one</c>: has to ask every element, so the first failure fails it.</summary>
internal sealed class CelExactlyOneNode(CelNode range, CelNode body, int local, bool two, int weight, int offset)
    : CelWalkNode(range, local, two, weight, offset)
{
    private protected override CelValue Walk(CelInputs frame, in CelValue range, int count)
    {
        var found = 0;
        for (var i = 0; i < count; i++)
        {
            if (!Take(frame, range, i))
            {
                return At(frame.TooMany(), Offset);
            }

            switch (body.Test(frame))
            {
                case CelTruth.True:
                    found++;
                    break;
                case CelTruth.Failed:
                    return CelValue.Fail(frame.Failure!);
            }
        }

        return CelValue.From(found == 1);
    }
}

/// <summary><c>map</c>, <c>filter</c> and <c>transformList</c>.</summary>
/// <param name="filter">Which elements; null for all.</param>
/// <param name="body">What each becomes; null leaves it as it is.</param>
internal sealed class CelCollectNode(CelNode range, CelNode? filter, CelNode? body, int local, bool two, int weight, int offset)
    : CelWalkNode(range, local, two, weight, offset)
{
    private protected override CelValue Walk(CelInputs frame, in CelValue range, int count)
    {
        var made = new List<CelValue>();
        for (var i = 0; i < count; i++)
        {
            if (!Take(frame, range, i))
            {
                return At(frame.TooMany(), Offset);
            }

            var taken = filter?.Test(frame) ?? CelTruth.True;
            if (taken == CelTruth.Failed)
            {
                return CelValue.Fail(frame.Failure!);
            }

            if (taken == CelTruth.False)
            {
                continue;
            }

            var value = body is null ? Element(frame) : body.Value(frame);
            if (value.IsFailure)
            {
                return value;
            }

            made.Add(value);
            if (made.Count > frame.Limits.Elements)
            {
                return At(CelOperators.TooMany(frame), Offset);
            }
        }

        return CelValue.From(CelList.Of([.. made]));
    }
}

/// <summary><c>transformMap</c> and <c>transformMapEntry</c>.</summary>
/// <param name="entries">Whether each element becomes a map of entries, and not the value under its old key.</param>
internal sealed class CelMapMakingNode(CelNode range, CelNode? filter, CelNode body, bool entries, int local, int weight, int offset)
    : CelWalkNode(range, local, true, weight, offset)
{
    private protected override CelValue Walk(CelInputs frame, in CelValue range, int count)
    {
        var keys = new List<CelValue>();
        var values = new List<CelValue>();
        for (var i = 0; i < count; i++)
        {
            if (!Take(frame, range, i))
            {
                return At(frame.TooMany(), Offset);
            }

            var taken = filter?.Test(frame) ?? CelTruth.True;
            if (taken == CelTruth.Failed)
            {
                return CelValue.Fail(frame.Failure!);
            }

            if (taken == CelTruth.False)
            {
                continue;
            }

            var key = Element(frame);
            var value = body.Value(frame);
            if (value.IsFailure)
            {
                return value;
            }

            if (!entries)
            {
                keys.Add(key);
                values.Add(value);
            }
            else if (value.Kind != CelKind.Map)
            {
                return At(frame.Fail(CelErrorCode.NoSuchOverload, $"transformMapEntry makes each element a map, and this is a {CelType.Of(value)}"), Offset);
            }
            else
            {
                for (var j = 0; j < value.Map.Count; j++)
                {
                    keys.Add(value.Map.KeyAt(j));
                    values.Add(value.Map.ValueAt(j));
                }
            }

            if (keys.Count > frame.Limits.Elements)
            {
                return At(CelOperators.TooMany(frame), Offset);
            }
        }

        if (!frame.Charge(2L * keys.Count))
        {
            return At(frame.TooMany(), Offset);
        }

        return CelMap.TryMake([.. keys], [.. values], out var wrong) is { } map ? CelValue.From(map) : At(frame.Fail(CelErrorCode.BadValue, wrong), Offset);
    }
}

/// <summary><c>cel.bind</c>, <c>optMap</c> and <c>optFlatMap</c>.</summary>
internal sealed class CelBindNode(CelBinding kind, CelNode value, CelNode body, int local, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        var bound = value.Value(frame);
        if (kind == CelBinding.Bind)
        {
            // A value that fails fails what reads it: && and || may still do without it.
            frame.Locals[local] = bound;
            return body.Value(frame);
        }

        if (bound.IsFailure)
        {
            return bound;
        }

        if (bound.Kind != CelKind.Optional)
        {
            return At(frame.Fail(CelErrorCode.NoSuchOverload, $"this takes an optional, and it is given a {CelType.Of(bound)}"), offset);
        }

        if (!bound.HasInner)
        {
            return CelValue.None;
        }

        frame.Locals[local] = bound.Inner;
        var result = body.Value(frame);
        return result.IsFailure || kind == CelBinding.OptFlatMap ? result : CelValue.Some(result);
    }
}
