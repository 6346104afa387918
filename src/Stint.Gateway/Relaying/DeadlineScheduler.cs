namespace Stint.Gateway.Relaying;

/// <summary>Calls each session at its deadline. One timer for all.</summary>
/// <remarks>
/// A deadline is a moment of the wall clock. It is also counted down on the clock that only ever goes forward, from when
/// it was set: whichever says first that it is reached holds, so that a wall clock set back gives nobody more time, and a
/// machine that slept finds its deadlines passed. The timer never sleeps longer than <see cref="LongestSleep"/>.
/// </remarks>
internal sealed class DeadlineScheduler : IDisposable
{
    /// <summary>How late a jump of the wall clock may be noticed.</summary>
    public static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Drift = TimeSpan.FromMilliseconds(2);

    private readonly TimeProvider _time;
    private readonly Action<Exception>? _broken;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Entry, long> _queue = new();
    private readonly ITimer _timer;
    private TimeSpan _offset;
    private long _timerDue = long.MaxValue;
    private bool _disposed;
    private int _stale;

    /// <param name="time">Both clocks.</param>
    /// <param name="broken">Told of what a callback threw; null for nobody.</param>
    public DeadlineScheduler(TimeProvider time, Action<Exception>? broken = null)
    {
        _time = time;
        _broken = broken;
        _offset = Offset();
        _timer = time == TimeProvider.System || time is SteadyTime { IsMachines: true }
            ? new ThreadTimer(Tick, LongestSleep, LongestSleep)
            : time.CreateTimer(_ => Tick(), null, LongestSleep, LongestSleep);
    }

    /// <summary>Registers; the callback comes once, on the timer's own thread. It must be quick and never throw: who is due at the same moment waits for it.</summary>
    public Entry Add(DateTimeOffset notAfter, Action reached)
    {
        var entry = new Entry(reached);
        lock (_lock)
        {
            Set(entry, notAfter);
        }

        return entry;
    }

    /// <summary>Another deadline for the same session. None once it was reached.</summary>
    public void Move(Entry entry, DateTimeOffset notAfter)
    {
        lock (_lock)
        {
            if (!entry.Over)
            {
                Set(entry, notAfter);
            }
        }
    }

    /// <summary>The session is over; the callback comes no more.</summary>
    public void Remove(Entry entry)
    {
        lock (_lock)
        {
            entry.Over = true;
            _stale++;

            // Taking one out of the middle is a walk through all: they are taken out together.
            if (_stale > 64 && _stale > _queue.Count / 2)
            {
                Requeue();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        _timer.Dispose();
    }

    private void Set(Entry entry, DateTimeOffset notAfter)
    {
        entry.NotAfter = notAfter;
        entry.Monotonic = Stamp(notAfter - _time.GetUtcNow());
        _queue.Remove(entry, out _, out _);
        _queue.Enqueue(entry, entry.Monotonic);
        Arm();
    }

    private void Tick()
    {
        List<Entry>? due = null;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _timerDue = long.MaxValue;
            var offset = Offset();
            if ((offset - _offset).Duration() > Drift)
            {
                _offset = offset;
                Requeue();
            }

            var now = _time.GetTimestamp();
            while (_queue.TryPeek(out var entry, out var at) && at <= now)
            {
                _queue.Dequeue();
                if (entry.Over)
                {
                    _stale--;
                    continue;
                }

                entry.Over = true;
                (due ??= []).Add(entry);
            }

            Arm();
        }

        foreach (var entry in due ?? [])
        {
            // NB. Not by way of the pool: on it, what follows the end of the first comes before the end of the last.
            try
            {
                entry.Reached();
            }
            catch (Exception unforeseen)
            {
                // NB. What one session makes of its end must not keep the others from theirs, nor end the process: this
                // thread is nobody else's. The session watch ends what is still there.
                _broken?.Invoke(unforeseen);
            }
        }
    }

    // The wall clock moved against the other one: every deadline is looked at anew, and only ever comes nearer.
    private void Requeue()
    {
        var now = _time.GetUtcNow();
        var entries = _queue.UnorderedItems.Select(item => item.Element).Where(entry => !entry.Over).ToList();
        _queue.Clear();
        _stale = 0;
        foreach (var entry in entries)
        {
            entry.Effective = Math.Min(entry.Monotonic, Stamp(entry.NotAfter - now));
            _queue.Enqueue(entry, entry.Effective);
        }
    }

    private void Arm()
    {
        if (_disposed)
        {
            return;
        }

        var sleep = LongestSleep;
        if (_queue.TryPeek(out _, out var at))
        {
            var left = _time.GetElapsedTime(_time.GetTimestamp(), at);
            sleep = left < sleep ? left : sleep;
            if (at >= _timerDue && _timerDue != long.MaxValue)
            {
                return;
            }

            _timerDue = sleep < LongestSleep ? at : long.MaxValue;
        }

        // A timer counts whole milliseconds and never fires early: what is left of one is waited for in full.
        var wait = TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(sleep.TotalMilliseconds)));
        _timer.Change(wait, LongestSleep);
    }

    private long Stamp(TimeSpan left) =>
        _time.GetTimestamp() + (long)Math.Clamp(left.TotalSeconds * _time.TimestampFrequency, -1e18, 1e18);

    private TimeSpan Offset() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch) - _time.GetElapsedTime(0);

    /// <summary>One session's place in the queue.</summary>
    internal sealed class Entry(Action reached)
    {
        public Action Reached { get; } = reached;

        public DateTimeOffset NotAfter { get; set; }

        public long Monotonic { get; set; }

        public long Effective { get; set; }

        public bool Over { get; set; }
    }
}
