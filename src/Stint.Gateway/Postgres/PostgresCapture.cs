using System.Buffers;
using System.Security.Cryptography;

namespace Stint.Gateway.Postgres;

/// <summary>Keeps the first bytes of something that comes in pieces, counts them all, and hashes the whole when it keeps only part.</summary>
internal sealed class PostgresCapture(int bound, bool hashes) : IDisposable
{
    private byte[] _buffer = [];
    private int _kept;
    private IncrementalHash? _hash;

    public long Length { get; private set; }

    public bool Complete => Length == _kept;

    public ReadOnlySpan<byte> Kept => _buffer.AsSpan(0, _kept);

    public void Clear()
    {
        _kept = 0;
        Length = 0;
        _hash?.Dispose();
        _hash = null;
        if (_buffer.Length > 4096)
        {
            Return();
        }
    }

    public void Add(ReadOnlySpan<byte> piece)
    {
        var keep = Math.Min(piece.Length, bound - _kept);
        if (hashes && keep < piece.Length && _hash is null)
        {
            _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            _hash.AppendData(Kept);
        }

        _hash?.AppendData(piece);
        if (keep > 0)
        {
            if (_buffer.Length - _kept < keep)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_kept + keep, Math.Min(bound, Math.Max(256, _buffer.Length * 2))));
                Kept.CopyTo(larger);
                Return();
                _buffer = larger;
            }

            piece[..keep].CopyTo(_buffer.AsSpan(_kept));
            _kept += keep;
        }

        Length += piece.Length;
    }

    /// <summary>Hash of all pieces; empty when all are kept.</summary>
    public byte[] Hash() => _hash?.GetCurrentHash() ?? [];

    public void Dispose()
    {
        _hash?.Dispose();
        _hash = null;
        _kept = 0;
        Return();
    }

    private void Return()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = [];
        }
    }
}
