using Microsoft.Extensions.Logging;
using Stint.Core.Sessions;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>What is done before this node answers anybody.</summary>
/// <remarks>After a crash: overdue access is ended first, in the store and, as far as they answer at once, at the targets; sessions that this node carried are put on record as lost.</remarks>
internal sealed class StartUp(
    StintStore store,
    Keeper keeper,
    SessionWatch watch,
    Audit.Checkpoints checkpoints,
    Installation installation,
    TimeProvider clock,
    ILogger<StartUp> log)
{
    /// <summary>How long a node may be silent before its sessions are taken for lost.</summary>
    public static readonly TimeSpan Silent = TimeSpan.FromSeconds(30);

    /// <exception cref="Audit.LogTamperedException">The log is not the one that this machine has signed heads of; nothing may be served on it.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await checkpoints.CheckWitnessAsync(cancellation);
        watch.Listen();
        var ended = await keeper.SweepAsync(cancellation);
        if (ended > 0)
        {
            Log.OverdueEnded(log, ended);
        }

        // NB. What an earlier process of this name was at when it died must not wait for its lease to run out: an account
        // that is to be removed would stand until then.
        await store.WriteAsync(async work => await work.ReleaseLeasesAsync(installation.Node), cancellation);

        // This process carries no session yet, whatever an earlier one of its name did.
        var lost = await EndLostAsync(installation.Node, cancellation);
        await EndSilentAsync(cancellation);
        if (lost > 0)
        {
            Log.SessionsLost(log, lost);
        }
    }

    /// <summary>Ends the sessions of other nodes that have been silent for too long, and takes those off the list. Every node does it from time to time.</summary>
    /// <returns>How many sessions were lost.</returns>
    /// <remarks>NB. A node that cannot reach the store cuts its own sessions after <see cref="SessionWatch.Blind"/>, which is well before others take it for dead.</remarks>
    public async Task<int> EndSilentAsync(CancellationToken cancellation)
    {
        var lost = 0;
        foreach (var node in await store.ReadAsync(async reads => await reads.NodesAsync(), cancellation))
        {
            if (node.Name != installation.Node && clock.Now() - node.SeenAt > Silent)
            {
                lost += await EndLostAsync(node.Name, cancellation);
                await store.WriteAsync(async work => await work.ForgetNodeAsync(node.Name), cancellation);
            }
        }

        if (lost > 0)
        {
            Log.SessionsLost(log, lost);
        }

        return lost;
    }

    /// <summary>Ends the live sessions of a node in the store: it died, and nobody will say goodbye for it.</summary>
    public async Task<int> EndLostAsync(string node, CancellationToken cancellation)
    {
        var lost = 0;
        for (; ; )
        {
            var page = await store.ReadAsync(async reads => await reads.SessionsAsync(new SessionFilter { Live = true, Node = node }, new Page(500)), cancellation);
            foreach (var session in page.Items)
            {
                var now = clock.Now();
                await SessionGate.EndAsync(
                    store,
                    session.Id,
                    new SessionEnd(SessionEndReason.NodeLost, $"the node {node} died; its recording ends where it ends", now, session.Recording, session.BytesFromClient, session.BytesToClient),
                    now,
                    cancellation);
                lost++;
            }

            if (page.Next is null)
            {
                return lost;
            }
        }
    }
}
