using Stint.Core;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class ChangesSectionTests
{
    private static string With(string changes, string admins = "admins: [ann, bob]") => Yaml.Whole() + "\n" + admins + "\n" + changes;

    [Fact]
    public void Load_Steps_ArePinnedWithoutTheProposer()
    {
        var catalog = Yaml.Good(With("changes: { approve: { steps: [ { from: owners }, { from: person:carol } ], distinct: true } }"));
        var steps = ChangeApproval.Pin(catalog, new SubjectId("ann"), null);
        Assert.Equal(["bob"], steps[0].Approvers.Select(person => person.Value));
        Assert.Equal("owners of the catalog", steps[0].Name);
        Assert.Equal(["ann", "bob"], ChangeApproval.Pin(catalog, null, null)[0].Approvers.Select(person => person.Value));
    }

    [Fact]
    public void Load_AWorkflowByName_IsTheOneOfPolicies()
    {
        var catalog = Yaml.Good(With("workflows:\n  leads: { steps: [ { from: group:leads } ] }\nchanges: { approve: { workflow: leads } }"));
        Assert.Equal("leads", catalog.ChangeApproval!.Name);
    }

    [Fact]
    public void Load_WithoutTheSection_NeedsNobody() => Assert.Empty(ChangeApproval.Pin(Yaml.Good(Yaml.Whole()), new SubjectId("ann"), null));

    [Theory]
    [InlineData("changes: { approve: { auto: true } }", "'auto' has no meaning in 'changes'")]
    [InlineData("changes: {}", "'changes' lacks 'approve'")]
    [InlineData("changes: { approve: { steps: [ { from: group:nobody } ] } }", "no group is called 'nobody'")]
    [InlineData("changes: { approve: { steps: [ { from: group:leads, need: 2 } ] } }", "nobody could satisfy the approval of 'changes'")]
    [InlineData("changes: { aprove: {} }", "'changes' has no key 'aprove'")]
    public void Load_WhatCannotBeMeant_IsAnError(string changes, string says) =>
        Assert.Contains(Yaml.Load(With(changes)).Errors, error => error.What.Contains(says, StringComparison.Ordinal));

    [Fact]
    public void Load_TheOnlyAdminIsTheOnlyApprover_WouldLockEverybodyOut() =>
        Assert.Contains("could never be changed again", Yaml.Bad(With("changes: { approve: { steps: [ { from: owners } ] } }", "admins: [ann]")).WayOut);

    [Fact]
    public void Load_OneOfTheAdminsCouldNotPropose_IsAWarning()
    {
        var load = Yaml.Load(With("changes: { approve: { steps: [ { from: group:leads } ] } }"));
        Assert.Empty(load.Errors);
        Assert.Contains(load.Warnings, warning => warning.What.Contains("proposed by bob", StringComparison.Ordinal));
    }
}
