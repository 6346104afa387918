using System.Diagnostics;
using System.Text;

namespace Stint.EndToEnd.Harness;

/// <summary>What a program said, and how it ended.</summary>
public sealed record Output(int ExitCode, string Out, string Error)
{
    /// <summary>Its standard output, when it ended well.</summary>
    /// <exception cref="InvalidOperationException">It did not; the message holds all that it said.</exception>
    public string Good() => ExitCode == 0 ? Out : throw new InvalidOperationException(ToString());

    public override string ToString() => $"exit code {ExitCode}\n--- out ---\n{Out}\n--- error ---\n{Error}";
}

/// <summary>Runs programs to their end.</summary>
public static class Tool
{
    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(60);

    /// <param name="file">The program; looked up in the path when it has no slash.</param>
    /// <param name="arguments">Its arguments, each as it is.</param>
    /// <param name="environment">Added to this process's own; null as a value takes a variable away.</param>
    /// <param name="input">Its standard input; null for none.</param>
    /// <param name="within">How long it may take; a minute when null.</param>
    /// <exception cref="TimeoutException">It took longer, and was ended.</exception>
    public static async Task<Output> RunAsync(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? input = null,
        TimeSpan? within = null)
    {
        using var process = Start(file, arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input ?? "");
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended, or closed its input, without reading it all. Its exit code tells the rest.
        }

        try
        {
            await process.WaitForExitAsync().WaitAsync(within ?? s_usual);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} took longer than {within ?? s_usual}\n{await output}\n{await error}");
        }

        return new Output(process.ExitCode, await output, await error);
    }

    /// <summary>Starts a program with its three streams redirected.</summary>
    public static Process Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = RunFolder.Path,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
    }
}
