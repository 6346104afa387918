using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;

namespace Stint.Server.Api;

/// <summary>Why somebody is sent away, or taken back.</summary>
internal sealed record OffboardBody
{
    /// <summary>For the log; 1 to 2,000 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>Something under the name of somebody who left.</summary>
/// <param name="Kind"><c>admin</c>, <c>resource</c>, <c>on_call</c>, <c>report</c>, <c>review</c> or <c>approval</c>.</param>
/// <param name="Name">Of the person, the resource, the rota, whoever reports to them, the review or the request.</param>
/// <param name="Others">Who else could take care of it now; empty for nobody.</param>
internal sealed record RemainingShape(string Kind, string Name, IReadOnlyList<string> Others);

/// <summary>Somebody was sent away.</summary>
/// <param name="Person">Who.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
/// <param name="By">By whom.</param>
/// <param name="Requests">Requests of theirs that were cancelled.</param>
/// <param name="Grants">Grants of theirs that ended, their sessions with them.</param>
/// <param name="Delegations">Delegations to them and of theirs that ended.</param>
/// <param name="Remains">What is still under their name.</param>
internal sealed record OffboardShape(
    string Person,
    string Reason,
    DateTimeOffset At,
    string By,
    IReadOnlyList<string> Requests,
    IReadOnlyList<string> Grants,
    IReadOnlyList<string> Delegations,
    IReadOnlyList<RemainingShape> Remains);

/// <summary>Somebody was taken back.</summary>
/// <param name="Person">Who.</param>
/// <param name="Since">Since when they were away.</param>
internal sealed record RestoreShape(string Person, DateTimeOffset Since);

/// <summary>A one-time link, shown this once.</summary>
/// <param name="Person">Whose.</param>
/// <param name="Link">The page, with its code behind the <c>#</c>, which a browser sends nowhere.</param>
/// <param name="ExpiresAt">Until before when it works.</param>
internal sealed record LinkShape(string Person, string Link, DateTimeOffset ExpiresAt);

/// <summary>People who come, and people who leave.</summary>
internal static class PeopleEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/people/{person}/offboard", async (Caller caller, OffboardPerson offboard, string person, [FromBody] OffboardBody body, CancellationToken cancellation) =>
                (await offboard.OffboardAsync(caller.Id, person, body.Reason, cancellation)).Answer(Of, ApiJson.Default.OffboardShape))
            .Describe("offboard", "Send somebody away", "For admins. It holds whatever the catalog and the directory say, until an admin takes it back: tokens are dead, requests cancelled, grants end and their sessions are cut before the answer. What is still under their name is listed for whoever takes it over.", typeof(OffboardShape), 200, 403, 404, 409, 422);
        api.MapPost("/people/{person}/restore", async (Caller caller, OffboardPerson offboard, string person, [FromBody] OffboardBody body, CancellationToken cancellation) =>
                (await offboard.RestoreAsync(caller.Id, person, body.Reason, cancellation)).Answer(back => new RestoreShape(back.Person, back.At), ApiJson.Default.RestoreShape))
            .Describe("restore", "Take back that somebody was sent away", "For admins. From then on the catalog and the directory say again who they are; what ended stays ended.", typeof(RestoreShape), 200, 403, 404, 422);
        api.MapPost("/people/{person}/invite", (HttpContext context, Caller caller, AccountLinks links, RelyingParty relying, KeptAnswers kept, KeyedCall? call, string person, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                LinkAsync(context, caller, links, relying, kept, call, person, reset: false, cancellation))
            .Describe("invite", "Make a one-time link for somebody who has no way in here", "For admins. Whoever opens it makes a passkey or a password for that person, within a day; of several the last one counts. It is shown this once; with an Idempotency-Key a repetition answers 409 instead of showing it again.", typeof(LinkShape), 201, 403, 404, 409);
        api.MapPost("/people/{person}/reset-account", (HttpContext context, Caller caller, AccountLinks links, RelyingParty relying, KeptAnswers kept, KeyedCall? call, string person, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                LinkAsync(context, caller, links, relying, kept, call, person, reset: true, cancellation))
            .Describe("resetAccount", "Void what lets somebody in here, and make a link for a new beginning", "For admins, for who lost everything: their password, passkeys and codes are void, every browser of theirs is signed out, and the answer holds a one-time link as `invite` makes it.", typeof(LinkShape), 201, 403, 404, 409);
    }

    private static Task<IResult> LinkAsync(HttpContext context, Caller caller, AccountLinks links, RelyingParty relying, KeptAnswers kept, KeyedCall? call, string person, bool reset, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "no-store";
        return !caller.IsAdmin
            ? Task.FromResult(Answers.Problem(ProblemKind.NotYours.Say("Only an admin makes a link for somebody.")))
            : kept.OnceAsync(
                caller.Id,
                call,
                async keep => (await links.MakeAsync(caller.Id, person, reset, cancellation, keep is null ? null : work => keep(work, "")))
                    .Answer(made => new LinkShape(made.Person.Value, relying.Link(new Uri($"{context.Request.Scheme}://{context.Request.Host}"), "/set-up#" + made.Code), made.ExpiresAt), ApiJson.Default.LinkShape, 201),
                cancellation);
    }

    private static OffboardShape Of(OffboardReport report) => new(
        report.Gone.Person,
        report.Gone.Reason,
        report.Gone.At,
        report.Gone.By,
        [.. report.Requests.Select(request => request.Value)],
        [.. report.Grants.Select(grant => grant.Value)],
        [.. report.Delegations.Select(delegation => delegation.Value)],
        [.. report.Remains.Select(one => new RemainingShape(one.Kind, one.Name, [.. one.Others.Select(other => other.Value)]))]);
}
