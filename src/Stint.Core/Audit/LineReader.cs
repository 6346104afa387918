using System.Buffers;

namespace Stint.Core.Audit;

/// <summary>Lines of a stream, one at a time, in a buffer that never grows beyond the longest line allowed.</summary>
internal sealed class LineReader(Stream stream, int maxLine) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private int _start;
    private int _end;
    private bool _over;

    /// <summary>Number of the line given last, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>The next line without its end. Valid until the next call.</summary>
    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="FormatException">A line is too long, or the last one has no end.</exception>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        var searched = 0;
        while (true)
        {
            var length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                length += searched;
                line = _buffer.AsSpan(_start, length);
                _start += length + 1;
                Number++;
                return true;
            }

            searched = _end - _start;
            if (_over)
            {
                line = default;
                Number += searched > 0 ? 1 : 0;
                return searched == 0 ? false : throw new FormatException("the file breaks off in the middle of its line");
            }

            Fill(searched);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Fill(int held)
    {
        if (held > maxLine)
        {
            Number++;
            throw new FormatException($"its line is longer than {maxLine} bytes");
        }

        if (_start > 0)
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
            (_start, _end) = (0, held);
        }

        if (held == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, held).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _over = read == 0;
    }
}
