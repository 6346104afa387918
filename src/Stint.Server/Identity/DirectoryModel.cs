using System.Collections.Frozen;
using System.Text.Json;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>The directory in memory, kept up with change by change: with a hundred thousand people it is not read anew for one.</summary>
internal sealed class DirectoryModel
{
    /// <summary>From how many changes on everything is read anew.</summary>
    private const int MostChanges = 5_000;

    private readonly Dictionary<string, DirectoryLine> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Person> _people = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, bool>> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _groupsOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyCollection<SubjectId>> _flat = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ProviderAttribute>> _said = new(StringComparer.Ordinal);
    private bool _renamed;
    private FrozenSet<string> _left = FrozenSet<string>.Empty;

    /// <summary>The number of the last change in it; -1 before the first reading.</summary>
    public long Number { get; private set; } = -1;

    /// <summary>Reads what changed since.</summary>
    /// <returns>Those changes; null when everything was read anew.</returns>
    public async Task<IReadOnlyList<DirectoryChange>?> ReadAsync(Reads reads)
    {
        var last = await reads.DirectoryNumberAsync();
        if (last == Number)
        {
            return [];
        }

        if (Number < 0 || last < Number || last - Number > MostChanges || await reads.OldestDirectoryNumberAsync() > Number + 1)
        {
            await ReadAllAsync(reads);
            Number = last;
            return null;
        }

        var changes = await reads.DirectoryChangesAsync(Number, MostChanges);
        await ReadUsersAsync(reads, [.. changes.Where(change => change.Kind == "user").Select(change => change.Id).Distinct()]);
        await ReadGroupsAsync(reads, [.. changes.Where(change => change.Kind == "group").Select(change => change.Id).Distinct()]);
        await ReadToldAsync(reads, [.. changes.Where(change => change.IsOfProviders).Select(change => change.Member!).Distinct()]);
        foreach (var group in changes.Where(change => change.Kind == "member" && !change.IsOfProviders).GroupBy(change => change.Id, StringComparer.Ordinal))
        {
            List<string> touched = [.. group.Select(change => change.Member!).Distinct()];
            var there = (await reads.DirectoryMemberLinesAsync(group.Key, touched)).ToDictionary(line => line.Member, line => line.IsGroup, StringComparer.Ordinal);
            foreach (var member in touched)
            {
                Put(group.Key, member, there.TryGetValue(member, out var isGroup) ? isGroup : null);
            }
        }

        if (changes.Any(change => change.Kind is "left" or "offboarded"))
        {
            _left = (await reads.LeftNamesAsync()).ToFrozenSet(StringComparer.Ordinal);
        }

        Number = last;
        return changes;
    }

    /// <summary>What it holds, as policies see it; later changes do not change it.</summary>
    public DirectoryPeople People()
    {
        var groups = new Dictionary<string, IReadOnlyCollection<SubjectId>>(_groups.Count, StringComparer.Ordinal);
        foreach (var (id, key) in _groups)
        {
            groups[key] = Flat(id);
        }

        // NB. Of whom the directory knows, it alone says in which groups they are. Who was only made here is not of the directory.
        bool IsOfDirectory(string name) => _people.ContainsKey(name) && !_users.ContainsKey($"local:{name}");
        foreach (var (group, members) in _told.Where(one => !IsOfDirectory(one.Key)).SelectMany(one => one.Value.Select(group => (Group: group, Member: new SubjectId(one.Key)))).GroupBy(one => one.Group, one => one.Member, StringComparer.Ordinal).Select(told => (told.Key, told)))
        {
            groups[group] = [.. members, .. groups.GetValueOrDefault(group) ?? []];
        }

        // Somebody may be another's manager under a new name, or come after whom they manage.
        foreach (var line in _users.Values.Where(_ => _renamed))
        {
            if (_people[line.Key] is var person && ManagerOf(line) is var manager && person.Manager != manager)
            {
                _people[line.Key] = person with { Manager = manager };
            }
        }

        _renamed = false;

        return new DirectoryPeople
        {
            People = new Dictionary<string, Person>(_people, StringComparer.Ordinal),
            Groups = groups,
            Left = _left,
            Said = _said.Where(one => !IsOfDirectory(one.Key)).ToDictionary(one => one.Key, one => Agreed(one.Value), StringComparer.Ordinal),
        };
    }

    /// <summary>What providers say of one person. NB. Where two say it differently, neither counts.</summary>
    private static FrozenDictionary<string, string> Agreed(List<ProviderAttribute> said) => said.GroupBy(one => one.Attribute, StringComparer.Ordinal)
        .Where(group => group.Select(one => one.Value).Distinct(StringComparer.Ordinal).Count() == 1)
        .ToFrozenDictionary(group => group.Key, group => group.First().Value, StringComparer.Ordinal);

    /// <summary>Whom changes are about, as they are called; null for possibly everybody.</summary>
    public IReadOnlySet<SubjectId>? About(IEnumerable<DirectoryChange> changes)
    {
        var about = new HashSet<SubjectId>();
        foreach (var change in changes.Where(change => change.Takes))
        {
            switch (change.Kind)
            {
                case "user" when _users.TryGetValue(change.Id, out var line):
                    about.Add(new SubjectId(line.Key));
                    break;
                case "member" when _users.TryGetValue(change.Member!, out var line):
                    about.Add(new SubjectId(line.Key));
                    break;
                case "member" when change.IsOfProviders:
                    about.Add(new SubjectId(change.Member!));
                    break;
                case "user" or "left" or "offboarded":
                    // Gone as a whole: nobody asks any rule about them.
                    break;
                default:
                    return null;
            }
        }

        return about;
    }

    private async Task ReadAllAsync(Reads reads)
    {
        // NB. Until all of it is read nothing of it counts: what fails half-way is begun anew.
        Number = -1;
        _renamed = true;
        _users.Clear();
        _people.Clear();
        _groups.Clear();
        _members.Clear();
        _groupsOf.Clear();
        _flat.Clear();
        foreach (var line in await reads.DirectoryLinesAsync())
        {
            Put(line);
        }

        foreach (var (id, key) in await reads.DirectoryGroupLinesAsync())
        {
            _groups[id] = key;
        }

        foreach (var (group, member, isGroup) in await reads.DirectoryMemberLinesAsync())
        {
            Put(group, member, isGroup);
        }

        _told.Clear();
        _said.Clear();
        Put(await reads.ProviderGroupsAsync());
        Put(await reads.ProviderAttributesAsync());

        _left = (await reads.LeftNamesAsync()).ToFrozenSet(StringComparer.Ordinal);
    }

    private async Task ReadToldAsync(Reads reads, List<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        names.ForEach(name => _told.Remove(name));
        names.ForEach(name => _said.Remove(name));
        Put(await reads.ProviderGroupsAsync(names));
        Put(await reads.ProviderAttributesAsync(names));
    }

    private void Put(List<ProviderAttribute> said)
    {
        foreach (var one in said.GroupBy(one => one.Name, StringComparer.Ordinal))
        {
            _said[one.Key] = [.. one];
        }
    }

    private void Put(List<ProviderGroup> told)
    {
        foreach (var one in told)
        {
            if (!_told.TryGetValue(one.Name, out var groups))
            {
                _told[one.Name] = groups = [];
            }

            if (!groups.Contains(one.Group))
            {
                groups.Add(one.Group);
            }
        }
    }

    private async Task ReadUsersAsync(Reads reads, List<string> ids)
    {
        if (ids.Count == 0)
        {
            return;
        }

        // NB. First all old names go, then the new ones come: two may have changed names with each other.
        var lines = (await reads.DirectoryLinesAsync(ids)).ToDictionary(line => line.Id, StringComparer.Ordinal);
        foreach (var id in ids)
        {
            if (_users.Remove(id, out var old))
            {
                _people.Remove(old.Key);
            }

            if (old is null || !lines.TryGetValue(id, out var line) || line.Key != old.Key)
            {
                _renamed = true;
                Touch(id);
            }

            if (!lines.ContainsKey(id))
            {
                Forget(id);
            }
        }

        foreach (var line in lines.Values)
        {
            Put(line);
        }
    }

    private async Task ReadGroupsAsync(Reads reads, List<string> ids)
    {
        if (ids.Count == 0)
        {
            return;
        }

        var lines = (await reads.DirectoryGroupLinesAsync(ids)).ToDictionary(line => line.Id, line => line.Key, StringComparer.Ordinal);
        foreach (var id in ids)
        {
            if (lines.TryGetValue(id, out var key))
            {
                _groups[id] = key;
                continue;
            }

            _groups.Remove(id);
            Forget(id);
            if (_members.Remove(id, out var members))
            {
                foreach (var member in members.Keys)
                {
                    _groupsOf.GetValueOrDefault(member)?.Remove(id);
                }
            }

            _flat.Remove(id);
        }
    }

    private SubjectId? ManagerOf(DirectoryLine line) =>
        line.Manager is { } of && of != line.Id && _users.TryGetValue(of, out var other) ? new SubjectId(other.Key) : null;

    private void Put(DirectoryLine line)
    {
        _users[line.Id] = line;
        _people[line.Key] = new Person
        {
            Id = new SubjectId(line.Key),
            Name = line.Name,
            Mail = line.Mail,
            Manager = ManagerOf(line),
            TokenHashes = [],
            Disabled = !line.Active,
            Attributes = line.Attributes.Length <= 2 ? FrozenDictionary<string, string>.Empty
                : JsonSerializer.Deserialize(line.Attributes, DirectoryJson.Default.DictionaryStringString)!.ToFrozenDictionary(StringComparer.Ordinal),
        };
    }

    private void Put(string group, string member, bool? isGroup)
    {
        if (!_members.TryGetValue(group, out var members))
        {
            _members[group] = members = new(StringComparer.Ordinal);
        }

        if (!_groupsOf.TryGetValue(member, out var of))
        {
            _groupsOf[member] = of = new(StringComparer.Ordinal);
        }

        if (isGroup is { } kind)
        {
            members[member] = kind;
            of.Add(group);
        }
        else
        {
            members.Remove(member);
            of.Remove(group);
        }

        _flat.Remove(group);
        Touch(group);
    }

    /// <summary>Takes what is gone out of every group.</summary>
    private void Forget(string id)
    {
        if (_groupsOf.Remove(id, out var groups))
        {
            foreach (var group in groups)
            {
                _members.GetValueOrDefault(group)?.Remove(id);
                _flat.Remove(group);
                Touch(group);
            }
        }
    }

    /// <summary>The groups that something is in, directly or not, are put together anew.</summary>
    private void Touch(string id)
    {
        var open = new Stack<string>(_groupsOf.GetValueOrDefault(id) ?? []);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var group))
        {
            if (seen.Add(group))
            {
                _flat.Remove(group);
                foreach (var outer in _groupsOf.GetValueOrDefault(group) ?? [])
                {
                    open.Push(outer);
                }
            }
        }
    }

    private IReadOnlyCollection<SubjectId> Flat(string id)
    {
        if (_flat.TryGetValue(id, out var made))
        {
            return made;
        }

        var found = new HashSet<SubjectId>();
        var seen = new HashSet<string>(StringComparer.Ordinal) { id };
        var open = new Stack<string>([id]);
        while (open.TryPop(out var group))
        {
            foreach (var (member, isGroup) in _members.GetValueOrDefault(group) ?? [])
            {
                if (!isGroup)
                {
                    if (_users.TryGetValue(member, out var user))
                    {
                        found.Add(new SubjectId(user.Key));
                    }
                }
                else if (_groups.ContainsKey(member) && seen.Add(member))
                {
                    open.Push(member);
                }
            }
        }

        return _flat[id] = found;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class DirectoryJson : System.Text.Json.Serialization.JsonSerializerContext;
