using System.Globalization;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Ssh;

/// <summary>What a certificate shall say.</summary>
/// <param name="Key">The holder's public key; its private half never comes here.</param>
/// <param name="Serial">Its number, by which it is revoked.</param>
/// <param name="Grant">The grant that it stands for.</param>
/// <param name="Subject">Its holder.</param>
/// <param name="Role">As what.</param>
/// <param name="From">When it begins to count, cut to whole seconds.</param>
/// <param name="Until">When it counts no more, cut to whole seconds: never later than meant.</param>
public sealed record SshWish(SshPublicKey Key, long Serial, GrantId Grant, SubjectId Subject, Role Role, DateTimeOffset From, DateTimeOffset Until);

/// <summary>A certificate.</summary>
/// <param name="Text">As the file ending in <c>-cert.pub</c> has it.</param>
/// <param name="Authority">The CA that signed it.</param>
public sealed record SshCertificate(string Text, SshPublicKey Authority);

/// <summary>The user CA of a resource. OpenSSH's <c>ssh-keygen</c> makes it, signs with it and writes its revocation lists.</summary>
public static class SshAuthority
{
    private const string CaFile = "ca";
    private const string HolderFile = "holder";

    /// <summary>Makes a new CA.</summary>
    /// <returns>Its private key as OpenSSH writes it, and its public key.</returns>
    public static Task<SshOutcome<(string PrivateKey, SshPublicKey PublicKey)>> MakeAsync(CancellationToken cancellation) => TryAsync(async tool =>
    {
        var path = tool.PathOf(CaFile);
        await tool.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], cancellation);
        return (await File.ReadAllTextAsync(path, cancellation), Parsed(await File.ReadAllTextAsync(path + ".pub", cancellation)));
    });

    /// <summary>The public key of a resource's CA, which its host has to trust.</summary>
    public static Task<SshOutcome<SshPublicKey>> PublicKeyAsync(SshSettings settings, ISecrets secrets, CancellationToken cancellation) => TryAsync(async tool =>
    {
        await UnlockAsync(tool, settings, secrets, cancellation);
        return await PublicKeyAsync(tool, cancellation);
    });

    /// <summary>Signs a certificate as a role says.</summary>
    public static Task<SshOutcome<SshCertificate>> CertifyAsync(Target target, SshWish wish, CancellationToken cancellation) => TryAsync(async tool =>
    {
        var role = SshRole.Of(wish.Role.Settings);

        // NB. Without a name OpenSSH would once take a certificate for everybody's.
        if (role.Principals.Count == 0)
        {
            throw new SshTroubleException($"{wish.Role.Ref} names no principals", "name the host's users under principals");
        }

        if (Seconds(wish.Until) <= Seconds(wish.From))
        {
            throw new SshTroubleException("it is about to end", "ask for it again");
        }

        await UnlockAsync(tool, SshSettings.Of(target.Resource.Settings), secrets: target.Secrets, cancellation);
        var holder = await tool.WriteAsync(HolderFile + ".pub", wish.Key.Text + "\n", cancellation);
        var authority = await PublicKeyAsync(tool, cancellation);
        await tool.RunAsync("ssh-keygen", [.. Arguments(tool, target.Installation, wish, role), holder], cancellation);
        return new SshCertificate((await File.ReadAllTextAsync(tool.PathOf(HolderFile + "-cert.pub"), cancellation)).Trim(), authority);
    });

    /// <summary>A revocation list that names certificates of a CA by their numbers (OpenSSH's PROTOCOL.krl).</summary>
    public static Task<SshOutcome<byte[]>> RevocationListAsync(SshPublicKey authority, IEnumerable<long> serials, CancellationToken cancellation) => TryAsync(async tool =>
    {
        var ca = await tool.WriteAsync(CaFile + ".pub", authority.Text + "\n", cancellation);
        var said = await tool.WriteAsync("revoked", string.Concat(serials.Select(serial => string.Create(CultureInfo.InvariantCulture, $"serial: {serial}\n"))), cancellation);
        var list = tool.PathOf("krl");
        await tool.RunAsync("ssh-keygen", ["-q", "-k", "-f", list, "-s", ca, said], cancellation);
        return await File.ReadAllBytesAsync(list, cancellation);
    });

    /// <summary>What stands in a host's log beside a login. Every value escaped: none can pretend to be another, nor begin a line.</summary>
    internal static string KeyId(string installation, SshWish wish) =>
        $"stint grant={Escape(wish.Grant.Value)} subject={Escape(wish.Subject.Value)} role={Escape(wish.Role.Ref.ToString())} installation={Escape(installation)}";

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static List<string> Arguments(SshTool tool, string installation, SshWish wish, SshRole role)
    {
        // NB. Each value follows an option of its own, so that none is ever read as an option.
        List<string> arguments =
        [
            "-q", "-P", "", "-s", tool.PathOf(CaFile), "-I", KeyId(installation, wish), "-n", string.Join(',', role.Principals),
            "-z", wish.Serial.ToString(CultureInfo.InvariantCulture), "-V", $"{Moment(wish.From)}:{Moment(wish.Until)}",
            "-O", "clear",
        ];
        foreach (var allowed in role.Allow)
        {
            arguments.AddRange(["-O", SshRole.Extensions[allowed]]);
        }

        if (role.Sources.Count > 0)
        {
            arguments.AddRange(["-O", "source-address=" + string.Join(',', role.Sources)]);
        }

        if (role.ForceCommand is { } command)
        {
            arguments.AddRange(["-O", "force-command=" + command]);
        }

        return arguments;
    }

    private static async Task UnlockAsync(SshTool tool, SshSettings settings, ISecrets secrets, CancellationToken cancellation)
    {
        var key = secrets.Reveal(settings.Authority ?? throw new SshTroubleException("the resource names no CA", "make one with `stint ca ssh --new`"));
        await tool.WriteAsync(CaFile, key.TrimEnd() + "\n", cancellation);
    }

    private static async Task<SshPublicKey> PublicKeyAsync(SshTool tool, CancellationToken cancellation)
    {
        try
        {
            var text = await tool.RunAsync("ssh-keygen", ["-y", "-P", "", "-f", tool.PathOf(CaFile)], cancellation);
            await tool.WriteAsync(CaFile + ".pub", text, cancellation);
            return Parsed(text);
        }
        catch (SshTroubleException trouble) when (trouble.Message.Contains("refused", StringComparison.Ordinal))
        {
            // NB. Not what ssh-keygen said: it may have been given another secret, and could repeat of it.
            throw new SshTroubleException("what the catalog names as ca is not a private key in OpenSSH's form without a passphrase", "make one with `stint ca ssh --new`");
        }
    }

    private static SshPublicKey Parsed(string text) =>
        SshPublicKey.Read(text.Trim()).Key ?? throw new SshTroubleException("the CA's public key is of no type that is taken", "make another with `stint ca ssh --new`");

    private static string Moment(DateTimeOffset moment) => Seconds(moment).UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);

    private static DateTimeOffset Seconds(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds());

    private static async Task<SshOutcome<T>> TryAsync<T>(Func<SshTool, Task<T>> act)
    {
        using var tool = SshTool.Begin();
        try
        {
            return new SshOutcome<T>.Done(await act(tool));
        }
        catch (SshTroubleException trouble)
        {
            return new SshOutcome<T>.Refused(trouble.Message, trouble.Remedy);
        }
        catch (SecretUnavailableException trouble)
        {
            return new SshOutcome<T>.Refused(trouble.Message.TrimEnd('.'), "put the CA's key where the catalog says it is");
        }
    }
}
