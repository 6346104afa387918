using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>What is inside, in the words of the API.</summary>
internal static class Mapping
{
    public static RequestShape Of(RequestView view)
    {
        var request = view.Request;
        return new RequestShape
        {
            Id = request.Id.Value,
            State = Words.Request[request.State],
            Version = request.Version,
            Subject = request.Subject.Value,
            Role = request.Role.ToString(),
            Resource = request.Role.Resource,
            ForSeconds = Seconds(request.For),
            Opening = Words.Opening[request.Opening],
            StartAt = request.StartAt,
            Reason = request.Reason,
            Ticket = request.Ticket,
            Claims = request.Claims is { } claims ? new SortedDictionary<string, string>(claims.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal) : null,
            Extends = request.Extends?.Value,
            Bundle = request.Bundle?.Value,
            Recurrence = view.Series is { } series ? Of(series) : null,
            OccurrenceOf = request.OccurrenceOf?.Value,
            Task = request.Task,
            AuthorizationDetails = Of(request.Statements),
            BreakGlass = request.BreakGlass,
            Review = view.Review is { } review ? ReviewMapping.RefOf(review) : null,
            AskedAt = request.AskedAt,
            DecidedAt = request.DecidedAt,
            LapsesAt = request.LapsesAt,
            Why = request.Why,
            Digest = request.Digest,
            CatalogVersion = request.CatalogVersion,
            Verdict = Of(request.Verdict),
            Steps = [.. view.Steps.Select(step => Of(step, view.Delegations))],
            Approvals = [.. view.Approvals.Select(approval => new ApprovalShape(
                approval.By.Value, approval.Yes, approval.At, approval.Comment, approval.Shortened is { } shorter ? Seconds(shorter) : null, approval.Via, approval.For?.Value, approval.Offer?.Value, StepUps.Word(approval.Proof?.Kind ?? StepUp.None)))],
            Sequential = request.Verdict is Verdict.NeedsApproval { Sequential: true },
            You = Of(view.Looker),
            Offers = [.. view.Offers.Select(Of)],
            InsteadOf = view.MadeOf?.Request.Value,
            Grant = view.Grant is { } grant ? Of(grant) : null,
        };
    }

    /// <summary>As RFC 9396 writes it; null for whatever the role allows.</summary>
    public static IReadOnlyList<DetailShape>? Of(ExactStatements? statements) => statements is null ? null : [new DetailShape(ExactStatements.Type, [.. statements.List.Select(one => new ExactStatementShape
    {
        Sql = one.Sql,
        Parameters = one.Parameters is { Count: > 0 } values ? values : null,
        AnyParameters = one.Parameters is null ? true : null,
        Times = one.Times,
    })])];

    private static RecurrenceShape Of(SeriesView view) => new(
        view.Series.Rule.Text,
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{view.Series.First:yyyy-MM-dd}T{view.Series.At:HH:mm}"),
        view.Series.Zone.Id,
        view.Series.Said,
        view.Running is { } running ? Words.Series[running.State] : "waiting",
        view.Next,
        view.Running?.Made ?? 0,
        Words.SeriesEnd[view.Running?.End],
        view.Running?.EndNote,
        view.Running?.EndedAt);

    public static OfferShape Of(CounterOffer offer) => new(
        offer.Id.Value,
        offer.Request.Value,
        offer.By.Value,
        offer.Seat?.Value,
        offer.At,
        offer.Role.ToString(),
        Seconds(offer.For),
        offer.StartAt,
        offer.Comment,
        Words.Offer[offer.State],
        offer.Made?.Value);

    public static DelegationShape Of(Delegation delegation, DateTimeOffset now) => new(
        delegation.Id.Value,
        delegation.Person.Value,
        delegation.Delegate.Value,
        delegation.From,
        delegation.Until,
        delegation.EndedAt is not null ? "ended" : delegation.Until <= now ? "over" : delegation.From > now ? "coming" : "active",
        delegation.MadeAt,
        delegation.EndedAt);

    private static StandingShape? Of(Seat? seat) => seat switch
    {
        null => null,
        Seat.Theirs theirs => new StandingShape(true, theirs.For?.Person.Value, null),
        Seat.Answered answered => new StandingShape(false, null, answered.Why),
        Seat.None none => new StandingShape(false, null, none.Why),
        _ => throw new InvalidOperationException("A seat of a kind that the API does not know."),
    };

    public static GrantShape Of(GrantView view)
    {
        var grant = view.Grant;
        return new GrantShape
        {
            Id = grant.Id.Value,
            Request = grant.Request.Value,
            State = Words.Grant[grant.State],
            Version = grant.Version,
            Subject = grant.Subject.Value,
            Role = grant.Role.ToString(),
            Resource = grant.Role.Resource,
            ForSeconds = Seconds(grant.For),
            StartAt = grant.StartAt,
            LapsesAt = grant.LapsesAt,
            Extends = grant.Extends?.Value,
            NotBefore = grant.NotBefore,
            NotAfter = grant.NotAfter,
            EndsBy = grant.EndsBy,
            EndedAt = grant.EndedAt,
            ClosedAt = grant.ClosedAt,
            EndReason = Words.End[grant.End],
            EndNote = grant.EndNote,
            Record = Words.Record[grant.Record],
            Task = grant.Task,
            AuthorizationDetails = Of(grant.Statements),
            BreakGlass = grant.BreakGlass,
            Trouble = view.Trouble,
            Guarantee = Word(view.Guarantee),
            Kind = view.Kind,
        };
    }

    /// <remarks>NB. Without the rules about others: their names would say what else exists. The log and the evidence have them.</remarks>
    public static VerdictShape Of(Verdict verdict) => new(
        verdict switch
        {
            Verdict.Allow => "allow",
            Verdict.NeedsApproval => "needs_approval",
            Verdict.Deny => "deny",
            _ => throw new InvalidOperationException("A verdict of a kind that the API does not know."),
        },
        verdict.DecidedBy,
        verdict is Verdict.Deny deny ? deny.Because : null,
        [.. verdict.TraceForAsker.Select(line => new TraceShape(line.Rule, Word(line.Outcome), line.Because, line.Remedy))]);

    public static RoleShape Of(RoleOffer offer) => new(
        offer.Role.Ref.ToString(),
        offer.Resource.Name,
        offer.Role.Description.Length > 0 ? offer.Role.Description : offer.Resource.Description,
        offer.Resource.Kind,
        offer.Role.Risk,
        Word(offer.Guarantee),
        Seconds(offer.Max),
        Seconds(offer.Default),
        offer.OnlyBreakGlass ? "break_glass" : offer.NeedsApproval ? "approval" : "rule",
        offer.TicketPatterns.Count == 0 ? null : string.Join(" and ", offer.TicketPatterns),
        offer.ReasonRequired,
        offer.Held?.Value)
    {
        StatementsRequired = offer.StatementsRequired,
        BreakGlass = offer.BreakGlass,
    };

    public static PreviewShape Of(string role, AskPreview preview) => new(
        role,
        preview.Verdict switch
        {
            Verdict.Allow allow => Seconds(allow.Terms.For),
            Verdict.NeedsApproval needs => Seconds(needs.Terms.For),
            _ => null,
        },
        preview.CatalogVersion,
        Of(preview.Verdict),
        Steps(preview.Verdict));

    public static SessionShape Of(Session session) => new()
    {
        Id = session.Id.Value,
        State = Words.Session[session.State],
        Grant = session.Grant.Value,
        Request = session.Request.Value,
        Subject = session.Subject.Value,
        Role = session.Role.ToString(),
        Resource = session.Role.Resource,
        Kind = session.Kind,
        Database = session.Database,
        Application = session.Application,
        From = session.From,
        Tls = session.Tls,
        Node = session.Node,
        BreakGlass = session.BreakGlass,
        StartedAt = session.StartedAt,
        EndedAt = session.EndedAt,
        EndReason = Words.SessionEnd[session.End],
        EndNote = session.EndNote,
        Statements = session.Recording?.Statements ?? 0,
        BytesFromClient = session.BytesFromClient,
        BytesToClient = session.BytesToClient,
        Recording = session.Recording is { } head ? new RecordingShape(head.File, head.Records, head.Bytes, Convert.ToHexStringLower(head.Hash)) : null,
    };

    public static long Seconds(TimeSpan span) => (long)span.TotalSeconds;

    /// <summary>Steps as they would be asked.</summary>
    private static IReadOnlyList<StepShape> Steps(Verdict verdict) => verdict is Verdict.NeedsApproval needs
        ?
        [
            .. needs.Steps.Select((step, i) => new StepShape(
                step.Name,
                step.From,
                step.Need,
                [.. step.Approvers.Select(person => person.Value)],
                step.Need)
            {
                State = needs.Sequential && i > 0 ? "later" : "open",
                Could = [.. step.Approvers.Select(person => person.Value)],
                Delegates = [],
                EscalateTo = step.Escalate?.To,
                StepUp = StepUps.Word(step.StepUp),
            }),
        ]
        : [];

    private static StepShape Of(StepView view, IReadOnlyList<Delegation> delegations) => new(
        view.Step.Name,
        view.Step.From,
        view.Step.Need,
        [.. view.Step.Approvers.Select(person => person.Value)],
        view.Missing)
    {
        State = view.State switch
        {
            StepState.Open => "open",
            StepState.Later => "later",
            StepState.Met => "met",
            StepState.Over => "over",
            _ => throw new InvalidOperationException($"{view.State} is not a state of a step."),
        },
        Could = [.. view.Could.Select(person => person.Value)],
        Delegates = [.. delegations.Where(delegation => view.Could.Contains(delegation.Person)).Select(delegation => new DelegateShape(delegation.Person.Value, delegation.Delegate.Value, delegation.Until))],
        RemindAt = view.Progress?.RemindAt,
        Reminded = view.Progress?.Reminded ?? 0,
        EscalateAt = view.Progress?.EscalateAt,
        EscalatedAt = view.Progress?.EscalatedAt,
        EscalateTo = view.Step.Escalate?.To,
        StepUp = StepUps.Word(view.Step.StepUp),
        Lacking = view.Lacking,
    };

    private static string? Word(Guarantee? guarantee) => guarantee switch
    {
        null => null,
        Guarantee.Native => "native",
        Guarantee.Gateway => "gateway",
        Guarantee.Job => "job",
        _ => throw new InvalidOperationException($"{guarantee} is not a guarantee."),
    };

    private static string Word(RuleOutcome outcome) => outcome switch
    {
        RuleOutcome.Decided => "decided",
        RuleOutcome.Matched => "matched",
        RuleOutcome.NotMet => "not_met",
        RuleOutcome.NotAbout => "not_about",
        RuleOutcome.Failed => "failed",
        _ => throw new InvalidOperationException($"{outcome} is not an outcome."),
    };
}
