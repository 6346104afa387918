using Microsoft.Extensions.Logging;

namespace Stint.Server.Hosting;

/// <summary>The work that goes on beside the answers: each loop runs until the node stops.</summary>
/// <remarks>NB. The framework's background services end the host with exit code 0 when one of them throws. Here a loop that throws, or ends by itself, fails the node.</remarks>
internal sealed class Loops(NodeState state, ILogger<Loops> log)
{
    private readonly List<(string Name, Task Task)> _running = [];

    /// <summary>Starts a loop that ends when <paramref name="stop"/> is cancelled, and never before.</summary>
    public void Start(string name, Func<CancellationToken, Task> loop, CancellationToken stop) =>
        _running.Add((name, RunAsync(name, loop, stop)));

    /// <summary>Waits for every loop to end.</summary>
    public Task WhenAllEnded() => Task.WhenAll(_running.Select(one => one.Task));

    private async Task RunAsync(string name, Func<CancellationToken, Task> loop, CancellationToken stop)
    {
        try
        {
            await Task.Yield();
            await loop(stop);
            if (!stop.IsCancellationRequested)
            {
                log.LoopEnded(name);
                state.Fail();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to.
        }
#pragma warning disable CA1031 // Whatever a loop dies of, the node must not go on without it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            log.LoopBroke(e, name);
            state.Fail();
        }
    }
}
