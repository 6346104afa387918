using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>A key, its certificate and what ssh is told of a host, in a folder that only this user enters. The private key is made there and leaves it never.</summary>
/// <param name="folder">The folder; made when it is not there.</param>
internal sealed class SshFiles(string folder)
{
    private const string Until = "until";

    public string Folder => folder;

    /// <summary>Until when the certificate counts; null when there is none.</summary>
    public DateTimeOffset? CountsUntil => File.Exists(At(Until)) && File.Exists(At(SshConfig.Certificate))
        && DateTimeOffset.TryParse(File.ReadAllText(At(Until)), CultureInfo.InvariantCulture, out var until) ? until : null;

    /// <summary>Has the server certify the key, and keeps what it answers.</summary>
    /// <param name="client">The server.</param>
    /// <param name="grant">A grant that is open.</param>
    /// <param name="user">Who to log in as; null for whom the role says.</param>
    /// <param name="withOwn">Whether the person's own configuration counts behind it.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<JsonObject> CertifyAsync(StintClient client, string grant, string? user, bool withOwn, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
        {
            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(folder)
                : Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        if (!File.Exists(At(SshConfig.Key)))
        {
            await MakeKeyAsync(cancellation);
        }

        var key = await RunAsync(["-y", "-P", "", "-f", At(SshConfig.Key)], cancellation);
        var certificate = await client.PostAsync($"api/v1/grants/{Uri.EscapeDataString(grant)}/certificates", new JsonObject { ["public_key"] = key.Trim() }, cancellation);
        await WriteAsync(SshConfig.KnownHosts, SshConfig.KnownHostsOf(certificate), cancellation);
        await WriteAsync(SshConfig.Config, SshConfig.Of(certificate, user, folder, withOwn), cancellation);
        await WriteAsync(SshConfig.Certificate, (string)certificate["certificate"]! + "\n", cancellation);
        await WriteAsync(Until, (string)certificate["not_after"]!, cancellation);
        return certificate;
    }

    /// <summary>Writes a file for this user alone; whoever reads it meanwhile has the old one or the new one.</summary>
    public async Task WriteAsync(string name, string text, CancellationToken cancellation, bool runs = false)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (runs ? UnixFileMode.UserExecute : UnixFileMode.None);
        }

        var fresh = At($"{name}.{Path.GetRandomFileName()}");
        await using (var file = new StreamWriter(fresh, options))
        {
            await file.WriteAsync(text.AsMemory(), cancellation);
        }

        File.Move(fresh, At(name), overwrite: true);
    }

    private string At(string name) => Path.Combine(folder, name);

    private async Task MakeKeyAsync(CancellationToken cancellation)
    {
        var fresh = At(Path.GetRandomFileName());
        await RunAsync(["-q", "-t", "ed25519", "-N", "", "-C", "stint", "-f", fresh], cancellation);
        File.Delete(fresh + ".pub");
        try
        {
            // Never over another: of two that make one at once, both go on with the first.
            File.Move(fresh, At(SshConfig.Key));
        }
        catch (IOException) when (File.Exists(At(SshConfig.Key)))
        {
            File.Delete(fresh);
        }
    }

    private static async Task<string> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(ConnectVerbs.Program("ssh-keygen"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = await process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? await said : throw new CommandFailed(ExitCode.Failed, $"ssh-keygen did not make a key, or does not read it: {error.Trim()}");
    }
}
