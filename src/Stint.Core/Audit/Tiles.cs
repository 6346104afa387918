using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Stint.Core.Audit;

/// <summary>Where the tree's hashes are kept, in tiles of 256 as C2SP tlog-tiles cuts them.</summary>
public interface ITreeReader
{
    /// <summary>Hashes of one tile.</summary>
    /// <param name="level">0: the leaf hashes. <c>n</c>: roots over 256ⁿ leaves each, which are only asked for where all those leaves exist.</param>
    /// <param name="index">First of them, counted at its level; never such that a call crosses a tile's border (a multiple of 256).</param>
    /// <param name="count">How many, 1 to 256.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Exactly <paramref name="count"/> times 32 bytes.</returns>
    ValueTask<ReadOnlyMemory<byte>> HashesAsync(int level, long index, int count, CancellationToken cancellation);
}

/// <summary>A tile to be stored.</summary>
/// <param name="Level">0: leaf hashes; above: roots of whole tiles of the level below.</param>
/// <param name="Index">Its number in its level; it begins at hash <c>Index × 256</c>.</param>
/// <param name="Hashes">1 to 256 hashes of 32 bytes.</param>
public sealed record Tile(int Level, long Index, byte[] Hashes)
{
    /// <summary>Hashes in a whole tile.</summary>
    public const int Width = 256;
}

/// <summary>Says which tiles an append must store, so that any proof reads a handful of blobs.</summary>
/// <remarks>
/// Level 0 is stored when a tile is whole; until then its hashes are those of the newest facts' own rows. Above, the
/// newest tile of a level is stored anew whenever it grows, which is once per 256 facts. Nothing is kept in memory
/// between calls, so that several nodes can take turns.
/// </remarks>
public static class TileBuilder
{
    /// <summary>The tiles to insert or replace after the log grew, in the order in which to store them.</summary>
    /// <param name="reader">Reads what was stored before, and the leaf hashes up to <paramref name="after"/>.</param>
    /// <param name="before">Size before the append.</param>
    /// <param name="after">Size after it.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async ValueTask<IReadOnlyList<Tile>> GrowAsync(ITreeReader reader, long before, long after, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(before);
        ArgumentOutOfRangeException.ThrowIfLessThan(after, before);
        var changed = new Dictionary<(int Level, long Index), byte[]>();
        var roots = new List<TreeHash>();
        var first = before / Tile.Width;
        for (var index = first; index < after / Tile.Width; index++)
        {
            var hashes = await reader.HashesAsync(0, index * Tile.Width, Tile.Width, cancellation);
            changed[(0, index)] = hashes.ToArray();
            roots.Add(Root(hashes.Span));
        }

        for (var level = 1; roots.Count > 0; level++)
        {
            var above = new List<TreeHash>();
            var place = first;
            first /= Tile.Width;
            foreach (var root in roots)
            {
                var (index, width) = (place / Tile.Width, (int)(place % Tile.Width));
                var old = changed.GetValueOrDefault((level, index))
                    ?? (width == 0 ? [] : (await reader.HashesAsync(level, index * Tile.Width, width, cancellation)).ToArray());
                var grown = changed[(level, index)] = [.. old, .. root.AsSpan()];
                if (width + 1 == Tile.Width)
                {
                    above.Add(Root(grown));
                }

                place++;
            }

            roots = above;
        }

        return [.. changed.Select(tile => new Tile(tile.Key.Level, tile.Key.Index, tile.Value))];
    }

    /// <summary>Root over a power of two of adjoining hashes.</summary>
    internal static TreeHash Root(ReadOnlySpan<byte> hashes)
    {
        Span<TreeHash> row = stackalloc TreeHash[Tile.Width];
        MemoryMarshal.Cast<byte, TreeHash>(hashes).CopyTo(row);
        if (Vector256.IsHardwareAccelerated && hashes.Length >= 2 * HashLanes.Count * TreeHash.Size)
        {
            return InLanes(row, hashes.Length / TreeHash.Size);
        }

        for (var width = hashes.Length / TreeHash.Size; width > 1; width /= 2)
        {
            for (var i = 0; i < width / 2; i++)
            {
                row[i] = Merkle.NodeHash(row[2 * i], row[(2 * i) + 1]);
            }
        }

        return row[0];
    }

    /// <summary>Root over the first hashes of a row: each level's nodes are hashed eight at a time.</summary>
    private static TreeHash InLanes(Span<TreeHash> row, int count)
    {
        // RFC 6962, section 2.1: a node hashes 0x01 and its two children. Its input is padded here once for every level.
        const int length = 1 + (2 * TreeHash.Size);
        var padded = HashLanes.Padded(length);
        Span<byte> input = stackalloc byte[HashLanes.Count * padded];
        Span<(int Start, int Length)> places = stackalloc (int, int)[HashLanes.Count];
        for (var lane = 0; lane < HashLanes.Count; lane++)
        {
            places[lane] = (lane * padded, padded);
            input[lane * padded] = 1;
            HashLanes.Pad(input.Slice(lane * padded, padded), length);
        }

        for (var width = count / 2; width >= 1; width /= 2)
        {
            for (var first = 0; first < width; first += HashLanes.Count)
            {
                var lanes = Math.Min(HashLanes.Count, width - first);
                for (var lane = 0; lane < lanes; lane++)
                {
                    MemoryMarshal.AsBytes(row.Slice(2 * (first + lane), 2)).CopyTo(input[((lane * padded) + 1)..]);
                }

                HashLanes.Hash(input, places[..lanes], row.Slice(first, lanes));
            }
        }

        return row[0];
    }
}
