using Microsoft.Extensions.Logging;
using Stint.Core.Grants;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Makes every target equal to its open grants. Reads what is due from the store; holds nothing per grant in memory.</summary>
/// <remarks>
/// Two halves, so that a slow target never delays an end: <see cref="SweepAsync"/> does what time makes due, in the store
/// alone; <see cref="LeaseAsync"/> and <see cref="WorkAsync"/> change targets. <see cref="TickAsync"/> is both, one after
/// the other, for a start after a crash and for a simulation that wants to know what runs when.
/// </remarks>
internal sealed class Keeper(StintStore store, Sweeps sweeps, AssignmentWork work, Installation installation, TimeProvider clock, KeeperOptions options, ILogger<Keeper> log)
{
    private const int MostRounds = 10_000;

    /// <summary>Does everything that is due now, one thing after the other, and returns when the next thing is.</summary>
    /// <returns>When to come again at the latest; null when nothing will become due by itself.</returns>
    public async Task<DateTimeOffset?> TickAsync(CancellationToken cancellation)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var moved = await SweepAsync(cancellation);
            var leased = await LeaseAsync(1, cancellation);
            foreach (var assignment in leased)
            {
                await WorkAsync(assignment, cancellation);
            }

            if (moved == 0 && leased.Count == 0)
            {
                break;
            }
        }

        return await NextDueAsync(cancellation);
    }

    /// <summary>Ends, lapses and starts what is due now.</summary>
    /// <returns>How many moved; 0 costs one read.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellation) =>
        await NextTimedAsync(cancellation) <= clock.Now() ? await sweeps.RunAsync(cancellation) : 0;

    /// <summary>Takes due assignments for this node.</summary>
    public async Task<IReadOnlyList<Assignment>> LeaseAsync(int limit, CancellationToken cancellation)
    {
        // NB. Looked at before it is written: a node that finds nothing due must not stand in the writers' line.
        if (await NextWorkAsync(cancellation) is not { } due || due > clock.Now())
        {
            return [];
        }

        return await store.WriteAsync<IReadOnlyList<Assignment>>(
            async write => await write.LeaseDueAssignmentsAsync(installation.Node, clock.Now(), options.Lease, limit, options.PerTarget),
            cancellation);
    }

    /// <summary>Brings one leased assignment's target to what its grants want. Trouble at the target is data; trouble of the store leaves the lease to run out, and the next one goes on.</summary>
    public async Task WorkAsync(Assignment leased, CancellationToken cancellation)
    {
        try
        {
            await work.RunAsync(leased, cancellation);
        }
        catch (StoreUnavailableException problem)
        {
            Log.WorkPostponed(log, problem, leased.Id);
        }
    }

    /// <summary>When time alone makes something due next.</summary>
    public async Task<DateTimeOffset?> NextTimedAsync(CancellationToken cancellation) =>
        await store.ReadAsync(async reads => await reads.NextTimedAtAsync(), cancellation);

    /// <summary>When the next assignment can be leased.</summary>
    public async Task<DateTimeOffset?> NextWorkAsync(CancellationToken cancellation) =>
        await store.ReadAsync(async reads => await reads.NextWorkAtAsync(), cancellation);

    private async Task<DateTimeOffset?> NextDueAsync(CancellationToken cancellation) =>
        await store.ReadAsync(async reads => await reads.NextDueAtAsync(), cancellation);
}
