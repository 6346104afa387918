using System.Text;
using Stint.Connectors;
using Stint.Core.Catalog;

namespace Stint.Simulation;

/// <summary>The catalogs of a run: the same people and systems, under rules that change.</summary>
internal sealed class Town
{
    private readonly Range _guards;
    private readonly Range _contractors;

    private Town(int people, int resources, Range guards, Range contractors, HashSet<int> someDisabled)
    {
        (People, Resources, _guards, _contractors) = (people, resources, guards, contractors);
        Catalogs =
        [
            Load("disabled: none", disabled: [], gone: -1, strict: false, most: "4h"),
            Load("disabled: some", disabled: someDisabled, gone: -1, strict: false, most: "4h"),
            Load("a system gone", disabled: [], gone: Math.Min(3, resources - 1), strict: false, most: "4h"),
            Load("stricter", disabled: [], gone: -1, strict: true, most: "4h"),
            Load("shorter", disabled: [7], gone: -1, strict: false, most: "20m"),
        ];
    }

    /// <summary>How long after writing nobody owns, and the other way round, in every catalog.</summary>
    public static TimeSpan Apart { get; } = TimeSpan.FromMinutes(90);

    /// <summary>Where years pass: so many that hardly any two meet.</summary>
    public static Town Large { get; } = new(2_000, 40, 100..120, 500..550, [.. Enumerable.Range(2, 98).Where(person => person > 40 || person % 2 == 0), .. Enumerable.Range(110, 5)]);

    /// <summary>Where everything happens to the same few: what joins, overlaps and races does so within a dozen steps.</summary>
    public static Town Small { get; } = new(9, 2, 3..6, 8..9, [2, 4]);

    public int People { get; }

    public int Resources { get; }

    /// <summary>The number of somebody among the guards.</summary>
    public int AnyGuard(Chance chance) => _guards.Start.Value + chance.Below(_guards.End.Value - _guards.Start.Value);

    /// <summary>As it is at first; with somebody disabled; with a system gone; with stricter rules; with shorter maxima.</summary>
    public IReadOnlyList<LoadedCatalog> Catalogs { get; }

    public static string Person(int number) => $"p{number}";

    public static string Role(int resource, string role) => $"db{resource}/{role}";

    public static string Bundle(int resource) => $"week{resource}";

    private LoadedCatalog Load(string name, HashSet<int> disabled, int gone, bool strict, string most)
    {
        var text = new StringBuilder($"# {name}\nresources:\n");
        for (var i = 0; i < Resources; i++)
        {
            if (i != gone)
            {
                text.Append($"  db{i}:\n    kind: postgres\n    owners: [person:p{i}, person:p{i + 1}]\n    settings: {{ host: h{i}, database: d, username: u, password: {{ env: SIMULATED }} }}\n");
                text.Append("    roles:\n      read: { member_of: [pg_read_all_data] }\n      write: { member_of: [pg_write_all_data] }\n      owner: { member_of: [owner] }\n");
            }
        }

        text.Append("people:\n");
        for (var i = 0; i < People; i++)
        {
            text.Append(disabled.Contains(i) ? $"  p{i}: {{ disabled: true }}\n" : $"  p{i}: {{}}\n");
        }

        text.Append($"groups:\n  everybody: [{string.Join(", ", Enumerable.Range(0, People).Select(Person))}]\n");
        text.Append($"  guards: [{string.Join(", ", Of(_guards))}]\n");
        text.Append($"  contractors: [{string.Join(", ", Of(_contractors))}]\n");
        text.Append("admins: [p0, p1]\nworkflows:\n  two:\n    steps: [{ from: owners, remind: 20m, escalate: { after: 2h, to: group:guards } }, { from: group:guards, need: 2 }]\n    distinct: true\n    lapses: 24h\n");
        text.Append(strict ? "    order: sequential\n" : "");
        text.Append($"separate:\n  four-eyes: {{ one: '*/write', other: ['*/owner'], within: {Words.Say(Apart)} }}\n");
        text.Append("bundles:\n");
        for (var i = 0; i < Resources; i++)
        {
            var roles = ((string[])[Role(i, "read"), Role(i, "write"), Role((i + 1) % Resources, "write"), Role((i + 1) % Resources, "owner")]).Where(role => !role.StartsWith($"db{gone}/", StringComparison.Ordinal));
            text.Append($"  {Bundle(i)}: {{ roles: [{string.Join(", ", roles)}], for: 30m }}\n");
        }

        text.Append("policies:\n");
        text.Append($"  read: {{ who: group:everybody, roles: ['*/read'], for: {{ default: 15m, max: {most} }}, approve: {(strict ? "{ steps: [{ from: owners }] }" : "{ auto: true }")} }}\n");
        text.Append($"  write: {{ who: group:everybody, roles: ['*/write'], for: {{ default: 15m, max: {most} }}, approve: {{ steps: [{{ from: owners }}] }} }}\n");
        text.Append("  owner: { who: group:everybody, roles: ['*/owner'], for: { default: 10m, max: 20m }, approve: { workflow: two }, begin_within: 1h }\n");
        text.Append("  no-contractors: { deny: group:contractors, roles: ['*/owner', '*/write'] }\n");
        var load = CatalogLoader.Load(
            [new("town.yaml", Encoding.UTF8.GetBytes(text.ToString()))],
            ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind));
        return load.Catalog ?? throw new InvalidOperationException(string.Join('\n', load.Errors));
    }

    private IEnumerable<string> Of(Range range) => Enumerable.Range(0, People).Take(range).Select(Person);
}
