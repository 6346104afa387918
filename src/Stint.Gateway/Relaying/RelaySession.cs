using System.Net.Sockets;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Gateway.Recording;

namespace Stint.Gateway.Relaying;

/// <summary>Carries one session: bytes in both directions, its recording, and its end.</summary>
/// <remarks>
/// Two pumps, one for each direction; whichever stops first ends the session, and nothing but <see cref="RunAsync"/> tears it
/// down. On Linux they run on the thread of a <see cref="RelayLoop"/>, and wait there for nothing but sockets. The tap and the recording are touched under one lock. Whole messages are carried; a message larger than the
/// buffer passes in pieces, so that memory does not depend on what is carried.
/// </remarks>
internal sealed partial class RelaySession : IDisposable
{
    private const int BufferSize = 32 * 1024;

    private static readonly TimeSpan RestAfter = TimeSpan.FromSeconds(5);

    private readonly AuthorizedSession _session;
    private readonly RelaySide _client;
    private readonly RelaySide _server;
    private readonly IRelayTap _tap;
    private readonly IRelayVoice _voice;
    private readonly SessionRecording _recording;
    private readonly RelayHost _host;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _clientWrite = new(1, 1);
    private readonly SemaphoreSlim _answered = new(0, 1);
    private readonly TaskCompletionSource<RelayEnd> _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _aligned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _over = new();
    private DeadlineScheduler.Entry? _deadline;
    private long _lastHeard;
    private int _rested;
    private long _fromClient;
    private long _toClient;
    private bool _clientAligned = true;
    private volatile bool _greeted;
    private Task<DateTimeOffset>? _farewell;
    private volatile bool _ended;
    private bool _closed;
    private bool _goodbye;
    private int _flushQueued;
    private long _anchored;
    private long _anchorDue;
    private int _anchoring;

    public RelaySession(AuthorizedSession session, RelaySide client, RelaySide server, IRelayTap tap, IRelayVoice voice, SessionRecording recording, RelayHost host)
    {
        _session = session;
        _client = client;
        _server = server;
        _tap = tap;
        _voice = voice;
        _recording = recording;
        _host = host;
        _lastHeard = host.Time.GetTimestamp();
        _anchorDue = Later(host.Options.AnchorEvery);
        NotAfter = session.NotAfter;
    }

    /// <summary>How a session ends that met a fault of this program.</summary>
    public static RelayEnd Broken { get; } = new(SessionEndReason.ProtocolError, "The gateway failed in the middle of your session.", null, Told: true);

    public SessionId Id => _session.Id;

    public DateTimeOffset NotAfter { get; private set; }

    /// <summary>Whether its end has come: nothing goes to the target any more.</summary>
    public bool IsOver => _ended;

    /// <summary>What the client hears first; empty for nothing.</summary>
    public ReadOnlyMemory<byte> Greeting { get; set; }

    /// <summary>Carries until the end, and sees to it that the end is told to everyone: both sides, the recording, the gate.</summary>
    public async Task<RelayEnd> RunAsync()
    {
        await GreetAsync();
        _greeted = true;
        _deadline = _host.Deadlines.Add(NotAfter, Expire);
        _session.Listen(Take);
        BeginCarrying();
        var up = PumpClientAsync();
        var down = PumpServerAsync();
        var end = await _ending.Task;
        _host.Deadlines.Remove(_deadline);
        var interrupted = IsBusy();
        var stopped = interrupted ? StopAtTargetAsync(end) : Task.CompletedTask;
        try
        {
            await (end.Told ? FarewellAsync(end) : Task.CompletedTask);
            await SayGoodbyeAsync();
            CloseServer();
            await LingerAsync(end, up);
        }
        catch (Exception failed)
        {
            // NB. Whatever breaks while it is torn down: that it is over is put on record.
            Log.PumpFailed(_host.Logger, Id.Value, failed);
            _server.Close();
            _client.Close();
        }

        await Task.WhenAll(up, down);

        // What follows waits for the disk and for the control plane: off the thread that carries the other sessions.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var head = Close(end);
        await stopped;
        if (!interrupted && MustSeeGone(end.Reason))
        {
            await _host.CutAtTargetAsync(Id, _voice.Backend);
        }

        await _host.EndedAsync(this, end, head, _recording, Interlocked.Read(ref _fromClient), Interlocked.Read(ref _toClient));
        return end;
    }

    /// <summary>Ends it, unless it is ending already; where nothing is half out, the client has its last words when this returns. Quick; never throws.</summary>
    public void End(RelayEnd end)
    {
        lock (_lock)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
        }

        FarewellNow(end);
        _ending.TrySetResult(end);

        // Wakes the pump that waits for the target. What it still holds goes no further.
        Shut(_server.Socket, SocketShutdown.Receive);
    }

    /// <summary>Tells the client something at the next boundary; waits no longer for a client that does not read.</summary>
    public async Task NoticeAsync(string sentence, string? hint)
    {
        try
        {
            await SayAsync(_voice.Notice(sentence, hint)).WaitAsync(_host.Options.CutPatience);
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            // It left, or does not read: its pumps find out.
        }

        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }

    /// <summary>Notes that a cancel request for it was passed on.</summary>
    public async Task CancelAsync(string from)
    {
        lock (_lock)
        {
            if (_ended)
            {
                return;
            }

            _recording.Encoder.Cancel(_host.Time.GetUtcNow(), from);
            FlushLater();
        }

        await _voice.CancelAtTargetAsync(_over.Token);
    }

    /// <summary>Looks after what is due: idleness, anchors.</summary>
    public void Look(long now)
    {
        if (_session.Limits.Idle is { } idle && !_ended && !IsBusy() && _host.Time.GetElapsedTime(Interlocked.Read(ref _lastHeard), now) >= idle)
        {
            End(new RelayEnd(SessionEndReason.Idle, $"Your session at {_session.Role} was ended: nothing was said for {Words.Of(idle)}.", "Connect again to go on while your access is open.", Told: true));
        }

        if (_host.Time.GetElapsedTime(Interlocked.Read(ref _lastHeard), now) >= RestAfter && Interlocked.Exchange(ref _rested, 1) == 0)
        {
            Rest();
        }

        if (now >= _anchorDue && Interlocked.CompareExchange(ref _anchoring, 1, 0) == 0)
        {
            _ = AnchorAsync();
        }
    }

    /// <summary>Writes what waits in memory.</summary>
    public void Flush()
    {
        Interlocked.Exchange(ref _flushQueued, 0);
        lock (_lock)
        {
            if (!_closed)
            {
                TryWrite();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // One that broke before it was carried was never closed, and may still be looked at.
        lock (_lock)
        {
            _closed = true;
        }

        _over.Cancel();
        _over.Dispose();
        (_tap as IDisposable)?.Dispose();
        _recording.Dispose();
        _clientWrite.Dispose();
        _answered.Dispose();
    }

    private async Task GreetAsync()
    {
        try
        {
            await _client.Stream.WriteAsync(Greeting).AsTask().WaitAsync(_host.Options.HandshakeTimeout, _host.Time);
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            End(new RelayEnd(SessionEndReason.ClientLeft, "", null, Told: false));
        }

        Greeting = default;
    }

    // Nobody else writes until all of it is out, however long the client takes to read.
    private async Task SayAsync(byte[] notice)
    {
        await _clientWrite.WaitAsync(_over.Token);
        try
        {
            if (!_ended && _clientAligned)
            {
                await _client.Stream.WriteAsync(notice);
            }
        }
        finally
        {
            _clientWrite.Release();
        }
    }

    private void Take(SessionOrder order)
    {
        switch (order)
        {
            case SessionOrder.Cut cut:
                End(new RelayEnd(cut.Reason, cut.Sentence, cut.Hint, Told: true));
                break;
            case SessionOrder.Extend extend:
                NotAfter = extend.NotAfter;
                if (_deadline is not null)
                {
                    _host.Deadlines.Move(_deadline, extend.NotAfter);
                }

                break;
            default:
                break;
        }
    }

    private void Expire() => End(new RelayEnd(
        SessionEndReason.Expired,
        $"Your access to {_session.Role} ended at {NotAfter.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: its time is over.",
        $"Ask again with: stint request {_session.Role}",
        Told: true));

    private bool IsBusy()
    {
        lock (_lock)
        {
            return !_closed && _tap.IsBusy;
        }
    }

    private void TryWrite()
    {
        try
        {
            _host.Measure(_recording);
            _tap.Written();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            _host.RecordingFailed(Id, failed);
            Task.Run(() => End(Unrecorded));
        }
    }

    private RelayEnd Unrecorded => new(
        SessionEndReason.RecordingFailed,
        $"Your session at {_session.Role} was ended: it could not be recorded, and nothing goes on unrecorded.",
        "Tell whoever runs this gateway; connect again when they say so.",
        Told: true);

    // Who says nothing needs no room for what they say.
    private void Rest()
    {
        lock (_lock)
        {
            if (!_closed)
            {
                try
                {
                    TryWrite();
                    _recording.Rest();
                }
                catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or ObjectDisposedException)
                {
                    _host.RecordingFailed(Id, failed);
                    Task.Run(() => End(Unrecorded));
                }
            }
        }
    }

    private void FlushLater()
    {
        if (Interlocked.Exchange(ref _flushQueued, 1) == 0)
        {
            _host.FlushLater(this);
        }
    }

    private long Later(TimeSpan span) => _host.Time.GetTimestamp() + (long)(span.TotalSeconds * _host.Time.TimestampFrequency);

    private async Task AnchorAsync()
    {
        RecordingHead? head = null;
        lock (_lock)
        {
            if (!_closed && _recording.Encoder.Records > _anchored)
            {
                TryWrite();
                head = _recording.HasPending ? null : _recording.Head();
            }
        }

        try
        {
            if (head is not null)
            {
                // A head that outlives the power must not speak of records that do not.
                await _recording.SyncAsync();
                await _host.Gate.AnchorAsync(Id, head, _over.Token);
                _anchored = head.Records;
            }

            _anchorDue = Later(_host.Options.AnchorEvery);
        }
        catch (Exception failed)
        {
            AnchorFailed(failed);
        }
        finally
        {
            Interlocked.Exchange(ref _anchoring, 0);
        }
    }

    private void AnchorFailed(Exception failed)
    {
        if (!_ended)
        {
            Log.AnchorFailed(_host.Logger, Id.Value, failed);
            var late = _host.Time.GetElapsedTime(_anchorDue);
            if (late > _host.Options.AnchorPatience)
            {
                End(Unrecorded);
            }
        }
    }

    // NB. TLS calls it not supported when somebody else is in the middle of a write.
    private static bool IsBroken(Exception failed) =>
        failed is IOException or SocketException or ObjectDisposedException or OperationCanceledException or TimeoutException or InvalidOperationException or NotSupportedException;

    private static void Shut(Socket socket, SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            // It is closed already.
        }
    }
}
