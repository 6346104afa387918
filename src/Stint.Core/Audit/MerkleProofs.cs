using System.Globalization;
using System.Numerics;

namespace Stint.Core.Audit;

/// <summary>Makes the proofs of RFC 6962, sections 2.1.1 and 2.1.2, from stored tiles: at ten million facts six tiles are read.</summary>
public static class MerkleProofs
{
    /// <summary>That the leaf at <paramref name="index"/> is in the tree of <paramref name="size"/> leaves.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf in such a tree.</exception>
    public static async ValueTask<IReadOnlyList<TreeHash>> InclusionAsync(ITreeReader reader, long index, long size, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var view = new View(reader, size);
        var proof = new List<TreeHash>();
        var (low, high) = (0L, size);
        while (high - low > 1)
        {
            var middle = low + Split(high - low);
            if (index < middle)
            {
                proof.Add(await view.RangeAsync(middle, high, cancellation));
                high = middle;
            }
            else
            {
                proof.Add(await view.RangeAsync(low, middle, cancellation));
                low = middle;
            }
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>That the tree of <paramref name="second"/> leaves begins with the tree of <paramref name="first"/> leaves. Empty when they are the same or the first is empty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The first is larger than the second.</exception>
    public static async ValueTask<IReadOnlyList<TreeHash>> ConsistencyAsync(ITreeReader reader, long first, long second, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        var proof = new List<TreeHash>();
        if (first == 0)
        {
            return proof;
        }

        var view = new View(reader, second);
        var (low, high) = (0L, second);
        while (high != first)
        {
            var middle = low + Split(high - low);
            if (first <= middle)
            {
                proof.Add(await view.RangeAsync(middle, high, cancellation));
                high = middle;
            }
            else
            {
                proof.Add(await view.RangeAsync(low, middle, cancellation));
                low = middle;
            }
        }

        if (low > 0)
        {
            proof.Add(await view.RangeAsync(low, high, cancellation));
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>Root of the tree of the first <paramref name="size"/> leaves.</summary>
    public static ValueTask<TreeHash> RootAsync(ITreeReader reader, long size, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? ValueTask.FromResult(Merkle.EmptyRoot) : new View(reader, size).RangeAsync(0, size, cancellation);
    }

    /// <summary>Largest power of two below a width of at least two.</summary>
    private static long Split(long width) => 1L << BitOperations.Log2((ulong)(width - 1));

    /// <summary>A tree of one size, its tiles read at most once.</summary>
    private sealed class View(ITreeReader reader, long size)
    {
        private readonly Dictionary<(int Level, long Index), ReadOnlyMemory<byte>> _tiles = [];

        /// <summary>Root over the leaves <c>[low, high)</c>, which begin at a multiple of the power of two that covers them.</summary>
        public async ValueTask<TreeHash> RangeAsync(long low, long high, CancellationToken cancellation)
        {
            var width = high - low;
            if (BitOperations.IsPow2(width))
            {
                return await WholeAsync(BitOperations.Log2((ulong)width), low / width, cancellation);
            }

            var middle = low + Split(width);
            var left = await RangeAsync(low, middle, cancellation);
            return Merkle.NodeHash(left, await RangeAsync(middle, high, cancellation));
        }

        private async ValueTask<TreeHash> WholeAsync(int height, long index, CancellationToken cancellation)
        {
            var (level, count) = (height / 8, 1 << (height % 8));
            var first = index * count;
            var tile = await TileAsync(level, first / Tile.Width, cancellation);
            var at = (int)(first % Tile.Width) * TreeHash.Size;
            return TileBuilder.Root(tile.Span.Slice(at, count * TreeHash.Size));
        }

        private async ValueTask<ReadOnlyMemory<byte>> TileAsync(int level, long index, CancellationToken cancellation)
        {
            if (!_tiles.TryGetValue((level, index), out var tile))
            {
                var first = index * Tile.Width;
                var count = (int)Math.Min(Tile.Width, (size >> (8 * level)) - first);
                tile = await reader.HashesAsync(level, first, count, cancellation);
                if (tile.Length != count * TreeHash.Size)
                {
                    throw new InvalidDataException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"The log's tile {index} of level {level} has {tile.Length} bytes where {count * TreeHash.Size} are needed: its stored hashes are damaged."));
                }

                _tiles.Add((level, index), tile);
            }

            return tile;
        }
    }
}
