using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>The lists and sets extensions.</summary>
internal static class CelListFunctions
{
    public static IEnumerable<CelOverload> All()
    {
        var list = CelType.List(T);
        yield return On("slice", list, Slice, list, Int, Int);
        yield return On("flatten", CelType.List(Dyn), (f, a) => Flatten(f, a[0].List, 1), CelType.List(Dyn));
        yield return On("flatten", CelType.List(Dyn), (f, a) => a[1].Bits < 0 ? f.Fail(CelErrorCode.BadValue, "flatten() takes how many levels, at least 0") : Flatten(f, a[0].List, a[1].Bits), CelType.List(Dyn), Int);
        yield return On("distinct", list, (f, a) => Distinct(f, a[0].List), list);
        yield return On("reverse", list, (_, a) => Reverse(a[0].List), list);
        yield return On("sort", list, (f, a) => Sort(f, a[0].List), list);
        yield return new("first", true, [list], Optional(T), (_, a) => a[0].List.Count == 0 ? CelValue.None : CelValue.Some(a[0].List[0]), true);
        yield return new("last", true, [list], Optional(T), (_, a) => a[0].List.Count == 0 ? CelValue.None : CelValue.Some(a[0].List[^1]), true);
        yield return Of("lists.range", CelType.List(Int), Range, Int);
        yield return Of("sets.contains", Bool, (f, a) => Contains(f, a[0].List, a[1].List), list, list);
        yield return Of("sets.equivalent", Bool, (f, a) => Contains(f, a[0].List, a[1].List) is { IsTrue: false } no ? no : Contains(f, a[1].List, a[0].List), list, list);
        yield return Of("sets.intersects", Bool, (f, a) => Intersects(f, a[0].List, a[1].List), list, list);
    }

    /// <summary>Whether an element is in a list; a failure when that takes too many steps.</summary>
    public static CelValue In(CelInputs frame, CelList list, in CelValue element)
    {
        if (element.Kind == CelKind.Text)
        {
            var found = list.ContainsText(element.String, frame);
            return frame.Exhausted ? frame.TooMany() : CelValue.From(found);
        }

        if (!frame.Charge(list.Count))
        {
            return frame.TooMany();
        }

        for (var i = 0; i < list.Count; i++)
        {
            if (CelEquality.AreEqual(list[i], element, frame))
            {
                return CelValue.True;
            }
        }

        return frame.Exhausted ? frame.TooMany() : CelValue.False;
    }

    private static CelValue Contains(CelInputs frame, CelList list, CelList part)
    {
        for (var i = 0; i < part.Count; i++)
        {
            if (In(frame, list, part[i]) is { IsTrue: false } no)
            {
                return no;
            }
        }

        return CelValue.True;
    }

    private static CelValue Intersects(CelInputs frame, CelList list, CelList other)
    {
        for (var i = 0; i < other.Count; i++)
        {
            var found = In(frame, list, other[i]);
            if (found.IsTrue || found.IsFailure)
            {
                return found;
            }
        }

        return CelValue.False;
    }

    private static CelValue Slice(CelInputs frame, ReadOnlySpan<CelValue> a)
    {
        var (list, from, to) = (a[0].List, a[1].Bits, a[2].Bits);
        if (from < 0 || to > list.Count || from > to)
        {
            return frame.Fail(CelErrorCode.BadValue, $"the list has no elements from {from} to {to}; ask for its size() before");
        }

        var slice = new CelValue[to - from];
        for (var i = 0; i < slice.Length; i++)
        {
            slice[i] = list[(int)from + i];
        }

        return CelValue.From(CelList.Of(slice));
    }

    private static CelValue Flatten(CelInputs frame, CelList list, long depth)
    {
        var flat = new List<CelValue>();
        return Flatten(frame, list, depth, flat) is { } failure ? failure : CelValue.From(CelList.Of([.. flat]));
    }

    private static CelValue? Flatten(CelInputs frame, CelList list, long depth, List<CelValue> flat)
    {
        for (var i = 0; i < list.Count; i++)
        {
            var one = list[i];
            if (!frame.Charge(1))
            {
                return frame.TooMany();
            }

            if (one.Kind != CelKind.List || depth == 0)
            {
                flat.Add(one);
                if (flat.Count > frame.Limits.Elements)
                {
                    return CelOperators.TooMany(frame);
                }
            }
            else if (Flatten(frame, one.List, depth - 1, flat) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private static CelValue Distinct(CelInputs frame, CelList list)
    {
        var seen = new List<CelValue>();
        for (var i = 0; i < list.Count; i++)
        {
            var one = list[i];
            if (!frame.Charge(seen.Count))
            {
                return frame.TooMany();
            }

            if (!seen.Exists(other => CelEquality.AreEqual(other, one, frame)))
            {
                seen.Add(one);
            }
        }

        return frame.Exhausted ? frame.TooMany() : CelValue.From(CelList.Of([.. seen]));
    }

    private static CelValue Reverse(CelList list)
    {
        var reversed = new CelValue[list.Count];
        for (var i = 0; i < reversed.Length; i++)
        {
            reversed[i] = list[list.Count - 1 - i];
        }

        return CelValue.From(CelList.Of(reversed));
    }

    private static CelValue Sort(CelInputs frame, CelList list)
    {
        var sorted = new CelValue[list.Count];
        var weight = 0L;
        for (var i = 0; i < sorted.Length; i++)
        {
            sorted[i] = list[i];
            weight += 1 + (sorted[i].Kind == CelKind.Text ? sorted[i].String.Length >> 4 : 0);
            if (sorted[i].Kind != sorted[0].Kind || !CelEquality.TryCompare(sorted[i], sorted[i], out _))
            {
                return frame.Fail(CelErrorCode.NoSuchOverload, "sort() takes a list of one ordered type: numbers, strings, bytes, bools, timestamps or durations");
            }
        }

        if (!frame.Charge(weight * (1 + (long)Math.Log2(sorted.Length + 1))))
        {
            return frame.TooMany();
        }

        // Stable, so that equal elements keep their order; NaN goes last.
        return CelValue.From(CelList.Of([.. sorted.Order(Comparer<CelValue>.Create(static (a, b) => CelEquality.TryCompare(a, b, out var order) && order != CelEquality.NoOrder ? order : double.IsNaN(a.Floating).CompareTo(double.IsNaN(b.Floating))))]));
    }

    private static CelValue Range(CelInputs frame, ReadOnlySpan<CelValue> a)
    {
        var count = a[0].Bits;
        if (count > frame.Limits.Elements)
        {
            return CelOperators.TooMany(frame);
        }

        if (!frame.Charge(Math.Max(0, count)))
        {
            return frame.TooMany();
        }

        var range = new CelValue[Math.Max(0, count)];
        for (var i = 0; i < range.Length; i++)
        {
            range[i] = CelValue.From((long)i);
        }

        return CelValue.From(CelList.Of(range));
    }
}
