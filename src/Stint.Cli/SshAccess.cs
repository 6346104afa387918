using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>A key that lives as long as one command, its certificates, and an ssh, scp and sftp that find them.</summary>
internal sealed class SshAccess : IAsyncDisposable
{
    /// <summary>What is ssh itself, and ends with the access.</summary>
    public static readonly IReadOnlyList<string> Programs = ["ssh", "scp", "sftp"];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Verb _verb;
    private readonly StintClient _client;
    private readonly string? _user;
    private readonly SshFiles _files = new(Directory.CreateTempSubdirectory("stint-ssh-").FullName);
    private readonly CancellationTokenSource _done = new();
    private JsonObject _grant;
    private Task _renewing = Task.CompletedTask;

    private SshAccess(Verb verb, StintClient client, JsonObject grant, string? user) => (_verb, _client, _grant, _user) = (verb, client, grant, user);

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
        var access = new SshAccess(verb, client, grant, user);
        try
        {
            await access.CertifyAsync(cancellation);
            await access.WriteProgramsAsync(cancellation);
            access._renewing = access.RenewAsync();
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
        start.Environment["PATH"] = Path.Combine(_files.Folder, "bin") + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        start.Environment["STINT_SSH_CONFIG"] = Path.Combine(_files.Folder, SshConfig.Config);
    }

    /// <summary>The file that starts one of <see cref="Programs"/> with the certificate.</summary>
    public string Program(string name) => Path.Combine(_files.Folder, "bin", name);

    /// <summary>Waits until the access is over, and no other grant of the role carries it on.</summary>
    /// <returns>What to say.</returns>
    public async Task<string> OverAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var seen = await _client.GetAsync($"api/v1/grants/{_grant["id"]}?wait_seconds=60&seen_version={_grant["version"]}", cancellation);
                if ((string)seen["state"]! == "open")
                {
                    _grant = seen;
                    continue;
                }

                var held = await _client.ListAsync("api/v1/grants?mine=true&state=open", 1000, cancellation);
                if (held.FirstOrDefault(grant => (string)grant["role"]! == (string)_grant["role"]!) is not { } other)
                {
                    return $"Access to {seen["role"]} is over{((string?)seen["end_note"] is { Length: > 0 } note ? $": {note}" : "")}. The connection was closed.";
                }

                _grant = other;
            }
            catch (CommandFailed)
            {
                // NB. A server that does not answer extends nothing.
                if (Moment(_grant, "not_after") <= _verb.Terminal.Now)
                {
                    return $"Access to {_grant["role"]} is over. The connection was closed.";
                }

                await Task.Delay(Patience, cancellation);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _done.CancelAsync();
        await _renewing;
        _done.Dispose();
        Directory.Delete(_files.Folder, recursive: true);
    }

    private async Task CertifyAsync(CancellationToken cancellation) =>
        Certificate = await _files.CertifyAsync(_client, (string)_grant["id"]!, _user, withOwn: true, cancellation);

    /// <summary>A certificate counts for minutes. While the program runs there is always one that counts, until the access ends.</summary>
    private async Task RenewAsync()
    {
        try
        {
            while (true)
            {
                var half = (Moment(Certificate, "not_after") - _verb.Terminal.Now) / 2;
                await Task.Delay(half > Patience ? half : Patience, _done.Token);
                await CertifyAsync(_done.Token);
            }
        }
        catch (CommandFailed failure)
        {
            _verb.Terminal.Warn($"No new certificate: {failure.Message} What connects after {_verb.Terminal.When(Certificate["not_after"])} is not let in.");
        }
        catch (OperationCanceledException)
        {
            // The program ended.
        }
    }

    private static DateTimeOffset Moment(JsonObject from, string name) => DateTimeOffset.Parse((string)from[name]!, CultureInfo.InvariantCulture);

    private async Task WriteProgramsAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(_files.Folder, "bin"));
        foreach (var name in Programs)
        {
            if (Find(name) is { } path)
            {
                // NB. Quoted for the shell: a folder's name is not a command.
                await _files.WriteAsync(Path.Combine("bin", name), $"#!/bin/sh\nexec {Shell(path)} -F {Shell(Path.Combine(_files.Folder, SshConfig.Config))} \"$@\"\n", cancellation, runs: true);
            }
        }
    }

    /// <summary>One word for a shell, whatever it holds.</summary>
    public static string Shell(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

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
}
