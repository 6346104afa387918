using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Api;
using Stint.Server.Audit;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Identity.Providers;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>What is remembered of a browser that was asked for a passkey.</summary>
/// <param name="State">The framework's: the challenge, and whose it has to be.</param>
/// <param name="About">What it is for: a person, a request; empty for nothing in particular.</param>
/// <param name="Nonce">What made a challenge of ours a new one; empty for the framework's.</param>
internal sealed record AskedPasskey(string State, string About = "", string Nonce = "");

/// <summary>What is remembered of a browser whose password was right.</summary>
internal sealed record RightPassword(string Person, string Then);

/// <summary>A secret that an app was shown, until it shows a code of it.</summary>
internal sealed record ShownTotp(string Person, string Secret);

[JsonSerializable(typeof(AskedPasskey))]
[JsonSerializable(typeof(RightPassword))]
[JsonSerializable(typeof(ShownTotp))]
internal sealed partial class FlowJson : JsonSerializerContext;

/// <summary>Signing in with what one has here: a passkey, a password, a code.</summary>
internal sealed class SignInForms(
    StintStore store, SignInWays ways, ProviderLinks links, SignInByPassword byPassword, SignInByPasskey byPasskey, Passkeys passkeys, KnownDevice devices, WebSessions browsers, Flow flow, TimeProvider clock)
{
    private const string Asked = "passkey", Password = "password";

    /// <summary>The one answer to whatever is wrong.</summary>
    private const string Wrong = "That lets nobody in. Look at the name and what you typed again; after several tries it takes a while until the next one counts.";

    private readonly RefusalCount _refusals = new(store, clock, Facts.SignInRefused);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sign-in", (HttpContext context, SignInForms forms) => forms.PageAsync(context, Then.Of(context))).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/sign-in/password", (HttpContext context, SignInForms forms) => forms.ByPasswordAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapGet("/sign-in/code", () => PageResult.Of<SignInCode>()).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/sign-in/code", (HttpContext context, SignInForms forms) => forms.ByCodeAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/sign-in/passkey/ask", (HttpContext context, SignInForms forms) => forms.AskAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/sign-in/passkey", (HttpContext context, SignInForms forms) => forms.ByPasskeyAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
    }

    /// <summary>Signs a browser in, and knows it from now on.</summary>
    public async Task<WebSession> LetInAsync(HttpContext context, SubjectId person, string by)
    {
        var session = await browsers.StartAsync(context, new Identity.SignIn(person, by, clock.GetUtcNow()), context.RequestAborted);
        devices.Remember(context, person);
        return session;
    }

    /// <summary>The way out for a call of a page that was not made by one of ours.</summary>
    public static IResult Elsewhere() => Api.Answers.Problem(ProblemKind.NotYours.Say("The call was not made by a page of this server.", "Load the page again."));

    /// <summary>Where passkeys work, for a page: null for on this one, empty for nowhere.</summary>
    public static string? PasskeysAt(RelyingParty relying, HttpContext context) => relying.WorksAt(context) ? null : relying.Elsewhere(context) ?? "";

    private async Task<IResult> PageAsync(HttpContext context, string then, string? trouble = null, string name = "", int status = 200)
    {
        var any = await store.ReadAsync(async reads => (await reads.PersonsWithAWayInAsync()).Count > 0, context.RequestAborted);
        return PageResult.Of<Pages.SignIn>(
            new Dictionary<string, object?>
            {
                [nameof(Pages.SignIn.Ways)] = Links(ways, then),
                [nameof(Pages.SignIn.HasAccounts)] = any,
                [nameof(Pages.SignIn.StillAt)] = await ProviderPages.EndLinkAsync(links, context.Request.Query["out"].ToString(), context.RequestAborted),
                [nameof(Pages.SignIn.Elsewhere)] = PasskeysAt(passkeys.Relying, context),
                [nameof(Pages.SignIn.ThenPath)] = then,
                [nameof(Pages.SignIn.Trouble)] = trouble,
                [nameof(Pages.SignIn.Name)] = name,
            },
            status);
    }

    /// <summary>The ways that begin with a link, leading back to a page.</summary>
    public static IReadOnlyList<ShownLink> Links(SignInWays ways, string then) => [.. ways.All.Select(way => new ShownLink(way.Label, $"{way.Href}?then={Uri.EscapeDataString(then)}"))];

    private async Task<IResult> ByPasswordAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return Elsewhere();
        }

        var fields = await Fields.ReadAsync(context);
        var then = Then.Of(fields["then"]);
        var who = byPassword.Meant(fields["name"]);
        switch (await byPassword.TryAsync(who, fields["password"], Bearer.Network(context.Connection.RemoteIpAddress), devices.Of(context, who), context.RequestAborted))
        {
            case Try.LetIn let:
                await LetInAsync(context, let.Person, let.By);
                return Results.Redirect(then);
            case Try.NeedsCode needs:
                flow.Keep(context, Password, new RightPassword(needs.Person.Value, then), FlowJson.Default.RightPassword, Passkeys.Timeout);
                return Results.Redirect("/sign-in/code");
            case Try.TooMany many:
                return await PageAsync(context, then, TooMany(context, many.Wait), fields["name"], StatusCodes.Status429TooManyRequests);
            default:
                await _refusals.AddAsync(Bearer.Network(context.Connection.RemoteIpAddress), context.RequestAborted);
                return await PageAsync(context, then, Wrong, fields["name"], StatusCodes.Status403Forbidden);
        }
    }

    private async Task<IResult> ByCodeAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return Elsewhere();
        }

        if (flow.Take(context, Password, FlowJson.Default.RightPassword) is not { } right)
        {
            return Results.Redirect("/sign-in");
        }

        var fields = await Fields.ReadAsync(context);
        switch (await byPassword.TryCodeAsync(new SubjectId(right.Person), fields["code"], Bearer.Network(context.Connection.RemoteIpAddress), context.RequestAborted))
        {
            case Try.LetIn let:
                await LetInAsync(context, let.Person, let.By);
                return Results.Redirect(Then.Of(right.Then));
            case Try.TooMany many:
                Again();
                return Page(TooMany(context, many.Wait), StatusCodes.Status429TooManyRequests);
            default:
                Again();
                await _refusals.AddAsync(Bearer.Network(context.Connection.RemoteIpAddress), context.RequestAborted);
                return Page("That is not the code that counts now; a used one counts no more, and after several tries it takes a while until the next one counts.", StatusCodes.Status403Forbidden);
        }

        void Again() => flow.Keep(context, Password, right, FlowJson.Default.RightPassword, Passkeys.Timeout);

        static IResult Page(string trouble, int status) => PageResult.Of<SignInCode>(new Dictionary<string, object?> { [nameof(SignInCode.Trouble)] = trouble }, status);
    }

    private async Task<IResult> AskAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request) || await passkeys.AskAsync(null, null, context) is not { } ask)
        {
            return Elsewhere();
        }

        return Ask(context, flow, Asked, ask, new AskedPasskey(ask.State));
    }

    private async Task<IResult> ByPasskeyAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return Elsewhere();
        }

        var fields = await Fields.ReadAsync(context);
        if (flow.Take(context, Asked, FlowJson.Default.AskedPasskey) is { About: "" } asked
            && await byPasskey.TryAsync(fields.Credential, asked.State, null, context) is Try.LetIn let)
        {
            await LetInAsync(context, let.Person, let.By);
            return Led(Then.Of(fields["then"]));
        }

        await _refusals.AddAsync(Bearer.Network(context.Connection.RemoteIpAddress), context.RequestAborted);
        return NoPasskey();
    }

    /// <summary>Answers a script with what to ask the browser for, and has the browser keep what it was asked.</summary>
    public static IResult Ask(HttpContext context, Flow flow, string name, PasskeyAsk ask, AskedPasskey asked)
    {
        flow.Keep(context, name, asked, FlowJson.Default.AskedPasskey, Passkeys.Timeout);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Text(ask.Options, "application/json; charset=utf-8");
    }

    /// <summary>Answers a script with where to go.</summary>
    public static IResult Led(string then) => Results.Text(new JsonObject { ["then"] = then }.ToJsonString(), "application/json; charset=utf-8");

    /// <summary>The answer to a passkey that proves nothing here.</summary>
    public static IResult NoPasskey() => Api.Answers.Problem(ProblemKind.NotYours.Say("That passkey lets nobody in.", "It may have been removed here, or belong to another server. Load the page and try again."));

    private static string TooMany(HttpContext context, TimeSpan wait)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return $"Too many tries come from there; the next one is answered in {seconds} s.";
    }
}
