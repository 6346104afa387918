using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Changing the catalog that counts: see what would change, let it take effect, look back.</summary>
internal static class CatalogPlanVerbs
{
    public static IEnumerable<Command> All() => [Plan(), Apply(), History(), RollBack(), Export(), Replay(), .. CatalogChangeVerbs.All()];

    private static Command Plan()
    {
        var folder = Folder();
        var save = new Option<string?>("--out") { Description = "Keep the plan, to apply exactly it later.", HelpName = "FILE" };
        var command = new Command("plan", "Say what a changed catalog would change: who gains, who loses, what would end.") { folder, save };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var catalog = CatalogFolders.Load(verb, verb.Get(folder));
            var body = await CatalogFolders.BodyAsync(verb.Get(folder), catalog.Source, withOrigin: true, cancellation);
            var plan = await PlanAsync(verb, client, body, cancellation);
            if (verb.Get(save) is { } path && (bool)plan["ok"]!)
            {
                await CatalogFolders.SaveAsync(path, body, plan, cancellation);
            }

            verb.Terminal.Answer(plan, () =>
            {
                CatalogCards.Plan(verb.Terminal, plan);
                if (verb.Get(save) is { } kept && (bool)plan["ok"]!)
                {
                    verb.Terminal.Line($"Kept in {kept}. Apply it with: stint catalog apply --plan {kept}");
                }
            });
            return !(bool)plan["ok"]! ? ExitCode.Failed : (bool)plan["nothing"]! ? ExitCode.Ok : ExitCode.Differs;
        });
    }

    private static Command Apply()
    {
        var folder = new Argument<string?>("FOLDER") { Description = "The catalog's folder; else --plan.", Arity = ArgumentArity.ZeroOrOne };
        var plan = new Option<string?>("--plan") { Description = "Apply exactly this plan.", HelpName = "FILE" };
        var note = Note();
        var yes = Yes();
        var command = new Command("apply", "Let a catalog take effect, or propose it where somebody's yes is needed.") { folder, plan, note, yes };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            if (verb.Get(folder) is null == verb.Get(plan) is null)
            {
                throw new CommandFailed(ExitCode.Usage, "Name a folder, or a plan with --plan.", "See: stint catalog apply --help");
            }

            JsonObject body;
            if (verb.Get(plan) is { } file)
            {
                body = await CatalogFolders.ReadPlanAsync(file, cancellation);
            }
            else
            {
                var path = verb.Get(folder)!;
                return await ApplyAsync(
                    verb, client, await CatalogFolders.BodyAsync(path, CatalogFolders.Load(verb, path).Source, withOrigin: true, cancellation), verb.Get(note), verb.Get(yes), cancellation);
            }

            if (verb.Get(note) is { } words)
            {
                body["note"] = words;
            }

            return Applied(verb, await verb.Terminal.WaitAsync("Applying", () => client.PostAsync("api/v1/catalog/apply", body, cancellation)));
        });
    }

    /// <summary>Plans files, asks whoever sits there when people lose something, and applies or proposes them.</summary>
    public static async Task<int> ApplyAsync(Verb verb, StintClient client, JsonObject body, string? note, bool yes, CancellationToken cancellation)
    {
        var planned = await PlanAsync(verb, client, body, cancellation);
        if (!(bool)planned["ok"]!)
        {
            verb.Terminal.Answer(planned, () => CatalogCards.Plan(verb.Terminal, planned));
            return ExitCode.Failed;
        }

        Confirm(verb, planned, yes);
        body["base"] = (string)planned["base"]!;
        if (note is not null)
        {
            body["note"] = note;
        }

        return Applied(verb, await verb.Terminal.WaitAsync("Applying", () => client.PostAsync("api/v1/catalog/apply", body, cancellation)));
    }

    private static Command RollBack()
    {
        var to = Version();
        var note = Note();
        var yes = Yes();
        var command = new Command("rollback", "Let an earlier version count again, as a new step of the history.") { to, note, yes };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var export = await client.GetAsync($"api/v1/catalog/versions/{Uri.EscapeDataString(verb.Get(to))}", cancellation);
            var planned = await PlanAsync(verb, client, new JsonObject { ["files"] = export["files"]!.DeepClone() }, cancellation);
            if (!(bool)planned["ok"]!)
            {
                verb.Terminal.Answer(planned, () => CatalogCards.Plan(verb.Terminal, planned));
                return ExitCode.Failed;
            }

            Confirm(verb, planned, verb.Get(yes));
            var body = new JsonObject { ["to"] = (string)export["entry"]!["version"]!, ["base"] = (string)planned["base"]! };
            if (verb.Get(note) is { } words)
            {
                body["note"] = words;
            }

            return Applied(verb, await client.PostAsync("api/v1/catalog/rollback", body, cancellation));
        });
    }

    private static Command History()
    {
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 50 };
        return Verb.Asks(new Command("history", "Which catalog counted when, and who let it.") { most }, async (verb, client, cancellation) =>
        {
            verb.Terminal.AnswerList(
                await client.ListAsync("api/v1/catalog/history", verb.Get(most), cancellation),
                "No catalog ever counted.",
                ["NO", "VERSION", "WHEN", "WHO", "COMMIT", "NOTE"],
                item =>
                [
                    item["number"]!.ToString(), ((string)item["version"]!)[..12], verb.Terminal.When(item["at"]), (string)item["by"]!,
                    (string?)item["commit"] is { } commit ? commit[..Math.Min(12, commit.Length)] + ((bool)item["dirty"]! ? ", changed since" : "") : "-",
                    (string?)item["note"] ?? "",
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command Export()
    {
        var version = Version();
        var folder = new Argument<string>("FOLDER") { Description = "Where to; must be empty or not be there." };
        return Verb.Asks(new Command("export", "Write the files of a version into a folder.") { version, folder }, async (verb, client, cancellation) =>
        {
            var export = await client.GetAsync($"api/v1/catalog/versions/{Uri.EscapeDataString(verb.Get(version))}", cancellation);
            var count = await CatalogFolders.WriteAsync(verb.Get(folder), export, cancellation);
            verb.Terminal.Answer(export["entry"]!, () => verb.Terminal.Line($"Wrote {Cards.Count(count, "file")} of version {((string)export["entry"]!["version"]!)[..12]} to {verb.Get(folder)}."));
            return ExitCode.Ok;
        });
    }

    private static Command Replay()
    {
        var folder = Folder();
        var since = new Option<string>("--since") { Description = "How far back, such as 90d.", HelpName = "DURATION", DefaultValueFactory = _ => "90d" };
        var web = new Option<bool>("--web") { Description = "Keep a report for an hour, and open it in a browser where there is one." };
        var noBrowser = new Option<bool>("--no-browser") { Description = "With --web: only print the address." };
        return Verb.Asks(new Command("replay", "Decide past requests again by a changed catalog: who would now be refused, let in, or need another's yes.") { folder, since, web, noBrowser }, async (verb, client, cancellation) =>
        {
            var catalog = CatalogFolders.Load(verb, verb.Get(folder));
            var body = await CatalogFolders.BodyAsync(verb.Get(folder), catalog.Source, withOrigin: false, cancellation);
            body["since_seconds"] = Asking.Duration(verb.Get(since));
            if (verb.Get(web))
            {
                body["keep"] = true;
            }

            var items = new JsonArray();
            JsonObject? total = null;
            JsonObject? report = null;
            using var stream = new StreamReader(await client.PostForStreamAsync("api/v1/catalog/replay", body, cancellation));
            while (await stream.ReadLineAsync(cancellation) is { } line)
            {
                var said = JsonNode.Parse(line) as JsonObject;
                total = said?["total"] as JsonObject ?? total;
                report = said?["report"] as JsonObject ?? report;
                if (said?["item"] is JsonObject item)
                {
                    items.Add(item.DeepClone());
                }
                else if ((long?)said?["replayed"] is { } count)
                {
                    verb.Terminal.Aside($"{Cards.Count(count, "request")} decided again");
                }
            }

            if (total is null)
            {
                throw new CommandFailed(ExitCode.Unreachable, "The server stopped before all was decided again.", "Try again; a shorter --since takes less time.");
            }

            if (verb.Get(web) && report is null)
            {
                throw new CommandFailed(ExitCode.Failed, "The server kept no report.", "You may have lost the right to replay meanwhile: only admins and auditors have it.");
            }

            var address = report is null ? null : $"{new Uri(client.Login.Server, $"/catalog/replays/{report["id"]}")}#{report["key"]}";
            var differs = (long)total["requests"]! - (long)total["same"]!;
            var answer = new JsonObject { ["total"] = total.DeepClone(), ["items"] = items };
            if (address is not null)
            {
                answer["report"] = new JsonObject { ["address"] = address, ["ends_at"] = report!["ends_at"]!.DeepClone() };
            }

            verb.Terminal.Answer(answer, () =>
            {
                foreach (var item in items.OfType<JsonObject>())
                {
                    verb.Terminal.Line($"{item["request"]}  {item["subject"]} at {item["role"]}, {verb.Terminal.When(item["asked_at"])}: {Word((string)item["what"]!)}: {item["because"]}");
                }

                if ((long)total["left_out"]! is > 0 and var more)
                {
                    verb.Terminal.Line($"… and {more} more");
                }

                verb.Terminal.Verdict(
                    differs == 0,
                    $"Of {Cards.Count((long)total["requests"]!, "request")}: {total["refused"]} refused, {total["by_rule"]} let in without a yes, {total["needs_yes"]} in need of another yes, {total["shorter"]} shorter, {total["same"]} as before.");
                if (address is not null)
                {
                    verb.Terminal.Line($"In a browser until {verb.Terminal.When(report!["ends_at"])}, for whoever has the whole address:");
                    verb.Terminal.Address(address);
                    if (!verb.Get(noBrowser))
                    {
                        Browser.Open(address);
                    }
                }
            });
            return differs == 0 ? ExitCode.Ok : ExitCode.Differs;
        });
    }

    private static async Task<JsonObject> PlanAsync(Verb verb, StintClient client, JsonObject body, CancellationToken cancellation)
    {
        var files = new JsonObject { ["files"] = body["files"]!.DeepClone() };
        return await verb.Terminal.WaitAsync("Planning", () => client.PostAsync("api/v1/catalog/plan", files, cancellation));
    }

    /// <summary>Asks whoever sits there when people lose something.</summary>
    private static void Confirm(Verb verb, JsonObject plan, bool yes)
    {
        if (verb.Terminal.Json)
        {
            return;
        }

        CatalogCards.Plan(verb.Terminal, plan);
        if ((int)plan["losers"]! > 0 && !yes && Terminal.CanAsk
            && !Spectre.Console.AnsiConsole.Confirm($"{plan["losers"]} {((int)plan["losers"]! == 1 ? "person loses" : "people lose")} access. Apply it?", defaultValue: false))
        {
            throw new CommandFailed(ExitCode.Failed, "Nothing was applied.");
        }
    }

    private static int Applied(Verb verb, JsonObject answer)
    {
        verb.Terminal.Answer(answer, () =>
        {
            if (answer["applied"] is JsonObject entry)
            {
                var ended = (int)answer["ended"]! is > 0 and var count ? $" {Cards.Count(count, "grant or request", "grants and requests")} of people who left ended." : "";
                verb.Terminal.Verdict(true, (bool)answer["already"]! ? $"It is so already: version {((string)entry["version"]!)[..12]}, number {entry["number"]}." : $"Version {((string)entry["version"]!)[..12]} counts now, as number {entry["number"]}.{ended}");
            }
            else if (answer["change"] is JsonObject change)
            {
                verb.Terminal.Line("It waits for somebody's yes:");
                CatalogCards.Change(verb.Terminal, change);
            }
        });
        return answer["applied"] is null ? ExitCode.Differs : ExitCode.Ok;
    }

    private static string Word(string what) => what switch
    {
        "refused" => "refused now",
        "by_rule" => "let in without a yes",
        "needs_yes" => "needs another yes",
        "shorter" => "shorter",
        _ => what,
    };

    private static Argument<string> Folder() => new("FOLDER") { Description = "The catalog's folder." };

    private static Argument<string> Version() => new("VERSION") { Description = "A number of the history, or the first six or more digits of a version." };

    private static Option<string?> Note() => new("--note", "-m") { Description = "A word for the history.", HelpName = "TEXT" };

    internal static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask, also when people lose access." };
}
