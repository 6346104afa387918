using System.Globalization;
using Stint.Core;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Requests;

public class SeriesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    private static AskingCheck Check(string? rule = "FREQ=WEEKLY;BYDAY=MO,WE", string? start = "2026-11-22T09:00", string? zone = "Europe/Berlin", string? until = null, int? count = null, DateTimeOffset? at = null, bool wait = false) =>
        new Asking("orders-db/read-only", 3600, "work", null, at, wait, null) { Recurrence = new AskedSeries(rule, start, zone, until, count) }.Check(Now);

    private static Series Sound(AskingCheck check) => Assert.IsType<AskingCheck.Sound>(check).Recurrence!;

    private static string Days(Series series, int most) => string.Join(' ', series.From(Now).Take(most).Select(one => one.UtcDateTime.ToString("MM-dd'T'HH:mm", CultureInfo.InvariantCulture)));

    [Fact]
    public void Check_ASeries_BeginsAtItsFirstOccurrenceToCome()
    {
        var sound = Assert.IsType<AskingCheck.Sound>(Check(until: "2027-01-31"));
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero), sound.StartAt);
        Assert.Equal(Opening.Scheduled, sound.Opening);
        Assert.Equal("FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270131|2026-11-22|09:00|Europe/Berlin", sound.Recurrence!.Text);
        Assert.Equal("every week on Monday and Wednesday, until 2027-01-31, at 09:00 (Europe/Berlin)", sound.Recurrence.Said);
        Assert.Equal(sound.Recurrence.Text, Series.Parse(sound.Recurrence.Text).Text);
        Assert.Equal("11-23T08:00 11-25T08:00 11-30T08:00", Days(sound.Recurrence, 3));
        Assert.Equal("2027-01-27", sound.Recurrence.From(Now).Last().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    [Fact]
    public void From_OverAChangeOfTheClock_StaysAtItsTime_AndComesOnceADay()
    {
        var series = Series.Parse("FREQ=DAILY;UNTIL=20270330|2027-03-26|02:30|Europe/Berlin");
        var all = series.From(Now).ToList();
        Assert.Equal(["26T01:30", "27T01:30", "28T01:00", "29T00:30", "30T00:30"], all.Select(one => one.UtcDateTime.ToString("dd'T'HH:mm", CultureInfo.InvariantCulture)));

        // The day that Samoa left out comes at the beginning of the next, and two that fall together are one.
        var samoa = Series.Parse("FREQ=DAILY;COUNT=4|2011-12-29|00:00|Pacific/Apia");
        Assert.Equal(["29T10:00", "30T10:00", "31T10:00"], samoa.From(new DateTimeOffset(2011, 12, 1, 0, 0, 0, TimeSpan.Zero)).Select(one => one.UtcDateTime.ToString("dd'T'HH:mm", CultureInfo.InvariantCulture)));

        // Asked from any moment on, it is the rest of the same.
        foreach (var from in all)
        {
            Assert.Equal(all.Where(one => one >= from), series.From(from));
            Assert.Equal(all.Where(one => one > from), series.From(from.AddTicks(10)));
        }
    }

    [Fact]
    public void Check_AFinishedCount_CountsFromTheFirstDay()
    {
        Assert.Equal("11-23T08:00", Days(Sound(Check(start: "2026-11-16T09:00", count: 3)), 9)); // Monday, Wednesday, and this Monday
    }

    [Theory]
    [InlineData("FREQ=HOURLY", "2026-11-22T09:00", "UTC", "2027-01-31", null, "recurrence.rule")]
    [InlineData(null, "2026-11-22T09:00", "UTC", "2027-01-31", null, "recurrence.rule")]
    [InlineData("FREQ=DAILY", "tomorrow", "UTC", "2027-01-31", null, "recurrence.start")]
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", "Mars/Olympus", "2027-01-31", null, "recurrence.zone")]
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", null, "2027-01-31", null, "recurrence.zone")]
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", "UTC", "31.1.2027", null, "recurrence.until")]
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", "UTC", null, 0, "recurrence.count")]
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", "UTC", null, 100_000, "recurrence.count")]
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", "UTC", null, null, "recurrence")] // without end
    [InlineData("FREQ=DAILY;COUNT=3", "2026-11-22T09:00", "UTC", "2027-01-31", null, "recurrence")] // two ends
    [InlineData("FREQ=DAILY", "2026-11-22T09:00", "UTC", "2028-12-31", null, "recurrence")] // too many
    [InlineData("FREQ=MONTHLY", "2026-11-22T09:00", "UTC", null, 20, "recurrence")] // too long
    [InlineData("FREQ=DAILY;UNTIL=20261101", "2026-10-01T09:00", "UTC", null, null, "recurrence")] // over
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-11-22T09:00", "UTC", "2027-11-01", null, "recurrence")] // never
    [InlineData("FREQ=DAILY", "2027-01-22T09:00", "UTC", "2027-02-22", null, "recurrence.start")] // too far ahead
    public void Check_WhatIsWrong_IsSaidAtItsField(string? rule, string? start, string? zone, string? until, int? count, string field) =>
        Assert.Contains(field, Assert.IsType<AskingCheck.Wrong>(Check(rule, start, zone, until, count)).Problems.Select(problem => problem.Field));

    [Fact]
    public void Check_BesideAStartOrAWait_IsRefused()
    {
        Assert.Contains("recurrence", Assert.IsType<AskingCheck.Wrong>(Check(count: 3, at: Now.AddHours(1))).Problems.Select(problem => problem.Field));
        Assert.Contains("recurrence", Assert.IsType<AskingCheck.Wrong>(Check(count: 3, wait: true)).Problems.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData("")]
    [InlineData("FREQ=DAILY;COUNT=1|2026-11-22|09:00")]
    [InlineData("FREQ=HOURLY;COUNT=1|2026-11-22|09:00|UTC")]
    [InlineData("FREQ=DAILY;COUNT=1|2026-11-22|09:00|Mars/Olympus")]
    [InlineData("FREQ=DAILY;COUNT=1|2026-11-22|9|UTC")]
    public void Parse_WhatCannotBeRead_Throws(string text) => Assert.Throws<FormatException>(() => Series.Parse(text));

    [Fact]
    public void Digest_TellsOneSeriesFromAnother_AndFromNone()
    {
        var once = new Request
        {
            Id = new RequestId("req-aaaaaaaaaaaa"),
            Subject = new SubjectId("ann"),
            Role = new RoleRef("orders-db", "owner"),
            State = RequestState.Pending,
            Version = 1,
            AskedAt = Now,
            For = TimeSpan.FromHours(1),
            Opening = Opening.Scheduled,
            StartAt = Now.AddDays(1),
            CatalogVersion = "v",
            Verdict = new Core.Policies.Verdict.Deny("", true) { Trace = [] },
            LapsesAt = Now.AddDays(1),
            BeginWithin = TimeSpan.FromHours(8),
            Digest = "",
        };
        string[] digests =
        [
            RequestDigest.Of(once),
            RequestDigest.Of(once with { Recurrence = Series.Parse("FREQ=DAILY;COUNT=3|2026-11-23|09:00|UTC") }),
            RequestDigest.Of(once with { Recurrence = Series.Parse("FREQ=DAILY;COUNT=4|2026-11-23|09:00|UTC") }),
            RequestDigest.Of(once with { Recurrence = Series.Parse("FREQ=DAILY;COUNT=4|2026-11-23|09:00|Europe/Berlin") }),
            RequestDigest.Of(once with { OccurrenceOf = new RequestId("req-bbbbbbbbbbbb") }),
        ];
        Assert.Equal(digests.Length, digests.Distinct().Count());
    }
}
