namespace Stint.Server.Store;

/// <summary>One change of the store, all of it or nothing: guarded moves, their facts, and whom to wake. Valid until the delegate that got it returns.</summary>
/// <remarks>
/// What a write finds by key stays as found until it commits; other nodes wait. Facts are put in their places at the
/// end, so that the log's head is held for as short as can be. A move that says null has lost a race: return what that
/// means, or throw to undo everything done so far in this write.
/// </remarks>
internal sealed partial class Work : Reads
{
    private readonly List<string> _wakes = [];

    internal Work(Db db)
        : base(db)
    {
    }

    internal IReadOnlyList<string> Woken => _wakes;

    private protected override string Lock => Db.LockRow;

    private protected override string SkipLocked => Db.SkipLocked;

    /// <summary>Whether the log was written past this program's idea of it.</summary>
    internal bool LogReplaced { get; private set; }

    /// <summary>Says that the log's head was restored: what this node remembered of it is void.</summary>
    internal void ReplaceLog() => LogReplaced = true;

    /// <summary>Wakes those who wait for the name, on every node, once this is committed.</summary>
    public void Wake(string name)
    {
        if (!_wakes.Contains(name))
        {
            _wakes.Add(name);
        }
    }
}
