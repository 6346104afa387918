using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary><c>math.*</c></summary>
internal static class CelMathFunctions
{
    public static IEnumerable<CelOverload> All()
    {
        // With several arguments the checker hands them over as one list.
        foreach (var (name, sign) in new[] { ("math.greatest", 1), ("math.least", -1) })
        {
            foreach (var type in new[] { Int, Uint, CelType.Double })
            {
                yield return Of(name, type, (_, a) => a[0], type);
            }

            yield return Of(name, T, (f, a) => Extreme(f, a[0].List, sign), CelType.List(T));
        }

        foreach (var (name, round) in new (string, Func<double, double>)[] { ("math.ceil", Math.Ceiling), ("math.floor", Math.Floor), ("math.trunc", Math.Truncate), ("math.round", d => Math.Round(d, MidpointRounding.AwayFromZero)), ("math.sqrt", Math.Sqrt) })
        {
            yield return Of(name, CelType.Double, (_, a) => CelValue.From(round(a[0].Floating)), CelType.Double);
        }

        yield return Of("math.sqrt", CelType.Double, (_, a) => CelValue.From(Math.Sqrt(a[0].Bits)), Int);
        yield return Of("math.sqrt", CelType.Double, (_, a) => CelValue.From(Math.Sqrt(a[0].Unsigned)), Uint);
        yield return Of("math.abs", Int, (f, a) => a[0].Bits == long.MinValue ? CelOperators.Overflow(f, "int") : CelValue.From(Math.Abs(a[0].Bits)), Int);
        yield return Of("math.abs", Uint, (_, a) => a[0], Uint);
        yield return Of("math.abs", CelType.Double, (_, a) => CelValue.From(Math.Abs(a[0].Floating)), CelType.Double);
        yield return Of("math.sign", Int, (_, a) => CelValue.From((long)Math.Sign(a[0].Bits)), Int);
        yield return Of("math.sign", Uint, (_, a) => CelValue.From(a[0].Bits == 0 ? 0UL : 1UL), Uint);
        yield return Of("math.sign", CelType.Double, (_, a) => double.IsNaN(a[0].Floating) ? a[0] : CelValue.From((double)Math.Sign(a[0].Floating)), CelType.Double);
        yield return Of("math.isNaN", Bool, (_, a) => CelValue.From(double.IsNaN(a[0].Floating)), CelType.Double);
        yield return Of("math.isInf", Bool, (_, a) => CelValue.From(double.IsInfinity(a[0].Floating)), CelType.Double);
        yield return Of("math.isFinite", Bool, (_, a) => CelValue.From(double.IsFinite(a[0].Floating)), CelType.Double);

        foreach (var (type, kind) in new[] { (Int, CelKind.Signed), (Uint, CelKind.Unsigned) })
        {
            yield return Of("math.bitAnd", type, (_, a) => new CelValue(kind, a[0].Bits & a[1].Bits), type, type);
            yield return Of("math.bitOr", type, (_, a) => new CelValue(kind, a[0].Bits | a[1].Bits), type, type);
            yield return Of("math.bitXor", type, (_, a) => new CelValue(kind, a[0].Bits ^ a[1].Bits), type, type);
            yield return Of("math.bitNot", type, (_, a) => new CelValue(kind, ~a[0].Bits), type);
            yield return Of("math.bitShiftLeft", type, (f, a) => Shifted(f, kind, a, true), type, Int);
            yield return Of("math.bitShiftRight", type, (f, a) => Shifted(f, kind, a, false), type, Int);
        }
    }

    // The sign is shifted like any other bit.
    private static CelValue Shifted(CelInputs frame, CelKind kind, ReadOnlySpan<CelValue> a, bool left)
    {
        var by = a[1].Bits;
        return by < 0 ? frame.Fail(CelErrorCode.BadValue, "it shifts by a negative number of bits; shift the other way")
            : by > 63 ? new CelValue(kind, 0)
            : new CelValue(kind, left ? a[0].Bits << (int)by : (long)(a[0].Unsigned >> (int)by));
    }

    private static CelValue Extreme(CelInputs frame, CelList list, int sign)
    {
        if (list.Count == 0)
        {
            return frame.Fail(CelErrorCode.BadValue, "the list is empty, so it has no greatest or least; ask for its size() before");
        }

        var best = list[0];
        for (var i = 0; i < list.Count; i++)
        {
            var one = list[i];
            if (!CelEquality.IsNumber(one.Kind))
            {
                return frame.Fail(CelErrorCode.NoSuchOverload, $"it takes numbers, not a {CelType.Of(one)}");
            }

            if (CelEquality.TryCompare(one, best, out var order) && order != CelEquality.NoOrder && Math.Sign(order) == sign)
            {
                best = one;
            }
        }

        return best;
    }
}
