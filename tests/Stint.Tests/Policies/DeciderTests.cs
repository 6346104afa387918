using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class DeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    internal static Question Ask(string subject, string role, TimeSpan? length = null, string? reason = null, string? ticket = null, DateTimeOffset? start = null) =>
        new(new SubjectId(subject), RoleRef.Parse(role)!.Value, length, reason, ticket, start, Now);

    private static Verdict Decide(string policies, Question question, string? people = null) =>
        Decider.Decide(Yaml.Good(Yaml.Whole(policies: "policies:\n" + policies + "\n  rest: { who: carol, roles: ['*/*'], approve: { auto: true } }", people: people)), question);

    private static RuleTrace Line(Verdict verdict, string rule) => verdict.Trace.Single(line => line.Rule == rule);

    [Fact]
    public void Decide_ByRule_Allows()
    {
        var verdict = Decide("  read: { who: group:developers, roles: ['*/read-only'], for: { default: 30m, max: 4h }, approve: { auto: true }, record: strict }", Ask("ann", "orders-db/read-only"));

        var terms = Assert.IsType<Verdict.Allow>(verdict).Terms;
        Assert.Equal(new Terms(TimeSpan.FromMinutes(30), TimeSpan.FromHours(4), RecordMode.Strict, TimeSpan.FromHours(24), TimeSpan.FromHours(8)), terms);
        Assert.Equal(["read"], verdict.DecidedBy);
        Assert.Equal(RuleOutcome.NotAbout, Line(verdict, "rest").Outcome);
        Assert.Contains("carol", Line(verdict, "rest").Because, StringComparison.Ordinal);
        Assert.DoesNotContain(verdict.TraceForAsker, line => line.Rule == "rest");
    }

    [Theory]
    [InlineData("bob", "orders-db/read-only")]
    [InlineData("ann", "orders-db/owner")]
    [InlineData("ann", "orders-db/nothing")]
    [InlineData("ann", "nowhere/read-only")]
    public void Decide_NoRule_SaysTheSameForWhatIsThereAndWhatIsNot(string subject, string role)
    {
        var verdict = Decide("  read: { who: group:developers, roles: ['*/read-only'], approve: { auto: true } }", Ask(subject, role));

        var deny = Assert.IsType<Verdict.Deny>(verdict);
        Assert.False(deny.Known);
        Assert.Equal($"no rule lets {subject} ask for {role}", deny.Because);
        Assert.Empty(verdict.DecidedBy);
        Assert.Empty(verdict.TraceForAsker);
        Assert.Equal(2, verdict.Trace.Count);
    }

    [Fact]
    public void Decide_UnknownOrDisabledPerson_IsTurnedAway()
    {
        const string policy = "  read: { who: [group:developers, carol], roles: ['*/read-only'], approve: { auto: true } }";

        Assert.False(Assert.IsType<Verdict.Deny>(Decide(policy, Ask("zoe", "orders-db/read-only"))).Known);
        var disabled = Decide(policy, Ask("carol", "orders-db/read-only"), Yaml.People.Replace("carol: {}", "carol: { disabled: true }", StringComparison.Ordinal));
        Assert.False(Assert.IsType<Verdict.Deny>(disabled).Known);
    }

    [Fact]
    public void Decide_DenyBesideAllow_DeniesAndNamesTheRule()
    {
        var verdict = Decide(
            "  read: { who: group:developers, roles: ['*/read-only'], approve: { auto: true } }\n  never: { deny: group:contractors }",
            Ask("eve", "orders-db/read-only"));

        var deny = Assert.IsType<Verdict.Deny>(verdict);
        Assert.True(deny.Known);
        Assert.Equal(["never"], verdict.DecidedBy);
        Assert.Contains("never", deny.Because, StringComparison.Ordinal);
        Assert.Equal(RuleOutcome.Matched, Line(verdict, "read").Outcome);
    }

    [Fact]
    public void Decide_DenyAlone_DoesNotTellThatTheRoleExists()
    {
        var verdict = Decide("  read: { who: ann, roles: ['*/*'], approve: { auto: true } }\n  never: { deny: group:contractors }", Ask("eve", "orders-db/read-only"));

        Assert.False(Assert.IsType<Verdict.Deny>(verdict).Known);
        Assert.Equal(["never"], verdict.DecidedBy);
    }

    [Fact]
    public void Decide_ApprovalBesideAuto_NeedsApproval()
    {
        var verdict = Decide(
            "  auto: { who: group:developers, roles: ['*/read-only'], for: { default: 2h, max: 4h }, approve: { auto: true }, begin_within: 1h }\n"
            + "  asked: { who: ann, roles: ['*/read-only'], for: { default: 3h, max: 3h }, approve: { steps: [ { from: owners } ], lapses: 2h } }",
            Ask("ann", "orders-db/read-only"));

        var needs = Assert.IsType<Verdict.NeedsApproval>(verdict);
        Assert.Equal(new Terms(TimeSpan.FromHours(2), TimeSpan.FromHours(3), RecordMode.Default, TimeSpan.FromHours(2), TimeSpan.FromHours(1)), needs.Terms);
        Assert.Equal([new SubjectId("bob")], Assert.Single(needs.Steps).Approvers);
        Assert.Equal("owners of orders-db", needs.Steps[0].Name);
        Assert.Equal(RuleOutcome.Matched, Line(verdict, "auto").Outcome);
        Assert.Equal(["asked"], verdict.DecidedBy);
    }

    [Fact]
    public void Decide_SeveralApprovals_AskForAllOfThem()
    {
        var verdict = Decide(
            "  a: { who: ann, roles: ['*/owner'], approve: { steps: [ { from: owners }, { from: 'group:all', need: 2 } ] } }\n"
            + "  b: { who: ann, roles: ['*/owner'], approve: { steps: [ { from: 'group:all' }, { from: 'group:all' } ], distinct: true } }",
            Ask("ann", "orders-db/owner"),
            Yaml.People + "\n  all: [ann, bob, carol]");

        // Three places from 'all' and one of an owner, nobody twice: more than the people there are.
        var deny = Assert.IsType<Verdict.Deny>(verdict);
        Assert.Contains("nobody counts in two steps", deny.Because, StringComparison.Ordinal);
        Assert.True(deny.Known);
    }

    [Fact]
    public void Decide_Union_TakesTheHighestNeedOfEachStep()
    {
        var verdict = Decide(
            "  a: { who: ann, roles: ['*/owner'], approve: { steps: [ { from: owners }, { from: 'group:all', need: 2 } ] } }\n"
            + "  b: { who: ann, roles: ['*/owner'], approve: { steps: [ { from: 'group:all' }, { from: manager } ] } }",
            Ask("ann", "orders-db/owner"),
            Yaml.People + "\n  all: [ann, bob, carol, eve]");

        var needs = Assert.IsType<Verdict.NeedsApproval>(verdict);
        Assert.Equal([("group:all", 2), ("manager", 1), ("owners", 1)], needs.Steps.Select(step => (step.From, step.Need)));
        Assert.DoesNotContain(new SubjectId("ann"), needs.Steps.SelectMany(step => step.Approvers));
    }

    [Fact]
    public void Decide_OneWorkflow_KeepsTheOrderOfItsSteps()
    {
        var verdict = Decide("  a: { who: ann, roles: ['*/owner'], approve: { steps: [ { from: person:carol }, { from: manager }, { from: group:leads } ] } }", Ask("ann", "orders-db/owner"));

        Assert.Equal(["carol", "manager of ann", "group leads"], Assert.IsType<Verdict.NeedsApproval>(verdict).Steps.Select(step => step.Name));
    }

    [Fact]
    public void Decide_RequesterIsTheOnlyApprover_IsDeniedAndToldWhoIsMissing()
    {
        var verdict = Decide("  a: { who: [ann, bob], roles: ['*/owner'], approve: { steps: [ { from: owners } ] } }", Ask("bob", "orders-db/owner"));

        var deny = Assert.IsType<Verdict.Deny>(verdict);
        Assert.True(deny.Known);
        Assert.Contains("owners of orders-db: 1 person needed, and besides the requester there is nobody", deny.Because, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(61, "r", "INC-1", "longer than its maximum of 1h", "ask for 1h or less")]
    [InlineData(60, null, "INC-1", "no reason was given", "give a reason")]
    [InlineData(60, "  ", "INC-1", "no reason was given", "give a reason")]
    [InlineData(60, "r", null, "no ticket was given", "matches ^INC-[0-9]+$")]
    [InlineData(60, "r", "", "no ticket was given", "matches ^INC-[0-9]+$")]
    [InlineData(60, "r", "INC-", "does not match", "matches ^INC-[0-9]+$")]
    [InlineData(60, "r", "INC-1\n", "does not match", "matches ^INC-[0-9]+$")]
    [InlineData(0, "r", "INC-1", "not longer than nothing", "at least a second")]
    [InlineData(-5, "r", "INC-1", "not longer than nothing", "at least a second")]
    public void Decide_DemandNotMet_IsDeniedWithTheRemedy(int minutes, string? reason, string? ticket, string because, string remedy)
    {
        const string policy = "  a: { who: ann, roles: ['*/read-only'], for: { max: 1h }, reason: { required: true, ticket: '^INC-[0-9]+$' }, approve: { auto: true } }";

        var verdict = Decide(policy, Ask("ann", "orders-db/read-only", TimeSpan.FromMinutes(minutes), reason, ticket));

        var deny = Assert.IsType<Verdict.Deny>(verdict);
        Assert.True(deny.Known);
        Assert.Contains(because, deny.Because, StringComparison.Ordinal);
        var line = Line(verdict, "a");
        Assert.Equal(RuleOutcome.NotMet, line.Outcome);
        Assert.Contains(remedy, line.Remedy, StringComparison.Ordinal);
        Assert.Equal(["a"], verdict.DecidedBy);
        Assert.IsType<Verdict.Allow>(Decide(policy, Ask("ann", "orders-db/read-only", TimeSpan.FromMinutes(60), "r", "INC-1")));
    }

    [Fact]
    public void Decide_AllThatIsNotMet_IsToldAtOnce()
    {
        var verdict = Decide(
            "  a: { who: ann, roles: ['*/read-only'], for: { max: 1h }, reason: { required: true, ticket: '^INC-[0-9]+$' }, approve: { auto: true } }",
            Ask("ann", "orders-db/read-only", TimeSpan.FromHours(2)));

        Assert.Equal("ask for 1h or less, and give a reason, and give a ticket that matches ^INC-[0-9]+$", Line(verdict, "a").Remedy);
    }

    [Theory]
    [InlineData("for: 1h", "for: 8h", 120, null)]
    [InlineData("reason: { required: true }", "for: 8h", 30, null)]
    [InlineData("reason: { ticket: '^INC-[0-9]+$' }", "for: 8h", 30, "x")]
    public void Decide_LeavingOutWhatTheStricterRuleDemands_NeverGetsTheSofterAnswer(string strict, string soft, int minutes, string? ticket)
    {
        var verdict = Decide(
            $"  strict: {{ who: ann, roles: ['*/owner'], {strict}, approve: {{ steps: [ {{ from: owners }} ] }} }}\n  soft: {{ who: ann, roles: ['*/owner'], {soft}, approve: {{ auto: true }} }}",
            Ask("ann", "orders-db/owner", TimeSpan.FromMinutes(minutes), ticket: ticket));

        Assert.IsType<Verdict.Deny>(verdict);
        Assert.Equal(["strict"], verdict.DecidedBy);
        Assert.Equal(RuleOutcome.Matched, Line(verdict, "soft").Outcome);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(30 * 86_400, true)]
    [InlineData(30 * 86_400 + 1, false)]
    public void Decide_Start_IsBounded(int seconds, bool fine) =>
        Assert.Equal(fine, Decide("  a: { who: ann, roles: ['*/read-only'], approve: { auto: true } }", Ask("ann", "orders-db/read-only", start: Now.AddSeconds(seconds))) is Verdict.Allow);

    [Fact]
    public void Decide_AfterPoliciesChanged_AsksTheNewOnes()
    {
        var catalog = Yaml.Good(Yaml.Whole());
        Assert.IsType<Verdict.Allow>(Decider.Decide(catalog, Ask("ann", "orders-db/read-only")));

        var without = catalog with { Policies = [.. catalog.Policies.Where(policy => policy.Name != "read")] };

        Assert.IsType<Verdict.Deny>(Decider.Decide(without, Ask("ann", "orders-db/read-only")));
        Assert.IsType<Verdict.Allow>(Decider.Decide(catalog, Ask("ann", "orders-db/read-only")));
    }

    [Fact]
    public void Offers_Person_ListsWhatTheyMayAskFor()
    {
        var catalog = Yaml.Good(Yaml.Whole(policies: Yaml.Policies + "\n  never: { deny: group:contractors, roles: [orders-db/owner] }"));

        var ann = Decider.Offers(catalog, new SubjectId("ann"), Now);
        Assert.Equal(["orders-db/owner", "orders-db/read-only"], ann.Select(offer => offer.Role.ToString()));
        Assert.True(ann[0].NeedsApproval);
        Assert.Equal(TimeSpan.FromMinutes(30), ann[1].Default);
        Assert.Equal("orders-db/read-only", Assert.Single(Decider.Offers(catalog, new SubjectId("eve"), Now)).Role.ToString());
        Assert.Empty(Decider.Offers(catalog, new SubjectId("bob"), Now));
        Assert.Empty(Decider.Offers(catalog, new SubjectId("zoe"), Now));
    }
}
