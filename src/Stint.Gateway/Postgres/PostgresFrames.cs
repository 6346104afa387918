using System.Buffers.Binary;

namespace Stint.Gateway.Postgres;

/// <summary>Cuts a stream of bytes into messages wherever the pieces end. Keeps nothing but the place it is at.</summary>
internal struct PostgresFrames
{
    private uint _head;
    private int _headSeen;

    /// <summary>Type of the message that it is in.</summary>
    public byte Type { get; private set; }

    /// <summary>Bytes of the body still to come.</summary>
    public int Left { get; private set; }

    /// <summary>Whether it stands between two messages.</summary>
    public readonly bool AtBoundary => _headSeen == 0;

    /// <summary>Reads on in a header.</summary>
    /// <param name="bytes">What is there; what is used is cut off.</param>
    /// <param name="started">Whether the header is whole now: <see cref="Type"/> and <see cref="Left"/> hold.</param>
    /// <returns>False for a length that is none.</returns>
    public bool TryHead(ref ReadOnlySpan<byte> bytes, out bool started)
    {
        if (_headSeen == 0 && bytes.Length >= 5)
        {
            Type = bytes[0];
            _head = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
            _headSeen = 5;
            bytes = bytes[5..];
        }

        while (_headSeen < 5 && bytes.Length > 0)
        {
            if (_headSeen == 0)
            {
                Type = bytes[0];
                _head = 0;
            }
            else
            {
                _head = (_head << 8) | bytes[0];
            }

            _headSeen++;
            bytes = bytes[1..];
        }

        started = _headSeen == 5;
        if (!started)
        {
            return true;
        }

        if (_head is < 4 or > PostgresMessages.MaxMessage)
        {
            return false;
        }

        Left = (int)_head - 4;
        return true;
    }

    /// <summary>Whether the header was read and the body is on.</summary>
    public readonly bool InBody => _headSeen == 5;

    /// <summary>The next piece of the body.</summary>
    public ReadOnlySpan<byte> TakeBody(ref ReadOnlySpan<byte> bytes)
    {
        var piece = bytes[..Math.Min(bytes.Length, Left)];
        bytes = bytes[piece.Length..];
        Left -= piece.Length;
        return piece;
    }

    /// <summary>The message is over.</summary>
    public void Finish() => _headSeen = 0;
}
