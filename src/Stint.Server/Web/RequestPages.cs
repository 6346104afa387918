using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>One request from its asking to its end, and the list of them.</summary>
internal sealed class RequestPages(MarkPages marks, FindRequests find, FindSessions sessions, ApprovePages approve, AcceptOffer accept)
{
    private const int PerPage = 40;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/requests", (HttpContext context, Caller caller, RequestPages pages, string? before, string? state) => pages.ListAsync(context, caller, before, state)).Page();
        routes.MapGet("/requests/{id}", (HttpContext context, Caller caller, RequestPages pages, string id) => pages.PageAsync(context, caller, new RequestId(id))).Page();
        routes.MapPost("/requests/{id}/cancel", async (HttpContext context, Caller caller, RequestPages pages, CancelRequest cancel, string id) =>
            await pages.LedAsync(context, caller, id, await cancel.CancelAsync(caller.Id, new RequestId(id), context.RequestAborted))).Page();
        routes.MapPost("/requests/{id}/accept", async (HttpContext context, Caller caller, RequestPages pages, string id) =>
        {
            var fields = await Fields.ReadAsync(context);
            return await pages.LedAsync(context, caller, id, await pages.AcceptAsync(context, caller, id, fields["offer"]));
        }).Page();
    }

    /// <summary>A session as a page shows it.</summary>
    public static ShownSession Shown(Session session, Caller caller) => new(
        session.Id.Value,
        session.Subject.Value,
        session.Role.ToString(),
        session.Request.Value,
        session.Application.Length > 0 ? $"{session.Application} from {session.From}" : session.From,
        session.State == SessionState.Live,
        session.StartedAt,
        session.EndedAt,
        session.Recording?.Statements,
        session.End is { } reason ? $"{Words.SessionEnd[reason]}{(session.EndNote is { Length: > 0 } note ? $": {note}" : "")}".Replace('_', ' ') : "",
        session.State == SessionState.Live && (session.Subject == caller.Id || caller.Catalog.MayTakeAway(caller.Id, session.Role.Resource)),
        session.Subject == caller.Id);

    private Task<Outcome<RequestView>> AcceptAsync(HttpContext context, Caller caller, string id, string offer) =>
        accept.AcceptAsync(caller.Id, new RequestId(id), offer.Length > 0 ? new OfferId(offer) : null, context.RequestAborted);

    private async Task<IResult> LedAsync(HttpContext context, Caller caller, string id, Outcome<RequestView> outcome) => outcome is Outcome<RequestView>.Done { Value.Request.Id: var now }
        ? Results.Redirect($"/requests/{now}")
        : Told.Of(await Reader.OfAsync(caller, marks, new PageFocus(), context.RequestAborted), outcome, $"/requests/{Uri.EscapeDataString(id)}");

    private async Task<IResult> ListAsync(HttpContext context, Caller caller, string? before, string? state)
    {
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(), context.RequestAborted);
        var wanted = state is { Length: > 0 } ? Words.Request.Find(state) : null;
        var page = new Page(PerPage, long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : null);
        var found = await find.ListAsync(caller.Id, new RequestQuery { State = wanted, Mine = !caller.MayRead }, page, context.RequestAborted);
        return PageResult.Of<RequestList>(new Dictionary<string, object?>
        {
            [nameof(RequestList.Reader)] = reader,
            [nameof(RequestList.All)] = caller.MayRead,
            [nameof(RequestList.State)] = wanted is null ? "" : state!,
            [nameof(RequestList.Items)] = found.Items.Select(HomePages.Listed).ToList(),
            [nameof(RequestList.Next)] = found.Next?.ToString(CultureInfo.InvariantCulture) ?? "",
        });
    }

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, RequestId id)
    {
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(id), cancellation);
        if (await find.GetAsync(caller.Id, id, cancellation) is not Outcome<RequestView>.Done { Value: var view })
        {
            return Told.NotFound(reader);
        }

        var request = view.Request;

        // NB. An approver who owns nothing there sees the request, and none of its sessions.
        var used = view.Grant is { } grant && caller.Catalog.MaySee(caller.Id, request.Subject, request.Role.Resource)
            ? (await sessions.ListAsync(caller.Id, new SessionFilter { Grant = grant.Grant.Id, Resource = request.Role.Resource }, new Page(50), cancellation)).Items
            : [];
        var mine = request.Subject == caller.Id;
        return PageResult.Of<OneRequest>(new Dictionary<string, object?>
        {
            [nameof(OneRequest.Reader)] = reader,
            [nameof(OneRequest.One)] = HomePages.Listed(view),
            [nameof(OneRequest.Rest)] = await approve.RestAsync(caller, request, view, cancellation),
            [nameof(OneRequest.Ticket)] = request.Ticket ?? "",
            [nameof(OneRequest.StartAt)] = request.StartAt,
            [nameof(OneRequest.Verdict)] = Said(request.Verdict),
            [nameof(OneRequest.Because)] = request.Verdict.TraceForAsker.Where(line => line.Outcome != RuleOutcome.NotAbout).Select(line => $"{line.Rule}: {line.Because}{(line.Remedy is { } remedy ? $" ({remedy})" : "")}").ToList(),
            [nameof(OneRequest.Steps)] = view.Steps.Select(step => new ShownStep(
                step.Step.Name,
                Word(step.State),
                step.Step.Need,
                step.Missing,
                step.Step.StepUp == StepUp.None ? "" : StepUps.Say(step.Step.StepUp),
                string.Join(", ", step.Could))).ToList(),
            [nameof(OneRequest.Statements)] = (request.Statements?.List ?? []).Select(one => new ShownStatement(one.Sql, ApprovePages.How(one))).ToList(),
            [nameof(OneRequest.Line)] = LineOf(view, used),
            [nameof(OneRequest.Grant)] = view.Grant is { Grant.State: not GrantState.Closed } open ? HomePages.Shown(open) : null,
            [nameof(OneRequest.Sessions)] = used.Select(session => Shown(session, caller)).ToList(),
            [nameof(OneRequest.Offers)] = view.Offers.Select(offer => new ShownOffer(
                offer.Id.Value,
                offer.By.Value,
                $"{offer.Role} for {Sentences.Span(offer.For)}{(offer.StartAt is { } at ? $", from {Sentences.Day(at)}" : "")}",
                offer.Comment,
                mine && request.State == RequestState.Pending && offer.State == OfferState.Open)).ToList(),
            [nameof(OneRequest.MayAnswer)] = request.State == RequestState.Pending && view.Looker is Seat.Theirs,
            [nameof(OneRequest.WhyNot)] = request.State == RequestState.Pending && !mine ? view.Looker switch { Seat.None none => Told.Sentence(none.Why), Seat.Answered answered => Told.Sentence(answered.Why), _ => "" } : "",
            [nameof(OneRequest.Mine)] = mine,
            [nameof(OneRequest.MayRevoke)] = !mine && view.Grant is { Grant.State: GrantState.Ready or GrantState.Opening or GrantState.Open } && caller.Catalog.MayTakeAway(caller.Id, request.Role.Resource),
            [nameof(OneRequest.MayRead)] = caller.MayRead,
        });
    }

    private static string Word(StepState state) => state switch
    {
        StepState.Open => "waits",
        StepState.Later => "comes later",
        StepState.Met => "met",
        StepState.Over => "over",
        _ => throw new InvalidOperationException($"{state} is not a state of a step."),
    };

    private static string Said(Verdict verdict) => verdict switch
    {
        Verdict.Allow => $"Approved by the rule {string.Join(", ", verdict.DecidedBy)}.",
        Verdict.NeedsApproval => $"The rule {string.Join(", ", verdict.DecidedBy)} wants somebody's yes.",
        Verdict.Deny deny => $"Denied: {Told.Sentence(deny.Because)}",
        _ => throw new InvalidOperationException("A verdict is one of three."),
    };

    /// <summary>Everything that happened, as it happened.</summary>
    private static List<ShownMoment> LineOf(RequestView view, IReadOnlyList<Session> used)
    {
        var request = view.Request;
        List<ShownMoment> line = [new(request.AskedAt, "asked", request.Subject.Value, request.Reason)];
        line.AddRange(view.Approvals.Select(answer => new ShownMoment(
            answer.At,
            (answer.Yes ? "said yes" : "said no") + (answer.Shortened is { } shorter ? $", for {Sentences.Span(shorter)}" : "") + (answer.Proof is ApprovalProof.Passkey ? ", signed with a passkey" : ""),
            answer.For is { } absent ? $"{answer.By} (for {absent})" : answer.By.Value,
            answer.Comment,
            answer.Yes ? "good" : "bad")));
        line.AddRange(view.Offers.Select(offer => new ShownMoment(offer.At, $"offered {offer.Role} for {Sentences.Span(offer.For)} instead", offer.By.Value, offer.Comment)));
        if (request.DecidedAt is { } decided && request.State != RequestState.Denied)
        {
            line.Add(new ShownMoment(decided, Words.Request[request.State], "", request.Why ?? "", request.State == RequestState.Approved ? "good" : "bad"));
        }
        else if (request is { State: RequestState.Denied, DecidedAt: { } denied } && !view.Approvals.Any(answer => !answer.Yes))
        {
            line.Add(new ShownMoment(denied, "denied by the policies", "", request.Why ?? "", "bad"));
        }

        if (view.Grant?.Grant is { } grant)
        {
            if (grant.BegunAt is { } begun)
            {
                line.Add(new ShownMoment(begun, "begun: the target is told"));
            }

            if (grant.State is not (GrantState.Ready or GrantState.Opening) && grant.NotBefore is { } open)
            {
                line.Add(new ShownMoment(open, $"open for {Sentences.Span(grant.For)}", Tone: "good"));
            }

            if (grant.EndedAt is { } ended)
            {
                line.Add(new ShownMoment(ended, $"ended: {Words.End[grant.End]}", "", grant.EndNote ?? ""));
            }

            if (grant.ClosedAt is { } closed)
            {
                line.Add(new ShownMoment(closed, "closed: nothing of it is left at the target"));
            }
        }

        foreach (var session in used)
        {
            line.Add(new ShownMoment(session.StartedAt, "session began", session.Subject.Value, "", Href: $"/sessions/{session.Id}"));
            if (session.EndedAt is { } over)
            {
                line.Add(new ShownMoment(over, $"session ended{(session.Recording is { } recorded ? $" after {recorded.Statements} statements" : "")}", "", session.EndNote ?? "", Href: $"/sessions/{session.Id}"));
            }
        }

        return [.. line.OrderBy(moment => moment.At)];
    }
}
