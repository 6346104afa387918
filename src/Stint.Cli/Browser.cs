using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace Stint.Cli;

/// <summary>Opens an address in the browser of whoever sits there.</summary>
internal static class Browser
{
    /// <summary>A page in the reader's own folder that leads to the address.</summary>
    private static string FilePath => Path.Combine(Path.GetDirectoryName(Login.FilePath)!, "open.html");

    /// <summary>Whether somebody sits at this machine whose browser reaches it: over SSH theirs is on another.</summary>
    public static bool IsHere => Terminal.CanAsk && !Console.IsOutputRedirected && HasScreen()
        && !((string[])["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]).Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 });

    /// <summary>Tries to; without a terminal, a screen or a browser nothing happens. The address was printed.</summary>
    /// <remarks>
    /// NB. Everybody on a machine sees the arguments of every program, and what the address ends with is a secret. So the browser is given a file
    /// that only this user reads. It stays until the next one: nobody can say when a browser has read it, and the key in it ends by itself.
    /// </remarks>
    public static void Open(string address)
    {
        if (!Terminal.CanAsk || Console.IsOutputRedirected || !HasScreen())
        {
            return;
        }

        try
        {
            Write(address);
            using var started = Process.Start(new ProcessStartInfo(FilePath) { UseShellExecute = true });
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException or PlatformNotSupportedException)
        {
            // Whoever reads has the address.
        }
    }

    /// <summary>A page that leads on by itself.</summary>
    internal static string Page(string address) =>
        $"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\"><meta http-equiv=\"refresh\" content=\"0;url={WebUtility.HtmlEncode(address)}\"><title>Stint</title></html>\n";

    private static void Write(string address)
    {
        Login.MakeFolder();
        File.Delete(FilePath);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(FilePath, options);
        file.Write(Encoding.UTF8.GetBytes(Page(address)));
    }

    private static bool HasScreen() =>
        !OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("DISPLAY") is { Length: > 0 } || Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is { Length: > 0 };
}
