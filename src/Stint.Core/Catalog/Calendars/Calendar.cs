namespace Stint.Core.Catalog.Calendars;

/// <summary>Times with a name: windows that come again, and days.</summary>
public sealed record Calendar
{
    public required string Name { get; init; }

    /// <summary>Where it stands in the catalog.</summary>
    public CatalogPlace Place { get; init; }

    /// <summary>Whose wall clock counts.</summary>
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>The windows that come again; null for none.</summary>
    public RecurringWindow? Window { get; init; }

    /// <summary>Whole days, both ends included.</summary>
    public IReadOnlyList<Days> Dates { get; init; } = [];

    /// <summary>Days on which no window begins.</summary>
    public IReadOnlyList<Days> Except { get; init; } = [];

    /// <summary>When the time that a moment lies in ends; null when it lies in none. Of several the latest.</summary>
    public DateTimeOffset? EndAt(DateTimeOffset moment)
    {
        DateTimeOffset? end = null;
        foreach (var (from, until) in Around(moment))
        {
            if (from > moment)
            {
                break;
            }

            end = until > moment && (end is null || until > end) ? until : end;
        }

        foreach (var (from, until) in Dates.Select(Span))
        {
            end = from <= moment && until > moment && (end is null || until > end) ? until : end;
        }

        return end;
    }

    /// <summary>When it begins next after a moment; null when it never does again.</summary>
    public DateTimeOffset? StartAfter(DateTimeOffset moment)
    {
        DateTimeOffset? next = null;
        foreach (var (from, until) in Around(moment))
        {
            if (from > moment && until > from)
            {
                next = from;
                break;
            }
        }

        foreach (var (from, until) in Dates.Select(Span))
        {
            next = from > moment && until > from && (next is null || from < next) ? from : next;
        }

        return next;
    }

    /// <summary>The windows that could hold a moment, and those after it, in the order of their beginnings.</summary>
    private IEnumerable<(DateTimeOffset From, DateTimeOffset Until)> Around(DateTimeOffset moment)
    {
        if (Window is not { } window)
        {
            yield break;
        }

        // A day more than the window is long: the clock may have been changed in between.
        var local = DateOnly.FromDateTime(ZoneClock.Local(moment, Zone));
        var back = (int)Math.Ceiling(window.For.TotalDays) + 2;
        var from = local.DayNumber > back ? local.AddDays(-back) : DateOnly.MinValue;
        foreach (var day in window.Rule.From(window.Starts, from).Where(day => !Except.Any(one => one.Holds(day))))
        {
            var begins = ZoneClock.Instant(day.ToDateTime(window.At), Zone);
            yield return (begins, begins + window.For);
        }
    }

    private (DateTimeOffset From, DateTimeOffset Until) Span(Days days) =>
        (ZoneClock.Instant(days.First.ToDateTime(TimeOnly.MinValue), Zone), ZoneClock.Instant(days.Last.AddDays(1).ToDateTime(TimeOnly.MinValue), Zone));
}

/// <summary>A window that comes again.</summary>
/// <param name="Rule">On which days it begins.</param>
/// <param name="Starts">The day from which the rule counts.</param>
/// <param name="At">At which time on the zone's clock it begins. One that the clock leaves out comes at the gap's end; one that it shows twice, the first time.</param>
/// <param name="For">How long it lasts: elapsed time, whatever the clock does meanwhile.</param>
public sealed record RecurringWindow(Recurrence Rule, DateOnly Starts, TimeOnly At, TimeSpan For);

/// <summary>Days in a row.</summary>
/// <param name="First">The first.</param>
/// <param name="Last">The last, included.</param>
public readonly record struct Days(DateOnly First, DateOnly Last)
{
    /// <summary>Whether a day is among them.</summary>
    public bool Holds(DateOnly day) => First <= day && day <= Last;
}

/// <summary>Several calendars taken together: any of them will do.</summary>
public static class Together
{
    private const int MostJoined = 1_000;

    /// <summary>When the time that a moment lies in ends, what follows without a gap counted; null when it lies in none.</summary>
    /// <remarks>Looks no further than the longest grant: an end beyond that says as much as none.</remarks>
    public static DateTimeOffset? EndAt(IReadOnlyList<Calendar> calendars, DateTimeOffset moment)
    {
        var end = moment;
        for (var joined = 0; joined < MostJoined && end - moment < Words.LongestDuration && calendars.Max(one => one.EndAt(end)) is { } later; joined++)
        {
            end = later;
        }

        return end == moment ? null : end;
    }

    /// <summary>When one of them begins next after a moment; null when none does again.</summary>
    public static DateTimeOffset? StartAfter(IReadOnlyList<Calendar> calendars, DateTimeOffset moment) => calendars.Min(one => one.StartAfter(moment));

    /// <summary>Whether a moment lies in one of them.</summary>
    public static bool Hold(IReadOnlyList<Calendar> calendars, DateTimeOffset moment) => calendars.Any(one => one.EndAt(moment) is not null);

    /// <summary><c>maintenance</c>, <c>nights or weekends</c>.</summary>
    public static string Say(IReadOnlyList<Calendar> calendars) => string.Join(" or ", calendars.Select(one => one.Name));
}
