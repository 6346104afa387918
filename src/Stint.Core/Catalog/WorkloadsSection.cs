using System.Collections.Frozen;
using Stint.Core.Catalog.Calendars;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>workloads</c>.</summary>
internal sealed class WorkloadsSection(Reading reading, Subjects names)
{
    private static readonly string[] WorkloadKeys = ["description", "issuer", "claims", "owners", "budget", "disabled"];

    /// <returns>By <see cref="SubjectId"/>.</returns>
    public Dictionary<string, Workload> Read(Dictionary<string, Entry> section)
    {
        var workloads = new Dictionary<string, Workload>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            var id = SubjectId.Workload(entry.Key);
            if (reading.Map(entry.Value, "a workload") is not { } map)
            {
                workloads[id.Value] = new Workload { Id = id, Disabled = true };
                continue;
            }

            reading.Keys(
                map,
                "a workload",
                WorkloadKeys,
                ("groups", "a group lists its members, not the other way round", $"write workload:{Words.Short(entry.Key)} under 'groups'"),
                ("token", "a static token is not kept in the catalog", $"make one: stint token create --workload {Words.Short(entry.Key)}"));
            var issuer = reading.Text(map, "issuer", "'issuer'", 63);
            workloads[id.Value] = new Workload
            {
                Id = id,
                Place = entry.Place,
                Name = reading.Text(map, "description", "'description'") ?? "",
                Issuer = issuer,
                Claims = Claims(entry, map, issuer is not null),
                Owners = map.Find("owners") is { } owners ? names.Read(owners.Value, "owners").ToFrozenSet() : FrozenSet<SubjectId>.Empty,
                Budget = map.Find("budget") is { } budget ? Budget(budget.Value) : null,
                Disabled = reading.Flag(map, "disabled", "'disabled'"),
            };
        }

        return workloads;
    }

    /// <summary>What can only be said once the policies are known.</summary>
    public static void Check(LoadedCatalog catalog, Problems problems)
    {
        foreach (var workload in catalog.Workloads.Values.OrderBy(workload => workload.Id.Value, StringComparer.Ordinal))
        {
            if (!workload.Disabled && !catalog.Index.Reached(workload.Id).Any())
            {
                problems.Warn(workload.Place, $"no policy lets {workload.Id} ask for anything", "name it, or a group that it is in, in a policy's 'who'");
            }
        }
    }

    private FrozenDictionary<string, string> Claims(Entry entry, MapNode map, bool isNeeded)
    {
        var claims = reading.TextMap(map, "claims", "a claim");
        if (map.Find("claims") is not { } given)
        {
            if (isNeeded)
            {
                // NB. An issuer such as GitHub gives a token to whoever has an account there.
                reading.Problems.Error(entry.Place, $"workload '{entry.Key}' lacks 'claims'", "say what its token has to say: claims: { repository: acme/shop, ref: refs/heads/main }");
            }

            return claims;
        }

        if (!isNeeded)
        {
            reading.Problems.Error(given.Place, "'claims' stand without 'issuer': nobody says them", "name the issuer as the server's configuration does, or take them out");
        }
        else if (given.Value is MapNode { Entries.Count: 0 } or TextNode { IsNull: true })
        {
            reading.Problems.Error(given.Value.Place, "'claims' names none: every token of the issuer would do", "say what its token has to say: claims: { repository: acme/shop, ref: refs/heads/main }");
        }

        foreach (var claim in (given.Value as MapNode)?.Entries ?? [])
        {
            if (claims.TryGetValue(claim.Key, out var pattern) && (pattern.Length == 0 || pattern[0] == '*'))
            {
                reading.Problems.Error(
                    claim.Value.Place,
                    pattern.Length == 0 ? $"claim '{claim.Key}' is empty" : $"claim '{claim.Key}' begins with *, and what somebody else's job says would match",
                    "begin with what is yours: acme/*, refs/heads/release/*");
            }
        }

        return claims;
    }

    private Budget? Budget(Node node)
    {
        if (reading.Map(node, "'budget'") is not { } map)
        {
            return null;
        }

        reading.Keys(map, "'budget'", ["grants", "time", "zone"]);
        var grants = map.Find("grants") is { } count ? reading.Whole(count.Value, "'grants'", 1, 100_000) : null;
        var time = reading.Duration(map, "time", "'time'", TimeSpan.FromMinutes(1), TimeSpan.FromDays(100));
        var zone = reading.Text(map, "zone", "'zone'", 64);
        if (zone is not null && ZoneClock.Find(zone) is null)
        {
            reading.Problems.Error(map.Find("zone")!.Value.Place, $"no time zone is called '{Words.Short(zone)}'", "write an IANA name: Europe/Berlin");
        }

        if (map.Find("grants") is null && map.Find("time") is null)
        {
            reading.Problems.Error(node.Place, "'budget' bounds nothing", "write budget: { grants: 20, time: 4h }");
        }

        return new Budget((int?)grants, time, zone);
    }
}
