using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class WordsTests
{
    [Theory]
    [InlineData("45s", 45)]
    [InlineData("30m", 1_800)]
    [InlineData("4h", 14_400)]
    [InlineData("1h30m", 5_400)]
    [InlineData("2d", 172_800)]
    [InlineData("90m", 5_400)]
    [InlineData("366d", 31_622_400)]
    public void Duration_Written_IsRead(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Words.Duration(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("0m")]
    [InlineData("-1h")]
    [InlineData("1.5h")]
    [InlineData("30m1h")]
    [InlineData("1h 30m")]
    [InlineData("1h\n")]
    [InlineData("367d")]
    [InlineData("999999d")]
    [InlineData("٣m")]
    [InlineData(null)]
    public void Duration_AnythingElse_IsNone(string? text) => Assert.Null(Words.Duration(text));

    [Theory]
    [InlineData(5_400, "1h30m")]
    [InlineData(86_400, "1d")]
    [InlineData(1, "1s")]
    [InlineData(0, "0s")]
    public void Say_Duration_IsShort(int seconds, string text) => Assert.Equal(text, Words.Say(TimeSpan.FromSeconds(seconds)));
}
