using System.Globalization;
using Stint.Core.Catalog.Calendars;
using Xunit;

namespace Stint.Tests.Catalog.Calendars;

/// <summary>Rules on days. The cases named after RFC 5545 are the days of the examples of its section 3.8.5.3.</summary>
public class RecurrenceTests
{
    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Recurrence Rule(string text)
    {
        var (rule, problems) = RecurrenceText.Read(text);
        Assert.Empty(problems);
        return rule!;
    }

    private static string Days(string rule, string start, int most, string? from = null) =>
        string.Join(' ', Rule(rule).From(Day(start), Day(from ?? start)).Take(most).Select(day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("FREQ=DAILY;COUNT=10", "1997-09-02", "1997-09-02 1997-09-03 1997-09-04 1997-09-05 1997-09-06 1997-09-07 1997-09-08 1997-09-09 1997-09-10 1997-09-11")]
    [InlineData("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12")]
    [InlineData("FREQ=WEEKLY;UNTIL=19971007;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997-09-02 1997-09-04 1997-09-09 1997-09-11 1997-09-16 1997-09-18 1997-09-23 1997-09-25 1997-09-30 1997-10-02 1997-10-07")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;UNTIL=19971003;WKST=SU;BYDAY=MO,WE,FR", "1997-09-01", "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17 1997-09-19 1997-09-29 1997-10-01 1997-10-03")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997-09-02 1997-09-04 1997-09-16 1997-09-18 1997-09-30 1997-10-02 1997-10-14 1997-10-16")]
    [InlineData("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "1997-09-05", "1997-09-05 1997-10-03 1997-11-07 1997-12-05")]
    [InlineData("FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "1997-09-07", "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04 1998-01-25 1998-03-01 1998-03-29 1998-05-03 1998-05-31")]
    [InlineData("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22", "1997-09-22 1997-10-20 1997-11-17 1997-12-22 1998-01-19 1998-02-16")]
    [InlineData("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6", "1997-09-28", "1997-09-28 1997-10-29 1997-11-28 1997-12-29 1998-01-29 1998-02-26")]
    [InlineData("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997-09-30", "1997-09-30 1997-10-01 1997-10-31 1997-11-01 1997-11-30 1997-12-01 1997-12-31 1998-01-01 1998-01-31 1998-02-01")]
    [InlineData("FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "1997-06-10", "1997-06-10 1997-07-10 1998-06-10 1998-07-10 1999-06-10 1999-07-10 2000-06-10 2000-07-10 2001-06-10 2001-07-10")]
    [InlineData("FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "1997-03-10", "1997-03-10 1999-01-10 1999-02-10 1999-03-10 2001-01-10 2001-02-10 2001-03-10 2003-01-10 2003-02-10 2003-03-10")]
    [InlineData("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19", "1997-05-19 1998-05-18 1999-05-17")]
    [InlineData("FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=7", "1997-03-13", "1997-03-13 1997-03-20 1997-03-27 1998-03-05 1998-03-12 1998-03-19 1998-03-26")]
    [InlineData("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5", "1997-09-02", "1998-02-13 1998-03-13 1998-11-13 1999-08-13 2000-10-13")]
    [InlineData("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=10", "1997-09-13", "1997-09-13 1997-10-11 1997-11-08 1997-12-13 1998-01-10 1998-02-07 1998-03-07 1998-04-11 1998-05-09 1998-06-13")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997-09-04 1997-10-07 1997-11-06")]
    [InlineData("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7", "1997-09-29", "1997-09-29 1997-10-30 1997-11-27 1997-12-30 1998-01-29 1998-02-26 1998-03-30")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-05 1997-08-10 1997-08-19 1997-08-24")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-05 1997-08-17 1997-08-19 1997-08-31")]
    [InlineData("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15", "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30")]
    public void From_ExamplesOfTheStandard_FallOnItsDays(string rule, string start, string days) => Assert.Equal(days, Days(rule, start, 100));

    [Theory]
    [InlineData("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05", "1996-11-05 2000-11-07 2004-11-02")] // elections in the United States
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-01-01", "2024-02-29 2028-02-29 2032-02-29")]
    [InlineData("FREQ=MONTHLY", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31")] // months without a 31st are passed over
    [InlineData("FREQ=YEARLY;BYDAY=-1SU", "2026-01-01", "2026-12-27 2027-12-26 2028-12-31")]
    [InlineData("FREQ=YEARLY;BYDAY=53TH", "2026-01-01", "2026-12-31 2032-12-30 2037-12-31")]
    public void From_RareDays_AreFound(string rule, string start, string days) => Assert.Equal(days, Days(rule.Replace("INTERVAL=4", "INTERVAL=4", StringComparison.Ordinal), start, 3));

    [Theory]
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")]
    [InlineData("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")]
    [InlineData("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300")]
    [InlineData("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2;BYMONTHDAY=31")]
    [InlineData("FREQ=WEEKLY;UNTIL=20200101;BYDAY=MO")]
    public void From_ARuleThatFallsOnNoDay_EndsSoon(string rule)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Empty(Rule(rule).From(Day("2026-01-01"), Day("2026-06-01")));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void From_FarFromTheStart_IsTheSameAsCountingAllTheWay()
    {
        string[] rules =
        [
            "FREQ=DAILY;INTERVAL=7", "FREQ=DAILY;INTERVAL=3;BYMONTH=3,10", "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,SU;WKST=SU", "FREQ=WEEKLY;INTERVAL=5", "FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=-1,1,31",
            "FREQ=MONTHLY;BYDAY=2TU,-1FR", "FREQ=YEARLY;INTERVAL=3;BYMONTH=2,12;BYDAY=MO", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1", "FREQ=DAILY;COUNT=900",
        ];
        var start = Day("2021-01-31");
        foreach (var text in rules)
        {
            var rule = Rule(text);
            var all = rule.From(start, start).TakeWhile(day => day < Day("2032-01-01")).ToList();
            for (var from = start; from < Day("2029-01-01"); from = from.AddDays(13))
            {
                Assert.Equal(all.Where(day => day >= from).Take(3), rule.From(start, from).Take(3).Where(day => day < Day("2032-01-01")));
            }
        }
    }

    [Theory]
    [InlineData("FREQ=SECONDLY", "FREQ goes by days at the least; take DAILY, WEEKLY, MONTHLY or YEARLY")]
    [InlineData("FREQ=HOURLY;BYDAY=MO", "FREQ goes by days at the least; take DAILY, WEEKLY, MONTHLY or YEARLY")]
    [InlineData("FREQ=DAILY;BYHOUR=1,2,3", "BYHOUR is not taken; the time of day stands beside the rule")]
    [InlineData("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not taken; say it with BYMONTH and BYDAY")]
    [InlineData("FREQ=YEARLY;BYYEARDAY=1", "BYYEARDAY is not taken; say it with BYMONTH and BYMONTHDAY")]
    [InlineData("FREQ=WEEKLY;BYDAY=1MO", "'1MO': a number before a day goes with MONTHLY and YEARLY only")]
    [InlineData("FREQ=MONTHLY;BYDAY=6MO", "'6MO' is no day of BYDAY; write MO, or 1MO for the first and -1MO for the last")]
    [InlineData("FREQ=WEEKLY;BYDAY=XX", "'XX' is no day of BYDAY; there are MO, TU, WE, TH, FR, SA, SU")]
    [InlineData("FREQ=DAILY;INTERVAL=0", "'0' is no INTERVAL; it goes from 1 to 366")]
    [InlineData("FREQ=DAILY;INTERVAL=1000000", "'1000000' is no INTERVAL; it goes from 1 to 366")]
    [InlineData("FREQ=DAILY;COUNT=99999999999999", "'99999999999999' is no COUNT; it goes from 1 to 1000")]
    [InlineData("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT and UNTIL do not stand together")]
    [InlineData("FREQ=DAILY;UNTIL=20270101T000000Z", "UNTIL is the last day, in the zone of the rule; write UNTIL=20270131")]
    [InlineData("FREQ=MONTHLY;BYMONTHDAY=0", "'0' is no BYMONTHDAY; it goes from -31 to 31, without 0")]
    [InlineData("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY has no meaning in a WEEKLY rule")]
    [InlineData("FREQ=DAILY;BYSETPOS=1", "BYSETPOS stands beside another BY part only")]
    [InlineData("FREQ=DAILY;FREQ=WEEKLY", "FREQ stands twice")]
    [InlineData("FREQ=DAILY;EXDATE=20270101", "a rule has no part 'EXDATE'")]
    [InlineData("BYDAY=MO", "FREQ is none of DAILY, WEEKLY, MONTHLY and YEARLY")]
    [InlineData("every monday", "this is no recurrence rule; write FREQ=WEEKLY;BYDAY=MO,WE")]
    [InlineData("", "this is no recurrence rule; write FREQ=WEEKLY;BYDAY=MO,WE")]
    [InlineData(null, "this is no recurrence rule; write FREQ=WEEKLY;BYDAY=MO,WE")]
    public void Read_WhatIsNotTaken_IsNamed(string? text, string problem) => Assert.Contains(problem, RecurrenceText.Read(text).Problems);

    [Fact]
    public void Read_SeveralProblems_AreSaidAtOnce() => Assert.Equal(3, RecurrenceText.Read("FREQ=HOURLY;BYHOUR=3;COUNT=0").Problems.Count);

    [Theory]
    [InlineData("rrule:freq=weekly;byday=mo,we", "every week on Monday and Wednesday")]
    [InlineData("FREQ=DAILY;INTERVAL=2;COUNT=5", "every 2nd day, 5 times")]
    [InlineData("FREQ=MONTHLY;BYDAY=1MO,-1FR;UNTIL=20270131", "every month on the 1st Monday and the last Friday, until 2027-01-31")]
    [InlineData("FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1,-1", "every year on the 1st and last day in January and July")]
    [InlineData("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "every month on Monday and Tuesday, of those the last in each month")]
    [InlineData("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=1", "every month on Friday that is the 13th, once")]
    public void Say_IsForPeople(string rule, string said) => Assert.Equal(said, RecurrenceText.Say(Rule(rule)));
}
