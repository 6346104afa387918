using System.Security.Cryptography;

namespace Stint.Server.Store.Backup;

/// <summary>Reads a stream and hashes what passes.</summary>
internal sealed class Hashing(Stream inner, IncrementalHash hash) : ReadOnlyStream
{
    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value == inner.Position ? value : throw new NotSupportedException("A stream that is hashed is read once, from its beginning.");
    }

    public override bool CanSeek => inner.CanSeek;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        hash.AppendData(buffer.Span[..read]);
        return read;
    }

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        hash.AppendData(buffer[..read]);
        return read;
    }
}

/// <summary>The first bytes of a file that may grow.</summary>
internal sealed class FirstBytes(Stream inner, long length) : ReadOnlyStream
{
    private long _read;

    public override long Length => length;

    public override bool CanSeek => true;

    public override long Position
    {
        get => _read;
        set => _read = value == _read ? value : throw new NotSupportedException("It is read once, from its beginning.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, length - _read)], cancellationToken));

    public override int Read(Span<byte> buffer) => Count(inner.Read(buffer[..(int)Math.Min(buffer.Length, length - _read)]));

    private int Count(int read)
    {
        if (read == 0 && _read < length)
        {
            throw new BackupException("A file became shorter while it was saved.");
        }

        _read += read;
        return read;
    }
}

/// <summary>What every stream that is only read has in common.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => false;

    public abstract override int Read(Span<byte> buffer);

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => origin switch
    {
        SeekOrigin.Begin => Position = offset,
        SeekOrigin.Current => Position += offset,
        _ => Position = Length + offset,
    };

    public override void SetLength(long value) => throw new NotSupportedException("It is only read.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is only read.");
}
