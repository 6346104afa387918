using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Plans and changes of the catalog, told to a person.</summary>
internal static class CatalogCards
{
    /// <summary>What a plan says, in words.</summary>
    public static void Plan(Terminal terminal, JsonObject plan)
    {
        foreach (var problem in Cards.Array(plan, "errors").Select(Problem))
        {
            terminal.Line(problem);
        }

        foreach (var warning in Cards.Array(plan, "warnings").Select(Problem))
        {
            terminal.Line($"{warning} (warning)");
        }

        if (plan["ok"] is { } ok && !(bool)ok)
        {
            terminal.Verdict(false, "The catalog has problems and could not take effect.");
            return;
        }

        if ((bool)plan["nothing"]!)
        {
            terminal.Verdict(true, "Nothing changes: these files are the catalog that counts.");
            return;
        }

        List(terminal, "In the files:", Cards.Array(plan, "changes"));
        List(terminal, "Who may what:", Cards.Array(plan, "access"));
        var consequences = plan["consequences"] as JsonObject;
        var items = Cards.Array(consequences, "items").ToList();
        if (items.Count > 0)
        {
            terminal.Line("What stands now:");
            items.ForEach(item => terminal.Line($"  {item["id"]}  {item["subject"]} at {item["role"]} {Fate((string)item["what"]!)}: {item["because"]}"));
        }

        if (((long?)plan["left_out"] ?? 0) + ((long?)consequences?["left_out"] ?? 0) is > 0 and var more)
        {
            terminal.Line($"… and {more} more");
        }

        if (Cards.Array(plan, "access").ToList().Count == 0)
        {
            terminal.Line("Nobody gains or loses anything.");
        }

        if (plan["needs_approval"] is { } needs && (bool)needs)
        {
            terminal.Line($"It needs {string.Join(" and ", Cards.Array(plan, "approvals").Select(step => $"{step["need"]} yes from {step["name"]}"))}.");
        }
    }

    /// <summary>A change, its answers, and what it changes where that is known.</summary>
    public static void Change(Terminal terminal, JsonObject change)
    {
        terminal.Line($"{change["id"]}  {change["proposed_by"]} proposes {((string)change["target"]!)[..12]} in place of {((string)change["base"]!)[..12]}");
        if ((string?)change["note"] is { Length: > 0 } note)
        {
            terminal.Line($"  note      {note}");
        }

        if ((string?)change["commit"] is { } commit)
        {
            terminal.Line($"  commit    {commit}{((bool)change["dirty"]! ? ", changed since" : "")} by {(string?)change["author"] ?? "an unknown author"}");
        }

        terminal.Line($"  state     {change["state"]}{((string?)change["why"] is { Length: > 0 } why ? $": {why}" : "")}");
        foreach (var answer in Cards.Array(change, "answers"))
        {
            terminal.Line($"  {((bool)answer["yes"]! ? "yes" : "no"),-8}  {answer["by"]}, {terminal.When(answer["at"])}{((string?)answer["comment"] is { Length: > 0 } words ? $": {words}" : "")}");
        }

        if ((string)change["state"]! == "pending")
        {
            foreach (var step in Cards.Array(change, "steps").Where(step => (int)step["missing"]! > 0))
            {
                terminal.Line($"  needs     {step["missing"]} yes from {step["name"]}: {string.Join(", ", step["approvers"]!.AsArray().Select(who => (string)who!))}");
                if ((string?)step["step_up"] is { } stepUp)
                {
                    terminal.Line($"  proof     {(stepUp == "passkey" ? "each yes is signed with a passkey, in a browser" : "each yes is given right after signing in")}");
                }
            }

            terminal.Line($"  lapses    {terminal.When(change["lapses_at"])}");
        }

        terminal.Line($"  digest    {change["digest"]}");
        if (change["plan"] is JsonObject plan)
        {
            Plan(terminal, plan);
        }
    }

    private static void List(Terminal terminal, string title, IEnumerable<JsonObject> items)
    {
        var lines = items.Select(item => (string)item["sentence"]!).ToList();
        if (lines.Count > 0)
        {
            terminal.Line(title);
            lines.ForEach(line => terminal.Line("  " + line));
        }
    }

    private static string Problem(JsonObject problem) => new Core.Catalog.CatalogProblem(
        (string)problem["file"]!, (int)problem["line"]!, (int)problem["column"]!, (string)problem["what"]!, (string?)problem["way_out"]).ToString();

    private static string Fate(string what) => what switch
    {
        "ends" => "ends at once",
        "falls" => "would not open any more",
        "keeps" => "would not be given again",
        _ => what,
    };
}
