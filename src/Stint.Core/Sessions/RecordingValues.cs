using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Stint.Core.Sessions;

/// <summary>Reads recorded bytes as people read them.</summary>
/// <remarks>Type numbers are those of PostgreSQL's catalog file <c>pg_type.dat</c>; they never change between versions.</remarks>
internal static class RecordingValues
{
    private static readonly DateTime PostgresEpoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static string TypeName(uint type) => type switch
    {
        0 => "unknown",
        16 => "bool",
        17 => "bytea",
        18 => "char",
        19 => "name",
        20 => "int8",
        21 => "int2",
        23 => "int4",
        25 => "text",
        26 => "oid",
        114 => "json",
        700 => "float4",
        701 => "float8",
        1042 => "bpchar",
        1043 => "varchar",
        1082 => "date",
        1083 => "time",
        1114 => "timestamp",
        1184 => "timestamptz",
        1700 => "numeric",
        2950 => "uuid",
        3802 => "jsonb",
        705 => "unknown",
        _ => type.ToString(CultureInfo.InvariantCulture),
    };

    public static string Read(uint type, bool binary, ReadOnlySpan<byte> value, bool truncated)
    {
        if (!binary)
        {
            return Text(value, "");
        }

        if (!truncated && Binary(type, value) is { } read)
        {
            return read;
        }

        return type switch
        {
            18 or 19 or 25 or 114 or 1042 or 1043 or 705 => Text(value, ""),
            3802 when value.Length > 0 && value[0] == 1 => Text(value[1..], ""),
            _ => "\\x" + Convert.ToHexStringLower(value),
        };
    }

    /// <summary>Bytes as text; what the encoding cannot read appears as <c>\xHH</c>.</summary>
    /// <param name="encoding">As PostgreSQL names it; empty for UTF8.</param>
    public static string Text(ReadOnlySpan<byte> bytes, string encoding)
    {
        var reader = encoding switch
        {
            "" or "UTF8" or "SQL_ASCII" => null,
            "LATIN1" => Encoding.Latin1,
            _ => Named(encoding),
        };

        return reader is not null ? reader.GetString(bytes) : Utf8(bytes);
    }

    private static string Utf8(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var used) == System.Buffers.OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                foreach (var broken in bytes[..used])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{broken:x2}");
                }
            }

            bytes = bytes[used..];
        }

        return text.ToString();
    }

    private static Encoding? Named(string encoding)
    {
        var name = encoding switch
        {
            "EUC_JP" => "euc-jp",
            "EUC_KR" => "euc-kr",
            "EUC_CN" => "gb2312",
            "SJIS" => "shift_jis",
            "BIG5" => "big5",
            "GBK" => "gbk",
            "GB18030" => "gb18030",
            "KOI8R" => "koi8-r",
            "KOI8U" => "koi8-u",
            "LATIN2" => "iso-8859-2",
            "LATIN5" => "iso-8859-9",
            "LATIN9" => "iso-8859-15",
            _ when encoding.StartsWith("WIN", StringComparison.Ordinal) => "windows-" + encoding[3..],
            _ when encoding.StartsWith("ISO_8859_", StringComparison.Ordinal) => "iso-8859-" + encoding[9..],
            _ => null,
        };

        try
        {
            return name is null ? null : CodePagesEncodingProvider.Instance.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string? Binary(uint type, ReadOnlySpan<byte> value) => (type, value.Length) switch
    {
        (16, 1) => value[0] == 0 ? "f" : "t",
        (20, 8) => BinaryPrimitives.ReadInt64BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (21, 2) => BinaryPrimitives.ReadInt16BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (23, 4) => BinaryPrimitives.ReadInt32BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (26, 4) => BinaryPrimitives.ReadUInt32BigEndian(value).ToString(CultureInfo.InvariantCulture),
        (700, 4) => BinaryPrimitives.ReadSingleBigEndian(value).ToString("R", CultureInfo.InvariantCulture),
        (701, 8) => BinaryPrimitives.ReadDoubleBigEndian(value).ToString("R", CultureInfo.InvariantCulture),
        (1082, 4) => Date(BinaryPrimitives.ReadInt32BigEndian(value)),
        (1083, 8) => Time(BinaryPrimitives.ReadInt64BigEndian(value)),
        (1114, 8) => Moment(BinaryPrimitives.ReadInt64BigEndian(value), ""),
        (1184, 8) => Moment(BinaryPrimitives.ReadInt64BigEndian(value), "Z"),
        (2950, 16) => new Guid(value, bigEndian: true).ToString(),
        (1700, >= 8) => Numeric(value),
        _ => null,
    };

    private static string? Date(int days) =>
        days is > -730000 and < 2921000 ? PostgresEpoch.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null;

    private static string? Time(long micros) =>
        micros is >= 0 and < 86_400_000_000 ? TimeSpan.FromMicroseconds(micros).ToString("hh\\:mm\\:ss\\.ffffff", CultureInfo.InvariantCulture) : null;

    private static string? Moment(long micros, string zone) =>
        micros is > -63_000_000_000_000_000 and < 252_000_000_000_000_000
            ? PostgresEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + zone
            : null;

    // PostgreSQL, src/backend/utils/adt/numeric.c: digit count, weight, sign, scale, then digits to base 10,000.
    private static string? Numeric(ReadOnlySpan<byte> value)
    {
        int count = BinaryPrimitives.ReadInt16BigEndian(value);
        int weight = BinaryPrimitives.ReadInt16BigEndian(value[2..]);
        int sign = BinaryPrimitives.ReadUInt16BigEndian(value[4..]);
        int scale = BinaryPrimitives.ReadUInt16BigEndian(value[6..]);
        if (sign is 0xC000 or 0xD000 or 0xF000)
        {
            return sign switch { 0xC000 => "NaN", 0xD000 => "Infinity", _ => "-Infinity" };
        }

        if (count < 0 || value.Length != 8 + (2 * count) || sign is not (0 or 0x4000) || scale > 0x3fff || weight is < -1000 or > 1000)
        {
            return null;
        }

        var text = new StringBuilder(sign == 0 ? "" : "-");
        for (var place = weight; place >= 0; place--)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Digit(value, weight - place, count):0000}");
        }

        var whole = text.ToString().TrimStart('-').TrimStart('0');
        text.Clear().Append(sign == 0 ? "" : "-").Append(whole.Length == 0 ? "0" : whole);
        if (scale > 0)
        {
            var fraction = new StringBuilder();
            for (var place = -1; fraction.Length < scale; place--)
            {
                fraction.Append(CultureInfo.InvariantCulture, $"{Digit(value, weight - place, count):0000}");
            }

            text.Append('.').Append(fraction.ToString(0, scale));
        }

        return text.ToString();
    }

    private static int Digit(ReadOnlySpan<byte> value, int index, int count) =>
        index >= 0 && index < count ? BinaryPrimitives.ReadInt16BigEndian(value[(8 + (2 * index))..]) : 0;
}
