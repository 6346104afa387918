using System.Text.Json.Nodes;
using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

/// <summary>What a server answers becomes a file that makes ssh run programs: a server that was taken must not reach laptops that way.</summary>
public sealed class SshConfigTests
{
    private static JsonObject Certificate(string name = "", JsonNode? value = null)
    {
        var certificate = new JsonObject
        {
            ["resource"] = "web",
            ["host"] = "web1.internal",
            ["port"] = 22,
            ["user"] = "deploy",
            ["host_keys"] = new JsonArray("ssh-ed25519 AAAAC3Nz"),
        };
        if (name.Length > 0)
        {
            certificate[name] = value;
        }

        return certificate;
    }

    [Fact]
    public void Of_AHost_TakesItsKeyAndCertificateAlone()
    {
        var text = SshConfig.Of(Certificate(), null, "/tmp/50%/x y");
        Assert.StartsWith("Host web\n    HostName web1.internal\n    Port 22\n    User deploy\n", text, StringComparison.Ordinal);
        Assert.Contains("    IdentityFile \"/tmp/50%%/x y/id\"\n    CertificateFile \"/tmp/50%%/x y/id-cert.pub\"\n    IdentitiesOnly yes\n", text, StringComparison.Ordinal);
        Assert.Contains("    StrictHostKeyChecking yes\n", text, StringComparison.Ordinal);
        Assert.Contains("    User root\n", SshConfig.Of(Certificate(), "root", "/tmp/x"), StringComparison.Ordinal);
        Assert.Equal("web ssh-ed25519 AAAAC3Nz\n", SshConfig.KnownHostsOf(Certificate()));
    }

    [Theory]
    [InlineData("resource", "web\n    ProxyCommand id")]
    [InlineData("resource", "*")]
    [InlineData("resource", "-oProxyCommand=id")]
    [InlineData("host", "-oProxyCommand=id")]
    [InlineData("host", "web1 internal")]
    [InlineData("host", "web1\nProxyCommand id")]
    [InlineData("host", "%h")]
    [InlineData("user", "deploy\nPermitLocalCommand yes")]
    [InlineData("user", "-l")]
    [InlineData("user", "")]
    [InlineData("host", null)]
    public void Of_WhatNoServerShouldSay_IsRefused(string name, string? value) =>
        Assert.Contains(name, Assert.Throws<CommandFailed>(() => SshConfig.Of(Certificate(name, value), null, "/tmp/x")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/tmp/a\"b")]
    [InlineData("/tmp/${HOME}")]
    [InlineData("/tmp/a\nProxyCommand id")]
    public void Of_AFolderThatSshWouldReadOtherwise_IsRefused(string folder) => Assert.Throws<CommandFailed>(() => SshConfig.Of(Certificate(), null, folder));

    [Fact]
    public void Asking_AHost_HasSshAskBeforeItReads() => Assert.Equal(
        "Match originalhost web exec \"'/opt/our tools/stint' ssh --server 'https://stint.example.com/' --renew web\"\n    Include \"/home/ann/x y/web/config\"\n",
        SshConfig.Asking("web", "/opt/our tools/stint", new Uri("https://stint.example.com"), "/home/ann/x y/web"));

    [Theory]
    [InlineData("web\n", "/bin/stint", "https://x", "/home/ann")]
    [InlineData("-x", "/bin/stint", "https://x", "/home/ann")]
    [InlineData("*", "/bin/stint", "https://x", "/home/ann")]
    [InlineData("web", "/bin/a\"b/stint", "https://x", "/home/ann")]
    [InlineData("web", "/bin/a'b/stint", "https://x", "/home/ann")]
    [InlineData("web", "/bin/stint", "https://x", "/home/*")]
    [InlineData("web", "/bin/%h/stint", "https://x", "/home/ann")]
    [InlineData("web", "/bin/stint", "https://x/%22", "/home/ann")]
    [InlineData("web", "/bin/stint", "https://x", "/home/$USER")]
    public void Asking_WhatWouldBeReadOtherwise_IsRefused(string host, string stint, string server, string folder) =>
        Assert.Throws<CommandFailed>(() => SshConfig.Asking(host, stint, new Uri(server), folder));

    [Theory]
    [InlineData("-l")]
    [InlineData("root\n    ProxyCommand id")]
    public void Of_AUserThatIsNone_IsRefused(string user) => Assert.Equal(ExitCode.Usage, Assert.Throws<CommandFailed>(() => SshConfig.Of(Certificate(), user, "/tmp/x")).Code);

    [Fact]
    public void KnownHostsOf_WhatNoServerShouldSay_IsRefused()
    {
        Assert.Throws<CommandFailed>(() => SshConfig.KnownHostsOf(Certificate("host_keys", new JsonArray("ssh-ed25519 AAAA\n* ssh-ed25519 BBBB"))));
        Assert.Throws<CommandFailed>(() => SshConfig.KnownHostsOf(Certificate("host_keys", new JsonArray())));
    }
}
