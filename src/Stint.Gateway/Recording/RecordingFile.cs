using Microsoft.Win32.SafeHandles;
using Stint.Core;
using Stint.Core.Sessions;

namespace Stint.Gateway.Recording;

/// <summary>The file of one session. Not for several threads at once.</summary>
/// <remarks>What <see cref="Write"/> wrote outlives this process (it is in the system's page cache, through a write or through a <see cref="RecordingWindow"/>); what <see cref="Sync"/> returned for outlives the machine.</remarks>
internal sealed class RecordingFile : IDisposable
{
    private const int FirstWindow = 16 * 1024;
    private const int LargestWindow = 256 * 1024;

    private readonly SafeFileHandle _handle;
    private RecordingWindow? _window;
    private int _nextWindow;
    private bool _isBegun;
    private long _length;

    private RecordingFile(string name, SafeFileHandle handle, bool mapped)
    {
        Name = name;
        _handle = handle;
        _nextWindow = mapped && RecordingWindow.IsPossible(handle) ? FirstWindow : 0;
    }

    /// <summary>Path below the recordings folder, with forward slashes.</summary>
    public string Name { get; }

    /// <summary>Opens a new one. Folders are made on the way, for the owner alone.</summary>
    /// <param name="folder">The recordings folder.</param>
    /// <param name="session">Whose it is.</param>
    /// <param name="at">Its day names its folder.</param>
    /// <param name="mapped">Whether it may reserve room behind its records and write there through memory: cheaper for many small writes, and no nearer to the disk.</param>
    /// <param name="opener">Opens a path for reading and writing; null for a new file of mode 0600.</param>
    /// <exception cref="IOException">It cannot be made, or is there already.</exception>
    public static RecordingFile Open(string folder, SessionId session, DateTimeOffset at, bool mapped, Func<string, SafeFileHandle>? opener)
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

        var file = new RecordingFile(name, (opener ?? OpenNew)(path), mapped);
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
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(ReadOnlySpan<byte> records)
    {
        // The first is that the session began: many say little more, and need no room for it.
        if (_isBegun && _nextWindow > 0 && HasRoom(records.Length))
        {
            _window!.Write(_length, records);
        }
        else
        {
            RandomAccess.Write(_handle, records, _length);
        }

        _isBegun = true;
        _length += records.Length;
    }

    /// <summary>Gives back the memory and the room that wait for more. Writing goes on as before.</summary>
    /// <exception cref="IOException">The room cannot be given back.</exception>
    public void Rest()
    {
        if (_window is not null)
        {
            _window.Dispose();
            _window = null;
            _nextWindow = FirstWindow;
            _isBegun = false;
            RandomAccess.SetLength(_handle, _length);
        }
    }

    /// <summary>Brings all that was written to the disk.</summary>
    public void Sync() => RandomAccess.FlushToDisk(_handle);

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Rest();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // The room stays behind the last record: readers know it for what it is.
        }

        _handle.Dispose();
    }

    private bool HasRoom(int length)
    {
        if (_window is not null && _length + length <= _window.End)
        {
            return true;
        }

        _window?.Dispose();
        _window = null;
        if (length > LargestWindow)
        {
            return false;
        }

        _window = RecordingWindow.TryOpen(_handle, _length, Math.Max(_nextWindow, length));
        _nextWindow = _window is null ? 0 : Math.Min(_nextWindow * 2, LargestWindow);
        return _window is not null;
    }

    // NB. File.OpenHandle opens with the mode of the umask: the mode has to be given at creation, not after it.
    private static SafeFileHandle OpenNew(string path)
    {
        var creation = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            creation.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(path, creation).Dispose();
        return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
    }
}
