using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Audit;

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
            ("bare SHA-256", () => Task.FromResult(Rate(() =>
            {
                Span<byte> hash = stackalloc byte[32];
                foreach (var body in bodies)
                {
                    SHA256.HashData(body, hash);
                }
            }))),
        ]);
        return
        [
            measured.Alone("verify, facts of ~200 bytes", "facts/s", "stint", "≥ 1,000,000", rate => rate >= 1_000_000),
            measured.Compare("the same beside hashing alone", "facts/s", "stint", "bare SHA-256", "", null),
        ];
    }

    private static double Rate(Action work)
    {
        var watch = Stopwatch.StartNew();
        work();
        return Count / watch.Elapsed.TotalSeconds;
    }
}
