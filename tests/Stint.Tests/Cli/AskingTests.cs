using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class AskingTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 11, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Bundle_WhatBelongsToOneRole_IsRefusedAndNotPassedOver()
    {
        var body = new System.Text.Json.Nodes.JsonObject { ["bundle"] = "first-week", ["task"] = "ci:1", ["recurrence"] = new System.Text.Json.Nodes.JsonObject() };

        Assert.Contains("--break-glass and --task and --every", Assert.Throws<CommandFailed>(() => BundleVerbs.OnlyWhatABundleTakes(body, glass: true)).Message, StringComparison.Ordinal);
        BundleVerbs.OnlyWhatABundleTakes(new System.Text.Json.Nodes.JsonObject { ["bundle"] = "first-week", ["wait"] = true }, glass: false);
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("1h30m", 5400)]
    [InlineData("2d", 172800)]
    public void Duration_NumbersWithUnits_AddUp(string text, long seconds) => Assert.Equal(seconds, Asking.Duration(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("0m")]
    [InlineData("1h 30m")]
    [InlineData("1y")]
    [InlineData("99999999999h")]
    public void Duration_AnythingElse_IsRefusedWithTheWayOut(string text)
    {
        var failure = Assert.Throws<CommandFailed>(() => Asking.Duration(text));
        Assert.Equal(ExitCode.Usage, failure.Code);
        Assert.NotNull(failure.Hint);
    }

    [Theory]
    [InlineData("18:00", "2026-11-22T17:00:00Z")]
    [InlineData("06:00", "2026-11-23T05:00:00Z")]
    [InlineData("2026-12-24 18:00", "2026-12-24T17:00:00Z")]
    [InlineData("2026-07-01 18:00", "2026-07-01T16:00:00Z")]
    [InlineData("2026-12-24T18:00-05:00", "2026-12-24T23:00:00Z")]
    [InlineData("2026-12-24T18:00:30Z", "2026-12-24T18:00:30Z")]
    public void Start_AsPeopleWriteIt_IsReadInTheirZone(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), Asking.Start(text, Noon, Berlin));

    [Theory]
    [InlineData("2027-03-28 02:30")]
    [InlineData("2026-10-25 02:30")]
    [InlineData("tomorrow")]
    public void Start_NoSuchTimeOrTwoOfThem_IsRefused(string text) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<CommandFailed>(() => Asking.Start(text, Noon, Berlin)).Code);

    [Theory]
    [InlineData("09:00", null, "2026-11-22T09:00", "Europe/Berlin")]
    [InlineData("09:00", "Pacific/Auckland", "2026-11-23T09:00", "Pacific/Auckland")] // it is Monday there already
    [InlineData("2026-12-01 09:00", "UTC", "2026-12-01T09:00", "UTC")]
    public void Recurrence_ItsFirstDay_IsTodayOnItsOwnClock(string at, string? zone, string start, string id)
    {
        var evening = new DateTimeOffset(2026, 11, 22, 20, 0, 0, TimeSpan.Zero);
        var body = Asking.Recurrence("FREQ=DAILY", at, zone, "2027-01-31", null, evening, Berlin);
        Assert.Equal((start, id, "2027-01-31"), ((string?)body["start"], (string?)body["zone"], (string?)body["until"]));
        Assert.False(body.ContainsKey("count"));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("nine", null)]
    [InlineData("09:00", "Mars/Olympus")]
    public void Recurrence_AnythingElse_IsRefusedWithTheWayOut(string? at, string? zone)
    {
        var failure = Assert.Throws<CommandFailed>(() => Asking.Recurrence("FREQ=DAILY", at, zone, null, 3, Noon, Berlin));
        Assert.Equal(ExitCode.Usage, failure.Code);
        Assert.NotNull(failure.Hint);
    }
}
