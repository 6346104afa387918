namespace Stint.Simulation;

/// <summary>All the luck of one run, from one seed: the same seed is the same run.</summary>
/// <remarks>SplitMix64, because a library's generator may change its sequence between versions and a seed must replay for years.</remarks>
internal sealed class Chance(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A whole number from 0 to below <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)(Next() % (ulong)bound);

    /// <summary>True in so many of a thousand.</summary>
    public bool PerMille(int share) => Below(1000) < share;

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        least + new TimeSpan((long)(Next() % (ulong)Math.Max(1, (most - least).Ticks)) / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond);

    public void Fill(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)Next();
        }
    }
}
