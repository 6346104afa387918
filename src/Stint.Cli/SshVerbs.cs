using System.CommandLine;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Hosts, and the CA that they trust.</summary>
internal static class SshVerbs
{
    /// <summary>The kind of resource that takes certificates.</summary>
    public const string Kind = "ssh";

    public static IEnumerable<Command> All() => [Ssh(), Authorities()];

    private static Command Ssh()
    {
        var which = new Argument<string?>("HOST") { Description = "What you hold: RESOURCE or RESOURCE/ROLE, or a grant's name; with USER@ in front to log in as another of its users.", Arity = ArgumentArity.ZeroOrOne };
        var config = new Option<bool>("--config") { Description = "Print lines for ~/.ssh/config instead, with which plain ssh, scp, rsync, git and ansible get in." };
        var renew = new Option<bool>("--renew") { Description = "Get a certificate for those lines.", Hidden = true };
        which.CompletionSources.Add(context => Suggest.Grants(context));
        var words = new Argument<string[]>("COMMAND") { Description = "Command to run there instead of a shell, after --.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("ssh", "Open a shell, or run a command, at a host that you hold.") { which, words, config, renew };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            if (verb.Get(config))
            {
                return await SshHosts.ShowAsync(verb, client, verb.Get(which), cancellation);
            }

            if (verb.Get(which) is not { } said)
            {
                throw new CommandFailed(ExitCode.Usage, "'stint ssh' needs HOST.", "See: stint ssh --help");
            }

            if (verb.Get(renew))
            {
                return await SshHosts.RenewAsync(verb, client, said, cancellation);
            }

            var at = said.LastIndexOf('@');
            var (user, name) = at < 0 ? (null, said) : (said[..at], said[(at + 1)..]);
            ConnectVerbs.Program("ssh");
            var grant = await GrantVerbs.FindAsync(client, name, ["ready", "opening", "open"], cancellation);
            if ((string?)grant["kind"] is { } kind && kind != Kind)
            {
                throw new CommandFailed(ExitCode.Usage, $"{grant["role"]} is no host: it is of the kind {kind}.", $"Try: stint connect {name}");
            }

            grant = await ConnectVerbs.OpenAsync(verb, client, grant, cancellation);
            return await StartAsync(verb, client, grant, user, access => ["ssh", "--", (string)access.Certificate["resource"]!, .. verb.Get(words)], cancellation);
        });
    }

    /// <summary>Runs a program that finds the certificate of a grant, and returns its exit code.</summary>
    public static async Task<int> StartAsync(
        Verb verb, StintClient client, JsonObject grant, string? user, Func<SshAccess, string[]> line, CancellationToken cancellation)
    {
        await using var access = await SshAccess.OpenAsync(verb, client, grant, user, cancellation);
        verb.Terminal.Aside($"{grant["role"]} ends {verb.Terminal.When(grant["not_after"])}. What you do there is not recorded.");
        var words = line(access);
        return SshAccess.Programs.Contains(words[0])
            ? await ConnectVerbs.StartAsync([access.Program(words[0]), .. words.Skip(1)], access.Prepare, cancellation, access.OverAsync, verb.Terminal.Warn)
            : await ConnectVerbs.StartAsync(words, access.Prepare, cancellation);
    }

    private static Command Authorities()
    {
        var all = new Command("ca", "See or make what targets have to trust.");
        all.Add(Authority());
        return all;
    }

    private static Command Authority()
    {
        var resource = new Argument<string?>("RESOURCE") { Description = "The resource.", Arity = ArgumentArity.ZeroOrOne };
        var fresh = new Option<bool>("--new") { Description = "Make one for the catalog; its private key comes sealed." };
        var command = new Command("ssh", "Show the user CA of a resource of the kind ssh, and the lines for its hosts.") { resource, fresh };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var name = verb.Get(resource);
            if (verb.Get(fresh) == name is not null)
            {
                throw new CommandFailed(ExitCode.Usage, "Name a resource, or say --new.", "See: stint ca ssh --help");
            }

            var answer = name is null
                ? await client.PostAsync("api/v1/admin/authorities", [], cancellation)
                : await client.GetAsync($"api/v1/resources/{Uri.EscapeDataString(name)}/authority", cancellation);
            verb.Terminal.Answer(answer, () => Show(answer, new Uri(client.Login.Server, (string)answer["revoked"]!)));
            return ExitCode.Ok;
        });
    }

    private static void Show(JsonObject authority, Uri revoked)
    {
        if ((string?)authority["sealed"] is { } text)
        {
            Console.Out.WriteLine("# In the catalog, under the resource's settings:");
            Console.Out.WriteLine($"ca: {{ sealed: '{text}' }}");
            Console.Out.WriteLine();
        }

        Console.Out.WriteLine("# On the host, in /etc/ssh/stint_ca.pub:");
        Console.Out.WriteLine((string)authority["public_key"]!);
        Console.Out.WriteLine();
        Console.Out.WriteLine("# On the host, in /etc/ssh/sshd_config:");
        Console.Out.WriteLine("TrustedUserCAKeys /etc/ssh/stint_ca.pub");
        Console.Out.WriteLine();
        Console.Out.WriteLine("# To hear of what is revoked before its end, fetch this every minute into a file, and name that in RevokedKeys:");
        Console.Out.WriteLine($"# {revoked}");
    }
}
