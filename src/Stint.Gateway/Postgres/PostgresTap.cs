using Stint.Core.Sessions;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

/// <summary>Turns the bytes of both directions into records. Touches none of them; not for several threads at once.</summary>
/// <remarks>
/// What it makes of a stream does not depend on how the stream was cut. A statement's record stands in the encoder when
/// the call that saw its last byte returns: the relay writes it out before it sends that byte on.
/// </remarks>
internal sealed partial class PostgresTap : IRelayTap, IDisposable
{
    private readonly RecordingEncoder _encoder;
    private readonly TimeProvider _time;
    private readonly PostgresPending _pending = new();
    private readonly PostgresClientMessage _message = new();
    private PostgresFrames _client;
    private string _encoding;
    private readonly List<PostgresOp> _overlooked = [];
    private object? _failed;
    private byte[] _failedState = [];
    private byte[] _failedWords = [];
    private bool _ignoring;
    private DateTimeOffset _now;
    private long _ticks;

    /// <param name="encoding">The session's <c>client_encoding</c> after login.</param>
    public PostgresTap(RecordingEncoder encoder, TimeProvider time, string encoding)
    {
        _encoder = encoder;
        _time = time;
        _encoding = encoding is "UTF8" or "UNICODE" ? "" : encoding;
        _message.TypesOf = message => message.Type == (byte)'B' ? _pending.Statement(message.Second.Kept)?.Types : null;
    }

    /// <inheritdoc/>
    public string? Violation { get; private set; }

    /// <inheritdoc/>
    public bool MustWrite { get; private set; }

    /// <inheritdoc/>
    public bool ClientSaidGoodbye { get; private set; }

    /// <inheritdoc/>
    public bool ServerSaidGoodbye { get; private set; }

    /// <inheritdoc/>
    public bool IsFull => _pending.Count >= PostgresPending.Full;

    /// <inheritdoc/>
    public bool IsBusy => _pending.Count > 0;

    /// <inheritdoc/>
    public bool ServerAtBoundary => _server.AtBoundary;

    /// <inheritdoc/>
    public bool ClientAtBoundary => _client.AtBoundary;

    /// <inheritdoc/>
    public void Written() => MustWrite = false;

    /// <inheritdoc/>
    public int FromClient(ReadOnlySpan<byte> bytes)
    {
        var rest = bytes;
        var boundary = 0;
        _now = default;
        while (rest.Length > 0 && Violation is null)
        {
            if (!_client.InBody)
            {
                if (!_client.TryHead(ref rest, out var started))
                {
                    Violation = "A message's length is not possible.";
                    break;
                }

                if (!started)
                {
                    break;
                }

                ClientHead(_client.Type);
                if (Violation is not null)
                {
                    break;
                }
            }

            var piece = _client.TakeBody(ref rest);
            if (_client.Type == (byte)'d')
            {
                _copyBytes += piece.Length;
            }
            else
            {
                _message.Feed(piece);
            }

            if (_client.Left == 0)
            {
                _client.Finish();
                ClientMessage(_client.Type);
                boundary = bytes.Length - rest.Length;
            }
        }

        return boundary;
    }

    /// <inheritdoc/>
    public void End()
    {
        _now = default;
        FinishCopy(finished: false);
        for (; _pending.Count > 0; _pending.RemoveHead())
        {
            ref var op = ref _pending[0];
            if (op.Kind is PostgresOpKind.Query or PostgresOpKind.Execute or PostgresOpKind.Function)
            {
                Result(ref op, StatementOutcome.Interrupted, -1, default, default, default);
            }
        }
    }

    public void Dispose()
    {
        _message.Dispose();
        _answer.Dispose();
    }

    private void ClientHead(byte type)
    {
        if (type is not ((byte)'Q' or (byte)'P' or (byte)'B' or (byte)'E' or (byte)'D' or (byte)'C' or (byte)'F' or (byte)'S'
            or (byte)'H' or (byte)'d' or (byte)'c' or (byte)'f' or (byte)'X'))
        {
            Violation = $"A message of type 0x{type:x2} has no place here.";
            return;
        }

        if (type is (byte)'d' or (byte)'c' or (byte)'f')
        {
            if (_pending.Count == 0 || _pending[_pending.Count - 1].Kind != PostgresOpKind.CopyMark)
            {
                _pending.Add(PostgresOpKind.CopyMark, 0, 0);
            }

            _copyRows += type == (byte)'d' ? 1 : 0;
        }

        _message.Begin(type);
    }

    private void ClientMessage(byte type)
    {
        Violation ??= _message.Fault;
        if (Violation is not null)
        {
            return;
        }

        switch (type)
        {
            case (byte)'Q':
                var text = _message.Text;
                var masked = text.Length > 0 ? RecordingMask.Apply(text.Kept) : null;
                Begin(PostgresOpKind.Query, _encoder.Simple(Now(), Encoded(text, masked)));
                Settle();
                break;
            case (byte)'F':
                Begin(PostgresOpKind.Function, _encoder.Function(Now(), _message.Function, _message.Parameters));
                Settle();
                break;
            case (byte)'P':
                Parse();
                break;
            case (byte)'B':
                Bind();
                break;
            case (byte)'E':
                Execute();
                break;
            case (byte)'D':
                Describe();
                break;
            case (byte)'C':
                ref var close = ref Begin(_message.Kind == (byte)'S' ? PostgresOpKind.CloseStatement : PostgresOpKind.ClosePortal, 0);
                _pending.Name(ref close, _message.First.Kept, null);
                Settle();
                break;
            case (byte)'S':
                StopIgnoring();
                Begin(PostgresOpKind.Sync, 0);
                break;
            case (byte)'X':
                ClientSaidGoodbye = true;
                break;
            default:
                break;
        }

        _message.Release();
        if (_pending.TooManyNames)
        {
            Violation = $"More than {PostgresPending.MaxNames} prepared statements or portals are open in one session.";
        }
    }

    private void Parse()
    {
        var text = _message.Text;
        var masked = text.Length > 0 ? RecordingMask.Apply(text.Kept) : null;
        var seq = _encoder.Prepare(Now(), _message.First.Kept, Encoded(text, masked), _message.Types);
        ref var op = ref Begin(PostgresOpKind.Parse, seq);
        _pending.Name(ref op, _message.First.Kept, new PostgresPrepared(seq, _message.Types.ToArray()));
        Settle();
    }

    private void Bind()
    {
        var statement = _pending.Statement(_message.Second.Kept);
        var seq = _encoder.Bind(Now(), _message.First.Kept, _message.Second.Kept, statement?.Seq ?? 0, _message.Parameters);
        ref var op = ref Begin(PostgresOpKind.Bind, seq);
        _pending.Name(ref op, _message.First.Kept, new PostgresPortal(seq, statement));
        Settle();
    }

    private void Execute()
    {
        var portal = _pending.Portal(_message.First.Kept);
        var seq = _encoder.Execute(Now(), _message.First.Kept, portal?.Seq ?? 0, portal?.FirstExecuted ?? 0);
        Begin(PostgresOpKind.Execute, seq).On = portal;
        if (portal is { FirstExecuted: 0 })
        {
            portal.FirstExecuted = seq;
        }

        Settle();
    }

    private void Describe()
    {
        var seq = 0L;
        object? on = null;
        if (_message.Kind == (byte)'S')
        {
            var prepared = _pending.Statement(_message.First.Kept);
            seq = prepared?.Seq ?? 0;
            on = prepared;
        }
        else
        {
            var portal = _pending.Portal(_message.First.Kept);
            seq = portal?.Seq ?? 0;
            on = portal;
        }

        Begin(PostgresOpKind.Describe, seq).On = on;
        Settle();
    }

    private ref PostgresOp Begin(PostgresOpKind kind, long seq)
    {
        MustWrite |= seq > 0 && kind != PostgresOpKind.Describe;
        _ = Now();
        return ref _pending.Add(kind, seq, _ticks);
    }

    // While the target overlooks everything up to the next Sync, what was just added is skipped already. Its name keeps
    // its meaning until then, so that what follows in the pipeline is recorded as the client meant it.
    private void Settle()
    {
        if (_ignoring)
        {
            ref var op = ref _pending[_pending.Count - 1];
            _overlooked.Add(op);
            Skip(ref op);
            _pending.RemoveLast();
            if (_overlooked.Count > PostgresPending.Full)
            {
                Violation = $"More than {PostgresPending.Full} messages follow an error without a Sync.";
            }
        }
    }

    private void StopIgnoring()
    {
        for (var at = _overlooked.Count - 1; at >= 0; at--)
        {
            _pending.Undo(_overlooked[at]);
        }

        _overlooked.Clear();
        _ignoring = false;
    }

    private void Skip(ref PostgresOp op)
    {
        // What could not be prepared or bound failed, for whoever executes it: the reader looks for the error there.
        if (op.Kind == PostgresOpKind.Execute && op.On is PostgresPortal portal && _failed is not null && (portal == _failed || portal.Of == _failed))
        {
            Result(ref op, StatementOutcome.Failed, -1, default, _failedState, _failedWords);
        }
        else if (op.Kind is PostgresOpKind.Execute or PostgresOpKind.Query or PostgresOpKind.Function)
        {
            Result(ref op, StatementOutcome.Skipped, -1, default, default, default);
        }
    }

    private EncodedText Encoded(PostgresCapture text, byte[]? masked)
    {
        // A masked text that fitted keeps no hash: the hash of a text with one unknown password is an oracle for it.
        return new EncodedText(masked ?? text.Kept, text.Length, text.Complete ? default : text.Hash(), masked is not null, _encoding);
    }

    private void Result(ref PostgresOp op, StatementOutcome outcome, long rows, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> sqlstate, ReadOnlySpan<byte> message)
    {
        var at = Now();
        var micros = outcome == StatementOutcome.Skipped ? 0 : (long)_time.GetElapsedTime(op.Started, _ticks).TotalMicroseconds;
        _encoder.Result(at, op.Seq, op.Results++, outcome, micros, rows, tag, sqlstate, message);
        op.Started = _ticks;
    }

    private DateTimeOffset Now()
    {
        if (_now == default)
        {
            _now = _time.GetUtcNow();
            _ticks = _time.GetTimestamp();
        }

        return _now;
    }
}
