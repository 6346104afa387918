using System.Security.Cryptography;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

/// <summary>Hashing side by side comes to what the platform's hash comes to.</summary>
public class HashLanesTests
{
    [Fact]
    public void Hash_EveryLengthBesideEveryOther_IsSha256()
    {
        var random = new Random(7);
        for (var first = 0; first < 400; first++)
        {
            // Messages of all lengths about each border of a block, next to much longer and shorter ones.
            var messages = Enumerable.Range(0, 1 + (first % HashLanes.Count)).Select(lane => new byte[lane % 2 == 0 ? first : random.Next(2000)]).ToList();
            messages.ForEach(random.NextBytes);
            var places = new List<(int Start, int Length)>();
            var buffer = new byte[messages.Sum(message => HashLanes.Padded(message.Length))];
            Array.Fill(buffer, (byte)0xee);
            var used = 0;
            foreach (var message in messages)
            {
                var padded = HashLanes.Padded(message.Length);
                message.CopyTo(buffer, used);
                HashLanes.Pad(buffer.AsSpan(used, padded), message.Length);
                places.Add((used, padded));
                used += padded;
            }

            var hashes = new TreeHash[messages.Count];
            HashLanes.Hash(buffer, places.ToArray(), hashes);
            Assert.Equal(messages.Select(message => TreeHash.Of(SHA256.HashData(message))), hashes);
        }
    }

    [Fact]
    public void Root_OfEachPowerOfTwo_IsThatOfItsLeavesOneByOne()
    {
        for (var count = 1; count <= Tile.Width; count *= 2)
        {
            var leaves = new byte[count * TreeHash.Size];
            new Random(count).NextBytes(leaves);
            var tree = new MerkleFrontier();
            for (var i = 0; i < count; i++)
            {
                tree.Append(TreeHash.Of(leaves.AsSpan(i * TreeHash.Size, TreeHash.Size)));
            }

            Assert.Equal(tree.Root(), TileBuilder.Root(leaves));
        }
    }

    [Fact]
    public void AppendWhole_TilesAndLeavesMixed_IsTheTreeOfAllLeaves()
    {
        var (whole, single) = (new MerkleFrontier(), new MerkleFrontier());
        var random = new Random(11);
        for (var tile = 0; tile < 9; tile++)
        {
            var leaves = new byte[Tile.Width * TreeHash.Size];
            random.NextBytes(leaves);
            for (var i = 0; i < Tile.Width; i++)
            {
                single.Append(TreeHash.Of(leaves.AsSpan(i * TreeHash.Size, TreeHash.Size)));
            }

            whole.AppendWhole(TileBuilder.Root(leaves), Tile.Width);
            Assert.Equal(single.Root(), whole.Root());
            Assert.Equal(single.ToBytes(), whole.ToBytes());
        }

        whole.Append(TreeHash.Of(new byte[TreeHash.Size]));
        Assert.Throws<InvalidOperationException>(() => whole.AppendWhole(default, Tile.Width));
    }
}
