using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>People who leave.</summary>
internal static class PeopleVerbs
{
    public static IEnumerable<Command> All() => [Offboard()];

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
