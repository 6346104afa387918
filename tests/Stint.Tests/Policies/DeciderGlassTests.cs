using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public sealed class DeciderGlassTests
{
    private const string Why = "the database answers nobody and the shop stands still";
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 3, 0, 0, TimeSpan.Zero);

    internal static string Text(string more = "") => Yaml.Whole(
        Yaml.Policies + "\n  glass:\n    who: group:developers\n    roles: [orders-db/owner]\n    for: { default: 30m, max: 2h }\n"
        + "    break_glass: { tell: [group:leads, person:carol], review: { from: person:carol, within: 12h } }\n" + more);

    private static Verdict Decide(string text, string who = "ann", string role = "orders-db/owner", TimeSpan? length = null, string? reason = Why, string? ticket = null, DateTimeOffset? start = null, bool glass = true) =>
        Decider.Decide(Yaml.Good(text), new Question(new SubjectId(who), RoleRef.Parse(role)!.Value, length, reason, ticket, start, Now) { BreakGlass = glass });

    [Fact]
    public void Decide_Emergency_IsLetInByThatRuleAlone()
    {
        var allow = Assert.IsType<Verdict.Allow>(Decide(Text()));
        Assert.Equal(["bob", "carol"], allow.Glass!.Told.Select(person => person.Value));
        Assert.Equal(["carol"], allow.Glass.Reviewers.Select(person => person.Value));
        Assert.Equal((TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), RecordMode.Strict), (allow.Terms.For, allow.Terms.Max, allow.Terms.Record));
        Assert.Equal(TimeSpan.FromHours(12), allow.Glass.Within);
        var again = Assert.IsType<Verdict.Allow>(VerdictJson.Read(VerdictJson.Write(allow)));
        Assert.Equal(allow.Glass.Reviewers, again.Glass!.Reviewers);
        Assert.Equal(allow.Glass.From, again.Glass.From);
    }

    [Theory]
    [InlineData("\"break_glass\":{\"told\":[],\"from\":[\"owners\"],\"reviewers\":[\"bob\"],\"within_seconds\":60}")]
    [InlineData("\"break_glass\":{\"told\":[\"bob\"],\"from\":[\"owners\"],\"reviewers\":[],\"within_seconds\":60}")]
    [InlineData("\"break_glass\":{\"told\":[\"bob\"],\"from\":[\"owners\"],\"reviewers\":[\"bob\"],\"within_seconds\":0}")]
    public void Read_AVerdictThatNobodyReviews_IsRefused(string glass)
    {
        var written = VerdictJson.Write(Decide(Text()));
        var at = written.IndexOf("\"break_glass\"", StringComparison.Ordinal);
        var end = written.IndexOf('}', at) + 1;
        Assert.Throws<System.Text.Json.JsonException>(() => VerdictJson.Read(written[..at] + glass + written[end..]));
    }

    [Fact]
    public void Decide_RolesThatAreKeptApart_StayApart()
    {
        var text = Text("separate:\n  four-eyes: { one: [orders-db/owner], other: [orders-db/read-only], within: 1h }\n");
        Verdict Holding(params Held[] held) => Decider.Decide(Yaml.Good(text), new Question(new SubjectId("ann"), RoleRef.Parse("orders-db/owner")!.Value, null, Why, null, null, Now) { BreakGlass = true, Held = held });

        Assert.IsType<Verdict.Allow>(Holding());
        Assert.Equal(["four-eyes"], Assert.IsType<Verdict.Deny>(Holding(new Held(RoleRef.Parse("orders-db/read-only")!.Value, Now.AddHours(-2), Now.AddMinutes(-10)))).DecidedBy);
        Assert.IsType<Verdict.Deny>(Decide(text));
    }

    [Fact]
    public void Decide_Calendars_OfTheRuleBind_AndThoseOfRulesThatArePassedOverDoNot()
    {
        const string calendars = "calendars:\n  nights: { zone: UTC, every: FREQ=DAILY, at: 00:00, for: 4h }\n  days: { zone: UTC, every: FREQ=DAILY, at: 08:00, for: 8h }\n";
        string During(string name) => Text(calendars).Replace("    break_glass", $"    during: {name}\n    break_glass", StringComparison.Ordinal);

        Assert.Equal(Now.AddHours(1), Assert.IsType<Verdict.Allow>(Decide(During("nights"))).Terms.EndsBy);
        Assert.Contains("days", Assert.IsType<Verdict.Deny>(Decide(During("days"))).Because, StringComparison.Ordinal);
        Assert.Null(Assert.IsType<Verdict.Allow>(Decide(Text(calendars).Replace("  own:", "  own:\n    during: days", StringComparison.Ordinal))).Terms.EndsBy);

        // A rule that denies by day ends at eight what an emergency opened at three.
        var denied = Text("  by-day: { deny: group:developers, roles: [orders-db/owner], during: days }\n" + calendars);
        Assert.Equal(Now.AddHours(5), Assert.IsType<Verdict.Allow>(Decide(denied, length: TimeSpan.FromHours(2))).Terms.EndsBy);
    }

    [Fact]
    public void Decide_WithoutSayingSo_AsksForTheYesAsEver()
    {
        var needs = Assert.IsType<Verdict.NeedsApproval>(Decide(Text(), glass: false));
        Assert.Equal(["own"], needs.DecidedBy);
        Assert.Contains(needs.TraceForAsker, line => line.Rule == "glass" && line.Remedy!.Contains("stint break-glass", StringComparison.Ordinal));
    }

    [Fact]
    public void Decide_DemandsOfTheRule_Hold()
    {
        Assert.Contains("longer than its maximum", Assert.IsType<Verdict.Deny>(Decide(Text(), length: TimeSpan.FromHours(3))).Because, StringComparison.Ordinal);
        Assert.Contains("opens at once", Assert.IsType<Verdict.Deny>(Decide(Text(), start: Now.AddHours(1))).Because, StringComparison.Ordinal);
        var ticket = Text().Replace("    break_glass", "    reason: { ticket: '^INC-[0-9]+$' }\n    break_glass", StringComparison.Ordinal);
        var unmet = Assert.IsType<Verdict.Deny>(Decide(ticket, reason: "no"));
        Assert.Contains("no ticket was given, and the reason has fewer than 40 characters", unmet.Because, StringComparison.Ordinal);
        Assert.IsType<Verdict.Allow>(Decide(ticket, ticket: "INC-7"));
    }

    [Fact]
    public void Decide_ARuleOfEveryDayThatFails_IsPassedOver_AnEmergencysOwnIsNot()
    {
        const string evaluates = "  odd: { who: group:developers, roles: [orders-db/owner], when: 'subject.attributes[\"site\"] == \"berlin\"', approve: { auto: true } }\n";
        Assert.IsType<Verdict.Deny>(Decide(Text(evaluates), glass: false));
        Assert.IsType<Verdict.Allow>(Decide(Text(evaluates)));

        var own = Text().Replace("    break_glass", "    when: subject.attributes[\"site\"] == \"berlin\"\n    break_glass", StringComparison.Ordinal);
        Assert.Contains("cannot be evaluated", Assert.IsType<Verdict.Deny>(Decide(own)).Because, StringComparison.Ordinal);

        // And an asking of every day does not fail with it.
        Assert.IsType<Verdict.NeedsApproval>(Decide(own, glass: false));
    }

    [Fact]
    public void Decide_ADenyRuleThatFails_Denies() =>
        Assert.IsType<Verdict.Deny>(Decide(Text("  no: { deny: group:developers, roles: [orders-db/owner], when: 'subject.attributes[\"site\"] == \"berlin\"' }\n")));

    [Fact]
    public void Decide_SeveralRules_TheShortestAndTheReviewersOfAll()
    {
        const string second = "  strict:\n    who: person:ann\n    roles: [orders-db/owner]\n    for: { default: 45m, max: 1h }\n    break_glass: { tell: owners, review: { from: [person:carol, person:bob], within: 2h }, reason_at_least: 10 }\n";
        var allow = Assert.IsType<Verdict.Allow>(Decide(Text(second)));
        Assert.Equal((TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2)), (allow.Terms.For, allow.Terms.Max, allow.Glass!.Within));
        Assert.Equal(["carol"], allow.Glass.Reviewers.Select(person => person.Value));
        Assert.Equal(["glass", "strict"], allow.DecidedBy);
    }

    [Fact]
    public void AskAgain_AnEmergency_IsJudgedAsOne()
    {
        var catalog = Yaml.Good(Text());
        var question = new Question(new SubjectId("ann"), new RoleRef("orders-db", "owner"), null, Why, null, null, Now) { BreakGlass = true };
        var pinned = Decider.Decide(catalog, question);
        Assert.IsType<Again.Stands>(Decider.AskAgain(catalog, question, pinned, [], "d", []));
        Assert.IsType<Again.Fell>(Decider.AskAgain(Yaml.Good(Yaml.Whole()), question, pinned, [], "d", []));
        Assert.IsType<Again.Fell>(Decider.AskAgain(catalog, question with { BreakGlass = false }, pinned, [], "d", []));
    }

    [Fact]
    public void Replay_WhatAReviewHeldBack_IsNoRulesDoing()
    {
        var catalog = Yaml.Good(Text());
        var question = new Question(new SubjectId("ann"), new RoleRef("orders-db", "owner"), null, Why, null, null, Now) { BreakGlass = true };
        var review = new Stint.Core.Approvals.Review
        {
            Id = new ReviewId("rv-1"),
            Request = new RequestId("req-0"),
            Person = question.Subject,
            Role = question.Role,
            State = Stint.Core.Approvals.ReviewState.Open,
            Version = 1,
            OpenedAt = Now,
            DueAt = Now,
            From = ["person:carol"],
            Reviewers = [new SubjectId("carol")],
            Told = [new SubjectId("carol")],
        };
        var held = Decider.UnderReview((Verdict.Allow)Decider.Decide(catalog, question), review);
        Assert.Contains("rv-1", held.Because, StringComparison.Ordinal);
        Assert.Contains(held.TraceForAsker, line => line is { Rule: "glass", Outcome: RuleOutcome.NotMet } && line.Remedy!.Contains("carol", StringComparison.Ordinal));
        var request = new Stint.Core.Requests.Request
        {
            Id = new RequestId("req-1"),
            Subject = question.Subject,
            Role = question.Role,
            State = Stint.Core.Requests.RequestState.Denied,
            Version = 1,
            AskedAt = Now,
            For = TimeSpan.FromHours(1),
            Opening = Stint.Core.Requests.Opening.OnApproval,
            Reason = Why,
            BreakGlass = true,
            CatalogVersion = "v",
            Verdict = VerdictJson.Read(VerdictJson.Write(held)),
            LapsesAt = Now,
            BeginWithin = TimeSpan.FromHours(1),
            Digest = "d",
        };
        Assert.Equal(Replayed.Same, Replay.Of(catalog, request, []).What);
        Assert.Equal(Replayed.Same, Replay.Of(catalog, request with { Verdict = Decider.Decide(catalog, question) }, []).What);
        Assert.Equal(Replayed.Refused, Replay.Of(Yaml.Good(Yaml.Whole()), request with { Verdict = Decider.Decide(catalog, question) }, []).What);
    }

    [Theory]
    [InlineData("break_glass: { tell: owners }", "'break_glass' lacks 'review'")]
    [InlineData("break_glass: { review: { from: owners, within: 1h } }", "'break_glass' lacks 'tell'")]
    [InlineData("break_glass: { tell: owners, review: { from: owners } }", "'review' lacks 'within'")]
    [InlineData("break_glass: { tell: owners, review: { within: 1h } }", "'review' lacks 'from'")]
    [InlineData("break_glass: { tell: owners, review: { from: owners, within: 1h }, loud: true }", "'break_glass' has no key 'loud'")]
    [InlineData("break_glass: { tell: everybody, review: { from: owners, within: 1h } }", "'everybody' is nobody")]
    [InlineData("break_glass: { tell: owners, review: { from: group:securty, within: 1h } }", "no group is called 'securty'")]
    [InlineData("break_glass: { tell: owners, review: { from: owners, within: 1h }, reason_at_least: 3 }", "'reason_at_least' is out of bounds")]
    [InlineData("break_glass: { tell: owners, review: { from: owners, within: 10m } }", "what is not over cannot be reviewed")]
    [InlineData("break_glass: { tell: person:ann, review: { from: owners, within: 1h } }, who: person:ann", "nobody would be told")]
    [InlineData("break_glass: { tell: owners, review: { from: person:ann, within: 1h } }, who: person:ann", "nobody could review")]
    [InlineData("break_glass: { tell: owners, review: { from: owners, within: 1h } }, approve: { auto: true }", "has both 'approve' and 'break_glass'")]
    [InlineData("break_glass: { tell: owners, review: { from: owners, within: 1h } }, record: default", "'record' has no meaning beside 'break_glass'")]
    [InlineData("break_glass: { tell: owners, review: { from: owners, within: 1h } }, begin_within: 1h", "'begin_within' has no meaning")]
    [InlineData("break_glass: now", "'break_glass' is a mapping")]
    public void Check_AWrongBreakGlass_IsToldWithItsPlace(string glass, string says)
    {
        var who = glass.Contains("who:", StringComparison.Ordinal) ? "" : "who: group:developers, ";
        var problem = Yaml.Bad(Yaml.Whole(Yaml.Policies + $"\n  glass: {{ {who}roles: [orders-db/owner], {glass} }}\n"));
        Assert.Contains(says, problem.What, StringComparison.Ordinal);
        Assert.StartsWith("all.yaml:", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Prove_AnEmergency_IsAWayWithoutAnybodysYes()
    {
        var text = Text() + "never:\n  it: { roles: [orders-db/owner], without: owners }\n";
        Assert.Contains("gets orders-db/owner by glass, as break-glass, without anybody's yes, for up to 2h", Yaml.Bad(text).What, StringComparison.Ordinal);
        Assert.Empty(Yaml.Load(Text("  no: { deny: group:developers, roles: [orders-db/owner] }\n") + "never:\n  it: { who: group:developers, roles: [orders-db/owner], without: owners }\n").Errors);
        Assert.Contains("longer", Yaml.Bad(Text() + "never:\n  longer: { roles: [orders-db/owner], longer_than: 1h }\n").What, StringComparison.Ordinal);
        Assert.Empty(Yaml.Load(Text() + "never:\n  it: { roles: [orders-db/owner], longer_than: 2h }\n").Errors);
    }

    [Fact]
    public void Explain_And_Who_NameTheWay()
    {
        var only = Yaml.Good(Text().Replace("  own:\n", "  own2:\n", StringComparison.Ordinal).Replace("roles: [orders-db/owner]\n    approve", "roles: [orders-db/read-only]\n    approve", StringComparison.Ordinal));
        var told = Explanation.Of(only, new Question(new SubjectId("ann"), new RoleRef("orders-db", "owner"), null, null, null, null, Now), forAsker: true);
        Assert.Equal(Way.BreakGlass, told.Standing.Way);
        Assert.True(told.Known);
        Assert.Contains(told.Changes, change => change.Contains("in an emergency: stint break-glass orders-db/owner", StringComparison.Ordinal));
        var reach = Who.Of(Yaml.Good(Text()), new RoleRef("orders-db", "owner"), Now).Single(one => one.Subject.Value == "ann");
        Assert.Equal("with a yes from owners, for 1h at most; in an emergency as break-glass, for 2h at most, reviewed by person:carol within 12h", reach.Standing.HowLong);
        var offer = Decider.Offers(only, new SubjectId("ann"), Now).Single(one => one.Role.Role == "owner");
        Assert.True(offer.OnlyBreakGlass);
        Assert.False(Decider.Offers(Yaml.Good(Text()), new SubjectId("ann"), Now).Single(one => one.Role.Role == "owner").OnlyBreakGlass);
    }

    [Fact]
    public void Diff_SaysWhatBecomesOfEmergencies()
    {
        var (before, after) = (Yaml.Good(Yaml.Whole()), Yaml.Good(Text()));
        Assert.Contains(CatalogDiff.Between(before, after, Now).Access, change => change.Kind == AccessKind.Easier && change.ToString().Contains("in an emergency as break-glass", StringComparison.Ordinal));
        Assert.Contains(CatalogDiff.Between(after, before, Now).Access, change => change.Kind == AccessKind.Harder && change.ToString().Contains("no longer in an emergency", StringComparison.Ordinal));
        var shorter = Yaml.Good(Text().Replace("within: 12h", "within: 3h", StringComparison.Ordinal));
        Assert.Contains(CatalogDiff.Between(after, shorter, Now).Items, item => item is { Kind: "policy", Name: "glass" } && item.Keys.Contains("break_glass"));
    }

    [Fact]
    public void CatalogTests_AskEmergencies()
    {
        var report = TestRun.Run(Yaml.Good(Text() + """
            tests:
              - name: an emergency opens
                given: { subject: ann, ask: orders-db/owner, reason: "the database answers nobody, and nobody answers me", break_glass: true }
                expect: { verdict: allow, break_glass: true, because: glass, record: strict }
              - name: an asking of every day is none
                given: { subject: ann, ask: orders-db/owner }
                expect: { verdict: needs_approval, break_glass: false }
              - name: fails
                given: { subject: ann, ask: orders-db/read-only }
                expect: { break_glass: true }
            """));
        Assert.Equal([true, true, false], report.Results.Select(result => result.Differences.Count == 0));
    }
}
