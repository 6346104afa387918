using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>A bundle, told role by role.</summary>
internal static class BundleCards
{
    public static void Asking(Terminal terminal, JsonObject asking)
    {
        var length = asking["for_seconds"] is null ? "" : $" for {Terminal.Seconds(asking["for_seconds"])}";
        terminal.Line($"{asking["id"]}  {asking["subject"]} asks for the bundle {asking["bundle"]}{length}");
        if ((string?)asking["reason"] is { Length: > 0 } reason)
        {
            terminal.Line($"  why       {reason}");
        }

        if ((string?)asking["ticket"] is { } ticket)
        {
            terminal.Line($"  ticket    {ticket}");
        }

        if (asking["start_at"] is not null)
        {
            terminal.Line($"  starts    {terminal.When(asking["start_at"])}");
        }

        terminal.Line($"  asked     {terminal.When(asking["asked_at"])}");
        terminal.Line($"  state     {State(asking)}");
        foreach (var role in Cards.Array(asking, "roles"))
        {
            Role(terminal, role);
        }

        LeftOut(terminal, asking);
        Cards.Answers(terminal, asking);
        if ((string)asking["state"]! == "pending")
        {
            Cards.Waiting(terminal, asking);
        }
    }

    public static void Preview(Terminal terminal, JsonObject preview)
    {
        foreach (var role in Cards.Array(preview, "roles"))
        {
            var verdict = role["verdict"]!.AsObject();
            terminal.Line((string)verdict["outcome"]! switch
            {
                "allow" => $"{role["role"]}: at once, by rule, for {Terminal.Seconds(role["for_seconds"])}",
                "needs_approval" => $"{role["role"]}: with approval, for {Terminal.Seconds(role["for_seconds"])}",
                _ => $"{role["role"]}: no: {verdict["because"]}",
            });
            if ((string)verdict["outcome"]! == "deny")
            {
                Cards.Remedies(terminal, role);
            }
        }

        LeftOut(terminal, preview);
        var steps = Cards.Array(preview, "steps").ToList();
        if (steps.Count > 0)
        {
            terminal.Line("One answer counts for all that need one:");
        }

        foreach (var step in steps)
        {
            terminal.Line($"  {step["need"]} yes from {step["name"]}: {string.Join(", ", step["approvers"]!.AsArray().Select(who => (string)who!))}");
        }
    }

    private static void Role(Terminal terminal, JsonObject role)
    {
        var how = (string)role["state"]! switch
        {
            "pending" => "waits for a yes",
            "approved" => (string?)role["verdict"]?["outcome"] == "allow" ? "approved by rule" : "approved",
            var other => (string?)role["why"] is { Length: > 0 } why ? $"{other}: {why}" : other,
        };
        var length = (string)role["state"]! is "pending" or "approved" ? $" for {Terminal.Seconds(role["for_seconds"])}" : "";
        terminal.Line($"  role      {role["role"]}{length}: {how}");
        if ((string)role["state"]! == "denied")
        {
            Cards.Remedies(terminal, role);
        }

        if (role["grant"] is JsonObject grant)
        {
            var begins = (string)grant["state"]! == "ready" && grant["start_at"] is null ? $"   begins with: {Cards.Begins(grant)} {role["role"]}" : "";
            terminal.Line($"  grant     {grant["id"]}: {Cards.GrantState(terminal, grant)}{begins}");
        }
    }

    private static void LeftOut(Terminal terminal, JsonObject of)
    {
        if ((int?)of["left_out"] is > 0 and var count)
        {
            terminal.Line($"  besides   {Cards.Count(count, "role")} of this bundle {(count == 1 ? "is" : "are")} not for {(string?)of["subject"] ?? "you"}");
        }
    }

    private static string State(JsonObject asking)
    {
        var roles = Cards.Array(asking, "roles").ToList();
        var approved = roles.Count(role => (string)role["state"]! == "approved");
        return (string)asking["state"]! == "partial" ? $"partial: {approved} of {roles.Count} roles approved" : (string)asking["state"]!;
    }
}
