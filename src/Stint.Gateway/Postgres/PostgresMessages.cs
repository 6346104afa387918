using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Stint.Gateway.Postgres;

/// <summary>One framed message: a type and its body. PostgreSQL documentation, "Message Formats".</summary>
internal readonly record struct PostgresMessage(byte Type, ReadOnlySequence<byte> Body);

/// <summary>What a first packet asks for. It has no type byte.</summary>
internal abstract record PostgresOpening
{
    private PostgresOpening()
    {
    }

    /// <summary>Talk TLS from here on.</summary>
    public sealed record SslRequest : PostgresOpening;

    /// <summary>Talk GSSAPI from here on.</summary>
    public sealed record GssRequest : PostgresOpening;

    /// <summary>Cancel what another connection runs.</summary>
    public sealed record Cancel(int Process, byte[] Key) : PostgresOpening;

    /// <summary>Begin a session.</summary>
    public sealed record Startup(int Major, int Minor, IReadOnlyList<KeyValuePair<string, string>> Parameters) : PostgresOpening
    {
        public string? Find(string name) => Parameters.LastOrDefault(parameter => parameter.Key == name).Value;
    }

    /// <summary>None of these.</summary>
    public sealed record Malformed(string Because) : PostgresOpening;
}

/// <summary>Reads and writes the frames of the protocol, version 3. Pure.</summary>
internal static class PostgresMessages
{
    /// <summary>Longest startup packet, in bytes (MAX_STARTUP_PACKET_LENGTH of the server).</summary>
    public const int MaxStartup = 10_000;

    /// <summary>Longest message a server takes or sends, in bytes, length field included.</summary>
    public const int MaxMessage = 0x3fffffff;

    public const int SslRequestCode = (1234 << 16) | 5679;
    public const int GssRequestCode = (1234 << 16) | 5680;
    public const int CancelRequestCode = (1234 << 16) | 5678;

    private static readonly UTF8Encoding Utf8 = new(false, false);

    /// <summary>Reads the next message.</summary>
    /// <param name="buffer">What is there.</param>
    /// <param name="limit">Longest body that is taken.</param>
    /// <param name="consumed">Up to where the message reaches.</param>
    /// <param name="examined">Up to where it was looked at: the buffer's end when more is needed.</param>
    /// <param name="message">The message; default when there is none.</param>
    /// <returns>Whether it was whole; <see cref="ReadResult.TooLong"/> also for a length that is none.</returns>
    public static ReadResult TryRead(in ReadOnlySequence<byte> buffer, int limit, out SequencePosition consumed, out SequencePosition examined, out PostgresMessage message)
    {
        consumed = buffer.Start;
        examined = buffer.End;
        message = default;
        if (buffer.Length < 5)
        {
            return ReadResult.NeedMore;
        }

        Span<byte> head = stackalloc byte[5];
        buffer.Slice(0, 5).CopyTo(head);
        var length = BinaryPrimitives.ReadInt32BigEndian(head[1..]);
        if (length < 4 || length > MaxMessage || length - 4 > limit)
        {
            return ReadResult.TooLong;
        }

        if (buffer.Length < 1L + length)
        {
            return ReadResult.NeedMore;
        }

        consumed = examined = buffer.GetPosition(1L + length);
        message = new PostgresMessage(head[0], buffer.Slice(5, length - 4));
        return ReadResult.Message;
    }

    /// <summary>Reads a first packet, its length field included.</summary>
    public static PostgresOpening ReadOpening(ReadOnlySpan<byte> packet)
    {
        if (packet.Length is < 8 or > MaxStartup || BinaryPrimitives.ReadInt32BigEndian(packet) != packet.Length)
        {
            return new PostgresOpening.Malformed("The first packet's length is wrong.");
        }

        var code = BinaryPrimitives.ReadInt32BigEndian(packet[4..]);
        switch (code)
        {
            case SslRequestCode or GssRequestCode when packet.Length != 8:
                return new PostgresOpening.Malformed("An encryption request is longer than it may be.");
            case SslRequestCode:
                return new PostgresOpening.SslRequest();
            case GssRequestCode:
                return new PostgresOpening.GssRequest();
            case CancelRequestCode:
                return packet.Length is < 16 or > 12 + 256
                    ? new PostgresOpening.Malformed("A cancel request's key is shorter or longer than it may be.")
                    : new PostgresOpening.Cancel(BinaryPrimitives.ReadInt32BigEndian(packet[8..]), packet[12..].ToArray());
            default:
                return ReadStartup(code >> 16, code & 0xffff, packet[8..]);
        }
    }

    /// <summary>Fields of an ErrorResponse or NoticeResponse; null bytes where it lacks one.</summary>
    public static (string Severity, string Code, string Message) ReadError(ReadOnlySpan<byte> body)
    {
        string severity = "", code = "", message = "", translated = "";
        while (body.Length > 1 && body[0] != 0)
        {
            var end = body[1..].IndexOf((byte)0);
            if (end < 0)
            {
                break;
            }

            var value = Utf8.GetString(body.Slice(1, end));
            switch (body[0])
            {
                case (byte)'V':
                    severity = value;
                    break;
                case (byte)'S':
                    translated = value;
                    break;
                case (byte)'C':
                    code = value;
                    break;
                case (byte)'M':
                    message = value;
                    break;
                default:
                    break;
            }

            body = body[(end + 2)..];
        }

        return (severity.Length > 0 ? severity : translated, code, message);
    }

    /// <summary>An ErrorResponse.</summary>
    public static byte[] Error(string severity, string code, string message, string? hint) =>
        Report((byte)'E', severity, code, message, hint);

    /// <summary>A NoticeResponse.</summary>
    public static byte[] Notice(string severity, string code, string message, string? hint) =>
        Report((byte)'N', severity, code, message, hint);

    /// <summary>A message from its type and the parts of its body.</summary>
    public static byte[] Frame(byte type, params ReadOnlySpan<byte[]> parts)
    {
        var length = 4;
        foreach (var part in parts)
        {
            length += part.Length;
        }

        var frame = new byte[1 + length];
        frame[0] = type;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), length);
        var at = 5;
        foreach (var part in parts)
        {
            part.CopyTo(frame, at);
            at += part.Length;
        }

        return frame;
    }

    /// <summary>An Authentication message.</summary>
    public static byte[] Authentication(int kind, params ReadOnlySpan<byte[]> parts)
    {
        var body = new List<byte>();
        body.AddRange(Int(kind));
        foreach (var part in parts)
        {
            body.AddRange(part);
        }

        return Frame((byte)'R', body.ToArray());
    }

    /// <summary>A startup packet.</summary>
    public static byte[] Startup(int version, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var body = new List<byte>();
        body.AddRange(Int(version));
        foreach (var (name, value) in parameters)
        {
            body.AddRange(Text(name));
            body.AddRange(Text(value));
        }

        body.Add(0);
        return [.. Int(body.Count + 4), .. body];
    }

    /// <summary>A cancel request.</summary>
    public static byte[] CancelRequest(int process, ReadOnlySpan<byte> key) =>
        [.. Int(12 + key.Length), .. Int(CancelRequestCode), .. Int(process), .. key];

    /// <summary>A whole number, 4 bytes, big endian.</summary>
    public static byte[] Int(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>A text and its NUL; a NUL inside is left out, it would end the text early.</summary>
    public static byte[] Text(string text) =>
        [.. Utf8.GetBytes(text.Replace("\0", "", StringComparison.Ordinal)), 0];

    private static byte[] Report(byte type, string severity, string code, string message, string? hint)
    {
        var body = new List<byte>();
        foreach (var (field, value) in new[] { ('S', severity), ('V', severity), ('C', code), ('M', message), ('H', hint) })
        {
            if (value is not null)
            {
                body.Add((byte)field);
                body.AddRange(Text(value));
            }
        }

        body.Add(0);
        return Frame(type, body.ToArray());
    }

    private static PostgresOpening ReadStartup(int major, int minor, ReadOnlySpan<byte> body)
    {
        var parameters = new List<KeyValuePair<string, string>>();
        while (body.Length > 0 && body[0] != 0)
        {
            if (ReadText(ref body) is not { } name || ReadText(ref body) is not { } value)
            {
                return new PostgresOpening.Malformed("A startup parameter does not end.");
            }

            parameters.Add(new(name, value));
        }

        return body.Length == 1 || major != 3
            ? new PostgresOpening.Startup(major, minor, parameters)
            : new PostgresOpening.Malformed("The startup packet does not end where it says.");
    }

    private static string? ReadText(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        if (end < 0)
        {
            return null;
        }

        var text = Utf8.GetString(body[..end]);
        body = body[(end + 1)..];
        return text;
    }
}

/// <summary>What a read found.</summary>
internal enum ReadResult
{
    /// <summary>The message is not whole yet.</summary>
    NeedMore = 1,

    /// <summary>A whole message.</summary>
    Message = 2,

    /// <summary>A length that is negative, smaller than itself, or above the limit.</summary>
    TooLong = 3,
}
