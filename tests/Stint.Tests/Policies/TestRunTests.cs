using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class TestRunTests
{
    private const string Policies = """
        policies:
          read: { who: group:everybody, roles: ['*/read-only'], for: { default: 30m, max: 4h }, approve: { auto: true } }
          own:
            who: group:developers
            roles: [orders-db/owner]
            record: strict
            approve: { auto: 'subject.on_call || request.ticket.startsWith("INC-")', steps: [ { from: owners } ] }
          never: { deny: group:contractors, roles: ['*/owner'] }
        """;

    private const string People = Yaml.People + "\n  everybody: [group:developers]";

    private static TestReport Run(string tests) => TestRun.Run(Yaml.Good(Yaml.Whole(policies: Policies, people: People) + "\ntests:\n" + tests));

    private static IReadOnlyList<string> Differences(string given, string expect) => Run($"  - {{ name: t, given: {{ {given} }}, expect: {{ {expect} }} }}").Results.Single().Differences;

    [Theory]
    [InlineData("subject: ann, ask: orders-db/read-only", "verdict: allow, because: read, for: 30m, max: 4h, record: default")]
    [InlineData("subject: ann, ask: orders-db/owner", "verdict: needs_approval, because: own, steps: owners, record: strict")]
    [InlineData("subject: ann, ask: orders-db/owner, ticket: INC-1", "verdict: allow")]
    [InlineData("subject: { id: ann, on_call: true }, ask: orders-db/owner", "verdict: allow")]
    [InlineData("subject: eve, ask: orders-db/owner", "verdict: deny, because: never, known: true")]
    [InlineData("subject: bob, ask: orders-db/owner", "verdict: deny, known: false")]
    // Somebody whom the catalog does not know, in groups that hold others.
    [InlineData("subject: { id: zed, groups: [developers] }, ask: orders-db/read-only", "verdict: allow, because: read")]
    [InlineData("subject: { id: zed, groups: [developers, contractors] }, ask: orders-db/owner", "verdict: deny, because: never")]
    [InlineData("subject: { id: zed, groups: [] }, ask: orders-db/read-only", "verdict: deny, known: false")]
    [InlineData("subject: { id: ann, groups: [leads] }, ask: orders-db/read-only", "verdict: deny, known: false")]
    public void Run_WhatIsSo_Passes(string given, string expect) => Assert.Empty(Differences(given, expect));

    private static IReadOnlyList<string> Bundled(string expect, string given = "subject: ann, ask: week") => TestRun.Run(Yaml.Good(
        Yaml.Whole(policies: Policies, people: People) + $"\nbundles:\n  week: {{ roles: [orders-db/read-only, orders-db/owner], for: 8h }}\ntests:\n  - {{ name: t, given: {{ {given} }}, expect: {{ {expect} }} }}")).Results.Single().Differences;

    [Theory]
    [InlineData("verdict: needs_approval, steps: 'owners:orders-db', roles: { orders-db/read-only: allow, orders-db/owner: needs_approval }", "subject: ann, ask: week")]
    [InlineData("verdict: allow", "subject: ann, ask: week, ticket: INC-1")]
    [InlineData("verdict: deny, roles: { orders-db/read-only: allow, orders-db/owner: deny }", "subject: eve, ask: week")]
    [InlineData("verdict: deny, roles: { orders-db/read-only: deny }", "subject: bob, ask: week")]
    public void Run_Bundle_WhatIsSo_Passes(string expect, string given) => Assert.Empty(Bundled(expect, given));

    [Theory]
    [InlineData("verdict: allow", "verdict: expected allow, got needs_approval")]
    [InlineData("steps: owners", "steps: expected owners, got owners:orders-db")]
    [InlineData("roles: { orders-db/owner: allow }", "orders-db/owner: expected allow, got needs_approval")]
    public void Run_Bundle_WhatIsNot_SaysWhatDiffers(string expect, string difference) => Assert.Equal([difference], Bundled(expect));

    [Theory]
    [InlineData("week", "for: 1h", "'for' is said of one role, and this asks for a bundle")]
    [InlineData("week", "roles: { orders-db/ovner: allow }", "'orders-db/ovner' is no role of bundle 'week'")]
    [InlineData("week", "roles: { orders-db/owner: perhaps }", "'perhaps' is no verdict")]
    [InlineData("orders-db/owner", "roles: { orders-db/owner: allow }", "'roles' belongs to a test that asks for a bundle")]
    [InlineData("wek", "verdict: allow", "no role is called 'wek'")]
    public void Load_TestOfABundle_Wrong_IsAnError(string ask, string expect, string problem) => Assert.Contains(
        problem,
        Yaml.Bad(Yaml.Whole(policies: Policies, people: People) + $"\nbundles:\n  week: {{ roles: [orders-db/owner] }}\ntests:\n  - {{ name: t, given: {{ subject: ann, ask: {ask} }}, expect: {{ {expect} }} }}").ToString(),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("verdict: deny", "verdict: expected deny, got allow")]
    [InlineData("because: own", "because: expected own, got read")]
    [InlineData("for: 1h", "for: expected 1h, got 30m")]
    [InlineData("max: 5h", "max: expected 5h, got 4h")]
    [InlineData("steps: owners", "steps: expected owners, got none")]
    [InlineData("record: strict", "record: expected Strict, got Default")]
    public void Run_WhatIsNot_SaysWhatDiffers(string expect, string difference) =>
        Assert.Equal([difference], Differences("subject: ann, ask: orders-db/read-only", expect));

    [Fact]
    public void Coverage_NamesWhatNobodyExercised()
    {
        var report = Run("  - { name: a, given: { subject: ann, ask: orders-db/owner, ticket: INC-1 }, expect: { verdict: allow } }");

        Assert.True(report.Passed);
        Assert.Equal(["it never decided"], report.Coverage.Single(policy => policy.Policy == "read").Never);
        var own = report.Coverage.Single(policy => policy.Policy == "own");
        Assert.Equal(1, own.Decided);
        Assert.Contains(own.Never, never => never.StartsWith("'auto' always held: subject.on_call ||", StringComparison.Ordinal));
        Assert.Contains("'auto' never held: subject.on_call", own.Never);
        Assert.Contains("'auto' always held: request.ticket.startsWith(\"INC-\")", own.Never);
    }

    [Fact]
    public void Coverage_EveryOutcomeSeen_NamesNothing()
    {
        var report = Run("""
              - { name: a, given: { subject: ann, ask: orders-db/owner, ticket: INC-1 }, expect: { verdict: allow } }
              - { name: b, given: { subject: { id: ann, on_call: true }, ask: orders-db/owner }, expect: { verdict: allow } }
              - { name: c, given: { subject: ann, ask: orders-db/owner }, expect: { verdict: needs_approval } }
              - { name: d, given: { subject: ann, ask: orders-db/read-only }, expect: { verdict: allow } }
              - { name: e, given: { subject: eve, ask: orders-db/owner }, expect: { verdict: deny } }
            """);

        Assert.True(report.Passed);
        Assert.Empty(report.Coverage.SelectMany(policy => policy.Never));
    }
}
