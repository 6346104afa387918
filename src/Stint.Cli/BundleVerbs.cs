using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Asking for several roles at once, and seeing what became of each. A name without a slash is a bundle's.</summary>
internal static class BundleVerbs
{
    /// <summary>Whether what somebody asks for is a bundle and not a role.</summary>
    public static bool IsBundle(string what) => !what.Contains('/', StringComparison.Ordinal);

    /// <summary>Where the thing that an id names is answered: a request, or an asking for a bundle.</summary>
    public static string Path(string id) =>
        (id.StartsWith("bu-", StringComparison.Ordinal) ? "api/v1/requests/bundles/" : "api/v1/requests/") + Uri.EscapeDataString(id);

    /// <summary>Says what an asking would come to.</summary>
    public static async Task<int> PreviewAsync(Verb verb, StintClient client, JsonObject body, CancellationToken cancellation)
    {
        body.Remove("wait");
        var preview = await PostAsync(client, "api/v1/requests/bundles/preview", body, cancellation);
        verb.Terminal.Answer(preview, () => BundleCards.Preview(verb.Terminal, preview));
        return Cards.Array(preview, "roles").All(role => (string?)role["verdict"]?["outcome"] == "deny") ? ExitCode.Denied : ExitCode.Ok;
    }

    /// <summary>What belongs to the asking for one role is refused before anything is asked: whoever calls an emergency must not get an everyday asking.</summary>
    /// <exception cref="CommandFailed">The asking says something that a bundle does not take.</exception>
    public static void OnlyWhatABundleTakes(JsonObject body, bool glass)
    {
        List<string> not = [.. glass ? ["--break-glass"] : (string[])[], .. body.ContainsKey("task") ? ["--task"] : (string[])[], .. body.ContainsKey("authorization_details") ? ["--statement"] : (string[])[], .. body.ContainsKey("recurrence") ? ["--every"] : (string[])[]];
        if (not.Count > 0)
        {
            throw new CommandFailed(ExitCode.Usage, $"A bundle is not asked for with {string.Join(" and ", not)}.", "Ask for the one role that it is about: stint request RESOURCE/ROLE.");
        }
    }

    /// <summary>Asks, waits when told to, shows what came of each role.</summary>
    public static async Task<int> SubmitAsync(Verb verb, StintClient client, JsonObject body, bool wait, string? timeout, CancellationToken cancellation)
    {
        var asked = await PostAsync(client, "api/v1/requests/bundles", body, cancellation);
        if (wait)
        {
            var until = timeout is null ? DateTimeOffset.MaxValue : verb.Terminal.Now.AddSeconds(Asking.Duration(timeout));
            asked = await Asking.DecidedAsync(verb, client, asked, until, cancellation);
            foreach (var grant in Cards.Array(asked, "roles").Select(role => role["grant"] as JsonObject).OfType<JsonObject>().Where(grant => grant["start_at"] is null))
            {
                await Asking.OpenedAsync(verb, client, grant, until, cancellation);
            }

            asked = await client.GetAsync(Path((string)asked["id"]!), cancellation);
        }

        verb.Terminal.Answer(asked, () => BundleCards.Asking(verb.Terminal, asked));
        return (string)asked["state"]! switch
        {
            "denied" or "cancelled" or "lapsed" => ExitCode.Denied,
            _ when wait && Cards.Array(asked, "roles").Any(role => (string?)role["grant"]?["end_reason"] is not null) => ExitCode.Failed,
            _ => ExitCode.Ok,
        };
    }

    /// <summary>Whoever forgot a role's slash is told what a name without one means.</summary>
    private static async Task<JsonObject> PostAsync(StintClient client, string path, JsonObject body, CancellationToken cancellation)
    {
        try
        {
            return await client.PostAsync(path, body, cancellation);
        }
        catch (CommandFailed none) when (none.Code == ExitCode.NotFound)
        {
            throw new CommandFailed(none.Code, none.Message, "A name without a slash is a bundle's; a role is written RESOURCE/ROLE. See: stint ls", none.Problem);
        }
    }

    /// <summary>The askings for bundles that some requests are a part of, each once.</summary>
    public static async Task<JsonArray> OfAsync(StintClient client, IEnumerable<JsonObject> requests, CancellationToken cancellation)
    {
        var found = new JsonArray();
        foreach (var id in requests.Select(request => (string?)request["bundle"]).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            found.Add((JsonNode)await client.GetAsync(Path(id), cancellation));
        }

        return found;
    }

    /// <summary>The bundles that somebody may ask for, those with all the words of a search.</summary>
    public static async Task<List<JsonObject>> ListAsync(StintClient client, string? search, CancellationToken cancellation)
    {
        var words = (search ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        List<JsonObject> all;
        try
        {
            all = await client.ListAsync("api/v1/bundles", 1000, cancellation);
        }
        catch (CommandFailed failed) when (failed.Code == ExitCode.Denied)
        {
            // A workload asks for roles alone.
            return [];
        }

        return all.FindAll(bundle => words.All(word =>
            $"{bundle["name"]} {bundle["description"]} {string.Join(' ', bundle["roles"]!.AsArray())}".Contains(word, StringComparison.OrdinalIgnoreCase)));
    }
}
