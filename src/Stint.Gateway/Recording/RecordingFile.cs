using Microsoft.Win32.SafeHandles;
using Stint.Core;
using Stint.Core.Sessions;

namespace Stint.Gateway.Recording;

/// <summary>The file of one session. Not for several threads at once.</summary>
/// <remarks>What <see cref="Write"/> wrote outlives this process (it is in the system's page cache); what <see cref="Sync"/> returned for outlives the machine.</remarks>
internal sealed class RecordingFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private long _length;

    private RecordingFile(string name, SafeFileHandle handle)
    {
        Name = name;
        _handle = handle;
    }

    /// <summary>Path below the recordings folder, with forward slashes.</summary>
    public string Name { get; }

    /// <summary>Opens a new one. Folders are made on the way, for the owner alone.</summary>
    /// <param name="folder">The recordings folder.</param>
    /// <param name="session">Whose it is.</param>
    /// <param name="at">Its day names its folder.</param>
    /// <param name="opener">Opens a path for writing; null for a new file of mode 0600.</param>
    /// <exception cref="IOException">It cannot be made, or is there already.</exception>
    public static RecordingFile Open(string folder, SessionId session, DateTimeOffset at, Func<string, SafeFileHandle>? opener)
    {
        var name = $"v1/{at.UtcDateTime:yyyy'/'MM'/'dd}/{session.Value}.rec";
        var path = Path.Combine(folder, name);
        var day = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("Recordings are kept under file modes that this system does not have.");
        }

        if (!Directory.Exists(day))
        {
            Directory.CreateDirectory(day, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var file = new RecordingFile(name, (opener ?? OpenNew)(path));
        try
        {
            RandomAccess.Write(file._handle, RecordingEncoder.Magic, 0);
            file._length = RecordingEncoder.Magic.Length;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes all of it, or throws; a part that was written is written over by the next.</summary>
    public void Write(ReadOnlySpan<byte> records)
    {
        RandomAccess.Write(_handle, records, _length);
        _length += records.Length;
    }

    /// <summary>Brings all that was written to the disk.</summary>
    public void Sync() => RandomAccess.FlushToDisk(_handle);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    // NB. File.OpenHandle opens with the mode of the umask: the mode has to be given at creation, not after it.
    private static SafeFileHandle OpenNew(string path)
    {
        var creation = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            creation.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(path, creation).Dispose();
        return File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
    }
}
