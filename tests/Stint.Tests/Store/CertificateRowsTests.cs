using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

public sealed class CertificateRowsTests
{
    private static readonly string Authority = new('a', 64);

    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Certificate_IsRevokedWithItsGrant_AndNeverChanges(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var grant = await test.WriteAsync(async work =>
        {
            var request = await work.InsertAsync(test.Asking("ann", RequestState.Approved));
            var ready = await work.InsertAsync(test.Right(request));
            var account = await work.InsertAsync(test.Account(ready), TestStore.Sealer.Seal("pw", "test"));
            var opening = await work.MoveAsync(ready, ready with { State = GrantState.Opening, Assignment = account!.Id, BegunAt = TestStore.Now, NotBefore = TestStore.Now, NotAfter = TestStore.Now.AddMinutes(30) });
            return (await work.MoveAsync(opening!, opening! with { State = GrantState.Open }))!;
        });
        var one = new IssuedCertificate
        {
            Serial = (1L << 52) - 1,
            Grant = grant.Id,
            Authority = Authority,
            AuthorityKey = "ssh-ed25519 AAAA",
            Fingerprint = "SHA256:x",
            MadeAt = TestStore.Now,
            NotBefore = TestStore.Now.AddMinutes(-1),
            NotAfter = TestStore.Now.AddMinutes(30),
        };
        await test.WriteAsync(async work => await work.InsertAsync(one));
        Assert.Equal(one, Assert.Single((await test.ReadAsync(async reads => await reads.CertificatesAsync(new Page()))).Items));
        Assert.Equal((1L, 0L), await test.ReadAsync(async reads => (await reads.CountCertificatesAsync(grant.Id, TestStore.Now.AddMinutes(-1)), await reads.CountCertificatesAsync(grant.Id, TestStore.Now))));
        Assert.Equal(("ssh-ed25519 AAAA", (string?)null), await test.ReadAsync(async reads => (await reads.FindAuthorityAsync(Authority), await reads.FindAuthorityAsync(new string('b', 64)))));
        Assert.Empty(await test.ReadAsync(async reads => await reads.RevokedCertificatesAsync(Authority, TestStore.Now)));

        await Assert.ThrowsAsync<StoreConflictException>(() => test.WriteAsync(async work => await work.InsertAsync(one)));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(one with { Serial = 2, NotAfter = one.NotAfter.AddSeconds(1) })));
        foreach (var attack in (string[])
                 [
                     "UPDATE certificates SET not_after = not_after - 1", "UPDATE certificates SET authority_key = 'ssh-ed25519 BBBB'", "DELETE FROM certificates",
                     $"INSERT INTO certificates (serial, grant_id, authority, authority_key, fingerprint, made_at, not_before, not_after) SELECT 3, grant_id, authority, authority_key, fingerprint, made_at - 3600000000, not_before, not_after FROM certificates",
                 ])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }

        await test.WriteAsync(async work => await work.MoveAsync(grant, grant with { State = GrantState.Closing, End = EndReason.Revoked, EndedAt = TestStore.Now.AddMinutes(1) }));
        Assert.Equal([one.Serial], await test.ReadAsync(async reads => await reads.RevokedCertificatesAsync(Authority, TestStore.Now)));
        Assert.Empty(await test.ReadAsync(async reads => await reads.RevokedCertificatesAsync(Authority, one.NotAfter)));
        Assert.Empty(await test.ReadAsync(async reads => await reads.RevokedCertificatesAsync(new string('b', 64), TestStore.Now)));
    }
}
