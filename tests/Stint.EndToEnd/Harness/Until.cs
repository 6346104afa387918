using System.Diagnostics;

namespace Stint.EndToEnd.Harness;

/// <summary>Waits for something to become so.</summary>
public static class Until
{
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="within">How long at most.</param>
    /// <param name="look">Looks; null means not yet.</param>
    /// <exception cref="TimeoutException">It did not become so; the message holds <paramref name="what"/>.</exception>
    public static async Task<T> SeenAsync<T>(string what, TimeSpan within, Func<Task<T?>> look)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await look() is { } seen)
            {
                return seen;
            }

            if (watch.Elapsed > within)
            {
                throw new TimeoutException($"{what}: not within {within}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25));
        }
    }

    /// <inheritdoc cref="SeenAsync{T}"/>
    public static Task TrueAsync(string what, TimeSpan within, Func<Task<bool>> look) =>
        SeenAsync(what, within, async () => await look() ? "" : null);
}
