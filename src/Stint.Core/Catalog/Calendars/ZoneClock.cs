namespace Stint.Core.Catalog.Calendars;

/// <summary>The wall clock of a time zone.</summary>
public static class ZoneClock
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>
    /// The first moment at which a zone's clock shows a time, or has gone past it: the first one when it shows it twice, the
    /// end of the gap when it never does.
    /// </summary>
    /// <remarks>
    /// A gap may be an hour, half an hour, or a whole day that a zone skipped. A day before and a day after are on either
    /// side of any one change of the clock, and no zone changes twice within two days.
    /// </remarks>
    public static DateTimeOffset Instant(DateTime local, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var around = DateTime.SpecifyKind(local, DateTimeKind.Utc);
        var before = zone.GetUtcOffset(Shifted(around, -Day));
        var after = zone.GetUtcOffset(Shifted(around, Day));
        var early = Shifted(around, -before);
        if (before == after || zone.GetUtcOffset(early) == before)
        {
            return new DateTimeOffset(early).ToOffset(before);
        }

        var late = Shifted(around, -after);
        if (zone.GetUtcOffset(late) == after)
        {
            return new DateTimeOffset(late).ToOffset(after);
        }

        // In the gap: with the offset from before it lies after the change, with the one from after it lies before.
        var (from, to) = late < early ? (late, early) : (early, late);
        while (to - from > TimeSpan.FromTicks(1))
        {
            var middle = from + ((to - from) / 2);
            (from, to) = zone.GetUtcOffset(middle) == before ? (middle, to) : (from, middle);
        }

        return new DateTimeOffset(to).ToOffset(zone.GetUtcOffset(to));
    }

    /// <summary>What a zone's clock shows at a moment.</summary>
    public static DateTime Local(DateTimeOffset moment, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(moment, zone).DateTime;

    /// <summary>The IANA zone of that name; null when there is none.</summary>
    public static TimeZoneInfo? Find(string? id) => id is { Length: > 0 and <= 64 } && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) && zone.HasIanaId ? zone : null;

    // At either end of what a calendar can say there is nothing to look at: the end itself will do.
    private static DateTime Shifted(DateTime moment, TimeSpan by) =>
        by < TimeSpan.Zero && moment - DateTime.MinValue < -by ? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)
        : by > TimeSpan.Zero && DateTime.MaxValue - moment < by ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)
        : moment + by;
}
