using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>Parts of moments, in UTC or a zone, and of lengths of time.</summary>
internal static class CelTimeFunctions
{
    public static readonly string[] Parts =
        ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"];

    public static IEnumerable<CelOverload> All()
    {
        foreach (var part in Parts)
        {
            yield return On(part, Int, (_, a) => CelValue.From(CelTime.Part(part, a[0], TimeZoneInfo.Utc)), Timestamp);
            yield return On(part, Int, (f, a) => CelTime.Zone(a[1].String) is { } zone
                ? CelValue.From(CelTime.Part(part, a[0], zone))
                : f.Fail(CelErrorCode.BadValue, CelConstants.NoZone), Timestamp, CelType.String);
        }

        yield return On("getHours", Int, (_, a) => CelValue.From(a[0].Bits / 3_600_000_000_000), Duration);
        yield return On("getMinutes", Int, (_, a) => CelValue.From(a[0].Bits / 60_000_000_000), Duration);
        yield return On("getSeconds", Int, (_, a) => CelValue.From(a[0].Bits / 1_000_000_000), Duration);
        // Only the part below a second, as the specification's own cases have it.
        yield return On("getMilliseconds", Int, (_, a) => CelValue.From(a[0].Bits / 1_000_000 % 1000), Duration);
    }
}
