using Stint.Gateway.Relaying;
using Xunit;

namespace Stint.Tests.Gateway;

public sealed class DeadlineSchedulerTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task Deadlines_AreReachedInTheirOrder_AndNotBefore()
    {
        var clock = new HandClock();
        using var deadlines = new DeadlineScheduler(clock);
        var reached = new System.Collections.Concurrent.ConcurrentQueue<int>();
        deadlines.Add(clock.GetUtcNow().AddSeconds(20), () => reached.Enqueue(20));
        deadlines.Add(clock.GetUtcNow().AddSeconds(10), () => reached.Enqueue(10));

        clock.Pass(TimeSpan.FromSeconds(10) - Grace);
        await Task.Delay(50);
        Assert.Empty(reached);
        clock.Pass(Grace + Grace);
        await UntilAsync(() => reached.Count == 1);
        clock.Pass(TimeSpan.FromSeconds(10));
        await UntilAsync(() => reached.Count == 2);
        Assert.Equal([10, 20], reached);
    }

    [Fact]
    public async Task WallClockSetBack_GivesNoMoreTime()
    {
        var clock = new HandClock();
        using var deadlines = new DeadlineScheduler(clock);
        var reached = 0;
        deadlines.Add(clock.GetUtcNow().AddMinutes(1), () => Interlocked.Increment(ref reached));

        clock.SetWall(TimeSpan.FromHours(-1));
        clock.Pass(TimeSpan.FromMinutes(1) + Grace);

        await UntilAsync(() => reached == 1);
    }

    [Fact]
    public async Task WallClockSetForward_EndsWithinASecond()
    {
        var clock = new HandClock();
        using var deadlines = new DeadlineScheduler(clock);
        var reached = 0;
        deadlines.Add(clock.GetUtcNow().AddMinutes(1), () => Interlocked.Increment(ref reached));

        clock.SetWall(TimeSpan.FromHours(1));
        clock.Pass(TimeSpan.FromSeconds(1));

        await UntilAsync(() => reached == 1);
    }

    [Fact]
    public async Task Removed_IsNeverReached_AndMovedOnlyAtItsNewMoment()
    {
        var clock = new HandClock();
        using var deadlines = new DeadlineScheduler(clock);
        var reached = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var entries = Enumerable.Range(0, 500).Select(_ => deadlines.Add(clock.GetUtcNow().AddSeconds(5), () => reached.Enqueue("removed"))).ToList();
        var moved = deadlines.Add(clock.GetUtcNow().AddSeconds(5), () => reached.Enqueue("moved"));

        entries.ForEach(deadlines.Remove);
        deadlines.Move(moved, clock.GetUtcNow().AddSeconds(8));
        clock.Pass(TimeSpan.FromSeconds(7));
        await Task.Delay(50);
        Assert.Empty(reached);
        clock.Pass(TimeSpan.FromSeconds(2));
        await UntilAsync(() => !reached.IsEmpty);

        Assert.Equal(["moved"], reached);
    }

    [Fact]
    public async Task Callback_ThrowsWhatNobodyForesaw_TheOthersAreReachedAllTheSame_AndItIsTold()
    {
        var clock = new HandClock();
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var deadlines = new DeadlineScheduler(clock, broken => told.Enqueue(broken.Message));
        var reached = 0;
        deadlines.Add(clock.GetUtcNow().AddSeconds(5), () => throw new NotSupportedException("nobody foresaw this"));
        deadlines.Add(clock.GetUtcNow().AddSeconds(5), () => Interlocked.Increment(ref reached));
        deadlines.Add(clock.GetUtcNow().AddSeconds(9), () => Interlocked.Increment(ref reached));

        clock.Pass(TimeSpan.FromSeconds(6));
        await UntilAsync(() => reached == 1);
        clock.Pass(TimeSpan.FromSeconds(4));
        await UntilAsync(() => reached == 2);

        Assert.Equal(["nobody foresaw this"], told);
    }

    private static async Task UntilAsync(Func<bool> met)
    {
        for (var round = 0; round < 500 && !met(); round++)
        {
            await Task.Delay(10);
        }

        Assert.True(met());
    }

    /// <summary>Time in hand: the wall clock and the one that only goes forward move apart as told. Its ticks are of an odd length.</summary>
    private sealed class HandClock : TimeProvider
    {
        private readonly List<HandTimer> _timers = [];
        private TimeSpan _passed;
        private TimeSpan _wall;

        public override long TimestampFrequency => 9_999_991;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(56) + _passed + _wall;

        public override long GetTimestamp() => (long)(_passed.TotalSeconds * TimestampFrequency);

        public void SetWall(TimeSpan by) => _wall += by;

        public void Pass(TimeSpan time)
        {
            var end = _passed + time;
            while (_timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due) is { } next)
            {
                _passed = next.Due > _passed ? next.Due : _passed;
                next.Fire();
            }

            _passed = end;
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new HandTimer(this, callback, state);
            timer.Change(dueTime, period);
            _timers.Add(timer);
            return timer;
        }

        private sealed class HandTimer(HandClock clock, TimerCallback callback, object? state) : ITimer
        {
            private TimeSpan _period;

            public TimeSpan Due { get; private set; }

            public void Fire()
            {
                Due = clock._passed + _period;
                callback(state);
            }

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                Due = clock._passed + (dueTime > TimeSpan.Zero ? dueTime : TimeSpan.FromTicks(1));
                _period = period;
                return true;
            }

            public void Dispose() => clock._timers.Remove(this);

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
