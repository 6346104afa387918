using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Xunit;

namespace Stint.Tests;

/// <summary>Holds the walls that project references cannot say.</summary>
public sealed class LayoutTests
{
    private static readonly string[] Impure =
    [
        "System.IO.File", "System.IO.Directory", "System.IO.FileStream", "System.IO.FileInfo", "System.Net.", "System.Random",
        "System.Security.Cryptography.RandomNumberGenerator", "System.Diagnostics.Process", "System.Threading.Timer",
        "System.Threading.Tasks.Task.Delay", "System.DateTime.get_UtcNow", "System.DateTime.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.DateTimeOffset.get_Now", "System.TimeProvider.get_System", "System.Diagnostics.Stopwatch", "System.Environment.", "System.Guid.NewGuid",
        "System.Console",
    ];

    [Fact]
    public void Core_EveryMemberItUses_IsFreeOfInputOutputClockAndChance()
    {
        // Line ends and hash codes are constant or in-process; nothing can be decided by them.
        string[] harmless = ["System.Environment.get_NewLine", "System.Environment.get_CurrentManagedThreadId"];
        var used = MembersUsedBy("Stint.Core");
        Assert.NotEmpty(used);
        var impure = used.Where(member => Impure.Any(name => member.StartsWith(name, StringComparison.Ordinal)) && !harmless.Contains(member)).ToList();
        Assert.Empty(impure);
    }

    [Theory]
    [InlineData("Stint.Core", new[] { "YamlDotNet" })]
    [InlineData("Stint.Connectors", new[] { "Stint.Core", "Npgsql" })]
    [InlineData("Stint.Gateway", new[] { "Stint.Core", "Microsoft." })]
    public void Project_ItsReferences_AreThoseOfItsWall(string assembly, string[] allowed)
    {
        using var file = new PEReader(File.OpenRead(PathOf(assembly)));
        var reader = file.GetMetadataReader();
        var references = reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name)).ToList();
        var others = references.Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && name is not ("System" or "netstandard")
            && !allowed.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList();
        Assert.Empty(others);
    }

    [Theory]
    [InlineData("Stint.Connectors")]
    [InlineData("Stint.Gateway")]
    public void Kinds_Siblings_NeverNameEachOther(string project)
    {
        string[] shared = ["Listening", "Relaying", "Recording", "bin", "obj"];
        var folder = Path.Combine(Checkout, "src", project);
        var kinds = Directory.GetDirectories(folder).Select(Path.GetFileName).Except(shared).ToList();
        Assert.Contains("Postgres", kinds);
        foreach (var kind in kinds)
        {
            foreach (var file in Directory.GetFiles(Path.Combine(folder, kind!), "*.cs", SearchOption.AllDirectories))
            {
                var text = File.ReadAllText(file);
                Assert.DoesNotContain(kinds.Where(other => other != kind), other => text.Contains($"{project}.{other}", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Endpoints_NeverUseTheStore()
    {
        var folder = Path.Combine(Checkout, "src", "Stint.Server", "Api");
        var files = Directory.GetFiles(folder, "*Endpoints.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);

        // The store's words for pages and filters are the use cases' own; the store itself, its sessions of reading and
        // writing, and the files beside it are not for endpoints.
        string[] beyond = ["StintStore", "SqliteStore", "PostgresStore", "ReadAsync(async reads", "WriteAsync(", "FileStream", "File.", "Directory."];
        var reaching = files
            .SelectMany(file => beyond.Where(name => File.ReadAllText(file).Contains(name, StringComparison.Ordinal)).Select(name => $"{Path.GetFileName(file)}: {name}"))
            .ToList();
        Assert.Empty(reaching);
    }

    [Fact]
    public void SourceFiles_NoneIsTooLongToRead()
    {
        var files = Directory.GetFiles(Path.Combine(Checkout, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
        var tooLong = files.Where(file => File.ReadLines(file).Count() > 500).Select(Path.GetFileName).ToList();
        Assert.Empty(tooLong);
    }

    // The one thing that `dotnet format style` says and the build does not; asked here, it takes no minute.
    [Fact]
    public void Imports_StandInTheirOrder()
    {
        string[] folders = ["src", "tests", "bench"];
        var files = folders.SelectMany(folder => Directory.GetFiles(Path.Combine(Checkout, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
        var disordered = files.Where(file =>
        {
            var imports = File.ReadLines(file).TakeWhile(line => !line.StartsWith("namespace", StringComparison.Ordinal))
                .Where(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=', StringComparison.Ordinal) && !line.StartsWith("using static", StringComparison.Ordinal) && !line.StartsWith("using var", StringComparison.Ordinal))
                .Select(line => line["using ".Length..^1])
                .ToList();
            return !imports.SequenceEqual(imports.OrderBy(name => name is not "System" && !name.StartsWith("System.", StringComparison.Ordinal)).ThenBy(name => name, StringComparer.OrdinalIgnoreCase));
        }).Select(file => Path.GetRelativePath(Checkout, file)).ToList();
        Assert.Empty(disordered);
    }

    private static string Checkout { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Stint.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("The tests read the source; they run inside a checkout.");
    }

    private static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly + ".dll");

    private static List<string> MembersUsedBy(string assembly)
    {
        using var file = new PEReader(File.OpenRead(PathOf(assembly)));
        var reader = file.GetMetadataReader();
        var used = new List<string>();
        foreach (var handle in reader.MemberReferences)
        {
            var member = reader.GetMemberReference(handle);
            if (member.Parent.Kind == HandleKind.TypeReference)
            {
                var type = reader.GetTypeReference((TypeReferenceHandle)member.Parent);
                used.Add($"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}.{reader.GetString(member.Name)}");
            }
        }

        return used;
    }
}
