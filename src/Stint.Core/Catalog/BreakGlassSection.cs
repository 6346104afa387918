using Stint.Core.Catalog.Yaml;
using Stint.Core.Policies;

namespace Stint.Core.Catalog;

/// <summary>Reads the <c>break_glass</c> of a policy, and says of a whole catalog where nobody could be told or review.</summary>
internal sealed class BreakGlassSection(Reading reading, WorkflowsSection workflows)
{
    private const string WayOut = "write break_glass: { tell: [group:NAME], review: { from: group:NAME, within: 24h } }";
    private const int MostAskers = 10;

    /// <summary>What the policy says of emergencies; null when it says nothing, or with a problem.</summary>
    public BreakGlass? Read(Entry policy, MapNode map)
    {
        if (map.Find("break_glass") is not { } given)
        {
            return null;
        }

        if (map.Find("approve") is { } approve)
        {
            reading.Problems.Error(approve.Place, $"policy '{policy.Key}' has both 'approve' and 'break_glass'", "what waits for a yes and what opens at once are two policies");
        }

        if (map.Find("record") is { } record)
        {
            reading.Problems.Error(record.Place, "'record' has no meaning beside 'break_glass'", "break-glass is always recorded strictly; take it out");
        }

        if (map.Find("begin_within") is { } begin)
        {
            reading.Problems.Error(begin.Place, "'begin_within' has no meaning beside 'break_glass'", "break-glass opens at once; take it out");
        }

        if (reading.Map(given.Value, "'break_glass'") is not { } glass)
        {
            return null;
        }

        reading.Keys(glass, "'break_glass'", ["tell", "review", "reason_at_least"]);
        var tell = glass.Find("tell") is { } told ? workflows.Sources(told.Value, "'tell'") : Lacks(glass, "tell");
        List<string> from = [];
        TimeSpan? within = null;
        if (glass.Find("review") is not { } review)
        {
            Lacks(glass, "review");
        }
        else if (reading.Map(review.Value, "'review'") is { } inner)
        {
            reading.Keys(inner, "'review'", ["from", "within"]);
            from = inner.Find("from") is { } who ? workflows.Sources(who.Value, "'from'") : Lacks(inner, "from", "'review'");
            within = reading.Duration(inner, "within", "'within'", TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
            if (inner.Find("within") is null)
            {
                Lacks(inner, "within", "'review'");
            }
        }

        var least = glass.Find("reason_at_least") is { } length ? reading.Whole(length.Value, "'reason_at_least'", 10, 1_000) : BreakGlass.UsualReason;
        return tell.Count > 0 && from.Count > 0 && within is { } time && least is { } characters
            ? new BreakGlass(string.Join(", ", tell), string.Join(", ", from), time, (int)characters)
            : null;
    }

    /// <summary>Whether, for each who may break the glass, somebody else is told and somebody else reviews it.</summary>
    public static void Check(LoadedCatalog catalog, Problems problems)
    {
        var glass = catalog.Policies.Where(policy => policy.BreakGlass is not null).ToList();
        foreach (var policy in glass)
        {
            var said = policy.BreakGlass!;
            Somebody(catalog, policy, said.Tell, "would be told when the glass is broken by policy", problems);
            Somebody(catalog, policy, said.ReviewFrom, "could review the break-glass of policy", problems);
            if (said.ReviewWithin < policy.MaxFor)
            {
                problems.Error(policy.Place, $"the review of policy '{policy.Name}' is due after {Words.Say(said.ReviewWithin)}, and access may last {Words.Say(policy.MaxFor)}: what is not over cannot be reviewed", "raise 'within', or lower 'max'");
            }
        }

        for (var i = 0; i < glass.Count; i++)
        {
            foreach (var other in glass.Skip(i + 1).Where(other => other.Roles.Overlaps(glass[i].Roles) && other.Who.Overlaps(glass[i].Who)))
            {
                Together(catalog, glass[i], other, problems);
            }
        }
    }

    private static void Somebody(LoadedCatalog catalog, Policy policy, string from, string what, Problems problems)
    {
        var resources = policy.Roles.Select(role => role.Resource).Distinct().Order(StringComparer.Ordinal).ToList();
        if (catalog.GrowsFrom(from, resources.Select(resource => catalog.Resources[resource])))
        {
            return;
        }

        foreach (var resource in Sources.Split(from).Contains("owners") ? resources : [.. resources.Take(1)])
        {
            var askers = Askers(catalog, policy.Who);
            var alone = askers.FindAll(asker => Sources.People(catalog, from, catalog.Resources[resource], asker, false, null).Count == 0);
            if (alone.Count == 0)
            {
                continue;
            }

            var where = $"nobody {what} '{policy.Name}' for '{resource}' ({from})";
            if (alone.Count < askers.Count || policy.WhoNames.Any(catalog.GrowsByName))
            {
                problems.Warn(policy.Place, $"{where} when it is asked by {Names(alone)}", "whoever asks never counts: name somebody else as well");
            }
            else if (catalog.People.Values.Any(person => person.Disabled))
            {
                // NB. Disabling somebody takes effect at once, whatever it leaves behind: the asking itself is refused then.
                problems.Warn(policy.Place, $"{where}, because of people who are disabled", "name somebody else");
            }
            else
            {
                problems.Error(policy.Place, where, "whoever asks never counts: name somebody else");
            }
        }
    }

    /// <summary>Where two rules open the same role to the same person, whoever reviews is named by both.</summary>
    private static void Together(LoadedCatalog catalog, Policy one, Policy other, Problems problems)
    {
        var role = one.Roles.Intersect(other.Roles).OrderBy(role => role.ToString(), StringComparer.Ordinal).First();
        var resource = catalog.Resources[role.Resource];
        if (catalog.GrowsFrom(one.BreakGlass!.ReviewFrom, [resource]) || catalog.GrowsFrom(other.BreakGlass!.ReviewFrom, [resource]))
        {
            return;
        }

        var alone = Askers(catalog, one.Who.Where(other.Who.Contains)).FindAll(asker =>
            !Sources.People(catalog, one.BreakGlass!.ReviewFrom, resource, asker, false, null)
                .Intersect(Sources.People(catalog, other.BreakGlass!.ReviewFrom, resource, asker, false, null)).Any());
        if (alone.Count > 0)
        {
            problems.Warn(
                one.Place,
                $"policies '{one.Name}' and '{other.Name}' both open {role} to {Names(alone)}, and nobody is named to review by both: it could not be opened",
                "name the same reviewers in both, or let them be about different roles");
        }
    }

    private static List<SubjectId> Askers(LoadedCatalog catalog, IEnumerable<SubjectId> who) =>
        [.. who.Where(subject => Sources.IsActive(catalog, subject)).OrderBy(subject => subject.Value, StringComparer.Ordinal)];

    private static string Names(List<SubjectId> people) =>
        string.Join(", ", people.Take(MostAskers).Select(person => person.Value)) + (people.Count > MostAskers ? " and others" : "");

    private List<string> Lacks(MapNode map, string key, string of = "'break_glass'")
    {
        reading.Problems.Error(map.Place, $"{of} lacks '{key}'", WayOut);
        return [];
    }
}
