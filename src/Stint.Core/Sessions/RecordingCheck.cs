namespace Stint.Core.Sessions;

/// <summary>What a check of a recording found.</summary>
/// <param name="Sound">Whether every record up to the anchored head (or the file's end, without one) is what was written.</param>
/// <param name="Because">In a sentence: what is wrong, or what was found sound.</param>
/// <param name="Records">Sound records.</param>
/// <param name="Bytes">Bytes that they fill.</param>
/// <param name="Statements">Statements that they tell of.</param>
/// <param name="Hash">Head of the chain over them.</param>
/// <param name="TornBytes">Bytes behind the last whole record: a writer died, or is at it.</param>
/// <param name="Closed">Whether the recording was closed in good order.</param>
public sealed record RecordingFinding(bool Sound, string Because, long Records, long Bytes, long Statements, byte[] Hash, long TornBytes, bool Closed)
{
    /// <summary>The head that this file has now.</summary>
    /// <param name="file">Its path below the recordings folder.</param>
    public RecordingHead Head(string file) => new(file, Records, Bytes, Hash, Statements);
}

/// <summary>Checks recordings against the heads that the audit log holds.</summary>
public static class RecordingCheck
{
    /// <summary>Reads the whole file.</summary>
    /// <param name="file">The recording, from its beginning; must tell its length.</param>
    /// <param name="anchors">Heads from the audit log, in any order; empty to check the chain alone.</param>
    public static RecordingFinding Verify(Stream file, IReadOnlyList<RecordingHead> anchors)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(anchors);
        var reader = new RecordingReader(file);
        var awaited = new Queue<RecordingHead>(anchors.OrderBy(anchor => anchor.Records));
        var closed = false;
        string? fault = null;
        while (fault is null && reader.Next() is { } record)
        {
            fault = closed ? $"Record {record.Seq} follows the record that closed the session." : null;
            closed |= record is RecordingRecord.SessionClosed;
            fault ??= record.Seq == 1 && record is not RecordingRecord.SessionStart ? "Record 1 does not open a session." : null;
            while (fault is null && awaited.TryPeek(out var anchor) && anchor.Records <= reader.Records)
            {
                awaited.Dequeue();
                fault = Compare(anchor, reader);
            }
        }

        fault ??= reader.Fault;
        if (fault is null && awaited.TryPeek(out var missing))
        {
            fault = $"The audit log anchors {missing.Records} records; the file holds {reader.Records}: it was cut short.";
        }

        var torn = reader.Reserved ? Written(file, reader.Bytes) : Math.Max(0, file.Length - reader.Bytes);
        var because = fault
            ?? (torn > 0 ? $"{reader.Records} records are sound; {torn} bytes behind them are not a whole record."
            : $"{reader.Records} records are sound.");
        return new RecordingFinding(fault is null, because, reader.Records, reader.Bytes, reader.Statements, reader.Hash.ToArray(), torn, closed);
    }

    // Reserved room is zeros; what is not was being written when its writer died.
    private static long Written(Stream file, long from)
    {
        file.Position = from;
        var buffer = new byte[16 * 1024];
        var written = 0L;
        for (var at = 0L; file.Read(buffer) is var read and > 0; at += read)
        {
            var last = buffer.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
            written = last < 0 ? written : at + last + 1;
        }

        return written;
    }

    private static string? Compare(RecordingHead anchor, RecordingReader reader) =>
        anchor.Records == reader.Records && anchor.Bytes == reader.Bytes && anchor.Statements == reader.Statements && reader.Hash.SequenceEqual(anchor.Hash)
            ? null
            : $"Record {anchor.Records} is not the one that the audit log anchors: it, or one before it, was replaced.";
}
