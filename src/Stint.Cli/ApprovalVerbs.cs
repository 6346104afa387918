using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Answering with something less, and answering for somebody who is away.</summary>
internal static class ApprovalVerbs
{
    public static IEnumerable<Command> All() => [Offer(), Accept(), Delegate()];

    /// <summary>In whose place an answer is given.</summary>
    public static Option<string?> InPlaceOf() => new("--in-place-of") { Description = "Whoever is away and in whose place you answer, when there are several.", HelpName = "PERSON" };

    private static Command Offer()
    {
        var id = RequestVerbs.Id("api/v1/requests?awaiting_me=true&state=pending");
        var length = new Option<string?>("--for") { Description = "Shorter than asked for.", HelpName = "DURATION" };
        var at = new Option<string?>("--at") { Description = "Later: '2026-12-24 18:00' in your zone, with an offset, or '18:00' for the next one.", HelpName = "TIME" };
        var role = new Option<string?>("--role") { Description = "Another role of the same resource, of no higher risk.", HelpName = "RESOURCE/ROLE" };
        var comment = new Option<string?>("--comment", "-m") { Description = "Why; the requester reads it.", HelpName = "TEXT" };
        var command = new Command("offer", "Offer less than was asked; the requester takes it or not.") { id, length, at, role, comment };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            // What is answered is what is shown: the server refuses an offer to anything else.
            var seen = await client.GetAsync($"api/v1/requests/{Uri.EscapeDataString(verb.Get(id))}", cancellation);
            var body = new JsonObject { ["saw_digest"] = (string?)seen["digest"] };
            if (verb.Get(length) is { } shorter)
            {
                body["for_seconds"] = Asking.Duration(shorter);
            }

            if (verb.Get(at) is { } start)
            {
                body["start_at"] = Time(start, verb.Terminal.Now);
            }

            if (verb.Get(role) is { } other)
            {
                body["role"] = other;
            }

            if (verb.Get(comment) is { } words)
            {
                body["comment"] = words;
            }

            return await RequestVerbs.ActAsync(verb, client, $"api/v1/requests/{Uri.EscapeDataString(verb.Get(id))}/offer", body, cancellation);
        });
    }

    private static Command Accept()
    {
        var id = RequestVerbs.Id("api/v1/requests?mine=true&state=pending");
        var which = new Option<string?>("--offer") { Description = "Which offer, when there are several.", HelpName = "OFFER" };
        var command = new Command("accept", "Take the counter-offer to your request.") { id, which };
        return Verb.Asks(command, (verb, client, cancellation) =>
        {
            var body = new JsonObject();
            if (verb.Get(which) is { } one)
            {
                body["offer"] = one;
            }

            return RequestVerbs.ActAsync(verb, client, $"api/v1/requests/{Uri.EscapeDataString(verb.Get(id))}/accept", body, cancellation);
        });
    }

    private static Command Delegate()
    {
        var person = new Argument<string?>("PERSON") { Description = "Who answers for you while you are away.", Arity = ArgumentArity.ZeroOrOne };
        var until = new Option<string?>("--until") { Description = "Until when, at most 90 days: '2026-12-24 18:00', a day, or an offset time.", HelpName = "TIME" };
        var from = new Option<string?>("--from") { Description = "From when; else from now.", HelpName = "TIME" };
        var list = new Option<bool>("--list") { Description = "Show who answers for you, and for whom you do." };
        var everybody = new Option<bool>("--all") { Description = "With --list: everybody's (admins and auditors)." };
        var end = new Option<string?>("--end") { Description = "End a delegation early.", HelpName = "DELEGATION" };
        var command = new Command("delegate", "Say who answers requests for you while you are away.") { person, until, from, list, everybody, end };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            if (((verb.Get(person) is null ? 0 : 1) + (verb.Get(list) ? 1 : 0) + (verb.Get(end) is null ? 0 : 1)) != 1)
            {
                throw new CommandFailed(ExitCode.Usage, "'stint delegate' takes one of PERSON --until TIME, --list and --end DELEGATION.", "See: stint delegate --help");
            }

            if (verb.Get(list))
            {
                var all = await client.ListAsync("api/v1/approvals/delegations" + (verb.Get(everybody) ? "?all=true" : ""), 200, cancellation);
                verb.Terminal.AnswerList(
                    all,
                    "Nobody answers for you, and you answer for nobody.",
                    ["ID", "WHO IS AWAY", "WHO ANSWERS", "FROM", "UNTIL", "STATE"],
                    one => [(string)one["id"]!, (string)one["person"]!, (string)one["delegate"]!, verb.Terminal.When(one["from"]), verb.Terminal.When(one["until"]), (string)one["state"]!]);
                return ExitCode.Ok;
            }

            JsonObject answer;
            if (verb.Get(end) is { } ended)
            {
                answer = await client.PostAsync($"api/v1/approvals/delegations/{Uri.EscapeDataString(ended)}/end", [], cancellation);
            }
            else
            {
                var body = new JsonObject
                {
                    ["delegate"] = verb.Get(person),
                    ["until"] = verb.Get(until) is { } last
                        ? Time(last, verb.Terminal.Now)
                        : throw new CommandFailed(ExitCode.Usage, "A delegation has an end.", "Say until when: --until '2026-12-24 18:00'."),
                };
                if (verb.Get(from) is { } first)
                {
                    body["from"] = Time(first, verb.Terminal.Now);
                }

                answer = await client.PostAsync("api/v1/approvals/delegations", body, cancellation);
            }

            verb.Terminal.Answer(answer, () => verb.Terminal.Line(
                $"{answer["id"]}  {answer["delegate"]} answers for {answer["person"]} from {verb.Terminal.When(answer["from"])} until {verb.Terminal.When(answer["until"])}: {answer["state"]}"));
            return ExitCode.Ok;
        });
    }

    /// <summary>A time as a person writes it; a day alone is its first moment in their zone.</summary>
    private static string Time(string text, DateTimeOffset now)
    {
        var isDay = DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
        return Asking.Start(isDay ? text + " 00:00" : text, now, TimeZoneInfo.Local).ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
    }
}
