using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>When somebody else may be on call.</summary>
internal static class Handovers
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    /// <summary>The next moment at which a rota hands over, or a stand-in begins or ends; null when none ever will.</summary>
    public static DateTimeOffset? Next(Rota rota, DateTimeOffset after)
    {
        if (rota.Feed is { } feed)
        {
            // Its source may name somebody else at any moment: it is looked at again soon.
            return rota.Shifts.SelectMany(shift => new[] { shift.From, shift.Until }).Append((rota.KnownAt ?? after) + feed.Stale).Where(moment => moment > after).Append(after + Again).Min();
        }

        var local = TimeZoneInfo.ConvertTime(after, rota.Zone).DateTime;

        // Near a change of the clock the wall clock misleads by one turn: the one before is looked at as well.
        var turn = Math.Max(0, (long)Math.Floor((local - rota.Starts) / rota.Turn) - 1);
        DateTimeOffset? next = null;
        for (var i = 0; i < 4; i++)
        {
            Take(rota.Starts + (rota.Turn * (turn + i)));
        }

        foreach (var standIn in rota.StandIns)
        {
            Take(standIn.From);
            Take(standIn.Until);
        }

        return next;

        void Take(DateTime moment)
        {
            var at = Rota.Instant(moment, rota.Zone);
            next = at > after && (next is null || at < next) ? at : next;
        }
    }
}
