using System.Data.Common;
using Stint.Core;

namespace Stint.Server.Store;

/// <summary>A certificate that a holder was given: its target takes it without asking Stint. It never changes.</summary>
internal sealed record IssuedCertificate
{
    /// <summary>Its number, by which it is revoked.</summary>
    public required long Serial { get; init; }

    public required GrantId Grant { get; init; }

    /// <summary>SHA-256 of the key of the CA that signed it, in hexadecimal.</summary>
    public required string Authority { get; init; }

    /// <summary>That key.</summary>
    public required string AuthorityKey { get; init; }

    /// <summary>Of the holder's key.</summary>
    public required string Fingerprint { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }
}

internal partial class Reads
{
    private protected const string CertificateColumns = "serial, grant_id, authority, authority_key, fingerprint, made_at, not_before, not_after";

    /// <summary>A page of certificates.</summary>
    public ValueTask<Paged<IssuedCertificate>> CertificatesAsync(Page page) => new Where().PageAsync(Db, CertificateColumns, "certificates", ReadCertificate, page);

    /// <summary>How many certificates a grant got after a moment.</summary>
    public async ValueTask<long> CountCertificatesAsync(GrantId grant, DateTimeOffset after) =>
        await Db.NumberAsync("SELECT COUNT(*) FROM certificates WHERE grant_id = $1 AND made_at > $2", grant.Value, after) ?? 0;

    /// <summary>The key of a CA that signed something here; null when none of that hash did.</summary>
    public ValueTask<string?> FindAuthorityAsync(string authority) =>
        Db.OneAsync("SELECT authority_key FROM certificates WHERE authority = $1 LIMIT 1", row => row.GetString(0), authority);

    /// <summary>Numbers of a CA's certificates whose grants are not open any more, and which end after a moment; in their order.</summary>
    public ValueTask<List<long>> RevokedCertificatesAsync(string authority, DateTimeOffset endingAfter) => Db.ListAsync(
        "SELECT serial FROM certificates WHERE authority = $1 AND not_after > $2 AND EXISTS (SELECT 1 FROM grants WHERE grants.id = certificates.grant_id AND grants.state <> 'open') ORDER BY serial",
        row => row.GetInt64(0),
        authority,
        endingAfter);

    private static IssuedCertificate ReadCertificate(DbDataReader row)
    {
        var c = new Columns(row);
        return new IssuedCertificate
        {
            Serial = c.Number(),
            Grant = new GrantId(c.Text()),
            Authority = c.Text(),
            AuthorityKey = c.Text(),
            Fingerprint = c.Text(),
            MadeAt = c.Time(),
            NotBefore = c.Time(),
            NotAfter = c.Time(),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a certificate before its holder gets it. The caller adds the fact.</summary>
    /// <exception cref="StoreConflictException">The number is taken.</exception>
    public async ValueTask InsertAsync(IssuedCertificate certificate) => await Db.RunAsync(
        $"INSERT INTO certificates ({CertificateColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        certificate.Serial,
        certificate.Grant.Value,
        certificate.Authority,
        certificate.AuthorityKey,
        certificate.Fingerprint,
        Stored.Round(certificate.MadeAt),
        certificate.NotBefore,
        certificate.NotAfter);
}
