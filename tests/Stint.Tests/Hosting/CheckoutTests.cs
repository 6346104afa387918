using System.Diagnostics;
using Stint.Server.Hosting;
using Xunit;

namespace Stint.Tests.Hosting;

public sealed class CheckoutTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stint-checkout-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Of_AFolderOutsideOfAnyCheckout_IsUnknown()
    {
        var origin = await Checkout.OfAsync(_folder, CancellationToken.None);
        Assert.Equal((null, null, false), (origin.Commit, origin.Author, origin.Dirty));
    }

    [Fact]
    public async Task Of_ACheckout_NamesCommitAuthorAndWhetherItWasChangedSince()
    {
        Git("init", "-q");
        Directory.CreateDirectory(Path.Combine(_folder, "catalog"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "catalog", "all.yaml"), "people: {}\n");
        Git("add", ".");
        Git("-c", "user.name=Ann Archer", "-c", "user.email=ann@shop.example", "commit", "-q", "-m", "first");
        var clean = await Checkout.OfAsync(Path.Combine(_folder, "catalog"), CancellationToken.None);
        Assert.Matches("^[0-9a-f]{40}$", clean.Commit);
        Assert.Equal(("Ann Archer <ann@shop.example>", false), (clean.Author, clean.Dirty));
        await File.WriteAllTextAsync(Path.Combine(_folder, "catalog", "new.yaml"), "groups: {}\n");
        Assert.True((await Checkout.OfAsync(Path.Combine(_folder, "catalog"), CancellationToken.None)).Dirty);
    }

    [Fact]
    public async Task Of_ACheckoutWhoseConfigurationWouldRunAProgram_RunsNone()
    {
        Git("init", "-q");
        var trap = Path.Combine(_folder, "trap.sh");
        await File.WriteAllTextAsync(trap, $"#!/bin/sh\ntouch '{Path.Combine(_folder, "sprung")}'\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(trap, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x");
        Git("config", "core.fsmonitor", trap);
        Git("config", "core.pager", trap);
        await Checkout.OfAsync(_folder, CancellationToken.None);
        Assert.False(File.Exists(Path.Combine(_folder, "sprung")));
    }

    private void Git(params string[] words)
    {
        var start = new ProcessStartInfo("git") { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in words)
        {
            start.ArgumentList.Add(word);
        }

        using var git = Process.Start(start)!;
        git.WaitForExit();
        Assert.True(git.ExitCode == 0, git.StandardError.ReadToEnd());
    }
}
