using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Policies;

namespace Stint.Cli;

/// <summary>Why, and why not; and who could. With a folder, these need no server.</summary>
internal static class ExplainVerbs
{
    public static IEnumerable<Command> All() => [Explain(), Who()];

    private static Command Explain()
    {
        var words = new Argument<string[]>("[PERSON] ROLE") { Description = "Whom, else you; and the role, such as orders-db/owner.", Arity = new ArgumentArity(1, 2) };
        words.CompletionSources.Add(context => Suggest.Roles(context));
        var length = new Option<string?>("--for") { Description = "Were it asked for this long.", HelpName = "DURATION" };
        var reason = new Option<string?>("--reason", "-m") { Description = "Were it asked with this reason.", HelpName = "TEXT" };
        var ticket = new Option<string?>("--ticket", "-t") { Description = "Were it asked on this ticket.", HelpName = "ID" };
        var glass = new Option<bool>("--break-glass") { Description = "Were it asked as break-glass." };
        var at = At();
        var folder = Folder();
        var command = new Command("explain", "Say whether somebody would get a role, by which rule, with whose yes, and what would change the answer.") { words, length, reason, ticket, glass, at, folder };
        return Verb.Does(command, async (verb, cancellation) =>
        {
            var given = verb.Get(words);
            var (person, role) = given.Length == 2 ? (given[0], given[1]) : (null, given[0]);
            long? seconds = verb.Get(length) is { } text ? Asking.Duration(text) : null;
            JsonObject answer;
            if (verb.Get(folder) is { } path)
            {
                var catalog = CatalogFolders.Load(verb, path);
                var question = new Question(
                    new SubjectId(person ?? throw new CommandFailed(ExitCode.Usage, "Without a server, name the person.", "stint explain PERSON ROLE --catalog FOLDER")),
                    Role(role),
                    seconds is { } most ? TimeSpan.FromSeconds(most) : null,
                    verb.Get(reason),
                    verb.Get(ticket),
                    null,
                    Moment(verb.Get(at), verb.Terminal.Now) ?? verb.Terminal.Now)
                {
                    // Files know nobody's grants: what is kept apart stands among the demands.
                    Held = [],
                    BreakGlass = verb.Get(glass),
                };
                answer = Explanation.Of(catalog, question, forAsker: false).ToNode(forAsker: false);
            }
            else
            {
                using var client = verb.Connect();
                answer = await client.GetAsync(
                    "api/v1/explain" + RequestVerbs.Query(
                        ("role", role),
                        ("subject", person),
                        ("at", Time(verb.Get(at), verb.Terminal.Now)),
                        ("for_seconds", seconds?.ToString(CultureInfo.InvariantCulture)),
                        ("reason", verb.Get(reason)),
                        ("ticket", verb.Get(ticket)),
                        ("break_glass", verb.Get(glass) ? "true" : null)),
                    cancellation);
            }

            verb.Terminal.Answer(answer, () => Card(verb.Terminal, answer));
            return (string)answer["verdict"]!["outcome"]! == "deny" ? ExitCode.Denied : ExitCode.Ok;
        });
    }

    private static Command Who()
    {
        var role = new Argument<string?>("ROLE") { Description = "Everybody who could get this; else --person.", Arity = ArgumentArity.ZeroOrOne };
        role.CompletionSources.Add(context => Suggest.Roles(context));
        var person = new Option<string?>("--person") { Description = "Every role that this person could get.", HelpName = "NAME" };
        var at = At();
        var folder = Folder();
        var command = new Command("who", "List everybody who could get a role, or every role that somebody could get, and by which way.") { role, person, at, folder };
        return Verb.Does(command, async (verb, cancellation) =>
        {
            if (verb.Get(role) is not null && verb.Get(person) is not null)
            {
                throw new CommandFailed(ExitCode.Usage, "Name a role or a person.", "For both at once: stint explain PERSON ROLE");
            }

            List<JsonObject> items;
            if (verb.Get(folder) is { } path)
            {
                var catalog = CatalogFolders.Load(verb, path);
                var now = Moment(verb.Get(at), verb.Terminal.Now) ?? verb.Terminal.Now;
                items =
                [
                    .. (verb.Get(role) is { } wanted
                        ? Core.Policies.Who.Of(catalog, Role(wanted), now)
                        : Core.Policies.Who.Of(catalog, new SubjectId(verb.Get(person) ?? throw new CommandFailed(ExitCode.Usage, "Without a server, name a role or a person.", "See: stint who --help")), now))
                        .Select(reach => reach.ToNode()),
                ];
            }
            else
            {
                using var client = verb.Connect();
                items = await client.ListAsync(
                    "api/v1/who" + RequestVerbs.Query(("role", verb.Get(role)), ("subject", verb.Get(person)), ("at", Time(verb.Get(at), verb.Terminal.Now))), 100_000, cancellation);
            }

            verb.Terminal.AnswerList(
                items,
                "Nobody: no rule leads there.",
                [verb.Get(role) is null ? "ROLE" : "WHO", "HOW", "WHOSE YES", "BY WAY OF"],
                item =>
                [
                    (string)item[verb.Get(role) is null ? "role" : "subject"]!,
                    (string)item["standing"]!["way"]! is "denied" or "unmet" ? $"not: {item["standing"]!["because"]}" : (string)item["standing"]!["how"]!,
                    string.Join("; ", Cards.Array(item["standing"] as JsonObject, "steps").Select(step => $"{step["need"]} of {Names(step["approvers"])}")) is { Length: > 0 } steps ? steps : "-",
                    string.Join("; ", Cards.Array(item, "paths").Select(Way)),
                ]);
            return ExitCode.Ok;
        });
    }

    private static void Card(Terminal terminal, JsonObject answer)
    {
        var standing = answer["standing"]!.AsObject();
        var verdict = answer["verdict"]!.AsObject();
        var (who, role) = ((string)answer["subject"]!, (string)answer["role"]!);
        var no = (string)verdict["outcome"]! == "deny";
        terminal.Verdict(!no, no ? $"{who} would not get {role}: {verdict["because"]}" : $"{who} would get {role} {standing["how"]}.");
        foreach (var step in no ? [] : Cards.Array(standing, "steps"))
        {
            terminal.Line($"  needs     {step["need"]} yes from {step["name"]}: {Names(step["approvers"])}");
        }

        if ((bool?)standing["reason_required"] == true)
        {
            terminal.Line("  takes     a reason");
        }

        foreach (var pattern in standing["tickets"] as JsonArray ?? [])
        {
            terminal.Line($"  takes     a ticket that matches {pattern}");
        }

        foreach (var condition in standing["conditions"] as JsonArray ?? [])
        {
            terminal.Line($"  where     {condition}");
        }

        if (standing["break_glass"] is JsonObject emergency)
        {
            terminal.Line($"  emergency {emergency["how"]}, with a reason of {emergency["reason_at_least"]} characters or more");
        }

        foreach (var condition in standing["sparing"] as JsonArray ?? [])
        {
            terminal.Line($"  no yes    where {condition}");
        }

        foreach (var times in standing["times"] as JsonArray ?? [])
        {
            terminal.Line($"  opens     {times}");
        }

        foreach (var apart in standing["apart"] as JsonArray ?? [])
        {
            terminal.Line($"  apart     {apart}");
        }

        foreach (var path in Cards.Array(answer, "paths"))
        {
            terminal.Line($"  by way of {Way(path)}");
        }

        foreach (var line in Cards.Array(verdict, "trace").Where(line => (string)line["outcome"]! != "not_about"))
        {
            terminal.Line($"  rule      {line["rule"]}: {line["because"]}");
        }

        foreach (var change in answer["changes"]!.AsArray())
        {
            terminal.Line($"  would change it   {change}");
        }
    }

    private static string Way(JsonObject path) => $"{path["rule"]} ({string.Join(" → ", path["through"]!.AsArray().Select(name => (string)name!))})";

    private static string Names(JsonNode? people) => string.Join(", ", (people as JsonArray ?? []).Select(name => (string)name!));

    private static RoleRef Role(string text) =>
        RoleRef.Parse(text) ?? throw new CommandFailed(ExitCode.Usage, $"'{text}' is not a role.", "Write RESOURCE/ROLE, such as orders-db/owner.");

    private static Option<string?> At() => new("--at") { Description = "At which moment: '2026-03-01 12:00' in your zone, with an offset, or 2d for two days ago; now when absent.", HelpName = "TIME" };

    private static Option<string?> Folder() => new("--catalog") { Description = "Answer by the catalog in this folder; needs no server.", HelpName = "FOLDER" };

    private static string? Time(string? text, DateTimeOffset now) =>
        Moment(text, now)?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A moment as a person writes it; null for none.</summary>
    internal static DateTimeOffset? Moment(string? text, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }

        if (char.IsAsciiDigit(text.FirstOrDefault()) && text[^1] is 's' or 'm' or 'h' or 'd')
        {
            return now.AddSeconds(-Asking.Duration(text));
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var moment)
            ? moment
            : throw new CommandFailed(ExitCode.Usage, $"'{text}' is not a moment.", "Write '2026-03-01 12:00' in your zone, 2026-03-01T12:00:00Z, or 2d for two days ago.");
    }
}
