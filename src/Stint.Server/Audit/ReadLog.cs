using System.Buffers;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>Reads the log: its head, its facts, its proofs, and all of it. For admins and auditors.</summary>
internal sealed class ReadLog(StintStore store, CurrentCatalog catalog, Checkpoints checkpoints, TimeProvider clock)
{
    private const int Batch = 1000;

    public bool MayRead(SubjectId who) => catalog.Now.MayReadAll(who);

    /// <summary>A signed head of the log as it stands.</summary>
    public async Task<Outcome<SignedCheckpoint>> HeadAsync(SubjectId who, CancellationToken cancellation) =>
        MayRead(who) ? new Outcome<SignedCheckpoint>.Done(await checkpoints.SignAsync(cancellation)) : No<SignedCheckpoint>();

    /// <summary>Facts from a place on, in order.</summary>
    public async Task<Outcome<IReadOnlyList<SealedFact>>> FactsAsync(SubjectId who, long from, int limit, CancellationToken cancellation) =>
        MayRead(who)
            ? new Outcome<IReadOnlyList<SealedFact>>.Done(await store.ReadAsync(async reads => await reads.FactsAsync(Math.Max(0, from), Math.Clamp(limit, 1, 1000)), cancellation))
            : No<IReadOnlyList<SealedFact>>();

    /// <summary>That a fact is under the root of a size.</summary>
    public async Task<Outcome<IReadOnlyList<TreeHash>>> InclusionAsync(SubjectId who, long seq, long size, CancellationToken cancellation) =>
        !MayRead(who) ? No<IReadOnlyList<TreeHash>>() : await store.ReadAsync<Outcome<IReadOnlyList<TreeHash>>>(
            async reads => size < 1 || size > (await reads.LogHeadAsync()).Size || seq < 0 || seq >= size
                ? new Outcome<IReadOnlyList<TreeHash>>.Invalid([new Problem("seq", "the log has no such fact under a head of that size")])
                : new Outcome<IReadOnlyList<TreeHash>>.Done(await MerkleProofs.InclusionAsync(reads, seq, size, cancellation)),
            cancellation);

    /// <summary>That the log of one size is the beginning of the log of another.</summary>
    public async Task<Outcome<IReadOnlyList<TreeHash>>> ConsistencyAsync(SubjectId who, long from, long to, CancellationToken cancellation) =>
        !MayRead(who) ? No<IReadOnlyList<TreeHash>>() : await store.ReadAsync<Outcome<IReadOnlyList<TreeHash>>>(
            async reads => from < 0 || from > to || to > (await reads.LogHeadAsync()).Size
                ? new Outcome<IReadOnlyList<TreeHash>>.Invalid([new Problem("from", "the log never had these sizes in this order")])
                : new Outcome<IReadOnlyList<TreeHash>>.Done(await MerkleProofs.ConsistencyAsync(reads, from, to, cancellation)),
            cancellation);

    /// <summary>Writes the whole log under a fresh head, as JSON Lines that <c>stint audit verify FILE</c> checks.</summary>
    /// <returns>How many facts; <see cref="Outcome{T}.NotYours"/> before anything is written.</returns>
    public async Task<Outcome<long>> ExportAsync(SubjectId who, Stream to, CancellationToken cancellation)
    {
        if (!MayRead(who))
        {
            return No<long>();
        }

        await store.WriteAsync(
            work =>
            {
                work.Append(Facts.AuditExported(Actor.Person(who.Value), null, 0, ExportWriter.Format, clock.Now()));
                return Task.CompletedTask;
            },
            cancellation);
        var head = await checkpoints.SignAsync(cancellation);
        var size = head.Head.Size;
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        var writer = new ExportWriter(buffer);
        writer.Header(checkpoints.Key, size);
        writer.Head(head);
        for (long from = 0; from < size;)
        {
            var next = from;
            var facts = await store.ReadAsync(async reads => await reads.FactsAsync(next, (int)Math.Min(Batch, size - next)), cancellation);
            foreach (var fact in facts)
            {
                writer.Fact(fact.Body, fact.LeafHash.AsSpan());
            }

            await to.WriteAsync(buffer.WrittenMemory, cancellation);
            buffer.ResetWrittenCount();
            if (facts.Count == 0)
            {
                break;
            }

            from = facts[^1].Seq + 1;
        }

        return new Outcome<long>.Done(size);
    }

    private static Outcome<T>.NotYours No<T>() => new("only admins and auditors read the log", []);
}
