using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Using what one holds, with the tools one has.</summary>
internal static class ConnectVerbs
{
    public static IEnumerable<Command> All() => [Connect(), Run()];

    private static Command Connect()
    {
        var which = GrantVerbs.Which();
        var print = new Option<bool>("--print") { Description = "Print a DSN with its secret and start nothing." };
        var words = Trailing("Command to run instead of psql or ssh, after --.");
        var command = new Command("connect", "Open psql or ssh, or any command, at what you hold.") { which, print, words };
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var grant = await GrantVerbs.FindAsync(client, verb.Get(which), ["ready", "opening", "open"], cancellation);
            var host = (string?)grant["kind"] == SshVerbs.Kind;
            if (host && verb.Get(print))
            {
                throw new CommandFailed(ExitCode.Usage, $"{grant["role"]} is a host, and has no DSN.", $"Try: stint ssh {verb.Get(which)}");
            }

            string[] line = verb.Get(words) is { Length: > 0 } given ? given : host ? ["ssh", (string)grant["resource"]!] : ["psql"];
            if (!verb.Get(print))
            {
                Program(line[0]);
            }

            grant = await OpenAsync(verb, client, grant, cancellation);
            if (host)
            {
                return await SshVerbs.StartAsync(verb, client, grant, null, _ => line, cancellation);
            }

            var door = await DoorAsync(client, grant, cancellation);
            if (verb.Get(print))
            {
                verb.Terminal.Answer(door, () =>
                {
                    Console.Out.WriteLine((string)door["dsn"]!);
                    verb.Terminal.Aside($"Ends {verb.Terminal.When(door["not_after"])}. The secret is shown this once.");
                });
                return ExitCode.Ok;
            }

            verb.Terminal.Aside($"{grant["role"]} ends {verb.Terminal.When(door["not_after"])}. What you do is recorded.");
            Exact.Show(verb.Terminal.Aside, grant);
            return await StartAsync(line, door, grant, cancellation);
        });
    }

    private static Command Run()
    {
        var role = RequestVerbs.RoleArgument();
        var asking = new Asking();
        var timeout = new Option<string?>("--timeout") { Description = "How long to wait for approval at the most.", HelpName = "DURATION" };
        var words = Trailing("The command, after --.");
        var command = new Command("run", "Ask, wait, run one command with access, hand it back.") { role, timeout, words };
        asking.AddTo(command, withStart: false);
        return Verb.Asks(command, async (verb, client, cancellation) =>
        {
            var line = verb.Get(words);
            if (line.Length == 0)
            {
                throw new CommandFailed(ExitCode.Usage, "There is no command to run.", "Write it after --: stint run orders-db/read-only -- psql -c 'select 1'");
            }

            // Before anybody is asked: an approver's time is worth more than a word mistyped.
            Program(line[0]);
            var until = verb.Get(timeout) is { } bound ? verb.Terminal.Now.AddSeconds(Asking.Duration(bound)) : DateTimeOffset.MaxValue;
            var request = await client.PostAsync("api/v1/requests", asking.Body(verb, verb.Get(role), wait: true, withStart: false), cancellation);
            try
            {
                request = await Asking.DecidedAsync(verb, client, request, until, cancellation);
            }
            catch (CommandFailed late) when (late.Code == ExitCode.TimedOut)
            {
                await TakeBackAsync(verb, client, request);
                throw new CommandFailed(ExitCode.TimedOut, $"Nobody answered {request["id"]} in time.", null, late.Problem);
            }
            catch (Exception e) when (e is CommandFailed or OperationCanceledException)
            {
                await TakeBackAsync(verb, client, request);
                throw;
            }

            if (request["grant"] is not JsonObject grant)
            {
                var why = (string?)request["why"] is { Length: > 0 } text ? $": {text}" : "";
                throw new CommandFailed(
                    ExitCode.Denied, $"{request["id"]} is {request["state"]}{why}", string.Join('\n', Cards.RemedyLines(request)) is { Length: > 0 } ways ? ways : null, request);
            }

            try
            {
                grant = await OpenAsync(verb, client, grant, cancellation);
                return (string?)grant["kind"] == SshVerbs.Kind
                    ? await SshVerbs.StartAsync(verb, client, grant, null, _ => line, cancellation)
                    : await StartAsync(line, await DoorAsync(client, grant, cancellation), grant, cancellation);
            }
            finally
            {
                await HandBackAsync(verb, client, grant);
            }
        });
    }

    /// <summary>Nobody waits for the answer any more: an access that opened then would stand unused until its deadline.</summary>
    private static async Task TakeBackAsync(Verb verb, StintClient client, JsonObject request)
    {
        // NB. Not on the caller's token: it may be what ended the wait.
        using var own = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await client.PostAsync($"api/v1/requests/{request["id"]}/cancel", [], own.Token);
            verb.Terminal.Aside($"{request["id"]} was taken back: nobody waits for it any more.");
        }
        catch (CommandFailed failure) when (failure.Code == ExitCode.Conflict)
        {
            // It was decided at this very moment.
            if ((await client.GetAsync($"api/v1/requests/{request["id"]}", own.Token))["grant"] is JsonObject grant)
            {
                await HandBackAsync(verb, client, grant);
            }
        }
        catch (Exception e) when (e is CommandFailed or OperationCanceledException)
        {
            verb.Terminal.Warn($"{request["id"]} could not be taken back ({e.Message}). Try: stint cancel {request["id"]}");
        }
    }

    private static async Task HandBackAsync(Verb verb, StintClient client, JsonObject grant)
    {
        // NB. Not on the caller's token: a Ctrl-C must not leave the access standing until its deadline.
        using var own = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await client.PostAsync($"api/v1/grants/{grant["id"]}/end", [], own.Token);
        }
        catch (CommandFailed failure) when (failure.Code == ExitCode.Conflict)
        {
            // It is over already.
        }
        catch (Exception e) when (e is CommandFailed or OperationCanceledException)
        {
            verb.Terminal.Warn($"{grant["id"]} could not be handed back ({e.Message}); it ends by itself. Try: stint end {grant["id"]}");
        }
    }

    /// <summary>The file that the shell would start.</summary>
    /// <exception cref="CommandFailed">There is none.</exception>
    internal static string Program(string name)
    {
        var folders = name.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? [""]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        string[] endings = OperatingSystem.IsWindows() ? ["", ".exe", ".cmd", ".bat"] : [""];
        return folders.SelectMany(folder => endings.Select(ending => Path.GetFullPath(Path.Combine(folder, name + ending)))).FirstOrDefault(IsProgram)
            ?? throw new CommandFailed(
                ExitCode.Failed,
                $"There is no program '{name}' here.",
                name switch
                {
                    "psql" => "Install psql (on Debian: apt install postgresql-client), or use another tool: stint connect … --print",
                    "ssh" or "ssh-keygen" => "Install OpenSSH's client (on Debian: apt install openssh-client).",
                    _ => null,
                });
    }

    private static bool IsProgram(string path) => File.Exists(path)
        && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);

    private static Argument<string[]> Trailing(string description) =>
        new("COMMAND") { Description = description, Arity = ArgumentArity.ZeroOrMore };

    /// <summary>The grant, open: begun when it waited for that.</summary>
    /// <exception cref="CommandFailed">It did not open.</exception>
    internal static async Task<JsonObject> OpenAsync(Verb verb, StintClient client, JsonObject grant, CancellationToken cancellation)
    {
        if ((string)grant["state"]! == "ready")
        {
            grant = await client.PostAsync($"api/v1/grants/{grant["id"]}/begin", [], cancellation);
        }

        grant = await Asking.OpenedAsync(verb, client, grant, verb.Terminal.Now.AddMinutes(3), cancellation);
        if ((string)grant["state"]! != "open")
        {
            throw new CommandFailed(ExitCode.Failed, $"{grant["id"]} did not open: {Cards.GrantState(verb.Terminal, grant)}", (string?)grant["trouble"]);
        }

        return grant;
    }

    private static Task<JsonObject> DoorAsync(StintClient client, JsonObject grant, CancellationToken cancellation) =>
        client.PostAsync($"api/v1/grants/{grant["id"]}/logins", [], cancellation);

    /// <summary>Runs it with the usual PG variables and returns its exit code. The secret is in its environment, never in a list of processes.</summary>
    private static async Task<int> StartAsync(string[] line, JsonObject door, JsonObject grant, CancellationToken cancellation)
    {
        string? root = null;
        if ((string?)door["ca_certificate"] is { } pem)
        {
            root = Path.Combine(Path.GetTempPath(), $"stint-{Path.GetRandomFileName()}.pem");
            await File.WriteAllTextAsync(root, pem, cancellation);
        }

        try
        {
            return await StartAsync(line, start => Prepare(start, door, grant, root), cancellation);
        }
        finally
        {
            if (root is not null)
            {
                File.Delete(root);
            }
        }
    }

    private static void Prepare(ProcessStartInfo start, JsonObject door, JsonObject grant, string? root)
    {
        foreach (var stale in (string[])["PGSERVICE", "PGHOSTADDR", "PGPASSFILE", "PGREQUIREAUTH", "PGOPTIONS", "PGSSLCERT", "PGSSLKEY", "DATABASE_URL"])
        {
            start.Environment.Remove(stale);
        }

        start.Environment["PGHOST"] = (string)door["host"]!;
        start.Environment["PGPORT"] = door["port"]!.ToString();
        start.Environment["PGUSER"] = (string)door["login"]!;
        start.Environment["PGPASSWORD"] = (string)door["secret"]!;
        start.Environment["PGDATABASE"] = (string?)door["database"] ?? "";
        start.Environment["PGSSLMODE"] = (string)door["tls"]!;
        if (grant["authorization_details"] is JsonArray)
        {
            // What was approved is compared as UTF-8: a program that speaks otherwise would be refused.
            start.Environment["PGCLIENTENCODING"] = "UTF8";
        }

        start.Environment["DATABASE_URL"] = (string)door["dsn"]!;
        if (root is not null)
        {
            start.Environment["PGSSLROOTCERT"] = root;
        }
    }

    /// <summary>Runs a program in front and returns its exit code.</summary>
    /// <param name="line">The program and its arguments.</param>
    /// <param name="prepare">Sets what it finds in its environment.</param>
    /// <param name="cancellation">Counts until it runs: from then on signals are its own.</param>
    /// <param name="over">Waits for what ends it, and says why; null for nothing.</param>
    /// <param name="say">Gets that when it has ended.</param>
    internal static async Task<int> StartAsync(
        string[] line, Action<ProcessStartInfo> prepare, CancellationToken cancellation, Func<CancellationToken, Task<string>>? over = null, Action<string>? say = null)
    {
        try
        {
            var start = new ProcessStartInfo(Program(line[0])) { UseShellExecute = false };
            foreach (var word in line.Skip(1))
            {
                start.ArgumentList.Add(word);
            }

            prepare(start);

            // Ctrl-C belongs to the program in front: psql uses it to stop a query.
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
            using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => context.Cancel = true);

            // NB. Listened to before there is a program to pass them on to: one that comes while it starts is not lost.
            int running = 0, early = 0;
            void PassOn(PosixSignalContext context, int signal)
            {
                context.Cancel = true;
                Volatile.Write(ref early, signal);
                if (Volatile.Read(ref running) is > 0 and var program)
                {
                    _ = Native.Kill(program, signal);
                }
            }

            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => PassOn(context, 15));
            using var hangUp = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => PassOn(context, 1));
            cancellation.ThrowIfCancellationRequested();
            using var process = Process.Start(start)!;
            Volatile.Write(ref running, process.Id);
            if (Volatile.Read(ref early) is > 0 and var missed)
            {
                _ = Native.Kill(process.Id, missed);
            }

            var exit = process.WaitForExitAsync(CancellationToken.None);
            if (over is not null && await OverBeforeAsync(exit, over) is { } sentence)
            {
                _ = Native.Kill(process.Id, 1);
                await exit;
                say?.Invoke(sentence);
            }

            await exit;
            return process.ExitCode;
        }
        catch (Win32Exception e)
        {
            throw new CommandFailed(ExitCode.Failed, $"{line[0]} could not be started: {e.Message}");
        }
    }

    /// <summary>Why a program has to end that has not ended by itself; null when it did.</summary>
    private static async Task<string?> OverBeforeAsync(Task exit, Func<CancellationToken, Task<string>> over)
    {
        using var stop = new CancellationTokenSource();
        var waiting = over(stop.Token);
        if (await Task.WhenAny(exit, waiting) == waiting)
        {
            return await waiting;
        }

        await stop.CancelAsync();
        try
        {
            await waiting;
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for it any more.
        }

        return null;
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Kill(int process, int signal);
    }
}
