using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Stint.Gateway.Relaying;

/// <summary>A connected socket, read and written through a <see cref="RelayLoop"/>. One reader and one writer at a time. Linux.</summary>
/// <remarks>
/// The socket must not be used asynchronously in any other way: the runtime would watch it too, and wake for each arrival.
/// A read of nothing waits until there is something to read. A read that got less than it had room for has emptied the
/// socket (epoll(7), "Edge-triggered and level-triggered"): no second call asks whether there is more.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed partial class LoopStream : Stream
{
    /// <summary>Reads in a row, on the loop's thread, after which the others have their turn.</summary>
    private const int Turn = 16;

    private readonly RelayLoop _loop;
    private readonly SafeSocketHandle _socket;
    private readonly Lock _lock = new();
    private readonly LoopWaiter _reader = new();
    private readonly LoopWaiter _writer = new();
    private bool _readable = true;
    private bool _hungUp;
    private int _heardIn;
    private int _heardOut;
    private long _token;
    private ILoopCarrier? _carrier;
    private bool _carrying;
    private bool _closed;
    private int _turn;
    private int _writing;

    /// <param name="socket">Closed by whoever opened it, after this.</param>
    public LoopStream(RelayLoop loop, SafeSocketHandle socket)
    {
        _loop = loop;
        _socket = socket;
    }

    /// <summary>Who hears of its arrivals.</summary>
    public RelayLoop Loop => _loop;

    /// <summary>Whether what waited goes on on the loop's own thread, which it must not hold up; else on the pool's.</summary>
    public bool Inline { get; set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The next byte, which stays to be read; −1 at the end.</summary>
    public async ValueTask<int> PeekAsync(CancellationToken cancellation)
    {
        var one = new byte[1];
        while (true)
        {
            await ReadLaterAsync(Memory<byte>.Empty, cancellation);
            if (TryReceive(one, LibC.Peek) is var got and >= 0)
            {
                return got == 0 ? -1 : one[0];
            }
        }
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.CanBeCanceled)
        {
            return ReadLaterAsync(buffer, cancellationToken);
        }

        if (buffer.Length == 0)
        {
            // Asked once more before waiting is believed to be over: an idle session must not hold a buffer on a mere guess.
            Span<byte> one = stackalloc byte[1];
            return TryReceive(one, LibC.Peek) < 0 || IsTurnOver() ? WaitToReadAsync() : new ValueTask<int>(0);
        }

        if (!IsTurnOver())
        {
            var got = TryReceive(buffer.Span, 0);
            if (got >= 0)
            {
                return new ValueTask<int>(got);
            }
        }

        return ReadLaterAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        // NB. A write that went out in the middle of another's would make one message of two.
        if (Interlocked.Exchange(ref _writing, 1) == 1)
        {
            throw new InvalidOperationException("A write is under way already.");
        }

        var isDone = false;
        try
        {
            var heard = Volatile.Read(ref _heardOut);
            var sent = TrySend(buffer.Span);
            isDone = sent == buffer.Length;
            return isDone ? ValueTask.CompletedTask : WriteLaterAsync(buffer[sent..], heard, cancellationToken);
        }
        finally
        {
            if (isDone)
            {
                Volatile.Write(ref _writing, 0);
            }
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The loop heard of it.</summary>
    public void Ready(uint events)
    {
        bool read;
        bool write;
        lock (_lock)
        {
            const uint Gone = LibC.HungUp | LibC.Error;
            var readable = (events & (LibC.In | LibC.PeerHungUp | Gone)) != 0;
            var writable = (events & (LibC.Out | Gone)) != 0;
            if (readable)
            {
                _heardIn++;
                _readable = true;
                _hungUp |= (events & ~(LibC.In | LibC.Out)) != 0;
            }

            _heardOut += writable ? 1 : 0;
            _carrying = readable && _carrier is not null && !_closed;
            read = readable && !_carrying && _reader.TryTake();
            write = writable && _writer.TryTake();
        }

        _turn = 0;
        if (write)
        {
            _writer.Complete(Inline);
        }

        if (_carrying)
        {
            Carry();
        }
        else if (read)
        {
            _reader.Complete(Inline);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        bool read;
        bool write;
        lock (_lock)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            if (_token != 0)
            {
                _loop.Remove(_token, _socket);
            }

            // NB. While the loop carries, the one who waits for its end is told by the loop: the two must not go on at once.
            read = !_carrying && _reader.TryTake();
            _carrier = _carrying ? _carrier : null;
            write = _writer.TryTake();
        }

        if (read)
        {
            _reader.Fail(new ObjectDisposedException(nameof(LoopStream)));
        }

        if (write)
        {
            _writer.Fail(new ObjectDisposedException(nameof(LoopStream)));
        }
    }

    private bool IsTurnOver() => Inline && ++_turn > Turn && _loop.IsCurrent;

    // −1 when there is nothing to read now.
    private unsafe int TryReceive(Span<byte> to, int flags)
    {
        while (true)
        {
            int heard;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                if (!_readable)
                {
                    return -1;
                }

                heard = _heardIn;
            }

            nint got;
            fixed (byte* bytes = to)
            {
                got = LibC.Receive(_socket, bytes, (nuint)to.Length, LibC.DontWait | flags);
            }

            var failed = got < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (failed == LibC.Interrupted)
            {
                continue;
            }

            if (failed is not (0 or LibC.Again))
            {
                throw LibC.Failure(failed);
            }

            if (got < 0 || (flags == 0 && got > 0 && got < to.Length))
            {
                Drained(heard, isSure: got < 0);
            }

            if (got >= 0)
            {
                return (int)got;
            }
        }
    }

    // What was heard since may be of bytes that came since.
    private void Drained(int heard, bool isSure)
    {
        lock (_lock)
        {
            if (_heardIn == heard && (isSure || !_hungUp))
            {
                _readable = false;
                _hungUp = false;
            }
        }
    }

    private unsafe int TrySend(ReadOnlySpan<byte> from)
    {
        var done = 0;
        while (done < from.Length)
        {
            nint sent;
            fixed (byte* bytes = from)
            {
                sent = LibC.Send(_socket, bytes + done, (nuint)(from.Length - done), LibC.DontWait | LibC.NoSignal);
            }

            var failed = sent < 0 ? Marshal.GetLastPInvokeError() : 0;
            switch (failed)
            {
                case 0:
                    done += (int)sent;
                    break;
                case LibC.Interrupted:
                    break;
                case LibC.Again:
                    return done;
                default:
                    throw LibC.Failure(failed);
            }
        }

        return done;
    }

    private ValueTask<int> WaitToReadAsync()
    {
        var isTurnOver = Inline && _turn > Turn && _loop.IsCurrent;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_readable && !isTurnOver)
            {
                return new ValueTask<int>(0);
            }

            var version = _reader.Begin();
            Watch(_reader);
            if (_readable)
            {
                _loop.ComeBack(this);
            }

            return new ValueTask<int>(_reader, version);
        }
    }

    private ValueTask<int> WaitToWriteAsync(int heard)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_heardOut != heard)
            {
                return new ValueTask<int>(0);
            }

            var version = _writer.Begin();
            Watch(_writer);
            return new ValueTask<int>(_writer, version);
        }
    }

    private void Watch(LoopWaiter waiter)
    {
        try
        {
            if (_token == 0)
            {
                _token = _loop.Add(this, _socket);
            }
        }
        catch
        {
            waiter.TryTake();
            throw;
        }
    }

    private void Cancel(LoopWaiter waiter, CancellationToken cancellation)
    {
        bool waits;
        lock (_lock)
        {
            waits = waiter.TryTake();
        }

        if (waits)
        {
            waiter.Fail(new OperationCanceledException(cancellation));
        }
    }
}
