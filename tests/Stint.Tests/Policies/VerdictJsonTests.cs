using System.Text.Json;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Policies;

public class VerdictJsonTests
{
    private static readonly Terms Terms = new(TimeSpan.FromMinutes(30), TimeSpan.FromHours(4), RecordMode.Strict, TimeSpan.FromHours(24), TimeSpan.FromHours(8));

    [Fact]
    public void Write_NeedsApproval_HasItsFixedShape()
    {
        var verdict = new Verdict.NeedsApproval(Terms, [new PinnedStep("owners of db", "owners", [new SubjectId("bob"), new SubjectId("dora")], 2)])
        {
            Distinct = true,
            Trace = [new RuleTrace("p", RuleOutcome.Decided, "it asks"), new RuleTrace("q", RuleOutcome.NotAbout, "it is not about db")],
        };

        var json = VerdictJson.Write(verdict);

        Assert.Equal(
            """{"outcome":"needs_approval","decided_by":["p"],"terms":{"for_seconds":1800,"max_seconds":14400,"record":"strict","lapses_after_seconds":86400,"begin_within_seconds":28800},"steps":[{"name":"owners of db","from":"owners","need":2,"approvers":["bob","dora"]}],"distinct":true,"trace":[{"rule":"p","outcome":"decided","because":"it asks"},{"rule":"q","outcome":"not_about","because":"it is not about db"}]}""",
            json);
        var back = Assert.IsType<Verdict.NeedsApproval>(VerdictJson.Read(json));
        Assert.Equal(Terms, back.Terms);
        Assert.True(back.Distinct);
        Assert.Equal(verdict.Steps[0].Approvers, back.Steps[0].Approvers);
        Assert.Equal(verdict.Trace, back.Trace);
    }

    [Fact]
    public void Write_StepsWithAnOrderAndAClock_ComeBackAsTheyWere()
    {
        var step = new PinnedStep("manager of ann", "manager", [new SubjectId("bob")], 1)
        {
            Remind = TimeSpan.FromMinutes(15),
            Escalate = new PinnedEscalation(TimeSpan.FromMinutes(30), "group:directors", [new SubjectId("dora")]),
            NotForReports = true,
        };
        var verdict = new Verdict.NeedsApproval(Terms, [step]) { Sequential = true, Trace = [] };

        var back = Assert.IsType<Verdict.NeedsApproval>(VerdictJson.Read(VerdictJson.Write(verdict)));

        Assert.True(back.Sequential);
        var read = back.Steps[0];
        Assert.Equal((step.Remind, true, step.Escalate.After, "group:directors"), (read.Remind, read.NotForReports, read.Escalate!.After, read.Escalate.To));
        Assert.Equal(step.Escalate.Approvers, read.Escalate.Approvers);
    }

    [Fact]
    public void Read_WhatAnOlderVersionWrote_HasStepsWithoutOrderOrClock()
    {
        const string older = """{"outcome":"needs_approval","decided_by":["p"],"terms":{"for_seconds":1800,"max_seconds":14400,"record":"default","lapses_after_seconds":86400,"begin_within_seconds":28800},"steps":[{"name":"owners of db","from":"owners","need":2,"approvers":["bob","dora"]}],"distinct":true,"trace":[{"rule":"p","outcome":"decided","because":"it asks"}]}""";

        var read = Assert.IsType<Verdict.NeedsApproval>(VerdictJson.Read(older));

        Assert.False(read.Sequential);
        Assert.Equal((null, null, false), (read.Steps[0].Remind, read.Steps[0].Escalate, read.Steps[0].NotForReports));
        Assert.Equal(older, VerdictJson.Write(read));
    }

    [Fact]
    public void Write_Deny_KeepsWhetherItIsKnown()
    {
        foreach (var known in new[] { true, false })
        {
            var verdict = new Verdict.Deny("no", known) { Trace = [new RuleTrace("p", RuleOutcome.NotMet, "no reason", "give one")] };

            var back = Assert.IsType<Verdict.Deny>(VerdictJson.Read(VerdictJson.Write(verdict)));

            Assert.Equal((known, "no"), (back.Known, back.Because));
            Assert.Equal(verdict.Trace, back.Trace);
            Assert.Equal(["p"], back.DecidedBy);
        }
    }

    [Fact]
    public void ToNode_ForTheAsker_LeavesOutOtherRules()
    {
        var verdict = new Verdict.Allow(Terms) { Trace = [new RuleTrace("p", RuleOutcome.Decided, "yes"), new RuleTrace("secret-project", RuleOutcome.NotAbout, "no")] };

        Assert.DoesNotContain("secret-project", VerdictJson.ToNode(verdict, forAsker: true).ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("secret-project", VerdictJson.ToNode(verdict, forAsker: false).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ManyOtherRules_CountsThoseThatItLeavesOut()
    {
        var verdict = new Verdict.Allow(Terms) { Trace = [.. Enumerable.Range(0, 100).Select(i => new RuleTrace($"r{i}", RuleOutcome.NotAbout, "no")), new RuleTrace("p", RuleOutcome.Decided, "yes")] };

        var back = VerdictJson.Read(VerdictJson.Write(verdict));

        Assert.Equal(["p"], back.DecidedBy);
        Assert.Equal((VerdictJson.MostNotAbout + 1, 100 - VerdictJson.MostNotAbout), (back.Trace.Count, back.LeftOut));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"outcome":"maybe","decided_by":[],"trace":[]}""")]
    [InlineData("""{"outcome":"allow","decided_by":[],"trace":[]}""")]
    [InlineData("""{"outcome":"deny","decided_by":[],"trace":[]}""")]
    [InlineData("""{"outcome":"deny","because":"x","decided_by":[],"trace":[],"extra":1}""")]
    [InlineData("""{"outcome":"deny","because":"x","decided_by":[],"trace":[{"rule":"p","outcome":"odd","because":"x"}]}""")]
    [InlineData("""{"outcome":"needs_approval","decided_by":[],"trace":[],"steps":[],"terms":{"for_seconds":1,"max_seconds":1,"record":"default","lapses_after_seconds":1,"begin_within_seconds":1}}""")]
    [InlineData("""{"outcome":"needs_approval","decided_by":[],"trace":[],"steps":[{"name":"a","from":"owners","need":0,"approvers":[]}],"terms":{"for_seconds":1,"max_seconds":1,"record":"default","lapses_after_seconds":1,"begin_within_seconds":1}}""")]
    [InlineData("""{"outcome":"needs_approval","decided_by":[],"trace":[],"steps":[{"name":"a","from":"owners","need":1,"approvers":["b"],"escalate":{"after_seconds":0,"to":"x","approvers":[]}}],"terms":{"for_seconds":1,"max_seconds":1,"record":"default","lapses_after_seconds":1,"begin_within_seconds":1}}""")]
    [InlineData("""{"outcome":"allow","decided_by":[],"trace":[],"terms":{"for_seconds":1,"max_seconds":1,"record":"lax","lapses_after_seconds":1,"begin_within_seconds":1}}""")]
    public void Read_AnythingElse_IsRefused(string json) => Assert.ThrowsAny<JsonException>(() => VerdictJson.Read(json));
}
