namespace Stint.Server.Grants;

/// <summary>How long to wait before a failed verb is tried again. It never says "give up".</summary>
internal static class Backoff
{
    /// <summary>Longest wait before a removal is tried again.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Longest wait before an opening is tried again: somebody waits for it.</summary>
    public static readonly TimeSpan LongestOpening = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);

    /// <summary>Full jitter: anywhere between nothing and a bound that doubles from one second.</summary>
    /// <param name="attempts">Failures in a row, at least one.</param>
    /// <param name="longest">Where the doubling ends.</param>
    /// <param name="fraction">A random number in [0, 1).</param>
    public static TimeSpan After(int attempts, TimeSpan longest, double fraction)
    {
        var bound = Math.Min(longest.TotalSeconds, Math.Pow(2, Math.Clamp(attempts - 1, 0, 30)));
        var wait = TimeSpan.FromSeconds(bound * fraction);
        return wait < Least ? Least : wait;
    }
}
