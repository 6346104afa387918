using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class TerminalTests
{
    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(59, "59 s")]
    [InlineData(61, "1 min 1 s")]
    [InlineData(3600, "1 h")]
    [InlineData(5400, "1 h 30 min")]
    [InlineData(90061, "1 d 1 h")]
    public void Length_AnySpan_ShowsTheTwoGreatestUnits(int seconds, string expected) =>
        Assert.Equal(expected, Terminal.Length(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Printable_EscapeSequences_CannotDriveTheTerminal() =>
        Assert.Equal("a\uFFFD[2Jb\uFFFD\uFFFDc\n\t", Terminal.Printable("a\u001b[2Jb\u009b\u0000c\n\t"));
}
