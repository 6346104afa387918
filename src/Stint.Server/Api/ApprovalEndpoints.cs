using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Approvals;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>Answering with something less, and answering for somebody who is away.</summary>
internal static class ApprovalEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/requests/{id}/offer", async (Caller caller, OfferInstead offer, string id, [FromBody] OfferBody body, HttpContext context, CancellationToken cancellation) =>
                (await offer.OfferAsync(
                    caller.Id,
                    new RequestId(id),
                    new Instead(Answers.Seconds(body.ForSeconds), body.StartAt, body.Role, body.Comment, body.SawDigest, Answers.Via(context)),
                    cancellation)).Answer(Mapping.Of, ApiJson.Default.RequestShape))
            .Describe("offer", "Offer less than was asked", "Shorter, later, or another role of the same resource, by somebody who may say yes. The request stays as it is until its requester takes the offer.", typeof(RequestShape), 200, 403, 404, 409, 422);
        api.MapPost("/requests/{id}/accept", async (Caller caller, AcceptOffer accept, string id, [FromBody] AcceptBody? body, CancellationToken cancellation) =>
                (await accept.AcceptAsync(caller.Id, new RequestId(id), body?.Offer is { } which ? new OfferId(which) : null, cancellation)).Answer(Mapping.Of, ApiJson.Default.RequestShape, 201))
            .Describe("accept", "Take a counter-offer", "Makes a new request, for which the policies are asked again and the offer counts as its approver's yes, and takes the old one back. Answers the new one.", typeof(RequestShape), 201, 403, 404, 409, 422);

        api.MapGet("/approvals/delegations", async Task<IResult> (Caller caller, FindDelegations find, TimeProvider clock, bool? all, int? limit, string? cursor, CancellationToken cancellation) =>
            {
                var (page, problem) = Answers.PageOf(limit, cursor);
                return problem ?? Results.Json(
                    Answers.ListOf(await find.ListAsync(caller.Id, all ?? false, page!, cancellation), one => Mapping.Of(one, clock.Now())), ApiJson.Default.ListOfDelegationShape);
            })
            .Describe("listDelegations", "Who answers for whom, newest first", "One's own and those to oneself; with `all` everybody's, for admins and auditors.", typeof(ListOf<DelegationShape>), 200, 422);
        api.MapPost("/approvals/delegations", async (Caller caller, DelegateAnswers delegates, TimeProvider clock, [FromBody] DelegateBody body, CancellationToken cancellation) =>
                (await delegates.MakeAsync(caller.Id, new SubjectId(body.Delegate), body.From, body.Until, cancellation)).Answer(one => Mapping.Of(one, clock.Now()), ApiJson.Default.DelegationShape, 201))
            .Describe("delegate", "Say who answers for me", "While the caller is away, with an end. The delegate answers in the caller's own places and hands nothing on; nobody answers for a request of their own.", typeof(DelegationShape), 201, 409, 422);
        api.MapPost("/approvals/delegations/{id}/end", async (Caller caller, DelegateAnswers delegates, TimeProvider clock, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await delegates.EndAsync(caller.Id, new DelegationId(id), cancellation)).Answer(one => Mapping.Of(one, clock.Now()), ApiJson.Default.DelegationShape))
            .Describe("endDelegation", "End a delegation early", "By either of the two whom it names, or an admin. Answers that were given stay.", typeof(DelegationShape), 200, 403, 404, 409);
    }
}
