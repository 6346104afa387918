using System.Data.Common;
using Stint.Core;
using Stint.Core.Requests;

namespace Stint.Server.Store;

/// <summary>How the series of an approved request stands.</summary>
internal sealed record RunningSeries
{
    public required RequestId Request { get; init; }

    public required SubjectId Subject { get; init; }

    public required SeriesState State { get; init; }

    /// <summary>Grows by one with every change; a writer who saw an older one has lost the race.</summary>
    public required long Version { get; init; }

    /// <summary>When the next occurrence begins; null once it ended.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>How many occurrences came about.</summary>
    public int Made { get; init; }

    public SeriesEnd? End { get; init; }

    /// <summary>Who ended it, and their words; null for its last occurrence.</summary>
    public string? EndNote { get; init; }

    public DateTimeOffset? EndedAt { get; init; }
}

internal partial class Reads
{
    private protected const string SeriesColumns = "request_id, subject, state, version, next_at, made, end_reason, end_note, ended_at";

    /// <summary>The series of a request; null when it has none, or is not approved. Inside a write it stays as found until the commit.</summary>
    public ValueTask<RunningSeries?> FindSeriesAsync(RequestId request) =>
        Db.OneAsync($"SELECT {SeriesColumns} FROM series WHERE request_id = $1{Lock}", ReadSeries, request.Value);

    /// <summary>Running series whose next occurrence has come, earliest first.</summary>
    public ValueTask<List<RunningSeries>> DueSeriesAsync(DateTimeOffset now, int limit) => Db.ListAsync(
        $"SELECT {SeriesColumns} FROM series WHERE state = 'running' AND next_at <= $1 ORDER BY next_at LIMIT $2{SkipLocked}",
        ReadSeries,
        now,
        limit);

    /// <summary>What runs for a subject.</summary>
    public ValueTask<List<RunningSeries>> RunningSeriesAsync(SubjectId subject) => Db.ListAsync(
        $"SELECT {SeriesColumns} FROM series WHERE subject = $1 AND state = 'running' ORDER BY request_id{Lock}",
        ReadSeries,
        subject.Value);

    /// <summary>Every series, in the order of their requests' names.</summary>
    public ValueTask<List<RunningSeries>> SeriesAsync() => Db.ListAsync($"SELECT {SeriesColumns} FROM series ORDER BY request_id", ReadSeries);

    /// <summary>The requests of the occurrences of a series that came about, newest first.</summary>
    public ValueTask<List<Request>> OccurrencesAsync(RequestId series, int limit) => Db.ListAsync(
        $"SELECT {RequestColumns} FROM requests WHERE occurrence_of = $1 ORDER BY start_at DESC LIMIT $2",
        ReadRequest,
        series.Value,
        limit);

    private static RunningSeries ReadSeries(DbDataReader row)
    {
        var c = new Columns(row);
        return new RunningSeries
        {
            Request = new RequestId(c.Text()),
            Subject = new SubjectId(c.Text()),
            State = Words.Series.Read(c.Text()),
            Version = c.Number(),
            NextAt = c.TimeOrNull(),
            Made = (int)c.Number(),
            End = Words.SeriesEnd.ReadOrNull(c.TextOrNull()),
            EndNote = c.TextOrNull(),
            EndedAt = c.TimeOrNull(),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps the series of a request that stands approved in the store already.</summary>
    public async ValueTask<RunningSeries> InsertAsync(RunningSeries series)
    {
        var kept = series with { NextAt = Stored.Round(series.NextAt), EndedAt = Stored.Round(series.EndedAt) };
        await Db.LaterAsync(
            "INSERT INTO series (request_id, subject, state, version, next_at, made, end_reason, end_note, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            kept.Request.Value,
            kept.Subject.Value,
            Words.Series[kept.State],
            kept.Version,
            kept.NextAt,
            kept.Made,
            Words.SeriesEnd[kept.End],
            kept.EndNote,
            kept.EndedAt);
        Wake(Wakes.Of(kept.Request));
        Wake(Wakes.Keeper);
        return kept;
    }

    /// <summary>Moves a series, or its next occurrence, if it still is what the caller saw.</summary>
    /// <returns>As it stands now; null when somebody else was first.</returns>
    public async ValueTask<RunningSeries?> MoveAsync(RunningSeries seen, RunningSeries next)
    {
        Demand(seen.State == next.State || SeriesMoves.Table.Allows(seen.State, next.State), "series", seen.State, next.State);
        var kept = next with { Version = seen.Version + 1, NextAt = Stored.Round(next.NextAt), EndedAt = Stored.Round(next.EndedAt) };
        var moved = await Db.RunAsync(
            "UPDATE series SET state = $1, version = $2, next_at = $3, made = $4, end_reason = $5, end_note = $6, ended_at = $7 WHERE request_id = $8 AND state = $9 AND version = $10",
            Words.Series[kept.State],
            kept.Version,
            kept.NextAt,
            kept.Made,
            Words.SeriesEnd[kept.End],
            kept.EndNote,
            kept.EndedAt,
            seen.Request.Value,
            Words.Series[seen.State],
            seen.Version);
        if (moved == 0)
        {
            return null;
        }

        Wake(Wakes.Of(seen.Request));
        return kept;
    }
}
