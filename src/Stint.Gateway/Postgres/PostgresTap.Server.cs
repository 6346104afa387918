using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Stint.Core.Sessions;

namespace Stint.Gateway.Postgres;

internal sealed partial class PostgresTap
{
    private const int MaxAnswer = 16 * 1024;

    private readonly PostgresCapture _answer = new(MaxAnswer, hashes: false);
    private PostgresFrames _server;
    private long _rows;
    private CopyDirection? _copy;
    private long _copyBytes;
    private long _copyRows;
    private bool _freed;

    /// <inheritdoc/>
    public int FromServer(ReadOnlySpan<byte> bytes)
    {
        var rest = bytes;
        var boundary = 0;
        _now = default;
        while (rest.Length > 0 && Violation is null)
        {
            if (!_server.InBody)
            {
                if (!_server.TryHead(ref rest, out var started))
                {
                    Violation = "The target sent a message whose length is not possible.";
                    break;
                }

                if (!started)
                {
                    break;
                }
            }

            var piece = _server.TakeBody(ref rest);
            switch (_server.Type)
            {
                case (byte)'D':
                    break;
                case (byte)'d':
                    _copyBytes += piece.Length;
                    break;
                case (byte)'C' or (byte)'E' or (byte)'S' or (byte)'t':
                    _answer.Add(piece);
                    break;
                default:
                    break;
            }

            if (_server.Left == 0)
            {
                _server.Finish();
                ServerMessage(_server.Type);
                boundary = bytes.Length - rest.Length;
            }
        }

        return boundary;
    }

    private void ServerMessage(byte type)
    {
        switch (type)
        {
            case (byte)'D':
                _rows++;
                break;
            case (byte)'d':
                _copyRows++;
                break;
            case (byte)'C':
                Complete(Until(_answer.Kept));
                break;
            case (byte)'I':
                Answer(StatementOutcome.Empty);
                break;
            case (byte)'s':
                Answer(StatementOutcome.Suspended);
                break;
            case (byte)'V':
                Answer(StatementOutcome.Completed);
                break;
            case (byte)'E':
                Error(_answer.Kept);
                break;
            case (byte)'Z':
                Ready();
                break;
            case (byte)'1':
                Pop(PostgresOpKind.Parse);
                break;
            case (byte)'2':
                Pop(PostgresOpKind.Bind);
                break;
            case (byte)'3':
                Pop(PostgresOpKind.CloseStatement, PostgresOpKind.ClosePortal);
                break;
            case (byte)'T' or (byte)'n':
                Pop(PostgresOpKind.Describe);
                break;
            case (byte)'t':
                DescribeParameters(_answer.Kept);
                break;
            case (byte)'G':
                BeginCopy(CopyDirection.In);
                break;
            case (byte)'H':
                BeginCopy(CopyDirection.Out);
                break;
            case (byte)'S':
                Parameter(_answer.Kept);
                break;
            case (byte)'N' or (byte)'A' or (byte)'c':
                break;
            default:
                Violation = $"The target sent a message of type 0x{type:x2}, which has no place here.";
                break;
        }

        _answer.Clear();
    }

    private void BeginCopy(CopyDirection direction)
    {
        _copy = direction;
        if (direction == CopyDirection.Out)
        {
            _copyBytes = 0;
            _copyRows = 0;
        }
    }

    // Copy data that came before stays in the count: it was sent on the guess that the target would ask for it.
    private void FinishCopy(bool finished)
    {
        if (_copy is { } direction)
        {
            var head = HeadIndex();
            _encoder.Copy(Now(), head < 0 ? 0 : _pending[head].Seq, direction, _copyBytes, _copyRows, finished);
            if (direction == CopyDirection.In)
            {
                DropThroughCopyMark(head);
            }

            _copy = null;
        }

        _copyBytes = 0;
        _copyRows = 0;
    }

    // The target in copy-in overlooks Sync (PostgreSQL documentation, "COPY Operations"): those before the data get no answer.
    private void DropThroughCopyMark(int head)
    {
        for (var at = head + 1; head >= 0 && at < _pending.Count; at++)
        {
            if (_pending[at].Kind == PostgresOpKind.CopyMark)
            {
                _pending.RemoveRange(head + 1, at - head);
                return;
            }

            if (_pending[at].Kind != PostgresOpKind.Sync)
            {
                return;
            }
        }
    }

    private int HeadIndex()
    {
        for (var at = 0; at < _pending.Count; at++)
        {
            if (_pending[at].Kind != PostgresOpKind.CopyMark)
            {
                return at;
            }
        }

        return -1;
    }

    // Copy data at the head answers nothing: the target threw it away after an error.
    private bool TryHead(out int head)
    {
        while (_pending.Count > 0 && _pending[0].Kind == PostgresOpKind.CopyMark)
        {
            _pending.RemoveHead();
        }

        head = 0;
        return _pending.Count > 0;
    }

    private void Complete(ReadOnlySpan<byte> tag)
    {
        FinishCopy(finished: true);
        if (!TryHead(out _))
        {
            return;
        }

        ref var op = ref _pending[0];
        if (op.Kind is PostgresOpKind.Query or PostgresOpKind.Execute)
        {
            var last = tag.LastIndexOf((byte)' ');
            var rows = last >= 0 && Utf8Parser.TryParse(tag[(last + 1)..], out long told, out var used) && used == tag.Length - last - 1
                ? told
                : _rows > 0 ? _rows : -1;
            Result(ref op, StatementOutcome.Completed, rows, tag, default, default);
            if (tag.SequenceEqual("DISCARD ALL"u8) || tag.SequenceEqual("DEALLOCATE ALL"u8))
            {
                _pending.ForgetStatements();
            }

            // NB. A name freed and given again by SQL stands for another text now. Better no text in the record than a wrong one.
            _freed |= tag.SequenceEqual("DEALLOCATE"u8);
            if (_freed && tag.SequenceEqual("PREPARE"u8))
            {
                _pending.ForgetStatements();
            }

            if (op.Kind == PostgresOpKind.Execute)
            {
                _pending.RemoveHead();
            }
        }

        _rows = 0;
    }

    private void Answer(StatementOutcome outcome)
    {
        if (TryHead(out _))
        {
            ref var op = ref _pending[0];
            if (op.Kind is PostgresOpKind.Query or PostgresOpKind.Execute or PostgresOpKind.Function)
            {
                Result(ref op, outcome, _rows > 0 ? _rows : -1, default, default, default);
                if (op.Kind == PostgresOpKind.Execute)
                {
                    _pending.RemoveHead();
                }
            }
        }

        _rows = 0;
    }

    private void Error(ReadOnlySpan<byte> body)
    {
        var (severity, code, message) = PostgresMessages.ReadError(body);
        var sqlstate = Encoding.UTF8.GetBytes(code.Length > 0 ? code : "XX000");
        var words = Encoding.UTF8.GetBytes(message);
        ServerSaidGoodbye |= severity is "FATAL" or "PANIC";
        FinishCopy(finished: false);
        _rows = 0;
        if (!TryHead(out _) || _pending[0].Kind == PostgresOpKind.Sync)
        {
            // A FATAL out of the blue, or a commit that a Sync brought about.
            _encoder.ServerError(Now(), sqlstate, words);
            return;
        }

        ref var op = ref _pending[0];
        if (op.Seq > 0)
        {
            Result(ref op, StatementOutcome.Failed, -1, default, sqlstate, words);
        }
        else
        {
            _encoder.ServerError(Now(), sqlstate, words);
        }

        if (op.Kind is not (PostgresOpKind.Query or PostgresOpKind.Function) && severity is not ("FATAL" or "PANIC"))
        {
            (_failed, _failedState, _failedWords) = (op.On, sqlstate, words);
            SkipToSync();
        }
    }

    // After an error in the extended protocol the target overlooks everything up to the next Sync.
    private void SkipToSync()
    {
        var count = 0;
        while (count < _pending.Count && _pending[count].Kind != PostgresOpKind.Sync)
        {
            count++;
        }

        for (var at = 0; at < count; at++)
        {
            _overlooked.Add(_pending[at]);
        }

        _ignoring = count == _pending.Count;
        for (var at = 0; at < count; at++)
        {
            if (at > 0)
            {
                Skip(ref _pending[0]);
            }

            _pending.RemoveHead();
        }

        if (!_ignoring)
        {
            UndoBefore();
        }
    }

    // Behind the Sync the client may have given names again already: those stand, and what they stood for before is put right.
    private void UndoBefore()
    {
        for (var at = _pending.Count - 1; at >= 0; at--)
        {
            _pending.Undo(_pending[at]);
        }

        StopIgnoring();
        for (var at = 0; at < _pending.Count; at++)
        {
            _pending.Redo(ref _pending[at]);
        }
    }

    private void Ready()
    {
        FinishCopy(finished: false);
        _rows = 0;
        while (_pending.Count > 0)
        {
            var kind = _pending[0].Kind;
            if (kind is PostgresOpKind.Execute)
            {
                Skip(ref _pending[0]);
            }

            _pending.RemoveHead();
            if (kind is PostgresOpKind.Query or PostgresOpKind.Function or PostgresOpKind.Sync)
            {
                break;
            }
        }
    }

    private void Pop(PostgresOpKind kind, PostgresOpKind? or = null)
    {
        if (_pending.Count > 0 && TryHead(out _) && (_pending[0].Kind == kind || _pending[0].Kind == or))
        {
            _pending.RemoveHead();
        }
    }

    private void DescribeParameters(ReadOnlySpan<byte> body)
    {
        if (TryHead(out _) && _pending[0] is { Kind: PostgresOpKind.Describe, On: PostgresPrepared prepared } && body.Length >= 2)
        {
            var count = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(body), (body.Length - 2) / 4);
            var types = new uint[count];
            for (var at = 0; at < count; at++)
            {
                types[at] = BinaryPrimitives.ReadUInt32BigEndian(body[(2 + (4 * at))..]);
            }

            prepared.Types = types;
        }
    }

    private void Parameter(ReadOnlySpan<byte> body)
    {
        var name = Until(body);
        if (name.SequenceEqual("client_encoding"u8))
        {
            var value = Encoding.UTF8.GetString(Until(body[(name.Length + 1)..]));
            _encoding = value is "UTF8" or "UNICODE" ? "" : value;
        }
    }

    private static ReadOnlySpan<byte> Until(ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        return end < 0 ? body : body[..end];
    }
}
