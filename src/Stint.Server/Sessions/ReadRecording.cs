using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>A part of a recording.</summary>
/// <param name="Records">In their order.</param>
/// <param name="Ended">Whether the session is over and nothing will follow.</param>
/// <param name="Fault">What is wrong with the file, in a sentence; null when nothing is.</param>
internal sealed record RecordingPart(IReadOnlyList<RecordingRecord> Records, bool Ended, string? Fault);

/// <summary>Reads the recording of a session, also while it grows.</summary>
internal sealed class ReadRecording(FindSessions sessions, Recordings recordings, TimeProvider clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <param name="who">Who reads.</param>
    /// <param name="id">The session.</param>
    /// <param name="from">First record wanted, from 1.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="wait">How long to wait for a first record when there is none yet and the session lives.</param>
    /// <param name="cancellation">The caller left.</param>
    public async Task<Outcome<RecordingPart>> ReadAsync(SubjectId who, SessionId id, long from, int limit, TimeSpan wait, CancellationToken cancellation)
    {
        var until = clock.GetUtcNow() + wait;
        for (; ; )
        {
            var found = await sessions.GetAsync(who, id, cancellation);
            if (found is not Outcome<Session>.Done { Value: var session })
            {
                return new Outcome<RecordingPart>.NotFound();
            }

            var part = await Task.Run(() => Read(session, from, Math.Clamp(limit, 1, 10_000)), cancellation);
            if (part.Records.Count > 0 || part.Ended || part.Fault is not null || clock.GetUtcNow() >= until)
            {
                return new Outcome<RecordingPart>.Done(part);
            }

            await Task.Delay(Look, clock, cancellation);
        }
    }

    private RecordingPart Read(Session session, long from, int limit)
    {
        var ended = session.State == SessionState.Ended;
        using var file = recordings.Open(session);
        if (file is null)
        {
            return new RecordingPart([], ended, session.Recording is { } lost ? $"The recording {lost.File} is not on this node." : null);
        }

        var reader = new RecordingReader(file);
        var records = new List<RecordingRecord>();
        while (records.Count < limit && reader.Next() is { } record)
        {
            if (record.Seq >= from)
            {
                records.Add(record);
            }
        }

        return new RecordingPart(records, ended && records.Count < limit, reader.Fault);
    }
}

/// <summary>Finds the files of recordings.</summary>
internal sealed class Recordings(Installation installation)
{
    /// <summary>Opens a session's recording, which its gateway may be writing; null when it is not on this node.</summary>
    public FileStream? Open(Session session)
    {
        // Until its first head is anchored, the session's row does not name the file; its name follows from the session.
        var names = session.Recording is { } head
            ? [head.File]
            : new[] { session.StartedAt, session.StartedAt.AddMinutes(1) }.Select(day => $"v1/{day.UtcDateTime:yyyy'/'MM'/'dd}/{session.Id.Value}.rec").Distinct();
        var root = Path.GetFullPath(installation.RecordingsFolder) + Path.DirectorySeparatorChar;
        foreach (var name in names)
        {
            // NB. The name comes from the database: it must not lead out of the folder.
            var path = Path.GetFullPath(Path.Combine(root, name));
            if (path.StartsWith(root, StringComparison.Ordinal) && File.Exists(path))
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 64 * 1024);
            }
        }

        return null;
    }
}
