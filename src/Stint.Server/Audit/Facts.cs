using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>One method per fact: which fields it has stands here and nowhere else.</summary>
/// <remarks>Every fact about a row says the state and the version that the row has with it, so that the online verification can hold the rows against the log.</remarks>
internal static partial class Facts
{
    public static Fact RequestAsked(Request request) => new(FactKinds.RequestAsked, request.AskedAt, Actor.Person(request.Subject.Value))
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

    public static Fact RequestApproved(Request request, DateTimeOffset at, Actor by) => Of(FactKinds.RequestApproved, request, at, by,
        ("by_rule", request.Verdict is Verdict.Allow), ("for_seconds", Seconds(request.For)));

    public static Fact RequestDenied(Request request, DateTimeOffset at, Actor by) => Of(FactKinds.RequestDenied, request, at, by, ("reason", request.Why));

    public static Fact RequestCancelled(Request request, DateTimeOffset at, Actor by) => Of(FactKinds.RequestCancelled, request, at, by, ("reason", request.Why));

    public static Fact RequestLapsed(Request request, DateTimeOffset at) => Of(FactKinds.RequestLapsed, request, at, Actor.Keeper, ("reason", request.Why));

    /// <summary>An asking for what the asker may not know of, or what does not exist. No request is kept; this is its only trace.</summary>
    public static Fact AskRefused(SubjectId subject, string role, string reason, string catalog, DateTimeOffset at) => new(FactKinds.AskRefused, at, Actor.Person(subject.Value))
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
        ["version"] = request.Version,
    };

    /// <summary>A step's turn came (<c>opened</c>), or somebody came on call for it (<c>on_call</c>).</summary>
    public static Fact ApproversAsked(Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, string cause, DateTimeOffset at) =>
        OfStep(FactKinds.ApproversAsked, request, index, step, people, at, ("cause", cause));

    public static Fact ApproversReminded(Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, int count, DateTimeOffset at) =>
        OfStep(FactKinds.ApproversReminded, request, index, step, people, at, ("count", count));

    public static Fact RequestEscalated(Request request, int index, PinnedStep step, IReadOnlyList<SubjectId> people, DateTimeOffset at) =>
        OfStep(FactKinds.RequestEscalated, request, index, step, people, at, ("to", step.Escalate?.To), ("state", Word(request.State)), ("version", request.Version));

    public static Fact DelegationMade(Delegation delegation, Actor by) => Of(FactKinds.DelegationMade, delegation, delegation.MadeAt, by);

    public static Fact DelegationEnded(Delegation delegation, Actor by) => Of(FactKinds.DelegationEnded, delegation, delegation.EndedAt!.Value, by);

    /// <param name="offer">The offer.</param>
    /// <param name="request">Its request, whose version grew with it.</param>
    public static Fact OfferMade(CounterOffer offer, Request request) => Of(FactKinds.OfferMade, offer, offer.Request, offer.At, Actor.Person(offer.By.Value),
        ("delegation", offer.Delegation?.Value), ("comment", offer.Comment), ("saw", offer.SawDigest), ("via", offer.Via), ("version", request.Version));

    /// <summary>A fact about the request that was made of the offer; it says in place of which.</summary>
    public static Fact OfferAccepted(CounterOffer offer, RequestId made, DateTimeOffset at, Actor by) => Of(FactKinds.OfferAccepted, offer, made, at, by,
        ("instead_of", offer.Request.Value));

    public static Fact GrantReady(Grant grant, Actor by) => Of(FactKinds.GrantReady, grant, grant.ReadyAt, by,
        ("subject", grant.Subject.Value), ("role", grant.Role.ToString()), ("for_seconds", Seconds(grant.For)), ("joins", grant.Extends?.Value),
        ("start_at", grant.StartAt), ("lapses_at", grant.LapsesAt), ("record", Word(grant.Record)), ("task", grant.Task), ("break_glass", grant.BreakGlass));

    /// <summary>The opening is intended. The policy was asked again; <paramref name="verdict"/> is what it said.</summary>
    public static Fact GrantOpening(Grant grant, DateTimeOffset at, Actor by, Verdict verdict, string catalog) => Of(FactKinds.GrantOpening, grant, at, by,
        ("not_before", grant.NotBefore), ("not_after", grant.NotAfter), ("assignment", grant.Assignment?.Value), ("for_seconds", Seconds(grant.For)),
        ("verdict", FactValue.Own(Write(verdict))), ("catalog", catalog));

    /// <summary>Access stands. For an extension, <c>start_at</c> says from which moment its length is counted: the end of the grant that it joins.</summary>
    public static Fact GrantOpened(Grant grant, DateTimeOffset at) => Of(FactKinds.GrantOpened, grant, at, Actor.Keeper,
        ("not_before", grant.NotBefore), ("not_after", grant.NotAfter), ("assignment", grant.Assignment?.Value), ("for_seconds", Seconds(grant.For)),
        ("joins", grant.Extends?.Value), ("start_at", grant.Extends is null ? null : grant.NotAfter - grant.For));

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

    public static Fact CredentialMinted(Grant grant, AssignmentId assignment, string login, DateTimeOffset at) => new(FactKinds.CredentialMinted, at, Actor.Person(grant.Subject.Value))
    {
        ["request"] = grant.Request.Value,
        ["grant"] = grant.Id.Value,
        ["assignment"] = assignment.Value,
        ["login"] = login,
    };

    public static Fact SessionStarted(SessionId session, Grant grant, AssignmentId assignment, Knock knock, string? database, string node, DateTimeOffset at) => new(FactKinds.SessionStarted, at, Actor.Person(grant.Subject.Value))
    {
        ["request"] = grant.Request.Value,
        ["grant"] = grant.Id.Value,
        ["session"] = session.Value,
        ["assignment"] = assignment.Value,
        ["subject"] = grant.Subject.Value,
        ["role"] = grant.Role.ToString(),
        ["login"] = knock.Login,
        ["from"] = knock.From,
        ["application"] = knock.Application,
        ["database"] = database,
        ["tls"] = knock.Tls,
        ["record"] = Word(grant.Record),
        ["break_glass"] = grant.BreakGlass,
        ["node"] = node,
        ["state"] = Word(SessionState.Live),
    };

    public static Fact SessionAnchored(SessionId session, GrantId grant, RequestId request, RecordingHead head, DateTimeOffset at)
    {
        var fact = new Fact(FactKinds.SessionAnchored, at, Actor.Gateway);
        Head(fact, session, grant, request, head);
        return fact;
    }

    public static Fact SessionEnded(SessionId session, GrantId grant, RequestId request, SessionEnd end, DateTimeOffset at)
    {
        var fact = new Fact(FactKinds.SessionEnded, at, Actor.Gateway);
        Head(fact, session, grant, request, end.Recording);
        fact["reason"] = Word(end.Reason);
        fact["note"] = end.Note;
        fact["at"] = end.At;
        fact["bytes_in"] = end.BytesFromClient;
        fact["bytes_out"] = end.BytesToClient;
        fact["state"] = Word(SessionState.Ended);
        return fact;
    }

    public static Fact SessionKilled(SessionId session, GrantId grant, RequestId request, Actor by, string comment, DateTimeOffset at) => new(FactKinds.SessionKilled, at, by)
    {
        ["request"] = request.Value,
        ["grant"] = grant.Value,
        ["session"] = session.Value,
        ["reason"] = comment,
    };

    /// <summary>The first start made the key that signs the log's heads.</summary>
    public static Fact KeyCreated(CheckpointKey key, DateTimeOffset at) => new(FactKinds.KeyCreated, at, Actor.Server) { ["key"] = key.Public };

    public static Fact CatalogApplied(CatalogEntry entry, CatalogSource files, Actor by) => new(FactKinds.CatalogApplied, entry.At, by)
    {
        ["catalog"] = entry.Version,
        ["files"] = FactValue.List(files.Files.Select(file => file.Name)),
        ["previous"] = entry.Previous,
        ["number"] = entry.Number,
        ["note"] = entry.Origin.Note.Length > 0 ? entry.Origin.Note : null,
        ["change"] = entry.Change?.Value,
        ["commit"] = entry.Origin.Commit,
        ["author"] = entry.Origin.Author,
        ["dirty"] = entry.Origin.Commit is null ? null : entry.Origin.Dirty,
    };

    /// <summary>A catalog that did not take effect, though somebody wanted it to.</summary>
    public static Fact CatalogRefused(string version, string? on, string reason, string note, Actor by, DateTimeOffset at) => new(FactKinds.CatalogRefused, at, by)
    {
        ["catalog"] = version,
        ["previous"] = on,
        ["reason"] = reason,
        ["note"] = note.Length > 0 ? note : null,
    };

    public static Fact ChangeProposed(CatalogChange change, Actor by) => new(FactKinds.ChangeProposed, change.ProposedAt, by)
    {
        ["change"] = change.Id.Value,
        ["catalog"] = change.Target,
        ["previous"] = change.Base,
        ["files"] = FactValue.List(change.Files.Files.Select(file => file.Name)),
        ["digest"] = change.Digest,
        ["steps"] = new JsonArray([.. change.Steps.Select(Write)]),
        ["distinct"] = change.Distinct,
        ["lapses_at"] = change.LapsesAt,
        ["note"] = change.Origin.Note.Length > 0 ? change.Origin.Note : null,
        ["commit"] = change.Origin.Commit,
        ["author"] = change.Origin.Author,
        ["dirty"] = change.Origin.Commit is null ? null : change.Origin.Dirty,
        ["state"] = Word(change.State),
        ["version"] = change.Version,
    };

    public static Fact ChangeAnswered(CatalogChange change, Approval answer) => new(FactKinds.ChangeAnswered, answer.At, Actor.Person(answer.By.Value))
    {
        ["change"] = change.Id.Value,
        ["by"] = answer.By.Value,
        ["yes"] = answer.Yes,
        ["saw"] = answer.SawDigest,
        ["comment"] = answer.Comment,
        ["via"] = answer.Via,
        ["state"] = Word(ChangeState.Pending),
        ["version"] = change.Version,
    };

    public static Fact ChangeEnded(CatalogChange change, DateTimeOffset at, Actor by) => new(FactKinds.ChangeEnded, at, by)
    {
        ["change"] = change.Id.Value,
        ["catalog"] = change.Target,
        ["reason"] = change.Why,
        ["state"] = Word(change.State),
        ["version"] = change.Version,
    };

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

        return json;
    }

    private static JsonArray Names(IReadOnlyList<SubjectId> people) => new([.. people.Select(person => (JsonNode)person.Value)]);

    private static JsonObject Write(Terms terms) => new()
    {
        ["for_seconds"] = Seconds(terms.For),
        ["max_seconds"] = Seconds(terms.Max),
        ["record"] = Word(terms.Record),
        ["lapses_after_seconds"] = Seconds(terms.LapsesAfter),
        ["begin_within_seconds"] = Seconds(terms.BeginWithin),
    };

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

    private static void Head(Fact fact, SessionId session, GrantId grant, RequestId request, RecordingHead? head)
    {
        fact["request"] = request.Value;
        fact["grant"] = grant.Value;
        fact["session"] = session.Value;
        fact["file"] = head?.File;
        fact["recording"] = head is null ? null : Convert.ToHexStringLower(head.Hash);
        fact["records"] = head?.Records;
        fact["bytes"] = head?.Bytes;
        fact["statements"] = head?.Statements;
    }

    private static long Seconds(TimeSpan span) => (long)span.TotalSeconds;
}
