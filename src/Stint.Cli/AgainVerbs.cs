using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Asking again: what was asked last, or what is kept under a name.</summary>
internal sealed class Again
{
    public Option<string?> Repeat { get; } = new("--again")
    {
        Description = "Ask again: what you keep under this name, or what you asked last for this role or bundle; without a name, whatever you asked last. Other options replace its parts.",
        HelpName = "NAME",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public Option<string?> Save { get; } = new("--save") { Description = "Keep this asking under a name of yours, too.", HelpName = "NAME" };

    public Option<bool> List { get; } = new("--saved") { Description = "Only list what you keep." };

    public Option<string?> Forget { get; } = new("--forget") { Description = "Only forget what you keep under this name.", HelpName = "NAME" };

    public void AddTo(Command command)
    {
        Repeat.CompletionSources.Add(Suggest.Saved);
        Forget.CompletionSources.Add(Suggest.Saved);
        command.Add(Repeat);
        command.Add(Save);
        command.Add(List);
        command.Add(Forget);
    }

    /// <summary>Lists or forgets, when that is all that is wanted; null when something shall be asked.</summary>
    public async Task<int?> KeepAsync(Verb verb, StintClient client, string? what, CancellationToken cancellation)
    {
        if (!verb.Get(List) && verb.Get(Forget) is null)
        {
            return null;
        }

        if (what is not null || verb.Has(Repeat) || verb.Get(Save) is not null || (verb.Get(List) && verb.Get(Forget) is not null))
        {
            throw new CommandFailed(ExitCode.Usage, "--saved and --forget ask for nothing, and stand alone.", "See: stint request --help");
        }

        if (verb.Get(Forget) is { } name)
        {
            var gone = await client.DeleteAsync($"api/v1/requests/saved/{Uri.EscapeDataString(name)}", cancellation);
            verb.Terminal.Answer(gone, () => verb.Terminal.Line($"{name} is forgotten; it asked for {What(gone)}."));
            return ExitCode.Ok;
        }

        var all = await client.ListAsync("api/v1/requests/saved", 200, cancellation);
        verb.Terminal.AnswerList(
            all,
            "You keep nothing. 'stint request ROLE --save NAME' keeps an asking.",
            ["NAME", "ASKS FOR", "FOR", "TICKET", "WHY"],
            one => [(string)one["name"]!, What(one), one["for_seconds"] is null ? "-" : Terminal.Seconds(one["for_seconds"]), (string?)one["ticket"] ?? "-", (string?)one["reason"] ?? ""]);
        return ExitCode.Ok;
    }

    /// <summary>The asking that is repeated, with what the other options replace of it; or the new one, as it is.</summary>
    /// <param name="verb">The command line.</param>
    /// <param name="client">The server.</param>
    /// <param name="what">The role or bundle that was named; null for none.</param>
    /// <param name="body">What the other options say.</param>
    /// <param name="cancellation">Stop.</param>
    /// <returns>A body with <c>role</c> or <c>bundle</c>.</returns>
    public async Task<JsonObject> BodyAsync(Verb verb, StintClient client, string? what, JsonObject body, CancellationToken cancellation)
    {
        body.Remove("role");
        if (verb.Has(Repeat))
        {
            if (what is not null && verb.Get(Repeat) is not null)
            {
                throw new CommandFailed(ExitCode.Usage, "Say once what to ask again.", "stint request --again NAME, or stint request ROLE --again");
            }

            var last = await client.GetAsync("api/v1/requests/again" + RequestVerbs.Query(("what", what ?? verb.Get(Repeat))), cancellation);
            foreach (var (key, value) in last.Where(part => part.Key != "name" && part.Value is not null && !body.ContainsKey(part.Key)))
            {
                body[key] = value!.DeepClone();
            }
        }
        else
        {
            body[BundleVerbs.IsBundle(what!) ? "bundle" : "role"] = what;
        }

        if (verb.Get(Save) is { } name)
        {
            if (body.ContainsKey("authorization_details"))
            {
                throw new CommandFailed(ExitCode.Usage, "Exact statements are not kept to be asked for again.", "Leave --save out; keep them in a file, and ask with --statements-file.");
            }

            var kept = new JsonObject();
            foreach (var (key, value) in body.Where(part => part.Key is "role" or "bundle" or "for_seconds" or "reason" or "ticket"))
            {
                kept[key] = value?.DeepClone();
            }

            await client.PutAsync($"api/v1/requests/saved/{Uri.EscapeDataString(name)}", kept, cancellation);
            verb.Terminal.Aside($"Kept as {name}. Ask again: stint request --again {name}");
        }

        return body;
    }

    private static string What(JsonObject saved) => (string?)saved["role"] ?? (string?)saved["bundle"] ?? "";
}
