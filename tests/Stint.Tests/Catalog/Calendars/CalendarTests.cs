using System.Globalization;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;
using Xunit;
using Calendar = Stint.Core.Catalog.Calendars.Calendar;

namespace Stint.Tests.Catalog.Calendars;

/// <summary>Windows on wall clocks, at real changes of the clock.</summary>
public class CalendarTests
{
    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static DateTime Clock(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture);

    private static Calendar Of(string zone, string? rule = null, string at = "09:00", string length = "1h", string starts = "2020-01-01", string? except = null, params string[] dates) => new()
    {
        Name = "c",
        Zone = ZoneClock.Find(zone)!,
        Window = rule is null ? null : new RecurringWindow(RecurrenceText.Read(rule).Rule!, DateOnly.Parse(starts, CultureInfo.InvariantCulture), TimeOnly.Parse(at, CultureInfo.InvariantCulture), Words.Duration(length)!.Value),
        Dates = [.. dates.Select(Days)],
        Except = except is null ? [] : [Days(except)],
    };

    private static Days Days(string text)
    {
        var ends = text.Split("..");
        return new Days(DateOnly.Parse(ends[0], CultureInfo.InvariantCulture), DateOnly.Parse(ends[^1], CultureInfo.InvariantCulture));
    }

    [Theory]
    // Spring: the hour from two to three does not exist.
    [InlineData("Europe/Berlin", "2027-03-28 01:59", "2027-03-28T00:59:00Z")]
    [InlineData("Europe/Berlin", "2027-03-28 02:00", "2027-03-28T01:00:00Z")]
    [InlineData("Europe/Berlin", "2027-03-28 02:30", "2027-03-28T01:00:00Z")]
    [InlineData("Europe/Berlin", "2027-03-28 03:00", "2027-03-28T01:00:00Z")]
    [InlineData("Europe/Berlin", "2027-03-28 03:01", "2027-03-28T01:01:00Z")]
    // Autumn: it comes twice, and the first time counts.
    [InlineData("Europe/Berlin", "2026-10-25 01:59", "2026-10-24T23:59:00Z")]
    [InlineData("Europe/Berlin", "2026-10-25 02:00", "2026-10-25T00:00:00Z")]
    [InlineData("Europe/Berlin", "2026-10-25 02:59", "2026-10-25T00:59:00Z")]
    [InlineData("Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z")]
    [InlineData("America/New_York", "2027-03-14 02:30", "2027-03-14T07:00:00Z")]
    [InlineData("America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z")]
    [InlineData("America/New_York", "2026-11-01 02:00", "2026-11-01T07:00:00Z")]
    // Half an hour only.
    [InlineData("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-10-04 02:31", "2026-10-03T15:31:00Z")]
    [InlineData("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03T14:45:00Z")]
    [InlineData("Australia/Lord_Howe", "2027-04-04 02:00", "2027-04-03T15:30:00Z")]
    // The day that Samoa left out.
    [InlineData("Pacific/Apia", "2011-12-29 23:59", "2011-12-30T09:59:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30 00:00", "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-31 00:00", "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-31 09:00", "2011-12-30T19:00:00Z")]
    [InlineData("UTC", "2026-10-25 02:30", "2026-10-25T02:30:00Z")]
    public void Instant_AtAChangeOfTheClock_IsTheFirstMomentOrTheGapsEnd(string zone, string clock, string instant) =>
        Assert.Equal(At(instant), ZoneClock.Instant(Clock(clock), ZoneClock.Find(zone)!).ToUniversalTime());

    [Fact]
    public void Instant_EveryQuarterOfTwoYears_NeverGoesBack_AndIsTheFirstMomentThatCameSoFar()
    {
        foreach (var name in (string[])["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Havana", "Asia/Kathmandu"])
        {
            var zone = ZoneClock.Find(name)!;
            var last = DateTimeOffset.MinValue;
            for (var clock = new DateTime(2026, 1, 1); clock < new DateTime(2028, 1, 1); clock = clock.AddMinutes(15))
            {
                var moment = ZoneClock.Instant(clock, zone);
                Assert.True(moment >= last, $"{name} {clock}");
                last = moment;

                // The first moment at which the clock has come so far: a tick before it had not.
                Assert.True(ZoneClock.Local(moment, zone) >= clock && ZoneClock.Local(moment.AddTicks(-1), zone) < clock, $"{name} {clock}");
            }
        }
    }

    [Theory]
    [InlineData("2026-10-24T06:59:59Z", null)]
    [InlineData("2026-10-24T07:00:00Z", "2026-10-24T17:00:00Z")]
    [InlineData("2026-10-24T16:59:59Z", "2026-10-24T17:00:00Z")]
    [InlineData("2026-10-24T17:00:00Z", null)]
    [InlineData("2026-10-25T07:30:00Z", null)] // nine o'clock is an hour later now
    [InlineData("2026-10-25T08:00:00Z", "2026-10-25T18:00:00Z")]
    public void EndAt_NineInBerlin_StaysNineOverTheChange(string moment, string? end) =>
        Assert.Equal(end is null ? null : At(end), Of("Europe/Berlin", "FREQ=DAILY", "09:00", "10h").EndAt(At(moment)));

    [Fact]
    public void Window_OverAChange_LastsElapsedTime()
    {
        var nights = Of("Europe/Berlin", "FREQ=DAILY", "23:00", "8h");
        Assert.Equal(At("2027-03-28T06:00:00Z"), nights.EndAt(At("2027-03-27T22:00:00Z"))); // ends at eight, not at seven
        Assert.Equal(At("2026-10-25T05:00:00Z"), nights.EndAt(At("2026-10-24T21:00:00Z"))); // ends at six
    }

    [Fact]
    public void Window_InTheGap_BeginsAtItsEnd_AndInTheFoldBeginsOnce()
    {
        var spring = Of("Europe/Berlin", "FREQ=DAILY", "02:30", "1h");
        Assert.Equal(At("2027-03-28T01:00:00Z"), spring.StartAfter(At("2027-03-28T00:00:00Z")));
        Assert.Equal(At("2027-03-28T02:00:00Z"), spring.EndAt(At("2027-03-28T01:00:00Z")));
        Assert.Equal(At("2027-03-29T00:30:00Z"), spring.StartAfter(At("2027-03-28T01:00:00Z")));

        Assert.Equal(At("2026-10-25T00:30:00Z"), spring.StartAfter(At("2026-10-24T12:00:00Z")));
        Assert.Equal(At("2026-10-26T01:30:00Z"), spring.StartAfter(At("2026-10-25T00:30:00Z")));
    }

    [Fact]
    public void Dates_AreWholeDaysOfTheZone_AndADayThatIsLeftOutIsNone()
    {
        var freeze = Of("America/New_York", dates: ["2026-12-24..2027-01-02"]);
        Assert.Null(freeze.EndAt(At("2026-12-24T04:59:59Z")));
        Assert.Equal(At("2027-01-03T05:00:00Z"), freeze.EndAt(At("2026-12-24T05:00:00Z")));
        Assert.Equal(At("2026-12-24T05:00:00Z"), freeze.StartAfter(At("2026-12-01T00:00:00Z")));
        Assert.Null(freeze.StartAfter(At("2026-12-24T05:00:00Z")));

        var change = Of("Europe/Berlin", dates: ["2026-10-25"]);
        Assert.Equal(TimeSpan.FromHours(25), change.EndAt(At("2026-10-25T00:00:00Z"))!.Value - At("2026-10-24T22:00:00Z"));

        var gone = Of("Pacific/Apia", dates: ["2011-12-30"]);
        Assert.Null(gone.StartAfter(At("2011-12-01T00:00:00Z")));
        Assert.Null(gone.EndAt(At("2011-12-30T10:00:00Z")));
    }

    [Fact]
    public void Except_LeavesOutTheWindowsThatBeginThen()
    {
        var office = Of("Europe/Berlin", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "08:00", "10h", except: "2026-12-24..2026-12-26");
        Assert.NotNull(office.EndAt(At("2026-12-23T12:00:00Z")));
        Assert.Null(office.EndAt(At("2026-12-24T12:00:00Z")));
        Assert.Equal(At("2026-12-28T07:00:00Z"), office.StartAfter(At("2026-12-23T12:00:00Z")));
    }

    [Fact]
    public void Together_WhatFollowsWithoutAGap_IsOneTime()
    {
        var day = Of("UTC", "FREQ=DAILY", "08:00", "12h");
        var night = Of("UTC", "FREQ=WEEKLY;BYDAY=MO", "20:00", "12h");
        Assert.Equal(At("2026-11-24T20:00:00Z"), Together.EndAt([day, night], At("2026-11-23T09:00:00Z"))); // Monday's night, then Tuesday
        Assert.Equal(At("2026-11-25T20:00:00Z"), Together.EndAt([day, night], At("2026-11-25T09:00:00Z")));
        Assert.Null(Together.EndAt([day, night], At("2026-11-25T21:00:00Z")));
        Assert.Equal(At("2026-11-26T08:00:00Z"), Together.StartAfter([day, night], At("2026-11-25T21:00:00Z")));

        // One without any gap ends further away than any grant.
        var always = Of("UTC", "FREQ=DAILY", "00:00", "1d");
        Assert.True(Together.EndAt([always], At("2026-11-25T09:00:00Z")) - At("2026-11-25T09:00:00Z") >= Words.LongestDuration);
    }

    [Theory]
    [InlineData("{ every: FREQ=DAILY, at: 08:00, for: 1h }", "calendar 'c' lacks 'zone'")]
    [InlineData("{ zone: Mars/Olympus, dates: 2026-01-01 }", "no time zone is called 'Mars/Olympus'")]
    [InlineData("{ zone: UTC }", "calendar 'c' has neither 'every' nor 'dates'")]
    [InlineData("{ zone: UTC, every: FREQ=HOURLY, at: 08:00, for: 1h }", "'every': FREQ goes by days at the least; take DAILY, WEEKLY, MONTHLY or YEARLY")]
    [InlineData("{ zone: UTC, every: FREQ=DAILY, for: 1h }", "calendar 'c' lacks 'at'")]
    [InlineData("{ zone: UTC, every: FREQ=DAILY, at: 24:00, for: 1h }", "'at' is no time of day")]
    [InlineData("{ zone: UTC, every: FREQ=DAILY, at: 08:00, for: 32d }", "'for' is out of bounds")]
    [InlineData("{ zone: UTC, every: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', at: 08:00, for: 1h }", "the rule of calendar 'c' counts from its first day, and no first day is said")]
    [InlineData("{ zone: UTC, every: FREQ=MONTHLY, at: 08:00, for: 1h }", "the rule of calendar 'c' counts from its first day, and no first day is said")]
    [InlineData("{ zone: UTC, every: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', at: 08:00, for: 1h }", "calendar 'c' never begins: its rule falls on no day")]
    [InlineData("{ zone: UTC, dates: 2026-02-30 }", "'2026-02-30' are no days")]
    [InlineData("{ zone: UTC, dates: 2026-03-02..2026-03-01 }", "'2026-03-02..2026-03-01' are no days")]
    [InlineData("{ zone: UTC, dates: 2026-03-02, except: 2026-03-02 }", "'except' belongs to 'every'")]
    [InlineData("{ zone: UTC, dates: 2026-03-02, when: now }", "a calendar has no key 'when'")]
    public void Load_WhatIsWrong_IsSaidWithItsPlace(string calendar, string what)
    {
        var error = Yaml.Bad(Yaml.Whole() + $"\ncalendars:\n  c: {calendar}");
        Assert.Equal(what, error.What);
        Assert.True(error.Line > 0 && error.WayOut is not null);
    }

    [Fact]
    public void Load_NamesThatNothingHas_AndCalendarsThatNobodyAsks_AreSaid()
    {
        var error = Yaml.Bad(Yaml.Whole(policies: Yaml.Policies.Replace("approve: { auto: true }", "during: nigths\n    approve: { auto: true }", StringComparison.Ordinal)) + "\ncalendars:\n  nights: { zone: UTC, dates: 2026-03-02 }");
        Assert.Equal(("no calendar is called 'nigths'", "did you mean 'nights'?"), (error.What, error.WayOut));
        Assert.Contains(Yaml.Load(Yaml.Whole() + "\ncalendars:\n  nights: { zone: UTC, dates: 2026-03-02 }").Warnings, warning => warning.What == "no policy asks calendar 'nights'");
        Assert.Equal("'during' names none", Yaml.Bad(Yaml.Whole(policies: Yaml.Policies.Replace("approve: { auto: true }", "during: []\n    approve: { auto: true }", StringComparison.Ordinal))).What);
    }
}
