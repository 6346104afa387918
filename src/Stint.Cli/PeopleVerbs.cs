using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>People who leave.</summary>
internal static class PeopleVerbs
{
    public static IEnumerable<Command> All() => [Offboard(), People(), Invite(), Account()];

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

    private static Command People()
    {
        var person = new Argument<string>("PERSON") { Description = "Who left." };
        var to = new Argument<string>("TO") { Description = "Who takes over." };
        var patch = new Option<bool>("--patch") { Description = "Only print the change of the catalog that puts them in their places, as a diff." };
        var propose = new Option<bool>("--propose") { Description = "Plan that change, and apply it, or propose it where somebody's yes is needed." };
        var yes = new Option<bool>("--yes", "-y") { Description = "With --propose: ask nothing." };
        var handOver = new Command("hand-over", "Hand over what waits for somebody who left; for admins.") { person, to, patch, propose, yes };
        return new Command("people", "People who leave.")
        {
            Pull(),
            Verb.Asks(handOver, async (verb, client, cancellation) =>
            {
                var path = $"api/v1/people/{Uri.EscapeDataString(verb.Get(person))}/hand-over";
                if (!verb.Get(patch) && !verb.Get(propose))
                {
                    var handed = await client.PostAsync(path, new JsonObject { ["to"] = verb.Get(to) }, cancellation);
                    verb.Terminal.Answer(handed, () => Handed(verb.Terminal, handed, verb.Get(to)));
                    return Left(handed) ? ExitCode.Differs : ExitCode.Ok;
                }

                var change = await client.GetAsync($"{path}{RequestVerbs.Query(("to", verb.Get(to)))}", cancellation);
                foreach (var place in Cards.Array(change, "left"))
                {
                    verb.Terminal.Aside($"{place["file"]}:{place["line"]}: {verb.Get(person)} {place["what"]}; look at it yourself.");
                }

                if (change["problems"]!.AsArray() is { Count: > 0 })
                {
                    throw new CommandFailed(ExitCode.Failed, $"The changed catalog does not load: {change["problems"]![0]}", "Change it by hand.", change);
                }

                if (verb.Get(propose) && ((string)change["diff"]!).Length > 0)
                {
                    return await CatalogPlanVerbs.ApplyAsync(
                        verb, client, new JsonObject { ["files"] = change["files"]!.DeepClone() }, $"hand over from {verb.Get(person)} to {verb.Get(to)}", verb.Get(yes), cancellation);
                }

                verb.Terminal.Answer(change, () => Console.Out.Write((string)change["diff"]!));
                return ExitCode.Ok;
            }),
        };
    }

    private static Command Pull()
    {
        var confirm = new Option<string?>("--confirm") { Description = "Confirm that they have all left, as the mark names them; for admins.", HelpName = "MARK" };
        var command = new Command("pull", "Show how the asking of the directory stands, and who leaves by it where those are too many at once.") { confirm };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var pull = verb.Get(confirm) is { } mark
                ? await client.PostAsync("api/v1/people/pull/confirm", new JsonObject { ["mark"] = mark }, cancellation)
                : await client.GetAsync("api/v1/people/pull", cancellation);
            var waits = pull["mark"] is not null && pull["confirmed"]?.GetValue<bool>() != true;
            verb.Terminal.Answer(pull, () =>
            {
                verb.Terminal.Line(pull["good_at"] is null ? "Nothing was taken over from the directory yet." : $"What the directory told was taken over last {verb.Terminal.When(pull["good_at"])}.");
                if ((string?)pull["mark"] is not { } named)
                {
                    if ((string?)pull["trouble"] is { } trouble)
                    {
                        verb.Terminal.Line($"  trouble   {trouble}");
                    }

                    return;
                }

                var people = pull["people"]!.AsArray().Select(one => (string)one!).ToList();
                verb.Terminal.Line($"It tells that {pull["leaving"]} of {pull["of"]} people leave or lose a group at once:");
                verb.Terminal.Line($"  people    {string.Join(", ", people)}{((long)pull["leaving"]! > people.Count ? ", and others" : "")}");
                verb.Terminal.Line(waits ? $"Nothing of it is taken over until it tells otherwise, or an admin confirms these: stint people pull --confirm {named}" : "Confirmed: the next look that tells the same is taken over.");
            });
            return waits ? ExitCode.Differs : ExitCode.Ok;
        });
    }

    private static Command Offboard()
    {
        var person = new Argument<string>("PERSON") { Description = "Who leaves." };
        var reason = new Option<string>("--reason", "--comment", "-m") { Description = "Why; it stands in the log.", HelpName = "TEXT", Required = true };
        var to = new Option<string?>("--hand-over-to") { Description = "Who answers and reviews from now on what they were to.", HelpName = "PERSON" };
        var undo = new Option<bool>("--undo") { Description = "Take it back: catalog and directory say again who they are." };
        var command = new Command("offboard", "Send somebody away at once, whatever the catalog and the directory say; for admins.") { person, reason, to, undo };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var back = verb.Get(undo);
            if (back && verb.Get(to) is not null)
            {
                throw new CommandFailed(ExitCode.Usage, "Whoever is taken back hands nothing over.", "Leave --hand-over-to out.");
            }

            var body = new JsonObject { ["reason"] = verb.Get(reason) };
            if (verb.Get(to) is { } heir)
            {
                body["hand_over_to"] = heir;
            }

            var answer = await client.PostAsync($"api/v1/people/{Uri.EscapeDataString(verb.Get(person))}/{(back ? "restore" : "offboard")}", body, cancellation);
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
        Handed(terminal, answer, null);
        foreach (var one in Cards.Array(answer, "remains"))
        {
            var others = string.Join(", ", one["others"]!.AsArray().Select(other => (string)other!));
            terminal.Line($"  remains   {Said((string)one["kind"]!, (string)one["name"]!)}{((string)one["kind"]! == "report" ? "" : others.Length > 0 ? $"; besides them {others}" : "; NOBODY ELSE")}");
        }
    }

    private static void Handed(Terminal terminal, JsonObject answer, string? to)
    {
        var all = Cards.Array(answer, "handed").ToList();
        foreach (var one in all)
        {
            terminal.Line((string?)one["why_not"] is { } why ? $"  NOT handed over: {one["name"]}, for {why}" : $"  handed    {one["name"]}, to {to ?? "whom you named"}");
        }

        if (all.Count == 0 && to is not null)
        {
            terminal.Line($"Nothing waits for {answer["person"]}. What stands in the catalog: stint people hand-over {answer["person"]} {to} --patch");
        }
    }

    private static bool Left(JsonObject answer) => Cards.Array(answer, "handed").Any(one => one["why_not"] is not null);

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
