using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>The operators that are called like functions. Comparison, <c>in</c> and indexing are only typed here, they are nodes of their own.</summary>
internal static class CelOperators
{
    public static IEnumerable<CelOverload> All()
    {
        foreach (var sign in new[] { "_==_", "_!=_" })
        {
            yield return Of(sign, Bool, Never, T, T);
        }

        CelType[] numbers = [Int, Uint, CelType.Double];
        foreach (var sign in new[] { "_<_", "_<=_", "_>_", "_>=_" })
        {
            foreach (var type in new[] { Bool, CelType.String, Bytes, Timestamp, Duration })
            {
                yield return Of(sign, Bool, Never, type, type);
            }

            foreach (var left in numbers)
            {
                foreach (var right in numbers)
                {
                    yield return Of(sign, Bool, Never, left, right);
                }
            }
        }

        yield return Of("@in", Bool, Never, T, CelType.List(T));
        yield return Of("@in", Bool, Never, T, CelType.Map(T, U));
        yield return Of("_[_]", T, Never, CelType.List(T), Int);
        yield return Of("_[_]", U, Never, CelType.Map(T, U), T);
        yield return Of("_[_]", Optional(T), Never, Optional(CelType.List(T)), Int);
        yield return Of("_[_]", Optional(U), Never, Optional(CelType.Map(T, U)), T);
        yield return Of("_[?_]", Optional(T), Never, CelType.List(T), Int);
        yield return Of("_[?_]", Optional(U), Never, CelType.Map(T, U), T);
        yield return Of("_[?_]", Optional(T), Never, Optional(CelType.List(T)), Int);
        yield return Of("_[?_]", Optional(U), Never, Optional(CelType.Map(T, U)), T);

        yield return Of("!_", Bool, (_, a) => CelValue.From(a[0].Bits == 0), Bool);
        yield return Of("-_", Int, (f, a) => a[0].Bits == long.MinValue ? Overflow(f, "int") : CelValue.From(-a[0].Bits), Int);
        yield return Of("-_", CelType.Double, (_, a) => CelValue.From(-a[0].Floating), CelType.Double);

        foreach (var overload in Sums().Concat(Products()))
        {
            yield return overload;
        }
    }

    private static IEnumerable<CelOverload> Sums()
    {
        yield return Of("_+_", Int, (f, a) => Whole(f, (Int128)a[0].Bits + a[1].Bits), Int, Int);
        yield return Of("_+_", Uint, (f, a) => Natural(f, (Int128)a[0].Unsigned + a[1].Unsigned), Uint, Uint);
        yield return Of("_+_", CelType.Double, (_, a) => CelValue.From(a[0].Floating + a[1].Floating), CelType.Double, CelType.Double);
        yield return Of("_+_", CelType.String, (f, a) => a[0].String.Length + a[1].String.Length > f.Limits.Text ? TooLong(f) : CelValue.From(a[0].String + a[1].String), CelType.String, CelType.String);
        yield return Of("_+_", Bytes, (f, a) => a[0].Octets.Length + a[1].Octets.Length > f.Limits.Text ? TooLong(f) : CelValue.From([.. a[0].Octets, .. a[1].Octets]), Bytes, Bytes);
        yield return Of("_+_", CelType.List(T), Joined, CelType.List(T), CelType.List(T));
        yield return Of("_+_", Timestamp, (f, a) => Moved(f, a[0], a[1].Bits), Timestamp, Duration);
        yield return Of("_+_", Timestamp, (f, a) => Moved(f, a[1], a[0].Bits), Duration, Timestamp);
        yield return Of("_+_", Duration, (f, a) => Length(f, (Int128)a[0].Bits + a[1].Bits), Duration, Duration);
        yield return Of("_-_", Int, (f, a) => Whole(f, (Int128)a[0].Bits - a[1].Bits), Int, Int);
        yield return Of("_-_", Uint, (f, a) => Natural(f, (Int128)a[0].Unsigned - a[1].Unsigned), Uint, Uint);
        yield return Of("_-_", CelType.Double, (_, a) => CelValue.From(a[0].Floating - a[1].Floating), CelType.Double, CelType.Double);
        yield return Of("_-_", Duration, (f, a) => Length(f, CelTime.Between(a[0], a[1])), Timestamp, Timestamp);
        yield return Of("_-_", Timestamp, (f, a) => Moved(f, a[0], -(Int128)a[1].Bits), Timestamp, Duration);
        yield return Of("_-_", Duration, (f, a) => Length(f, (Int128)a[0].Bits - a[1].Bits), Duration, Duration);
    }

    private static IEnumerable<CelOverload> Products()
    {
        yield return Of("_*_", Int, (f, a) => Whole(f, (Int128)a[0].Bits * a[1].Bits), Int, Int);
        yield return Of("_*_", Uint, (f, a) => (UInt128)a[0].Unsigned * a[1].Unsigned is var product && product > ulong.MaxValue ? Overflow(f, "uint") : CelValue.From((ulong)product), Uint, Uint);
        yield return Of("_*_", CelType.Double, (_, a) => CelValue.From(a[0].Floating * a[1].Floating), CelType.Double, CelType.Double);
        yield return Of("_/_", Int, (f, a) => a[1].Bits == 0 ? ByZero(f) : Whole(f, (Int128)a[0].Bits / a[1].Bits), Int, Int);
        yield return Of("_/_", Uint, (f, a) => a[1].Bits == 0 ? ByZero(f) : CelValue.From(a[0].Unsigned / a[1].Unsigned), Uint, Uint);
        yield return Of("_/_", CelType.Double, (_, a) => CelValue.From(a[0].Floating / a[1].Floating), CelType.Double, CelType.Double);
        yield return Of("_%_", Int, (f, a) => a[1].Bits == 0 ? ByZero(f) : CelValue.From((long)((Int128)a[0].Bits % a[1].Bits)), Int, Int);
        yield return Of("_%_", Uint, (f, a) => a[1].Bits == 0 ? ByZero(f) : CelValue.From(a[0].Unsigned % a[1].Unsigned), Uint, Uint);
    }

    public static CelValue TooLong(CelInputs frame) => frame.Fail(CelErrorCode.TooLarge, $"it makes a text or bytes longer than {frame.Limits.Text}; keep less of it");

    public static CelValue TooMany(CelInputs frame) => frame.Fail(CelErrorCode.TooLarge, $"it makes a list or map with more than {frame.Limits.Elements} elements; filter before");

    public static CelValue Overflow(CelInputs frame, string type) => frame.Fail(CelErrorCode.Overflow, $"the result is beyond what {(type == "int" ? "an" : "a")} {type} can hold");

    private static CelValue ByZero(CelInputs frame) => frame.Fail(CelErrorCode.DivisionByZero, "it divides by zero; ask before whether the divisor is 0");

    private static CelValue Whole(CelInputs frame, Int128 value) => value > long.MaxValue || value < long.MinValue ? Overflow(frame, "int") : CelValue.From((long)value);

    private static CelValue Natural(CelInputs frame, Int128 value) => value > ulong.MaxValue || value < 0 ? Overflow(frame, "uint") : CelValue.From((ulong)value);

    private static CelValue Length(CelInputs frame, Int128 value) => value > long.MaxValue || value < long.MinValue ? Overflow(frame, "duration") : CelValue.Duration((long)value);

    private static CelValue Moved(CelInputs frame, in CelValue moment, Int128 by) => CelTime.TryAdd(moment, by, out var moved)
        ? moved
        : frame.Fail(CelErrorCode.Overflow, "the result lies outside of the years 1 to 9999");

    private static CelValue Joined(CelInputs frame, ReadOnlySpan<CelValue> arguments)
    {
        var (left, right) = (arguments[0].List, arguments[1].List);
        if (left.Count == 0)
        {
            return arguments[1];
        }

        if (right.Count == 0)
        {
            return arguments[0];
        }

        if (left.Count + right.Count > frame.Limits.Elements)
        {
            return TooMany(frame);
        }

        var joined = new CelValue[left.Count + right.Count];
        for (var i = 0; i < joined.Length; i++)
        {
            joined[i] = i < left.Count ? left[i] : right[i - left.Count];
        }

        return CelValue.From(CelList.Of(joined));
    }

    private static CelValue Never(CelInputs frame, ReadOnlySpan<CelValue> arguments) => frame.Fail(CelErrorCode.NoSuchOverload, "this operator is not called");
}
