using Stint.Core.Catalog.Calendars;
using Xunit;

namespace Stint.Tests.Catalog.OnCall;

/// <summary>Who is on call by what calendars say, and by nothing that they do not.</summary>
public sealed class ICalendarTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Between_RulesZonesLeftOutAndMovedTimes_AreAsTheStandardSays()
    {
        var calendar = ICalendar.Parse(Text("""
            BEGIN:VTIMEZONE
            TZID:Europe/Berlin
            BEGIN:STANDARD
            DTSTART:16010101T000000
            RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
            END:STANDARD
            END:VTIMEZONE
            BEGIN:VEVENT
            UID:week
            DTSTART;TZID=Europe/Berlin:20260302T090000
            DTEND;TZID=Europe/Berlin:20260309T090000
            RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20260430T000000Z
            EXDATE;TZID=Europe/Berlin:20260330T090000
            SUMMARY:Ann
            ATTENDEE;CN="Ann: who, else";ROLE=REQ-PARTICIPANT:mailto:Ann@exam
             ple.org
            BEGIN:VALARM
            DURATION:PT1M
            SUMMARY:not this
            END:VALARM
            END:VEVENT
            BEGIN:VEVENT
            UID:week
            RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000
            DTSTART:20260316T100000Z
            DURATION:P1W
            SUMMARY:Bob\, who stands in
            END:VEVENT
            BEGIN:VEVENT
            UID:gone
            STATUS:CANCELLED
            DTSTART:20260302T000000Z
            DTEND:20260402T000000Z
            SUMMARY:Eve
            END:VEVENT
            BEGIN:VEVENT
            UID:day
            DTSTART;VALUE=DATE;TZID=America/New_York:20260310
            SUMMARY:Dan
            END:VEVENT
            """));
        Assert.Empty(calendar.Notes);

        // Nine o'clock stays nine o'clock when the clock goes on by an hour at the end of March.
        Assert.Equal(
            [
                "Ann@example.org 2026-03-02T08:00Z 2026-03-09T08:00Z",
                "Dan 2026-03-10T04:00Z 2026-03-11T04:00Z",
                "Bob, who stands in 2026-03-16T10:00Z 2026-03-23T10:00Z",
                "Ann@example.org 2026-04-13T07:00Z 2026-04-20T07:00Z",
                "Ann@example.org 2026-04-27T07:00Z 2026-05-04T07:00Z",
            ],
            calendar.Between(Start, Start.AddYears(1)).Select(shift => $"{shift.Who} {shift.From.UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'} {shift.Until.UtcDateTime:yyyy-MM-dd'T'HH:mm'Z'}"));
        Assert.Equal("Dan", Assert.Single(calendar.Between(Start.AddDays(9.5), Start.AddDays(10))).Who);
    }

    [Theory]
    [InlineData("DTSTART:20260302T090000\nDTEND:20260303T090000\nSUMMARY:Ann", "in a zone that is known here")]
    [InlineData("DTSTART;TZID=W. Europe Standard Time:20260302T090000\nDURATION:PT1H\nSUMMARY:Ann", "in a zone that is known here")]
    [InlineData("DTSTART:20260302T090000Z\nSUMMARY:Ann", "does not say how long")]
    [InlineData("DTSTART:20260302T090000Z\nDTEND:20260301T090000Z\nSUMMARY:Ann", "does not say how long")]
    [InlineData("DTSTART:20260302T090000Z\nDURATION:P9999999D\nSUMMARY:Ann", "does not say how long")]
    [InlineData("DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY\nSUMMARY:Ann", "FREQ goes by days")]
    [InlineData("DTSTART:20260302T090000Z\nDURATION:PT1H\nRDATE:20260303T090000Z\nSUMMARY:Ann", "has an RDATE")]
    [InlineData("DTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXDATE:20260303T090000\nSUMMARY:Ann", "leaves out a time in a zone")]
    [InlineData("DTSTART:20260302T090000Z\nDURATION:PT1H\nUID:x", "names nobody")]
    [InlineData("DTSTART:19691231T000000Z\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=1000\nSUMMARY:Ann", "begins before 1970")]
    public void Parse_WhatIsNotTaken_IsPassedOver_AndSaid(string lines, string why)
    {
        var calendar = ICalendar.Parse(Text($"BEGIN:VEVENT\n{lines}\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20260302T090000Z\nDURATION:PT1H\nSUMMARY:Bob\nEND:VEVENT"));
        Assert.Contains(why, Assert.Single(calendar.Notes), StringComparison.Ordinal);
        Assert.Equal("Bob", Assert.Single(calendar.Between(Start, Start.AddDays(30))).Who);
    }

    [Fact]
    public void Between_WhoDeclined_DaysLeftOut_AndTimesThatNobodyCanTell_PutNobodyOnCall()
    {
        string[] On(string events)
        {
            var calendar = ICalendar.Parse(Text(events));
            return [.. calendar.Between(Start, Start.AddDays(7)).Select(shift => $"{shift.Who} {shift.From.UtcDateTime:dd'T'HH}"), .. calendar.Notes];
        }

        Assert.Equal(["bob@x 02T08"], On("BEGIN:VEVENT\nDTSTART:20260302T080000Z\nDURATION:PT1H\nSUMMARY:Ann\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@x\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x\nEND:VEVENT"));
        Assert.Empty(On("BEGIN:VEVENT\nDTSTART:20260302T080000Z\nDURATION:PT1H\nSUMMARY:Ann\nATTENDEE;PARTSTAT=declined:mailto:ann@x\nEND:VEVENT"));

        // A day that is left out is one of the event's own zone.
        Assert.Equal(
            ["Ann 02T08", "Ann 04T08"],
            On("BEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:20260302T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260303\nSUMMARY:Ann\nEND:VEVENT"));

        // Somebody stands in at a time that cannot be told, or from then on: whoever stood there before does not stay by it.
        foreach (var instead in (string[])["RECURRENCE-ID;TZID=Nowhere/Town:20260303T090000", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260303T080000Z"])
        {
            var on = On($"BEGIN:VEVENT\nUID:a\nDTSTART:20260302T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Ann\nEND:VEVENT\nBEGIN:VEVENT\nUID:a\n{instead}\nDTSTART:20260303T080000Z\nDURATION:PT1H\nSUMMARY:Bob\nEND:VEVENT");
            Assert.All(on, note => Assert.Contains("passed over", note, StringComparison.Ordinal));
            Assert.Equal(2, on.Length);
        }
    }

    [Fact]
    public void Parse_FoldedAtEachCharacter_IsPutTogetherOnce()
    {
        var began = TimeProvider.System.GetTimestamp();
        ICalendar.Parse("BEGIN:VCALENDAR\nX-LONG:" + string.Concat(Enumerable.Repeat("\n x", 340_000)) + "\nEND:VCALENDAR\n");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Parse_WhatBreaksOffOrIsNone_IsRefused()
    {
        var good = Text("BEGIN:VEVENT\nDTSTART:20260302T090000Z\nDURATION:PT1H\nSUMMARY:Ann\nEND:VEVENT");
        ICalendar.Parse(good);
        foreach (var bad in new[] { good[..^8], "<html>", "", "BEGIN:VCALENDAR", new string('x', ICalendar.MostCharacters + 1), Text(string.Concat(Enumerable.Repeat("BEGIN:VEVENT\nDTSTART:20260302T090000Z\nDURATION:PT1H\nSUMMARY:A\nEND:VEVENT\n", 2_001))) })
        {
            Assert.Throws<FormatException>(() => ICalendar.Parse(bad));
        }

        var busy = ICalendar.Parse(Text(string.Concat(Enumerable.Repeat("BEGIN:VEVENT\nDTSTART:20260302T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:A\nEND:VEVENT\n", 100))));
        Assert.Throws<FormatException>(() => busy.Between(Start, Start.AddDays(100)));
    }

    private static string Text(string events) => $"BEGIN:VCALENDAR\nVERSION:2.0\n{string.Join('\n', events.Split('\n').Select(line => line.StartsWith("             ", StringComparison.Ordinal) ? " " + line.Trim() : line.TrimEnd()))}\nEND:VCALENDAR\n";
}
