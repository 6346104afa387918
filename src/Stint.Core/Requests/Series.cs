using System.Globalization;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Requests;

/// <summary>When a request that was approved once opens again and again: a rule on days, and a time on a zone's wall clock.</summary>
/// <param name="Rule">On which days; it ends by itself.</param>
/// <param name="First">The day from which the rule counts.</param>
/// <param name="At">At which time on the zone's clock each occurrence begins. One that the clock leaves out comes at the gap's end; one that it shows twice, the first time.</param>
/// <param name="Zone">Whose clock.</param>
public sealed record Series(Recurrence Rule, DateOnly First, TimeOnly At, TimeZoneInfo Zone)
{
    /// <summary>Most occurrences of one series.</summary>
    public const int MostOccurrences = 366;

    /// <summary>How far the last occurrence may lie behind the first day.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>As it is kept: <c>RULE|DAY|TIME|ZONE</c>. The same series is the same text.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Rule.Text}|{First:yyyy-MM-dd}|{At:HH:mm}|{Zone.Id}");

    /// <summary>For people: <c>every week on Monday, until 2027-01-31, at 09:00 (Europe/Berlin)</c>.</summary>
    public string Said => string.Create(CultureInfo.InvariantCulture, $"{RecurrenceText.Say(Rule)}, at {At:HH:mm} ({Zone.Id})");

    /// <summary>Reads what <see cref="Text"/> wrote.</summary>
    /// <exception cref="FormatException">It is not that, or names a zone that is not known here: nothing must open then.</exception>
    public static Series Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('|');
        return parts.Length == 4
            && RecurrenceText.Read(parts[0]).Rule is { } rule
            && DateOnly.TryParseExact(parts[1], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first)
            && TimeOnly.TryParseExact(parts[2], "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
            && ZoneClock.Find(parts[3]) is { } zone
            ? new Series(rule, first, at, zone)
            : throw new FormatException("This is no series that this program knows.");
    }

    /// <summary>The beginnings of its occurrences from a moment on, in their order.</summary>
    public IEnumerable<DateTimeOffset> From(DateTimeOffset moment)
    {
        // A day earlier: the zone may be ahead, and a day that the clock left out comes at the beginning of the next.
        var local = DateOnly.FromDateTime(ZoneClock.Local(moment, Zone)).AddDays(-2);
        DateTimeOffset? last = null;
        foreach (var day in Rule.From(First, local))
        {
            // Two that the clock makes one are one.
            var begins = ZoneClock.Instant(day.ToDateTime(At), Zone).ToUniversalTime();
            if (begins >= moment && begins != last)
            {
                last = begins;
                yield return begins;
            }
        }
    }
}

/// <summary>How a series that was approved stands. The names are what the store and the API write.</summary>
public enum SeriesState
{
    /// <summary>Occurrences are to come. It does not say that one is open now.</summary>
    Running = 1,

    /// <summary>Nothing more opens. An occurrence that was open goes on to its own end.</summary>
    Ended = 2,
}

/// <summary>Why a series ended.</summary>
public enum SeriesEnd
{
    /// <summary>Its last occurrence was.</summary>
    Finished = 1,

    /// <summary>Whoever asked for it took back what was to come.</summary>
    Cancelled = 2,

    /// <summary>Somebody with the right to took it away.</summary>
    Revoked = 3,

    /// <summary>Whoever asked for it left.</summary>
    Offboarded = 4,

    /// <summary>The policies ask for approvals now that it does not have.</summary>
    Outgrown = 5,
}

/// <summary>The moves of a series.</summary>
public static class SeriesMoves
{
    /// <summary><c>Running → Ended</c>.</summary>
    public static Moves<SeriesState> Table { get; } = new((SeriesState.Running, [SeriesState.Ended]));
}
