using System.Net;
using Microsoft.AspNetCore.Http;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>A token that was given for another one (RFC 8693, section 2.2.1).</summary>
/// <param name="AccessToken">The bearer token; shown this once.</param>
/// <param name="IssuedTokenType">What it is, in the words of section 3.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
/// <param name="ExpiresIn">For how many seconds it lets in.</param>
/// <param name="Scope">Whose it is: <c>workload:NAME</c>.</param>
internal sealed record ExchangedShape(string AccessToken, string IssuedTokenType, string TokenType, long ExpiresIn, string Scope);

/// <summary>A job changes the token of its platform for one of Stint's.</summary>
internal static class ExchangeEndpoint
{
    /// <summary>The <c>grant_type</c>.</summary>
    public const string Grant = "urn:ietf:params:oauth:grant-type:token-exchange";

    private const string AccessToken = "urn:ietf:params:oauth:token-type:access_token";
    private const string WorkloadScope = "workload:";

    private static readonly string[] Types = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

    public static async Task<IResult> AnswerAsync(HttpContext context, OAuthForm form, ExchangeToken exchange, WrongProofs wrong, CancellationToken cancellation)
    {
        if (form.Has("actor_token") || form.Has("actor_token_type"))
        {
            return OAuthForm.Refuse("invalid_request", "Nobody acts for another: leave actor_token out.");
        }

        if (form.Has("authorization_details"))
        {
            // RFC 9396, section 5: what is not carried out is refused. A token here is for asking, and what for is said then.
            return OAuthForm.Refuse("invalid_authorization_details", "Say authorization_details in the request for access, not for the token: POST /api/v1/requests.");
        }

        if (form.One("requested_token_type") is { } kind && kind != AccessToken)
        {
            return OAuthForm.Refuse("invalid_request", $"The only requested_token_type is {AccessToken}.");
        }

        if (form.One("subject_token_type") is not { } type || !Types.Contains(type))
        {
            return OAuthForm.Refuse("invalid_request", $"subject_token_type must be {string.Join(" or ", Types)}.");
        }

        if (form.One("subject_token") is not { } token)
        {
            return OAuthForm.Refuse("invalid_request", "subject_token is missing: the token that the platform gave to the job.");
        }

        string? wanted = null;
        if (form.One("scope") is { } text)
        {
            if (!text.StartsWith(WorkloadScope, StringComparison.Ordinal) || !Core.Catalog.Words.IsName(text[WorkloadScope.Length..]))
            {
                return OAuthForm.Refuse("invalid_scope", "The scope, where there is one, is workload:NAME.");
            }

            wanted = text[WorkloadScope.Length..];
        }

        // NB. Where the token of Stint's counts is no choice of the caller's.
        if (form.All("audience").Concat(form.All("resource")).Any(place => place.Length > 0 && !IsHere(context, place)))
        {
            return OAuthForm.Refuse("invalid_target", "Leave audience and resource out: the token is for this server.");
        }

        switch (await exchange.TryAsync(token, wanted, Bearer.Network(context.Connection.RemoteIpAddress), cancellation))
        {
            case Exchange.LetIn let:
                return Results.Json(new ExchangedShape(let.Secret, AccessToken, "Bearer", (long)let.Lasts.TotalSeconds, let.Subject.Value), ApiJson.Default.ExchangedShape);
            case Exchange.Refused { Later: true } later:
                return OAuthForm.Refuse("temporarily_unavailable", later.Why, HttpStatusCode.ServiceUnavailable);
            case Exchange.Refused refused:
                // NB. What is wrong with a token is told, and counted: whoever tries many is stopped.
                return wrong.Count(context) ?? OAuthForm.Refuse("invalid_request", refused.Why);
            default:
                throw new InvalidOperationException("A token lets in or it does not.");
        }
    }

    private static bool IsHere(HttpContext context, string place) => Uri.TryCreate(place, UriKind.Absolute, out var uri) && uri.Authority.Equals(context.Request.Host.Value, StringComparison.OrdinalIgnoreCase);
}
