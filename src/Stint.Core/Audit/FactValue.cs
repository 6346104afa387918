using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Core.Audit;

/// <summary>What a field of a fact can hold: text, a whole number, yes or no, a time, a list of texts, or nested JSON of those. Null is a null reference.</summary>
[SuppressMessage("Usage", "CA2225", Justification = "The conversions are how a fact is written; a method per type would only be noise.")]
public sealed class FactValue
{
    private FactValue(object value) => Value = value;

    /// <summary>string, long, bool, string[] or <see cref="JsonNode"/>.</summary>
    internal object Value { get; }

    /// <summary>The text, when it is one; else null.</summary>
    public string? Text => Value as string;

    /// <summary>The whole number, when it is one; else null.</summary>
    public long? Number => Value as long?;

    public static implicit operator FactValue?(string? value) => value is null ? null : new(value);

    public static implicit operator FactValue(long value) => new(value);

    public static implicit operator FactValue?(long? value) => value is null ? null : new(value.Value);

    public static implicit operator FactValue(int value) => new((long)value);

    public static implicit operator FactValue(bool value) => new(value);

    /// <summary>Written as <see cref="CanonicalTime"/> writes it: UTC, microseconds.</summary>
    public static implicit operator FactValue(DateTimeOffset value) => new(CanonicalTime.Write(value));

    public static implicit operator FactValue?(DateTimeOffset? value) => value is null ? null : new(CanonicalTime.Write(value.Value));

    public static implicit operator FactValue?(string[]? value) => value is null ? null : new(value.Clone());

    /// <summary>A copy, so that what is hashed cannot change behind the fact's back.</summary>
    public static implicit operator FactValue?(JsonNode? value) => value is null ? null : new(value.DeepClone());

    /// <summary>Nested JSON that the caller made for this fact and will not touch again: not copied.</summary>
    public static FactValue Own(JsonNode value) => new(value);

    /// <summary>A list of texts.</summary>
    public static FactValue List(IEnumerable<string> texts) => new(texts.ToArray());
}

/// <summary>The one form in which a time is written: <c>2026-11-22T13:00:00.123456Z</c>.</summary>
public static class CanonicalTime
{
    private const string Form = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>UTC, cut (never rounded up) to microseconds: what a database keeps, so that a hash survives the round trip.</summary>
    public static DateTimeOffset Cut(DateTimeOffset time)
    {
        var ticks = time.UtcTicks;
        return new DateTimeOffset(ticks - (ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }

    /// <summary>Writes it.</summary>
    public static string Write(DateTimeOffset time) => Cut(time).ToString(Form, CultureInfo.InvariantCulture);

    /// <summary>Reads exactly that form; null for any other.</summary>
    public static DateTimeOffset? Read(string? text) =>
        DateTimeOffset.TryParseExact(text, Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
