using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Identity;
using Xunit;

namespace Stint.Tests.Catalog;

/// <summary>What a catalog may say of this installation itself.</summary>
public sealed class StintRightsTests
{
    [Theory]
    [InlineData("catalog-keeper: {}", "catalogue-keeper: {}", "a stint has no role 'catalogue-keeper'", "did you mean 'catalog-keeper'?")]
    [InlineData("catalog-keeper: {}", "owner: {}", "a stint has no role 'owner'", "there are: administrator, auditor, catalog-keeper")]
    [InlineData("auditor: {},", "auditor: { member_of: [x] },", "a role of a stint has no key 'member_of'", "there is none: take it out")]
    [InlineData("kind: stint\n", "kind: stint\n    settings: { host: x }\n", "the settings of a stint has no key 'host'", "there is none: take it out")]
    public void Check_WhatThisKindDoesNotHave_IsAnErrorInItsPlace(string old, string young, string what, string wayOut)
    {
        var error = Assert.Single(Load(RightsUseCaseTests.Text.Replace(old, young, StringComparison.Ordinal)).Errors, error => error.What.Contains(what, StringComparison.Ordinal));
        Assert.Equal("all.yaml", error.File);
        Assert.True(error.Line > 1);
        Assert.Contains(wayOut, error.WayOut);
    }

    [Fact]
    public void Check_ASecondOne_IsAnError()
    {
        var text = RightsUseCaseTests.Text.Replace("resources:\n", "resources:\n  itself: { kind: stint, roles: { auditor: {} } }\n", StringComparison.Ordinal).Replace("['stint/*']", "['stint/*', itself/auditor]", StringComparison.Ordinal);
        Assert.Contains("a second resource of the kind 'stint'", Assert.Single(Load(text).Errors).What);
    }

    [Fact]
    public void Check_AMachineThatMayAskForOne_IsAnError()
    {
        var text = RightsUseCaseTests.Text
            .Replace("groups:\n", "workloads:\n  job: { issuer: ci, claims: { repository: a/b } }\ngroups:\n", StringComparison.Ordinal)
            .Replace("developers: [ann, eve]", "developers: [ann, eve, workload:job]", StringComparison.Ordinal);
        var error = Assert.Single(Load(text).Errors);
        Assert.Contains("policy 'itself' lets a machine ask for stint/", error.What);
        Assert.Contains("persons alone", error.WayOut);
    }

    [Fact]
    public void Policy_WithAPatternForTheSystem_LetsNobodyIn_AndOneThatDeniesDoes()
    {
        var text = RightsUseCaseTests.Text.Replace("  read:\n", "  everything: { who: person:dave, roles: ['*/*'], for: 1h, approve: { auto: true } }\n  never-eve: { deny: person:eve, roles: ['*/*'] }\n  read:\n", StringComparison.Ordinal);
        var catalog = Load(text).Catalog!;
        Assert.Equal(["orders-db"], catalog.Policies.Single(policy => policy.Name == "everything").Roles.Select(role => role.Resource).Distinct());
        Assert.Contains(catalog.Policies.Single(policy => policy.Name == "never-eve").Roles, role => role.Resource == "stint");
        Assert.Contains("'*' does not mean 'stint'", Assert.Single(Load(text.Replace("'*/*'], for: 1h", "'*/auditor'], for: 1h", StringComparison.Ordinal)).Errors).What);
    }

    [Fact]
    public void Machine_WhateverAGrantSays_HoldsNothing()
    {
        var catalog = World.Load(RightsUseCaseTests.Text);
        var job = SubjectId.Workload("job");
        HeldRight[] rights = [new(job, StintRight.Administrator, DateTimeOffset.MaxValue) { Grant = new GrantId("gr-1"), Role = new RoleRef("stint", "administrator") }];
        Assert.Same(catalog, catalog.With(rights, DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void Held_IsNoPartOfTheText()
    {
        var catalog = World.Load(RightsUseCaseTests.Text);
        HeldRight[] rights = [new(World.Ann, StintRight.Administrator, DateTimeOffset.UnixEpoch.AddHours(1))];
        var held = catalog.With(rights, DateTimeOffset.UnixEpoch);
        Assert.True(held.Holds(World.Ann, StintRight.Administrator));
        Assert.Same(catalog, held.Text);
        Assert.Empty(held.With(DirectoryPeople.Nobody).HeldRights);
        Assert.Empty(held.With(rights, DateTimeOffset.UnixEpoch.AddHours(1)).HeldRights);
        Assert.DoesNotContain("ann", CatalogDiff.Between(catalog, held, DateTimeOffset.UnixEpoch).ToNode().ToJsonString(), StringComparison.Ordinal);
    }

    private static CatalogLoad Load(string text) => CatalogLoader.Load(
        new CatalogSource([new CatalogFile("all.yaml", text)]),
        Stint.Connectors.ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal));
}
