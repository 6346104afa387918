using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>Asking, and answering those who ask.</summary>
internal static class RequestEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/roles", async (Caller caller, FindRoles find, string? q, CancellationToken cancellation) =>
                Results.Json(new ListOf<RoleShape>([.. (await find.ListAsync(caller.Id, q, cancellation)).Where(offer => caller.MayUse(offer.Role.Ref)).Select(Mapping.Of)], null), ApiJson.Default.ListOfRoleShape))
            .WithMetadata(ForWorkloads.Instance)
            .Describe("listRoles", "What I may ask for", "Every role that some policy lets the caller ask for, by rule or with somebody's yes. `q` takes words that must all appear.", typeof(ListOf<RoleShape>));

        api.MapPost("/requests", AskAsync)
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("ask", "Ask for a role", "A policy's no is an answer too: a request in the state `denied`, with the rule and what would change it. A role that does not exist and one that the caller may not know of answer 404 alike. With `break_glass` it is an emergency: it opens at once or is denied, tells everybody named, and opens a review. With `authorization_details` (RFC 9396) it is for exact statements, and nothing else runs under it. Takes an Idempotency-Key.", typeof(RequestShape), 201, 404, 409, 422);
        api.MapPost("/requests/preview", PreviewAsync)
            .WithMetadata(ForWorkloads.Instance)
            .Describe("previewAsk", "What an asking would come to", "Decides as asking would, and stores nothing.", typeof(PreviewShape), 200, 404, 422);
        api.MapGet("/requests", ListAsync)
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("listRequests", "Requests, newest first", "One's own and those one may answer; everything for admins and auditors. With `running`, only series with occurrences to come.", typeof(ListOf<RequestShape>), 200, 422);
        api.MapGet("/requests/{id}", GetAsync)
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("getRequest", "One request", "With `wait_seconds` (at most 60) and `seen_version` it answers when the version is newer, or when the time is over.", typeof(RequestShape), 200, 404, 422);

        api.MapPost("/requests/{id}/approve", async (Caller caller, ApproveRequest approve, string id, [FromBody] ApproveBody body, HttpContext context, CancellationToken cancellation) =>
                (await approve.ApproveAsync(caller.Id, new RequestId(id), new Yes(Answers.Seconds(body.ForSeconds), body.Comment, body.SawDigest, Answers.Via(context), Person(body.InPlaceOf), Answers.Proof(caller)), cancellation))
                .Answer(Mapping.Of, ApiJson.Default.RequestShape))
            .Describe("approve", "Say yes to a request", "`saw_digest` is the request's `digest` as it was shown. `for_seconds` shortens. Whoever answers for somebody who is away answers in that place; `in_place_of` says which when there are several. In steps with an order, a yes before its turn answers 403. Where a step has `step_up`, the yes is given in a browser, at `/approve/ID`, or, for `fresh`, by a command line whose person signed in for it at most 10 minutes ago: elsewhere it answers 409.", typeof(RequestShape), 200, 403, 404, 409, 422);
        api.MapPost("/requests/{id}/deny", async (Caller caller, DenyRequest deny, string id, [FromBody] DenyBody body, HttpContext context, CancellationToken cancellation) =>
                (await deny.DenyAsync(caller.Id, new RequestId(id), body.Comment, body.SawDigest, Answers.Via(context), cancellation, Person(body.InPlaceOf))).Answer(Mapping.Of, ApiJson.Default.RequestShape))
            .Describe("deny", "Say no to a request", "One no ends it, also before its turn.", typeof(RequestShape), 200, 403, 404, 409, 422);
        api.MapPost("/requests/{id}/cancel", async (Caller caller, CancelRequest cancel, string id, [FromBody] CancelBody? body, CancellationToken cancellation) =>
                (await cancel.CancelAsync(caller.Id, new RequestId(id), cancellation, body?.Open ?? false, body?.Comment)).Answer(Mapping.Of, ApiJson.Default.RequestShape))
            .WithMetadata(ForWorkloads.Instance)
            .Describe("cancel", "Take a request back", "Before it is decided, by whoever asked. Of a series that was approved, what is to come ends: by whoever asked, and with a `comment` by owners of the resource and admins; `open` ends the occurrence that is open now, too.", typeof(RequestShape), 200, 403, 404, 409, 422);
    }

    private static Task<IResult> AskAsync(Caller caller, AskForRole ask, KeptAnswers kept, KeyedCall? call, [FromBody] AskBody body, CancellationToken cancellation) =>
        caller.ByCode && body.BreakGlass != true ? Task.FromResult(Answers.OnlyBreakGlass()) : OutOfScope(caller, body) is { } beyond ? Task.FromResult(beyond) : kept.OnceAsync(
            caller.Id,
            call,
            async keep => (await ask.AskAsync(
                    caller.Id,
                    AskingOf(caller, body),
                    cancellation,
                    keep is null ? null : (work, view) => keep(work, JsonSerializer.Serialize(Mapping.Of(view), ApiJson.Default.RequestShape))))
                .Answer(Mapping.Of, ApiJson.Default.RequestShape, 201),
            cancellation);

    private static async Task<IResult> PreviewAsync(Caller caller, AskForRole ask, [FromBody] AskBody body, CancellationToken cancellation) =>
        OutOfScope(caller, body)
            ?? (await ask.PreviewAsync(caller.Id, AskingOf(caller, body), cancellation)).Answer(preview => Mapping.Of(body.Role, preview), ApiJson.Default.PreviewShape);

    private static async Task<IResult> ListAsync(
        Caller caller,
        FindRequests find,
        string? state,
        string? subject,
        bool? mine,
        [FromQuery(Name = "awaiting_me")] bool? awaitingMe,
        bool? running,
        int? limit,
        string? cursor,
        CancellationToken cancellation)
    {
        var (page, problem) = Answers.PageOf(limit, cursor);
        RequestState? wanted = null;
        if (problem is null && state is not null && (wanted = Words.Request.Find(state)) is null)
        {
            problem = Answers.Invalid([new FieldProblem("state", "must be one of pending, approved, denied, cancelled, lapsed")]);
        }

        if (problem is not null)
        {
            return problem;
        }

        var query = new RequestQuery { State = wanted, Subject = subject is null ? null : new SubjectId(subject), Mine = caller.ByCode || (mine ?? false), AwaitingMe = !caller.ByCode && (awaitingMe ?? false), Running = running ?? false };
        return Results.Json(Answers.ListOf(await find.ListAsync(caller.Id, query, page!, cancellation), Mapping.Of), ApiJson.Default.ListOfRequestShape);
    }

    private static async Task<IResult> GetAsync(
        Caller caller,
        FindRequests find,
        NodeState node,
        string id,
        [FromQuery(Name = "wait_seconds")] int? waitSeconds,
        [FromQuery(Name = "seen_version")] long? seenVersion,
        CancellationToken cancellation)
    {
        if (Answers.WrongWait(waitSeconds) is { } problem)
        {
            return problem;
        }

        var request = new RequestId(id);
        var outcome = await Answers.WaitAsync(
            waitSeconds,
            node,
            (wait, token) => find.WaitAsync(caller.Id, request, seenVersion ?? 0, wait, token),
            token => find.GetAsync(caller.Id, request, token),
            cancellation);
        return caller.ByCode && outcome is Outcome<RequestView>.Done { Value.Request.Subject: var subject } && subject != caller.Id
            ? Answers.NotFound()
            : outcome.Answer(Mapping.Of, ApiJson.Default.RequestShape);
    }

    private static SubjectId? Person(string? name) => name is null ? null : new SubjectId(name);

    private static Asking AskingOf(Caller caller, AskBody body) => new(body.Role, body.ForSeconds, body.Reason, body.Ticket, body.StartAt, body.Wait ?? false, body.Extends)
    {
        Recurrence = body.Recurrence is { } again ? new AskedSeries(again.Rule, again.Start, again.Zone, again.Until, again.Count) : null,
        BreakGlass = body.BreakGlass ?? false,
        Task = body.Task,
        Claims = caller.Claims,
        Details = body.AuthorizationDetails is { } details
            ? [.. details.Select(detail => new AskedDetail(detail.Type, [.. detail.Statements.Select(one => new AskedStatement(one.Sql, one.Parameters, one.AnyParameters ?? false, one.Times))]))]
            : null,
    };

    /// <summary>The answer to whoever asks for what their token is not for, whether it exists or not; null for anything else.</summary>
    private static IResult? OutOfScope(Caller caller, AskBody body) => caller.Scope is { } scope && RoleRef.Parse(body.Role) is { } role && !caller.MayUse(role)
        ? Answers.Problem(ProblemKind.NotYours.Say($"This token is for {string.Join(", ", scope)} alone.", "Use another token, or have one made for it."))
        : null;
}
