using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class CatalogDiffTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static CatalogDiff Diff(string before, string after) => CatalogDiff.Between(Yaml.Good(before), Yaml.Good(after), Now);

    private static List<string> Access(string before, string after) => [.. Diff(before, after).Access.Select(change => change.ToString())];

    [Fact]
    public void Between_TheSameFiles_IsNothing()
    {
        var diff = Diff(Yaml.Whole(), Yaml.Whole());
        Assert.True(diff.IsNothing);
        Assert.Empty(diff.Items);
        Assert.Empty(diff.Access);
    }

    [Fact]
    public void Between_NothingAndACatalog_EverybodyGains()
    {
        var diff = CatalogDiff.Between(null, Yaml.Good(Yaml.Whole()), Now);
        Assert.All(diff.Access, change => Assert.Equal(AccessKind.Gains, change.Kind));
        Assert.Contains(diff.Access, change => change.ToString() == "group:developers (2 people) gain orders-db/owner with a yes from owners, for 1h at most");
        Assert.All(diff.Items.Where(item => item.Kind is not ("admins" or "auditors")), item => Assert.Equal("added", item.What));
    }

    [Fact]
    public void Between_GroupLosesAMember_OnlyTheyLose() =>
        Assert.Equal(
            ["ann loses orders-db/owner, had before with a yes from owners, for 1h at most", "ann loses orders-db/read-only, had before by rule, for 4h at most"],
            Access(Yaml.Whole(), Yaml.Whole().Replace("developers: [ann, eve]", "developers: [eve]", StringComparison.Ordinal)));

    [Fact]
    public void Between_RuleNowAsksForAYes_IsHarderForTheGroup() =>
        Assert.Equal(
            ["group:developers (2 people) get orders-db/read-only otherwise: with a yes from owners, before by rule"],
            Access(Yaml.Whole(), Yaml.Whole().Replace("approve: { auto: true }", "approve: { steps: [ { from: owners } ] }", StringComparison.Ordinal)));

    [Theory]
    [InlineData("max: 4h", "max: 2h", AccessKind.Harder, "for 2h at most, before 4h")]
    [InlineData("max: 4h", "max: 8h", AccessKind.Easier, "for 8h at most, before 4h")]
    [InlineData("max: 4h }", "max: 4h }\n    reason: { required: true }", AccessKind.Harder, "now takes a reason")]
    [InlineData("max: 4h }", "max: 4h }\n    reason: { ticket: '^A$' }", AccessKind.Harder, "now takes a ticket that matches ^A$")]
    [InlineData("max: 4h }", "max: 8h }\n    reason: { required: true }", AccessKind.Changed, "for 8h at most, before 4h; now takes a reason")]
    public void Between_TermsChange_SaysWhichWay(string was, string becomes, AccessKind kind, string says)
    {
        var change = Assert.Single(Diff(Yaml.Whole(), Yaml.Whole().Replace(was, becomes, StringComparison.Ordinal)).Access);
        Assert.Equal(kind, change.Kind);
        Assert.Equal(says, string.Join("; ", change.Differences));
    }

    [Fact]
    public void Between_SomebodyIsDisabled_TheyLoseAllAndTheirStepIsNarrower()
    {
        var diff = Diff(Yaml.Whole(), Yaml.Whole().Replace("eve: {}", "eve: { disabled: true }", StringComparison.Ordinal));
        Assert.All(diff.Access, change => Assert.Equal(["eve"], change.Who));
        Assert.Equal(1, diff.Losers);
        Assert.Equal("person eve changed: disabled", Assert.Single(diff.Items).ToString());
    }

    [Theory]
    [InlineData("", "bundles: { week: { roles: [orders-db/owner] } }", "bundle week added")]
    [InlineData("bundles: { week: { roles: [orders-db/owner] } }", "", "bundle week removed")]
    [InlineData("bundles: { week: { roles: [orders-db/owner], for: 1h } }", "bundles: { week: { roles: [orders-db/read-only] } }", "bundle week changed: in: orders-db/read-only; out: orders-db/owner; for")]
    [InlineData("bundles: { week: { roles: [orders-db/owner, orders-db/read-only] } }", "bundles: { week: { roles: [orders-db/read-only, orders-db/owner] } }", "bundle week changed: order")]
    public void Between_Bundles_SaysWhatComesInAndGoesOut(string before, string after, string says)
    {
        var diff = Diff(Yaml.Whole() + "\n" + before, Yaml.Whole() + "\n" + after);
        Assert.Equal(says, Assert.Single(diff.Items).ToString());
        Assert.Empty(diff.Access);
    }

    [Fact]
    public void Between_TemplateChanges_NamesThePoliciesThatTakeIt()
    {
        const string policies = """
            templates:
              short: { for: 1h, approve: { auto: true } }
            policies:
              read: { who: group:developers, roles: ['*/read-only'], template: short }
              own: { who: group:developers, roles: [orders-db/owner], template: short, for: 30m }
            """;
        var diff = Diff(Yaml.Whole(policies), Yaml.Whole(policies.Replace("for: 1h", "for: 2h", StringComparison.Ordinal)));
        Assert.Equal(["template short changed: for", "policy read changed: for"], diff.Items.Select(item => item.ToString()));
        Assert.Equal("group:developers (2 people) get orders-db/read-only otherwise: for 2h at most, before 1h; usually for 2h, before 1h", Assert.Single(diff.Access).ToString());
    }

    [Fact]
    public void Between_DenialIsAdded_TakesFromThoseItNames()
    {
        var change = Assert.Single(Diff(Yaml.Whole(), Yaml.Whole() + "\n  never: { deny: group:contractors, roles: ['*/owner'] }").Access);
        Assert.Equal((AccessKind.Loses, "eve"), (change.Kind, Assert.Single(change.Who)));
        Assert.Equal(Way.Denied, change.After.Way);
    }

    [Fact]
    public void Between_TheOnlyOwnerMayAsk_ShesApartFromTheOthers()
    {
        // Bob owns: what everybody else gets with his yes, he could never get.
        var change = Diff(Yaml.Whole(), Yaml.Whole().Replace("developers: [ann, eve]", "developers: [ann, bob, eve]", StringComparison.Ordinal)).Access;
        var gained = Assert.Single(change);
        Assert.Equal(["bob"], gained.Who);
        Assert.Equal("orders-db/read-only", Assert.Single(gained.Roles).ToString());
    }

    [Fact]
    public void Between_OnlyARuleIsRenamed_NobodyGainsOrLoses()
    {
        var diff = Diff(Yaml.Whole(), Yaml.Whole().Replace("  own:", "  possess:", StringComparison.Ordinal));
        Assert.Empty(diff.Access);
        Assert.Equal(["policy own removed", "policy possess added"], diff.Items.Select(item => item.ToString()));
    }

    [Fact]
    public void Between_ASettingChanges_NamesTheKeyAndNotTheValue()
    {
        var item = Assert.Single(Diff(Yaml.Whole(), Yaml.Whole().Replace("host: db", "host: secret-host", StringComparison.Ordinal)).Items);
        Assert.Equal("resource orders-db changed: settings", item.ToString());
        Assert.DoesNotContain("secret-host", Diff(Yaml.Whole(), Yaml.Whole().Replace("host: db", "host: secret-host", StringComparison.Ordinal)).ToNode().ToJsonString());
    }

    [Fact]
    public void Between_EachWithoutTheShortcut_SaysTheSame()
    {
        // The shortcut asks once for all who are alike. Whatever it says of somebody is what they are told alone.
        var before = Yaml.Good(Yaml.Whole());
        var after = Yaml.Good(Yaml.Whole(policies: """
            policies:
              read: { who: [group:developers, bob], roles: ['*/read-only'], for: 2h, approve: { steps: [ { from: manager } ] } }
              own: { who: group:developers, roles: [orders-db/owner], approve: { steps: [ { from: group:leads }, { from: person:eve } ] } }
            """));
        var told = CatalogDiff.Between(before, after, Now).Access.SelectMany(change => change.People.SelectMany(person => change.Roles.Select(role => (person, role, change.Kind)))).ToHashSet();
        foreach (var person in before.People.Keys.Select(name => new SubjectId(name)))
        {
            foreach (var role in before.Resources["orders-db"].Roles.Values.Select(role => role.Ref))
            {
                var (was, becomes) = (Could(before, person, role), Could(after, person, role));
                Assert.Equal(was && !becomes, told.Contains((person, role, AccessKind.Loses)));
                Assert.Equal(!was && becomes, told.Contains((person, role, AccessKind.Gains)));
            }
        }
    }

    [Fact]
    public void Between_AProofIsDemandedWithTheYes_IsHarder_AndWithoutItEasier()
    {
        const string Plain = "approve: { steps: [ { from: owners } ] }", Proved = "approve: { step_up: passkey, steps: [ { from: owners } ] }";
        var signed = Yaml.Whole().Replace(Plain, Proved, StringComparison.Ordinal);
        Assert.NotEqual(Yaml.Whole(), signed);
        var harder = Assert.Single(Diff(Yaml.Whole(), signed).Access);
        Assert.Equal(AccessKind.Harder, harder.Kind);
        Assert.Contains("with a yes from owners, signed with a passkey, before with a yes from owners", harder.ToString(), StringComparison.Ordinal);
        Assert.Equal(AccessKind.Easier, Assert.Single(Diff(signed, Yaml.Whole()).Access).Kind);
    }

    [Fact]
    public void Between_AConditionOfTheTimeIsAdded_IsHarderWhateverTheTimeIs()
    {
        var change = Assert.Single(Diff(Yaml.Whole(), Yaml.Whole().Replace("max: 4h }", "max: 4h }\n    when: request.reason.contains('INC')", StringComparison.Ordinal)).Access);
        Assert.Equal(AccessKind.Harder, change.Kind);
        Assert.Equal("now takes that request.reason.contains('INC') holds", Assert.Single(change.Differences));
    }

    [Fact]
    public void Between_ManyPeople_TellsItInLines()
    {
        var before = Large("a0", 60);
        var after = Large("a1", 60);
        var diff = CatalogDiff.Between(before, after, Now);
        Assert.NotEmpty(diff.Access);
        Assert.True(diff.Access.Count < 200, $"{diff.Access.Count} lines");
        Assert.Contains(diff.Access, change => change.People.Count > 10 && change.Who.Any(who => who.StartsWith("group:", StringComparison.Ordinal)));
    }

    private static bool Could(LoadedCatalog catalog, SubjectId person, RoleRef role) =>
        Decider.Decide(catalog, new Question(person, role, null, "because", null, null, Now)) is not Verdict.Deny;

    /// <summary>Groups of 20 people, two resources and four policies for each; the other mark moves one person of each tenth group and takes a tenth of the rules' yes away.</summary>
    internal static LoadedCatalog Large(string mark, int groups)
    {
        var text = new System.Text.StringBuilder("people:\n");
        void Line(string line) => text.Append(line).Append('\n');
        for (var i = 0; i < groups * 20; i++)
        {
            Line($"  p{i}: {{}}");
        }

        Line("groups:");
        for (var g = 0; g < groups; g++)
        {
            var skip = mark == "a1" && g % 10 == 0 ? 1 : 0;
            Line($"  g{g}: [{string.Join(", ", Enumerable.Range(g * 20, 20).Skip(skip).Select(i => $"p{i}"))}]");
        }

        Line($"  all: [{string.Join(", ", Enumerable.Range(0, groups).Select(g => $"group:g{g}"))}]");
        Line("resources:");
        for (var r = 0; r < groups * 2; r++)
        {
            Line($"  r{r}: {{ kind: database, owners: [group:g{r % groups}], settings: {{ host: db }}, roles: {{ read: {{}}, write: {{}} }} }}");
        }

        Line("policies:");
        for (var p = 0; p < groups * 4; p++)
        {
            var approve = mark == "a1" && p % 10 == 1 ? "{ auto: true }" : "{ steps: [ { from: owners } ] }";
            Line($"  q{p}: {{ who: {(p < 20 ? "group:all" : $"group:g{p % groups}")}, roles: ['r{p / 2}/{(p % 2 == 0 ? "read" : "write")}'], for: 1h, approve: {approve} }}");
        }

        return Yaml.Good(text.ToString());
    }
}
