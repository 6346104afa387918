using System.Diagnostics;
using System.Globalization;

namespace Stint.Bench;

/// <summary>Peers that run in node, from the npm packages of the tests.</summary>
internal sealed class Node
{
    private readonly string _modules;

    private Node(string modules) => _modules = modules;

    /// <summary>Finds node's packages.</summary>
    /// <returns>Null where node or one of the packages is missing.</returns>
    public static async Task<Node?> FindAsync(params string[] packages)
    {
        var modules = (await RunAsync("bash", [Path.Combine(Root, "eng", "servers"), "modules"], null))?.Trim();
        return modules is not null && packages.All(package => Directory.Exists(Path.Combine([modules, .. package.Split('/')]))) ? new Node(modules) : null;
    }

    /// <summary>The checkout.</summary>
    public static string Root => Environment.GetEnvironmentVariable("BENCH_ROOT") ?? Directory.GetCurrentDirectory();

    /// <summary>What a script prints, which is nanoseconds.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task<double> NanosecondsAsync(params string[] arguments) =>
        double.Parse(await RunAsync("node", arguments, _modules) ?? throw new InvalidOperationException("node failed; what it said stands above."), CultureInfo.InvariantCulture);

    private static async Task<string?> RunAsync(string file, string[] arguments, string? modules)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true };
        if (modules is not null)
        {
            start.Environment["NODE_PATH"] = modules;
        }

        using var process = Process.Start(start);
        if (process is null)
        {
            return null;
        }

        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said : null;
    }
}
