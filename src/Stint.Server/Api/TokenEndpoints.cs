using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>A wish for a static token.</summary>
internal sealed record MakeTokenBody
{
    /// <summary>The workload's name in the catalog.</summary>
    public required string Workload { get; init; }

    /// <summary>Roles that it may ask for: <c>RESOURCE/ROLE</c>, with <c>*</c> for any part of a name.</summary>
    public required IReadOnlyList<string> Scope { get; init; }

    /// <summary>How long it counts; at most 366 days.</summary>
    public required long ExpiresInSeconds { get; init; }
}

/// <summary>A static token of a workload; never its secret.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Prefix">How it begins.</param>
/// <param name="Workload">Whose: <c>workload:NAME</c>.</param>
/// <param name="Scope">What it may ask for.</param>
/// <param name="MadeBy">Who made it.</param>
/// <param name="MadeAt">When.</param>
/// <param name="ExpiresAt">Until before when it counts.</param>
/// <param name="UsedAt">When it was used last, to ten minutes; null for never.</param>
/// <param name="RevokedAt">When it was revoked; null while it was not.</param>
internal sealed record TokenShape(string Id, string Prefix, string Workload, IReadOnlyList<string> Scope, string MadeBy, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt, DateTimeOffset? RevokedAt);

/// <summary>A static token, shown this once.</summary>
/// <param name="Secret">The bearer token.</param>
/// <param name="Token">What is kept of it.</param>
internal sealed record MadeTokenShape(string Secret, TokenShape Token);

/// <summary>Static tokens of workloads, for persons who keep them.</summary>
internal static class TokenEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/tokens", MakeAsync)
            .Describe("makeToken", "Make a static token for a workload", "By an admin, or an owner of the workload: for machines that no platform gives a token to. It is shown this once; with an Idempotency-Key a repetition answers 409 instead of showing it again.", typeof(MadeTokenShape), 201, 404, 409, 422);
        api.MapGet("/tokens", async (Caller caller, StaticTokens tokens, CancellationToken cancellation) =>
                Results.Json(new ListOf<TokenShape>([.. (await tokens.ListAsync(caller.Id, cancellation)).Select(Of)], null), ApiJson.Default.ListOfTokenShape))
            .Describe("listTokens", "Static tokens, newest first", "Of the workloads that one owns; all of them for admins and auditors. Never a secret.", typeof(ListOf<TokenShape>));
        api.MapPost("/tokens/{id}/revoke", async (Caller caller, StaticTokens tokens, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await tokens.RevokeAsync(caller.Id, id, cancellation)).Answer(Of, ApiJson.Default.TokenShape))
            .Describe("revokeToken", "Revoke a static token", "By an admin, an owner of the workload, or whoever made it. It lets in nobody from then on; what was opened with it runs to its end, unless it is revoked.", typeof(TokenShape), 200, 404, 409);
    }

    private static Task<IResult> MakeAsync(HttpContext context, Caller caller, StaticTokens tokens, KeptAnswers kept, KeyedCall? call, [FromBody] MakeTokenBody body, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "no-store";
        return kept.OnceAsync(
            caller.Id,
            call,
            async keep => (await tokens.MakeAsync(
                    caller.Id, body.Workload, body.Scope, Answers.Seconds(body.ExpiresInSeconds)!.Value, cancellation, keep is null ? null : work => keep(work, "")))
                .Answer(made => new MadeTokenShape(made.Secret, Of(made.Token)), ApiJson.Default.MadeTokenShape, 201),
            cancellation);
    }

    private static TokenShape Of(WorkloadToken token) =>
        new(token.Id, token.Prefix, token.Subject.Value, token.Scope, token.MadeBy.Value, token.MadeAt, token.ExpiresAt, token.UsedAt, token.RevokedAt);
}
