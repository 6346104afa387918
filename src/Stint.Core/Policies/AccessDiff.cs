using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What a new catalog does to somebody's way to a role.</summary>
public enum AccessKind
{
    /// <summary>They could get it, and cannot any more.</summary>
    Loses = 1,

    /// <summary>They could not get it, and can now.</summary>
    Gains = 2,

    /// <summary>They can still get it, and it takes more, or lasts less.</summary>
    Harder = 3,

    /// <summary>They can still get it, and it takes less, or lasts more.</summary>
    Easier = 4,

    /// <summary>They can still get it, otherwise than before.</summary>
    Changed = 5,
}

/// <summary>One change that is the same for several people and roles.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Roles">In the order of their names.</param>
/// <param name="People">In the order of their names.</param>
/// <param name="Who">The same people in few words: <c>group:developers (312 people)</c>, <c>zoe</c>.</param>
/// <param name="Before">How the first of them stood to the first role.</param>
/// <param name="After">How they stand now.</param>
/// <param name="Differences">What differs for those who can still get it, each in words.</param>
public sealed record AccessChange(
    AccessKind Kind, IReadOnlyList<RoleRef> Roles, IReadOnlyList<SubjectId> People, IReadOnlyList<string> Who, Standing Before, Standing After, IReadOnlyList<string> Differences)
{
    private const int MostPeople = 200;

    /// <summary>For a person.</summary>
    public override string ToString()
    {
        var who = ItemChange.Names(Who);
        var roles = ItemChange.Names([.. Roles.Select(role => role.ToString())]);
        var s = People.Count == 1 ? "s" : "";
        return Kind switch
        {
            AccessKind.Loses => $"{who} lose{s} {roles}, had before {Before.HowLong}",
            AccessKind.Gains => $"{who} gain{s} {roles} {After.HowLong}",
            AccessKind.Harder or AccessKind.Easier or AccessKind.Changed => $"{who} get{s} {roles} otherwise: {string.Join("; ", Differences)}",
            _ => throw new InvalidOperationException($"{Kind} is not a change."),
        };
    }

    /// <summary>How <see cref="Kind"/> is written.</summary>
    public static string Word(AccessKind kind) => kind switch
    {
        AccessKind.Loses => "loses",
        AccessKind.Gains => "gains",
        AccessKind.Harder => "harder",
        AccessKind.Easier => "easier",
        AccessKind.Changed => "changed",
        _ => throw new InvalidOperationException($"{kind} is not a change."),
    };

    internal JsonNode ToNode() => new JsonObject
    {
        ["kind"] = Word(Kind),
        ["who"] = Standing.Texts(Who),
        ["count"] = People.Count,
        ["people"] = Standing.Texts(People.Take(MostPeople).Select(person => person.Value)),
        ["roles"] = Standing.Texts(Roles.Select(role => role.ToString())),
        ["before"] = Before.ToNode(withPeople: false),
        ["after"] = After.ToNode(withPeople: false),
        ["differences"] = Standing.Texts(Differences),
        ["sentence"] = ToString(),
    };
}

/// <summary>Who gains and who loses between two catalogs. Asks once for all who are alike.</summary>
internal static class AccessDiff
{
    private static readonly Standing Nothing = new() { Way = Way.None, Rules = [] };

    public static IReadOnlyList<AccessChange> Between(LoadedCatalog? before, LoadedCatalog after, DateTimeOffset now)
    {
        var old = before is null ? null : new Standings(before, now);
        var young = new Standings(after, now);
        var found = new Dictionary<(RoleRef Role, string Before, string After), Bucket>();
        foreach (var alike in People(before, after).GroupBy(subject => (Was: old?.SetOf(subject), Is: young.SetOf(subject), Active: (IsActive(before, subject), IsActive(after, subject)))))
        {
            List<SubjectId> members = [.. alike];
            var roles = (before?.Index.Reached(members[0]) ?? []).Union(after.Index.Reached(members[0]));
            foreach (var role in roles)
            {
                List<SubjectId> apart = [.. (old?.Apart(members, role) ?? []).Union(young.Apart(members, role))];
                var rest = apart.Count == 0 ? members : [.. members.Except(apart)];
                if (rest.Count > 0)
                {
                    Note(rest, role);
                }

                apart.ForEach(subject => Note([subject], role));
            }
        }

        return Told(found, new Naming(before, after));

        void Note(List<SubjectId> people, RoleRef role)
        {
            var was = old?.Of(people[0], role) ?? Nothing;
            var becomes = young.Of(people[0], role);
            var key = (role, was.Signature, becomes.Signature);
            if (key.Item2 == key.Item3)
            {
                return;
            }

            if (!found.TryGetValue(key, out var bucket))
            {
                found[key] = bucket = new Bucket(was, becomes);
            }

            bucket.Parts.Add(people);
        }
    }

    private static List<AccessChange> Told(Dictionary<(RoleRef Role, string Before, string After), Bucket> found, Naming naming)
    {
        var changes = new List<AccessChange>();
        foreach (var same in found.GroupBy(pair => (Who: naming.Key(pair.Value.Parts), pair.Key.Before, pair.Key.After)))
        {
            var (first, bucket) = same.First();
            var people = naming.People(same.Key.Who);
            var (kind, differences) = Differences(bucket.Before, bucket.After);
            changes.Add(new AccessChange(
                kind,
                [.. same.Select(pair => pair.Key.Role).OrderBy(role => role.Resource, StringComparer.Ordinal).ThenBy(role => role.Role, StringComparer.Ordinal)],
                people,
                naming.Words(same.Key.Who),
                bucket.Before,
                bucket.After,
                differences));
        }

        return
        [
            .. changes.OrderBy(change => change.Kind)
                .ThenByDescending(change => change.People.Count)
                .ThenBy(change => change.Who[0], StringComparer.Ordinal)
                .ThenBy(change => change.Roles[0].ToString(), StringComparer.Ordinal),
        ];
    }

    private static (AccessKind Kind, List<string> Differences) Differences(Standing before, Standing after)
    {
        if (!before.Could || !after.Could)
        {
            return (after.Could ? AccessKind.Gains : AccessKind.Loses, []);
        }

        var told = new List<string>();
        var (harder, easier) = (false, false);
        void Tell(bool more, bool less, string what)
        {
            told.Add(what);
            (harder, easier) = (harder || more, easier || less);
        }

        if (before.How != after.How)
        {
            var (covers, covered) = (Covers(after, before), Covers(before, after));
            Tell(covers || !covered, covered || !covers, $"{after.How}, before {before.How}");
        }

        if (before.Terms!.Max != after.Terms!.Max)
        {
            Tell(after.Terms.Max < before.Terms.Max, after.Terms.Max > before.Terms.Max, $"for {Words.Say(after.Terms.Max)} at most, before {Words.Say(before.Terms.Max)}");
        }

        if (before.Terms.For != after.Terms.For)
        {
            told.Add($"usually for {Words.Say(after.Terms.For)}, before {Words.Say(before.Terms.For)}");
        }

        foreach (var demand in after.Demands.Except(before.Demands, StringComparer.Ordinal))
        {
            Tell(true, false, $"now takes {demand}");
        }

        foreach (var demand in before.Demands.Except(after.Demands, StringComparer.Ordinal))
        {
            Tell(false, true, $"no longer takes {demand}");
        }

        if (before.Glass?.Signature != after.Glass?.Signature && (before.Way == Way.BreakGlass) == (after.Way == Way.BreakGlass))
        {
            var (was, now) = (before.Glass, after.Glass);
            Tell(now is null || (was is not null && now.Terms.Max < was.Terms.Max), was is null || (now is not null && now.Terms.Max > was.Terms.Max), now is null ? "no longer in an emergency" : $"in an emergency {now.How}{(was is null ? "" : $", before {was.How}")}");
        }

        if (!before.Sparing.SequenceEqual(after.Sparing))
        {
            told.Add(after.Sparing.Count == 0 ? "never without a yes" : $"without a yes where {string.Join(" or ", after.Sparing)}");
        }

        if (before.Terms.Record != after.Terms.Record)
        {
            told.Add(after.Terms.Record == RecordMode.Strict ? "recorded strictly" : "no longer recorded strictly");
        }

        return ((harder, easier) switch
        {
            (true, false) => AccessKind.Harder,
            (false, true) => AccessKind.Easier,
            _ => AccessKind.Changed,
        }, told);
    }

    /// <summary>Whether one asks for every yes that the other asks for.</summary>
    private static bool Covers(Standing one, Standing other) =>
        (one.Distinct || !other.Distinct) && other.Steps.All(step => one.Steps.Any(own => own.From == step.From && own.Need >= step.Need && own.StepUp >= step.StepUp));

    private static IEnumerable<SubjectId> People(LoadedCatalog? before, LoadedCatalog after) =>
        Names(before).Union(Names(after), StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name => new SubjectId(name));

    private static IEnumerable<string> Names(LoadedCatalog? catalog) => catalog is null ? [] : catalog.People.Keys.Concat(catalog.Workloads.Keys);

    private static bool IsActive(LoadedCatalog? catalog, SubjectId subject) => catalog?.MayAsk(subject) == true;

    /// <summary>Those for whom one role changes alike.</summary>
    private sealed record Bucket(Standing Before, Standing After)
    {
        /// <summary>Lists of people; none is in two.</summary>
        public List<List<SubjectId>> Parts { get; } = [];
    }

    /// <summary>Says who several people are, in as few words as the groups allow.</summary>
    private sealed class Naming
    {
        private readonly List<(string Name, HashSet<SubjectId> Members)> _groups;
        private readonly Dictionary<List<SubjectId>, int> _parts = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<string, string> _keys = new(StringComparer.Ordinal);
        private readonly Dictionary<string, List<SubjectId>> _people = new(StringComparer.Ordinal);
        private readonly Dictionary<string, List<string>> _words = new(StringComparer.Ordinal);

        public Naming(LoadedCatalog? before, LoadedCatalog after)
        {
            // A group may have changed itself: those who were in it are as good a name for who loses something.
            var groups = after.Groups.Select(pair => (Name: $"group:{pair.Key}", Members: pair.Value.Where(member => IsActive(after, member)).ToHashSet()))
                .Concat((before?.Groups ?? after.Groups).Select(pair => (Name: $"group:{pair.Key}", Members: pair.Value.Where(member => IsActive(before ?? after, member)).ToHashSet())));
            _groups = [.. groups.Where(group => group.Members.Count > 1).OrderByDescending(group => group.Members.Count).ThenBy(group => group.Name, StringComparer.Ordinal)];
        }

        /// <summary>The same text for the same people.</summary>
        public string Key(List<List<SubjectId>> parts)
        {
            // The people who are alike come as the same list for role after role: their names are sorted once.
            var known = string.Join(',', parts.Select(part => _parts.TryGetValue(part, out var number) ? number : _parts[part] = _parts.Count));
            if (!_keys.TryGetValue(known, out var key))
            {
                List<string> names = [.. parts.SelectMany(part => part).Select(person => person.Value).Order(StringComparer.Ordinal)];
                _keys[known] = key = string.Join('\n', names);
                _people.TryAdd(key, names.ConvertAll(name => new SubjectId(name)));
            }

            return key;
        }

        public List<SubjectId> People(string key) => _people[key];

        public List<string> Words(string key)
        {
            if (_words.TryGetValue(key, out var known))
            {
                return known;
            }

            var people = _people[key];
            var all = people.ToHashSet();
            var left = people.ToHashSet();
            List<string> words = [];
            foreach (var (name, members) in _groups)
            {
                if (members.Count <= all.Count && members.Any(left.Contains) && members.All(all.Contains))
                {
                    words.Add($"{name} ({members.Count} people)");
                    left.ExceptWith(members);
                }
            }

            words.AddRange(left.Select(person => person.Value).Order(StringComparer.Ordinal));
            return _words[key] = words;
        }
    }
}
