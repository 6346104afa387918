using System.Threading.Tasks.Sources;

namespace Stint.Gateway.Relaying;

internal sealed partial class LoopStream
{
    private async ValueTask<int> ReadLaterAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var wait = WaitToReadAsync();
            using (cancellation.UnsafeRegister(static (state, token) => ((LoopStream)state!).CancelRead(token), this))
            {
                await wait;
            }

            if (buffer.Length == 0)
            {
                return 0;
            }

            var got = TryReceive(buffer.Span, 0);
            if (got >= 0)
            {
                return got;
            }
        }
    }

    private async ValueTask WriteLaterAsync(ReadOnlyMemory<byte> rest, int heard, CancellationToken cancellation)
    {
        while (true)
        {
            await WaitToWriteAsync(heard, cancellation);
            heard = Volatile.Read(ref _heardOut);
            rest = rest[TrySend(rest.Span)..];
            if (rest.Length == 0)
            {
                Volatile.Write(ref _writing, 0);
                return;
            }
        }
    }

    private async ValueTask WaitToWriteAsync(int heard, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var wait = WaitToWriteAsync(heard);
        using (cancellation.UnsafeRegister(static (state, token) => ((LoopStream)state!).CancelWrite(token), this))
        {
            await wait;
        }
    }

    private void CancelRead(CancellationToken cancellation) => Cancel(_reader, cancellation);

    private void CancelWrite(CancellationToken cancellation) => Cancel(_writer, cancellation);

    /// <summary>One place to wait, used again and again. Begun and taken under the stream's lock, completed outside of it.</summary>
    private sealed class LoopWaiter : IValueTaskSource<int>
    {
        private ManualResetValueTaskSourceCore<int> _core;
        private bool _waits;

        /// <exception cref="InvalidOperationException">Somebody waits here already.</exception>
        public short Begin()
        {
            if (_waits)
            {
                throw new InvalidOperationException("Two read, or two write, at the same time.");
            }

            _waits = true;
            _core.Reset();
            return _core.Version;
        }

        /// <summary>Whether somebody waited; whoever hears so completes it.</summary>
        public bool TryTake()
        {
            var waits = _waits;
            _waits = false;
            return waits;
        }

        public void Complete(bool inline)
        {
            _core.RunContinuationsAsynchronously = !inline;
            _core.SetResult(0);
        }

        public void Fail(Exception because)
        {
            _core.RunContinuationsAsynchronously = true;
            _core.SetException(because);
        }

        public int GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
