using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Looking back at break-glass.</summary>
internal static class ReviewVerbs
{
    public static IEnumerable<Command> All() => [Reviews(), Review()];

    private static Command Reviews()
    {
        var state = new Option<string?>("--state") { Description = "open, accepted or concern." };
        state.CompletionSources.Add("open", "accepted", "concern");
        var mine = new Option<bool>("--awaiting-me") { Description = "Only those that you may close." };
        var most = new Option<int>("--limit") { Description = "How many at the most.", DefaultValueFactory = _ => 50 };
        return Verb.Shows(new Command("reviews", "List reviews of break-glass, the newest first.") { state, mine, most }, async (verb, client, cancellation) =>
        {
            var items = await client.ListAsync(
                "api/v1/reviews" + RequestVerbs.Query(("state", verb.Get(state)), ("awaiting_me", verb.Get(mine) ? "true" : null)), verb.Get(most), cancellation);
            verb.Terminal.AnswerList(
                items,
                "No reviews.",
                ["ID", "WHO", "ROLE", "STATE", "DUE", "STATEMENTS", "REVIEWERS", "REQUEST"],
                item =>
                [
                    (string)item["id"]!, (string)item["subject"]!, (string)item["role"]!, State(item), verb.Terminal.When(item["due_at"]), item["statements"]!.ToString(),
                    string.Join(", ", item["reviewers"]!.AsArray().Select(who => (string)who!)), (string)item["request"]!,
                ]);
            return ExitCode.Ok;
        });
    }

    private static Command Review()
    {
        var id = new Argument<string>("REVIEW") { Description = "The review." };
        id.CompletionSources.Add(context => Suggest.Ids(context, "api/v1/reviews?awaiting_me=true"));
        var accept = new Option<bool>("--accept") { Description = "What was done was right." };
        var concern = new Option<bool>("--concern") { Description = "Something was not." };
        var comment = new Option<string?>("--comment", "-m") { Description = "What you looked at and found.", HelpName = "TEXT" };
        return Verb.Asks(new Command("review", "Show what was done under a break-glass, or say what you make of it.") { id, accept, concern, comment }, async (verb, client, cancellation) =>
        {
            var path = $"api/v1/reviews/{Uri.EscapeDataString(verb.Get(id))}";
            var (yes, no) = (verb.Get(accept), verb.Get(concern));
            if (yes && no)
            {
                throw new CommandFailed(ExitCode.Usage, "A review ends in one of --accept and --concern.", "See: stint review --help");
            }

            if (!yes && !no && verb.Get(comment) is not null)
            {
                throw new CommandFailed(ExitCode.Usage, "A comment goes with --accept or --concern.", "See: stint review --help");
            }

            var review = yes || no
                ? await client.PostAsync(path + "/close", new JsonObject { ["outcome"] = yes ? "accepted" : "concern", ["comment"] = verb.Get(comment) ?? "" }, cancellation)
                : await client.GetAsync(path, cancellation);
            verb.Terminal.Answer(review, () => Card(verb.Terminal, review));
            return ExitCode.Ok;
        });
    }

    public static void Card(Terminal terminal, JsonObject review)
    {
        terminal.Line($"{review["id"]}  {review["subject"]} broke the glass for {review["role"]}, {terminal.When(review["opened_at"])}");
        terminal.Line($"  why       {review["reason"]}");
        if ((string?)review["ticket"] is { } ticket)
        {
            terminal.Line($"  ticket    {ticket}");
        }

        terminal.Line($"  request   {review["request"]}");
        terminal.Line($"  told      {Names(review, "told")}");
        foreach (var session in Cards.Array(review, "sessions"))
        {
            terminal.Line($"  session   {session["id"]} {terminal.When(session["started_at"])}, {session["state"]}, {Cards.Count((long)session["statements"]!, "statement")}");
        }

        terminal.Line($"  did       {Cards.Count((long)review["statements"]!, "statement")} in {Cards.Count(Cards.Array(review, "sessions").Count(), "session")}");
        terminal.Line($"  evidence  stint audit evidence {review["request"]}");
        terminal.Line($"  state     {State(review)}{((string?)review["closed_by"] is { } by ? $" by {by}, {terminal.When(review["closed_at"])}: {review["comment"]}" : $", due {terminal.When(review["due_at"])}")}");
        if ((string)review["state"]! == "open")
        {
            terminal.Line($"  reviews   {Names(review, "could")}");
        }

        if (review["grant"] is JsonObject grant)
        {
            Cards.Grant(terminal, grant);
        }
    }

    /// <summary>What somebody who was told must not miss: before the answer, beside it, until they say that they saw it.</summary>
    public static async Task BannerAsync(Verb verb, StintClient client, CancellationToken cancellation)
    {
        if (verb.Terminal.Json)
        {
            return;
        }

        List<JsonObject> unseen;
        try
        {
            unseen = await client.ListAsync("api/v1/reviews?unseen=true", 200, cancellation);
        }
        catch (CommandFailed failed) when (failed.Code is ExitCode.Denied or ExitCode.NotFound)
        {
            // Whoever came in with a code looks at their own only.
            return;
        }

        foreach (var review in unseen)
        {
            verb.Terminal.Loud($"THE GLASS WAS BROKEN by {review["subject"]} for {review["role"]}, {verb.Terminal.When(review["opened_at"])}: {review["reason"]}");
            verb.Terminal.Aside($"Look: stint review {review["id"]}   Seen: stint break-glass seen {review["id"]}");
        }
    }

    private static string State(JsonObject review) => (string)review["state"]! + ((string)review["state"]! == "open" && (bool)review["overdue"]! ? ", OVERDUE" : "");

    private static string Names(JsonObject review, string field) => string.Join(", ", review[field]!.AsArray().Select(who => (string)who!)) is { Length: > 0 } names ? names : "nobody";
}
