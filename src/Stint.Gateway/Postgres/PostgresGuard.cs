using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

/// <summary>Stands between a session and its target when the session is for exact statements: nothing else reaches the target.</summary>
/// <remarks>
/// In place of a message that is refused goes one that does nothing but fail at the target, and the target's error goes back
/// as the refusal. So the target itself says where its transaction stands, overlooks the rest up to the next Sync, and answers
/// in order: what the client is told is true. The recording lies in front of it and has both the text and the refusal.
/// <para>
/// What stands behind a name is known for certain only when all of it was answered: a message behind a Sync or a Query waits
/// until the target is ready again. Within one such stretch the target overlooks everything behind the first error, so that
/// whatever it does execute was named as it is remembered here.
/// </para>
/// </remarks>
internal sealed partial class PostgresGuard : Stream
{
    private const int MostError = 64 * 1024;

    private readonly Stream _target;
    private readonly AuthorizedSession _session;
    private readonly ExactStatements _statements;
    private readonly ISessionGate _gate;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly byte[] _chunk = new byte[16 * 1024];
    private readonly ArrayBufferWriter<byte> _ready = new();
    private readonly ArrayBufferWriter<byte> _message = new();
    private PostgresFrames _server;
    private int _taken;
    private bool _keeps;
    private RelaySession? _relay;

    public PostgresGuard(Stream target, AuthorizedSession session, ISessionGate gate, ILogger logger)
    {
        _target = target;
        _session = session;
        _statements = session.Statements ?? throw new ArgumentException("The session is for whatever its role allows.", nameof(session));
        _gate = gate;
        _logger = logger;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Which session it is part of: once that is over, nothing is sent any more.</summary>
    public void Watch(RelaySession relay) => _relay = relay;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            if (buffer.Length == 0)
            {
                return _taken < _ready.WrittenCount ? 0 : await _target.ReadAsync(buffer, cancellationToken);
            }

            while (_taken == _ready.WrittenCount)
            {
                _ready.ResetWrittenCount();
                _taken = 0;
                var read = await _target.ReadAsync(_chunk, cancellationToken);
                if (read == 0)
                {
                    Gone();
                    return 0;
                }

                FromTarget(_chunk.AsSpan(0, read));
            }
        }
        catch
        {
            // Whoever waits for the target to be ready would wait for ever.
            Gone();
            throw;
        }

        var take = Math.Min(buffer.Length, _ready.WrittenCount - _taken);
        _ready.WrittenMemory.Slice(_taken, take).CopyTo(buffer);
        _taken += take;
        return take;
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await FromClientAsync(buffer);
            await SendAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => _target.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void Flush() => _target.Flush();

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read as it comes.");

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is written as it comes.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Gone();
            _target.Dispose();
        }

        base.Dispose(disposing);
    }

    // Whole messages, one after the other; what is looked at is held back until it is whole.
    private void FromTarget(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (!_server.InBody)
            {
                if (!_server.TryHead(ref bytes, out var started))
                {
                    throw new PostgresWireException("The target sent a message whose length is not possible.");
                }

                if (!started)
                {
                    return;
                }

                _message.ResetWrittenCount();
                _keeps = _server.Type is (byte)'E' or (byte)'S' or (byte)'C' or (byte)'Z' && _server.Left <= MostError;
                if (!_keeps)
                {
                    Head(_server.Type, _server.Left);
                }
            }

            var piece = _server.TakeBody(ref bytes);
            (_keeps ? _message : _ready).Write(piece);
            if (_server.Left == 0)
            {
                _server.Finish();
                Answered(_server.Type);
            }
        }
    }

    private void Answered(byte type)
    {
        var body = _message.WrittenSpan;
        if (_keeps && type == (byte)'E' && RefusalIn(body) is { } refusal)
        {
            _ready.Write(refusal);
            return;
        }

        if (_keeps)
        {
            Head(type, body.Length);
            _ready.Write(body);
        }

        switch (type)
        {
            case (byte)'1' or (byte)'2' or (byte)'3':
                Confirm();
                break;
            case (byte)'C' when body.StartsWith("DEALLOCATE"u8) || body.StartsWith("DISCARD"u8) || body.StartsWith("PREPARE"u8):
                // SQL gave names another meaning: those that it may have touched count no longer.
                Forget();
                break;
            case (byte)'S' when body.StartsWith("client_encoding\0"u8):
                _misread = !IsUtf8(Encoding.ASCII.GetString(body["client_encoding\0".Length..].TrimEnd((byte)0)));
                break;
            case (byte)'G':
                SyncOverlooked();
                break;
            case (byte)'Z':
                Ready(body.Length == 1 ? body[0] : (byte)0);
                break;
            default:
                break;
        }
    }

    private void Head(byte type, int left)
    {
        var head = _ready.GetSpan(5);
        head[0] = type;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head[1..], left + 4);
        _ready.Advance(5);
    }

    /// <summary>Whether the target reads bytes as UTF-8 under this name of an encoding.</summary>
    public static bool IsUtf8(string encoding) => encoding.ToUpperInvariant().Replace("-", "", StringComparison.Ordinal) is "UTF8" or "UNICODE";

    private static string Token() => $"stint_refused_{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
}
