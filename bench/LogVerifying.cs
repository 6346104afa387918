using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Bench;

/// <summary>F2: how fast a whole log is verified, beside nothing but SHA-256 over the same bytes.</summary>
internal sealed class LogVerifying : Question
{
    private const int Count = 500_000;

    public override string Name => "verify";

    public override string Asks => "How many facts a second does one core verify?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        var bodies = new byte[Count][];
        var hashes = new byte[Count][];
        var frontier = new MerkleFrontier();
        var at = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < Count; i++)
        {
            var fact = new Fact(FactKinds.GrantOpened, at.AddSeconds(i), Actor.Keeper) { ["grant"] = $"gr-{i:d12}", ["role"] = "orders-db/read-only" };
            var placed = fact.Seal(i);
            bodies[i] = Encoding.UTF8.GetBytes(placed.Body);
            hashes[i] = placed.LeafHash.ToArray();
            frontier.Append(placed.LeafHash);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signer = CheckpointSigner.Of("bench.example/log", key);
        var head = signer.Sign(frontier);
        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("stint", () => Task.FromResult(Rate(() =>
            {
                var verifier = new LogVerifier(signer.Key, [head]);
                for (var i = 0; i < Count; i++)
                {
                    verifier.Add(i, bodies[i], hashes[i]);
                }

                if (!verifier.Finish().Holds)
                {
                    throw new InvalidOperationException("The log does not hold.");
                }
            }))),
            ("SHA-256", () => Task.FromResult(Rate(() =>
            {
                // A tree has one hash for each leaf and one, over two others, for each inner node.
                Span<byte> hash = stackalloc byte[32];
                Span<byte> node = stackalloc byte[65];
                foreach (var body in bodies)
                {
                    SHA256.HashData(body, hash);
                    SHA256.HashData(node, hash);
                }
            }))),
        ]);
        await ProveAsync(measured);
        return
        [
            measured.Alone("verify, facts of ~200 bytes", "facts/s", "stint", "≥ 1,000,000", rate => rate >= 1_000_000),
            measured.Compare("the same beside its hashes alone", "facts/s", "stint", "SHA-256", "", null),
            measured.Alone("inclusion proof at 10 million", "ms", "proof", "≤ 1", took => took <= 1),
        ];
    }

    // The tiles of a log of ten million in a store, as the log's own writer leaves them; the leaves are made up.
    private static async Task ProveAsync(Rounds measured)
    {
        const long size = 39_063 * Tile.Width;
        await using var stage = await Stage.SetAsync(new StageOptions { Database = false, Serve = false });
        await using var store = new SqliteStore(new SqliteOptions(Path.Combine(stage.Folder, "stint.db")) { Durable = false });
        await store.OpenAsync(CancellationToken.None);
        var memory = new Tiles();
        var random = new Random(1);
        for (long from = 0; from < size; from += 512 * Tile.Width)
        {
            var next = Math.Min(size, from + (512 * Tile.Width));
            for (var tile = from / Tile.Width; tile < next / Tile.Width; tile++)
            {
                random.NextBytes(memory.Hold(0, tile, new byte[Tile.Width * TreeHash.Size]));
            }

            var grown = await TileBuilder.GrowAsync(memory, from, next, CancellationToken.None);
            await store.WriteAsync(
                async work =>
                {
                    foreach (var tile in grown)
                    {
                        memory.Hold(tile.Level, tile.Index, tile.Hashes);
                        await work.Db.RunAsync(
                            "INSERT INTO log_tiles (level, tile, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes", tile.Level, tile.Index, tile.Hashes);
                    }
                },
                CancellationToken.None);
        }

        var took = new List<double>();
        for (var time = 0; time < 500; time++)
        {
            var began = Stopwatch.GetTimestamp();
            await store.ReadAsync(async reads => await MerkleProofs.InclusionAsync(reads, random.NextInt64(size), size, CancellationToken.None), CancellationToken.None);
            took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        measured.Note("proof", took.Order().ElementAt(250));
    }

    private sealed class Tiles : ITreeReader
    {
        private readonly Dictionary<(int, long), byte[]> _tiles = [];

        public byte[] Hold(int level, long index, byte[] hashes) => _tiles[(level, index)] = hashes;

        public ValueTask<ReadOnlyMemory<byte>> HashesAsync(int level, long index, int count, CancellationToken cancellation) => ValueTask.FromResult<ReadOnlyMemory<byte>>(
            _tiles[(level, index / Tile.Width)].AsMemory((int)(index % Tile.Width) * TreeHash.Size, count * TreeHash.Size));
    }

    private static double Rate(Action work)
    {
        var watch = Stopwatch.StartNew();
        work();
        return Count / watch.Elapsed.TotalSeconds;
    }
}
