using System.Globalization;

namespace Stint.Gateway.Relaying;

/// <summary>Says things to people.</summary>
internal static class Words
{
    /// <summary>A span of time.</summary>
    public static string Of(TimeSpan span) => span switch
    {
        { TotalHours: >= 1 } when span.Minutes == 0 && span.Seconds == 0 => Count((long)span.TotalHours, "hour"),
        { TotalMinutes: >= 1 } when span.Seconds == 0 => Count((long)span.TotalMinutes, "minute"),
        { TotalSeconds: >= 1 } => Count((long)span.TotalSeconds, "second"),
        _ => Count((long)span.TotalMilliseconds, "millisecond"),
    };

    private static string Count(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
