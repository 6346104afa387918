using Stint.Connectors;
using Stint.Core.Catalog;

namespace Stint.Server.Hosting;

/// <summary>The folder that the catalog is read from: every <c>.yaml</c> and <c>.yml</c> file in it and below, but for hidden ones.</summary>
internal static class CatalogFolder
{
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden, IgnoreInaccessible = false, MaxRecursionDepth = 16 };

    /// <summary>Loads what stands there now. A file or folder that cannot be read is a problem like any other.</summary>
    public static CatalogLoad Load(string folder, ConnectorList connectors)
    {
        if (!Directory.Exists(folder))
        {
            return new CatalogLoad(null, [new CatalogProblem(folder, 0, 0, File.Exists(folder) ? "is a file, and a catalog is a folder" : "is not there", "name the folder that holds the catalog's files")], []);
        }

        var files = new List<KeyValuePair<string, byte[]>>();
        try
        {
            foreach (var path in Paths(folder))
            {
                if (files.Count > CatalogFiles.MaxFiles)
                {
                    break;
                }

                files.Add(new(NameOf(folder, path), File.ReadAllBytes(path)));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CatalogLoad(null, [new CatalogProblem(folder, 0, 0, $"cannot be read: {e.Message.TrimEnd('.')}", "let this user read it")], []);
        }

        return CatalogLoader.Load(files, connectors.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal));
    }

    /// <summary>Differs whenever a file came, went or was written.</summary>
    /// <exception cref="IOException">The folder cannot be looked at.</exception>
    public static string Stamp(string folder) => string.Join('\n', Paths(folder).Select(path =>
    {
        // NB. A link to a file (as a container's mounted folders are) changes with what it points to.
        var file = new FileInfo(path);
        var real = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        return $"{path}:{real.FullName}:{real.LastWriteTimeUtc.Ticks}:{real.Length}";
    }));

    private static IEnumerable<string> Paths(string folder) => Directory.EnumerateFiles(folder, "*", Below)
        .Where(path => path.EndsWith(".yaml", StringComparison.Ordinal) || path.EndsWith(".yml", StringComparison.Ordinal))
        .Where(path => !NameOf(folder, path).Split('/').Any(part => part.StartsWith('.')))
        .Order(StringComparer.Ordinal);

    private static string NameOf(string folder, string path) => Path.GetRelativePath(folder, path).Replace('\\', '/');
}
