using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Stint.Server.Store;

/// <summary>Where the SQLite store is.</summary>
/// <param name="Path">Its file; made when absent. Beside it stand SQLite's own files and <c>.lock</c>.</param>
internal sealed record SqliteOptions(string Path)
{
    /// <summary>Whether a commit is on the disk before it is acknowledged. False only for tests on a RAM disk.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Most pages of 4 KiB that the file may have; null for no bound.</summary>
    public long? MaxPages { get; init; }
}

/// <summary>The store in one file, for one process.</summary>
internal sealed class SqliteStore(SqliteOptions options, StoreFaults? faults = null) : StintStore(faults)
{
    /// <summary>So many pages of 4 KiB into the log file, they are copied into the database file.</summary>
    private const int CopyAfter = 4000;

    private readonly ConcurrentBag<SqliteDb> _readers = [];
    private Task _copy = Task.CompletedTask;
    private bool _copied;
    private long _pages;
    private SqliteDb? _writer;
    private FileStream? _lock;
    private bool _closed;

    public override string Kind => "sqlite";

    private protected override bool SharesLog => false;

    /// <inheritdoc/>
    public override async Task OpenAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Path))!);
        try
        {
            // NB. SQLite itself would let a second process in; two keepers would then both believe to be the only one.
            _lock = new FileStream(options.Path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException problem)
        {
            throw new StoreSetupException($"Another process uses the store {options.Path}. A SQLite store serves one process; several nodes share a PostgreSQL store.", problem);
        }

        if (!OperatingSystem.IsWindows() && !File.Exists(options.Path))
        {
            await using var made = new FileStream(
                options.Path,
                new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        }

        try
        {
            await Migrations.RunAsync(Write(), "sqlite", cancellation);
        }
        catch (SqliteException problem)
        {
            throw _writer?.Explain(problem) ?? new StoreUnavailableException($"The store {options.Path} cannot be opened: {problem.Message}", problem);
        }
    }

    /// <inheritdoc/>
    public override async Task<T> ReadAsync<T>(Func<Reads, Task<T>> act, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_closed, this);
        SqliteDb? reader = null;
        try
        {
            if (!_readers.TryTake(out reader))
            {
                reader = SqliteDb.Open(options.Path, SqliteOpenMode.ReadOnly, options.Durable);
            }

            await reader.BeginAsync(write: false);
            var result = await act(new Reads(reader));
            await reader.CommitAsync();
            return result;
        }
        catch (SqliteException problem)
        {
            throw reader?.Explain(problem) ?? new StoreUnavailableException("The store's file cannot be read: " + problem.Message, problem);
        }
        finally
        {
            if (reader is not null)
            {
                await reader.RollbackAsync();
                if (reader.Usable && !_closed)
                {
                    _readers.Add(reader);
                }
                else
                {
                    await reader.DisposeAsync();
                }
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        await StopWritingAsync();
        await _copy;
        while (_readers.TryTake(out var reader))
        {
            await reader.DisposeAsync();
        }

        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        if (_lock is not null)
        {
            await _lock.DisposeAsync();
        }
    }

    private protected override ValueTask<Db> WriterAsync()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        return ValueTask.FromResult<Db>(Write());
    }

    private protected override ValueTask TellOthersAsync(Db db, IReadOnlyCollection<string> wakes) => ValueTask.CompletedTask;

    /// <summary>Keeps the log file short without a writer who waits for it.</summary>
    /// <remarks>
    /// NB. Left to SQLite, the commit that fills the log copies all of it: some hundred milliseconds in which everybody
    /// waits. So another connection copies the bulk, and the writer then only what was committed meanwhile, for only then
    /// can the log begin anew at its start. The automatic copy stays as a backstop, at a length that is not reached.
    /// </remarks>
    private protected override void Committed()
    {
        if (_writer is not { Usable: true } writer || (_pages += writer.PagesWritten()) < CopyAfter || !_copy.IsCompleted)
        {
            return;
        }

        if (_copied)
        {
            (_copied, _pages) = (false, 0);
            TryCopy(writer);
            return;
        }

        _copied = true;
        _copy = Task.Factory.StartNew(Copy, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Copy()
    {
        SqliteDb? db = null;
        try
        {
            db = SqliteDb.Open(options.Path, SqliteOpenMode.ReadWrite, options.Durable);
            TryCopy(db);
        }
        catch (SqliteException)
        {
            // It cannot be opened just now; the writer does it all at the next commit.
        }
        finally
        {
            db?.Close();
        }
    }

    private static void TryCopy(SqliteDb db)
    {
        try
        {
            db.CopyLog();
        }
        catch (SqliteException)
        {
            // NB. What was committed is durable in the log file, and stays there. A full or broken disk meets the next
            // commit too, and is told to somebody who can be told.
        }
    }

    private SqliteDb Write()
    {
        if (_writer is { Usable: true })
        {
            return _writer;
        }

        _writer?.Close();
        _writer = SqliteDb.Open(options.Path, SqliteOpenMode.ReadWriteCreate, options.Durable);
        if (options.MaxPages is { } pages)
        {
            using var command = _writer.Connection.CreateCommand();
            command.CommandText = $"PRAGMA max_page_count = {pages}";
            command.ExecuteNonQuery();
        }

        return _writer;
    }
}
