using System.Text.Json.Nodes;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Requests;

namespace Stint.Core.Policies;

/// <summary>What another catalog would have made of a request.</summary>
public enum Replayed
{
    /// <summary>The same as then.</summary>
    Same = 1,

    /// <summary>It would be refused.</summary>
    Refused = 2,

    /// <summary>It would be let in without anybody's yes, which it was not then.</summary>
    ByRule = 3,

    /// <summary>It would need a yes that was not needed or not given then.</summary>
    NeedsYes = 4,

    /// <summary>It would be allowed as then, for a shorter time.</summary>
    Shorter = 5,
}

/// <summary>A request decided again.</summary>
/// <param name="Request">As it was asked and decided.</param>
/// <param name="What">What became of it.</param>
/// <param name="Because">In words, without a full stop; empty when it is the same.</param>
public sealed record Replay(Request Request, Replayed What, string Because)
{
    /// <summary>Names of the rules that decide now; empty when none is about it.</summary>
    public IReadOnlyList<string> Rules { get; private init; } = [];

    /// <summary>Decides a request again at its own moment, as it was asked.</summary>
    /// <param name="catalog">The catalog that decides; also who is in which group is as it says.</param>
    /// <param name="request">The request.</param>
    /// <param name="approvals">What was answered to it.</param>
    /// <param name="held">What its requester held, had held and was promised then; null when nobody looked.</param>
    public static Replay Of(LoadedCatalog catalog, Request request, IReadOnlyList<Approval> approvals, IReadOnlyList<Held>? held = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(request);

        // NB. A wished length was kept together with a policy's own: one that has become too long shortens, it does not refuse.
        var question = new Question(request.Subject, request.Role, null, request.Reason, request.Ticket, request.StartAt, request.AskedAt) { Held = held, BreakGlass = request.BreakGlass, Task = request.Task, Claims = request.Claims, Statements = request.Statements };
        var now = Decider.Decide(catalog, question);
        var (what, because) = (request.Verdict, now) switch
        {
            (Verdict.Deny, Verdict.Deny) => (Replayed.Same, ""),
            // Nor does it say how much was left of a budget.
            (Verdict.Deny, _) when Decider.WasOverBudget(request.Verdict) => (Replayed.Same, ""),
            (_, Verdict.Deny deny) => (Replayed.Refused, deny.Because),
            (Verdict.Allow, Verdict.Allow) => (Replayed.Same, ""),

            // What held it back was no rule: a catalog changes nothing about it.
            (Verdict.Deny, Verdict.Allow) when request.BreakGlass && Decider.WasUnderReview(request.Verdict) => (Replayed.Same, ""),
            (_, Verdict.Allow) => (Replayed.ByRule, $"{string.Join(", ", now.DecidedBy)} would let it in"),
            (Verdict.NeedsApproval was, Verdict.NeedsApproval needs) => Yeses(request, was, needs, approvals),
            (_, Verdict.NeedsApproval needs) => (Replayed.NeedsYes, $"{string.Join(", ", needs.DecidedBy)} would ask {Steps(needs.Steps)}"),
            _ => throw new InvalidOperationException("A verdict is one of three."),
        };
        var terms = now is Verdict.Allow allow ? allow.Terms : (now as Verdict.NeedsApproval)?.Terms;
        var replay = what == Replayed.Same && terms is not null && terms.Max < request.For
            ? new Replay(request, Replayed.Shorter, $"{Words.Say(terms.Max)} at most, it was {Words.Say(request.For)}")
            : new Replay(request, what, because);
        return replay with { Rules = now.DecidedBy };
    }

    /// <summary>How <see cref="What"/> is written.</summary>
    public static string Word(Replayed what) => what switch
    {
        Replayed.Same => "same",
        Replayed.Refused => "refused",
        Replayed.ByRule => "by_rule",
        Replayed.NeedsYes => "needs_yes",
        Replayed.Shorter => "shorter",
        _ => throw new InvalidOperationException($"{what} is not what becomes of a request."),
    };

    /// <summary>As JSON: <c>request subject role reason asked_at what because before rules</c>.</summary>
    public JsonObject ToNode() => new()
    {
        ["request"] = Request.Id.Value,
        ["subject"] = Request.Subject.Value,
        ["role"] = Request.Role.ToString(),
        ["reason"] = Request.Reason,
        ["asked_at"] = Request.AskedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        ["what"] = Word(What),
        ["because"] = Because,
        ["before"] = VerdictJson.Name(Request.Verdict),
        ["rules"] = new JsonArray([.. Rules.Select(rule => (JsonNode)rule)]),
    };

    private static (Replayed, string) Yeses(Request request, Verdict.NeedsApproval was, Verdict.NeedsApproval needs, IReadOnlyList<Approval> approvals)
    {
        // One that got its yeses is held against them; one that did not, against what was asked of it.
        if (request.State == RequestState.Approved)
        {
            return Quorum.Count(needs.Steps, needs.Distinct, request.Subject, request.Digest, approvals) is Tally.Waiting waiting
                ? (Replayed.NeedsYes, $"the yeses that it got are not enough: {string.Join("; ", waiting.Open.Select(open => $"{open.Missing} more from {open.Step.Name}"))}")
                : (Replayed.Same, "");
        }

        // What waited with the rest of a bundle was asked of more people than its own policies name.
        var same = request.Bundle is null
            ? was.Distinct == needs.Distinct && Asked(was).SequenceEqual(Asked(needs), StringComparer.Ordinal)
            : (was.Distinct || !needs.Distinct) && needs.Steps.All(step => was.Steps.Any(one => one.Need >= step.Need && one.From == Sources.Bound(step.From, request.Role.Resource)));
        return same
            ? (Replayed.Same, "")
            : (Replayed.NeedsYes, $"{string.Join(", ", needs.DecidedBy)} would ask {Steps(needs.Steps)}");
    }

    private static IEnumerable<string> Asked(Verdict.NeedsApproval verdict) => verdict.Steps.Select(step => $"{step.From}*{step.Need}{StepUps.Word(step.StepUp)}").Order(StringComparer.Ordinal);

    private static string Steps(IEnumerable<PinnedStep> steps) => string.Join(" and ", steps.Select(step => $"{step.Need} of {step.Name}"));
}
