namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>Whether the values of every user are kept: those who came before there were values are read once.</summary>
    public async ValueTask<bool> AllValuedAsync() => await Db.NumberAsync("SELECT 1 FROM directory_bodies WHERE valued = 0 LIMIT 1") is null;

    /// <summary>Some whose values are not kept yet, with their bodies.</summary>
    public ValueTask<List<(string Id, string Body)>> UnvaluedAsync(int limit) =>
        Db.ListAsync("SELECT user_id, body FROM directory_bodies WHERE valued = 0 LIMIT $1", static row => (row.GetString(0), row.GetString(1)), limit);
}

internal sealed partial class Work
{
    /// <summary>Keeps the values of somebody who came before there were any.</summary>
    public async ValueTask ValuedAsync(string id, IReadOnlyList<DirectoryValue> values)
    {
        await ValuesAsync(id, values);
        await Db.LaterAsync("UPDATE directory_bodies SET valued = 1 WHERE user_id = $1", id);
    }

    private async ValueTask ValuesAsync(string id, IReadOnlyList<DirectoryValue> values)
    {
        await Db.LaterAsync("DELETE FROM directory_values WHERE user_seq = (SELECT seq FROM directory_users WHERE id = $1)", id);
        await InsertValuesAsync(id, values);
    }

    private async ValueTask InsertValuesAsync(string id, IReadOnlyList<DirectoryValue> values)
    {
        foreach (var value in values)
        {
            await Db.LaterAsync(
                "INSERT INTO directory_values (path, key, user_seq, item, chosen) SELECT $1, $2, seq, $3, $4 FROM directory_users WHERE id = $5",
                value.Path,
                value.Key,
                value.Item,
                value.Chosen,
                id);
        }
    }
}
