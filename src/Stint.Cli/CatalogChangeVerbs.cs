using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Changes of the catalog that wait for somebody's yes.</summary>
internal static class CatalogChangeVerbs
{
    public static IEnumerable<Command> All() => [List(), Approve(), Deny(), Withdraw()];

    private static Command List()
    {
        var id = new Argument<string?>("CHANGE") { Description = "One change, with what it changes; else those that wait.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Those that are decided as well." };
        return Verb.Asks(new Command("changes", "Changes of the catalog that wait for somebody's yes.") { id, all }, async (verb, client, cancellation) =>
        {
            if (verb.Get(id) is { } one)
            {
                var change = await client.GetAsync($"api/v1/catalog/changes/{Uri.EscapeDataString(one)}", cancellation);
                verb.Terminal.Answer(change, () => CatalogCards.Change(verb.Terminal, change));
                return ExitCode.Ok;
            }

            verb.Terminal.AnswerList(
                await client.ListAsync("api/v1/catalog/changes" + (verb.Get(all) ? "" : "?state=pending"), 200, cancellation),
                "No change waits.",
                ["ID", "STATE", "PROPOSED BY", "WHEN", "TO", "NEEDS"],
                item =>
                [
                    (string)item["id"]!, (string)item["state"]!, (string)item["proposed_by"]!, verb.Terminal.When(item["proposed_at"]), ((string)item["target"]!)[..12],
                    string.Join(", ", Cards.Array(item, "steps").Where(step => (int)step["missing"]! > 0).Select(step => $"{step["missing"]} of {step["name"]}")) is { Length: > 0 } needs ? needs : (string?)item["why"] ?? "-",
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command Approve()
    {
        var id = Id();
        var comment = new Option<string?>("--comment", "-m") { Description = "A word to whoever proposed it.", HelpName = "TEXT" };
        var saw = new Option<string?>("--digest") { Description = "The digest of what you looked at; else what is proposed now is shown and asked about.", HelpName = "SHA256" };
        var yes = CatalogPlanVerbs.Yes();
        return Verb.Asks(new Command("approve", "Say yes to a change of the catalog.") { id, comment, saw, yes }, async (verb, client, cancellation) =>
        {
            var path = $"api/v1/catalog/changes/{Uri.EscapeDataString(verb.Get(id))}";
            var digest = verb.Get(saw);
            if (digest is null)
            {
                // What is approved is what is shown: the server refuses a yes to anything else.
                var seen = await client.GetAsync(path, cancellation);
                if ((string?)seen["state"] == "pending" && Cards.Array(seen, "steps").Any(step => (string?)step["step_up"] == "passkey"))
                {
                    throw new CommandFailed(ExitCode.Conflict, "The catalog wants your yes signed with your passkey.", $"Open {client.Page($"/catalog/changes/{seen["id"]}")}");
                }

                digest = (string)seen["digest"]!;
                if (!verb.Terminal.Json)
                {
                    CatalogCards.Change(verb.Terminal, seen);
                    if (!verb.Get(yes) && Terminal.CanAsk && !Spectre.Console.AnsiConsole.Confirm("Say yes to this?", defaultValue: false))
                    {
                        throw new CommandFailed(ExitCode.Failed, "Nothing was answered.");
                    }
                }
            }

            var body = new JsonObject { ["saw_digest"] = digest, ["comment"] = verb.Get(comment) };
            return Answered(verb, await client.PostAsync(path + "/approve", body, cancellation));
        });
    }

    private static Command Deny()
    {
        var id = Id();
        var comment = new Option<string>("--comment", "--reason", "-m") { Description = "Why not; whoever proposed it reads it.", HelpName = "TEXT", Required = true };
        return Verb.Asks(new Command("deny", "Say no to a change of the catalog; one no ends it.") { id, comment }, async (verb, client, cancellation) =>
            Answered(verb, await client.PostAsync($"api/v1/catalog/changes/{Uri.EscapeDataString(verb.Get(id))}/deny", new JsonObject { ["comment"] = verb.Get(comment) }, cancellation)));
    }

    private static Command Withdraw()
    {
        var id = Id();
        return Verb.Asks(new Command("withdraw", "Take a change of the catalog back.") { id }, async (verb, client, cancellation) =>
            Answered(verb, await client.PostAsync($"api/v1/catalog/changes/{Uri.EscapeDataString(verb.Get(id))}/withdraw", [], cancellation)));
    }

    private static int Answered(Verb verb, JsonObject change)
    {
        verb.Terminal.Answer(change, () => CatalogCards.Change(verb.Terminal, change));
        return ExitCode.Ok;
    }

    private static Argument<string> Id() => new("CHANGE") { Description = "The change, chg-…" };
}
