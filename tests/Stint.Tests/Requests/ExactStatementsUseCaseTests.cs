using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Requests;

public sealed class ExactStatementsUseCaseTests
{
    private const string Update = "update orders set state = 'paid' where id = 7";

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Asked_ApprovedAndOpened_ItIsForTheseAndNoOthers_AllTheWay()
    {
        await using var world = await World.NewAsync();
        var asked = await AskedAsync(world, "orders-db/owner", [new AskedStatement(Update + ";\n", null, false, 1), new AskedStatement("select 1", null, false, null)]);
        Assert.Equal(ExactStatements.Parse(asked.Request.Statements!.Text), asked.Request.Statements);
        Assert.Equal(Update, asked.Request.Statements.List[0].Sql);
        Assert.NotEqual(RequestDigest.Of(asked.Request with { Statements = null }), asked.Request.Digest);
        Assert.Equal(RequestDigest.Of(asked.Request), asked.Request.Digest);

        var approved = Assert.IsType<Outcome<RequestView>.Done>(await world.ApproveAsync(World.Bob, asked.Request)).Value;
        await world.Get<BeginGrant>().BeginAsync(World.Ann, approved.Grant!.Grant.Id, None);
        await world.TickAsync();
        var open = await world.GrantAsync(approved.Grant.Grant.Id);
        Assert.Equal((GrantState.Open, asked.Request.Statements), (open.State, open.Statements));
        var session = await AdmittedAsync(world, await LoginAsync(world, open));
        Assert.Equal(open.Statements, session.Statements);
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);

        // Whoever edits the rows leaves the log behind.
        world.Edit("UPDATE grants SET statements = replace(statements, 'id = 7', 'id = 8') WHERE statements IS NOT NULL");
        Assert.Contains((await world.Get<VerifyLog>().VerifyAsync(None)).Rows, row => row.Sentence.Contains("for which exact statements", StringComparison.Ordinal));
        world.Edit("UPDATE grants SET statements = NULL");
        Assert.Contains((await world.Get<VerifyLog>().VerifyAsync(None)).Rows, row => row.About == open.Id.Value);
    }

    [Fact]
    public async Task Times_TwoSessionsAtOnce_OneHasTheLast_AndEachIsOnRecord()
    {
        await using var world = await World.NewAsync();
        var open = await OpenAsync(world, [new AskedStatement(Update, null, false, 3), new AskedStatement("select 1", null, false, null)]);
        var gate = world.Get<SessionGate>();
        var (one, other) = (await AdmittedAsync(world, await LoginAsync(world, open)), await AdmittedAsync(world, await LoginAsync(world, open)));

        var counted = await Task.WhenAll(Enumerable.Range(0, 8).Select(at => Task.Run(async () => await gate.CountAsync((at % 2 == 0 ? one : other).Id, 0, None))));

        Assert.Equal(3, counted.Count(yes => yes));
        Assert.Equal(3, (await world.FactsAsync()).Count(fact => fact == "StatementCounted"));
        Assert.True(await gate.CountAsync(one.Id, 1, None));
        Assert.False(await gate.CountAsync(one.Id, 2, None));
        Assert.False(await gate.CountAsync(new SessionId("ses-000000000000"), 0, None));
        await gate.HeldToAsync(one.Id, StatementRefusal.NotListed, 1, None);
        Assert.Equal("StatementRefused", (await world.FactsAsync())[^1]);
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task Times_AfterTheEnd_CountNothing()
    {
        await using var world = await World.NewAsync();
        var open = await OpenAsync(world, [new AskedStatement(Update, null, false, 3), new AskedStatement("select 1", null, false, null)]);
        var session = await AdmittedAsync(world, await LoginAsync(world, open));
        world.Time.Set(open.NotAfter!.Value);
        Assert.False(await world.Get<SessionGate>().CountAsync(session.Id, 0, None));
        Assert.False(await world.Get<SessionGate>().CountAsync(session.Id, 1, None));
        Assert.DoesNotContain("StatementCounted", await world.FactsAsync());
    }

    [Fact]
    public async Task Extension_IsForTheSame_AndBringsItsOwnTimes()
    {
        await using var world = await World.NewAsync();
        AskedStatement[] once = [new AskedStatement(Update, null, false, 1)];
        var open = await OpenAsync(world, once);
        var session = await AdmittedAsync(world, await LoginAsync(world, open));
        foreach (var other in (AskedStatement[]?[])[null, [new AskedStatement(Update, null, false, 2)], [new AskedStatement("select 1", null, false, null)]])
        {
            var wrong = Assert.IsType<Outcome<RequestView>.Invalid>(await AskAsync(world, "orders-db/read-only", other, extends: open.Id));
            Assert.Equal("authorization_details", Assert.Single(wrong.Problems).Field);
        }

        SessionOrder? last = null;
        session.Listen(order => last = order);
        var more = Assert.IsType<Outcome<RequestView>.Done>(await AskAsync(world, "orders-db/read-only", once, extends: open.Id)).Value;
        await world.TickAsync();
        var extended = await world.GrantAsync(more.Grant!.Grant.Id);
        Assert.Equal(GrantState.Open, extended.State);
        await world.Get<SessionOrders>().ReconcileAsync(open.Assignment!.Value, None);
        Assert.Equal(extended.NotAfter, Assert.IsType<SessionOrder.Extend>(last).NotAfter);
        foreach (var may in (bool[])[true, true, false])
        {
            Assert.Equal(may, await world.Get<SessionGate>().CountAsync(session.Id, 0, None));
        }
    }

    [Fact]
    public async Task WholeAndExact_AtTheSameAccount_CarryNeitherOfThemOn()
    {
        await using var world = await World.NewAsync();
        var whole = await world.OpenAsync(seconds: 600);
        var exact = await OpenAsync(world, [new AskedStatement("select 1", null, false, null)]);
        Assert.Equal(whole.Assignment, exact.Assignment);
        Assert.True(exact.NotAfter > whole.NotAfter);
        var (wide, narrow) = (await AdmittedAsync(world, await LoginAsync(world, whole)), await AdmittedAsync(world, await LoginAsync(world, exact)));
        Assert.Equal((null, exact.Statements), (wide.Statements, narrow.Statements));
        Assert.Equal((whole.NotAfter, exact.NotAfter), (wide.NotAfter, narrow.NotAfter));
        var (told, other) = (new List<SessionOrder>(), new List<SessionOrder>());
        wide.Listen(told.Add);
        narrow.Listen(other.Add);

        // More time for three statements is no more time for everything.
        await world.Get<SessionOrders>().ReconcileAsync(exact.Assignment!.Value, None);
        Assert.Equal(whole.NotAfter, Assert.IsType<SessionOrder.Extend>(told[^1]).NotAfter);
        await world.Get<RevokeGrant>().RevokeAsync(World.Bob, whole.Id, "enough", false, None);
        await world.Get<SessionOrders>().ReconcileAsync(exact.Assignment!.Value, None);
        Assert.IsType<SessionOrder.Cut>(told[^1]);
        Assert.IsType<SessionOrder.Extend>(other[^1]);

        // And the old login for everything lets nobody in to do everything.
        var again = Assert.IsType<GateAnswer.Refused>(await world.Get<SessionGate>().AdmitAsync(Knock((await world.Store.ReadAsync(async reads => await reads.LoginsAsync(whole.Id), None))[0].Name), None));
        Assert.Equal(GateRefusal.NoOpenGrant, again.Why);
    }

    [Fact]
    public async Task Required_WithoutThem_IsDenied_AndAConditionReadsThem()
    {
        await using var world = await World.NewAsync(World.Catalog.Replace(
            "    approve: { steps: [ { from: owners } ] }",
            "    reason: { statements: true }\n    approve: { steps: [ { from: owners } ], auto: 'request.statements.all(sql, sql.startsWith(\"select \"))' }",
            StringComparison.Ordinal));

        var denied = Assert.IsType<Outcome<RequestView>.Done>(await AskAsync(world, "orders-db/owner", null)).Value.Request;
        Assert.Equal(RequestState.Denied, denied.State);
        Assert.Contains("no exact statements were named", denied.Why, StringComparison.Ordinal);
        Assert.Equal(RequestState.Pending, (await AskedAsync(world, "orders-db/owner", [new AskedStatement(Update, null, false, null)])).Request.State);
        Assert.Equal(RequestState.Approved, (await AskedAsync(world, "orders-db/owner", [new AskedStatement("select 1", null, false, null)])).Request.State);
        Assert.True((await world.Get<FindRoles>().ListAsync(World.Ann, null, None)).Single(role => role.Role.Ref.Role == "owner").StatementsRequired);
    }

    [Fact]
    public async Task CounterOffer_KeepsThem_AndNothingAsksForMoreByItself()
    {
        await using var world = await World.NewAsync();
        var asked = await AskedAsync(world, "orders-db/owner", [new AskedStatement(Update, null, false, 1)]);
        var offered = await world.Get<OfferInstead>().OfferAsync(World.Bob, asked.Request.Id, new Instead(TimeSpan.FromMinutes(5), null, null, "shorter", asked.Request.Digest, "test"), None);
        Assert.IsType<Outcome<RequestView>.Done>(offered);
        var taken = Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AcceptOffer>().AcceptAsync(World.Ann, asked.Request.Id, null, None)).Value;
        Assert.Equal(asked.Request.Statements, taken.Request.Statements);
        Assert.Equal(asked.Request.Statements, taken.Grant?.Grant.Statements);

        var again = Assert.IsType<Outcome<SavedRequest>.Refused>(await world.Get<SaveRequests>().AgainAsync(World.Ann, "orders-db/owner", None));
        Assert.Contains("exact statements", again.Why, StringComparison.Ordinal);
        Assert.IsType<Outcome<SavedRequest>.Refused>(await world.Get<SaveRequests>().AgainAsync(World.Ann, null, None));
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task TheDatabase_KeepsAGrantToItsRequestsStatements_AndItsCounts(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var exact = ExactStatements.Of(Update);
        var grant = await test.WriteAsync(async work => await work.InsertAsync(test.Right(await work.InsertAsync(test.Asking(state: RequestState.Approved) with { Statements = exact })) with { Statements = exact }));
        Assert.Equal(exact, (await test.ReadAsync(async reads => await reads.FindGrantAsync(grant.Id)))!.Statements);
        foreach (var attack in (string[])["UPDATE grants SET statements = NULL, version = version + 1", "UPDATE grants SET statements = '[]', version = version + 1",
                     $"INSERT INTO statement_uses (grant_id, statement, used, most) VALUES ('{grant.Id}', 0, 1, 1)"])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }

        foreach (var other in (ExactStatements?[])[null, ExactStatements.Of("select 1")])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
            {
                await work.InsertAsync(test.Right(await work.InsertAsync(test.Asking("eve", RequestState.Approved) with { Statements = exact })) with { Statements = other });
                await work.Db.CatchUpAsync();
            }));
        }
    }

    private static Task<Outcome<RequestView>> AskAsync(World world, string role, AskedStatement[]? statements, GrantId? extends = null) => world.Get<AskForRole>().AskAsync(
        World.Ann,
        new Asking(role, null, "work", null, null, false, extends?.Value) { Details = statements is null ? null : [new AskedDetail(ExactStatements.Type, statements)] },
        None);

    private static async Task<RequestView> AskedAsync(World world, string role, AskedStatement[] statements) =>
        Assert.IsType<Outcome<RequestView>.Done>(await AskAsync(world, role, statements)).Value;

    private static async Task<Grant> OpenAsync(World world, AskedStatement[] statements)
    {
        var asked = await AskedAsync(world, "orders-db/read-only", statements);
        await world.Get<BeginGrant>().BeginAsync(World.Ann, asked.Grant!.Grant.Id, None);
        await world.TickAsync();
        return await world.GrantAsync(asked.Grant.Grant.Id);
    }

    private static async Task<string> LoginAsync(World world, Grant open) =>
        Assert.IsType<Outcome<MintedLogin>.Done>(await world.Get<MintLogin>().MintAsync(World.Ann, open.Id, None)).Value.Login;

    private static Knock Knock(string login) => new(login, "postgres", null, "psql", "127.0.0.1:5", true);

    private static async Task<AuthorizedSession> AdmittedAsync(World world, string login) =>
        Assert.IsType<GateAnswer.Admitted>(await world.Get<SessionGate>().AdmitAsync(Knock(login), None)).Session;
}
