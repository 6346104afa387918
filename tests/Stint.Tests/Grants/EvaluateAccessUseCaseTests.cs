using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Grants;

/// <summary>Whether this subject holds this role now, over both stores.</summary>
public sealed class EvaluateAccessUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly Asker Shop = Of("*");

    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static async Task<World> WorldAsync(string kind, string? catalog = null) =>
        await World.NewAsync(catalog, store: kind == "postgres" ? (await TestStore.OpenAsync("postgres")).Store : null);

    private static Asker Of(params string[] resources) =>
        Asker.Of(new Application { Name = "shop", TokenHash = new byte[32], Resources = resources, ResourceTypes = ["database"], RequestsPerMinute = 1 });

    private static AccessQuestion Question(string subject = "ann", string resource = "orders-db", string role = "read-only", string subjectType = "user", string resourceType = "resource") =>
        new(subjectType, subject, resourceType, resource, role);

    private static async Task<Grant?> HeldAsync(World world, Asker? asker = null, AccessQuestion? question = null) =>
        (await world.Get<EvaluateAccess>().EvaluateAsync(asker ?? Shop, [question ?? Question()], None))[0];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Held_FromItsOpening_UntilTheVeryEnd(string kind)
    {
        await using var world = await WorldAsync(kind);
        var asked = await world.AskedAsync(seconds: 600);
        Assert.Null(await HeldAsync(world));

        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<BeginGrant>().BeginAsync(World.Ann, asked.Grant!.Grant.Id, None));
        Assert.Null(await HeldAsync(world));
        await world.TickAsync();
        var grant = await world.GrantAsync(asked.Grant!.Grant.Id);
        Assert.Equal(grant.Id, (await HeldAsync(world))?.Id);

        // Nobody has ended it yet: its time alone counts.
        world.Time.Set(grant.NotAfter!.Value.AddMicroseconds(-1));
        Assert.NotNull(await HeldAsync(world));
        world.Time.Set(grant.NotAfter!.Value);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(grant.Id)).State);
        Assert.Null(await HeldAsync(world));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Revoked_IsNotHeldFromThatMomentOn(string kind)
    {
        await using var world = await WorldAsync(kind);
        var grant = await world.OpenAsync();
        using var over = new CancellationTokenSource();
        var revoked = false;
        var asking = Task.Run(async () =>
        {
            var late = 0;
            while (!over.IsCancellationRequested)
            {
                var known = Volatile.Read(ref revoked);
                late += await HeldAsync(world) is not null && known ? 1 : 0;
            }

            return late;
        });
        await Task.Yield();
        Assert.IsType<Outcome<GrantView>.Done>(await world.Get<RevokeGrant>().RevokeAsync(World.Root, grant.Id, "enough", false, None));
        Volatile.Write(ref revoked, true);
        Assert.Null(await HeldAsync(world));
        await over.CancelAsync();
        Assert.Equal(0, await asking);
    }

    [Fact]
    public async Task Revoked_OnOneNode_IsNotHeldOnTheOther()
    {
        var place = await TestStore.OpenAsync("postgres");
        await using var one = await World.NewAsync(store: place.Store);
        await using var store = await TestStore.NodeAsync(place.Place);
        var two = one.Second(store: store);
        for (var round = 0; round < 5; round++)
        {
            var grant = await one.OpenAsync();
            Assert.NotNull(await HeldAsync(two));
            await one.Get<RevokeGrant>().RevokeAsync(World.Root, grant.Id, "enough", false, None);
            Assert.Null(await HeldAsync(two));
            await one.TickAsync();
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Extended_TheLongerOneIsTold(string kind)
    {
        await using var world = await WorldAsync(kind);
        var first = await world.OpenAsync(600);
        await world.AskedAsync(seconds: 600, wait: true, extends: first.Id);
        await world.TickAsync();
        var held = await HeldAsync(world);
        Assert.NotEqual(first.Id, held!.Id);
        Assert.True(held.NotAfter > first.NotAfter);
        world.Time.Set(first.NotAfter!.Value);
        Assert.Equal(held.Id, (await HeldAsync(world))?.Id);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task WhoMayAsk_HearsIt_NobodyElse(string kind)
    {
        await using var world = await WorldAsync(kind);
        await world.OpenAsync();
        var held = Question();
        foreach (var asker in (Asker[])[Shop, Of("orders-*"), Of("x", "orders-db"), Asker.Of(World.Ann), Asker.Of(World.Bob), Asker.Of(World.Dave), Asker.Of(World.Root)])
        {
            Assert.NotNull(await HeldAsync(world, asker, held));
        }

        // Eve may ask for the same role; that Ann holds it is not hers to know.
        foreach (var asker in (Asker[])[Of("orders"), Of("*-dbs"), Of(), Asker.Of(World.Eve), Asker.Of(new SubjectId("nobody"))])
        {
            Assert.Null(await HeldAsync(world, asker, held));
        }

        foreach (var other in (AccessQuestion[])
            [
                Question("bob"), Question("nobody"), Question("ANN"), Question(resource: "other-db"), Question(role: "owner"), Question(role: "none"),
                Question(subjectType: "group"), Question(resourceType: "mysql"), Question(""), Question("ann\0"), Question(resource: "orders-db\0"), Question(role: "\ud800"), Question(role: new string('x', 5_000)),
            ])
        {
            Assert.Null(await HeldAsync(world, Shop, other));
        }

        Assert.NotNull(await HeldAsync(world, Shop, Question(subjectType: "person", resourceType: "postgres")));
        Assert.NotNull(await HeldAsync(world, Shop, Question(resourceType: "database")));
        Assert.Null(await HeldAsync(world, Asker.Of(World.Ann), Question(resourceType: "database")));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Disabled_HoldsNothing_BeforeAnythingIsTakenAway(string kind)
    {
        await using var world = await WorldAsync(kind);
        var grant = await world.OpenAsync();
        world.Get<CurrentCatalog>().Replace(World.Load(World.Catalog.Replace("ann: {}", "ann: { disabled: true }", StringComparison.Ordinal)), 99);
        Assert.Equal(GrantState.Open, (await world.GrantAsync(grant.Id)).State);
        Assert.Null(await HeldAsync(world));
        Assert.Empty((await world.Get<EvaluateAccess>().SubjectsAsync(Shop, Question(), "", 10, None)).Names);
        Assert.Empty((await world.Get<EvaluateAccess>().RolesAsync(Shop, Question(), "", 10, None)).Names);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task SeveralAtOnce_AreAnsweredInTheirOrder(string kind)
    {
        await using var world = await WorldAsync(kind);
        await world.OpenAsync();
        var answers = await world.Get<EvaluateAccess>().EvaluateAsync(Shop, [Question("eve"), Question(), Question(), Question("\0"), Question(role: "owner")], None);
        Assert.Equal([false, true, true, false, false], answers.Select(answer => answer is not null));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Subjects_AreFoundInPartsOnceEach(string kind)
    {
        await using var world = await WorldAsync(kind);
        var first = await world.OpenAsync(600);
        await world.AskedAsync(seconds: 600, wait: true, extends: first.Id);
        await world.TickAsync();
        await world.OpenAsync(300, World.Eve);
        var evaluate = world.Get<EvaluateAccess>();

        var whole = await evaluate.SubjectsAsync(Shop, Question(), "", 10, None);
        Assert.Equal(["ann", "eve"], whole.Names);
        Assert.Null(whole.Last);
        var part = await evaluate.SubjectsAsync(Shop, Question(), "", 1, None);
        Assert.Equal(("ann", "ann"), (Assert.Single(part.Names), part.Last));
        var rest = await evaluate.SubjectsAsync(Shop, Question(), part.Last!, 1, None);
        Assert.Equal(("eve", null), (Assert.Single(rest.Names), rest.Last));
        var none = await evaluate.SubjectsAsync(Shop, Question(), "a", 0, None);
        Assert.Equal((0, "a"), (none.Names.Count, none.Last));

        // Others hear of themselves alone.
        Assert.Equal(["eve"], (await evaluate.SubjectsAsync(Asker.Of(World.Eve), Question(), "", 10, None)).Names);
        Assert.Empty((await evaluate.SubjectsAsync(Asker.Of(World.Eve), Question(), "eve", 10, None)).Names);
        Assert.Equal(["ann", "eve"], (await evaluate.SubjectsAsync(Asker.Of(World.Bob), Question(), "", 10, None)).Names);
        Assert.Empty((await evaluate.SubjectsAsync(Of("other"), Question(), "", 10, None)).Names);
        Assert.Empty((await evaluate.SubjectsAsync(Shop, Question(resource: "\0"), "", 10, None)).Names);

        // Her time is over, whether or not anybody has ended it.
        world.Time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(["ann"], (await evaluate.SubjectsAsync(Shop, Question(), "", 10, None)).Names);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task ResourcesAndRoles_AreFoundInPartsOnceEach(string kind)
    {
        await using var world = await WorldAsync(kind);
        await world.OpenAsync();
        var owner = await world.AskedAsync("orders-db/owner", wait: true);
        await world.ApproveAsync(World.Bob, owner.Request);
        await world.TickAsync();
        var evaluate = world.Get<EvaluateAccess>();

        Assert.Equal(["owner", "read-only"], (await evaluate.RolesAsync(Shop, Question(), "", 10, None)).Names);
        var part = await evaluate.RolesAsync(Shop, Question(), "", 1, None);
        Assert.Equal(("owner", "owner"), (Assert.Single(part.Names), part.Last));
        Assert.Equal(["read-only"], (await evaluate.RolesAsync(Shop, Question(), "owner", 1, None)).Names);
        Assert.Empty((await evaluate.RolesAsync(Asker.Of(World.Eve), Question(), "", 10, None)).Names);
        Assert.Equal(["orders-db"], (await evaluate.ResourcesAsync(Shop, Question(), "", 10, None)).Names);
        Assert.Empty((await evaluate.ResourcesAsync(Of("other"), Question(), "", 10, None)).Names);
        Assert.Empty((await evaluate.ResourcesAsync(Shop, Question(role: "two"), "", 10, None)).Names);
        Assert.Empty((await evaluate.ResourcesAsync(Shop, Question("\0"), "", 10, None)).Names);
        Assert.Empty((await evaluate.ResourcesAsync(Shop, Question(resourceType: "mysql"), "", 10, None)).Names);
    }

    [Fact]
    public async Task Workload_IsFoundByItsSort_AndIsNoPersonOfThatName()
    {
        var catalog = World.Catalog
            .Replace("groups:\n", "workloads:\n  ann: {}\ngroups:\n", StringComparison.Ordinal)
            .Replace("who: group:developers\n    roles: [orders-db/read-only]", "who: [group:developers, workload:ann]\n    roles: [orders-db/read-only]", StringComparison.Ordinal);
        await using var world = await WorldAsync("sqlite", catalog);
        Assert.IsType<Outcome<RequestView>.Done>(await world.Get<AskForRole>().AskAsync(
            SubjectId.Workload("ann"), new Asking("orders-db/read-only", 600, "work", null, null, true, null) { Claims = new Dictionary<string, string>() }, None));
        await world.OpenAsync(600, World.Eve);
        var evaluate = world.Get<EvaluateAccess>();

        Assert.NotNull(await HeldAsync(world, question: Question("ann", subjectType: "workload")));
        Assert.Null(await HeldAsync(world, question: Question("ann")));
        Assert.Null(await HeldAsync(world, question: Question("eve", subjectType: "workload")));
        Assert.Null(await HeldAsync(world, question: Question("workload:ann")));
        Assert.Equal(["ann"], (await evaluate.SubjectsAsync(Shop, Question(subjectType: "workload"), "", 10, None)).Names);
        Assert.Equal(["eve"], (await evaluate.SubjectsAsync(Shop, Question(), "", 10, None)).Names);
        Assert.Equal(["read-only"], (await evaluate.RolesAsync(Shop, Question("ann", subjectType: "workload"), "", 10, None)).Names);
    }
}
