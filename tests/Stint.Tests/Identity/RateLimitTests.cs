using Stint.Server.Identity;
using Xunit;

namespace Stint.Tests.Identity;

public sealed class RateLimitTests
{
    [Fact]
    public void Take_AMinutesAllowanceAtOnce_ThenEvenly()
    {
        var clock = new OddClock();
        var limit = new RateLimit<string>(60, clock);
        for (var i = 0; i < 60; i++)
        {
            Assert.Null(limit.Take("ann"));
        }

        var wait = limit.Take("ann");
        Assert.InRange(wait!.Value.TotalSeconds, 0.9, 1.1);
        Assert.Null(limit.Take("bob"));

        clock.Advance(TimeSpan.FromSeconds(1.01));
        Assert.Null(limit.Take("ann"));
        Assert.NotNull(limit.Take("ann"));
    }

    [Fact]
    public void Peek_CountsNothing()
    {
        var limit = new RateLimit<string>(1, new OddClock());
        Assert.Null(limit.Peek("ann"));
        Assert.Null(limit.Peek("ann"));
        Assert.Null(limit.Take("ann"));
        Assert.NotNull(limit.Peek("ann"));
    }

    [Fact]
    public async Task Take_ManyAtOnce_LetsThroughNoMoreThanAllowed()
    {
        var limit = new RateLimit<string>(100, new OddClock());
        var passed = 0;
        await Parallel.ForAsync(0, 400, (_, _) =>
        {
            if (limit.Take("ann") is null)
            {
                Interlocked.Increment(ref passed);
            }

            return ValueTask.CompletedTask;
        });
        Assert.Equal(100, passed);
    }

    /// <summary>A clock in hand whose ticks are not .NET's.</summary>
    private sealed class OddClock : TimeProvider
    {
        private long _ticks = 17;

        public override long TimestampFrequency => 7_654_321;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan span) => _ticks += (long)(span.TotalSeconds * TimestampFrequency);
    }
}
