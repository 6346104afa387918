using System.Globalization;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog.Calendars;

/// <summary>Reads <c>calendars</c>: windows and days with a name.</summary>
internal sealed class CalendarsSection(Reading reading)
{
    private const string Example = "write { zone: Europe/Berlin, every: FREQ=WEEKLY;BYDAY=SU, at: 02:00, for: 4h }, or { zone: Europe/Berlin, dates: [ 2026-12-24..2027-01-02 ] }";

    private static readonly TimeSpan Longest = TimeSpan.FromDays(31);
    private static readonly DateOnly Always = new(2020, 1, 1);

    public Dictionary<string, Calendar> Read(Dictionary<string, Entry> section)
    {
        var calendars = new Dictionary<string, Calendar>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            if (reading.Map(entry.Value, "a calendar") is { } map && Calendar(entry, map) is { } calendar)
            {
                calendars[entry.Key] = calendar;
            }
        }

        return calendars;
    }

    private Calendar? Calendar(Entry entry, MapNode map)
    {
        reading.Keys(map, "a calendar", ["zone", "every", "at", "for", "starts", "dates", "except"]);
        var zone = map.Find("zone") is { } zoned ? Zone(zoned.Value) : null;
        if (map.Find("zone") is null)
        {
            reading.Problems.Error(entry.Place, $"calendar '{entry.Key}' lacks 'zone'", Example);
        }

        if (map.Find("every") is null && map.Find("dates") is null)
        {
            reading.Problems.Error(entry.Place, $"calendar '{entry.Key}' has neither 'every' nor 'dates'", Example);
        }

        var window = map.Find("every") is { } every ? Window(entry, map, every) : null;
        foreach (var key in map.Entries.Where(key => map.Find("every") is null && key.Key is "at" or "for" or "starts" or "except"))
        {
            reading.Problems.Error(key.Place, $"'{key.Key}' belongs to 'every'", "'dates' are whole days");
        }

        var calendar = new Calendar { Name = entry.Key, Place = entry.Place, Zone = zone ?? TimeZoneInfo.Utc, Window = window, Dates = Dates(map, "dates"), Except = Dates(map, "except") };
        if (zone is not null && window is not null && calendar.StartAfter(new DateTimeOffset(window.Starts.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddDays(-2)) is null)
        {
            reading.Problems.Error(map.Find("every")!.Value.Place, $"calendar '{entry.Key}' never begins: its rule falls on no day", "see that its parts can all hold at once");
        }

        return zone is null ? null : calendar;
    }

    private RecurringWindow? Window(Entry entry, MapNode map, Entry every)
    {
        var (rule, problems) = reading.Text(every.Value, "'every'", 300) is { } text ? RecurrenceText.Read(text) : (null, []);
        foreach (var problem in problems)
        {
            reading.Problems.Error(every.Value.Place, $"'every': {problem}", "a rule of RFC 5545: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
        }

        var at = map.Find("at") is { } time ? Time(time.Value) : null;
        var length = reading.Duration(map, "for", "'for'", TimeSpan.FromMinutes(1), Longest);
        foreach (var key in (string[])["at", "for"])
        {
            if (map.Find(key) is null)
            {
                reading.Problems.Error(entry.Place, $"calendar '{entry.Key}' lacks '{key}'", Example);
            }
        }

        var starts = map.Find("starts") is { } first ? Day(first.Value, "'starts'") : null;
        if (rule is { IsAnchored: false } && map.Find("starts") is null)
        {
            reading.Problems.Error(every.Value.Place, $"the rule of calendar '{entry.Key}' counts from its first day, and no first day is said", "write starts: 2026-01-05");
        }

        return rule is null || at is not { } begins || length is not { } lasts ? null : new RecurringWindow(rule, starts ?? Always, begins, lasts);
    }

    private List<Days> Dates(MapNode map, string key)
    {
        var found = new List<Days>();
        if (map.Find(key) is not { } given)
        {
            return found;
        }

        foreach (var (text, place) in reading.Texts(given.Value, $"'{key}'", 30))
        {
            var ends = text.Split("..");
            if (ends.Length <= 2 && Day(ends[0]) is { } first && Day(ends[^1]) is { } last && last.DayNumber - first.DayNumber is >= 0 and <= 366)
            {
                found.Add(new Days(first, last));
            }
            else
            {
                reading.Problems.Error(place, $"'{Words.Short(text)}' are no days", "write 2026-12-24, or 2026-12-24..2027-01-02 with both ends included, at most 366 days");
            }
        }

        return found;
    }

    private TimeZoneInfo? Zone(Node node)
    {
        if (reading.Text(node, "'zone'", 64) is not { } id)
        {
            return null;
        }

        if (ZoneClock.Find(id) is { } zone)
        {
            return zone;
        }

        reading.Problems.Error(node.Place, $"no time zone is called '{Words.Short(id)}'", "write an IANA name: Europe/Berlin, America/New_York, UTC");
        return null;
    }

    private TimeOnly? Time(Node node)
    {
        if (node is TextNode text && TimeOnly.TryParseExact(text.Value, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return time;
        }

        reading.Problems.Error(node.Place, "'at' is no time of day", "write at: 08:00");
        return null;
    }

    private DateOnly? Day(Node node, string what)
    {
        if (node is TextNode text && Day(text.Value) is { } day)
        {
            return day;
        }

        reading.Problems.Error(node.Place, $"{what} is not a day", "write 2026-01-05");
        return null;
    }

    private static DateOnly? Day(string text) =>
        DateOnly.TryParseExact(text.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is > 1970 and < 3000 ? day : null;
}
