using System.Globalization;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Ssh;

/// <summary>Hosts that let in whom a CA certifies. Nothing is ever changed at one: what its holder shows is all that there is.</summary>
internal sealed class SshConnector : IConnector
{
    public string Kind => SshSettings.Kind;

    /// <summary>sshd takes no certificate at or after its end, whether Stint runs or not.</summary>
    public Guarantee Guarantee => Guarantee.Native;

    public KindShape Shape => SshSettings.Shape;

    public async Task<VerbOutcome> CheckAsync(Target target, CancellationToken cancellation)
    {
        var settings = SshSettings.Of(target.Resource.Settings);
        return await OpenAsync(target, cancellation) is VerbOutcome.Refused refused ? refused : await LookAsync(settings, cancellation);
    }

    public Task<VerbOutcome> OpenAsync(Target target, Account account, CancellationToken cancellation) => OpenAsync(target, cancellation);

    public Task<VerbOutcome> CloseAsync(Target target, Account account, CancellationToken cancellation) => DoneAsync(cancellation);

    public Task<VerbOutcome> CutAsync(Target target, Account account, string? backend, CancellationToken cancellation) => DoneAsync(cancellation);

    public Task<Listing> ListAsync(Target target, CancellationToken cancellation) => Task.FromResult<Listing>(new Listing.Nothing());

    /// <summary>Whether certificates can be signed: a grant that opened and could not be used would be worth nothing.</summary>
    private static async Task<VerbOutcome> OpenAsync(Target target, CancellationToken cancellation) =>
        await SshAuthority.PublicKeyAsync(SshSettings.Of(target.Resource.Settings), target.Secrets, cancellation) switch
        {
            SshOutcome<SshPublicKey>.Refused refused => new VerbOutcome.Refused(refused.Why, refused.Remedy),
            _ => new VerbOutcome.Done(),
        };

    /// <summary>Whether the host shows a key that the catalog names.</summary>
    private static async Task<VerbOutcome> LookAsync(SshSettings settings, CancellationToken cancellation)
    {
        using var tool = SshTool.Begin();
        string shown;
        try
        {
            shown = await tool.RunAsync("ssh-keyscan", ["-T", "5", "-p", settings.Port.ToString(CultureInfo.InvariantCulture), "--", settings.Host], cancellation, tolerant: true);
        }
        catch (SshTroubleException trouble)
        {
            return new VerbOutcome.Refused(trouble.Message, trouble.Remedy);
        }

        var keys = shown.Split('\n')
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' ', 2) is [_, var key] ? SshPublicKey.Read(key).Key : null)
            .OfType<SshPublicKey>()
            .ToList();
        return keys.Count == 0
            ? new VerbOutcome.Unreachable($"No sshd answered at {settings.Host}, port {settings.Port}.")
            : keys.Intersect(settings.HostKeys).Any()
                ? new VerbOutcome.Done()
                : new VerbOutcome.Refused(
                    $"The host shows other keys than those under host_keys: {string.Join(", ", keys.Select(key => $"{key.Type} {key.Fingerprint}"))}.",
                    "If they are the host's, put them into the catalog; else somebody stands in between.");
    }

    private static Task<VerbOutcome> DoneAsync(CancellationToken cancellation) =>
        cancellation.IsCancellationRequested ? Task.FromCanceled<VerbOutcome>(cancellation) : Task.FromResult<VerbOutcome>(new VerbOutcome.Done());
}
