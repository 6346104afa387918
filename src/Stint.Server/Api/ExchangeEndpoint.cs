using System.Net;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>A token that was given for another one (RFC 8693, section 2.2.1).</summary>
/// <param name="AccessToken">The bearer token; shown this once.</param>
/// <param name="IssuedTokenType">What it is, in the words of section 3.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
/// <param name="ExpiresIn">For how many seconds it lets in.</param>
/// <param name="Scope">Whose it is: <c>workload:NAME</c>.</param>
internal sealed record ExchangedShape(string AccessToken, string IssuedTokenType, string TokenType, long ExpiresIn, string Scope);

/// <summary>Why no token was given (RFC 6749, section 5.2).</summary>
/// <param name="Error">A word of that section, or of RFC 8693.</param>
/// <param name="ErrorDescription">For whoever reads the job's output.</param>
internal sealed record ExchangeProblem(string Error, [property: JsonPropertyName("error_description")] string ErrorDescription);

/// <summary>Where a job changes the token of its platform for one of Stint's.</summary>
internal static class ExchangeEndpoint
{
    /// <summary>Where it is.</summary>
    public const string Path = "/oauth/token";

    private const string Grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string AccessToken = "urn:ietf:params:oauth:token-type:access_token";
    private const string WorkloadScope = "workload:";

    private static readonly string[] Types = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
    private static readonly string[] Once = ["grant_type", "subject_token", "subject_token_type", "requested_token_type", "scope"];

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path, ExchangeAsync)
        .WithMetadata(Open.Instance)
        .Describe("exchangeToken", "Change the token of a platform for one of Stint's", "Token exchange (RFC 8693), form-encoded: `grant_type`, `subject_token` (a JWT of a configured issuer, made for its `audience`), `subject_token_type`, and where several workloads are meant `scope=workload:NAME`. Errors are those of RFC 6749.", typeof(ExchangedShape), 200, 429);

    private static async Task<IResult> ExchangeAsync(HttpContext context, ExchangeToken exchange, WrongProofs wrong, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Pragma = "no-cache";
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        if (!context.Request.HasFormContentType || context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return Refuse("invalid_request", "Send a form: application/x-www-form-urlencoded.");
        }

        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(cancellation);
        }
        catch (InvalidDataException)
        {
            return Refuse("invalid_request", "The form cannot be read.");
        }

        if (form.FirstOrDefault(one => one.Value.Count > 1 && Once.Contains(one.Key)).Key is { } twice)
        {
            return Refuse("invalid_request", $"{twice} stands twice.");
        }

        if (form["grant_type"] != Grant)
        {
            return form.ContainsKey("grant_type") ? Refuse("unsupported_grant_type", $"The only grant_type is {Grant}.") : Refuse("invalid_request", $"grant_type is missing: {Grant}.");
        }

        if (form.ContainsKey("actor_token") || form.ContainsKey("actor_token_type"))
        {
            return Refuse("invalid_request", "Nobody acts for another: leave actor_token out.");
        }

        if (form.ContainsKey("authorization_details"))
        {
            // RFC 9396, section 5: what is not carried out is refused. A token here is for asking, and what for is said then.
            return Refuse("invalid_authorization_details", "Say authorization_details in the request for access, not for the token: POST /api/v1/requests.");
        }

        if (form["requested_token_type"] is { Count: 1 } kind && kind != AccessToken)
        {
            return Refuse("invalid_request", $"The only requested_token_type is {AccessToken}.");
        }

        if (form["subject_token_type"] is not { Count: 1 } type || !Types.Contains(type[0]))
        {
            return Refuse("invalid_request", $"subject_token_type must be {string.Join(" or ", Types)}.");
        }

        if (form["subject_token"] is not { Count: 1 } subject || subject[0] is not { Length: > 0 } token)
        {
            return Refuse("invalid_request", "subject_token is missing: the token that the platform gave to the job.");
        }

        string? wanted = null;
        if (form["scope"] is { Count: 1 } scope && scope[0] is { Length: > 0 } text)
        {
            if (!text.StartsWith(WorkloadScope, StringComparison.Ordinal) || !Core.Catalog.Words.IsName(text[WorkloadScope.Length..]))
            {
                return Refuse("invalid_scope", "The scope, where there is one, is workload:NAME.");
            }

            wanted = text[WorkloadScope.Length..];
        }

        // NB. Where the token of Stint's counts is no choice of the caller's.
        if (form.Any(one => one.Key is "audience" or "resource" && one.Value.Any(place => place is { Length: > 0 } && !IsHere(context, place))))
        {
            return Refuse("invalid_target", "Leave audience and resource out: the token is for this server.");
        }

        switch (await exchange.TryAsync(token, wanted, Bearer.Network(context.Connection.RemoteIpAddress), cancellation))
        {
            case Exchange.LetIn let:
                return Results.Json(new ExchangedShape(let.Secret, AccessToken, "Bearer", (long)let.Lasts.TotalSeconds, let.Subject.Value), ApiJson.Default.ExchangedShape);
            case Exchange.Refused { Later: true } later:
                return Refuse("temporarily_unavailable", later.Why, (int)HttpStatusCode.ServiceUnavailable);
            case Exchange.Refused refused:
                // NB. What is wrong with a token is told, and counted: whoever tries many is stopped.
                return wrong.Count(context) ?? Refuse("invalid_request", refused.Why);
            default:
                throw new InvalidOperationException("A token lets in or it does not.");
        }
    }

    private static bool IsHere(HttpContext context, string place) => Uri.TryCreate(place, UriKind.Absolute, out var uri) && uri.Authority.Equals(context.Request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static IResult Refuse(string error, string description, int status = 400) => Results.Json(new ExchangeProblem(error, description), ApiJson.Default.ExchangeProblem, statusCode: status);
}
