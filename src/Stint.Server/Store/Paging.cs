namespace Stint.Server.Store;

/// <summary>Which part of a list is wanted, newest first.</summary>
/// <param name="Limit">At most this many; 1 to 1,000.</param>
/// <param name="Before">The <see cref="Paged{T}.Next"/> of the page before; null for the first.</param>
internal sealed record Page(int Limit = 100, long? Before = null);

/// <summary>A part of a list.</summary>
/// <param name="Items">The rows, newest first.</param>
/// <param name="Next">Give it as <see cref="Page.Before"/> for the next part; null when this is the last.</param>
internal sealed record Paged<T>(IReadOnlyList<T> Items, long? Next);

/// <summary>Puts together the conditions of a list.</summary>
internal sealed class Where
{
    private readonly List<string> _conditions = [];
    private readonly List<object?> _args = [];

    /// <summary>Adds a condition when there is a value; <c>?</c> stands for it.</summary>
    public Where And(string condition, object? value)
    {
        if (value is not null)
        {
            _args.Add(value);
            _conditions.Add(condition.Replace("?", $"${_args.Count}", StringComparison.Ordinal));
        }

        return this;
    }

    /// <summary>Adds a condition without a value when it is wanted.</summary>
    public Where When(bool wanted, string condition)
    {
        if (wanted)
        {
            _conditions.Add(condition);
        }

        return this;
    }

    /// <summary>Reads one page of a table that has a <c>seq</c>.</summary>
    public async ValueTask<Paged<T>> PageAsync<T>(Db db, string columns, string table, Func<System.Data.Common.DbDataReader, T> read, Page page)
    {
        var limit = Math.Clamp(page.Limit, 1, 1000);
        And("seq < ?", page.Before);
        var where = _conditions.Count == 0 ? "" : " WHERE " + string.Join(" AND ", _conditions);
        var rows = await db.ListAsync(
            $"SELECT {columns}, seq FROM {table}{where} ORDER BY seq DESC LIMIT ${_args.Count + 1}",
            row => (Seq: row.GetInt64(row.FieldCount - 1), Item: read(row)),
            [.. _args, limit + 1]);
        var more = rows.Count > limit;
        return new Paged<T>([.. rows.Take(limit).Select(row => row.Item)], more ? rows[limit - 1].Seq : null);
    }
}
