using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Grants;

namespace Stint.Server.Nodes;

/// <summary>The gate of a node that has no store: every question goes to the control plane, every order comes from there.</summary>
/// <remarks>
/// Orders come on one long answer, which says every second that it lives. When nothing was heard for ten seconds the
/// sessions here are cut: a revoke that did not arrive must not let anybody go on.
/// </remarks>
internal sealed class RemoteGate(ControlLine line, string recordings, Func<DoorShape?> door, TimeProvider time, ILogger<RemoteGate> log) : ISessionGate
{
    /// <summary>How long the control plane may be silent before the sessions here are cut.</summary>
    public static readonly TimeSpan Blind = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookForSilence = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CutPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<SessionId, AuthorizedSession?> _sessions = new();
    private readonly ConcurrentDictionary<SessionId, (SessionOrder Order, long At)> _early = new();
    private readonly TaskCompletionSource<WelcomeShape> _welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _started = time.GetTimestamp();
    private readonly string _version = typeof(RemoteGate).Assembly.GetName().Version!.ToString(3);
    private long _heard = time.GetTimestamp();
    private bool _draining;
    private bool _cutOff;

    /// <summary>Completes when the control plane let this node in; faults when it says that it never will.</summary>
    public Task<WelcomeShape> Welcomed => _welcome.Task;

    /// <summary>Whether the control plane was heard of lately enough.</summary>
    public bool InTouch => time.GetElapsedTime(Volatile.Read(ref _heard)) < Blind;

    /// <summary>Nobody new is let in from here on.</summary>
    public void BeginDrain() => _draining = true;

    public async ValueTask<LoginVerifier?> FindLoginAsync(string login, CancellationToken cancellation) =>
        (await line.AskAsync("login", new LoginBody(login), NodeJson.Default.LoginBody, NodeJson.Default.LoginFound, cancellation))?.Verifier;

    public async ValueTask<GateAnswer> AdmitAsync(Knock knock, CancellationToken cancellation)
    {
        if (_draining)
        {
            return new GateAnswer.Refused(GateRefusal.Draining, "This gateway is shutting down.", "Connect again in a moment.");
        }

        if (!InTouch)
        {
            return Unavailable;
        }

        AdmitShape? answer;
        try
        {
            // NB. Not on the client's token: an admission that was given must be known here, or it would live on record and nowhere else.
            answer = await line.AskAsync("admit", knock, NodeJson.Default.Knock, NodeJson.Default.AdmitShape, CancellationToken.None);
        }
        catch (ControlException)
        {
            return Unavailable;
        }

        if (answer is not { Admitted: { } admitted })
        {
            return answer?.Refused ?? Unavailable;
        }

        var id = new SessionId(admitted.Session);
        if (admitted.Decide(time.GetUtcNow()) is not { } session)
        {
            _sessions[id] = null;
            await EndedAsync(id, new SessionEnd(SessionEndReason.Expired, "by this gateway's clock it was over when it was admitted", time.GetUtcNow(), null, 0, 0), CancellationToken.None);
            return new GateAnswer.Refused(GateRefusal.NoOpenGrant, "By this gateway's clock, that access is over.", "Tell whoever runs this gateway to look at its clock.");
        }

        _sessions[id] = session;

        // An order may have overtaken the answer.
        if (_early.TryRemove(id, out var early))
        {
            session.Give(early.Order);
        }

        return new GateAnswer.Admitted(session);
    }

    public async ValueTask AnchorAsync(SessionId session, RecordingHead head, CancellationToken cancellation) =>
        _ = await line.AskAsync("anchor", new AnchorBody(session.Value, head), NodeJson.Default.AnchorBody, NodeJson.Default.NodeDone, cancellation)
            ?? throw new ControlException($"{line.Url} does not know {session} as this node's", isFinal: false);

    public async ValueTask<bool> CountAsync(SessionId session, int statement, CancellationToken cancellation) =>
        await line.AskAsync("count", new CountBody(session.Value, statement), NodeJson.Default.CountBody, NodeJson.Default.NodeDone, cancellation) is { Done: true };

    public async ValueTask HeldToAsync(SessionId session, StatementRefusal why, long count, CancellationToken cancellation) =>
        _ = await line.AskAsync("held-to", new HeldToBody(session.Value, why, count), NodeJson.Default.HeldToBody, NodeJson.Default.NodeDone, cancellation);

    public async ValueTask CutAtTargetAsync(SessionId session, string? backend, CancellationToken cancellation)
    {
        if (backend is not null)
        {
            _ = await line.AskAsync("cut", new CutBody(session.Value, backend), NodeJson.Default.CutBody, NodeJson.Default.NodeDone, cancellation, CutPatience);
        }
    }

    public async ValueTask EndedAsync(SessionId session, SessionEnd end, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                _ = await line.AskAsync("ended", new EndedBody(session.Value, end), NodeJson.Default.EndedBody, NodeJson.Default.NodeDone, cancellation);
                _sessions.TryRemove(session, out _);
                return;
            }
            catch (ControlException failed)
            {
                Log.EndPostponed(log, session, failed.Message);
                await Task.Delay(Backoff.After(attempt, LongestRetry, 0.5), time, cancellation);
            }
        }
    }

    /// <summary>Keeps the link, the beats and the watch over silence until the node stops.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(LinkAsync(stop), BeatAsync(stop), WatchAsync(stop));

    private static GateAnswer.Refused Unavailable { get; } = new(GateRefusal.Unavailable, "This gateway cannot ask its control plane right now, so it lets nobody in.", "Try again in a moment.");

    private double Up => time.GetElapsedTime(_started).TotalSeconds;

    private string[] Carried => [.. _sessions.Keys.Select(id => id.Value)];

    private async Task LinkAsync(CancellationToken stop)
    {
        for (var attempt = 1; !stop.IsCancellationRequested; attempt++)
        {
            try
            {
                using var answer = await line.LinkAsync(new LinkBody(_version, Up, door(), Carried), stop);
                attempt = 0;
                await ReadAsync(answer, stop);
                Log.ControlAway(log, line.Url, "it ended it");
            }
            catch (Exception failed) when (failed is ControlException or IOException or HttpRequestException or JsonException or TimeoutException)
            {
                Log.ControlAway(log, line.Url, failed.Message);
                if (failed is ControlException { IsFinal: true })
                {
                    _welcome.TrySetException(failed);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }

            await PauseAsync(Backoff.After(Math.Max(1, attempt), LongestRetry, 0.5), stop);
        }
    }

    private async Task ReadAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var body = await answer.Content.ReadAsStreamAsync(stop);
        using var lines = new StreamReader(body);
        while (true)
        {
            // A link that is silent for half the time is half open: a new one is tried before the sessions have to go.
            silence.CancelAfter(Blind / 2);
            string? text;
            try
            {
                text = await lines.ReadLineAsync(silence.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new TimeoutException("it is silent");
            }

            if (text is null)
            {
                return;
            }

            Take(JsonSerializer.Deserialize(text, NodeJson.Default.NodeLine)!, stop);
            Volatile.Write(ref _heard, time.GetTimestamp());
            _cutOff = false;
        }
    }

    private void Take(NodeLine said, CancellationToken stop)
    {
        switch (said)
        {
            case { Welcome: { } welcome }:
                Log.ControlBack(log, line.Url, welcome.Node);
                if ((welcome.Now - time.GetUtcNow()).Duration() is var skew && skew > MostSkew)
                {
                    Log.Skewed(log, skew.TotalSeconds);
                }

                _welcome.TrySetResult(welcome);
                break;
            case { Cut: { } cut }:
                Give(new SessionId(cut.Session), new SessionOrder.Cut(cut.Reason, cut.Sentence, cut.Hint));
                break;
            case { Extend: { } extend }:
                Give(new SessionId(extend.Session), new SessionOrder.Extend(extend.NotAfter));
                break;
            case { Fetch: { } fetch }:
                _ = SendPartAsync(fetch, stop);
                break;
            default:
                break;
        }
    }

    private void Give(SessionId id, SessionOrder order)
    {
        if (_sessions.TryGetValue(id, out var session))
        {
            session?.Give(order);
            return;
        }

        // NB. Kept first and looked for again: the admission's answer may be taken in on another thread right now.
        _early.AddOrUpdate(id, (order, time.GetTimestamp()), (_, before) => before.Order is SessionOrder.Cut ? before : (order, time.GetTimestamp()));
        if (_sessions.TryGetValue(id, out session) && _early.TryRemove(id, out var early))
        {
            session?.Give(early.Order);
        }
    }

    /// <summary>Says at once where clients knock, instead of at the next beat.</summary>
    public async Task TellDoorAsync(CancellationToken cancellation)
    {
        try
        {
            _ = await line.AskAsync("beat", new BeatBody(_version, Up, door(), Carried), NodeJson.Default.BeatBody, NodeJson.Default.NodeDone, cancellation);
        }
        catch (ControlException)
        {
            // The next beat says it.
        }
    }

    private async Task BeatAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await PauseAsync(BeatEvery, stop);
            foreach (var (id, early) in _early)
            {
                if (time.GetElapsedTime(early.At) > NodeGate.OnItsWay)
                {
                    _early.TryRemove(id, out _);
                }
            }

            try
            {
                _ = await line.AskAsync("beat", new BeatBody(_version, Up, door(), Carried), NodeJson.Default.BeatBody, NodeJson.Default.NodeDone, stop);
            }
            catch (Exception failed) when (failed is ControlException or OperationCanceledException)
            {
                // The link says whether the control plane is away.
            }
        }
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await PauseAsync(LookForSilence, stop);
            if (InTouch || _sessions.IsEmpty)
            {
                continue;
            }

            if (!_cutOff)
            {
                Log.CutOff(log, Blind, _sessions.Count);
                _cutOff = true;
            }

            foreach (var session in _sessions.Values)
            {
                session?.Give(new SessionOrder.Cut(SessionEndReason.Unchecked, $"This session was ended: this gateway heard nothing of its control plane for {Sentences.Span(Blind)}, so nobody could check that your access is still open.", "Connect again in a moment."));
            }
        }
    }

    private async Task SendPartAsync(FetchShape fetch, CancellationToken stop)
    {
        try
        {
            await Task.Yield();
            var root = Path.GetFullPath(recordings).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;
            var path = Path.GetFullPath(Path.Combine(root, fetch.File));

            // NB. The name comes from outside: it must not lead out of the folder, nor to anything but a recording.
            if (!path.StartsWith(root, StringComparison.Ordinal) || !path.EndsWith(".rec", StringComparison.Ordinal) || !File.Exists(path))
            {
                await line.SendPartAsync(fetch.Ticket, -1, ReadOnlyMemory<byte>.Empty, stop);
                return;
            }

            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            var length = file.Length;
            var bytes = new byte[Math.Clamp(length - fetch.Offset, 0, 1 << 20)];
            file.Position = Math.Min(fetch.Offset, length);
            var read = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, stop);
            await line.SendPartAsync(fetch.Ticket, length, bytes.AsMemory(0, read), stop);
        }
        catch (Exception failed) when (failed is ControlException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            Log.PartNotSent(log, fetch.File, failed.Message);
        }
    }

    private async Task PauseAsync(TimeSpan span, CancellationToken stop)
    {
        try
        {
            await Task.Delay(span, time, stop);
        }
        catch (OperationCanceledException)
        {
            // Stopping: who waits looks at its token next.
        }
    }
}
