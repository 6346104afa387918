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
    private readonly ConcurrentBag<SqliteDb> _readers = [];
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
        _closed = true;
        await StopWritingAsync();
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

    private SqliteDb Write()
    {
        if (_writer is { Usable: true })
        {
            return _writer;
        }

        _writer?.Connection.Dispose();
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
