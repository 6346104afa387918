using System.Globalization;
using System.Text;
using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>From one type to another; what does not fit is an error, never cut.</summary>
internal static class CelConversions
{
    public static IEnumerable<CelOverload> All()
    {
        foreach (var (name, type) in new (string, CelType)[] { ("bool", Bool), ("int", Int), ("uint", Uint), ("double", CelType.Double), ("string", CelType.String), ("bytes", Bytes), ("timestamp", Timestamp), ("duration", Duration), ("ip", Address), ("cidr", Network) })
        {
            yield return Of(name, type, (_, a) => a[0], type);
        }

        yield return Of("dyn", Dyn, (_, a) => a[0], T);
        yield return Of("type", KindOf(T), (_, a) => CelValue.Of(CelType.Of(a[0])), T);
        yield return Of("bool", Bool, (f, a) => Truth(f, a[0].String), CelType.String);

        yield return Of("int", Int, (f, a) => a[0].Bits < 0 ? CelOperators.Overflow(f, "int") : CelValue.From(a[0].Bits), Uint);
        yield return Of("int", Int, (f, a) => a[0].Floating is > -9223372036854775808.0 and < 9223372036854775808.0 and var d ? CelValue.From((long)d) : CelOperators.Overflow(f, "int"), CelType.Double);
        yield return Of("int", Int, (f, a) => long.TryParse(a[0].String, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && Plain(a[0].String) ? CelValue.From(n) : Bad(f, "int", "digits with an optional sign"), CelType.String);
        yield return Of("int", Int, (_, a) => CelValue.From(a[0].Bits), Timestamp);

        yield return Of("uint", Uint, (f, a) => a[0].Bits < 0 ? CelOperators.Overflow(f, "uint") : CelValue.From((ulong)a[0].Bits), Int);
        yield return Of("uint", Uint, (f, a) => a[0].Floating is >= 0 and < 18446744073709551616.0 and var d ? CelValue.From((ulong)d) : CelOperators.Overflow(f, "uint"), CelType.Double);
        yield return Of("uint", Uint, (f, a) => ulong.TryParse(a[0].String, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && Plain(a[0].String) ? CelValue.From(n) : Bad(f, "uint", "digits"), CelType.String);

        yield return Of("double", CelType.Double, (_, a) => CelValue.From((double)a[0].Bits), Int);
        yield return Of("double", CelType.Double, (_, a) => CelValue.From((double)a[0].Unsigned), Uint);
        yield return Of("double", CelType.Double, (f, a) => Floating(f, a[0].String), CelType.String);

        yield return Of("string", CelType.String, (_, a) => CelValue.From(a[0].Bits != 0 ? "true" : "false"), Bool);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(a[0].Bits.ToString(CultureInfo.InvariantCulture)), Int);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(a[0].Unsigned.ToString(CultureInfo.InvariantCulture)), Uint);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(CelText.Say(a[0].Floating)), CelType.Double);
        yield return Of("string", CelType.String, (f, a) => CelText.FromUtf8(a[0].Octets) is { } text ? CelValue.From(text) : f.Fail(CelErrorCode.BadValue, "these bytes are no valid UTF-8, so they are no string"), Bytes);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(CelTime.Say(a[0])), Timestamp);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(CelTime.SayDuration(a[0].Bits)), Duration);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(a[0].Ref!.ToString()), Address);
        yield return Of("string", CelType.String, (_, a) => CelValue.From(a[0].Ref!.ToString()), Network);

        yield return Of("bytes", Bytes, (f, a) => a[0].String.Length > f.Limits.Text ? CelOperators.TooLong(f) : CelValue.From(Encoding.UTF8.GetBytes(a[0].String)), CelType.String);

        yield return Of("timestamp", Timestamp, (f, a) => CelTime.TryParseTimestamp(a[0].String, out var t) ? t : f.Fail(CelErrorCode.BadValue, CelConstants.NoTimestamp), CelType.String);
        yield return Of("timestamp", Timestamp, (f, a) => CelTime.InRange(a[0].Bits) ? CelValue.Timestamp(a[0].Bits, 0) : f.Fail(CelErrorCode.Overflow, "so many seconds since 1970 lie outside of the years 1 to 9999"), Int);
        yield return Of("duration", Duration, (f, a) => CelTime.TryParseDuration(a[0].String, out var d) ? d : f.Fail(CelErrorCode.BadValue, CelConstants.NoDuration), CelType.String);

        yield return Of("base64.encode", CelType.String, (f, a) => a[0].Octets.Length > f.Limits.Text / 2 ? CelOperators.TooLong(f) : CelValue.From(Convert.ToBase64String(a[0].Octets)), Bytes);
        yield return Of("base64.decode", Bytes, (f, a) => Decoded(f, a[0].String), CelType.String);
    }

    // TryParse is kinder than the language: it takes blanks of its own and signs of other scripts.
    private static bool Plain(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c) && c is not ('-' or '+'))
            {
                return false;
            }
        }

        return text.Length > 0;
    }

    private static CelValue Bad(CelInputs frame, string type, string wanted) => frame.Fail(CelErrorCode.BadValue, $"this text is no {type}; it takes {wanted}");

    private static CelValue Truth(CelInputs frame, string text) => text switch
    {
        "1" or "t" or "true" or "TRUE" or "True" => CelValue.True,
        "0" or "f" or "false" or "FALSE" or "False" => CelValue.False,
        _ => Bad(frame, "bool", "true or false"),
    };

    private static CelValue Floating(CelInputs frame, string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '+'))
            {
                return Bad(frame, "double", "a number as 1.5e3");
            }
        }

        return double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value)
            ? CelValue.From(value)
            : Bad(frame, "double", "a number as 1.5e3");
    }

    private static CelValue Decoded(CelInputs frame, string text)
    {
        // Padding may be left out.
        var padded = text.TrimEnd('=');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        var buffer = new byte[padded.Length / 4 * 3];
        return text.Length <= frame.Limits.Text && !text.Any(char.IsWhiteSpace) && Convert.TryFromBase64String(padded, buffer, out var written)
            ? CelValue.From(buffer[..written])
            : Bad(frame, "base64", "letters, digits, + and /");
    }
}
