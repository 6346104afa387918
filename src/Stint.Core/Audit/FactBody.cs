using System.Text;
using System.Text.Json;

namespace Stint.Core.Audit;

/// <summary>A stored body, read back.</summary>
public sealed record FactBody
{
    private FactBody()
    {
    }

    /// <summary>Index of its leaf, from 0.</summary>
    public required long Seq { get; init; }

    /// <summary>What it says.</summary>
    public required string Kind { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who did it, as <see cref="Audit.Actor"/> writes it.</summary>
    public required string Actor { get; init; }

    /// <summary>Its fields: a JSON object.</summary>
    public required JsonElement Fields { get; init; }

    /// <summary>Reads a body as text.</summary>
    /// <exception cref="FormatException">It is not a canonical body.</exception>
    public static FactBody Parse(string body) => Parse(Encoding.UTF8.GetBytes(body));

    /// <summary>Reads a body's bytes.</summary>
    /// <exception cref="FormatException">They are not a canonical body.</exception>
    public static FactBody Parse(ReadOnlyMemory<byte> body) => Of(CanonicalJson.Read(body));

    /// <summary>A field that holds a text; null when it is absent or holds something else.</summary>
    public string? Text(string field) => Find(field) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>A field that holds a number; null when it is absent or holds something else.</summary>
    public long? Number(string field) => Find(field) is { ValueKind: JsonValueKind.Number } value ? value.GetInt64() : null;

    /// <summary>A field that holds yes or no; null when it is absent or holds something else.</summary>
    public bool? Flag(string field) => Find(field) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : null;

    /// <summary>A field that holds a time; null when it is absent or holds something else.</summary>
    public DateTimeOffset? Time(string field) => CanonicalTime.Read(Text(field));

    /// <summary>A field, whatever it holds; null when it is absent.</summary>
    public JsonElement? Find(string field) => Fields.TryGetProperty(field, out var value) ? value : null;

    /// <summary>Reads an element that is known to be canonical.</summary>
    /// <exception cref="FormatException">It is not a body.</exception>
    internal static FactBody Of(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object
            || root.GetPropertyCount() != 5
            || !root.TryGetProperty("actor", out var actor) || actor.ValueKind != JsonValueKind.String
            || !root.TryGetProperty("at", out var at) || at.ValueKind != JsonValueKind.String
            || CanonicalTime.Read(at.GetString()) is not { } time
            || !root.TryGetProperty("fields", out var fields) || fields.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("kind", out var kind) || kind.ValueKind != JsonValueKind.String
            || !root.TryGetProperty("seq", out var seq) || seq.ValueKind != JsonValueKind.Number
            || !seq.TryGetInt64(out var place) || place < 0)
        {
            throw new FormatException("This is not the body of a fact: it has exactly actor, at, fields, kind and seq.");
        }

        return new FactBody { Seq = place, Kind = kind.GetString()!, At = time, Actor = actor.GetString()!, Fields = fields };
    }
}
