using System.Buffers;
using System.Buffers.Binary;

namespace Stint.Gateway.Postgres;

/// <summary>Reads whole messages during login: exactly as many bytes as they say, so that nothing of what follows is ever in hand.</summary>
internal static class PostgresWire
{
    /// <summary>The next message's type and body; null at the stream's end.</summary>
    /// <param name="limit">Longest body that is taken, in bytes.</param>
    /// <exception cref="PostgresWireException">Its length is none, or above the limit.</exception>
    public static async ValueTask<(byte Type, byte[] Body)?> ReadAsync(Stream stream, int limit, CancellationToken cancellation)
    {
        var head = new byte[5];
        if (await stream.ReadAtLeastAsync(head, 5, throwOnEndOfStream: false, cancellation) < 5)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1));
        if (length < 4 || length - 4 > limit)
        {
            throw new PostgresWireException("A message's length is not possible.");
        }

        var message = new byte[5 + length - 4];
        head.CopyTo(message, 0);
        if (await stream.ReadAtLeastAsync(message.AsMemory(5), length - 4, throwOnEndOfStream: false, cancellation) < length - 4)
        {
            return null;
        }

        return PostgresMessages.TryRead(new ReadOnlySequence<byte>(message), limit, out _, out _, out var read) == ReadResult.Message
            ? (read.Type, read.Body.ToArray())
            : throw new PostgresWireException("A message's length is not possible.");
    }

    /// <summary>A first packet, its length field included; null at the stream's end.</summary>
    public static async ValueTask<byte[]?> ReadOpeningAsync(Stream stream, CancellationToken cancellation)
    {
        var head = new byte[4];
        if (await stream.ReadAtLeastAsync(head, 4, throwOnEndOfStream: false, cancellation) < 4)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(head);
        if (length is < 8 or > PostgresMessages.MaxStartup)
        {
            throw new PostgresWireException("The first packet's length is wrong.");
        }

        var packet = new byte[length];
        head.CopyTo(packet, 0);
        return await stream.ReadAtLeastAsync(packet.AsMemory(4), length - 4, throwOnEndOfStream: false, cancellation) < length - 4 ? null : packet;
    }
}

/// <summary>Somebody spoke against the protocol before the session began.</summary>
internal sealed class PostgresWireException(string message) : IOException(message);
