using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class SeparatingTests
{
    private const string Resources = """
        resources:
          pay-db:
            kind: database
            owners: [group:leads]
            settings: { host: db }
            roles: { prepare: {}, release: {}, look: {} }
        """;

    private const string Policies = """
        policies:
          pay: { who: group:developers, roles: ['pay-db/*'], for: { default: 1h, max: 4h }, approve: { auto: true } }
        """;

    private static readonly DateTimeOffset Now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);

    private static string Text(string separate = "separate: { four-eyes: { one: pay-db/prepare, other: [pay-db/release], within: 2d } }") =>
        Yaml.Whole(policies: Policies, resources: Resources) + "\n" + separate;

    private static Question Ask(string role, DateTimeOffset? start = null, TimeSpan? length = null, params Held[]? held) =>
        new(new SubjectId("ann"), RoleRef.Parse(role)!.Value, length, null, null, start, Now) { Held = held };

    private static Held Prepared(double from, double? until, bool promised = false) =>
        new(new RoleRef("pay-db", "prepare"), Now.AddHours(from), until is { } end ? Now.AddHours(end) : null, promised);

    private static Verdict Decide(Question question, string? text = null) => Decider.Decide(Yaml.Good(text ?? Text()), question);

    [Theory]
    [InlineData(-1.0, 1.0, true)] // held now
    [InlineData(-1.0, null, true)] // nobody can say until when
    [InlineData(-50.0, -47.9, true)] // ended within the time
    [InlineData(-50.0, -48.0, false)] // ended just outside of it
    [InlineData(-90.0, -80.0, false)]
    public void Decide_TheOtherSideIsOrWasHeld_SaysNoWhileItCounts(double from, double? until, bool no)
    {
        Assert.Equal(no, Decide(Ask("pay-db/release", held: Prepared(from, until))) is Verdict.Deny);
        Assert.IsType<Verdict.Allow>(Decide(Ask("pay-db/prepare", held: Prepared(from, until))));
        Assert.IsType<Verdict.Allow>(Decide(Ask("pay-db/look", held: Prepared(from, until))));
    }

    [Fact]
    public void Decide_ANo_NamesTheRuleTheOtherRoleAndWhenItIsFree()
    {
        var no = Assert.IsType<Verdict.Deny>(Decide(Ask("pay-db/release", held: Prepared(-1, 2))));

        Assert.True(no.Known);
        Assert.Equal(["four-eyes"], no.DecidedBy);
        Assert.Equal("four-eyes: it keeps pay-db/release apart from pay-db/prepare, which ann holds until 1 Dec 2026 14:00 UTC, and for 2d after it, until 3 Dec 2026 14:00 UTC", no.Because);
        Assert.Equal("ask for a start from 3 Dec 2026 14:00 UTC on", no.Trace[0].Remedy);

        // What is told is so: from then on it is free, and not a second before.
        Assert.IsType<Verdict.Allow>(Decide(Ask("pay-db/release", start: Now.AddHours(50), held: Prepared(-1, 2))));
        Assert.IsType<Verdict.Deny>(Decide(Ask("pay-db/release", start: Now.AddHours(50).AddSeconds(-1), held: Prepared(-1, 2))));
    }

    [Fact]
    public void Decide_SeveralInTheWay_TellsTheOneThatCountsLongest()
    {
        var no = Assert.IsType<Verdict.Deny>(Decide(Ask("pay-db/release", null, null, Prepared(-9, 1), Prepared(-3, 3), Prepared(-7, 2))));
        Assert.Contains("until 3 Dec 2026 15:00 UTC", no.Because, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60.0, null, false)] // begins long after ours has ended and its time is over
    [InlineData(48.5, null, true)] // within two days of our end
    [InlineData(48.5, 0.25, false)] // a shorter one of ours ends early enough
    [InlineData(0.5, 0.25, true)]
    public void Decide_TheOtherSideIsPromised_SaysNoWhereTheTwoWouldMeet(double begins, double? hours, bool no)
    {
        var length = hours is { } h ? TimeSpan.FromHours(h) : (TimeSpan?)null;
        Assert.Equal(no, Decide(Ask("pay-db/release", null, length, Prepared(begins, begins + 5, promised: true))) is Verdict.Deny);
    }

    [Fact]
    public void Decide_WithoutWithin_OnlyWhatIsHeldCounts()
    {
        var text = Text("separate: { four-eyes: { one: pay-db/prepare, other: pay-db/release } }");
        Assert.IsType<Verdict.Deny>(Decide(Ask("pay-db/release", held: Prepared(-1, 1)), text));
        Assert.IsType<Verdict.Allow>(Decide(Ask("pay-db/release", held: Prepared(-1, 0)), text));
    }

    [Fact]
    public void Decide_NobodyLooked_SaysNo()
    {
        var question = new Question(new SubjectId("ann"), new RoleRef("pay-db", "release"), null, null, null, null, Now);
        var no = Assert.IsType<Verdict.Deny>(Decide(question));

        Assert.Contains("is not known", no.Because, StringComparison.Ordinal);
        Assert.Equal(RuleOutcome.Failed, no.Trace[0].Outcome);
        Assert.IsType<Verdict.Allow>(Decide(question with { Role = new RoleRef("pay-db", "look") }));
    }

    [Fact]
    public void Decide_NobodyMayAskForTheRole_TellsNothingOfTheSeparation()
    {
        var no = Assert.IsType<Verdict.Deny>(Decide(Ask("pay-db/release", held: Prepared(-1, 1)) with { Subject = new SubjectId("bob") }));
        Assert.False(no.Known);
        Assert.DoesNotContain("four-eyes", no.Because, StringComparison.Ordinal);
        Assert.DoesNotContain(no.TraceForAsker, line => line.Rule == "four-eyes");
    }

    [Fact]
    public void Decide_Trace_TellsEachRuleOnceAndSurvivesWriting()
    {
        var no = Decide(Ask("pay-db/release", held: Prepared(-1, 1)));
        var (lines, left) = no.TraceWritten();
        Assert.Equal(["four-eyes", "pay"], lines.Select(line => line.Rule));
        Assert.Equal(0, left);
        Assert.Equal(no.Trace.Count, no.Trace.ToList().Count);
        Assert.Equal(["four-eyes"], VerdictJson.Read(VerdictJson.Write(no)).DecidedBy);
    }

    [Fact]
    public void AskAgain_APromiseOfTheOtherSide_IsNotInTheWay_WhatBeganIs()
    {
        var catalog = Yaml.Good(Text());
        var question = Ask("pay-db/release", held: []);
        var pinned = Decider.Decide(catalog, question);

        Assert.IsType<Again.Stands>(Decider.AskAgain(catalog, question with { Held = [Prepared(0.1, 9, promised: true)] }, pinned, [], "", []));
        Assert.Contains("four-eyes", Assert.IsType<Again.Fell>(Decider.AskAgain(catalog, question with { Held = [Prepared(-0.1, null)] }, pinned, [], "", [])).Because, StringComparison.Ordinal);
        Assert.IsType<Again.Fell>(Decider.AskAgain(catalog, question with { Held = null }, pinned, [], "", []));
    }

    [Theory]
    [InlineData("separate: { a: { one: pay-db/prepare } }", "separation 'a' lacks 'other'")]
    [InlineData("separate: { a: { one: [], other: pay-db/release } }", "'one' names none")]
    [InlineData("separate: { a: { one: pay-db/prepar, other: pay-db/release } }", "no role is called 'pay-db/prepar'")]
    [InlineData("separate: { a: { one: pay-db/prepare, other: 'pay-db/*' } }", "'pay-db/prepare' stands on both sides of 'a': nobody could ever hold it")]
    [InlineData("separate: { a: { one: pay-db/prepare, other: pay-db/release, within: 400d } }", "'within' is not a duration")]
    [InlineData("separate: { a: { one: pay-db/prepare, other: pay-db/release, who: ann } }", "a separation has no key 'who'")]
    [InlineData("separate: { pay: { one: pay-db/prepare, other: pay-db/release } }", "a policy is called 'pay' already; in all.yaml:17:3")]
    public void Load_WhatIsWrong_IsSaidWithItsPlace(string separate, string what)
    {
        var error = Yaml.Bad(Text(separate));
        Assert.Equal(what, error.What);
        Assert.True(error.Line > 0 && error.WayOut is not null);
    }

    [Fact]
    public void Load_NobodyCouldHaveBoth_Warns()
    {
        var load = Yaml.Load(Yaml.Whole(
            policies: "policies:\n  one: { who: ann, roles: [pay-db/prepare, pay-db/look], approve: { auto: true } }\n  two: { who: eve, roles: [pay-db/release], approve: { auto: true } }",
            resources: Resources) + "\nseparate: { four-eyes: { one: pay-db/prepare, other: pay-db/release } }");
        Assert.Contains(load.Warnings, warning => warning.What.StartsWith("'four-eyes' keeps apart what nobody could have both of", StringComparison.Ordinal));
        Assert.DoesNotContain(Yaml.Load(Text()).Warnings, warning => warning.What.Contains("four-eyes", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("held: [ { role: pay-db/prepare, until: 2026-01-05T13:00:00Z } ]", "verdict: deny, because: four-eyes")]
    [InlineData("held: [ { role: pay-db/prepare } ]", "verdict: deny, because: four-eyes")]
    [InlineData("held: [ { role: pay-db/prepare, from: 2026-01-01T00:00:00Z, until: 2026-01-03T12:00:00Z } ]", "verdict: allow")]
    [InlineData("held: [ { role: pay-db/prepare, from: 2026-01-09T00:00:00Z } ]", "verdict: allow")]
    [InlineData("held: []", "verdict: allow, because: pay")]
    public void Test_Held_IsWeighed(string held, string expect)
    {
        var report = TestRun.Run(Yaml.Good(Text() + $"\ntests:\n  - {{ name: t, given: {{ subject: ann, ask: pay-db/release, {held} }}, expect: {{ {expect} }} }}"));
        Assert.Empty(report.Results.Single().Differences);
        Assert.Contains(report.Coverage, one => one.Policy == "four-eyes");
    }

    [Theory]
    [InlineData("[ { role: pay-db/none } ]", "no role is called 'pay-db/none'")]
    [InlineData("[ { from: 2026-01-01T00:00:00Z } ]", "what is held lacks 'role'")]
    [InlineData("[ { role: pay-db/look, from: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z } ]", "'until' is before 'from'")]
    [InlineData("[ { role: pay-db/look, since: x } ]", "what is held has no key 'since'")]
    public void Test_HeldThatIsWrong_IsSaid(string held, string what) =>
        Assert.Equal(what, Yaml.Bad(Text() + $"\ntests:\n  - {{ name: t, given: {{ subject: ann, ask: pay-db/release, held: {held} }}, expect: {{ verdict: deny }} }}").What);

    [Fact]
    public void Diff_AndExplanation_TellInWords()
    {
        var (without, with) = (Yaml.Good(Text("")), Yaml.Good(Text()));
        var diff = CatalogDiff.Between(without, with, Now);

        Assert.Contains(diff.Items, item => item.ToString() == "separation four-eyes added");
        Assert.Contains(diff.Access, change => change.ToNode().ToJsonString().Contains("not beside pay-db/prepare, nor within 2d after it (four-eyes)", StringComparison.Ordinal));
        Assert.Contains(CatalogDiff.Between(with, Yaml.Good(Text().Replace("2d", "3d", StringComparison.Ordinal)), Now).Items, item => item.ToString() == "separation four-eyes changed: within");

        var told = Explanation.Of(with, Ask("pay-db/release", held: Prepared(-1, 1)), forAsker: true);
        Assert.IsType<Verdict.Deny>(told.Verdict);
        Assert.Equal(Way.Rule, told.Standing.Way);
        Assert.Equal(["not beside pay-db/prepare, nor within 2d after it (four-eyes)"], told.Standing.Apart);
        Assert.Equal(["not beside some other roles (four-eyes)"], told.Standing.WithoutOthers().Apart);
        Assert.Contains(told.Changes, change => change.Contains("ask for a start from", StringComparison.Ordinal));
    }

    public static TheoryData<string, string?> Grants => new()
    {
        { "ready", "promise" },
        { "closed without beginning", null },
        { "opening", "no end" },
        { "open", "deadline" },
        { "closing", "no end" },
        { "closed", "closed" },
    };

    [Theory]
    [MemberData(nameof(Grants))]
    public void Held_OfAGrant_CountsAsLongAsAccessMayBeThere(string state, string? held)
    {
        var ready = new Grant
        {
            Id = new GrantId("gr-aaaaaaaaaaaa"),
            Request = new RequestId("req-aaaaaaaaaaaa"),
            Subject = new SubjectId("ann"),
            Role = new RoleRef("pay-db", "prepare"),
            State = GrantState.Ready,
            Version = 1,
            ReadyAt = Now.AddHours(-5),
            For = TimeSpan.FromHours(1),
            LapsesAt = Now.AddHours(3),
            Record = RecordMode.Default,
        };
        var begun = ready with { BegunAt = Now.AddHours(-2), NotBefore = Now.AddHours(-2), NotAfter = Now.AddHours(2) };
        var ended = begun with { End = EndReason.Returned, EndedAt = Now.AddHours(-1), State = GrantState.Closing };
        var closed = ended with { ClosedAt = Now.AddMinutes(-30), State = GrantState.Closed };
        var of = Held.Of(
            state switch
            {
                "ready" => ready,
                "closed without beginning" => ready with { State = GrantState.Closed, EndedAt = Now.AddHours(-1), ClosedAt = Now.AddHours(-1) },
                "opening" => begun with { State = GrantState.Opening },
                "open" => begun with { State = GrantState.Open },
                "closing" => ended,
                _ => closed,
            },
            Now);
        Assert.Equal(
            held,
            of switch
            {
                null => null,
                { Promised: true } => of.Until == Now.AddHours(4) ? "promise" : "wrong",
                { Until: null } => "no end",
                _ => of.Until == Now.AddHours(2) ? "deadline" : of.Until == Now.AddMinutes(-30) ? "closed" : "wrong",
            });

        // As it stood before: held then, though it is over now.
        Assert.Equal(new Held(ready.Role, Now.AddHours(-2), Now.AddHours(2)), Held.Of(closed, Now.AddHours(-1.5)));
        Assert.True(Held.Of(closed, Now.AddHours(-3))!.Promised);
        Assert.Null(Held.Of(closed, Now.AddHours(-6)));
    }
}
