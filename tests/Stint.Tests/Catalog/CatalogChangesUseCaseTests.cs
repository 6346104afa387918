using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class CatalogChangesUseCaseTests
{
    /// <summary>Root proposes; it takes both leads.</summary>
    private static readonly string Guarded = World.Catalog + "\nchanges: { approve: { steps: [ { from: group:leads, need: 2 } ], lapses: 2h } }";

    private static readonly string Other = Guarded.Replace("max: 4h", "max: 2h", StringComparison.Ordinal);

    private static Task<Outcome<Changing>> ApplyAsync(World world, string text, SubjectId? who = null) =>
        world.Get<ChangeCatalog>().ApplyAsync(who ?? World.Root, ChangeCatalogUseCaseTests.Sent(text), world.Get<CurrentCatalog>().Now.Version, CancellationToken.None);

    private static async Task<CatalogChange> ProposedAsync(World world, string text) =>
        Assert.IsType<Outcome<Changing>.Done>(await ApplyAsync(world, text)).Value.Change!.Change;

    private static Task<Outcome<ChangeView>> AnswerAsync(World world, SubjectId who, CatalogChange change, bool yes = true, string? saw = null, string? comment = "looked at") =>
        world.Get<CatalogChanges>().AnswerAsync(who, change.Id, yes, comment, saw ?? change.Digest, "test", CancellationToken.None);

    private static CatalogChange Done(Outcome<ChangeView> outcome) => Assert.IsType<Outcome<ChangeView>.Done>(outcome).Value.Change;

    [Fact]
    public async Task Apply_WhereAYesIsDemanded_WaitsForItAndTakesEffectOnTheLast()
    {
        await using var world = await World.NewAsync(Guarded);
        var before = world.Get<CurrentCatalog>().Now.Version;
        var change = await ProposedAsync(world, Other);
        Assert.Equal(before, world.Get<CurrentCatalog>().Now.Version);
        Assert.Equal(ChangeState.Pending, Done(await AnswerAsync(world, World.Bob, change)).State);
        Assert.Equal(before, world.Get<CurrentCatalog>().Now.Version);
        Assert.Equal(ChangeState.Applied, Done(await AnswerAsync(world, World.Carol, change)).State);
        Assert.Equal(change.Target, world.Get<CurrentCatalog>().Now.Version);
        Assert.Equal(["CatalogApplied", "ChangeProposed", "ChangeAnswered", "CatalogApplied", "ChangeAnswered", "ChangeEnded"], await world.FactsAsync());
        Assert.Equal(change.Id, (await world.Get<CatalogVersions>().HistoryAsync(new Page(), CancellationToken.None)).Items[0].Change);
        Assert.True((await VerifyAsync(world)).Holds);
    }

    [Fact]
    public async Task Apply_TheSameProposalAgain_IsTheSameChange()
    {
        await using var world = await World.NewAsync(Guarded);
        Assert.Equal((await ProposedAsync(world, Other)).Id, (await ProposedAsync(world, Other)).Id);
    }

    [Fact]
    public async Task Apply_ANewCatalogThatDemandsNobody_StillNeedsTheYesOfTheOldOne()
    {
        await using var world = await World.NewAsync(Guarded);
        Assert.Equal(ChangeState.Pending, (await ProposedAsync(world, World.Catalog)).State);
    }

    [Fact]
    public async Task Apply_ThatDemandsAYesFromNowOn_NeedsNoneItself()
    {
        await using var world = await World.NewAsync();
        Assert.NotNull(Assert.IsType<Outcome<Changing>.Done>(await ApplyAsync(world, Guarded)).Value.Entry);
        Assert.Equal(ChangeState.Pending, (await ProposedAsync(world, Other)).State);
    }

    [Fact]
    public async Task RollBack_WhereAYesIsDemanded_WaitsForItToo()
    {
        await using var world = await World.NewAsync();
        await ApplyAsync(world, Guarded);
        var back = await world.Get<ChangeCatalog>().RollBackAsync(World.Root, "1", world.Get<CurrentCatalog>().Now.Version, "", CancellationToken.None);
        Assert.NotNull(Assert.IsType<Outcome<Changing>.Done>(back).Value.Change);
    }

    [Fact]
    public async Task Answer_ByWhoeverProposed_IsRefusedThoughTheStepsNameThem()
    {
        await using var world = await World.NewAsync(Guarded.Replace("admins: [root]", "admins: [root, bob]", StringComparison.Ordinal).Replace("leads: [bob, carol]", "leads: [bob, carol, eve]", StringComparison.Ordinal));
        var outcome = await ApplyAsync(world, Other, World.Bob);
        var change = Assert.IsType<Outcome<Changing>.Done>(outcome).Value.Change!.Change;
        Assert.DoesNotContain(World.Bob, change.Steps[0].Approvers);
        var no = Assert.IsType<Outcome<ChangeView>.NotYours>(await AnswerAsync(world, World.Bob, change));
        Assert.Equal(["carol", "eve"], no.WhoCould.Select(person => person.Value));
    }

    [Theory]
    [InlineData("root")]
    [InlineData("dave")]
    public async Task Answer_ByAnAdminOrAuditorWhomNoStepNames_IsRefused(string who)
    {
        await using var world = await World.NewAsync(Guarded);
        Assert.IsType<Outcome<ChangeView>.NotYours>(await AnswerAsync(world, new SubjectId(who), await ProposedAsync(world, Other)));
    }

    [Fact]
    public async Task Answer_BySomebodyWhoMayNotSeeIt_IsAsIfThereWereNone()
    {
        await using var world = await World.NewAsync(Guarded);
        var change = await ProposedAsync(world, Other);
        Assert.IsType<Outcome<ChangeView>.NotFound>(await AnswerAsync(world, World.Ann, change));
        Assert.IsType<Outcome<ChangeView>.NotFound>(await AnswerAsync(world, World.Ann, change with { Id = new ChangeId("chg-000000000000") }));
        Assert.Empty((await world.Get<CatalogChanges>().ListAsync(World.Ann, null, new Page(), CancellationToken.None)).Items);
        Assert.Single((await world.Get<CatalogChanges>().ListAsync(World.Bob, null, new Page(), CancellationToken.None)).Items);
    }

    [Fact]
    public async Task Answer_YesToOtherBytesThanThose_DoesNotCount()
    {
        await using var world = await World.NewAsync(Guarded);
        var (change, another) = (await ProposedAsync(world, Other), await ProposedAsync(world, Guarded.Replace("max: 4h", "max: 3h", StringComparison.Ordinal)));
        Assert.IsType<Outcome<ChangeView>.LostRace>(await AnswerAsync(world, World.Bob, change, saw: another.Digest));
        Assert.IsType<Outcome<ChangeView>.Invalid>(await AnswerAsync(world, World.Bob, change, saw: ""));
        Assert.Empty((await world.Store.ReadAsync(async reads => await reads.AnswersAsync(change.Id), CancellationToken.None)));
    }

    [Fact]
    public async Task Answer_FilesChangedInTheDatabase_NeverTakeEffect()
    {
        await using var world = await World.NewAsync(Guarded);
        var change = await ProposedAsync(world, Other);
        Done(await AnswerAsync(world, World.Bob, change));
        world.Edit("UPDATE catalog_changes SET files = replace(files, 'max: 2h', 'max: 9h')");
        Assert.IsType<Outcome<ChangeView>.Refused>(await AnswerAsync(world, World.Carol, change));
        Assert.Equal(TimeSpan.FromHours(4), world.Get<CurrentCatalog>().Now.Policies.Single(policy => policy.Name == "read").MaxFor);
    }

    [Fact]
    public async Task Answer_Twice_CountsOnce()
    {
        await using var world = await World.NewAsync(Guarded);
        var change = await ProposedAsync(world, Other);
        Done(await AnswerAsync(world, World.Bob, change));
        Assert.IsType<Outcome<ChangeView>.LostRace>(await AnswerAsync(world, World.Bob, change));
    }

    [Fact]
    public async Task Answer_OneNo_EndsIt()
    {
        await using var world = await World.NewAsync(Guarded);
        var change = await ProposedAsync(world, Other);
        Assert.IsType<Outcome<ChangeView>.Invalid>(await AnswerAsync(world, World.Bob, change, yes: false, comment: " "));
        var denied = Done(await AnswerAsync(world, World.Bob, change, yes: false, comment: "too short"));
        Assert.Equal((ChangeState.Denied, "too short"), (denied.State, denied.Why));
        Assert.Contains("denied already", Assert.IsType<Outcome<ChangeView>.LostRace>(await AnswerAsync(world, World.Carol, change)).Why);
        Assert.True((await VerifyAsync(world)).Holds);
    }

    [Fact]
    public async Task Answer_AfterItsTime_IsTooLate()
    {
        await using var world = await World.NewAsync(Guarded);
        var change = await ProposedAsync(world, Other);
        world.Time.Advance(TimeSpan.FromHours(2));
        Assert.Contains("lapsed", Assert.IsType<Outcome<ChangeView>.LostRace>(await AnswerAsync(world, World.Bob, change)).Why);
        await world.Get<CatalogChanges>().LapseAsync(CancellationToken.None);
        Assert.Equal("ChangeEnded", (await world.FactsAsync())[^1]);
    }

    [Fact]
    public async Task Answer_TheLastYesAfterAnotherCatalogTookEffect_IsStale()
    {
        await using var world = await World.NewAsync(Guarded);
        var (one, other) = (await ProposedAsync(world, Other), await ProposedAsync(world, Guarded.Replace("max: 4h", "max: 3h", StringComparison.Ordinal)));
        foreach (var change in (CatalogChange[])[one, other])
        {
            Done(await AnswerAsync(world, World.Bob, change));
        }

        Assert.Equal(ChangeState.Applied, Done(await AnswerAsync(world, World.Carol, other)).State);
        Assert.Contains("stale", Assert.IsType<Outcome<ChangeView>.LostRace>(await AnswerAsync(world, World.Carol, one)).Why);
        Assert.Equal(other.Target, world.Get<CurrentCatalog>().Now.Version);
    }

    [Fact]
    public async Task Withdraw_ByWhoeverProposed_EndsItAndNobodyElseCan()
    {
        await using var world = await World.NewAsync(Guarded);
        var change = await ProposedAsync(world, Other);
        Assert.IsType<Outcome<ChangeView>.NotYours>(await world.Get<CatalogChanges>().WithdrawAsync(World.Bob, change.Id, CancellationToken.None));
        Assert.Equal(ChangeState.Withdrawn, Done(await world.Get<CatalogChanges>().WithdrawAsync(World.Root, change.Id, CancellationToken.None)).State);
        Assert.IsType<Outcome<ChangeView>.LostRace>(await AnswerAsync(world, World.Bob, change));
    }

    [Fact]
    public async Task Follow_AFolderThatChanged_ProposesOnceAndNotAgainOnceDenied()
    {
        await using var world = await World.NewAsync(Guarded);
        var next = World.Load(Other);
        var follow = world.Get<ChangeCatalog>();
        var change = Assert.IsType<Outcome<Changing>.Done>((await follow.FollowAsync(next, new CatalogOrigin("", new string('a', 40), "Ann", true), CancellationToken.None))!).Value.Change!.Change;
        Assert.Equal(("stint:operator", new string('a', 40), true), (change.ProposedBy, change.Origin.Commit, change.Origin.Dirty));
        Done(await AnswerAsync(world, World.Bob, change, yes: false));
        await follow.FollowAsync(next, new CatalogOrigin(), CancellationToken.None);
        Assert.Single((await world.Get<CatalogChanges>().ListAsync(World.Root, null, new Page(), CancellationToken.None)).Items);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Answer_TheLastTwoAtOnce_TakeEffectOnce(string kind)
    {
        await using var store = await TestStore.OpenAsync(kind);
        var one = await World.NewAsync(Guarded, store: store.Store);
        var change = await ProposedAsync(one, Other);
        var outcomes = await Task.WhenAll(Task.Run(() => AnswerAsync(one, World.Bob, change)), Task.Run(() => AnswerAsync(one, World.Carol, change)));
        Assert.Single(outcomes, outcome => Done(outcome).State == ChangeState.Applied);
        Assert.Equal(2, (await one.Get<CatalogVersions>().HistoryAsync(new Page(), CancellationToken.None)).Items.Count);
    }

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Guards_WhatMustNeverHappen_TheDatabaseItselfRefuses(string kind)
    {
        await using var store = await TestStore.OpenAsync(kind);
        var world = await World.NewAsync(Guarded, store: store.Store);
        var change = await ProposedAsync(world, Other);
        Done(await AnswerAsync(world, World.Bob, change));
        (string Attack, string Says)[] attacks =
        [
            ($"INSERT INTO catalog_answers (change_id, person, yes, at, comment, saw_digest, via) VALUES ('{change.Id}', 'root', 1, 0, '', 'x', 'x')", "nobody answers their own change"),
            ("UPDATE catalog_answers SET yes = 0, comment = 'x'", "an answer does not change"),
            ("DELETE FROM catalog_answers", "an answer is never deleted"),
            ("UPDATE catalog_changes SET files = '[]', version = version + 1", "what was proposed does not change"),
            ("DELETE FROM catalog_history", "what took effect is never deleted"),
            ("UPDATE catalog_history SET applied_by = 'person:eve'", "what took effect does not change"),
        ];
        foreach (var (attack, says) in attacks)
        {
            Assert.Contains(says, (await RefusalAsync(store, attack)).Message);
        }

        Done(await AnswerAsync(world, World.Carol, change));
        Assert.Contains("a decided change does not change", (await RefusalAsync(store, "UPDATE catalog_changes SET why = 'x', version = version + 1")).Message);
    }

    private static Task<StoreRefusedException> RefusalAsync(TestStore store, string attack) => Assert.ThrowsAsync<StoreRefusedException>(() => store.AttackAsync(attack));

    private static async Task<VerifyReport> VerifyAsync(World world) =>
        Assert.IsType<Outcome<VerifyReport>.Done>(await world.Get<VerifyLog>().VerifyAsync(World.Root, CancellationToken.None)).Value;
}
