using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>Values that may be missing.</summary>
internal static class CelOptionalFunctions
{
    public static IEnumerable<CelOverload> All()
    {
        yield return new("optional.none", false, [], Optional(T), (_, _) => CelValue.None);
        yield return new("optional.of", false, [T], Optional(T), (_, a) => CelValue.Some(a[0]), true);
        yield return new("optional.ofNonZeroValue", false, [T], Optional(T), (_, a) => IsZero(a[0]) ? CelValue.None : CelValue.Some(a[0]), true);
        yield return On("hasValue", Bool, (_, a) => CelValue.From(a[0].HasInner), Optional(T));
        yield return On("value", T, (f, a) => a[0].HasInner ? a[0].Inner : f.Fail(CelErrorCode.Absent, "the optional is empty; ask hasValue() before, or write orValue(…)"), Optional(T));
        yield return On("orValue", T, (_, a) => a[0].HasInner ? a[0].Inner : a[1], Optional(T), T);
        yield return On("or", Optional(T), (_, a) => a[0].HasInner ? a[0] : a[1], Optional(T), Optional(T));
    }

    private static bool IsZero(in CelValue value) => value.Kind switch
    {
        CelKind.Null => true,
        CelKind.Truth or CelKind.Signed or CelKind.Unsigned or CelKind.Duration => value.Bits == 0,
        CelKind.Timestamp => value.Bits == 0 && value.Nanos == 0,
        CelKind.Floating => value.Floating == 0,
        CelKind.Text => value.String.Length == 0,
        CelKind.Bytes => value.Octets.Length == 0,
        CelKind.List => value.List.Count == 0,
        CelKind.Map => value.Map.Count == 0,
        CelKind.Optional => !value.HasInner,
        _ => false,
    };
}
