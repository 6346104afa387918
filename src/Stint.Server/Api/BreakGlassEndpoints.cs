using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>How many codes.</summary>
internal sealed record CodesBody
{
    /// <summary>From 1 to 20; absent for 10.</summary>
    public int? Count { get; init; }
}

/// <summary>One-time codes, shown this once.</summary>
/// <param name="Codes">Six groups of five letters; capitals, spaces and dashes do not matter.</param>
/// <param name="Voided">How many older ones count no longer.</param>
internal sealed record CodesShape(IReadOnlyList<string> Codes, int Voided);

/// <summary>A one-time code and whose it is.</summary>
internal sealed record CodeLoginBody
{
    /// <summary>Name of the person.</summary>
    public required string Person { get; init; }

    /// <summary>The code.</summary>
    public required string Code { get; init; }
}

/// <summary>What a code was changed for, shown this once.</summary>
/// <param name="Token">Bearer token for break-glass, and nothing else.</param>
/// <param name="Person">Whose.</param>
/// <param name="ExpiresAt">Until before when it lets in.</param>
/// <param name="CodesLeft">How many codes they have left.</param>
internal sealed record CodeLoginShape(string Token, string Person, DateTimeOffset ExpiresAt, int CodesLeft);

/// <summary>One-time codes for the day on which nothing else lets in.</summary>
internal static class BreakGlassEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/break-glass/codes", (Caller caller, MakeCodes make, KeptAnswers kept, KeyedCall? call, [FromBody] CodesBody? body, CancellationToken cancellation) => kept.OnceAsync(
                caller.Id,
                call,
                async keep => (await make.MakeAsync(caller.Id, body?.Count ?? 10, cancellation, keep is null ? null : work => keep(work, "")))
                    .Answer(made => new CodesShape(made.Codes, made.Voided), ApiJson.Default.CodesShape, 201),
                cancellation))
            .Describe("makeCodes", "Make one-time codes", "For the caller, who keeps them on paper. Those before are void. They are shown this once; with an Idempotency-Key a repetition answers 409 instead of showing them again.", typeof(CodesShape), 201, 409, 422);
        api.MapPost("/break-glass/login", LoginAsync)
            .WithMetadata(Open.Instance)
            .Describe("loginByCode", "Change a one-time code for a token", "Needs no token, and no identity provider. The token lasts an hour; it asks as break-glass, sees the caller's own requests and grants, and opens the grants that came of it. Whatever is wrong, the answer is the same. A code works once.", typeof(CodeLoginShape), 201, 401, 429);
    }

    private static async Task<IResult> LoginAsync(LoginByCode login, [FromBody] CodeLoginBody body, HttpContext context, CancellationToken cancellation)
    {
        switch (await login.TryAsync(body.Person, body.Code, Bearer.Network(context.Connection.RemoteIpAddress), cancellation))
        {
            case CodeLogin.LetIn let:
                context.Response.Headers.CacheControl = "no-store";
                return Results.Json(new CodeLoginShape(let.Secret, let.Person.Value, let.ExpiresAt, let.Left), ApiJson.Default.CodeLoginShape, statusCode: 201);
            case CodeLogin.TooMany many:
                return new Retry(many.Wait);
            default:
                return Answers.Problem(ProblemKind.Unauthenticated.Say("The code lets nobody in.", "Each works once, and only the newest set counts. Look at the name and the code again."));
        }
    }

    private sealed class Retry(TimeSpan wait) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Bearer.TooMany(httpContext, wait);
    }
}
