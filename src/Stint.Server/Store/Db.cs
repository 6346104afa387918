using System.Data.Common;

namespace Stint.Server.Store;

/// <summary>One database connection and what differs between the two dialects. Used by one writer or reader at a time.</summary>
/// <remarks>
/// Statements take positional parameters <c>$1, $2 …</c>, which both databases read alike. Times and durations are
/// stored as whole microseconds, flags as 0 and 1, states by their words: the same SQL then means the same on both.
/// </remarks>
internal abstract class Db : IAsyncDisposable
{
    /// <summary>Appended to a look-up by key inside a write: the row stays as found until the commit. Empty where there is one writer.</summary>
    public abstract string LockRow { get; }

    /// <summary>Appended to a sub-select that takes due work: rows that another node holds are passed over.</summary>
    public abstract string SkipLocked { get; }

    /// <summary>Makes whoever names the same wait until this transaction is over. Nothing to do where there is one writer.</summary>
    public abstract ValueTask AloneWithAsync(string name);

    /// <summary><c>column IN (the texts of parameter N)</c>; give the parameter as <see cref="TextList"/>.</summary>
    public abstract string In(string column, int parameter);

    /// <summary>Whether a column holds the text of parameter N, capitals as they are; quicker than a pattern.</summary>
    public abstract string Holds(string column, string parameter);

    /// <summary>Whether a column ends with the text of parameter N.</summary>
    public abstract string EndsWith(string column, string parameter);

    /// <summary>A list of texts as one parameter.</summary>
    public abstract object TextList(IEnumerable<string> texts);

    /// <summary>A list of whole numbers as one parameter, for <see cref="In"/>.</summary>
    public abstract object NumberList(IEnumerable<long> numbers);

    /// <summary>Whether rows cost next to nothing to read, because no network lies between.</summary>
    public virtual bool IsNear => false;

    /// <summary>Reads rows of two whole numbers until there are none left, or no more is wanted.</summary>
    public virtual async ValueTask NumbersAsync(string sql, Func<long, long, bool> take, params object?[] args)
    {
        var goes = true;
        await ListAsync(sql, row => goes = goes && take(row.GetInt64(0), row.GetInt64(1)), args);
    }

    /// <summary>Runs a statement.</summary>
    /// <returns>How many rows it changed.</returns>
    public abstract ValueTask<int> RunAsync(string sql, params object?[] args);

    /// <summary>Runs a statement that nobody waits for: at the latest before the next one that is waited for, and in order. What it throws is thrown there.</summary>
    /// <remarks>Over a network every statement that is waited for costs a round trip, and a line of writers stands behind it.</remarks>
    public abstract ValueTask LaterAsync(string sql, params object?[] args);

    /// <summary>Runs what was put off.</summary>
    public abstract ValueTask CatchUpAsync();

    /// <summary>Reads every row.</summary>
    public abstract ValueTask<List<T>> ListAsync<T>(string sql, Func<DbDataReader, T> read, params object?[] args);

    /// <summary>Stores facts in their places, as <see cref="LaterAsync"/> does.</summary>
    public abstract ValueTask InsertFactsAsync(IReadOnlyList<PlacedFact> facts);

    /// <summary>Runs several statements without parameters.</summary>
    public abstract ValueTask ScriptAsync(string sql);

    /// <summary>Keeps other nodes from changing the schema until the transaction is over.</summary>
    public abstract ValueTask AloneAsync();

    /// <summary>Reads row by row, however many there are. Nothing else runs on the connection meanwhile.</summary>
    public abstract ValueTask EachAsync(string sql, Func<DbDataReader, ValueTask> act);

    /// <summary>The columns of a table, in order.</summary>
    public abstract ValueTask<List<string>> NamesAsync(string table);

    /// <summary>Lets the statements of this transaction take as long as they need (backup and restore).</summary>
    public abstract ValueTask UnhurriedAsync();

    /// <summary>Takes the guards off the tables until <see cref="GuardsOnAsync"/>, in a transaction: a restore writes rows as they ended, not as they began.</summary>
    public abstract ValueTask GuardsOffAsync(IEnumerable<string> tables);

    /// <summary>Puts the guards back, and lets new rows be numbered after those that are there.</summary>
    public abstract ValueTask GuardsOnAsync(IEnumerable<string> tables);

    /// <summary>Begins a transaction; a writing one waits for other writers of the same file.</summary>
    public abstract ValueTask BeginAsync(bool write);

    public abstract ValueTask SaveAsync();

    public abstract ValueTask ReleaseAsync();

    public abstract ValueTask RollbackToSaveAsync();

    public abstract ValueTask CommitAsync();

    /// <summary>Leaves the transaction if one is open. Never throws: a connection that cannot roll back is marked broken.</summary>
    public abstract ValueTask RollbackAsync();

    /// <summary>Whether the connection can be used again.</summary>
    public abstract bool Usable { get; }

    /// <summary>Whether the transaction that was begun still stands; a full disk ends it behind the writer's back.</summary>
    public abstract bool InTransaction { get; }

    /// <summary>Says in the store's own words what a driver's exception means; null when it is not the driver's.</summary>
    public abstract Exception? Explain(Exception thrown);

    /// <summary>Whether the same work may succeed when it is simply run again (a deadlock, a failed serialization).</summary>
    public abstract bool IsTransient(Exception thrown);

    public abstract ValueTask DisposeAsync();

    /// <summary>The only row; null when there is none.</summary>
    public async ValueTask<T?> OneAsync<T>(string sql, Func<DbDataReader, T> read, params object?[] args)
        where T : class
    {
        var rows = await ListAsync(sql, read, args);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>The first number of the only row; null when there is no row or it holds null.</summary>
    public async ValueTask<long?> NumberAsync(string sql, params object?[] args)
    {
        var rows = await ListAsync(sql, static row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0), args);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>What is bound for an argument.</summary>
    protected static object Bound(object? argument) => argument switch
    {
        null => DBNull.Value,
        DateTimeOffset time => Stored.Micros(time),
        TimeSpan span => Stored.Micros(span),
        bool flag => flag ? 1L : 0L,
        int number => (long)number,
        _ => argument,
    };
}
