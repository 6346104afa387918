using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Who is connected, what they did, and ending it.</summary>
internal static class SessionVerbs
{
    public static Command All()
    {
        var all = List(new Command("sessions", "See sessions and their statements; follow or end a live one."));
        foreach (var verb in (Command[])[List(new Command("list", "List sessions, the newest first.")), Show(), Follow(), Kill(), Search()])
        {
            all.Add(verb);
        }

        return all;
    }

    private static Command List(Command command)
    {
        var live = new Option<bool>("--live") { Description = "Only those that run now." };
        var person = new Option<string?>("--person") { Description = "Whose." };
        var resource = new Option<string?>("--resource") { Description = "At which resource." };
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 50 };
        foreach (var option in (Option[])[live, person, resource, most])
        {
            command.Add(option);
        }

        return Verb.Shows(command, async (verb, client, cancellation) =>
        {
            var path = "api/v1/sessions" + RequestVerbs.Query(("live", verb.Get(live) ? "true" : null), ("subject", verb.Get(person)), ("resource", verb.Get(resource)));
            var items = await client.ListAsync(path, verb.Get(most), cancellation);
            verb.Terminal.AnswerList(
                items,
                "No sessions.",
                ["ID", "WHO", "ROLE", "STATE", "BEGAN", "STATEMENTS", "WITH"],
                item =>
                [
                    (string)item["id"]!, (string)item["subject"]!, (string)item["role"]!,
                    ((string)item["state"]! == "live" ? "live" : $"ended, {((string?)item["end_reason"])?.Replace('_', ' ')}") + Cards.Glass(item),
                    verb.Terminal.When(item["started_at"]), item["statements"]?.ToString() ?? "-", (string?)item["application"] ?? "",
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command Show()
    {
        var id = Id();
        var command = new Command("show", "Show a session and everything recorded in it.") { id };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var session = await client.GetAsync($"api/v1/sessions/{Uri.EscapeDataString(verb.Get(id))}", cancellation);
            var records = new List<JsonObject>();
            long from = 1;
            while (true)
            {
                var page = await RecordsAsync(client, verb.Get(id), from, 0, cancellation);
                records.AddRange(Cards.Array(page, "items").Select(record => (JsonObject)record.DeepClone()));
                if (page["next_seq"] is null || (long)page["next_seq"]! == from)
                {
                    break;
                }

                from = (long)page["next_seq"]!;
            }

            var all = (JsonObject)session.DeepClone();
            all["records"] = new JsonArray([.. records]);
            verb.Terminal.Answer(all, () =>
            {
                Cards.Session(verb.Terminal, session);
                records.ForEach(record => Record(verb.Terminal, record));
            });
            return ExitCode.Ok;
        });
    }

    private static Command Follow()
    {
        var id = Id("api/v1/sessions?live=true");
        var command = new Command("follow", "Watch a live session; one JSON record a line with --json.") { id };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            long from = 1;
            while (true)
            {
                var page = await RecordsAsync(client, verb.Get(id), from, 20, cancellation);
                foreach (var record in Cards.Array(page, "items"))
                {
                    if (verb.Terminal.Json)
                    {
                        Console.Out.WriteLine(record.ToJsonString());
                    }
                    else
                    {
                        Record(verb.Terminal, record);
                    }
                }

                from = (long?)page["next_seq"] ?? from;
                if ((bool?)page["ended"] == true)
                {
                    return ExitCode.Ok;
                }
            }
        });
    }

    private static Command Kill()
    {
        var id = Id("api/v1/sessions?live=true");
        var comment = new Option<string>("--comment", "--reason", "-m") { Description = "Why; the person reads it.", HelpName = "TEXT", Required = true };
        var command = new Command("kill", "End one live session; its grant stays.") { id, comment };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var body = new JsonObject { ["comment"] = verb.Get(comment) };
            var session = await client.PostAsync($"api/v1/sessions/{Uri.EscapeDataString(verb.Get(id))}/kill", body, cancellation);
            verb.Terminal.Answer(session, () => Cards.Session(verb.Terminal, session));
            return ExitCode.Ok;
        });
    }

    private static Command Search()
    {
        var text = new Argument<string?>("TEXT") { Description = "Part of the statement.", Arity = ArgumentArity.ZeroOrOne };
        var person = new Option<string?>("--person") { Description = "Who ran it." };
        var table = new Option<string?>("--table") { Description = "A table it names." };
        var resource = new Option<string?>("--resource") { Description = "At which resource." };
        var since = new Option<string?>("--since") { Description = "Not before: a time, or a duration ago such as 2h." };
        var until = new Option<string?>("--until") { Description = "Not after." };
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 100 };
        var command = new Command("search", "Find statements across all recordings.") { text, person, table, resource, since, until, most };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var path = "api/v1/statements" + RequestVerbs.Query(
                ("text", verb.Get(text)), ("person", verb.Get(person)), ("table", verb.Get(table)), ("resource", verb.Get(resource)),
                ("since", Moment(verb, verb.Get(since))), ("until", Moment(verb, verb.Get(until))));
            var items = await client.ListAsync(path, verb.Get(most), cancellation);
            verb.Terminal.AnswerList(
                items,
                "No statement matches.",
                ["WHEN", "WHO", "ROLE", "SESSION", "STATEMENT"],
                item => [verb.Terminal.When(item["at"]), (string)item["subject"]!, (string)item["role"]!, (string)item["session"]!, OneLine((string?)item["text"])]);
            return ExitCode.Ok;
        });
    }

    /// <summary>A time, or a duration before now, as the API takes it.</summary>
    public static string? Moment(Verb verb, string? text)
    {
        if (text is null)
        {
            return null;
        }

        var at = text.AsSpan().IndexOfAny(":-") < 0 ? verb.Terminal.Now.AddSeconds(-Asking.Duration(text)) : Asking.Start(text, verb.Terminal.Now, TimeZoneInfo.Local);
        return at.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Task<JsonObject> RecordsAsync(StintClient client, string id, long from, int wait, CancellationToken cancellation) =>
        client.GetAsync($"api/v1/sessions/{Uri.EscapeDataString(id)}/records?from={from}&wait_seconds={wait}", cancellation);

    private static void Record(Terminal terminal, JsonObject record)
    {
        var at = terminal.When(record["at"]).Split(' ')[0];
        switch ((string)record["type"]!)
        {
            case "statement":
                terminal.Line($"{at}  {OneLine((string?)record["text"])}");
                break;
            case "bind":
                var values = Cards.Array(record, "parameters").Select((value, index) => $"${index + 1} = {(string?)value["value"] ?? "NULL"}{((bool?)value["truncated"] == true ? "…" : "")}");
                terminal.Line($"{at}    with {string.Join(", ", values)}");
                break;
            case "result" when record["error"] is JsonObject error:
                terminal.Line($"{at}    failed: {error["sqlstate"]} {error["message"]}");
                break;
            case "result":
                terminal.Line($"{at}    {(string?)record["tag"] ?? "done"}, {Cards.Count((long?)record["rows"] ?? 0, "row")}, {record["duration_ms"]} ms");
                break;
            case "session_start":
                terminal.Line($"{at}  -- connected to {record["database"]} with {((string?)record["application"] is { Length: > 0 } tool ? tool : "an unnamed client")} from {record["from"]}");
                break;
            case "session_end":
                terminal.Line($"{at}  -- ended: {Words((string?)record["reason"])}{((string?)record["note"] is { Length: > 0 } note ? ", " + note : "")}");
                break;
            default:
                var rest = record.Where(pair => pair.Key is not ("seq" or "at" or "type" or "hash")).Select(pair => $"{pair.Key} {pair.Value}");
                terminal.Line($"{at}  [{record["type"]}] {string.Join(", ", rest)}");
                break;
        }
    }

    /// <summary>A recorded reason as words: <c>ClientLeft</c> and <c>client_left</c> are <c>client left</c>.</summary>
    private static string Words(string? name) =>
        string.Concat((name ?? "").Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : " ") + char.ToLowerInvariant(c) : c == '_' ? " " : c.ToString()));

    private static string OneLine(string? text) =>
        string.Join(' ', (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static Argument<string> Id(string path = "api/v1/sessions")
    {
        var id = new Argument<string>("SESSION") { Description = "The session." };
        id.CompletionSources.Add(context => Suggest.Ids(context, path));
        return id;
    }
}
