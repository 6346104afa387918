using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Approvals;

public sealed class BreakGlassUseCaseTests
{
    private const string Owner = "orders-db/owner";
    private const string Why = "the shop takes no orders and nobody of the owners answers";
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly SubjectId Finn = new("finn");

    private static Task<World> WorldAsync(string? catalog = null, StintStore? store = null) => World.NewAsync(catalog ?? Text(), store: store);

    internal static string Text(string more = "") => World.Catalog
        .Replace("  root: {}\n", "  root: {}\n  finn: {}\n  gil: {}\n  hal: { disabled: true }\n", StringComparison.Ordinal)
        .Replace("groups:\n", "groups:\n  security: [dave, finn, hal]\n", StringComparison.Ordinal)
        .Replace("      two: {", "      hidden: { member_of: [orders_hidden] }\n      two: {", StringComparison.Ordinal)
        + "\n  glass:\n    who: group:developers\n    roles: [orders-db/owner, orders-db/hidden]\n    for: { default: 20m, max: 1h }\n"
        + "    break_glass: { tell: [group:security, owners], review: { from: group:security, within: 24h }, reason_at_least: 30 }\n" + more;

    private static Task<Outcome<RequestView>> BreakAsync(World world, SubjectId? who = null, string role = Owner, string? why = Why, GrantId? extends = null, bool glass = true) =>
        world.Get<AskForRole>().AskAsync(who ?? World.Ann, new Asking(role, null, why, null, null, false, extends?.Value) { BreakGlass = glass }, None);

    private static async Task<RequestView> BrokenAsync(World world, SubjectId? who = null, string role = Owner)
    {
        var view = Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world, who, role)).Value;
        Assert.Equal(RequestState.Approved, view.Request.State);
        await world.TickAsync();
        Assert.Equal(GrantState.Open, (await world.GrantAsync(view.Grant!.Grant.Id)).State);
        return view;
    }

    private static Task<Outcome<ReviewView>> CloseAsync(World world, SubjectId who, ReviewId id, ReviewState outcome = ReviewState.Accepted, string comment = "looked at every statement") =>
        world.Get<CloseReview>().CloseAsync(who, id, outcome, comment, None);

    private static async Task EndAsync(World world, RequestView view)
    {
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<EndGrant>().EndAsync(view.Request.Subject, view.Grant!.Grant.Id, None));
        await world.TickAsync();
    }

    [Fact]
    public async Task Break_OpensAtOnce_RecordsStrictly_TellsAndOpensAReview()
    {
        await using var world = await WorldAsync();
        var view = await BrokenAsync(world);

        var grant = await world.GrantAsync(view.Grant!.Grant.Id);
        Assert.True(grant.BreakGlass);
        Assert.Equal(RecordMode.Strict, grant.Record);
        Assert.Equal(TimeSpan.FromMinutes(20), grant.For);
        var session = Facts.SessionStarted(new SessionId("ses-1"), grant, new AssignmentId("as-1"), new Knock("l", "postgres", null, "psql", "127.0.0.1", true), null, "one", world.Now);
        Assert.Contains("\"break_glass\":true", session.Seal(0).Body, StringComparison.Ordinal);
        var review = view.Review!;
        Assert.Equal(ReviewState.Open, review.State);
        Assert.Equal(world.Now + TimeSpan.FromHours(24), review.DueAt);
        Assert.Equal([World.Bob, World.Carol, World.Dave, Finn], review.Told);
        Assert.Equal([World.Dave, Finn], review.Reviewers);
        var passed = Assert.Single(view.Request.Verdict.TraceForAsker, line => line.Rule == "own");
        Assert.Equal(RuleOutcome.Matched, passed.Outcome);
        Assert.Contains("which break-glass passes over", passed.Because, StringComparison.Ordinal);
        Assert.Equal(["glass"], view.Request.Verdict.DecidedBy);
        var facts = await world.FactsAsync();
        Assert.True(facts.IndexOf("GlassBroken") < facts.IndexOf("GrantOpening"));
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task AnAskingOfEveryDay_NeverRestsOnIt()
    {
        await using var world = await WorldAsync();

        var owner = await world.AskedAsync(Owner, wait: true);
        Assert.Equal(RequestState.Pending, owner.Request.State);
        Assert.Equal(["own"], owner.Request.Verdict.DecidedBy);

        var hidden = await world.AskedAsync("orders-db/hidden", wait: true);
        Assert.Equal(RequestState.Denied, hidden.Request.State);
        Assert.Null(hidden.Grant);
        Assert.Contains("break-glass", hidden.Request.Why, StringComparison.Ordinal);

        // Whom the rule is not about learns nothing.
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.AskAsync("orders-db/hidden", World.Dave));
        Assert.IsType<Outcome<RequestView>.NotFound>(await BreakAsync(world, World.Dave));
    }

    [Theory]
    [InlineData(null, "fewer than 30")]
    [InlineData("down", "fewer than 30")]
    [InlineData("x                                                         x", "fewer than 30")]
    public async Task Break_WithoutALongReason_IsDenied(string? why, string says)
    {
        await using var world = await WorldAsync();
        var view = Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world, why: why)).Value;
        Assert.Equal(RequestState.Denied, view.Request.State);
        Assert.Contains(says, view.Request.Why, StringComparison.Ordinal);
        Assert.DoesNotContain("GlassBroken", await world.FactsAsync());
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task Break_ADenyRule_StillDenies()
    {
        await using var world = await WorldAsync(Text("  no: { deny: person:ann, roles: [orders-db/owner] }\n"));
        var view = Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world)).Value;
        Assert.Equal(["no"], view.Request.Verdict.DecidedBy);
        await BrokenAsync(world, World.Eve);
    }

    [Fact]
    public async Task Break_WhereNoRuleIsForIt_IsDeniedAndSaysSo()
    {
        await using var world = await WorldAsync();
        var view = Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world, role: "orders-db/two")).Value;
        Assert.Equal(RequestState.Denied, view.Request.State);
        Assert.Contains("no rule lets ann break the glass", view.Request.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Break_WhoseTellersOrReviewersAreGone_FailsClosed()
    {
        await using var world = await WorldAsync();
        var without = World.Load(Text().Replace("security: [dave, finn, hal]", "security: [eve, hal]", StringComparison.Ordinal));
        await world.Get<ApplyCatalog>().ApplyAsync(without, Actor.Server, None);

        await BrokenAsync(world, World.Ann);
        var eve = Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world, World.Eve)).Value;
        Assert.Equal(RequestState.Denied, eve.Request.State);
        Assert.Contains("nobody but the asker could review it", eve.Request.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BreakAgain_WhileTheReviewIsOpen_IsDeniedAndNamesIt()
    {
        await using var world = await WorldAsync();
        var first = await BrokenAsync(world);
        var again = Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world, role: "orders-db/hidden")).Value;
        Assert.Equal(RequestState.Denied, again.Request.State);
        Assert.Contains(first.Review!.Id.Value, again.Request.Why, StringComparison.Ordinal);
        Assert.Null(again.Review);
        var preview = Assert.IsType<Outcome<AskPreview>.Done>(await world.Get<AskForRole>().PreviewAsync(World.Ann, new Asking(Owner, null, Why, null, null, false, null) { BreakGlass = true }, None)).Value;
        Assert.IsType<Verdict.Deny>(preview.Verdict);

        // Somebody else is held back by nothing, and what is asked on every day neither.
        await BrokenAsync(world, World.Eve);
        Assert.Equal(RequestState.Approved, (await world.AskedAsync()).Request.State);

        await EndAsync(world, first);
        Assert.IsType<Outcome<ReviewView>.Done>(await CloseAsync(world, Finn, first.Review.Id, ReviewState.Concern));
        await BrokenAsync(world);
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task TwoAtOnce_OnDifferentNodes_OneOpens()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await WorldAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        for (var round = 0; round < 10; round++)
        {
            var who = round % 2 == 0 ? World.Ann : World.Eve;
            var views = (await Task.WhenAll(
                    Task.Run(() => BreakAsync(one, who)),
                    Task.Run(() => BreakAsync(two, who, "orders-db/hidden"))))
                .Select(outcome => Assert.IsType<Outcome<RequestView>.Done>(outcome).Value).ToList();
            var let = Assert.Single(views, view => view.Request.State == RequestState.Approved);
            Assert.Contains(let.Review!.Id.Value, Assert.Single(views, view => view.Request.State == RequestState.Denied).Request.Why, StringComparison.Ordinal);
            await EndAsync(one, let);
            Assert.IsType<Outcome<ReviewView>.Done>(await CloseAsync(two, World.Dave, let.Review.Id));
        }

        Assert.Equal(10, (await one.FactsAsync()).Count(kind => kind == "GlassBroken"));
        Assert.True((await one.Get<VerifyLog>().VerifyAsync(None)).Holds);
    }

    [Fact]
    public async Task TwoReviewersAtOnce_OnDifferentNodes_OneCloses()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await WorldAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        var broken = await BrokenAsync(one);
        await EndAsync(one, broken);
        var outcomes = await Task.WhenAll(
            Task.Run(() => CloseAsync(one, World.Dave, broken.Review!.Id)),
            Task.Run(() => CloseAsync(two, Finn, broken.Review!.Id, ReviewState.Concern)));
        Assert.Single(outcomes.OfType<Outcome<ReviewView>.Done>());
        Assert.Single(outcomes.OfType<Outcome<ReviewView>.LostRace>());
    }

    [Fact]
    public async Task Extend_IsBreakGlassAgain_AndRefusedWhileUnderReview()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        var id = broken.Grant!.Grant.Id;
        Assert.IsType<Outcome<RequestView>.Invalid>(await BreakAsync(world, extends: id, glass: false));
        Assert.Equal(RequestState.Denied, Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world, extends: id)).Value.Request.State);

        // Nor does an emergency turn what was opened with a yes into itself.
        var open = await world.OpenAsync(who: World.Eve);
        Assert.IsType<Outcome<RequestView>.Invalid>(await BreakAsync(world, World.Eve, "orders-db/read-only", extends: open.Id));
    }

    [Fact]
    public async Task Close_ByAnybodyButAReviewer_IsRefused()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        await EndAsync(world, broken);
        var id = broken.Review!.Id;

        Assert.Contains("nobody reviews their own", Assert.IsType<Outcome<ReviewView>.NotYours>(await CloseAsync(world, World.Ann, id)).Why, StringComparison.Ordinal);
        Assert.IsType<Outcome<ReviewView>.NotYours>(await CloseAsync(world, World.Bob, id));
        Assert.IsType<Outcome<ReviewView>.NotYours>(await CloseAsync(world, World.Root, id));
        Assert.IsType<Outcome<ReviewView>.NotFound>(await CloseAsync(world, World.Eve, id));
        Assert.IsType<Outcome<ReviewView>.NotFound>(await CloseAsync(world, new SubjectId("hal"), id));
        Assert.IsType<Outcome<ReviewView>.Invalid>(await CloseAsync(world, Finn, id, comment: "  "));

        var closed = Assert.IsType<Outcome<ReviewView>.Done>(await CloseAsync(world, Finn, id)).Value;
        Assert.Equal((ReviewState.Accepted, Finn), (closed.Review.State, closed.Review.ClosedBy));
        Assert.IsType<Outcome<ReviewView>.LostRace>(await CloseAsync(world, World.Dave, id, ReviewState.Concern));
        Assert.Single(await world.FactsAsync(), kind => kind is "ReviewAccepted" or "ConcernRaised");
    }

    [Fact]
    public async Task Close_WhileAccessIsOpen_IsRefused()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        Assert.IsType<Outcome<ReviewView>.Refused>(await CloseAsync(world, Finn, broken.Review!.Id));
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<RevokeGrant>().RevokeAsync(World.Bob, broken.Grant!.Grant.Id, "enough", false, None));
        Assert.IsType<Outcome<ReviewView>.Done>(await CloseAsync(world, Finn, broken.Review.Id));
    }

    [Fact]
    public async Task Close_SomebodyWhoJoinedTheGroupLater_MayOnlyWhenNobodyOfTheNamedIsLeft()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        await EndAsync(world, broken);
        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(Text().Replace("security: [dave, finn, hal]", "security: [finn, gil]", StringComparison.Ordinal)), Actor.Server, None);
        Assert.IsType<Outcome<ReviewView>.NotFound>(await CloseAsync(world, new SubjectId("gil"), broken.Review!.Id));
        Assert.IsType<Outcome<ReviewView>.NotYours>(await CloseAsync(world, World.Dave, broken.Review.Id));

        await world.Get<ApplyCatalog>().ApplyAsync(World.Load(Text().Replace("security: [dave, finn, hal]", "security: [gil, ann]", StringComparison.Ordinal)), Actor.Server, None);
        Assert.IsType<Outcome<ReviewView>.NotYours>(await CloseAsync(world, World.Ann, broken.Review.Id));
        Assert.IsType<Outcome<ReviewView>.Done>(await CloseAsync(world, new SubjectId("gil"), broken.Review.Id));
    }

    [Fact]
    public async Task Overdue_IsSaidOnce_AndTheReviewStaysOpen()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        world.Time.Advance(TimeSpan.FromHours(24));
        await world.TickAsync();
        await world.TickAsync();
        world.Time.Advance(TimeSpan.FromHours(24));
        await world.TickAsync();
        Assert.Single(await world.FactsAsync(), kind => kind == "ReviewOverdue");
        var view = Assert.IsType<Outcome<ReviewView>.Done>(await world.Get<FindReviews>().GetAsync(World.Ann, broken.Review!.Id, None)).Value;
        Assert.Equal(ReviewState.Open, view.Review.State);
        Assert.NotNull(view.Review.OverdueAt);
        Assert.Single((await world.Get<ReadStatus>().ReadAsync(World.Ann, None)).Overdue);
        Assert.Empty((await world.Get<ReadStatus>().ReadAsync(World.Eve, None)).Overdue);
        Assert.Equal(1, (await world.Get<ReadStatus>().ReadAsync(World.Root, None)).Counts!.OverdueReviews);
        Assert.Equal(RequestState.Denied, Assert.IsType<Outcome<RequestView>.Done>(await BreakAsync(world)).Value.Request.State);
        await EndOverAsync(world, broken.Review.Id);
        Assert.True((await world.Get<VerifyLog>().VerifyAsync(None)).Holds);

        static async Task EndOverAsync(World world, ReviewId id) => Assert.IsType<Outcome<ReviewView>.Done>(await CloseAsync(world, Finn, id));
    }

    [Fact]
    public async Task WhoeverWasTold_IsTold_UntilTheySawIt()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        var id = broken.Review!.Id;
        async Task<int> UnseenAsync(SubjectId who) => (await world.Get<ReadStatus>().ReadAsync(who, None)).BrokenGlass.Count;

        foreach (var told in broken.Review.Told)
        {
            Assert.Equal(1, await UnseenAsync(told));
        }

        Assert.Equal(0, await UnseenAsync(World.Ann));
        Assert.Equal(0, await UnseenAsync(World.Eve));
        Assert.IsType<Outcome<ReviewView>.NotYours>(await world.Get<SeeGlass>().SeeAsync(World.Ann, id, None));
        Assert.IsType<Outcome<ReviewView>.NotFound>(await world.Get<SeeGlass>().SeeAsync(World.Eve, id, None));
        Assert.False(Assert.IsType<Outcome<ReviewView>.Done>(await world.Get<SeeGlass>().SeeAsync(World.Bob, id, None)).Value.Unseen);
        Assert.IsType<Outcome<ReviewView>.Done>(await world.Get<SeeGlass>().SeeAsync(World.Bob, id, None));
        Assert.Equal(0, await UnseenAsync(World.Bob));
        Assert.Equal(1, await UnseenAsync(World.Carol));
        Assert.Single(await world.FactsAsync(), kind => kind == "GlassSeen");
        Assert.Single((await world.Get<ReadStatus>().ReadAsync(Finn, None)).Reviews);
        Assert.Empty((await world.Get<ReadStatus>().ReadAsync(World.Bob, None)).Reviews);
    }

    [Fact]
    public async Task Evidence_TellsTheReviewAndItsOutcome_AndFailsWhenChanged()
    {
        await using var world = await WorldAsync();
        var broken = await BrokenAsync(world);
        var early = EvidenceVerifier.Verify(await EvidenceAsync(world, broken), KeyTrust.Nothing);
        Assert.True(early.Holds, string.Join('\n', early.Sentences.Where(line => !line.Holds)));
        Assert.Contains(early.Sentences, line => line.Text.Contains("was not closed when this file was written", StringComparison.Ordinal));

        await EndAsync(world, broken);
        await CloseAsync(world, Finn, broken.Review!.Id, ReviewState.Concern, "ann read the customers' addresses");
        var file = await EvidenceAsync(world, broken);
        var report = EvidenceVerifier.Verify(file, KeyTrust.Nothing);
        Assert.True(report.Holds, string.Join('\n', report.Sentences.Where(line => !line.Holds)));
        Assert.Contains(report.Sentences, line => line.Text.Contains("found something wrong, because “ann read the customers' addresses”", StringComparison.Ordinal));
        Assert.Contains(report.Sentences, line => line.Text.Contains("by finn, one of those whom the verdict names", StringComparison.Ordinal));
        var text = System.Text.Encoding.UTF8.GetString(file);
        foreach (var (from, to) in new[] { ("ConcernRaised", "ReviewAccepted"), ("customers' addresses", "customers' names"), ("\"review\":[", "\"revjew\":[") })
        {
            var changed = text.Replace(from, to, StringComparison.Ordinal);
            Assert.NotEqual(text, changed);
            Assert.False(EvidenceVerifier.Verify(System.Text.Encoding.UTF8.GetBytes(changed), KeyTrust.Nothing).Holds);
        }
    }

    private static async Task<byte[]> EvidenceAsync(World world, RequestView view) =>
        Assert.IsType<Outcome<byte[]>.Done>(await world.Get<CollectEvidence>().CollectAsync(World.Dave, view.Request.Id, None)).Value;

    [Theory]
    [InlineData("UPDATE reviews SET state = 'accepted', closed_by = 'finn', closed_at = 1, comment = 'x', version = version + 1")]
    [InlineData("UPDATE reviews SET due_at = due_at + 1, version = version + 1")]
    public async Task Verify_AReviewEditedBehindTheLogsBack_IsNamed(string edit)
    {
        await using var world = await WorldAsync();
        await BrokenAsync(world);
        world.Edit(edit);
        var report = await world.Get<VerifyLog>().VerifyAsync(None);
        Assert.Contains(report.Rows, row => row.About.StartsWith("rv-", StringComparison.Ordinal));
    }
}
