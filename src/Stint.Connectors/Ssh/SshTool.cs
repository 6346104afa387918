using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Stint.Connectors.Ssh;

/// <summary>What came of OpenSSH's work. Expected troubles are data.</summary>
public abstract record SshOutcome<T>
{
    private SshOutcome()
    {
    }

    /// <summary>It is done.</summary>
    public sealed record Done(T Value) : SshOutcome<T>;

    /// <summary>It cannot be.</summary>
    /// <param name="Why">Why, in a sentence without a full stop.</param>
    /// <param name="Remedy">What to do.</param>
    public sealed record Refused(string Why, string Remedy) : SshOutcome<T>;
}

/// <summary>OpenSSH did not do what was asked of it.</summary>
internal sealed class SshTroubleException(string why, string remedy) : Exception(why)
{
    public string Remedy { get; } = remedy;
}

/// <summary>Runs OpenSSH's own tools: they make the keys and sign, nothing here does.</summary>
internal sealed class SshTool : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // In memory where there is such a place: a private key in clear text is on no disk, not for a moment.
    private static readonly string Memory = "/dev/shm";

    private SshTool(string folder) => Folder = folder;

    /// <summary>A folder that only this user enters; gone with all that is in it afterwards.</summary>
    public string Folder { get; }

    /// <summary>Makes the folder.</summary>
    public static SshTool Begin()
    {
        var place = Directory.Exists(Memory) ? Memory : Path.GetTempPath();
        try
        {
            return new SshTool(Make(place));
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return new SshTool(Make(Path.GetTempPath()));
        }
    }

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Writes a file that only this user reads.</summary>
    public async Task<string> WriteAsync(string name, string text, CancellationToken cancellation)
    {
        var path = PathOf(name);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new StreamWriter(path, options);
        await file.WriteAsync(text.AsMemory(), cancellation);
        return path;
    }

    /// <summary>Runs a tool in the folder, with nothing of this process's environment.</summary>
    /// <exception cref="SshTroubleException">It is not installed, took too long, or said no.</exception>
    public async Task<string> RunAsync(string tool, IEnumerable<string> arguments, CancellationToken cancellation, bool tolerant = false)
    {
        var start = new ProcessStartInfo(tool)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Folder,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C";

        // ssh-keygen reads the days of a certificate in the machine's own zone.
        start.Environment["TZ"] = "UTC";
        start.Environment["SSH_ASKPASS_REQUIRE"] = "never";
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(Patience);
        using var process = Start(start);
        try
        {
            process.StandardInput.Close();
            var said = process.StandardOutput.ReadToEndAsync(late.Token);
            var wrong = process.StandardError.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            var (output, error) = (await said, await wrong);
            return process.ExitCode == 0 || tolerant
                ? output
                : error.StartsWith("No user exists for uid", StringComparison.Ordinal)
                ? throw new SshTroubleException(
                    $"the user that Stint runs as has no name on this machine, and {tool} works for nobody without one", "name it in /etc/passwd, or install libnss-systemd where systemd made it up (DynamicUser)")
                : throw new SshTroubleException($"{tool} refused: {FirstLine(error)}", $"see what its manual says, or whether the server's {tool} is too old");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new SshTroubleException($"{tool} did not end within {Patience.TotalSeconds:0} s", "try again");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (ExternalException)
        {
            throw new SshTroubleException($"{start.FileName} is not installed where Stint runs", "install OpenSSH's client there (on Debian: apt install openssh-client)");
        }
    }

    private string FirstLine(string text)
    {
        var line = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "it did not say why";
        line = line.Replace(Folder + "/", "", StringComparison.Ordinal);
        return line.Length > 200 ? line[..200] : line;
    }

    private static string Make(string place)
    {
        var folder = Path.Combine(place, $"stint-ssh-{Path.GetRandomFileName()}");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return folder;
    }
}
