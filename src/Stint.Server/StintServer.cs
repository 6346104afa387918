using System.Collections;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Hosting;
using Stint.Server.Store;
using Stint.Server.Store.Backup;

namespace Stint.Server;

/// <summary>What the command line can have done by the server: run it, check it, examine it, save it, bring it back.</summary>
public static class StintServer
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Runs the server until it is told to stop (SIGTERM, SIGINT, or the token). SIGHUP reads the catalog and the certificates again.</summary>
    /// <returns>0 after a clean stop; 1 when the configuration is wrong, the server cannot start, or something broke.</returns>
    public static async Task<int> RunAsync(ServeArguments arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        if (Read(arguments) is not { } options)
        {
            return 1;
        }

        return await TellAsync(arguments, async () =>
        {
            if (options.Control is not null)
            {
                return await GatewayNode.RunAsync(options, arguments, cancellation);
            }

            await using var node = await ServerNode.StartAsync(options, arguments, cancellation);
            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var reload = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                node.Reload();
            });
            Output(arguments).WriteLine(node.ReadyLine);
            await Output(arguments).FlushAsync(cancellation);
            return await node.RunAsync(cancellation);

            void Stop(PosixSignalContext context)
            {
                context.Cancel = true;
                node.State.Stop();
            }
        });
    }

    /// <summary>Checks everything that can be checked without starting: settings, catalog, keys, certificates.</summary>
    /// <returns>0 when all is well, 1 otherwise; every problem is printed.</returns>
    public static Task<int> CheckAsync(ServeArguments arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return Task.FromResult(ServeCheck.Run(arguments, Reading(arguments)));
    }

    /// <summary>Says what is wrong with this installation, in words. Works beside a running server, and without one.</summary>
    /// <param name="arguments">As for serving.</param>
    /// <param name="json">One JSON object instead of lines.</param>
    /// <param name="cancellation">Ends the examination.</param>
    /// <returns>0 when nothing is wrong, 1 otherwise.</returns>
    public static Task<int> DoctorAsync(ServeArguments arguments, bool json, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return Doctor.RunAsync(arguments, Reading(arguments), json, Output(arguments), cancellation);
    }

    /// <summary>Writes a consistent copy of everything that is needed to bring this installation back, when no server runs on it; a running one does it through the API.</summary>
    /// <param name="arguments">As for serving.</param>
    /// <param name="path">File to write; must not exist.</param>
    /// <param name="cancellation">Ends it; what was written is then no backup.</param>
    /// <returns>0 when the backup is whole; 1 otherwise.</returns>
    public static Task<int> BackupAsync(ServeArguments arguments, string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return ReadForStore(arguments) is { } options
            ? TellAsync(arguments, () => Backups.SaveAsync(options, arguments, path, cancellation))
            : Task.FromResult(1);
    }

    /// <summary>Brings a backup back into an empty data folder or store, and verifies its audit log.</summary>
    /// <param name="arguments">As for serving; its data folder is where to.</param>
    /// <param name="path">The backup.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>0 when all is there and nothing speaks against the log (without the master key its signature is not checked, and it says so); 1 otherwise.</returns>
    public static Task<int> RestoreAsync(ServeArguments arguments, string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return ReadForStore(arguments) is { } options
            ? TellAsync(arguments, () => Backups.RestoreAsync(options, arguments, path, cancellation))
            : Task.FromResult(1);
    }

    /// <summary>Loads a catalog from its folder, as the server would. Every problem is in the answer.</summary>
    public static CatalogLoad LoadCatalog(string folder) => CatalogFolder.Load(folder, ConnectorList.All);

    /// <summary>Commit and author of the checkout that a folder stands in, as git says; nothing is proved by it.</summary>
    public static Task<CatalogOrigin> OriginAsync(string folder, CancellationToken cancellation) => Checkout.OfAsync(folder, cancellation);

    /// <summary>The JSON schema of a catalog, for editors.</summary>
    public static string CatalogSchema() => Core.Catalog.CatalogSchema.Json(ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal));

    internal static TextWriter Output(ServeArguments arguments) => arguments.Output ?? Console.Out;

    internal static TextWriter Errors(ServeArguments arguments) => arguments.Errors ?? Console.Error;

    internal static IReadOnlyDictionary<string, string> Variables(ServeArguments arguments) => arguments.Environment
        ?? Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal);

    /// <summary>The answer of a command: a JSON object for a script, sentences for a person.</summary>
    internal static void Answer(ServeArguments arguments, JsonObject json, params IEnumerable<string> sentences)
    {
        if (arguments.Json)
        {
            Output(arguments).WriteLine(json.ToJsonString(Readable));
            return;
        }

        foreach (var sentence in sentences)
        {
            Output(arguments).WriteLine(sentence);
        }
    }

    private static OptionsReading Reading(ServeArguments arguments, bool needsCatalog = true) => OptionsReader.Read(arguments, Variables(arguments), needsCatalog);

    /// <summary>The configuration; null when it is wrong, and then every problem was printed.</summary>
    private static ServerOptions? Read(ServeArguments arguments, bool needsCatalog = true)
    {
        var reading = Reading(arguments, needsCatalog);
        if (reading.Options is null)
        {
            Fail(arguments, "The configuration is wrong.", [.. reading.Problems.Select(problem => problem.ToString())]);
        }

        return reading.Options;
    }

    private static ServerOptions? ReadForStore(ServeArguments arguments)
    {
        var options = Read(arguments, needsCatalog: false);
        if (options?.Control is null)
        {
            return options;
        }

        Fail(arguments, $"This node is a gateway and nothing else; it has no store. Save and restore at its control plane, {options.Control.Url}.", []);
        return null;
    }

    private static void Fail(ServeArguments arguments, string title, IReadOnlyList<string> problems)
    {
        if (arguments.Json)
        {
            Answer(arguments, new JsonObject { ["title"] = title, ["problems"] = new JsonArray([.. problems.Select(problem => JsonValue.Create(problem))]), ["exit_code"] = 1 });
            return;
        }

        foreach (var problem in problems.DefaultIfEmpty(title))
        {
            Errors(arguments).WriteLine(problem);
        }
    }

    private static async Task<int> TellAsync(ServeArguments arguments, Func<Task<int>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e) when (e is StartException or StoreSetupException or StoreUnavailableException or LogTamperedException or BackupException or IOException or UnauthorizedAccessException)
        {
            Fail(arguments, e.Message, []);
            return 1;
        }
    }
}
