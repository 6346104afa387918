using System.Text;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Requests;

public class RequestDigestTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly PinnedStep Step = new("owners of db", "owners", [new SubjectId("bob")], 1);

    private static readonly Request Asked = new()
    {
        Id = new RequestId("req-1"),
        Subject = new SubjectId("ann"),
        Role = new RoleRef("db", "owner"),
        State = RequestState.Pending,
        Version = 1,
        AskedAt = Now,
        For = TimeSpan.FromMinutes(30),
        Opening = Opening.ByHolder,
        Reason = "größer \"so\"",
        CatalogVersion = "c1",
        Verdict = Needs(Step),
        LapsesAt = Now.AddHours(24),
        BeginWithin = TimeSpan.FromHours(8),
        Digest = "",
    };

    private static Verdict.NeedsApproval Needs(params PinnedStep[] steps) =>
        new(new Terms(TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), RecordMode.Default, TimeSpan.FromHours(24), TimeSpan.FromHours(8)), steps) { Trace = [] };

    [Fact]
    public void Canonical_Request_HasItsFixedBytes() =>
        Assert.Equal(
            """{"id":"req-1","subject":"ann","role":"db/owner","for_seconds":1800,"reason":"gr\u00F6\u00DFer \u0022so\u0022","ticket":null,"start_at":"2026-03-01T13:00:00.000000Z","extends":null,"steps":[{"name":"owners of db","from":"owners","need":1,"approvers":["bob"]}],"distinct":false,"catalog_version":"c1"}""",
            Encoding.UTF8.GetString(RequestDigest.Canonical(Asked with { StartAt = Now.AddHours(1).ToOffset(TimeSpan.FromHours(5)) }).Span));

    [Fact]
    public void Of_WhatTheApproverDoesNotSayYesTo_StaysTheSame()
    {
        var digest = RequestDigest.Of(Asked);

        Assert.Equal(64, digest.Length);
        Assert.Equal(digest, RequestDigest.Of(Asked with { Digest = digest, Version = 7, State = RequestState.Approved, DecidedAt = Now, Why = "x" }));
    }

    [Fact]
    public void Of_AnythingTheySayYesTo_ChangesIt()
    {
        Request[] others =
        [
            Asked,
            Asked with { Id = new RequestId("req-2") },
            Asked with { Subject = new SubjectId("eve") },
            Asked with { Role = new RoleRef("db", "read") },
            Asked with { For = TimeSpan.FromMinutes(31) },
            Asked with { Statements = ExactStatements.Of("select 1") },
            Asked with { Statements = ExactStatements.Of("select 2") },
            Asked with { Reason = "other" },
            Asked with { Ticket = "" },
            Asked with { Ticket = "INC-1" },
            Asked with { StartAt = Now.AddHours(1) },
            Asked with { Extends = new GrantId("gr-1") },
            Asked with { CatalogVersion = "c2" },
            Asked with { Verdict = Needs(Step with { Need = 2 }) },
            Asked with { Verdict = Needs(Step with { From = "manager" }) },
            Asked with { Verdict = Needs(Step with { Approvers = [new SubjectId("bob"), new SubjectId("dora")] }) },
            Asked with { Verdict = Needs(Step, Step) },
            Asked with { Verdict = Needs(Step) with { Distinct = true } },
            Asked with { Verdict = Needs(Step) with { Sequential = true } },
            Asked with { Verdict = Needs(Step with { NotForReports = true }) },
            Asked with { Verdict = Needs(Step with { Escalate = new PinnedEscalation(TimeSpan.FromMinutes(30), "group:g", [new SubjectId("dora")]) }) },
            Asked with { Verdict = Needs(Step with { Escalate = new PinnedEscalation(TimeSpan.FromMinutes(30), "group:g", []) }) },
            Asked with { Verdict = Needs(Step with { Escalate = new PinnedEscalation(TimeSpan.FromMinutes(31), "group:g", []) }) },
        ];

        Assert.Equal(others.Length, others.Select(RequestDigest.Of).Distinct().Count());
    }
}
