using Npgsql;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

/// <summary>Several nodes on one PostgreSQL store.</summary>
public sealed class NodesTests
{
    [Fact]
    public async Task DueWork_TwoNodesAtOnce_IsSharedWithoutDoubles()
    {
        await using var test = await TestStore.OpenAsync("postgres");
        await using var other = await TestStore.NodeAsync(test.Place);
        await test.WriteAsync(async work =>
        {
            for (var i = 0; i < 200; i++)
            {
                var request = await work.InsertAsync(test.Asking("s" + i, RequestState.Approved) with { Role = new RoleRef("r" + (i % 5), "x") });
                await work.InsertAsync(test.Account(await work.InsertAsync(test.Right(request))), TestStore.Sealer.Seal("x", "test"));
            }
        });
        var taken = await Task.WhenAll(TakeAsync(test.Store, "a"), TakeAsync(other, "b"));
        var all = taken.SelectMany(ids => ids).ToList();
        Assert.Equal(200, all.Count);
        Assert.Equal(200, all.Distinct().Count());

        static async Task<List<AssignmentId>> TakeAsync(StintStore store, string node)
        {
            var ids = new List<AssignmentId>();
            for (var empty = 0; empty < 3;)
            {
                var leased = await store.WriteAsync(
                    async work => await work.LeaseDueAssignmentsAsync(node, TestStore.Now, TimeSpan.FromMinutes(1), 7, 1000),
                    CancellationToken.None);
                ids.AddRange(leased.Select(assignment => assignment.Id));
                empty = leased.Count == 0 ? empty + 1 : 0;
            }

            return ids;
        }
    }

    [Fact]
    public async Task Log_TwoNodesAppending_StaysOneUnbrokenTree()
    {
        await using var test = await TestStore.OpenAsync("postgres");
        await using var other = await TestStore.NodeAsync(test.Place);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                var asked = test.Asking();
                await (writer % 2 == 0 ? test.Store : other).WriteAsync(
                    async work =>
                    {
                        await work.InsertAsync(asked);
                        work.Append(TestStore.Said(asked));
                    },
                    CancellationToken.None);
            }
        })));
        await test.ReadAsync(async reads =>
        {
            var edge = new MerkleFrontier();
            foreach (var fact in await reads.FactsAsync(0, 1000))
            {
                Assert.Equal(edge.Size, fact.Seq);
                Assert.Equal(fact.Seq, FactBody.Parse(fact.Body).Seq);
                edge.Append(fact.LeafHash);
            }

            Assert.Equal(320, edge.Size);
            Assert.Equal(edge.Root(), (await reads.LogHeadAsync()).Root);
            Assert.Equal(edge.Root(), await MerkleProofs.RootAsync(reads, 320, CancellationToken.None));
            return 0;
        });
    }

    [Fact]
    public async Task Answers_TwoNodesAtOnce_SeeEachOther()
    {
        await using var test = await TestStore.OpenAsync("postgres");
        await using var other = await TestStore.NodeAsync(test.Place);
        for (var round = 0; round < 20; round++)
        {
            var asked = test.Asking("ann", RequestState.Pending, "bob", "cid");
            await test.WriteAsync(async work => await work.InsertAsync(asked));
            var counts = await Task.WhenAll(AnswerAsync(test.Store, "bob"), AnswerAsync(other, "cid"));
            Assert.Equal([1, 2], counts.Order());

            Task<int> AnswerAsync(StintStore store, string person) => Task.Run(() => store.WriteAsync(
                async work =>
                {
                    await work.FindRequestAsync(asked.Id);
                    await work.InsertAsync(new Core.Approvals.Approval { Request = asked.Id, By = new SubjectId(person), Yes = true, At = TestStore.Now, SawDigest = "d1", Via = "cli" });
                    return (await work.ApprovalsAsync(asked.Id)).Count;
                },
                CancellationToken.None));
        }
    }

    [Fact]
    public async Task Deadlock_BetweenNodes_IsRunAgain()
    {
        await using var test = await TestStore.OpenAsync("postgres");
        await using var other = await TestStore.NodeAsync(test.Place);
        var (one, two) = (test.Asking(), test.Asking());
        await test.WriteAsync(async work =>
        {
            await work.InsertAsync(one);
            await work.InsertAsync(two);
        });
        var (firstHolds, secondHolds) = (new TaskCompletionSource(), new TaskCompletionSource());
        await Task.WhenAll(
            TakeAsync(test.Store, one.Id, two.Id, firstHolds, secondHolds),
            TakeAsync(other, two.Id, one.Id, secondHolds, firstHolds)).WaitAsync(TimeSpan.FromSeconds(30));

        static Task TakeAsync(StintStore store, RequestId first, RequestId second, TaskCompletionSource mine, TaskCompletionSource theirs) => Task.Run(() => store.WriteAsync(
            async work =>
            {
                Assert.NotNull(await work.FindRequestAsync(first));
                mine.TrySetResult();
                await theirs.Task;
                Assert.NotNull(await work.FindRequestAsync(second));
            },
            CancellationToken.None));
    }

    [Fact]
    public async Task Wakes_OfAnotherNode_AreHeard_AlsoAfterTheConnectionsWereCut()
    {
        await using var test = await TestStore.OpenAsync("postgres");
        await using var other = await TestStore.NodeAsync(test.Place);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using (var waiter = other.Wakes.Listen("keeper"))
        {
            await WakeAsync();
            await waiter.WaitAsync(bound.Token);
        }

        using var missed = other.Wakes.Listen("keeper");
        await using (var source = NpgsqlDataSource.Create(await PostgresServer.UrlAsync() + ";Pooling=false"))
        {
            await using var command = source.CreateCommand($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{test.Place}' AND query LIKE 'LISTEN%'");
            await command.ExecuteNonQueryAsync(bound.Token);
        }

        // Nobody knows what was said while the line was dead: everybody is woken.
        await missed.WaitAsync(bound.Token);
        using var again = other.Wakes.Listen("keeper");
        await WakeAsync();
        await again.WaitAsync(bound.Token);

        Task WakeAsync() => test.WriteAsync(work =>
        {
            work.Wake("keeper");
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Connection_CutByTheServer_FailsOnceAndWorksAgain()
    {
        await using var test = await TestStore.OpenAsync("postgres");
        await test.ReadyAsync();
        await using (var source = NpgsqlDataSource.Create(await PostgresServer.UrlAsync() + ";Pooling=false"))
        {
            await using var command = source.CreateCommand($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{test.Place}' AND query NOT LIKE 'LISTEN%'");
            await command.ExecuteNonQueryAsync();
        }

        for (var tries = 0; ; tries++)
        {
            try
            {
                await test.ReadyAsync("bob");
                break;
            }
            catch (StoreUnavailableException) when (tries < 3)
            {
            }
        }
    }
}
