using Stint.Connectors.Ssh;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Sessions;

/// <summary>The CA that a resource's hosts have to trust.</summary>
/// <param name="Resource">The resource; null for one that was just made.</param>
/// <param name="Key">Its public key.</param>
/// <param name="Sealed">Its private key, sealed for the catalog; null for one that stands there already.</param>
internal sealed record Authority(string? Resource, SshPublicKey Key, string? Sealed);

/// <summary>Names and makes the user CAs of hosts.</summary>
internal sealed class FindAuthority(CurrentCatalog catalog, Targets targets, Sealer sealer)
{
    /// <summary>The CA of a resource, for who owns it and for those who read everything or keep the catalog.</summary>
    public async Task<Outcome<Authority>> GetAsync(SubjectId who, string resource, CancellationToken cancellation)
    {
        var current = catalog.Now;
        if (!current.Resources.TryGetValue(resource, out var found) || !(current.Owns(who, resource) || current.MayReadCatalog(who)))
        {
            return new Outcome<Authority>.NotFound();
        }

        return !IssueCertificate.Takes(found.Kind)
            ? new Outcome<Authority>.Refused($"{resource} is of the kind {found.Kind}, and its hosts trust no CA", null)
            : await KeyOfAsync(found, cancellation) switch
            {
                SshOutcome<SshPublicKey>.Refused refused => new Outcome<Authority>.Refused(refused.Why, refused.Remedy),
                SshOutcome<SshPublicKey>.Done done => new Outcome<Authority>.Done(new Authority(resource, done.Value, null)),
                var other => throw new InvalidOperationException($"A key cannot come to {other.GetType().Name}."),
            };
    }

    /// <summary>Makes a CA for the catalog. Its private key leaves the server sealed or not at all, and is kept nowhere.</summary>
    public async Task<Outcome<Authority>> MakeAsync(SubjectId who, CancellationToken cancellation)
    {
        if (!catalog.Now.IsAdmin(who))
        {
            return new Outcome<Authority>.NotYours("only admins make a CA", catalog.Now.Administrators());
        }

        return await SshAuthority.MakeAsync(cancellation) switch
        {
            SshOutcome<(string PrivateKey, SshPublicKey PublicKey)>.Refused refused => new Outcome<Authority>.Refused(refused.Why, refused.Remedy),
            SshOutcome<(string PrivateKey, SshPublicKey PublicKey)>.Done done => new Outcome<Authority>.Done(
                new Authority(null, done.Value.PublicKey, sealer.Seal(done.Value.PrivateKey, CatalogSecrets.Purpose))),
            var other => throw new InvalidOperationException($"A key cannot come to {other.GetType().Name}."),
        };
    }

    /// <summary>The key of a resource's CA.</summary>
    public Task<SshOutcome<SshPublicKey>> KeyOfAsync(Resource resource, CancellationToken cancellation) =>
        SshAuthority.PublicKeyAsync(SshSettings.Of(resource.Settings), targets.Now(resource)!.Value.Target.Secrets, cancellation);
}
