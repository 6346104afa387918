using Stint.Core;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Requests;

public class AskingCheckTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Asking Plain = new("orders-db/read-only", null, null, null, null, false, null);

    private static string[] Wrong(Asking asking) => [.. Assert.IsType<AskingCheck.Wrong>(asking.Check(Now)).Problems.Select(problem => problem.Field)];

    private static AskingCheck.Sound Sound(Asking asking) => Assert.IsType<AskingCheck.Sound>(asking.Check(Now));

    [Fact]
    public void Check_Plain_IsSound()
    {
        var sound = Sound(Plain);

        Assert.Equal(new RoleRef("orders-db", "read-only"), sound.Role);
        Assert.Null(sound.For);
        Assert.Equal(("", null, Opening.ByHolder), (sound.Reason, sound.Ticket, sound.Opening));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("orders-db")]
    [InlineData("/read-only")]
    [InlineData("orders-db/")]
    [InlineData("a/b/c")]
    [InlineData("a/b\n")]
    [InlineData("a/*")]
    public void Check_NotARole_IsWrong(string? role) => Assert.Equal(["role"], Wrong(Plain with { Role = role }));

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(366 * 86_400, true)]
    [InlineData(366 * 86_400 + 1, false)]
    [InlineData(-60, false)]
    [InlineData(long.MaxValue, false)]
    public void Check_Duration_IsBounded(long seconds, bool fine) =>
        Assert.Equal(fine, (Plain with { ForSeconds = seconds }).Check(Now) is AskingCheck.Sound);

    [Theory]
    [InlineData(2_000, true)]
    [InlineData(2_001, false)]
    public void Check_Reason_IsBounded(int length, bool fine) =>
        Assert.Equal(fine, (Plain with { Reason = new string('r', length) }).Check(Now) is AskingCheck.Sound);

    [Theory]
    [InlineData("two\nlines", true)]
    [InlineData("two\r\nlines", true)]
    [InlineData("a\u001b[2J", false)]
    [InlineData("a\0b", false)]
    [InlineData("a\u202Eb", false)]
    [InlineData("a\u0085b", false)]
    [InlineData("smile \U0001F600", true)]
    [InlineData("Grüße", true)]
    public void Check_Reason_CanBeShown(string reason, bool fine) =>
        Assert.Equal(fine, (Plain with { Reason = reason }).Check(Now) is AskingCheck.Sound);

    [Fact]
    public void Check_ReasonWithHalfACharacter_IsWrong() => Assert.Equal(["reason"], Wrong(Plain with { Reason = "a\uD83D" }));

    [Fact]
    public void Check_Ticket_IsOneShortLine()
    {
        Assert.Equal("INC-1", Sound(Plain with { Ticket = " INC-1 " }).Ticket);
        Assert.Null(Sound(Plain with { Ticket = " " }).Ticket);
        Assert.Equal(["ticket"], Wrong(Plain with { Ticket = "INC-1\n" }));
        Assert.Equal(["ticket"], Wrong(Plain with { Ticket = new string('1', 101) }));
        _ = Sound(Plain with { Ticket = new string('1', 100) });
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(30 * 86_400, true)]
    [InlineData(30 * 86_400 + 1, false)]
    public void Check_Start_IsBounded(int seconds, bool fine) =>
        Assert.Equal(fine, (Plain with { StartAt = Now.AddSeconds(seconds) }).Check(Now) is AskingCheck.Sound { Opening: Opening.Scheduled });

    [Fact]
    public void Check_Wait_OpensOnApproval()
    {
        Assert.Equal(Opening.OnApproval, Sound(Plain with { Wait = true }).Opening);
        Assert.Equal(["wait"], Wrong(Plain with { Wait = true, StartAt = Now.AddHours(1) }));
    }

    [Theory]
    [InlineData("gr-0123456789ab", true)]
    [InlineData("gr-0123456789a", false)]
    [InlineData("req-123456789ab", false)]
    [InlineData("gr-0123456789AB", false)]
    public void Check_Extends_IsAGrant(string grant, bool fine) =>
        Assert.Equal(fine, (Plain with { Extends = grant }).Check(Now) is AskingCheck.Sound);

    [Fact]
    public void Check_EverythingWrong_IsToldAtOnceAndRepeatsNothing()
    {
        var asking = new Asking("canary", 0, new string('\a', 3_000), "canary\n", Now.AddDays(-1), true, "canary");

        Assert.Equal(["role", "for_seconds", "reason", "reason", "ticket", "start_at", "wait", "extends", "start_at"], Wrong(asking));
        Assert.DoesNotContain(Assert.IsType<AskingCheck.Wrong>(asking.Check(Now)).Problems, problem => problem.ToString().Contains("canary", StringComparison.Ordinal));
    }
}
