using System.Globalization;
using System.Text;

namespace Stint.Core.Policies.Cel;

/// <summary>Moments and lengths of time: their texts (RFC 3339; "1h30m"), their bounds, and their parts in a zone.</summary>
internal static class CelTime
{
    /// <summary>From 0001-01-01T00:00:00Z to 1970-01-01T00:00:00Z.</summary>
    public const long SecondsFromYearOne = 62_135_596_800;

    public const long First = -SecondsFromYearOne;
    public const long Last = 253_402_300_799;
    private const int Billion = 1_000_000_000;

    public static bool InRange(long seconds) => seconds is >= First and <= Last;

    /// <summary>A moment moved by nanoseconds; false when it leaves the years 1 to 9999.</summary>
    public static bool TryAdd(in CelValue moment, Int128 nanoseconds, out CelValue moved)
    {
        var total = ((Int128)moment.Bits * Billion) + moment.Nanos + nanoseconds;
        var seconds = total / Billion;
        var nanos = total % Billion;
        if (nanos < 0)
        {
            (seconds, nanos) = (seconds - 1, nanos + Billion);
        }

        var fits = seconds >= First && seconds <= Last;
        moved = fits ? CelValue.Timestamp((long)seconds, (int)nanos) : default;
        return fits;
    }

    public static Int128 Between(in CelValue later, in CelValue earlier) =>
        ((Int128)(later.Bits - earlier.Bits) * Billion) + later.Nanos - earlier.Nanos;

    /// <summary>RFC 3339, section 5.6, with up to nine digits of a fraction.</summary>
    public static bool TryParseTimestamp(string text, out CelValue value)
    {
        value = default;
        var s = text.AsSpan();
        if (s.Length < 20 || s[4] != '-' || s[7] != '-' || s[10] is not ('T' or 't') || s[13] != ':' || s[16] != ':'
            || !Digits(s[..4], out var year) || !Digits(s[5..7], out var month) || !Digits(s[8..10], out var day)
            || !Digits(s[11..13], out var hour) || !Digits(s[14..16], out var minute) || !Digits(s[17..19], out var second)
            || month is < 1 or > 12 || year < 1 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        var at = 19;
        var nanos = 0;
        if (s[at] == '.')
        {
            var digits = 0;
            for (at++; at < s.Length && char.IsAsciiDigit(s[at]); at++, digits++)
            {
                if (digits >= 9)
                {
                    return false;
                }

                nanos = (nanos * 10) + (s[at] - '0');
            }

            if (digits == 0)
            {
                return false;
            }

            for (; digits < 9; digits++)
            {
                nanos *= 10;
            }
        }

        if (!TryOffset(s[at..], out var offset))
        {
            return false;
        }

        var seconds = (Days(year, month, day) * 86_400) + (hour * 3600) + (minute * 60) + second - offset;
        if (!InRange(seconds))
        {
            return false;
        }

        value = CelValue.Timestamp(seconds, nanos);
        return true;
    }

    /// <summary>Numbers with units (<c>h m s ms us µs ns</c>), largest first or not, with one sign before all: <c>1h30m</c>, <c>-1.5s</c>, <c>0</c>.</summary>
    public static bool TryParseDuration(string text, out CelValue value)
    {
        value = default;
        var s = text.AsSpan();
        var negative = s.Length > 0 && s[0] == '-';
        s = s.Length > 0 && s[0] is '-' or '+' ? s[1..] : s;
        if (s.SequenceEqual("0"))
        {
            value = CelValue.Duration(0);
            return true;
        }

        if (s.IsEmpty || s.Length > 100)
        {
            return false;
        }

        Int128 total = 0;
        while (!s.IsEmpty)
        {
            var digits = 0;
            Int128 whole = 0;
            for (; digits < s.Length && char.IsAsciiDigit(s[digits]); digits++)
            {
                whole = (whole * 10) + (s[digits] - '0');
                if (whole > long.MaxValue)
                {
                    return false;
                }
            }

            var any = digits > 0;
            s = s[digits..];
            Int128 fraction = 0;
            Int128 scale = 1;
            if (!s.IsEmpty && s[0] == '.')
            {
                var end = 1;
                for (; end < s.Length && char.IsAsciiDigit(s[end]); end++)
                {
                    // Beyond this many digits nothing reaches a nanosecond.
                    if (end <= 15)
                    {
                        fraction = (fraction * 10) + (s[end] - '0');
                        scale *= 10;
                    }

                    any = true;
                }

                s = s[end..];
            }

            if (!any || !TryUnit(ref s, out var unit))
            {
                return false;
            }

            total += (whole * unit) + (fraction * unit / scale);
        }

        total = negative ? -total : total;
        if (total > long.MaxValue || total < long.MinValue)
        {
            return false;
        }

        value = CelValue.Duration((long)total);
        return true;
    }

    public static string Say(in CelValue moment)
    {
        var (year, month, day) = Date(Floor(moment.Bits, 86_400));
        var second = Modulo(moment.Bits, 86_400);
        var text = new StringBuilder(30).Append(CultureInfo.InvariantCulture, $"{year:0000}-{month:00}-{day:00}T{second / 3600:00}:{second / 60 % 60:00}:{second % 60:00}");
        Fraction(text, moment.Nanos);
        return text.Append('Z').ToString();
    }

    public static string SayDuration(long nanoseconds)
    {
        var magnitude = nanoseconds < 0 ? (UInt128)(-(Int128)nanoseconds) : (UInt128)nanoseconds;
        var text = new StringBuilder(24).Append(nanoseconds < 0 ? "-" : "").Append(CultureInfo.InvariantCulture, $"{(ulong)(magnitude / Billion)}");
        Fraction(text, (int)(magnitude % Billion));
        return text.Append('s').ToString();
    }

    /// <summary>A zone by its IANA name or as an offset (<c>+02:00</c>); null when there is none.</summary>
    public static TimeZoneInfo? Zone(string name)
    {
        if (name is "" or "UTC" or "Z")
        {
            return TimeZoneInfo.Utc;
        }

        if (name.Length is 5 or 6 && name[^3] == ':')
        {
            var signed = char.IsAsciiDigit(name[0]) ? "+" + name : name;
            return TryOffset(signed, out var offset) && Math.Abs(offset) <= 14 * 3600
                ? TimeZoneInfo.CreateCustomTimeZone(name, TimeSpan.FromSeconds(offset), name, name)
                : null;
        }

        // Nothing that could be a path.
        return name.Length <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+') && !name.StartsWith('/')
            && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;
    }

    /// <summary>Seconds of a moment on the clock of a zone.</summary>
    public static long Local(long seconds, TimeZoneInfo zone)
    {
        if (ReferenceEquals(zone, TimeZoneInfo.Utc))
        {
            return seconds;
        }

        var moment = new DateTime((seconds + SecondsFromYearOne) * TimeSpan.TicksPerSecond, DateTimeKind.Utc);
        return seconds + (long)zone.GetUtcOffset(moment).TotalSeconds;
    }

    /// <summary>One part of a moment on a zone's clock, as the functions of that name count it: months, days and days of a week from 0.</summary>
    public static long Part(string part, in CelValue moment, TimeZoneInfo zone)
    {
        var local = Local(moment.Bits, zone);
        var days = Floor(local, 86_400);
        var second = Modulo(local, 86_400);
        return part switch
        {
            "getHours" => second / 3600,
            "getMinutes" => second / 60 % 60,
            "getSeconds" => second % 60,
            "getMilliseconds" => moment.Nanos / 1_000_000,
            "getDayOfWeek" => Modulo(days + 4, 7),
            _ => OfDate(part, days),
        };
    }

    private static long OfDate(string part, long days)
    {
        var (year, month, day) = Date(days);
        return part switch
        {
            "getFullYear" => year,
            "getMonth" => month - 1,
            "getDate" => day,
            "getDayOfMonth" => day - 1,
            _ => days - Days(year, 1, 1),
        };
    }

    private static void Fraction(StringBuilder text, int nanos)
    {
        if (nanos != 0)
        {
            text.Append('.').Append(nanos.ToString("000000000", CultureInfo.InvariantCulture).TrimEnd('0'));
        }
    }

    private static bool Digits(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }

            number = (number * 10) + (c - '0');
        }

        return true;
    }

    private static bool TryOffset(ReadOnlySpan<char> text, out int seconds)
    {
        seconds = 0;
        if (text is "Z" or "z")
        {
            return true;
        }

        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':' || !Digits(text[1..3], out var hours) || !Digits(text[4..], out var minutes) || hours > 23 || minutes > 59)
        {
            return false;
        }

        seconds = ((hours * 60) + minutes) * 60 * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool TryUnit(ref ReadOnlySpan<char> text, out long nanoseconds)
    {
        // Two letters before one, so that "ms" is not read as minutes.
        foreach (var (name, length) in Units)
        {
            if (text.StartsWith(name, StringComparison.Ordinal))
            {
                text = text[name.Length..];
                nanoseconds = length;
                return true;
            }
        }

        nanoseconds = 0;
        return false;
    }

    private static readonly (string Name, long Nanoseconds)[] Units =
    [
        ("ns", 1), ("us", 1_000), ("\u00b5s", 1_000), ("\u03bcs", 1_000), ("ms", 1_000_000), ("s", Billion), ("m", 60L * Billion), ("h", 3600L * Billion),
    ];

    private static long Floor(long value, long by) => (value / by) - (value % by < 0 ? 1 : 0);

    private static long Modulo(long value, long by) => value % by < 0 ? (value % by) + by : value % by;

    /// <summary>Days from 1970-01-01, by the Gregorian calendar in both directions, so that a zone may lead out of DateTime's years.</summary>
    private static long Days(long year, int month, int day)
    {
        // Years begin in March here, so that the leap day is the last day of one.
        var y = month <= 2 ? year - 1 : year;
        var era = Floor(y, 400);
        var ofEra = y - (era * 400);
        var ofYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        return (era * 146_097) + (ofEra * 365) + (ofEra / 4) - (ofEra / 100) + ofYear - 719_468;
    }

    private static (long Year, int Month, int Day) Date(long days)
    {
        days += 719_468;
        var era = Floor(days, 146_097);
        var ofEra = days - (era * 146_097);
        var year = (ofEra - (ofEra / 1460) + (ofEra / 36_524) - (ofEra / 146_096)) / 365;
        var ofYear = ofEra - ((365 * year) + (year / 4) - (year / 100));
        var m = ((5 * ofYear) + 2) / 153;
        var day = (int)(ofYear - (((153 * m) + 2) / 5) + 1);
        var month = (int)(m < 10 ? m + 3 : m - 9);
        return (year + (era * 400) + (month <= 2 ? 1 : 0), month, day);
    }
}
