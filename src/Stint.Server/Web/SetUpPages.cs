using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Api;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>Where one-time links lead: to a way in, and to recovery codes.</summary>
internal sealed class SetUpPages(AccountLinks links, Passwords passwords, Passkeys passkeys, ManageAccount manage, SignInForms forms, Flow flow)
{
    private const string Asked = "set-up";
    private const string Over = "This link works no longer: each works once, for a day, and of several the last one made counts. The server prints another when it starts; an administrator makes one with stint invite.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/set-up", () => PageResult.Of<SetUp>()).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/set-up", (HttpContext context, SetUpPages pages) => pages.OpenAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/set-up/password", (HttpContext context, SetUpPages pages) => pages.ByPasswordAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/set-up/passkey/ask", (HttpContext context, SetUpPages pages) => pages.AskAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
        routes.MapPost("/set-up/passkey", (HttpContext context, SetUpPages pages) => pages.ByPasskeyAsync(context)).WithMetadata(Open.Instance).ExcludeFromDescription();
    }

    private async Task<IResult> OpenAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return SignInForms.Elsewhere();
        }

        var fields = await Fields.ReadAsync(context);
        return await links.LookAsync(fields["code"].Trim(), context.RequestAborted) is { } open ? Page(context, fields, open, null) : TooLate();
    }

    private async Task<IResult> ByPasswordAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return SignInForms.Elsewhere();
        }

        var fields = await Fields.ReadAsync(context);
        var person = new SubjectId(fields["person"] is { Length: > 0 } name ? name : "-");

        // NB. The link first: a password is hashed for nobody who has none.
        if (await links.LookAsync(fields["code"], context.RequestAborted) is not { } open)
        {
            return TooLate();
        }

        if (Sentence(links.Against(open, person)) is { } nobody)
        {
            return Page(context, fields, open, nobody);
        }

        if ((fields["password"] != fields["again"] ? "The two are not the same." : Sentence(PasswordRules.Against(fields["password"], manage.NamesOf(person)))) is { } wrong)
        {
            return Page(context, fields, open, wrong);
        }

        if (await passwords.HashAsync(fields["password"], context.RequestAborted) is not { } hash)
        {
            return Page(context, fields, open, "The server is busy just now. Try again in a minute.");
        }

        if (await links.UseAsync(fields["code"], person, new FirstWay(hash, null, null), From(context), context.RequestAborted) is not Outcome<IReadOnlyList<string>>.Done { Value: var codes })
        {
            return TooLate();
        }

        await forms.LetInAsync(context, person, "password");
        context.Response.Headers.CacheControl = "no-store";
        return PageResult.Of<Codes>(new Dictionary<string, object?> { [nameof(Codes.Person)] = person.Value, [nameof(Codes.All)] = codes });
    }

    private async Task<IResult> AskAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return SignInForms.Elsewhere();
        }

        var fields = await Fields.ReadAsync(context);
        var person = new SubjectId(fields["person"] is { Length: > 0 } name ? name : "-");
        if (await links.LookAsync(fields["code"], context.RequestAborted) is not { } open)
        {
            return Refused(Over);
        }

        if (Sentence(links.Against(open, person)) is { } nobody)
        {
            return Refused(nobody);
        }

        var ask = await passkeys.AskToMakeAsync(person, manage.NamesOf(person).Skip(1).FirstOrDefault() ?? "", context);
        return SignInForms.Ask(context, flow, Asked, ask, new AskedPasskey(ask.State, person.Value));
    }

    private async Task<IResult> ByPasskeyAsync(HttpContext context)
    {
        if (!ByCookie.ComesFromHere(context.Request))
        {
            return SignInForms.Elsewhere();
        }

        var fields = await Fields.ReadAsync(context);
        if (flow.Take(context, Asked, FlowJson.Default.AskedPasskey) is not { } asked || asked.About != fields["person"]
            || await passkeys.MadeAsync(fields.Credential, asked.State, context) is not { } made)
        {
            return Refused("That is not the passkey that was asked for. Load the page and try again.");
        }

        try
        {
            var person = new SubjectId(asked.About);
            if (await links.UseAsync(fields["code"], person, new FirstWay(null, made, null), From(context), context.RequestAborted) is not Outcome<IReadOnlyList<string>>.Done { Value: var codes })
            {
                return Refused(Over);
            }

            await forms.LetInAsync(context, person, "passkey");
            context.Response.Headers.CacheControl = "no-store";
            return Results.Text(new JsonObject { ["codes"] = new JsonArray([.. codes.Select(code => JsonValue.Create(code))]), ["then"] = "/account/ways" }.ToJsonString(), "application/json; charset=utf-8");
        }
        catch (PasskeyNotTheirsException)
        {
            return Refused("That passkey belongs to somebody else here. Load the page and try again.");
        }
    }

    private IResult Page(HttpContext context, Fields fields, OpenLink open, string? trouble)
    {
        context.Response.Headers.CacheControl = "no-store";
        return PageResult.Of<SetUp>(
            new Dictionary<string, object?>
            {
                [nameof(SetUp.Persons)] = open.Persons.Select(person => person.Value).ToList(),
                [nameof(SetUp.TakesAName)] = open.TakesAName,
                [nameof(SetUp.Code)] = fields["code"].Trim(),
                [nameof(SetUp.Chosen)] = fields["person"],
                [nameof(SetUp.Heading)] = open.Kind == AccountLinkKind.SetUp ? "Set up the first administrator" : "Set up how you sign in",
                [nameof(SetUp.Elsewhere)] = SignInForms.PasskeysAt(passkeys.Relying, context),
                [nameof(SetUp.Trouble)] = trouble,
            },
            trouble is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static IResult TooLate() => PageResult.Of<SetUp>(new Dictionary<string, object?> { [nameof(SetUp.Trouble)] = Over }, StatusCodes.Status404NotFound);

    private static IResult Refused(string why) => Api.Answers.Problem(ProblemKind.NotYours.Say(why));

    /// <summary>What is wrong, as a page says it.</summary>
    public static string? Sentence(string? wrong) => wrong is null ? null : $"{char.ToUpperInvariant(wrong[0])}{wrong[1..]}.";

    /// <summary>Where a caller is, for a fact.</summary>
    public static string From(HttpContext context) => Bearer.Network(context.Connection.RemoteIpAddress).ToString();
}
