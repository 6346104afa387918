using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Sessions;

namespace Stint.Server.Api;

/// <summary>Certificates for hosts that trust a CA, the CA's keys, and what is revoked.</summary>
internal static class CertificateEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/grants/{id}/certificates", IssueAsync)
            .WithMetadata(ForWorkloads.Instance)
            .Describe("issueCertificate", "Get a certificate for a key of one's own", "For resources of the kind `ssh`. Begins the grant when it waits for that, and waits until it is open. The certificate ends with the grant or earlier; ask again with the same key. Takes an Idempotency-Key.", typeof(CertificateShape), 201, 403, 404, 409, 422);
        api.MapGet("/resources/{resource}/authority", async (Caller caller, FindAuthority find, string resource, CancellationToken cancellation) =>
                (await find.GetAsync(caller.Id, resource, cancellation)).Answer(Shape, ApiJson.Default.AuthorityShape))
            .Describe("getAuthority", "The CA that a resource's hosts trust", "For its owners, admins, auditors and catalog keepers.", typeof(AuthorityShape), 200, 404, 409);
        api.MapPost("/admin/authorities", async (Caller caller, FindAuthority find, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await find.MakeAsync(caller.Id, cancellation)).Answer(Shape, ApiJson.Default.AuthorityShape, 201))
            .Describe("makeAuthority", "Make a CA for hosts", "Its private key comes back sealed for the catalog, and is kept nowhere.", typeof(AuthorityShape), 201, 403, 409);
    }

    /// <summary>What hosts read, which have nothing to log in with.</summary>
    public static void MapOpen(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/authorities/{authority}/revoked", async (ListRevoked list, HttpContext context, string authority, CancellationToken cancellation) =>
            {
                if (await list.GetAsync(authority, cancellation) is not Outcome<byte[]>.Done { Value: var revoked })
                {
                    return Answers.NotFound();
                }

                context.Response.Headers.CacheControl = "no-cache";
                return Results.Bytes(revoked, "application/octet-stream");
            })
            .WithMetadata(Open.Instance)
            .Describe("revokedCertificates", "What a CA's hosts must not take", "A revocation list as sshd reads it (RevokedKeys). Needs no login: whoever knows the CA's public key knows the address, which is its SHA-256 in hexadecimal.", null, 200, 404)
            .Produces(200, contentType: "application/octet-stream");
    }

    private static async Task<IResult> IssueAsync(
        Caller caller, IssueCertificate issue, FindGrants find, KeptAnswers kept, KeyedCall? call, string id, [FromBody] CertificateBody body, CancellationToken cancellation)
    {
        if (await GrantEndpoints.OutOfScopeAsync(caller, find, id, cancellation) is { } beyond)
        {
            return beyond;
        }

        return await kept.OnceAsync(
            caller.Id,
            call,
            async keep => (await issue.IssueAsync(
                    caller.Id, new GrantId(id), body.PublicKey, cancellation, keep is null ? null : (work, given) => keep(work, JsonSerializer.Serialize(Shape(given), ApiJson.Default.CertificateShape))))
                .Answer(Shape, ApiJson.Default.CertificateShape, 201),
            cancellation);
    }

    private static CertificateShape Shape(CertificateInHand given) => new()
    {
        Certificate = given.Text,
        Serial = given.Kept.Serial.ToString(CultureInfo.InvariantCulture),
        NotBefore = given.Kept.NotBefore,
        NotAfter = given.Kept.NotAfter,
        GrantEnds = given.Grant.NotAfter!.Value,
        Resource = given.Grant.Role.Resource,
        Principals = given.Role.Principals,
        User = given.Role.User,
        Host = given.Settings.Host,
        Port = given.Settings.Port,
        HostKeys = [.. given.Settings.HostKeys.Select(key => key.Text)],
    };

    private static AuthorityShape Shape(Authority authority) => new(
        authority.Resource,
        authority.Key.Text,
        authority.Key.Fingerprint,
        $"/authorities/{authority.Key.Hash}/revoked",
        authority.Sealed);
}

/// <summary>Whose key.</summary>
internal sealed record CertificateBody
{
    /// <summary>The public key, as the file ending in <c>.pub</c> has it.</summary>
    public required string PublicKey { get; init; }
}

/// <summary>A certificate, and where it is good.</summary>
internal sealed record CertificateShape
{
    /// <summary>As the file ending in <c>-cert.pub</c> has it.</summary>
    public required string Certificate { get; init; }

    /// <summary>Its number, in decimal.</summary>
    public required string Serial { get; init; }

    /// <summary>When it begins to count: a little ago, for hosts whose clocks are behind.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>When it counts no more: the grant's end, or earlier.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>When the grant ends.</summary>
    public required DateTimeOffset GrantEnds { get; init; }

    public required string Resource { get; init; }

    /// <summary>Users that it logs in as.</summary>
    public required IReadOnlyList<string> Principals { get; init; }

    /// <summary>The one of them to take when nobody says otherwise.</summary>
    public required string User { get; init; }

    /// <summary>Name or address of the host.</summary>
    public required string Host { get; init; }

    /// <summary>Its port.</summary>
    public required int Port { get; init; }

    /// <summary>Public keys by which the host is known; take no other.</summary>
    public required IReadOnlyList<string> HostKeys { get; init; }
}

/// <summary>A CA of hosts.</summary>
/// <param name="Resource">Whose; null for one that was just made.</param>
/// <param name="PublicKey">What its hosts have to trust.</param>
/// <param name="Fingerprint">Of that key, as OpenSSH shows it.</param>
/// <param name="Revoked">Where its revocation list is, below the server's address.</param>
/// <param name="Sealed">Its private key, to write in the catalog: <c>ca: { sealed: … }</c>; null for one that stands there.</param>
internal sealed record AuthorityShape(string? Resource, string PublicKey, string Fingerprint, string Revoked, string? Sealed);
