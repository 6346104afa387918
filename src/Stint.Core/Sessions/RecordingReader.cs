using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Policies;

namespace Stint.Core.Sessions;

/// <summary>Reads a recording from its beginning, checking the chain as it goes. Takes a file that is still being written.</summary>
/// <remarks>Not for several threads at once. Memory grows with the number of texts that are prepared, not with the recording.</remarks>
public sealed class RecordingReader(Stream stream)
{
    private readonly byte[] _hash = new byte[32];
    private readonly byte[] _computed = new byte[32];
    // An unnamed one is referred to until the next unnamed one, or a few further back when a pipeline was undone.
    private readonly Recent<RecordingRecord.Prepare> _prepared = new(named: 65_536, unnamed: 64);
    private readonly Recent<RecordingRecord.Bind> _bound = new(named: 16_384, unnamed: 64);
    private byte[] _body = new byte[4096];
    private int _have;
    private bool _begun;

    /// <summary>How many records were read.</summary>
    public long Records { get; private set; }

    /// <summary>How many statements they tell of: see <see cref="RecordingEncoder.Statements"/>.</summary>
    public long Statements { get; private set; }

    /// <summary>How many bytes of the file these fill; what follows, if anything, is not a whole record.</summary>
    public long Bytes { get; private set; }

    /// <summary>The chain's hash after the last record read, 32 bytes.</summary>
    public ReadOnlySpan<byte> Hash => _hash;

    /// <summary>What is wrong with the file, in a sentence that names the record; null while nothing is. A file that ends inside a record is not wrong: see <see cref="Torn"/>.</summary>
    public string? Fault { get; private set; }

    /// <summary>Whether the file ends inside a record: its writer is at it this moment, or died there.</summary>
    public bool Torn { get; private set; }

    /// <summary>Whether the records end where a length of 0 stands: room that their writer reserved for more, and still has or died with.</summary>
    public bool Reserved { get; private set; }

    /// <summary>The next record; null at the end (<see cref="Fault"/> and <see cref="Torn"/> say which end). May be called again when the file has grown.</summary>
    public RecordingRecord? Next()
    {
        if (Fault is not null || !(_begun || Begin()))
        {
            return null;
        }

        if (!Fill(4))
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(_body);
        if (length == 0)
        {
            Reserved = true;
            Again();
            return null;
        }

        if (length is < 2 or > RecordingEncoder.MaxBody)
        {
            Fault = $"Record {Records + 1} claims a length of {length} bytes.";
            return null;
        }

        if (!Fill(4 + length + 32))
        {
            return null;
        }

        using (var chain = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            chain.AppendData(_hash);
            chain.AppendData(_body.AsSpan(0, 4 + length));
            chain.GetHashAndReset(_computed);
        }

        if (!_computed.AsSpan().SequenceEqual(_body.AsSpan(4 + length, 32)))
        {
            if (IsLost(_body.AsSpan(0, 4 + length + 32)))
            {
                Torn = true;
                Again();
                return null;
            }

            Fault = $"Record {Records + 1} does not match its hash: it, or the one before it, was changed.";
            return null;
        }

        var record = Decode(_body.AsSpan(4, length), Records + 1);
        if (record is null)
        {
            Fault = $"Record {Records + 1} cannot be read.";
            return null;
        }

        _computed.CopyTo(_hash, 0);
        _have = 0;
        Torn = false;
        Reserved = false;
        Records++;
        Bytes += 4 + length + 32;
        Statements += record is RecordingRecord.Statement { Continues: 0 } or RecordingRecord.Result { Index: > 0 } ? 1 : 0;
        return record;
    }

    /// <summary>The records to the end.</summary>
    public IEnumerable<RecordingRecord> ReadToEnd()
    {
        while (Next() is { } record)
        {
            yield return record;
        }
    }

    // What was read is read anew when it has become more. Flush: a stream that reads ahead would show what it was.
    private void Again()
    {
        _have = 0;
        if (stream.CanSeek)
        {
            stream.Flush();
            stream.Position = Bytes;
        }
    }

    // When the machine lost its power, pages that its writer had filled may never have reached the disk, and those behind
    // them may. That says no more than a file that was cut, and is told by the same anchors.
    private bool IsLost(ReadOnlySpan<byte> record)
    {
        const int Page = 4096;
        var first = (int)(Bytes % Page);
        for (var at = 0; at < record.Length;)
        {
            var end = Math.Min(record.Length, at == 0 ? Page - first : at + Page);
            if (end - at >= 16 && !record[at..end].ContainsAnyExcept((byte)0))
            {
                return true;
            }

            at = end;
        }

        return false;
    }

    private bool Begin()
    {
        if (!Fill(RecordingEncoder.Magic.Length))
        {
            return false;
        }

        if (!_body.AsSpan(0, RecordingEncoder.Magic.Length).SequenceEqual(RecordingEncoder.Magic))
        {
            Fault = "This is not a recording of a version that is known here.";
            return false;
        }

        SHA256.HashData(RecordingEncoder.Magic, _hash);
        Bytes = RecordingEncoder.Magic.Length;
        _have = 0;
        Torn = false;
        return _begun = true;
    }

    private bool Fill(int count)
    {
        if (_body.Length < count)
        {
            Array.Resize(ref _body, Math.Max(count, _body.Length * 2));
        }

        while (_have < count)
        {
            var read = stream.Read(_body, _have, count - _have);
            if (read == 0)
            {
                Torn = _have > 0;
                return false;
            }

            _have += read;
        }

        return true;
    }

    private RecordingRecord? Decode(ReadOnlySpan<byte> body, long seq)
    {
        var fields = new Fields(body[1..]);
        var at = DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(fields.Number(), 0, 253402300799999999 - 1) * TimeSpan.TicksPerMicrosecond);
        RecordingRecord? record = (RecordType)body[0] switch
        {
            RecordType.SessionStart => new RecordingRecord.SessionStart(seq, at, Header(ref fields)),
            RecordType.Prepare => new RecordingRecord.Prepare(seq, at, fields.Name(), fields.Recorded(), Types(ref fields)),
            RecordType.Bind => DecodeBind(ref fields, seq, at),
            RecordType.Simple => new RecordingRecord.Statement(seq, at, StatementProtocol.Simple, fields.Recorded(), "", "", [], 0, 0, 0, 0),
            RecordType.Execute => DecodeExecute(ref fields, seq, at),
            RecordType.Function => DecodeFunction(ref fields, seq, at),
            RecordType.Result => DecodeResult(ref fields, seq, at),
            RecordType.Copy => new RecordingRecord.Copy(seq, at, fields.Number(), (CopyDirection)fields.Number(), fields.Number(), fields.Number(), fields.Number() == 1),
            RecordType.ServerError => new RecordingRecord.ServerError(seq, at, new RecordedError(fields.Name(), fields.Name())),
            RecordType.Cancel => new RecordingRecord.Cancel(seq, at, fields.Name()),
            RecordType.SessionClosed => DecodeClosed(ref fields, seq, at),
            _ => null,
        };

        if (fields.Failed || !fields.AtEnd)
        {
            return null;
        }

        if (record is RecordingRecord.Prepare prepare)
        {
            _prepared.Add(seq, prepare, prepare.Name.Length > 0);
        }

        return record;
    }

    private static RecordingHeader Header(ref Fields fields) => new(
        new SessionId(fields.Name()),
        new SubjectId(fields.Name()),
        new RoleRef(fields.Name(), fields.Name()),
        new GrantId(fields.Name()),
        new RequestId(fields.Name()),
        fields.Name(),
        fields.Name(),
        fields.Name(),
        fields.Name(),
        fields.Name(),
        fields.Number() == 1,
        fields.Name(),
        (RecordMode)fields.Number(),
        DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(fields.Number(), 0, 253402300799999999 - 1) * TimeSpan.TicksPerMicrosecond));

    private static List<uint> Types(ref Fields fields)
    {
        var types = new List<uint>();
        for (var left = fields.Number(); left > 0 && !fields.Failed; left--)
        {
            types.Add((uint)fields.Number());
        }

        return types;
    }

    private RecordingRecord.Bind DecodeBind(ref Fields fields, long seq, DateTimeOffset at)
    {
        var portal = fields.Name();
        var statement = fields.Name();
        var of = fields.Number();
        var parameters = Parameters(ref fields, out var omitted);
        var text = _prepared.Find(of)?.Text;
        var bind = new RecordingRecord.Bind(seq, at, portal, statement, of, text, parameters, omitted);
        _bound.Add(seq, bind, portal.Length > 0);
        return bind;
    }

    private RecordingRecord.Statement DecodeExecute(ref Fields fields, long seq, DateTimeOffset at)
    {
        var portal = fields.Name();
        var bound = fields.Number();
        var continues = fields.Number();
        return _bound.Find(bound) is { } bind
            ? new RecordingRecord.Statement(seq, at, StatementProtocol.Extended, bind.Text, bind.StatementName, portal, bind.Parameters, bind.OmittedParameters, bind.Of, bound, continues)
            : new RecordingRecord.Statement(seq, at, StatementProtocol.Extended, null, "", portal, [], 0, 0, bound, continues);
    }

    private static RecordingRecord.Statement DecodeFunction(ref Fields fields, long seq, DateTimeOffset at)
    {
        var function = fields.Number();
        var parameters = Parameters(ref fields, out var omitted);
        var text = $"function {function}";
        return new RecordingRecord.Statement(seq, at, StatementProtocol.Function, new RecordedText(text, text.Length, false, null, false), "", "", parameters, omitted, 0, 0, 0);
    }

    private static RecordingRecord.Result DecodeResult(ref Fields fields, long seq, DateTimeOffset at)
    {
        var of = fields.Number();
        var index = (int)fields.Number();
        var outcome = (StatementOutcome)fields.Number();
        var duration = TimeSpan.FromMicroseconds(Math.Clamp(fields.Number(), 0, long.MaxValue / 100));
        var rows = fields.Number() - 1;
        var tag = fields.Name();
        var sqlstate = fields.Name();
        var error = sqlstate.Length > 0 ? new RecordedError(sqlstate, fields.Name()) : null;
        return new RecordingRecord.Result(seq, at, of, index, outcome, duration, rows < 0 ? null : rows, tag.Length == 0 ? null : tag, error);
    }

    private static RecordingRecord.SessionClosed DecodeClosed(ref Fields fields, long seq, DateTimeOffset at)
    {
        var reason = (SessionEndReason)fields.Number();
        var note = fields.Name();
        return new RecordingRecord.SessionClosed(seq, at, reason, note.Length == 0 ? null : note, fields.Number(), fields.Number(), fields.Number());
    }

    private static List<RecordedParameter> Parameters(ref Fields fields, out int omitted)
    {
        var list = new List<RecordedParameter>();
        var count = fields.Number();
        omitted = (int)fields.Number();
        for (; count > 0 && !fields.Failed; count--)
        {
            var type = (uint)fields.Number();
            var flags = fields.Number();
            var length = (int)fields.Number();
            var kept = fields.Bytes();
            var truncated = kept.Length < length;
            list.Add((flags & 2) != 0
                ? new RecordedParameter(RecordingValues.TypeName(type), null, -1, false)
                : new RecordedParameter(RecordingValues.TypeName(type), RecordingValues.Read(type, (flags & 1) != 0, kept, truncated), length, truncated));
        }

        return list;
    }

    private sealed class Recent<T>(int named, int unnamed)
        where T : class
    {
        private readonly Dictionary<long, T> _known = [];
        private readonly Queue<long> _named = new();
        private readonly Queue<long> _unnamed = new();

        public T? Find(long seq) => _known.GetValueOrDefault(seq);

        public void Add(long seq, T record, bool isNamed)
        {
            var (order, most) = isNamed ? (_named, named) : (_unnamed, unnamed);
            _known[seq] = record;
            order.Enqueue(seq);
            if (order.Count > most)
            {
                _known.Remove(order.Dequeue());
            }
        }
    }

    private ref struct Fields(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public bool Failed { get; private set; }

        public readonly bool AtEnd => _rest.IsEmpty;

        public long Number()
        {
            var read = Varint.Read(_rest, out var value);
            Failed |= read == 0;
            _rest = _rest[read..];
            return (long)value;
        }

        public ReadOnlySpan<byte> Bytes()
        {
            var length = Number();
            if (length < 0 || length > _rest.Length)
            {
                Failed = true;
                return default;
            }

            var bytes = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return bytes;
        }

        public string Name() => RecordingValues.Text(Bytes(), "");

        public RecordedText Recorded()
        {
            var flags = Number();
            var length = Number();
            var kept = Bytes();
            var hash = (flags & 1) != 0 ? Convert.ToHexStringLower(Bytes()) : null;
            var encoding = (flags & 4) != 0 ? Encoding.UTF8.GetString(Bytes()) : "";
            return new RecordedText(RecordingValues.Text(kept, encoding), length, hash is not null, hash, (flags & 2) != 0);
        }
    }
}
