using System.Runtime.Versioning;

namespace Stint.Gateway.Relaying;

internal sealed partial class RelaySession
{
    // Null where a side is not heard of by a loop of ours, or speaks TLS, or where a statement waits for the disk: the pumps do it.
    private Carrier? _up;
    private Carrier? _down;

    private void BeginCarrying()
    {
        _client.CarryInline();
        _server.CarryInline();
        if (OperatingSystem.IsLinux())
        {
            _up = !_recording.IsStrict && _client.Stream is LoopStream client ? new UpCarrier(this, client) : null;
            _down = _server.Stream is LoopStream server ? new DownCarrier(this, server) : null;
        }
    }

    /// <summary>What a carrier left to its pump.</summary>
    /// <param name="Buffer">Of the shared pool.</param>
    /// <param name="Total">How many bytes are in it, all of them seen by the tap.</param>
    /// <param name="Sent">How many of them go on.</param>
    /// <param name="Writing">Until they have.</param>
    private readonly record struct Left(byte[] Buffer, int Total, int Sent, ValueTask Writing)
    {
        /// <summary>In place of <see cref="Sent"/>: nothing goes on any more.</summary>
        public const int Nothing = -1;
    }

    /// <summary>
    /// Carries one direction on the loop's thread, from one call of the loop to the next, as long as all of it goes straight
    /// through. Whatever would have to wait (the other side does not take it all, a message is not whole) it leaves to the pump.
    /// </summary>
    [SupportedOSPlatform("linux")]
    private abstract class Carrier(RelaySession session, LoopStream from) : ILoopCarrier
    {
        private Left? _left;

        protected RelaySession Session => session;

        /// <summary>Carries until it is the pump's turn.</summary>
        /// <returns>What is half done; null when there is something to read, or the end.</returns>
        public async ValueTask<Left?> CarryAsync()
        {
            await from.CarryAsync(this);
            var left = _left;
            _left = null;
            return left;
        }

        public bool Carry(LoopStream stream)
        {
            while (true)
            {
                var buffer = stream.Loop.Scratch;
                int got;
                try
                {
                    got = stream.Receive(buffer.AsSpan(0, BufferSize));
                }
                catch (Exception failed) when (IsBroken(failed))
                {
                    // The pump meets it too, and knows what to make of it.
                    return false;
                }

                if (got <= 0)
                {
                    return got < 0;
                }

                var send = 0;
                ValueTask writing;
                try
                {
                    writing = Pass(buffer, got, out send);
                }
                catch (Exception failed)
                {
                    writing = ValueTask.FromException(failed);
                }

                if (send != got || !writing.IsCompletedSuccessfully || MustPause)
                {
                    _left = new Left(stream.Loop.TakeScratch(), got, send, writing);
                    return false;
                }
            }
        }

        /// <summary>Whether the pump has to look at it even though all of it went on.</summary>
        protected abstract bool MustPause { get; }

        /// <summary>Has the bytes seen, and sends on what may be sent.</summary>
        /// <param name="send">How many are sent, or need not be.</param>
        protected abstract ValueTask Pass(byte[] buffer, int got, out int send);
    }

    [SupportedOSPlatform("linux")]
    private sealed class UpCarrier(RelaySession session, LoopStream from) : Carrier(session, from)
    {
        protected override bool MustPause => Session._tap.IsFull;

        protected override ValueTask Pass(byte[] buffer, int got, out int send)
        {
            Session.Heard(got);
            if (Session.Take(buffer.AsSpan(0, got), 0, out _) is not { } may || Session._ended)
            {
                send = got;
                return default;
            }

            send = may;
            if (send == 0)
            {
                return default;
            }

            var writing = Session._server.Stream.WriteAsync(buffer.AsMemory(0, send));
            Session._goodbye |= Session._tap.ClientSaidGoodbye;
            return writing;
        }
    }

    [SupportedOSPlatform("linux")]
    private sealed class DownCarrier(RelaySession session, LoopStream from) : Carrier(session, from)
    {
        protected override bool MustPause => Session._ended && Session._clientAligned;

        protected override ValueTask Pass(byte[] buffer, int got, out int send)
        {
            if (Session.TakeFromServer(buffer.AsSpan(0, got), 0) is not { } may)
            {
                send = Left.Nothing;
                return default;
            }

            send = may;
            return send == 0 ? default : Session.SendToClientAsync(buffer.AsMemory(0, send), Session.IsAligned(got, send));
        }
    }
}
