using System.Buffers;

namespace Stint.Core.Sessions;

/// <summary>Collects the parameters of one statement, piece by piece, within bounds. Reused from statement to statement.</summary>
public sealed class RecordingParameters : IDisposable
{
    /// <summary>How much of all values of one statement is kept, in bytes.</summary>
    public const int MaxKept = 64 * 1024;

    private byte[] _buffer = [];
    private int _end;
    private int _room;

    /// <summary>How many are described in <see cref="Encoded"/>.</summary>
    public int Count { get; private set; }

    /// <summary>How many more there were, of which only this number is kept.</summary>
    public int Omitted { get; private set; }

    /// <summary>As they stand in a record.</summary>
    public ReadOnlySpan<byte> Encoded => _buffer.AsSpan(0, _end);

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Count = 0;
        Omitted = 0;
        _end = 0;
        _room = 0;
        if (_buffer.Length > 4096)
        {
            Dispose();
        }
    }

    /// <summary>Begins a parameter; its value follows in pieces.</summary>
    /// <param name="type">Type number; 0 for unknown.</param>
    /// <param name="binary">Whether its value comes in the type's binary form.</param>
    /// <param name="length">Length of its value in bytes; −1 for NULL.</param>
    public void Begin(uint type, bool binary, int length)
    {
        if (_end >= MaxKept)
        {
            Omitted++;
            _room = 0;
            return;
        }

        Count++;
        _room = Math.Min(Math.Max(length, 0), Math.Min(RecordingEncoder.MaxParameter, MaxKept - _end));
        var to = Reserve(32 + _room);
        var at = Varint.Write(to, type);
        to[at++] = (byte)((binary ? 1 : 0) | (length < 0 ? 2 : 0));
        at += Varint.Write(to[at..], (ulong)Math.Max(length, 0));
        at += Varint.Write(to[at..], (ulong)_room);

        // Zeroes stand for a value that the message announces and never brings: the target refuses such a message.
        to.Slice(at, _room).Clear();
        _end += at + _room;
    }

    /// <summary>The next piece of the value just begun.</summary>
    public void Piece(ReadOnlySpan<byte> piece)
    {
        var keep = Math.Min(piece.Length, _room);
        piece[..keep].CopyTo(_buffer.AsSpan(_end - _room));
        _room -= keep;
    }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = [];
        }
    }

    private Span<byte> Reserve(int more)
    {
        if (_buffer.Length - _end < more)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(_buffer.Length * 2, 256), _end + more));
            _buffer.AsSpan(0, _end).CopyTo(larger);
            if (_buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            }

            _buffer = larger;
        }

        return _buffer.AsSpan(_end);
    }
}
