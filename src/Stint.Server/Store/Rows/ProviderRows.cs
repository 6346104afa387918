namespace Stint.Server.Store;

/// <summary>That somebody is in a provider's group.</summary>
/// <param name="Name">Who, in small letters.</param>
/// <param name="Provider">Name of the provider.</param>
/// <param name="Group"><c>PROVIDER/GROUP</c> in small letters.</param>
internal sealed record ProviderGroup(string Name, string Provider, string Group);

internal partial class Reads
{
    /// <summary>What providers said of groups: of everybody, or of some, by their names in small letters.</summary>
    public ValueTask<List<ProviderGroup>> ProviderGroupsAsync(IEnumerable<string>? names = null) => names is null
        ? Db.ListAsync("SELECT name, provider, group_key FROM provider_groups", ReadProviderGroup)
        : Db.ListAsync($"SELECT name, provider, group_key FROM provider_groups WHERE {Db.In("name", 1)}", ReadProviderGroup, Db.TextList(names));

    /// <summary>Whether the directory knows somebody of a name in small letters.</summary>
    public async ValueTask<bool> IsInDirectoryAsync(string name) => await Db.NumberAsync("SELECT COUNT(*) FROM directory_users WHERE user_key = $1", name) > 0;

    protected static ProviderGroup ReadProviderGroup(System.Data.Common.DbDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2));

    /// <summary>Whether a provider's logout was heard before.</summary>
    public async ValueTask<bool> HasLogoutAsync(byte[] mark) => await Db.NumberAsync("SELECT COUNT(*) FROM provider_logouts WHERE mark = $1", mark) > 0;
}

internal sealed partial class Work
{
    /// <summary>Notes in which of a provider's groups somebody is, in place of what was noted before.</summary>
    /// <param name="name">Who, in small letters.</param>
    /// <param name="provider">Name of the provider.</param>
    /// <param name="groups"><c>PROVIDER/GROUP</c> each, in small letters.</param>
    /// <param name="until">How long it counts.</param>
    /// <returns>What came and what went.</returns>
    public async ValueTask<(IReadOnlyList<string> Added, IReadOnlyList<string> Removed)> TellGroupsAsync(string name, string provider, IReadOnlyCollection<string> groups, DateTimeOffset until)
    {
        var before = await Db.ListAsync($"SELECT group_key FROM provider_groups WHERE name = $1 AND provider = $2 ORDER BY group_key{Lock}", static row => row.GetString(0), name, provider);
        foreach (var group in before.Except(groups))
        {
            await Db.RunAsync("DELETE FROM provider_groups WHERE name = $1 AND provider = $2 AND group_key = $3", name, provider, group);
        }

        foreach (var group in groups)
        {
            await Db.RunAsync("INSERT INTO provider_groups (name, provider, group_key, until) VALUES ($1, $2, $3, $4) ON CONFLICT (name, provider, group_key) DO UPDATE SET until = excluded.until", name, provider, group, until);
        }

        List<string> added = [.. groups.Except(before)];
        List<string> removed = [.. before.Except(groups)];
        if (added.Count > 0 || removed.Count > 0)
        {
            await ChangedAsync("member", DirectoryChange.OfProviders, name, takes: removed.Count > 0);
        }

        return (added, removed);
    }

    /// <summary>Ends what providers said too long ago.</summary>
    public async ValueTask<List<ProviderGroup>> LapseGroupsAsync(DateTimeOffset now)
    {
        var over = await Db.ListAsync($"SELECT name, provider, group_key FROM provider_groups WHERE until <= $1 ORDER BY name, provider, group_key{Lock}", ReadProviderGroup, now);
        foreach (var one in over)
        {
            await Db.RunAsync("DELETE FROM provider_groups WHERE name = $1 AND provider = $2 AND group_key = $3", one.Name, one.Provider, one.Group);
        }

        foreach (var name in over.Select(one => one.Name).Distinct())
        {
            await ChangedAsync("member", DirectoryChange.OfProviders, name, takes: true);
        }

        return over;
    }

    /// <summary>Notes that a provider's logout was heard.</summary>
    /// <param name="mark">Names it.</param>
    /// <param name="until">When it is too old to be heard again.</param>
    public ValueTask<int> KeepLogoutAsync(byte[] mark, DateTimeOffset until) => Db.RunAsync("INSERT INTO provider_logouts (mark, kept_until) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING", mark, until);

    /// <summary>Forgets those that are too old to be heard again.</summary>
    public ValueTask<int> ForgetLogoutsAsync(DateTimeOffset now) => Db.RunAsync("DELETE FROM provider_logouts WHERE kept_until <= $1", now);
}
