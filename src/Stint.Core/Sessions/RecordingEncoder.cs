using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Stint.Core.Sessions;

/// <summary>Writes records into a buffer and chains them. Not for several threads at once.</summary>
/// <remarks>
/// A recording is <see cref="Magic"/>, then records. A record is its body's length (4 bytes, little endian), its body, and
/// the SHA-256 over the previous record's hash, the length and the body; the first record's predecessor is the hash of
/// the magic. A length of 0 is no record: behind it lies room that a writer reserved, all zeros. So a record's hash stands for all before it. In memory the previous hash lies right before the next length:
/// each hash is taken over one span.
/// </remarks>
public sealed class RecordingEncoder : IDisposable
{
    /// <summary>First bytes of every recording, version included.</summary>
    public static ReadOnlySpan<byte> Magic => "STINTREC1\n"u8;

    /// <summary>Longest body that a writer makes and a reader takes, in bytes.</summary>
    public const int MaxBody = 4 * 1024 * 1024;

    /// <summary>How much of a text is kept, in bytes.</summary>
    public const int MaxText = 1024 * 1024;

    /// <summary>How much of one parameter is kept, in bytes.</summary>
    public const int MaxParameter = 1024;

    // One for each thread, used again and again: setting one up for each record costs more than hashing it.
    [ThreadStatic]
    private static IncrementalHash? _hash;

    private const int HashLength = 32;
    private const int SmallBuffer = 512;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
    private int _end = HashLength;
    private int _start;

    /// <summary>Begins a recording: the magic is pending.</summary>
    public RecordingEncoder()
    {
        // The magic goes out from elsewhere (see TakeMagic): here stands its hash, as if it were a record.
        SHA256.HashData(Magic, _buffer);
        Bytes = Magic.Length;
    }

    /// <summary>How many records stand in the chain.</summary>
    public long Records { get; private set; }

    /// <summary>
    /// How many statements they tell of, as a database counts them: each of several in one text counts from its result
    /// on, and a portal that is gone on with is not another statement.
    /// </summary>
    public long Statements { get; private set; }

    /// <summary>Length of the file that holds the magic and all records, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Hash of the last record.</summary>
    public ReadOnlySpan<byte> Head => _buffer.AsSpan(_end - HashLength, HashLength);

    /// <summary>Records encoded and not yet <see cref="Taken"/>.</summary>
    public ReadOnlyMemory<byte> Pending => _buffer.AsMemory(HashLength, _end - HashLength);

    /// <summary>Forgets what is pending: it was written.</summary>
    public void Taken()
    {
        if (_end == HashLength)
        {
            return;
        }

        var small = _buffer.Length > 16 * SmallBuffer ? ArrayPool<byte>.Shared.Rent(SmallBuffer) : _buffer;
        _buffer.AsSpan(_end - HashLength, HashLength).CopyTo(small);
        if (small != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = small;
        }

        _end = HashLength;
    }

    /// <summary>Appends <see cref="RecordingRecord.SessionStart"/>.</summary>
    public long SessionStart(DateTimeOffset at, RecordingHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        Begin(RecordType.SessionStart, at);
        Text(header.Session.Value);
        Text(header.Subject.Value);
        Text(header.Role.Resource);
        Text(header.Role.Role);
        Text(header.Grant.Value);
        Text(header.Request.Value);
        Text(header.Kind);
        Text(header.Login);
        Text(header.Database);
        Text(header.Application);
        Text(header.From);
        Number(header.Tls ? 1 : 0);
        Text(header.Node);
        Number((long)header.Mode);
        Number(Micros(header.NotAfter));
        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.Prepare"/>.</summary>
    public long Prepare(DateTimeOffset at, ReadOnlySpan<byte> name, in EncodedText text, ReadOnlySpan<uint> types)
    {
        Begin(RecordType.Prepare, at);
        Bytes32(name);
        Text(text);
        Number(types.Length);
        foreach (var type in types)
        {
            Number(type);
        }

        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.Bind"/>.</summary>
    /// <param name="parameters">Made with <see cref="RecordingParameters"/>.</param>
    public long Bind(DateTimeOffset at, ReadOnlySpan<byte> portal, ReadOnlySpan<byte> statement, long of, RecordingParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Begin(RecordType.Bind, at);
        Bytes32(portal);
        Bytes32(statement);
        Number(of);
        Parameters(parameters);
        return End();
    }

    /// <summary>Appends a statement of the simple protocol.</summary>
    public long Simple(DateTimeOffset at, in EncodedText text)
    {
        Begin(RecordType.Simple, at);
        Text(text);
        Statements++;
        return End();
    }

    /// <summary>Appends the execution of a portal.</summary>
    public long Execute(DateTimeOffset at, ReadOnlySpan<byte> portal, long bound, long continues)
    {
        Begin(RecordType.Execute, at);
        Bytes32(portal);
        Number(bound);
        Number(continues);
        Statements += continues == 0 ? 1 : 0;
        return End();
    }

    /// <summary>Appends a function call.</summary>
    public long Function(DateTimeOffset at, uint function, RecordingParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Begin(RecordType.Function, at);
        Number(function);
        Parameters(parameters);
        Statements++;
        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.Result"/>.</summary>
    /// <param name="rows">−1 for none.</param>
    /// <param name="tag">Empty for none.</param>
    /// <param name="sqlstate">Empty for no error.</param>
    public long Result(DateTimeOffset at, long of, int index, StatementOutcome outcome, long micros, long rows, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> sqlstate, ReadOnlySpan<byte> message)
    {
        Begin(RecordType.Result, at);
        Number(of);
        Number(index);
        Number((long)outcome);
        Number(Math.Max(0, micros));
        Number(rows + 1);
        Bytes32(tag);
        Bytes32(sqlstate);
        if (sqlstate.Length > 0)
        {
            Bytes32(message);
        }

        Statements += index > 0 ? 1 : 0;
        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.Copy"/>.</summary>
    public long Copy(DateTimeOffset at, long of, CopyDirection direction, long bytes, long rows, bool finished)
    {
        Begin(RecordType.Copy, at);
        Number(of);
        Number((long)direction);
        Number(bytes);
        Number(rows);
        Number(finished ? 1 : 0);
        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.ServerError"/>.</summary>
    public long ServerError(DateTimeOffset at, ReadOnlySpan<byte> sqlstate, ReadOnlySpan<byte> message)
    {
        Begin(RecordType.ServerError, at);
        Bytes32(sqlstate);
        Bytes32(message);
        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.Cancel"/>.</summary>
    public long Cancel(DateTimeOffset at, string from)
    {
        Begin(RecordType.Cancel, at);
        Text(from);
        return End();
    }

    /// <summary>Appends <see cref="RecordingRecord.SessionClosed"/>.</summary>
    public long SessionClosed(DateTimeOffset at, SessionEndReason reason, string? note, long bytesFromClient, long bytesToClient)
    {
        Begin(RecordType.SessionClosed, at);
        Number((long)reason);
        Text(note ?? "");
        Number(Statements);
        Number(bytesFromClient);
        Number(bytesToClient);
        return End();
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    internal static long Micros(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private void Begin(RecordType type, DateTimeOffset at)
    {
        _start = _end;
        Reserve(16)[4] = (byte)type;
        _end += 5;
        Number(Micros(at));
    }

    private long End()
    {
        var length = _end - _start - 4;
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(_start), length);
        Reserve(HashLength);
        var hash = _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_buffer.AsSpan(_start - HashLength, HashLength + 4 + length));
        hash.GetHashAndReset(_buffer.AsSpan(_end, HashLength));
        _end += HashLength;
        Bytes += 4 + length + HashLength;
        return ++Records;
    }

    private void Parameters(RecordingParameters parameters)
    {
        Number(parameters.Count);
        Number(parameters.Omitted);
        var encoded = parameters.Encoded;
        encoded.CopyTo(Reserve(encoded.Length));
        _end += encoded.Length;
    }

    private void Text(in EncodedText text)
    {
        var flags = (text.Sha256.Length > 0 ? 1 : 0) | (text.Masked ? 2 : 0) | (text.Encoding.Length > 0 ? 4 : 0);
        Number(flags);
        Number(text.Length);
        Bytes32(text.Kept);
        if (text.Sha256.Length > 0)
        {
            Bytes32(text.Sha256);
        }

        if (text.Encoding.Length > 0)
        {
            Text(text.Encoding);
        }
    }

    private void Text(string text)
    {
        var room = Reserve(10 + System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = System.Text.Encoding.UTF8.GetByteCount(text);
        var at = Varint.Write(room, (ulong)length);
        System.Text.Encoding.UTF8.GetBytes(text, room[at..]);
        _end += at + length;
    }

    private void Bytes32(ReadOnlySpan<byte> bytes)
    {
        var room = Reserve(10 + bytes.Length);
        var at = Varint.Write(room, (ulong)bytes.Length);
        bytes.CopyTo(room[at..]);
        _end += at + bytes.Length;
    }

    private void Number(long value) => _end += Varint.Write(Reserve(10), (ulong)value);

    private Span<byte> Reserve(int more)
    {
        if (_buffer.Length - _end < more)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _end + more));
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = larger;
        }

        return _buffer.AsSpan(_end);
    }
}

/// <summary>A statement's text on its way into a record.</summary>
/// <param name="kept">The text, or its first <see cref="RecordingEncoder.MaxText"/> bytes, passwords already masked.</param>
/// <param name="length">Length of the whole text, in bytes.</param>
/// <param name="sha256">Hash of the whole text when it is longer than what is kept; else empty.</param>
/// <param name="masked">Whether something was masked.</param>
/// <param name="encoding">Client's encoding as the target names it; empty for UTF8.</param>
public readonly ref struct EncodedText(ReadOnlySpan<byte> kept, long length, ReadOnlySpan<byte> sha256, bool masked, string encoding)
{
    /// <summary>What is kept.</summary>
    public ReadOnlySpan<byte> Kept { get; } = kept;

    /// <summary>Whole length in bytes.</summary>
    public long Length { get; } = length;

    /// <summary>Hash of the whole; empty when all is kept.</summary>
    public ReadOnlySpan<byte> Sha256 { get; } = sha256;

    /// <summary>Whether something was masked.</summary>
    public bool Masked { get; } = masked;

    /// <summary>Encoding; empty for UTF8.</summary>
    public string Encoding { get; } = encoding;
}

internal enum RecordType : byte
{
    SessionStart = 1,
    Prepare = 2,
    Bind = 3,
    Simple = 4,
    Execute = 5,
    Function = 6,
    Result = 7,
    Copy = 8,
    ServerError = 9,
    Cancel = 10,
    SessionClosed = 11,
}

/// <summary>Unsigned LEB128.</summary>
internal static class Varint
{
    public static int Write(Span<byte> to, ulong value)
    {
        var at = 0;
        while (value >= 0x80)
        {
            to[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        to[at++] = (byte)value;
        return at;
    }

    /// <returns>Bytes read; 0 when it does not end or is longer than 64 bits.</returns>
    public static int Read(ReadOnlySpan<byte> from, out ulong value)
    {
        value = 0;
        for (var at = 0; at < from.Length && at < 10; at++)
        {
            value |= (ulong)(from[at] & 0x7f) << (7 * at);
            if (from[at] < 0x80)
            {
                return at == 9 && from[at] > 1 ? 0 : at + 1;
            }
        }

        return 0;
    }
}
