namespace Stint.Core.Catalog.Calendars;

/// <summary>What a rule counts in. The values are those of RFC 5545, section 3.3.10, that Stint takes: access by the hour or the second is no calendar.</summary>
public enum Frequency
{
    /// <summary>Days.</summary>
    Daily = 1,

    /// <summary>Weeks, from <see cref="Recurrence.WeekStart"/> on.</summary>
    Weekly = 2,

    /// <summary>Calendar months.</summary>
    Monthly = 3,

    /// <summary>Calendar years.</summary>
    Yearly = 4,
}

/// <summary>A day of a <c>BYDAY</c>.</summary>
/// <param name="Nth">Which of them in the month or year, counted from its end when negative; 0 for each.</param>
/// <param name="Day">The day of the week.</param>
public readonly record struct NthDay(int Nth, DayOfWeek Day);

/// <summary>On which days something happens again: a recurrence rule of RFC 5545 whose smallest part is a day.</summary>
/// <remarks>
/// Days are those of a zone's wall calendar; what time of day they mean is said beside the rule. Every question about a
/// rule is bounded: a period has at most 366 days, and nobody looks further than <see cref="Furthest"/>.
/// </remarks>
public sealed record Recurrence
{
    /// <summary>How far from the asked day the next one may lie; a rule that rests longer is over.</summary>
    public const int Furthest = 30 * 366;

    /// <summary>Largest <c>COUNT</c>.</summary>
    public const int MostTimes = 1_000;

    /// <summary>As it was written, in capitals.</summary>
    public required string Text { get; init; }

    public required Frequency Frequency { get; init; }

    /// <summary>Every how many periods; at least 1.</summary>
    public int Interval { get; init; } = 1;

    /// <summary>How many times; null for without end, or until <see cref="Until"/>.</summary>
    public int? Count { get; init; }

    /// <summary>The last day on which it may happen; null for none.</summary>
    public DateOnly? Until { get; init; }

    /// <summary><c>BYDAY</c>; empty for none.</summary>
    public IReadOnlyList<NthDay> Days { get; init; } = [];

    /// <summary><c>BYMONTHDAY</c>: 1 to 31, or −1 to −31 from the month's end; empty for none.</summary>
    public IReadOnlyList<int> MonthDays { get; init; } = [];

    /// <summary><c>BYMONTH</c>; empty for none.</summary>
    public IReadOnlyList<int> Months { get; init; } = [];

    /// <summary><c>BYSETPOS</c>: which days of a period's; empty for all.</summary>
    public IReadOnlyList<int> Positions { get; init; } = [];

    /// <summary>The first day of a week, which matters to every second week.</summary>
    public DayOfWeek WeekStart { get; init; } = DayOfWeek.Monday;

    /// <summary>Whether it says by itself on which days it falls, so that its first day matters to nothing but its beginning.</summary>
    public bool IsAnchored => Interval == 1 && Count is null && Frequency switch
    {
        Frequency.Daily => true,
        Frequency.Weekly => Days.Count > 0,
        Frequency.Monthly => Days.Count > 0 || MonthDays.Count > 0,
        _ => (Days.Count > 0 || MonthDays.Count > 0) && (Months.Count > 0 || Days.Any(day => day.Nth != 0)),
    };

    /// <summary>The days on which it happens, from one on, in their order.</summary>
    /// <param name="start">The day from which the rule counts (<c>DTSTART</c>). It is among the days only if the rule says so.</param>
    /// <param name="from">Days before are left out; they count for <see cref="Count"/> all the same.</param>
    public IEnumerable<DateOnly> From(DateOnly start, DateOnly from)
    {
        // NB. With a count every day before has to be counted; without one the first periods are stepped over.
        from = from < start ? start : from;
        var period = Count is null ? Math.Max(0, PeriodOf(start, from) - 1) : 0;
        var counted = 0;
        var last = from.DayNumber + Furthest;
        for (; ; period++)
        {
            if (BeginningOf(start, period) is not { } beginning || beginning.DayNumber > last)
            {
                yield break;
            }

            foreach (var day in InPeriod(start, beginning))
            {
                if (day < start)
                {
                    continue;
                }

                if (day > Until || ++counted > (Count ?? int.MaxValue))
                {
                    yield break;
                }

                if (day >= from)
                {
                    last = day.DayNumber + Furthest;
                    yield return day;
                }
            }
        }
    }

    /// <summary>Which period a day lies in, counted from the one of the start, in steps of the interval.</summary>
    private int PeriodOf(DateOnly start, DateOnly day) => Frequency switch
    {
        Frequency.Daily => (day.DayNumber - start.DayNumber) / Interval,
        Frequency.Weekly => (day.DayNumber - WeekOf(start)) / 7 / Interval,
        Frequency.Monthly => (((day.Year - start.Year) * 12) + day.Month - start.Month) / Interval,
        _ => (day.Year - start.Year) / Interval,
    };

    /// <summary>The first day of a period; null beyond the last year that there is.</summary>
    private DateOnly? BeginningOf(DateOnly start, int period)
    {
        var step = (long)period * Interval;
        switch (Frequency)
        {
            case Frequency.Daily:
                return Day(start.DayNumber + step);
            case Frequency.Weekly:
                return Day(WeekOf(start) + (7 * step));
            case Frequency.Monthly:
                var month = ((long)start.Year * 12) + start.Month - 1 + step;
                return month / 12 > 9_998 ? null : new DateOnly((int)(month / 12), (int)(month % 12) + 1, 1);
            default:
                return start.Year + step > 9_998 ? null : new DateOnly((int)(start.Year + step), 1, 1);
        }

        static DateOnly? Day(long number) => number < 0 || number > DateOnly.MaxValue.DayNumber - 400 ? null : DateOnly.FromDayNumber((int)number);
    }

    private int WeekOf(DateOnly day) => day.DayNumber - ((day.DayOfWeek - WeekStart + 7) % 7);

    private IEnumerable<DateOnly> InPeriod(DateOnly start, DateOnly beginning)
    {
        var all = Frequency switch
        {
            Frequency.Daily => [beginning],
            Frequency.Weekly => Enumerable.Range(0, 7).Select(beginning.AddDays),
            Frequency.Monthly => Enumerable.Range(0, DateTime.DaysInMonth(beginning.Year, beginning.Month)).Select(beginning.AddDays),
            _ => Enumerable.Range(0, DateTime.IsLeapYear(beginning.Year) ? 366 : 365).Select(beginning.AddDays),
        };
        var days = all.Where(day => Is(start, day));
        if (Positions.Count == 0)
        {
            return days;
        }

        var set = days.ToList();
        return Positions.Select(at => at > 0 ? at - 1 : set.Count + at).Where(at => at >= 0 && at < set.Count).Distinct().Order().Select(at => set[at]);
    }

    /// <summary>Whether the rule's parts take a day, whatever its period.</summary>
    private bool Is(DateOnly start, DateOnly day)
    {
        if (Months.Count > 0 && !Months.Contains(day.Month))
        {
            return false;
        }

        var length = DateTime.DaysInMonth(day.Year, day.Month);
        if (MonthDays.Count > 0 && !MonthDays.Any(one => one == day.Day || one == day.Day - length - 1))
        {
            return false;
        }

        if (Days.Count > 0)
        {
            return Days.Any(one => one.Day == day.DayOfWeek && (one.Nth == 0 || IsNth(one.Nth, day)));
        }

        // What the rule leaves open, the first day says.
        return MonthDays.Count > 0 || Frequency switch
        {
            Frequency.Daily => true,
            Frequency.Weekly => day.DayOfWeek == start.DayOfWeek,
            Frequency.Monthly => day.Day == start.Day,
            _ => day.Day == start.Day && (Months.Count > 0 || day.Month == start.Month),
        };
    }

    private bool IsNth(int nth, DateOnly day)
    {
        var byMonth = Frequency == Frequency.Monthly || Months.Count > 0;
        var (place, length) = byMonth ? (day.Day, DateTime.DaysInMonth(day.Year, day.Month)) : (day.DayOfYear, DateTime.IsLeapYear(day.Year) ? 366 : 365);
        return nth > 0 ? (place - 1) / 7 == nth - 1 : (length - place) / 7 == -nth - 1;
    }
}
