using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class WorkloadsSectionTests
{
    private static string Catalog { get; } = World.Catalog
        .Replace("groups:\n", """
            workloads:
              deploy-shop:
                description: Deploys the shop
                issuer: github
                claims: { repository: acme/shop, ref: refs/heads/main, environment: production }
                owners: [group:leads]
                budget: { grants: 20, time: 4h, zone: Europe/Berlin }
            groups:
              jobs: [workload:deploy-shop]

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal)
        .Replace("leads: [bob, carol]", "leads: [bob, carol, group:jobs]", StringComparison.Ordinal)
        .Replace("policies:\n", """
            policies:
              jobs:
                who: workload:deploy-shop
                roles: [orders-db/owner]
                where: subject.claims.environment == "production"
                for: { default: 10m, max: 30m }
                approve: { auto: true }

            """.ReplaceLineEndings("\n"), StringComparison.Ordinal);

    private static CatalogLoad Load(string text) =>
        CatalogLoader.Load(new CatalogSource([new CatalogFile("all.yaml", text)]), new Dictionary<string, KindShape> { ["postgres"] = Stint.Connectors.Postgres.PostgresSettings.Shape });

    [Fact]
    public void Load_AWorkload_IsASubject_AndNobodyWhoAnswers()
    {
        var catalog = World.Load(Catalog);
        var id = SubjectId.Workload("deploy-shop");
        var workload = catalog.Workloads[id.Value];
        Assert.Equal(("github", "Deploys the shop", new Budget(20, TimeSpan.FromHours(4), "Europe/Berlin")), (workload.Issuer, workload.Name, workload.Budget));
        Assert.Equal(["jobs", "leads"], catalog.GroupsOf(id));

        // The group that owns the database holds it, and it owns nothing.
        Assert.Equal(["bob", "carol"], catalog.Resources["orders-db"].Owners.Select(owner => owner.Value).Order());
        var asked = Assert.IsType<Verdict.NeedsApproval>(Decider.Decide(catalog, new Question(World.Ann, new RoleRef("orders-db", "two"), null, "x", null, null, TestsNow)));
        Assert.Equal(["bob", "carol"], asked.Steps[0].Approvers.Select(person => person.Value));
    }

    private static readonly DateTimeOffset TestsNow = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Decide_ByTheClaimsOfTheToken_AndNeverWithoutThem()
    {
        var catalog = World.Load(Catalog);
        var question = new Question(SubjectId.Workload("deploy-shop"), new RoleRef("orders-db", "owner"), null, "x", null, null, TestsNow);
        Assert.IsType<Verdict.Allow>(Decider.Decide(catalog, question with { Claims = new Dictionary<string, string> { ["environment"] = "production" } }));
        Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, question with { Claims = new Dictionary<string, string> { ["environment"] = "staging" } }));
        Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, question with { Claims = new Dictionary<string, string>() }));
        Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, question with { BreakGlass = true, Claims = new Dictionary<string, string> { ["environment"] = "production" } }));

        // Before it showed a token, it is taken for what the catalog demands.
        Assert.IsType<Verdict.Allow>(Decider.Decide(catalog, question));
        Assert.Contains(Who.Of(catalog, new RoleRef("orders-db", "owner"), TestsNow), reach => reach.Subject.IsWorkload && reach.Standing.Could);
    }

    [Theory]
    [InlineData("x: { issuer: github }", "workload 'x' lacks 'claims'", "repository: acme/shop")]
    [InlineData("x: { issuer: github, claims: {} }", "every token of the issuer would do", "say what")]
    [InlineData("x: { issuer: github, claims: { repository: '*/shop' } }", "begins with *", "begin with what is yours")]
    [InlineData("x: { issuer: github, claims: { repository: '' } }", "claim 'repository' is empty", "begin with")]
    [InlineData("x: { claims: { repository: acme/shop } }", "stand without 'issuer'", "name the issuer")]
    [InlineData("x: { issuer: github, claims: { repository: [acme/shop] } }", "is a text, and this is", "")]
    [InlineData("x: { groups: [jobs] }", "a group lists its members", "write workload:x")]
    [InlineData("x: { token: abc }", "not kept in the catalog", "stint token create")]
    [InlineData("x: { budget: {} }", "'budget' bounds nothing", "grants: 20")]
    [InlineData("x: { budget: { time: 1h, zone: Mars/Base } }", "no time zone is called 'Mars/Base'", "Europe/Berlin")]
    [InlineData("x: { budget: { grants: 0 } }", "'grants' is out of bounds", "it goes from 1")]
    [InlineData("x: { owners: [workload:deploy-shop] }", "'owners' names a workload", "machines ask")]
    [InlineData("x@y: {}", "cannot name one of 'workloads'", "take letters")]
    public void Load_Wrong_SaysWhatAndTheWayOut(string workload, string what, string wayOut) => Says(Catalog.Replace("workloads:\n", $"workloads:\n  {workload}\n", StringComparison.Ordinal), what, wayOut);

    [Theory]
    [InlineData("admins: [root]", "admins: [root, workload:deploy-shop]", "'admins' names a workload", "machines ask")]
    [InlineData("owners: [group:leads]\n    settings", "owners: [workload:deploy-shop]\n    settings", "'owners' names a workload", "machines ask")]
    [InlineData("who: workload:deploy-shop", "who: workload:deploy-shap", "no workload is called 'deploy-shap'", "did you mean 'deploy-shop'?")]
    [InlineData("jobs: [workload:deploy-shop]", "jobs: [workload:nobody]", "no workload is called 'nobody'", "deploy-shop")]
    [InlineData("steps: [ { from: group:leads, need: 2 } ]", "steps: [ { from: workload:deploy-shop } ]", "workload:deploy-shop", "")]
    [InlineData("subject.claims.environment ==", "subject.claim.environment ==", "claim", "")]
    public void Load_WhereNoMachineMayStand_SaysSo(string from, string to, string what, string wayOut) => Says(Catalog.Replace(from, to, StringComparison.Ordinal), what, wayOut);

    [Fact]
    public void Never_IsProvedForMachinesToo()
    {
        var text = Catalog + "\nnever:\n  unattended: { who: group:jobs, roles: [orders-db/owner], without: owners }\n";
        Assert.Contains(Load(text).Errors.Select(error => error.ToString()), error => error.Contains("'unattended' can happen: workload:deploy-shop", StringComparison.Ordinal) || error.Contains("'unattended' can happen: somebody in jobs", StringComparison.Ordinal));
    }

    [Fact]
    public void Tests_SayTheClaims()
    {
        var text = Catalog + """

            tests:
              - name: production deploys
                given: { subject: { id: 'workload:deploy-shop', claims: { environment: production } }, ask: orders-db/owner }
                expect: { verdict: allow, because: jobs }
              - name: staging does not
                given: { subject: { id: 'workload:deploy-shop', claims: { environment: staging } }, ask: orders-db/owner }
                expect: { verdict: deny }
              - name: as the catalog demands it
                given: { subject: workload:deploy-shop, ask: orders-db/owner }
                expect: { verdict: allow }
            """.ReplaceLineEndings("\n");
        var report = TestRun.Run(World.Load(text));
        Assert.True(report.Passed, string.Join('\n', report.Results.SelectMany(result => result.Differences)));
        Says(text.Replace("'workload:deploy-shop', claims: { environment: production }", "ann, claims: { environment: production }", StringComparison.Ordinal), "a person has no 'claims'", "workload:NAME");
    }

    [Theory]
    [InlineData("refs/heads/release/*", "refs/heads/release/1", true)]
    [InlineData("refs/heads/release/*", "refs/heads/release/1/2", false)]
    [InlineData("refs/heads/release/*", "refs/heads/release/", true)]
    [InlineData("refs/heads/release/**", "refs/heads/release/1/2", true)]
    [InlineData("acme/*", "acme/shop", true)]
    [InlineData("acme/*", "acme2/shop", false)]
    [InlineData("acme/*-api", "acme/shop-api", true)]
    [InlineData("acme/*-api", "acme/evil/x-api", false)]
    [InlineData("acme/shop", "acme/shop\n", false)]
    [InlineData("acme/shop", "acme/shop", true)]
    [InlineData("a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("a?c", "abc", false)]
    public void Matches_TheWholeOfIt(string pattern, string value, bool matches) => Assert.Equal(matches, Workload.Matches(pattern, value));

    private static void Says(string text, string what, string wayOut)
    {
        var errors = Load(text).Errors.Select(error => error.ToString()).ToList();
        Assert.Contains(errors, error => error.Contains(what, StringComparison.Ordinal) && error.Contains(wayOut, StringComparison.Ordinal) && error.StartsWith("all.yaml:", StringComparison.Ordinal));
    }
}
