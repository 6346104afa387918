using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>The moves of a series, each inside the caller's transaction, with their facts.</summary>
/// <remarks>
/// A series keeps its next occurrence and nothing of those behind it: a year of mornings is one row until each comes.
/// When one comes, its request and its grant are made and the next one is set, in one transaction; the store takes no
/// second request for the same occurrence.
/// </remarks>
internal static class SeriesSteps
{
    /// <summary>A request with a series was approved: from now on its occurrences come.</summary>
    public static async ValueTask BeginAsync(Work work, Request request, DateTimeOffset now, Actor by)
    {
        var next = Next(request, now);
        var series = await work.InsertAsync(new RunningSeries
        {
            Request = request.Id,
            Subject = request.Subject,
            State = next is null ? SeriesState.Ended : SeriesState.Running,
            Version = 1,
            NextAt = next,
            End = next is null ? SeriesEnd.Finished : null,
            EndNote = next is null ? "it was approved after its last occurrence" : null,
            EndedAt = next is null ? now : null,
        });
        work.Append(Facts.SeriesBegan(series with { State = SeriesState.Running }, request, now, by));
        if (next is null)
        {
            work.Append(Facts.SeriesEnded(series, now, Actor.Keeper));
        }
    }

    /// <summary>Ends a series wherever it stands; what is open goes on to its own end.</summary>
    /// <returns>The series as it stands now; null when it had ended already.</returns>
    public static async ValueTask<RunningSeries?> EndAsync(Work work, RunningSeries seen, SeriesEnd reason, string? note, DateTimeOffset now, Actor by)
    {
        if (seen.State != SeriesState.Running
            || await work.MoveAsync(seen, seen with { State = SeriesState.Ended, NextAt = null, End = reason, EndNote = note, EndedAt = now }) is not { } ended)
        {
            return null;
        }

        work.Append(Facts.SeriesEnded(ended, now, by));
        return ended;
    }

    /// <summary>Ends what an occurrence of the series holds now.</summary>
    public static async ValueTask EndOpenAsync(Work work, RequestId series, EndReason reason, string? note, DateTimeOffset now, Actor by)
    {
        foreach (var occurrence in await work.OccurrencesAsync(series, Series.MostOccurrences))
        {
            if (await work.FindGrantAsync(occurrence.Id) is { } grant)
            {
                await GrantSteps.EndAsync(work, grant, reason, note, now, by);
            }
        }
    }

    /// <summary>The next occurrence of a request's series from a moment on; null when none is left.</summary>
    public static DateTimeOffset? Next(Request request, DateTimeOffset from)
    {
        foreach (var begins in request.Recurrence!.From(from))
        {
            return begins;
        }

        return null;
    }

    /// <summary>The request of an occurrence: asked and approved with its series.</summary>
    public static Request Occurrence(Request series, RequestId id, DateTimeOffset begins, DateTimeOffset now)
    {
        var occurrence = series with
        {
            Id = id,
            State = RequestState.Approved,
            Version = 1,
            AskedAt = now,
            StartAt = begins,
            Recurrence = null,
            OccurrenceOf = series.Id,

            // NB. One that did not begin by its own end never does: late ones must not run into what follows.
            BeginWithin = series.For,
            LapsesAt = begins + series.For,
            DecidedAt = now,
            Digest = "",
        };
        return occurrence with { Digest = RequestDigest.Of(occurrence) };
    }
}
