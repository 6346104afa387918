using Stint.Core.Approvals;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>workflows</c>, and the steps that stand in a policy itself.</summary>
internal sealed class WorkflowsSection(Draft draft, Subjects names)
{
    /// <summary>Keys of a workflow.</summary>
    public static readonly IReadOnlyList<string> Keys = ["steps", "order", "distinct", "not_for_reports", "lapses"];

    private const string WayOut = "write from: owners, manager, skip-manager, group:NAME, person:NAME or on-call:ROTA, or a list of them";
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private readonly Reading _reading = draft.Reading;

    public Dictionary<string, Workflow> Read()
    {
        var workflows = new Dictionary<string, Workflow>(StringComparer.Ordinal);
        foreach (var entry in draft.Section("workflows").Values)
        {
            if (_reading.Map(entry.Value, "a workflow") is { } map)
            {
                _reading.Keys(map, "a workflow", Keys);
                workflows[entry.Key] = Workflow(entry.Key, map, entry.Place);
            }
        }

        return workflows;
    }

    /// <summary>The workflow in a mapping whose keys were looked at.</summary>
    public Workflow Workflow(string name, MapNode map, CatalogPlace place)
    {
        var lapses = _reading.Duration(map, "lapses", "'lapses'", Minute, Month) ?? TimeSpan.FromHours(24);
        var notForReports = _reading.Flag(map, "not_for_reports", "'not_for_reports'");
        var steps = new List<WorkflowStep>();
        if (map.Find("steps") is not { Value: ListNode { Items.Count: > 0 } list })
        {
            _reading.Problems.Error(map.Find("steps")?.Value.Place ?? place, $"the steps of '{name}' are not a list of at least one", "write steps: [ { from: owners } ]");
        }
        else
        {
            foreach (var item in list.Items)
            {
                if (_reading.Map(item, "a step") is { } step && Step(step, notForReports, lapses) is { } read)
                {
                    steps.Add(read);
                }
            }

            if (list.Items.Count > 10)
            {
                _reading.Problems.Error(list.Place, "a workflow takes at most 10 steps");
            }
        }

        return new Workflow
        {
            Name = name,
            Steps = steps,
            Sequential = Sequential(map),
            Distinct = _reading.Flag(map, "distinct", "'distinct'"),
            LapsesAfter = lapses,
        };
    }

    private bool Sequential(MapNode map)
    {
        var order = _reading.Text(map, "order", "'order'", 20);
        if (order is not (null or "parallel" or "sequential"))
        {
            _reading.Problems.Error(map.Find("order")!.Value.Place, "'order' is neither parallel nor sequential", "sequential: a step is asked once those before it are met; parallel (as without the key): all at once");
        }

        return order == "sequential";
    }

    private WorkflowStep? Step(MapNode map, bool notForReports, TimeSpan lapses)
    {
        _reading.Keys(map, "a step", ["from", "need", "remind", "escalate", "not_for_reports", "step_up"]);
        var need = map.Find("need") is { } count ? _reading.Whole(count.Value, "'need'", 1, 20) ?? 1 : 1;
        if (map.Find("from") is not { } entry)
        {
            _reading.Problems.Error(map.Place, "a step lacks 'from'", WayOut);
            return null;
        }

        notForReports = _reading.Flag(map, "not_for_reports", "'not_for_reports'", notForReports);
        var from = Sources(entry.Value, "'from'");
        if (from.Count == 0)
        {
            return null;
        }

        if (need > from.Count && from.TrueForAll(source => Policies.Sources.IsOnePerson(source)))
        {
            _reading.Problems.Error(map.Find("need")!.Value.Place, from is ["manager"] ? "a person has one manager, and this step needs more" : $"this step asks at most {from.Count}, and needs more");
        }

        if (notForReports && from is ["manager"])
        {
            _reading.Problems.Error(entry.Value.Place, "this step asks the manager alone, and 'not_for_reports' says that a manager may not approve for their own reports", "ask skip-manager or a group, or write not_for_reports: false at the step");
        }

        var remind = _reading.Duration(map, "remind", "'remind'", Minute, Month);
        if (remind >= lapses)
        {
            _reading.Problems.Warn(map.Find("remind")!.Value.Place, $"nobody is reminded: the request lapses after {Words.Say(lapses)}", "remind earlier, or raise 'lapses'");
        }

        return new WorkflowStep(string.Join(", ", from), (int)need) { Remind = remind, Escalate = Escalate(map, lapses), NotForReports = notForReports, StepUp = StepUp(map) };
    }

    /// <summary>How an approver has to prove themselves anew; without the key not at all.</summary>
    public StepUp StepUp(MapNode map)
    {
        if (map.Find("step_up") is not { } entry)
        {
            return Approvals.StepUp.None;
        }

        var read = _reading.Text(entry.Value, "'step_up'", 20) is { } word ? StepUps.Read(word) : null;
        if (read is null)
        {
            _reading.Problems.Error(entry.Value.Place, "'step_up' is neither passkey nor fresh", "passkey: the approver's passkey signs what they approve; fresh: they signed in at most 10 minutes ago");
        }

        return read ?? Approvals.StepUp.None;
    }

    private Escalation? Escalate(MapNode step, TimeSpan lapses)
    {
        const string wayOut = "write escalate: { after: 30m, to: group:NAME }";
        if (step.Find("escalate") is not { } given || _reading.Map(given.Value, "'escalate'") is not { } map)
        {
            return null;
        }

        _reading.Keys(map, "'escalate'", ["after", "to"]);
        if (map.Find("after") is null || map.Find("to") is null)
        {
            _reading.Problems.Error(map.Place, "'escalate' takes 'after' and 'to'", wayOut);
            return null;
        }

        var after = _reading.Duration(map, "after", "'after'", Minute, Month);
        var to = Sources(map.Find("to")!.Value, "'to'");
        if (after >= lapses)
        {
            _reading.Problems.Error(map.Find("after")!.Value.Place, $"it would never escalate: the request lapses after {Words.Say(lapses)}", "escalate earlier, or raise 'lapses'");
        }

        return after is { } length && to.Count > 0 ? new Escalation(length, string.Join(", ", to)) : null;
    }

    /// <summary>Where a step's people come from: each once, in the order of their names, so that two ways to write it are one.</summary>
    public List<string> Sources(Node node, string what)
    {
        var sources = new SortedSet<string>(StringComparer.Ordinal);
        if (node is ListNode { Items.Count: 0 })
        {
            _reading.Problems.Error(node.Place, $"{what} names nobody", WayOut);
        }

        foreach (var (text, place) in _reading.Texts(node, what, 80))
        {
            if (Source(text, place))
            {
                sources.Add(text);
            }
        }

        return [.. sources];
    }

    private bool Source(string text, CatalogPlace place)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = text[(colon + 1)..];
        switch (colon < 0 ? text : text[..colon])
        {
            case "owners" or "manager" or "skip-manager" when colon < 0:
                return true;
            case "group" when colon > 0:
                return names.Group(name, place) is not null;
            case "person" when colon > 0:
                return names.Person(text, place) is not null;
            case "on-call" when colon > 0:
                var rotas = draft.Section("on-call");
                if (rotas.TryGetValue(name, out var rota) && rota.Key == name)
                {
                    return true;
                }

                _reading.Problems.Error(place, $"no rota is called '{Words.Short(name)}'", Words.Meant(name, rotas.Keys, "add it under 'on-call'"));
                return false;
            default:
                _reading.Problems.Error(place, $"'{Words.Short(text)}' is nobody that a step can ask", WayOut);
                return false;
        }
    }
}
