using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Api;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>Where a person lets a command line in, or does not (RFC 8628, section 3.3; RFC 6749, section 4.1).</summary>
internal static class CommandLinePages
{
    private const string DevicePath = "/device", AuthorizePath = "/oauth/authorize", Answer = "answer", Allow = "allow";
    private const int LeastState = 16, MostState = 200;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(DevicePath, AskedAsync).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost(DevicePath, AnsweredAsync).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapGet(AuthorizePath, Authorize).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost(AuthorizePath, AuthorizedAsync).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapGet("/account/command-lines", async (Caller caller, CliLogins logins, CancellationToken cancellation) => PageResult.Of<CommandLines>(new Dictionary<string, object?>
        {
            [nameof(CommandLines.Person)] = caller.Id.Value,
            [nameof(CommandLines.Csrf)] = caller.Session?.Csrf,
            [nameof(CommandLines.LoggedIn)] = (await logins.ListAsync(caller.Id, all: false, cancellation)) is Outcome<IReadOnlyList<CliLogin>>.Done { Value: var found }
                ? found.Select(one => new CommandLines.ShownLogin(one.Id, one.Self.Host, one.Self.Version, one.Self.Address, one.MadeAt, logins.EndsUnused(one))).ToList()
                : [],
        })).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost("/account/command-lines/{id}/end", async (Caller caller, CliLogins logins, string id, CancellationToken cancellation) =>
        {
            await logins.EndAsync(caller.Id, id, cancellation);
            return Results.Redirect("/account/command-lines");
        }).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
    }

    private static async Task<IResult> AskedAsync(HttpContext context, Caller caller, CliAskings askings, CliLimits limits, CancellationToken cancellation)
    {
        if (caller.Session is not { } session)
        {
            return OnlyBrowsers();
        }

        var typed = context.Request.Query["code"] is { Count: 1 } one ? one[0] : null;
        if (string.IsNullOrWhiteSpace(typed))
        {
            return CodeForm(caller, null, null);
        }

        return await askings.FindAsync(caller.Id, typed, cancellation) switch
        {
            Outcome<CliAsking>.Done { Value: var asking } => Consent(
                caller,
                session,
                DevicePath,
                limits,
                new ShownCommandLine(asking.Self.Host, asking.Self.Version, asking.Self.Address, IsNear(context, asking.Self.Address), asking.MadeAt, UserCode.Read(typed)),
                [new ShownField("code", UserCode.Read(typed)!)]),
            var no => CodeForm(caller, typed, WhyNot(no)),
        };
    }

    private static async Task<IResult> AnsweredAsync(HttpContext context, Caller caller, CliAskings askings, CancellationToken cancellation)
    {
        if (caller.Session is not { } session)
        {
            return OnlyBrowsers();
        }

        var form = await context.Request.ReadFormAsync(cancellation);
        var yes = form[Answer] == Allow;
        return await askings.AnswerAsync(ProofOf(session), form["code"], yes, cancellation) switch
        {
            Outcome<CliAsking>.Done => Said(
                caller,
                yes ? "Allowed" : "Denied",
                yes ? "Go back to your terminal: it is logged in within seconds. You can close this page." : "The command line gets nothing. If you did not run it yourself, somebody tried to act as you: tell whoever looks after this server.",
                well: yes),
            var no => CodeForm(caller, null, WhyNot(no)),
        };
    }

    private static IResult Authorize(HttpContext context, Caller caller, CliLimits limits)
    {
        if (caller.Session is not { } session)
        {
            return OnlyBrowsers();
        }

        var query = context.Request.Query;
        var asked = Asked.Read(name => query[name] is { Count: 1 } one ? one[0] : null, name => query[name].Count > 1);

        var problem = asked.Problem ?? (query["response_type"] == "code" ? null : "response_type must be code.");

        // NB. What is wrong is said here: nobody is led anywhere by a link that a command line of ours would not make.
        return problem is not null
            ? Said(caller, "This link does not work", $"{problem} Run stint login again.", well: false, status: 400)
            : Consent(
                caller,
                session,
                AuthorizePath,
                limits,
                new ShownCommandLine(asked.Host, asked.Version, null, Near: true, null, null),
                [new("client_id", CliAskings.Client), new("redirect_uri", asked.Redirect), new("code_challenge", asked.Challenge), new("code_challenge_method", "S256"), new("state", asked.State), new("host", asked.Host), new("version", asked.Version)]);
    }

    private static async Task<IResult> AuthorizedAsync(HttpContext context, Caller caller, CliAskings askings, ServerOptions options, CancellationToken cancellation)
    {
        if (caller.Session is not { } session)
        {
            return OnlyBrowsers();
        }

        var form = await context.Request.ReadFormAsync(cancellation);
        var asked = Asked.Read(name => form[name] is { Count: 1 } one ? one[0] : null, name => form[name].Count > 1);
        if (asked.Problem is { } problem)
        {
            return Said(caller, "This link does not work", $"{problem} Run stint login again.", well: false, status: 400);
        }

        var came = "error=access_denied";
        if (form[Answer] == Allow)
        {
            if (await askings.AllowAsync(ProofOf(session), asked.Redirect, asked.Challenge, OAuthEndpoints.SelfOf(context, asked.Host, asked.Version), cancellation) is not Outcome<string>.Done { Value: var code })
            {
                return OnlyBrowsers();
            }

            came = $"code={code}";
        }

        // NB. A page that goes on by itself, and no redirect: a policy that lets forms lead to this server alone forbids those (CSP3, form-action).
        var onward = $"{asked.Redirect}?{came}&state={Uri.EscapeDataString(asked.State)}&iss={Uri.EscapeDataString(OAuthEndpoints.BaseOf(context, options))}";
        context.Response.Headers["Refresh"] = $"0; url={onward}";
        return form[Answer] == Allow
            ? Said(caller, "Allowed", "Your browser goes on to the command line, which is logged in then.", well: true, onward)
            : Said(caller, "Denied", "The command line gets nothing.", well: false, onward);
    }

    private static bool IsNear(HttpContext context, string address) => IPAddress.TryParse(address, out var asked) && Bearer.Network(asked).Equals(Bearer.Network(context.Connection.RemoteIpAddress));

    private static CliProof ProofOf(WebSession session) => new(session.Person, session.Id, session.ProvedBy, session.ProvedAt);

    private static IResult CodeForm(Caller caller, string? typed, string? trouble) => PageResult.Of<Device>(
        new Dictionary<string, object?> { [nameof(Device.Person)] = caller.Id.Value, [nameof(Device.Code)] = typed, [nameof(Device.Trouble)] = trouble },
        trouble is null ? 200 : 422);

    private static IResult Consent(Caller caller, WebSession session, string action, CliLimits limits, ShownCommandLine asks, IReadOnlyList<ShownField> fields) => PageResult.Of<Consent>(new Dictionary<string, object?>
    {
        [nameof(Pages.Consent.Person)] = caller.Id.Value,
        [nameof(Pages.Consent.Name)] = caller.Subject.Name,
        [nameof(Pages.Consent.Csrf)] = session.Csrf,
        [nameof(Pages.Consent.Action)] = action,
        [nameof(Pages.Consent.Lasts)] = limits.Lasts >= TimeSpan.FromDays(2) ? string.Create(CultureInfo.InvariantCulture, $"{limits.Lasts.TotalDays:0} days") : string.Create(CultureInfo.InvariantCulture, $"{limits.Lasts.TotalHours:0.#} hours"),
        [nameof(Pages.Consent.Asks)] = asks,
        [nameof(Pages.Consent.Fields)] = fields,
    });

    private static IResult Said(Caller caller, string heading, string sentence, bool well, string? onward = null, int status = 200) => PageResult.Of<Answered>(
        new Dictionary<string, object?>
        {
            [nameof(Answered.Person)] = caller.Id.Value,
            [nameof(Answered.Heading)] = heading,
            [nameof(Answered.Sentence)] = sentence,
            [nameof(Answered.Well)] = well,
            [nameof(Answered.Onward)] = onward,
        },
        status);

    private static string WhyNot(Outcome<CliAsking> no) => no switch
    {
        Outcome<CliAsking>.Refused refused => $"Too many wrong codes; {refused.Remedy}.",
        Outcome<CliAsking>.LostRace => "It was answered already, or is over. Run stint login again.",
        _ => "No command line waits under this code. Codes count for ten minutes, and once: look at your terminal again.",
    };

    // NB. A token of a command line does not let in the next one: a person at a browser does.
    private static IResult OnlyBrowsers() => Answers.Problem(ProblemKind.NotYours.Say("A command line is let in by a person at a browser.", "Sign in there."));

    /// <summary>What a command line on the browser's machine asked for.</summary>
    /// <param name="Problem">What is wrong with it, in a sentence with its full stop; null for nothing.</param>
    private sealed record Asked(string Redirect, string Challenge, string State, string Host, string Version, string? Problem)
    {
        private static readonly string[] Fields = ["client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state", "host", "version", "response_type", Answer];

        public static Asked Read(Func<string, string?> one, Func<string, bool> isTwice)
        {
            var asked = new Asked(one("redirect_uri") ?? "", one("code_challenge") ?? "", one("state") ?? "", one("host") ?? "", one("version") ?? "", null);
            return asked with
            {
                Problem = Fields.FirstOrDefault(isTwice) is { } twice ? $"{twice} stands twice."
                    : one("client_id") != CliAskings.Client ? $"The only client_id is {CliAskings.Client}."
                    : Loopback.Read(asked.Redirect) is null ? "redirect_uri must be http://127.0.0.1:PORT/ or http://[::1]:PORT/."
                    : one("code_challenge_method") != "S256" || asked.Challenge.Length != 43 || !CliTokens.IsVerifier(asked.Challenge) ? "A code_challenge is needed, by S256."
                    : asked.State.Length is < LeastState or > MostState || !asked.State.All(letter => letter is > ' ' and < '\u007f') ? $"state must have {LeastState} to {MostState} visible ASCII characters."
                    : one("scope") is { Length: > 0 } ? "There are no scopes here."
                    : CliAskings.Odd(asked.Host) is { } odd ? $"host {odd}."
                    : CliAskings.Odd(asked.Version) is { } wrong ? $"version {wrong}."
                    : null,
            };
        }
    }
}
