using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Stint.Core.Audit;

/// <summary>The right edge of the tree: enough to append and to say the root, in at most 63 hashes whatever the log's size. Not safe for two writers at once.</summary>
public sealed class MerkleFrontier
{
    private readonly TreeHash[] _peaks = new TreeHash[64];
    private int _count;

    /// <summary>How many leaves the tree has.</summary>
    public long Size { get; private set; }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">The length does not fit the size that it begins with.</exception>
    public static MerkleFrontier Of(ReadOnlySpan<byte> bytes)
    {
        var size = bytes.Length >= sizeof(long) ? BinaryPrimitives.ReadInt64BigEndian(bytes) : -1;
        if (size < 0 || bytes.Length != sizeof(long) + (BitOperations.PopCount((ulong)size) * TreeHash.Size))
        {
            throw new FormatException("This is not the frontier of a tree.");
        }

        var frontier = new MerkleFrontier { Size = size, _count = BitOperations.PopCount((ulong)size) };
        MemoryMarshal.Cast<byte, TreeHash>(bytes[sizeof(long)..]).CopyTo(frontier._peaks);
        return frontier;
    }

    /// <summary>Appends a leaf.</summary>
    public void Append(TreeHash leaf)
    {
        var hash = leaf;
        for (var whole = Size; (whole & 1) == 1; whole >>= 1)
        {
            hash = Merkle.NodeHash(_peaks[--_count], hash);
        }

        _peaks[_count++] = hash;
        Size++;
    }

    /// <summary>Appends the root over as many leaves as <paramref name="leaves"/>, at a place where such a subtree begins.</summary>
    /// <exception cref="InvalidOperationException">The tree does not end at such a place.</exception>
    internal void AppendWhole(TreeHash root, int leaves)
    {
        if (!BitOperations.IsPow2(leaves) || Size % leaves != 0)
        {
            throw new InvalidOperationException($"No subtree of {leaves} leaves begins at {Size}.");
        }

        var hash = root;
        for (var whole = Size / leaves; (whole & 1) == 1; whole >>= 1)
        {
            hash = Merkle.NodeHash(_peaks[--_count], hash);
        }

        _peaks[_count++] = hash;
        Size += leaves;
    }

    /// <summary>The root over all leaves.</summary>
    public TreeHash Root()
    {
        if (_count == 0)
        {
            return Merkle.EmptyRoot;
        }

        var root = _peaks[_count - 1];
        for (var i = _count - 2; i >= 0; i--)
        {
            root = Merkle.NodeHash(_peaks[i], root);
        }

        return root;
    }

    /// <summary>A copy that can be appended to, and thrown away when the transaction fails.</summary>
    public MerkleFrontier Clone()
    {
        var copy = new MerkleFrontier { Size = Size, _count = _count };
        _peaks.AsSpan(0, _count).CopyTo(copy._peaks);
        return copy;
    }

    /// <summary>Eight bytes of size, big end first, and the peaks from the widest to the narrowest.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[sizeof(long) + (_count * TreeHash.Size)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Size);
        MemoryMarshal.AsBytes(_peaks.AsSpan(0, _count)).CopyTo(bytes.AsSpan(sizeof(long)));
        return bytes;
    }
}
