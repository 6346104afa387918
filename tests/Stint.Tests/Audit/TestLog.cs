using System.Security.Cryptography;
using System.Text;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

/// <summary>A log in memory, with the same tables that a store has.</summary>
internal sealed class TestLog : ITreeReader, IDisposable
{
    public const string Origin = "stint.example.com/log";

    private readonly ECDsa _private = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly Dictionary<(int Level, long Index), byte[]> _tiles = [];

    public TestLog() => Signer = CheckpointSigner.Of(Origin, _private);

    public CheckpointSigner Signer { get; }

    public CheckpointKey Key => Signer.Key;

    public MerkleFrontier Frontier { get; } = new();

    public List<SealedFact> Facts { get; } = [];

    public List<TreeHash> Leaves { get; } = [];

    public List<SignedCheckpoint> Heads { get; } = [];

    public int Reads { get; private set; }

    public static DateTimeOffset Noon { get; } = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static TestLog Of(int facts, int headEvery = 0)
    {
        var log = new TestLog();
        for (var i = 0; i < facts; i++)
        {
            log.Append(new Fact(FactKinds.GrantOpened, Noon.AddSeconds(i), Actor.Person("ann")) { ["grant"] = $"gr-{i}", ["role"] = "orders-db/owner" });
            if (headEvery > 0 && (i + 1) % headEvery == 0)
            {
                log.Sign();
            }
        }

        if (log.Heads.Count == 0 || log.Heads[^1].Head.Size != facts)
        {
            log.Sign();
        }

        return log;
    }

    public SealedFact Append(Fact fact)
    {
        var sealedFact = fact.Seal(Frontier.Size);
        Facts.Add(sealedFact);
        AppendLeaf(sealedFact.LeafHash);
        return sealedFact;
    }

    public void AppendLeaf(TreeHash leaf)
    {
        Leaves.Add(leaf);
        Frontier.Append(leaf);
    }

    public SignedCheckpoint Sign()
    {
        var head = Signer.Sign(Frontier);
        Heads.Add(head);
        return head;
    }

    public async Task GrowAsync(long before, long after)
    {
        foreach (var tile in await TileBuilder.GrowAsync(this, before, after, CancellationToken.None))
        {
            _tiles[(tile.Level, tile.Index)] = tile.Hashes;
        }
    }

    public ValueTask<ReadOnlyMemory<byte>> HashesAsync(int level, long index, int count, CancellationToken cancellation)
    {
        Reads++;
        Assert.InRange(count, 1, Tile.Width);
        Assert.Equal(index / Tile.Width, (index + count - 1) / Tile.Width);
        if (level == 0)
        {
            var bytes = Leaves.Skip((int)index).Take(count).SelectMany(leaf => leaf.ToArray()).ToArray();
            return ValueTask.FromResult<ReadOnlyMemory<byte>>(bytes);
        }

        var tile = _tiles[(level, index / Tile.Width)];
        return ValueTask.FromResult<ReadOnlyMemory<byte>>(tile.AsMemory((int)(index % Tile.Width) * TreeHash.Size, count * TreeHash.Size));
    }

    public LogReport Verify(SignedCheckpoint? brought = null, bool allowTail = false)
    {
        var verifier = new LogVerifier(Key, Heads, brought, allowTail);
        foreach (var fact in Facts)
        {
            verifier.Add(fact.Seq, Encoding.UTF8.GetBytes(fact.Body), fact.LeafHash.AsSpan());
        }

        return verifier.Finish();
    }

    public byte[] Export()
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new ExportWriter(output);
        writer.Header(Key, Heads.Max(head => head.Head.Size));
        Heads.ForEach(writer.Head);
        Facts.ForEach(fact => writer.Fact(fact.Body, fact.LeafHash.AsSpan()));
        return output.WrittenSpan.ToArray();
    }

    public void Dispose() => _private.Dispose();
}
