using Stint.Core;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class ExplanationTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static Explanation Explain(string text, string who, string role = "orders-db/owner", bool forAsker = false, TimeSpan? length = null, string? reason = null) =>
        Explanation.Of(Yaml.Good(text), new Question(new SubjectId(who), RoleRef.Parse(role)!.Value, length, reason, null, null, Now), forAsker);

    [Fact]
    public void Of_NeedsAYes_NamesRulePathAndPeople()
    {
        var told = Explain(Yaml.Whole(), "ann");
        Assert.Equal("with a yes from owners, for 1h at most", told.Standing.HowLong);
        Assert.Equal("bob", Assert.Single(Assert.Single(told.Standing.Steps).Approvers).Value);
        Assert.Equal("own, through group:developers", Assert.Single(told.Paths).ToString());
    }

    [Fact]
    public void Of_ThroughGroupsInGroups_NamesEachOnTheWay()
    {
        var people = Yaml.People + "\n  backend: [group:inner]\n  inner: [carol]\n  all: [group:backend, group:developers]";
        var told = Explain(Yaml.Whole(people: people, policies: Yaml.Policies.Replace("who: group:developers", "who: group:all", StringComparison.Ordinal)), "carol");
        Assert.Equal("own, through group:all → group:backend → group:inner", Assert.Single(told.Paths).ToString());
    }

    [Fact]
    public void Of_ADemandIsNotMet_SaysWhatMeetsIt()
    {
        var text = Yaml.Whole(Yaml.Policies + "\n    reason: { required: true }");
        Assert.IsType<Verdict.NeedsApproval>(Explain(text, "ann").Verdict);
        Assert.Equal(["a reason"], Explain(text, "ann").Standing.Demands);
        var asked = Explain(text, "ann", length: TimeSpan.FromHours(2));
        Assert.IsType<Verdict.Deny>(asked.Verdict);
        Assert.Contains(asked.Changes, change => change.Contains("ask for 1h or less", StringComparison.Ordinal) && change.Contains("give a reason", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_SomebodyWhomNoRuleNames_TellsTheKeeperWhichGroupWouldAndTheAskerNothing()
    {
        var kept = Explain(Yaml.Whole(), "carol");
        Assert.False(kept.Known);
        Assert.Contains(kept.Changes, change => change == "own lets group:developers have it with a yes from owners: carol is not among them");
        var own = Explain(Yaml.Whole(), "carol", forAsker: true);
        Assert.Empty(own.Changes);
        Assert.DoesNotContain("\"own\"", own.ToNode(forAsker: true).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_Denied_NamesTheDenialAndTheGroup()
    {
        var told = Explain(Yaml.Whole() + "\n  never: { deny: group:contractors, roles: ['*/owner'] }", "eve");
        Assert.Equal(Way.Denied, told.Standing.Way);
        Assert.Contains(told.Changes, change => change.StartsWith("never denies it to group:contractors", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nobody", "is not in the catalog")]
    [InlineData("zed", "is disabled")]
    public void Of_SomebodyWhoIsNotActive_SaysSo(string who, string says) =>
        Assert.Contains(Explain(Yaml.Whole(people: Yaml.People.Replace("  eve: {}", "  eve: {}\n  zed: { disabled: true }", StringComparison.Ordinal)), who).Changes, change => change.Contains(says, StringComparison.Ordinal));

    [Fact]
    public void Who_OfARole_ListsEachWithTheirWay()
    {
        var all = Who.Of(Yaml.Good(Yaml.Whole() + "\n  never: { deny: group:contractors, roles: ['*/owner'] }"), new RoleRef("orders-db", "owner"), Now);
        Assert.Equal([("ann", Way.Approval), ("eve", Way.Denied)], all.Select(reach => (reach.Subject.Value, reach.Standing.Way)));
        Assert.Equal(["never, through group:contractors", "own, through group:developers"], all[1].Paths.Select(path => path.ToString()));
    }

    [Fact]
    public void Who_AnApproverWhoMayAskAsWell_IsNoApproverOfTheirOwn()
    {
        var people = Yaml.People.Replace("leads: [bob]", "leads: [ann, bob, carol]", StringComparison.Ordinal);
        var all = Who.Of(Yaml.Good(Yaml.Whole(people: people)), new RoleRef("orders-db", "owner"), Now);
        Assert.Equal(["bob", "carol"], all.Single(reach => reach.Subject.Value == "ann").Standing.Steps[0].Approvers.Select(person => person.Value));
        Assert.Equal(["ann", "bob", "carol"], all.Single(reach => reach.Subject.Value == "eve").Standing.Steps[0].Approvers.Select(person => person.Value));
    }

    [Fact]
    public void Who_OfAPerson_ListsEachRole() =>
        Assert.Equal(
            [("orders-db/owner", Way.Approval), ("orders-db/read-only", Way.Rule)],
            Who.Of(Yaml.Good(Yaml.Whole()), new SubjectId("ann"), Now).Select(reach => (reach.Role.ToString(), reach.Standing.Way)));
}
