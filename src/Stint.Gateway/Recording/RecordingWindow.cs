using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Recording;

/// <summary>A stretch of a file, behind its records, that lies in this process's memory and in the system's page cache at once. Linux.</summary>
/// <remarks>
/// What is copied into it outlives the process as a written byte does, for a third of what a write costs. Its blocks are
/// reserved and its pages made writable before the first copy: a full disk is an answer then, and not a signal that ends
/// the process (mmap(2), SIGBUS).
/// </remarks>
internal sealed unsafe class RecordingWindow : IDisposable
{
    // Where a reserved block is kept for this file and written in place. Elsewhere (btrfs, NFS, overlays) a page that was
    // given out can still turn out to have no room: there it is written the plain way.
    private static readonly long[] InPlace = [0xEF53, 0x58465342, 0x01021994];

    private readonly nuint _size;
    private readonly long _start;
    private byte* _memory;

    private RecordingWindow(byte* memory, long start, nuint size)
    {
        _memory = memory;
        _start = start;
        _size = size;
    }

    /// <summary>Where it ends in the file.</summary>
    public long End => _start + (long)_size;

    /// <summary>Whether the file lies where a window can be had.</summary>
    public static bool IsPossible(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var about = stackalloc long[64];
        return LibC.FileSystem(file, about) == 0 && InPlace.Contains(about[0]);
    }

    /// <summary>Opens one.</summary>
    /// <param name="at">Where the next record goes.</param>
    /// <param name="size">How many bytes it should hold at least from there.</param>
    /// <returns>Null when it cannot be had: no room, no memory, a file that cannot be read.</returns>
    public static RecordingWindow? TryOpen(SafeFileHandle file, long at, int size)
    {
        var page = Environment.SystemPageSize;
        var start = at - (at % page);
        var whole = (nuint)((at + size - start + page - 1) / page * page);
        if (LibC.Allocate(file, 0, start, (long)whole) != 0)
        {
            return null;
        }

        var memory = LibC.Map(null, whole, LibC.ReadWrite, LibC.Shared, file, start);
        if (memory == LibC.NotMapped)
        {
            return null;
        }

        if (LibC.Advise(memory, whole, LibC.PopulateWrite) != 0 && Marshal.GetLastPInvokeError() != LibC.Invalid)
        {
            // A kernel before 5.14 does not know the question; any other answer is a no.
            _ = LibC.Unmap(memory, whole);
            return null;
        }

        return new RecordingWindow(memory, start, whole);
    }

    /// <summary>Copies records in. They must fit, and begin with a length.</summary>
    /// <remarks>The length of the first appears last: whoever reads meanwhile, or after this process died half-way, sees all of them or none.</remarks>
    public void Write(long at, ReadOnlySpan<byte> records)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(at, _start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(at + records.Length, End);
        var to = _memory + (at - _start);
        records[sizeof(int)..].CopyTo(new Span<byte>(to + sizeof(int), records.Length - sizeof(int)));
        Volatile.Write(ref *(int*)to, MemoryMarshal.Read<int>(records));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_memory is not null)
        {
            _ = LibC.Unmap(_memory, _size);
            _memory = null;
        }
    }
}
