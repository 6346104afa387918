using FsCheck;
using FsCheck.Fluent;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

public class MerkleTests
{
    // The inputs and roots that implementations of RFC 6962 are tested against since Certificate Transparency's own.
    private static readonly string[] Inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] Roots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Fact]
    public void Root_OfTheKnownLeaves_IsTheKnownRoot()
    {
        var frontier = new MerkleFrontier();
        Assert.Equal(Roots[0], Hex(frontier.Root()));
        for (var i = 0; i < Inputs.Length; i++)
        {
            frontier.Append(Merkle.LeafHash(Convert.FromHexString(Inputs[i])));
            Assert.Equal(Roots[i + 1], Hex(frontier.Root()));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2046)]
    [InlineData(2047)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(300_000)]
    public void LeafHash_OfAnyLength_IsThatOfAZeroAndTheBytes(int length)
    {
        var data = new byte[length];
        new Random(length).NextBytes(data);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData([0, .. data]), Merkle.LeafHash(data).ToArray());
    }

    [Fact]
    public async Task Proofs_ForEverySizeUpTo130_AreMadeAndHold()
    {
        using var log = new TestLog();
        var roots = new List<TreeHash> { Merkle.EmptyRoot };
        for (var size = 1; size <= 130; size++)
        {
            log.AppendLeaf(Leaf(size));
            roots.Add(log.Frontier.Root());
            Assert.Equal(roots[size], await MerkleProofs.RootAsync(log, size, CancellationToken.None));
        }

        for (var size = 1; size <= 130; size++)
        {
            for (var index = 0; index < size; index++)
            {
                var proof = await MerkleProofs.InclusionAsync(log, index, size, CancellationToken.None);
                Assert.True(Merkle.VerifyInclusion(log.Leaves[index], index, size, proof, roots[size]));
                Assert.False(Merkle.VerifyInclusion(log.Leaves[index], index, size, proof, roots[size - 1]));
                Assert.False(Merkle.VerifyInclusion(Leaf(-1), index, size, proof, roots[size]));
            }

            for (var first = 0; first <= size; first++)
            {
                var proof = await MerkleProofs.ConsistencyAsync(log, first, size, CancellationToken.None);
                Assert.True(Merkle.VerifyConsistency(first, roots[first], size, roots[size], proof));
                Assert.False(Merkle.VerifyConsistency(first, Leaf(-1), size, roots[size], proof));
                if (first > 0)
                {
                    Assert.False(Merkle.VerifyConsistency(first, roots[first], size, Leaf(-1), proof));
                }
            }
        }
    }

    [Fact]
    public async Task Proofs_MutatedInAnyWay_AreRefused()
    {
        using var log = new TestLog();
        var roots = new List<TreeHash> { Merkle.EmptyRoot };
        for (var i = 1; i <= 40; i++)
        {
            log.AppendLeaf(Leaf(i));
            roots.Add(log.Frontier.Root());
        }

        for (var size = 2; size <= 40; size++)
        {
            for (var at = 1; at < size; at++)
            {
                var (size1, at1) = (size, at);
                var inclusion = await MerkleProofs.InclusionAsync(log, at, size, CancellationToken.None);
                AllRefused(inclusion, proof => Merkle.VerifyInclusion(log.Leaves[at1], at1, size1, proof, roots[size1]));
                Assert.False(Merkle.VerifyInclusion(log.Leaves[at], at - 1, size, inclusion, roots[size]));
                Assert.False(Merkle.VerifyInclusion(log.Leaves[at], at, at, inclusion, roots[size]));
                Assert.False(Merkle.VerifyInclusion(log.Leaves[at], -1, size, inclusion, roots[size]));

                var consistency = await MerkleProofs.ConsistencyAsync(log, at, size, CancellationToken.None);
                AllRefused(consistency, proof => Merkle.VerifyConsistency(at1, roots[at1], size1, roots[size1], proof));
                Assert.False(Merkle.VerifyConsistency(size, roots[size], at, roots[at], consistency));
            }
        }
    }

    [Fact]
    public void Frontier_WrittenAndReadAtAnyPoint_GoesOnAlike() => Prop.ForAll(
        Gen.Choose(0, 700).Two().ToArbitrary(),
        sizes =>
        {
            var straight = new MerkleFrontier();
            var broken = new MerkleFrontier();
            for (var i = 0; i < sizes.Item1 + sizes.Item2; i++)
            {
                if (i == sizes.Item1)
                {
                    broken = MerkleFrontier.Of(broken.ToBytes());
                }

                straight.Append(Leaf(i));
                broken.Append(Leaf(i));
            }

            Assert.Equal(straight.Root(), broken.Root());
            Assert.Equal(straight.ToBytes(), broken.ToBytes());
            Assert.Equal(sizes.Item1 + sizes.Item2, broken.Size);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Frontier_CloneAppended_LeavesTheOriginal()
    {
        var frontier = new MerkleFrontier();
        frontier.Append(Leaf(1));
        var root = frontier.Root();
        frontier.Clone().Append(Leaf(2));
        Assert.Equal(root, frontier.Root());
        Assert.Equal(1, frontier.Size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000001")]
    [InlineData("ffffffffffffffff")]
    [InlineData("000000000000000000")]
    public void Frontier_OfBytesThatDoNotFit_IsRefused(string hex) =>
        Assert.Throws<FormatException>(() => MerkleFrontier.Of(Convert.FromHexString(hex)));

    [Fact]
    public async Task Tiles_GrownInRandomSteps_GiveProofsThatHoldAtEverySizeAndReadFew()
    {
        const int Size = 70_000;
        using var log = new TestLog();
        var random = new Random(7);
        var heads = new List<(int Size, TreeHash Root)>();
        for (var size = 0; size < Size;)
        {
            var before = size;
            for (var step = random.Next(1, 3000); step > 0 && size < Size; step--)
            {
                log.AppendLeaf(Leaf(size++));
            }

            await log.GrowAsync(before, size);
            heads.Add((size, log.Frontier.Root()));
        }

        for (var i = 0; i < 300; i++)
        {
            var (size, root) = heads[random.Next(heads.Count)];
            var index = random.Next(size);
            var reads = log.Reads;
            var proof = await MerkleProofs.InclusionAsync(log, index, size, CancellationToken.None);
            Assert.InRange(log.Reads - reads, 1, 6);
            Assert.True(Merkle.VerifyInclusion(log.Leaves[index], index, size, proof, root));

            var (older, olderRoot) = heads[random.Next(heads.Count)];
            if (older <= size)
            {
                var consistency = await MerkleProofs.ConsistencyAsync(log, older, size, CancellationToken.None);
                Assert.True(Merkle.VerifyConsistency(older, olderRoot, size, root, consistency));
            }
        }
    }

    [Fact]
    public async Task TileBuilder_OneLeafAtATime_StoresEachTileWhenItGrows()
    {
        using var log = new TestLog();
        for (var size = 0; size < 520; size++)
        {
            log.AppendLeaf(Leaf(size));
            var tiles = await TileBuilder.GrowAsync(log, size, size + 1, CancellationToken.None);
            Assert.Equal((size + 1) % 256 == 0 ? [(0, size / 256, 256), (1, 0, (size + 1) / 256)] : [], tiles.Select(tile => (tile.Level, (int)tile.Index, tile.Hashes.Length / 32)));
            await log.GrowAsync(size, size + 1);
        }
    }

    private static void AllRefused(IReadOnlyList<TreeHash> proof, Func<IReadOnlyList<TreeHash>, bool> verify)
    {
        Assert.True(verify(proof));
        Assert.False(verify([.. proof, Leaf(-2)]));
        Assert.False(verify([Leaf(-2), .. proof]));
        for (var i = 0; i < proof.Count; i++)
        {
            var changed = proof.ToArray();
            var bytes = changed[i].ToArray();
            bytes[i % 32] ^= 1;
            changed[i] = TreeHash.Of(bytes);
            Assert.False(verify(changed));
            Assert.False(verify([.. proof.Where((_, at) => at != i)]));
            if (i > 0)
            {
                (changed[i], changed[i - 1]) = (proof[i - 1], proof[i]);
                Assert.False(verify(changed));
            }
        }
    }

    private static TreeHash Leaf(int i) => Merkle.LeafHash(BitConverter.GetBytes(i));

    private static string Hex(TreeHash hash) => Convert.ToHexStringLower(hash.AsSpan());
}
