using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Asking, and seeing what became of it.</summary>
internal static class RequestVerbs
{
    public static IEnumerable<Command> All() => [Roles(), Request(), Status(), Requests(), Cancel(), Approve(), Deny()];

    private static Command Roles()
    {
        var search = new Argument<string?>("SEARCH") { Description = "Part of a name or description.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("ls", "List what you may ask for.") { search };
        return Verb.Shows(command, async (verb, client, cancellation) =>
        {
            var query = verb.Get(search) is { } text ? "?q=" + Uri.EscapeDataString(text) : "";
            var roles = await client.ListAsync("api/v1/roles" + query, 1000, cancellation);
            var bundles = await BundleVerbs.ListAsync(client, verb.Get(search), cancellation);
            if (verb.Terminal.Json)
            {
                verb.Terminal.Answer(new JsonObject { ["items"] = Items(roles), ["bundles"] = Items(bundles) }, () => { });
                return ExitCode.Ok;
            }

            verb.Terminal.AnswerList(
                roles,
                "There is nothing here that you may ask for.",
                ["ROLE", "NEEDS", "UP TO", "TICKET", "RISK", "WHAT"],
                role =>
                [
                    (string)role["role"]!,
                    (string?)role["held"] is { } held ? $"held: {held}" : (string)role["needs"]! switch { "rule" => "nobody", "break_glass" => "an emergency", var needs => needs } + ((bool?)role["statements_required"] == true ? ", for exact statements" : ""),
                    Terminal.Seconds(role["max_seconds"]),
                    (string?)role["ticket_pattern"] ?? "-",
                    (string?)role["risk"] ?? "-",
                    (string?)role["description"] ?? "",
                ]);
            if (bundles.Count > 0)
            {
                verb.Terminal.Line();
                verb.Terminal.AnswerList(
                    bundles,
                    "",
                    ["BUNDLE", "NEEDS", "FOR", "ROLES", "WHAT"],
                    bundle =>
                    [
                        (string)bundle["name"]!,
                        (string)bundle["needs"]! == "rule" ? "nobody" : "approval",
                        bundle["for_seconds"] is null ? "-" : Terminal.Seconds(bundle["for_seconds"]),
                        string.Join(", ", bundle["roles"]!.AsArray().Select(role => (string)role!)) + ((int)bundle["left_out"]! is > 0 and var more ? $" ({more} more not for you)" : ""),
                        (string?)bundle["description"] ?? "",
                    ]);
            }

            return ExitCode.Ok;
        });
    }

    private static Command Request()
    {
        var role = new Argument<string?>("RESOURCE/ROLE") { Description = "What for: a role such as orders-db/read-only, or a bundle by its name.", Arity = ArgumentArity.ZeroOrOne };
        role.CompletionSources.Add(context => Suggest.RolesAndBundles(context));
        var asking = new Asking();
        var again = new Again();
        var wait = new Option<bool>("--wait", "-w") { Description = "Wait for the decision and open at once when it is yes." };
        var timeout = new Option<string?>("--timeout") { Description = "How long to wait at the most.", HelpName = "DURATION" };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would happen." };
        var glass = new Option<bool>("--break-glass") { Description = "It is an emergency: open at once, tell everybody named, and have it reviewed." };
        var command = new Command("request", "Ask for a role at a resource, or for a bundle of roles.") { role, wait, timeout, dry, glass };
        asking.AddTo(command, withStart: true);
        again.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(role) is not { Tokens.Count: > 0 } && !((Option[])[again.Repeat, again.List, again.Forget]).Any(option => result.GetResult(option) is { Implicit: false }))
            {
                result.AddError("'stint request' needs RESOURCE/ROLE, the name of a bundle, or --again.");
            }
        });
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            if (verb.Get(wait) && verb.Get(asking.Every) is not null)
            {
                throw new CommandFailed(ExitCode.Usage, "A series cannot be waited for.", "Leave --wait out; its occurrences open by themselves.");
            }

            var what = verb.Get(role);
            if (await again.KeepAsync(verb, client, what, cancellation) is { } kept)
            {
                return kept;
            }

            var body = await again.BodyAsync(verb, client, what, asking.Body(verb, "", verb.Get(wait), withStart: true), cancellation);
            if (body.ContainsKey("bundle"))
            {
                BundleVerbs.OnlyWhatABundleTakes(body, verb.Get(glass));
                return verb.Get(dry)
                    ? await BundleVerbs.PreviewAsync(verb, client, body, cancellation)
                    : await BundleVerbs.SubmitAsync(verb, client, body, verb.Get(wait), verb.Get(timeout), cancellation);
            }

            if (verb.Get(glass))
            {
                body["break_glass"] = true;
            }

            if (verb.Get(dry))
            {
                body.Remove("wait");
                var preview = await client.PostAsync("api/v1/requests/preview", body, cancellation);
                verb.Terminal.Answer(preview, () => Preview(verb.Terminal, preview));
                return (string?)preview["verdict"]?["outcome"] == "deny" ? ExitCode.Denied : ExitCode.Ok;
            }

            return await SubmitAsync(verb, client, body, verb.Get(wait), verb.Get(timeout), cancellation);
        });
    }

    /// <summary>Asks, waits when told to, shows what came of it.</summary>
    public static async Task<int> SubmitAsync(Verb verb, StintClient client, JsonObject body, bool wait, string? timeout, CancellationToken cancellation)
    {
        var request = await client.PostAsync("api/v1/requests", body, cancellation);
        if (wait)
        {
            var until = timeout is null ? DateTimeOffset.MaxValue : verb.Terminal.Now.AddSeconds(Asking.Duration(timeout));
            request = await Asking.DecidedAsync(verb, client, request, until, cancellation);
            if (request["grant"] is JsonObject grant && grant["start_at"] is null)
            {
                await Asking.OpenedAsync(verb, client, grant, until, cancellation);
                request = await client.GetAsync($"api/v1/requests/{request["id"]}", cancellation);
            }
        }

        verb.Terminal.Answer(request, () => Cards.Request(verb.Terminal, request));
        return (string)request["state"]! switch
        {
            "denied" or "cancelled" or "lapsed" => ExitCode.Denied,
            _ when wait && (string?)request["grant"]?["end_reason"] is not null => ExitCode.Failed,
            _ => ExitCode.Ok,
        };
    }

    private static void Preview(Terminal terminal, JsonObject preview)
    {
        var verdict = preview["verdict"]!.AsObject();
        var rules = string.Join(", ", verdict["decided_by"]!.AsArray().Select(rule => (string)rule!));
        switch ((string)verdict["outcome"]!)
        {
            case "allow":
                terminal.Line($"You would get it at once, by rule {rules}, for {Terminal.Seconds(preview["for_seconds"])}.");
                break;
            case "needs_approval":
                terminal.Line($"It would need approval, by rule {rules}:");
                foreach (var step in Cards.Array(preview, "steps"))
                {
                    terminal.Line($"  {step["need"]} yes from {step["name"]}: {string.Join(", ", step["approvers"]!.AsArray().Select(who => (string)who!))}");
                }

                break;
            default:
                terminal.Line($"You would not get it: {verdict["because"]}");
                Cards.Remedies(terminal, preview);
                break;
        }
    }

    private static Command Status()
    {
        var id = new Argument<string?>("ID") { Description = "A request, a bundle's asking, a grant or a session; else an overview.", Arity = ArgumentArity.ZeroOrOne };
        id.CompletionSources.Add(context => Suggest.Ids(context, "api/v1/requests"));
        var command = new Command("status", "Show what you have, what waits, and what is wrong.") { id };
        return Verb.Shows(command, async (verb, client, cancellation) =>
        {
            var terminal = verb.Terminal;
            if (verb.Get(id) is { } one)
            {
                var (path, card) = Kind(one);
                var found = await client.GetAsync(path, cancellation);
                terminal.Answer(found, () => card(terminal, found));
                return ExitCode.Ok;
            }

            var grants = client.ListAsync("api/v1/grants?mine=true&state=ready,opening,open,closing", 200, cancellation);
            var pending = client.ListAsync("api/v1/requests?mine=true&state=pending", 200, cancellation);
            var awaiting = client.ListAsync("api/v1/requests?awaiting_me=true&state=pending", 200, cancellation);
            var series = client.ListAsync("api/v1/requests?mine=true&running=true", 200, cancellation);
            var status = client.GetAsync("api/v1/status", cancellation);
            await Task.WhenAll(grants, pending, awaiting, series, status);
            var all = new JsonObject
            {
                ["grants"] = Items(await grants),
                ["pending"] = Items(await pending),
                ["awaiting_me"] = Items(await awaiting),
                ["series"] = Items(await series),
                ["bundles"] = await BundleVerbs.OfAsync(client, (await pending).Concat(await awaiting), cancellation),
                ["broken_glass"] = (await status)["broken_glass"]?.DeepClone(),
                ["reviews"] = (await status)["reviews"]?.DeepClone(),
                ["server"] = (await status).DeepClone(),
            };
            terminal.Answer(all, () => Overview(terminal, all));
            return ExitCode.Ok;
        });
    }

    private static void Overview(Terminal terminal, JsonObject all)
    {
        var nothing = true;
        foreach (var grant in Cards.Array(all, "grants"))
        {
            Cards.Grant(terminal, grant);
            nothing = false;
        }

        foreach (var (request, card) in Told(all, "pending"))
        {
            card(terminal, request);
            nothing = false;
        }

        foreach (var series in Cards.Array(all, "series"))
        {
            Cards.Request(terminal, series);
            nothing = false;
        }

        foreach (var (request, card) in Told(all, "awaiting_me"))
        {
            terminal.Line("Waits for your answer:");
            card(terminal, request);
            terminal.Line($"  answer    stint approve {request["id"]}   or   stint deny {request["id"]} --comment '…'");
            nothing = false;
        }

        if (all["server"]?["own_review"] is JsonObject own)
        {
            terminal.Line("Your break-glass is under review, and you break no further glass until it is closed:");
            ReviewVerbs.Card(terminal, own);
            nothing = false;
        }

        foreach (var review in Cards.Array(all, "reviews"))
        {
            terminal.Line("Waits for your review:");
            ReviewVerbs.Card(terminal, review);
            terminal.Line($"  answer    stint review {review["id"]} --accept --comment '…'   or   --concern");
            nothing = false;
        }

        if (nothing)
        {
            terminal.Line("You hold nothing, ask for nothing, and nobody waits for you. 'stint ls' shows what you may ask for.");
        }

        foreach (var stuck in Cards.Array(all["server"] as JsonObject, "stuck"))
        {
            terminal.Verdict(false, $"Stuck removal: {stuck["subject"]} at {stuck["role"]} since {terminal.When(stuck["since"])}: {stuck["trouble"]}");
        }

        foreach (var problem in (all["server"]?["problems"] as JsonArray ?? []).Select(node => (string)node!))
        {
            terminal.Verdict(false, problem);
        }
    }

    /// <summary>The requests of a list; those of one bundle together, where the first of them stands.</summary>
    private static IEnumerable<(JsonObject What, Action<Terminal, JsonObject> Card)> Told(JsonObject all, string list)
    {
        var bundles = Cards.Array(all, "bundles").ToDictionary(bundle => (string)bundle["id"]!, StringComparer.Ordinal);
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var request in Cards.Array(all, list))
        {
            if ((string?)request["bundle"] is not { } id || !bundles.TryGetValue(id, out var bundle))
            {
                yield return (request, Cards.Request);
            }
            else if (told.Add(id))
            {
                yield return (bundle, BundleCards.Asking);
            }
        }
    }

    private static Command Requests()
    {
        var state = new Option<string?>("--state") { Description = "pending, approved, denied, cancelled or lapsed." };
        var person = new Option<string?>("--person") { Description = "Whose; else everybody's that you may see." };
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 50 };
        var command = new Command("requests", "List requests, the newest first.") { state, person, most };
        return Verb.Shows(command, async (verb, client, cancellation) =>
        {
            var items = await client.ListAsync("api/v1/requests" + Query(("state", verb.Get(state)), ("subject", verb.Get(person))), verb.Get(most), cancellation);
            verb.Terminal.AnswerList(
                items,
                "No requests.",
                ["ID", "WHO", "ROLE", "FOR", "STATE", "ASKED", "WHY"],
                item =>
                [
                    (string)item["id"]!, (string)item["subject"]!, (string)item["role"]!, Terminal.Seconds(item["for_seconds"]),
                    (string)item["state"]! + Cards.Glass(item), verb.Terminal.When(item["asked_at"]), (string?)item["reason"] ?? "",
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command Cancel()
    {
        var id = Id("api/v1/requests?mine=true&state=pending");
        var open = new Option<bool>("--open") { Description = "Of a series: end the occurrence that is open now, too." };
        var comment = new Option<string?>("--comment", "-m") { Description = "Why; needed to end somebody else's series.", HelpName = "TEXT" };
        var command = new Command("cancel", "Take a request back before it is decided, or what is to come of a series.") { id, open, comment };
        command.Aliases.Add("withdraw");
        return Verb.Asks(command, (verb, client, cancellation) =>
        {
            var body = new JsonObject();
            if (verb.Get(open))
            {
                body["open"] = true;
            }

            if (verb.Get(comment) is { } why)
            {
                body["comment"] = why;
            }

            return ActAsync(verb, client, BundleVerbs.Path(verb.Get(id)) + "/cancel", body, cancellation);
        });
    }

    private static Command Approve()
    {
        var id = Id("api/v1/requests?awaiting_me=true&state=pending");
        var length = new Option<string?>("--for") { Description = "Shorten it to this.", HelpName = "DURATION" };
        var comment = new Option<string?>("--comment", "-m") { Description = "A word to the requester.", HelpName = "TEXT" };
        var place = ApprovalVerbs.InPlaceOf();
        var command = new Command("approve", "Say yes to a request.") { id, length, comment, place };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            // What is approved is what is shown: the server refuses a yes to anything else.
            var seen = await client.GetAsync(BundleVerbs.Path(verb.Get(id)), cancellation);
            Exact.Show(verb.Terminal.Aside, seen);
            if (Cards.Array(seen, "steps").Any(step => (string?)step["step_up"] == "passkey") && (string?)seen["state"] == "pending" && seen["you"]?["may_answer"]?.GetValue<bool>() == true)
            {
                throw new CommandFailed(ExitCode.Conflict, "The policy wants your yes signed with your passkey.", $"Open {client.Page($"/approve/{seen["id"]}")}");
            }

            var body = new JsonObject { ["saw_digest"] = (string?)seen["digest"] };
            if (verb.Get(length) is { } shorter)
            {
                body["for_seconds"] = Asking.Duration(shorter);
            }

            if (verb.Get(comment) is { } words)
            {
                body["comment"] = words;
            }

            if (verb.Get(place) is { } absent)
            {
                body["in_place_of"] = absent;
            }

            return await ActAsync(verb, client, BundleVerbs.Path(verb.Get(id)) + "/approve", body, cancellation);
        });
    }

    private static Command Deny()
    {
        var id = Id("api/v1/requests?awaiting_me=true&state=pending");
        var comment = new Option<string>("--comment", "--reason", "-m") { Description = "Why not; the requester reads it.", HelpName = "TEXT", Required = true };
        var place = ApprovalVerbs.InPlaceOf();
        var command = new Command("deny", "Say no to a request; one no ends it.") { id, comment, place };
        return Verb.Asks(command, (verb, client, cancellation) =>
        {
            var body = new JsonObject { ["comment"] = verb.Get(comment) };
            if (verb.Get(place) is { } absent)
            {
                body["in_place_of"] = absent;
            }

            return ActAsync(verb, client, BundleVerbs.Path(verb.Get(id)) + "/deny", body, cancellation);
        });
    }

    public static async Task<int> ActAsync(Verb verb, StintClient client, string path, JsonObject body, CancellationToken cancellation)
    {
        var answer = await client.PostAsync(path, body, cancellation);
        verb.Terminal.Answer(answer, () =>
        {
            if (answer.ContainsKey("roles"))
            {
                BundleCards.Asking(verb.Terminal, answer);
            }
            else if (answer.ContainsKey("asked_at"))
            {
                Cards.Request(verb.Terminal, answer);
            }
            else
            {
                Cards.Grant(verb.Terminal, answer);
            }
        });
        return ExitCode.Ok;
    }

    public static Argument<string> RoleArgument()
    {
        var role = new Argument<string>("RESOURCE/ROLE") { Description = "What for, such as orders-db/read-only." };
        role.CompletionSources.Add(context => Suggest.Roles(context));
        return role;
    }

    public static Argument<string> Id(string path)
    {
        var id = new Argument<string>("REQUEST") { Description = "The request, or a bundle's asking." };
        id.CompletionSources.Add(context => Suggest.Ids(context, path));
        return id;
    }

    public static string Query(params (string Name, string? Value)[] parts)
    {
        var given = parts.Where(part => part.Value is not null).Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}").ToList();
        return given.Count == 0 ? "" : "?" + string.Join('&', given);
    }

    private static (string Path, Action<Terminal, JsonObject> Card) Kind(string id) => id switch
    {
        _ when id.StartsWith("req-", StringComparison.Ordinal) => (BundleVerbs.Path(id), Cards.Request),
        _ when id.StartsWith("bu-", StringComparison.Ordinal) => (BundleVerbs.Path(id), BundleCards.Asking),
        _ when id.StartsWith("gr-", StringComparison.Ordinal) => ($"api/v1/grants/{Uri.EscapeDataString(id)}", Cards.Grant),
        _ when id.StartsWith("ses-", StringComparison.Ordinal) => ($"api/v1/sessions/{Uri.EscapeDataString(id)}", Cards.Session),
        _ when id.StartsWith("rv-", StringComparison.Ordinal) => ($"api/v1/reviews/{Uri.EscapeDataString(id)}", ReviewVerbs.Card),
        _ => throw new CommandFailed(ExitCode.Usage, $"'{id}' is not the name of a request, a bundle's asking, a grant, a session or a review.", "They begin with req-, bu-, gr-, ses- and rv-."),
    };

    private static JsonArray Items(List<JsonObject> items) => [.. items.Select(item => item.DeepClone())];
}
