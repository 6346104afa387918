using Microsoft.Win32.SafeHandles;
using Stint.Core.Policies;
using Stint.Core.Sessions;

namespace Stint.Gateway.Recording;

/// <summary>One session's recording: encoder, file, and the promise that goes with them. Not for several threads at once, save <see cref="SyncAsync"/>.</summary>
internal sealed class SessionRecording : IDisposable
{
    private readonly RecordingFile _file;
    private readonly GroupSync _sync;
    private readonly byte[] _hash = new byte[32];
    private long _records;
    private long _bytes;
    private long _statements;

    private SessionRecording(RecordingFile file, GroupSync sync, bool strict)
    {
        _file = file;
        _sync = sync;
        IsStrict = strict;
    }

    public RecordingEncoder Encoder { get; } = new();

    /// <summary>Whether a statement waits for the disk.</summary>
    public bool IsStrict { get; }

    /// <summary>Whether records wait to be written.</summary>
    public bool HasPending => !Encoder.Pending.IsEmpty;

    /// <summary>Begins one: its first record is written when this returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static SessionRecording Begin(string folder, RecordingHeader header, DateTimeOffset at, GroupSync sync, Func<string, SafeFileHandle>? opener)
    {
        // What is brought to the disk at once is not cheaper for a way through memory.
        var isStrict = header.Mode == RecordMode.Strict;
        var recording = new SessionRecording(RecordingFile.Open(folder, header.Session, at, mapped: !isStrict, opener), sync, isStrict);
        try
        {
            recording.Encoder.SessionStart(at, header);
            recording.Write();
            return recording;
        }
        catch
        {
            recording.Dispose();
            throw;
        }
    }

    /// <summary>Writes what is pending.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write()
    {
        if (HasPending)
        {
            _file.Write(Encoder.Pending.Span);
            Encoder.Taken();
            (_records, _bytes, _statements) = (Encoder.Records, Encoder.Bytes, Encoder.Statements);
            Encoder.Head.CopyTo(_hash);
        }
    }

    /// <summary>Gives back what waits for more records. Nothing is lost by it.</summary>
    /// <exception cref="IOException">It cannot be given back.</exception>
    public void Rest() => _file.Rest();

    /// <summary>Returns when all that was written is on the disk.</summary>
    public Task SyncAsync() => _sync.SyncAsync(_file);

    /// <summary>The head of what was written.</summary>
    public RecordingHead Head() => new(_file.Name, _records, _bytes, [.. _hash], _statements);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        Encoder.Dispose();
    }
}
