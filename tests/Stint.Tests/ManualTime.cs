namespace Stint.Tests;

/// <summary>A clock that stands until it is told to go on; then its timers fire in their order.</summary>
internal sealed class ManualTime(DateTimeOffset start) : TimeProvider
{
    // An odd frequency catches whoever takes timestamps for ticks.
    private const long Frequency = 7_777_777;

    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = start;

    public override long TimestampFrequency => Frequency;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => (long)((GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds * Frequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state), period);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Goes on, and fires what becomes due on the way.</summary>
    public void Advance(TimeSpan by) => Set(GetUtcNow() + by);

    /// <summary>Goes on, or back, to a moment.</summary>
    public void Set(DateTimeOffset to)
    {
        for (; ; )
        {
            Timer? next;
            lock (_lock)
            {
                next = _timers.Where(timer => timer.DueAt <= to).MinBy(timer => timer.DueAt);
                if (next is null)
                {
                    _now = to;
                    return;
                }

                _now = next.DueAt > _now ? next.DueAt : _now;
                next.Next();
            }

            next.Fire();
        }
    }

    private sealed class Timer(ManualTime time, Action fire, TimeSpan period) : ITimer
    {
        private TimeSpan _period = period;

        public DateTimeOffset DueAt { get; private set; } = DateTimeOffset.MaxValue;

        public Action Fire => fire;

        public bool Change(TimeSpan dueTime, TimeSpan every)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                _period = every;
                if (dueTime >= TimeSpan.Zero)
                {
                    DueAt = time._now + dueTime;
                    time._timers.Add(this);
                }
            }

            return true;
        }

        public void Next()
        {
            if (_period > TimeSpan.Zero)
            {
                DueAt += _period;
            }
            else
            {
                time._timers.Remove(this);
            }
        }

        public void Dispose()
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
