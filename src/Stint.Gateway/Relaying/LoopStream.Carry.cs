namespace Stint.Gateway.Relaying;

/// <summary>Goes on with what arrives at a <see cref="LoopStream"/>, on its loop's own thread.</summary>
internal interface ILoopCarrier
{
    /// <summary>Something arrived. Never waits, never throws.</summary>
    /// <returns>Whether to be called again for what arrives next; else whoever waits in <see cref="LoopStream.CarryAsync"/> goes on.</returns>
    bool Carry(LoopStream from);
}

internal sealed partial class LoopStream
{
    /// <summary>
    /// Has what arrives carried by the loop's own thread, without anybody being woken for it, until the carrier has had
    /// enough. Nobody else may read meanwhile.
    /// </summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public ValueTask<int> CarryAsync(ILoopCarrier carrier)
    {
        var isCurrent = _loop.IsCurrent;
        Span<byte> one = stackalloc byte[1];
        while (true)
        {
            // What came before, nobody will be told of again; and only its own thread may ask the loop to come back.
            if (!isCurrent && TryReceive(one, LibC.Peek) >= 0)
            {
                return new ValueTask<int>(0);
            }

            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                if (_readable && !isCurrent)
                {
                    continue;
                }

                var version = _reader.Begin();
                Watch(_reader);
                _carrier = carrier;
                if (_readable)
                {
                    _loop.ComeBack(this);
                }

                return new ValueTask<int>(_reader, version);
            }
        }
    }

    /// <summary>Reads what is there into a carrier's buffer. On the loop's thread.</summary>
    /// <returns>0 at the end; −1 when nothing is there now, or others have waited long enough.</returns>
    /// <exception cref="IOException">It is broken.</exception>
    public int Receive(Span<byte> to) => ++_turn > Turn ? -1 : TryReceive(to, 0);

    private void Carry()
    {
        var goesOn = _carrier!.Carry(this);
        bool isClosed;
        var comeBack = false;
        lock (_lock)
        {
            _carrying = false;
            isClosed = _closed;
            if (goesOn && !isClosed)
            {
                comeBack = _readable;
            }
            else
            {
                _carrier = null;
                goesOn = !_reader.TryTake();
            }
        }

        if (comeBack)
        {
            _loop.ComeBack(this);
        }
        else if (!goesOn)
        {
            if (isClosed)
            {
                _reader.Fail(new ObjectDisposedException(nameof(LoopStream)));
            }
            else
            {
                _reader.Complete(Inline);
            }
        }
    }
}
