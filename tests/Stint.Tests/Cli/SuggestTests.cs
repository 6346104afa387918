using System.CommandLine;
using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class SuggestTests
{
    [Fact]
    public void Of_BeginOfVerb_GivesTheVerbsThatBeginSo() =>
        Assert.Equal(["request", "requests", "restore", "review", "reviews", "revoke"], SuggestAction.Of("stint re").Order(StringComparer.Ordinal));

    [Fact]
    public void Of_Dashes_GivesLongOptionsAlone()
    {
        var options = SuggestAction.Of("stint request orders-db/owner --").ToList();
        Assert.Contains("--reason", options);
        Assert.All(options, option => Assert.StartsWith("--", option));
    }

    [Fact]
    public void Of_NoDash_GivesNoOption() =>
        Assert.DoesNotContain(SuggestAction.Of("stint sessions "), name => name.StartsWith('-') || name.StartsWith('/'));

    [Theory]
    [InlineData("ls", "--jsn")]
    [InlineData("approve", "--coment")]
    [InlineData("connect", "orders-db", "--prnt")]
    [InlineData("nosuch")]
    [InlineData("request")]
    [InlineData("request", "--reason", "x")]
    [InlineData("audit")]
    public void Parse_WhatIsNotUnderstood_IsAnError(params string[] line) => Assert.NotEmpty(Root.Build().Parse(line).Errors);

    [Theory]
    [InlineData("request", "orders-db/owner")]
    [InlineData("request", "backend-onboarding", "--save", "week")]
    [InlineData("request", "--again")]
    [InlineData("request", "--again", "week", "--for", "1h")]
    [InlineData("request", "orders-db/owner", "--again")]
    [InlineData("request", "--saved")]
    [InlineData("request", "--forget", "week")]
    public void Parse_AskingAnewOrAgain_IsUnderstood(params string[] line) => Assert.Empty(Root.Build().Parse(line).Errors);

    [Fact]
    public void Parse_OptionsOfTheProgramToRun_AreItsOwn()
    {
        var parsed = Root.Build().Parse(["run", "orders-db/read-only", "--reason", "x", "--", "psql", "--json", "-c", "select 1"]);
        Assert.Empty(parsed.Errors);
        Assert.False(parsed.GetValue(Verb.Json));
    }
}
