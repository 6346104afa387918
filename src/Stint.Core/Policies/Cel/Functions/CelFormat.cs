using System.Globalization;
using System.Text;

namespace Stint.Core.Policies.Cel;

/// <summary><c>"%d of %s".format([1, "x"])</c></summary>
internal static class CelFormat
{
    private const int MostPrecision = 100;

    public static CelValue Format(CelInputs frame, string pattern, CelList values)
    {
        var made = new StringBuilder();
        var next = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%')
            {
                made.Append(pattern[i]);
                continue;
            }

            if (++i < pattern.Length && pattern[i] == '%')
            {
                made.Append('%');
                continue;
            }

            var precision = -1;
            if (i < pattern.Length && pattern[i] == '.')
            {
                precision = 0;
                for (i++; i < pattern.Length && char.IsAsciiDigit(pattern[i]); i++)
                {
                    precision = Math.Min((precision * 10) + (pattern[i] - '0'), MostPrecision + 1);
                }
            }

            if (i >= pattern.Length || !"sdfebxXo".Contains(pattern[i], StringComparison.Ordinal) || precision > MostPrecision)
            {
                return frame.Fail(CelErrorCode.BadValue, "format() knows %s %d %f %e %b %x %X %o, a precision up to 100 as %.2f, and %% for a percent sign");
            }

            if (next >= values.Count)
            {
                return frame.Fail(CelErrorCode.BadValue, $"format() has more than {values.Count} places, but only {values.Count} values; give one for each");
            }

            var text = One(frame, pattern[i], precision < 0 ? 6 : precision, values[next++]);
            if (text is null)
            {
                return frame.Exhausted ? frame.TooMany() : frame.Fail(CelErrorCode.BadValue, $"format() cannot write a {CelType.Of(values[next - 1])} as %{pattern[i]}; %s takes every type");
            }

            made.Append(text);
            if (made.Length > frame.Limits.Text)
            {
                return CelOperators.TooLong(frame);
            }
        }

        return CelValue.From(made.ToString());
    }

    private static string? One(CelInputs frame, char clause, int precision, in CelValue value)
    {
        if (clause == 's')
        {
            var made = new StringBuilder();
            return Write(frame, made, value) ? made.ToString() : null;
        }

        if (clause is 'd' or 'f' or 'e' && value.Kind == CelKind.Floating && !double.IsFinite(value.Floating))
        {
            return CelText.Say(value.Floating);
        }

        return (clause, value.Kind) switch
        {
            ('d', CelKind.Signed) => value.Bits.ToString(CultureInfo.InvariantCulture),
            ('d', CelKind.Unsigned) => value.Unsigned.ToString(CultureInfo.InvariantCulture),
            ('f' or 'e', CelKind.Floating) => Round(value.Floating, precision, clause == 'e'),
            ('f' or 'e', CelKind.Signed) => Round(value.Bits, precision, clause == 'e'),
            ('f' or 'e', CelKind.Unsigned) => Round(value.Unsigned, precision, clause == 'e'),
            ('b', CelKind.Truth) => value.Bits == 0 ? "0" : "1",
            ('b', CelKind.Signed) => Based(value, 1),
            ('b', CelKind.Unsigned) => Based(value, 1),
            ('o', CelKind.Signed or CelKind.Unsigned) => Based(value, 3),
            ('x', CelKind.Signed or CelKind.Unsigned) => Based(value, 4),
            ('X', CelKind.Signed or CelKind.Unsigned) => Based(value, 4).ToUpperInvariant(),
            ('x', CelKind.Text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(value.String)),
            ('X', CelKind.Text) => Convert.ToHexString(Encoding.UTF8.GetBytes(value.String)),
            ('x', CelKind.Bytes) => Convert.ToHexStringLower(value.Octets),
            ('X', CelKind.Bytes) => Convert.ToHexString(value.Octets),
            _ => null,
        };
    }

    private static string Based(in CelValue value, int bits)
    {
        var negative = value.Kind == CelKind.Signed && value.Bits < 0;
        var rest = negative ? (ulong)-(Int128)value.Bits : value.Unsigned;
        var digits = new StringBuilder();
        do
        {
            digits.Insert(0, "0123456789abcdef"[(int)(rest & ((1UL << bits) - 1))]);
            rest >>= bits;
        }
        while (rest != 0);
        return negative ? "-" + digits : digits.ToString();
    }

    /// <summary>Rounds the exact decimal digits half to even; the runtime's own format rounds half up.</summary>
    private static string Round(double value, int precision, bool scientific)
    {
        // No double has more digits than these.
        var exact = value.ToString(scientific ? "E800" : "F1100", CultureInfo.InvariantCulture);
        var mark = scientific ? exact.IndexOf('E', StringComparison.Ordinal) : exact.Length;
        var point = exact.IndexOf('.', StringComparison.Ordinal);
        var kept = exact[..(point + (precision > 0 ? precision + 1 : 0))].ToCharArray();
        var rest = exact.AsSpan(point + 1 + precision, mark - point - 1 - precision);
        var half = rest.Length > 0 ? rest[0].CompareTo('5') : -1;
        if (half == 0 && rest[1..].ContainsAnyExcept('0'))
        {
            half = 1;
        }

        var text = new string(kept);
        if (half > 0 || (half == 0 && (kept[^1] - '0') % 2 == 1))
        {
            text = Up(kept);
        }

        if (!scientific)
        {
            return text;
        }

        var exponent = int.Parse(exact.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var sign = text[0] == '-' ? "-" : "";
        var digits = text.AsSpan(sign.Length);
        if (digits.Length > 1 && digits[1] is not '.')
        {
            // Rounding made it 10.000.
            text = sign + digits[0] + (precision > 0 ? "." + new string('0', precision) : "");
            exponent++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{text}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private static string Up(char[] digits)
    {
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            if (digits[i] is '.' or '-')
            {
                continue;
            }

            if (digits[i] != '9')
            {
                digits[i]++;
                return new string(digits);
            }

            digits[i] = '0';
        }

        var text = new string(digits);
        return text[0] == '-' ? "-1" + text[1..] : "1" + text;
    }

    /// <summary>False when it takes too many steps.</summary>
    private static bool Write(CelInputs frame, StringBuilder made, in CelValue value)
    {
        if (!frame.Charge(1) || made.Length > frame.Limits.Text)
        {
            return false;
        }

        switch (value.Kind)
        {
            case CelKind.Text:
                made.Append(value.String);
                return true;
            case CelKind.Bytes:
                made.Append(Encoding.UTF8.GetString(value.Octets));
                return true;
            case CelKind.List:
                made.Append('[');
                for (var i = 0; i < value.List.Count; i++)
                {
                    made.Append(i == 0 ? "" : ", ");
                    if (!Write(frame, made, value.List[i]))
                    {
                        return false;
                    }
                }

                made.Append(']');
                return true;
            case CelKind.Map:
                return WriteMap(frame, made, value.Map);
            default:
                made.Append(CelWriting.Plain(value));
                return true;
        }
    }

    private static bool WriteMap(CelInputs frame, StringBuilder made, CelMap map)
    {
        if (!frame.Charge(map.Count * 4L))
        {
            return false;
        }

        var keys = Enumerable.Range(0, map.Count).Select(i => (Text: CelWriting.Plain(map.KeyAt(i)), Index: i)).OrderBy(key => key.Text, StringComparer.Ordinal).ToList();
        made.Append('{');
        for (var i = 0; i < keys.Count; i++)
        {
            made.Append(i == 0 ? "" : ", ").Append(keys[i].Text).Append(": ");
            if (!Write(frame, made, map.ValueAt(keys[i].Index)))
            {
                return false;
            }
        }

        made.Append('}');
        return true;
    }
}
