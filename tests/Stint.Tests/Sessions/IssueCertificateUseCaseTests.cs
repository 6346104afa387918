using Stint.Connectors.Ssh;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Sessions;

/// <summary>Certificates by the clock: none outlives its grant, whoever is late, and none is out that is not on record.</summary>
public sealed class IssueCertificateUseCaseTests
{
    private const string Role = "web/shell";

    private static async Task<(string PrivateKey, SshPublicKey PublicKey)> KeyAsync() =>
        Assert.IsType<SshOutcome<(string PrivateKey, SshPublicKey PublicKey)>.Done>(await SshAuthority.MakeAsync(default)).Value;

    private static async Task<(World World, string Key, SshPublicKey Ca)> NewAsync(StoreFaults? faults = null)
    {
        var (ca, key) = (await KeyAsync(), (await KeyAsync()).PublicKey);
        var world = await World.NewAsync(
            World.Catalog.Replace("policies:\n", $$"""
                  web:
                    kind: ssh
                    owners: [group:leads]
                    settings: { host: web, host_keys: ['{{key.Text}}'], ca: { env: WEB_CA }, certificate_life: 2h }
                    roles: { shell: { principals: [deploy] } }
                policies:
                  shell: { who: group:developers, roles: [web/shell], for: { default: 2h, max: 4h }, approve: { auto: true } }

                """, StringComparison.Ordinal),
            faults);
        world.Secrets["WEB_CA"] = ca.PrivateKey;
        return (world, key.Text, ca.PublicKey);
    }

    private static async Task<GrantId> OpenAsync(World world, int seconds)
    {
        var asked = await world.AskedAsync(Role, seconds: seconds, wait: true);
        await world.TickAsync();
        return asked.Grant!.Grant.Id;
    }

    private static Task<Outcome<CertificateInHand>> IssueAsync(World world, GrantId grant, string key) => world.Get<IssueCertificate>().IssueAsync(World.Ann, grant, key, CancellationToken.None);

    private static async Task<IssuedCertificate> IssuedAsync(World world, GrantId grant, string key) =>
        Assert.IsType<Outcome<CertificateInHand>.Done>(await IssueAsync(world, grant, key)).Value.Kept;

    [Fact]
    public async Task Issue_ToTheDeadline_AndNotAtIt_AlsoWithTheKeeperLate()
    {
        var (world, key, ca) = await NewAsync();
        await using var _ = world;
        var grant = await OpenAsync(world, 7200);
        var ends = (await world.GrantAsync(grant)).NotAfter!.Value;

        // The catalog says two hours, and none is good for more than one.
        Assert.Equal(world.Now.AddHours(1), (await IssuedAsync(world, grant, key)).NotAfter);
        world.Time.Advance(ends - world.Now - TimeSpan.FromSeconds(20.5));
        var last = await IssuedAsync(world, grant, key);
        Assert.True(last.NotAfter <= ends);
        Assert.True(ends - last.NotAfter < TimeSpan.FromSeconds(1));

        // The keeper is late: nobody closed it.
        world.Time.Advance(TimeSpan.FromSeconds(20.5));
        Assert.Equal(GrantState.Open, (await world.GrantAsync(grant)).State);
        Assert.IsType<Outcome<CertificateInHand>.Refused>(await IssueAsync(world, grant, key));
        Assert.Equal(2, (await world.FactsAsync()).Count(kind => kind == FactKinds.CertificateIssued));

        // Somebody who edits a row leaves the log behind.
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(CancellationToken.None)).Holds);
        world.Edit($"UPDATE certificates SET fingerprint = 'SHA256:other' WHERE serial = {last.Serial}");
        var found = await world.Get<VerifyLog>().VerifyAsync(CancellationToken.None);
        Assert.Contains(found.Rows, row => row.About == $"the certificate {last.Serial}");
        Assert.Equal(64, ca.Hash.Length);
    }

    [Fact]
    public async Task Issue_HandedBack_IsRevokedAtOnce_AndOfTwoGrantsOnlyThatOne()
    {
        var (world, key, ca) = await NewAsync();
        await using var _ = world;
        var first = await OpenAsync(world, 3600);
        var second = await OpenAsync(world, 7200);
        var (one, two) = (await IssuedAsync(world, first, key), await IssuedAsync(world, second, key));
        Task<List<long>> RevokedAsync() => world.Store.ReadAsync(async reads => await reads.RevokedCertificatesAsync(ca.Hash, world.Now), CancellationToken.None);
        Assert.Empty(await RevokedAsync());

        // Before the keeper looked, and with the keeper done.
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(World.Ann, first, CancellationToken.None));
        Assert.Equal([one.Serial], await RevokedAsync());
        Assert.IsType<Outcome<CertificateInHand>.Refused>(await IssueAsync(world, first, key));
        await world.TickAsync();
        Assert.Equal([one.Serial], await RevokedAsync());
        Assert.NotEqual(one.Serial, two.Serial);
        await IssuedAsync(world, second, key);
    }

    [Fact]
    public async Task Issue_TheStoreFails_HandsOutNothing_AndLeavesNothing()
    {
        var fails = false;
        var (world, key, _) = await NewAsync(new StoreFaults { BeforeCommit = () => { if (fails) { throw new StoreUnavailableException("full"); } } });
        await using var __ = world;
        var grant = await OpenAsync(world, 3600);
        fails = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => IssueAsync(world, grant, key));
        fails = false;
        Assert.Empty((await world.Store.ReadAsync(async reads => await reads.CertificatesAsync(new Page()), CancellationToken.None)).Items);
        Assert.DoesNotContain(FactKinds.CertificateIssued, await world.FactsAsync());
    }

    [Fact]
    public async Task Issue_MoreThanAMinuteHolds_Waits()
    {
        var (world, key, ca) = await NewAsync();
        await using var _ = world;
        var grant = await OpenAsync(world, 3600);
        await world.Store.WriteAsync(
            async work =>
            {
                for (var number = 1; number <= IssueCertificate.MostAMinute; number++)
                {
                    await work.InsertAsync(new IssuedCertificate
                    {
                        Serial = number,
                        Grant = grant,
                        Authority = ca.Hash,
                        AuthorityKey = ca.Text,
                        Fingerprint = "SHA256:x",
                        MadeAt = world.Now,
                        NotBefore = world.Now,
                        NotAfter = world.Now.AddMinutes(1),
                    });
                }

                return true;
            },
            CancellationToken.None);
        Assert.Contains("within a minute", Assert.IsType<Outcome<CertificateInHand>.Refused>(await IssueAsync(world, grant, key)).Why, StringComparison.Ordinal);
        world.Time.Advance(TimeSpan.FromMinutes(1));
        await IssuedAsync(world, grant, key);
    }
}
