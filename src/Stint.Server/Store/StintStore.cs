using System.Collections.Concurrent;
using Stint.Core.Audit;

namespace Stint.Server.Store;

/// <summary>The one place where state is kept. Two implementations, <see cref="SqliteStore"/> and <see cref="PostgresStore"/>, mean the same.</summary>
/// <remarks>
/// Writers commit by flat combining. Who finds nobody at work runs and commits on its own thread; who finds somebody
/// stands in line, and the line is committed together: one commit for all, then everybody hears. When one of them fails,
/// all is undone and run again, each under a savepoint of its own, so that it undoes only itself; savepoints from the
/// start would cost every write a copy of each page that it touches. With SQLite every call completes synchronously.
/// </remarks>
internal abstract class StintStore : IAsyncDisposable
{
    private const int MostTogether = 128;

    private readonly ConcurrentQueue<Turn> _line = new();
    private readonly StoreFaults _faults;
    private int _busy;
    private MerkleFrontier? _edge;

    private protected StintStore(StoreFaults? faults) => _faults = faults ?? new StoreFaults();

    /// <summary>Hints that something was committed, here or on another node.</summary>
    public Wakes Wakes { get; } = new();

    /// <summary>For people and metrics: <c>sqlite</c> or <c>postgres</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>Opens the store and brings its schema up to this version. Nothing else works before.</summary>
    /// <exception cref="StoreSetupException">The schema is newer than this program, was edited, or somebody else holds the file.</exception>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    public abstract Task OpenAsync(CancellationToken cancellation);

    /// <summary>Changes the store: all that <paramref name="act"/> does, or nothing.</summary>
    /// <param name="act">No network call and no long computing: others wait. It may run again from the start when the database asks for it (a deadlock), so it changes nothing but the store and what it returns.</param>
    /// <param name="cancellation">Ends the waiting in line. What has begun is not cut short.</param>
    /// <returns>What <paramref name="act"/> returned, once it is durable.</returns>
    /// <exception cref="StoreUnavailableException">Not acknowledged. It did not happen, unless the connection was lost during the commit itself: then nobody knows.</exception>
    public async Task<T> WriteAsync<T>(Func<Work, Task<T>> act, CancellationToken cancellation)
    {
        var turn = new Turn<T>(act, cancellation);
        _line.Enqueue(turn);
        if (Interlocked.CompareExchange(ref _busy, 1, 0) == 0)
        {
            await LeadAsync();
        }

        return await turn.Answer;
    }

    /// <summary>Changes the store, with nothing to tell.</summary>
    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<Work, Task> act, CancellationToken cancellation) => WriteAsync(
        async work =>
        {
            await act(work);
            return true;
        },
        cancellation);

    /// <summary>Reads the store as of one moment.</summary>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    public abstract Task<T> ReadAsync<T>(Func<Reads, Task<T>> act, CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();

    /// <summary>Whether other nodes append to the same log: its edge is then read and locked anew for each transaction.</summary>
    private protected abstract bool SharesLog { get; }

    /// <summary>The connection that writes; opened anew when the last one broke.</summary>
    private protected abstract ValueTask<Db> WriterAsync();

    /// <summary>Called when a commit's callers have heard, while nobody else writes. Must not throw.</summary>
    private protected virtual void Committed()
    {
    }

    /// <summary>Puts wakes for other nodes into the transaction.</summary>
    private protected abstract ValueTask TellOthersAsync(Db db, IReadOnlyCollection<string> wakes);

    /// <summary>Waits until nobody writes, then keeps everybody from it. For closing.</summary>
    private protected async ValueTask StopWritingAsync()
    {
        for (var tries = 0; tries < 5000 && Interlocked.CompareExchange(ref _busy, 1, 0) != 0; tries++)
        {
            await Task.Delay(1);
        }

        while (_line.TryDequeue(out var turn))
        {
            turn.Fail(new StoreUnavailableException("The store is closed."));
        }
    }

    /// <summary>Commits the line's first part on this thread. Whoever came meanwhile is served by the pool: the leader's own answer must not wait for strangers.</summary>
    private async Task LeadAsync()
    {
        await ServeAsync();
        if (!StepDown())
        {
            ThreadPool.UnsafeQueueUserWorkItem(static store => _ = store.DrainAsync(), this, preferLocal: false);
        }
    }

    private async Task DrainAsync()
    {
        do
        {
            if (await ServeAsync() > 1)
            {
                // NB. Those who were answered come again, and others stand before the door: let them into the line first.
                // A commit costs the same for one as for fifty, so that going on at once would be the slower way.
                await Task.Yield();
            }
        }
        while (!StepDown());
    }

    /// <summary>Gives up the lead. False when somebody stands in line and this one leads again.</summary>
    private bool StepDown()
    {
        Volatile.Write(ref _busy, 0);
        Interlocked.MemoryBarrier();
        return _line.IsEmpty || Interlocked.CompareExchange(ref _busy, 1, 0) != 0;
    }

    /// <returns>How many turns were served.</returns>
    private async Task<int> ServeAsync()
    {
        var turns = new List<Turn>(4);
        while (turns.Count < MostTogether && _line.TryDequeue(out var turn))
        {
            if (turn.Begins())
            {
                turns.Add(turn);
            }
        }

        if (turns.Count == 0)
        {
            return 0;
        }

        try
        {
            var apart = false;
            for (var tries = 1; ; tries++)
            {
                switch (await CommitAsync(turns, apart, tries == 5))
                {
                    case Came.Through:
                        turns.ForEach(turn => turn.Answered());
                        Committed();
                        return turns.Count;
                    case Came.Apart:
                        apart = true;
                        tries--;
                        break;
                    case Came.Across:
                        await Task.Delay(Random.Shared.Next(1, 10 * tries));
                        break;
                    default:
                        throw new InvalidOperationException("A commit comes to one of three.");
                }
            }
        }
        catch (Exception problem)
        {
            turns.ForEach(turn => turn.Fail(problem));
            return turns.Count;
        }
    }

    /// <summary>One transaction for all turns.</summary>
    private async Task<Came> CommitAsync(List<Turn> turns, bool apart, bool last)
    {
        Db? db = null;
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        try
        {
            db = await WriterAsync();
            await db.BeginAsync(write: true);
            var log = new LogAppend(db, _edge?.Size ?? 0);
            var wakes = new HashSet<string>(StringComparer.Ordinal);
            foreach (var turn in turns)
            {
                if (!await RunAsync(db, turn, apart, turns.Count == 1, log, wakes))
                {
                    return await ApartAsync(db);
                }
            }

            if (!apart && turns.Count > 1)
            {
                try
                {
                    await db.CatchUpAsync();
                }
                catch (Exception problem) when (!db.IsTransient(problem) && db.Usable && db.InTransaction)
                {
                    return await ApartAsync(db);
                }
            }

            if (turns.TrueForAll(turn => turn.Failed))
            {
                await db.RollbackAsync();
                return Came.Through;
            }

            if (log.Count > 0)
            {
                await log.FinishAsync(SharesLog || _edge is null || log.Replaced ? await LogAppend.EdgeAsync(db, SharesLog) : _edge);
                wakes.Add(Wakes.Audit);
            }

            if (wakes.Count > 0)
            {
                await TellOthersAsync(db, wakes);
            }

            _faults.BeforeCommit?.Invoke();
            await db.CommitAsync();
            if (log.Count > 0)
            {
                StoreMeter.Append.Record(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                StoreMeter.Facts.Add(log.Count);
            }

            _edge = log.Replaced ? null : log.Grown ?? _edge;
            _faults.AfterCommit?.Invoke();
            foreach (var name in wakes)
            {
                Wakes.Wake(name);
            }

            return Came.Through;
        }
        catch (Exception problem)
        {
            _edge = null;
            if (db is not null)
            {
                await db.RollbackAsync();
                if (!last && db.IsTransient(problem))
                {
                    return Came.Across;
                }

                if (db.Explain(problem) is { } explained)
                {
                    throw explained;
                }
            }

            throw;
        }
    }

    private async Task<Came> ApartAsync(Db db)
    {
        _edge = null;
        await db.RollbackAsync();
        return Came.Apart;
    }

    /// <returns>False when it failed among others and nothing keeps what it did apart from theirs.</returns>
    private static async Task<bool> RunAsync(Db db, Turn turn, bool apart, bool alone, LogAppend log, HashSet<string> wakes)
    {
        var work = new Work(db);
        if (apart)
        {
            await db.SaveAsync();
        }

        try
        {
            await turn.RunAsync(work);
            if (apart)
            {
                // NB. Before its facts are taken: what it put off may still fail, and then nothing of it happened.
                await db.CatchUpAsync();
            }

            log.Add(work);
            wakes.UnionWith(work.Woken);
            if (apart)
            {
                await db.ReleaseAsync();
            }

            return true;
        }
        catch (Exception problem) when (!db.IsTransient(problem) && db.Usable && db.InTransaction && !alone)
        {
            if (!apart)
            {
                return false;
            }

            await db.RollbackToSaveAsync();
            turn.Fails(db.Explain(problem) ?? problem);
            return true;
        }
    }

    /// <summary>What came of a transaction.</summary>
    private enum Came
    {
        /// <summary>Every turn has its answer: it is durable, or it failed alone.</summary>
        Through = 1,

        /// <summary>One turn failed. All is undone and to be run again, each under a savepoint.</summary>
        Apart = 2,

        /// <summary>The database asks to run it all again: it met another node's.</summary>
        Across = 3,
    }
}
