using System.Buffers;
using System.Security.Cryptography;

namespace Stint.Core.Audit;

/// <summary>The tree of RFC 6962, section 2.1, over SHA-256: hashes, and the checking of both proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2).</summary>
public static class Merkle
{
    private const int OnStack = 2048;

    /// <summary>Root of the log that holds nothing: SHA-256 of nothing.</summary>
    public static TreeHash EmptyRoot { get; } = TreeHash.Of(SHA256.HashData([]));

    /// <summary>Hash of a leaf: SHA-256 over 0x00 and its bytes.</summary>
    public static TreeHash LeafHash(ReadOnlySpan<byte> data)
    {
        // NB. One call on adjoining bytes costs half of an incremental hash: the copy is cheaper than the calls.
        var rented = data.Length < OnStack ? null : ArrayPool<byte>.Shared.Rent(data.Length + 1);
        var input = rented is null ? stackalloc byte[OnStack] : rented;
        input[0] = 0;
        data.CopyTo(input[1..]);
        Span<byte> hash = stackalloc byte[TreeHash.Size];
        SHA256.HashData(input[..(data.Length + 1)], hash);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return TreeHash.Of(hash);
    }

    /// <summary>Hash of an inner node: SHA-256 over 0x01 and its two children.</summary>
    public static TreeHash NodeHash(in TreeHash left, in TreeHash right)
    {
        Span<byte> input = stackalloc byte[1 + (2 * TreeHash.Size)];
        input[0] = 1;
        left.AsSpan().CopyTo(input[1..]);
        right.AsSpan().CopyTo(input[(1 + TreeHash.Size)..]);
        Span<byte> hash = stackalloc byte[TreeHash.Size];
        SHA256.HashData(input, hash);
        return TreeHash.Of(hash);
    }

    /// <summary>Whether a leaf stands at <paramref name="index"/> in the tree of <paramref name="size"/> leaves with that root.</summary>
    public static bool VerifyInclusion(TreeHash leaf, long index, long size, IReadOnlyList<TreeHash> proof, TreeHash root)
    {
        if (index < 0 || index >= size)
        {
            return false;
        }

        var (node, last, hash) = (index, size - 1, leaf);
        foreach (var step in proof)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                hash = NodeHash(step, hash);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                hash = NodeHash(hash, step);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && hash == root;
    }

    /// <summary>Whether the tree of <paramref name="second"/> leaves begins with the tree of <paramref name="first"/> leaves.</summary>
    public static bool VerifyConsistency(long first, TreeHash firstRoot, long second, TreeHash secondRoot, IReadOnlyList<TreeHash> proof)
    {
        if (first < 0 || first > second)
        {
            return false;
        }

        if (first == second)
        {
            return proof.Count == 0 && firstRoot == secondRoot;
        }

        if (first == 0)
        {
            return proof.Count == 0 && firstRoot == EmptyRoot;
        }

        // NB. When the older tree is a whole subtree of the newer one, its root is the first step, and is left out of the proof.
        IEnumerable<TreeHash> path = (first & (first - 1)) == 0 ? proof.Prepend(firstRoot) : proof;
        var (node, last) = (first - 1, second - 1);
        while ((node & 1) == 1)
        {
            node >>= 1;
            last >>= 1;
        }

        TreeHash? older = null;
        TreeHash newer = default;
        foreach (var step in path)
        {
            if (older is not { } hash)
            {
                older = newer = step;
                continue;
            }

            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                older = NodeHash(step, hash);
                newer = NodeHash(step, newer);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                newer = NodeHash(newer, step);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && older == firstRoot && newer == secondRoot;
    }
}
