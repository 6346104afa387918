using System.Runtime.Intrinsics;

namespace Stint.Core.Audit;

/// <summary>Facts that wait to be hashed together.</summary>
internal sealed class LogBatch
{
    private const int MostBytes = 1 << 20;

    private readonly long?[] _seqs = new long?[Tile.Width];
    private readonly byte[]?[] _odd = new byte[]?[Tile.Width];
    private readonly TreeHash[] _stored = new TreeHash[Tile.Width];
    private readonly TreeHash[] _leaves = new TreeHash[Tile.Width];

    // Where a leaf's input (0x00 and the body) begins, how long it is padded, and how long the body is.
    private readonly (int Start, int Length)[] _places = new (int, int)[Tile.Width];
    private readonly int[] _lengths = new int[Tile.Width];
    private byte[] _bytes = new byte[1 << 17];
    private int _used;

    public int Count { get; private set; }

    public bool IsFull => Count == Tile.Width || _used >= MostBytes;

    public void Add(long? seq, ReadOnlySpan<byte> body, ReadOnlySpan<byte> storedHash)
    {
        var padded = HashLanes.Padded(body.Length + 1);
        if (_bytes.Length - _used < padded)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + padded));
        }

        var room = _bytes.AsSpan(_used, padded);
        room[0] = 0;
        body.CopyTo(room[1..]);
        HashLanes.Pad(room, body.Length + 1);
        _seqs[Count] = seq;
        _places[Count] = (_used, padded);
        _lengths[Count] = body.Length;
        _odd[Count] = storedHash.Length == TreeHash.Size ? null : storedHash.ToArray();
        _stored[Count] = storedHash.Length == TreeHash.Size ? TreeHash.Of(storedHash) : default;
        _used += padded;
        Count++;
    }

    public void Hash()
    {
        if (!Vector256.IsHardwareAccelerated)
        {
            for (var i = 0; i < Count; i++)
            {
                _leaves[i] = Merkle.LeafHash(BodyOf(i));
            }

            return;
        }

        for (var i = 0; i < Count; i += HashLanes.Count)
        {
            var lanes = Math.Min(HashLanes.Count, Count - i);
            HashLanes.Hash(_bytes, _places.AsSpan(i, lanes), _leaves.AsSpan(i, lanes));
        }
    }

    public long? SeqOf(int i) => _seqs[i];

    public ReadOnlySpan<byte> BodyOf(int i) => _bytes.AsSpan(_places[i].Start + 1, _lengths[i]);

    public ReadOnlySpan<byte> StoredOf(int i) => _odd[i] ?? _stored[i].AsSpan();

    public TreeHash LeafOf(int i) => _leaves[i];

    public void Clear() => (Count, _used) = (0, 0);
}
