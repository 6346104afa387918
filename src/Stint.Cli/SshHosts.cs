using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>For an ssh that a person, or a program, starts without stint: lines for ~/.ssh/config, and the certificate that they ask for.</summary>
internal static class SshHosts
{
    /// <summary>A certificate that ends sooner is renewed: whatever connects needs a moment.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromMinutes(1);

    /// <summary>Prints the lines for one host, or for all that the caller may ask for.</summary>
    public static async Task<int> ShowAsync(Verb verb, StintClient client, string? host, CancellationToken cancellation)
    {
        var names = (await client.ListAsync("api/v1/roles", 1000, cancellation))
            .Where(role => (string?)role["kind"] == SshVerbs.Kind)
            .Select(role => (string)role["resource"]!)
            .Distinct()
            .Where(name => host is null || name == host)
            .ToList();
        if (names.Count == 0)
        {
            throw new CommandFailed(ExitCode.NotFound, host is null ? "There is no host that you may ask for." : $"There is no host {host} that you may ask for.", "See: stint ls");
        }

        var stint = Environment.ProcessPath ?? throw new CommandFailed(ExitCode.Failed, "It is not known where stint is.");
        var text = string.Join('\n', names.Select(name => SshConfig.Asking(name, stint, client.Login.Server, FolderOf(name))));
        verb.Terminal.Answer(new JsonObject { ["hosts"] = new JsonArray([.. names.Select(name => (JsonNode)name)]), ["config"] = text }, () => Console.Out.Write(text));
        verb.Terminal.Aside("Put these lines into ~/.ssh/config, above every other.");
        return ExitCode.Ok;
    }

    /// <summary>Sees to it that there is a certificate that counts.</summary>
    /// <returns>Whether there is one: ssh reads on only then.</returns>
    public static async Task<int> RenewAsync(Verb verb, StintClient client, string host, CancellationToken cancellation)
    {
        var files = new SshFiles(FolderOf(SshConfig.Named(host)));
        if (files.CountsUntil - verb.Terminal.Now > Early)
        {
            return ExitCode.Ok;
        }

        var grant = await GrantVerbs.FindAsync(client, host, ["ready", "opening", "open"], cancellation);
        grant = await ConnectVerbs.OpenAsync(verb, client, grant, cancellation);
        await files.CertifyAsync(client, (string)grant["id"]!, null, withOwn: false, cancellation);
        return ExitCode.Ok;
    }

    private static string FolderOf(string host)
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return Path.Combine(state, "stint", "ssh", host);
    }
}
