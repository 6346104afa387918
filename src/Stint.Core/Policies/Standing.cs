using System.Text.Json.Nodes;
using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>How somebody could come to a role, were they to ask as the rules demand.</summary>
public enum Way
{
    /// <summary>No rule lets them ask; they are not told that the role exists.</summary>
    None = 1,

    /// <summary>A rule says no.</summary>
    Denied = 2,

    /// <summary>A rule is about them, and what it asks for cannot be met now, by whoever.</summary>
    Unmet = 3,

    /// <summary>With somebody's yes.</summary>
    Approval = 4,

    /// <summary>By rule, without anybody's yes.</summary>
    Rule = 5,

    /// <summary>In an emergency only: at once, told loudly, and reviewed.</summary>
    BreakGlass = 6,
}

/// <summary>What somebody could get of a role in an emergency.</summary>
/// <param name="Terms">Under which terms.</param>
/// <param name="Rules">The rules that would open it.</param>
/// <param name="From">Who reviews it, as the catalog says it.</param>
/// <param name="Within">By when.</param>
/// <param name="ReasonAtLeast">Fewest characters of the justification.</param>
/// <param name="Tickets">Every one of them has to match the ticket; empty when no ticket is demanded.</param>
/// <param name="Conditions">What else has to hold when they ask, as the catalog writes it.</param>
public sealed record GlassStanding(
    Terms Terms, IReadOnlyList<string> Rules, IReadOnlyList<string> From, TimeSpan Within, int ReasonAtLeast, IReadOnlyList<string> Tickets, IReadOnlyList<string> Conditions)
{
    /// <summary><c>as break-glass, for 1h at most, reviewed by group:security within 1d</c>.</summary>
    public string How => $"as break-glass, for {Words.Say(Terms.Max)} at most, reviewed by {string.Join(" and ", From)} within {Words.Say(Within)}";

    /// <summary>The same text for whatever is the same to those who ask.</summary>
    internal string Signature => $"{How}|{Terms.For.Ticks}|{ReasonAtLeast}|{string.Join('\n', Tickets)}|{string.Join('\n', Conditions)}";

    internal JsonObject ToNode() => new()
    {
        ["how"] = How,
        ["rules"] = Standing.Texts(Rules),
        ["for_seconds"] = (long)Terms.For.TotalSeconds,
        ["max_seconds"] = (long)Terms.Max.TotalSeconds,
        ["review_from"] = Standing.Texts(From),
        ["review_within_seconds"] = (long)Within.TotalSeconds,
        ["reason_at_least"] = ReasonAtLeast,
        ["tickets"] = Standing.Texts(Tickets),
        ["conditions"] = Standing.Texts(Conditions),
    };
}

/// <summary>What somebody could get of a role at best, and what they would have to bring.</summary>
public sealed record Standing
{
    public required Way Way { get; init; }

    /// <summary>Why not, for whoever may read the whole catalog; null when they could get it.</summary>
    public string? Because { get; init; }

    /// <summary>The rules that count, those that decide first. Empty when none is about them.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>Null when they could not get it.</summary>
    public Terms? Terms { get; init; }

    /// <summary>Empty unless somebody's yes is needed.</summary>
    public IReadOnlyList<PinnedStep> Steps { get; init; } = [];

    /// <summary>Whether nobody counts in two steps.</summary>
    public bool Distinct { get; init; }

    public bool ReasonRequired { get; init; }

    /// <summary>Whether the exact statements have to be named.</summary>
    public bool StatementsRequired { get; init; }

    /// <summary>Every one of them has to match the ticket; empty when no ticket is demanded.</summary>
    public IReadOnlyList<string> Tickets { get; init; } = [];

    /// <summary>What else has to hold when they ask, as the catalog writes it: what looks at the asking or at the time.</summary>
    public IReadOnlyList<string> Conditions { get; init; } = [];

    /// <summary>Under which conditions nobody's yes is needed after all, as the catalog writes them.</summary>
    public IReadOnlyList<string> Sparing { get; init; } = [];

    /// <summary>When it opens only, by the calendars of the rules: <c>during maintenance</c>, <c>not during freeze</c>; empty for at any time.</summary>
    public IReadOnlyList<string> Times { get; init; } = [];

    /// <summary>What they may not hold beside it, in words with the rule's name; empty for nothing.</summary>
    public IReadOnlyList<string> Apart { get; init; } = [];

    /// <summary>What they could get in an emergency, beside the way or as the only one; null for nothing.</summary>
    public GlassStanding? Glass { get; init; }

    /// <summary>Whether they could get it at all.</summary>
    public bool Could => Way is Way.Rule or Way.Approval or Way.BreakGlass;

    /// <summary>The same text for whatever is the same to those who ask, whoever they are and however the rules are called.</summary>
    internal string Signature => Could
        ? $"{Way}|{string.Join(';', Steps.Select(step => $"{step.From}*{step.Need}{StepUps.Word(step.StepUp)}"))}|{Distinct}|{Terms!.For.Ticks}|{Terms.Max.Ticks}|{Terms.Record}|{ReasonRequired}|{StatementsRequired}|{string.Join('\n', Tickets)}|{string.Join('\n', Conditions)}|{string.Join('\n', Sparing)}|{string.Join('\n', Apart)}|{string.Join('\n', Times)}|{Glass?.Signature}"
        : "no";

    /// <summary><c>by rule</c>, or <c>with a yes from owners and 2 yeses from group:security</c>; <c>not at all</c>.</summary>
    public string How => Way switch
    {
        Way.Rule => "by rule",
        Way.Approval => $"with {string.Join(" and ", Steps.Select(step => (step.Need == 1 ? $"a yes from {step.From}" : $"{step.Need} yeses from {step.From}") + StepUps.Added(step.StepUp)))}{(Distinct ? ", of different persons" : "")}",
        Way.BreakGlass => "as break-glass",
        Way.None or Way.Denied or Way.Unmet => "not at all",
        _ => throw new InvalidOperationException($"{Way} is not a way."),
    };

    /// <summary><see cref="How"/>, and for how long at most.</summary>
    public string HowLong => Way == Way.BreakGlass ? Glass!.How : Could ? $"{How}, for {Words.Say(Terms!.Max)} at most{(Glass is { } glass ? $"; in an emergency {glass.How}" : "")}" : How;

    /// <summary>What the asking has to hold, in words; empty for nothing.</summary>
    public IReadOnlyList<string> Demands =>
        [.. Way == Way.BreakGlass ? [$"a reason of {Glass!.ReasonAtLeast} characters"] : (string[])[], .. ReasonRequired ? ["a reason"] : (string[])[], .. StatementsRequired ? ["the exact statements"] : (string[])[], .. Tickets.Select(pattern => $"a ticket that matches {pattern}"), .. Conditions.Select(condition => $"that {condition} holds"), .. Times.Select(times => $"to open {times}"), .. Apart];

    /// <summary>How <see cref="Standing.Way"/> is written.</summary>
    public static string Word(Way way) => way switch
    {
        Way.None => "none",
        Way.Denied => "denied",
        Way.Unmet => "unmet",
        Way.Approval => "approval",
        Way.Rule => "rule",
        Way.BreakGlass => "break_glass",
        _ => throw new InvalidOperationException($"{way} is not a way."),
    };

    /// <summary>As JSON: <c>way how because rules for_seconds max_seconds record reason_required statements_required tickets conditions sparing times apart distinct steps</c>.</summary>
    /// <param name="withPeople">Whether the steps name their people. Of many persons at once the steps are told without.</param>
    public JsonObject ToNode(bool withPeople = true)
    {
        var node = new JsonObject
        {
            ["way"] = Word(Way),
            ["how"] = HowLong,
            ["because"] = Because,
            ["rules"] = Texts(Rules),
        };
        if (Terms is { } terms)
        {
            node["for_seconds"] = (long)terms.For.TotalSeconds;
            node["max_seconds"] = (long)terms.Max.TotalSeconds;
            node["record"] = terms.Record == RecordMode.Strict ? "strict" : "default";
            node["reason_required"] = ReasonRequired;
            node["statements_required"] = StatementsRequired;
            node["tickets"] = Texts(Tickets);
            node["conditions"] = Texts(Conditions);
            node["sparing"] = Texts(Sparing);
            node["times"] = Texts(Times);
            node["apart"] = Texts(Apart);
            node["distinct"] = Distinct;
            node["steps"] = new JsonArray([.. Steps.Select(step =>
            {
                var written = new JsonObject { ["from"] = step.From, ["need"] = step.Need };
                if (StepUps.Word(step.StepUp) is { } stepUp)
                {
                    written["step_up"] = stepUp;
                }

                if (withPeople)
                {
                    written["name"] = step.Name;
                    written["approvers"] = Texts(step.Approvers.Select(person => person.Value));
                }

                return (JsonNode)written;
            })]);
        }

        if (Glass is { } glass)
        {
            node["break_glass"] = glass.ToNode();
        }

        return node;
    }

    /// <summary>Texts as a JSON list.</summary>
    internal static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>The same without naming roles of other resources.</summary>
    public Standing WithoutOthers() => Apart.Count == 0 ? this : this with { Apart = [.. Apart.Select(one => $"not beside some other roles {one[one.LastIndexOf('(')..]}")] };

    /// <summary>The same as another sees it who is no approver of their own asking.</summary>
    internal Standing Without(SubjectId subject) => Steps.Any(step => step.Approvers.Contains(subject))
        ? this with { Steps = [.. Steps.Select(step => step with { Approvers = [.. step.Approvers.Where(person => person != subject)] })] }
        : this;
}
