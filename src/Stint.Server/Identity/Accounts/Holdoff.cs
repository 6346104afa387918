using System.Collections.Concurrent;

namespace Stint.Server.Identity.Accounts;

/// <summary>How long whoever fails again and again waits: longer and longer, and never for ever.</summary>
internal static class Waits
{
    /// <summary>Longest wait.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    /// <summary>After how long without a try all is forgotten.</summary>
    public static readonly TimeSpan Remembered = 2 * Longest;

    /// <summary>The wait that a try costs: after some free ones a second, then twice as long each time.</summary>
    /// <param name="count">How many tries it is.</param>
    /// <param name="free">Tries that cost no waiting.</param>
    public static TimeSpan After(int count, int free) => count <= free ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, Math.Min(count - free - 1, 20))));
}

/// <summary>Counts tries on this node, and has them wait as <see cref="Waits"/> says.</summary>
/// <typeparam name="TKey">What is counted by.</typeparam>
/// <param name="free">Tries that cost no waiting.</param>
/// <param name="time">The clock.</param>
internal sealed class Holdoff<TKey>(int free, TimeProvider time)
    where TKey : notnull
{
    /// <summary>Longest wait; after as long again without a try all is forgotten.</summary>
    public static readonly TimeSpan Longest = Waits.Longest;

    private const int MostKeys = 100_000;

    private readonly ConcurrentDictionary<TKey, Tries> _known = new();

    /// <summary>Counts a try before it is looked at, so that many at once are many.</summary>
    /// <returns>False when it has to wait: it must not be looked at, and does not count.</returns>
    public bool Begin(TKey key)
    {
        var now = time.GetTimestamp();
        while (true)
        {
            var known = _known.TryGetValue(key, out var tries);
            if (known && tries.Until > now)
            {
                return false;
            }

            var count = known && time.GetElapsedTime(tries.At, now) < Waits.Remembered ? tries.Count + 1 : 1;
            var next = new Tries(count, now, now + (long)(Waits.After(count, free).TotalSeconds * time.TimestampFrequency));
            if (known ? _known.TryUpdate(key, next, tries) : _known.TryAdd(key, next))
            {
                Forget(now);
                return true;
            }
        }
    }

    /// <summary>It was right: nothing is held against the key any more.</summary>
    public void Succeeded(TKey key) => _known.TryRemove(key, out _);

    private void Forget(long now)
    {
        // NB. Count takes every lock of the dictionary, so it is looked at seldom.
        if ((now & 0x3FF) != 0 || _known.Count <= MostKeys)
        {
            return;
        }

        foreach (var (key, tries) in _known)
        {
            if (tries.Until <= now)
            {
                _known.TryRemove(key, out _);
            }
        }
    }

    private readonly record struct Tries(int Count, long At, long Until);
}
