using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>Two tokens of a command line, shown this once (RFC 6749, section 5.1).</summary>
/// <param name="AccessToken">The bearer token.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
/// <param name="ExpiresIn">For how many seconds it lets in.</param>
/// <param name="RefreshToken">Fetches the next two, once.</param>
internal sealed record CliTokensShape(string AccessToken, string TokenType, long ExpiresIn, string RefreshToken);

/// <summary>The codes of a command line that wants in (RFC 8628, section 3.2).</summary>
/// <param name="DeviceCode">What it polls with.</param>
/// <param name="UserCode">What its person types.</param>
/// <param name="VerificationUri">Where they do.</param>
/// <param name="VerificationUriComplete">The same with the code filled in.</param>
/// <param name="ExpiresIn">For how many seconds both count.</param>
/// <param name="Interval">How many seconds lie between two polls, at the least.</param>
internal sealed record DeviceShape(string DeviceCode, string UserCode, string VerificationUri, string VerificationUriComplete, long ExpiresIn, long Interval);

/// <summary>What this authorization server can (RFC 8414, section 2; RFC 9207, section 3).</summary>
/// <param name="Issuer">Its name, which is its address.</param>
/// <param name="AuthorizationEndpoint">Where a person says yes to a command line on their browser's machine.</param>
/// <param name="TokenEndpoint">Where tokens are given.</param>
/// <param name="DeviceAuthorizationEndpoint">Where a command line gets the code that its person types.</param>
/// <param name="RevocationEndpoint">Where a login is ended.</param>
internal sealed record OAuthMetadata(string Issuer, string AuthorizationEndpoint, string TokenEndpoint, string DeviceAuthorizationEndpoint, string RevocationEndpoint)
{
    /// <summary>What the authorization endpoint gives.</summary>
    public IReadOnlyList<string> ResponseTypesSupported { get; } = ["code"];

    /// <summary>How it gives it.</summary>
    public IReadOnlyList<string> ResponseModesSupported { get; } = ["query"];

    /// <summary>What the token endpoint takes.</summary>
    public IReadOnlyList<string> GrantTypesSupported { get; } = ["authorization_code", OAuthEndpoints.DeviceGrant, "refresh_token", ExchangeEndpoint.Grant];

    /// <summary>How a code is bound to a verifier.</summary>
    public IReadOnlyList<string> CodeChallengeMethodsSupported { get; } = ["S256"];

    /// <summary>How clients prove themselves there: they do not.</summary>
    public IReadOnlyList<string> TokenEndpointAuthMethodsSupported { get; } = ["none"];

    /// <summary>How clients prove themselves where a login is ended: they do not.</summary>
    public IReadOnlyList<string> RevocationEndpointAuthMethodsSupported { get; } = ["none"];

    /// <summary>Whether a code comes with the issuer's name.</summary>
    public bool AuthorizationResponseIssParameterSupported { get; } = true;
}

/// <summary>Where programs get tokens: command lines for a person who says yes in a browser, jobs for the token of their platform.</summary>
internal static class OAuthEndpoints
{
    /// <summary>The <c>grant_type</c> of a command line that polls.</summary>
    public const string DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

    private const string Errors = "Form-encoded; errors are those of RFC 6749.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/oauth/token", TokenAsync)
            .WithMetadata(Open.Instance)
            .Describe("getToken", "Get a token", $"By `grant_type`: `{DeviceGrant}` (`client_id`, `device_code`; RFC 8628), `authorization_code` (`client_id`, `code`, `redirect_uri`, `code_verifier`), `refresh_token` (`client_id`, `refresh_token`; each works once), and `{ExchangeEndpoint.Grant}` (RFC 8693): `subject_token` (a JWT of a configured issuer, made for its `audience`), `subject_token_type`, and where several workloads are meant `scope=workload:NAME`; its answer has `issued_token_type` and `scope` in place of `refresh_token`. {Errors}", typeof(CliTokensShape), 200, 429);
        routes.MapPost("/oauth/device", DeviceAsync)
            .WithMetadata(Open.Instance)
            .Describe("startDeviceLogin", "Ask for the codes of a command line", $"`client_id` is `{CliAskings.Client}`; `host` and `version` are shown to the person who is asked. {Errors}", typeof(DeviceShape), 200, 429);
        routes.MapPost("/oauth/revoke", RevokeAsync)
            .WithMetadata(Open.Instance)
            .Describe("endLogin", "End a command line's login", $"`client_id` and `token`, either of its two (RFC 7009): both count no longer. An unknown one is answered alike. {Errors}", null);
        routes.MapGet("/.well-known/oauth-authorization-server", (HttpContext context, ServerOptions options) =>
            {
                var here = BaseOf(context, options);
                return Results.Json(new OAuthMetadata(here, $"{here}/oauth/authorize", $"{here}/oauth/token", $"{here}/oauth/device", $"{here}/oauth/revoke"), ApiJson.Default.OAuthMetadata);
            })
            .WithMetadata(Open.Instance)
            .Describe("oauthMetadata", "What the authorization server can", "RFC 8414.", typeof(OAuthMetadata));
    }

    /// <summary>How people reach this server, without a slash at its end.</summary>
    public static string BaseOf(HttpContext context, ServerOptions options) =>
        options.Web.PublicUrl is { } known ? known.GetLeftPart(UriPartial.Authority) : $"{context.Request.Scheme}://{context.Request.Host}";

    private static async Task<IResult> TokenAsync(HttpContext context, ExchangeToken exchange, CliTokens tokens, WrongProofs wrong, CancellationToken cancellation)
    {
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        var (form, problem) = await OAuthForm.ReadAsync(context, cancellation);
        if (form is null)
        {
            return problem!;
        }

        var address = Bearer.Network(context.Connection.RemoteIpAddress);
        switch (form.One("grant_type"))
        {
            case ExchangeEndpoint.Grant:
                return await ExchangeEndpoint.AnswerAsync(context, form, exchange, wrong, cancellation);
            case DeviceGrant:
                return Missing(form, "device_code") ?? Answer(context, wrong, await tokens.PollAsync(form.One("device_code")!, address, cancellation));
            case "authorization_code":
                return Missing(form, "code", "redirect_uri", "code_verifier")
                    ?? Answer(context, wrong, await tokens.RedeemAsync(form.One("code")!, form.One("redirect_uri")!, form.One("code_verifier")!, address, cancellation));
            case "refresh_token":
                return Missing(form, "refresh_token") ?? Answer(context, wrong, await tokens.RefreshAsync(form.One("refresh_token")!, address, cancellation));
            case null:
                return OAuthForm.Refuse("invalid_request", $"grant_type is missing: {DeviceGrant}, authorization_code, refresh_token, or {ExchangeEndpoint.Grant}.");
            default:
                return OAuthForm.Refuse("unsupported_grant_type", $"grant_type is one of {DeviceGrant}, authorization_code, refresh_token, {ExchangeEndpoint.Grant}.");
        }
    }

    private static async Task<IResult> DeviceAsync(HttpContext context, CliAskings askings, ServerOptions options, CancellationToken cancellation)
    {
        var (form, problem) = await OAuthForm.ReadAsync(context, cancellation);
        if (form is null || (problem = Missing(form)) is not null)
        {
            return problem!;
        }

        foreach (var field in (string[])["host", "version"])
        {
            if (CliAskings.Odd(form.One(field)) is { } odd)
            {
                return OAuthForm.Refuse("invalid_request", $"{field} {odd}.");
            }
        }

        if (askings.Take(Bearer.Network(context.Connection.RemoteIpAddress)) is { } wait)
        {
            return new Later(wait);
        }

        var started = await askings.StartAsync(SelfOf(context, form.One("host"), form.One("version")), cancellation);
        var page = $"{BaseOf(context, options)}/device";
        return Results.Json(
            new DeviceShape(started.Secret, started.UserCode, page, $"{page}?code={started.UserCode}", (long)CliAskings.Lasts.TotalSeconds, (long)CliAskings.PollEvery.TotalSeconds),
            ApiJson.Default.DeviceShape);
    }

    private static async Task<IResult> RevokeAsync(HttpContext context, CliTokens tokens, CancellationToken cancellation)
    {
        var (form, problem) = await OAuthForm.ReadAsync(context, cancellation);
        if (form is null || (problem = Missing(form, "token")) is not null)
        {
            return problem!;
        }

        await tokens.RevokeAsync(form.One("token")!, cancellation);
        return Results.Ok();
    }

    /// <summary>What a command line says of itself, and where it calls from.</summary>
    public static CliSelf SelfOf(HttpContext context, string? host, string? version)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        return new CliSelf(host ?? "", version ?? "", (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString());
    }

    /// <summary>Why a call of a command line is not looked at any further; null when it is.</summary>
    private static IResult? Missing(OAuthForm form, params string[] fields) =>
        form.One("client_id") != CliAskings.Client ? OAuthForm.Refuse("invalid_client", $"The only client_id is {CliAskings.Client}.", HttpStatusCode.Unauthorized)
        : form.One("scope") is not null ? OAuthForm.Refuse("invalid_scope", "There are no scopes here: leave scope out.")
        : Array.Find(fields, field => form.One(field) is null) is { } missing ? OAuthForm.Refuse("invalid_request", $"{missing} is missing.")
        : null;

    private static IResult Answer(HttpContext context, WrongProofs wrong, CliGrant came) => came switch
    {
        CliGrant.LetIn let => Results.Json(new CliTokensShape(let.Access, "Bearer", (long)let.AccessLasts.TotalSeconds, let.Refresh), ApiJson.Default.CliTokensShape),
        CliGrant.Refused { Wrong: true } refused => wrong.Count(context) ?? OAuthForm.Refuse(refused.Error, refused.Why),
        CliGrant.Refused refused => OAuthForm.Refuse(refused.Error, refused.Why),
        _ => throw new InvalidOperationException("A command line is let in or it is not."),
    };

    private sealed class Later(TimeSpan wait) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Bearer.TooMany(httpContext, wait);
    }
}
