using System.Runtime.CompilerServices;

namespace Stint.Core.Policies.Cel;

/// <summary>
/// A compiled part of an expression. A whole value can always be had; a part that is a condition or a text can be asked for just
/// that, which saves building the value.
/// </summary>
internal abstract class CelNode
{
    /// <summary>The value, or a failure.</summary>
    public abstract CelValue Value(CelInputs frame);

    /// <summary>The value as a condition; <see cref="CelInputs.Failure"/> says why it could not be evaluated.</summary>
    public virtual CelTruth Test(CelInputs frame)
    {
        var value = Value(frame);
        return value.Kind == CelKind.Truth ? (CelTruth)value.Bits : frame.FailTest(value.IsFailure
            ? value
            : frame.Fail(CelErrorCode.NoSuchOverload, $"a condition is needed, and this is a {CelType.Of(value)}"));
    }

    /// <summary>The value as a text; null with <see cref="CelInputs.Failure"/> when it fails or is no text.</summary>
    public virtual string? Text(CelInputs frame)
    {
        var value = Value(frame);
        if (value.Kind == CelKind.Text)
        {
            return value.String;
        }

        frame.FailTest(value.IsFailure ? value : frame.Fail(CelErrorCode.NoSuchOverload, $"a string is needed, and this is a {CelType.Of(value)}"));
        return null;
    }

    /// <summary>Marks a failure with the place that it comes from, unless it has one.</summary>
    protected static CelValue At(CelValue value, int offset)
    {
        if (value.IsFailure && value.Error.Offset < 0)
        {
            value.Error.Offset = offset;
        }

        return value;
    }
}

/// <summary>A part that is a condition.</summary>
internal abstract class CelConditionNode : CelNode
{
    public abstract override CelTruth Test(CelInputs frame);

    public sealed override CelValue Value(CelInputs frame) => Test(frame) switch
    {
        CelTruth.True => CelValue.True,
        CelTruth.False => CelValue.False,
        _ => CelValue.Fail(frame.Failure!),
    };
}

internal sealed class CelConstantNode(CelValue value) : CelNode
{
    public CelValue Constant => value;

    public override CelValue Value(CelInputs frame) => value;
}

/// <summary>Always the same failure, as for a name that nothing is known under; only without the type check.</summary>
internal sealed class CelFailureNode(CelErrorCode code, string message, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame) => At(frame.Fail(code, message), offset);
}

internal sealed class CelLocalNode(int local) : CelNode
{
    public override CelValue Value(CelInputs frame) => frame.Locals[local];
}

/// <summary>An input.</summary>
internal sealed class CelSlotNode(int slot, string path, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        ref readonly var value = ref frame.Slots[slot];
        return value.Kind > CelKind.Failure ? value : Missing(frame);
    }

    public override CelTruth Test(CelInputs frame)
    {
        ref readonly var value = ref frame.Slots[slot];
        return value.Kind == CelKind.Truth ? (CelTruth)value.Bits : base.Test(frame);
    }

    public override string? Text(CelInputs frame)
    {
        ref readonly var value = ref frame.Slots[slot];
        return value.Kind == CelKind.Text ? value.String : base.Text(frame);
    }

    /// <summary>The map in it, without copying the value; null when it is anything else.</summary>
    public CelMap? Map(CelInputs frame)
    {
        ref readonly var value = ref frame.Slots[slot];
        return value.Kind == CelKind.Map ? value.Map : null;
    }

    /// <summary>The list in it; null when it is anything else.</summary>
    public CelList? List(CelInputs frame)
    {
        ref readonly var value = ref frame.Slots[slot];
        return value.Kind == CelKind.List ? value.List : null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CelValue Missing(CelInputs frame)
    {
        var value = frame.Read(slot);
        return value.Kind == CelKind.Absent
            ? At(frame.Fail(CelErrorCode.Absent, $"{path} is not given here; ask has({path}) before"), offset)
            : value;
    }
}

/// <summary>Whether an input is there: any field of it, when it is a shape.</summary>
internal sealed class CelHasSlotNode(int[] slots) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame)
    {
        foreach (var slot in slots)
        {
            if (frame.Read(slot).Kind != CelKind.Absent)
            {
                return CelTruth.True;
            }
        }

        return CelTruth.False;
    }
}

/// <summary>An input that may be missing, as an optional.</summary>
internal sealed class CelMaybeNode(int[] slots, CelNode inner) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        foreach (var slot in slots)
        {
            if (frame.Read(slot).Kind != CelKind.Absent)
            {
                var value = inner.Value(frame);
                return value.IsFailure ? value : CelValue.Some(value);
            }
        }

        return CelValue.None;
    }
}

/// <summary>A whole shape that lies in slots, gathered because something takes it as one value.</summary>
internal sealed class CelGatherNode(CelPlace place) : CelNode
{
    public override CelValue Value(CelInputs frame) => Gather(frame, place);

    private static CelValue Gather(CelInputs frame, CelPlace place)
    {
        var shape = place.Field.Type.Shape!;
        var values = new CelValue[shape.Fields.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var child = place.Children![shape.Fields[i].Name];
            values[i] = child.Slot >= 0 ? frame.Read(child.Slot) : Gather(frame, child);
        }

        return new CelRecord(shape, values).ToValue();
    }
}

/// <summary>A call of a function. The values' types are always looked at, whatever the check of the source said: an input may lie.</summary>
internal sealed class CelCallNode(string name, bool member, CelOverload[] overloads, CelNode[] arguments, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        var room = default(Room);
        var weight = 1L;
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = arguments[i].Value(frame);
            if (value.IsFailure)
            {
                return value;
            }

            weight += value.Kind switch
            {
                CelKind.Text => value.String.Length >> 4,
                CelKind.Bytes => value.Octets.Length >> 4,
                CelKind.List when !overloads[0].Flat => value.List.Count,
                CelKind.Map when !overloads[0].Flat => value.Map.Count,
                _ => 0,
            };
            room[i] = value;
        }

        if (!frame.Charge(weight))
        {
            return At(frame.TooMany(), offset);
        }

        ReadOnlySpan<CelValue> given = room;
        given = given[..arguments.Length];
        foreach (var overload in overloads)
        {
            if (overload.Takes(given))
            {
                return At(overload.Body(frame, given), offset);
            }
        }

        return At(None(frame, given), offset);
    }

    private CelValue None(CelInputs frame, ReadOnlySpan<CelValue> given)
    {
        var types = new List<CelType>();
        foreach (ref readonly var value in given)
        {
            types.Add(CelType.Of(value));
        }

        return frame.Fail(CelErrorCode.NoSuchOverload, $"there is no {CelWriting.Signature(name, member, types)}; convert what it is given");
    }

    [InlineArray(CelLibrary.MostArguments)]
    private struct Room
    {
        private CelValue _first;
    }
}

/// <summary><c>matches</c> with a pattern that was compiled with the source.</summary>
internal sealed class CelMatchNode(CelNode text, System.Text.RegularExpressions.Regex regex, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame) => text.Text(frame) is { } read ? At(CelRegex.Match(frame, read, regex), offset) : CelValue.Fail(frame.Failure!);
}

/// <summary>A part of a moment in a zone that was found with the source.</summary>
internal sealed class CelZoneNode(CelNode moment, string part, TimeZoneInfo zone, int offset) : CelNode
{
    public override CelValue Value(CelInputs frame)
    {
        var value = moment.Value(frame);
        return value.Kind == CelKind.Timestamp ? CelValue.From(CelTime.Part(part, value, zone))
            : value.IsFailure ? value
            : At(frame.Fail(CelErrorCode.NoSuchOverload, $"{part} in a zone takes a timestamp, not a {CelType.Of(value)}"), offset);
    }
}

/// <summary>Notes what a smallest condition came to, for whoever looks at coverage.</summary>
internal sealed class CelAtomNode(CelNode inner, int index) : CelConditionNode
{
    public override CelTruth Test(CelInputs frame) => frame.Atoms![index] = inner.Test(frame);
}
