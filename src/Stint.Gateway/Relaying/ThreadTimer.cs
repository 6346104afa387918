namespace Stint.Gateway.Relaying;

/// <summary>A timer with a thread of its own, for what may not wait until the pool has one to spare.</summary>
/// <remarks>
/// The runtime's timers fire on the pool. A pool whose threads wait for a disk gets a new one twice a second at best, and
/// an access that is over would go on for that long.
/// </remarks>
internal sealed class ThreadTimer : ITimer
{
    private readonly object _lock = new();
    private readonly Action _fire;
    private long _due;
    private TimeSpan _period;
    private bool _disposed;

    /// <param name="fire">Called on the timer's thread; must not throw.</param>
    /// <param name="dueTime">Until the first call.</param>
    /// <param name="period">Between calls.</param>
    public ThreadTimer(Action fire, TimeSpan dueTime, TimeSpan period)
    {
        _fire = fire;
        Set(dueTime, period);
        new Thread(Run) { IsBackground = true, Name = "deadlines" }.Start();
    }

    /// <inheritdoc/>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        lock (_lock)
        {
            Set(dueTime, period);
            Monitor.Pulse(_lock);
            return !_disposed;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            Monitor.Pulse(_lock);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Set(TimeSpan dueTime, TimeSpan period)
    {
        _due = TimeProvider.System.GetTimestamp() + (long)(dueTime.TotalSeconds * TimeProvider.System.TimestampFrequency);
        _period = period;
    }

    private void Run()
    {
        while (Wait())
        {
            _fire();
        }
    }

    // False once it is disposed.
    private bool Wait()
    {
        lock (_lock)
        {
            while (!_disposed)
            {
                var left = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), _due);
                if (left <= TimeSpan.Zero)
                {
                    Set(_period, _period);
                    return true;
                }

                // Whole milliseconds, and never early: what is left of one is waited for in full.
                Monitor.Wait(_lock, (int)Math.Min(int.MaxValue, Math.Ceiling(left.TotalMilliseconds)));
            }

            return false;
        }
    }
}
