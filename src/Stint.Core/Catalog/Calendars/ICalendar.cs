using System.Globalization;
using System.Text;

namespace Stint.Core.Catalog.Calendars;

/// <summary>Something in a calendar that happens, perhaps again and again.</summary>
/// <param name="Who">Whom it is about: addresses and names, as they stand there.</param>
/// <param name="Starts">When it happens first, on the zone's clock.</param>
/// <param name="Lasts">How long, on that clock.</param>
/// <param name="Zone">Whose clock.</param>
/// <param name="Rule">On which days it happens again; null for once.</param>
/// <param name="Except">Beginnings that are left out.</param>
public sealed record CalendarEvent(IReadOnlyList<string> Who, DateTime Starts, TimeSpan Lasts, TimeZoneInfo Zone, Recurrence? Rule, IReadOnlySet<DateTimeOffset> Except);

/// <summary>Somebody's time, between two moments.</summary>
/// <param name="From">When it begins.</param>
/// <param name="Until">Until before when.</param>
/// <param name="Who">As the source calls them: a name or an address.</param>
public sealed record NamedShift(DateTimeOffset From, DateTimeOffset Until, string Who);

/// <summary>Reads what calendars publish (RFC 5545), as far as it says who is there when. What it does not take it passes over, and says so: nothing is guessed.</summary>
public sealed class ICalendar
{
    /// <summary>Most characters of one.</summary>
    public const int MostCharacters = 1 << 20;

    private const int MostEvents = 2_000;
    private const int MostShifts = 5_000;
    private const int MostNotes = 10;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>Before it nobody was on call by a calendar; a rule that begins ages ago would be counted through day by day.</summary>
    private static readonly DateTime Earliest = new(1970, 1, 1);

    private readonly List<CalendarEvent> _events = [];
    private readonly List<string> _notes = [];
    private readonly Dictionary<string, HashSet<DateTimeOffset>> _moved = new(StringComparer.Ordinal);
    private readonly HashSet<string> _untold = new(StringComparer.Ordinal);
    private TimeZoneInfo? _zone;
    private int _passedOver;

    private ICalendar()
    {
    }

    public IReadOnlyList<CalendarEvent> Events => _events;

    /// <summary>What was passed over, and why, in sentences.</summary>
    public IReadOnlyList<string> Notes => _passedOver > MostNotes ? [.. _notes, $"And {_passedOver - MostNotes} more of its events are passed over."] : _notes;

    /// <exception cref="FormatException">It is no calendar; the message says why, without a full stop.</exception>
    public static ICalendar Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MostCharacters)
        {
            throw new FormatException($"it has more than {MostCharacters} characters");
        }

        var lines = Unfolded(text);
        if (lines.Count < 2 || !lines[0].Equals("BEGIN:VCALENDAR", StringComparison.OrdinalIgnoreCase) || !lines[^1].Equals("END:VCALENDAR", StringComparison.OrdinalIgnoreCase))
        {
            // NB. One that breaks off in the middle would take whoever comes later for off call.
            throw new FormatException("it does not begin with BEGIN:VCALENDAR and end with END:VCALENDAR");
        }

        var calendar = new ICalendar();
        calendar.Read(lines);
        return calendar;
    }

    /// <summary>Who is there when, between two moments, in the order of the beginnings.</summary>
    public IReadOnlyList<NamedShift> Between(DateTimeOffset from, DateTimeOffset until)
    {
        var shifts = new List<NamedShift>();
        foreach (var one in _events)
        {
            foreach (var (begins, ends) in Times(one, from, until))
            {
                shifts.AddRange(one.Who.Select(who => new NamedShift(begins, ends, who)));
                if (shifts.Count > MostShifts)
                {
                    throw new FormatException($"more than {MostShifts} of its events are in the time that is looked at");
                }
            }
        }

        return [.. shifts.OrderBy(shift => shift.From).ThenBy(shift => shift.Who, StringComparer.Ordinal)];
    }

    private static IEnumerable<(DateTimeOffset Begins, DateTimeOffset Ends)> Times(CalendarEvent one, DateTimeOffset from, DateTimeOffset until)
    {
        var first = DateOnly.FromDateTime(one.Starts);
        var look = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(from, one.Zone).DateTime - one.Lasts).AddDays(-1);
        foreach (var day in one.Rule?.From(first, look) ?? [first])
        {
            var local = day.ToDateTime(TimeOnly.FromDateTime(one.Starts));
            var begins = ZoneClock.Instant(local, one.Zone);
            if (begins >= until)
            {
                yield break;
            }

            var ends = ZoneClock.Instant(local + one.Lasts, one.Zone);
            if (ends > from && ends > begins && !one.Except.Contains(begins))
            {
                yield return (begins, ends);
            }
        }
    }

    private void Read(List<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.StartsWith("X-WR-TIMEZONE:", StringComparison.OrdinalIgnoreCase))
            {
                _zone = Zone(line["X-WR-TIMEZONE:".Length..].Trim());
            }
        }

        var found = new List<(string? Uid, CalendarEvent Event, bool Moved)>();
        List<Property>? open = null;
        var inner = 0;
        foreach (var line in lines)
        {
            if (line.Equals("BEGIN:VEVENT", StringComparison.OrdinalIgnoreCase))
            {
                (open, inner) = ([], 0);
            }
            else if (open is not null && line.StartsWith("BEGIN:", StringComparison.OrdinalIgnoreCase))
            {
                inner++;
            }
            else if (open is not null && inner > 0 && line.StartsWith("END:", StringComparison.OrdinalIgnoreCase))
            {
                inner--;
            }
            else if (open is not null && line.Equals("END:VEVENT", StringComparison.OrdinalIgnoreCase))
            {
                if (found.Count >= MostEvents)
                {
                    throw new FormatException($"it has more than {MostEvents} events");
                }

                if (Event(open) is { } one)
                {
                    found.Add(one);
                }

                open = null;
            }
            else if (open is not null && inner == 0 && Property.Read(line) is { } property)
            {
                open.Add(property);
            }
        }

        // What stands elsewhere for one time of an event takes that time's place. NB. Where it cannot be told which time that is, none of them is certain.
        foreach (var _ in found.Where(one => !one.Moved && one.Uid is not null && _untold.Contains(one.Uid)))
        {
            Pass("An event is passed over with all its times: another stands in its place at a time that cannot be told.");
        }

        _events.AddRange(found.Where(one => one.Moved || one.Uid is null || !_untold.Contains(one.Uid)).Select(one => !one.Moved && one.Uid is not null && _moved.TryGetValue(one.Uid, out var moved)
            ? one.Event with { Except = one.Event.Except.Concat(moved).ToHashSet() }
            : one.Event));
    }

    private (string? Uid, CalendarEvent Event, bool Moved)? Event(List<Property> all)
    {
        Property? One(string name) => all.Find(property => property.Name == name);
        var uid = One("UID")?.Value;
        var summary = One("SUMMARY") is { } titled ? Text(titled.Value) : "";
        var called = $"The event '{Words.Short(summary.Length > 0 ? summary : uid ?? "")}'";
        var moved = false;
        if (One("RECURRENCE-ID") is { } instead)
        {
            if (instead.Parameters.ContainsKey("RANGE") || uid is null || Moment(instead) is not { } of)
            {
                _untold.Add(uid ?? "");
                return Pass($"{called} is passed over: it stands for times of another that cannot be told.");
            }

            if (!_moved.TryGetValue(uid, out var times))
            {
                _moved[uid] = times = [];
            }

            times.Add(ZoneClock.Instant(of.Local, of.Zone));
            moved = true;
        }

        if (One("STATUS")?.Value.Equals("CANCELLED", StringComparison.OrdinalIgnoreCase) == true)
        {
            return null;
        }

        if (One("DTSTART") is not { } start || Moment(start) is not { } begins)
        {
            return Pass($"{called} is passed over: it does not say when it begins in a zone that is known here (an IANA name, or UTC).");
        }

        if (begins.Local < Earliest)
        {
            return Pass($"{called} is passed over: it begins before {Earliest.Year}.");
        }

        if (Lasts(One("DTEND"), One("DURATION"), begins, start.IsDate) is not { } lasts || lasts <= TimeSpan.Zero || lasts > Longest)
        {
            return Pass($"{called} is passed over: it does not say how long it lasts, or longer than {Longest.TotalDays:F0} days.");
        }

        if (One("RDATE") is not null || all.Count(property => property.Name == "RRULE") > 1)
        {
            return Pass($"{called} is passed over: it has an RDATE or several rules, which is not taken; make events of their own for those days.");
        }

        Recurrence? rule = null;
        if (One("RRULE") is { } again)
        {
            var (read, problems) = RecurrenceText.Read(LastDay(again.Value, begins));
            if (read is null)
            {
                return Pass($"{called} is passed over: {string.Join("; ", problems)}.");
            }

            rule = read;
        }

        var except = new HashSet<DateTimeOffset>();
        foreach (var property in all.Where(property => property.Name == "EXDATE"))
        {
            foreach (var part in property.Value.Split(','))
            {
                // A day has no zone of its own: it is one of the event's (RFC 5545, section 3.3.4).
                var one = property with { Value = part };
                if ((Moment(one) ?? (one.IsDate && !one.Parameters.ContainsKey("TZID") ? Day(part.Trim(), begins.Zone) : null)) is not { } left)
                {
                    return Pass($"{called} is passed over: it leaves out a time in a zone that is not known here.");
                }

                except.Add(ZoneClock.Instant(one.IsDate && !start.IsDate ? left.Local.Date + begins.Local.TimeOfDay : left.Local, left.Zone));
            }
        }

        // NB. Who declined is not there, and where all did nobody is: the title names no other then.
        List<Property> attendees = [.. all.Where(property => property.Name == "ATTENDEE")];
        List<string> who = [.. attendees.Where(one => !"DECLINED".Equals(one.Parameters.GetValueOrDefault("PARTSTAT"), StringComparison.OrdinalIgnoreCase)).Select(one => one.Value).Select(value => value.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? value[7..] : value)];
        if (attendees.Count > 0 && who.Count == 0)
        {
            return null;
        }

        who = [.. (who.Count > 0 ? who : [summary]).Select(one => one.Trim()).Where(one => one.Length is > 0 and <= 200).Distinct(StringComparer.OrdinalIgnoreCase)];
        return who.Count == 0
            ? Pass($"{called} is passed over: it names nobody, neither as an attendee nor in its title.")
            : (uid, new CalendarEvent(who, begins.Local, lasts, begins.Zone, rule, except), moved);
    }

    private (string? Uid, CalendarEvent Event, bool Moved)? Pass(string note)
    {
        if (_passedOver++ < MostNotes)
        {
            _notes.Add(note);
        }

        return null;
    }

    /// <summary>RFC 5545 gives the end of a rule as a moment; here it is the last day on which it falls.</summary>
    private static string LastDay(string rule, (DateTime Local, TimeZoneInfo Zone) begins) => string.Join(';', rule.Split(';').Select(part =>
    {
        if (!part.StartsWith("UNTIL=", StringComparison.OrdinalIgnoreCase) || part.Length <= "UNTIL=20270131".Length)
        {
            return part;
        }

        var utc = part.EndsWith('Z');
        if (!DateTime.TryParseExact(part["UNTIL=".Length..].TrimEnd('Z', 'z'), "yyyyMMdd'T'HHmmss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var until))
        {
            return part;
        }

        var local = utc ? TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(until, DateTimeKind.Utc), begins.Zone) : until;
        var last = begins.Local.TimeOfDay <= local.TimeOfDay ? local.Date : local.Date.AddDays(-1);
        return "UNTIL=" + last.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
    }));

    private TimeSpan? Lasts(Property? end, Property? duration, (DateTime Local, TimeZoneInfo Zone) begins, bool isDate)
    {
        if (end is not null)
        {
            return Moment(end) is { } ends ? TimeZoneInfo.ConvertTime(ZoneClock.Instant(ends.Local, ends.Zone), begins.Zone).DateTime - begins.Local : null;
        }

        if (duration is not null)
        {
            try
            {
                // Weeks are the one part that XML's durations lack.
                var text = duration.Value.Trim().ToUpperInvariant();
                return text.StartsWith('P') && text.EndsWith('W') && int.TryParse(text[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var weeks) && weeks < 60
                    ? TimeSpan.FromDays(7 * weeks)
                    : System.Xml.XmlConvert.ToTimeSpan(text.TrimStart('+'));
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                return null;
            }
        }

        return isDate ? TimeSpan.FromDays(1) : null;
    }

    private (DateTime Local, TimeZoneInfo Zone)? Moment(Property property)
    {
        var text = property.Value.Trim();
        if (DateTime.TryParseExact(text, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out var utc))
        {
            return (utc, TimeZoneInfo.Utc);
        }

        // NB. Without a zone it is another moment for everybody who looks: nobody is on call by such a one.
        var zone = property.Parameters.TryGetValue("TZID", out var id) ? Zone(id) : _zone;
        if (zone is null || !DateTime.TryParseExact(text, ["yyyyMMdd'T'HHmmss", "yyyyMMdd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
        {
            return null;
        }

        return (local, zone);
    }

    private static (DateTime Local, TimeZoneInfo Zone)? Day(string text, TimeZoneInfo zone) =>
        DateTime.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? (day, zone) : null;

    private static TimeZoneInfo? Zone(string id) => TimeZoneInfo.TryFindSystemTimeZoneById(id.Trim('"', '/'), out var zone) && zone.HasIanaId ? zone : null;

    private static string Text(string value)
    {
        var text = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            text.Append(value[i] == '\\' && i + 1 < value.Length ? value[++i] is 'n' or 'N' ? ' ' : value[i] : value[i]);
        }

        return text.ToString().Trim();
    }

    private static List<string> Unfolded(string text)
    {
        // NB. A line may be folded at each of its characters: it is put together once, not at each fold.
        var lines = new List<string>();
        var whole = new StringBuilder();
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0))
        {
            if (line[0] is ' ' or '\t' && whole.Length > 0)
            {
                whole.Append(line, 1, line.Length - 1);
                continue;
            }

            Done();
            whole.Append(line);
        }

        Done();
        return lines;

        void Done()
        {
            if (whole.Length > 0)
            {
                lines.Add(whole.ToString());
                whole.Clear();
            }
        }
    }

    private sealed record Property(string Name, IReadOnlyDictionary<string, string> Parameters, string Value)
    {
        public bool IsDate => Value.Trim().Length == 8;

        /// <summary>A line with its parameters; a colon inside quotes belongs to a parameter.</summary>
        public static Property? Read(string line)
        {
            var (colon, quoted) = (-1, false);
            for (var i = 0; i < line.Length && colon < 0; i++)
            {
                quoted ^= line[i] == '"';
                colon = line[i] == ':' && !quoted ? i : -1;
            }

            if (colon <= 0)
            {
                return null;
            }

            var parts = line[..colon].Split(';');
            var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var part in parts.Skip(1))
            {
                if (part.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
                {
                    parameters[part[..at]] = part[(at + 1)..].Trim('"');
                }
            }

            return new Property(parts[0].ToUpperInvariant(), parameters, line[(colon + 1)..]);
        }
    }
}
