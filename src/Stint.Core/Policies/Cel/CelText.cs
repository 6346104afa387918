using System.Globalization;
using System.Text;

namespace Stint.Core.Policies.Cel;

/// <summary>Texts counted in code points, as the language does; .NET counts UTF-16 units.</summary>
internal static class CelText
{
    public static int Length(string text)
    {
        var pairs = 0;
        foreach (var unit in text)
        {
            pairs += char.IsLowSurrogate(unit) ? 1 : 0;
        }

        return text.Length - pairs;
    }

    /// <summary>Whether every code point is one unit, so that both ways of counting agree.</summary>
    public static bool IsFlat(string text) => !text.AsSpan().ContainsAnyInRange('\ud800', '\udfff');

    /// <summary>The unit at which a code point begins; the length for the one behind the last, -1 beyond it.</summary>
    public static int UnitOf(string text, long point)
    {
        if (point < 0 || point > text.Length)
        {
            return -1;
        }

        if (IsFlat(text))
        {
            return (int)point;
        }

        var unit = 0;
        for (var i = 0; i < point; i++)
        {
            if (unit >= text.Length)
            {
                return -1;
            }

            unit += char.IsHighSurrogate(text[unit]) ? 2 : 1;
        }

        return unit;
    }

    /// <summary>How many code points lie before a unit.</summary>
    public static long PointOf(string text, int unit) => IsFlat(text) ? unit : Length(text[..unit]);

    /// <summary>By code points. Units differ from them only where a pair meets a unit above the surrogates.</summary>
    public static int Compare(string a, string b)
    {
        var shared = a.AsSpan().CommonPrefixLength(b);
        if (shared == a.Length || shared == b.Length)
        {
            return a.Length.CompareTo(b.Length);
        }

        var (x, y) = (a[shared], b[shared]);
        return char.IsSurrogate(x) == char.IsSurrogate(y) ? x.CompareTo(y) : char.IsSurrogate(x) ? 1 : -1;
    }

    public static string MapAscii(string text, bool up) => string.Create(text.Length, (text, up), static (span, state) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            var c = state.text[i];
            span[i] = state.up ? (c is >= 'a' and <= 'z' ? (char)(c - 32) : c) : c is >= 'A' and <= 'Z' ? (char)(c + 32) : c;
        }
    });

    public static string Reverse(string text)
    {
        var reversed = new StringBuilder(text.Length);
        for (var i = text.Length - 1; i >= 0; i--)
        {
            if (char.IsLowSurrogate(text[i]) && i > 0)
            {
                reversed.Append(text[i - 1]).Append(text[i]);
                i--;
            }
            else
            {
                reversed.Append(text[i]);
            }
        }

        return reversed.ToString();
    }

    /// <summary>White space as the Unicode property White_Space has it.</summary>
    public static string Trim(string text)
    {
        var (from, to) = (0, text.Length);
        while (from < to && IsWhite(text[from]))
        {
            from++;
        }

        while (to > from && IsWhite(text[to - 1]))
        {
            to--;
        }

        return text[from..to];
    }

    private static bool IsWhite(char c) => c is (>= '\t' and <= '\r') or ' ' or '\u0085' or '\u00a0' or '\u1680' or (>= '\u2000' and <= '\u200a')
        or '\u2028' or '\u2029' or '\u202f' or '\u205f' or '\u3000';

    /// <summary>In double quotes, with what cannot be seen written as escapes.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '\a' => quoted.Append("\\a"),
                '\b' => quoted.Append("\\b"),
                '\f' => quoted.Append("\\f"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                '\v' => quoted.Append("\\v"),
                '\\' => quoted.Append("\\\\"),
                '"' => quoted.Append("\\\""),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>The shortest text that reads back as the same number; an exponent only beyond 21 digits or below a millionth.</summary>
    public static string Say(double value)
    {
        if (double.IsNaN(value))
        {
            return "NaN";
        }

        if (double.IsInfinity(value))
        {
            return value > 0 ? "Infinity" : "-Infinity";
        }

        if (value == 0)
        {
            return double.IsNegative(value) ? "-0" : "0";
        }

        var (digits, sign, exponent) = Digits(value.ToString("R", CultureInfo.InvariantCulture));
        if (exponent is >= 21 or < -6)
        {
            var fraction = digits.Length > 1 ? $".{digits[1..]}" : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent).ToString(CultureInfo.InvariantCulture)}";
        }

        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        return digits.Length <= exponent + 1
            ? $"{sign}{digits}{new string('0', exponent + 1 - digits.Length)}"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>The digits without zeros around them, and the power of ten of the first one.</summary>
    private static (string Digits, string Sign, int Exponent) Digits(string shortest)
    {
        var mark = shortest.IndexOf('E', StringComparison.Ordinal);
        var mantissa = shortest[..(mark < 0 ? shortest.Length : mark)].TrimStart('-');
        var exponent = mark < 0 ? 0 : int.Parse(shortest.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var zeros = digits.Length - digits.TrimStart('0').Length;
        return (digits.Trim('0'), shortest[0] == '-' ? "-" : "", exponent + (point < 0 ? mantissa.Length : point) - 1 - zeros);
    }

    /// <summary>Null when the bytes are no valid UTF-8.</summary>
    public static string? FromUtf8(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static readonly UTF8Encoding Strict = new(false, true);
}
