using System.Net.Sockets;
using Stint.Core.Sessions;

namespace Stint.Gateway.Relaying;

internal sealed partial class RelaySession
{
    // The client's last words, at a message's boundary. Bounded: who does not read is closed without them.
    private async Task FarewellAsync(RelayEnd end)
    {
        var patience = _host.Options.CutPatience;
        var began = _host.Time.GetTimestamp();
        try
        {
            if (!_clientAligned)
            {
                await _aligned.Task.WaitAsync(patience, _host.Time);
            }

            if (!await _clientWrite.WaitAsync(patience))
            {
                return;
            }

            try
            {
                if (_clientAligned)
                {
                    await _client.Stream.WriteAsync(_voice.Farewell(end)).AsTask().WaitAsync(patience, _host.Time);
                    await _client.Stream.FlushAsync().WaitAsync(patience, _host.Time);
                }
            }
            finally
            {
                _clientWrite.Release();
            }
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            Log.FarewellFailed(_host.Logger, Id.Value, _host.Time.GetElapsedTime(began).TotalMilliseconds);
        }

        if (end.Reason == SessionEndReason.Expired)
        {
            _host.Meter.CutLateness.Record((_host.Time.GetUtcNow() - NotAfter).TotalSeconds);
        }
    }

    private async Task SayGoodbyeAsync()
    {
        if (_goodbye || !_tap.ClientAtBoundary)
        {
            return;
        }

        try
        {
            await _server.Stream.WriteAsync(_voice.Goodbye).AsTask().WaitAsync(TimeSpan.FromMilliseconds(100), _host.Time);
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            // It is closed, or does not read: it is closed next.
        }
    }

    private void CloseServer()
    {
        Shut(_server.Socket, SocketShutdown.Both);
        _server.Close();
    }

    // Bytes of the client that nobody read would make the system answer with a reset, which can overtake the last words:
    // the client's pump reads on, for a moment, and throws away.
    private async Task LingerAsync(RelayEnd end, Task up)
    {
        Shut(_client.Socket, SocketShutdown.Send);
        if (end.Told)
        {
            try
            {
                await up.WaitAsync(TimeSpan.FromMilliseconds(250), _host.Time);
            }
            catch (TimeoutException)
            {
                // It has its words, and has had its time.
            }
        }

        Shut(_client.Socket, SocketShutdown.Both);
        _client.Close();
    }

    private RecordingHead Close(RelayEnd end)
    {
        lock (_lock)
        {
            _tap.End();
            _recording.Encoder.SessionClosed(
                _host.Time.GetUtcNow(),
                end.Reason,
                end.Told ? end.Sentence : null,
                Interlocked.Read(ref _fromClient),
                Interlocked.Read(ref _toClient));
            TryWrite();
            _closed = true;
            return _recording.Head();
        }
    }
}
