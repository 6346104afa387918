using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Store;
using Xunit;
using FactKinds = Stint.Core.Audit.FactKinds;

namespace Stint.Tests.Store;

/// <summary>The last of three guards: what a statement that no code of ours would send meets in the database itself.</summary>
public sealed class GuardTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Moves_InTheDatabase_AreThoseOfTheTables(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var stored = await test.ReadAsync(async reads => await reads.Db.ListAsync(
            "SELECT machine, from_state, to_state FROM moves", row => $"{row.GetString(0)}: {row.GetString(1)} > {row.GetString(2)}"));
        var known = RequestMoves.Table.All.Select(move => $"request: {Words.Request[move.From]} > {Words.Request[move.To]}")
            .Concat(GrantMoves.Table.All.Select(move => $"grant: {Words.Grant[move.From]} > {Words.Grant[move.To]}"))
            .Concat(AssignmentMoves.Table.All.Select(move => $"assignment: {Words.Assignment[move.From]} > {Words.Assignment[move.To]}"))
            .Concat(SessionMoves.Table.All.Select(move => $"session: {Words.Session[move.From]} > {Words.Session[move.To]}"))
            .Concat(SeriesMoves.Table.All.Select(move => $"series: {Words.Series[move.From]} > {Words.Series[move.To]}"))
            .Concat(Core.Catalog.ChangeMoves.Table.All.Select(move => $"change: {Words.Change[move.From]} > {Words.Change[move.To]}"))
            .Concat(Core.Approvals.ReviewMoves.Table.All.Select(move => $"review: {Words.Review[move.From]} > {Words.Review[move.To]}"));
        Assert.Equal(known.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Grant_EveryPairOfStates_MovesOnlyAsTheTableSays(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        foreach (var from in Words.Grant.Values)
        {
            foreach (var to in Words.Grant.Values.Where(to => to != from))
            {
                var seen = await AtAsync(test, from);
                var sql = $"UPDATE grants SET version = version + 1, state = '{Words.Grant[to]}', "
                    + $"end_reason = {(to is GrantState.Closing or GrantState.Closed ? "COALESCE(end_reason, 'revoked')" : "NULL")}, "
                    + $"ended_at = {(to is GrantState.Closing or GrantState.Closed ? "COALESCE(ended_at, 1)" : "NULL")}, "
                    + $"closed_at = {(to is GrantState.Closed ? "1" : "NULL")} WHERE id = '{seen.Id}'";
                if (GrantMoves.Table.Allows(from, to))
                {
                    Assert.Equal(1, await test.AttackAsync(sql));
                }
                else
                {
                    await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(sql));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Deadline_OfAnOpenGrant_NeverMoves(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var open = await test.OpenedAsync();
        foreach (var change in new[] { "not_after = not_after + 1", "not_after = not_after - 1", "not_after = NULL, state = 'closing', end_reason = 'revoked', ended_at = 1", "not_before = not_before - 1" })
        {
            await RefusedAsync(test, $"UPDATE grants SET version = version + 1, {change} WHERE id = '{open.Id}'");
        }

        await Assert.ThrowsAsync<StoreRefusedException>(() =>
            test.WriteAsync(async work => await work.MoveAsync(open, open with { NotAfter = open.NotAfter!.Value.AddHours(1) })));
        Assert.Equal(open, await test.ReadAsync(async reads => await reads.FindGrantAsync(open.Id)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Grant_WithoutAnApprovedRequestOfItsOwn_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var pending = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob")));
        var approved = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Approved)));
        var right = test.Right(approved);
        foreach (var grant in new[]
                 {
                     test.Right(pending),
                     right with { Request = new RequestId("req-nobody") },
                     right with { Subject = new SubjectId("eve") },
                     right with { Role = new RoleRef("orders-db", "superuser") },
                     right with { State = GrantState.Open },
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(grant)));
        }

        await test.WriteAsync(async work => await work.InsertAsync(right));
        await Assert.ThrowsAsync<StoreConflictException>(() => test.WriteAsync(async work => await work.InsertAsync(test.Right(approved))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Assignment_SecondLiveOneForASubjectAndRole_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var open = await test.OpenedAsync();
        Assert.Null(await test.WriteAsync(async work => await work.InsertAsync(test.Account(open), TestStore.Sealer.Seal("pw", "test"))));
        await Assert.ThrowsAsync<StoreConflictException>(() => test.AttackAsync(
            "INSERT INTO assignments (id, subject, resource, role, state, version, catalog_version, account, attempts, fence) "
            + "VALUES ('as-2', 'ann', 'orders-db', 'owner', 'adding', 1, 'c', 'other', 0, 0)"));
        await Assert.ThrowsAsync<ArgumentException>(() => test.WriteAsync(async work => await work.InsertAsync(test.Account(open), "plain secret")));
        await RefusedAsync(test, "UPDATE assignments SET version = version + 1, fence = fence - 1, secret = NULL");
        await RefusedAsync(test, "UPDATE assignments SET version = version + 1, state = 'removed', due_at = NULL, secret = NULL");
        await RefusedAsync(test, "DELETE FROM assignments");
        await test.AttackAsync("UPDATE assignments SET version = version + 1, state = 'removing'");

        // An open grant wants it still.
        await RefusedAsync(test, "UPDATE assignments SET version = version + 1, state = 'removed', due_at = NULL, secret = NULL");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Request_OnceDecidedOrRewritten_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var pending = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob")));
        await RefusedAsync(test, "UPDATE requests SET version = version + 1, subject = 'eve'");
        await RefusedAsync(test, "UPDATE requests SET version = version + 1, verdict = '{}'");
        await RefusedAsync(test, "UPDATE requests SET version = version + 1, lasts = lasts + 1");
        await RefusedAsync(test, "UPDATE requests SET why = 'x'");
        await RefusedAsync(test, "UPDATE requests SET version = version + 1, state = 'gone'");
        await RefusedAsync(test, "DELETE FROM requests");
        await test.WriteAsync(async work => await work.MoveAsync(pending, pending with { State = RequestState.Denied, DecidedAt = TestStore.Now, Why = "no" }));
        await RefusedAsync(test, "UPDATE requests SET version = version + 1, state = 'approved'");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Approval_ByTheRequesterAStrangerOrTwice_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var pending = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", RequestState.Pending, "bob", "ann")));
        foreach (var person in new[] { "ann", "eve" })
        {
            await RefusedAsync(test, Insert(person, 1, "c"));
        }

        await RefusedAsync(test, Insert("bob", 0, ""));
        await test.AttackAsync(Insert("bob", 1, ""));
        await Assert.ThrowsAsync<StoreConflictException>(() => test.AttackAsync(Insert("bob", 0, "changed my mind")));
        await RefusedAsync(test, "UPDATE approvals SET yes = 0, comment = 'x'");
        await RefusedAsync(test, "DELETE FROM approvals");

        string Insert(string person, int yes, string comment) =>
            $"INSERT INTO approvals (request_id, person, yes, at, comment, saw_digest, via) VALUES ('{pending.Id}', '{person}', {yes}, 1, '{comment}', 'd1', 'cli')";
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Session_WithoutAnOpenGrantOrOutsideItsWindow_IsRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var open = await test.OpenedAsync();
        var session = test.Connection(open);
        foreach (var wrong in new[]
                 {
                     session with { Subject = new SubjectId("eve") },
                     session with { StartedAt = open.NotAfter!.Value },
                     session with { StartedAt = open.NotBefore!.Value.AddTicks(-10) },
                     session with { State = SessionState.Ended },
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(wrong)));
        }

        await test.WriteAsync(async work => await work.InsertAsync(session));
        await RefusedAsync(test, "DELETE FROM sessions");
        await test.WriteAsync(async work => await work.ExpireAsync(open.NotAfter!.Value, 1));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(test.Connection(open))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Facts_ChangedDroppedOrPutInTheWrongPlace_AreRefused(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var asked = test.Asking();
        await test.WriteAsync(work =>
        {
            work.Append(TestStore.Said(asked));
            work.Append(TestStore.Said(asked, FactKinds.RequestApproved));
            return Task.CompletedTask;
        });
        var leaf = kind == "sqlite" ? "zeroblob(32)" : "decode(repeat('00', 32), 'hex')";
        await RefusedAsync(test, "UPDATE facts SET body = '{}'");
        await RefusedAsync(test, "DELETE FROM facts WHERE seq = 1");
        await RefusedAsync(test, $"INSERT INTO facts (seq, kind, at, body, leaf) VALUES (7, 'X', 1, '', {leaf})");
        await RefusedAsync(test, "UPDATE log_head SET size = 0");
        await RefusedAsync(test, "DELETE FROM log_head");
        if (kind == "postgres")
        {
            await RefusedAsync(test, "TRUNCATE facts");
        }
    }

    private static Task RefusedAsync(TestStore test, string sql) => Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(sql));

    private static async Task<Grant> AtAsync(TestStore test, GrantState state)
    {
        var subject = test.NextId("s");
        if (state == GrantState.Ready)
        {
            return await test.ReadyAsync(subject);
        }

        if (state == GrantState.Opening)
        {
            var ready = await test.ReadyAsync(subject);
            return await test.WriteAsync(async work =>
            {
                var account = await work.InsertAsync(test.Account(ready), TestStore.Sealer.Seal("pw", "test"));
                return (await work.MoveAsync(ready, ready with { State = GrantState.Opening, Assignment = account!.Id, NotBefore = TestStore.Now, NotAfter = TestStore.Now.AddHours(1) }))!;
            });
        }

        var grant = await test.OpenedAsync(subject);
        if (state is GrantState.Closing or GrantState.Closed)
        {
            var seen = grant;
            grant = (await test.WriteAsync(async work => await work.MoveAsync(seen, seen with { State = GrantState.Closing, End = EndReason.Returned, EndedAt = TestStore.Now })))!;
        }

        if (state == GrantState.Closed)
        {
            var seen = grant;
            grant = (await test.WriteAsync(async work => await work.MoveAsync(seen, seen with { State = GrantState.Closed, ClosedAt = TestStore.Now })))!;
        }

        return grant;
    }
}
