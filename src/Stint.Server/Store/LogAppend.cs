using Stint.Core.Audit;

namespace Stint.Server.Store;

/// <summary>The facts of one transaction on their way to the log's end.</summary>
/// <remarks>
/// They are put in their places as if the log were as long as it was known to be, and only then is the head locked: with
/// several nodes it may have grown meanwhile, and then they are put in their places again.
/// </remarks>
internal sealed class LogAppend(Db db, long expectedSize)
{
    private readonly List<Fact> _facts = [];
    private readonly List<PlacedFact> _placed = [];

    public int Count => _facts.Count;

    /// <summary>The log's edge after the append; null before <see cref="FinishAsync"/>, or when nothing was added.</summary>
    public MerkleFrontier? Grown { get; private set; }

    /// <summary>Whether one of the writes replaced the log: the edge that is remembered is void.</summary>
    public bool Replaced { get; private set; }

    /// <summary>Takes all facts of one write, or throws and takes none.</summary>
    /// <exception cref="FactTooLargeException">One of them is too large.</exception>
    public void Add(Work work)
    {
        var facts = work.Facts;
        var next = expectedSize + _facts.Count;
        _placed.AddRange(facts.Select((fact, i) => Place(fact, next + i)).ToList());
        _facts.AddRange(facts);
        Replaced |= work.LogReplaced;
    }

    /// <summary>Stores the facts, the tiles they fill and the new head.</summary>
    /// <param name="edge">The log's edge as it is now, locked against other nodes. It is not changed.</param>
    public async ValueTask FinishAsync(MerkleFrontier edge)
    {
        if (edge.Size != expectedSize)
        {
            _placed.Clear();
            _placed.AddRange(_facts.Select((fact, i) => Place(fact, edge.Size + i)));
        }

        var grown = edge.Clone();
        _placed.ForEach(fact => grown.Append(fact.Sealed.LeafHash));
        await db.InsertFactsAsync(_placed);
        foreach (var tile in await TileBuilder.GrowAsync(new Reads(db), edge.Size, grown.Size, CancellationToken.None))
        {
            await db.RunAsync(
                "INSERT INTO log_tiles (level, tile, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes",
                tile.Level,
                tile.Index,
                tile.Hashes);
        }

        var moved = await db.RunAsync(
            "UPDATE log_head SET size = $1, frontier = $2, root = $3 WHERE only_one = 1 AND size = $4",
            grown.Size,
            grown.ToBytes(),
            grown.Root().ToArray(),
            edge.Size);
        if (moved != 1)
        {
            throw new StoreRefusedException("The log's head is not where its writer left it: something else writes to this store.");
        }

        Grown = grown;
    }

    /// <summary>Reads the stored edge.</summary>
    /// <param name="db">Where.</param>
    /// <param name="locked">Whether other nodes wait until this transaction is over.</param>
    public static async ValueTask<MerkleFrontier> EdgeAsync(Db db, bool locked)
    {
        var bytes = await db.OneAsync("SELECT frontier FROM log_head" + (locked ? db.LockRow : ""), static row => row.GetFieldValue<byte[]>(0))
            ?? throw new StoreSetupException("The store has no log head: it is not a store of Stint, or it was damaged.");
        return MerkleFrontier.Of(bytes);
    }

    private static PlacedFact Place(Fact fact, long seq) =>
        new(fact.Seal(seq), fact["request"]?.Text, fact["grant"]?.Text, fact["session"]?.Text);
}

/// <summary>A fact in its place, with what it is found by.</summary>
internal sealed record PlacedFact(SealedFact Sealed, string? Request, string? Grant, string? Session);
