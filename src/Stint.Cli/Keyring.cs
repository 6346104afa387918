using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Stint.Cli;

/// <summary>Where the desktop keeps its user's secrets: the Secret Service through libsecret's <c>secret-tool</c>, or the keychain of macOS through <c>security</c>.</summary>
/// <remarks>NB. Everybody on a machine sees the arguments of every program: a secret goes through standard input and output alone.</remarks>
internal sealed class Keyring
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _tool;
    private readonly bool _keychain;

    private Keyring(string tool, bool keychain) => (_tool, _keychain) = (tool, keychain);

    /// <summary>For people.</summary>
    public string Name => _keychain ? "the keychain" : "the keyring";

    /// <summary>The one of this desktop; null where there is none.</summary>
    public static Keyring? Find()
    {
        if (OperatingSystem.IsMacOS())
        {
            return InPath("security") is { } security ? new Keyring(security, keychain: true) : null;
        }

        // Without a bus of the session nobody answers.
        return OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("DBUS_SESSION_BUS_ADDRESS") is { Length: > 0 } bus && bus != "disabled:" && InPath("secret-tool") is { } tool
            ? new Keyring(tool, keychain: false)
            : null;
    }

    /// <summary>One by another program that takes the same arguments.</summary>
    internal static Keyring OfTool(string tool, bool keychain) => new(tool, keychain);

    /// <returns>What is kept for a server; null for nothing, and where the keyring does not open.</returns>
    public async Task<string?> ReadAsync(Uri server, CancellationToken cancellation)
    {
        var (code, said) = await RunAsync(_keychain ? ["find-generic-password", "-s", "stint", "-a", Account(server), "-w"] : ["lookup", "application", "stint", "server", Account(server)], null, cancellation);
        return code == 0 && said.Trim() is { Length: > 0 } secret ? secret : null;
    }

    /// <summary>Keeps a secret for a server, in place of the one before.</summary>
    /// <returns>False when it could not: no service answers, or its user does not open it.</returns>
    public async Task<bool> KeepAsync(Uri server, string secret, CancellationToken cancellation)
    {
        if (_keychain)
        {
            await RunAsync(["-i"], $"add-generic-password -U -s stint -a \"{Account(server)}\" -l \"Stint\" -X {Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret))}\n", cancellation);
        }
        else
        {
            await RunAsync(["store", "--label=Stint", "application", "stint", "server", Account(server)], secret, cancellation);
        }

        // Asked for, and not believed: not every tool says with its exit that it failed.
        return await ReadAsync(server, cancellation) == secret;
    }

    /// <summary>Forgets what is kept for a server.</summary>
    public Task ForgetAsync(Uri server, CancellationToken cancellation) =>
        RunAsync(_keychain ? ["delete-generic-password", "-s", "stint", "-a", Account(server)] : ["clear", "application", "stint", "server", Account(server)], null, cancellation);

    private static string Account(Uri server) => server.GetLeftPart(UriPartial.Authority);

    private async Task<(int Code, string Said)> RunAsync(string[] arguments, string? input, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(_tool) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardInputEncoding = new UTF8Encoding(false) };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            using var process = Process.Start(start) ?? throw new InvalidOperationException("It did not start.");
            try
            {
                var said = process.StandardOutput.ReadToEndAsync(bound.Token);
                var complained = process.StandardError.ReadToEndAsync(bound.Token);
                await process.StandardInput.WriteAsync(input.AsMemory(), bound.Token);
                process.StandardInput.Close();
                await process.WaitForExitAsync(bound.Token);
                await complained;
                return (process.ExitCode, await said);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                cancellation.ThrowIfCancellationRequested();
                return (-1, "");
            }
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            return (-1, "");
        }
    }

    private static string? InPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
