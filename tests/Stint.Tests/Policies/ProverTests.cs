using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class ProverTests
{
    private const string People = """
        people:
          ann: { manager: bob, attributes: { site: berlin } }
          bob: {}
          carol: {}
          eve: {}
        groups:
          developers: [ann]
          contractors: [eve]
          staff: [group:developers]
          security: [carol]
          leads: [bob]
        """;

    private const string Resources = """
        resources:
          orders-db: { kind: database, owners: [group:leads], labels: { data: pii }, settings: { host: db }, roles: { read-only: {}, owner: { risk: high } } }
          test-db: { kind: database, owners: [group:leads], labels: { data: none }, settings: { host: db }, roles: { read-only: {}, owner: {} } }
        """;

    private const string Rest = "  rest: { who: person:bob, roles: ['*/*'], approve: { steps: [ { from: group:security } ] } }";

    private static CatalogLoad Load(string policies, string never) =>
        Yaml.Load(string.Join('\n', People, Resources, "policies:", policies, Rest, "never:\n  it: { " + never + " }"));

    private static void Holds(string policies, string never) => Assert.Empty(Load(policies, never).Errors.Select(error => error.ToString()));

    private static string Breaks(string policies, string never)
    {
        var error = Load(policies, never).Errors[0];
        Assert.StartsWith("'it' can happen: ", error.What, StringComparison.Ordinal);
        return error.What;
    }

    [Fact]
    public void Prove_SomebodyInBothGroups_IsFoundThoughNobodyIs()
    {
        const string read = "  read: { who: group:developers, roles: ['*/read-only'], approve: { auto: true } }";

        // Nobody is in both groups today; the day somebody is, it is too late.
        var how = Breaks(read, "who: group:contractors, roles: ['orders-db/*']");

        Assert.Contains("somebody in contractors and developers gets orders-db/read-only by read, without anybody's yes, for up to 1h", how, StringComparison.Ordinal);
        Holds(read + "\n  no: { deny: group:contractors, roles: ['orders-db/*'] }", "who: group:contractors, roles: ['orders-db/*']");
    }

    [Fact]
    public void Prove_GroupsInGroups_Count()
    {
        const string read = "  read: { who: group:staff, roles: ['*/read-only'], approve: { auto: true } }";

        Assert.Contains("developers", Breaks(read, "who: group:developers, roles: ['*/read-only']"), StringComparison.Ordinal);
        Holds(read + "\n  no: { deny: group:staff }", "who: group:developers, roles: ['*/read-only']");
    }

    [Fact]
    public void Prove_Where_LooksAtTheResource()
    {
        const string read = "  read: { who: group:developers, roles: ['*/read-only'], where: resource.labels.data == \"none\", approve: { auto: true } }";

        Holds(read, "who: group:developers, where: resource.labels.data == \"pii\"");
        Breaks(read, "who: group:developers, where: resource.labels.data == \"none\"");
    }

    [Theory]
    [InlineData("auto: true", "without: any", false)]
    [InlineData("steps: [ { from: owners } ]", "without: any", true)]
    [InlineData("steps: [ { from: owners } ]", "without: owners", true)]
    [InlineData("steps: [ { from: owners } ]", "without: 'group:security'", false)]
    [InlineData("steps: [ { from: owners, escalate: { after: 30m, to: 'group:security' } } ]", "without: owners", false)]
    [InlineData("steps: [ { from: [owners, 'group:security'] } ]", "without: owners", false)]
    [InlineData("auto: subject.on_call, steps: [ { from: owners } ]", "without: owners", false)]
    [InlineData("auto: 'role.risk == \"low\"', steps: [ { from: owners } ]", "without: owners, roles: [orders-db/owner]", true)]
    public void Prove_Without_LooksForAWayAroundTheYes(string approve, string never, bool holds)
    {
        var policies = $"  own: {{ who: group:developers, roles: ['orders-db/owner'], approve: {{ {approve} }} }}";
        if (holds)
        {
            Holds(policies, "who: group:developers, " + never);
        }
        else
        {
            Breaks(policies, "who: group:developers, " + never);
        }
    }

    [Fact]
    public void Prove_TwoRulesForOneRole_EachOnlyTakesAway()
    {
        const string both = """
              easy: { who: group:developers, roles: [orders-db/owner], for: { max: 8h }, approve: { auto: true } }
              hard: { who: group:developers, roles: [orders-db/owner], for: { max: 1h }, approve: { steps: [ { from: owners } ] } }
            """;

        Holds(both, "who: group:developers, roles: [orders-db/owner], without: owners");
        Holds(both, "who: group:developers, roles: [orders-db/owner], longer_than: 1h");
        // By night only the easy one is left.
        var byDay = both.Replace("for: { max: 1h },", "for: { max: 1h }, when: now.getHours() > 8,", StringComparison.Ordinal);
        Assert.Contains("now.getHours() > 8 does not", Breaks(byDay, "who: group:developers, roles: [orders-db/owner], without: owners"), StringComparison.Ordinal);
        Assert.Contains("for up to 8h", Breaks(byDay, "who: group:developers, roles: [orders-db/owner], longer_than: 1h"), StringComparison.Ordinal);
    }

    [Fact]
    public void Prove_OneFieldTwoConstants_AreNotBothSo()
    {
        const string policies = """
              berlin: { who: group:developers, roles: [orders-db/owner], when: subject.attributes.site == "berlin", approve: { auto: true } }
              no: { deny: group:developers, where: subject.attributes.site != "paris" }
            """;

        Holds(policies, "who: group:developers, roles: [orders-db/owner]");
    }

    [Fact]
    public void Prove_PersonByName_IsWeighedAsTheCatalogSaysOfThem()
    {
        const string policies = """
              ann: { who: person:ann, roles: [orders-db/owner], where: subject.attributes.site == "berlin" && subject.manager == "bob", approve: { auto: true } }
            """;

        Assert.Contains("ann gets orders-db/owner", Breaks(policies, "roles: [orders-db/owner], without: any"), StringComparison.Ordinal);
        Holds(policies.Replace("berlin", "paris", StringComparison.Ordinal), "roles: [orders-db/owner], without: any");
        Holds(policies, "who: person:carol");
    }

    [Fact]
    public void Prove_MoreThanCanBeSearched_IsNotTakenForProved()
    {
        // Nine pigeons into eight holes: there is no way, and nothing short of trying them all shows it.
        const int holes = 8;
        static string Sits(int pigeon, int hole) => $"\"{pigeon}.{hole}\" in subject.on_call_for";
        var all = string.Join(" && ", Enumerable.Range(0, holes + 1).Select(pigeon => $"({string.Join(" || ", Enumerable.Range(0, holes).Select(hole => Sits(pigeon, hole)))})"));
        var denials = Enumerable.Range(0, holes).SelectMany(hole => Enumerable.Range(0, holes + 1).SelectMany(one => Enumerable.Range(one + 1, holes - one).Select(other =>
            $"  no-{hole}-{one}-{other}: {{ deny: group:developers, when: '{Sits(one, hole)} && {Sits(other, hole)}' }}")));
        var load = Load(
            $"  p: {{ who: group:developers, roles: [orders-db/owner], when: '{all}', approve: {{ auto: true }} }}\n{string.Join('\n', denials)}",
            "who: group:developers, roles: [orders-db/owner]");

        Assert.Null(load.Catalog);
        Assert.Contains("could not be proved", Assert.Single(load.Errors).What, StringComparison.Ordinal);
    }

    /// <summary>Whatever can be asked under random rules and is not turned away is found as a way, and where no way is found nothing can be asked.</summary>
    [Fact]
    public void Prove_RandomRules_AgreesWithAskingEverybodyEverything()
    {
        var random = new Random(7);
        var groups = (string[])["developers", "contractors", "staff", "security"];
        var found = 0;
        for (var round = 0; round < 120; round++)
        {
            var rules = string.Join('\n', Enumerable.Range(0, random.Next(1, 5)).Select(i =>
            {
                var about = $"group:{groups[random.Next(groups.Length)]}";
                var condition = random.Next(3) switch
                {
                    0 => ", when: subject.on_call",
                    1 => $", where: '\"{groups[random.Next(groups.Length)]}\" in subject.groups'",
                    _ => "",
                };
                return random.Next(3) == 0
                    ? $"  r{i}: {{ deny: {about}, roles: [orders-db/owner]{condition} }}"
                    : $"  r{i}: {{ who: {about}, roles: [orders-db/owner]{condition}, approve: {{ auto: true }} }}";
            }));
            var who = groups[random.Next(groups.Length)];
            var load = Load(rules, $"who: group:{who}, roles: [orders-db/owner]");
            var catalog = Yaml.Good(string.Join('\n', People, Resources, "policies:", rules, Rest));
            var canBeAsked = Enumerable.Range(0, 1 << groups.Length).Any(mask =>
            {
                var own = groups.Where((_, i) => (mask & (1 << i)) != 0).ToList();
                return own.Contains(who) && ((bool[])[false, true]).Any(onCall => TestRun.Run(catalog with { Tests = [Test(own, onCall)] }).Results[0].Verdict is Verdict.Allow);
            });

            // Staff holds developers: being a developer makes a member of staff, which the masks above do as well.
            Assert.Equal(canBeAsked || (who == "staff" && Reaches(catalog, groups, "developers")), load.Errors.Count > 0);
            found += load.Errors.Count > 0 ? 1 : 0;
        }

        Assert.InRange(found, 12, 108);
    }

    private static bool Reaches(LoadedCatalog catalog, string[] groups, string who) => Enumerable.Range(0, 1 << groups.Length).Any(mask =>
    {
        var own = groups.Where((_, i) => (mask & (1 << i)) != 0).ToList();
        return own.Contains(who) && ((bool[])[false, true]).Any(onCall => TestRun.Run(catalog with { Tests = [Test(own, onCall)] }).Results[0].Verdict is Verdict.Allow);
    });

    private static CatalogTest Test(IReadOnlyList<string> groups, bool onCall) => new()
    {
        Name = "t",
        Place = default,
        Subject = new SubjectId("zed"),
        Groups = groups,
        OnCall = onCall,
        Ask = new RoleRef("orders-db", "owner"),
        At = new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero),
        Expect = new Expectation(),
    };
}
