using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stint.Core.Grants;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Runs the keeper: one loop for ends, one for targets. Timers only wake; what is due stands in the store.</summary>
/// <remarks>NB. Neither loop can end by an exception: each round is caught, told, and followed by another.</remarks>
internal sealed class KeeperLoop(StintStore store, Keeper keeper, TimeProvider clock, KeeperOptions options, ILogger<KeeperLoop> log) : BackgroundService
{
    /// <summary>Longest sleep without a wake: bounds what a lost wake or a clock that was set costs.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    /// <summary>Due while it was looked for: at once, but never without a breath when another node holds the rows.</summary>
    private static readonly TimeSpan LeastTimed = TimeSpan.FromMilliseconds(1);

    /// <summary>Due and not ours: a target that has its share already, or another node's.</summary>
    private static readonly TimeSpan LeastWork = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(200);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Task.Run(() => SweepAsync(stoppingToken), CancellationToken.None), Task.Run(() => TargetsAsync(stoppingToken), CancellationToken.None));

    private async Task SweepAsync(CancellationToken cancellation)
    {
        using var waiter = store.Wakes.Listen(Wakes.Keeper);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await keeper.SweepAsync(cancellation);
                await SleepAsync(waiter, null, await keeper.NextTimedAsync(cancellation), LeastTimed, cancellation);
            }
            catch (Exception problem) when (!cancellation.IsCancellationRequested)
            {
                await FailedAsync(problem, cancellation);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task TargetsAsync(CancellationToken cancellation)
    {
        using var waiter = store.Wakes.Listen(Wakes.Keeper);
        var running = new HashSet<Task>();
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                running.RemoveWhere(task => task.IsCompleted);
                var leased = running.Count < options.Parallel ? await keeper.LeaseAsync(options.Parallel - running.Count, cancellation) : [];
                foreach (var assignment in leased)
                {
                    running.Add(Task.Run(() => WorkAsync(assignment, cancellation), CancellationToken.None));
                }

                if (leased.Count == 0)
                {
                    await SleepAsync(waiter, running.Count > 0 ? Task.WhenAny(running) : null, await keeper.NextWorkAsync(cancellation), LeastWork, cancellation);
                }
            }
            catch (Exception problem) when (!cancellation.IsCancellationRequested)
            {
                await FailedAsync(problem, cancellation);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        // What runs is finished or cut short by its own token; either way the next start goes on from the store.
        await Task.WhenAll(running);
    }

    private async Task WorkAsync(Assignment assignment, CancellationToken cancellation)
    {
        try
        {
            await keeper.WorkAsync(assignment, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
        catch (Exception problem)
        {
            Log.WorkFailed(log, problem, assignment.Id);
        }
    }

    /// <summary>Sleeps until something is due, something was committed, or a worker is free.</summary>
    private async Task SleepAsync(Wakes.Waiter waiter, Task? free, DateTimeOffset? due, TimeSpan least, CancellationToken cancellation)
    {
        var wait = due is { } at ? at - clock.GetUtcNow() : Longest;
        wait = wait > TimeSpan.Zero ? wait : least;

        using var over = new CancellationTokenSource(wait < Longest ? wait : Longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellation);
        try
        {
            var woken = waiter.WaitAsync(either.Token);
            await (free is null ? woken : await Task.WhenAny(woken, free));
            await either.CancelAsync();
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The time is over.
        }
    }

    private async Task FailedAsync(Exception problem, CancellationToken cancellation)
    {
        Log.LookFailed(log, problem, AfterFailure);
        try
        {
            await Task.Delay(AfterFailure, clock, cancellation);
        }
        catch (OperationCanceledException)
        {
            // Stopping: the loop looks at its token next.
        }
    }
}
