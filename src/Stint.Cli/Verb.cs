using System.CommandLine;
using System.CommandLine.Parsing;

namespace Stint.Cli;

/// <summary>What every verb has: the global options, a client when it needs the server, and one place where failures end.</summary>
internal sealed class Verb(ParseResult parsed)
{
    public static readonly Option<string?> Server = new("--server")
    {
        Description = "Address of the server; else STINT_SERVER, else what 'stint login' kept.",
        Recursive = true,
        HelpName = "URL",
    };

    public static readonly Option<string?> Authority = new("--ca")
    {
        Description = "Certificate (PEM file) to trust for the server; else STINT_CA.",
        Recursive = true,
        HelpName = "FILE",
    };

    public static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = "File with the token that a CI platform gave to this job, to log in with.",
        Recursive = true,
        HelpName = "FILE",
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Answer as JSON with stable fields.",
        Recursive = true,
    };

    public Terminal Terminal { get; } = new(parsed.GetValue(Json), TimeProvider.System);

    public T Get<T>(Option<T> option) => parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    /// <summary>Whether an option was written, with or without a value.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    public StintClient Connect()
    {
        var login = Login.Find(parsed.GetValue(Server), parsed.GetValue(Authority));
        if (parsed.GetValue(TokenFile) is { } file)
        {
            login = login with { Token = null, Kept = null, Platform = Platform.Find(file) };
        }
        else if (login is { Token: null, Kept: null } && (login with { Platform = Platform.Find(null) }) is { Platform: not null } job)
        {
            login = job;
        }

        if (login is { Token: null, Kept: null, Platform: null })
        {
            throw new CommandFailed(ExitCode.NotLoggedIn, $"You are not logged in at {login.Server}.", "Run: stint login, or set STINT_TOKEN; in a CI job give it the token of its platform.");
        }

        return new StintClient(login);
    }

    /// <summary>The server and who asks, as the command line says.</summary>
    public Login Place() => Login.Find(parsed.GetValue(Server), parsed.GetValue(Authority));

    /// <summary>Says what is wrong with a command line, in one line, and where to read on.</summary>
    public static int Misunderstood(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var names = new List<string>();
        for (SymbolResult? at = parsed.CommandResult; at is not null; at = at.Parent)
        {
            if (at is CommandResult part)
            {
                names.Insert(0, part.Command is RootCommand ? "stint" : part.Command.Name);
            }
        }

        var unknown = parsed.CommandResult.Children.OfType<ArgumentResult>().Select(MistypedOption).FirstOrDefault(option => option is not null)
            ?? (parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null);
        var missing = command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is not { Tokens.Count: > 0 });
        var message = (unknown, command) switch
        {
            ({ } word, { Subcommands.Count: > 0 }) when !word.StartsWith('-') => $"There is no command '{string.Join(' ', names)} {word}'.",
            ({ } word, _) => $"'{word}' is not understood here.",
            (null, { Subcommands.Count: > 0, Action: null }) => $"'{string.Join(' ', names)}' takes one of: {string.Join(", ", command.Subcommands.Where(one => !one.Hidden).Select(one => one.Name))}.",
            _ when missing is not null => $"'{string.Join(' ', names)}' needs {missing.Name}.",
            _ => parsed.Errors[0].Message,
        };
        var near = unknown is null ? null : Nearest(unknown, unknown.StartsWith('-') ? Options(parsed) : command.Subcommands.Select(one => one.Name));
        return new Verb(parsed).Terminal.Fail(new CommandFailed(
            ExitCode.Usage,
            message,
            $"{(near is null ? "" : $"Did you mean '{near}'? ")}See: {string.Join(' ', names)} --help"));
    }

    /// <summary>An option that is none, which would otherwise be taken for a name, a text to search or a program to run. Null when there is none.</summary>
    public static string? MistypedOption(ArgumentResult argument) =>
        argument.Tokens.Count > 0 && argument.Tokens[0].Value is ['-', _, ..] option ? option : null;

    private static IEnumerable<string> Options(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options).Select(option => option.Name);

    /// <summary>The name that was probably meant; null when none is near.</summary>
    private static string? Nearest(string word, IEnumerable<string> names) =>
        names.Select(name => (Name: name, Far: Distance(word, name))).Where(one => one.Far <= Math.Max(1, word.Length / 3)).OrderBy(one => one.Far).FirstOrDefault().Name;

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (corner, left) = (i - 1, i);
            for (var j = 1; j <= b.Length; j++)
            {
                var best = Math.Min(Math.Min(left, row[j]) + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1));
                (corner, row[j - 1], left) = (row[j], left, best);
            }

            row[b.Length] = left;
        }

        return row[b.Length];
    }

    /// <summary>Sets what a command does.</summary>
    public static Command Does(Command command, Func<Verb, CancellationToken, Task<int>> act)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            var verb = new Verb(parsed);
            try
            {
                return await act(verb, cancellation);
            }
            catch (CommandFailed failure)
            {
                return verb.Terminal.Fail(failure);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return verb.Terminal.Fail(new CommandFailed(130, "Stopped."));
            }
        });
        return command;
    }

    /// <summary>A verb that talks to the server, and says first what the asker was told and has not seen.</summary>
    public static Command Shows(Command command, Func<Verb, StintClient, CancellationToken, Task<int>> act) =>
        Asks(command, async (verb, client, cancellation) =>
        {
            await ReviewVerbs.BannerAsync(verb, client, cancellation);
            return await act(verb, client, cancellation);
        });

    /// <summary>A verb that talks to the server.</summary>
    public static Command Asks(Command command, Func<Verb, StintClient, CancellationToken, Task<int>> act) =>
        Does(command, async (verb, cancellation) =>
        {
            using var client = verb.Connect();
            return await act(verb, client, cancellation);
        });
}
