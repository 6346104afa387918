using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Beginning, handing back, extending, taking away.</summary>
internal static class GrantVerbs
{
    public static IEnumerable<Command> All() => [Grants(), Begin(), End(), Extend(), Revoke()];

    private static Command Grants()
    {
        var state = new Option<string?>("--state") { Description = "ready, opening, open, closing or closed; several with commas." };
        state.CompletionSources.Add("ready", "opening", "open", "closing", "closed");
        var person = new Option<string?>("--person") { Description = "Whose; else everybody's that you may see." };
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 50 };
        var command = new Command("grants", "List grants, the newest first.") { state, person, most };
        return Verb.Shows(command, async (verb, client, cancellation) =>
        {
            var items = await client.ListAsync("api/v1/grants" + RequestVerbs.Query(("state", verb.Get(state)), ("subject", verb.Get(person))), verb.Get(most), cancellation);
            verb.Terminal.AnswerList(
                items,
                "No grants.",
                ["ID", "WHO", "ROLE", "STATE", "REQUEST"],
                item => [(string)item["id"]!, (string)item["subject"]!, (string)item["role"]!, Cards.GrantState(verb.Terminal, item), (string)item["request"]!]);
            return ExitCode.Ok;
        });
    }

    private static Command Begin()
    {
        var which = Which();
        var command = new Command("begin", "Open an approved grant now; its time starts.") { which };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var grant = await FindAsync(client, verb.Get(which), ["ready", "opening"], cancellation);
            grant = await client.PostAsync($"api/v1/grants/{grant["id"]}/begin", [], cancellation);
            grant = await Asking.OpenedAsync(verb, client, grant, verb.Terminal.Now.AddMinutes(3), cancellation);
            verb.Terminal.Answer(grant, () => Cards.Grant(verb.Terminal, grant));
            return (string)grant["state"]! == "open" ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    private static Command End()
    {
        var which = Which();
        var command = new Command("end", "Hand back what you hold, before its time is over.") { which };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var grant = await FindAsync(client, verb.Get(which), ["ready", "opening", "open"], cancellation);
            return await RequestVerbs.ActAsync(verb, client, $"api/v1/grants/{grant["id"]}/end", [], cancellation);
        });
    }

    private static Command Extend()
    {
        var which = Which();
        var asking = new Asking();
        var wait = new Option<bool>("--wait", "-w") { Description = "Wait for the decision." };
        var timeout = new Option<string?>("--timeout") { Description = "How long to wait at the most.", HelpName = "DURATION" };
        var command = new Command("extend", "Ask for more time; joins what you hold, and live sessions go on.") { which, wait, timeout };
        asking.AddTo(command, withStart: false);
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var grant = await FindAsync(client, verb.Get(which), ["opening", "open"], cancellation);
            var body = asking.Body(verb, (string)grant["role"]!, wait: true, withStart: false);
            body["extends"] = (string)grant["id"]!;
            if (!body.ContainsKey("authorization_details") && grant["authorization_details"] is { } details)
            {
                // More of what is for exact statements is for the same.
                body["authorization_details"] = details.DeepClone();
            }

            return await RequestVerbs.SubmitAsync(verb, client, body, verb.Get(wait), verb.Get(timeout), cancellation);
        });
    }

    private static Command Revoke()
    {
        var id = new Argument<string>("GRANT") { Description = "The grant." };
        id.CompletionSources.Add(context => Suggest.Ids(context, "api/v1/grants?state=ready,opening,open"));
        var comment = new Option<string>("--comment", "--reason", "-m") { Description = "Why; its holder reads it.", HelpName = "TEXT", Required = true };
        var gone = new Option<bool>("--target-gone") { Description = "The system itself is gone for good: close without reaching it." };
        var command = new Command("revoke", "Take a grant away; its sessions end at once.") { id, comment, gone };
        return Verb.Asks(command, (verb, client, cancellation) =>
        {
            var body = new JsonObject { ["comment"] = verb.Get(comment) };
            if (verb.Get(gone))
            {
                body["target_gone"] = true;
            }

            return RequestVerbs.ActAsync(verb, client, $"api/v1/grants/{Uri.EscapeDataString(verb.Get(id))}/revoke", body, cancellation);
        });
    }

    public static Argument<string> Which()
    {
        var which = new Argument<string>("GRANT") { Description = "A grant's name, or RESOURCE/ROLE, or RESOURCE." };
        which.CompletionSources.Add(context => Suggest.Grants(context));
        return which;
    }

    /// <summary>My grant of that name, role or resource in one of those states; the one that reaches furthest when there are several.</summary>
    public static async Task<JsonObject> FindAsync(StintClient client, string which, string[] states, CancellationToken cancellation)
    {
        if (which.StartsWith("gr-", StringComparison.Ordinal))
        {
            return await client.GetAsync($"api/v1/grants/{Uri.EscapeDataString(which)}", cancellation);
        }

        var held = await client.ListAsync($"api/v1/grants?mine=true&state={string.Join(',', states)}", 1000, cancellation);
        var matching = held.Where(grant => (string)grant["role"]! == which || (string)grant["resource"]! == which).ToList();
        var roles = matching.Select(grant => (string)grant["role"]!).Distinct().ToList();
        return roles.Count switch
        {
            0 => throw new CommandFailed(ExitCode.NotFound, $"You hold nothing at {which}.", $"Ask for it: stint request {(which.Contains('/', StringComparison.Ordinal) ? which : which + "/ROLE")}"),
            1 => matching.OrderByDescending(grant => (string)grant["state"]! == "open").ThenByDescending(grant => (string?)grant["not_after"], StringComparer.Ordinal).First(),
            _ => throw new CommandFailed(ExitCode.Usage, $"You hold several roles at {which}: {string.Join(", ", roles)}.", "Name the role as well."),
        };
    }
}
