namespace Stint.Gateway;

/// <summary>The machine's clock, except that it is never set back, and never stands still.</summary>
/// <remarks>
/// Between two looks at it at least as much time passes as on the clock that only goes forward. A wall clock that is set
/// back, stopped or slowed is not followed; one that is set forward is, at once: what is not known for sure may end
/// access earlier, and never later. Timers and timestamps are the inner provider's own.
/// </remarks>
public sealed class SteadyTime : TimeProvider
{
    /// <summary>How far the wall clock may be ahead before it is followed: two reads of two clocks are never quite at once.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMicroseconds(100);

    private readonly TimeProvider _inner;
    private Anchor _anchor;

    /// <param name="inner">Both clocks; null for the machine's.</param>
    public SteadyTime(TimeProvider? inner = null)
    {
        _inner = inner ?? System;
        _anchor = new Anchor(_inner.GetUtcNow(), _inner.GetTimestamp());
    }

    /// <summary>Whether these are the machine's own clocks.</summary>
    public bool IsMachines => _inner == System;

    /// <summary>How far this clock is ahead of the wall clock, because that was set back, stopped or slowed; about zero when it was not.</summary>
    public TimeSpan Ahead => GetUtcNow() - _inner.GetUtcNow();

    /// <inheritdoc/>
    public override long TimestampFrequency => _inner.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => _inner.LocalTimeZone;

    /// <inheritdoc/>
    public override long GetTimestamp() => _inner.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _inner.CreateTimer(callback, state, dueTime, period);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        while (true)
        {
            var anchor = Volatile.Read(ref _anchor);

            // NB. The wall clock first: whoever is kept waiting between the two must not take the wait for a clock set forward.
            var wall = _inner.GetUtcNow();
            var stamp = _inner.GetTimestamp();
            var steady = anchor.At + _inner.GetElapsedTime(anchor.Stamp, stamp);
            if (wall - steady <= Slack)
            {
                return steady;
            }

            if (Interlocked.CompareExchange(ref _anchor, new Anchor(wall, stamp), anchor) == anchor)
            {
                return wall;
            }
        }
    }

    /// <summary>Goes forward to a moment that is known to have been; nothing happens when it is past.</summary>
    public void NotBefore(DateTimeOffset known)
    {
        while (true)
        {
            var anchor = Volatile.Read(ref _anchor);
            var stamp = _inner.GetTimestamp();
            if (known <= anchor.At + _inner.GetElapsedTime(anchor.Stamp, stamp) || Interlocked.CompareExchange(ref _anchor, new Anchor(known, stamp), anchor) == anchor)
            {
                return;
            }
        }
    }

    private sealed record Anchor(DateTimeOffset At, long Stamp);
}
