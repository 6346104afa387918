using System.Text.RegularExpressions;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What the policies say to an emergency.</summary>
/// <remarks>
/// Rules that deny still deny. Of the others only those with <c>break_glass</c> count: the yes that any other rule asks
/// for is passed over, since that is what breaking the glass means, and the trace says so of each. Somebody else is told
/// and somebody else reviews it, or it is not opened.
/// </remarks>
public static partial class Decider
{
    private const string UnderReviewBegins = "the break-glass ";

    /// <summary>Whether a no was said for no rule's sake, but because an earlier emergency was not reviewed.</summary>
    internal static bool WasUnderReview(Verdict verdict) => verdict is Verdict.Deny deny && deny.Because.StartsWith(UnderReviewBegins, StringComparison.Ordinal);

    /// <summary>What becomes of a yes to an emergency while an earlier one of the same person is not reviewed: a no that says so.</summary>
    public static Verdict.Deny UnderReview(Verdict.Allow broken, Approvals.Review open)
    {
        ArgumentNullException.ThrowIfNull(broken);
        ArgumentNullException.ThrowIfNull(open);
        var because = $"{UnderReviewBegins}{open.Request} is not reviewed yet ({open.Id})";
        var remedy = $"have it reviewed by {string.Join(" or ", open.Reviewers)}: stint review {open.Id}; or ask without break-glass";
        var about = broken.TraceForAsker;
        return new Verdict.Deny(because, Known: true)
        {
            Trace = [.. about.Select(line => line.Outcome == RuleOutcome.Decided ? line with { Outcome = RuleOutcome.NotMet, Because = because, Remedy = remedy } : line)],
            LeftOut = broken.Trace.Count - about.Count,
        };
    }

    private static Verdict Glass(LoadedCatalog catalog, Situation situation, List<int> candidates)
    {
        var question = situation.Question;
        var weighed = Weighing.Of(catalog, situation, candidates);
        if (!weighed.Reaches)
        {
            return Unknown(catalog, question, $"no rule lets {question.Subject} ask for {question.Role}", weighed);
        }

        if (weighed.About.Exists(i => catalog.Policies[i].Deny))
        {
            return Denied(catalog, question, weighed);
        }

        var names = candidates.Select(i => catalog.Policies[i]).Where(policy => policy.BreakGlass is not null).Select(policy => policy.Name).ToHashSet(StringComparer.Ordinal);
        var passed = Passed(catalog, weighed, names);
        List<RuleTrace> failed = [.. (weighed.Failed ?? []).Where(line => names.Contains(line.Rule))];
        List<RuleTrace> aside = [.. (weighed.Aside ?? []).Where(line => names.Contains(line.Rule))];
        var glass = weighed.About.FindAll(i => catalog.Policies[i].BreakGlass is not null);
        if (failed.Count > 0)
        {
            var others = glass.ConvertAll(i => new RuleTrace(catalog.Policies[i].Name, RuleOutcome.Matched, $"it is about this, but {string.Join(", ", failed.Select(line => line.Rule))} cannot be evaluated"));
            return Deny(catalog, question, string.Join("; ", failed.Select(line => $"{line.Rule}: {line.Because}")), [.. failed, .. others, .. aside, .. passed]);
        }

        if (glass.Count == 0)
        {
            return aside.Count > 0
                ? Deny(catalog, question, string.Join("; ", aside.Select(line => $"{line.Rule}: {line.Because}")), [.. aside, .. passed])
                : Deny(
                    catalog,
                    question,
                    $"no rule lets {question.Subject} break the glass for {question.Role}",
                    passed.ConvertAll(line => new RuleTrace(line.Rule, RuleOutcome.NotMet, "it does not count in an emergency", "ask without break-glass")));
        }

        // NB. What keeps roles apart binds in an emergency too: four eyes are not two because it is late.
        if (catalog.Separations.Count > 0 && Separating.Weigh(catalog, question, glass.Max(i => catalog.Policies[i].MaxFor)) is { } apart)
        {
            return Apart(catalog, question, glass, apart, weighed);
        }

        // The calendars of rules that are passed over do not count, those of the emergency's own rules do; and it opens now or not at all.
        var timing = catalog.Calendars.Count == 0 || question.ConditionsMet ? null : Timing.Of(glass.Concat(weighed.Coming ?? []).Select(i => catalog.Policies[i]), situation.Opens);
        if (timing is not null && timing.From != situation.Opens)
        {
            return Shut(catalog, question, glass, timing);
        }

        List<RuleTrace> unmet = [.. glass.Select(i => GlassDemand(catalog.Policies[i], catalog.Index.Tickets[i], question)).OfType<RuleTrace>()];
        var pinned = Pin(catalog, situation, glass, unmet);
        if (unmet.Count > 0)
        {
            var others = glass.Select(i => catalog.Policies[i].Name).Except(unmet.Select(line => line.Rule), StringComparer.Ordinal)
                .Select(name => new RuleTrace(name, RuleOutcome.Matched, $"its own demands are met, but those of {string.Join(", ", unmet.Select(line => line.Rule).Distinct())} are not"));
            return Deny(catalog, question, string.Join("; ", unmet.Select(line => $"{line.Rule}: {line.Because}")), [.. unmet, .. others, .. aside, .. passed]);
        }

        var policies = glass.ConvertAll(i => catalog.Policies[i]);
        var most = policies.Min(policy => policy.MaxFor);
        var usual = policies.Min(policy => policy.DefaultFor);
        var terms = new Terms(question.For ?? (usual < most ? usual : most), most, RecordMode.Strict, TimeSpan.FromHours(24), policies.Min(policy => policy.BeginWithin)) { EndsBy = timing?.Until };
        var lines = policies.ConvertAll(policy => new RuleTrace(
            policy.Name,
            RuleOutcome.Decided,
            $"it is break-glass: it opens at once, {policy.BreakGlass!.Tell} {(policy.BreakGlass.Tell.Contains(',', StringComparison.Ordinal) ? "are" : "is")} told, and {policy.BreakGlass.ReviewFrom} reviews it within {Words.Say(policy.BreakGlass.ReviewWithin)}"));
        return new Verdict.Allow(terms) { Glass = pinned, Trace = Trace(catalog, question, [.. lines, .. aside, .. passed]) };
    }

    /// <summary>What the rules of every day would have asked for, and that it is passed over.</summary>
    private static List<RuleTrace> Passed(LoadedCatalog catalog, Weighing weighed, HashSet<string> glass)
    {
        var lines = weighed.About.Select(i => catalog.Policies[i]).Where(policy => policy.BreakGlass is null).Select(policy => new RuleTrace(
            policy.Name,
            RuleOutcome.Matched,
            policy.Approve is { } workflow
                ? $"it asks for approval ({string.Join("; ", workflow.Steps.Select(step => step.Need == 1 ? step.From : $"{step.Need} of {step.From}"))}), which break-glass passes over"
                : "it allows this by rule, without breaking the glass"));
        var failed = (weighed.Failed ?? []).Where(line => !glass.Contains(line.Rule)).Select(line => line with { Outcome = RuleOutcome.Matched, Because = "it cannot be evaluated, and break-glass passes it over" });
        var aside = (weighed.Aside ?? []).Where(line => !glass.Contains(line.Rule)).Select(line => line with { Outcome = RuleOutcome.Matched, Remedy = null });
        return [.. lines, .. failed, .. aside];
    }

    private static RuleTrace? GlassDemand(Policy policy, Lazy<Regex>? ticket, Question question)
    {
        if (question.DemandsMet)
        {
            return null;
        }

        // NB. A justification that is long enough is one: the demand for any would only be told twice.
        var line = Demand(policy with { ReasonRequired = false }, ticket, question);
        List<(string Because, string Remedy)> unmet = [];
        var least = policy.BreakGlass!.ReasonAtLeast;
        if (BreakGlass.LengthOf(question.Reason) < least)
        {
            unmet.Add(($"the reason has fewer than {least} characters, white space not counted", $"say what happened and why nobody can be waited for, in {least} characters or more"));
        }

        if (question.StartAt is not null)
        {
            unmet.Add(("break-glass opens at once", "leave the start out"));
        }

        return unmet.Count == 0 ? line : new RuleTrace(
            policy.Name,
            line?.Outcome ?? RuleOutcome.NotMet,
            string.Join(", and ", unmet.Select(item => item.Because).Prepend(line?.Because).OfType<string>()),
            string.Join(", and ", unmet.Select(item => item.Remedy).Prepend(line?.Remedy).OfType<string>()));
    }

    /// <summary>Fixes by name who is told and who reviews; says of each rule for which there is nobody.</summary>
    private static PinnedGlass Pin(LoadedCatalog catalog, Situation situation, List<int> glass, List<RuleTrace> unmet)
    {
        var question = situation.Question;
        List<SubjectId> People(string from) => Sources.People(catalog, from, situation.Resource, question.Subject, false, question.Now);
        var told = new HashSet<SubjectId>();
        List<SubjectId>? reviewers = null;
        foreach (var policy in glass.Select(i => catalog.Policies[i]))
        {
            var own = People(policy.BreakGlass!.Tell);
            told.UnionWith(own);
            var named = People(policy.BreakGlass.ReviewFrom);
            reviewers = reviewers is null ? named : [.. reviewers.Intersect(named)];
            if (own.Count == 0)
            {
                unmet.Add(new RuleTrace(policy.Name, RuleOutcome.NotMet, $"nobody but the asker would be told ({policy.BreakGlass.Tell})"));
            }

            if (named.Count == 0)
            {
                unmet.Add(new RuleTrace(policy.Name, RuleOutcome.NotMet, $"nobody but the asker could review it ({policy.BreakGlass.ReviewFrom})"));
            }
            else if (reviewers.Count == 0)
            {
                unmet.Add(new RuleTrace(policy.Name, RuleOutcome.NotMet, "nobody is named to review it by every rule that would open it"));
            }
        }

        return new PinnedGlass(
            [.. told.OrderBy(person => person.Value, StringComparer.Ordinal)],
            [.. glass.Select(i => catalog.Policies[i].BreakGlass!.ReviewFrom).Distinct(StringComparer.Ordinal)],
            reviewers ?? [],
            glass.Min(i => catalog.Policies[i].BreakGlass!.ReviewWithin));
    }
}
