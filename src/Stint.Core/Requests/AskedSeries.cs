using System.Globalization;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;
using Stint.Core.Policies;

namespace Stint.Core.Requests;

/// <summary>A series as it came in.</summary>
/// <param name="Rule">A rule of RFC 5545.</param>
/// <param name="Start">The first day and the time of each, on the zone's clock: <c>2026-12-01T09:00</c>.</param>
/// <param name="Zone">An IANA name.</param>
/// <param name="Until">The last day; null when the rule or the count says it.</param>
/// <param name="Count">How often; null when the rule or the last day says it.</param>
public sealed record AskedSeries(string? Rule, string? Start, string? Zone, string? Until, int? Count)
{
    /// <summary>Checks it.</summary>
    /// <param name="now">The moment of the asking.</param>
    /// <param name="wrong">Hears of each thing that is wrong: field, what, way out.</param>
    /// <returns>The series with its first occurrence; null when something is wrong.</returns>
    internal (Series Series, DateTimeOffset First)? Check(DateTimeOffset now, Action<string, string, string?> wrong)
    {
        var (rule, problems) = RecurrenceText.Read(Rule);
        foreach (var problem in problems)
        {
            wrong("recurrence.rule", problem, null);
        }

        var zone = ZoneClock.Find(Zone);
        if (zone is null)
        {
            wrong("recurrence.zone", "no time zone is called that", "write an IANA name: Europe/Berlin, America/New_York, UTC");
        }

        if (!DateTime.TryParseExact(Start, ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var start) || start.Year is < 2000 or > 3000)
        {
            wrong("recurrence.start", "this is no day and time", "write the first day and the time of each, on the zone's clock: 2026-12-01T09:00");
            rule = null;
        }

        DateOnly? until = null;
        if (Until is not null)
        {
            if (DateOnly.TryParseExact(Until, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var last))
            {
                until = last;
            }
            else
            {
                wrong("recurrence.until", "this is no day", "write 2027-01-31");
                rule = null;
            }
        }

        if (Count is < 1 or > Series.MostOccurrences)
        {
            wrong("recurrence.count", $"it goes from 1 to {Series.MostOccurrences}", null);
            rule = null;
        }

        if (rule is null || zone is null)
        {
            return null;
        }

        var ends = (rule.Until is null ? 0 : 1) + (rule.Count is null ? 0 : 1) + (until is null ? 0 : 1) + (Count is null ? 0 : 1);
        if (ends != 1)
        {
            wrong("recurrence", ends == 0 ? "a series has to end" : "its end is said more than once", "say until which day, or how often");
            return null;
        }

        rule = until is { } day ? rule with { Until = day, Text = string.Create(CultureInfo.InvariantCulture, $"{rule.Text};UNTIL={day:yyyyMMdd}") }
            : Count is { } count ? rule with { Count = count, Text = string.Create(CultureInfo.InvariantCulture, $"{rule.Text};COUNT={count}") }
            : rule;
        var series = new Series(rule, DateOnly.FromDateTime(start), TimeOnly.FromDateTime(start), zone);
        return Bounded(series, now, wrong);
    }

    private static (Series Series, DateTimeOffset First)? Bounded(Series series, DateTimeOffset now, Action<string, string, string?> wrong)
    {
        var all = series.From(DateTimeOffset.MinValue.AddDays(3)).Take(Series.MostOccurrences + 1).ToList();
        if (all.Count > Series.MostOccurrences)
        {
            wrong("recurrence", $"a series has at most {Series.MostOccurrences} occurrences", "let it end earlier, and ask again then");
            return null;
        }

        if (all.Count > 0 && all[^1] - ZoneClock.Instant(series.First.ToDateTime(TimeOnly.MinValue), series.Zone) > Series.Longest)
        {
            wrong("recurrence", $"a series lasts at most {Words.Say(Series.Longest)}", "let it end earlier, and ask again then");
            return null;
        }

        var coming = all.FindAll(one => one > now);
        if (coming.Count == 0)
        {
            wrong("recurrence", all.Count == 0 ? "the rule falls on no day before its end" : "its last occurrence lies in the past", "name other days, or a later end");
            return null;
        }

        if (coming[0] - now > Decider.FurthestStart)
        {
            wrong("recurrence.start", "the first occurrence lies more than 30 days ahead", "ask again when it is nearer");
            return null;
        }

        return (series, coming[0]);
    }
}
