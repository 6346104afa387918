using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Cli;

/// <summary>One thing, told so that it is understood in five seconds.</summary>
internal static class Cards
{
    public static void Request(Terminal terminal, JsonObject request)
    {
        var state = (string)request["state"]!;
        terminal.Line($"{request["id"]}  {request["subject"]} asks for {request["role"]} for {Terminal.Seconds(request["for_seconds"])}{Glass(request)}");
        if (request["review"] is JsonObject review)
        {
            terminal.Line($"  review    {review["id"]}, {review["state"]}{((bool)review["overdue"]! ? ", OVERDUE" : "")}, due {terminal.When(review["due_at"])}, by {string.Join(" or ", review["reviewers"]!.AsArray().Select(who => (string)who!))}");
        }

        if ((string?)request["reason"] is { Length: > 0 } reason)
        {
            terminal.Line($"  why       {reason}");
        }

        if ((string?)request["ticket"] is { } ticket)
        {
            terminal.Line($"  ticket    {ticket}");
        }

        foreach (var (claim, value) in request["claims"] as JsonObject ?? [])
        {
            // What an approver of a machine says yes to.
            terminal.Line($"  {claim,-9} {value}");
        }

        if ((string?)request["task"] is { } task)
        {
            terminal.Line($"  task      {task}, and it ends when that is done");
        }

        Exact.Show(line => terminal.Line(line), request);
        if (request["recurrence"] is JsonObject series)
        {
            Series(terminal, series);
        }
        else if (request["start_at"] is not null)
        {
            terminal.Line($"  starts    {terminal.When(request["start_at"])}");
        }

        if ((string?)request["occurrence_of"] is { } of)
        {
            terminal.Line($"  series    {of}");
        }

        if ((string?)request["extends"] is { } extends)
        {
            terminal.Line($"  extends   {extends}");
        }

        terminal.Line($"  asked     {terminal.When(request["asked_at"])}");
        terminal.Line($"  state     {state}{Because(request)}");
        if ((string?)request["bundle"] is { } bundle)
        {
            terminal.Line($"  bundle    {bundle}: it is answered as a whole");
        }

        Answers(terminal, request);
        if (state == "pending")
        {
            Waiting(terminal, request);
        }

        if (state == "denied")
        {
            Remedies(terminal, request);
        }

        if (request["grant"]?.DeepClone() is JsonObject grant)
        {
            // Told once.
            grant.Remove("authorization_details");
            Grant(terminal, grant);
        }
    }

    /// <summary>What was answered so far.</summary>
    public static void Answers(Terminal terminal, JsonObject request)
    {
        foreach (var approval in Array(request, "approvals"))
        {
            var shortened = approval["shortened_seconds"] is null ? "" : $", shortened to {Terminal.Seconds(approval["shortened_seconds"])}";
            var comment = (string?)approval["comment"] is { Length: > 0 } words ? $": {words}" : "";
            var place = (string?)approval["in_place_of"] is { } absent ? $" in the place of {absent}" : "";
            terminal.Line($"  {((bool)approval["yes"]! ? "yes" : "no"),-8}  {approval["by"]}{place}, {terminal.When(approval["at"])}{shortened}{comment}");
        }
    }

    /// <summary>What something pending waits for.</summary>
    public static void Waiting(Terminal terminal, JsonObject request)
    {
        foreach (var step in Array(request, "steps").Where(step => (int)step["missing"]! > 0))
        {
            Step(terminal, step);
        }

        terminal.Line($"  lapses    {terminal.When(request["lapses_at"])}");
        foreach (var offer in Array(request, "offers").Where(offer => (string)offer["state"]! == "open"))
        {
            Offer(terminal, offer);
        }

        // Whoever asked knows that the answer is not theirs to give.
        if ((string?)request["you"]?["why_not"] is { } why && why != "nobody answers their own request")
        {
            terminal.Line($"  not you   {why}");
        }
        else if ((string?)request["you"]?["in_place_of"] is { } person)
        {
            terminal.Line($"  you       answer in the place of {person}");
        }
    }

    /// <summary>When it comes again: in words on its own clock, and the next ones on the reader's.</summary>
    private static void Series(Terminal terminal, JsonObject series)
    {
        terminal.Line($"  again     {series["said"]}");
        foreach (var next in series["next"] as JsonArray ?? [])
        {
            terminal.Line($"  next      {terminal.When(next)}{On(next, (string)series["zone"]!)}");
        }

        if ((string)series["state"]! == "ended")
        {
            terminal.Line($"  ended     {terminal.When(series["ended_at"])}: {series["end_reason"]}{((string?)series["end_note"] is { } note ? $", {note}" : "")}, after {series["made"]}");
        }
    }

    private static string On(JsonNode? moment, string zone) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var clock) && clock.Id != TimeZoneInfo.Local.Id && DateTimeOffset.TryParse((string?)moment, System.Globalization.CultureInfo.InvariantCulture, out var at)
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $" ({TimeZoneInfo.ConvertTime(at, clock):ddd d MMM HH:mm} in {zone})")
            : "";

    private static void Step(Terminal terminal, JsonObject step)
    {
        var delegates = Array(step, "delegates").ToDictionary(one => (string)one["approver"]!, one => (string)one["delegate"]!, StringComparer.Ordinal);
        var people = step["could"]!.AsArray().Select(who => (string)who!).Select(who => delegates.TryGetValue(who, out var stands) ? $"{who} (away: {stands})" : who);
        var later = (string)step["state"]! == "later" ? "  then    " : "  needs   ";
        terminal.Line($"{later}  {step["missing"]} yes from {step["name"]}: {string.Join(", ", people)}");
        if ((string?)step["step_up"] is { } stepUp)
        {
            terminal.Line($"  proof     {(stepUp == "passkey" ? "each yes is signed with a passkey, in a browser" : "each yes is given right after signing in")}");
        }

        if ((string?)step["lacking"] is { } lacking)
        {
            terminal.Line($"  stuck     {lacking}");
        }

        if (step["remind_at"] is not null)
        {
            terminal.Line($"  reminds   {terminal.When(step["remind_at"])}");
        }

        if (step["escalate_at"] is not null)
        {
            terminal.Line($"  escalates {terminal.When(step["escalate_at"])}, to {step["escalate_to"]}");
        }
        else if (step["escalated_at"] is not null)
        {
            terminal.Line($"  escalated {terminal.When(step["escalated_at"])}, to {step["escalate_to"]}");
        }
    }

    private static void Offer(Terminal terminal, JsonObject offer)
    {
        var comment = (string?)offer["comment"] is { Length: > 0 } words ? $": {words}" : "";
        var start = offer["start_at"] is null ? "" : $", from {terminal.When(offer["start_at"])}";
        terminal.Line($"  offer     {offer["by"]} offers {offer["role"]} for {Terminal.Seconds(offer["for_seconds"])}{start}{comment}");
        terminal.Line($"  take it   stint accept {offer["request"]} --offer {offer["id"]}   or   stint cancel {offer["request"]}");
    }

    public static void Grant(Terminal terminal, JsonObject grant)
    {
        var state = (string)grant["state"]!;
        terminal.Line($"{grant["id"]}  {grant["subject"]} at {grant["role"]}: {GrantState(terminal, grant)}");
        if (state is "ready" && grant["start_at"] is null)
        {
            terminal.Line($"  begins    with: {Begins(grant)} {grant["role"]}   (lapses {terminal.When(grant["lapses_at"])})");
        }

        if ((string?)grant["task"] is { } task && state is not ("closing" or "closed"))
        {
            terminal.Line($"  task      {task}, and it ends when that is done");
        }

        if (state is not ("closing" or "closed") && grant["authorization_details"] is JsonArray)
        {
            Exact.Show(line => terminal.Line(line), grant);
        }

        if ((string?)grant["trouble"] is { } trouble)
        {
            terminal.Line($"  trouble   {trouble}");
        }
    }

    /// <summary>The mark of an emergency; empty for what is none.</summary>
    public static string Glass(JsonObject item) => (bool?)item["break_glass"] == true ? " (BREAK-GLASS)" : "";

    /// <summary>How a grant that is ready begins: a right in Stint itself has nothing to connect to.</summary>
    public static string Begins(JsonObject grant) => (string?)grant["kind"] == StintRights.Kind ? "stint begin" : "stint connect";

    public static string GrantState(Terminal terminal, JsonObject grant) => StateOf(terminal, grant) + Glass(grant);

    private static string StateOf(Terminal terminal, JsonObject grant) => (string)grant["state"]! switch
    {
        "open" => $"open, ends {terminal.When(grant["not_after"])}",
        "ready" when grant["start_at"] is not null => $"ready, starts {terminal.When(grant["start_at"])}",
        "closing" or "closed" =>
            $"{grant["state"]}, {((string?)grant["end_reason"])?.Replace('_', ' ')} {terminal.When(grant["ended_at"])}"
            + ((string?)grant["end_note"] is { Length: > 0 } note ? $": {note}" : ""),
        var other => other,
    };

    /// <summary>What an asker could change so that the answer changes.</summary>
    public static void Remedies(Terminal terminal, JsonObject request)
    {
        foreach (var line in RemedyLines(request))
        {
            terminal.Line(line);
        }
    }

    public static IEnumerable<string> RemedyLines(JsonObject request)
    {
        foreach (var line in Array(request["verdict"] as JsonObject, "trace").Where(line => (string)line["outcome"]! is "decided" or "not_met" or "failed"))
        {
            yield return $"  rule      {line["rule"]}: {line["because"]}";
            if ((string?)line["remedy"] is { } remedy)
            {
                yield return $"  way out   {remedy}";
            }
        }
    }

    public static void Session(Terminal terminal, JsonObject session)
    {
        terminal.Line($"{session["id"]}  {session["subject"]} at {session["role"]} with {Or(session["application"], "an unnamed client")} from {session["from"]}{Glass(session)}");
        terminal.Line($"  grant     {session["grant"]} of {session["request"]}");
        terminal.Line($"  began     {terminal.When(session["started_at"])}");
        if (session["ended_at"] is not null)
        {
            terminal.Line($"  ended     {terminal.When(session["ended_at"])}, {((string?)session["end_reason"])?.Replace('_', ' ')}"
                + ((string?)session["end_note"] is { Length: > 0 } note ? $": {note}" : ""));
        }

        terminal.Line($"  ran       {Count((long?)session["statements"] ?? 0, "statement")}");
        if (session["recording"] is JsonObject recording)
        {
            terminal.Line($"  recording {recording["file"]}  {Count((long?)recording["records"] ?? 0, "record")}, sha256 {recording["hash"]}");
        }
    }

    public static IEnumerable<JsonObject> Array(JsonObject? parent, string name) =>
        (parent?[name] as JsonArray ?? []).OfType<JsonObject>();

    private static string Because(JsonObject request)
    {
        var verdict = request["verdict"] as JsonObject;
        var rules = string.Join(", ", (verdict?["decided_by"] as JsonArray ?? []).Select(rule => (string)rule!));
        return (string)request["state"]! switch
        {
            "approved" when (string?)verdict?["outcome"] == "allow" => $", by rule {rules}",
            "denied" or "cancelled" or "lapsed" when (string?)request["why"] is { Length: > 0 } why => $": {why}",
            _ => "",
        };
    }

    public static string Count(long count, string what, string? several = null) => count == 1 ? $"1 {what}" : $"{count} {several ?? what + "s"}";

    private static string Or(JsonNode? text, string absent) => (string?)text is { Length: > 0 } there ? there : absent;
}
