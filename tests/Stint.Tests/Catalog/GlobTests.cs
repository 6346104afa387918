using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class GlobTests
{
    [Theory]
    [InlineData("*", "anything", true)]
    [InlineData("read-*", "read-only", true)]
    [InlineData("read-*", "read", false)]
    [InlineData("*-db", "orders-db", true)]
    [InlineData("*-db", "orders-db2", false)]
    [InlineData("o*s-*b", "orders-db", true)]
    [InlineData("orders-db", "orders-db", true)]
    [InlineData("orders", "orders-db", false)]
    [InlineData("a.b", "axb", false)]
    [InlineData("Read", "read", false)]
    public void Glob_Pattern_MatchesWholeNames(string pattern, string name, bool matches) =>
        Assert.Equal(matches, Words.Glob(pattern, name));

    [Fact]
    public void Glob_ManyStars_StaysQuick() =>
        Assert.False(Words.Glob(string.Concat(Enumerable.Repeat("*a", 30)) + "b", new string('a', 63)));
}
