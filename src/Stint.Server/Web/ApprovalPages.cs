using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>What waits for somebody's answer, and who answers while they are away.</summary>
internal sealed class ApprovalPages(
    MarkPages marks, FindRequests find, FindGrants grants, FindSessions sessions, ApprovePages approve, FindDelegations delegations, DelegateAnswers delegates, TimeProvider clock)
{
    private const int PerPage = 20;

    private static readonly GrantState[] s_held = [GrantState.Open, GrantState.Opening];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/approvals", (HttpContext context, Caller caller, ApprovalPages pages, string? before) => pages.PageAsync(context, caller, before)).Page();
        routes.MapPost("/approvals/delegations", (HttpContext context, Caller caller, ApprovalPages pages) => pages.DelegateAsync(context, caller)).Page();
        routes.MapPost("/approvals/delegations/{id}/end", async (HttpContext context, Caller caller, ApprovalPages pages, DelegateAnswers delegates, string id) =>
            await pages.LedAsync(context, caller, await delegates.EndAsync(caller.Id, new DelegationId(id), context.RequestAborted))).Page();
    }

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, string? before)
    {
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(), cancellation);
        var page = new Page(PerPage, long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : null);
        var found = await find.ListAsync(caller.Id, new RequestQuery { AwaitingMe = true, State = RequestState.Pending }, page, cancellation);
        List<ShownCard> cards = [];
        foreach (var view in found.Items.Where(view => view.Looker is Seat.Theirs))
        {
            cards.Add(await CardAsync(caller, view, cancellation));
        }

        var now = clock.GetUtcNow();
        var away = (await delegations.ListAsync(caller.Id, all: false, new Page(50), cancellation)).Items.Where(one => one.EndedAt is null && one.Until > now);
        return PageResult.Of<Inbox>(new Dictionary<string, object?>
        {
            [nameof(Inbox.Reader)] = reader,
            [nameof(Inbox.Cards)] = cards,
            [nameof(Inbox.Next)] = found.Next?.ToString(CultureInfo.InvariantCulture) ?? "",
            [nameof(Inbox.Away)] = away.Select(one => new ShownDelegation(one.Id.Value, one.Person.Value, one.Delegate.Value, one.From, one.Until)).ToList(),
        });
    }

    private async Task<ShownCard> CardAsync(Caller caller, RequestView view, CancellationToken cancellation)
    {
        var request = view.Request;
        var turn = view.Steps.FirstOrDefault(step => step.State == StepState.Open);
        var place = ((Seat.Theirs)view.Looker!).For;

        // NB. Both are asked for as this person: what they may not know of is not in it.
        var before = (await sessions.ListAsync(caller.Id, new SessionFilter { Subject = request.Subject, Resource = request.Role.Resource }, new Page(20), cancellation)).Items.FirstOrDefault(session => session.Role == request.Role);
        var holds = (await grants.ListAsync(caller.Id, new GrantQuery { Subject = request.Subject, States = s_held }, request.Role.Resource, new Page(20), cancellation)).Items;
        var risk = caller.Catalog.Resources.TryGetValue(request.Role.Resource, out var resource) && resource.Roles.TryGetValue(request.Role.Role, out var role) ? role.Risk : "low";
        return new ShownCard(
            request.Id.Value,
            request.Subject.Value,
            request.Role.ToString(),
            risk == "low" ? "" : $"{risk} risk",
            Sentences.Span(request.For),
            (int)Math.Ceiling(request.For.TotalMinutes),
            request.StartAt,
            request.Reason,
            request.Ticket ?? "",
            await approve.RestAsync(caller, request, view, cancellation),
            request.AskedAt,
            request.LapsesAt,
            request.Digest,
            $"{(place is { } absent ? $"you answer for {absent.Person}" : "you may answer")}{(turn is null ? "" : $", step {turn.Step.Name}: {turn.Missing} of {turn.Step.Need} missing")}",
            string.Join(", ", view.Steps.Where(step => step.State == StepState.Open).SelectMany(step => step.Could).Distinct().Where(person => person != caller.Id && person != place?.Person)),
            before is null ? null : RequestPages.Shown(before, caller),
            [.. holds.Where(held => held.Grant.NotAfter is not null).Select(held => new ShownHad(held.Grant.Subject.Value, held.Grant.Role.ToString(), held.Grant.Request.Value, held.Grant.NotBefore!.Value, held.Grant.NotAfter!.Value))],
            ApprovePages.Demanded(caller, view) != StepUp.None,
            [.. (request.Statements?.List ?? []).Select(one => new ShownStatement(one.Sql, ApprovePages.How(one)))]);
    }

    private async Task<IResult> DelegateAsync(HttpContext context, Caller caller)
    {
        var fields = await Fields.ReadAsync(context);
        return Moment(fields, "until") is not { } until
            ? Told.Trouble(await ReaderAsync(context, caller), "That does not make sense as it stands", "Until when you are away is not a day and a time.", "Write it like 2026-12-24T18:00.", 422, "/approvals")
            : await LedAsync(context, caller, await delegates.MakeAsync(caller.Id, new SubjectId(fields["to"].Trim()), Moment(fields, "from"), until, context.RequestAborted));
    }

    private async Task<IResult> LedAsync(HttpContext context, Caller caller, Outcome<Delegation> outcome) =>
        outcome is Outcome<Delegation>.Done ? Results.Redirect("/approvals") : Told.Of(await ReaderAsync(context, caller), outcome, "/approvals");

    private Task<Reader> ReaderAsync(HttpContext context, Caller caller) => Reader.OfAsync(caller, marks, new PageFocus(), context.RequestAborted);

    // Without a script nobody knows the reader's zone: the page says then that the time is UTC.
    private static DateTimeOffset? Moment(Fields fields, string name) =>
        DateTimeOffset.TryParse(fields[name + "_utc"].Length > 0 ? fields[name + "_utc"] : fields[name], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
}
