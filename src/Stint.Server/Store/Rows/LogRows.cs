using System.Data.Common;
using Stint.Core;
using Stint.Core.Audit;

namespace Stint.Server.Store;

/// <summary>The log's head as it is stored: unsigned.</summary>
/// <param name="Size">How many facts.</param>
/// <param name="Root">The root over them.</param>
internal sealed record LogHead(long Size, TreeHash Root);

internal partial class Reads : ITreeReader
{
    private const string FactColumns = "seq, kind, at, body, leaf";

    /// <summary>How long the log is, and its root.</summary>
    public async ValueTask<LogHead> LogHeadAsync() => (await Db.OneAsync(
        "SELECT size, root FROM log_head",
        static row =>
        {
            var c = new Columns(row);
            return new LogHead(c.Number(), TreeHash.Of(c.Bytes()));
        }))!;

    /// <summary>Facts from a place on, in order.</summary>
    public ValueTask<List<SealedFact>> FactsAsync(long from, int limit) =>
        Db.ListAsync($"SELECT {FactColumns} FROM facts WHERE seq >= $1 ORDER BY seq LIMIT $2", ReadFact, from, limit);

    /// <summary>Every fact that names a request, in order; those of its grant and its sessions name it too.</summary>
    public ValueTask<List<SealedFact>> FactsOfAsync(RequestId request) =>
        Db.ListAsync($"SELECT {FactColumns} FROM facts WHERE request_id = $1 ORDER BY seq", ReadFact, request.Value);

    /// <summary>Every fact that names a session, in order.</summary>
    public ValueTask<List<SealedFact>> FactsOfAsync(SessionId session) =>
        Db.ListAsync($"SELECT {FactColumns} FROM facts WHERE session_id = $1 ORDER BY seq", ReadFact, session.Value);

    /// <summary>The signed head of the greatest size up to the given one; null when there is none.</summary>
    /// <param name="atMost">Null for the newest.</param>
    public async ValueTask<SignedCheckpoint?> LastCheckpointAsync(long? atMost = null) => await Db.OneAsync(
        "SELECT note FROM checkpoints WHERE size <= $1 ORDER BY size DESC LIMIT 1",
        static row => SignedCheckpoint.Parse(row.GetString(0)),
        atMost ?? long.MaxValue);

    /// <summary>The signed head of the smallest size from the given one on; null when there is none.</summary>
    public async ValueTask<SignedCheckpoint?> NextCheckpointAsync(long atLeast) => await Db.OneAsync(
        "SELECT note FROM checkpoints WHERE size >= $1 ORDER BY size LIMIT 1",
        static row => SignedCheckpoint.Parse(row.GetString(0)),
        atLeast);

    /// <inheritdoc/>
    /// <remarks>The newest leaves have no whole tile yet: they are read from the facts' own rows.</remarks>
    public async ValueTask<ReadOnlyMemory<byte>> HashesAsync(int level, long index, int count, CancellationToken cancellation)
    {
        var tile = await Db.OneAsync(
            "SELECT hashes FROM log_tiles WHERE level = $1 AND tile = $2",
            static row => row.GetFieldValue<byte[]>(0),
            level,
            index / Tile.Width);
        var first = (int)(index % Tile.Width);
        if (tile is not null)
        {
            // A damaged tile gives fewer bytes than asked for; whoever asked says so.
            var from = Math.Min(tile.Length, first * TreeHash.Size);
            return tile.AsMemory(from, Math.Min(tile.Length - from, count * TreeHash.Size));
        }

        if (level > 0)
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        var leaves = await Db.ListAsync(
            "SELECT leaf FROM facts WHERE seq >= $1 AND seq < $2 ORDER BY seq",
            static row => row.GetFieldValue<byte[]>(0),
            index,
            index + count);
        return leaves.SelectMany(leaf => leaf).ToArray();
    }

    private static SealedFact ReadFact(DbDataReader row)
    {
        var c = new Columns(row);
        return new SealedFact(c.Number(), c.Text(), c.Time(), c.Text(), TreeHash.Of(c.Bytes()));
    }
}

internal sealed partial class Work
{
    private readonly List<Fact> _facts = [];

    internal IReadOnlyList<Fact> Facts => _facts;

    /// <summary>Says that something became true. It gets its place in the log when this write commits, and not without it.</summary>
    public void Append(Fact fact) => _facts.Add(fact);

    /// <summary>Keeps a signed head; one of the same size that stands already stays.</summary>
    public ValueTask<int> InsertAsync(SignedCheckpoint checkpoint, DateTimeOffset at) => Db.RunAsync(
        "INSERT INTO checkpoints (size, at, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING",
        checkpoint.Head.Size,
        at,
        checkpoint.Note);
}
