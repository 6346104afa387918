using System.Net.Sockets;
using Stint.Core.Sessions;

namespace Stint.Gateway.Relaying;

internal sealed partial class RelaySession
{
    // The client's last words, on the thread of whoever ends it. When many sessions end at one moment, the last must not
    // wait until the first is torn down.
    private void FarewellNow(RelayEnd end)
    {
        if (!end.Told || !_greeted || !_clientWrite.Wait(0))
        {
            return;
        }

        if (_clientAligned)
        {
            _farewell = WriteFarewellAsync(end);
        }
        else
        {
            _clientWrite.Release();
        }
    }

    // With the right to write, which it gives back.
    private async Task<DateTimeOffset> WriteFarewellAsync(RelayEnd end)
    {
        try
        {
            await _client.Stream.WriteAsync(_voice.Farewell(end));
            await _client.Stream.FlushAsync();
            return _host.Time.GetUtcNow();
        }
        finally
        {
            _clientWrite.Release();
        }
    }

    // The client's last words, at a message's boundary. Bounded: who does not read is closed without them.
    private async Task FarewellAsync(RelayEnd end)
    {
        var patience = _host.Options.CutPatience;
        var began = _host.Time.GetTimestamp();
        var told = _host.Time.GetUtcNow();
        try
        {
            if (_farewell is null)
            {
                if (!_clientAligned)
                {
                    await _aligned.Task.WaitAsync(patience, _host.Time);
                }

                if (await _clientWrite.WaitAsync(patience))
                {
                    if (_clientAligned)
                    {
                        _farewell = WriteFarewellAsync(end);
                    }
                    else
                    {
                        _clientWrite.Release();
                    }
                }
            }

            told = _farewell is null ? _host.Time.GetUtcNow() : await _farewell.WaitAsync(patience, _host.Time);
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            told = _host.Time.GetUtcNow();
            Log.FarewellFailed(_host.Logger, Id.Value, _host.Time.GetElapsedTime(began).TotalMilliseconds);
        }

        if (end.Reason == SessionEndReason.Expired)
        {
            _host.Meter.CutLateness.Record((told - NotAfter).TotalSeconds);
        }
    }

    // What the target still executes for it. A cancel needs nobody's power but can be lost; the control plane's
    // termination is certain and looks whether it came true. Neither waits for the other, nor for the client to be told.
    private async Task StopAtTargetAsync(RelayEnd end)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var cancelled = _voice.CancelAtTargetAsync(_over.Token);
        if (end.Reason != SessionEndReason.TargetLeft)
        {
            await _host.CutAtTargetAsync(Id, _voice.Backend);
        }

        await cancelled;
    }

    // Whether somebody has to see to it that a connection which executed nothing, and was told goodbye, is gone. When its
    // grant is over, the keeper sees to it for the whole account.
    private static bool MustSeeGone(SessionEndReason reason) => reason is not
        (SessionEndReason.ClientLeft or SessionEndReason.TargetLeft or SessionEndReason.Expired or SessionEndReason.Returned or SessionEndReason.Revoked);

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
