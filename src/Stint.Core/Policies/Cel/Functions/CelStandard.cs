using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>Sizes, and the functions on texts that the language itself has.</summary>
internal static class CelStandard
{
    public static IEnumerable<CelOverload> All()
    {
        foreach (var member in new[] { false, true })
        {
            yield return new("size", member, [CelType.String], Int, (_, a) => CelValue.From((long)CelText.Length(a[0].String)));
            yield return new("size", member, [Bytes], Int, (_, a) => CelValue.From((long)a[0].Octets.Length), true);
            yield return new("size", member, [CelType.List(T)], Int, (_, a) => CelValue.From((long)a[0].List.Count), true);
            yield return new("size", member, [CelType.Map(T, U)], Int, (_, a) => CelValue.From((long)a[0].Map.Count), true);
            yield return new("matches", member, [CelType.String, CelType.String], Bool, (f, a) => CelRegex.Match(f, a[0].String, a[1].String));
        }

        yield return On("contains", Bool, (_, a) => CelValue.From(a[0].String.Contains(a[1].String, StringComparison.Ordinal)), CelType.String, CelType.String);
        yield return On("startsWith", Bool, (_, a) => CelValue.From(a[0].String.StartsWith(a[1].String, StringComparison.Ordinal)), CelType.String, CelType.String);
        yield return On("endsWith", Bool, (_, a) => CelValue.From(a[0].String.EndsWith(a[1].String, StringComparison.Ordinal)), CelType.String, CelType.String);
    }
}
