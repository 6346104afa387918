using System.Reflection;

namespace Stint.EndToEnd.Harness;

/// <summary>Where this build came from, and where its parts lie.</summary>
public static class Checkout
{
    /// <summary>The folder with the solution, without a slash at its end.</summary>
    public static string Root { get; } = Path.TrimEndingDirectorySeparator(Metadata("Root"));

    /// <summary>What an operator would install, when <c>./test</c> made it; else null.</summary>
    public static string? Published { get; } = Environment.GetEnvironmentVariable("STINT_TEST_BINARY");

    /// <summary>The <c>stint</c> that is tried: the published one, else the built one of the same configuration as these tests.</summary>
    public static string Stint { get; } = Published ??
        Path.Combine(Root, "src", "Stint.Cli", "bin", Metadata("Configuration"), Metadata("Framework"), "stint");

    /// <summary>A script of the folder <c>eng</c>.</summary>
    public static string Eng(string name) => Path.Combine(Root, "eng", name);

    private static string Metadata(string key) =>
        typeof(Checkout).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
