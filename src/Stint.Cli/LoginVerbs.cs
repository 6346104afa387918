using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Stint.Cli;

/// <summary>Who I am, and small things that need no server.</summary>
internal static class LoginVerbs
{
    public static IEnumerable<Command> All() => [Login(), Logout(), WhoAmI(), Version()];

    private static Command Login()
    {
        var stdin = new Option<bool>("--token-stdin") { Description = "Read the token from standard input." };
        var command = new Command("login", "Keep the server's address and your token on this machine.") { stdin };
        return Verb.Does(command, async (verb, cancellation) =>
        {
            var place = Cli.Login.Find(verb.Get(Verb.Server), verb.Get(Verb.Authority));
            string? token;
            if (verb.Get(stdin) || Console.IsInputRedirected)
            {
                token = await Console.In.ReadLineAsync(cancellation);
            }
            else
            {
                token = AnsiConsole.Prompt(new TextPrompt<string>($"Token for {Markup.Escape(place.Server.ToString())}:").Secret(null));
            }

            if (string.IsNullOrWhiteSpace(token))
            {
                throw new CommandFailed(ExitCode.Usage, "No token was given.", "Whoever keeps the catalog makes one with: stint token");
            }

            var authority = place.CertificateAuthority is { } file ? Path.GetFullPath(file) : null;
            var login = place with { Token = token.Trim(), CertificateAuthority = authority };
            using var client = new StintClient(login);
            var me = await client.GetAsync("api/v1/whoami", cancellation);
            login.Keep();
            verb.Terminal.Answer(me, () => verb.Terminal.Line($"Logged in at {login.Server} as {me["id"]}. Kept in {Cli.Login.FilePath}."));
            return ExitCode.Ok;
        });
    }

    private static Command Logout() =>
        Verb.Does(new Command("logout", "Forget the kept token on this machine."), (verb, _) =>
        {
            var there = Cli.Login.Forget();
            verb.Terminal.Answer(new JsonObject { ["forgotten"] = there }, () => verb.Terminal.Line(there ? "Forgotten." : "There was nothing to forget."));
            return Task.FromResult(ExitCode.Ok);
        });

    private static Command WhoAmI() =>
        Verb.Asks(new Command("whoami", "Say who the server takes you for."), async (verb, client, cancellation) =>
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
