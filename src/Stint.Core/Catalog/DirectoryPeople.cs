using System.Collections.Frozen;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>What the company's directory knows of people and groups, as of one moment.</summary>
public sealed record DirectoryPeople
{
    public static DirectoryPeople Nobody { get; } = new();

    /// <summary>By their names there, in small letters. <see cref="Subject.Id"/> and <see cref="Person.Manager"/> are such names as well; they have no token.</summary>
    public IReadOnlyDictionary<string, Person> People { get; init; } = FrozenDictionary<string, Person>.Empty;

    /// <summary>The members of each group, groups in groups counted, by the group's name there in small letters.</summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<SubjectId>> Groups { get; init; } = FrozenDictionary<string, IReadOnlyCollection<SubjectId>>.Empty;

    /// <summary>Who left, whatever else is said of them: once in the directory and there no more, or sent away here. Names in small letters.</summary>
    public IReadOnlySet<string> Left { get; init; } = FrozenSet<string>.Empty;

    /// <summary>What their sign-in's provider says of those whom the directory does not know, by their names in small letters, for conditions. What the catalog says itself counts before it.</summary>
    public IReadOnlyDictionary<string, FrozenDictionary<string, string>> Said { get; init; } = FrozenDictionary<string, FrozenDictionary<string, string>>.Empty;

    public bool IsEmpty => People.Count == 0 && Groups.Count == 0 && Left.Count == 0 && Said.Count == 0;

    /// <summary>A name as the directory's are compared.</summary>
    public static string Key(string name) => name.ToLowerInvariant();
}

/// <summary>Lays the directory over a catalog.</summary>
public static class DirectoryOverlay
{
    /// <summary>The catalog with the people of the directory, and with those of its groups that the catalog names.</summary>
    /// <remarks>
    /// Whoever has the same name in both is one person: disabled in either is disabled, what the catalog says of them itself
    /// counts, and the directory says the rest. The version stays that of the text.
    /// </remarks>
    public static LoadedCatalog With(this LoadedCatalog catalog, DirectoryPeople directory)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(directory);
        var text = catalog.Text;
        if (directory.IsEmpty)
        {
            return text;
        }

        // NB. The catalog refuses names that differ in capitals only, so that each of the directory's is at most one of its people.
        var own = text.People.Keys.ToDictionary(DirectoryPeople.Key, id => new SubjectId(id), StringComparer.Ordinal);
        SubjectId Here(SubjectId there) => own.TryGetValue(there.Value, out var id) ? id : there;

        var people = new Dictionary<string, Person>(text.People.Count + directory.People.Count, StringComparer.Ordinal);
        foreach (var person in text.People.Values)
        {
            people[person.Id.Value] = Joined(person, directory, Here);
        }

        foreach (var (name, person) in directory.People)
        {
            if (!own.ContainsKey(name) && Words.IsPersonName(name))
            {
                var manager = person.Manager is { } there ? Here(there) : person.Manager;
                var left = directory.Left.Contains(name);
                people[name] = manager == person.Manager && !left ? person : person with { Manager = manager, Disabled = person.Disabled || left };
            }
        }

        foreach (var (name, said) in directory.Said)
        {
            if (people.TryGetValue(Here(new SubjectId(name)).Value, out var person))
            {
                people[person.Id.Value] = person with { Attributes = Over(said, person.Attributes) };
            }
        }

        return Regrouped(text with { WithoutDirectory = text, People = people }, text, directory, Here);
    }

    private static Person Joined(Person person, DirectoryPeople directory, Func<SubjectId, SubjectId> here)
    {
        var name = DirectoryPeople.Key(person.Id.Value);
        var left = directory.Left.Contains(name);
        if (!directory.People.TryGetValue(name, out var there))
        {
            return left ? person with { Disabled = true } : person;
        }

        return person with
        {
            Name = person.Name.Length > 0 ? person.Name : there.Name,
            Mail = person.Mail ?? there.Mail,
            Manager = person.Manager ?? (there.Manager is { } manager ? here(manager) : null),
            Attributes = Over(there.Attributes, person.Attributes),
            Disabled = person.Disabled || there.Disabled || left,
        };
    }

    /// <summary>Both, the second where both say something.</summary>
    private static FrozenDictionary<string, string> Over(FrozenDictionary<string, string> one, FrozenDictionary<string, string> other) => other.Count == 0 ? one
        : one.Concat(other).GroupBy(pair => pair.Key, StringComparer.Ordinal).ToFrozenDictionary(pairs => pairs.Key, pairs => pairs.Last().Value, StringComparer.Ordinal);

    private static LoadedCatalog Regrouped(LoadedCatalog catalog, LoadedCatalog text, DirectoryPeople directory, Func<SubjectId, SubjectId> here)
    {
        var growing = text.Groups.Keys.Where(text.Grows).ToList();
        if (growing.Count == 0)
        {
            return catalog;
        }

        var come = text.FromDirectory.ToDictionary(
            pair => pair.Key,
            pair => directory.Groups.TryGetValue(DirectoryPeople.Key(pair.Value), out var members) ? [.. members.Where(member => catalog.People.ContainsKey(here(member).Value)).Select(here)] : new List<SubjectId>(),
            StringComparer.Ordinal);
        var groups = new Dictionary<string, FrozenSet<SubjectId>>(text.Groups, StringComparer.Ordinal);
        foreach (var name in growing)
        {
            groups[name] = text.Groups[name].Concat(text.GroupsIn.GetValueOrDefault(name, []).Append(name).SelectMany(group => come.GetValueOrDefault(group) ?? [])).ToFrozenSet();
        }

        var made = new Dictionary<string, FrozenSet<SubjectId>>(StringComparer.Ordinal);
        FrozenSet<SubjectId> Of(FrozenSet<SubjectId> written, IReadOnlyList<string> names, bool persons = true)
        {
            if (!names.Any(text.GrowsByName))
            {
                return written;
            }

            // Many rules are about the same people: one set for all of them.
            var key = $"{persons}\n{string.Join('\n', names)}";
            if (!made.TryGetValue(key, out var all))
            {
                made[key] = all = names is [var one] ? groups[one["group:".Length..]] : written.Concat(names.Where(text.GrowsByName).SelectMany(name => groups[name["group:".Length..]])).ToFrozenSet();
                if (persons && all.Any(subject => subject.IsWorkload))
                {
                    // NB. A machine in a group that owns or administers owns and administers nothing.
                    made[key] = all = all.Where(subject => !subject.IsWorkload).ToFrozenSet();
                }
            }

            return all;
        }

        return catalog with
        {
            Groups = groups.ToFrozenDictionary(StringComparer.Ordinal),
            Policies = [.. text.Policies.Select(policy => policy.WhoNames.Any(text.GrowsByName) ? policy with { Who = Of(policy.Who, policy.WhoNames, persons: false) } : policy)],
            Resources = text.Resources.Values.Any(resource => resource.OwnerNames.Any(text.GrowsByName))
                ? text.Resources.ToFrozenDictionary(pair => pair.Key, pair => pair.Value with { Owners = Of(pair.Value.Owners, pair.Value.OwnerNames) }, StringComparer.Ordinal)
                : text.Resources,
            Admins = Of(text.Admins, text.AdminNames),
            Auditors = Of(text.Auditors, text.AuditorNames),
        };
    }
}

/// <summary>What of a catalog only the directory knows.</summary>
internal static class Growing
{
    /// <summary>Whether a group has members from the directory, itself or through a group in it.</summary>
    public static bool Grows(this LoadedCatalog catalog, string group) => catalog.FromDirectory.Count > 0
        && (catalog.FromDirectory.ContainsKey(group) || (catalog.GroupsIn.TryGetValue(group, out var inner) && inner.Any(catalog.FromDirectory.ContainsKey)));

    /// <summary>The same for <c>group:NAME</c>; false for a person.</summary>
    public static bool GrowsByName(this LoadedCatalog catalog, string name) => name.StartsWith("group:", StringComparison.Ordinal) && catalog.Grows(name["group:".Length..]);

    /// <summary>Whether the directory, or who tells of a rota, may add people to a step's sources, so that the text alone cannot say that nobody is there.</summary>
    public static bool GrowsFrom(this LoadedCatalog catalog, string from, IEnumerable<Resource> resources) => Sources.Rotas(catalog, from).Any(rota => rota.Feed is not null) || (catalog.FromDirectory.Count > 0
        && Sources.Split(from).Any(source => source is "manager" or "skip-manager"
            || catalog.GrowsByName(source)
            || (source == "owners" && resources.Any(resource => resource.OwnerNames.Any(catalog.GrowsByName)))));

    /// <inheritdoc cref="GrowsFrom"/>
    public static bool Grows(this LoadedCatalog catalog, Workflow workflow, IEnumerable<Resource> resources) =>
        workflow.Steps.Any(step => catalog.GrowsFrom(step.From, resources) || (step.Escalate is { } escalate && catalog.GrowsFrom(escalate.To, resources)));
}
