using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Policies;

public class HandoversTests
{
    private static readonly Rota Rota = new()
    {
        Name = "web",
        Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"),
        Starts = new DateTime(2026, 1, 5, 9, 0, 0),
        Turn = TimeSpan.FromDays(1),
        People = [new SubjectId("bob"), new SubjectId("carol")],
        StandIns = [new StandIn(new DateTime(2026, 7, 1, 12, 0, 0), new DateTime(2026, 7, 1, 13, 30, 0), new SubjectId("dora"))],
    };

    [Theory]
    [InlineData("2025-12-31T00:00:00Z", "2026-01-05T08:00:00Z")]
    [InlineData("2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z")]
    [InlineData("2026-07-01T07:30:00Z", "2026-07-01T10:00:00Z")]
    [InlineData("2026-07-01T10:00:00Z", "2026-07-01T11:30:00Z")]
    [InlineData("2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z")]
    [InlineData("2026-10-24T12:00:00Z", "2026-10-25T08:00:00Z")]
    public void Next_AtAnyMoment_IsWhenSomebodyElseMayBeOnCall(string after, string next) =>
        Assert.Equal(DateTimeOffset.Parse(next, null), Handovers.Next(Rota, DateTimeOffset.Parse(after, null)));

    [Fact]
    public void Next_WalkedOverAYear_MissesNoChangeOfWhoIsOnCall()
    {
        var at = new DateTimeOffset(2026, 1, 5, 8, 0, 0, TimeSpan.Zero);
        var end = at.AddDays(365);
        while (at < end)
        {
            var next = Handovers.Next(Rota, at)!.Value;
            Assert.True(next > at);
            for (var probe = at; probe < next; probe += TimeSpan.FromMinutes(30))
            {
                Assert.Equal(Rota.At(at), Rota.At(probe));
            }

            at = next;
        }
    }
}
