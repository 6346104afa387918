using System.Globalization;

namespace Stint.Core.Policies;

/// <summary>Moments in sentences.</summary>
internal static class Moments
{
    /// <summary><c>3 Dec 2026 14:00 UTC</c>; with seconds where it has any.</summary>
    public static string Say(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString(moment.UtcDateTime.Second == 0 ? "d MMM yyyy HH:mm 'UTC'" : "d MMM yyyy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
