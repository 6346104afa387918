using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Stint.Gateway.Postgres;

/// <summary>A Bind message, read whole: which portal, which statement, and where its values stand.</summary>
/// <param name="Portal">Name of the portal.</param>
/// <param name="Statement">Name of the statement.</param>
/// <param name="Values">Where each value stands; null for NULL.</param>
/// <param name="Binary">Whether each value comes in its type's binary form.</param>
internal sealed record PostgresBind(string Portal, string Statement, Range?[] Values, bool[] Binary)
{
    /// <summary>How many values.</summary>
    public int Count => Values.Length;

    /// <returns>Null for what is no Bind from its first byte to its last.</returns>
    public static PostgresBind? Read(ReadOnlySpan<byte> body)
    {
        var at = 0;
        if (Text(body, ref at) is not { } portal || Text(body, ref at) is not { } statement || Numbers(body, ref at) is not { } formats || Short(body, ref at) is not { } count)
        {
            return null;
        }

        var values = new Range?[count];
        for (var index = 0; index < count; index++)
        {
            if (body.Length - at < 4)
            {
                return null;
            }

            var length = BinaryPrimitives.ReadInt32BigEndian(body[at..]);
            at += 4;
            if (length < -1 || length > body.Length - at)
            {
                return null;
            }

            values[index] = length < 0 ? null : at..(at + length);
            at += Math.Max(length, 0);
        }

        if (formats.Any(format => format > 1) || (formats.Length > 1 && formats.Length != count) || Numbers(body, ref at) is null || at != body.Length)
        {
            return null;
        }

        return new PostgresBind(portal, statement, values, [.. Enumerable.Range(0, count).Select(index => formats.Length switch { 0 => 0, 1 => formats[0], _ => formats[index] } == 1)]);
    }

    /// <summary>Whether its values are those that are listed, compared in their text form.</summary>
    /// <param name="body">The message that it was read from.</param>
    /// <param name="listed">Null for any.</param>
    /// <param name="types">As the client named them when it prepared. A value in binary form whose type was left to the target fits nothing: nobody can say here what it means.</param>
    public bool Fits(ReadOnlySpan<byte> body, IReadOnlyList<string?>? listed, uint[] types)
    {
        if (listed is null)
        {
            return true;
        }

        if (listed.Count != Count)
        {
            return false;
        }

        for (var index = 0; index < Count; index++)
        {
            if ((Values[index], listed[index]) is not ({ } place, { } wanted))
            {
                if (Values[index] is null && listed[index] is null)
                {
                    continue;
                }

                return false;
            }

            var value = body[place];
            if (!(Binary[index] ? Is(types.ElementAtOrDefault(index), value, wanted) : value.SequenceEqual(Encoding.UTF8.GetBytes(wanted))))
            {
                return false;
            }
        }

        return true;
    }

    // Numbers of types: PostgreSQL's catalog file pg_type.dat. What is not here has to come in its text form.
    private static bool Is(uint type, ReadOnlySpan<byte> value, string wanted) => (type, value.Length) switch
    {
        (16, 1) => wanted is "t" or "true" ? value[0] == 1 : wanted is "f" or "false" && value[0] == 0,
        (20, 8) => wanted == BinaryPrimitives.ReadInt64BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (21, 2) => wanted == BinaryPrimitives.ReadInt16BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (23, 4) => wanted == BinaryPrimitives.ReadInt32BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (2950, 16) => wanted == new Guid(value, bigEndian: true).ToString(),
        (25 or 1042 or 1043, _) => value.SequenceEqual(Encoding.UTF8.GetBytes(wanted)),
        _ => false,
    };

    private static string? Text(ReadOnlySpan<byte> body, ref int at)
    {
        var end = body[at..].IndexOf((byte)0);
        if (end < 0)
        {
            return null;
        }

        var text = Encoding.Latin1.GetString(body.Slice(at, end));
        at += end + 1;
        return text;
    }

    private static int? Short(ReadOnlySpan<byte> body, ref int at)
    {
        if (body.Length - at < 2)
        {
            return null;
        }

        at += 2;
        return BinaryPrimitives.ReadUInt16BigEndian(body[(at - 2)..]);
    }

    private static int[]? Numbers(ReadOnlySpan<byte> body, ref int at)
    {
        if (Short(body, ref at) is not { } count || body.Length - at < 2 * count)
        {
            return null;
        }

        var numbers = new int[count];
        for (var index = 0; index < count; index++)
        {
            numbers[index] = Short(body, ref at)!.Value;
        }

        return numbers;
    }
}
