using System.Globalization;
using Stint.Core;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class RotaTests
{
    private static Rota Rota(string zone, string starts, TimeSpan turn, params string[] people) => new()
    {
        Name = "pager",
        Zone = TimeZoneInfo.FindSystemTimeZoneById(zone),
        Starts = DateTime.ParseExact(starts, "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        Turn = turn,
        People = [.. people.Select(person => new SubjectId(person))],
    };

    private static string? At(Rota rota, string moment) => rota.At(DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture))?.Value;

    [Theory]
    [InlineData("2026-01-05T08:59:59+01:00", null)]
    [InlineData("2026-01-05T09:00:00+01:00", "ann")]
    [InlineData("2026-01-12T08:59:59+01:00", "ann")]
    [InlineData("2026-01-12T09:00:00+01:00", "bob")]
    [InlineData("2026-01-19T09:00:00+01:00", "ann")]
    [InlineData("1999-01-01T00:00:00Z", null)]
    public void At_Turns_ChangeAtTheHandover(string moment, string? who) =>
        Assert.Equal(who, At(Rota("Europe/Berlin", "2026-01-05 09:00", TimeSpan.FromDays(7), "ann", "bob"), moment));

    [Theory]
    // In summer nine o'clock in Berlin is seven o'clock in UTC, in winter eight.
    [InlineData("2026-03-30T06:59:59Z", "bob")]
    [InlineData("2026-03-30T07:00:00Z", "ann")]
    [InlineData("2026-10-26T07:59:59Z", "bob")]
    [InlineData("2026-10-26T08:00:00Z", "ann")]
    public void At_AcrossAChangeOfTheClock_HandsOverAtTheSameTimeOfDay(string moment, string who) =>
        Assert.Equal(who, At(Rota("Europe/Berlin", "2026-01-05 09:00", TimeSpan.FromDays(7), "ann", "bob"), moment));

    [Theory]
    // Half past two on 29 March 2026 does not exist in Berlin: the clock goes from two to three at 01:00 UTC.
    [InlineData("2026-03-29T00:59:59Z", "ann")]
    [InlineData("2026-03-29T01:00:00Z", "bob")]
    // On 25 October half past two comes twice, first at 00:30 UTC.
    [InlineData("2026-10-25T00:29:59Z", "ann")]
    [InlineData("2026-10-25T00:30:00Z", "bob")]
    [InlineData("2026-10-25T01:15:00Z", "bob")]
    [InlineData("2026-10-25T01:30:00Z", "bob")]
    public void At_HandoverInTheHourThatIsMissingOrComesTwice_HappensOnce(string moment, string who) =>
        Assert.Equal(who, At(Rota("Europe/Berlin", "2026-03-28 02:30", TimeSpan.FromDays(1), "ann", "bob"), moment));

    [Fact]
    public void At_EveryMinuteOfAYear_SomebodyIsOnCallAndTurnsComeInOrder()
    {
        var rota = Rota("America/New_York", "2026-01-01 02:15", TimeSpan.FromHours(12), "ann", "bob", "carol");
        var from = Core.Catalog.Rota.Instant(rota.Starts, rota.Zone);
        var turns = new List<string>();
        for (var minute = 0; minute < 365 * 24 * 60; minute += 5)
        {
            var who = rota.At(from.AddMinutes(minute))!.Value.Value;
            if (turns.Count == 0 || turns[^1] != who)
            {
                turns.Add(who);
            }
        }

        // Twice a day for a year: no turn is left out and none comes twice, whatever the clock did.
        Assert.InRange(turns.Count, 729, 731);
        Assert.All(turns.Index(), turn => Assert.Equal(rota.People[turn.Index % 3].Value, turn.Item));
    }

    [Fact]
    public void At_StandIns_TheLaterOneWins()
    {
        var rota = Rota("UTC", "2026-01-05 09:00", TimeSpan.FromDays(7), "ann") with
        {
            StandIns =
            [
                new StandIn(new DateTime(2026, 1, 6, 9, 0, 0), new DateTime(2026, 1, 8, 9, 0, 0), new SubjectId("bob")),
                new StandIn(new DateTime(2026, 1, 7, 9, 0, 0), new DateTime(2026, 1, 7, 17, 0, 0), new SubjectId("carol")),
            ],
        };

        Assert.Equal("ann", At(rota, "2026-01-06T08:59:59Z"));
        Assert.Equal("bob", At(rota, "2026-01-06T09:00:00Z"));
        Assert.Equal("carol", At(rota, "2026-01-07T09:00:00Z"));
        Assert.Equal("bob", At(rota, "2026-01-07T17:00:00Z"));
        Assert.Equal("ann", At(rota, "2026-01-08T09:00:00Z"));
    }
}
