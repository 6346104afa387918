using System.CommandLine;

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

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Answer as JSON with stable fields.",
        Recursive = true,
    };

    public Terminal Terminal { get; } = new(parsed.GetValue(Json), TimeProvider.System);

    public T Get<T>(Option<T> option) => parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    public StintClient Connect()
    {
        var login = Login.Find(parsed.GetValue(Server), parsed.GetValue(Authority));
        if (login.Token is null)
        {
            throw new CommandFailed(ExitCode.NotLoggedIn, $"You are not logged in at {login.Server}.", "Run: stint login, or set STINT_TOKEN.");
        }

        return new StintClient(login);
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

    /// <summary>A verb that talks to the server.</summary>
    public static Command Asks(Command command, Func<Verb, StintClient, CancellationToken, Task<int>> act) =>
        Does(command, async (verb, cancellation) =>
        {
            using var client = verb.Connect();
            return await act(verb, client, cancellation);
        });
}
