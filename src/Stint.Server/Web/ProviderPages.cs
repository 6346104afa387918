using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Stint.Server.Api;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Identity.Providers;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>To a provider and back, and what a provider tells this server by itself.</summary>
internal static class ProviderPages
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sign-in/{provider}", StartAsync).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapGet("/sign-in/{provider}/callback", FinishAsync).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/sign-in/{provider}/logout", LogoutAsync).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapGet("/sign-in/{provider}/end", EndAsync).WithMetadata(Open.Instance).ExcludeFromDescription();
    }

    /// <summary>The link to where somebody who just signed out here signs out of their provider, too; null when there is nothing of the kind.</summary>
    public static async Task<ShownLink?> EndLinkAsync(ProviderLinks links, string name, CancellationToken cancellation) =>
        links.Find(name) is { } link && await EndOfAsync(link, null, cancellation) is not null ? new ShownLink($"sign out of {link.Provider.Label}, too", $"/sign-in/{name}/end") : null;

    /// <summary>Where people sign out of a provider, with the way back; null when it does not say.</summary>
    private static async Task<string?> EndOfAsync(ProviderLink link, string? back, CancellationToken cancellation)
    {
        try
        {
            // NB. No ID token is kept to hint at who they are: the provider asks them.
            return (await link.PlacesAsync(cancellation)).EndSession is { } end
                ? QueryHelpers.AddQueryString(end.AbsoluteUri, new Dictionary<string, string?> { ["client_id"] = link.Provider.ClientId, ["post_logout_redirect_uri"] = back })
                : null;
        }
        catch (ProviderAwayException)
        {
            return null;
        }
    }

    private static async Task<IResult> StartAsync(HttpContext context, string provider, ProviderLinks links, SignInByProvider signIn, WebSessions browsers, Flow flows, ServerOptions options, CancellationToken cancellation)
    {
        if (links.Find(provider) is not { } link)
        {
            return Unknown();
        }

        string? session = null;
        if (context.Request.Query["fresh"] is { Count: 1 } fresh && fresh == "1")
        {
            if (!link.Provider.ProvesAnew)
            {
                return Show(new ProviderOutcome.Refused($"{link.Provider.Label} cannot be asked for a fresh proof.", "Prove yourself in another way, such as with a passkey.", 409));
            }

            if (await HereAsync(context, browsers, cancellation) is not { } here)
            {
                return Results.Redirect($"/sign-in?then={Uri.EscapeDataString(Then.Of(context))}");
            }

            session = here.Id;
        }

        try
        {
            var (to, flow) = await signIn.StartAsync(link, Back(context, options, provider, "callback"), Then.Of(context), session, cancellation);
            flows.Keep(context, ProviderFlow.Cookie, flow, ProviderFlowJson.Default.ProviderFlow, ProviderFlow.Lasts);
            return Results.Redirect(to);
        }
        catch (ProviderAwayException)
        {
            return Show(SignInByProvider.Away(link.Provider));
        }
    }

    private static async Task<IResult> FinishAsync(HttpContext context, string provider, ProviderLinks links, SignInByProvider signIn, TakeWord word, WebSessions browsers, Flow flows, WrongProofs wrong, ServerOptions options, CancellationToken cancellation)
    {
        if (links.Find(provider) is not { } link)
        {
            return Unknown();
        }

        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        var flow = flows.Take(context, ProviderFlow.Cookie, ProviderFlowJson.Default.ProviderFlow);
        var outcome = await signIn.FinishAsync(link, flow, context.Request.Query, Back(context, options, provider, "callback"), cancellation);
        if (outcome is ProviderOutcome.Proved proved)
        {
            if (!flow!.Fresh)
            {
                await word.TakeAsync(link.Provider, proved.How.Person, proved.Groups, proved.Attributes, cancellation);
                await browsers.StartAsync(context, proved.How, cancellation);
                return Results.Redirect(flow.Then);
            }

            // NB. A proof of somebody else, or for a browser that was signed out meanwhile, is none.
            if (await HereAsync(context, browsers, cancellation) is { } here && here.Id == flow.Session && await browsers.ProvedAgainAsync(here, proved.How, cancellation) is not null)
            {
                return Results.Redirect(flow.Then);
            }

            outcome = new ProviderOutcome.Refused($"{link.Provider.Label} says that you are {proved.How.Person}, and that is not who is signed in here.", "Prove yourself with the account that you signed in with, or sign out here first.");
        }

        var refused = (ProviderOutcome.Refused)outcome;
        if (refused.Status < 500)
        {
            await signIn.RefusedAsync(Bearer.Network(context.Connection.RemoteIpAddress), cancellation);
            if (wrong.Count(context) is { } tooMany)
            {
                return tooMany;
            }
        }

        return Show(refused);
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, string provider, ProviderLinks links, LogoutByProvider logout, WrongProofs wrong, CancellationToken cancellation)
    {
        if (links.Find(provider) is not { } link || link.Provider.Preset == ProviderPreset.GitHub)
        {
            return Results.NotFound();
        }

        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        if (context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return NoLogout("Send a form: application/x-www-form-urlencoded.");
        }

        try
        {
            // NB. Why it does not count stands in the log alone: whoever forges one learns nothing from the answer.
            return (await context.Request.ReadFormAsync(cancellation))["logout_token"] is { Count: 1 } token && await logout.EndAsync(link, token[0]!, cancellation)
                ? Results.Ok()
                : wrong.Count(context) ?? NoLogout("The logout token is missing, or does not count.");
        }
        catch (InvalidDataException)
        {
            return NoLogout("The form cannot be read.");
        }
        catch (Exception e) when (e is ProviderAwayException or KeysUnknownException)
        {
            return Results.Json(new OAuthProblem("temporarily_unavailable", "The keys of the provider cannot be had now."), ApiJson.Default.OAuthProblem, statusCode: 503);
        }
    }

    private static async Task<IResult> EndAsync(HttpContext context, string provider, ProviderLinks links, ServerOptions options, CancellationToken cancellation)
    {
        if (links.Find(provider) is not { } link)
        {
            return Unknown();
        }

        return await EndOfAsync(link, $"{Origin(context, options)}/sign-in", cancellation) is { } to
            ? Results.Redirect(to)
            : Show(new ProviderOutcome.Refused($"{link.Provider.Label} does not say where one signs out of it.", $"Go to {link.Provider.Label} and sign out there.", 404));
    }

    private static async Task<Store.WebSession?> HereAsync(HttpContext context, WebSessions browsers, CancellationToken cancellation) =>
        WebSessions.SecretOf(context) is { } secret && await browsers.FindAsync(secret, cancellation) is var (_, session) ? session : null;

    /// <summary>What the provider knows as ours: each has its own, so that an answer of one never comes in as that of another.</summary>
    private static string Back(HttpContext context, ServerOptions options, string provider, string what) => $"{Origin(context, options)}/sign-in/{provider}/{what}";

    // What a browser calls this server counts where it can be reached from this machine alone.
    private static string Origin(HttpContext context, ServerOptions options) => options.Web.PublicUrl?.ToString().TrimEnd('/') ?? $"{context.Request.Scheme}://{context.Request.Host.ToUriComponent()}";

    private static IResult Unknown() => Show(new ProviderOutcome.Refused("There is no provider of that name here.", "See /sign-in for the ways to sign in.", 404));

    private static IResult NoLogout(string why) => Results.Json(new OAuthProblem("invalid_request", why), ApiJson.Default.OAuthProblem, statusCode: 400);

    private static IResult Show(ProviderOutcome.Refused refused) => PageResult.Of<NotSignedIn>(new Dictionary<string, object?> { [nameof(NotSignedIn.Say)] = refused.Say, [nameof(NotSignedIn.Remedy)] = refused.Remedy }, refused.Status);
}
