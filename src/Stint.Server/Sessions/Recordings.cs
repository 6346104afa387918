using System.Globalization;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Finds the files of recordings.</summary>
internal sealed class Recordings(Installation installation)
{
    /// <summary>Opens a session's recording, which its gateway may be writing; null when it is not on this node.</summary>
    public FileStream? Open(Session session) => PathOf(session) is { } path
        ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024)
        : null;

    /// <summary>How long the file is now; 0 when it is not on this node.</summary>
    public long LengthOf(Session session) => PathOf(session) is { } path ? new FileInfo(path).Length : 0;

    private string? PathOf(Session session)
    {
        // Until its first head is anchored, the session's row does not name the file; the gateway names it after its day.
        // It may have begun its file on one side of midnight and its row on the other.
        var names = session.Recording is { } head
            ? [head.File]
            : new[] { 0, -1, 1 }.Select(days => $"v1/{session.StartedAt.UtcDateTime.AddDays(days).ToString("yyyy'/'MM'/'dd", CultureInfo.InvariantCulture)}/{session.Id.Value}.rec");
        var root = Path.GetFullPath(installation.RecordingsFolder).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;

        // NB. The name comes from the database: it must not lead out of the folder.
        return names
            .Select(name => Path.GetFullPath(Path.Combine(root, name)))
            .FirstOrDefault(path => path.StartsWith(root, StringComparison.Ordinal) && File.Exists(path));
    }
}
