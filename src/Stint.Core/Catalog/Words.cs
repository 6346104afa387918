using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Stint.Core.Catalog;

/// <summary>Small texts of the catalog's grammar: names, durations, what may be shown.</summary>
public static partial class Words
{
    /// <summary>Longest duration anywhere.</summary>
    public static readonly TimeSpan LongestDuration = TimeSpan.FromDays(366);

    /// <summary>Reads <c>30m</c>, <c>4h</c>, <c>1h30m</c>, <c>2d</c>, <c>45s</c>; null when it is not of that form, is zero, or is longer than 366 days.</summary>
    public static TimeSpan? Duration(string? text)
    {
        if (text is null || text.Length > 20 || DurationForm().Match(text) is not { Success: true } match || text.Length == 0)
        {
            return null;
        }

        var seconds = Part(match, 1) * 86_400 + Part(match, 2) * 3_600 + Part(match, 3) * 60 + Part(match, 4);
        return seconds > 0 && seconds <= (long)LongestDuration.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
    }

    /// <summary>Writes a duration as <see cref="Duration(string?)"/> reads it, in whole seconds: <c>1h30m</c>.</summary>
    public static string Say(TimeSpan duration)
    {
        var text = new StringBuilder();
        void Put(long count, char unit)
        {
            if (count > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
            }
        }

        Put(duration.Days, 'd');
        Put(duration.Hours, 'h');
        Put(duration.Minutes, 'm');
        Put(duration.Seconds, 's');
        return text.Length == 0 ? "0s" : text.ToString();
    }

    /// <summary>Whether it can name a resource, role, group, workflow or policy.</summary>
    public static bool IsName(string text) => NameForm().IsMatch(text);

    /// <summary>Whether it can name a person: a name, or an address with <c>@</c>.</summary>
    public static bool IsPersonName(string text) => PersonForm().IsMatch(text);

    /// <summary>Whether a name matches a pattern in which <c>*</c> stands for any characters, or none.</summary>
    public static bool Glob(string pattern, string name)
    {
        int p = 0, n = 0, star = -1, mark = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = n;
            }
            else if (p < pattern.Length && pattern[p] == name[n])
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++mark;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).TrimStart('*').IsEmpty;
    }

    /// <summary>Whether a person can be shown it: no control characters but new lines, nothing that turns the direction of writing, no half characters.</summary>
    public static bool IsShowable(string text, bool newLines)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
                continue;
            }

            var harmless = newLines && (c is '\n' or '\t');
            if (!harmless && (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069')))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A text cut so that a line can hold it, with what a terminal would obey taken out.</summary>
    internal static string Short(string text)
    {
        var cut = text.Length > 60 ? text[..60] + "…" : text;
        return IsShowable(cut, newLines: false) ? cut : new string([.. cut.Select(c => IsShowable(c.ToString(), false) ? c : '?')]);
    }

    /// <summary>The known name that was probably meant; null when none is near.</summary>
    internal static string? Near(string text, IEnumerable<string> known)
    {
        if (text.Length > 64)
        {
            return null;
        }

        var best = known.Where(name => name.Length <= 64)
            .Take(2_000)
            .Select(name => (Name: name, Far: Distance(text, name)))
            .OrderBy(pair => pair.Far)
            .ThenBy(pair => pair.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.Name is not null && best.Far <= Math.Max(1, Math.Min(text.Length, best.Name.Length) / 3) ? best.Name : null;
    }

    /// <summary>The way out for a name that nothing has.</summary>
    internal static string Meant(string text, IReadOnlyCollection<string> known, string otherwise) =>
        Near(text, known) is { } near ? $"did you mean '{near}'?" : known.Count is > 0 and <= 12 ? $"there are: {string.Join(", ", known.Order(StringComparer.Ordinal))}" : otherwise;

    private static int Distance(string a, string b)
    {
        // Optimal string alignment: two letters changed for each other are one mistake.
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }

    private static long Part(Match match, int group) =>
        match.Groups[group].Success ? long.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"\A(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?\z")]
    private static partial Regex DurationForm();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
    private static partial Regex NameForm();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}\z")]
    private static partial Regex PersonForm();
}
