using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;
using Stint.Core.Requests;

namespace Stint.Cli;

/// <summary>Emergencies: breaking the glass, codes for the day on which nothing else lets in, and saying that one saw it.</summary>
internal static class BreakGlassVerbs
{
    public static IEnumerable<Command> All() => [BreakGlass()];

    private static Command BreakGlass()
    {
        var role = new Argument<string?>("RESOURCE/ROLE") { Description = "What for, such as orders-db/owner.", Arity = ArgumentArity.ZeroOrOne };
        role.CompletionSources.Add(context => Suggest.Roles(context));
        var asking = new Asking();
        var command = new Command("break-glass", "Open a role at once in an emergency: everybody named is told, and it is reviewed.") { role, Codes(), Login(), Seen() };
        asking.AddTo(command, withStart: false);
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            if (verb.Get(role) is not { } named)
            {
                throw new CommandFailed(ExitCode.Usage, "'stint break-glass' needs RESOURCE/ROLE, or one of: codes, login, seen.", "See: stint break-glass --help");
            }

            var body = asking.Body(verb, named, wait: true, withStart: false);
            body["break_glass"] = true;
            return await RequestVerbs.SubmitAsync(verb, client, body, wait: true, timeout: null, cancellation);
        });
    }

    private static Command Codes()
    {
        var count = new Option<int>("--count") { Description = "How many, 1 to 20.", DefaultValueFactory = _ => 10 };
        return Verb.Asks(new Command("codes", "Make one-time codes to keep on paper; those before are void.") { count }, async (verb, client, cancellation) =>
        {
            var made = await client.PostAsync("api/v1/break-glass/codes", new JsonObject { ["count"] = verb.Get(count) }, cancellation);
            verb.Terminal.Answer(made, () =>
            {
                foreach (var code in made["codes"]!.AsArray())
                {
                    Console.Out.WriteLine((string)code!);
                }

                verb.Terminal.Aside($"Shown this once; print them and lock them away. Each works once, with: stint break-glass login --as YOUR-NAME");
                if ((int?)made["voided"] is > 0 and var voided)
                {
                    verb.Terminal.Aside($"{Cards.Count(voided, "older code")} void now.");
                }
            });
            return ExitCode.Ok;
        });
    }

    private static Command Login()
    {
        var person = new Option<string>("--as") { Description = "Your name.", HelpName = "PERSON", Required = true };
        return Verb.Does(new Command("login", "Come in with a one-time code: for an hour, and for break-glass alone.") { person }, async (verb, cancellation) =>
        {
            var place = Cli.Login.Find(verb.Get(Verb.Server), verb.Get(Verb.Authority)) with { Token = null, Kept = null };

            // NB. Never an argument: a list of processes and the shell's history would keep it.
            var code = Console.IsInputRedirected
                ? await Console.In.ReadLineAsync(cancellation)
                : AnsiConsole.Prompt(new TextPrompt<string>("Code:"));
            if (BreakGlassCode.Read(code) is null)
            {
                throw new CommandFailed(ExitCode.Usage, "That is not a code: a letter is missing, or one was mistyped.", "It has six groups of five letters; capitals, spaces and dashes do not matter. Nothing was sent.");
            }

            using var client = new StintClient(place);
            var let = await client.PostAsync("api/v1/break-glass/login", new JsonObject { ["person"] = verb.Get(person), ["code"] = code }, cancellation);
            var authority = place.CertificateAuthority is { } file ? Path.GetFullPath(file) : null;
            (place with { Token = (string)let["token"]!, CertificateAuthority = authority }).Keep();
            let.Remove("token");
            verb.Terminal.Answer(let, () =>
            {
                verb.Terminal.Line($"You are in as {let["person"]} until {verb.Terminal.When(let["expires_at"])}, for break-glass alone. {Cards.Count((int)let["codes_left"]!, "code")} left.");
                verb.Terminal.Line("  open      stint break-glass RESOURCE/ROLE --reason '…'   then   stint connect RESOURCE");
            });
            return ExitCode.Ok;
        });
    }

    private static Command Seen()
    {
        var id = new Argument<string?>("REVIEW") { Description = "The review; else all that you were told of.", Arity = ArgumentArity.ZeroOrOne };
        id.CompletionSources.Add(context => Suggest.Ids(context, "api/v1/reviews?unseen=true"));
        return Verb.Asks(new Command("seen", "Say that you saw that the glass was broken, so that you are told no longer.") { id }, async (verb, client, cancellation) =>
        {
            List<string> which = verb.Get(id) is { } one ? [one] : [.. (await client.ListAsync("api/v1/reviews?unseen=true", 200, cancellation)).Select(review => (string)review["id"]!)];
            var items = new JsonArray();
            foreach (var review in which)
            {
                items.Add((await client.PostAsync($"api/v1/reviews/{Uri.EscapeDataString(review)}/seen", [], cancellation)).DeepClone());
            }

            verb.Terminal.Answer(new JsonObject { ["items"] = items }, () => verb.Terminal.Line(which.Count == 0 ? "There was nothing that you had not seen." : $"Seen: {string.Join(", ", which)}."));
            return ExitCode.Ok;
        });
    }
}
