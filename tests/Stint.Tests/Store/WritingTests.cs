using System.Diagnostics;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

/// <summary>Writers that meet: nothing lost, nothing doubled, nobody undone by another's failure, no false yes.</summary>
public sealed class WritingTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Write_64AtOnceSomeFailing_EachStandsOrFallsAlone(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(writer => Task.Run(async () =>
        {
            var (done, failed) = (0, 0);
            for (var i = 0; i < 10; i++)
            {
                try
                {
                    await test.WriteAsync(async work =>
                    {
                        var request = await work.InsertAsync(test.Asking("w" + writer, RequestState.Approved));
                        work.Append(TestStore.Said(request));
                        switch (i)
                        {
                            case 3:
                                throw new InvalidDataException("undo me");
                            case 5:
                                await work.Db.RunAsync("DELETE FROM requests");
                                break;
                            case 7:
                                work.Append(new Core.Audit.Fact("TooLarge", TestStore.Now, Actor.Person("x")) { ["reason"] = new string('x', 300 * 1024) });
                                break;
                        }

                        return request;
                    });
                    done++;
                }
                catch (Exception problem) when (problem is InvalidDataException or StoreRefusedException or FactTooLargeException)
                {
                    failed++;
                }
            }

            return (done, failed);
        })));
        Assert.All(outcomes, outcome => Assert.Equal((7, 3), outcome));
        await test.ReadAsync(async reads =>
        {
            Assert.Equal(64 * 7, await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests"));
            var facts = await reads.FactsAsync(0, 10_000);
            Assert.Equal(64 * 7, facts.Count);
            var edge = new MerkleFrontier();
            foreach (var fact in facts)
            {
                Assert.Equal(edge.Size, fact.Seq);
                Assert.Equal(Merkle.LeafHash(System.Text.Encoding.UTF8.GetBytes(fact.Body)), fact.LeafHash);
                edge.Append(fact.LeafHash);
            }

            var head = await reads.LogHeadAsync();
            Assert.Equal((edge.Size, edge.Root()), (head.Size, head.Root));
            Assert.Equal(head.Root, await MerkleProofs.RootAsync(reads, head.Size, CancellationToken.None));
            return 0;
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Write_RowThatIsThereAlreadyAmongOthers_OnlyItsWriterHears(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var first = await test.WriteAsync(work => work.InsertAsync(test.Asking("first", RequestState.Approved)).AsTask());
        var came = await Task.WhenAll(Enumerable.Range(0, 64).Select(writer => Task.Run(async () =>
        {
            try
            {
                await test.WriteAsync(async work =>
                {
                    var asking = test.Asking("w" + writer, RequestState.Approved);
                    var request = await work.InsertAsync(writer % 16 == 0 ? asking with { Id = first.Id } : asking);
                    work.Append(TestStore.Said(request));
                    return request;
                });
                return true;
            }
            catch (StoreConflictException)
            {
                return false;
            }
        })));
        Assert.Equal(Enumerable.Range(0, 64).Select(writer => writer % 16 != 0), came);
        await test.ReadAsync(async reads =>
        {
            Assert.Equal(61, await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests"));
            Assert.Equal(60, (await reads.LogHeadAsync()).Size);
            return true;
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Move_ManyWhoSawTheSame_OneWins(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var open = await test.OpenedAsync();
        var moved = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => test.WriteAsync(async work =>
            await work.MoveAsync(open, open with { State = GrantState.Closing, End = EndReason.Revoked, EndedAt = TestStore.Now })))));
        Assert.Single(moved, grant => grant is not null);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Commit_ThatFails_TellsEverybodyAndLeavesNothing(string kind)
    {
        var fail = false;
        await using var test = await TestStore.OpenAsync(kind, new StoreFaults { BeforeCommit = () => _ = fail ? throw new IOException("the disk is gone") : 0 });
        var before = test.Asking();
        await test.WriteAsync(work => AskAsync(work, before));
        fail = true;
        var writers = Enumerable.Range(0, 16).Select(_ => Task.Run(() => test.WriteAsync(work => AskAsync(work, test.Asking())))).ToList();
        foreach (var writer in writers)
        {
            var problem = await Assert.ThrowsAnyAsync<Exception>(() => writer);
            Assert.True(problem is IOException or StoreUnavailableException, problem.ToString());
        }

        fail = false;
        await test.WriteAsync(work => AskAsync(work, test.Asking()));
        var (requests, head, root) = await test.ReadAsync(async reads =>
        {
            var size = await reads.LogHeadAsync();
            return (await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests"), size, await MerkleProofs.RootAsync(reads, size.Size, CancellationToken.None));
        });
        Assert.Equal((2, 2), (requests, head.Size));
        Assert.Equal(root, head.Root);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Crash_AfterTheCommit_IsNeverAcknowledgedAndStillThere(string kind)
    {
        var crash = false;
        await using var test = await TestStore.OpenAsync(kind, new StoreFaults { AfterCommit = () => _ = crash ? throw new InvalidDataException("crash") : 0 });
        crash = true;
        var asked = test.Asking();
        await Assert.ThrowsAsync<InvalidDataException>(() => test.WriteAsync(work => AskAsync(work, asked)));
        crash = false;
        Assert.NotNull(await test.ReadAsync(async reads => await reads.FindRequestAsync(asked.Id)));
        await test.WriteAsync(work => AskAsync(work, test.Asking()));
        Assert.Equal(2, (await test.ReadAsync(async reads => await reads.LogHeadAsync())).Size);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Read_DuringWrites_SeesOneMoment(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 300 && !stop.IsCancellationRequested; i++)
            {
                await test.WriteAsync(work => AskAsync(work, test.Asking()));
            }
        });
        for (var i = 0; i < 50; i++)
        {
            await test.ReadAsync(async reads =>
            {
                var size = (await reads.LogHeadAsync()).Size;
                Assert.Equal(size, await reads.Db.NumberAsync("SELECT COUNT(*) FROM facts"));
                Assert.Equal(size, await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests"));
                return 0;
            });
        }

        await stop.CancelAsync();
        await writing;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Log_OverManyTiles_ProvesEveryLeaf(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var asked = test.Asking();
        foreach (var many in new[] { 1, 255, 300, 500, 13 })
        {
            await test.WriteAsync(work =>
            {
                for (var i = 0; i < many; i++)
                {
                    work.Append(TestStore.Said(asked));
                }

                return Task.CompletedTask;
            });
        }

        await test.ReadAsync(async reads =>
        {
            var head = await reads.LogHeadAsync();
            Assert.Equal(1069, head.Size);
            Assert.Equal(head.Root, await MerkleProofs.RootAsync(reads, head.Size, CancellationToken.None));
            var edge = new MerkleFrontier();
            foreach (var fact in await reads.FactsOfAsync(asked.Id))
            {
                edge.Append(fact.LeafHash);
                if (edge.Size is 256 or 300 or 768 or 1000)
                {
                    Assert.Equal(edge.Root(), await MerkleProofs.RootAsync(reads, edge.Size, CancellationToken.None));
                }
            }

            return 0;
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Wakes_AfterACommit_ReachWhoListensAndNotBefore(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var waiter = test.Store.Wakes.Listen("request:x");
        await Assert.ThrowsAsync<InvalidDataException>(() => test.WriteAsync(work =>
        {
            work.Wake("request:x");
            throw new InvalidDataException();
        }));
        using var soon = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter.WaitAsync(soon.Token));
        await test.WriteAsync(work =>
        {
            work.Wake("request:x");
            return Task.CompletedTask;
        });
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await waiter.WaitAsync(bound.Token);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancelled_BeforeItsTurn_NeverRuns(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => test.Store.WriteAsync(work => AskAsync(work, test.Asking()), gone.Token));
        Assert.Equal(0, (await test.ReadAsync(async reads => await reads.LogHeadAsync())).Size);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Lease_FencesOutWhoCameBefore(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await test.OpenedAsync();
        var first = Assert.Single(await LeaseAsync("a", TestStore.Now));
        Assert.Empty(await LeaseAsync("b", TestStore.Now.AddSeconds(29)));
        var second = Assert.Single(await LeaseAsync("b", TestStore.Now.AddSeconds(30)));
        Assert.True(second.Fence > first.Fence);
        Assert.Null(await test.WriteAsync(async work => await work.MoveAsync(first, first with { State = AssignmentState.Standing, DueAt = null }, release: true)));

        // Even one that reads the newest row again has lost, when it keeps to the fence that it was given.
        var fresh = (await test.ReadAsync(async reads => await reads.FindAssignmentAsync(first.Id)))!;
        Assert.Null(await test.WriteAsync(async work => await work.MoveAsync(fresh with { Fence = first.Fence }, fresh with { State = AssignmentState.Standing }, release: true)));
        Assert.NotNull(await test.WriteAsync(async work => await work.MoveAsync(second, second with { State = AssignmentState.Standing, DueAt = null }, release: true)));

        Task<List<Assignment>> LeaseAsync(string node, DateTimeOffset now) =>
            test.WriteAsync(async work => await work.LeaseDueAssignmentsAsync(node, now, TimeSpan.FromSeconds(30), 10, 10));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Lease_ManyTargets_BoundsEachAndServesTheLongestWaiting(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await test.WriteAsync(async work =>
        {
            for (var i = 0; i < 30; i++)
            {
                var request = await work.InsertAsync(test.Asking("s" + i, RequestState.Approved) with { Role = new RoleRef(i < 20 ? "busy" : "quiet", "r") });
                var grant = await work.InsertAsync(test.Right(request));
                await work.InsertAsync(test.Account(grant) with { DueAt = TestStore.Now.AddSeconds(i) }, TestStore.Sealer.Seal("x", "test"));
            }
        });
        var leased = await test.WriteAsync(async work => await work.LeaseDueAssignmentsAsync("a", TestStore.Now.AddMinutes(1), TimeSpan.FromMinutes(1), 100, 4));
        Assert.Equal(["busy", "busy", "busy", "busy", "quiet", "quiet", "quiet", "quiet"], leased.Select(assignment => assignment.Role.Resource));
        Assert.Equal(TestStore.Now, leased.Min(assignment => assignment.DueAt));
        Assert.Empty(await test.WriteAsync(async work => await work.LeaseDueAssignmentsAsync("b", TestStore.Now.AddMinutes(1), TimeSpan.FromMinutes(1), 100, 4)));
    }

    [Fact]
    public async Task Expire_ThreeThousandDue_EndsEachOnceWithItsFact()
    {
        await using var test = await TestStore.OpenAsync("sqlite");
        await test.WriteAsync(async work =>
        {
            for (var i = 0; i < 3_000; i++)
            {
                var request = await work.InsertAsync(test.Asking("s" + i, RequestState.Approved));
                var ready = await work.InsertAsync(test.Right(request));
                var account = await work.InsertAsync(test.Account(ready) with { DueAt = null }, "sealed:v1:00000000:AAAA");
                var opening = await work.MoveAsync(ready, ready with { State = GrantState.Opening, Assignment = account!.Id, NotBefore = TestStore.Now, NotAfter = TestStore.Now.AddHours(1) });
                await work.MoveAsync(opening!, opening! with { State = GrantState.Open });
            }
        });
        var watch = Stopwatch.StartNew();
        var ended = 0;
        for (int batch; (batch = await test.WriteAsync(SweepAsync)) > 0;)
        {
            ended += batch;
        }

        TestContext.Current.SendDiagnosticMessage($"3,000 grants ended in {watch.ElapsedMilliseconds} ms");
        Assert.Equal(3_000, ended);
        Assert.Equal(3_000, (await test.ReadAsync(async reads => await reads.LogHeadAsync())).Size);

        static async Task<int> SweepAsync(Work work)
        {
            var due = await work.ExpireAsync(TestStore.Now.AddHours(1), 1000);
            foreach (var grant in due)
            {
                work.Append(new Core.Audit.Fact(FactKinds.GrantClosing, TestStore.Now, Actor.Keeper) { ["request"] = grant.Request.Value, ["grant"] = grant.Id.Value });
            }

            return due.Count;
        }
    }

    private static async Task<Request> AskAsync(Work work, Request asked)
    {
        work.Append(TestStore.Said(asked));
        return await work.InsertAsync(asked);
    }
}
