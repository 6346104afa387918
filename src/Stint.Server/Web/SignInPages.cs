using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>Signing in, signing out, and what one sees of it.</summary>
internal static class SignInPages
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        SignInForms.Map(routes);
        SetUpPages.Map(routes);
        WaysPages.Map(routes);
        ApprovePages.Map(routes);
        ChangePages.Map(routes);
        LivePages.Map(routes);
        HomePages.Map(routes);
        AskPages.Map(routes);
        RequestPages.Map(routes);
        ApprovalPages.Map(routes);
        SessionPages.Map(routes);
        AuditPages.Map(routes);

        routes.MapGet("/account", async (Caller caller, WebSessions browsers, CancellationToken cancellation) => PageResult.Of<Account>(new Dictionary<string, object?>
        {
            [nameof(Account.Person)] = caller.Id.Value,
            [nameof(Account.Name)] = caller.Subject.Name,
            [nameof(Account.Rights)] = caller.IsAdmin ? "administrator" : caller.MayRead ? "auditor" : "to ask",
            [nameof(Account.Csrf)] = caller.Session?.Csrf,
            [nameof(Account.SignedIn)] = (await browsers.ListAsync(caller.Id, cancellation))
                .Select(one => new ShownSignIn(one.Id, one.Agent, one.Id == caller.Session?.Id, one.ProvedBy, one.Address, one.MadeAt, browsers.EndsUnused(one)))
                .ToList(),
        })).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();

        routes.MapPost("/account/sign-ins/{id}/end", async (Caller caller, WebSessions browsers, string id, CancellationToken cancellation) =>
        {
            await browsers.EndAsync(caller.Id, id, cancellation);
            return Results.Redirect("/account");
        }).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();

        routes.MapPost("/sign-out", async (HttpContext context, Caller caller, WebSessions browsers, CancellationToken cancellation) =>
        {
            if (caller.Session is { } session)
            {
                await browsers.EndAsync(caller.Id, session.Id, cancellation);
            }

            // NB. Whoever is signed in at the provider still gets in again by one click.
            WebSessions.Forget(context);
            return Results.Redirect(caller.Session?.Provider is { } provider ? $"/sign-in?out={Uri.EscapeDataString(provider)}" : "/sign-in");
        }).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
    }
}
