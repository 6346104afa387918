using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>People who leave.</summary>
internal static class PeopleVerbs
{
    public static IEnumerable<Command> All() => [Offboard(), Invite(), Account()];

    private static Command Invite()
    {
        var person = new Argument<string>("PERSON") { Description = "Who has no way to sign in here yet." };
        var command = new Command("invite", "Make a one-time link with which somebody makes what they sign in with; for admins.") { person };
        return Verb.Asks(command, (verb, client, cancellation) => LinkAsync(verb, client, verb.Get(person), "invite", cancellation));
    }

    private static Command Account()
    {
        var person = new Argument<string>("PERSON") { Description = "Who lost everything that let them in." };
        var reset = new Command("reset", "Void everything that lets somebody in here, sign them out everywhere, and make a one-time link for a new beginning; for admins.") { person };
        return new Command("account", "What people sign in with here.") { Verb.Asks(reset, (verb, client, cancellation) => LinkAsync(verb, client, verb.Get(person), "reset-account", cancellation)) };
    }

    private static async Task<int> LinkAsync(Verb verb, StintClient client, string person, string what, CancellationToken cancellation)
    {
        var made = await client.PostAsync($"api/v1/people/{Uri.EscapeDataString(person)}/{what}", [], cancellation);
        verb.Terminal.Answer(made, () =>
        {
            verb.Terminal.Line((string)made["link"]!);
            verb.Terminal.Aside($"For {made["person"]} alone: once, until {verb.Terminal.When(made["expires_at"])}. Shown this once; hand it over where nobody else reads it.");
        });
        return ExitCode.Ok;
    }

    private static Command Offboard()
    {
        var person = new Argument<string>("PERSON") { Description = "Who leaves." };
        var reason = new Option<string>("--reason", "--comment", "-m") { Description = "Why; it stands in the log.", HelpName = "TEXT", Required = true };
        var undo = new Option<bool>("--undo") { Description = "Take it back: catalog and directory say again who they are." };
        var command = new Command("offboard", "Send somebody away at once, whatever the catalog and the directory say; for admins.") { person, reason, undo };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var back = verb.Get(undo);
            var answer = await client.PostAsync(
                $"api/v1/people/{Uri.EscapeDataString(verb.Get(person))}/{(back ? "restore" : "offboard")}", new JsonObject { ["reason"] = verb.Get(reason) }, cancellation);
            verb.Terminal.Answer(answer, () => Card(verb.Terminal, answer, back));
            return ExitCode.Ok;
        });
    }

    private static void Card(Terminal terminal, JsonObject answer, bool back)
    {
        if (back)
        {
            terminal.Line($"{answer["person"]} is back; away since {terminal.When(answer["since"])}. What ended stays ended.");
            return;
        }

        terminal.Line($"{answer["person"]} is gone: {answer["reason"]}");
        Ended(terminal, answer, "requests", "cancelled");
        Ended(terminal, answer, "grants", "ended");
        Ended(terminal, answer, "delegations", "ended");
        foreach (var one in Cards.Array(answer, "remains"))
        {
            var others = string.Join(", ", one["others"]!.AsArray().Select(other => (string)other!));
            terminal.Line($"  remains   {Said((string)one["kind"]!, (string)one["name"]!)}{((string)one["kind"]! == "report" ? "" : others.Length > 0 ? $"; besides them {others}" : "; NOBODY ELSE")}");
        }
    }

    private static void Ended(Terminal terminal, JsonObject answer, string what, string how)
    {
        if (answer[what]!.AsArray() is { Count: > 0 } ids)
        {
            terminal.Line($"  {how,-9} {string.Join(", ", ids.Select(id => (string)id!))}");
        }
    }

    private static string Said(string kind, string name) => kind switch
    {
        "admin" => "is an admin",
        "resource" => $"owns {name}",
        "on_call" => $"is in the rota {name}",
        "report" => $"is the manager of {name}",
        "review" => $"was to review {name}",
        "approval" => $"was to answer {name}",
        _ => $"{kind} {name}",
    };
}
