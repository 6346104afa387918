using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Stint.Core.Audit;

/// <summary>One line of the audit log before it has its place: what changed, when, by whom, with named fields.</summary>
/// <example><code>
/// var fact = new Fact(FactKinds.RequestAsked, now, Actor.Person("ann"))
/// {
///     ["request"] = "req-4f1k9w2m7x0c", ["role"] = "orders-db/read-only", ["for_seconds"] = 1800,
/// };
/// </code></example>
public sealed partial class Fact
{
    /// <summary>Longest body in bytes.</summary>
    public const int MaxBodyBytes = 256 * 1024;

    private readonly SortedList<string, FactValue?> _fields = new(16, StringComparer.Ordinal);

    /// <summary>A fact without fields yet.</summary>
    /// <param name="kind">One of <see cref="FactKinds"/>.</param>
    /// <param name="at">When it became true; cut to microseconds.</param>
    /// <param name="actor">Who did it.</param>
    /// <exception cref="ArgumentException">The kind is not a word in Pascal case of at most 64 letters.</exception>
    /// <exception cref="InvalidOperationException">The actor is the default value.</exception>
    public Fact(string kind, DateTimeOffset at, Actor actor)
    {
        if (!KindForm().IsMatch(kind))
        {
            throw new ArgumentException($"'{kind}' is not the name of a kind of fact.", nameof(kind));
        }

        Kind = kind;
        At = CanonicalTime.Cut(at);
        _ = actor.ToString();
        Actor = actor;
    }

    /// <summary>What it says.</summary>
    public string Kind { get; }

    /// <summary>When, in UTC, with microseconds.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Who did it.</summary>
    public Actor Actor { get; }

    /// <summary>Names of its fields that nobody classified, in order; their values will not leave. Empty in a healthy program.</summary>
    public IEnumerable<string> Unclassified => _fields.Keys.Where(IsSecret);

    /// <summary>A field. Reading an absent one gives null; null is a value like others.</summary>
    /// <param name="field">Lower case letters, digits and underscores; at most 64.</param>
    /// <exception cref="ArgumentException">The name has another form.</exception>
    public FactValue? this[string field]
    {
        get => _fields.GetValueOrDefault(field);
        set => _fields[IsName(field) ? field : throw new ArgumentException($"'{field}' is not the name of a field.", nameof(field))] = value;
    }

    /// <summary>Gives it its place and writes its canonical bytes. What is hashed is exactly <see cref="SealedFact.Body"/>.</summary>
    /// <param name="seq">Its index in the log, from 0.</param>
    /// <exception cref="FormatException">A nested value cannot be written canonically.</exception>
    /// <exception cref="FactTooLargeException">The body is longer than <see cref="MaxBodyBytes"/>.</exception>
    public SealedFact Seal(long seq)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seq);
        var output = new ArrayBufferWriter<byte>(512);

        // NB. These five are in canonical order, and the place comes last: a verifier reads it off the end of a body
        // without parsing the rest.
        output.Write("{\"actor\":"u8);
        CanonicalJson.WriteText(output, Actor.ToString());
        output.Write(",\"at\":"u8);
        CanonicalJson.WriteText(output, CanonicalTime.Write(At));
        output.Write(",\"fields\":{"u8);
        var first = true;
        foreach (var (name, value) in _fields)
        {
            CanonicalJson.WriteName(output, name, ref first);
            Write(output, IsSecret(name) ? FieldClasses.Withheld : value?.Value);
        }

        output.Write("},\"kind\":"u8);
        CanonicalJson.WriteText(output, Kind);
        output.Write(",\"seq\":"u8);
        CanonicalJson.WriteNumber(output, seq);
        output.Write("}"u8);
        if (output.WrittenCount > MaxBodyBytes)
        {
            throw new FactTooLargeException(Kind, output.WrittenCount);
        }

        return new SealedFact(seq, Kind, At, Encoding.UTF8.GetString(output.WrittenSpan), Merkle.LeafHash(output.WrittenSpan));
    }

    /// <summary>A classified name is one; asking the table is quicker than matching.</summary>
    private static bool IsName(string field) => !IsSecret(field) || FieldForm().IsMatch(field);

    private static bool IsSecret(string field) => FieldClasses.Of(field) == FieldClass.Secret;

    private static void Write(ArrayBufferWriter<byte> output, object? value)
    {
        switch (value)
        {
            case null:
                output.Write("null"u8);
                break;
            case string text:
                CanonicalJson.WriteText(output, text);
                break;
            case long number:
                CanonicalJson.WriteNumber(output, number);
                break;
            case bool flag:
                output.Write(flag ? "true"u8 : "false"u8);
                break;
            case string[] texts:
                output.Write("["u8);
                for (var i = 0; i < texts.Length; i++)
                {
                    if (i > 0)
                    {
                        output.Write(","u8);
                    }

                    CanonicalJson.WriteText(output, texts[i]);
                }

                output.Write("]"u8);
                break;
            case JsonNode node:
                CanonicalJson.Write(output, node, IsSecret, 2);
                break;
            default:
                throw new InvalidOperationException($"A field cannot hold {value.GetType().Name}.");
        }
    }

    [GeneratedRegex("^[A-Z][A-Za-z]{2,63}\\z")]
    private static partial Regex KindForm();

    [GeneratedRegex("^[a-z][a-z0-9_]{0,63}\\z")]
    private static partial Regex FieldForm();
}

/// <summary>A fact in its place: what the log stores.</summary>
/// <param name="Seq">Index of its leaf, from 0.</param>
/// <param name="Kind">What it says.</param>
/// <param name="At">When, in UTC, with microseconds.</param>
/// <param name="Body">Its canonical JSON. Stored as text, never as a type that reorders members.</param>
/// <param name="LeafHash">RFC 6962 leaf hash of the body's UTF-8 bytes.</param>
public sealed record SealedFact(long Seq, string Kind, DateTimeOffset At, string Body, TreeHash LeafHash);

/// <summary>A fact says more than the log takes. The change that it belongs to must not happen.</summary>
public sealed class FactTooLargeException : Exception
{
    public FactTooLargeException()
    {
    }

    public FactTooLargeException(string message)
        : base(message)
    {
    }

    public FactTooLargeException(string message, Exception inner)
        : base(message, inner)
    {
    }

    internal FactTooLargeException(string kind, long bytes)
        : base(string.Create(CultureInfo.InvariantCulture, $"The fact {kind} takes {bytes} bytes; the audit log takes at most {Fact.MaxBodyBytes} per fact."))
    {
    }
}
