using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Stint.Core.Catalog;

namespace Stint.Server.Hosting;

/// <summary>What git says of the folder that a catalog stands in. A word for the history; nothing is decided by it.</summary>
internal static class Checkout
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    // NB. The folder's own configuration must not make git run a program for us, and looking must not write.
    private static readonly string[] Harmless = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks"];

    /// <summary>Commit, author and whether the files differ from it; nothing outside of a checkout, and where there is no git.</summary>
    public static async Task<CatalogOrigin> OfAsync(string folder, CancellationToken cancellation)
    {
        if (!StandsInCheckout(folder) || await AskAsync(folder, cancellation, "log", "-1", "--no-show-signature", "--format=%H%n%an <%ae>") is not { } log
            || log.Split('\n', StringSplitOptions.RemoveEmptyEntries) is not [var commit, var author, ..]
            || commit.Length is not (40 or 64) || !commit.All(char.IsAsciiHexDigitLower))
        {
            return new CatalogOrigin();
        }

        var changed = await AskAsync(folder, cancellation, "status", "--porcelain", "--untracked-files=all", "--ignore-submodules=all", "--", ".");
        return new CatalogOrigin("", commit, Cut(author), changed is not { Length: 0 });
    }

    private static bool StandsInCheckout(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (System.IO.Path.Exists(System.IO.Path.Combine(at.FullName, ".git")))
            {
                return true;
            }
        }

        return false;
    }

    private static string? Cut(string author)
    {
        var cut = author.Length > 200 ? author[..200] : author;
        return Words.IsShowable(cut, newLines: false) ? cut : null;
    }

    /// <summary>What git prints; null when it cannot be run, fails, or takes too long.</summary>
    private static async Task<string?> AskAsync(string folder, CancellationToken cancellation, params string[] words)
    {
        var start = new ProcessStartInfo("git") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, StandardOutputEncoding = Encoding.UTF8, WorkingDirectory = folder };
        foreach (var word in Harmless.Concat(words))
        {
            start.ArgumentList.Add(word);
        }

        // NB. A GIT_DIR of the server's own environment would be another checkout than the folder's.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("GIT_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Longest);
        try
        {
            using var git = Process.Start(start);
            if (git is null)
            {
                return null;
            }

            try
            {
                git.StandardInput.Close();
                var said = git.StandardOutput.ReadToEndAsync(bound.Token);
                var complained = git.StandardError.ReadToEndAsync(bound.Token);
                await git.WaitForExitAsync(bound.Token);
                await complained;
                return git.ExitCode == 0 ? await said : null;
            }
            catch (OperationCanceledException)
            {
                git.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                return null;
            }
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            return null;
        }
    }
}
