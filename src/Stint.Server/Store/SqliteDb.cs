using System.Data;
using System.Data.Common;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Stint.Server.Store;

/// <summary>A connection to a SQLite file. Statements are prepared once and kept. Every call completes synchronously.</summary>
internal sealed class SqliteDb : Db
{
    // SQLite's primary result codes, sqlite.org "Result and Error Codes".
    private const int Busy = 5, Locked = 6, NoMemory = 7, ReadOnly = 8, Interrupted = 9, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, Constraint = 19, NotADatabase = 26;

    // Extended codes of a constraint: a primary key and a unique index say "it is there already".
    private const int PrimaryKey = 1555, Unique = 2067;

    // sqlite.org "Status Parameters for database connections": pages written, here to the log file.
    private const int CacheWrites = 9;

    // sqlite.org "Configuration Options", SQLITE_CONFIG_MEMSTATUS.
    private const int MemoryStatistics = 9;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private List<string> _guards = [];
    private bool _broken;

    static SqliteDb()
    {
        // What SQLite counts of its memory nobody reads, and all connections wait for one another to count it. Has no
        // effect once somebody has opened a connection.
        Batteries_V2.Init();
        _ = raw.sqlite3_config(MemoryStatistics, 0);
    }

    private SqliteDb(SqliteConnection connection) => _connection = connection;

    public override string LockRow => "";

    public override string SkipLocked => "";

    public override bool Usable => !_broken && _connection.State == ConnectionState.Open;

    public override bool InTransaction => Usable && raw.sqlite3_get_autocommit(_connection.Handle) == 0;

    internal SqliteConnection Connection => _connection;

    /// <summary>How many pages this connection has written since it was asked last.</summary>
    public int PagesWritten()
    {
        _ = raw.sqlite3_db_status(_connection.Handle, CacheWrites, out var pages, out _, 1);
        return pages;
    }

    /// <summary>Copies what was committed from the log file into the database file, as far as no reader stands in the way. Writers go on meanwhile when another connection does it.</summary>
    public void CopyLog() => Run("PRAGMA wal_checkpoint(PASSIVE)", []);

    /// <summary>Opens the file and sets what Stint relies on.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">Whether it may be made, or written.</param>
    /// <param name="durable">Whether a commit is on the disk before it returns.</param>
    public static SqliteDb Open(string path, SqliteOpenMode mode, bool durable)
    {
        var text = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 10 };
        var connection = new SqliteConnection(text.ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = mode == SqliteOpenMode.ReadOnly
                ? "PRAGMA busy_timeout = 10000; PRAGMA query_only = 1; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
                : $"PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = {(durable ? "FULL" : "OFF")}; PRAGMA foreign_keys = ON; "
                    + "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 20000; PRAGMA journal_size_limit = 67108864;";
            command.ExecuteNonQuery();
            return new SqliteDb(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override ValueTask AloneWithAsync(string name) => ValueTask.CompletedTask;

    public override string In(string column, int parameter) => $"{column} IN (SELECT value FROM json_each(${parameter}))";

    public override string Holds(string column, string parameter) => $"instr({column}, {parameter}) > 0";

    public override string EndsWith(string column, string parameter) => $"substr({column}, length({column}) - length({parameter}) + 1) = {parameter} AND length({column}) >= length({parameter})";

    public override object NumberList(IEnumerable<long> numbers) => $"[{string.Join(',', numbers)}]";

    public override bool IsNear => true;

    public override ValueTask NumbersAsync(string sql, Func<long, long, bool> take, params object?[] args)
    {
        var (statement, bound) = Kept(sql, args);
        statement.Each(bound, take);
        return ValueTask.CompletedTask;
    }

    public override object TextList(IEnumerable<string> texts) => JsonSerializer.Serialize(texts.ToList(), TextListJson.Default.ListString);

    public override ValueTask<int> RunAsync(string sql, params object?[] args) => ValueTask.FromResult(Run(sql, args));

    public override ValueTask LaterAsync(string sql, params object?[] args)
    {
        Run(sql, args);
        return ValueTask.CompletedTask;
    }

    /// <summary>Nothing is put off: there is no round trip to save.</summary>
    public override ValueTask CatchUpAsync() => ValueTask.CompletedTask;

    public override ValueTask<List<T>> ListAsync<T>(string sql, Func<DbDataReader, T> read, params object?[] args)
    {
        var rows = new List<T>();
        using var reader = Prepared(sql, args).ExecuteReader();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return ValueTask.FromResult(rows);
    }

    public override ValueTask InsertFactsAsync(IReadOnlyList<PlacedFact> facts)
    {
        foreach (var (fact, request, grant, session) in facts)
        {
            Run(
                "INSERT INTO facts (seq, kind, at, body, leaf, request_id, grant_id, session_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                [fact.Seq, fact.Kind, fact.At, fact.Body, fact.LeafHash.ToArray(), request, grant, session]);
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask ScriptAsync(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
        return ValueTask.CompletedTask;
    }

    /// <summary>One process has the file; nobody else is there.</summary>
    public override ValueTask AloneAsync() => ValueTask.CompletedTask;

    public override async ValueTask EachAsync(string sql, Func<DbDataReader, ValueTask> act)
    {
        await using var reader = Prepared(sql, []).ExecuteReader();
        while (reader.Read())
        {
            await act(reader);
        }
    }

    public override ValueTask<List<string>> NamesAsync(string table) =>
        ListAsync("SELECT name FROM pragma_table_info($1) ORDER BY cid", static row => row.GetString(0), table);

    public override ValueTask UnhurriedAsync() => ValueTask.CompletedTask;

    public override async ValueTask GuardsOffAsync(IEnumerable<string> tables)
    {
        var guards = await ListAsync("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'", static row => (Name: row.GetString(0), Sql: row.GetString(1)));
        foreach (var (name, _) in guards)
        {
            await ScriptAsync($"DROP TRIGGER {name}");
        }

        _guards = [.. guards.Select(guard => guard.Sql)];
    }

    public override async ValueTask GuardsOnAsync(IEnumerable<string> tables)
    {
        foreach (var sql in _guards)
        {
            await ScriptAsync(sql);
        }
    }

    public override ValueTask BeginAsync(bool write) => Say(write ? "BEGIN IMMEDIATE" : "BEGIN");

    public override ValueTask SaveAsync() => Say("SAVEPOINT turn");

    public override ValueTask ReleaseAsync() => Say("RELEASE turn");

    public override ValueTask RollbackToSaveAsync()
    {
        Run("ROLLBACK TO turn", []);
        return Say("RELEASE turn");
    }

    public override ValueTask CommitAsync() => Say("COMMIT");

    public override ValueTask RollbackAsync()
    {
        try
        {
            if (InTransaction)
            {
                Run("ROLLBACK", []);
            }
        }
        catch (SqliteException)
        {
            _broken = true;
        }

        return ValueTask.CompletedTask;
    }

    public override Exception? Explain(Exception thrown) => thrown is not SqliteException problem ? null : problem.SqliteErrorCode switch
    {
        Constraint when problem.SqliteExtendedErrorCode is PrimaryKey or Unique => new StoreConflictException("It is there already: " + problem.Message, problem),
        Constraint => new StoreRefusedException("The store refused a change that must never happen: " + problem.Message, problem),
        Full => new StoreUnavailableException("The disk that the store is on is full. Nothing was changed.", problem),
        ReadOnly => new StoreUnavailableException("The store's file cannot be written.", problem),
        Busy or Locked => new StoreUnavailableException("The store's file is held by another program.", problem),
        NoMemory or Interrupted or InputOutput or CannotOpen => new StoreUnavailableException("The store's file cannot be used: " + problem.Message, problem),
        Corrupt or NotADatabase => new StoreUnavailableException("The store's file is damaged: " + problem.Message, problem),
        _ => null,
    };

    /// <summary>Never: there is one writer, and it waits for its turn.</summary>
    public override bool IsTransient(Exception thrown) => false;

    public override ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes the connection and what was prepared on it.</summary>
    public void Close()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        _commands.Clear();
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        _connection.Dispose();
    }

    private ValueTask Say(string sql)
    {
        Run(sql, []);
        return ValueTask.CompletedTask;
    }

    private int Run(string sql, object?[] args)
    {
        var (statement, bound) = Kept(sql, args);
        return statement.Run(bound);
    }

    private (SqliteStatement Statement, object[] Bound) Kept(string sql, object?[] args)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            statement = new SqliteStatement(_connection.Handle!, sql, args.Length);
            _statements.Add(sql, statement);
        }

        var bound = new object[args.Length];
        for (var i = 0; i < args.Length; i++)
        {
            bound[i] = Bound(args[i]);
        }

        return (statement, bound);
    }

    private SqliteCommand Prepared(string sql, object?[] args)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < args.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = "$" + (i + 1) });
            }

            _commands.Add(sql, command);
        }

        for (var i = 0; i < args.Length; i++)
        {
            command.Parameters[i].Value = Bound(args[i]);
        }

        return command;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(List<string>))]
internal sealed partial class TextListJson : System.Text.Json.Serialization.JsonSerializerContext;
