namespace Stint.Simulation;

/// <summary>A clock in the hand of the run, and the one thread on which everything of a node happens.</summary>
/// <remarks>
/// What a node awaits continues in the order in which it was posted; when nothing is left to do and something is still
/// awaited, the clock jumps to the next timer. So a run is the same each time, and years pass in seconds.
/// </remarks>
internal sealed class SimulatedTime(DateTimeOffset start) : TimeProvider
{
    private readonly PriorityQueue<Alarm, (DateTimeOffset At, long Order)> _alarms = new();
    private readonly Pump _pump = new();
    private DateTimeOffset _now = start;
    private long _order;

    public DateTimeOffset Start { get; } = start;

    // An odd frequency catches arithmetic that takes ticks for time.
    public override long TimestampFrequency => 10_000_007;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => (long)((_now - Start).TotalSeconds * TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        return alarm;
    }

    /// <summary>Lets time pass with nobody looking.</summary>
    public void Pass(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        _now += time;
    }

    /// <summary>Forgets every timer: their process died.</summary>
    public void Forget()
    {
        _alarms.Clear();
        _pump.Forget();
    }

    /// <summary>Runs something to its end on this thread.</summary>
    public T Run<T>(Func<Task<T>> work)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_pump);
        try
        {
            var task = work();
            while (!task.IsCompleted)
            {
                if (_pump.RunOne())
                {
                    continue;
                }

                if (!_alarms.TryDequeue(out var alarm, out var at))
                {
                    // Something went to another thread, which a run must not do often; it comes back to this one.
                    if (!_pump.WaitForOne(TimeSpan.FromSeconds(20)))
                    {
                        throw new TimeoutException("The node waits for something that will never come.");
                    }

                    continue;
                }

                if (alarm.Rings(at.At))
                {
                    _now = at.At > _now ? at.At : _now;
                    alarm.Ring();
                }
            }

            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    public void Run(Func<Task> work) => Run(async () =>
    {
        await work();
        return true;
    });

    private sealed class Alarm(SimulatedTime time, Action ring) : ITimer
    {
        private DateTimeOffset? _due;

        public bool Rings(DateTimeOffset at) => _due == at;

        public void Ring()
        {
            _due = null;
            ring();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
            if (_due is { } due)
            {
                time._alarms.Enqueue(this, (due, time._order++));
            }

            return true;
        }

        public void Dispose() => _due = null;

        public ValueTask DisposeAsync()
        {
            _due = null;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Pump : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Call, object? State)> _queue = new();
        private readonly object _lock = new();

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_lock)
            {
                _queue.Enqueue((d, state));
                Monitor.Pulse(_lock);
            }
        }

        public override void Send(SendOrPostCallback d, object? state) => d(state);

        public bool RunOne()
        {
            (SendOrPostCallback Call, object? State) next;
            lock (_lock)
            {
                if (!_queue.TryDequeue(out next))
                {
                    return false;
                }
            }

            next.Call(next.State);
            return true;
        }

        public bool WaitForOne(TimeSpan most)
        {
            lock (_lock)
            {
                return _queue.Count > 0 || Monitor.Wait(_lock, most);
            }
        }

        public void Forget()
        {
            lock (_lock)
            {
                _queue.Clear();
            }
        }
    }
}
