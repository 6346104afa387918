using System.Text.RegularExpressions;
using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Says what the policies of a catalog say to a question. Pure: the same catalog and question, the same verdict.</summary>
/// <remarks>
/// Every rule about the subject and the role counts, and each only ever takes away: a deny rule ends it; a demand of any of
/// them (a reason, a ticket, a maximum) has to be met; if any of them asks for approval, approval it is. So nobody gets a
/// softer answer by leaving something out of the asking.
/// </remarks>
public static partial class Decider
{
    /// <summary>How far ahead a start may lie.</summary>
    public static readonly TimeSpan FurthestStart = TimeSpan.FromDays(30);

    /// <summary>The verdict, with each rule's part in it.</summary>
    public static Verdict Decide(LoadedCatalog catalog, Question question)
    {
        if (catalog.Find(question.Subject) is not { } subject)
        {
            return Unknown(catalog, question, $"{question.Subject} is not in the catalog");
        }

        if (subject.Disabled)
        {
            return Unknown(catalog, question, $"{question.Subject} is disabled");
        }

        var candidates = catalog.Index.About(question.Subject, question.Role);
        if (!catalog.Resources.TryGetValue(question.Role.Resource, out var resource) || !resource.Roles.TryGetValue(question.Role.Role, out var role))
        {
            return Unknown(catalog, question, $"no rule lets {question.Subject} ask for {question.Role}");
        }

        var situation = new Situation(catalog, subject, resource, role, question);
        if (question.BreakGlass)
        {
            // NB. Who breaks the glass answers for it in a review, and a machine cannot.
            if (subject is Workload)
            {
                return Unknown(catalog, question, "only persons break the glass");
            }

            return Glass(catalog, situation, candidates);
        }

        var weighed = Weighing.Of(catalog, situation, candidates);

        // NB. A deny rule alone tells nobody that the role exists: they may not ask for it.
        if (!weighed.Reaches)
        {
            return Unknown(catalog, question, $"no rule lets {question.Subject} ask for {question.Role}", weighed);
        }

        var about = weighed.About;
        var denies = false;
        foreach (var i in about)
        {
            denies |= catalog.Policies[i].Deny;
        }

        if (denies)
        {
            return Denied(catalog, question, weighed);
        }

        if (catalog.Separations.Count > 0 && about.Count > 0 && Separating.Weigh(catalog, question, about.Max(i => catalog.Policies[i].MaxFor)) is { } apart)
        {
            return Apart(catalog, question, about, apart, weighed);
        }

        if (weighed.Failed is { } failed)
        {
            var rest = about.ConvertAll(i => new RuleTrace(catalog.Policies[i].Name, RuleOutcome.Matched, $"it is about this, but {string.Join(", ", failed.Select(line => line.Rule))} cannot be evaluated"));
            return Deny(catalog, question, string.Join("; ", failed.Select(line => $"{line.Rule}: {line.Because}")), [.. failed, .. rest, .. weighed.Aside ?? []]);
        }

        if (about.Count == 0)
        {
            return Deny(catalog, question, string.Join("; ", weighed.Aside!.Select(line => $"{line.Rule}: {line.Because}")), weighed.Aside!);
        }

        if (Start(question) is { } wrong)
        {
            return TooSoonOrLate(catalog, question, about, wrong.Because, wrong.Remedy);
        }

        var timing = catalog.Calendars.Count == 0 || question.ConditionsMet ? null : Timing.Of(about.Concat(weighed.Coming ?? []).Select(i => catalog.Policies[i]), situation.Opens);
        if (timing is not null && (timing.From is not { } from || (question.StartAt is { } start && from > start)))
        {
            return Shut(catalog, question, about, timing);
        }

        return (question.DemandsMet ? null : Unmet(catalog, question, about)) ?? Agreed(catalog, situation, about, weighed.Aside, timing);
    }

    /// <summary>What a person may ask for, and under which demands; in the order of the roles' names.</summary>
    /// <remarks>Conditions on the resource are weighed; those that look at an asking or at the time are told and not weighed.</remarks>
    public static IReadOnlyList<Offer> Offers(LoadedCatalog catalog, SubjectId subject, DateTimeOffset now)
    {
        if (catalog.Find(subject) is not { Disabled: false } asker)
        {
            return [];
        }

        var offers = new List<Offer>();
        foreach (var role in catalog.Index.Reached(subject).OrderBy(role => role.Resource, StringComparer.Ordinal).ThenBy(role => role.Role, StringComparer.Ordinal))
        {
            var resource = catalog.Resources[role.Resource];
            var situation = new Situation(catalog, asker, resource, resource.Roles[role.Role], new Question(subject, role, null, null, null, null, now));
            var policies = catalog.Index.About(subject, role).ConvertAll(i => catalog.Policies[i]).FindAll(policy => MayBeAbout(policy, situation));
            if (policies.Exists(policy => !policy.Deny) && !policies.Exists(policy => policy.Deny && IsCertain(policy)))
            {
                // What opens in an emergency only is told by itself where there is no other way.
                policies.RemoveAll(policy => policy.Deny || (policy.BreakGlass is not null && asker is Workload));
                if (policies.Count == 0)
                {
                    continue;
                }

                var glass = policies.Exists(policy => policy.BreakGlass is not null);
                policies.RemoveAll(policy => policy.BreakGlass is not null && policies.Exists(other => other.BreakGlass is null));
                offers.Add(new Offer(
                    role,
                    policies.Min(policy => policy.DefaultFor),
                    policies.Min(policy => policy.MaxFor),
                    policies.Exists(policy => policy.Approve is not null),
                    policies.Exists(policy => policy.ReasonRequired),
                    [.. policies.Select(policy => policy.TicketPattern).OfType<string>().Distinct()])
                {
                    BreakGlass = glass,
                    OnlyBreakGlass = policies[0].BreakGlass is not null,
                    StatementsRequired = policies.Exists(policy => policy.StatementsRequired),
                    Conditions = [.. policies.SelectMany(policy => Open(policy)).Select(condition => condition.Text).Distinct()],
                });
            }
        }

        return offers;
    }

    // Nobody has asked yet: what depends on the asking may still hold.
    private static bool MayBeAbout(Policy policy, Situation situation) =>
        policy.Where is not { IsOfAsking: false } where || where.Evaluate(situation) is { Yes: true } or { Failed: not null };

    private static bool IsCertain(Policy policy) => policy.When is null && policy.During.Count == 0 && policy.Where is null or { IsOfAsking: false };

    private static IEnumerable<Condition> Open(Policy policy)
    {
        if (policy.Where is { IsOfAsking: true } where)
        {
            yield return where;
        }

        if (policy.When is { } when)
        {
            yield return when;
        }
    }

    /// <summary>Asks again before access opens, with the catalog of that moment.</summary>
    /// <param name="catalog">The catalog as it is now.</param>
    /// <param name="question">The asking; its start is not looked at again.</param>
    /// <param name="pinned">The verdict at the asking.</param>
    /// <param name="approvals">The approvals that were given.</param>
    /// <param name="digest">What the approvers said yes to.</param>
    /// <param name="added">Who could answer its steps besides those that the asking named.</param>
    /// <returns>Whether it still stands, and under which terms: never longer, and never less strictly recorded, than was agreed.</returns>
    public static Again AskAgain(LoadedCatalog catalog, Question question, Verdict pinned, IReadOnlyList<Approval> approvals, string digest, IReadOnlyList<StepAddition> added)
    {
        // The length is left out: a maximum that has become shorter shortens the grant, it does not end it. What was only
        // promised does not stand in the way either: whoever opens first has it, and the other is asked again like this one.
        switch (Decide(catalog, question with { For = null, StartAt = null, Held = question.Held is { } held ? [.. held.Where(one => !one.Promised)] : null }))
        {
            case Verdict.Deny deny:
                return new Again.Fell(deny.Known ? deny.Because : $"no rule lets {question.Subject} have {question.Role} any longer");

            case Verdict.NeedsApproval needs:
                return CurrentSteps.CountAgain(catalog, question, needs, pinned, added, digest, approvals) switch
                {
                    Tally.Complete => InTime(needs, needs.Terms, question, pinned),
                    Tally.Refused refused => new Again.Fell($"{refused.By.By} said no"),
                    Tally.Waiting waiting => new Again.Fell($"{string.Join(", ", needs.DecidedBy)} now asks for approvals that are missing: {string.Join("; ", waiting.Open.Concat(waiting.Later).Select(open => $"{open.Step.Name} ({open.Missing} more)"))}", Lacking: true),
                    _ => new Again.Fell("the approvals could not be counted"),
                };

            case Verdict.Allow allow:
                return InTime(allow, allow.Terms, question, pinned);

            default:
                return new Again.Fell("the verdict could not be read");
        }
    }

    private static Again InTime(Verdict verdict, Terms terms, Question question, Verdict pinned) => terms.OpensFrom is { } from
        ? new Again.NotYet($"{string.Join(", ", verdict.DecidedBy)}: the calendars do not let it open before {Moments.Say(from)}", from)
        : new Again.Stands(Narrowed(terms, question, pinned));

    private static Terms Narrowed(Terms now, Question question, Verdict pinned)
    {
        var then = pinned switch
        {
            Verdict.Allow allow => allow.Terms,
            Verdict.NeedsApproval needs => needs.Terms,
            _ => now,
        };
        var agreed = question.For ?? then.For;
        return now with
        {
            For = agreed < now.Max ? agreed : now.Max,
            Record = then.Record > now.Record ? then.Record : now.Record,
            LapsesAfter = then.LapsesAfter,
            BeginWithin = then.BeginWithin,
        };
    }

    private static Verdict.Deny Denied(LoadedCatalog catalog, Question question, Weighing weighed)
    {
        var denials = weighed.About.FindAll(i => catalog.Policies[i].Deny);
        var names = string.Join(", ", denials.Select(i => catalog.Policies[i].Name));
        var lines = denials.ConvertAll(i => Denial(catalog.Policies[i], weighed.FailedDenials?.GetValueOrDefault(i)));
        lines.AddRange(weighed.About.Where(i => !catalog.Policies[i].Deny).Select(i => new RuleTrace(catalog.Policies[i].Name, RuleOutcome.Matched, $"it is about {question.Subject} and {question.Role}, but a rule that denies is stronger ({names})")));
        var failed = weighed.FailedDenials?.Values.FirstOrDefault();
        var because = $"{names} denies {question.Role} to {string.Join(", ", denials.Select(i => catalog.Policies[i].WhoText).Distinct())}";
        return Deny(catalog, question, failed is null ? because : $"{because} ({failed})", [.. lines, .. weighed.Failed ?? [], .. weighed.Aside ?? []]);
    }

    private static Verdict.Deny Apart(LoadedCatalog catalog, Question question, List<int> about, List<RuleTrace> apart, Weighing weighed)
    {
        var names = string.Join(", ", apart.Select(line => line.Rule));
        var rest = about.ConvertAll(i => new RuleTrace(catalog.Policies[i].Name, RuleOutcome.Matched, $"it is about {question.Subject} and {question.Role}, but {names} says no"));
        return Deny(catalog, question, string.Join("; ", apart.Select(line => $"{line.Rule}: {line.Because}")), [.. apart, .. rest, .. weighed.Failed ?? [], .. weighed.Aside ?? []]);
    }

    /// <summary>The calendars do not let it open at the asked start, or at no time to come.</summary>
    private static Verdict.Deny Shut(LoadedCatalog catalog, Question question, List<int> about, Timing timing)
    {
        var remedy = timing.From is { } from ? $"ask for a start from {Moments.Say(from)} on" : null;
        var lines = timing.Shut.GroupBy(one => one.Rule, StringComparer.Ordinal)
            .Select(rule => new RuleTrace(rule.Key, RuleOutcome.NotMet, $"{string.Join(", and ", rule.Select(one => one.Because))}{(remedy is null ? ", and that does not come again" : "")}", remedy))
            .ToList();
        if (lines.Count == 0)
        {
            lines = about.ConvertAll(i => new RuleTrace(catalog.Policies[i].Name, RuleOutcome.NotMet, "the calendars of the rules about it never let it open"));
        }

        return NotMet(catalog, question, about, lines);
    }

    private static RuleTrace Denial(Policy policy, string? failed) => failed is null
        ? new RuleTrace(policy.Name, RuleOutcome.Decided, $"it denies {policy.WhoText} this role")
        : new RuleTrace(policy.Name, RuleOutcome.Failed, $"{failed}, and a deny rule that fails denies");

    private static (string Because, string Remedy)? Start(Question question) => question.StartAt switch
    {
        { } start when start < question.Now => ("the start lies in the past", "ask for a later start, or leave it out"),
        { } start when start - question.Now > FurthestStart => ($"the start lies more than {Words.Say(FurthestStart)} ahead", "ask again when it is nearer"),
        _ => null,
    };

    private static Verdict.Deny TooSoonOrLate(LoadedCatalog catalog, Question question, List<int> about, string because, string remedy) =>
        Deny(catalog, question, because, about.ConvertAll(i => new RuleTrace(catalog.Policies[i].Name, RuleOutcome.NotMet, because, remedy)));

    private static Verdict.Deny? Unmet(LoadedCatalog catalog, Question question, List<int> about)
    {
        List<RuleTrace>? unmet = null;
        foreach (var i in about)
        {
            if (Demand(catalog.Policies[i], catalog.Index.Tickets[i], question) is { } line)
            {
                (unmet ??= []).Add(line);
            }
        }

        return unmet is null ? null : NotMet(catalog, question, about, unmet);
    }

    // NB. Apart from its caller: what a lambda takes along is made at the top of a method, and a plain yes must not pay for it.
    private static Verdict.Deny NotMet(LoadedCatalog catalog, Question question, List<int> about, List<RuleTrace> unmet)
    {
        var names = unmet.ConvertAll(line => line.Rule);
        var matched = about.Select(i => catalog.Policies[i].Name).Except(names, StringComparer.Ordinal)
            .Select(name => new RuleTrace(name, RuleOutcome.Matched, $"its own demands are met, but those of {string.Join(", ", names)} are not"));
        var because = string.Join("; ", unmet.Select(line => $"{line.Rule}: {line.Because}"));
        return Deny(catalog, question, because, [.. unmet, .. matched]);
    }

    /// <summary>What in the asking does not meet a rule; null when all does.</summary>
    private static RuleTrace? Demand(Policy policy, Lazy<Regex>? ticket, Question question)
    {
        List<(string Because, string Remedy)>? unmet = null;
        if (question.For is { } length && length > policy.MaxFor)
        {
            (unmet ??= []).Add(($"{Words.Say(length)} is longer than its maximum of {Words.Say(policy.MaxFor)}", $"ask for {Words.Say(policy.MaxFor)} or less"));
        }

        if (question.For is { } none && none <= TimeSpan.Zero)
        {
            (unmet ??= []).Add(("the duration is not longer than nothing", "ask for at least a second"));
        }

        if (policy.ReasonRequired && string.IsNullOrWhiteSpace(question.Reason))
        {
            (unmet ??= []).Add(("no reason was given", "give a reason"));
        }

        if (policy.StatementsRequired && question.Statements is null)
        {
            (unmet ??= []).Add(("no exact statements were named", "name them: --statement 'SQL'"));
        }

        if (ticket is not null)
        {
            try
            {
                if (string.IsNullOrEmpty(question.Ticket))
                {
                    (unmet ??= []).Add(("no ticket was given", $"give a ticket that matches {policy.TicketPattern}"));
                }
                else if (!Words.IsShowable(question.Ticket, newLines: false) || !ticket.Value.IsMatch(question.Ticket))
                {
                    // NB. '$' also matches before a last new line: a ticket that cannot be shown on one line is none.
                    (unmet ??= []).Add(("the ticket does not match", $"give a ticket that matches {policy.TicketPattern}"));
                }
            }
            catch (RegexMatchTimeoutException)
            {
                return new RuleTrace(policy.Name, RuleOutcome.Failed, "the ticket could not be matched in time, and a rule that fails never allows");
            }
        }

        return unmet is null
            ? null
            : new RuleTrace(policy.Name, RuleOutcome.NotMet, string.Join(", and ", unmet.Select(item => item.Because)), string.Join(", and ", unmet.Select(item => item.Remedy)));
    }

    private static Verdict Agreed(LoadedCatalog catalog, Situation situation, List<int> about, List<RuleTrace>? aside, Timing? timing)
    {
        var question = situation.Question;
        var opens = situation.Opens;
        var usual = TimeSpan.MaxValue;
        var most = TimeSpan.MaxValue;
        var begin = TimeSpan.MaxValue;
        var lapses = TimeSpan.MaxValue;
        var record = RecordMode.Default;
        List<Asking>? asking = null;
        List<RuleTrace>? auto = null;
        foreach (var i in about)
        {
            var policy = catalog.Policies[i];
            usual = policy.DefaultFor < usual ? policy.DefaultFor : usual;
            most = policy.MaxFor < most ? policy.MaxFor : most;
            begin = policy.BeginWithin < begin ? policy.BeginWithin : begin;
            record = policy.Record > record ? policy.Record : record;
            if (policy.Approve is not { } workflow)
            {
                continue;
            }

            // NB. An exception from the yes that cannot be evaluated is none.
            var holds = question.ConditionsMet && policy.Auto is { IsOfAsking: true } ? new Holds(false, null) : policy.Auto?.Evaluate(situation) ?? new Holds(false, null);
            if (holds.Yes)
            {
                (auto ??= []).Add(new RuleTrace(policy.Name, RuleOutcome.Decided, $"it allows this by rule, since {policy.Auto!.Text}"));
                continue;
            }

            (asking ??= []).Add(new Asking(policy, workflow, holds.Failed));
            lapses = workflow.LapsesAfter < lapses ? workflow.LapsesAfter : lapses;
        }

        var terms = new Terms(question.For ?? (usual < most ? usual : most), most, record, asking is null ? TimeSpan.FromHours(24) : lapses, begin)
        {
            OpensFrom = timing?.From > opens ? timing.From : null,
            EndsBy = timing?.Until,
        };
        if (asking is not null)
        {
            return Asked(catalog, situation, about, asking, terms, aside, timing);
        }

        var lines = new RuleTrace[about.Count];
        for (var i = 0; i < lines.Length; i++)
        {
            var name = catalog.Policies[about[i]].Name;
            lines[i] = auto?.Find(line => line.Rule == name) ?? new RuleTrace(name, RuleOutcome.Decided, $"it allows this by rule{timing?.Note(name)}");
        }

        return new Verdict.Allow(terms) { Trace = Trace(catalog, question, aside is null ? lines : [.. lines, .. aside]) };
    }

    private static Verdict Asked(LoadedCatalog catalog, Situation situation, List<int> about, List<Asking> asking, Terms terms, List<RuleTrace>? aside, Timing? timing)
    {
        var question = situation.Question;
        var distinct = asking.Exists(one => one.Workflow.Distinct);
        var steps = Steps.Pin(catalog, Steps.Union(asking.ConvertAll(one => one.Workflow)), situation.Resource, question.Subject, question.Now);
        var names = string.Join(", ", asking.Select(one => one.Policy.Name));
        var rest = about.Select(i => catalog.Policies[i]).Where(policy => !asking.Exists(one => one.Policy == policy))
            .Select(policy => new RuleTrace(policy.Name, RuleOutcome.Matched, $"it would allow this by rule, but {names} asks for approval"))
            .Concat(aside ?? []);
        if (steps.Count == 0 || !Quorum.CanBeMet(steps, distinct, question.Subject))
        {
            var lacking = steps.Count == 0 ? "it names no step" : Steps.Lacking(steps, distinct);
            var unmet = asking.Select(one => new RuleTrace(one.Policy.Name, RuleOutcome.NotMet, $"its approval cannot be met ({lacking})"));
            return Deny(catalog, question, $"nobody could approve it: {lacking}", [.. unmet, .. rest]);
        }

        var lines = asking.Select(one => new RuleTrace(one.Policy.Name, RuleOutcome.Decided, one.Because + timing?.Note(one.Policy.Name)));
        return new Verdict.NeedsApproval(terms, steps) { Distinct = distinct, Sequential = asking.Exists(one => one.Workflow.Sequential), Trace = Trace(catalog, question, [.. lines, .. rest]) };
    }

    /// <summary>A rule that asks for a yes.</summary>
    /// <param name="Failed">Why its exception could not be evaluated; null when it could, or when there is none.</param>
    private sealed record Asking(Policy Policy, Workflow Workflow, string? Failed)
    {
        public string Because
        {
            get
            {
                var steps = string.Join("; ", Workflow.Steps.Select(step => step.Need == 1 ? step.From : $"{step.Need} of {step.From}"));
                return Failed is null
                    ? $"it asks for approval ({steps})"
                    : $"it asks for approval ({steps}); its condition 'auto' cannot be evaluated: {Failed}";
            }
        }
    }

    private static Verdict.Deny Unknown(LoadedCatalog catalog, Question question, string because, Weighing? weighed = null)
    {
        RuleTrace[] lines = weighed is null ? [] : [.. weighed.About.Select(i => Denial(catalog.Policies[i], weighed.FailedDenials?.GetValueOrDefault(i)))];
        return new Verdict.Deny(because, Known: false) { Trace = Trace(catalog, question, lines) };
    }

    private static Verdict.Deny Deny(LoadedCatalog catalog, Question question, string because, IReadOnlyList<RuleTrace> lines) =>
        new(because, Known: true) { Trace = Trace(catalog, question, lines) };

    private static Traced Trace(LoadedCatalog catalog, Question question, IReadOnlyList<RuleTrace> about) =>
        new(about, catalog.Policies, question.Subject, question.Role, catalog.Separations.Count == 0 ? 0 : about.Count(line => catalog.Separations.Any(separation => separation.Name == line.Rule)));
}

/// <summary>What came of asking again before opening.</summary>
public abstract record Again
{
    private Again()
    {
    }

    /// <summary>Open it, under these terms.</summary>
    public sealed record Stands(Terms Terms) : Again;

    /// <summary>It may open later: the calendars of the rules do not let it open now.</summary>
    /// <param name="Because">Why, for a person, without a full stop.</param>
    /// <param name="From">When it may, as the catalog stands.</param>
    public sealed record NotYet(string Because, DateTimeOffset From) : Again;

    /// <summary>It may not open any more.</summary>
    /// <param name="Because">Why, for a person, without a full stop.</param>
    /// <param name="Lacking">Whether it is for want of approvals: asked anew, it could be approved.</param>
    public sealed record Fell(string Because, bool Lacking = false) : Again;
}
