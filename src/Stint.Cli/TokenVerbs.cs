using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Tokens: a person's, whose hash the catalog keeps, and the static ones of workloads.</summary>
internal static class TokenVerbs
{
    public static IEnumerable<Command> All() => [Token()];

    private static Command Token() =>
        Verb.Does(new Command("token", "Make a token for a person, and the hash that goes into the catalog; or keep those of workloads.") { Create(), List(), Revoke() }, (verb, _) =>
        {
            var token = "stp_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
            var hash = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
            verb.Terminal.Answer(new JsonObject { ["token"] = token, ["hash"] = hash }, () =>
            {
                Console.Out.WriteLine($"token  {token}");
                Console.Out.WriteLine($"hash   {hash}");
                verb.Terminal.Aside("The token goes to the person, this once. The hash goes into the catalog: people: { NAME: { token: HASH } }.");
            });
            return Task.FromResult(ExitCode.Ok);
        });

    private static Command Create()
    {
        var workload = new Option<string>("--workload") { Description = "Whose, as the catalog names it.", HelpName = "NAME", Required = true };
        var scope = new Option<string[]>("--scope") { Description = "What it may ask for: RESOURCE/ROLE, with * for any part of a name. Several times for several.", HelpName = "ROLE", Required = true, AllowMultipleArgumentsPerToken = true };
        var expires = new Option<string>("--expires") { Description = "How long it counts, such as 30d; at most 366d.", HelpName = "DURATION", Required = true };
        return Verb.Asks(new Command("create", "Make a static token for a workload that no platform gives one to.") { workload, scope, expires }, async (verb, client, cancellation) =>
        {
            var name = verb.Get(workload);
            var body = new JsonObject
            {
                ["workload"] = name.StartsWith("workload:", StringComparison.Ordinal) ? name["workload:".Length..] : name,
                ["scope"] = new JsonArray([.. verb.Get(scope).Select(one => (JsonNode)one)]),
                ["expires_in_seconds"] = Asking.Duration(verb.Get(expires)),
            };
            var made = await client.PostAsync("api/v1/tokens", body, cancellation);
            verb.Terminal.Answer(made, () =>
            {
                Console.Out.WriteLine((string)made["secret"]!);
                verb.Terminal.Aside($"{made["token"]!["id"]} of {made["token"]!["workload"]}, until {verb.Terminal.When(made["token"]!["expires_at"])}. Shown this once: give it to the machine as STINT_TOKEN.");
            });
            return ExitCode.Ok;
        });
    }

    private static Command List() =>
        Verb.Asks(new Command("ls", "List the static tokens of workloads: how they begin, when they were used last, when they end."), async (verb, client, cancellation) =>
        {
            var page = await client.GetAsync("api/v1/tokens", cancellation);
            var items = page["items"]!.AsArray().Select(item => item!.AsObject()).ToList();
            verb.Terminal.AnswerList(
                items,
                "There are no static tokens that you keep.",
                ["TOKEN", "BEGINS", "WORKLOAD", "SCOPE", "LAST USE", "ENDS"],
                token =>
                [
                    (string)token["id"]!,
                    $"{token["prefix"]}…",
                    (string)token["workload"]!,
                    string.Join(' ', token["scope"]!.AsArray().Select(one => (string)one!)),
                    token["used_at"] is null ? "never" : verb.Terminal.When(token["used_at"]),
                    token["revoked_at"] is null ? verb.Terminal.When(token["expires_at"]) : "revoked",
                ]);
            return ExitCode.Ok;
        });

    private static Command Revoke()
    {
        var id = new Argument<string>("TOKEN") { Description = "Its name, as stint token ls gives it." };
        id.CompletionSources.Add(context => Suggest.Ids(context, "api/v1/tokens"));
        return Verb.Asks(new Command("revoke", "Revoke a static token, for good.") { id }, async (verb, client, cancellation) =>
        {
            var revoked = await client.PostAsync($"api/v1/tokens/{Uri.EscapeDataString(verb.Get(id))}/revoke", [], cancellation);
            verb.Terminal.Answer(revoked, () => verb.Terminal.Line($"{revoked["id"]} lets in nobody any more."));
            return ExitCode.Ok;
        });
    }
}
