namespace Stint.Server.Store;

/// <summary>That somebody is in a provider's group.</summary>
/// <param name="Name">Who, in small letters.</param>
/// <param name="Provider">Name of the provider.</param>
/// <param name="Group"><c>PROVIDER/GROUP</c> in small letters.</param>
internal sealed record ProviderGroup(string Name, string Provider, string Group);

/// <summary>That a provider says something of somebody, for conditions.</summary>
/// <param name="Name">Whom, in small letters.</param>
/// <param name="Provider">Name of the provider.</param>
/// <param name="Attribute">What it is called here.</param>
/// <param name="Value">What it says.</param>
internal sealed record ProviderAttribute(string Name, string Provider, string Attribute, string Value)
{
    /// <summary>As a fact tells it.</summary>
    public override string ToString() => $"{Attribute}={Value}";
}

internal partial class Reads
{
    /// <summary>What providers said of people: of everybody, or of some, by their names in small letters.</summary>
    public ValueTask<List<ProviderAttribute>> ProviderAttributesAsync(IEnumerable<string>? names = null) => names is null
        ? Db.ListAsync("SELECT name, provider, attribute, value FROM provider_attributes ORDER BY name, attribute, provider", ReadProviderAttribute)
        : Db.ListAsync($"SELECT name, provider, attribute, value FROM provider_attributes WHERE {Db.In("name", 1)} ORDER BY name, attribute, provider", ReadProviderAttribute, Db.TextList(names));

    protected static ProviderAttribute ReadProviderAttribute(System.Data.Common.DbDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3));

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

    /// <summary>Notes what a provider says of somebody, in place of what was noted before.</summary>
    /// <param name="name">Whom, in small letters.</param>
    /// <param name="provider">Name of the provider.</param>
    /// <param name="attributes">By their names here.</param>
    /// <param name="until">How long it counts.</param>
    /// <returns>What came and what went, as <c>name=value</c>.</returns>
    public async ValueTask<(IReadOnlyList<string> Added, IReadOnlyList<string> Removed)> TellAttributesAsync(string name, string provider, IReadOnlyDictionary<string, string> attributes, DateTimeOffset until)
    {
        var before = await Db.ListAsync($"SELECT name, provider, attribute, value FROM provider_attributes WHERE name = $1 AND provider = $2 ORDER BY attribute{Lock}", ReadProviderAttribute, name, provider);
        List<ProviderAttribute> told = [.. attributes.Select(one => new ProviderAttribute(name, provider, one.Key, one.Value)).OrderBy(one => one.Attribute, StringComparer.Ordinal)];
        foreach (var gone in before.Except(told))
        {
            await Db.RunAsync("DELETE FROM provider_attributes WHERE name = $1 AND provider = $2 AND attribute = $3", name, provider, gone.Attribute);
        }

        foreach (var one in told)
        {
            await Db.RunAsync(
                "INSERT INTO provider_attributes (name, provider, attribute, value, until) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, provider, attribute) DO UPDATE SET until = excluded.until",
                name, provider, one.Attribute, one.Value, until);
        }

        List<string> added = [.. told.Except(before).Select(one => one.ToString())];
        List<string> removed = [.. before.Except(told).Select(one => one.ToString())];
        if (added.Count > 0 || removed.Count > 0)
        {
            // NB. Also what is new may take something away: a rule that refuses may read it.
            await ChangedAsync("member", DirectoryChange.OfProviders, name, takes: true);
        }

        return (added, removed);
    }

    /// <summary>Ends what providers said of people too long ago.</summary>
    public async ValueTask<List<ProviderAttribute>> LapseAttributesAsync(DateTimeOffset now)
    {
        var over = await Db.ListAsync($"SELECT name, provider, attribute, value FROM provider_attributes WHERE until <= $1 ORDER BY name, provider, attribute{Lock}", ReadProviderAttribute, now);
        foreach (var one in over)
        {
            await Db.RunAsync("DELETE FROM provider_attributes WHERE name = $1 AND provider = $2 AND attribute = $3", one.Name, one.Provider, one.Attribute);
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
