using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>One method per fact: which fields it has stands here and nowhere else.</summary>
/// <remarks>Every fact about a row says the state and the version that the row has with it, so that the online verification can hold the rows against the log.</remarks>
internal static partial class Facts
{
    /// <summary>Somebody asked for a bundle. What its requests were decided as is in their own facts; this one says what an approver of them was shown.</summary>
    /// <param name="asking">The asking.</param>
    /// <param name="parts">Its requests.</param>
    /// <param name="needs">The steps that those share which need a yes; null when none does.</param>
    public static Fact BundleAsked(BundleAsking asking, IReadOnlyList<BundlePart> parts, Verdict.NeedsApproval? needs) => new(FactKinds.BundleAsked, asking.AskedAt, Actor.Of(asking.Subject))
    {
        ["request"] = parts[0].Request.Value,
        ["bundle"] = asking.Id.Value,
        ["name"] = asking.Name,
        ["subject"] = asking.Subject.Value,
        ["for_seconds"] = asking.For is { } length ? Seconds(length) : null,
        ["reason"] = asking.Reason,
        ["ticket"] = asking.Ticket,
        ["start_at"] = asking.StartAt,
        ["roles"] = FactValue.Own(new JsonArray([.. parts.Select(part => new JsonObject
        {
            ["request"] = part.Request.Value,
            ["role"] = part.Role.ToString(),
            ["for_seconds"] = Seconds(part.For),
            ["outcome"] = part.Outcome,
        })])),
        ["left_out"] = asking.LeftOut,
        ["steps"] = FactValue.Own(new JsonArray([.. (needs?.Steps ?? []).Select(Write)])),
        ["distinct"] = needs?.Distinct ?? false,
        ["sequential"] = needs?.Sequential ?? false,
        ["catalog"] = asking.CatalogVersion,
        ["digest"] = asking.Digest,
        ["state"] = "asked",
    };

    public static Fact AskingSaved(SubjectId who, SavedRequest saved, DateTimeOffset at) => Of(FactKinds.AskingSaved, who, saved, at);

    public static Fact AskingForgotten(SubjectId who, SavedRequest saved, DateTimeOffset at) => Of(FactKinds.AskingForgotten, who, saved, at);

    private static Fact Of(string kind, SubjectId who, SavedRequest saved, DateTimeOffset at) => new(kind, at, Actor.Of(who))
    {
        ["subject"] = who.Value,
        ["name"] = saved.Name,
        ["role"] = saved.IsBundle ? null : saved.Asked,
        ["bundle"] = saved.IsBundle ? saved.Asked : null,
    };

    public static Fact RequestAsked(Request request)
    {
        var fact = OfBundle(request, Asked(request));
        if (request.Recurrence is { } series)
        {
            fact["recurrence"] = series.Text;
        }

        if (request.OccurrenceOf is { } of)
        {
            fact["occurrence_of"] = of.Value;
        }

        if (request.Statements is { } statements)
        {
            fact["authorization_details"] = FactValue.Own(statements.ToNode());
        }

        if (request.Claims is { } claims)
        {
            fact["claims"] = Claims(claims);
        }

        return fact;
    }

    private static Fact Asked(Request request) => new(FactKinds.RequestAsked, request.AskedAt, request.OccurrenceOf is null ? Actor.Of(request.Subject) : Actor.Keeper)
    {
        ["request"] = request.Id.Value,
        ["subject"] = request.Subject.Value,
        ["role"] = request.Role.ToString(),
        ["for_seconds"] = Seconds(request.For),
        ["opening"] = Word(request.Opening),
        ["start_at"] = request.StartAt,
        ["reason"] = request.Reason,
        ["ticket"] = request.Ticket,
        ["extends"] = request.Extends?.Value,
        ["task"] = request.Task,
        ["break_glass"] = request.BreakGlass,
        ["catalog"] = request.CatalogVersion,
        ["verdict"] = FactValue.Own(Write(request.Verdict)),
        ["digest"] = request.Digest,
        ["lapses_at"] = request.LapsesAt,
        ["state"] = Word(RequestState.Pending),
        ["version"] = 1,
    };

    /// <summary>Says which bundle a request is a part of, where it is one.</summary>
    private static Fact OfBundle(Request request, Fact fact)
    {
        if (request.Bundle is { } bundle)
        {
            fact["bundle"] = bundle.Value;
        }

        return fact;
    }

    public static Fact RequestApproved(Request request, DateTimeOffset at, Actor by) => Of(FactKinds.RequestApproved, request, at, by,
        ("by_rule", request.Verdict is Verdict.Allow), ("for_seconds", Seconds(request.For)));

    public static Fact RequestDenied(Request request, DateTimeOffset at, Actor by) => Of(FactKinds.RequestDenied, request, at, by, ("reason", request.Why));

    public static Fact RequestCancelled(Request request, DateTimeOffset at, Actor by) => Of(FactKinds.RequestCancelled, request, at, by, ("reason", request.Why));

    public static Fact RequestLapsed(Request request, DateTimeOffset at) => Of(FactKinds.RequestLapsed, request, at, Actor.Keeper, ("reason", request.Why));

    /// <summary>An asking for what the asker may not know of, or what does not exist. No request is kept; this is its only trace.</summary>
    public static Fact AskRefused(SubjectId subject, string role, string reason, string catalog, DateTimeOffset at) => new(FactKinds.AskRefused, at, Actor.Of(subject))
    {
        ["request"] = (string?)null,
        ["subject"] = subject.Value,
        ["role"] = role,
        ["reason"] = reason,
        ["catalog"] = catalog,
    };

    public static Fact ApprovalGiven(Request request, Approval approval) => new(FactKinds.ApprovalGiven, approval.At, Actor.Person(approval.By.Value))
    {
        ["request"] = approval.Request.Value,
        ["by"] = approval.By.Value,
        ["for"] = approval.For?.Value,
        ["delegation"] = approval.Delegation?.Value,
        ["offer"] = approval.Offer?.Value,
        ["yes"] = approval.Yes,
        ["saw"] = approval.SawDigest,
        ["comment"] = approval.Comment,
        ["shortened_to_seconds"] = approval.Shortened is { } shorter ? Seconds(shorter) : null,
        ["via"] = approval.Via,
        ["proof"] = approval.Proof is { } proof ? FactValue.Own(ProofJson.ToNode(proof)) : null,
        ["version"] = request.Version,
    };

    /// <summary>A step's turn came (<c>opened</c>), or somebody came on call for it (<c>on_call</c>).</summary>
    public static Fact ApproversAsked(Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, string cause, DateTimeOffset at) =>
        OfStep(FactKinds.ApproversAsked, request, index, step, people, at, ("cause", cause));

    public static Fact ApproversReminded(Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, int count, DateTimeOffset at) =>
        OfStep(FactKinds.ApproversReminded, request, index, step, people, at, ("count", count));

    public static Fact RequestEscalated(Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, DateTimeOffset at) =>
        OfStep(FactKinds.RequestEscalated, request, index, step, people, at, ("to", step.Escalate?.To), ("state", Word(request.State)), ("version", request.Version));

    /// <summary>What somebody who left was to answer is another's to answer as well.</summary>
    public static Fact AnswerHandedOver(Request request, int index, PinnedStep step, SubjectId left, SubjectId to, Actor by, DateTimeOffset at) => new(FactKinds.AnswerHandedOver, at, by)
    {
        ["request"] = request.Id.Value,
        ["step"] = index,
        ["name"] = step.Name,
        ["for"] = left.Value,
        ["person"] = to.Value,
    };

    public static Fact DelegationMade(Delegation delegation, Actor by) => Of(FactKinds.DelegationMade, delegation, delegation.MadeAt, by);

    public static Fact DelegationEnded(Delegation delegation, Actor by) => Of(FactKinds.DelegationEnded, delegation, delegation.EndedAt!.Value, by);

    /// <param name="offer">The offer.</param>
    /// <param name="request">Its request, whose version grew with it.</param>
    public static Fact OfferMade(CounterOffer offer, Request request) => Of(FactKinds.OfferMade, offer, offer.Request, offer.At, Actor.Person(offer.By.Value),
        ("delegation", offer.Delegation?.Value), ("comment", offer.Comment), ("saw", offer.SawDigest), ("via", offer.Via), ("version", request.Version));

    /// <summary>A fact about the request that was made of the offer; it says in place of which.</summary>
    public static Fact OfferAccepted(CounterOffer offer, RequestId made, DateTimeOffset at, Actor by) => Of(FactKinds.OfferAccepted, offer, made, at, by,
        ("instead_of", offer.Request.Value));

    public static Fact SeriesBegan(RunningSeries series, Request request, DateTimeOffset at, Actor by) => Of(FactKinds.SeriesBegan, series, at, by,
        ("rule", request.Recurrence!.Text), ("start_at", series.NextAt));

    public static Fact SeriesEnded(RunningSeries series, DateTimeOffset at, Actor by) => Of(FactKinds.SeriesEnded, series, at, by,
        ("reason", Word(series.End!.Value)), ("note", series.EndNote), ("count", series.Made));

    /// <summary>Nothing ran in time to open it.</summary>
    public static Fact OccurrenceMissed(Request series, DateTimeOffset begins, DateTimeOffset at) => new(FactKinds.OccurrenceMissed, at, Actor.Keeper)
    {
        ["request"] = series.Id.Value,
        ["start_at"] = begins,
        ["until"] = begins + series.For,
    };

    public static Fact GrantReady(Grant grant, Actor by) => Of(FactKinds.GrantReady, grant, grant.ReadyAt, by,
        ("subject", grant.Subject.Value), ("role", grant.Role.ToString()), ("for_seconds", Seconds(grant.For)), ("joins", grant.Extends?.Value),
        ("start_at", grant.StartAt), ("lapses_at", grant.LapsesAt), ("record", Word(grant.Record)), ("task", grant.Task), ("break_glass", grant.BreakGlass));

    /// <summary>The opening is intended. The policy was asked again; <paramref name="verdict"/> is what it said.</summary>
    public static Fact GrantOpening(Grant grant, DateTimeOffset at, Actor by, Verdict verdict, string catalog) => Of(FactKinds.GrantOpening, grant, at, by,
        ("not_before", grant.NotBefore), ("not_after", grant.NotAfter), ("assignment", grant.Assignment?.Value), ("for_seconds", Seconds(grant.For)),
        ("ends_by", grant.EndsBy), ("verdict", FactValue.Own(Write(verdict))), ("catalog", catalog));

    /// <summary>Access stands. For an extension, <c>start_at</c> says from which moment its length is counted: the end of the grant that it joins.</summary>
    public static Fact GrantOpened(Grant grant, DateTimeOffset at) => Of(FactKinds.GrantOpened, grant, at, Actor.Keeper,
        ("not_before", grant.NotBefore), ("not_after", grant.NotAfter), ("assignment", grant.Assignment?.Value), ("for_seconds", Seconds(grant.For)),
        ("joins", grant.Extends?.Value), ("start_at", grant.Extends is null || grant.NotAfter == grant.EndsBy ? null : grant.NotAfter - grant.For), ("ends_by", grant.EndsBy));

    public static Fact GrantClosing(Grant grant, DateTimeOffset at, Actor by) => Of(FactKinds.GrantClosing, grant, at, by,
        ("reason", Word(grant.End!.Value)), ("note", grant.EndNote), ("not_after", grant.NotAfter));

    /// <param name="grant">The grant, closed.</param>
    /// <param name="at">When.</param>
    /// <param name="by">Who.</param>
    /// <param name="late">How long after its deadline its end was committed; null when it ended otherwise.</param>
    public static Fact GrantClosed(Grant grant, DateTimeOffset at, Actor by, TimeSpan? late) => Of(FactKinds.GrantClosed, grant, at, by,
        ("reason", Word(grant.End!.Value)), ("note", grant.EndNote), ("late_ms", (long?)late?.TotalMilliseconds));

    public static Fact AssignmentAdding(Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at) => Of(FactKinds.AssignmentAdding, assignment, grants, at);

    public static Fact AssignmentAdded(Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at) => Of(FactKinds.AssignmentAdded, assignment, grants, at);

    public static Fact AssignmentRemoving(Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at) => Of(FactKinds.AssignmentRemoving, assignment, grants, at,
        ("reason", grants.Select(grant => grant.End).FirstOrDefault(end => end is not null) is { } end ? Word(end) : null));

    public static Fact AssignmentRemoved(Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at, Actor by, string? note = null) => Of(FactKinds.AssignmentRemoved, assignment, grants, at, by,
        ("attempts", assignment.Attempts), ("note", note));

    public static Fact RemovalStuck(Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at) => Of(FactKinds.RemovalStuck, assignment, grants, at,
        ("attempts", assignment.Attempts), ("error", assignment.Trouble));

    /// <summary>The first start made the key that signs the log's heads.</summary>
    public static Fact KeyCreated(CheckpointKey key, DateTimeOffset at) => new(FactKinds.KeyCreated, at, Actor.Server) { ["key"] = key.Public };

    public static Fact DriftFound(string resource, string account, AssignmentId? assignment, string drift, DateTimeOffset at) => new(FactKinds.DriftFound, at, Actor.Keeper)
    {
        ["resource"] = resource,
        ["account"] = account,
        ["assignment"] = assignment?.Value,
        ["drift"] = drift,
    };

    public static Fact AuditExported(Actor by, RequestId? request, long size, string format, DateTimeOffset at) => new(FactKinds.AuditExported, at, by)
    {
        ["request"] = request?.Value,
        ["size"] = size,
        ["format"] = format,
    };

    /// <summary>A verdict as the log, the evidence and the API write it.</summary>
    public static JsonObject Write(Verdict verdict)
    {
        var (trace, leftOut) = verdict.TraceWritten();
        var json = new JsonObject
        {
            ["outcome"] = verdict switch
            {
                Verdict.Allow => "allow",
                Verdict.NeedsApproval => "needs_approval",
                Verdict.Deny => "deny",
                _ => throw new InvalidOperationException("A verdict is one of three."),
            },
            ["because"] = (verdict as Verdict.Deny)?.Because,
            ["decided_by"] = new JsonArray([.. verdict.DecidedBy.Select(rule => (JsonNode)rule)]),
            ["trace"] = new JsonArray([.. trace.Select(Write)]),
        };
        if (leftOut > 0)
        {
            json["left_out"] = leftOut;
        }

        if (verdict is Verdict.Allow { Terms: var allowed })
        {
            json["terms"] = Write(allowed);
            if (verdict is Verdict.Allow { Glass: { } glass })
            {
                json["break_glass"] = new JsonObject
                {
                    ["told"] = Names(glass.Told),
                    ["from_step"] = new JsonArray([.. glass.From.Select(from => (JsonNode)from)]),
                    ["reviewers"] = Names(glass.Reviewers),
                    ["within_seconds"] = Seconds(glass.Within),
                };
            }
        }
        else if (verdict is Verdict.NeedsApproval needs)
        {
            json["terms"] = Write(needs.Terms);
            json["distinct"] = needs.Distinct;
            if (needs.Sequential)
            {
                json["sequential"] = true;
            }

            json["steps"] = new JsonArray([.. needs.Steps.Select(Write)]);
        }

        return json;
    }

    /// <summary>An enum's value as the store, the log and the API write it: <c>NotMet</c> is <c>not_met</c>.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => Spelled<T>.Words[value];

    private static class Spelled<T>
        where T : struct, Enum
    {
        public static readonly System.Collections.Frozen.FrozenDictionary<T, string> Words = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(
            Enum.GetValues<T>(), value => value, value => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
    }

    private static JsonNode Write(RuleTrace line) => new JsonObject
    {
        ["rule"] = line.Rule,
        ["outcome"] = Word(line.Outcome),
        ["because"] = line.Because,
        ["remedy"] = line.Remedy,
    };

    private static JsonNode Write(PinnedStep step)
    {
        var json = new JsonObject
        {
            ["name"] = step.Name,
            ["from_step"] = step.From,
            ["need"] = step.Need,
            ["approvers"] = Names(step.Approvers),
        };
        if (step.Remind is { } remind)
        {
            json["remind_after_seconds"] = Seconds(remind);
        }

        if (step.Escalate is { } escalate)
        {
            json["escalate"] = new JsonObject { ["after_seconds"] = Seconds(escalate.After), ["to"] = escalate.To, ["approvers"] = Names(escalate.Approvers) };
        }

        if (step.NotForReports)
        {
            json["not_for_reports"] = true;
        }

        if (StepUps.Word(step.StepUp) is { } stepUp)
        {
            json["step_up"] = stepUp;
        }

        return json;
    }

    private static JsonArray Names(IReadOnlyList<SubjectId> people) => new([.. people.Select(person => (JsonNode)person.Value)]);

    private static JsonObject Write(Terms terms)
    {
        var json = new JsonObject
        {
            ["for_seconds"] = Seconds(terms.For),
            ["max_seconds"] = Seconds(terms.Max),
            ["record"] = Word(terms.Record),
            ["lapses_after_seconds"] = Seconds(terms.LapsesAfter),
            ["begin_within_seconds"] = Seconds(terms.BeginWithin),
        };
        if (terms.OpensFrom is { } from)
        {
            json["opens_from"] = CanonicalTime.Write(from);
        }

        if (terms.EndsBy is { } end)
        {
            json["ends_by"] = CanonicalTime.Write(end);
        }

        return json;
    }

    private static Fact Of(string kind, Request request, DateTimeOffset at, Actor by, params (string Field, FactValue? Value)[] more) => With(
        new Fact(kind, at, by) { ["request"] = request.Id.Value, ["state"] = Word(request.State), ["version"] = request.Version }, more);

    private static Fact OfStep(string kind, Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, DateTimeOffset at, params (string Field, FactValue? Value)[] more) => With(
        new Fact(kind, at, Actor.Keeper)
        {
            ["request"] = request.Id.Value,
            ["step"] = index,
            ["name"] = step.Name,
            ["persons"] = FactValue.List(people.Select(person => person.Value)),
        },
        more);

    private static Fact Of(string kind, RunningSeries series, DateTimeOffset at, Actor by, params (string Field, FactValue? Value)[] more) => With(
        new Fact(kind, at, by) { ["request"] = series.Request.Value, ["subject"] = series.Subject.Value, ["state"] = Word(series.State), ["version"] = series.Version }, more);

    private static Fact Of(string kind, Delegation delegation, DateTimeOffset at, Actor by) => new(kind, at, by)
    {
        ["delegation"] = delegation.Id.Value,
        ["person"] = delegation.Person.Value,
        ["delegate"] = delegation.Delegate.Value,
        ["start_at"] = delegation.From,
        ["until"] = delegation.Until,
        ["state"] = delegation.EndedAt is null ? "made" : "ended",
    };

    private static Fact Of(string kind, CounterOffer offer, RequestId request, DateTimeOffset at, Actor by, params (string Field, FactValue? Value)[] more) => With(
        new Fact(kind, at, by)
        {
            ["request"] = request.Value,
            ["offer"] = offer.Id.Value,
            ["by"] = offer.By.Value,
            ["for"] = offer.Seat?.Value,
            ["role"] = offer.Role.ToString(),
            ["for_seconds"] = Seconds(offer.For),
            ["start_at"] = offer.StartAt,
        },
        more);

    private static Fact Of(string kind, Grant grant, DateTimeOffset at, Actor by, params (string Field, FactValue? Value)[] more) => With(
        new Fact(kind, at, by) { ["request"] = grant.Request.Value, ["grant"] = grant.Id.Value, ["state"] = Word(grant.State), ["version"] = grant.Version }, more);

    private static Fact Of(string kind, Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at, params (string Field, FactValue? Value)[] more) =>
        Of(kind, assignment, grants, at, Actor.Keeper, more);

    private static Fact Of(string kind, Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset at, Actor by, params (string Field, FactValue? Value)[] more) => With(
        new Fact(kind, at, by)
        {
            ["assignment"] = assignment.Id.Value,
            ["grant"] = grants.Count == 1 ? grants[0].Id.Value : FactValue.List(grants.Select(grant => grant.Id.Value)),
            ["request"] = grants.Count == 1 ? grants[0].Request.Value : FactValue.List(grants.Select(grant => grant.Request.Value)),
            ["subject"] = assignment.Subject.Value,
            ["role"] = assignment.Role.ToString(),
            ["account"] = assignment.Account,
            ["until"] = assignment.Until,
            ["catalog"] = assignment.CatalogVersion,
            ["state"] = Word(assignment.State),
            ["version"] = assignment.Version,
        },
        more);

    private static Fact With(Fact fact, (string Field, FactValue? Value)[] more)
    {
        foreach (var (field, value) in more)
        {
            fact[field] = value;
        }

        return fact;
    }

    private static long Seconds(TimeSpan span) => (long)span.TotalSeconds;
}
