using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

/// <summary>Rules with conditions: what counts, what is told, and what an error does.</summary>
public class ConditionTests
{
    // A Sunday.
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private const string People = """
        people:
          ann: { name: Ann, mail: ann@shop.example, manager: bob, attributes: { site: berlin } }
          bob: { name: Bob }
          carol: {}
          eve: {}
        groups:
          developers: [ann, eve]
          seniors: [ann]
          staff: [group:seniors]
          contractors: [eve]
          leads: [bob]
        on-call:
          pager: { zone: UTC, starts: 2026-02-23 09:00, turn: 7d, people: [ann, bob] }
        """;

    private const string Resources = """
        resources:
          orders-db: { kind: database, owners: [group:leads], labels: { env: prod, data: pii }, settings: { host: db }, roles: { read-only: {}, owner: { risk: high } } }
          test-db: { kind: database, owners: [group:leads], labels: { env: test }, settings: { host: db }, roles: { read-only: {}, owner: {} } }
        """;

    private static Verdict Decide(string policies, string subject, string role, string? ticket = null, TimeSpan? length = null, DateTimeOffset? start = null, string? reason = null)
    {
        var catalog = Yaml.Good(string.Join('\n', People, Resources, "policies:\n" + policies + "\n  rest: { who: carol, roles: ['*/*'], approve: { auto: true } }"));
        return Decider.Decide(catalog, new Question(new SubjectId(subject), RoleRef.Parse(role)!.Value, length, reason, ticket, start, Now));
    }

    private static RuleTrace Line(Verdict verdict, string rule) => verdict.Trace.Single(line => line.Rule == rule);

    [Theory]
    [InlineData("resource.labels.env == \"prod\"", true)]
    [InlineData("resource.labels.env == \"test\"", false)]
    [InlineData("resource.name == \"orders-db\" && resource.kind == \"database\"", true)]
    [InlineData("\"bob\" in resource.owners", true)]
    [InlineData("role.name == \"read-only\" && role.risk == \"low\"", true)]
    [InlineData("subject.id == \"ann\" && subject.name == \"Ann\" && subject.mail.endsWith(\"@shop.example\")", true)]
    [InlineData("\"developers\" in subject.groups && \"staff\" in subject.groups", true)]
    [InlineData("\"contractors\" in subject.groups", false)]
    [InlineData("subject.manager == \"bob\"", true)]
    [InlineData("subject.on_call && subject.on_call_for == [\"pager\"]", true)]
    [InlineData("subject.attributes.site == \"berlin\"", true)]
    [InlineData("request.ticket.startsWith(\"INC-\")", true)]
    [InlineData("request.reason == \"why\"", true)]
    [InlineData("request.duration <= duration(\"1h\")", true)]
    [InlineData("request.duration > duration(\"1h\")", false)]
    [InlineData("now == timestamp(\"2026-03-01T12:00:00Z\")", true)]
    [InlineData("now.getDayOfWeek() == 0 && now.getHours(\"Europe/Berlin\") == 13", true)]
    public void Where_EachThingItMayRead_SaysWhatIsSo(string condition, bool holds)
    {
        var verdict = Decide($"  p: {{ who: group:developers, roles: ['orders-db/read-only'], where: '{condition}', approve: {{ auto: true }} }}\n  q: {{ who: person:bob, roles: ['*/*'], approve: {{ auto: true }} }}", "ann", "orders-db/read-only", "INC-1", TimeSpan.FromHours(1), reason: "why");

        Assert.Equal(holds ? "allow" : "deny", VerdictJson.Name(verdict));
    }

    [Fact]
    public void Where_DoesNotHold_TellsNotThatTheRoleExists()
    {
        var verdict = Decide("  p: { who: group:developers, roles: ['*/read-only'], where: resource.labels.env == \"test\", approve: { auto: true } }", "ann", "orders-db/read-only");

        Assert.False(Assert.IsType<Verdict.Deny>(verdict).Known);
        Assert.Empty(verdict.TraceForAsker);
    }

    [Fact]
    public void When_DoesNotHold_SaysSo()
    {
        var verdict = Decide("  p: { who: group:developers, roles: ['*/read-only'], when: now.getDayOfWeek() != 0, approve: { auto: true } }", "ann", "orders-db/read-only");

        var deny = Assert.IsType<Verdict.Deny>(verdict);
        Assert.True(deny.Known);
        Assert.Contains("now.getDayOfWeek() != 0", deny.Because, StringComparison.Ordinal);
        Assert.Equal(RuleOutcome.NotMet, Line(verdict, "p").Outcome);
        Assert.Equal(["p"], verdict.DecidedBy);
    }

    [Fact]
    public void When_DoesNotHold_LeavesTheOtherRulesToDecide()
    {
        const string policies = """
              by-day: { who: group:developers, roles: ['*/read-only'], when: now.getDayOfWeek() != 0, approve: { auto: true } }
              at-weekends: { who: group:developers, roles: ['*/read-only'], when: now.getDayOfWeek() == 0, for: 15m, approve: { steps: [ { from: owners } ] } }
            """;

        var verdict = Decide(policies, "ann", "orders-db/read-only");

        Assert.Equal(["at-weekends"], verdict.DecidedBy);
        Assert.Equal(TimeSpan.FromMinutes(15), Assert.IsType<Verdict.NeedsApproval>(verdict).Terms.For);
        Assert.Equal(RuleOutcome.NotMet, Line(verdict, "by-day").Outcome);
        // On Monday it is the other one.
        Assert.Equal(["by-day"], Decide(policies, "ann", "orders-db/read-only", start: Now.AddDays(1)).DecidedBy);
    }

    [Theory]
    [InlineData("where")]
    [InlineData("when")]
    public void Allow_ThatCannotBeEvaluated_NeverAllows_NorDoesAnyOther(string key)
    {
        // Whoever can make a strict rule fail must not be left with the lenient one.
        var verdict = Decide(
            $"  strict: {{ who: group:developers, roles: ['*/read-only'], {key}: 'int(request.ticket) > 0', approve: {{ steps: [ {{ from: owners }} ] }} }}\n  lenient: {{ who: group:developers, roles: ['*/read-only'], approve: {{ auto: true }} }}",
            "ann",
            "orders-db/read-only",
            ticket: "none");

        Assert.True(Assert.IsType<Verdict.Deny>(verdict).Known);
        Assert.Equal(RuleOutcome.Failed, Line(verdict, "strict").Outcome);
        Assert.Equal(RuleOutcome.Matched, Line(verdict, "lenient").Outcome);
        Assert.Contains("cannot be evaluated", Line(verdict, "strict").Because, StringComparison.Ordinal);
        Assert.Equal(["strict"], verdict.DecidedBy);
    }

    [Theory]
    [InlineData("where")]
    [InlineData("when")]
    public void Deny_ThatCannotBeEvaluated_Denies(string key)
    {
        var verdict = Decide(
            $"  no: {{ deny: group:developers, {key}: 'int(request.ticket) > 0' }}\n  yes: {{ who: group:developers, roles: ['*/read-only'], approve: {{ auto: true }} }}",
            "ann",
            "orders-db/read-only",
            ticket: "none");

        Assert.IsType<Verdict.Deny>(verdict);
        Assert.Equal(RuleOutcome.Failed, Line(verdict, "no").Outcome);
        Assert.Contains("denies", Line(verdict, "no").Because, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("41", "allow")]
    [InlineData("42", "deny")]
    public void Deny_WithACondition_DeniesWhereItHolds(string ticket, string expected) => Assert.Equal(
        expected,
        VerdictJson.Name(Decide(
            "  no: { deny: group:developers, where: request.ticket == \"42\" }\n  yes: { who: group:developers, roles: ['*/read-only'], approve: { auto: true } }",
            "ann",
            "orders-db/read-only",
            ticket)));

    [Fact]
    public void Deny_AloneThatCannotBeEvaluated_DoesNotTellThatTheRoleExists()
    {
        var verdict = Decide("  no: { deny: group:developers, where: 'int(request.ticket) > 0' }", "ann", "orders-db/read-only", ticket: "none");

        Assert.False(Assert.IsType<Verdict.Deny>(verdict).Known);
    }

    [Theory]
    [InlineData("ann", "INC-1", "allow")]
    [InlineData("ann", "TASK-1", "needs_approval")]
    [InlineData("ann", null, "needs_approval")]
    [InlineData("eve", "INC-1", "needs_approval")]
    public void Auto_LetsInWhereItHolds(string subject, string? ticket, string expected) => Assert.Equal(
        expected,
        VerdictJson.Name(Decide(
            "  p: { who: group:developers, roles: ['*/owner'], approve: { auto: 'subject.on_call && request.ticket.startsWith(\"INC-\")', steps: [ { from: owners } ] } }",
            subject,
            "orders-db/owner",
            ticket)));

    [Fact]
    public void Auto_ThatCannotBeEvaluated_LeavesTheYesToPeople()
    {
        var verdict = Decide("  p: { who: group:developers, roles: ['*/owner'], approve: { auto: 'int(request.ticket) > 0', steps: [ { from: owners } ] } }", "ann", "orders-db/owner", ticket: "none");

        Assert.IsType<Verdict.NeedsApproval>(verdict);
        Assert.Contains("'auto' cannot be evaluated", Line(verdict, "p").Because, StringComparison.Ordinal);
    }

    [Fact]
    public void Auto_OfOneRule_DoesNotDoAwayWithTheYesOfAnother()
    {
        const string policies = """
              easy: { who: group:developers, roles: ['*/owner'], approve: { auto: subject.on_call, steps: [ { from: owners } ] } }
              hard: { who: group:seniors, roles: ['*/owner'], approve: { steps: [ { from: person:carol } ] } }
            """;

        var verdict = Assert.IsType<Verdict.NeedsApproval>(Decide(policies, "ann", "orders-db/owner"));

        Assert.Equal(["person:carol"], verdict.Steps.Select(step => step.From));
    }

    [Fact]
    public void AskAgain_ConditionNoLongerHolds_Falls()
    {
        var catalog = Yaml.Good(string.Join('\n', People, Resources, "policies:\n  p: { who: group:developers, roles: ['*/*'], when: 'now < timestamp(\"2026-03-01T13:00:00Z\")', approve: { auto: true } }"));
        var question = new Question(new SubjectId("ann"), new RoleRef("orders-db", "owner"), null, null, null, null, Now);
        var pinned = Decider.Decide(catalog, question);

        Assert.IsType<Again.Stands>(Decider.AskAgain(catalog, question with { Now = Now.AddMinutes(59) }, pinned, [], "", []));
        Assert.IsType<Again.Fell>(Decider.AskAgain(catalog, question with { Now = Now.AddHours(1) }, pinned, [], "", []));
    }

    [Fact]
    public void Offers_WeighWhatDoesNotDependOnTheAsking_AndTellTheRest()
    {
        var catalog = Yaml.Good(string.Join('\n', People, Resources, """
            policies:
              p: { who: group:developers, roles: ['*/read-only'], where: resource.labels.env == "test", approve: { auto: true } }
              q: { who: group:developers, roles: ['*/owner'], when: 'now.getHours() > 8', approve: { auto: true } }
              no: { deny: group:developers, roles: [test-db/owner], where: request.ticket != "" }
              never: { deny: group:contractors, where: resource.labels.env == "prod" }
              rest: { who: carol, roles: ['*/*'], approve: { auto: true } }
            """));

        var ann = Decider.Offers(catalog, new SubjectId("ann"), Now);
        var eve = Decider.Offers(catalog, new SubjectId("eve"), Now);

        Assert.Equal(["orders-db/owner", "test-db/owner", "test-db/read-only"], ann.Select(offer => offer.Role.ToString()));
        Assert.Equal(["now.getHours() > 8"], ann[0].Conditions);
        Assert.Empty(ann[2].Conditions);
        Assert.Equal(["test-db/owner", "test-db/read-only"], eve.Select(offer => offer.Role.ToString()));
    }
}
