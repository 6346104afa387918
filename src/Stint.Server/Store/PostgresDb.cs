using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace Stint.Server.Store;

/// <summary>A connection to PostgreSQL. Statements are prepared by Npgsql once they were used twice.</summary>
internal sealed class PostgresDb(NpgsqlConnection connection) : Db
{
    // Names one lock of this database for the time that the schema is changed.
    private const long SchemaLock = 0x7374696E74;

    private readonly List<NpgsqlBatchCommand> _later = [];

    public override string LockRow => " FOR NO KEY UPDATE";

    public override string SkipLocked => " FOR NO KEY UPDATE SKIP LOCKED";

    public override bool Usable => connection.FullState is System.Data.ConnectionState.Open;

    public override bool InTransaction => Transaction is not null;

    internal NpgsqlConnection Connection => connection;

    private NpgsqlTransaction? Transaction { get; set; }

    public override async ValueTask AloneWithAsync(string name) => await RunAsync("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name);

    public override string In(string column, int parameter) => $"{column} = ANY(${parameter})";

    public override string Holds(string column, string parameter) => $"strpos({column}, {parameter}) > 0";

    public override string EndsWith(string column, string parameter) => $"right({column}, length({parameter})) = {parameter} AND length({column}) >= length({parameter})";

    public override object TextList(IEnumerable<string> texts) => texts.ToArray();

    public override object NumberList(IEnumerable<long> numbers) => numbers.ToArray();

    public override ValueTask LaterAsync(string sql, params object?[] args)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var arg in args)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Bound(arg) });
        }

        _later.Add(command);
        return ValueTask.CompletedTask;
    }

    public override async ValueTask CatchUpAsync()
    {
        if (_later.Count == 0)
        {
            return;
        }

        await using var batch = new NpgsqlBatch(connection, Transaction);
        foreach (var command in _later)
        {
            batch.BatchCommands.Add(command);
        }

        _later.Clear();
        await batch.ExecuteNonQueryAsync();
    }

    public override async ValueTask<int> RunAsync(string sql, params object?[] args)
    {
        await CatchUpAsync();
        await using var command = Command(sql, args);
        return await command.ExecuteNonQueryAsync();
    }

    public override async ValueTask<List<T>> ListAsync<T>(string sql, Func<DbDataReader, T> read, params object?[] args)
    {
        await CatchUpAsync();
        await using var command = Command(sql, args);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    public override ValueTask InsertFactsAsync(IReadOnlyList<PlacedFact> facts)
    {
        var command = new NpgsqlBatchCommand(
            "INSERT INTO facts (seq, kind, at, body, leaf, request_id, grant_id, session_id) "
            + "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)");
        Add(NpgsqlDbType.Bigint, facts.Select(fact => fact.Sealed.Seq).ToArray());
        Add(NpgsqlDbType.Text, facts.Select(fact => fact.Sealed.Kind).ToArray());
        Add(NpgsqlDbType.Bigint, facts.Select(fact => Stored.Micros(fact.Sealed.At)).ToArray());
        Add(NpgsqlDbType.Text, facts.Select(fact => fact.Sealed.Body).ToArray());
        Add(NpgsqlDbType.Bytea, facts.Select(fact => fact.Sealed.LeafHash.ToArray()).ToArray());
        Add(NpgsqlDbType.Text, facts.Select(fact => fact.Request).ToArray());
        Add(NpgsqlDbType.Text, facts.Select(fact => fact.Grant).ToArray());
        Add(NpgsqlDbType.Text, facts.Select(fact => fact.Session).ToArray());
        _later.Add(command);
        return ValueTask.CompletedTask;

        void Add(NpgsqlDbType type, Array values) =>
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values });
    }

    public override async ValueTask ScriptAsync(string sql)
    {
        await CatchUpAsync();
        await using var command = new NpgsqlCommand(sql, connection, Transaction);
        await command.ExecuteNonQueryAsync();
    }

    public override async ValueTask AloneAsync() => await RunAsync("SELECT pg_advisory_xact_lock($1)", SchemaLock);

    public override async ValueTask EachAsync(string sql, Func<DbDataReader, ValueTask> act)
    {
        await CatchUpAsync();
        await using var command = Command(sql, []);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            await act(reader);
        }
    }

    public override ValueTask<List<string>> NamesAsync(string table) => ListAsync(
        "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
        static row => row.GetString(0),
        table);

    public override ValueTask UnhurriedAsync() => ScriptAsync("SET LOCAL statement_timeout = 0");

    public override async ValueTask GuardsOffAsync(IEnumerable<string> tables)
    {
        foreach (var table in tables)
        {
            await ScriptAsync($"ALTER TABLE {table} DISABLE TRIGGER USER");
        }
    }

    public override async ValueTask GuardsOnAsync(IEnumerable<string> tables)
    {
        foreach (var table in tables)
        {
            await ScriptAsync($"ALTER TABLE {table} ENABLE TRIGGER USER");
            if (await OneAsync("SELECT pg_get_serial_sequence($1, column_name) FROM information_schema.columns "
                    + "WHERE table_schema = current_schema() AND table_name = $1 AND is_identity = 'YES'", static row => row.GetString(0), table) is { } sequence)
            {
                await ListAsync($"SELECT setval($1::text::regclass, COALESCE(MAX(seq), 0) + 1, false) FROM {table}", static row => row.GetInt64(0), sequence);
            }
        }
    }

    public override async ValueTask BeginAsync(bool write) =>
        Transaction = await connection.BeginTransactionAsync(write ? System.Data.IsolationLevel.ReadCommitted : System.Data.IsolationLevel.RepeatableRead);

    public override async ValueTask SaveAsync()
    {
        await CatchUpAsync();
        await Transaction!.SaveAsync("turn");
    }

    public override async ValueTask ReleaseAsync()
    {
        await CatchUpAsync();
        await Transaction!.ReleaseAsync("turn");
    }

    public override async ValueTask RollbackToSaveAsync()
    {
        _later.Clear();
        await Transaction!.RollbackAsync("turn");
        await Transaction!.ReleaseAsync("turn");
    }

    public override async ValueTask CommitAsync()
    {
        await CatchUpAsync();
        await Transaction!.CommitAsync();
        await EndAsync();
    }

    public override async ValueTask RollbackAsync()
    {
        _later.Clear();
        if (Transaction is null)
        {
            return;
        }

        try
        {
            await Transaction.RollbackAsync();
        }
        catch (Exception problem) when (problem is NpgsqlException or InvalidOperationException or IOException)
        {
            // The connection is gone, and the server undoes what was not committed.
            await connection.CloseAsync();
        }

        await EndAsync();
    }

    public override Exception? Explain(Exception thrown) => thrown switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } problem =>
            new StoreConflictException("It is there already: " + problem.MessageText, problem),
        PostgresException { SqlState: PostgresErrorCodes.RaiseException } problem =>
            new StoreRefusedException("The store refused a change that must never happen: " + problem.MessageText, problem),
        PostgresException problem when problem.SqlState.StartsWith("23", StringComparison.Ordinal) =>
            new StoreRefusedException("The store refused a change that must never happen: " + problem.MessageText, problem),
        PostgresException problem when problem.SqlState.StartsWith("22", StringComparison.Ordinal) =>
            new StoreRefusedException("The store cannot hold this value: " + problem.MessageText, problem),
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } problem =>
            new StoreUnavailableException("The store's database took too long to answer.", problem),

        // 08 connection, 40 rollback, 53 resources, 57 operator, 58 system: nobody's mistake, and it may pass.
        PostgresException problem when problem.SqlState[..2] is "08" or "40" or "53" or "57" or "58" =>
            new StoreUnavailableException("The store's database says: " + problem.MessageText, problem),
        PostgresException => null,
        NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException =>
            new StoreUnavailableException("The store's database does not answer: " + thrown.Message, thrown),
        _ => null,
    };

    public override bool IsTransient(Exception thrown) =>
        thrown is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    public override async ValueTask DisposeAsync()
    {
        await EndAsync();
        await connection.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, object?[] args)
    {
        var command = new NpgsqlCommand(sql, connection, Transaction);
        foreach (var arg in args)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Bound(arg) });
        }

        return command;
    }

    private async ValueTask EndAsync()
    {
        if (Transaction is { } done)
        {
            Transaction = null;
            await done.DisposeAsync();
        }
    }
}
