using System.Text.Json;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>What the facts say of the directory's people and groups, of those who were sent away here, and of what providers told.</summary>
/// <remarks>Attributes of the directory stand in no fact, and are not held against any. A fact that names some of many leaves open who else is in a group: its members are then not held either.</remarks>
internal sealed class DirectorySaid
{
    private readonly Dictionary<string, (string Name, string State, long Version)> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _groupsOf = new(StringComparer.Ordinal);
    private readonly HashSet<string> _untold = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _called = new(StringComparer.Ordinal);
    private readonly HashSet<string> _away = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _told = new(StringComparer.Ordinal);

    public void Take(FactBody body)
    {
        switch (body.Kind)
        {
            case FactKinds.UserProvisioned or FactKinds.UserChanged when body.Text("user") is { } user && body.Text("subject") is { } name:
                Forget(user);
                _users[user] = (name, body.Text("state") ?? "", body.Number("version") ?? 0);
                _called[DirectoryPeople.Key(name)] = user;

                // From then on the directory says what is known of them, and no provider.
                _told.Remove(DirectoryPeople.Key(name));
                break;
            case FactKinds.UserRemoved when body.Text("user") is { } user:
                Forget(user);
                _users.Remove(user);
                Out(user);
                break;
            case FactKinds.GroupProvisioned or FactKinds.GroupChanged when body.Text("group") is { } group && body.Text("name") is { } name:
                if (_groups.TryGetValue(group, out var before))
                {
                    _called.Remove(Group(before));
                }

                _groups[group] = name;
                _called[Group(name)] = group;
                Changed(group, Names(body, "added"), Names(body, "removed"), body.Number("count") ?? 0);
                break;
            case FactKinds.GroupRemoved when body.Text("group") is { } group:
                if (_groups.Remove(group, out var gone))
                {
                    _called.Remove(Group(gone));
                }

                foreach (var member in _members.Remove(group, out var members) ? members : [])
                {
                    _groupsOf.GetValueOrDefault(member)?.Remove(group);
                }

                Out(group);
                break;
            case FactKinds.PersonOffboarded when body.Text("subject") is { } person:
                _away.Add(DirectoryPeople.Key(person));
                break;
            case FactKinds.PersonRestored when body.Text("subject") is { } person:
                _away.Remove(DirectoryPeople.Key(person));
                break;
            case FactKinds.ProviderGroupsTold or FactKinds.ProviderAttributesTold when body.Text("subject") is { } person && body.Text("via") is { } via:
                var told = Put(_told, DirectoryPeople.Key(person));
                var of = body.Kind == FactKinds.ProviderAttributesTold ? $"{via[(via.IndexOf(':', StringComparison.Ordinal) + 1)..]} " : "";
                told.ExceptWith(Names(body, "removed").Select(one => of + one));
                told.UnionWith(Names(body, "added").Select(one => of + one));
                break;
            default:
                break;
        }
    }

    /// <summary>What differs in the store, as the row and a sentence.</summary>
    /// <param name="reads">The store, as of one moment with the facts.</param>
    /// <param name="find">Hears of each difference.</param>
    /// <returns>How many rows were held against the facts.</returns>
    public async Task<long> CheckAsync(Reads reads, Action<string, string> find)
    {
        var users = await reads.DirectoryStandsAsync();
        foreach (var (id, name, active, version) in users)
        {
            var state = active ? "active" : "inactive";
            if (!_users.Remove(id, out var said))
            {
                find(id, $"The directory here has {name} ({id}), and no fact says where they came from.");
            }
            else if (said != (name, state, version))
            {
                find(id, $"{id} is {name}, {state}, version {version} in the directory here; the last fact says {said.Name}, {said.State}, version {said.Version}.");
            }
        }

        foreach (var (id, said) in _users)
        {
            find(id, $"The log speaks of {said.Name} ({id}) in the directory, and the store has no such person.");
        }

        var groups = await reads.HeldGroupsAsync();
        var members = (await reads.DirectoryMemberLinesAsync()).ToLookup(line => line.Group, line => line.Member, StringComparer.Ordinal);
        foreach (var group in groups)
        {
            if (!_groups.Remove(group.Id, out var said))
            {
                find(group.Id, $"The directory here has the group {group.DisplayName} ({group.Id}), and no fact says where it came from.");
                continue;
            }

            if (said != group.DisplayName)
            {
                find(group.Id, $"The group {group.Id} is called {group.DisplayName} in the store; its last fact says {said}.");
            }

            if (!_untold.Contains(group.Id) && !Put(_members, group.Id).SetEquals(members[group.Id]))
            {
                find(group.Id, $"The members of the group {group.DisplayName} ({group.Id}) are not those that its facts say.");
            }
        }

        foreach (var (id, name) in _groups)
        {
            find(id, $"The log speaks of the group {name} ({id}) in the directory, and the store has no such group.");
        }

        var away = await reads.OffboardedNamesAsync();
        foreach (var name in _away.Except(away))
        {
            find(name, $"{name} was sent away by the log, and is not away in the store.");
        }

        foreach (var name in away.Except(_away))
        {
            find(name, $"{name} is away in the store, and no fact says who sent them.");
        }

        var told = (await reads.ProviderGroupsAsync()).Select(one => (one.Name, Says: one.Group)).Concat((await reads.ProviderAttributesAsync()).Select(one => (one.Name, Says: $"{one.Provider} {one}"))).ToLookup(one => one.Name, one => one.Says, StringComparer.Ordinal);
        foreach (var name in told.Select(one => one.Key).Union(_told.Keys).Where(name => !Put(_told, name).SetEquals(told[name])).ToList())
        {
            find(name, $"What providers told of {name} is not in the store what the facts say.");
        }

        return users.Count + groups.Count + away.Count + told.Count;
    }

    private void Changed(string group, List<string> added, List<string> removed, long count)
    {
        if (added.Count + removed.Count != count || added.Concat(removed).Any(name => !_called.ContainsKey(name)))
        {
            _untold.Add(group);
            return;
        }

        foreach (var member in removed.Select(name => _called[name]))
        {
            Put(_members, group).Remove(member);
            _groupsOf.GetValueOrDefault(member)?.Remove(group);
        }

        foreach (var member in added.Select(name => _called[name]))
        {
            Put(_members, group).Add(member);
            Put(_groupsOf, member).Add(group);
        }
    }

    /// <summary>Whoever is gone is in no group.</summary>
    private void Out(string member)
    {
        foreach (var group in _groupsOf.Remove(member, out var groups) ? groups : [])
        {
            _members[group].Remove(member);
        }
    }

    private void Forget(string user)
    {
        if (_users.TryGetValue(user, out var before) && DirectoryPeople.Key(before.Name) is var key && _called.GetValueOrDefault(key) == user)
        {
            _called.Remove(key);
        }
    }

    private static string Group(string name) => $"group:{DirectoryPeople.Key(name)}";

    private static HashSet<string> Put(Dictionary<string, HashSet<string>> all, string key)
    {
        if (!all.TryGetValue(key, out var one))
        {
            all[key] = one = new HashSet<string>(StringComparer.Ordinal);
        }

        return one;
    }

    private static List<string> Names(FactBody body, string field) => body.Find(field) is { ValueKind: JsonValueKind.Array } names
        ? [.. names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)]
        : [];
}
