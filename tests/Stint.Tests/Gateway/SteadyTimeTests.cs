using Stint.Gateway;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A clock that is never set back, over two clocks in hand.</summary>
public sealed class SteadyTimeTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly TwoClocks _clocks = new();
    private readonly SteadyTime _time;
    private readonly DateTimeOffset _start;

    public SteadyTimeTests()
    {
        _time = new SteadyTime(_clocks);
        _start = _clocks.Wall;
    }

    [Fact]
    public void LeftAlone_ItIsTheWallClock()
    {
        for (var i = 0; i < 100; i++)
        {
            _clocks.Pass(TimeSpan.FromMilliseconds(137.7));
            Assert.Equal(_clocks.Wall, _time.GetUtcNow(), TimeSpan.FromMicroseconds(101));
        }
    }

    [Fact]
    public void SetBack_ItGoesOnFromWhereItWas()
    {
        _clocks.Pass(Second);
        _clocks.Wall -= Hour;
        Assert.Equal(_start + Second, _time.GetUtcNow(), TimeSpan.FromMicroseconds(1));
        _clocks.Pass(10 * Second);
        Assert.Equal(_start + (11 * Second), _time.GetUtcNow(), TimeSpan.FromMicroseconds(1));
        Assert.InRange(_time.Ahead - Hour, -TimeSpan.FromMicroseconds(1), TimeSpan.FromMicroseconds(1));

        // Set right again, both agree.
        _clocks.Wall += Hour;
        Assert.Equal(_clocks.Wall, _time.GetUtcNow(), TimeSpan.FromMicroseconds(101));
        Assert.InRange(_time.Ahead, -TimeSpan.FromMicroseconds(101), TimeSpan.FromMicroseconds(101));
    }

    [Fact]
    public void SetForward_ItFollowsAtOnce_AndStaysWhenThatIsTakenBack()
    {
        _clocks.Wall += Hour;
        Assert.Equal(_start + Hour, _time.GetUtcNow());
        _clocks.Wall -= Hour;
        _clocks.Pass(Second);
        Assert.Equal(_start + Hour + Second, _time.GetUtcNow(), TimeSpan.FromMicroseconds(1));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(0.5, 10)]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    public void Slewed_ItIsNeverSlowerThanTimePasses(double rate, double expected)
    {
        for (var i = 0; i < 1_000; i++)
        {
            _clocks.Pass(TimeSpan.FromMilliseconds(10), rate);
            _time.GetUtcNow();
        }

        Assert.Equal(_start.AddSeconds(expected), _time.GetUtcNow(), TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void WhateverTheWallClockDoes_ItOnlyGoesForward()
    {
        var random = new Random(7);
        var before = _time.GetUtcNow();
        for (var i = 0; i < 10_000; i++)
        {
            var passed = TimeSpan.FromMilliseconds(random.Next(0, 50));
            _clocks.Pass(passed, random.Next(0, 3));
            _clocks.Wall += TimeSpan.FromMilliseconds(random.Next(-5_000, 2_000));
            var now = _time.GetUtcNow();
            Assert.True(now - before >= passed - TimeSpan.FromMicroseconds(1));
            Assert.True(now >= _clocks.Wall - TimeSpan.FromMicroseconds(100));
            before = now;
        }
    }

    [Fact]
    public void NotBefore_AMomentThatHasBeen()
    {
        _time.NotBefore(_start + Hour);
        Assert.Equal(_start + Hour, _time.GetUtcNow(), TimeSpan.FromMicroseconds(1));
        _time.NotBefore(_start);
        _clocks.Pass(Second);
        Assert.Equal(_start + Hour + Second, _time.GetUtcNow(), TimeSpan.FromMicroseconds(1));
    }

    private sealed class TwoClocks : TimeProvider
    {
        private TimeSpan _passed;

        public DateTimeOffset Wall { get; set; } = DateTimeOffset.UnixEpoch.AddYears(56);

        public override long TimestampFrequency => 9_999_991;

        public override DateTimeOffset GetUtcNow() => Wall;

        public override long GetTimestamp() => (long)(_passed.TotalSeconds * TimestampFrequency);

        public void Pass(TimeSpan time, double rate = 1)
        {
            _passed += time;
            Wall += time * rate;
        }
    }
}
