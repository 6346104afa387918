using System.Buffers.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Approvals;
using Stint.Server.Api;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>What lets one in here, and how it is changed: by whoever showed at most ten minutes ago that it is them.</summary>
internal sealed class WaysPages(
    ManageAccount manage, Passkeys passkeys, SignInByPassword byPassword, SignInByPasskey byPasskey, SignInWays ways, KnownDevice devices, WebSessions browsers, Flow flow, TimeProvider clock)
{
    private const string Ways = "/account/ways", MadeOne = "new-passkey", Proving = "prove", Totp = "totp";

    public static void Map(IEndpointRouteBuilder routes)
    {
        Get(Ways, (pages, context, caller) => pages.PageAsync(context, caller));
        Get("/account/prove", (pages, context, caller) => pages.ProveAsync(context, caller, Then.Of(context)));
        Post("/account/prove/ask", (pages, context, caller) => pages.AskToProveAsync(context, caller));
        Post("/account/prove/passkey", (pages, context, caller) => pages.ProvedAsync(context, caller));
        Post("/account/prove/password", (pages, context, caller) => pages.ProvePasswordAsync(context, caller));
        Post("/account/passkeys/ask", (pages, context, caller) => pages.AskToMakeAsync(context, caller));
        Post("/account/passkeys", (pages, context, caller) => pages.MadeAsync(context, caller));
        Post("/account/passkeys/remove", (pages, context, caller) => pages.ChangeAsync(context, caller, "The passkey is removed.", async fields =>
            await pages.Manage.RemovePasskeyAsync(caller.Id, IdOf(fields["id"]), SetUpPages.From(context), context.RequestAborted)));
        Post("/account/password", (pages, context, caller) => pages.ChangeAsync(context, caller, "The password is set; other browsers are signed out.", fields => pages.SetPasswordAsync(context, caller, fields)));
        Post("/account/password/remove", (pages, context, caller) => pages.ChangeAsync(context, caller, "The password is removed.", _ => pages.Manage.RemovePasswordAsync(caller.Id, SetUpPages.From(context), context.RequestAborted)));
        Post("/account/totp/new", (pages, context, caller) => pages.NewTotp(context, caller));
        Post("/account/totp", (pages, context, caller) => pages.SetTotpAsync(context, caller));
        Post("/account/totp/remove", (pages, context, caller) => pages.ChangeAsync(context, caller, "No code is asked for any more.", _ => pages.Manage.RemoveTotpAsync(caller.Id, SetUpPages.From(context), context.RequestAborted)));
        Post("/account/codes", (pages, context, caller) => pages.MakeCodesAsync(context, caller));

        void Get(string path, Func<WaysPages, HttpContext, Caller, Task<IResult>> act) => routes.MapGet(path, (HttpContext context, Caller caller, WaysPages pages) => act(pages, context, caller)).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();

        void Post(string path, Func<WaysPages, HttpContext, Caller, Task<IResult>> act) => routes.MapPost(path, (HttpContext context, Caller caller, WaysPages pages) => act(pages, context, caller)).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
    }

    private ManageAccount Manage => manage;

    private bool IsFresh(Caller caller) => caller.Session is { } session && clock.GetUtcNow() - session.ProvedAt <= StepUps.FreshFor;

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, string? trouble = null, string? said = null)
    {
        if (caller.Session is not { } session)
        {
            return InABrowser();
        }

        var found = await manage.FindAsync(caller.Id, context.RequestAborted);
        return PageResult.Of<Pages.Ways>(
            new Dictionary<string, object?>
            {
                [nameof(Pages.Ways.Person)] = caller.Id.Value,
                [nameof(Pages.Ways.Csrf)] = session.Csrf,
                [nameof(Pages.Ways.Fresh)] = IsFresh(caller),
                [nameof(Pages.Ways.Passkeys)] = found.Passkeys.Select(one => new ShownPasskey(Base64Url.EncodeToString(one.Id), one.Name, one.IsBackupEligible, one.MadeAt, one.UsedAt)).ToList(),
                [nameof(Pages.Ways.PasswordAt)] = found.PasswordAt,
                [nameof(Pages.Ways.HasTotp)] = found.HasTotp,
                [nameof(Pages.Ways.CodesLeft)] = found.CodesLeft,
                [nameof(Pages.Ways.Elsewhere)] = SignInForms.PasskeysAt(passkeys.Relying, context),
                [nameof(Pages.Ways.Trouble)] = trouble,
                [nameof(Pages.Ways.Said)] = said,
            },
            trouble is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private async Task<IResult> ProveAsync(HttpContext context, Caller caller, string then, string? trouble = null)
    {
        if (caller.Session is not { } session)
        {
            return InABrowser();
        }

        var found = await manage.FindAsync(caller.Id, context.RequestAborted);
        return PageResult.Of<Prove>(
            new Dictionary<string, object?>
            {
                [nameof(Prove.Person)] = caller.Id.Value,
                [nameof(Prove.Csrf)] = session.Csrf,
                [nameof(Prove.ThenPath)] = then,
                [nameof(Prove.HasPasskey)] = found.Passkeys.Count > 0,
                [nameof(Prove.HasPassword)] = found.HasPassword,
                [nameof(Prove.HasTotp)] = found.HasTotp,
                [nameof(Prove.Elsewhere)] = SignInForms.PasskeysAt(passkeys.Relying, context),
                [nameof(Prove.Ways)] = SignInForms.Links(ways, then),
                [nameof(Prove.Trouble)] = trouble,
            },
            trouble is null ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden);
    }

    private async Task<IResult> AskToProveAsync(HttpContext context, Caller caller) => caller.Session is null || await passkeys.AskAsync(caller.Id, null, context) is not { } ask
        ? SignInForms.NoPasskey()
        : SignInForms.Ask(context, flow, Proving, ask, new AskedPasskey(ask.State, caller.Id.Value));

    private async Task<IResult> ProvedAsync(HttpContext context, Caller caller)
    {
        var fields = await Fields.ReadAsync(context);
        return caller.Session is { } session && flow.Take(context, Proving, FlowJson.Default.AskedPasskey) is { } asked && asked.About == caller.Id.Value
            && await byPasskey.TryAsync(fields.Credential, asked.State, caller.Id, context) is Try.LetIn let
            && await browsers.ProvedAgainAsync(session, new Identity.SignIn(let.Person, let.By, clock.GetUtcNow()), context.RequestAborted) is not null
            ? SignInForms.Led(Then.Of(fields["then"]))
            : SignInForms.NoPasskey();
    }

    private async Task<IResult> ProvePasswordAsync(HttpContext context, Caller caller)
    {
        if (caller.Session is not { } session)
        {
            return InABrowser();
        }

        var fields = await Fields.ReadAsync(context);
        var then = Then.Of(fields["then"]);
        var address = Bearer.Network(context.Connection.RemoteIpAddress);
        var came = await byPassword.TryAsync(caller.Id, fields["password"], address, devices.Of(context, caller.Id), context.RequestAborted);
        if (came is Try.NeedsCode)
        {
            came = await byPassword.TryCodeAsync(caller.Id, fields["code"], address, context.RequestAborted);
        }

        return came is Try.LetIn let && await browsers.ProvedAgainAsync(session, new Identity.SignIn(let.Person, let.By, clock.GetUtcNow()), context.RequestAborted) is not null
            ? Results.Redirect(then)
            : await ProveAsync(context, caller, then, "That is not it. After several tries it takes a while until the next one counts.");
    }

    private async Task<IResult> AskToMakeAsync(HttpContext context, Caller caller)
    {
        if (!IsFresh(caller))
        {
            return NotFresh();
        }

        var ask = await passkeys.AskToMakeAsync(caller.Id, caller.Subject.Name, context);
        return SignInForms.Ask(context, flow, MadeOne, ask, new AskedPasskey(ask.State, caller.Id.Value));
    }

    private async Task<IResult> MadeAsync(HttpContext context, Caller caller)
    {
        if (!IsFresh(caller))
        {
            return NotFresh();
        }

        var fields = await Fields.ReadAsync(context);
        if (flow.Take(context, MadeOne, FlowJson.Default.AskedPasskey) is not { } asked || asked.About != caller.Id.Value
            || await passkeys.MadeAsync(fields.Credential, asked.State, context) is not { } made)
        {
            return Api.Answers.Problem(ProblemKind.NotYours.Say("That is not the passkey that was asked for.", "Load the page and try again."));
        }

        return await manage.AddPasskeyAsync(caller.Id, made, fields["name"], SetUpPages.From(context), context.RequestAborted) switch
        {
            Outcome<bool>.Done => SignInForms.Led(Ways),
            Outcome<bool>.Refused no => Api.Answers.Problem(ProblemKind.Refused.Say($"{SetUpPages.Sentence(no.Why)}", no.Remedy)),
            Outcome<bool>.LostRace lost => Api.Answers.Problem(ProblemKind.LostRace.Say($"{SetUpPages.Sentence(lost.Why)}")),
            _ => Api.Answers.Problem(ProblemKind.NotFound.Say()),
        };
    }

    private async Task<Outcome<bool>> SetPasswordAsync(HttpContext context, Caller caller, Fields fields)
    {
        if (fields["password"] != fields["again"])
        {
            return new Outcome<bool>.Invalid([new Problem("again", "the two are not the same")]);
        }

        var outcome = await manage.SetPasswordAsync(caller.Id, fields["password"], SetUpPages.From(context), context.RequestAborted);
        if (outcome is Outcome<bool>.Done)
        {
            await browsers.EndAllAsync(caller.Id, "password_set", caller.Session!.Id, CancellationToken.None);
        }

        return outcome;
    }

    private Task<IResult> NewTotp(HttpContext context, Caller caller)
    {
        if (!IsFresh(caller))
        {
            return Task.FromResult(ToProve());
        }

        var secret = manage.NewTotp();
        flow.Keep(context, Totp, new ShownTotp(caller.Id.Value, Convert.ToBase64String(secret)), FlowJson.Default.ShownTotp, StepUps.FreshFor);
        return Task.FromResult(TotpPage(context, caller, secret, null));
    }

    private async Task<IResult> SetTotpAsync(HttpContext context, Caller caller)
    {
        if (!IsFresh(caller))
        {
            return ToProve();
        }

        var fields = await Fields.ReadAsync(context);
        if (flow.Take(context, Totp, FlowJson.Default.ShownTotp) is not { } shown || shown.Person != caller.Id.Value)
        {
            return await PageAsync(context, caller, "That took too long. Begin anew.");
        }

        var secret = Convert.FromBase64String(shown.Secret);
        switch (await manage.SetTotpAsync(caller.Id, secret, fields["code"], SetUpPages.From(context), context.RequestAborted))
        {
            case Outcome<bool>.Invalid wrong:
                flow.Keep(context, Totp, shown, FlowJson.Default.ShownTotp, StepUps.FreshFor);
                return TotpPage(context, caller, secret, SetUpPages.Sentence(wrong.Problems[0].Message));
            case Outcome<bool>.Refused no:
                return await PageAsync(context, caller, SetUpPages.Sentence(no.Why));
            default:
                return await PageAsync(context, caller, said: "From now on a password takes a code of your app as well.");
        }
    }

    private static IResult TotpPage(HttpContext context, Caller caller, byte[] secret, string? trouble)
    {
        context.Response.Headers.CacheControl = "no-store";
        return PageResult.Of<TotpNew>(
            new Dictionary<string, object?>
            {
                [nameof(TotpNew.Person)] = caller.Id.Value,
                [nameof(TotpNew.Csrf)] = caller.Session!.Csrf,
                [nameof(TotpNew.Secret)] = Identity.Accounts.Totp.Write(secret),
                [nameof(TotpNew.Uri)] = Identity.Accounts.Totp.Uri($"Stint {context.Request.Host.Host}", caller.Id.Value, secret),
                [nameof(TotpNew.Trouble)] = trouble,
            },
            trouble is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private async Task<IResult> MakeCodesAsync(HttpContext context, Caller caller)
    {
        if (!IsFresh(caller))
        {
            return ToProve();
        }

        if (await manage.MakeCodesAsync(caller.Id, SetUpPages.From(context), context.RequestAborted) is not Outcome<IReadOnlyList<string>>.Done { Value: var codes })
        {
            return Results.NotFound();
        }

        context.Response.Headers.CacheControl = "no-store";
        return PageResult.Of<Codes>(new Dictionary<string, object?> { [nameof(Codes.Person)] = caller.Id.Value, [nameof(Codes.All)] = codes });
    }

    private async Task<IResult> ChangeAsync(HttpContext context, Caller caller, string said, Func<Fields, Task<Outcome<bool>>> act)
    {
        if (!IsFresh(caller))
        {
            return ToProve();
        }

        return await act(await Fields.ReadAsync(context)) switch
        {
            Outcome<bool>.Done => await PageAsync(context, caller, said: said),
            Outcome<bool>.Invalid wrong => await PageAsync(context, caller, SetUpPages.Sentence(wrong.Problems[0].Message)),
            Outcome<bool>.Refused no => await PageAsync(context, caller, $"{SetUpPages.Sentence(no.Why)} {no.Remedy}"),
            _ => await PageAsync(context, caller, "There is no such thing (any more)."),
        };
    }

    private static byte[] IdOf(string text)
    {
        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return [];
        }
    }

    private static IResult ToProve() => Results.Redirect($"/account/prove?then={Uri.EscapeDataString(Ways)}");

    private static IResult NotFresh() => Api.Answers.Problem(ProblemKind.NotYours.Say("This takes a proof that it is you, at most 10 minutes old.", "Prove it once more at /account/prove."));

    private static IResult InABrowser() => Api.Answers.Problem(ProblemKind.NotYours.Say("What lets you in is changed in a browser in which you are signed in, not with a token.", "Open /account/ways in a browser."));
}
