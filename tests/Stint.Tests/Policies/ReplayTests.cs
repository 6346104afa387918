using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class ReplayTests
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static Request Asked(string role, RequestState state = RequestState.Approved)
    {
        var verdict = Decider.Decide(Yaml.Good(Yaml.Whole()), new Question(new SubjectId("ann"), RoleRef.Parse(role)!.Value, null, "work", null, null, Then));
        return new Request
        {
            Id = new RequestId("req-1"),
            Subject = new SubjectId("ann"),
            Role = RoleRef.Parse(role)!.Value,
            State = verdict is Verdict.Deny ? RequestState.Denied : state,
            Version = 1,
            AskedAt = Then,
            For = TimeSpan.FromHours(1),
            Opening = Opening.ByHolder,
            Reason = "work",
            CatalogVersion = "v",
            Verdict = verdict,
            LapsesAt = Then,
            BeginWithin = TimeSpan.FromHours(1),
            Digest = "d",
        };
    }

    private static Replay Again(string role, string policies, RequestState state = RequestState.Approved, params string[] yes) => Replay.Of(
        Yaml.Good(Yaml.Whole(policies)),
        Asked(role, state),
        [.. yes.Select(by => new Approval { Request = new RequestId("req-1"), By = new SubjectId(by), Yes = true, At = Then, SawDigest = "d", Via = "test" })]);

    [Theory]
    [InlineData("orders-db/read-only", "approve: { auto: true }", "approve: { auto: true }", Replayed.Same)]
    [InlineData("orders-db/read-only", "max: 4h", "max: 30m", Replayed.Shorter)]
    [InlineData("orders-db/read-only", "approve: { auto: true }", "approve: { steps: [ { from: owners } ] }", Replayed.NeedsYes)]
    [InlineData("orders-db/read-only", "approve: { auto: true }", "approve: { auto: true }\n    reason: { ticket: '^INC$' }", Replayed.Refused)]
    [InlineData("orders-db/owner", "approve: { steps: [ { from: owners } ] }", "approve: { auto: true }", Replayed.ByRule)]
    [InlineData("orders-db/owner", "from: owners", "from: group:contractors", Replayed.NeedsYes)]
    [InlineData("orders-db/owner", "from: owners", "from: group:leads", Replayed.Same)]
    public void Of_OneRuleChanged_SaysWhatBecomesOfIt(string role, string was, string becomes, Replayed expected) =>
        Assert.Equal(expected, Again(role, Yaml.Policies.Replace(was, becomes, StringComparison.Ordinal), RequestState.Approved, "bob").What);

    [Fact]
    public void Of_OneThatNobodyAnswered_IsHeldAgainstWhatWasAskedOfIt()
    {
        Assert.Equal(Replayed.Same, Again("orders-db/owner", Yaml.Policies, RequestState.Lapsed).What);
        Assert.Equal(Replayed.NeedsYes, Again("orders-db/owner", Yaml.Policies.Replace("from: owners", "from: group:leads", StringComparison.Ordinal), RequestState.Lapsed).What);
    }

    [Fact]
    public void Of_OneWhoseRoleIsGone_IsRefused()
    {
        var again = Again("orders-db/read-only", "policies:\n  all: { who: person:carol, roles: ['*'], approve: { auto: true } }".Replace("'*'", "'*/*'", StringComparison.Ordinal));
        Assert.Equal(Replayed.Refused, again.What);
        Assert.Contains("no rule lets ann ask", again.Because);
    }
}
