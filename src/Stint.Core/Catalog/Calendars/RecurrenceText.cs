using System.Globalization;

namespace Stint.Core.Catalog.Calendars;

/// <summary>Reads recurrence rules, and says them in words.</summary>
public static class RecurrenceText
{
    private static readonly string[] Names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

    private static readonly (string Part, string What)[] Refused =
    [
        ("BYHOUR", "the time of day stands beside the rule"),
        ("BYMINUTE", "the time of day stands beside the rule"),
        ("BYSECOND", "the time of day stands beside the rule"),
        ("BYWEEKNO", "say it with BYMONTH and BYDAY"),
        ("BYYEARDAY", "say it with BYMONTH and BYMONTHDAY"),
    ];

    /// <summary>Reads a rule.</summary>
    /// <param name="text"><c>FREQ=WEEKLY;BYDAY=MO,WE</c>, with or without <c>RRULE:</c> before it.</param>
    /// <returns>The rule, or everything that is wrong with it: sentences without a full stop.</returns>
    public static (Recurrence? Rule, IReadOnlyList<string> Problems) Read(string? text)
    {
        var problems = new List<string>();
        var rule = text?.Trim().ToUpperInvariant() ?? "";
        rule = rule.StartsWith("RRULE:", StringComparison.Ordinal) ? rule["RRULE:".Length..] : rule;
        if (rule.Length is 0 or > 300 || !rule.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c is '=' or ';' or ',' or '+' or '-'))
        {
            return (null, ["this is no recurrence rule; write FREQ=WEEKLY;BYDAY=MO,WE"]);
        }

        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in rule.Split(';'))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || at == part.Length - 1)
            {
                problems.Add($"'{Words.Short(part)}' is no part of a rule; write NAME=VALUE");
            }
            else if (!parts.TryAdd(part[..at], part[(at + 1)..]))
            {
                problems.Add($"{part[..at]} stands twice");
            }
        }

        foreach (var name in parts.Keys.Except(["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"]))
        {
            var refused = Refused.FirstOrDefault(one => one.Part == name);
            problems.Add(refused.Part is null ? $"a rule has no part '{Words.Short(name)}'" : $"{name} is not taken; {refused.What}");
        }

        var frequency = parts.GetValueOrDefault("FREQ") switch
        {
            "DAILY" => Frequency.Daily,
            "WEEKLY" => Frequency.Weekly,
            "MONTHLY" => Frequency.Monthly,
            "YEARLY" => Frequency.Yearly,
            _ => default,
        };
        if (frequency == default)
        {
            problems.Add(parts.GetValueOrDefault("FREQ") is "SECONDLY" or "MINUTELY" or "HOURLY" ? "FREQ goes by days at the least; take DAILY, WEEKLY, MONTHLY or YEARLY" : "FREQ is none of DAILY, WEEKLY, MONTHLY and YEARLY");
        }

        var most = frequency switch { Frequency.Daily => 366, Frequency.Weekly => 53, Frequency.Monthly => 24, _ => 5 };
        var made = new Recurrence
        {
            Text = string.Join(';', parts.Select(part => $"{part.Key}={part.Value}")),
            Frequency = frequency,
            Interval = Numbers(parts, "INTERVAL", 1, most, problems, single: true) is [var interval] ? interval : 1,
            Count = Numbers(parts, "COUNT", 1, Recurrence.MostTimes, problems, single: true) is [var count] ? count : null,
            Until = Until(parts, problems),
            Days = Days(parts, frequency, problems),
            MonthDays = Numbers(parts, "BYMONTHDAY", -31, 31, problems),
            Months = Numbers(parts, "BYMONTH", 1, 12, problems),
            Positions = Numbers(parts, "BYSETPOS", -366, 366, problems),
            WeekStart = parts.TryGetValue("WKST", out var wkst) ? Day(wkst, "WKST", problems) : DayOfWeek.Monday,
        };
        if (made is { Count: not null, Until: not null })
        {
            problems.Add("COUNT and UNTIL do not stand together");
        }

        if (frequency == Frequency.Weekly && made.MonthDays.Count > 0)
        {
            problems.Add("BYMONTHDAY has no meaning in a WEEKLY rule");
        }

        if (made.Positions.Count > 0 && made.Days.Count + made.MonthDays.Count + made.Months.Count == 0)
        {
            problems.Add("BYSETPOS stands beside another BY part only");
        }

        return problems.Count > 0 ? (null, problems) : (made, []);
    }

    /// <summary>The rule for people: <c>every week on Monday and Wednesday, until 2027-01-31</c>.</summary>
    public static string Say(Recurrence rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var unit = rule.Frequency switch { Frequency.Daily => "day", Frequency.Weekly => "week", Frequency.Monthly => "month", _ => "year" };
        var said = rule.Interval == 1 ? $"every {unit}" : $"every {Ordinal(rule.Interval)} {unit}";
        if (rule.Days.Count > 0)
        {
            said += " on " + And(rule.Days.Select(day => day.Nth == 0 ? $"{day.Day}" : $"the {Ordinal(day.Nth)} {day.Day}"));
        }

        if (rule.MonthDays.Count > 0)
        {
            said += $"{(rule.Days.Count > 0 ? " that is" : " on")} the {And(rule.MonthDays.Select(day => day > 0 ? Ordinal(day) : $"{Ordinal(day)} day"))}";
        }

        if (rule.Months.Count > 0)
        {
            said += " in " + And(rule.Months.Select(month => CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName(month)));
        }

        if (rule.Positions.Count > 0)
        {
            said += $", of those the {And(rule.Positions.Select(Ordinal))} in each {unit}";
        }

        return rule switch
        {
            { Count: 1 } => said + ", once",
            { Count: { } count } => $"{said}, {count} times",
            { Until: { } until } => $"{said}, until {until:yyyy-MM-dd}",
            _ => said,
        };
    }

    private static string And(IEnumerable<string> items)
    {
        var list = items.ToList();
        return list.Count == 1 ? list[0] : $"{string.Join(", ", list.Take(list.Count - 1))} and {list[^1]}";
    }

    private static string Ordinal(int number)
    {
        var size = Math.Abs(number);
        var text = (size % 10, size % 100) switch
        {
            (1, not 11) => $"{size}st",
            (2, not 12) => $"{size}nd",
            (3, not 13) => $"{size}rd",
            _ => $"{size}th",
        };
        return number switch { -1 => "last", < 0 => $"{text} last", _ => text };
    }

    private static DateOnly? Until(Dictionary<string, string> parts, List<string> problems)
    {
        if (!parts.TryGetValue("UNTIL", out var text))
        {
            return null;
        }

        if (DateOnly.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return day;
        }

        problems.Add("UNTIL is the last day, in the zone of the rule; write UNTIL=20270131");
        return null;
    }

    private static List<NthDay> Days(Dictionary<string, string> parts, Frequency frequency, List<string> problems)
    {
        var found = new List<NthDay>();
        foreach (var item in parts.TryGetValue("BYDAY", out var text) ? text.Split(',') : [])
        {
            var name = item.Length >= 2 ? item[^2..] : item;
            var nth = 0;
            var most = frequency == Frequency.Monthly ? 5 : 53;
            if (item.Length > 2 && (!int.TryParse(item[..^2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out nth) || nth == 0 || Math.Abs(nth) > most))
            {
                problems.Add($"'{Words.Short(item)}' is no day of BYDAY; write MO, or 1MO for the first and -1MO for the last");
                continue;
            }

            if (nth != 0 && frequency is Frequency.Daily or Frequency.Weekly)
            {
                problems.Add($"'{Words.Short(item)}': a number before a day goes with MONTHLY and YEARLY only");
            }

            found.Add(new NthDay(nth, Day(name, "BYDAY", problems)));
        }

        return found;
    }

    private static DayOfWeek Day(string name, string part, List<string> problems)
    {
        var at = Array.IndexOf(Names, name);
        if (at < 0)
        {
            problems.Add($"'{Words.Short(name)}' is no day of {part}; there are MO, TU, WE, TH, FR, SA, SU");
        }

        return (DayOfWeek)Math.Max(0, at);
    }

    private static List<int> Numbers(Dictionary<string, string> parts, string part, int least, int most, List<string> problems, bool single = false)
    {
        var found = new List<int>();
        foreach (var item in parts.TryGetValue(part, out var text) ? text.Split(',') : [])
        {
            if (int.TryParse(item, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most && number != 0)
            {
                found.Add(number);
            }
            else
            {
                problems.Add($"'{Words.Short(item)}' is no {part}; it goes from {least} to {most}{(least < 0 ? ", without 0" : "")}");
            }
        }

        if (single && found.Count > 1)
        {
            problems.Add($"{part} takes one number");
        }

        return found;
    }
}
