using Stint.Connectors.Ssh;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>What hosts must not take any more although it has not ended: the certificates of grants that are no longer open.</summary>
/// <remarks>
/// Whoever knows a CA's public key may read its list: hosts fetch it, and have nothing to log in with. So no call makes more work
/// than a look at the store: what is written anew is written once for all who ask, and a CA that is not known is looked for once in a while.
/// </remarks>
internal sealed class ListRevoked(StintStore store, CurrentCatalog catalog, FindAuthority authorities, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(30);

    /// <summary>How far a host's clock may be behind: what it takes for longer is named for longer.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<string, (IReadOnlyList<long> Serials, byte[] List)> _written = new(StringComparer.Ordinal);
    private Dictionary<string, SshPublicKey> _known = new(StringComparer.Ordinal);
    private DateTimeOffset _lookedAt = DateTimeOffset.MinValue;

    /// <param name="authority">SHA-256 of the CA's public key, in hexadecimal.</param>
    /// <param name="cancellation">The caller left.</param>
    /// <returns>The list as OpenSSH reads it; not found for a CA that signs nothing here.</returns>
    public async Task<Outcome<byte[]>> GetAsync(string authority, CancellationToken cancellation)
    {
        var (kept, revoked) = await store.ReadAsync(
            async reads => (await reads.FindAuthorityAsync(authority), await reads.RevokedCertificatesAsync(authority, clock.Now() - Skew)), cancellation);
        await _turn.WaitAsync(cancellation);
        try
        {
            if (_written.TryGetValue(authority, out var written) && written.Serials.SequenceEqual(revoked))
            {
                return new Outcome<byte[]>.Done(written.List);
            }

            if ((kept is null ? await FindAsync(authority, cancellation) : SshPublicKey.Read(kept).Key) is not { } key)
            {
                return new Outcome<byte[]>.NotFound();
            }

            switch (await SshAuthority.RevocationListAsync(key, revoked, cancellation))
            {
                case SshOutcome<byte[]>.Done { Value: var list }:
                    _written[authority] = (revoked, list);
                    return new Outcome<byte[]>.Done(list);
                case SshOutcome<byte[]>.Refused refused:
                    return new Outcome<byte[]>.Refused(refused.Why, refused.Remedy);
                default:
                    throw new InvalidOperationException("A list is written or refused.");
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>A CA of the catalog that has signed nothing yet: its hosts want a list all the same, and let nobody in without one.</summary>
    private async Task<SshPublicKey?> FindAsync(string authority, CancellationToken cancellation)
    {
        if (!_known.ContainsKey(authority) && clock.Now() - _lookedAt >= LookAgain)
        {
            _lookedAt = clock.Now();
            var known = new Dictionary<string, SshPublicKey>(StringComparer.Ordinal);
            foreach (var resource in catalog.Now.Resources.Values.Where(resource => IssueCertificate.Takes(resource.Kind)))
            {
                if (await authorities.KeyOfAsync(resource, cancellation) is SshOutcome<SshPublicKey>.Done { Value: var key })
                {
                    known[key.Hash] = key;
                }
            }

            _known = known;
        }

        return _known.GetValueOrDefault(authority);
    }
}
