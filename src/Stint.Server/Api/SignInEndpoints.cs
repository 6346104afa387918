using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>A browser in which somebody is signed in; never its secret.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Person">Who.</param>
/// <param name="By">How they proved who they are, last.</param>
/// <param name="ProvedAt">When they did.</param>
/// <param name="From">The address that they signed in from.</param>
/// <param name="Agent">What the browser calls itself; empty for nothing.</param>
/// <param name="SignedInAt">Since when.</param>
/// <param name="UsedAt">When it was used last, to a minute.</param>
/// <param name="ExpiresAt">Until before when it counts, however much it is used.</param>
/// <param name="EndsUnusedAt">When it stops to count if it is not used.</param>
/// <param name="This">Whether it is the one that asks.</param>
internal sealed record SignInShape(
    string Id,
    string Person,
    string By,
    DateTimeOffset ProvedAt,
    string From,
    string Agent,
    DateTimeOffset SignedInAt,
    DateTimeOffset UsedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset EndsUnusedAt,
    bool This);

/// <summary>The browsers in which one is signed in.</summary>
internal static class SignInEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sign-ins", async (Caller caller, WebSessions browsers, CancellationToken cancellation) =>
                Results.Json(new ListOf<SignInShape>([.. (await browsers.ListAsync(caller.Id, cancellation)).Select(session => Of(browsers, caller, session))], null), ApiJson.Default.ListOfSignInShape))
            .Describe("listSignIns", "Browsers in which one is signed in, newest first", "One's own.", typeof(ListOf<SignInShape>));
        api.MapPost("/sign-ins/{id}/end", async (Caller caller, WebSessions browsers, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await browsers.EndAsync(caller.Id, id, cancellation)).Answer(session => Of(browsers, caller, session), ApiJson.Default.SignInShape))
            .Describe("endSignIn", "Sign a browser out", "One's own; admins anybody's. It lets in nobody from then on.", typeof(SignInShape), 200, 404, 409);
    }

    private static SignInShape Of(WebSessions browsers, Caller caller, WebSession session) => new(
        session.Id,
        session.Person.Value,
        session.ProvedBy,
        session.ProvedAt,
        session.Address,
        session.Agent,
        session.MadeAt,
        session.UsedAt,
        session.ExpiresAt,
        browsers.EndsUnused(session),
        session.Id == caller.Session?.Id);
}
