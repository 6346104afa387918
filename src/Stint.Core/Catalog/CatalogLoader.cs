using System.Collections.Frozen;
using Stint.Core.Catalog.Calendars;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads a catalog, and finds everything that is wrong with it at once.</summary>
public static class CatalogLoader
{
    private static readonly string[] Sections = ["resources", "bundles", "groups", "people", "workloads", "workflows", "templates", "policies", "separate", "calendars", "on-call", "never", "tests", "admins", "auditors", "changes"];

    /// <summary>Loads bytes: what cannot be decoded is a problem like any other.</summary>
    public static CatalogLoad Load(IEnumerable<KeyValuePair<string, byte[]>> files, IReadOnlyDictionary<string, KindShape> kinds)
    {
        var (source, broken) = CatalogFiles.Decode(files);
        var load = Load(source, kinds);
        return broken.Count == 0 ? load : load with { Catalog = null, Errors = [.. broken, .. load.Errors] };
    }

    /// <summary>Loads decoded files.</summary>
    /// <param name="source">The files; their order does not matter.</param>
    /// <param name="kinds">What each kind of resource takes, by the kind's name.</param>
    public static CatalogLoad Load(CatalogSource source, IReadOnlyDictionary<string, KindShape> kinds)
    {
        var problems = new Problems();
        var files = source.Files.OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        if (files.Count == 0)
        {
            problems.Error(default(CatalogPlace) with { File = "" }, "the catalog has no files", "put a file that ends in .yaml into its folder");
        }
        else if (files.Count > CatalogFiles.MaxFiles || files.Sum(file => (long)file.Text.Length) > CatalogFiles.MaxTotal)
        {
            problems.Error(
                default(CatalogPlace) with { File = "" },
                $"the catalog is larger than {CatalogFiles.MaxFiles} files or {CatalogFiles.MaxTotal / 1024 / 1024} MiB",
                "keep other files out of its folder");
            return new CatalogLoad(null, problems.Errors(), []);
        }

        var draft = new Draft(new Reading(problems), kinds);
        foreach (var file in files)
        {
            Gather(file, draft);
        }

        var catalog = draft.Build(new CatalogSource(files));
        if (!problems.Any)
        {
            // Only a catalog whose names all mean something can be asked what it reaches.
            CatalogChecks.Run(catalog, draft, problems);
        }

        return new CatalogLoad(problems.Any ? null : catalog, problems.Errors(), problems.Warnings());
    }

    private static void Gather(CatalogFile file, Draft draft)
    {
        var reading = draft.Reading;
        if (YamlFile.Read(file, reading.Problems) is not { } root || reading.Map(root, "a catalog's file") is not { } map)
        {
            return;
        }

        reading.Keys(map, "a catalog", Sections);
        foreach (var section in map.Entries.Where(entry => Sections.Contains(entry.Key)))
        {
            if (section.Key is "admins" or "auditors")
            {
                (section.Key == "admins" ? draft.Admins : draft.Auditors).Add(section.Value);
                continue;
            }

            if (section.Key == "tests")
            {
                draft.Tests.Add(section.Value);
                continue;
            }

            if (section.Key == "changes")
            {
                draft.Changes.Add(section);
                continue;
            }

            var named = draft.Section(section.Key);
            foreach (var entry in reading.Map(section.Value, $"'{section.Key}'", orNothing: true)?.Entries ?? [])
            {
                if (named.TryGetValue(entry.Key, out var other))
                {
                    var same = other.Key == entry.Key ? "stands a second time" : $"differs from '{other.Key}' in capitals only";
                    reading.Problems.Error(entry.Place, $"'{Words.Short(entry.Key)}' in '{section.Key}' {same}; first in {other.Place}", "keep one of the two");
                }
                else if (reading.Name(entry, $"one of '{section.Key}'", person: section.Key == "people"))
                {
                    named.Add(entry.Key, entry);
                }
            }
        }
    }
}

/// <summary>The gathered entries on their way to a catalog.</summary>
internal sealed class Draft(Reading reading, IReadOnlyDictionary<string, KindShape> kinds)
{
    private readonly Dictionary<string, Dictionary<string, Entry>> _sections = new(StringComparer.Ordinal);

    public Reading Reading { get; } = reading;

    public IReadOnlyDictionary<string, KindShape> Kinds { get; } = kinds;

    public List<Node> Admins { get; } = [];

    public List<Node> Auditors { get; } = [];

    public List<Node> Tests { get; } = [];

    /// <summary>Every <c>changes</c>; only one may stand.</summary>
    public List<Entry> Changes { get; } = [];

    /// <summary>Where each role's name stands.</summary>
    public Dictionary<RoleRef, CatalogPlace> RolePlaces { get; } = [];

    /// <summary>Names that differ in capitals only would be told apart by the machine and not by people.</summary>
    public Dictionary<string, Entry> Section(string name)
    {
        if (!_sections.TryGetValue(name, out var section))
        {
            _sections[name] = section = new(StringComparer.OrdinalIgnoreCase);
        }

        return section;
    }

    public LoadedCatalog Build(CatalogSource source)
    {
        var people = PeopleSections.People(Reading, Section("people"));
        var (groups, inner) = PeopleSections.Groups(Reading, Section("groups"), people, Section("workloads").Keys);
        var names = new Subjects(Reading, people, groups, [.. Section("people").Keys], [.. Section("groups").Keys], Section("workloads").Keys);
        PeopleSections.CheckManagers(Reading, Section("people"), names);
        var workloads = new WorkloadsSection(Reading, names).Read(Section("workloads"));
        var resources = new ResourcesSection(this, names).Read();
        var rotas = new OnCallSection(Reading, names).Read(Section("on-call"));
        var calendars = new CalendarsSection(Reading).Read(Section("calendars"));
        var policies = new PoliciesSection(this, names, calendars);
        var workflows = policies.Workflows();
        var templates = policies.Templates(workflows);
        var rules = policies.Read(resources, workflows);
        policies.Unused(templates);
        var bundles = new BundlesSection(Reading, resources).Read(Section("bundles"));
        return new LoadedCatalog
        {
            Version = CatalogFiles.Version(source),
            Source = source,
            Resources = resources.ToFrozenDictionary(StringComparer.Ordinal),
            People = people.ToFrozenDictionary(StringComparer.Ordinal),
            Workloads = workloads.ToFrozenDictionary(StringComparer.Ordinal),
            Groups = groups.ToFrozenDictionary(StringComparer.Ordinal),
            FromDirectory = PeopleSections.FromDirectory(Reading, Section("groups")).ToFrozenDictionary(StringComparer.Ordinal),
            GroupsIn = inner.ToFrozenDictionary(StringComparer.Ordinal),
            Rotas = rotas.ToFrozenDictionary(StringComparer.Ordinal),
            Bundles = bundles.ToFrozenDictionary(StringComparer.Ordinal),
            Templates = templates.ToFrozenDictionary(StringComparer.Ordinal),
            Calendars = calendars.ToFrozenDictionary(StringComparer.Ordinal),
            Workflows = workflows.ToFrozenDictionary(StringComparer.Ordinal),
            Policies = rules,
            Separations = SeparateSection.Read(this, policies),
            Nevers = policies.Nevers(),
            Tests = new TestsSection(Reading, Section("groups").Keys, [.. Section("policies").Keys, .. Section("separate").Keys], resources, bundles).Read(Tests),
            Admins = Admins.SelectMany(node => names.Read(node, "admins")).ToFrozenSet(),
            AdminNames = [.. Admins.SelectMany(Subjects.Names)],
            AuditorNames = [.. Auditors.SelectMany(Subjects.Names)],
            Auditors = Auditors.SelectMany(node => names.Read(node, "auditors")).ToFrozenSet(),
            ChangeApproval = ChangesSection.Read(this, policies, workflows),
        };
    }
}
