using System.Globalization;
using System.Reflection;
using System.Text;

namespace Stint.Core;

/// <summary>Unicode's normalization form KC (Unicode Standard Annex #15), from a table of our own.</summary>
/// <remarks>
/// NB. The program runs without the machine's ICU, where <see cref="string.Normalize()"/> leaves everything but ASCII as it is and
/// says nothing. And a hash must not change because a machine learns a newer Unicode: what the table does not know stays as it is.
/// </remarks>
public static class Nfkc
{
    private const int L = 0x1100, V = 0x1161, T = 0x11A7, S = 0xAC00, Ls = 19, Vs = 21, Ts = 28;

    private static readonly Lazy<Tables> s_tables = new(Load);

    /// <summary>A text in that form; one that is no Unicode (half a character) as it is.</summary>
    public static string Of(string text)
    {
        if (text.All(char.IsAscii) || Decomposed(text) is not { } points)
        {
            return text;
        }

        Order(points);
        Compose(points);
        var composed = new StringBuilder(points.Count);
        foreach (var point in points)
        {
            composed.Append(new Rune(point).ToString());
        }

        return composed.ToString();
    }

    private static List<int>? Decomposed(string text)
    {
        var points = new List<int>(text.Length * 2);
        for (var i = 0; i < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, i, out var rune))
            {
                return null;
            }

            i += rune.Utf16SequenceLength;
            if (rune.Value is >= S and < S + (Ls * Vs * Ts))
            {
                var index = rune.Value - S;
                points.Add(L + (index / (Vs * Ts)));
                points.Add(V + (index % (Vs * Ts) / Ts));
                if (index % Ts > 0)
                {
                    points.Add(T + (index % Ts));
                }
            }
            else if (s_tables.Value.Parts.TryGetValue(rune.Value, out var parts))
            {
                points.AddRange(parts);
            }
            else
            {
                points.Add(rune.Value);
            }
        }

        return points;
    }

    /// <summary>Marks that follow a character stand in the order of their classes.</summary>
    private static void Order(List<int> points)
    {
        for (var from = 0; from < points.Count; from++)
        {
            var until = from;
            while (until < points.Count && Class(points[until]) > 0)
            {
                until++;
            }

            if (until - from > 1)
            {
                var marks = points[from..until].OrderBy(Class).ToList();
                for (var i = 0; i < marks.Count; i++)
                {
                    points[from + i] = marks[i];
                }
            }

            from = until;
        }
    }

    private static void Compose(List<int> points)
    {
        if (points.Count == 0)
        {
            return;
        }

        var (starter, kept, last) = (0, 1, Class(points[0]) == 0 ? 0 : int.MaxValue);
        for (var i = 1; i < points.Count; i++)
        {
            var (point, its) = (points[i], Class(points[i]));
            if ((last < its || last == 0) && Pair(points[starter], point) is { } one)
            {
                points[starter] = one;
                continue;
            }

            if (its == 0)
            {
                starter = kept;
            }

            (last, points[kept++]) = (its, point);
        }

        points.RemoveRange(kept, points.Count - kept);
    }

    private static int? Pair(int first, int second) =>
        first is >= L and < L + Ls && second is >= V and < V + Vs ? S + ((((first - L) * Vs) + second - V) * Ts)
        : first is >= S and < S + (Ls * Vs * Ts) && (first - S) % Ts == 0 && second is > T and < T + Ts ? first + second - T
        : s_tables.Value.Pairs.TryGetValue((first, second), out var one) ? one
        : null;

    private static int Class(int point) => s_tables.Value.Classes.GetValueOrDefault(point);

    private static Tables Load()
    {
        var tables = new Tables([], [], []);
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("nfkc.txt")!, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            foreach (var entry in line[0] == '#' ? [] : line[2..].Split(' '))
            {
                var (key, value) = (entry[..entry.IndexOf('=', StringComparison.Ordinal)], entry[(entry.IndexOf('=', StringComparison.Ordinal) + 1)..]);
                switch (line[0])
                {
                    case 'd':
                        tables.Parts[Point(key)] = [.. value.Split(',').Select(Point)];
                        break;
                    case 'c':
                        var range = key.Split('-');
                        for (var point = Point(range[0]); point <= Point(range[1]); point++)
                        {
                            tables.Classes[point] = Point(value);
                        }

                        break;
                    default:
                        var pair = key.Split(',');
                        tables.Pairs[(Point(pair[0]), Point(pair[1]))] = Point(value);
                        break;
                }
            }
        }

        return tables;
    }

    private static int Point(string hexadecimal) => int.Parse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private sealed record Tables(Dictionary<int, int[]> Parts, Dictionary<int, int> Classes, Dictionary<(int, int), int> Pairs);
}
