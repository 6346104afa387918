using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Requests;

public sealed class ExplainAccessUseCaseTests
{
    private static Task<Outcome<JsonObject>> ExplainAsync(World world, SubjectId who, string role, SubjectId? about = null, DateTimeOffset? at = null) =>
        world.Get<ExplainAccess>().ExplainAsync(who, new ExplainAccess.Asked(about, role, at, null, null, null), CancellationToken.None);

    private static Task<Outcome<JsonObject>> WhoAsync(World world, SubjectId who, string? role = null, SubjectId? about = null, int skip = 0, int limit = 100) =>
        world.Get<ExplainAccess>().WhoAsync(who, role, about, null, skip, limit, CancellationToken.None);

    private static JsonObject Told(Outcome<JsonObject> outcome) => Assert.IsType<Outcome<JsonObject>.Done>(outcome).Value;

    [Fact]
    public async Task Explain_Oneself_SaysWhoseYes()
    {
        await using var world = await World.NewAsync();
        var told = Told(await ExplainAsync(world, World.Ann, "orders-db/owner"));
        Assert.Equal("approval", (string?)told["standing"]!["way"]);
        Assert.Equal(["bob", "carol"], told["standing"]!["steps"]![0]!["approvers"]!.AsArray().Select(name => (string)name!));
    }

    [Theory]
    [InlineData("root", true)]
    [InlineData("dave", true)]
    [InlineData("bob", true)]
    [InlineData("eve", false)]
    public async Task Explain_AnotherPerson_IsForAdminsAuditorsAndOwners(string who, bool may)
    {
        await using var world = await World.NewAsync();
        var outcome = await ExplainAsync(world, new SubjectId(who), "orders-db/owner", World.Ann);
        Assert.Equal(may, outcome is Outcome<JsonObject>.Done);
        Assert.Equal(may, await WhoAsync(world, new SubjectId(who), "orders-db/owner") is Outcome<JsonObject>.Done);
        if (!may)
        {
            Assert.IsType<Outcome<JsonObject>.NotFound>(outcome);
            Assert.IsType<Outcome<JsonObject>.NotFound>(await WhoAsync(world, new SubjectId(who), "orders-db/owner"));
            Assert.Empty(Told(await WhoAsync(world, new SubjectId(who), about: World.Ann))["items"]!.AsArray());
            Assert.Equal(Told(await WhoAsync(world, new SubjectId(who), about: World.Ann)).ToJsonString(), Told(await WhoAsync(world, new SubjectId(who), about: new SubjectId("nobody"))).ToJsonString());
        }
    }

    [Fact]
    public async Task Explain_APastMoment_AsksTheCatalogThatCountedThen()
    {
        await using var world = await World.NewAsync();
        var then = world.Now;
        world.Time.Advance(TimeSpan.FromHours(1));
        var text = World.Catalog.Replace("developers: [ann, eve]", "developers: [eve]", StringComparison.Ordinal);
        await world.Get<ChangeCatalog>().ApplyAsync(World.Root, ChangeCatalogUseCaseTests.Sent(text), world.Get<CurrentCatalog>().Now.Version, CancellationToken.None);
        Assert.Equal("none", (string?)Told(await ExplainAsync(world, World.Root, "orders-db/owner", World.Ann))["standing"]!["way"]);
        Assert.Equal("approval", (string?)Told(await ExplainAsync(world, World.Root, "orders-db/owner", World.Ann, then.AddMinutes(10)))["standing"]!["way"]);
        Assert.IsType<Outcome<JsonObject>.Refused>(await ExplainAsync(world, World.Root, "orders-db/owner", World.Ann, then.AddDays(-1)));
    }

    [Fact]
    public async Task Who_OfARole_ComesInPages()
    {
        await using var world = await World.NewAsync();
        var first = Told(await WhoAsync(world, World.Root, "orders-db/owner", limit: 1));
        Assert.Equal(("ann", "1", 2), ((string?)first["items"]![0]!["subject"], (string?)first["next"], (int)first["count"]!));
        var second = Told(await WhoAsync(world, World.Root, "orders-db/owner", skip: 1, limit: 1));
        Assert.Equal(("eve", null), ((string?)second["items"]![0]!["subject"], (string?)second["next"]));
    }

    [Fact]
    public async Task Anything_OfWhatOneMayNotAskFor_IsAnsweredAsWhatDoesNotExist()
    {
        // Over many random catalogs: a role that exists and may not be asked for, against one that nobody ever wrote down.
        var random = new Random(20261127);
        for (var round = 0; round < 150; round++)
        {
            var catalog = RandomCatalog(random);
            var explain = new ExplainAccess(null!, new CurrentCatalog(catalog, TimeProvider.System), null!, TimeProvider.System);
            foreach (var who in catalog.People.Keys.Select(name => new SubjectId(name)).Where(who => !catalog.MayReadAll(who)))
            {
                foreach (var role in catalog.Resources.Values.SelectMany(resource => resource.Roles.Values))
                {
                    if (catalog.Owns(who, role.Ref.Resource))
                    {
                        continue;
                    }

                    var reached = catalog.Policies.Any(policy => !policy.Deny && policy.Who.Contains(who) && policy.Roles.Contains(role.Ref)) && !catalog.People[who.Value].Disabled;
                    foreach (var about in (SubjectId?[])[null, new SubjectId("p0"), new SubjectId("nobody")])
                    {
                        var there = await explain.ExplainAsync(who, new ExplainAccess.Asked(about, role.Ref.ToString(), null, null, null, null), CancellationToken.None);
                        var absent = await explain.ExplainAsync(who, new ExplainAccess.Asked(about, "absent/absent", null, null, null, null), CancellationToken.None);
                        Assert.IsType<Outcome<JsonObject>.NotFound>(absent);
                        Assert.Equal(reached && (about is null || about == who), there is Outcome<JsonObject>.Done);
                        if (!reached || (about is not null && about != who))
                        {
                            Assert.Equal(absent, there);
                        }
                        else
                        {
                            OnlyOwn(catalog, who, Told(there));
                        }
                    }

                    Assert.Equal(
                        await explain.WhoAsync(who, "absent/absent", null, null, 0, 10, CancellationToken.None),
                        await explain.WhoAsync(who, role.Ref.ToString(), null, null, 0, 10, CancellationToken.None));
                }
            }
        }
    }

    /// <summary>No name of a rule that is not about them stands in what somebody is told.</summary>
    private static void OnlyOwn(LoadedCatalog catalog, SubjectId who, JsonObject told)
    {
        var text = told.ToJsonString();
        foreach (var policy in catalog.Policies.Where(policy => !policy.Who.Contains(who)))
        {
            Assert.DoesNotContain($"secret-{policy.Name}-", text, StringComparison.Ordinal);
            Assert.DoesNotContain($"\"{policy.Name}\"", text, StringComparison.Ordinal);
        }
    }

    private static LoadedCatalog RandomCatalog(Random random)
    {
        string Some(string prefix, int of) => string.Join(", ", Enumerable.Range(0, of).Where(_ => random.Next(3) == 0).Select(i => prefix + i).DefaultIfEmpty(prefix + "0"));
        var lines = new List<string> { "people:" };
        lines.AddRange(Enumerable.Range(0, 6).Select(i => $"  p{i}: {{ {(random.Next(8) == 0 ? "disabled: true" : "")} }}"));
        lines.Add("groups:");
        lines.AddRange(Enumerable.Range(0, 3).Select(i => $"  g{i}: [{Some("p", 6)}]"));
        lines.Add("admins: [p5]");
        lines.Add("resources:");
        lines.AddRange(Enumerable.Range(0, 3).Select(i => $"  r{i}: {{ kind: database, owners: [p{random.Next(5)}, p5], settings: {{ host: db }}, roles: {{ a: {{}}, b: {{}} }} }}"));
        lines.Add("policies:");
        lines.Add("  q-all: { who: p5, roles: ['*/*'], approve: { auto: true } }");
        lines.AddRange(Enumerable.Range(0, 5).Select(i => random.Next(4) == 0
            ? $"  q{i}-no: {{ deny: group:g{random.Next(3)}, roles: ['r{random.Next(3)}/*'] }}"
            : $"  q{i}-yes: {{ who: group:g{random.Next(3)}, roles: ['r{random.Next(3)}/{"ab"[random.Next(2)]}'], approve: {(random.Next(2) == 0 ? "{ auto: true }" : "{ steps: [ { from: owners } ] }")} }}"));
        return Yaml.Load(string.Join('\n', lines)).Catalog ?? RandomCatalog(random);
    }
}
