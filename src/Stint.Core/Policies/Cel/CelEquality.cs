namespace Stint.Core.Policies.Cel;

/// <summary>Equality, order and hashes of values, as the language has them.</summary>
internal static class CelEquality
{
    /// <summary>Whether two values are equal. Values of different types differ, except numbers.</summary>
    /// <param name="frame">Pays for what is looked at; null when it is known to be small. When it cannot pay, the answer is false.</param>
    public static bool AreEqual(in CelValue a, in CelValue b, CelInputs? frame)
    {
        if (a.Kind != b.Kind)
        {
            return TryCompareNumbers(a, b, out var order) && order == 0;
        }

        switch (a.Kind)
        {
            case CelKind.Truth:
            case CelKind.Signed:
            case CelKind.Unsigned:
            case CelKind.Duration:
                return a.Bits == b.Bits;
            case CelKind.Timestamp:
                return a.Bits == b.Bits && a.Nanos == b.Nanos;
            case CelKind.Floating:
                return a.Floating == b.Floating;
            case CelKind.Text:
                return string.Equals(a.String, b.String) && Paid(frame, a.String.Length >> 4);
            case CelKind.Bytes:
                return a.Octets.AsSpan().SequenceEqual(b.Octets) && Paid(frame, a.Octets.Length >> 4);
            case CelKind.Null:
                return true;
            case CelKind.List:
                return Same(a.List, b.List, frame);
            case CelKind.Map:
                return Same(a.Map, b.Map, frame);
            case CelKind.Optional:
                return a.HasInner == b.HasInner && (!a.HasInner || (Paid(frame, 1) && AreEqual(a.Inner, b.Inner, frame)));
            case CelKind.Record:
                return a.Record.Shape == b.Record.Shape && Same(a.Record.Values, b.Record.Values, frame);
            case CelKind.Kind:
                return a.Type.Name == b.Type.Name;
            case CelKind.Address:
            case CelKind.Network:
                return a.Ref!.Equals(b.Ref);
            case CelKind.Absent:
                return true;
            default:
                return false;
        }
    }

    /// <summary>The order of two values of one ordered type, or of two numbers; false when they have none. NaN has no order.</summary>
    public static bool TryCompare(in CelValue a, in CelValue b, out int order)
    {
        order = 0;
        if (a.Kind != b.Kind)
        {
            return TryCompareNumbers(a, b, out order);
        }

        switch (a.Kind)
        {
            case CelKind.Signed:
            case CelKind.Truth:
            case CelKind.Duration:
                order = a.Bits.CompareTo(b.Bits);
                return true;
            case CelKind.Unsigned:
                order = a.Unsigned.CompareTo(b.Unsigned);
                return true;
            case CelKind.Floating:
                order = a.Floating < b.Floating ? -1 : a.Floating > b.Floating ? 1 : a.Floating == b.Floating ? 0 : NoOrder;
                return true;
            case CelKind.Text:
                order = CelText.Compare(a.String, b.String);
                return true;
            case CelKind.Bytes:
                order = a.Octets.AsSpan().SequenceCompareTo(b.Octets);
                return true;
            case CelKind.Timestamp:
                order = a.Bits.CompareTo(b.Bits);
                order = order != 0 ? order : a.Nanos.CompareTo(b.Nanos);
                return true;
            default:
                return false;
        }
    }

    /// <summary>What <see cref="TryCompare"/> gives for NaN beside any number: neither less, nor equal, nor more.</summary>
    public const int NoOrder = int.MinValue;

    private const double TwoTo63 = 9223372036854775808.0;

    /// <summary>A key as the maps hold them: a double that is a whole number is that number; false for any other double.</summary>
    public static bool TryKey(in CelValue key, out CelValue held)
    {
        held = key;
        if (key.Kind != CelKind.Floating)
        {
            return true;
        }

        var number = key.Floating;
        var whole = Math.Floor(number) == number && number is >= -TwoTo63 and < TwoTo63 * 2;
        held = !whole ? key : number < TwoTo63 ? CelValue.From((long)number) : CelValue.From((ulong)number);
        return whole;
    }

    public static bool IsNumber(CelKind kind) => kind is CelKind.Signed or CelKind.Unsigned or CelKind.Floating;

    public static int Hash(in CelValue value) => value.Kind switch
    {
        CelKind.Text => string.GetHashCode(value.String, StringComparison.Ordinal),
        CelKind.Truth => value.Bits != 0 ? 1231 : 1237,
        // Numbers that are equal across their types hash alike; adding zero makes one of the two zeros.
        CelKind.Signed => ((double)value.Bits).GetHashCode(),
        CelKind.Unsigned => ((double)value.Unsigned).GetHashCode(),
        CelKind.Floating => (value.Floating + 0.0).GetHashCode(),
        CelKind.Duration or CelKind.Timestamp => HashCode.Combine(value.Kind, value.Bits, value.Nanos),
        CelKind.List => HashCode.Combine(value.Kind, value.List.Count),
        CelKind.Map => HashCode.Combine(value.Kind, value.Map.Count),
        CelKind.Address or CelKind.Network => value.Ref!.GetHashCode(),
        _ => (int)value.Kind,
    };

    private static bool Paid(CelInputs? frame, int steps) => frame is null || frame.Charge(steps);

    private static bool Same(CelList a, CelList b, CelInputs? frame)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        if (!Paid(frame, a.Count))
        {
            return false;
        }

        for (var i = 0; i < a.Count; i++)
        {
            if (!AreEqual(a[i], b[i], frame))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Same(CelMap a, CelMap b, CelInputs? frame)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        if (!Paid(frame, 2 * a.Count))
        {
            return false;
        }

        for (var i = 0; i < a.Count; i++)
        {
            if (!b.TryGet(a.KeyAt(i), out var other) || !AreEqual(a.ValueAt(i), other, frame))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Same(CelValue[] a, CelValue[] b, CelInputs? frame)
    {
        if (!Paid(frame, a.Length))
        {
            return false;
        }

        for (var i = 0; i < a.Length; i++)
        {
            if (!AreEqual(a[i], b[i], frame))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryCompareNumbers(in CelValue a, in CelValue b, out int order)
    {
        order = 0;
        if (!IsNumber(a.Kind) || !IsNumber(b.Kind))
        {
            return false;
        }

        order = (a.Kind, b.Kind) switch
        {
            (CelKind.Signed, CelKind.Unsigned) => a.Bits < 0 ? -1 : ((ulong)a.Bits).CompareTo(b.Unsigned),
            (CelKind.Unsigned, CelKind.Signed) => b.Bits < 0 ? 1 : a.Unsigned.CompareTo((ulong)b.Bits),
            (CelKind.Signed, _) => Compare(a.Bits, b.Floating, -TwoTo63, TwoTo63),
            (CelKind.Unsigned, _) => Compare(a.Unsigned, b.Floating, 0, TwoTo63 * 2),
            (_, CelKind.Signed) => Turned(Compare(b.Bits, a.Floating, -TwoTo63, TwoTo63)),
            _ => Turned(Compare(b.Unsigned, a.Floating, 0, TwoTo63 * 2)),
        };
        return true;
    }

    private static int Turned(int order) => order == NoOrder ? NoOrder : -order;

    // Within the bounds of the type the whole number is taken as a double, which loses what a double cannot hold: the
    // specification's own cases have it so. Keys of maps are looked up without loss, see CelMap.
    private static int Compare(Int128 whole, double floating, double least, double most)
    {
        if (double.IsNaN(floating))
        {
            return NoOrder;
        }

        return floating < least ? 1 : floating > most ? -1 : ((double)whole).CompareTo(floating);
    }
}
