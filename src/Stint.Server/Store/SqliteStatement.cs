using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Stint.Server.Store;

/// <summary>A prepared statement that gives no rows, or whole numbers alone, on SQLite's own interface.</summary>
/// <remarks>The provider's command makes a reader and an enumerator for each run; a write of some ten statements feels it.</remarks>
internal sealed class SqliteStatement : IDisposable
{
    private const int OnStack = 1024;

    private readonly sqlite3 _db;
    private readonly sqlite3_stmt _statement;

    // Place in the statement of $1, $2 …; 0 for one that it does not mention.
    private readonly int[] _places;

    /// <exception cref="SqliteException">The statement cannot be prepared.</exception>
    public SqliteStatement(sqlite3 db, string sql, int parameters)
    {
        _db = db;
        Check(raw.sqlite3_prepare_v2(db, sql, out _statement));
        _places = [.. Enumerable.Range(1, parameters).Select(n => raw.sqlite3_bind_parameter_index(_statement, "$" + n.ToString(CultureInfo.InvariantCulture)))];
    }

    /// <summary>Runs it to its end.</summary>
    /// <param name="args">Texts, whole numbers, bytes or <see cref="DBNull"/>, in the order of <c>$1, $2 …</c>.</param>
    /// <returns>How many rows the last change of this connection touched.</returns>
    /// <exception cref="SqliteException">The database says no.</exception>
    public int Run(ReadOnlySpan<object> args)
    {
        BindAll(args);
        int code;
        do
        {
            code = raw.sqlite3_step(_statement);
        }
        while (code == raw.SQLITE_ROW);

        try
        {
            if (code != raw.SQLITE_DONE)
            {
                // NB. Thrown before the reset: the message belongs to the failed step.
                Check(code);
            }
        }
        finally
        {
            _ = raw.sqlite3_reset(_statement);
        }

        return raw.sqlite3_changes(_db);
    }

    /// <summary>Reads rows of two whole numbers until there are none left, or no more is wanted.</summary>
    /// <inheritdoc cref="Run"/>
    public void Each(ReadOnlySpan<object> args, Func<long, long, bool> take)
    {
        BindAll(args);
        try
        {
            int code;
            do
            {
                code = raw.sqlite3_step(_statement);
            }
            while (code == raw.SQLITE_ROW && take(raw.sqlite3_column_int64(_statement, 0), raw.sqlite3_column_int64(_statement, 1)));

            if (code is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
            {
                Check(code);
            }
        }
        finally
        {
            _ = raw.sqlite3_reset(_statement);
        }
    }

    public void Dispose() => _statement.Dispose();

    private void BindAll(ReadOnlySpan<object> args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            if (_places[i] > 0)
            {
                Check(Bind(_places[i], args[i]));
            }
        }
    }

    private int Bind(int place, object value) => value switch
    {
        DBNull => raw.sqlite3_bind_null(_statement, place),
        string { Length: 0 } => raw.sqlite3_bind_text(_statement, place, ""),
        string text => Bind(place, text),
        long number => raw.sqlite3_bind_int64(_statement, place, number),
        byte[] { Length: 0 } => raw.sqlite3_bind_zeroblob(_statement, place, 0),
        byte[] bytes => raw.sqlite3_bind_blob(_statement, place, bytes),
        _ => throw new ArgumentException($"The store has no form for a {value.GetType().Name}.", nameof(value)),
    };

    private int Bind(int place, string text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var rented = most <= OnStack ? null : ArrayPool<byte>.Shared.Rent(most);
        Span<byte> bytes = rented is null ? stackalloc byte[OnStack] : rented;
        var code = raw.sqlite3_bind_text(_statement, place, bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }

        return code;
    }

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, _db);
}
