using System.Text.Json.Nodes;
using Stint.Connectors;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Hosting;

/// <summary>Checks everything that can be checked without starting.</summary>
internal static class ServeCheck
{
    public static int Run(ServeArguments arguments, OptionsReading reading)
    {
        var warnings = new List<string>();
        var problems = reading.Problems.Select(problem => problem.ToString()).ToList();
        if (reading.Options is { } options)
        {
            Certificate(options, problems);
            if (options.Control is null)
            {
                Key(options, arguments, problems);
                Catalog(options, problems, warnings);
            }
        }

        if (!arguments.Json)
        {
            foreach (var line in warnings.Select(warning => $"warning: {warning}").Concat(problems))
            {
                StintServer.Errors(arguments).WriteLine(line);
            }
        }

        StintServer.Answer(
            arguments,
            new JsonObject { ["ok"] = problems.Count == 0, ["problems"] = Texts(problems), ["warnings"] = Texts(warnings) },
            problems.Count == 0 ? reading.Options?.Control is null ? "The configuration and the catalog are good." : "The configuration is good." : $"{problems.Count} {(problems.Count == 1 ? "problem" : "problems")}.");
        return problems.Count == 0 ? 0 : 1;
    }

    private static JsonArray Texts(List<string> lines) => [.. lines.Select(line => JsonValue.Create(line))];

    private static void Catalog(ServerOptions options, List<string> problems, List<string> warnings)
    {
        var load = CatalogFolder.Load(options.Catalog, ConnectorList.All);
        problems.AddRange(load.Errors.Select(problem => problem.ToString()));
        warnings.AddRange(load.Warnings.Select(warning => warning.ToString()));
    }

    private static void Key(ServerOptions options, ServeArguments arguments, List<string> problems)
    {
        try
        {
            if (options.MasterKey.Env is { } name)
            {
                MasterKey.Parse(StintServer.Variables(arguments).GetValueOrDefault(name, ""), $"The variable {name}");
            }
            else if (File.Exists(options.MasterKey.File))
            {
                MasterKey.FromFile(options.MasterKey.File, mayMake: false);
            }
        }
        catch (StoreSetupException e)
        {
            problems.Add(e.Message);
        }

        if (Directory.Exists(options.Data) && DataFolder.IsOpenToOthers(options.Data))
        {
            problems.Add($"{options.Data}: others than the server may look into the data folder. Run: chmod 700 '{options.Data}'");
        }
    }

    private static void Certificate(ServerOptions options, List<string> problems)
    {
        var files = CertificateHolder.SelfMadeFiles(options.Data);
        if (File.Exists(files.Certificate) && (options.Web.Certificate is null || options.Gateway.Certificate is null))
        {
            if (CertificateFile.TryLoad(files, out var trouble, selfMade: true) is { } loaded)
            {
                loaded.Dispose();
            }
            else
            {
                problems.Add($"The self-made certificate {trouble}");
            }
        }
    }
}
