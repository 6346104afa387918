using Stint.Core;
using Stint.Core.Audit;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Providers;
using Stint.Server.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>What a provider says of somebody at a sign-in, as policies see it: whose word counts, and for how long.</summary>
public sealed class TakeWordTests
{
    private static readonly string Catalog = World.Catalog.Replace("approve: { auto: true }", "where: subject.attributes[\"site\"] == \"berlin\"\n    approve: { auto: true }", StringComparison.Ordinal);

    private static Provider Provider(string name) => new()
    {
        Name = name,
        Label = name,
        Preset = ProviderPreset.Oidc,
        Issuer = $"https://{name}.example",
        ClientId = "stint",
        ClientSecret = "a secret of a client",
        Scopes = ["openid"],
        Person = "preferred_username",
        GroupsLast = TimeSpan.FromHours(8),
    };

    [Fact]
    public async Task Attributes_OpenAndCloseWhatConditionsRead_AsLongAsTheyCount()
    {
        await using var world = await World.NewAsync(Catalog);
        var word = new TakeWord(world.Get<StintStore>(), world.Get<CurrentCatalog>(), world.Get<FollowDirectory>(), world.Time);
        Task SaysAsync(string provider, params (string, string)[] said) => word.TakeAsync(Provider(provider), World.Ann, [], said.ToDictionary(one => one.Item1, one => one.Item2), CancellationToken.None);
        async Task<bool> MayAsync() => await world.AskAsync("orders-db/read-only") is Outcome<RequestView>.Done { Value.Grant: not null };

        // What nobody says is no.
        Assert.False(await MayAsync());
        await SaysAsync("acme", ("site", "paris"), ("team", "shop"));
        Assert.False(await MayAsync());
        await SaysAsync("acme", ("site", "berlin"));
        Assert.True(await MayAsync());

        // Two that disagree say nothing; what was held by it has ended before the sign-in is answered.
        await SaysAsync("other", ("site", "rome"));
        Assert.False(await MayAsync());
        Assert.All(await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), CancellationToken.None) is var facts ? facts.Where(fact => fact.Kind == FactKinds.GrantClosed) : [], fact => Assert.Contains("revoked", fact.Body, StringComparison.Ordinal));
        await SaysAsync("other");
        Assert.True(await MayAsync());

        // Over by time, on record with what it said.
        world.Time.Advance(TimeSpan.FromHours(8));
        await world.Store.WriteAsync(async work => await TakeWord.LapseAsync(work, world.Now), CancellationToken.None);
        await world.Get<FollowDirectory>().ChangedAsync(CancellationToken.None);
        Assert.False(await MayAsync());
        var told = (await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1000), CancellationToken.None)).Where(fact => fact.Kind == FactKinds.ProviderAttributesTold).Select(fact => FactBody.Parse(fact.Body)).ToList();
        Assert.Equal(["site=berlin"], told[^1].Find("removed")!.Value.EnumerateArray().Select(one => one.GetString()));
        Assert.Equal(5, told.Count);
    }

    [Fact]
    public async Task Attributes_OfTheCatalogAndTheDirectory_GoBefore()
    {
        await using var world = await World.NewAsync(Catalog.Replace("  ann: {}", "  ann: { attributes: { site: hamburg } }", StringComparison.Ordinal));
        var word = new TakeWord(world.Get<StintStore>(), world.Get<CurrentCatalog>(), world.Get<FollowDirectory>(), world.Time);
        await word.TakeAsync(Provider("acme"), World.Ann, [], new Dictionary<string, string> { ["site"] = "berlin", ["team"] = "shop" }, CancellationToken.None);
        var ann = world.Get<CurrentCatalog>().Now.People["ann"];
        Assert.Equal(("hamburg", "shop"), (ann.Attributes["site"], ann.Attributes["team"]));
    }
}
