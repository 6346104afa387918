using System.Globalization;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class TimingTests
{
    private const string Calendars = """

        calendars:
          maintenance: { zone: Europe/Berlin, every: 'FREQ=WEEKLY;BYDAY=SU', at: 02:00, for: 4h }
          evenings: { zone: Europe/Berlin, every: FREQ=DAILY, at: 18:00, for: 6h }
          freeze: { zone: Europe/Berlin, dates: 2026-12-24..2027-01-02 }
          past: { zone: UTC, dates: 2020-01-01 }
        """;

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static LoadedCatalog Catalog(string more, string others = "") => Yaml.Good(Yaml.Whole(policies: $$"""
        policies:
          read: { who: group:developers, roles: ['*/read-only'], for: { default: 1h, max: 8h }, {{more}}, approve: { auto: true } }
          own: { who: group:developers, roles: [orders-db/owner], approve: { auto: true } }
        {{others}}
        """) + Calendars);

    private static Question Ask(string now, string? start = null, TimeSpan? length = null) =>
        new(new SubjectId("ann"), new RoleRef("orders-db", "read-only"), length, null, null, start is null ? null : At(start), At(now));

    private static Terms Terms(Verdict verdict) => Assert.IsType<Verdict.Allow>(verdict).Terms;

    [Fact]
    public void Decide_InTheWindow_OpensAtOnceAndEndsWithIt()
    {
        var terms = Terms(Decider.Decide(Catalog("during: maintenance"), Ask("2026-11-22T03:00:00Z", length: TimeSpan.FromHours(8))));
        Assert.Null(terms.OpensFrom);
        Assert.Equal(At("2026-11-22T05:00:00Z"), terms.EndsBy);
        Assert.Equal(TimeSpan.FromHours(8), terms.For);
    }

    [Fact]
    public void Decide_BeforeTheWindow_MayBeAskedFor_AndSaysWhenItOpens()
    {
        var verdict = Decider.Decide(Catalog("during: maintenance"), Ask("2026-11-23T12:00:00Z"));
        Assert.Equal(At("2026-11-29T01:00:00Z"), Terms(verdict).OpensFrom);
        Assert.Equal(At("2026-11-29T05:00:00Z"), Terms(verdict).EndsBy);
        Assert.Equal("it allows this by rule; it lets in during maintenance only, next from 29 Nov 2026 01:00 UTC", verdict.Trace[0].Because);
        Assert.Equal(verdict.Trace.Take(1), VerdictJson.Read(VerdictJson.Write(verdict)).Trace.Take(1));
        Assert.Equal(Terms(verdict), Terms(VerdictJson.Read(VerdictJson.Write(verdict))));
    }

    [Fact]
    public void Decide_AStartOutsideOfTheWindow_IsDenied_WithTheNextOne()
    {
        var catalog = Catalog("during: maintenance");
        var no = Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, Ask("2026-11-23T12:00:00Z", start: "2026-11-24T12:00:00Z")));
        Assert.Equal("read: it lets in during maintenance only", no.Because);
        Assert.Equal("ask for a start from 29 Nov 2026 01:00 UTC on", no.Trace[0].Remedy);
        Assert.Equal(At("2026-11-29T05:00:00Z"), Terms(Decider.Decide(catalog, Ask("2026-11-23T12:00:00Z", start: "2026-11-29T04:59:59Z"))).EndsBy);
        Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, Ask("2026-11-23T12:00:00Z", start: "2026-11-29T05:00:00Z")));
    }

    [Fact]
    public void Decide_ABlackout_CutsWhatOpensBefore_AndLetsNothingOpenInIt()
    {
        var catalog = Catalog("not_during: [freeze]");
        Assert.Equal(At("2026-12-23T23:00:00Z"), Terms(Decider.Decide(catalog, Ask("2026-12-23T20:00:00Z"))).EndsBy);
        var inside = Decider.Decide(catalog, Ask("2026-12-24T12:00:00Z"));
        Assert.Equal(At("2027-01-02T23:00:00Z"), Terms(inside).OpensFrom);
        Assert.Null(Terms(inside).EndsBy);
        Assert.Contains("it lets nobody in during freeze", inside.Trace[0].Because, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_AWindowInABlackout_IsPassedOver()
    {
        var terms = Terms(Decider.Decide(Catalog("during: maintenance, not_during: freeze"), Ask("2026-12-22T12:00:00Z")));
        Assert.Equal(At("2027-01-03T01:00:00Z"), terms.OpensFrom);
    }

    [Fact]
    public void Decide_ADenyRuleWithACalendar_DeniesInIt_AndEndsWhatOpensBefore()
    {
        var catalog = Catalog("record: default", "  no-changes: { deny: group:developers, during: freeze }");
        Assert.Equal(At("2026-12-23T23:00:00Z"), Terms(Decider.Decide(catalog, Ask("2026-12-23T20:00:00Z"))).EndsBy);
        var no = Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, Ask("2026-12-24T12:00:00Z")));
        Assert.Equal(["no-changes"], no.DecidedBy);
        Assert.Null(Terms(Decider.Decide(catalog, Ask("2027-01-02T23:00:00Z"))).EndsBy);
        Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, Ask("2026-12-20T12:00:00Z", start: "2026-12-25T12:00:00Z")));
    }

    [Fact]
    public void Decide_ADenyRuleThatCannotBeEvaluated_DeniesInItsTimeAndCutsBefore()
    {
        var catalog = Catalog("record: default", "  no-changes: { deny: group:developers, when: 'subject.attributes.team == \"x\"', during: freeze }");
        Assert.IsType<Verdict.Deny>(Decider.Decide(catalog, Ask("2026-12-24T12:00:00Z")));
        Assert.Equal(At("2026-12-23T23:00:00Z"), Terms(Decider.Decide(catalog, Ask("2026-12-23T20:00:00Z"))).EndsBy);
    }

    [Theory]
    [InlineData("during: past")]
    [InlineData("during: maintenance, not_during: [maintenance]")]
    public void Decide_WindowsThatNeverComeAgain_SayNo(string more) => Assert.IsType<Verdict.Deny>(Decider.Decide(Catalog(more), Ask("2026-11-22T12:00:00Z")));

    [Fact]
    public void Decide_SeveralRules_EachOnlyTakesAway()
    {
        var catalog = Catalog("during: evenings", "  also: { who: group:developers, roles: ['*/read-only'], for: 8h, not_during: maintenance, approve: { auto: true } }");
        var terms = Terms(Decider.Decide(catalog, Ask("2026-11-21T20:00:00Z"))); // Saturday evening
        Assert.Equal(At("2026-11-21T23:00:00Z"), terms.EndsBy); // evenings end at midnight, before maintenance begins at two
        Assert.Equal(At("2026-11-22T17:00:00Z"), Terms(Decider.Decide(catalog, Ask("2026-11-22T02:00:00Z"))).OpensFrom);
    }

    [Fact]
    public void AskAgain_OutsideOfTheWindow_IsNotYet_AndInsideIsCut()
    {
        var catalog = Catalog("during: maintenance");
        var question = Ask("2026-11-23T12:00:00Z", length: TimeSpan.FromHours(8));
        var pinned = Decider.Decide(catalog, question);
        var wait = Assert.IsType<Again.NotYet>(Decider.AskAgain(catalog, question, pinned, [], "", []));
        Assert.Equal(At("2026-11-29T01:00:00Z"), wait.From);
        var stands = Assert.IsType<Again.Stands>(Decider.AskAgain(catalog, question with { Now = At("2026-11-29T04:00:00Z") }, pinned, [], "", []));
        Assert.Equal(At("2026-11-29T05:00:00Z"), stands.Terms.EndsBy);
        Assert.IsType<Again.Fell>(Decider.AskAgain(Catalog("during: past"), question, pinned, [], "", []));
    }

    [Theory]
    [InlineData("at: 2026-11-23T12:00:00Z", "verdict: allow, opens: 2026-11-29T01:00:00Z, ends_by: 2026-11-29T05:00:00Z")]
    [InlineData("at: 2026-11-29T03:00:00Z", "verdict: allow, opens: 2026-11-29T03:00:00Z, ends_by: 2026-11-29T05:00:00Z")]
    [InlineData("at: 2026-11-23T12:00:00Z, start: 2026-11-24T12:00:00Z", "verdict: deny, because: read")]
    public void Test_Windows_CanBeExpected(string given, string expect)
    {
        var catalog = Yaml.Good(string.Concat(Yaml.Whole(policies: "policies:\n  read: { who: group:developers, roles: ['*/*'], during: maintenance, approve: { auto: true } }"), Calendars, $"\ntests:\n  - {{ name: t, given: {{ subject: ann, ask: orders-db/read-only, {given} }}, expect: {{ {expect} }} }}"));
        Assert.Empty(TestRun.Run(catalog).Results.Single().Differences);
    }

    [Fact]
    public void Never_ADenyRuleThatHoldsAtTimes_ProvesNothing()
    {
        var text = Yaml.Whole(policies: "policies:\n  read: { who: group:developers, roles: ['*/*'], approve: { auto: true } }\n  no: { deny: group:contractors, during: freeze }") + Calendars;
        var error = Yaml.Bad(text + "\nnever:\n  contractors: { who: group:contractors, roles: ['*/*'] }".Replace("['*/*']", "[orders-db/owner]", StringComparison.Ordinal));
        Assert.Contains("'contractors' can happen", error.What, StringComparison.Ordinal);
        Assert.Contains("during freeze does not", error.What, StringComparison.Ordinal);
        Yaml.Good(text.Replace(", during: freeze", "", StringComparison.Ordinal) + "\nnever:\n  contractors: { who: group:contractors, roles: [orders-db/owner] }");
    }

    [Fact]
    public void Diff_AndStanding_TellTheTimes()
    {
        var (before, after) = (Catalog("record: default"), Catalog("during: maintenance", "  no-changes: { deny: group:developers, during: freeze }"));
        var diff = CatalogDiff.Between(before, after, At("2026-11-22T12:00:00Z"));
        Assert.Contains(diff.Items, item => item.ToString() == "policy read changed: during");
        Assert.Contains(diff.Access, change => change.ToNode().ToJsonString().Contains("to open during maintenance", StringComparison.Ordinal));
        Assert.Contains(CatalogDiff.Between(after, Yaml.Good(after.Source.Files[0].Text.Replace("02:00", "03:00", StringComparison.Ordinal)), At("2026-11-22T12:00:00Z")).Items, item => item.ToString() == "calendar maintenance changed: at");

        var told = Explanation.Of(after, Ask("2026-12-25T12:00:00Z"), forAsker: true);
        Assert.Equal(Way.Rule, told.Standing.Way);
        Assert.Equal(["during maintenance", "not during freeze"], told.Standing.Times);
    }
}
