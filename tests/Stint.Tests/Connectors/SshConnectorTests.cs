using System.Diagnostics;
using Stint.Connectors;
using Stint.Connectors.Ssh;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

/// <summary>Certificates as OpenSSH itself reads them, and what attackers write where a name, a key or a command is expected.</summary>
public sealed class SshConnectorTests : VerbContract
{
    private static readonly Lazy<Task<(string PrivateKey, SshPublicKey PublicKey)>> Ca = new(MakeAsync);
    private static readonly Lazy<Task<(string PrivateKey, SshPublicKey PublicKey)>> Ann = new(MakeAsync);
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 13, 0, 0, 900, TimeSpan.Zero);

    protected override IConnector Connector { get; } = ConnectorList.All.Find(SshSettings.Kind)!;

    protected override Task<Target> TargetAsync() => WithAsync(("principals", new[] { "deploy" }));

    private static async Task<(string PrivateKey, SshPublicKey PublicKey)> MakeAsync() =>
        Done(await SshAuthority.MakeAsync(default));

    private static async Task<Target> WithAsync(params (string Name, object Value)[] role) => Target((await Ca.Value).PrivateKey, role);

    private static Target Target(string ca, params (string Name, object Value)[] role) => new(
        Short.Resource("web", Short.Settings(("host", "127.0.0.1"), ("port", 1L), ("ca", new SecretRef(SecretSource.Env, "CA"))), ("plain", Short.Settings(role))) with { Kind = SshSettings.Kind },
        "test",
        new NamedSecrets(new Dictionary<string, string> { ["CA"] = ca }));

    private static async Task<SshWish> WishAsync(Target target, string subject = "ann") => new(
        (await Ann.Value).PublicKey, 4711, new GrantId("gr-1"), new SubjectId(subject), target.Resource.Roles["plain"], Now.AddMinutes(-1), Now.AddMinutes(10));

    /// <summary>What ssh-keygen says of a certificate.</summary>
    private static async Task<string[]> ReadAsync(Target target, SshWish wish)
    {
        var signed = Done(await SshAuthority.CertifyAsync(target, wish, default));
        Assert.Equal((await Ca.Value).PublicKey, signed.Authority);
        using var process = Process.Start(new ProcessStartInfo("ssh-keygen", ["-L", "-f", "-"]) { RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { ["TZ"] = "UTC" } })!;
        await process.StandardInput.WriteLineAsync(signed.Text);
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync();
        return [.. said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim())];
    }

    [Fact]
    public async Task Certify_ARole_SaysThatAndNoMore()
    {
        var target = await WithAsync(
            ("principals", new[] { "deploy", "ops" }), ("source_address", new[] { "10.1.0.0/16", "2001:db8::1" }), ("force_command", "echo \"$SSH_ORIGINAL_COMMAND\" -O clear"), ("allow", new[] { "port-forwarding" }));
        var said = await ReadAsync(target, await WishAsync(target));
        Assert.Equal(
            [
                "Type: ssh-ed25519-cert-v01@openssh.com user certificate",
                $"Public key: ED25519-CERT {(await Ann.Value).PublicKey.Fingerprint}",
                $"Signing CA: ED25519 {(await Ca.Value).PublicKey.Fingerprint} (using ssh-ed25519)",
                "Key ID: \"stint grant=gr-1 subject=ann role=web%2Fplain installation=test\"",
                "Serial: 4711",
                "Valid: from 2026-11-22T12:59:00 to 2026-11-22T13:10:00",
                "Principals:", "deploy", "ops",
                "Critical Options:", "force-command echo \"$SSH_ORIGINAL_COMMAND\" -O clear", "source-address 10.1.0.0/16,2001:db8::1",
                "Extensions:", "permit-port-forwarding",
            ],
            said[1..]);
    }

    [Fact]
    public async Task Certify_NothingSaid_AllowsATerminalAlone()
    {
        var target = await TargetAsync();
        Assert.Equal(["Critical Options: (none)", "Extensions:", "permit-pty"], (await ReadAsync(target, await WishAsync(target)))[^3..]);
    }

    [Theory]
    [InlineData("root,deploy")]
    [InlineData("-O permit-x11-forwarding")]
    [InlineData("eve\" role=web/root\nAccepted publickey for root")]
    [InlineData("ünï☃ $(id) `id` %h")]
    public async Task Certify_HostileSubject_IsOnlyPartOfTheKeyId(string subject)
    {
        var target = await TargetAsync();
        var said = await ReadAsync(target, await WishAsync(target, subject));
        Assert.Equal(["Principals:", "deploy"], said[7..9]);
        Assert.Single(said, line => line.StartsWith("Key ID: \"stint grant=gr-1 subject=" + Uri.EscapeDataString(subject) + " role=web%2Fplain ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Certify_WithoutPrincipalsOrTime_IsRefused()
    {
        var target = await WithAsync(("principals", Array.Empty<string>()));
        Assert.Contains("no principals", Assert.IsType<SshOutcome<SshCertificate>.Refused>(await SshAuthority.CertifyAsync(target, await WishAsync(target), default)).Why, StringComparison.Ordinal);
        target = await TargetAsync();
        Assert.IsType<SshOutcome<SshCertificate>.Refused>(await SshAuthority.CertifyAsync(target, await WishAsync(target) with { Until = Now.AddMinutes(-1) }, default));
    }

    [Theory]
    [InlineData("hunter2-the-wrong-secret")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----")]
    public async Task Open_WhatIsNoKey_IsRefusedWithoutRepeatingIt(string secret)
    {
        var target = Target(secret, ("principals", new[] { "deploy" }));
        var refused = Assert.IsType<VerbOutcome.Refused>(await Connector.OpenAsync(target, NewAccount(target, "plain"), default));
        Assert.DoesNotContain("hunter2", refused.Why + refused.Remedy, StringComparison.Ordinal);
        Assert.Contains("stint ca ssh --new", refused.Remedy, StringComparison.Ordinal);
        Assert.IsType<SshOutcome<SshCertificate>.Refused>(await SshAuthority.CertifyAsync(target, await WishAsync(target), default));
    }

    [Fact]
    public async Task Open_SecretIsNotThere_IsRefused_AndCheckSaysWhoDoesNotAnswer()
    {
        var target = await TargetAsync() with { Secrets = new NamedSecrets(new Dictionary<string, string>()) };
        Assert.Contains("CA is not set", Assert.IsType<VerbOutcome.Refused>(await Connector.OpenAsync(target, NewAccount(target, "plain"), default)).Why, StringComparison.Ordinal);
        Assert.IsType<VerbOutcome.Unreachable>(await Connector.CheckAsync(await TargetAsync(), default));
        Assert.IsType<Listing.Nothing>(await Connector.ListAsync(target, default));
    }

    [Fact]
    public async Task RevocationList_NamesThoseAndNoOthers()
    {
        var target = await TargetAsync();
        var folder = Directory.CreateTempSubdirectory("stint-krl-").FullName;
        var signed = Done(await SshAuthority.CertifyAsync(target, await WishAsync(target), default));
        await File.WriteAllTextAsync(Path.Combine(folder, "cert.pub"), signed.Text);
        foreach (var (serials, revoked) in new (long[], bool)[] { ([], false), ([4710, 4712], false), ([1, 4711], true) })
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, "krl"), Done(await SshAuthority.RevocationListAsync(signed.Authority, serials, default)));
            using var process = Process.Start(new ProcessStartInfo("ssh-keygen", ["-Q", "-f", Path.Combine(folder, "krl"), Path.Combine(folder, "cert.pub")]) { RedirectStandardOutput = true })!;
            Assert.Contains(revoked ? "REVOKED" : "ok", await process.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<string> NoKeys => new(
        "", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-dss AAAAB3NzaC1kc3M=", "ssh-ed25519 AAAAC3NzaC1yc2E=", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQCx",
        "ssh-ed25519 AAAA//8=", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7A\nssh-ed25519 AAAA", "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t",
        "command=\"id\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", new string('a', 20_000));

    [Theory]
    [MemberData(nameof(NoKeys))]
    public void PublicKey_ThatIsNone_IsNotTaken(string text) => Assert.NotNull(SshPublicKey.WrongText(text));

    [Fact]
    public async Task PublicKey_WithAComment_IsTheKeyAlone()
    {
        var key = (await Ann.Value).PublicKey;
        Assert.Equal((key, (string?)null), SshPublicKey.Read($"  {key.Text} ann@laptop -O force-command=sh\n"));
    }

    [Theory]
    [InlineData("settings: { host: '-oProxyCommand=id' }", "'host'")]
    [InlineData("settings: { host: 'a b' }", "'host'")]
    [InlineData("settings: { host: web, host_keys: ['ssh-ed25519 x'] }", "'host_keys'")]
    [InlineData("settings: { host: web, ca: 'BEGIN OPENSSH' }", "is a secret")]
    [InlineData("roles: { r: { principals: ['root,deploy'] } }", "'principals'")]
    [InlineData("roles: { r: { principals: ['-l'] } }", "'principals'")]
    [InlineData("roles: { r: { principals: [] } }", "'principals' is empty")]
    [InlineData("roles: { r: { } }", "lacks 'principals'")]
    [InlineData("roles: { r: { principals: [a], source_address: ['10.1.2.3/8'] } }", "'source_address'")]
    [InlineData("roles: { r: { principals: [a], source_address: ['*'] } }", "'source_address'")]
    [InlineData("roles: { r: { principals: [a], allow: [permit-pty] } }", "'allow'")]
    [InlineData("roles: { r: { principals: [a], force_command: \"id\\nid\" } }", "'force_command'")]
    public void Catalog_WhatWouldBeAnotherOption_IsAnError(string settings, string expected) => Assert.Contains(
        Errors($"resources:\n  web:\n    kind: ssh\n    {settings}\n"), error => error.Contains(expected, StringComparison.Ordinal));

    [Theory]
    [InlineData("approve: { auto: true }, record: strict", "wants 'record: strict' at web/shell, and nothing that is done there is recorded")]
    [InlineData("for: 10m, break_glass: { tell: [person:bob], review: { from: person:bob, within: 1h } }", "wants a break-glass, which is recorded strictly, at web/shell")]
    public async Task Catalog_WantsWhatIsDoneRecorded_IsAnError(string policy, string expected)
    {
        var key = (await Ann.Value).PublicKey.Text;
        Assert.Contains(
            Errors($$"""
                people: { ann: {}, bob: {} }
                resources:
                  web: { kind: ssh, settings: { host: web, host_keys: ['{{key}}'], ca: { env: CA } }, roles: { shell: { principals: [deploy] } } }
                policies:
                  p: { who: person:ann, roles: [web/shell], {{policy}} }
                """),
            error => error.Contains(expected, StringComparison.Ordinal));
    }

    private static T Done<T>(SshOutcome<T> outcome) => outcome is SshOutcome<T>.Done done ? done.Value : throw new InvalidOperationException(outcome.ToString());

    private static List<string> Errors(string text) =>
        [.. CatalogLoader.Load(new CatalogSource([new CatalogFile("all.yaml", text)]), ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind)).Errors.Select(error => error.ToString())];
}
