using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Requests;
using Xunit;

namespace Stint.Tests.Requests;

public sealed class AskForRoleUseCaseTests
{
    [Fact]
    public async Task Ask_AllowedByRule_MakesAReadyGrantInTheSameTransaction()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync();
        Assert.Equal(RequestState.Approved, asked.Request.State);
        Assert.Equal(GrantState.Ready, asked.Grant!.Grant.State);
        Assert.Null(asked.Grant.Grant.NotAfter);
        Assert.Equal(RequestDigest.Of(asked.Request), asked.Request.Digest);
        Assert.Equal(["CatalogApplied", "RequestAsked", "RequestApproved", "GrantReady"], await world.FactsAsync());
    }

    [Theory]
    [InlineData("orders-db/owner")]
    [InlineData("orders-db/no-such-role")]
    [InlineData("no-such-db/owner")]
    public async Task Ask_RoleTheAskerMayNotKnowOf_LooksLikeOneThatDoesNotExist(string role)
    {
        await using var world = await World.NewAsync();
        Assert.IsType<Outcome<RequestView>.NotFound>(await world.AskAsync(role, World.Dave));
        Assert.Equal(["CatalogApplied", "AskRefused"], await world.FactsAsync());
    }

    [Fact]
    public async Task Ask_LongerThanAllowed_IsKeptAsDeniedWithWhatWouldHelp()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync(seconds: 5 * 3600);
        Assert.Equal(RequestState.Denied, asked.Request.State);
        Assert.NotEmpty(asked.Request.Why!);
        Assert.Null(asked.Grant);
        Assert.Equal(["CatalogApplied", "RequestAsked", "RequestDenied"], await world.FactsAsync());
    }

    [Fact]
    public async Task Ask_Malformed_SaysEveryProblemAtOnceAndStoresNothing()
    {
        await using var world = await World.NewAsync();
        var outcome = await world.Get<AskForRole>().AskAsync(
            World.Ann,
            new Asking("orders-db", 0, null, null, world.Now.AddHours(-1), true, null),
            CancellationToken.None);
        var fields = Assert.IsType<Outcome<RequestView>.Invalid>(outcome).Problems.Select(problem => problem.Field).ToList();
        Assert.Contains("role", fields);
        Assert.Contains("for_seconds", fields);
        Assert.Contains("start_at", fields);
        Assert.Equal(["CatalogApplied"], await world.FactsAsync());
    }

    [Fact]
    public async Task Ask_AFewSeconds_IsGranted()
    {
        await using var world = await World.NewAsync();
        Assert.Equal(TimeSpan.FromSeconds(5), (await world.AskedAsync(seconds: 5)).Grant!.Grant.For);
    }

    [Fact]
    public async Task Ask_UnderAThousandPolicies_KeepsABoundedTrace_AndSaysHowManyAreLeftOut()
    {
        var others = string.Concat(Enumerable.Range(0, 1000).Select(i => $"  other-{i}: {{ who: group:leads, roles: [orders-db/owner], for: {{ max: 1h }}, approve: {{ auto: true }} }}\n"));
        await using var world = await World.NewAsync(World.Catalog.TrimEnd() + "\n" + others);
        var asked = await world.AskedAsync();
        var fact = (await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), CancellationToken.None)).Single(fact => fact.Kind == "RequestAsked");
        var verdict = System.Text.Json.Nodes.JsonNode.Parse(fact.Body)!["fields"]!["verdict"]!;
        Assert.Equal(1 + 64, verdict["trace"]!.AsArray().Count);
        Assert.Equal(1003 - 65, (int)verdict["left_out"]!);
        var kept = (await world.Store.ReadAsync(async reads => await reads.FindRequestAsync(asked.Request.Id), CancellationToken.None))!.Verdict;
        Assert.Equal(65, kept.Trace.Count);
        Assert.Equal(1003 - 65, kept.LeftOut);
        Assert.Equal(["read"], kept.DecidedBy);

        // Whoever reads it and writes it down again does not forget what was left out.
        Assert.Equal(1003 - 65, kept.TraceWritten().LeftOut);
    }

    [Fact]
    public async Task Preview_StoresNothing()
    {
        await using var world = await World.NewAsync();
        var outcome = await world.Get<AskForRole>().PreviewAsync(World.Ann, new Asking("orders-db/read-only", null, null, null, null, false, null), CancellationToken.None);
        Assert.IsType<Outcome<AskPreview>.Done>(outcome);
        Assert.Equal(["CatalogApplied"], await world.FactsAsync());
    }

    [Fact]
    public async Task Cancel_ByRequesterWhilePending_EndsIt_AndByAnybodyElseDoesNot()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        var cancel = world.Get<CancelRequest>();
        Assert.IsType<Outcome<RequestView>.NotYours>(await cancel.CancelAsync(World.Bob, asked.Request.Id, CancellationToken.None));
        Assert.IsType<Outcome<RequestView>.NotFound>(await cancel.CancelAsync(World.Eve, asked.Request.Id, CancellationToken.None));
        Assert.IsType<Outcome<RequestView>.Done>(await cancel.CancelAsync(World.Ann, asked.Request.Id, CancellationToken.None));
        Assert.IsType<Outcome<RequestView>.LostRace>(await cancel.CancelAsync(World.Ann, asked.Request.Id, CancellationToken.None));
        Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Bob, asked.Request));
    }

    [Fact]
    public async Task Lapse_UndecidedForADay_EndsIt()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        world.Time.Advance(TimeSpan.FromHours(24));
        Assert.IsType<Outcome<RequestView>.LostRace>(await world.ApproveAsync(World.Bob, asked.Request));
        await world.TickAsync();
        var now = Assert.IsType<Outcome<RequestView>.Done>(await world.Get<FindRequests>().GetAsync(World.Ann, asked.Request.Id, CancellationToken.None)).Value;
        Assert.Equal(RequestState.Lapsed, now.Request.State);
    }

    [Fact]
    public async Task Wait_ForADecision_ReturnsWhenItIsMade()
    {
        await using var world = await World.NewAsync();
        var asked = await world.AskedAsync("orders-db/owner");
        var waiting = world.Get<FindRequests>().WaitAsync(World.Ann, asked.Request.Id, asked.Request.Version, TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        await world.ApproveAsync(World.Bob, asked.Request);
        var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(RequestState.Approved, Assert.IsType<Outcome<RequestView>.Done>(answer).Value.Request.State);
    }

    [Fact]
    public async Task Extend_OfSomebodyElsesGrant_IsInvalidAsIfItWereNotThere()
    {
        await using var world = await World.NewAsync();
        var open = await world.OpenAsync();
        var outcome = await world.AskAsync(who: World.Eve, extends: open.Id);
        Assert.Contains("you have no grant", Assert.Single(Assert.IsType<Outcome<RequestView>.Invalid>(outcome).Problems).Message, StringComparison.Ordinal);
    }
}
