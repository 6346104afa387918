using System.Text.Json.Nodes;
using Stint.Core.Catalog;
using Stint.Server;

namespace Stint.Cli;

/// <summary>A catalog's files on their way between a folder, a saved plan and the server.</summary>
internal static class CatalogFolders
{
    private const string PlanFormat = "stint-plan-1";

    /// <summary>Reads a folder as the server would.</summary>
    /// <exception cref="CommandFailed">It has problems; every one was told.</exception>
    public static LoadedCatalog Load(Verb verb, string folder)
    {
        var load = StintServer.LoadCatalog(folder);
        if (load.Catalog is { } catalog)
        {
            return catalog;
        }

        if (!verb.Terminal.Json)
        {
            foreach (var problem in load.Errors)
            {
                verb.Terminal.Line(problem.ToString());
            }
        }

        throw new CommandFailed(
            ExitCode.Failed,
            $"The catalog in {folder} has {Cards.Count(load.Errors.Count, "error")}.",
            "See: stint catalog check",
            new JsonObject { ["title"] = "The catalog has problems", ["errors"] = new JsonArray([.. load.Errors.Select(error => (JsonNode)error.ToString())]) });
    }

    /// <summary>What a body says of files: <c>files</c>, and where they came from.</summary>
    public static async Task<JsonObject> BodyAsync(string folder, CatalogSource source, bool withOrigin, CancellationToken cancellation)
    {
        var body = new JsonObject { ["files"] = new JsonArray([.. source.Files.Select(file => new JsonObject { ["name"] = file.Name, ["text"] = file.Text })]) };
        if (withOrigin && await StintServer.OriginAsync(folder, cancellation) is { Commit: not null } origin)
        {
            (body["commit"], body["author"], body["dirty"]) = (origin.Commit, origin.Author, origin.Dirty);
        }

        return body;
    }

    /// <summary>Keeps a plan in a file that only its user reads: it holds the whole catalog.</summary>
    public static async Task SaveAsync(string path, JsonObject body, JsonObject plan, CancellationToken cancellation)
    {
        var kept = body.DeepClone().AsObject();
        (kept["format"], kept["base"], kept["version"], kept["losers"]) = (PlanFormat, (string?)plan["base"], (string?)plan["version"], (int?)plan["losers"]);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using var file = new FileStream(path, options);
            await using var writer = new StreamWriter(file);
            await writer.WriteAsync(kept.ToJsonString().AsMemory(), cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Failed, $"The plan cannot be written to {path}: {e.Message}");
        }
    }

    /// <summary>A plan that was kept, as the body of applying it.</summary>
    public static async Task<JsonObject> ReadPlanAsync(string path, CancellationToken cancellation)
    {
        try
        {
            if (JsonNode.Parse(await File.ReadAllTextAsync(path, cancellation)) is JsonObject kept && (string?)kept["format"] == PlanFormat && kept["files"] is JsonArray && kept["base"] is not null)
            {
                foreach (var name in (string[])["format", "version", "losers"])
                {
                    kept.Remove(name);
                }

                return kept;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Usage, $"{path} cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            // Said below: it is no plan.
        }

        throw new CommandFailed(ExitCode.Usage, $"{path} is not a plan.", "Make one with: stint catalog plan FOLDER --out FILE");
    }

    /// <summary>Writes an exported version into a folder that holds nothing yet.</summary>
    public static async Task<int> WriteAsync(string folder, JsonObject export, CancellationToken cancellation)
    {
        var root = Path.GetFullPath(folder);
        if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any())
        {
            throw new CommandFailed(ExitCode.Usage, $"{root} is not empty.", "Name a folder that is not there yet, or an empty one.");
        }

        var files = Cards.Array(export, "files").ToList();
        try
        {
            foreach (var file in files)
            {
                var path = Path.GetFullPath(Path.Combine(root, (string)file["name"]!));

                // NB. Names come from a server: none of them may lead out of the folder.
                if (!path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                {
                    throw new CommandFailed(ExitCode.Failed, $"The server names a file outside of the folder: {file["name"]}");
                }

                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllTextAsync(path, (string)file["text"]!, cancellation);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Failed, $"The files cannot be written: {e.Message}");
        }

        return files.Count;
    }
}
