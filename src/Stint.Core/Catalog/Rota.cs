namespace Stint.Core.Catalog;

/// <summary>Who is on call when: people who take turns, handing over at the same time of day.</summary>
/// <remarks>
/// Handovers are counted on the wall clock of <see cref="Zone"/>, so that nine o'clock stays nine o'clock over a change of
/// daylight saving time. A handover that falls into the hour that is left out comes at its end; one that falls into the hour
/// that comes twice comes the first time.
/// </remarks>
public sealed record Rota
{
    public required string Name { get; init; }

    /// <summary>Whose wall clock counts.</summary>
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>The first handover, on that clock: the first person begins. Nobody is on call before it. Of no meaning where there is a <see cref="Feed"/>; so are the turn and the stand-ins.</summary>
    public required DateTime Starts { get; init; }

    /// <summary>How long one turn lasts on that clock.</summary>
    public required TimeSpan Turn { get; init; }

    /// <summary>In the order of their turns; at least one, but for a <see cref="Feed"/>: then whoever it names of the time that is known.</summary>
    public required IReadOnlyList<SubjectId> People { get; init; }

    /// <summary>Who stands in for whoever would be on call. A later one wins over an earlier one.</summary>
    public IReadOnlyList<StandIn> StandIns { get; init; } = [];

    /// <summary>Who says who is on call; null for the catalog itself, by the turns above.</summary>
    public RotaFeed? Feed { get; init; }

    /// <summary>What that source told; empty where there is none.</summary>
    public IReadOnlyList<Shift> Shifts { get; init; } = [];

    /// <summary>When it did; null for never.</summary>
    public DateTimeOffset? KnownAt { get; init; }

    /// <summary>Who is on call at a moment. Nobody, where what is known is too old.</summary>
    public IReadOnlyList<SubjectId> On(DateTimeOffset moment)
    {
        if (Feed is null)
        {
            return At(moment) is { } one ? [one] : [];
        }

        // NB. A source that fell silent names nobody: whoever it named last may long be off call.
        return KnownAt is { } known && moment < known + Feed.Stale
            ? [.. Shifts.Where(shift => shift.From <= moment && moment < shift.Until).Select(shift => shift.Person).Distinct().OrderBy(person => person.Value, StringComparer.Ordinal)]
            : [];
    }

    /// <summary>Whose turn it is at a moment, stand-ins counted; null before the first handover. Of no meaning where there is a <see cref="Feed"/>.</summary>
    public SubjectId? At(DateTimeOffset moment)
    {
        for (var i = StandIns.Count - 1; i >= 0; i--)
        {
            if (Instant(StandIns[i].From, Zone) <= moment && moment < Instant(StandIns[i].Until, Zone))
            {
                return StandIns[i].Person;
            }
        }

        var local = TimeZoneInfo.ConvertTime(moment, Zone).DateTime;
        var turn = (long)Math.Floor((local - Starts) / Turn);

        // Near a change of the clock the wall clock misleads by one handover: the instants decide.
        while (Instant(Starts + (Turn * (turn + 1)), Zone) <= moment)
        {
            turn++;
        }

        while (turn >= 0 && Instant(Starts + (Turn * turn), Zone) > moment)
        {
            turn--;
        }

        return turn < 0 ? null : People[(int)(turn % People.Count)];
    }

    /// <summary>The moment at which a zone's clock shows a time: the first one when it does so twice, the end of the gap when it never does.</summary>
    public static DateTimeOffset Instant(DateTime local, TimeZoneInfo zone) => Calendars.ZoneClock.Instant(local, zone);
}

/// <summary>Somebody who is on call in place of whose turn it is.</summary>
/// <param name="From">On the rota's wall clock.</param>
/// <param name="Until">On the rota's wall clock; not included.</param>
/// <param name="Person">Who.</param>
public sealed record StandIn(DateTime From, DateTime Until, SubjectId Person);
