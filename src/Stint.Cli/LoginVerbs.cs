using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Stint.Cli;

/// <summary>Logging in and out, who I am, and small things that need no server.</summary>
internal static class LoginVerbs
{
    public static IEnumerable<Command> All() => [Login(), Logout(), Logins(), WhoAmI(), Version()];

    private static Command Login()
    {
        var device = new Option<bool>("--device") { Description = "By a code that you type into a browser anywhere; else by the browser of this machine where there is one." };
        var token = new Option<bool>("--token") { Description = "With a token that the catalog knows; it is asked for, or read from standard input." };
        var stdin = new Option<bool>("--token-stdin") { Description = "Read such a token from standard input." };
        var file = new Option<bool>("--no-keyring") { Description = "Keep what is given in a file that only you read, though there is a keyring." };
        var command = new Command("login", "Log this command line in, by your yes in a browser or with a token, and keep where the server is.") { device, token, stdin, file };
        return Verb.Does(command, async (verb, cancellation) =>
        {
            if (verb.Get(device) && (verb.Get(token) || verb.Get(stdin)))
            {
                throw new CommandFailed(ExitCode.Usage, "--device is without a token.");
            }

            // Whoever pipes something in pipes in a token.
            var given = verb.Get(token) || verb.Get(stdin) || (Console.IsInputRedirected && !verb.Get(device)) ? await TokenAsync(verb, verb.Get(token) || verb.Get(stdin), cancellation) : null;
            return given is null ? await ByBrowserAsync(verb, verb.Get(device), verb.Get(file), cancellation) : await ByTokenAsync(verb, given, cancellation);
        });
    }

    /// <summary>A token from a person or a pipe; null when a pipe says nothing and need not.</summary>
    private static async Task<string?> TokenAsync(Verb verb, bool must, CancellationToken cancellation)
    {
        var token = Console.IsInputRedirected
            ? await Console.In.ReadLineAsync(cancellation)
            : AnsiConsole.Prompt(new TextPrompt<string>($"Token for {Markup.Escape(verb.Place().Server.ToString())}:").Secret(null));
        return !string.IsNullOrWhiteSpace(token) ? token.Trim()
            : must ? throw new CommandFailed(ExitCode.Usage, "No token was given.", "Whoever keeps the catalog makes one with: stint token")
            : null;
    }

    private static async Task<int> ByTokenAsync(Verb verb, string token, CancellationToken cancellation)
    {
        var before = verb.Place();
        var login = Whole(before) with { Token = token, Kept = null };
        using var client = new StintClient(login);
        var me = await client.GetAsync("api/v1/whoami", cancellation);
        using (await KeptLogin.HoldAsync(cancellation))
        {
            await RevokeAsync(before, cancellation);
            login.Keep();
        }

        verb.Terminal.Answer(me, () => verb.Terminal.Line($"Logged in at {login.Server} as {me["id"]}. Kept in {Cli.Login.FilePath}."));
        return ExitCode.Ok;
    }

    private static async Task<int> ByBrowserAsync(Verb verb, bool device, bool file, CancellationToken cancellation)
    {
        var before = verb.Place();
        var login = Whole(before) with { Token = null, Kept = null };
        using var http = StintClient.Http(login);
        var server = new AuthServer(http, login.Server);
        var tokens = device || !Browser.IsHere
            ? await DeviceLogin.RunAsync(server, verb.Terminal, TimeProvider.System, cancellation)
            : await LoopbackLogin.RunAsync(server, verb.Terminal, Browser.Open, cancellation);
        using var client = new StintClient(login with { Token = tokens.Access });
        var me = await client.GetAsync("api/v1/whoami", cancellation);
        KeptLogin kept;

        // NB. From here on it is done, whoever stops it: the login before is ended, and this one is in its place.
        using (await KeptLogin.HoldAsync(CancellationToken.None))
        {
            await RevokeAsync(before, CancellationToken.None);
            kept = await login.KeepAsync(tokens, file ? null : Keyring.Find(), CancellationToken.None);
        }

        me["kept_in"] = kept.Place;
        verb.Terminal.Answer(me, () =>
        {
            verb.Terminal.Line($"Logged in at {login.Server} as {me["id"]}, at most until {verb.Terminal.When(me["command_line"]?["expires_at"])}. Kept in {kept.Place}.");
            if (!string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable("STINT_TOKEN")))
            {
                verb.Terminal.Warn("STINT_TOKEN is set here, and goes before it.");
            }
        });
        return ExitCode.Ok;
    }

    private static Login Whole(Login place) => place with { CertificateAuthority = place.CertificateAuthority is { } file ? Path.GetFullPath(file) : null };

    /// <summary>Ends the login that was kept, at the server and here; a server that does not answer lets it end by itself.</summary>
    /// <returns>Whether the server ended it; null where there was none.</returns>
    private static async Task<bool?> RevokeAsync(Login login, CancellationToken cancellation)
    {
        if (login.Kept is not { } kept || await kept.ReadAsync(cancellation) is not { } tokens)
        {
            return null;
        }

        bool revoked;
        try
        {
            using var http = StintClient.Http(login);
            var answer = await new AuthServer(http, login.Server).PostAsync(
                "oauth/revoke", new Dictionary<string, string> { ["client_id"] = AuthServer.Client, ["token"] = tokens.Refresh, ["token_type_hint"] = "refresh_token" }, cancellation);
            revoked = answer.Status == System.Net.HttpStatusCode.OK;
        }
        catch (CommandFailed)
        {
            revoked = false;
        }

        await kept.ForgetAsync(cancellation);
        return revoked;
    }

    private static Command Logout() =>
        Verb.Does(new Command("logout", "Log this command line out: end its login at the server, and forget it here."), async (verb, cancellation) =>
        {
            bool? revoked = null;
            bool there;
            using (await KeptLogin.HoldAsync(cancellation))
            {
                Login? login = null;
                try
                {
                    login = verb.Place();
                }
                catch (CommandFailed)
                {
                    // What cannot be read is forgotten all the same.
                }

                revoked = login is null ? null : await RevokeAsync(login, cancellation);
                there = Cli.Login.Forget();
            }

            verb.Terminal.Answer(new JsonObject { ["forgotten"] = there, ["revoked"] = revoked }, () =>
            {
                verb.Terminal.Line(!there ? "There was nothing to forget." : revoked == true ? "Logged out, here and at the server." : "Forgotten.");
                if (revoked == false)
                {
                    verb.Terminal.Warn("The server did not answer, so the login still counts there until it ends unused. End it with: stint logins end, from another one, or in a browser under /account.");
                }
            });
            return ExitCode.Ok;
        });

    private static Command Logins()
    {
        var all = new Option<bool>("--all") { Description = "Everybody's, for admins and auditors." };
        var command = new Command("logins", "List the command lines that you are logged in with.") { all };
        command.Add(End());
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var items = await client.ListAsync($"api/v1/command-lines{(verb.Get(all) ? "?all=true" : "")}", 1_000, cancellation);
            verb.Terminal.AnswerList(
                items,
                "You are logged in with no command line; this one came in another way.",
                ["LOGIN", "PERSON", "MACHINE", "FROM", "BY", "SINCE", "LAST USE", "ENDS UNUSED"],
                one =>
                [
                    $"{one["id"]}{((bool)one["this"]! ? " (this one)" : "")}",
                    (string)one["person"]!,
                    (string)one["host"]! is { Length: > 0 } host ? host : "-",
                    (string)one["from"]!,
                    (string)one["by"]!,
                    verb.Terminal.When(one["logged_in_at"]),
                    verb.Terminal.When(one["used_at"]),
                    verb.Terminal.When(one["ends_unused_at"]),
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command End()
    {
        var id = new Argument<string>("LOGIN") { Description = "Its name, as stint logins gives it." };
        id.CompletionSources.Add(context => Suggest.Ids(context, "api/v1/command-lines"));
        return Verb.Asks(new Command("end", "Log a command line out: one of yours, or as an admin anybody's.") { id }, async (verb, client, cancellation) =>
        {
            var ended = await client.PostAsync($"api/v1/command-lines/{Uri.EscapeDataString(verb.Get(id))}/end", [], cancellation);
            verb.Terminal.Answer(ended, () => verb.Terminal.Line($"{ended["id"]} of {ended["person"]} lets in nobody any more."));
            return ExitCode.Ok;
        });
    }

    private static Command WhoAmI() =>
        Verb.Asks(new Command("whoami", "Say who the server takes you for, and how you are logged in."), async (verb, client, cancellation) =>
        {
            var me = await client.GetAsync("api/v1/whoami", cancellation);
            verb.Terminal.Answer(me, () =>
            {
                var groups = string.Join(", ", (me["groups"] as JsonArray ?? []).Select(name => (string)name!));
                verb.Terminal.Line($"{me["id"]}{((string?)me["name"] is { Length: > 0 } name ? $" ({name})" : "")} at {client.Login.Server}");
                verb.Terminal.Line($"  groups    {(groups.Length == 0 ? "none" : groups)}");
                foreach (var (claim, value) in me["claims"] as JsonObject ?? [])
                {
                    verb.Terminal.Line($"  {claim,-9} {value}");
                }

                if (me["scope"] is JsonArray scope)
                {
                    verb.Terminal.Line($"  scope     {string.Join(", ", scope.Select(one => (string)one!))}");
                }

                foreach (var right in me["rights"] as JsonArray ?? [])
                {
                    var source = (string?)right!["by"] switch
                    {
                        "grant" => $"by {right["grant"]}",
                        "given" => "from the setting up",
                        _ => "by the catalog",
                    };
                    verb.Terminal.Line($"  may       {right["right"]}, {source}{(right["until"] is { } until ? $", until {verb.Terminal.When(until)}" : "")}");
                }

                if (me["command_line"] is JsonObject login)
                {
                    verb.Terminal.Line($"  login     {login["id"]}, by {login["by"]} in a browser {verb.Terminal.When(login["proved_at"])}");
                    verb.Terminal.Line($"  ends      {verb.Terminal.When(login["ends_unused_at"])} if unused, at the latest {verb.Terminal.When(login["expires_at"])}");
                }

                verb.Terminal.Line($"  kept in   {client.Login switch
                {
                    { Kept: { } kept } => kept.Place,
                    { Platform: { } platform } => $"nothing; it comes from {platform.Name}",
                    _ when !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable("STINT_TOKEN")) => "STINT_TOKEN",
                    _ => Cli.Login.FilePath,
                }}");
            });
            return ExitCode.Ok;
        });

    private static Command Version() =>
        Verb.Does(new Command("version", "Print the version."), (verb, _) =>
        {
            verb.Terminal.Answer(new JsonObject { ["version"] = StintClient.Version }, () => verb.Terminal.Line($"stint {StintClient.Version}"));
            return Task.FromResult(ExitCode.Ok);
        });
}
