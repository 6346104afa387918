using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>A part of a recording.</summary>
/// <param name="Records">In their order.</param>
/// <param name="Next">The first record that was not looked at.</param>
/// <param name="Ended">Whether the session is over and nothing will follow.</param>
/// <param name="Fault">What is wrong with the file, in a sentence; null when nothing is. A file that ends inside a record is not wrong: its writer died there, or is at it this moment.</param>
internal sealed record RecordingPart(IReadOnlyList<RecordingRecord> Records, long Next, bool Ended, string? Fault);

/// <summary>Reads the recording of a session, also while it grows.</summary>
internal sealed class ReadRecording(FindSessions sessions, Recordings recordings, Installation installation, TimeProvider clock)
{
    /// <summary>Most records of one part.</summary>
    public const int Most = 10_000;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <param name="who">Who reads: the holder, owners of the resource, auditors and admins.</param>
    /// <param name="id">The session.</param>
    /// <param name="from">First record wanted, from 1.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="wait">How long to wait for a first record when there is none yet and the session lives.</param>
    /// <param name="cancellation">The caller left.</param>
    public async Task<Outcome<RecordingPart>> ReadAsync(SubjectId who, SessionId id, long from, int limit, TimeSpan wait, CancellationToken cancellation)
    {
        var began = clock.GetTimestamp();
        long read = -1;
        for (; ; )
        {
            // NB. The session is read before its file: one that is over then has nothing more to come.
            var found = await sessions.GetAsync(who, id, cancellation);
            if (found is not Outcome<Session>.Done { Value: var session })
            {
                return new Outcome<RecordingPart>.NotFound();
            }

            var missing = await recordings.FetchAsync(session, cancellation);
            var over = clock.GetElapsedTime(began) >= wait;
            var length = recordings.LengthOf(session);
            if (length != read || over || missing is not null || session.State == SessionState.Ended)
            {
                var part = await Task.Run(() => Read(session, Math.Max(1, from), Math.Clamp(limit, 1, Most), missing), cancellation);
                if (part is not Outcome<RecordingPart>.Done { Value: { Records.Count: 0, Ended: false, Fault: null } } || over || missing is not null)
                {
                    return part;
                }

                read = length;
            }

            await Task.Delay(Look, clock, cancellation);
        }
    }

    private Outcome<RecordingPart> Read(Session session, long from, int limit, string? missing)
    {
        var ended = session.State == SessionState.Ended;
        using var file = recordings.Open(session);
        if (file is null)
        {
            if (missing is not null)
            {
                return new Outcome<RecordingPart>.Refused(missing, $"start {session.Node} again, or bring its recordings folder back");
            }

            // A session whose target did not let it in may have ended before anything was recorded.
            var none = session.Recording is null && session.Node == installation.Node;
            return none || !ended
                ? new Outcome<RecordingPart>.Done(new RecordingPart([], from, ended, null))
                : new Outcome<RecordingPart>.Refused($"this node does not have the recording; {session.Node} carried the session", "ask that node, or share the recordings folder");
        }

        var reader = new RecordingReader(file);
        var records = new List<RecordingRecord>();
        var next = from;
        while (records.Count < limit && reader.Next() is { } record)
        {
            if (record.Seq >= from)
            {
                records.Add(record);
                next = record.Seq + 1;
            }
        }

        return new Outcome<RecordingPart>.Done(new RecordingPart(records, next, ended && records.Count < limit, reader.Fault ?? missing));
    }
}
