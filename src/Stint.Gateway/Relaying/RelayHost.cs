using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Gateway.Recording;

namespace Stint.Gateway.Relaying;

/// <summary>What all sessions of a node share: the clock, the gate, the deadlines, and who looks after them.</summary>
internal sealed class RelayHost : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<SessionId, RelaySession> _live = new();
    private readonly ConcurrentQueue<RelaySession> _toFlush = new();
    private readonly ITimer _timer;
    private int _looking;
    private uint _writes;

    public RelayHost(GatewayOptions options, ISessionGate gate, TimeProvider time, ILogger logger)
    {
        Options = options;
        Gate = gate;
        Time = time;
        Logger = logger;
        Sockets = new RelaySockets(unforeseen => Log.StreamBroke(logger, unforeseen));
        Deadlines = new DeadlineScheduler(time, unforeseen => Log.DeadlineBroke(logger, unforeseen));
        _timer = time.CreateTimer(static host => ((RelayHost)host!).Look(), this, LookEvery, LookEvery);
    }

    public GatewayOptions Options { get; }

    public ISessionGate Gate { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public DeadlineScheduler Deadlines { get; }

    public GroupSync Sync { get; } = new();

    public RelaySockets Sockets { get; }

    public GatewayMeter Meter { get; } = new();

    public int Live => _live.Count;

    /// <summary>Sessions that were let in and are not carried yet: their target is being dialled.</summary>
    public ConcurrentDictionary<SessionId, bool> Opening { get; } = new();

    /// <summary>Whether nothing is carried and nothing is about to be.</summary>
    public bool IsEmpty => Opening.IsEmpty && _live.IsEmpty;

    /// <summary>Whether new sessions are refused.</summary>
    public bool IsDraining { get; set; }

    public ICollection<RelaySession> Sessions => _live.Values;

    /// <summary>Carries a session to its end.</summary>
    public async Task RunAsync(RelaySession session)
    {
        _live[session.Id] = session;
        Opening.TryRemove(session.Id, out _);
        Meter.LiveSessions.Add(1);
        if (IsDraining)
        {
            session.End(Drained);
        }

        try
        {
            var end = await session.RunAsync();
            Log.Ended(Logger, session.Id.Value, end.Reason);
            Meter.Sessions.Add(1, new KeyValuePair<string, object?>("reason", end.Reason.ToString()));
        }
        finally
        {
            _live.TryRemove(session.Id, out _);
            Meter.LiveSessions.Add(-1);
            session.Dispose();
        }
    }

    /// <summary>How a session ends when the gateway shuts down.</summary>
    public static RelayEnd Drained { get; } = new(
        SessionEndReason.Draining,
        "Your session was ended: this gateway is shutting down.",
        "Connect again in a moment to go on while your access is open.",
        Told: true);

    public void FlushLater(RelaySession session) => _toFlush.Enqueue(session);

    /// <summary>Writes what a recording holds back, and now and then says how long that took.</summary>
    public void Measure(SessionRecording recording)
    {
        if ((++_writes & 63) != 0)
        {
            recording.Write();
            return;
        }

        var began = Time.GetTimestamp();
        recording.Write();
        Meter.WriteLatency.Record(Time.GetElapsedTime(began).TotalSeconds);
    }

    public void RecordingFailed(SessionId session, Exception failed) => Log.RecordingFailed(Logger, session.Value, failed);

    /// <summary>Has the target's side of a session ended by the control plane.</summary>
    public async Task CutAtTargetAsync(SessionId session, string? backend)
    {
        try
        {
            await Gate.CutAtTargetAsync(session, backend, CancellationToken.None);
        }
        catch (Exception failed)
        {
            Log.NotCutAtTarget(Logger, session.Value, failed);
        }
    }

    /// <summary>Puts a session's end on record.</summary>
    public async Task EndedAsync(RelaySession session, RelayEnd end, RecordingHead head, SessionRecording recording, long fromClient, long toClient)
    {
        Meter.Statements.Add(head.Statements);
        Meter.FromClient.Add(fromClient);
        Meter.ToClient.Add(toClient);
        try
        {
            var at = Time.GetUtcNow();
            try
            {
                await recording.SyncAsync();
            }
            catch (IOException failed)
            {
                RecordingFailed(session.Id, failed);
            }

            // The end carries the head: an anchor of its own would say the same, and cost a second commit.
            await ToldAsync(session.Id, new SessionEnd(end.Reason, end.Told ? end.Sentence : null, at, head, fromClient, toClient));
        }
        catch (Exception failed)
        {
            Log.EndNotTold(Logger, session.Id.Value, failed);
        }
    }

    /// <summary>Tells the gate that a session is over.</summary>
    public async Task ToldAsync(SessionId session, SessionEnd end)
    {
        try
        {
            await Gate.EndedAsync(session, end, CancellationToken.None);
        }
        catch (Exception failed)
        {
            Log.EndNotTold(Logger, session.Value, failed);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Deadlines.Dispose();
        Sockets.Dispose();
        Meter.Dispose();
    }

    private void Look()
    {
        if (Interlocked.Exchange(ref _looking, 1) == 1)
        {
            return;
        }

        try
        {
            for (var left = _toFlush.Count; left > 0 && _toFlush.TryDequeue(out var session); left--)
            {
                Guarded(session, static (one, _) => one.Flush(), 0);
            }

            var now = Time.GetTimestamp();
            foreach (var (_, session) in _live)
            {
                Guarded(session, static (one, now) => one.Look(now), now);
            }
        }
        finally
        {
            Interlocked.Exchange(ref _looking, 0);
        }
    }

    // NB. Nothing may escape from a timer: it would end the process, and with it everybody's session. What breaks is one
    // session, and it ends.
    private void Guarded(RelaySession session, Action<RelaySession, long> look, long now)
    {
        try
        {
            look(session, now);
        }
        catch (Exception unforeseen)
        {
            Log.PumpFailed(Logger, session.Id.Value, unforeseen);
            Task.Run(() => session.End(RelaySession.Broken));
        }
    }
}
