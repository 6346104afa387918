using Stint.Server.Store;

namespace Stint.Server;

/// <summary>Long polls: look, and look again when the store says that something changed.</summary>
internal static class Waiting
{
    /// <summary>Reads until the answer is what the caller waits for, or the time is over.</summary>
    /// <returns>The last answer.</returns>
    public static async Task<T> ForAsync<T>(
        StintStore store,
        string name,
        Func<CancellationToken, Task<T>> read,
        Func<T, bool> enough,
        TimeSpan wait,
        TimeProvider clock,
        CancellationToken cancellation)
    {
        // Listen first, then read: what is committed in between wakes.
        using var waiter = store.Wakes.Listen(name);
        using var over = new CancellationTokenSource(wait < TimeSpan.Zero ? TimeSpan.Zero : wait, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellation);
        for (; ; )
        {
            var answer = await read(cancellation);
            if (enough(answer) || over.IsCancellationRequested)
            {
                return answer;
            }

            try
            {
                await waiter.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return await read(cancellation);
            }
        }
    }
}
