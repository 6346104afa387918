using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Stint.Server.Identity.Scim;
using Stint.Server.Store;

namespace Stint.Server.Identity.Ldap;

/// <summary>What is kept of the directory, as far as a look is about it.</summary>
/// <param name="Users">Everybody for a whole look; otherwise those whom it is about, and those who have their names.</param>
/// <param name="Groups">The same of groups.</param>
/// <param name="Members">Who is in those groups.</param>
/// <param name="Active">How many people may do something at all.</param>
internal sealed record HeldDirectory(IReadOnlyList<HeldUser> Users, IReadOnlyList<DirectoryGroup> Groups, IReadOnlyList<(string Group, string Member, bool IsGroup)> Members, long Active);

/// <summary>Where everything stands and what it is called, as of the last look.</summary>
/// <param name="Places">Id, and whether it is a group, by the distinguished name.</param>
/// <param name="Names">Id of each person, by the name in small letters.</param>
internal sealed record KnownPlaces(Dictionary<string, (string Id, bool IsGroup)> Places, Dictionary<string, string> Names)
{
    public static KnownPlaces Nothing => new(new(StringComparer.Ordinal), new(StringComparer.Ordinal));
}

/// <summary>What has to be done so that what is kept is what a look found. Pure, but for the names of those who come.</summary>
internal sealed class PullPlan
{
    private readonly DirectoryLook _look;
    private readonly HeldDirectory _held;
    private readonly bool _adopts;
    private readonly Func<string> _nextId;
    private readonly List<string> _notes;

    private PullPlan(DirectoryLook look, HeldDirectory held, KnownPlaces known, bool adopts, Func<string> nextId)
    {
        (_look, _held, _adopts, _nextId) = (look, held, adopts, nextId);
        _notes = [.. look.Notes];
        Known = look.Whole ? KnownPlaces.Nothing : new KnownPlaces(new(known.Places, StringComparer.Ordinal), new(known.Names, StringComparer.Ordinal));
    }

    public List<HeldUser> Gone { get; } = [];

    /// <summary>In an order in which each name is free when it is taken.</summary>
    public List<(HeldUser Before, JsonObject Body)> Changed { get; } = [];

    public List<(string Id, JsonObject Body)> Come { get; } = [];

    public List<DirectoryGroup> GoneGroups { get; } = [];

    /// <inheritdoc cref="Changed"/>
    public List<(DirectoryGroup Before, LookedGroup After)> ChangedGroups { get; } = [];

    public List<(string Id, LookedGroup Group)> NewGroups { get; } = [];

    /// <summary>Who comes into a group and goes out of it.</summary>
    public Dictionary<string, (IReadOnlyList<(string Id, bool IsGroup)> Come, IReadOnlyList<string> Go)> Members { get; } = new(StringComparer.Ordinal);

    /// <summary>What was passed over, and why, in sentences.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>For the next look.</summary>
    public KnownPlaces Known { get; }

    /// <summary>Whether only a whole look can tell: somebody comes with a name that another has, of whom this one says nothing. Nothing of the plan is done then.</summary>
    public bool NeedsWhole { get; private set; }

    /// <summary>How many people lose something by it: they are gone, or disabled, or out of a group.</summary>
    public int Leaving { get; private set; }

    /// <summary>What names those people, and what each loses: the same of every plan that takes the same from the same.</summary>
    public string Mark { get; private set; } = "";

    /// <summary>Ids of those people.</summary>
    public IReadOnlyCollection<string> Losing { get; private set; } = [];

    /// <param name="look">What is told.</param>
    /// <param name="held">What is kept.</param>
    /// <param name="known">From the look before; of no use to a whole one.</param>
    /// <param name="adopts">Whether what is kept came from elsewhere: then names say who is who.</param>
    /// <param name="nextId">Names who comes.</param>
    public static PullPlan Make(DirectoryLook look, HeldDirectory held, KnownPlaces known, bool adopts, Func<string> nextId)
    {
        var plan = new PullPlan(look, held, known, adopts, nextId);
        plan.Users();
        plan.Groups();
        plan.CountLeaving();
        return plan;
    }

    private void Users()
    {
        var byKey = _held.Users.ToDictionary(user => user.Key, StringComparer.Ordinal);
        var byExternal = Index(_held.Users, user => user.External);
        var found = new List<(LookedPerson Told, HeldUser? Before)>();
        foreach (var same in _look.People.DistinctBy(person => person.External).GroupBy(person => person.Key, StringComparer.Ordinal))
        {
            if (Single([.. same], person => byExternal.GetValueOrDefault(person.External)?.Key == person.Key, person => person.Dn, $"the name {same.Key}") is { } one)
            {
                found.Add((one, byExternal.GetValueOrDefault(one.External) ?? (_adopts ? byKey.GetValueOrDefault(one.Key) : null)));
            }
        }

        if (_look.Whole)
        {
            var stay = found.Select(pair => pair.Before?.User.Id).OfType<string>().ToHashSet(StringComparer.Ordinal);
            Gone.AddRange(_held.Users.Where(user => !stay.Contains(user.User.Id)));
        }

        var (ordered, anew) = Ordered(found, pair => pair.Told.Key, pair => pair.Before?.Key, _held.Users.Except(Gone).Select(user => user.Key));
        Gone.AddRange(anew.Select(pair => pair.Before!));

        // NB. Where each stands is known before anybody is written: somebody's manager may come with them.
        var all = ordered.Concat(anew.Select(pair => (pair.Told, Before: (HeldUser?)null))).Select(pair => (pair.Told, pair.Before, Id: pair.Before?.User.Id ?? _nextId())).ToList();
        foreach (var (told, _, id) in all)
        {
            Known.Names[told.Key] = id;
            Stands(told.Dn, id, isGroup: false);
        }

        foreach (var (told, before, id) in all)
        {
            var body = Body(told);
            if (before is null)
            {
                Come.Add((id, body));
            }
            else if (before.User.Body != body.ToJsonString())
            {
                Changed.Add((before, body));
            }
        }
    }

    private JsonObject Body(LookedPerson told)
    {
        var body = (JsonObject)told.Body.DeepClone();
        if (told.Manager is { } manager && LdapNames.Key(manager) is { } dn && Known.Places.TryGetValue(dn, out var place) && !place.IsGroup)
        {
            ScimPatch.Extended(body)["manager"] = new JsonObject { ["value"] = place.Id };
        }

        return body;
    }

    private void Groups()
    {
        var byKey = _held.Groups.ToDictionary(group => group.Key, StringComparer.Ordinal);
        var byExternal = Index(_held.Groups, group => group.ExternalId);
        var found = new List<(LookedGroup Told, DirectoryGroup? Before)>();
        foreach (var same in _look.Groups.DistinctBy(group => group.External).GroupBy(group => group.Key, StringComparer.Ordinal))
        {
            if (Single([.. same], group => byExternal.GetValueOrDefault(group.External)?.Key == group.Key, group => group.Dn, $"the name {same.Key} of a group") is { } one)
            {
                found.Add((one, byExternal.GetValueOrDefault(one.External) ?? (_adopts ? byKey.GetValueOrDefault(one.Key) : null)));
            }
        }

        if (_look.Whole)
        {
            var stay = found.Select(pair => pair.Before?.Id).OfType<string>().ToHashSet(StringComparer.Ordinal);
            GoneGroups.AddRange(_held.Groups.Where(group => !stay.Contains(group.Id)));
        }

        var (ordered, anew) = Ordered(found, pair => pair.Told.Key, pair => pair.Before?.Key, _held.Groups.Except(GoneGroups).Select(group => group.Key));
        GoneGroups.AddRange(anew.Select(pair => pair.Before!));
        var all = ordered.Concat(anew.Select(pair => (pair.Told, Before: (DirectoryGroup?)null))).Select(pair => (pair.Told, pair.Before, Id: pair.Before?.Id ?? _nextId())).ToList();
        foreach (var (told, before, id) in all)
        {
            Stands(told.Dn, id, isGroup: true);
            if (before is null)
            {
                NewGroups.Add((id, told));
            }
            else if (before.DisplayName != told.Name || before.ExternalId != told.External)
            {
                ChangedGroups.Add((before, told));
            }
        }

        var members = _held.Members.ToLookup(member => member.Group, member => member.Member, StringComparer.Ordinal);
        foreach (var (told, _, id) in all)
        {
            var wanted = Wanted(told, id);
            var there = members[id].ToHashSet(StringComparer.Ordinal);
            List<(string Id, bool IsGroup)> come = [.. wanted.Where(pair => !there.Contains(pair.Key)).Select(pair => (pair.Key, pair.Value))];
            List<string> go = [.. there.Where(member => !wanted.ContainsKey(member))];
            if (come.Count + go.Count > 0)
            {
                Members[id] = (come, go);
            }
        }
    }

    /// <summary>Those of a group's members whom this directory has. A group is not in itself.</summary>
    private Dictionary<string, bool> Wanted(LookedGroup told, string id)
    {
        var wanted = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var dn in told.Members)
        {
            if (LdapNames.Key(dn) is { } key && Known.Places.TryGetValue(key, out var place) && place.Id != id)
            {
                wanted[place.Id] = place.IsGroup;
            }
        }

        foreach (var name in told.MemberNames)
        {
            if (Known.Names.TryGetValue(name.ToLowerInvariant(), out var person))
            {
                wanted[person] = false;
            }
        }

        return wanted;
    }

    private void CountLeaving()
    {
        var leaving = Gone.Where(user => user.Active).Select(user => user.User.Id).ToHashSet(StringComparer.Ordinal);
        leaving.UnionWith(Changed.Where(one => one.Before.Active && one.Body["active"]?.GetValue<bool>() == false).Select(one => one.Before.User.Id));
        var groups = GoneGroups.Select(group => group.Id).ToHashSet(StringComparer.Ordinal);
        var outOf = Members.ToDictionary(pair => pair.Key, pair => pair.Value.Go.ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        List<string> losses = [.. leaving.Select(id => $"all {id}")];
        foreach (var held in _held.Members.Where(held => !held.IsGroup && (groups.Contains(held.Group) || outOf.GetValueOrDefault(held.Group)?.Contains(held.Member) == true)))
        {
            leaving.Add(held.Member);
            losses.Add($"{held.Group} {held.Member}");
        }

        losses.Sort(StringComparer.Ordinal);
        (Leaving, Losing) = (leaving.Count, leaving);
        Mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', losses))).AsSpan(0, 16));
    }

    /// <summary>Puts changes of names behind those that free the names.</summary>
    /// <returns>All in order; and those that wait for each other in a circle: they go and come anew.</returns>
    private (List<T> Ordered, List<T> Anew) Ordered<T>(List<T> all, Func<T, string> name, Func<T, string?> before, IEnumerable<string> held)
    {
        var taken = held.ToHashSet(StringComparer.Ordinal);
        List<T> ordered = [.. all.Where(one => before(one) == name(one))];
        List<T> open = [.. all.Where(one => before(one) is { } old && old != name(one))];
        var anew = new List<T>();
        while (open.Count > 0)
        {
            var moved = open.RemoveAll(one =>
            {
                if (taken.Contains(name(one)))
                {
                    return false;
                }

                taken.Remove(before(one)!);
                taken.Add(name(one));
                ordered.Add(one);
                return true;
            });
            if (moved > 0)
            {
                continue;
            }

            // Whoever has the name is not in this look, or waits as well.
            NeedsWhole |= !_look.Whole;
            taken.Remove(before(open[0])!);
            anew.Add(open[0]);
            open.RemoveAt(0);
        }

        List<T> fresh = [.. all.Where(one => before(one) is null)];
        NeedsWhole |= !_look.Whole && fresh.Exists(one => taken.Contains(name(one)));
        ordered.AddRange(fresh);
        return (ordered, anew);
    }

    /// <summary>The one of several of one name that is known by it; with none or several known, the name is nobody's.</summary>
    private T? Single<T>(List<T> same, Func<T, bool> known, Func<T, string> where, string what)
        where T : class
    {
        if (same.Count == 1)
        {
            return same[0];
        }

        var one = same.Where(known).ToList() is [var only] ? only : null;
        List<string> others = [.. same.Where(other => other != one).Take(3).Select(where)];
        _notes.Add($"{string.Join(" and ", others)} {(others.Count == 1 ? "is" : "are")} passed over: more than one entry has {what}.");
        return one;
    }

    private void Stands(string dn, string id, bool isGroup)
    {
        if (LdapNames.Key(dn) is { } key)
        {
            Known.Places[key] = (id, isGroup);
        }
    }

    private static Dictionary<string, T> Index<T>(IEnumerable<T> all, Func<T, string?> of)
        where T : class
    {
        var index = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var one in all)
        {
            if (of(one) is { } key)
            {
                index[key] = one;
            }
        }

        return index;
    }
}
