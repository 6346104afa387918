using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Holds this node's sessions against their grants: at every wake, and every few seconds in case a wake was lost.</summary>
/// <remarks>
/// A node that cannot read the store knows nothing of revokes. After ten seconds of that its sessions are cut: what cannot
/// be checked is a no. A clock of its own watches over that, because a look at a store that hangs takes its time.
/// </remarks>
internal sealed class SessionWatch(StintStore store, SessionOrders orders, LiveSessions live, Installation installation, TimeProvider clock, ILogger<SessionWatch> log) : BackgroundService
{
    /// <summary>How often every live session is looked at without a wake.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <summary>How long the store may be away before the sessions here are cut.</summary>
    public static readonly TimeSpan Blind = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookForBlindness = TimeSpan.FromMilliseconds(250);

    private readonly Channel<Due> _due = Channel.CreateUnbounded<Due>(new UnboundedChannelOptions { SingleReader = true });
    private long _sawStore;
    private bool _cutOff;

    /// <summary>Listens to the store's wakes; called once, before anybody is let in.</summary>
    public void Listen()
    {
        Volatile.Write(ref _sawStore, clock.GetTimestamp());
        store.Wakes.On("sessions:", name =>
        {
            if (name == "sessions:*")
            {
                _due.Writer.TryWrite(new Due(null, All: true));
            }
            else if (new AssignmentId(name["sessions:".Length..]) is var assignment && live.Has(assignment))
            {
                _due.Writer.TryWrite(new Due(assignment));
            }
        });
        store.Wakes.On(KillSession.KilledPrefix, name =>
        {
            if (live.Find(new SessionId(name[KillSession.KilledPrefix.Length..])) is not null)
            {
                _due.Writer.TryWrite(new Due(null));
            }
        });
    }

    /// <summary>Looks at every assignment that has sessions here. Never throws; cuts everything when the store was away for too long.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        using var bound = new CancellationTokenSource(Every + Every, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellation);
        var began = clock.GetTimestamp();
        try
        {
            foreach (var assignment in live.Assignments)
            {
                await orders.ReconcileAsync(assignment, either.Token);
            }

            await CutKilledAsync(either.Token);

            // NB. What was read is as old as the beginning of the look.
            Volatile.Write(ref _sawStore, began);
            _cutOff = false;
        }
        catch (Exception problem) when (!cancellation.IsCancellationRequested)
        {
            Log.WatchFailed(log, problem);
            CutWhenBlind();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(LookAgainAsync(stoppingToken), WatchStoreAsync(stoppingToken));

    private async Task WatchStoreAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookForBlindness, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                CutWhenBlind();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops; its gateway ends what is left.
        }
    }

    private void CutWhenBlind()
    {
        if (live.Count == 0 || clock.GetElapsedTime(Volatile.Read(ref _sawStore)) < Blind)
        {
            return;
        }

        if (!_cutOff)
        {
            Log.CutOff(log, Blind, live.Count);
            _cutOff = true;
        }

        live.GiveAll(new SessionOrder.Cut(SessionEndReason.Unchecked, $"This session was ended: Stint's store did not answer for {Sentences.Span(Blind)}, so nobody could check that your access is still open.", "Connect again in a moment."));
    }

    private async Task LookAgainAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var pause = new CancellationTokenSource(Every, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(pause.Token, stoppingToken);
            try
            {
                while (await _due.Reader.WaitToReadAsync(either.Token))
                {
                    await DrainAsync(stoppingToken);
                }
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                await LookAsync(stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception problem)
            {
                Log.WatchFailed(log, problem);
                await LookAsync(stoppingToken);
            }
        }
    }

    private async Task DrainAsync(CancellationToken cancellation)
    {
        // NB. Taken out first, read afterwards: a wake that comes while its assignment is being read is a new one, and
        // must not pass for a repetition of the one before.
        var (due, all, kills) = (new HashSet<AssignmentId>(), false, false);
        while (_due.Reader.TryRead(out var look))
        {
            all |= look.All;
            kills |= look.Assignment is null;
            if (look.Assignment is { } one)
            {
                due.Add(one);
            }
        }

        if (all)
        {
            await LookAsync(cancellation);
            return;
        }

        foreach (var assignment in due)
        {
            await orders.ReconcileAsync(assignment, cancellation);
        }

        if (kills)
        {
            await CutKilledAsync(cancellation);
        }
    }

    private async Task CutKilledAsync(CancellationToken cancellation)
    {
        if (live.Count == 0)
        {
            return;
        }

        foreach (var node in live.Guests.Append(installation.Node))
        {
            foreach (var killed in await store.ReadAsync(async reads => await reads.KilledSessionsAsync(node), cancellation))
            {
                KillSession.Cut(live, killed);
            }
        }
    }

    /// <summary>What is to be looked at: one assignment, or every session that is to be killed, or everything.</summary>
    private readonly record struct Due(AssignmentId? Assignment, bool All = false);
}
