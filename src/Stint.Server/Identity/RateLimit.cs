using System.Collections.Concurrent;

namespace Stint.Server.Identity;

/// <summary>How often one key may come: a minute's allowance at once, then evenly (the generic cell rate algorithm, ITU-T I.371).</summary>
/// <typeparam name="TKey">What is counted by.</typeparam>
internal sealed class RateLimit<TKey>(int perMinute, TimeProvider time)
    where TKey : notnull
{
    /// <summary>Most keys remembered. Beyond it those that have nothing to remember are forgotten.</summary>
    private const int MostKeys = 100_000;

    private readonly ConcurrentDictionary<TKey, long> _emptyAt = new();
    private readonly long _cost = Math.Max(1, time.TimestampFrequency * 60 / perMinute);
    private readonly long _burst = time.TimestampFrequency * 60;

    /// <summary>Counts one, when there is room for it.</summary>
    /// <returns>How long to wait before the next try; null when this one may pass.</returns>
    public TimeSpan? Take(TKey key) => Look(key, count: true);

    /// <summary>Whether one would pass now; counts nothing.</summary>
    public TimeSpan? Peek(TKey key) => Look(key, count: false);

    private TimeSpan? Look(TKey key, bool count)
    {
        var now = time.GetTimestamp();
        while (true)
        {
            var known = _emptyAt.TryGetValue(key, out var emptyAt);
            var next = Math.Max(known ? emptyAt : now, now) + _cost;
            if (next - now > _burst)
            {
                return TimeSpan.FromSeconds((next - now - _burst) / (double)time.TimestampFrequency);
            }

            if (!count)
            {
                return null;
            }

            if (known ? _emptyAt.TryUpdate(key, next, emptyAt) : _emptyAt.TryAdd(key, next))
            {
                Forget(now);
                return null;
            }
        }
    }

    private void Forget(long now)
    {
        // NB. Count takes every lock of the dictionary, so it is looked at seldom.
        if ((now & 0x3FF) != 0 || _emptyAt.Count <= MostKeys)
        {
            return;
        }

        foreach (var (key, emptyAt) in _emptyAt)
        {
            if (emptyAt <= now)
            {
                _emptyAt.TryRemove(key, out _);
            }
        }
    }
}
