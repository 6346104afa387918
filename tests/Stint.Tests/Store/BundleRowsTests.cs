using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

/// <summary>Askings for bundles in a store of each kind, and what the database itself refuses about them.</summary>
public sealed class BundleRowsTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Insert_ReadBack_IsTheSame(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (bundle, requests) = await KeptAsync(test);
        var (read, all) = await test.ReadAsync(async reads => (await reads.FindBundleAsync(bundle.Id), await reads.RequestsOfAsync(bundle.Id)));
        Assert.Equal(bundle, read);
        Assert.Equal(requests.Select(request => request.Id), all.Select(request => request.Id));
        Assert.All(all, request => Assert.Equal(bundle.Id, request.Bundle));
        var together = await test.WriteAsync(async work => await work.TogetherAsync(requests[1].Id));
        Assert.Equal(requests.Select(request => request.Id), together.Select(request => request.Id));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Bundle_ChangedOrDeleted_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (bundle, requests) = await KeptAsync(test);
        foreach (var sql in new[]
        {
            $"UPDATE bundles SET digest = 'another' WHERE id = '{bundle.Id}'",
            $"UPDATE bundles SET left_out = 0 WHERE id = '{bundle.Id}'",
            $"DELETE FROM bundles WHERE id = '{bundle.Id}'",
            $"UPDATE requests SET version = version + 1, bundle_id = NULL WHERE id = '{requests[0].Id}'",
            $"UPDATE requests SET version = version + 1, digest = 'another' WHERE id = '{requests[0].Id}'",
            $"INSERT INTO offers (id, request_id, person, at, resource, role, lasts, comment, saw_digest, via, state) VALUES ('off-1', '{requests[0].Id}', 'bob', 1, 'orders-db', 'owner', 1, '', '{bundle.Digest}', 'x', 'open')",
            $"INSERT INTO approvals (request_id, person, yes, at, comment, saw_digest, via) VALUES ('{requests[0].Id}', 'bob', 1, 1, '', 'only a part', 'x')",
        })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(sql));
        }

        Assert.Equal(1, await test.AttackAsync($"INSERT INTO approvals (request_id, person, yes, at, comment, saw_digest, via) VALUES ('{requests[0].Id}', 'bob', 1, 1, '', '{bundle.Digest}', 'x')"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Request_PutIntoABundleThatIsNotItsOwn_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (bundle, _) = await KeptAsync(test);
        foreach (var wrong in new[]
        {
            test.Asking("eve", RequestState.Pending, "bob") with { Bundle = bundle.Id, Digest = bundle.Digest, CatalogVersion = bundle.CatalogVersion },
            test.Asking("ann", RequestState.Pending, "bob") with { Bundle = bundle.Id, Digest = "another", CatalogVersion = bundle.CatalogVersion },
            test.Asking("ann", RequestState.Pending, "bob") with { Bundle = bundle.Id, Digest = bundle.Digest, CatalogVersion = bundle.CatalogVersion, AskedAt = TestStore.Now.AddDays(1) },
            test.Asking("ann", RequestState.Pending, "bob") with { Bundle = new BundleId("bu-none"), Digest = bundle.Digest, CatalogVersion = bundle.CatalogVersion },
        })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(wrong)));
        }
    }

    private static async Task<(BundleAsking Bundle, List<Request> Requests)> KeptAsync(TestStore test)
    {
        var asking = new BundleAsking
        {
            Id = new BundleId(test.NextId("bu")),
            Name = "onboarding",
            Subject = new SubjectId("ann"),
            AskedAt = TestStore.Now,
            For = TimeSpan.FromHours(8),
            Reason = "first week",
            Ticket = "TASK-1",
            StartAt = TestStore.Now.AddDays(1),
            CatalogVersion = "v1",
            LeftOut = 1,
            Digest = new string('b', 64),
        };
        return await test.WriteAsync(async work =>
        {
            var kept = await work.InsertAsync(asking);
            var requests = new List<Request>();
            for (var i = 0; i < 3; i++)
            {
                requests.Add(await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob") with { Bundle = kept.Id, Digest = kept.Digest, CatalogVersion = kept.CatalogVersion }));
            }

            return (kept, requests);
        });
    }
}
