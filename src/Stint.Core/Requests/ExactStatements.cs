using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core.Audit;
using Stint.Core.Catalog;

namespace Stint.Core.Requests;

/// <summary>One object of <c>authorization_details</c> (RFC 9396), as it came in.</summary>
/// <param name="Type">What sort of detail it is: <see cref="ExactStatements.Type"/>.</param>
/// <param name="Statements">The statements that it names.</param>
public sealed record AskedDetail(string? Type, IReadOnlyList<AskedStatement>? Statements);

/// <summary>One statement of it, as it came in.</summary>
/// <param name="Sql">Its whole text.</param>
/// <param name="Parameters">The values of its bind parameters, in their text form; null for none, a null among them for NULL.</param>
/// <param name="AnyParameters">Whether its bind parameters may have any values.</param>
/// <param name="Times">How often it may run; null for any number of times.</param>
public sealed record AskedStatement(string? Sql, IReadOnlyList<string?>? Parameters, bool AnyParameters, long? Times);

/// <summary>One statement that may run.</summary>
/// <param name="Sql">Its whole text, without white space before it, and without white space and semicolons behind it.</param>
/// <param name="Parameters">The values that its bind parameters have, in their text form; empty for a statement without. Null when they may have any.</param>
/// <param name="Times">How often it may run under one grant; null for any number of times.</param>
public sealed record ExactStatement(string Sql, IReadOnlyList<string?>? Parameters, int? Times)
{
    private byte[]? _bytes;

    internal ReadOnlySpan<byte> Bytes => _bytes ??= Encoding.UTF8.GetBytes(Sql);
}

/// <summary>The statements that an asking names, in its order: under what comes of it they run, and nothing else does.</summary>
/// <remarks>Two are equal when an approver would read the same.</remarks>
public sealed class ExactStatements : IEquatable<ExactStatements>
{
    /// <summary>The type of <c>authorization_details</c> that names statements.</summary>
    public const string Type = "stint:statements";

    /// <summary>Most statements of one asking.</summary>
    public const int Most = 50;

    /// <summary>Most of all their texts and values together, in bytes of UTF-8. An approver reads it, and it stands in a fact.</summary>
    public const int MostBytes = 64 * 1024;

    /// <summary>Most bind parameters of one statement.</summary>
    public const int MostParameters = 200;

    /// <summary>Most times that a statement can be allowed to run; each is put on record.</summary>
    public const int MostTimes = 10_000;

    private ExactStatements(IReadOnlyList<ExactStatement> list)
    {
        List = list;
        Text = Write(list);
    }

    /// <summary>In the order of the asking; never empty.</summary>
    public IReadOnlyList<ExactStatement> List { get; }

    /// <summary>As JSON in one form: an array of one object with <c>type</c> and <c>statements</c>, each with <c>sql</c> and, where they say something, <c>parameters</c>, <c>any_parameters</c>, <c>times</c>.</summary>
    public string Text { get; }

    /// <summary>Statements without parameters, as often as one likes.</summary>
    public static ExactStatements Of(params IEnumerable<string> texts) => new([.. texts.Select(text => new ExactStatement(Bare(text), [], null))]);

    /// <summary>Checks what came in.</summary>
    /// <param name="details">The objects; null for none.</param>
    /// <param name="wrong">Told of all that is wrong: where, what, and what to do.</param>
    /// <returns>Null when nothing was given, or when something is wrong with it.</returns>
    public static ExactStatements? Check(IReadOnlyList<AskedDetail>? details, Action<string, string, string?> wrong)
    {
        if (details is null)
        {
            return null;
        }

        var isSound = true;
        void Wrong(string where, string what, string? wayOut = null)
        {
            isSound = false;
            wrong(where, what, wayOut);
        }

        var list = new List<ExactStatement>();
        for (var at = 0; at < details.Count; at++)
        {
            var place = $"authorization_details[{at}]";
            if (details[at].Type != Type)
            {
                Wrong($"{place}.type", details[at].Type is null ? "it has no type" : "this type is not known here, so that nobody could hold anyone to it", $"write {Type}");
                continue;
            }

            if (details[at].Statements is not { Count: > 0 } asked)
            {
                Wrong($"{place}.statements", "it names no statement", "name at least one: { \"sql\": \"…\" }");
                continue;
            }

            for (var index = 0; index < asked.Count && list.Count <= Most; index++)
            {
                if (One(asked[index], $"{place}.statements[{index}]", Wrong) is { } one)
                {
                    list.Add(one);
                }
            }
        }

        if (details.Count == 0)
        {
            Wrong("authorization_details", "it is empty", "leave it out, or name a statement");
        }

        if (list.Count > Most)
        {
            Wrong("authorization_details", $"it names more than {Most} statements", "ask for less at once: somebody has to read them");
        }

        if (list.Sum(one => Size(one)) > MostBytes)
        {
            Wrong("authorization_details", $"its texts are longer than {MostBytes / 1024} KiB together", "ask for less at once: somebody has to read them");
        }

        if (list.GroupBy(Same, StringComparer.Ordinal).Any(same => same.Count() > 1))
        {
            Wrong("authorization_details", "a statement is named twice", "name it once, with how often it may run");
        }

        return isSound ? new ExactStatements(list) : null;
    }

    /// <summary>Reads <see cref="Text"/> back.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static ExactStatements Parse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var list = json.RootElement[0].GetProperty("statements").EnumerateArray().Select(Read).ToList();
            var read = new ExactStatements(list);
            return list.Count > 0 && read.Text == text ? read : throw new FormatException("These are not statements as they are kept.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            throw new FormatException("These are not statements as they are kept.", e);
        }
    }

    /// <summary>Which of them a text that a client sent is; several where they differ in their parameters alone, none when it is not listed.</summary>
    /// <param name="sent">UTF-8. White space and semicolons behind it do not count; everything else does.</param>
    public int[] Find(ReadOnlySpan<byte> sent)
    {
        var bare = Bare(sent);
        List<int>? found = null;
        for (var at = 0; at < List.Count; at++)
        {
            if (bare.SequenceEqual(List[at].Bytes))
            {
                (found ??= []).Add(at);
            }
        }

        return found?.ToArray() ?? [];
    }

    /// <summary>A text as it is compared: without the white space and semicolons behind it.</summary>
    public static ReadOnlySpan<byte> Bare(ReadOnlySpan<byte> sent) => sent.TrimEnd(" \t\r\n\f\v;"u8);

    /// <summary>The same as it stands in a fact: nested JSON, every name classified.</summary>
    public JsonNode ToNode() => JsonNode.Parse(Text)!;

    /// <summary>The bytes of <see cref="ToNode"/> in a fact, as text.</summary>
    public string Canonical => Encoding.UTF8.GetString(CanonicalJson.Bytes(ToNode()));

    public bool Equals(ExactStatements? other) => other is not null && other.Text == Text;

    public override bool Equals(object? obj) => Equals(obj as ExactStatements);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Never the texts: they may hold what is nobody else's business.</summary>
    public override string ToString() => $"{List.Count} statements";

    private static ExactStatement? One(AskedStatement asked, string place, Action<string, string, string?> wrong)
    {
        var isSound = true;
        void Wrong(string where, string what, string? wayOut)
        {
            isSound = false;
            wrong(where, what, wayOut);
        }

        var sql = Bare(asked.Sql ?? "");
        if (sql.Length == 0)
        {
            Wrong($"{place}.sql", "it has no text", "write the whole statement");
        }

        // NB. An approver has to see what runs: a text that hides or turns around a part of itself is none.
        if (!Words.IsShowable(sql, newLines: true))
        {
            Wrong($"{place}.sql", "it holds characters that cannot be shown", "take out control characters and marks that turn the direction of writing; line ends are bare");
        }

        if (asked is { Parameters: not null, AnyParameters: true })
        {
            Wrong($"{place}.any_parameters", "its parameters cannot be listed and be any at once", "leave one of the two out");
        }

        if (asked.Parameters?.Count > MostParameters)
        {
            Wrong($"{place}.parameters", $"it lists more than {MostParameters} parameters", null);
        }

        for (var at = 0; at < (asked.Parameters?.Count ?? 0); at++)
        {
            if (asked.Parameters![at] is { } value && !Words.IsShowable(value, newLines: true))
            {
                Wrong($"{place}.parameters[{at}]", "it holds characters that cannot be shown", "take out control characters and marks that turn the direction of writing");
            }
        }

        if (asked.Times is < 1 or > MostTimes)
        {
            Wrong($"{place}.times", "this is not how often a statement can be allowed to run", $"write 1 to {MostTimes}, or leave it out for any number of times");
        }

        return isSound ? new ExactStatement(sql, asked.AnyParameters ? null : [.. asked.Parameters ?? []], (int?)asked.Times) : null;
    }

    private static string Bare(string text) => text.TrimStart(' ', '\t', '\r', '\n', '\f', '\v').TrimEnd(' ', '\t', '\r', '\n', '\f', '\v', ';');

    private static long Size(ExactStatement one) => one.Bytes.Length + (one.Parameters?.Sum(value => 4L + Encoding.UTF8.GetByteCount(value ?? "")) ?? 0);

    private static string Same(ExactStatement one) => Write([one with { Times = null }]);

    private static ExactStatement Read(JsonElement one) => new(
        one.GetProperty("sql").GetString()!,
        one.TryGetProperty("any_parameters", out _) ? null : one.TryGetProperty("parameters", out var values) ? [.. values.EnumerateArray().Select(value => value.GetString())] : [],
        one.TryGetProperty("times", out var times) ? times.GetInt32() : null);

    private static string Write(IReadOnlyList<ExactStatement> list)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            json.WriteStartObject();
            json.WriteString("type", Type);
            json.WriteStartArray("statements");
            foreach (var one in list)
            {
                json.WriteStartObject();
                json.WriteString("sql", one.Sql);
                if (one.Parameters is null)
                {
                    json.WriteBoolean("any_parameters", true);
                }
                else if (one.Parameters.Count > 0)
                {
                    json.WriteStartArray("parameters");
                    foreach (var value in one.Parameters)
                    {
                        json.WriteStringValue(value);
                    }

                    json.WriteEndArray();
                }

                if (one.Times is { } times)
                {
                    json.WriteNumber("times", times);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
