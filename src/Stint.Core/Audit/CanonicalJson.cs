using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Core.Audit;

/// <summary>The one way in which JSON that is hashed is written: RFC 8785 (JSON Canonicalization Scheme), restricted to whole numbers.</summary>
/// <remarks>
/// UTF-8, no white space, members in the order of their UTF-16 code units, the shortest escapes. Numbers are whole and
/// fit 64 bits; fractions are refused, because two writers could disagree on their digits. Half a surrogate pair in a
/// text becomes U+FFFD; in a member's name it is refused.
/// </remarks>
public static class CanonicalJson
{
    /// <summary>Deepest nesting that is read or written.</summary>
    public const int MaxDepth = 64;

    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        "\"\\" + string.Concat(Enumerable.Range(0, 0x20).Select(code => (char)code)));

    private static readonly JsonDocumentOptions Strict = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = MaxDepth,
    };

    /// <summary>The canonical bytes of a node; null is <c>null</c>.</summary>
    /// <exception cref="FormatException">It holds a fraction, a number beyond 64 bits, or is nested too deep.</exception>
    public static byte[] Bytes(JsonNode? node)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(output, node, null);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The canonical bytes of an element.</summary>
    /// <exception cref="FormatException">As for a node; or a text is not valid Unicode.</exception>
    public static byte[] Bytes(JsonElement element)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(output, element, 0);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads bytes that must already be canonical.</summary>
    /// <param name="bytes">One JSON value, nothing around it.</param>
    /// <exception cref="FormatException">They are not JSON, or not in the one canonical form.</exception>
    public static JsonElement Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            var again = Bytes(document.RootElement);
            if (!bytes.Span.SequenceEqual(again))
            {
                var at = bytes.Span.CommonPrefixLength(again);
                throw new FormatException($"This is not canonical JSON: it differs from its canonical form at byte {at.ToString(CultureInfo.InvariantCulture)}.");
            }

            return document.RootElement.Clone();
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            throw new FormatException($"This is not JSON: {bad.Message}", bad);
        }
    }

    /// <summary>Writes a node, passing each member's name by <paramref name="withhold"/> first: true replaces its value.</summary>
    internal static void Write(IBufferWriter<byte> output, JsonNode? node, Func<string, bool>? withhold, int depth = 0)
    {
        EnsureDepth(depth);
        switch (node)
        {
            case null:
                output.Write("null"u8);
                break;
            case JsonObject members:
                output.Write("{"u8);
                var first = true;
                foreach (var (name, value) in InOrder(members))
                {
                    WriteName(output, name, ref first);
                    if (withhold?.Invoke(name) == true)
                    {
                        WriteText(output, FieldClasses.Withheld);
                    }
                    else
                    {
                        Write(output, value, withhold, depth + 1);
                    }
                }

                output.Write("}"u8);
                break;
            case JsonArray items:
                output.Write("["u8);
                for (var i = 0; i < items.Count; i++)
                {
                    if (i > 0)
                    {
                        output.Write(","u8);
                    }

                    Write(output, items[i], withhold, depth + 1);
                }

                output.Write("]"u8);
                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                WriteText(output, text);
                break;
            case JsonValue value when value.TryGetValue<long>(out var number):
                WriteNumber(output, number);
                break;
            case JsonValue value when value.TryGetValue<bool>(out var flag):
                output.Write(flag ? "true"u8 : "false"u8);
                break;
            default:
                // NB. A node can wrap a CLR value or parsed text; an element is the one form that says which it is.
                Write(output, JsonSerializer.SerializeToElement(node), depth);
                break;
        }
    }

    private static KeyValuePair<string, JsonNode?>[] InOrder(JsonObject members)
    {
        var sorted = new KeyValuePair<string, JsonNode?>[members.Count];
        ((ICollection<KeyValuePair<string, JsonNode?>>)members).CopyTo(sorted, 0);
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return sorted;
    }

    internal static void WriteName(IBufferWriter<byte> output, string name, ref bool first)
    {
        if (!first)
        {
            output.Write(","u8);
        }

        first = false;
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsSurrogate(name[i]) && !(char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[++i])))
            {
                throw new FormatException("The name of a member is not valid Unicode.");
            }
        }

        WriteText(output, name);
        output.Write(":"u8);
    }

    internal static void WriteNumber(IBufferWriter<byte> output, long number)
    {
        var span = output.GetSpan(20);
        number.TryFormat(span, out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    internal static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        output.Write("\""u8);
        while (text.Length > 0)
        {
            var plain = text.IndexOfAny(Escaped);
            var run = plain < 0 ? text : text[..plain];
            if (run.Length > 0)
            {
                var span = output.GetSpan(Encoding.UTF8.GetMaxByteCount(run.Length));
                output.Advance(Encoding.UTF8.GetBytes(run, span));
            }

            if (plain < 0)
            {
                break;
            }

            WriteEscape(output, text[plain]);
            text = text[(plain + 1)..];
        }

        output.Write("\""u8);
    }

    private static void WriteEscape(IBufferWriter<byte> output, char code)
    {
        switch (code)
        {
            case '"': output.Write("\\\""u8); break;
            case '\\': output.Write("\\\\"u8); break;
            case '\b': output.Write("\\b"u8); break;
            case '\t': output.Write("\\t"u8); break;
            case '\n': output.Write("\\n"u8); break;
            case '\f': output.Write("\\f"u8); break;
            case '\r': output.Write("\\r"u8); break;
            default:
                output.Write("\\u00"u8);
                output.Write([(byte)(code < 0x10 ? '0' : '1'), (byte)"0123456789abcdef"[code & 0xf]]);
                break;
        }
    }

    private static void Write(IBufferWriter<byte> output, JsonElement element, int depth)
    {
        EnsureDepth(depth);
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                output.Write("{"u8);
                var first = true;
                foreach (var member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    WriteName(output, member.Name, ref first);
                    Write(output, member.Value, depth + 1);
                }

                output.Write("}"u8);
                break;
            case JsonValueKind.Array:
                output.Write("["u8);
                var any = false;
                foreach (var item in element.EnumerateArray())
                {
                    if (any)
                    {
                        output.Write(","u8);
                    }

                    any = true;
                    Write(output, item, depth + 1);
                }

                output.Write("]"u8);
                break;
            case JsonValueKind.String:
                WriteText(output, element.GetString());
                break;
            case JsonValueKind.Number:
                WriteNumber(output, element.TryGetInt64(out var number)
                    ? number
                    : throw new FormatException($"{element.GetRawText()} is not a whole number of 64 bits."));
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            default:
                output.Write("null"u8);
                break;
        }
    }

    private static void EnsureDepth(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FormatException($"This is nested deeper than {MaxDepth.ToString(CultureInfo.InvariantCulture)} levels.");
        }
    }
}
