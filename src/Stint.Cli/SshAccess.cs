using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>A key that lives as long as one command, its certificates, and an ssh, scp and sftp that find them. The private key leaves this machine never.</summary>
internal sealed class SshAccess : IAsyncDisposable
{
    private static readonly string[] Programs = ["ssh", "scp", "sftp"];

    private readonly StintClient _client;
    private readonly string _grant;
    private readonly string _folder;
    private readonly CancellationTokenSource _done = new();
    private Task _renewing = Task.CompletedTask;

    private SshAccess(StintClient client, string grant, string folder) => (_client, _grant, _folder) = (client, grant, folder);

    /// <summary>What the server answered last.</summary>
    public JsonObject Certificate { get; private set; } = [];

    /// <summary>Gets a certificate for a fresh key.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="client">The server.</param>
    /// <param name="grant">A grant that is open.</param>
    /// <param name="user">Who to log in as; null for whom the role says.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<SshAccess> OpenAsync(Verb verb, StintClient client, JsonObject grant, string? user, CancellationToken cancellation)
    {
        var access = new SshAccess(client, (string)grant["id"]!, Directory.CreateTempSubdirectory("stint-ssh-").FullName);
        try
        {
            await access.MakeKeyAsync(cancellation);
            await access.CertifyAsync(cancellation);
            await access.WriteAsync(SshConfig.KnownHosts, SshConfig.KnownHostsOf(access.Certificate), cancellation);
            await access.WriteAsync(SshConfig.Config, SshConfig.Of(access.Certificate, user, access._folder), cancellation);
            await access.WriteProgramsAsync(cancellation);
            access._renewing = access.RenewAsync(verb);
            return access;
        }
        catch
        {
            await access.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has a program, and those that it starts, find the certificate.</summary>
    public void Prepare(ProcessStartInfo start)
    {
        start.Environment["PATH"] = Path.Combine(_folder, "bin") + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        start.Environment["STINT_SSH_CONFIG"] = Path.Combine(_folder, SshConfig.Config);
    }

    /// <summary>The line that starts one of the programs with the certificate.</summary>
    public string Program(string name) => Path.Combine(_folder, "bin", name);

    public async ValueTask DisposeAsync()
    {
        await _done.CancelAsync();
        await _renewing;
        _done.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task MakeKeyAsync(CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(ConnectVerbs.Program("ssh-keygen")) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var word in (string[])["-q", "-t", "ed25519", "-N", "", "-C", "stint", "-f", Path.Combine(_folder, SshConfig.Key)])
        {
            start.ArgumentList.Add(word);
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = await process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0)
        {
            throw new CommandFailed(ExitCode.Failed, $"ssh-keygen made no key: {error.Trim()}");
        }
    }

    private async Task CertifyAsync(CancellationToken cancellation)
    {
        var key = await File.ReadAllTextAsync(Path.Combine(_folder, SshConfig.Key + ".pub"), cancellation);
        Certificate = await _client.PostAsync($"api/v1/grants/{Uri.EscapeDataString(_grant)}/certificates", new JsonObject { ["public_key"] = key.Trim() }, cancellation);
        await WriteAsync(SshConfig.Certificate + ".new", (string)Certificate["certificate"]! + "\n", cancellation);
        File.Move(Path.Combine(_folder, SshConfig.Certificate + ".new"), Path.Combine(_folder, SshConfig.Certificate), overwrite: true);
    }

    /// <summary>A certificate counts for minutes. While the program runs there is always one that counts, until the grant ends.</summary>
    private async Task RenewAsync(Verb verb)
    {
        try
        {
            while (Moment("not_after") < Moment("grant_ends").AddSeconds(-1))
            {
                var half = (Moment("not_after") - verb.Terminal.Now) / 2;
                await Task.Delay(half > TimeSpan.FromSeconds(5) ? half : TimeSpan.FromSeconds(5), _done.Token);
                await CertifyAsync(_done.Token);
            }
        }
        catch (CommandFailed failure)
        {
            verb.Terminal.Warn($"No new certificate: {failure.Message} What is connected stays; what connects after {verb.Terminal.When(Certificate["not_after"])} is not let in.");
        }
        catch (OperationCanceledException)
        {
            // The program ended.
        }
    }

    private DateTimeOffset Moment(string name) => DateTimeOffset.Parse((string)Certificate[name]!, CultureInfo.InvariantCulture);

    private async Task WriteProgramsAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "bin"));
        foreach (var name in Programs)
        {
            if (Find(name) is { } path)
            {
                // NB. Quoted for the shell: a folder's name is not a command.
                await WriteAsync(Path.Combine("bin", name), $"#!/bin/sh\nexec {Shell(path)} -F {Shell(Path.Combine(_folder, SshConfig.Config))} \"$@\"\n", cancellation, runs: true);
            }
        }
    }

    private static string Shell(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static string? Find(string name)
    {
        try
        {
            return ConnectVerbs.Program(name);
        }
        catch (CommandFailed) when (name != "ssh")
        {
            return null;
        }
    }

    private async Task WriteAsync(string name, string text, CancellationToken cancellation, bool runs = false)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (runs ? UnixFileMode.UserExecute : UnixFileMode.None);
        }

        await using var file = new StreamWriter(Path.Combine(_folder, name), options);
        await file.WriteAsync(text.AsMemory(), cancellation);
    }
}
