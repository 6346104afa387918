using System.CommandLine;
using System.Text.Json.Nodes;
using Stint.Server;

namespace Stint.Cli;

/// <summary>Running a server, and keeping one well. The only verbs that do more than speak HTTP.</summary>
internal static class ServeVerbs
{
    public static IEnumerable<Command> All() => [Serve(), Doctor(), Backup(), Restore(), Seal(), Drift()];

    private static Command Serve()
    {
        var place = new Place();
        var check = new Option<bool>("--check") { Description = "Check settings, catalog, keys and certificates, say every problem, and start nothing." };
        var listen = new Option<string?>("--listen") { Description = "Where the API listens.", HelpName = "ADDRESS:PORT" };
        var gateway = Gateway();
        var roles = new Option<string?>("--roles") { Description = "What this node does: control,gateway; or control; or gateway alone, which asks another node." };
        var command = new Command("serve", "Run the server.") { check, listen, gateway, roles };
        place.AddTo(command);
        return Verb.Does(command, (verb, cancellation) =>
        {
            var arguments = place.Read(verb) with { Listen = verb.Get(listen), GatewayListen = verb.Get(gateway), Roles = verb.Get(roles) };
            return verb.Get(check) ? StintServer.CheckAsync(arguments, cancellation) : StintServer.RunAsync(arguments, cancellation);
        });
    }

    private static Command Doctor()
    {
        var place = new Place();
        var gateway = Gateway();
        var command = new Command("doctor", "Say what is wrong with the installation on this machine, and what to do.") { gateway };
        place.AddTo(command);
        return Verb.Does(command, (verb, cancellation) => StintServer.DoctorAsync(place.Read(verb) with { GatewayListen = verb.Get(gateway) }, verb.Terminal.Json, cancellation));
    }

    private static Option<string?> Gateway() => new("--gateway-listen") { Description = "Where the PostgreSQL gateway listens.", HelpName = "ADDRESS:PORT" };

    private static Command Backup()
    {
        var place = new Place();
        var file = new Argument<string>("FILE") { Description = "Where to write; must not exist." };
        var command = new Command("backup", "Write a consistent copy of everything, while the server runs or not.") { file };
        place.AddTo(command);
        return Verb.Does(command, async (verb, cancellation) =>
        {
            var path = Path.GetFullPath(verb.Get(file));
            if (place.IsGiven(verb))
            {
                return await StintServer.BackupAsync(place.Read(verb), path, cancellation);
            }

            // The server on this machine writes it: with an embedded store, it alone may read the database.
            using var client = verb.Connect();
            var answer = await verb.Terminal.WaitAsync("Writing the backup", () => client.PostAsync("api/v1/admin/backup", new JsonObject { ["path"] = path }, cancellation));
            verb.Terminal.Answer(answer, () => verb.Terminal.Line($"Wrote {path} on the server's machine. The master key is not in it: keep that elsewhere."));
            return ExitCode.Ok;
        });
    }

    private static Command Restore()
    {
        var place = new Place();
        var file = new Argument<string>("FILE") { Description = "A backup." };
        var command = new Command("restore", "Bring a backup back into an empty data folder or store, and verify its log.") { file };
        place.AddTo(command);
        return Verb.Does(command, (verb, cancellation) => StintServer.RestoreAsync(place.Read(verb), Path.GetFullPath(verb.Get(file)), cancellation));
    }

    private static Command Seal()
    {
        var command = new Command("seal", "Seal a secret, read from standard input, for use in the catalog.");
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var secret = Console.IsInputRedirected
                ? (await Console.In.ReadToEndAsync(cancellation)).TrimEnd('\r', '\n')
                : Spectre.Console.AnsiConsole.Prompt(Spectre.Console.TextPromptExtensions.Secret(new Spectre.Console.TextPrompt<string>("Secret:"), null));
            if (secret.Length == 0)
            {
                throw new CommandFailed(ExitCode.Usage, "No secret was given.", "Pipe it in: stint seal < FILE");
            }

            var answer = await client.PostAsync("api/v1/admin/secrets/seal", new JsonObject { ["secret"] = secret }, cancellation);
            verb.Terminal.Answer(answer, () => Console.Out.WriteLine($"{{ sealed: '{answer["sealed"]}' }}"));
            return ExitCode.Ok;
        });
    }

    private static Command Drift()
    {
        return Verb.Asks(new Command("drift", "Compare every target with what shall stand there, both ways; changes nothing."), async (verb, client, cancellation) =>
        {
            var answer = await verb.Terminal.WaitAsync("Looking at every target", () => client.GetAsync("api/v1/admin/drift", cancellation));
            var items = Cards.Array(answer, "items").ToList();
            var failed = Cards.Array(answer, "failed").ToList();
            var fine = items.Count + failed.Count == 0;
            verb.Terminal.Answer(answer, () =>
            {
                verb.Terminal.Verdict(fine, fine ? "Every target is as it should be." : $"{Cards.Count(items.Count, "account")} not as it should be, {Cards.Count(failed.Count, "target")} not reached:");
                items.ForEach(item => verb.Terminal.Line($"  {item["resource"]}: {item["account"]} {item["what"]}"));
                failed.ForEach(item => verb.Terminal.Line($"  {item["resource"]}: {item["why"]}"));
            });
            return fine ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    /// <summary>Which installation: the flags that <c>serve</c>, <c>doctor</c>, <c>backup</c> and <c>restore</c> share.</summary>
    private sealed class Place
    {
        private readonly Option<string?> _config = new("--config") { Description = "Settings (JSON); else STINT_CONFIG.", HelpName = "FILE" };
        private readonly Option<string?> _data = new("--data") { Description = "Folder of the data; ./stint-data when nothing says otherwise.", HelpName = "FOLDER" };
        private readonly Option<string?> _catalog = new("--catalog") { Description = "Folder of the catalog.", HelpName = "FOLDER" };
        private readonly Option<string?> _store = new("--store") { Description = "sqlite or postgres." };
        private readonly Option<string?> _storeUrl = new("--store-url") { Description = "Connection string of a PostgreSQL store; better in the settings file or STINT_STORE_URL, where a list of processes does not show it." };

        public void AddTo(Command command)
        {
            foreach (var option in (Option[])[_config, _data, _catalog, _store, _storeUrl])
            {
                command.Add(option);
            }
        }

        public bool IsGiven(Verb verb) => verb.Get(_config) is not null || verb.Get(_data) is not null || verb.Get(_storeUrl) is not null;

        public ServeArguments Read(Verb verb) => new()
        {
            Json = verb.Terminal.Json,
            Config = verb.Get(_config),
            Data = verb.Get(_data),
            Catalog = verb.Get(_catalog),
            Store = verb.Get(_store),
            StoreUrl = verb.Get(_storeUrl),
        };
    }
}
